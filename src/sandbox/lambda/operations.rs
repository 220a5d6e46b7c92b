//! The names of Lambda's operations, which travel as a method and a path. Each family has the date of its own version in
//! front (API reference); operations that the sandbox lacks are named too, so that a refusal can say what was asked.

/// The operation of a request, `None` if Lambda has no such. `path` is percent-encoded, as sent.
pub(crate) fn operation(method: &str, path: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (version, rest) = segments.split_first()?;
    match *version {
        "2015-03-31" => functions(method, rest).or_else(|| event_sources(method, rest)),
        "2017-03-31" => tags(method, rest),
        _ => others(method, version, rest),
    }
}

fn functions(method: &str, segments: &[&str]) -> Option<&'static str> {
    Some(match (method, segments) {
        ("GET", ["functions"]) => "ListFunctions",
        ("POST", ["functions"]) => "CreateFunction",
        ("GET", ["functions", _]) => "GetFunction",
        ("DELETE", ["functions", _]) => "DeleteFunction",
        ("GET", ["functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("PUT", ["functions", _, "code"]) => "UpdateFunctionCode",
        ("POST", ["functions", _, "invocations"]) => "Invoke",
        ("GET", ["functions", _, "policy"]) => "GetPolicy",
        ("POST", ["functions", _, "policy"]) => "AddPermission",
        ("DELETE", ["functions", _, "policy", _]) => "RemovePermission",
        ("GET", ["functions", _, "versions"]) => "ListVersionsByFunction",
        ("POST", ["functions", _, "versions"]) => "PublishVersion",
        ("GET", ["functions", _, "aliases"]) => "ListAliases",
        ("POST", ["functions", _, "aliases"]) => "CreateAlias",
        ("GET", ["functions", _, "aliases", _]) => "GetAlias",
        ("PUT", ["functions", _, "aliases", _]) => "UpdateAlias",
        ("DELETE", ["functions", _, "aliases", _]) => "DeleteAlias",
        _ => return None,
    })
}

fn event_sources(method: &str, segments: &[&str]) -> Option<&'static str> {
    Some(match (method, segments) {
        ("GET", ["event-source-mappings"]) => "ListEventSourceMappings",
        ("POST", ["event-source-mappings"]) => "CreateEventSourceMapping",
        ("GET", ["event-source-mappings", _]) => "GetEventSourceMapping",
        ("PUT", ["event-source-mappings", _]) => "UpdateEventSourceMapping",
        ("DELETE", ["event-source-mappings", _]) => "DeleteEventSourceMapping",
        _ => return None,
    })
}

fn tags(method: &str, segments: &[&str]) -> Option<&'static str> {
    Some(match (method, segments) {
        // An ARN has no slash, but a client may leave one unencoded.
        ("GET", ["tags", _, ..]) => "ListTags",
        ("POST", ["tags", _, ..]) => "TagResource",
        ("DELETE", ["tags", _, ..]) => "UntagResource",
        _ => return None,
    })
}

fn others(method: &str, version: &str, segments: &[&str]) -> Option<&'static str> {
    Some(match (method, version, segments) {
        ("POST", "2014-11-13", ["functions", _, "invoke-async"]) => "InvokeAsync",
        ("GET", "2016-08-19", ["account-settings"]) => "GetAccountSettings",
        ("PUT", "2017-10-31", ["functions", _, "concurrency"]) => "PutFunctionConcurrency",
        ("DELETE", "2017-10-31", ["functions", _, "concurrency"]) => "DeleteFunctionConcurrency",
        ("GET", "2019-09-30", ["functions", _, "concurrency"]) => "GetFunctionConcurrency",
        ("PUT", "2019-09-30", ["functions", _, "provisioned-concurrency"]) => "PutProvisionedConcurrencyConfig",
        ("GET", "2019-09-30", ["functions", _, "provisioned-concurrency"]) => "GetProvisionedConcurrencyConfig",
        ("DELETE", "2019-09-30", ["functions", _, "provisioned-concurrency"]) => "DeleteProvisionedConcurrencyConfig",
        ("GET", "2018-10-31", ["layers"]) => "ListLayers",
        ("GET", "2018-10-31", ["layers", _, "versions"]) => "ListLayerVersions",
        ("POST", "2018-10-31", ["layers", _, "versions"]) => "PublishLayerVersion",
        ("GET", "2018-10-31", ["layers", _, "versions", _]) => "GetLayerVersion",
        ("DELETE", "2018-10-31", ["layers", _, "versions", _]) => "DeleteLayerVersion",
        ("GET", "2020-06-30", ["functions", _, "code-signing-config"]) => "GetFunctionCodeSigningConfig",
        ("GET", "2021-10-31", ["functions", _, "url"]) => "GetFunctionUrlConfig",
        ("POST", "2021-10-31", ["functions", _, "url"]) => "CreateFunctionUrlConfig",
        ("PUT", "2021-10-31", ["functions", _, "url"]) => "UpdateFunctionUrlConfig",
        ("DELETE", "2021-10-31", ["functions", _, "url"]) => "DeleteFunctionUrlConfig",
        ("POST", "2021-11-15", ["functions", _, "response-streaming-invocations"]) => "InvokeWithResponseStream",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn method_and_path_give_the_name() {
        for (method, path, expected) in [
            // SDKs send the lists with a slash at the end.
            ("GET", "/2015-03-31/functions/", Some("ListFunctions")),
            ("POST", "/2015-03-31/functions", Some("CreateFunction")),
            ("GET", "/2015-03-31/functions/arn%3Aaws%3Alambda", Some("GetFunction")),
            ("GET", "/2015-03-31/functions/a/configuration", Some("GetFunctionConfiguration")),
            ("DELETE", "/2015-03-31/functions/a/policy/sid", Some("RemovePermission")),
            ("POST", "/2017-03-31/tags/arn%3Aaws%3Alambda", Some("TagResource")),
            ("GET", "/2019-09-30/functions/a/concurrency", Some("GetFunctionConcurrency")),
            ("PUT", "/2015-03-31/functions/a", None),
            ("GET", "/2016-01-01/functions", None),
            ("GET", "/", None),
        ] {
            assert_eq!(operation(method, path), expected, "{method} {path}");
        }
    }
}

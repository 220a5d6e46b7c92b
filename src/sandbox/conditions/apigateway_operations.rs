//! Names of API Gateway's operations by method and path, as far as quotas and faults ask for them.

/// The operation of a request, `None` if it is not known here. `path` is percent-encoded, as sent.
pub(super) fn operation(method: &str, path: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let by = |pairs: &[(&str, &'static str)]| pairs.iter().find(|(verb, _)| *verb == method).map(|(_, name)| *name);
    match segments.as_slice() {
        ["account"] => by(&[("GET", "GetAccount"), ("PATCH", "UpdateAccount")]),
        ["apikeys"] => by(&[("GET", "GetApiKeys"), ("POST", "CreateApiKey")]),
        ["apikeys", _] => by(&[("GET", "GetApiKey"), ("PATCH", "UpdateApiKey"), ("DELETE", "DeleteApiKey")]),
        ["domainnames"] => by(&[("GET", "GetDomainNames"), ("POST", "CreateDomainName")]),
        ["domainnames", _] => {
            by(&[("GET", "GetDomainName"), ("PATCH", "UpdateDomainName"), ("DELETE", "DeleteDomainName")])
        }
        ["usageplans"] => by(&[("GET", "GetUsagePlans"), ("POST", "CreateUsagePlan")]),
        ["usageplans", _] => {
            by(&[("GET", "GetUsagePlan"), ("PATCH", "UpdateUsagePlan"), ("DELETE", "DeleteUsagePlan")])
        }
        ["vpclinks"] => by(&[("GET", "GetVpcLinks"), ("POST", "CreateVpcLink")]),
        ["vpclinks", _] => by(&[("GET", "GetVpcLink"), ("PATCH", "UpdateVpcLink"), ("DELETE", "DeleteVpcLink")]),
        ["tags", ..] => by(&[("GET", "GetTags"), ("PUT", "TagResource"), ("DELETE", "UntagResource")]),
        ["restapis"] => by(&[("GET", "GetRestApis"), ("POST", "CreateRestApi")]),
        ["restapis", _] => {
            by(&[("GET", "GetRestApi"), ("PUT", "PutRestApi"), ("PATCH", "UpdateRestApi"), ("DELETE", "DeleteRestApi")])
        }
        ["restapis", _, below @ ..] => below_api(method, below),
        _ => None,
    }
}

fn below_api(method: &str, segments: &[&str]) -> Option<&'static str> {
    Some(match (method, segments) {
        ("GET", ["resources"]) => "GetResources",
        ("GET", ["resources", _]) => "GetResource",
        ("POST", ["resources", _]) => "CreateResource",
        ("PATCH", ["resources", _]) => "UpdateResource",
        ("DELETE", ["resources", _]) => "DeleteResource",
        ("GET", ["deployments"]) => "GetDeployments",
        ("POST", ["deployments"]) => "CreateDeployment",
        ("GET", ["deployments", _]) => "GetDeployment",
        ("PATCH", ["deployments", _]) => "UpdateDeployment",
        ("DELETE", ["deployments", _]) => "DeleteDeployment",
        ("GET", ["stages"]) => "GetStages",
        ("POST", ["stages"]) => "CreateStage",
        ("GET", ["stages", _]) => "GetStage",
        ("PATCH", ["stages", _]) => "UpdateStage",
        ("DELETE", ["stages", _]) => "DeleteStage",
        ("GET", ["authorizers"]) => "GetAuthorizers",
        ("POST", ["authorizers"]) => "CreateAuthorizer",
        ("GET", ["gatewayresponses"]) => "GetGatewayResponses",
        ("GET", ["models"]) => "GetModels",
        ("GET", ["requestvalidators"]) => "GetRequestValidators",
        ("PUT", ["documentation", "parts"]) => "ImportDocumentationParts",
        ("POST", ["documentation", "versions"]) => "CreateDocumentationVersion",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn method_and_path_give_the_name() {
        for (method, path, expected) in [
            ("PUT", "/restapis/a1", Some("PutRestApi")),
            ("GET", "/restapis/a1/resources", Some("GetResources")),
            ("POST", "/restapis/a1/resources/r", Some("CreateResource")),
            ("POST", "/restapis/a1/deployments", Some("CreateDeployment")),
            ("PATCH", "/account", Some("UpdateAccount")),
            ("PUT", "/tags/arn%3Aaws%3Aapigateway", Some("TagResource")),
            ("DELETE", "/vpclinks/v", Some("DeleteVpcLink")),
            ("POST", "/account", None),
            ("GET", "/restapis/a1/resources/r/methods/GET", None),
        ] {
            assert_eq!(operation(method, path), expected, "{method} {path}");
        }
    }
}

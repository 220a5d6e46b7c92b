//! The names of the operations that the sandbox's Route 53 has: verb and path on the wire, and what AWS calls them.

/// The version that every path begins with.
const VERSION: &str = "2013-04-01";

/// Verb, path behind the version, and name. `{}` stands for one segment.
const OPERATIONS: [(&str, &str, &str); 22] = [
    ("GET", "change/{}", "GetChange"),
    ("GET", "healthcheck", "ListHealthChecks"),
    ("POST", "healthcheck", "CreateHealthCheck"),
    ("GET", "healthcheck/{}", "GetHealthCheck"),
    ("POST", "healthcheck/{}", "UpdateHealthCheck"),
    ("DELETE", "healthcheck/{}", "DeleteHealthCheck"),
    ("GET", "healthcheck/{}/lastfailurereason", "GetHealthCheckLastFailureReason"),
    ("GET", "healthcheck/{}/status", "GetHealthCheckStatus"),
    ("GET", "healthcheckcount", "GetHealthCheckCount"),
    ("GET", "hostedzone", "ListHostedZones"),
    ("POST", "hostedzone", "CreateHostedZone"),
    ("GET", "hostedzone/{}", "GetHostedZone"),
    ("POST", "hostedzone/{}", "UpdateHostedZoneComment"),
    ("DELETE", "hostedzone/{}", "DeleteHostedZone"),
    ("GET", "hostedzone/{}/rrset", "ListResourceRecordSets"),
    ("POST", "hostedzone/{}/rrset", "ChangeResourceRecordSets"),
    ("GET", "hostedzonecount", "GetHostedZoneCount"),
    ("GET", "hostedzonesbyname", "ListHostedZonesByName"),
    ("POST", "tags/{}", "ListTagsForResources"),
    ("GET", "tags/{}/{}", "ListTagsForResource"),
    ("POST", "tags/{}/{}", "ChangeTagsForResource"),
    ("GET", "testdnsanswer", "TestDNSAnswer"),
];

/// The name of an operation, `GetHostedZone` for `GET /2013-04-01/hostedzone/Z1`.
pub(in crate::sandbox) fn operation(method: &str, path: &str) -> Option<&'static str> {
    let mut given = path.split('/').filter(|segment| !segment.is_empty());
    if given.next() != Some(VERSION) {
        return None;
    }
    let given: Vec<&str> = given.collect();
    let fits = |pattern: &str| {
        let expected: Vec<&str> = pattern.split('/').collect();
        expected.len() == given.len() && expected.iter().zip(&given).all(|(one, other)| *one == "{}" || one == other)
    };
    OPERATIONS.iter().find(|(verb, pattern, _)| *verb == method && fits(pattern)).map(|(_, _, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_path() {
        for (verb, pattern, name) in OPERATIONS {
            let path = format!("/{VERSION}/{}", pattern.replace("{}", "x1"));
            assert_eq!(operation(verb, &path), Some(name), "{verb} {path}");
            // Older clients put a slash at the end.
            assert_eq!(operation(verb, &format!("{path}/")), Some(name), "{verb} {path}/");
        }
        for (verb, path) in [("PUT", "/2013-04-01/hostedzone"), ("GET", "/2012-02-29/hostedzone"), ("GET", "/")] {
            assert_eq!(operation(verb, path), None, "{verb} {path}");
        }
    }
}

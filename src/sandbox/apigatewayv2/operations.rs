//! The names of the operations of API Gateway's second version: verb and path on the wire, and what AWS calls them.
//!
//! The table is the service model's, also what the sandbox has not, but for developer portals.

/// Verb, path and name. `{}` stands for one segment.
const OPERATIONS: [(&str, &str, &str); 79] = [
    ("GET", "/v2/apis", "GetApis"),
    ("POST", "/v2/apis", "CreateApi"),
    ("PUT", "/v2/apis", "ImportApi"),
    ("GET", "/v2/apis/{}", "GetApi"),
    ("PUT", "/v2/apis/{}", "ReimportApi"),
    ("PATCH", "/v2/apis/{}", "UpdateApi"),
    ("DELETE", "/v2/apis/{}", "DeleteApi"),
    ("GET", "/v2/apis/{}/authorizers", "GetAuthorizers"),
    ("POST", "/v2/apis/{}/authorizers", "CreateAuthorizer"),
    ("GET", "/v2/apis/{}/authorizers/{}", "GetAuthorizer"),
    ("PATCH", "/v2/apis/{}/authorizers/{}", "UpdateAuthorizer"),
    ("DELETE", "/v2/apis/{}/authorizers/{}", "DeleteAuthorizer"),
    ("DELETE", "/v2/apis/{}/cors", "DeleteCorsConfiguration"),
    ("GET", "/v2/apis/{}/deployments", "GetDeployments"),
    ("POST", "/v2/apis/{}/deployments", "CreateDeployment"),
    ("GET", "/v2/apis/{}/deployments/{}", "GetDeployment"),
    ("PATCH", "/v2/apis/{}/deployments/{}", "UpdateDeployment"),
    ("DELETE", "/v2/apis/{}/deployments/{}", "DeleteDeployment"),
    ("GET", "/v2/apis/{}/exports/{}", "ExportApi"),
    ("GET", "/v2/apis/{}/integrations", "GetIntegrations"),
    ("POST", "/v2/apis/{}/integrations", "CreateIntegration"),
    ("GET", "/v2/apis/{}/integrations/{}", "GetIntegration"),
    ("PATCH", "/v2/apis/{}/integrations/{}", "UpdateIntegration"),
    ("DELETE", "/v2/apis/{}/integrations/{}", "DeleteIntegration"),
    ("GET", "/v2/apis/{}/integrations/{}/integrationresponses", "GetIntegrationResponses"),
    ("POST", "/v2/apis/{}/integrations/{}/integrationresponses", "CreateIntegrationResponse"),
    ("GET", "/v2/apis/{}/integrations/{}/integrationresponses/{}", "GetIntegrationResponse"),
    ("PATCH", "/v2/apis/{}/integrations/{}/integrationresponses/{}", "UpdateIntegrationResponse"),
    ("DELETE", "/v2/apis/{}/integrations/{}/integrationresponses/{}", "DeleteIntegrationResponse"),
    ("GET", "/v2/apis/{}/models", "GetModels"),
    ("POST", "/v2/apis/{}/models", "CreateModel"),
    ("GET", "/v2/apis/{}/models/{}", "GetModel"),
    ("PATCH", "/v2/apis/{}/models/{}", "UpdateModel"),
    ("DELETE", "/v2/apis/{}/models/{}", "DeleteModel"),
    ("GET", "/v2/apis/{}/models/{}/template", "GetModelTemplate"),
    ("GET", "/v2/apis/{}/routes", "GetRoutes"),
    ("POST", "/v2/apis/{}/routes", "CreateRoute"),
    ("GET", "/v2/apis/{}/routes/{}", "GetRoute"),
    ("PATCH", "/v2/apis/{}/routes/{}", "UpdateRoute"),
    ("DELETE", "/v2/apis/{}/routes/{}", "DeleteRoute"),
    ("DELETE", "/v2/apis/{}/routes/{}/requestparameters/{}", "DeleteRouteRequestParameter"),
    ("GET", "/v2/apis/{}/routes/{}/routeresponses", "GetRouteResponses"),
    ("POST", "/v2/apis/{}/routes/{}/routeresponses", "CreateRouteResponse"),
    ("GET", "/v2/apis/{}/routes/{}/routeresponses/{}", "GetRouteResponse"),
    ("PATCH", "/v2/apis/{}/routes/{}/routeresponses/{}", "UpdateRouteResponse"),
    ("DELETE", "/v2/apis/{}/routes/{}/routeresponses/{}", "DeleteRouteResponse"),
    ("GET", "/v2/apis/{}/stages", "GetStages"),
    ("POST", "/v2/apis/{}/stages", "CreateStage"),
    ("GET", "/v2/apis/{}/stages/{}", "GetStage"),
    ("PATCH", "/v2/apis/{}/stages/{}", "UpdateStage"),
    ("DELETE", "/v2/apis/{}/stages/{}", "DeleteStage"),
    ("DELETE", "/v2/apis/{}/stages/{}/accesslogsettings", "DeleteAccessLogSettings"),
    ("DELETE", "/v2/apis/{}/stages/{}/cache/authorizers", "ResetAuthorizersCache"),
    ("DELETE", "/v2/apis/{}/stages/{}/routesettings/{}", "DeleteRouteSettings"),
    ("GET", "/v2/domainnames", "GetDomainNames"),
    ("POST", "/v2/domainnames", "CreateDomainName"),
    ("GET", "/v2/domainnames/{}", "GetDomainName"),
    ("PATCH", "/v2/domainnames/{}", "UpdateDomainName"),
    ("DELETE", "/v2/domainnames/{}", "DeleteDomainName"),
    ("GET", "/v2/domainnames/{}/apimappings", "GetApiMappings"),
    ("POST", "/v2/domainnames/{}/apimappings", "CreateApiMapping"),
    ("GET", "/v2/domainnames/{}/apimappings/{}", "GetApiMapping"),
    ("PATCH", "/v2/domainnames/{}/apimappings/{}", "UpdateApiMapping"),
    ("DELETE", "/v2/domainnames/{}/apimappings/{}", "DeleteApiMapping"),
    ("GET", "/v2/domainnames/{}/routingrules", "ListRoutingRules"),
    ("POST", "/v2/domainnames/{}/routingrules", "CreateRoutingRule"),
    ("GET", "/v2/domainnames/{}/routingrules/{}", "GetRoutingRule"),
    ("PUT", "/v2/domainnames/{}/routingrules/{}", "PutRoutingRule"),
    ("DELETE", "/v2/domainnames/{}/routingrules/{}", "DeleteRoutingRule"),
    ("GET", "/v2/portals", "ListPortals"),
    ("POST", "/v2/portals", "CreatePortal"),
    ("GET", "/v2/tags/{}", "GetTags"),
    ("POST", "/v2/tags/{}", "TagResource"),
    ("DELETE", "/v2/tags/{}", "UntagResource"),
    ("GET", "/v2/vpclinks", "GetVpcLinks"),
    ("POST", "/v2/vpclinks", "CreateVpcLink"),
    ("GET", "/v2/vpclinks/{}", "GetVpcLink"),
    ("PATCH", "/v2/vpclinks/{}", "UpdateVpcLink"),
    ("DELETE", "/v2/vpclinks/{}", "DeleteVpcLink"),
];

/// The name of an operation, `CreateRoute` for `POST /v2/apis/abc/routes`. What the two versions have both has one name, and
/// so one quota.
#[must_use]
pub fn operation(method: &str, path: &str) -> Option<&'static str> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let found = OPERATIONS.iter().find(|(verb, pattern, _)| *verb == method && matches(pattern, path));
    found.map(|(_, _, name)| *name)
}

fn matches(pattern: &str, path: &str) -> bool {
    // The ARN in a path of tags has slashes, and not every client encodes them.
    if pattern == "/v2/tags/{}" {
        return path.strip_prefix("/v2/tags/").is_some_and(|arn| !arn.is_empty());
    }
    let segments = |path| str::split(path, '/').filter(|segment| !segment.is_empty());
    let mut given = segments(path);
    segments(pattern).all(|expected| given.next().is_some_and(|given| expected == "{}" || expected == given))
        && given.next().is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_of_the_table_is_found_by_its_own_path() {
        for (verb, pattern, name) in OPERATIONS {
            assert_eq!(operation(verb, &pattern.replace("{}", "x1")), Some(name), "{verb} {pattern}");
        }
        let names: BTreeSet<&str> = OPERATIONS.iter().map(|(_, _, name)| *name).collect();
        assert_eq!(names.len(), OPERATIONS.len(), "a name stands twice");
    }

    #[test]
    fn what_is_no_operation_has_no_name() {
        for (verb, path) in [("PUT", "/v2/apis/a/stages"), ("GET", "/v2/tags/"), ("GET", "/restapis"), ("POST", "/v2")]
        {
            assert_eq!(operation(verb, path), None, "{verb} {path}");
        }
        let route = "/v2/apis/a/stages/%24default/routesettings/GET%20%2Fpets";
        assert_eq!(operation("DELETE", route), Some("DeleteRouteSettings"));
    }
}

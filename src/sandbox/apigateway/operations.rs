//! The names of API Gateway's operations: verb and path on the wire, and what AWS calls them.
//!
//! Quotas, counters and refusals speak of operations by name; the wire has only a verb and a path. The table is the whole
//! of AWS's service model for REST APIs, also what the sandbox has not.

/// Verb, path and name. `{}` stands for one segment; a query stands for the parameter that sets an operation apart.
pub(super) const OPERATIONS: [(&str, &str, &str); 124] = [
    ("GET", "/account", "GetAccount"),
    ("PATCH", "/account", "UpdateAccount"),
    ("GET", "/apikeys", "GetApiKeys"),
    ("POST", "/apikeys", "CreateApiKey"),
    ("GET", "/apikeys/{}", "GetApiKey"),
    ("PATCH", "/apikeys/{}", "UpdateApiKey"),
    ("DELETE", "/apikeys/{}", "DeleteApiKey"),
    ("POST", "/apikeys?mode=import", "ImportApiKeys"),
    ("GET", "/clientcertificates", "GetClientCertificates"),
    ("POST", "/clientcertificates", "GenerateClientCertificate"),
    ("GET", "/clientcertificates/{}", "GetClientCertificate"),
    ("PATCH", "/clientcertificates/{}", "UpdateClientCertificate"),
    ("DELETE", "/clientcertificates/{}", "DeleteClientCertificate"),
    ("GET", "/domainnameaccessassociations", "GetDomainNameAccessAssociations"),
    ("POST", "/domainnameaccessassociations", "CreateDomainNameAccessAssociation"),
    ("DELETE", "/domainnameaccessassociations/{}", "DeleteDomainNameAccessAssociation"),
    ("GET", "/domainnames", "GetDomainNames"),
    ("POST", "/domainnames", "CreateDomainName"),
    ("GET", "/domainnames/{}", "GetDomainName"),
    ("PATCH", "/domainnames/{}", "UpdateDomainName"),
    ("DELETE", "/domainnames/{}", "DeleteDomainName"),
    ("GET", "/domainnames/{}/basepathmappings", "GetBasePathMappings"),
    ("POST", "/domainnames/{}/basepathmappings", "CreateBasePathMapping"),
    ("GET", "/domainnames/{}/basepathmappings/{}", "GetBasePathMapping"),
    ("PATCH", "/domainnames/{}/basepathmappings/{}", "UpdateBasePathMapping"),
    ("DELETE", "/domainnames/{}/basepathmappings/{}", "DeleteBasePathMapping"),
    ("POST", "/rejectdomainnameaccessassociations", "RejectDomainNameAccessAssociation"),
    ("GET", "/restapis", "GetRestApis"),
    ("POST", "/restapis", "CreateRestApi"),
    ("GET", "/restapis/{}", "GetRestApi"),
    ("PUT", "/restapis/{}", "PutRestApi"),
    ("PATCH", "/restapis/{}", "UpdateRestApi"),
    ("DELETE", "/restapis/{}", "DeleteRestApi"),
    ("GET", "/restapis/{}/authorizers", "GetAuthorizers"),
    ("POST", "/restapis/{}/authorizers", "CreateAuthorizer"),
    ("GET", "/restapis/{}/authorizers/{}", "GetAuthorizer"),
    ("POST", "/restapis/{}/authorizers/{}", "TestInvokeAuthorizer"),
    ("PATCH", "/restapis/{}/authorizers/{}", "UpdateAuthorizer"),
    ("DELETE", "/restapis/{}/authorizers/{}", "DeleteAuthorizer"),
    ("GET", "/restapis/{}/deployments", "GetDeployments"),
    ("POST", "/restapis/{}/deployments", "CreateDeployment"),
    ("GET", "/restapis/{}/deployments/{}", "GetDeployment"),
    ("PATCH", "/restapis/{}/deployments/{}", "UpdateDeployment"),
    ("DELETE", "/restapis/{}/deployments/{}", "DeleteDeployment"),
    ("GET", "/restapis/{}/documentation/parts", "GetDocumentationParts"),
    ("POST", "/restapis/{}/documentation/parts", "CreateDocumentationPart"),
    ("PUT", "/restapis/{}/documentation/parts", "ImportDocumentationParts"),
    ("GET", "/restapis/{}/documentation/parts/{}", "GetDocumentationPart"),
    ("PATCH", "/restapis/{}/documentation/parts/{}", "UpdateDocumentationPart"),
    ("DELETE", "/restapis/{}/documentation/parts/{}", "DeleteDocumentationPart"),
    ("GET", "/restapis/{}/documentation/versions", "GetDocumentationVersions"),
    ("POST", "/restapis/{}/documentation/versions", "CreateDocumentationVersion"),
    ("GET", "/restapis/{}/documentation/versions/{}", "GetDocumentationVersion"),
    ("PATCH", "/restapis/{}/documentation/versions/{}", "UpdateDocumentationVersion"),
    ("DELETE", "/restapis/{}/documentation/versions/{}", "DeleteDocumentationVersion"),
    ("GET", "/restapis/{}/gatewayresponses", "GetGatewayResponses"),
    ("GET", "/restapis/{}/gatewayresponses/{}", "GetGatewayResponse"),
    ("PUT", "/restapis/{}/gatewayresponses/{}", "PutGatewayResponse"),
    ("PATCH", "/restapis/{}/gatewayresponses/{}", "UpdateGatewayResponse"),
    ("DELETE", "/restapis/{}/gatewayresponses/{}", "DeleteGatewayResponse"),
    ("GET", "/restapis/{}/models", "GetModels"),
    ("POST", "/restapis/{}/models", "CreateModel"),
    ("GET", "/restapis/{}/models/{}", "GetModel"),
    ("PATCH", "/restapis/{}/models/{}", "UpdateModel"),
    ("DELETE", "/restapis/{}/models/{}", "DeleteModel"),
    ("GET", "/restapis/{}/models/{}/default_template", "GetModelTemplate"),
    ("GET", "/restapis/{}/requestvalidators", "GetRequestValidators"),
    ("POST", "/restapis/{}/requestvalidators", "CreateRequestValidator"),
    ("GET", "/restapis/{}/requestvalidators/{}", "GetRequestValidator"),
    ("PATCH", "/restapis/{}/requestvalidators/{}", "UpdateRequestValidator"),
    ("DELETE", "/restapis/{}/requestvalidators/{}", "DeleteRequestValidator"),
    ("GET", "/restapis/{}/resources", "GetResources"),
    ("GET", "/restapis/{}/resources/{}", "GetResource"),
    ("POST", "/restapis/{}/resources/{}", "CreateResource"),
    ("PATCH", "/restapis/{}/resources/{}", "UpdateResource"),
    ("DELETE", "/restapis/{}/resources/{}", "DeleteResource"),
    ("GET", "/restapis/{}/resources/{}/methods/{}", "GetMethod"),
    ("POST", "/restapis/{}/resources/{}/methods/{}", "TestInvokeMethod"),
    ("PUT", "/restapis/{}/resources/{}/methods/{}", "PutMethod"),
    ("PATCH", "/restapis/{}/resources/{}/methods/{}", "UpdateMethod"),
    ("DELETE", "/restapis/{}/resources/{}/methods/{}", "DeleteMethod"),
    ("GET", "/restapis/{}/resources/{}/methods/{}/integration", "GetIntegration"),
    ("PUT", "/restapis/{}/resources/{}/methods/{}/integration", "PutIntegration"),
    ("PATCH", "/restapis/{}/resources/{}/methods/{}/integration", "UpdateIntegration"),
    ("DELETE", "/restapis/{}/resources/{}/methods/{}/integration", "DeleteIntegration"),
    ("GET", "/restapis/{}/resources/{}/methods/{}/integration/responses/{}", "GetIntegrationResponse"),
    ("PUT", "/restapis/{}/resources/{}/methods/{}/integration/responses/{}", "PutIntegrationResponse"),
    ("PATCH", "/restapis/{}/resources/{}/methods/{}/integration/responses/{}", "UpdateIntegrationResponse"),
    ("DELETE", "/restapis/{}/resources/{}/methods/{}/integration/responses/{}", "DeleteIntegrationResponse"),
    ("GET", "/restapis/{}/resources/{}/methods/{}/responses/{}", "GetMethodResponse"),
    ("PUT", "/restapis/{}/resources/{}/methods/{}/responses/{}", "PutMethodResponse"),
    ("PATCH", "/restapis/{}/resources/{}/methods/{}/responses/{}", "UpdateMethodResponse"),
    ("DELETE", "/restapis/{}/resources/{}/methods/{}/responses/{}", "DeleteMethodResponse"),
    ("GET", "/restapis/{}/stages", "GetStages"),
    ("POST", "/restapis/{}/stages", "CreateStage"),
    ("GET", "/restapis/{}/stages/{}", "GetStage"),
    ("PATCH", "/restapis/{}/stages/{}", "UpdateStage"),
    ("DELETE", "/restapis/{}/stages/{}", "DeleteStage"),
    ("DELETE", "/restapis/{}/stages/{}/cache/authorizers", "FlushStageAuthorizersCache"),
    ("DELETE", "/restapis/{}/stages/{}/cache/data", "FlushStageCache"),
    ("GET", "/restapis/{}/stages/{}/exports/{}", "GetExport"),
    ("GET", "/restapis/{}/stages/{}/sdks/{}", "GetSdk"),
    ("POST", "/restapis?mode=import", "ImportRestApi"),
    ("GET", "/sdktypes", "GetSdkTypes"),
    ("GET", "/sdktypes/{}", "GetSdkType"),
    ("GET", "/tags/{}", "GetTags"),
    ("PUT", "/tags/{}", "TagResource"),
    ("DELETE", "/tags/{}", "UntagResource"),
    ("GET", "/usageplans", "GetUsagePlans"),
    ("POST", "/usageplans", "CreateUsagePlan"),
    ("GET", "/usageplans/{}", "GetUsagePlan"),
    ("PATCH", "/usageplans/{}", "UpdateUsagePlan"),
    ("DELETE", "/usageplans/{}", "DeleteUsagePlan"),
    ("GET", "/usageplans/{}/keys", "GetUsagePlanKeys"),
    ("POST", "/usageplans/{}/keys", "CreateUsagePlanKey"),
    ("GET", "/usageplans/{}/keys/{}", "GetUsagePlanKey"),
    ("DELETE", "/usageplans/{}/keys/{}", "DeleteUsagePlanKey"),
    ("PATCH", "/usageplans/{}/keys/{}/usage", "UpdateUsage"),
    ("GET", "/usageplans/{}/usage", "GetUsage"),
    ("GET", "/vpclinks", "GetVpcLinks"),
    ("POST", "/vpclinks", "CreateVpcLink"),
    ("GET", "/vpclinks/{}", "GetVpcLink"),
    ("PATCH", "/vpclinks/{}", "UpdateVpcLink"),
    ("DELETE", "/vpclinks/{}", "DeleteVpcLink"),
];

/// The name of an operation, `CreateDeployment` for `POST /restapis/abc/deployments`. The path may have a query: with
/// `mode=import`, `POST /restapis` is `ImportRestApi`.
#[must_use]
pub fn operation(method: &str, path: &str) -> Option<&'static str> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let fits = |pattern: &str| {
        let (pattern, parameter) = pattern.split_once('?').unwrap_or((pattern, ""));
        (parameter.is_empty() || query.split('&').any(|each| each == parameter)) && matches(pattern, path)
    };
    let mut fitting = OPERATIONS.iter().filter(|(verb, pattern, _)| *verb == method && fits(pattern));
    let first = fitting.next()?;
    // A pattern with a parameter says more than the one without.
    let chosen = fitting.find(|(_, pattern, _)| pattern.contains('?')).unwrap_or(first);
    Some(chosen.2)
}

fn matches(pattern: &str, path: &str) -> bool {
    // The ARN in a path of tags has slashes, and not every client encodes them.
    if pattern == "/tags/{}" {
        return path.strip_prefix("/tags/").is_some_and(|arn| !arn.is_empty());
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
    fn paths_that_look_alike_have_names_of_their_own() {
        let cases = [
            ("POST", "/restapis", Some("CreateRestApi")),
            ("POST", "/restapis?failonwarnings=true&mode=import", Some("ImportRestApi")),
            ("POST", "/restapis?mode=other", Some("CreateRestApi")),
            ("PUT", "/restapis/abc?mode=overwrite", Some("PutRestApi")),
            ("POST", "/restapis/abc/deployments", Some("CreateDeployment")),
            ("GET", "/tags/arn:aws:apigateway:us-east-1::/restapis/abc", Some("GetTags")),
            ("PUT", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabc", Some("TagResource")),
            ("GET", "/domainnames/a.example.com/basepathmappings/(none)", Some("GetBasePathMapping")),
            ("PATCH", "/usageplans/u/keys/k/usage", Some("UpdateUsage")),
            ("GET", "/tags", None),
            ("POST", "/account", None),
            ("GET", "/v2/apis", None),
        ];
        for (verb, path, name) in cases {
            assert_eq!(operation(verb, path), name, "{verb} {path}");
        }
    }
}

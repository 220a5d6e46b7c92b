//! The names of operations, as quotas, faults and counters use them.

use std::borrow::Cow;

use crate::sandbox::apigateway::operations::operation as first_apigateway;
use crate::sandbox::apigatewayv2::operations::operation as second_apigateway;
use crate::sandbox::lambda::operations as lambda_operations;
use crate::sandbox::route53::operations as route53_operations;
use crate::sandbox::s3::operations as s3_operations;
use crate::sandbox::wire::Request;

/// The name of the operation that a request is for, `CreateRestApi`. What has none is named by its method alone, so that
/// the ids in paths do not make a name of each call.
pub(in crate::sandbox) fn name(request: &Request) -> Cow<'static, str> {
    let named = match request.caller.service.as_str() {
        "apigateway" => import(request).or_else(|| apigateway(&request.method, &request.path)),
        "lambda" => provisioned(request).or_else(|| lambda_operations::operation(&request.method, &request.path)),
        "route53" => route53_operations::operation(&request.method, &request.path),
        "s3" => s3_operations::operation(request),
        _ => {
            let operation = request.operation();
            if !operation.contains(' ') {
                return operation.into();
            }
            None
        }
    };
    named.map_or_else(|| format!("other {}", request.method).into(), Cow::Borrowed)
}

/// The operation of either version of API Gateway; the paths of the second begin with `/v2/`.
pub(super) fn apigateway(method: &str, path: &str) -> Option<&'static str> {
    first_apigateway(method, path).or_else(|| second_apigateway(method, path))
}

/// The two imports of API Gateway that share method and path with a create; only the query string tells them apart.
fn import(request: &Request) -> Option<&'static str> {
    match (request.method.as_str(), request.path.trim_matches('/'), request.parameter("mode")) {
        ("POST", "restapis", Some("import")) => Some("ImportRestApi"),
        ("POST", "apikeys", Some("import")) => Some("ImportApiKeys"),
        _ => None,
    }
}

/// The list that shares method and path with the read of one.
fn provisioned(request: &Request) -> Option<&'static str> {
    let list = request.parameter("List") == Some("ALL") && request.path.ends_with("/provisioned-concurrency");
    (list && request.method == "GET").then_some("ListProvisionedConcurrencyConfigs")
}

#[cfg(test)]
mod tests {
    use super::super::testing::request;
    use super::*;

    #[test]
    fn an_import_is_no_create() {
        let mut import = request("apigateway", "POST", "/restapis", "openapi: 3.0.1");
        assert_eq!(name(&import), "CreateRestApi");
        import.query = vec![("mode".into(), "import".into())];
        assert_eq!(name(&import), "ImportRestApi");
    }

    #[test]
    fn every_protocol_names_its_operations() {
        for (service, method, place, body, expected) in [
            ("apigateway", "POST", "/restapis", "", "CreateRestApi"),
            ("apigateway", "POST", "/v2/apis/a/routes", "{}", "CreateRoute"),
            ("apigateway", "DELETE", "/v2/vpclinks/a", "", "DeleteVpcLink"),
            ("lambda", "PUT", "/2015-03-31/functions/a/code", "", "UpdateFunctionCode"),
            ("route53", "POST", "/2013-04-01/hostedzone/Z1/rrset/", "", "ChangeResourceRecordSets"),
            ("acm", "POST", "CertificateManager.ListCertificates", "{}", "ListCertificates"),
            ("iam", "POST", "/", "Version=2010-05-08&Action=CreateRole", "CreateRole"),
            ("logs", "POST", "Logs_20140328.CreateLogGroup", "{}", "CreateLogGroup"),
            ("s3", "GET", "/bucket/some/key", "", "GetObject"),
            ("firehose", "POST", "Firehose_20150804.ListDeliveryStreams", "{}", "ListDeliveryStreams"),
            ("cloudfront", "GET", "/2020-05-31/distribution", "", "other GET"),
        ] {
            assert_eq!(name(&request(service, method, place, body)), expected);
        }
    }
}

//! What is refused, with which exception and words.

use serde_json::{Value, json};

use super::super::testing::Bench;
use super::{LAMBDA, deploy, document, mocked};

const OPTIONS: &str = "/paths/~1orders~1{proxy+}/options";
const INTEGRATION: &str = "/paths/~1orders~1{proxy+}/options/x-amazon-apigateway-integration";
const AUTHORIZER: &str = "/components/securitySchemes/authorizer/x-amazon-apigateway-authorizer";

/// Where a document is spoilt, the member, its JSON, and what is said about it.
const DOCUMENTS: [(&str, &str, &str, &str); 18] = [
    (INTEGRATION, "type", r#""tcp""#, "Value 'TCP' at 'putIntegrationInput.type'"),
    (INTEGRATION, "httpMethod", r#""FETCH""#, "Invalid HttpMethod specified"),
    (INTEGRATION, "httpMethod", "null", "Enumeration value for HttpMethod must be non-empty"),
    (INTEGRATION, "connectionType", r#""TUNNEL""#, "putIntegrationInput.connectionType"),
    (INTEGRATION, "connectionId", "null", "VPC_LINK"),
    (INTEGRATION, "timeoutInMillis", "29001", "Timeout should be between 50 ms and 29000 ms"),
    (INTEGRATION, "timeoutInMillis", r#""soon""#, "Invalid timeout specified"),
    (INTEGRATION, "uri", r#""orders""#, "Invalid HTTP endpoint"),
    (INTEGRATION, "passthroughBehavior", r#""always""#, "Invalid passthrough behavior"),
    (OPTIONS, "security", r#"[{"none":[]}]"#, "Invalid security definition specified: none"),
    (OPTIONS, "x-amazon-apigateway-request-validator", r#""all""#, "Invalid Request Validator identifier"),
    (AUTHORIZER, "type", r#""jwt""#, "Value 'JWT' at 'createAuthorizerInput.type'"),
    (AUTHORIZER, "authorizerUri", r#""arn:aws:lambda:x""#, "Invalid Authorizer URI"),
    (AUTHORIZER, "authorizerResultTtlInSeconds", "3601", "between 0 and 3600"),
    (AUTHORIZER, "identitySource", "null", "Identity source must be set"),
    (AUTHORIZER, "authorizerCredentials", r#""me""#, "Role ARN is not well formed"),
    ("", "x-amazon-apigateway-policy", r#"{"Statement":"x"}"#, "Invalid policy document"),
    ("/x-amazon-apigateway-gateway-responses", "TEAPOT", "{}", "Value 'TEAPOT'"),
];

/// Verb, path, body, exception, words. `{api}`, `{root}`, `{method}` and `{lambda}` are filled in.
const CALLS: [(&str, &str, &str, &str, &str); 50] = [
    ("GET", "/restapis/none", "", "NotFoundException", "Invalid API identifier specified 111111111111:none"),
    ("GET", "/sdktypes", "", "NotImplementedException", "GetSdkTypes (GET /sdktypes)"),
    ("POST", "/restapis", "{}", "ValidationException", "createRestApiInput.name"),
    ("POST", "/restapis", r#"{"name":1}"#, "SerializationException", "can not be converted to an String"),
    ("POST", "/restapis", r#"{"name":""}"#, "BadRequestException", "API name cannot be an empty string"),
    ("POST", "/restapis", r#"{"name":"a","description":""}"#, "BadRequestException", "Description cannot be an empty"),
    ("POST", "/restapis", r#"{"name":"a","policy":"no"}"#, "BadRequestException", "Invalid policy document"),
    (
        "POST",
        "/restapis",
        r#"{"name":"a","apiKeySource":"x"}"#,
        "ValidationException",
        "createRestApiInput.apiKeySource",
    ),
    (
        "POST",
        "/restapis",
        r#"{"name":"a","endpointConfiguration":{"types":["EDGE","REGIONAL"]}}"#,
        "BadRequestException",
        "Cannot create an api with multiple Endpoint Types.",
    ),
    (
        "POST",
        "/restapis",
        r#"{"name":"a","endpointConfiguration":{"types":["PRIVATE"],"ipAddressType":"ipv4"}}"#,
        "BadRequestException",
        "Only dualstack ipAddressType is supported for Private APIs.",
    ),
    ("POST", "/restapis?mode=import&basepath=cut", "{document}", "BadRequestException", "parameter basepath"),
    ("PUT", "{api}?mode=replace", "{document}", "ValidationException", "[merge, overwrite]"),
    ("PATCH", "{api}", "replace /id x", "BadRequestException", "Invalid patch path /id"),
    ("PATCH", "{api}", "swap /name x", "ValidationException", "updateRestApiInput.patchOperations.1.member.op"),
    ("PATCH", "{api}", "add /name x", "BadRequestException", "Must be one of: [replace]"),
    ("PATCH", "{api}", "replace /endpointConfiguration/types/0 LOCAL", "BadRequestException", "Invalid EndpointTypes"),
    ("POST", "{api}/resources/{root}", r#"{"pathPart":"a b"}"#, "BadRequestException", "path part only allow"),
    ("POST", "{api}/resources/{root}", r#"{"pathPart":"{}"}"#, "BadRequestException", "path part only allow"),
    ("POST", "{api}/resources/none", r#"{"pathPart":"a"}"#, "NotFoundException", "Invalid Resource identifier"),
    ("DELETE", "{api}/resources/{root}", "", "BadRequestException", "Root resource"),
    ("PUT", "{method}", r#"{"authorizationType":"NONE"}"#, "ConflictException", "Method already exists"),
    ("PATCH", "{method}", "replace /httpMethod PUT", "BadRequestException", "Invalid patch path /httpMethod"),
    ("PUT", "{method}/responses/20", "{}", "ValidationException", "[1-5]\\d\\d"),
    (
        "PUT",
        "{method}/integration",
        r#"{"type":"HTTPS_PROXY"}"#,
        "ValidationException",
        "[HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
    ),
    (
        "PUT",
        "{method}/integration",
        r#"{"type":"HTTP","uri":"http://a"}"#,
        "BadRequestException",
        "Enumeration value for HttpMethod must be non-empty",
    ),
    (
        "PUT",
        "{method}/integration",
        r#"{"type":"AWS","httpMethod":"POST","uri":"arn:aws:iam::1:role/r"}"#,
        "BadRequestException",
        "AWS ARN for integration must contain path or action",
    ),
    (
        "PUT",
        "{method}/integration",
        r#"{"type":"AWS_PROXY","httpMethod":"POST","uri":"arn:aws:apigateway:us-east-1:s3:path/b/k"}"#,
        "BadRequestException",
        "currently only supports Lambda function and Firehose stream invocations.",
    ),
    (
        "PUT",
        "{method}/integration",
        r#"{"type":"MOCK","requestParameters":{"integration.request.path.p":"method.request.path.p"}}"#,
        "BadRequestException",
        "Invalid mapping expression parameter specified: method.request.path.p",
    ),
    (
        "PUT",
        "{method}/integration/responses/200",
        r#"{"responseParameters":{"method.response.header.x":"'v'"}}"#,
        "BadRequestException",
        "Invalid mapping expression parameter specified: method.response.header.x",
    ),
    ("GET", "{method}/integration/responses/200", "", "NotFoundException", "Invalid Response status code"),
    (
        "POST",
        "{api}/authorizers",
        r#"{"name":"a","type":"REQUEST","authorizerUri":"{lambda}"}"#,
        "BadRequestException",
        "Identity source must be set",
    ),
    (
        "POST",
        "{api}/authorizers",
        r#"{"name":"a","type":"REQUEST","authorizerUri":"{lambda}","identitySource":"header.A"}"#,
        "BadRequestException",
        "Invalid request identity source expression: header.A",
    ),
    (
        "POST",
        "{api}/authorizers",
        r#"{"name":"a","type":"TOKEN","authorizerUri":"{lambda}","identitySource":"method.request.querystring.a"}"#,
        "BadRequestException",
        "Invalid token source expression: method.request.querystring.a.",
    ),
    ("POST", "{api}/authorizers", r#"{"name":"a","type":"JWT"}"#, "ValidationException", "createAuthorizerInput.type"),
    ("DELETE", "{api}/authorizers/none", "", "NotFoundException", "Invalid Authorizer identifier"),
    ("PUT", "{api}/gatewayresponses/NO", "{}", "ValidationException", "Value 'NO' at 'responseType'"),
    ("DELETE", "{api}/gatewayresponses/THROTTLED", "", "NotFoundException", "Gateway response type not defined on api"),
    (
        "POST",
        "{api}/stages",
        r#"{"stageName":"dev","deploymentId":"none"}"#,
        "ConflictException",
        "Stage already exists",
    ),
    ("POST", "{api}/stages", r#"{"stageName":"new","deploymentId":"none"}"#, "NotFoundException", "Invalid Deployment"),
    ("POST", "{api}/stages", r#"{"stageName":"a.b","deploymentId":"none"}"#, "BadRequestException", "Stage name only"),
    ("PATCH", "{api}/stages/none", "replace /description x", "NotFoundException", "Invalid stage identifier"),
    ("PATCH", "{api}/stages/dev", "replace /deploymentId none", "BadRequestException", "Deployment id does not exist"),
    (
        "PATCH",
        "{api}/stages/dev",
        "replace /*/*/logging/level INFO",
        "BadRequestException",
        "Invalid method setting path: logging/level. Must be one of: [.../metrics/enabled",
    ),
    (
        "PATCH",
        "{api}/stages/dev",
        "replace /*/*/throttling/rateLimit -2",
        "BadRequestException",
        "throttling/rateLimit",
    ),
    ("PATCH", "{api}/stages/dev", "remove /*/* x", "BadRequestException", "Cannot remove method setting */*"),
    ("PATCH", "{api}/stages/dev", "replace /variables/a b*c", "BadRequestException", "Invalid stage variable value"),
    (
        "PATCH",
        "{api}/stages/dev",
        "replace /accessLogSettings/destinationArn arn:aws:logs:us-east-1:111111111111:log-group:g:*",
        "BadRequestException",
        "Access log destination must only contain characters",
    ),
    (
        "PATCH",
        "{api}/stages/dev",
        "replace /accessLogSettings/destinationArn arn:aws:firehose:us-east-1:111111111111:deliverystream/x",
        "BadRequestException",
        "amazon-apigateway-",
    ),
    (
        "PATCH",
        "{api}/stages/dev",
        "replace /accessLogSettings/format $context.status",
        "BadRequestException",
        "$context.requestId",
    ),
    ("PATCH", "/account", "replace /cloudwatchRoleArn me", "BadRequestException", "Role ARN is not well formed"),
];

#[test]
fn bad_documents_are_refused_and_leave_nothing_behind() {
    for (place, member, value, words) in DOCUMENTS {
        let mut document = document();
        let holder = document.pointer_mut(place).unwrap_or_else(|| panic!("nothing at {place}"));
        holder[member] = serde_json::from_str(value).expect("JSON");
        let mut bench = Bench::default();
        let (code, message) = bench.refused("POST", "/restapis?mode=import", &document);
        assert_eq!(code, "BadRequestException", "{member}: {message}");
        assert!(message.contains(words), "{member}: {message}");
        assert!(bench.state().apis.is_empty(), "{member}");
    }
}

#[test]
fn bad_calls_are_refused_and_change_nothing() {
    let (mut bench, id, root) = mocked();
    deploy(&mut bench, &id, "dev");
    let before = serde_json::to_value(bench.state()).expect("state");
    for (verb, path, body, code, words) in CALLS {
        let method = "{api}/resources/{root}/methods/GET";
        let path =
            path.replace("{method}", method).replace("{api}", &format!("/restapis/{id}")).replace("{root}", &root);
        let (given, message) = bench.refused(verb, &path, &body_of(body));
        assert_eq!(given, code, "{verb} {path} {body}: {message}");
        assert!(message.contains(words), "{verb} {path} {body}: {message}");
    }
    assert_eq!(serde_json::to_value(bench.state()).expect("state"), before);
}

/// Nothing, JSON, or a patch operation in three words.
fn body_of(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    if text == "{document}" {
        return document();
    }
    if text.starts_with('{') {
        return serde_json::from_str(&text.replace("{lambda}", LAMBDA)).expect("JSON");
    }
    let words: Vec<&str> = text.splitn(3, ' ').collect();
    json!({ "patchOperations": [{ "op": words[0], "path": words[1], "value": words[2] }] })
}

#[test]
fn tags_of_the_service_itself_are_refused() {
    let (mut bench, id, _) = mocked();
    let path = format!("/tags/arn:aws:apigateway:us-east-1::%2Frestapis%2F{id}");
    assert_eq!(bench.refused("PUT", &path, &json!({ "tags": { "aws:x": "y" } })).0, "BadRequestException");
    let missing = "/tags/arn:aws:apigateway:us-east-1::%2Frestapis%2Fnone";
    assert_eq!(bench.refused("GET", missing, &Value::Null).0, "NotFoundException");
}

#[test]
fn a_policy_over_its_size_is_refused() {
    let mut long = document();
    long["x-amazon-apigateway-policy"]["Statement"][0]["Sid"] = json!("s".repeat(8200));
    assert!(Bench::default().refused("POST", "/restapis?mode=import", &long).1.contains("8192"));
}

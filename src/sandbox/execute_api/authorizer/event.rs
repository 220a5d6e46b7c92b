//! The events that API Gateway sends to authorizers (API Gateway's developer guide, "Input to a Lambda authorizer").

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use hyper::{HeaderMap, Version};
use serde_json::{Map, Value, json};

use crate::sandbox::apigateway::state::Strings;
use crate::sandbox::execute_api::request::ClientRequest;
use crate::sandbox::world::date;

/// One request, and what routing has found out of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The request.
    pub request: &'a ClientRequest,
    /// The ARN of the called method.
    pub method_arn: &'a str,
    /// The account of the API.
    pub account: &'a str,
    /// The API.
    pub api: &'a str,
    /// The stage.
    pub stage: &'a str,
    /// The deployment that serves.
    pub deployment: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// Its path with its braces.
    pub resource_path: &'a str,
    /// The path parameters, decoded.
    pub path_parameters: &'a Strings,
    /// The stage's variables.
    pub stage_variables: &'a Strings,
    /// The id of the request.
    pub request_id: &'a str,
    /// Its extended id.
    pub extended_request_id: &'a str,
}

/// The event of a `TOKEN` authorizer.
pub(super) fn token(asked: &Asked<'_>, token: &str) -> Value {
    json!({ "type": "TOKEN", "methodArn": asked.method_arn, "authorizationToken": token })
}

/// The event of a `REQUEST` authorizer of a REST API, format 1.0. The `path` is the one below the stage, that of the
/// request context is the whole one. Without parameters the maps are empty, where an integration's event has null (the
/// guide's own example shows it for path parameters; for the others it is a guess).
pub(super) fn request(asked: &Asked<'_>) -> Value {
    let request = asked.request;
    let (headers, multi_value_headers) = headers(&request.headers);
    let (query, multi_value_query) =
        maps(request.query_parameters().map(|(name, value)| (name.into_owned(), value.into_owned())));
    json!({
        "type": "REQUEST",
        "methodArn": asked.method_arn,
        "resource": asked.resource_path,
        "path": request.path,
        "httpMethod": request.method.as_str(),
        "headers": headers,
        "multiValueHeaders": multi_value_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_value_query,
        "pathParameters": asked.path_parameters,
        "stageVariables": asked.stage_variables,
        "requestContext": context(asked),
    })
}

fn context(asked: &Asked<'_>) -> Value {
    let request = asked.request;
    let millis = request.received.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    let protocol = match request.version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    };
    json!({
        "resourceId": asked.resource,
        "resourcePath": asked.resource_path,
        "httpMethod": request.method.as_str(),
        "extendedRequestId": asked.extended_request_id,
        "requestTime": date(millis, "%d/%b/%Y:%H:%M:%S +0000"),
        "path": format!("/{}{}", asked.stage, request.path),
        "accountId": asked.account,
        "protocol": protocol,
        "stage": asked.stage,
        "domainPrefix": request.host.split('.').next().unwrap_or_default(),
        "requestTimeEpoch": millis,
        "requestId": asked.request_id,
        // All of it but the address and the agent is known of signed calls only.
        "identity": {
            "cognitoIdentityPoolId": null,
            "accountId": null,
            "cognitoIdentityId": null,
            "caller": null,
            "sourceIp": request.source_ip.to_string(),
            "principalOrgId": null,
            "accessKey": null,
            "cognitoAuthenticationType": null,
            "cognitoAuthenticationProvider": null,
            "userArn": null,
            "userAgent": request.header("user-agent"),
            "user": null,
        },
        "domainName": request.host,
        "deploymentId": asked.deployment,
        "apiId": asked.api,
    })
}

fn headers(headers: &HeaderMap) -> (Map<String, Value>, Map<String, Value>) {
    maps(
        headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())),
    )
}

/// The last value of each name, and all values of each.
fn maps(pairs: impl Iterator<Item = (String, String)>) -> (Map<String, Value>, Map<String, Value>) {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name).or_default().push(value);
    }
    let last = all.iter().map(|(name, values)| (name.clone(), json!(values.last()))).collect();
    (last, all.into_iter().map(|(name, values)| (name, json!(values))).collect())
}

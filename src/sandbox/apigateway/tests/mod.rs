//! What the service does beyond the recordings: its refusals, and what an import keeps and drops.

mod behaviour;
mod domains;
mod entities;
mod import;
mod links;
mod operations;
mod plans;
mod refusals;

use serde_json::{Value, json};

use super::testing::Bench;

const LAMBDA: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:\
                      111111111111:function:authorizer/invocations";

/// A document of one route with a VPC link, an authorizer, CORS headers on a gateway response, policy and binary types.
fn document() -> Value {
    json!({
        "openapi": "3.0.1",
        "info": { "title": "gate", "version": "1" },
        "security": [],
        "paths": {
            "/orders/{proxy+}": {
                "options": { "x-amazon-apigateway-integration": private("http://orders.example.com/{proxy}") },
                "x-amazon-apigateway-any-method": {
                    "security": [{ "authorizer": [] }],
                    "parameters": [{ "name": "proxy", "in": "path", "required": true, "schema": { "type": "string" } }],
                    "x-amazon-apigateway-integration": private("http://orders.example.com/{proxy}"),
                },
            },
        },
        "components": { "securitySchemes": { "authorizer": {
            "type": "apiKey", "name": "Unused", "in": "header",
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "request", "authorizerUri": LAMBDA, "authorizerResultTtlInSeconds": 300,
                "authorizerCredentials": "arn:aws:iam::111111111111:role/invoke",
                "identitySource": "method.request.header.Authorization",
            },
        } } },
        "x-amazon-apigateway-gateway-responses": {
            "UNAUTHORIZED": { "statusCode": 401, "responseParameters": {
                "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            } },
        },
        "x-amazon-apigateway-binary-media-types": ["multipart/form-data"],
        "x-amazon-apigateway-policy": { "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*"],
        }] },
    })
}

fn private(uri: &str) -> Value {
    json!({
        "type": "http_proxy", "httpMethod": "ANY", "uri": uri,
        "connectionType": "VPC_LINK", "connectionId": "link01",
        "requestParameters": {
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.x-user-id": "''",
        },
    })
}

/// The bench and the id of an API with the document.
fn imported() -> (Bench, String) {
    let mut bench = Bench::default();
    let api = bench.ok("POST", "/restapis?mode=import&endpointConfigurationTypes=REGIONAL", &document());
    let id = api["id"].as_str().expect("an id").to_owned();
    (bench, id)
}

/// The bench, the id of an API with one mock method at its root, and the id of the root.
fn mocked() -> (Bench, String, String) {
    let mut bench = Bench::default();
    let api = bench.ok("POST", "/restapis", &json!({ "name": "mock" }));
    let (id, root) = (api["id"].as_str().expect("an id").to_owned(), api["rootResourceId"].as_str().expect("a root"));
    let method = format!("/restapis/{id}/resources/{root}/methods/GET");
    bench.ok("PUT", &method, &json!({ "authorizationType": "NONE" }));
    bench.ok("PUT", &format!("{method}/integration"), &json!({ "type": "MOCK" }));
    (bench, id, root.to_owned())
}

fn deploy(bench: &mut Bench, api: &str, stage: &str) -> String {
    let deployment = bench.ok("POST", &format!("/restapis/{api}/deployments"), &json!({ "stageName": stage }));
    deployment["id"].as_str().expect("an id").to_owned()
}

fn patch(path: &str, value: &str) -> Value {
    json!({ "patchOperations": [{ "op": "replace", "path": path, "value": value }] })
}

/// Sends calls that must be refused: verb, path, body, exception, words. A body `op /path value` is a patch.
fn refuse(bench: &mut Bench, calls: &[(&str, &str, &str, &str, &str)]) {
    for (verb, path, body, code, words) in calls {
        let before = bench.state().clone();
        let value = match *body {
            "" => Value::Null,
            json if json.starts_with('{') => serde_json::from_str(json).expect("JSON"),
            text => {
                let parts: Vec<&str> = text.splitn(3, ' ').collect();
                json!({ "patchOperations": [{ "op": parts[0], "path": parts[1], "value": parts.get(2) }] })
            }
        };
        let (refused, said) = bench.refused(verb, path, &value);
        assert_eq!(refused, *code, "{verb} {path} {body}: {said}");
        assert!(said.contains(words), "{verb} {path} {body}: {said}");
        let (before, after) =
            (serde_json::to_value(before).expect("JSON"), serde_json::to_value(bench.state()).expect("JSON"));
        assert_eq!(before, after, "{verb} {path} {body} changed something");
    }
}

/// The string at a pointer of an answer.
fn text(answer: &Value, pointer: &str) -> String {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {answer}")).to_owned()
}

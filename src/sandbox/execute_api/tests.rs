//! Requests through layers that only decide, on APIs that were imported and deployed like any other.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::authorizer::Answer;
use super::context::{Caller, Context};
use super::explain::{Explanation, Outcome, explain};
use super::gateway_response::ResponseType;
use super::pipeline::{self, Standing};
use super::request::ClientRequest;
use super::stage::Served;
use crate::sandbox::Sandbox;
use crate::sandbox::wire::{Caller as Signer, Request};

/// Calls the control plane; the answer has to be a success.
fn call(sandbox: &Sandbox, method: &str, path: &str, query: &[(&str, &str)], body: &Value) -> Value {
    let response = sandbox.handle(Request {
        method: method.into(),
        path: path.into(),
        query: query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        headers: Vec::new(),
        body: Bytes::from(body.to_string()),
        caller: Signer {
            account: "123456789012".into(),
            region: "us-east-1".into(),
            service: "apigateway".into(),
            access_key: "123456789012".into(),
        },
    });
    assert!(response.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&response.body));
    serde_json::from_slice(&response.body).unwrap_or_default()
}

/// A sandbox with one API deployed to the stage `dev`, and the API's id.
fn deployed(document: &Value) -> (Sandbox, String) {
    let sandbox = Sandbox::in_memory();
    let api = call(&sandbox, "POST", "/restapis", &[("mode", "import")], document);
    let id = api["id"].as_str().unwrap().to_owned();
    let stage = json!({ "stageName": "dev", "variables": { "host": "backend.example.com" } });
    call(&sandbox, "POST", &format!("/restapis/{id}/deployments"), &[], &stage);
    (sandbox, id)
}

/// A document with these paths and a policy, if there is one.
fn document(paths: &Value, policy: Option<Value>) -> Value {
    let mut document = json!({ "openapi": "3.0.1", "info": { "title": "t", "version": "1" }, "paths": paths });
    if let Some(policy) = policy {
        document["x-amazon-apigateway-policy"] = policy;
    }
    document
}

/// A method that passes requests on, with these mappings.
fn proxy(uri: &str, parameters: &Value) -> Value {
    json!({
        "responses": {},
        "parameters": [{ "name": "p", "in": "path", "required": true, "schema": { "type": "string" } }],
        "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "ANY", "uri": uri, "requestParameters": parameters,
        },
    })
}

fn request(method: Method, target: &str, headers: &[(&'static str, &str)]) -> ClientRequest {
    let mut request = ClientRequest::bare(method, target);
    for (name, value) in headers {
        request.headers.append(*name, value.parse().unwrap());
    }
    request
}

fn ask(at: &(Sandbox, String), request: &ClientRequest) -> Explanation {
    explain(&at.0, &at.1, "dev", request).unwrap()
}

#[test]
fn what_is_mapped_into_a_path_stays_in_its_place() {
    let mappings = json!({
        "integration.request.path.p": "method.request.path.p",
        "integration.request.path.q": "context.identity.userAgent",
    });
    let uri = "http://${stageVariables.host}/a/{p}/{q}?fixed=1";
    let api =
        deployed(&document(&json!({ "/x/{p}": { "x-amazon-apigateway-any-method": proxy(uri, &mappings) } }), None));
    let sent = request(Method::GET, "/x/b%2Fc?one=1&one=2", &[("user-agent", "d/../e?f#g h")]);
    let url = ask(&api, &sent).backend.unwrap().url;
    assert_eq!(url, "http://backend.example.com/a/b%2Fc/d%2F%2E%2E%2Fe%3Ff%23g%20h?fixed=1&one=1&one=2");
}

#[test]
fn headers_of_the_connection_and_of_tests_stop_at_the_gateway() {
    let mappings = json!({ "integration.request.header.x-user-id": "''" });
    let route = proxy("http://backend.example.com/{p}", &mappings);
    let api = deployed(&document(&json!({ "/x/{p}": { "x-amazon-apigateway-any-method": route } }), None));
    let sent = request(
        Method::GET,
        "/x/1",
        &[
            ("connection", "close, x-named"),
            ("x-named", "1"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("x-gwctl-country", "DE"),
            ("x-user-id", "forged"),
            ("x-user-id", "forged again"),
            ("x-forwarded-for", "198.51.100.1"),
            ("host", "api.example.com"),
            ("x-kept", "1"),
            ("x-kept", "2"),
        ],
    );
    let backend = ask(&api, &sent).backend.unwrap();
    let values = |name: &str| -> Vec<&str> {
        backend.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    };
    for gone in ["connection", "x-named", "transfer-encoding", "expect", "x-gwctl-country"] {
        assert!(values(gone).is_empty(), "{gone}");
    }
    assert_eq!(values("x-user-id"), [""]);
    assert_eq!(values("x-kept"), ["1", "2"]);
    assert_eq!(values("host"), ["backend.example.com"]);
    assert_eq!(values("x-forwarded-for"), ["198.51.100.1, 203.0.113.7"]);
}

fn statement(effect: &str, resource: &str) -> Value {
    json!({ "Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource })
}

#[test]
fn without_an_authorizer_a_policy_has_to_allow() {
    let open = json!({ "/x/{p}": { "x-amazon-apigateway-any-method": proxy("http://b.example.com/", &json!({})) } });
    let policy = |statements: Value| Some(json!({ "Version": "2012-10-17", "Statement": statements }));
    let all = statement("Allow", "execute-api:/*");
    for (policy, path, passes) in [
        (None, "/x/1", true),
        (policy(json!([all])), "/x/1", true),
        (policy(json!([statement("Allow", "execute-api:/*/*/y/*")])), "/x/1", false),
        (policy(json!([all, statement("Deny", "execute-api:/*/*/x/secret")])), "/x/1", true),
        (policy(json!([all, statement("Deny", "execute-api:/*/*/x/secret")])), "/x/secret", false),
        (policy(json!([all, statement("Deny", "execute-api:/dev/POST/*")])), "/x/1", true),
    ] {
        let api = deployed(&document(&open, policy.clone()));
        let found = ask(&api, &request(Method::GET, path, &[])).outcome;
        let denied = matches!(found, Outcome::Refused { status: 403, response: Some("ACCESS_DENIED"), .. });
        assert_eq!((found == Outcome::Backend, denied), (passes, !passes), "{policy:?} {path}");
    }
}

/// The table of aws-facts E: a deny in either policy ends the request, an allow in either lets it pass.
#[test]
fn the_authorizers_policy_and_the_resource_policy_add_up() {
    let open = json!({ "/x/{p}": { "x-amazon-apigateway-any-method": proxy("http://b.example.com/", &json!({})) } });
    let (sandbox, id) = deployed(&document(&open, None));
    let served = sandbox.look(|world| Served::find(world, &id, "dev")).unwrap().unwrap();
    let sent = request(Method::GET, "/x/1", &[]);
    let here = format!("arn:aws:execute-api:us-east-1:123456789012:{id}/dev/*");
    let elsewhere = format!("arn:aws:execute-api:us-east-1:123456789012:{id}/prod/*");
    for (effect, resource, standing, passes) in [
        ("Allow", &here, Standing::NoPolicy, true),
        ("Allow", &here, Standing::Silent, true),
        ("Allow", &here, Standing::Allowed, true),
        ("Allow", &elsewhere, Standing::NoPolicy, false),
        ("Allow", &elsewhere, Standing::Silent, false),
        ("Allow", &elsewhere, Standing::Allowed, true),
        ("Deny", &here, Standing::Allowed, false),
        ("Deny", &here, Standing::NoPolicy, false),
    ] {
        let statement = json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource });
        let answer =
            json!({ "principalId": "u", "policyDocument": { "Version": "2012-10-17", "Statement": [statement] } });
        let mut context = Context::new(&served, &served.primary, false, &sent);
        context.caller = Caller::Known(Arc::new(Answer::parse(answer.to_string().as_bytes()).unwrap()));
        let verdict = pipeline::together(&context, standing);
        let kind = verdict.err().map(|problem| problem.kind);
        assert_eq!(kind, (!passes).then_some(ResponseType::AccessDenied), "{effect} {resource} {standing:?}");
    }
}

#[test]
fn what_is_edited_and_not_deployed_does_not_serve() {
    let open =
        |path: &str| json!({ path: { "x-amazon-apigateway-any-method": proxy("http://b.example.com/", &json!({})) } });
    let api = deployed(&document(&open("/x/{p}"), None));
    let put = format!("/restapis/{}", api.1);
    call(&api.0, "PUT", &put, &[("mode", "overwrite")], &document(&open("/y/{p}"), None));
    let serves = |path: &str| ask(&api, &request(Method::GET, path, &[])).outcome == Outcome::Backend;
    assert!(serves("/x/1") && !serves("/y/1"));
    call(&api.0, "POST", &format!("{put}/deployments"), &[], &json!({ "stageName": "dev" }));
    assert!(!serves("/x/1") && serves("/y/1"));
}

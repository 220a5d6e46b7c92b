//! The step as the pipeline takes it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::sandbox::execute_api::policy::{NoKeys, Principal, Question, Verdict};
use crate::sandbox::execute_api::request::ClientRequest;
use crate::sandbox::execute_api::variables::Location;
use crate::sandbox::lambda::runtime::Functions;
use crate::sandbox::lambda::runtime::tests::zip_of;
use crate::sandbox::lambda::tests::{Aws, creation_of};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:auth";
const SOURCE: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc123/authorizers/au1";
const METHOD: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc123/dev/GET/orders/7";

/// A request and a stage, as the pipeline's context would show them.
struct Seen {
    request: ClientRequest,
    stage: Strings,
}

impl Variables for Seen {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "httpMethod").then_some(Cow::Borrowed("GET"))
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.stage.get(name).map(String::as_str)
    }

    fn parameter(&self, location: Location, name: &str) -> Option<Cow<'_, str>> {
        self.values(location, name).pop()
    }

    fn values(&self, location: Location, name: &str) -> Vec<Cow<'_, str>> {
        match location {
            Location::Header => {
                let values = self.request.headers.get_all(name).iter();
                values.filter_map(|value| value.to_str().ok()).map(Cow::Borrowed).collect()
            }
            _ => self.request.query_parameters().filter(|(key, _)| key == name).map(|(_, value)| value).collect(),
        }
    }

    fn parameters(&self, _: Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        Vec::new()
    }

    fn body(&self) -> &[u8] {
        &self.request.body
    }
}

fn seen(target: &str, headers: &[(&'static str, &'static str)]) -> Seen {
    let mut request = ClientRequest::bare(Method::GET, target);
    for (name, value) in headers {
        request.headers.append(*name, hyper::header::HeaderValue::from_static(value));
    }
    Seen { request, stage: Strings::from([("function".to_owned(), "auth".to_owned())]) }
}

fn authorizer(kind: &str, source: &str, ttl: i64) -> state::Authorizer {
    let uri = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:\
               123456789012:function:${stageVariables.function}/invocations";
    state::Authorizer {
        id: "au1".into(),
        name: "auth".into(),
        r#type: kind.into(),
        auth_type: "custom".into(),
        authorizer_uri: Some(uri.into()),
        identity_source: Some(source.into()),
        authorizer_result_ttl_in_seconds: Some(ttl),
        ..state::Authorizer::default()
    }
}

fn bearer(ttl: i64) -> Authorizer {
    Authorizer::compile(&authorizer("REQUEST", "method.request.header.Authorization", ttl))
}

fn asked<'a>(seen: &'a Seen, parameters: &'a Strings) -> Asked<'a> {
    Asked {
        request: &seen.request,
        method_arn: METHOD,
        account: "123456789012",
        api: "abc123",
        stage: "dev",
        deployment: "dep1",
        resource: "res1",
        resource_path: "/orders/{id}",
        path_parameters: parameters,
        stage_variables: &seen.stage,
        request_id: "id-1",
        extended_request_id: "ext-1",
    }
}

async fn ask(authorizer: &Authorizer, seen: &Seen, cache: &Cache, backend: &Backend) -> Result<Authorization, Refusal> {
    let parameters = Strings::from([("id".to_owned(), "7".to_owned())]);
    let means = Means { cache, backend, permission: &|_| Ok(()), trace_id: None };
    authorizer.authorize(&authorizer.identity(seen), &asked(seen, &parameters), &means).await
}

fn allow() -> Value {
    let statement = json!({ "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": METHOD });
    json!({ "principalId": "user", "policyDocument": { "Version": "2012-10-17", "Statement": [statement] } })
}

/// A function behind a URL that always answers the same, and remembers what it was asked.
struct Web {
    backend: Backend,
    calls: Arc<AtomicUsize>,
    last: Arc<Mutex<Value>>,
}

async fn web(status: u16, answer: Value) -> Web {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/2015-03-31/functions/function/invocations", listener.local_addr().unwrap());
    let (calls, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Value::Null)));
    let (count, keep) = (Arc::clone(&calls), Arc::clone(&last));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (count, keep, answer) = (Arc::clone(&count), Arc::clone(&keep), answer.clone());
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (count, keep, answer) = (Arc::clone(&count), Arc::clone(&keep), answer.clone());
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    *keep.lock().unwrap() = serde_json::from_slice(&body).unwrap();
                    count.fetch_add(1, Ordering::SeqCst);
                    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
                    *response.status_mut() = status.try_into().unwrap();
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Web { backend: Backend::Url(Box::new(Endpoint::new(&url, Duration::from_secs(5)).unwrap())), calls, last }
}

#[test]
fn every_identity_source_must_be_there() {
    let sources = "method.request.header.Authorization, method.request.querystring.tenant,stageVariables.function";
    let three = Authorizer::compile(&authorizer("REQUEST", sources, 300));
    let missing = |expression: &str| Identity::Missing { expression: expression.to_owned() };
    let identity = |target: &str, headers: &[(&'static str, &'static str)]| three.identity(&seen(target, headers));
    assert_eq!(identity("/?tenant=a", &[]), missing("method.request.header.Authorization"));
    assert_eq!(identity("/?tenant=", &[("authorization", "t")]), missing("method.request.querystring.tenant"));
    let full = identity("/?tenant=a", &[("authorization", "t")]);
    assert_eq!(full, Identity::Present(Key(vec!["t".into(), "a".into(), "auth".into()])));
    assert_ne!(identity("/?tenant=b", &[("authorization", "t")]), full);
    let none = Authorizer::compile(&state::Authorizer { identity_source: None, ..authorizer("REQUEST", "", 0) });
    assert_eq!(none.identity(&seen("/", &[])), Identity::Present(Key::default()));
}

#[test]
fn values_of_several_sources_are_kept_apart() {
    let sources = "method.request.multivalueheader.a,method.request.multivalueheader.b";
    let authorizer = Authorizer::compile(&authorizer("REQUEST", sources, 300));
    let one = authorizer.identity(&seen("/", &[("a", "1"), ("a", "2"), ("b", "3")]));
    let other = authorizer.identity(&seen("/", &[("a", "1"), ("b", "2"), ("b", "3")]));
    assert_ne!(one, other);
}

#[test]
fn a_token_must_match_as_a_whole() {
    let mut token = authorizer("TOKEN", "method.request.header.Auth", 300);
    token.identity_validation_expression = Some("Bearer [a-z]+|x".into());
    let token = Authorizer::compile(&token);
    assert_eq!(
        token.identity(&seen("/", &[("auth", "Bearer abc")])),
        Identity::Present(Key(vec!["Bearer abc".into()]))
    );
    for wrong in ["Bearer abc1", "aBearer abc", "xx"] {
        assert_eq!(token.identity(&seen("/", &[("auth", wrong)])), Identity::NotValid, "{wrong}");
    }
    let missing = Identity::Missing { expression: "method.request.header.Auth".into() };
    assert_eq!(token.identity(&seen("/", &[])), missing);
}

#[tokio::test]
async fn a_request_without_identity_is_refused_without_a_call() {
    let web = web(200, allow()).await;
    let refusal = ask(&bearer(300), &seen("/", &[]), &Cache::default(), &web.backend).await.unwrap_err();
    assert_eq!((refusal.response_type, refusal.status), (UNAUTHORIZED, None));
    assert_eq!(web.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_events_are_those_of_rest_apis() {
    let web = web(200, allow()).await;
    let headers = [("authorization", "t"), ("x-many", "1"), ("x-many", "2"), ("user-agent", "test")];
    let seen = seen("/orders/7?a=1&a=2&b=%20", &headers);
    ask(&bearer(0), &seen, &Cache::default(), &web.backend).await.unwrap();
    let event = web.last.lock().unwrap().clone();
    for (pointer, expected) in [
        ("/type", json!("REQUEST")),
        ("/methodArn", json!(METHOD)),
        ("/resource", json!("/orders/{id}")),
        ("/path", json!("/orders/7")),
        ("/httpMethod", json!("GET")),
        ("/headers/x-many", json!("2")),
        ("/multiValueHeaders/x-many", json!(["1", "2"])),
        ("/queryStringParameters", json!({ "a": "2", "b": " " })),
        ("/multiValueQueryStringParameters", json!({ "a": ["1", "2"], "b": [" "] })),
        ("/pathParameters", json!({ "id": "7" })),
        ("/stageVariables", json!({ "function": "auth" })),
        ("/requestContext/path", json!("/dev/orders/7")),
        ("/requestContext/requestTime", json!("14/Nov/2023:22:13:20 +0000")),
        ("/requestContext/requestTimeEpoch", json!(1_700_000_000_123_i64)),
        ("/requestContext/domainPrefix", json!("abc123")),
        ("/requestContext/identity/sourceIp", json!("203.0.113.7")),
        ("/requestContext/identity/userAgent", json!("test")),
        ("/requestContext/identity/caller", json!(null)),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    let token = Authorizer::compile(&authorizer("TOKEN", "method.request.header.Authorization", 0));
    ask(&token, &seen, &Cache::default(), &web.backend).await.unwrap();
    let expected = json!({ "type": "TOKEN", "authorizationToken": "t", "methodArn": METHOD });
    assert_eq!(*web.last.lock().unwrap(), expected);
}

#[tokio::test]
async fn failures_become_the_right_gateway_responses() {
    let seen = seen("/", &[("authorization", "t")]);
    for (status, answer, response_type) in [
        (200, json!({ "errorMessage": "Unauthorized", "errorType": "Error" }), UNAUTHORIZED),
        (200, json!({ "errorMessage": "Unauthorized!", "errorType": "Error" }), FAILURE),
        (502, json!({}), FAILURE),
        (200, json!({ "principalId": "x" }), CONFIGURATION_ERROR),
        (200, json!(null), CONFIGURATION_ERROR),
    ] {
        let web = web(status, answer.clone()).await;
        let cache = Cache::default();
        let refusal = ask(&bearer(300), &seen, &cache, &web.backend).await.unwrap_err();
        assert_eq!(refusal.response_type, response_type, "{answer}: {}", refusal.message);
        assert!(refusal.latency.is_some() && cache.is_empty());
    }
    let nobody = Backend::Url(Box::new(Endpoint::new("http://127.0.0.1:9/", Duration::from_secs(1)).unwrap()));
    let refusal = ask(&bearer(0), &seen, &Cache::default(), &nobody).await.unwrap_err();
    assert_eq!((refusal.response_type, refusal.status), (FAILURE, None));
    let web = web(200, allow()).await;
    let pool = Authorizer::compile(&authorizer("COGNITO_USER_POOLS", "method.request.header.Authorization", 300));
    let refusal = ask(&pool, &seen, &Cache::default(), &web.backend).await.unwrap_err();
    assert_eq!(refusal.response_type, CONFIGURATION_ERROR);
    assert!(refusal.message.contains("user pools"));
    let mut unset = self::seen("/", &[("authorization", "t")]);
    unset.stage.clear();
    let refusal = ask(&bearer(0), &unset, &Cache::default(), &web.backend).await.unwrap_err();
    assert_eq!(refusal.response_type, CONFIGURATION_ERROR);
    assert_eq!(web.calls.load(Ordering::SeqCst), 0);
    for wrong in ["ftp://host/", "host", "http://"] {
        assert!(Endpoint::new(wrong, Duration::from_secs(1)).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn answers_are_kept_by_identity_and_stage() {
    let web = web(200, allow()).await;
    let (cache, seen) = (Cache::default(), seen("/", &[("authorization", "t")]));
    assert!(!ask(&bearer(300), &seen, &cache, &web.backend).await.unwrap().cached);
    assert!(ask(&bearer(300), &seen, &cache, &web.backend).await.unwrap().cached);
    let other = self::seen("/", &[("authorization", "u")]);
    assert!(!ask(&bearer(300), &other, &cache, &web.backend).await.unwrap().cached);
    assert!(!ask(&bearer(0), &seen, &cache, &web.backend).await.unwrap().cached, "without TTL every request calls");
    cache.flush("abc123", "prod");
    assert!(ask(&bearer(300), &seen, &cache, &web.backend).await.unwrap().cached);
    cache.flush("abc123", "dev");
    assert!(cache.is_empty());
    assert_eq!(web.calls.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn answers_grow_old_and_the_oldest_make_room() {
    let cache = Cache::with_limit(2);
    let whose = Whose { api: "a".into(), stage: "s".into(), authorizer: "x".into() };
    let answer = Arc::new(Answer::parse(allow().to_string().as_bytes()).unwrap());
    let key = |text: &str| Key(vec![text.to_owned()]);
    cache.put(&whose, &key("1"), Arc::clone(&answer), Duration::from_secs(10));
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(cache.get(&whose, &key("1")).is_some());
    cache.put(&whose, &key("2"), Arc::clone(&answer), Duration::from_secs(10));
    // Put anew, it is the youngest.
    cache.put(&whose, &key("1"), Arc::clone(&answer), Duration::from_secs(10));
    cache.put(&whose, &key("3"), Arc::clone(&answer), Duration::from_secs(10));
    assert!(cache.get(&whose, &key("2")).is_none());
    assert!(cache.get(&whose, &key("1")).is_some() && cache.get(&whose, &key("3")).is_some());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(cache.get(&whose, &key("1")).is_none());
    for _ in 0..100 {
        cache.put(&whose, &key("4"), Arc::clone(&answer), Duration::from_secs(10));
    }
    assert!(cache.hold_order() <= 4, "places of replaced answers don't pile up");
}

#[test]
fn a_call_needs_permission() {
    let aws = Aws::with_role();
    let zip = zip_of(&[("bootstrap", 0o755, b"#!/bin/sh\n")]);
    aws.done("POST", "/2015-03-31/functions", &creation_of(&zip));
    let may = |credentials: Option<&str>, function: &str, source: &str| {
        let world = aws.0.world().unwrap();
        let account = &world.accounts["123456789012"];
        may_invoke(&account.iam, &account.regions["eu-central-1"].lambda, credentials, function, source)
    };
    assert!(
        may(None, "arn:aws:lambda:eu-central-1:123456789012:function:x", SOURCE).unwrap_err().contains("no function")
    );
    assert!(may(None, FUNCTION, SOURCE).unwrap_err().contains("no statement"));
    let permission = json!({
        "StatementId": "gate", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": SOURCE.replace("au1", "*"),
    });
    aws.done("POST", "/2015-03-31/functions/auth/policy", &permission);
    assert_eq!(may(None, FUNCTION, SOURCE), Ok(()));
    assert!(may(None, FUNCTION, &SOURCE.replace("abc123", "other")).is_err());
    let role = "arn:aws:iam::123456789012:role/gate";
    assert!(may(Some(role), FUNCTION, SOURCE).unwrap_err().contains("there is no role"));
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let distrust = "arn:aws:iam::123456789012:role/auth";
    assert!(may(Some(distrust), FUNCTION, SOURCE).unwrap_err().contains("does not trust"));
    aws.iam(&[("Action", "CreateRole"), ("RoleName", "gate"), ("AssumeRolePolicyDocument", trust)]);
    assert!(may(Some(role), FUNCTION, SOURCE).unwrap_err().contains("does not allow"));
    let allow =
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"{FUNCTION}"}}]}}"#);
    aws.iam(&[("Action", "PutRolePolicy"), ("RoleName", "gate"), ("PolicyName", "p"), ("PolicyDocument", &allow)]);
    assert_eq!(may(Some(role), FUNCTION, SOURCE), Ok(()));
}

#[tokio::test]
async fn a_function_of_the_sandbox_is_asked() {
    const SCRIPT: &str = r#"#!/usr/bin/env python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
BASE = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", BASE + "next")
    answer = api.getresponse()
    id, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(answer.read())
    token = event["headers"]["authorization"]
    if token == "bad":
        path, result = "error", {"errorType": "Error", "errorMessage": "Unauthorized"}
    else:
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
        path, result = "response", {"principalId": token, "policyDocument": {"Statement": [statement]}}
    api.request("POST", BASE + id + "/" + path, json.dumps(result))
    api.getresponse().read()
"#;
    let aws = Aws::with_role();
    let creation = creation_of(&zip_of(&[("bootstrap", 0o755, SCRIPT.as_bytes())]));
    aws.done("POST", "/2015-03-31/functions", &creation);
    let backend = Backend::Sandbox { functions: Functions::default(), sandbox: aws.0.clone() };
    let cache = Cache::default();
    let good = ask(&bearer(300), &seen("/", &[("authorization", "good")]), &cache, &backend).await.unwrap();
    assert_eq!(good.answer.principal_id, "good");
    let question =
        Question { action: "execute-api:Invoke", resource: METHOD, principal: Principal::Anonymous, keys: &NoKeys };
    assert!(matches!(good.answer.policy.evaluate(&question), Verdict::Allowed(_)));
    let bad = ask(&bearer(300), &seen("/", &[("authorization", "bad")]), &cache, &backend).await.unwrap_err();
    assert_eq!((bad.response_type, bad.status), (UNAUTHORIZED, Some(200)));
    let mut gone = seen("/", &[("authorization", "x")]);
    gone.stage.insert("function".into(), "none".into());
    let refusal = ask(&bearer(300), &gone, &cache, &backend).await.unwrap_err();
    assert_eq!(refusal.response_type, CONFIGURATION_ERROR);
    let parameters = Strings::new();
    let (authorizer, seen) = (bearer(0), seen("/", &[("authorization", "good")]));
    let forbidden = |_: &str| Err("no permission".to_owned());
    let means = Means { cache: &cache, backend: &backend, permission: &forbidden, trace_id: None };
    let refused = authorizer.authorize(&authorizer.identity(&seen), &asked(&seen, &parameters), &means).await;
    assert_eq!(refused.unwrap_err().response_type, CONFIGURATION_ERROR);
}

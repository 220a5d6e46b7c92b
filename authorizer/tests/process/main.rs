//! The real `bootstrap`, between a Runtime API and a TLS auth service on the loopback interface.

mod auth_service;
mod function;
mod http;

use std::time::{Duration, Instant};

use auth_service::{Act, AuthService};
use function::Function;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/order-service/orders";

fn event() -> Value {
    json!({"type": "REQUEST", "methodArn": ARN, "headers": {"Authorization": "Bearer s3cret+token"}})
}

/// A function in front of this auth service, with a time-out of 600 ms.
fn function(service: &AuthService, more: &[(&str, &str)]) -> Function {
    let host = service.host();
    let mut variables =
        vec![("AUTH_HOST", host.as_str()), ("AUTH_CA_PEM", service.ca_pem()), ("AUTH_TIMEOUT_MS", "600")];
    variables.extend_from_slice(more);
    Function::start(&variables)
}

fn yes() -> Act {
    Act::Reply(200, r#"{"code":"0","data":{"jwt":"user.jwt"}}"#.to_owned())
}

fn message(answer: Result<Value, Value>) -> String {
    answer.expect_err("an error, not an answer")["errorMessage"].as_str().unwrap().to_owned()
}

#[test]
fn a_yes_allows_and_the_connection_is_kept() {
    let service = AuthService::start(|_| yes());
    let mut function = function(&service, &[("RESULT_CACHED", "true"), ("AUTH_PATH", "/check")]);
    for _ in 0..3 {
        let answer = function.invoke(&event()).unwrap();
        assert_eq!(answer["context"]["x-user-id"], "user.jwt");
        let resource = &answer["policyDocument"]["Statement"][0]["Resource"];
        assert_eq!(resource, "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/*");
    }
    assert_eq!(service.requests(), vec!["GET /check?token=s3cret%2Btoken HTTP/1.1"; 3]);
    assert_eq!(service.connections(), 1);
    let log = function.log_of_last_request();
    assert_eq!(
        (&log["decision"], &log["channel"], &log["retried"]),
        (&json!("allow"), &json!("default"), &json!(false))
    );
    assert_eq!(log["request_id"], "request-3");
    assert!(log["latency_ms"].is_number());
    assert!(!function.everything_logged().contains("s3cret"));
}

#[test]
fn a_no_is_unauthorized() {
    let service = AuthService::start(|_| Act::Reply(200, r#"{"code":"40101","data":null}"#.to_owned()));
    let mut function = function(&service, &[]);
    assert_eq!(message(function.invoke(&event())), "Unauthorized");
    assert_eq!(function.log_of_last_request()["decision"], "unauthorized");
    let unasked =
        [json!({}), json!({"authorization": "Bearer"}), json!({"authorization": "Bearer a", "x-auth-channel": "x"})];
    for headers in unasked {
        let event = json!({"type": "REQUEST", "methodArn": ARN, "headers": headers});
        assert_eq!(message(function.invoke(&event)), "Unauthorized");
    }
    assert_eq!(service.requests().len(), 1, "only the first request was worth a question");
}

#[test]
fn nonsense_is_a_failure_and_never_followed() {
    let acts = |n: usize| match n {
        0 => Act::Reply(200, "<html>s3cret".to_owned()),
        1 => Act::Reply(500, r#"{"code":"0","data":{"jwt":"x"}}"#.to_owned()),
        2 => Act::Redirect("/elsewhere".to_owned()),
        3 => Act::Reply(200, format!(r#"{{"code":"0","data":{{"jwt":"x","padding":"{}"}}}}"#, "x".repeat(70_000))),
        _ => Act::Garbage,
    };
    let service = AuthService::start(acts);
    let mut function = function(&service, &[]);
    for said in ["without a JSON body", "answered 500", "answered 302", "over 65536 bytes", "cut the connection, twice"]
    {
        let message = message(function.invoke(&event()));
        assert!(message.starts_with("authorizer failed: the auth service") && message.contains(said), "{message}");
        assert_eq!(function.log_of_last_request()["decision"], "failed");
    }
    assert!(service.requests().iter().all(|request| !request.contains("elsewhere")));
    assert!(!function.everything_logged().contains("s3cret"));
}

#[test]
fn a_cut_connection_is_tried_once_more() {
    let service = AuthService::start(|n| if n == 0 { Act::Cut } else { yes() });
    let mut function = function(&service, &[]);
    assert!(function.invoke(&event()).is_ok());
    assert_eq!(function.log_of_last_request()["retried"], true);
    assert_eq!(service.requests().len(), 2);

    let service = AuthService::start(|_| Act::Cut);
    let mut function = self::function(&service, &[]);
    assert!(message(function.invoke(&event())).contains("cut the connection, twice"));
    assert_eq!(service.requests().len(), 2, "two attempts, not more");
}

#[test]
fn a_kept_connection_that_was_cut_meanwhile_costs_nobody_an_error() {
    let service =
        AuthService::start(|_| Act::ReplyThenCut(200, r#"{"code":"0","data":{"jwt":"user.jwt"}}"#.to_owned()));
    let mut function = function(&service, &[]);
    for _ in 0..4 {
        assert!(function.invoke(&event()).is_ok());
    }
}

#[test]
fn silence_ends_at_the_time_out() {
    let service = AuthService::start(|_| Act::Hang);
    let mut function = function(&service, &[]);
    let started = Instant::now();
    assert!(message(function.invoke(&event())).contains("gave no answer in 600 ms"));
    let took = started.elapsed();
    assert!((Duration::from_millis(600)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[test]
fn nobody_listening_is_a_failure() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut function = Function::start(&[("AUTH_HOST", &free.to_string())]);
    assert!(message(function.invoke(&event())).contains("can't be reached, twice"));
}

#[test]
fn a_certificate_of_a_stranger_is_a_failure() {
    let service = AuthService::start(|_| yes());
    let other = AuthService::start(|_| yes());
    for trusted in [None, Some(other.ca_pem())] {
        let host = service.host();
        let variables = [Some(("AUTH_HOST", host.as_str())), trusted.map(|pem| ("AUTH_CA_PEM", pem))];
        let mut function = Function::start(&variables.into_iter().flatten().collect::<Vec<_>>());
        assert!(message(function.invoke(&event())).contains("can't be reached, twice"));
    }
    assert!(service.requests().is_empty(), "the token was sent to a stranger");
}

#[test]
fn wrong_settings_start_and_let_nobody_pass() {
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[], "AUTH_HOST is not set"),
        (&[("AUTH_HOST", "https://auth"), ("RESULT_CACHED", "1")], "RESULT_CACHED must be true or false"),
        (&[("AUTH_HOST", "auth"), ("AUTH_CA_PEM", "no certificate")], "AUTH_CA_PEM must hold"),
    ];
    for (variables, said) in cases {
        let mut function = Function::start(variables);
        for _ in 0..2 {
            let message = message(function.invoke(&event()));
            assert!(message.starts_with("authorizer failed: ") && message.contains(said), "{message}");
        }
        assert!(function.everything_logged().contains("authorizer misconfigured"));
    }
}

//! The gate authorizer and an auth service that does as it should.

use serde_json::{Value, json};

use crate::auth_service::{Act, AuthService};
use crate::channels::{METHOD, Row, STAGE, TOKEN, channels, rows};
use crate::lambda::{Failure, Lambda, Outcome, Program};

/// The function in front of this auth service, with a time-out of 600 ms.
pub(crate) fn function<L: Lambda>(service: &AuthService, more: &[(&str, &str)]) -> L {
    let host = service.host();
    let mut variables =
        vec![("AUTH_HOST", host.as_str()), ("AUTH_CA_PEM", service.ca_pem()), ("AUTH_TIMEOUT_MS", "600")];
    variables.extend_from_slice(more);
    L::start(Program::Gate, &variables)
}

/// An event with these headers.
pub(crate) fn event(headers: &Value) -> Value {
    json!({"type": "REQUEST", "methodArn": METHOD, "headers": headers})
}

/// An event with a good token for the default channel.
pub(crate) fn login() -> Value {
    event(&json!({"Authorization": format!("Bearer {TOKEN}")}))
}

/// The default channel's yes.
pub(crate) fn yes() -> Act {
    Act::answer(&json!({"code": "0", "data": {"jwt": "user.jwt-1"}}))
}

/// What API Gateway turns into 401.
pub(crate) fn unauthorized() -> Outcome {
    Err(Failure { kind: "Unauthorized".to_owned(), message: "Unauthorized".to_owned() })
}

/// Asserts that this is what API Gateway turns into 500, with this in its reason.
#[track_caller]
pub(crate) fn assert_failed(outcome: Outcome, said: &str) {
    let failure = outcome.expect_err("an error, not an answer");
    assert_eq!(failure.kind, "AuthorizerFailed", "{failure:?}");
    assert!(failure.message.starts_with("authorizer failed: ") && failure.message.contains(said), "{failure:?}");
}

fn yes_to_all(rows: Vec<Row>) -> AuthService {
    AuthService::start(move |n, _| Act::answer(&rows[n].yes))
}

pub(crate) fn every_channel_says_yes<L: Lambda>() {
    let service = yes_to_all(rows());
    let channels = channels().to_string();
    let mut function: L = function(&service, &[("AUTH_CHANNELS", &channels), ("RESULT_CACHED", "true")]);
    for row in rows() {
        assert_eq!(function.invoke(&row.event()), Ok(row.allow(STAGE)), "{}", row.name);
    }
    for (row, request) in rows().iter().zip(service.requests()) {
        assert_eq!(request.line, format!("GET {} HTTP/1.1", row.target));
        assert_eq!(request.header("host"), Some(service.host().as_str()));
        assert_eq!(request.header("x-amzn-trace-id"), L::TRACE);
        for name in ["authorization", "x-partner-token"] {
            let expected = row.header.as_ref().filter(|(place, _)| *place == name);
            assert_eq!(request.header(name), expected.map(|(_, value)| value.as_str()), "{}", row.name);
        }
    }
    assert_eq!((service.requests().len(), service.connections()), (rows().len(), 1), "one connection for all");
    let log = function.end();
    assert_eq!(log.start["message"], "authorizer started");
    assert_eq!(log.start["channels"], json!(["default", "mobile-app", "third-party", "wechat-mini"]));
    assert_eq!(log.requests.len(), rows().len());
    for (row, entry) in rows().iter().zip(log.requests) {
        assert_eq!(entry["channel"], row.name);
        assert_eq!((&entry["decision"], &entry["retried"]), (&json!("allowed"), &json!(false)));
        assert!(entry["auth_service_ms"].is_number() && entry["_aws"].is_object(), "{entry}");
        assert_eq!(entry["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function"], ["function", "channel"]]));
    }
}

pub(crate) fn every_channel_says_no<L: Lambda>() {
    let answers = rows();
    let service = AuthService::start(move |n, _| match n % 2 {
        0 => Act::answer(&answers[n / 2].no),
        _ => Act::Reply(401, String::new()),
    });
    let channels = channels().to_string();
    let mut function: L = function(&service, &[("AUTH_CHANNELS", &channels)]);
    for row in rows() {
        assert_eq!(function.invoke(&row.event()), unauthorized(), "{}", row.name);
        assert_eq!(function.invoke(&row.event()), unauthorized(), "{}: 401", row.name);
    }
    for (n, entry) in function.end().requests.iter().enumerate() {
        assert_eq!(entry["channel"], rows()[n / 2].name);
        assert_eq!(entry["reason"], "the auth service refused the token");
    }
}

pub(crate) fn the_uncached_answer_covers_the_method<L: Lambda>() {
    let service = yes_to_all(rows());
    let channels = channels().to_string();
    let mut function: L = function(&service, &[("AUTH_CHANNELS", &channels), ("RESULT_CACHED", "false")]);
    for row in rows() {
        assert_eq!(function.invoke(&row.event()), Ok(row.allow(METHOD)), "{}", row.name);
    }
    assert_eq!(function.end().start["result_cached"], false);
}

pub(crate) fn what_needs_no_question_asks_none<L: Lambda>() {
    let service = AuthService::start(|_, _| yes());
    let mut function: L = function(&service, &[]);
    let bearer = format!("Bearer {TOKEN}");
    let refused = [
        (json!(null), "no token"),
        (json!({}), "no token"),
        (json!({"authorization": ""}), "malformed token"),
        (json!({"authorization": TOKEN}), "malformed token"),
        (json!({"authorization": format!("Basic {TOKEN}")}), "malformed token"),
        (json!({"authorization": format!("Bearer  {TOKEN}")}), "malformed token"),
        (json!({"authorization": format!("Bearer {TOKEN},{TOKEN}")}), "malformed token"),
        (json!({"authorization": bearer, "Authorization": "Bearer b"}), "more than one authorization header"),
        (json!({"authorization": bearer, "x-auth-channel": "s3cret-channel"}), "unknown channel"),
        (json!({"authorization": bearer, "x-auth-channel": "mobile-app"}), "unknown channel"),
        (
            json!({"authorization": bearer, "x-auth-channel": "default", "X-Auth-Channel": ""}),
            "more than one x-auth-channel header",
        ),
    ];
    for (headers, _) in &refused {
        assert_eq!(function.invoke(&event(headers)), unauthorized(), "{headers}");
    }
    let senseless = [
        json!(null),
        json!([]),
        json!("s3cret"),
        json!({"type": "TOKEN", "methodArn": METHOD, "authorizationToken": bearer}),
        json!({"type": "REQUEST", "headers": {"authorization": bearer}}),
        json!({"type": "REQUEST", "methodArn": "arn:aws:s3:::s3cret", "headers": {"authorization": bearer}}),
    ];
    for event in &senseless {
        assert_failed(function.invoke(event), "the event ");
    }
    assert!(service.requests().is_empty());
    let log = function.end();
    for (entry, (headers, reason)) in log.requests.iter().zip(&refused) {
        assert_eq!((&entry["decision"], &entry["reason"]), (&json!("unauthorized"), &json!(reason)), "{headers}");
        assert_eq!((&entry["channel"], &entry["auth_service_ms"]), (&Value::Null, &Value::Null));
        // A dimension without a value would cost the whole line its metrics.
        assert_eq!(entry["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function"]]));
    }
    assert!(log.requests[refused.len()..].iter().all(|entry| entry["cause"] == "event"));
}

/// A token that one channel's part of the auth service knows, and no other's.
pub(crate) fn a_cached_token_can_not_be_carried_to_another_channel<L: Lambda>() {
    let answers = rows();
    let service = AuthService::start(move |_, request| {
        let row = answers.iter().find(|row| row.target == request.target()).expect("a question of a channel");
        Act::answer(if row.name == "wechat-mini" { &row.yes } else { &row.no })
    });
    let channels = channels().to_string();
    let mut function: L = function(&service, &[("AUTH_CHANNELS", &channels), ("RESULT_CACHED", "true")]);
    for _ in 0..2 {
        for row in rows() {
            let expected = if row.name == "wechat-mini" { Ok(row.allow(STAGE)) } else { unauthorized() };
            assert_eq!(function.invoke(&row.event()), expected, "{}", row.name);
        }
    }
    assert_eq!(service.requests().len(), 2 * rows().len(), "the function itself keeps no answer");
    function.end();
}

pub(crate) fn unknown_channels_are_the_default_one_where_that_is_configured<L: Lambda>() {
    let service = AuthService::start(|_, _| yes());
    let channels = channels().to_string();
    let mut function: L = function(&service, &[("AUTH_CHANNELS", &channels), ("AUTH_UNKNOWN_CHANNEL", "default")]);
    let row = &rows()[0];
    for name in ["s3cret", "Mobile-App", "default "] {
        let headers = json!({"authorization": format!("Bearer {TOKEN}"), "x-auth-channel": name});
        assert_eq!(function.invoke(&event(&headers)), Ok(row.allow(METHOD)), "{name}");
    }
    assert!(service.requests().iter().all(|request| request.target() == row.target));
    // What the client wrote is not in the log.
    assert!(function.end().requests.iter().all(|entry| entry["channel"] == "default"));
}

pub(crate) fn a_channel_can_be_required<L: Lambda>() {
    let service = AuthService::start(|_, _| yes());
    let channels = channels().to_string();
    let mut function: L = function(&service, &[("AUTH_CHANNELS", &channels), ("AUTH_CHANNEL_REQUIRED", "true")]);
    assert_eq!(function.invoke(&login()), unauthorized());
    let named = json!({"authorization": format!("Bearer {TOKEN}"), "x-auth-channel": "default"});
    assert_eq!(function.invoke(&event(&named)), Ok(rows()[0].allow(METHOD)));
    assert_eq!(service.requests().len(), 1);
    assert_eq!(function.end().requests[0]["reason"], "no channel");
}

pub(crate) fn metrics_can_be_left_out<L: Lambda>() {
    let service = AuthService::start(|_, _| yes());
    let mut function: L = function(&service, &[("METRICS", "false")]);
    assert!(function.invoke(&login()).is_ok());
    let log = function.end();
    let names: Vec<&String> = log.requests[0].as_object().unwrap().keys().collect();
    let expected = [
        "auth_service_ms",
        "cause",
        "channel",
        "decision",
        "latency_ms",
        "level",
        "message",
        "reason",
        "request_id",
        "retried",
    ];
    assert_eq!(names, expected);
}

pub(crate) fn wrong_settings_start_and_let_nobody_pass<L: Lambda>() {
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: [Case; 4] = [
        (&[], &["AUTH_HOST is not set"]),
        (
            &[("AUTH_HOST", "https://auth"), ("RESULT_CACHED", "1")],
            &["AUTH_HOST is no host", "RESULT_CACHED is neither true nor false"],
        ),
        (
            &[("AUTH_HOST", "auth"), ("AUTH_CHANNELS", r#"{"default": {"path": "x"}}"#)],
            &["AUTH_CHANNELS/default/path is \"x\"", "AUTH_CHANNELS/default gives no scope"],
        ),
        (&[("AUTH_HOST", "auth"), ("AUTH_CA_PEM", "no certificate")], &["AUTH_CA_PEM must hold"]),
    ];
    for (variables, said) in cases {
        let mut function = L::start(Program::Gate, variables);
        for said in said.iter().cycle().take(2) {
            assert_failed(function.invoke(&login()), said);
        }
        let log = function.end();
        assert!(log.start["message"].as_str().unwrap().starts_with("authorizer misconfigured"), "{}", log.start);
        assert!(said.iter().all(|said| log.start["faults"].as_str().unwrap().contains(said)), "{}", log.start);
        assert!(log.requests.iter().all(|entry| entry["cause"] == "settings"));
    }
}

//! The gate authorizer and an auth service that is down, slow, broken, or somebody else.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::auth_service::{Act, AuthService, Identity, nobody, plain};
use crate::gate::{assert_failed, function, login, unauthorized, yes};
use crate::lambda::{Lambda, Program};

const YES: &str = r#"{"code":"0","data":{"jwt":"user.jwt-1"}}"#;

/// What the service does, what is said of it, the cause in the log, and whether it was asked again.
type Case = (fn() -> Act, &'static str, &'static str, bool);

/// Runs the cases, each followed by a good answer, which has to be as good as ever.
fn run<L: Lambda>(cases: &'static [Case]) {
    let tries = |case: &Case| 1 + usize::from(case.3);
    let schedule: Vec<Option<fn() -> Act>> =
        cases.iter().flat_map(|case| std::iter::repeat_n(Some(case.0), tries(case)).chain([None])).collect();
    let asked = schedule.len();
    let service = AuthService::start(move |n, _| schedule[n].map_or_else(yes, |act| act()));
    let mut function: L = function(&service, &[]);
    for (_, said, ..) in cases {
        assert_failed(function.invoke(&login()), said);
        assert!(function.invoke(&login()).is_ok(), "after one that {said}");
    }
    assert_eq!(service.requests().len(), asked);
    for (entries, (_, said, cause, retried)) in function.end().requests.chunks(2).zip(cases) {
        assert_eq!((&entries[0]["cause"], &entries[0]["retried"]), (&json!(cause), &json!(retried)), "{said}");
        assert!(entries[0]["reason"].as_str().unwrap().contains(said), "{}", entries[0]);
        assert_eq!((&entries[1]["decision"], &entries[1]["retried"]), (&json!("allowed"), &json!(false)), "{said}");
    }
}

pub(crate) fn answers_that_decide_nothing<L: Lambda>() {
    run::<L>(&[
        (|| Act::Reply(200, "<html>s3cret".to_owned()), "answered 200 without a JSON body", "nonsense", false),
        (|| Act::Reply(200, String::new()), "answered 200 without a JSON body", "nonsense", false),
        (|| Act::Reply(200, "{\"s3cret\": 1}".to_owned()), "answered 200 without a value at /code", "nonsense", false),
        (|| Act::Reply(204, String::new()), "answered 204 instead", "nonsense", false),
        (|| Act::Reply(500, YES.to_owned()), "answered 500 instead", "nonsense", false),
        (|| Act::Reply(503, YES.to_owned()), "answered 503 instead", "nonsense", false),
        (|| Act::Reply(429, "s3cret".to_owned()), "answered 429 without a JSON body", "nonsense", false),
        (|| Act::Reply(403, YES.to_owned()), "answered 403 and yet says yes", "nonsense", false),
        (|| Act::Reply(200, format!("{YES}{}", " ".repeat(70_000))), "over 65536 bytes", "nonsense", false),
        (|| Act::Endless, "over 65536 bytes", "nonsense", false),
        (|| Act::Garbage, "cut the connection, twice", "unreachable", true),
        (|| Act::CutShort, "cut its answer short, twice", "unreachable", true),
        (|| Act::Cut, "cut the connection, twice", "unreachable", true),
        (|| Act::Reset, "cut the connection, twice", "unreachable", true),
    ]);
}

pub(crate) fn redirects_are_refused<L: Lambda>() {
    run::<L>(&[
        (|| Act::Redirect(301, "/elsewhere"), "answered 301 instead", "nonsense", false),
        (|| Act::Redirect(302, "https://127.0.0.1:1/"), "answered 302 instead", "nonsense", false),
        (|| Act::Redirect(307, "/"), "answered 307 instead", "nonsense", false),
        (|| Act::Redirect(308, "/elsewhere"), "answered 308 instead", "nonsense", false),
    ]);
}

pub(crate) fn a_cut_connection_is_tried_once_more<L: Lambda>() {
    let acts = |n| match n {
        0 | 8 => Act::Cut,
        2 => Act::Reset,
        4 => Act::CutShort,
        6 => Act::Garbage,
        9 => Act::Reply(401, String::new()),
        _ => yes(),
    };
    let service = AuthService::start(move |n, _| acts(n));
    let mut function: L = function(&service, &[]);
    for n in 0..4 {
        assert!(function.invoke(&login()).is_ok(), "{n}");
    }
    assert_eq!(function.invoke(&login()), unauthorized());
    assert_eq!(service.requests().len(), 10, "two attempts each");
    assert!(function.end().requests.iter().all(|entry| entry["retried"] == true));
}

pub(crate) fn a_kept_connection_that_was_cut_meanwhile_costs_nobody_an_error<L: Lambda>() {
    let service = AuthService::start(|_, _| Act::ReplyThenCut(200, YES.to_owned()));
    let mut function: L = function(&service, &[]);
    for n in 0..6 {
        assert!(function.invoke(&login()).is_ok(), "{n}");
    }
    assert_eq!((service.requests().len(), service.connections()), (6, 6));
    function.end();
}

pub(crate) fn silence_ends_at_the_time_out<L: Lambda>() {
    let acts = |n| match n {
        0 | 5 => Act::Hang,
        2 => Act::Drip,
        // What is left of the time is all that the second attempt has.
        4 => Act::Cut,
        _ => yes(),
    };
    let service = AuthService::start(move |n, _| acts(n));
    let mut function: L = function(&service, &[]);
    for _ in 0..3 {
        assert_failed(function.invoke(&login()), "gave no answer in 600 ms");
        assert!(function.invoke(&login()).is_ok());
    }
    let log = function.end();
    let failures: Vec<_> = log.requests.iter().step_by(2).collect();
    assert!(failures.iter().all(|entry| entry["cause"] == "timeout"));
    assert_eq!(failures.iter().map(|entry| entry["retried"] == true).collect::<Vec<_>>(), [false, false, true]);
}

/// A failure of every request to this host.
fn unreachable<L: Lambda>(host: &str, more: &[(&str, &str)], said: &str, cause: &str) {
    let mut variables = vec![("AUTH_HOST", host), ("AUTH_TIMEOUT_MS", "600")];
    variables.extend_from_slice(more);
    let mut function = L::start(Program::Gate, &variables);
    for _ in 0..2 {
        assert_failed(function.invoke(&login()), said);
    }
    for entry in function.end().requests {
        assert_eq!((&entry["cause"], &entry["channel"]), (&json!(cause), &json!("default")));
    }
}

pub(crate) fn nobody_listening_is_a_failure<L: Lambda>() {
    unreachable::<L>(&nobody(), &[], "can't be reached, twice", "unreachable");
    unreachable::<L>("nobody.invalid", &[], "can't be reached, twice", "unreachable");
}

pub(crate) fn servers_without_tls_are_failures<L: Lambda>() {
    let garbage = plain(|mut stream| {
        let mut hello = [0; 16];
        let _ = stream.read(&mut hello);
        // Had the function spoken first, its token would stand here in the clear.
        assert_eq!(hello[0], 22, "a TLS handshake comes first");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    unreachable::<L>(&garbage, &[], "can't be reached, twice", "unreachable");
    let silent = plain(|_stream| thread::sleep(Duration::from_mins(10)));
    unreachable::<L>(&silent, &[], "gave no answer in 600 ms", "timeout");
}

pub(crate) fn certificates_of_strangers_are_failures<L: Lambda>() {
    let good = AuthService::start(|_, _| yes());
    let other = AuthService::start(|_, _| yes());
    let misnamed = AuthService::start_as(Identity::of_another_host(), |_, _| yes());
    let expired = AuthService::start_as(Identity::expired(), |_, _| yes());
    for (service, trusted) in [
        (&good, None),
        (&good, Some(other.ca_pem())),
        (&misnamed, Some(misnamed.ca_pem())),
        (&expired, Some(expired.ca_pem())),
    ] {
        let trusted = trusted.map(|pem| ("AUTH_CA_PEM", pem));
        unreachable::<L>(&service.host(), trusted.as_slice(), "can't be reached, twice", "unreachable");
        assert!(service.requests().is_empty(), "the token was sent to a stranger");
    }
    // Several trusted ones stand one after the other; then the same service is no stranger.
    let both = format!("{}{}", other.ca_pem(), good.ca_pem());
    let mut function: L = function(&good, &[("AUTH_CA_PEM", &both)]);
    assert!(function.invoke(&login()).is_ok());
    function.end();
}

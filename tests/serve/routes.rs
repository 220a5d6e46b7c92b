//! Every type of route: what the backend gets, who is refused, and how.

use serde_json::Value;

use crate::client::{Answer, Ask, Got};
use crate::served;
use crate::server::until;

const WHITE: &str = "/dev/order-service/api/v1/public/menu";
const THROUGH: &str = "/dev/user-bff-service/api/v1/agreements";
const NORMAL: &str = "/dev/order-service/api/v1/orders";
const NON_TTL: &str = "/dev/user-bff-service/api/v1/account/status";

/// A route of each type.
const ALL: [&str; 4] = [WHITE, THROUGH, NORMAL, NON_TTL];

/// What a backend believes about who calls.
const IDENTITY: [&str; 4] = ["x-user-token", "x-user-id", "x-user-scope", "x-auth-type"];

const ORIGIN: &str = "https://shop.example.com";

fn send(ask: &Ask) -> Answer {
    ask.to(served().server.address)
}

/// A request that claims to be somebody, in every spelling of the headers' names.
fn forged(ask: Ask) -> Ask {
    IDENTITY.iter().fold(ask, |ask, name| {
        ask.header(name, "forged").header(&name.to_ascii_uppercase(), "forged too").header("x-request-id", "forged")
    })
}

/// The line of the access log about an answer.
fn logged(answer: &Answer) -> Value {
    served().logged(answer)
}

/// Fails unless the backend got these identity headers, once each, and nothing of what was forged.
#[track_caller]
fn carries(got: &Got, answer: &Answer, identity: [&str; 4]) {
    for (name, value) in IDENTITY.iter().zip(identity) {
        assert_eq!(got.values(name), [value], "{name} of {}", got.line());
    }
    assert_eq!(got.values("x-request-id"), [answer.header("x-amzn-requestid").unwrap()]);
}

#[test]
fn open_routes_carry_nobodys_identity() {
    for (path, upstream, target) in
        [(WHITE, "orders", "/api/v1/public/menu"), (THROUGH, "users", "/platform/api/v1/agreements")]
    {
        for token in [None, Some("refused-everywhere")] {
            let ask = forged(Ask::new("PUT", path));
            let answer = send(&token.map_or(ask.clone(), |token| ask.bearer(token)));
            let got = answer.got();
            assert_eq!((got.upstream(), got.line()), (upstream, format!("PUT {target}")));
            carries(&got, &answer, [""; 4]);
            // What a client sends besides is its own.
            assert_eq!(got.values("authorization").len(), usize::from(token.is_some()));
        }
    }
}

#[test]
fn routes_behind_the_authorizer_carry_what_it_said() {
    for (path, upstream, target) in [(NORMAL, "orders", "/api/v1/orders"), (NON_TTL, "users", "/api/v1/account/status")]
    {
        let answer = send(&forged(Ask::get(path)).bearer("mapped"));
        let got = answer.got();
        assert_eq!((got.upstream(), got.target()), (upstream, target));
        carries(&got, &answer, ["mapped", "jwt-of-mapped", "customer", "standard"]);
        let line = logged(&answer);
        assert_eq!((&line["status"], &line["integrationStatus"]), (&"200".into(), &"200".into()));
        assert_eq!(line["authorizerStatus"], "200");
    }
}

#[test]
fn a_preflight_passes_without_a_token_and_without_an_identity() {
    for path in ALL {
        let answer = send(&forged(Ask::new("OPTIONS", path)).header("origin", ORIGIN));
        let got = answer.got();
        assert!(got.line().starts_with("OPTIONS /"), "{}", got.line());
        carries(&got, &answer, [""; 4]);
    }
}

#[test]
fn without_a_good_token_nobody_passes() {
    let served = served();
    let before = served.auth.asked("");
    for path in [NORMAL, NON_TTL] {
        for (header, called) in [
            (None, false),
            (Some(""), false),
            (Some("Basic dXNlcjpwYXNz"), true),
            (Some("Bearer"), true),
            (Some("Bearer refused-me"), true),
        ] {
            let unmarked = format!("{path}?unauthorized");
            let ask = forged(Ask::get(&unmarked)).header("origin", ORIGIN);
            let answer = send(&header.map_or(ask.clone(), |value| ask.header("authorization", value))).is(401);
            assert_eq!(answer.json()["message"], "Please login again");
            assert_eq!(answer.json()["code"], 401);
            assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
            assert_eq!(answer.header("x-amzn-errortype"), Some("UnauthorizedException"));
            // Without its identity source the authorizer is not called.
            let line = logged(&answer);
            assert_eq!(line["authorizerLatency"] != "-", called, "{header:?}: {line}");
            assert_eq!(line["errorResponseType"], "UNAUTHORIZED");
        }
    }
    assert_eq!(served.auth.asked("refused-me"), 2, "a no is not kept");
    assert_eq!(served.auth.asked(""), before, "malformed tokens are not worth a question");
    assert_eq!(served.orders.count("?unauthorized") + served.users.count("?unauthorized"), 0);
}

/// Two values of one header: which one a backend would look at is anybody's guess.
#[test]
fn two_tokens_in_one_request_are_none() {
    let twice = Ask::get(&format!("{NON_TTL}?twice")).bearer("good-one").bearer("refused-two");
    send(&twice).is(401);
    assert_eq!(served().users.count("?twice"), 0);
}

#[test]
fn the_resource_policy_refuses_before_anybody_is_asked() {
    let served = served();
    for path in [
        "/dev/order-service/actuator/health",
        "/dev/order-service/actuator",
        "/dev/order-service/internal/orders",
        "/dev/any-service/swagger-ui.html",
        "/dev/service-name/api/admin/users",
    ] {
        let marked = format!("{path}?refused-by-policy");
        for ask in [Ask::get(&marked), Ask::get(&marked).bearer("never-asked"), Ask::new("OPTIONS", &marked)] {
            let answer = send(&ask.header("origin", ORIGIN)).is(403);
            assert_eq!(answer.json()["message"], "Gateway Forbidden");
            assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
            assert_eq!(answer.header("x-amzn-errortype"), Some("AccessDeniedException"));
            let line = logged(&answer);
            assert_eq!(line["errorResponseType"], "ACCESS_DENIED");
            assert!(line["errorMessage"].as_str().unwrap().contains("explicit deny"), "{line}");
        }
    }
    assert_eq!(served.orders.count("refused-by-policy") + served.users.count("refused-by-policy"), 0);
    assert_eq!(served.auth.asked("never-asked"), 0);
}

#[test]
fn an_unknown_route_is_404_with_the_origin_of_who_asks() {
    for path in ["/dev/no-such-service/x", "/dev", "/dev/", "/dev/order-service"] {
        let answer = send(&Ask::get(path).header("origin", ORIGIN)).is(404);
        assert_eq!(answer.json()["message"], "No such route");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
        assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"));
        let line = logged(&answer);
        assert_eq!((&line["status"], &line["resourcePath"]), (&"404".into(), &"-".into()));
        let without = send(&Ask::get(path)).is(404);
        assert_eq!(without.header("access-control-allow-origin"), None);
    }
    // Another stage is not this gateway's at all.
    let elsewhere = send(&Ask::get("/prod/order-service/api/v1/orders")).is(403);
    assert_eq!(elsewhere.json()["message"], "Forbidden");
}

#[test]
fn an_answer_of_the_authorizer_is_good_for_every_normal_route() {
    let served = served();
    let asked = |token| served.auth.asked(token);
    for token in ["one", "two"] {
        for path in [NORMAL, "/dev/order-service/other", "/dev/user-bff-service/api/v1/profile", NORMAL] {
            for method in ["GET", "POST"] {
                let answer = send(&Ask::new(method, path).bearer(token));
                carries(&answer.got(), &answer, [token, &format!("jwt-of-{token}"), "customer", "standard"]);
            }
        }
    }
    assert_eq!((asked("one"), asked("two")), (1, 1), "two tokens are two entries");
    // The policy that is kept does not open what the resource policy closes.
    send(&Ask::get("/dev/order-service/actuator/health").bearer("one")).is(403);
}

#[test]
fn routes_without_a_ttl_ask_every_time() {
    for n in 1..=3 {
        assert_eq!(send(&Ask::get(NON_TTL).bearer("each-time")).got().values("x-user-id"), ["jwt-of-each-time"]);
        assert_eq!(served().auth.asked("each-time"), n);
    }
    // What is kept for the other authorizer does not count here.
    send(&Ask::get(NORMAL).bearer("each-time")).is(200);
    send(&Ask::get(NON_TTL).bearer("each-time")).is(200);
    assert_eq!(served().auth.asked("each-time"), 5);
}

#[test]
fn an_auth_service_that_breaks_down_is_500_and_is_asked_again() {
    for n in 1..=2 {
        let answer = send(&Ask::get(NORMAL).bearer("broken").header("origin", ORIGIN)).is(500);
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
        assert!(!answer.text().contains("503"), "what is wrong is nobody's business: {}", answer.text());
        let line = logged(&answer);
        assert!(line["authorizerError"].as_str().unwrap().contains("answered 503"), "{line}");
        assert_eq!(served().auth.asked("broken"), n);
    }
}

#[test]
fn every_answer_is_told_apart_and_logged_in_the_stages_format() {
    let ask = Ask::get(&format!("{WHITE}?a=b")).header("user-agent", "say \"hi\"");
    let (first, second) = (send(&ask).is(200), send(&ask).is(200));
    let id = |answer: &Answer| answer.header("x-amzn-requestid").unwrap().to_owned();
    assert_ne!(id(&first), id(&second));
    assert!(first.header("x-amz-apigw-id").is_some_and(|id| id.len() == 16), "{first:?}");
    assert!(first.header("x-amzn-trace-id").is_some_and(|trace| trace.starts_with("Root=1-")));
    assert_eq!(first.got().values("x-amzn-trace-id"), [first.header("x-amzn-trace-id").unwrap()]);
    let line = logged(&first);
    let format = served().project.read(crate::project::DEFAULTS)["log_format"].clone();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&line), names(&format));
    for (name, value) in [
        ("requestId", id(&first).as_str()),
        ("extendedRequestId", first.header("x-amz-apigw-id").unwrap()),
        ("ip", "127.0.0.1"),
        ("userAgent", "say \"hi\""),
        ("httpMethod", "GET"),
        ("resourcePath", "/order-service/api/v1/public/{proxy+}"),
        ("path", WHITE),
        ("status", "200"),
        ("protocol", "HTTP/1.1"),
        ("responseLength", first.body.len().to_string().as_str()),
        ("integrationStatus", "200"),
        ("integrationError", "-"),
        ("authorizerStatus", "-"),
        ("errorMessage", "-"),
        ("errorResponseType", "-"),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    for name in ["responseLatency", "integrationLatency"] {
        assert!(line[name].as_str().unwrap().parse::<u64>().is_ok(), "{name}: {line}");
    }
}

/// A gateway that answers by itself says why, to whoever runs it.
#[test]
fn why_the_gateway_answered_by_itself_is_told() {
    send(&Ask::get("/dev/why-was-that")).is(404);
    until("a line about the request", || {
        served().server.said().contains("no route fits GET /why-was-that").then_some(())
    });
}

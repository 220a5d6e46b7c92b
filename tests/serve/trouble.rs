//! Throttles, time-outs, what is down, answers of the authorizer that end, and authorizers behind a URL.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::OnceLock;
use std::thread;

use serde_json::{Value, json};

use crate::client::{Answer, Ask};
use crate::project::Project;
use crate::server::{Served, closed_port, edit_dev, until};

const WHITE: &str = "/dev/order-service/api/v1/public/menu";
const THROUGH: &str = "/dev/user-bff-service/api/v1/agreements";
const NORMAL: &str = "/dev/order-service/api/v1/orders";
const NON_TTL: &str = "/dev/user-bff-service/api/v1/account/status";

const ORIGIN: &str = "https://shop.example.com";

/// A server on which much goes wrong: two requests to a method at once and then one in hours, 50 ms for the backends of
/// open routes to other hosts, no auth service, and a URL in the place of the authorizer whose answers are kept.
fn harsh() -> &'static Served {
    static HARSH: OnceLock<Served> = OnceLock::new();
    HARSH.get_or_init(|| {
        let change = |project: &Project| {
            edit_dev(project, "throttling_rate_limit", 0.0001);
            edit_dev(project, "throttling_burst_limit", 2);
            project.edit("stacks/gate/routes/through_path.json", |route| {
                let method = &mut route["path_item"]["x-amazon-apigateway-any-method"];
                method["x-amazon-apigateway-integration"]["timeoutInMillis"] = json!(50);
            });
        };
        let auth = format!("AUTH_HOST={}", closed_port());
        let authorizer = format!("product-a-api-authorizer-dev=http://{}/authorize", authorizer());
        Served::new(change, &["--function-env", &auth, "--authorizer", &authorizer])
    })
}

fn send(ask: Ask) -> Answer {
    ask.header("origin", ORIGIN).to(harsh().server.address)
}

#[test]
fn more_than_the_burst_is_429() {
    for method in ["GET", "OPTIONS"] {
        let passed: Vec<u16> = (0..5).map(|_| send(Ask::new(method, WHITE)).status).collect();
        assert_eq!(passed, [200, 200, 429, 429, 429], "{method}");
    }
    let answer = send(Ask::get(WHITE)).is(429);
    assert_eq!(answer.json()["message"], "Too Many Requests");
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("x-amzn-errortype"), Some("TooManyRequestsException"));
}

#[test]
fn a_backend_that_is_too_slow_is_504() {
    let answer = send(Ask::get(THROUGH).header("x-act", "hang")).is(504);
    assert_eq!(answer.json()["message"], "Endpoint request timed out");
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
}

#[test]
fn a_backend_that_is_not_there_is_504() {
    let answer = send(Ask::new("OPTIONS", "/dev/payment-service/api/v1/cards")).is(504);
    assert_eq!(answer.json()["message"], "Network error communicating with endpoint");
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
}

#[test]
fn an_auth_service_that_is_down_is_500() {
    let answer = send(Ask::get(NON_TTL).bearer("anybody")).is(500);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert!(!answer.text().contains("auth"), "{}", answer.text());
    assert_eq!(harsh().users.count("/account/status"), 0);
}

#[test]
fn an_authorizer_behind_a_url_decides() {
    for (token, status) in [("deny", 403), ("unauthorized", 401), ("fail", 500), ("nonsense", 500)] {
        let answer = send(Ask::get(&format!("{NORMAL}?{token}")).bearer(token)).is(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
        assert_eq!(harsh().orders.count(&format!("?{token}")), 0);
    }
    // One that allows another route only says nothing about this one, and the resource policy allows it.
    for token in ["allow", "elsewhere"] {
        assert_eq!(send(Ask::get(NORMAL).bearer(token)).got().values("x-user-id"), ["from-a-url"], "{token}");
    }
    let policy = send(Ask::get(NORMAL).bearer("deny")).is(403);
    assert_eq!(policy.json()["message"], "Gateway Forbidden");
    assert_eq!(policy.header("x-amzn-errortype"), Some("AccessDeniedException"));
}

#[test]
fn an_answer_of_the_authorizer_ends_with_its_time() {
    let mut served = Served::new(|project| edit_dev(project, "authorizer_result_ttl", 1), &[]);
    let ask = Ask::get(NORMAL).bearer("again");
    let asked = || {
        assert_eq!(ask.to(served.server.address).got().values("x-user-id"), ["jwt-of-again"]);
        served.auth.asked("again")
    };
    assert_eq!(asked(), 1);
    until("another question to the auth service", || (asked() == 2).then_some(()));
    assert_eq!(served.server.ends(), Some(0), "{}", served.server.said());
}

/// A function behind a URL. What it says depends on the token.
fn authorizer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer_events(BufReader::new(stream.unwrap())));
        }
    });
    address
}

fn answer_events(mut stream: BufReader<TcpStream>) {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut event = vec![0; length];
        stream.read_exact(&mut event).unwrap();
        let body = decision(&serde_json::from_slice(&event).unwrap()).to_string();
        let length = body.len();
        let written = write!(stream.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        if written.is_err() {
            return;
        }
    }
}

fn decision(event: &Value) -> Value {
    let arn = event["methodArn"].as_str().unwrap();
    let token = event["headers"]["authorization"].as_str().unwrap();
    let says = |effect: &str, resource: &str| {
        json!({
            "principalId": "somebody",
            "policyDocument": { "Version": "2012-10-17", "Statement": [
                { "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource },
            ] },
            "context": { "x-user-id": "from-a-url" },
        })
    };
    match token {
        "Bearer allow" => says("Allow", arn),
        "Bearer deny" => says("Deny", arn),
        "Bearer elsewhere" => says("Allow", &arn.replace("orders", "menu")),
        "Bearer unauthorized" => json!({ "errorMessage": "Unauthorized", "errorType": "Error" }),
        "Bearer fail" => json!({ "errorMessage": "no such table", "errorType": "Error" }),
        _ => json!({ "isAuthorized": true }),
    }
}

//! The decision, as a table and as laws.

use authorizer::{Denial, Reply, Settings, ask};
use proptest::prelude::*;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/POST/order-service/orders/1";
const YES: &str = r#"{"code":"0","data":{"jwt":"user.jwt.1"}}"#;

fn settings(result_cached: bool) -> Settings {
    let variable = |name: &str| match name {
        "AUTH_HOST" => Some("auth.example.com/dev".to_owned()),
        "RESULT_CACHED" => Some(result_cached.to_string()),
        _ => None,
    };
    Settings::read(variable).unwrap()
}

fn event(headers: &Value) -> Value {
    json!({"type": "REQUEST", "methodArn": ARN, "headers": headers})
}

fn bearer() -> Value {
    event(&json!({"Authorization": "Bearer a+b/c="}))
}

fn judge(result_cached: bool, event: &Value, status: u16, body: &str) -> Result<Value, Denial> {
    let question = ask(&settings(result_cached), event)?;
    question.judge(&Reply { status, body: body.as_bytes() }).map(|allow| allow.response())
}

#[test]
fn asks_for_exactly_this_token() {
    let question = ask(&settings(true), &bearer()).unwrap();
    let url = "https://auth.example.com/dev/auth-service/api/v1/validate-token?token=a%2Bb%2Fc%3D";
    assert_eq!((question.url(), question.channel()), (url, "default"));
}

#[test]
fn a_yes_carries_the_context() {
    let answer = judge(false, &bearer(), 200, YES).unwrap();
    let context = json!({
        "x-user-token": "a+b/c=", "x-auth-type": "standard", "x-user-scope": "customer", "x-user-id": "user.jwt.1",
    });
    assert_eq!(answer["context"], context);
    let statement = json!([{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN}]);
    assert_eq!(answer["policyDocument"], json!({"Version": "2012-10-17", "Statement": statement}));
    assert_eq!(answer["principalId"], "standard");
}

#[test]
fn only_the_cached_allow_covers_the_stage() {
    let resource =
        |cached| judge(cached, &bearer(), 200, YES).unwrap()["policyDocument"]["Statement"][0]["Resource"].clone();
    assert_eq!(resource(true), "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/*");
    assert_eq!(resource(false), ARN);
}

#[test]
fn requests_that_are_refused_unasked() {
    let headers = [
        (json!(null), "no token"),
        (json!({}), "no token"),
        (json!({"authorization": ""}), "malformed token"),
        (json!({"authorization": "abc"}), "malformed token"),
        (json!({"authorization": "Basic abc"}), "malformed token"),
        (json!({"authorization": "Bearer a b"}), "malformed token"),
        (json!({"authorization": "Bearer a", "Authorization": "Bearer b"}), "more than one authorization header"),
        (json!({"authorization": "Bearer a", "x-auth-channel": "wechat-mini"}), "unknown channel"),
        (json!({"authorization": "Bearer a", "X-Auth-Channel": "DEFAULT"}), "unknown channel"),
    ];
    for (headers, reason) in headers {
        let denial = ask(&settings(true), &event(&headers)).unwrap_err();
        assert_eq!(denial, Denial::Unauthorized(reason), "{headers}");
        assert_eq!(denial.to_string(), "Unauthorized");
    }
    let repeated =
        json!({"type": "REQUEST", "methodArn": ARN, "multiValueHeaders": {"authorization": ["Bearer a", "Bearer a"]}});
    assert!(matches!(ask(&settings(true), &repeated), Err(Denial::Unauthorized(_))));
}

#[test]
fn events_that_make_no_sense_are_no_ones_login() {
    let headers = json!({"authorization": "Bearer a"});
    for event in [
        json!(null),
        json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer a"}),
        json!({"type": "REQUEST", "headers": headers}),
        json!({"type": "REQUEST", "headers": headers, "methodArn": "arn:aws:s3:::bucket"}),
        json!({"type": "REQUEST", "headers": headers, "methodArn": "arn:aws:execute-api:*:*:*/*/GET/"}),
    ] {
        assert!(matches!(ask(&settings(true), &event), Err(Denial::Failed(_))), "{event}");
    }
}

#[test]
fn a_no_and_nonsense_are_told_apart() {
    let no = [
        (200, r#"{"code":"1","data":null}"#),
        (200, r#"{"code":"","data":{"jwt":"x"}}"#),
        (200, r#"{"code":"00","data":{"jwt":"x"}}"#),
        (400, r#"{"code":"TOKEN_EXPIRED"}"#),
        (403, r#"{"code":"1"}"#),
        (401, ""),
        (401, YES),
    ];
    for (status, body) in no {
        assert!(matches!(judge(true, &bearer(), status, body), Err(Denial::Unauthorized(_))), "{status} {body}");
    }
    let long = format!(r#"{{"code":"0","data":{{"jwt":"{}"}}}}"#, "x".repeat(8193));
    let nonsense = [
        (200, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, r#"{"code":0,"data":{"jwt":"x"}}"#),
        (200, r#"{"code":"0"}"#),
        (200, r#"{"code":"0","data":{"jwt":""}}"#),
        (200, r#"{"code":"0","data":{"jwt":7}}"#),
        (200, r#"{"code":"0","data":{"jwt":"a\r\nx-user-scope: admin"}}"#),
        (200, long.as_str()),
        (201, YES),
        (204, ""),
        (302, YES),
        (403, r#"{"message":"Missing Authentication Token"}"#),
        (404, "not found"),
        (404, YES),
        (429, ""),
        (500, YES),
        (503, r#"{"code":"1"}"#),
    ];
    for (status, body) in nonsense {
        let denial = judge(true, &bearer(), status, body).unwrap_err();
        assert!(matches!(denial, Denial::Failed(_)), "{status} {body}");
        assert_ne!(denial.to_string(), "Unauthorized");
    }
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let event = event(&json!({"authorization": "Bearer s3cret-token"}));
    let question = ask(&settings(false), &event).unwrap();
    let mut printed = vec![format!("{question:?}")];
    for (status, body) in
        [(200, "s3cret-body"), (200, r#"{"code":"0","data":{"jwt":"s3cret jwt"}}"#), (500, "s3cret-body")]
    {
        let denial = judge(false, &event, status, body).unwrap_err();
        printed.push(format!("{denial} {denial:?} {:?}", Reply { status, body: body.as_bytes() }));
    }
    let allow = question.judge(&Reply { status: 200, body: br#"{"code":"0","data":{"jwt":"s3cret.jwt"}}"# }).unwrap();
    printed.push(format!("{allow:?}"));
    assert!(printed.iter().all(|text| !text.contains("s3cret")), "{printed:?}");
}

/// Any JSON, so that every shape of an event or a reply comes by.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!("0")),
    ];
    leaf.prop_recursive(3, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("data|jwt|code|headers|type|.*", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Events near enough to real ones that a good part of them gets as far as a question.
fn any_event() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("Authorization".to_owned()), Just("x-auth-channel".to_owned()), ".{0,12}"];
    let value = prop_oneof!["Bearer [a-z0-9]{1,9}", Just("default".to_owned()), ".{0,20}"];
    let headers = prop::collection::btree_map(name, value, 0..4).prop_map(|headers| json!(headers));
    let headers = prop_oneof![3 => headers, 1 => any_json()];
    let arn = prop_oneof![3 => Just(ARN.to_owned()), 1 => "arn:.*", 1 => "arn:aws:execute-api:r:1:a/s/.{0,700}"];
    let real = (headers.clone(), headers, arn).prop_map(
        |(one, many, arn)| json!({"type": "REQUEST", "methodArn": arn, "headers": one, "multiValueHeaders": many}),
    );
    prop_oneof![8 => real, 1 => any_json()]
}

proptest! {
    #[test]
    fn whatever_comes_nothing_panics_and_only_a_yes_allows(
        event in any_event(), cached: bool, status in prop_oneof![Just(200_u16), any::<u16>()],
        reply in prop_oneof![any_json().prop_map(|json| json.to_string()), ".*", Just(YES.to_owned())],
    ) {
        if let Ok(answer) = judge(cached, &event, status, &reply) {
            let said: Value = serde_json::from_str(&reply).unwrap();
            prop_assert_eq!(status, 200);
            prop_assert_eq!(&said["code"], "0");
            prop_assert_eq!(&said["data"]["jwt"], &answer["context"]["x-user-id"]);
            let resource = answer["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap();
            prop_assert!(resource.len() <= 512);
            let called = event["methodArn"].as_str().unwrap();
            let stage = called.split('/').take(2).collect::<Vec<_>>().join("/");
            let covered = resource.strip_suffix('*').unwrap_or(resource);
            if cached {
                prop_assert_eq!(covered, format!("{stage}/"));
            } else {
                prop_assert!(resource == called || called.len() > 512 && called.starts_with(covered));
            }
        }
    }

    #[test]
    fn every_token_that_is_asked_about_arrives_whole(token in "[A-Za-z0-9._~+/-]{1,60}={0,2}") {
        let question = ask(&settings(true), &event(&json!({"authorization": format!("Bearer {token}")}))).unwrap();
        let query = question.url().split_once("?token=").unwrap().1.to_owned();
        prop_assert!(query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        let decoded = query.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        prop_assert_eq!(decoded, token);
    }

    #[test]
    fn no_reply_but_a_yes_lets_a_good_token_pass(status: u16, reply in any_json()) {
        let yes = status == 200 && reply["code"] == "0" && reply["data"]["jwt"].is_string();
        prop_assert!(yes || judge(true, &bearer(), status, &reply.to_string()).is_err());
    }
}

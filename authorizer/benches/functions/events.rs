//! What the functions are asked: the events that show that they do the same, and the one that they are timed with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What is to come of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An Allow.
    Allowed,
    /// The error `Unauthorized`.
    Unauthorized,
    /// Another error, with this cause in the log.
    Failed(&'static str),
}

use Outcome::{Allowed, Failed, Unauthorized};

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/order-service/orders";

/// The channels of the functions under test: each option of a channel at least once.
pub(crate) fn channels() -> Value {
    json!({
        "default": {"context": {"x-auth-type": "standard", "x-user-scope": "customer"}},
        "wechat-mini": {
            "path": "/auth-service/api/v1/wechat",
            "scope": "/data/scope",
            "context": {"x-auth-type": "wechat", "x-tenant": "cn"},
        },
        "mobile-app": {
            "token_in": "header:authorization",
            "yes_when": {"pointer": "/active", "equals": true},
            "user_id": "/data/id",
            "scope": "/data/scope",
        },
        "third-party": {
            "token_in": "header:x-token",
            "yes_when": {"pointer": "/result", "equals": 200},
            "user_id": "/list~1of~0things/0/sub",
            "scope": "/data/missing",
            "context": {"x-user-scope": "partner"},
        },
        "traced": {"user_id": "/data/trace", "context": {"x-user-scope": "customer"}},
        "by-path": {"path": "/by/path", "user_id": "/data/path", "scope": "/data/scope"},
        "odd-id": {"user_id": "/data/odd", "scope": "/data/scope"},
        "no-scope": {"scope": "/data/missing"},
        "odd-scope": {"scope": "/data/odd", "context": {"x-user-scope": "customer"}},
    })
}

/// The table: a word for each event, the event, and what is to come of it.
pub(crate) fn table() -> Vec<(String, Value, Outcome)> {
    let mut table = Vec::new();
    let mut row = |name: &str, event: Value, outcome: Outcome| table.push((name.to_owned(), event, outcome));
    let tokens = [
        ("yes", Allowed),
        ("a+b/c~d.e-f_g==", Allowed),
        ("no", Unauthorized),
        ("no-by-status", Unauthorized),
        ("no-with-403", Unauthorized),
        ("number", Unauthorized),
        ("yes-with-404", Failed("nonsense")),
        ("broken", Failed("nonsense")),
        ("redirect", Failed("nonsense")),
        ("page", Failed("nonsense")),
        ("two", Failed("nonsense")),
        ("null", Failed("nonsense")),
        ("list", Failed("nonsense")),
        ("nobody", Failed("nonsense")),
        ("blank", Failed("nonsense")),
        ("huge", Failed("nonsense")),
        ("long-id", Failed("nonsense")),
        ("cut", Failed("unreachable")),
        ("hang", Failed("timeout")),
    ];
    for (token, outcome) in tokens {
        row(&format!("token {token}"), asking(&[("Authorization", &format!("Bearer {token}"))]), outcome);
    }
    let channels = [
        ("default", "yes", Allowed),
        ("wechat-mini", "yes", Allowed),
        ("mobile-app", "yes", Allowed),
        ("mobile-app", "no", Unauthorized),
        ("third-party", "yes", Allowed),
        ("third-party", "no", Unauthorized),
        ("traced", "yes", Allowed),
        ("by-path", "yes", Allowed),
        ("odd-id", "yes", Failed("nonsense")),
        ("no-scope", "yes", Failed("nonsense")),
        ("odd-scope", "yes", Failed("nonsense")),
        ("", "yes", Allowed),
        ("unknown", "yes", Unauthorized),
        ("Default", "yes", Unauthorized),
    ];
    for (channel, token, outcome) in channels {
        let headers = [("authorization", &*format!("bearer {token}")), ("X-Auth-Channel", channel)];
        row(&format!("channel {channel}, {token}"), asking(&headers), outcome);
    }
    let long = format!("Bearer {}", "x".repeat(8192));
    let malformed = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer  a",
        " Bearer a",
        "Bearer a ",
        "Bearer a=b",
        "Bearer ==",
        "Basic a",
        "Bearer ü",
    ];
    row("longest token", asking(&[("authorization", &long)]), Allowed);
    row("too long a token", asking(&[("authorization", &format!("{long}x"))]), Unauthorized);
    for header in malformed {
        row(&format!("header `{header}`"), asking(&[("authorization", header)]), Unauthorized);
    }
    row("no token", asking(&[]), Unauthorized);
    for (name, repeated) in [("two tokens", "Authorization"), ("two channels", "x-auth-channel")] {
        let mut event = asking(&[("authorization", "Bearer yes")]);
        event["multiValueHeaders"][repeated] = json!(["Bearer yes", "default"]);
        row(name, event, Unauthorized);
    }
    row("token event", json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer yes"}), Failed("event"));
    row("not an object", json!([1]), Failed("event"));
    let long_path = format!("{ARN}/{}", "語".repeat(200));
    for (arn, outcome) in [
        (long_path.as_str(), Allowed),
        ("arn:aws-cn:execute-api:cn-north-1:1:a/prod/POST/", Allowed),
        ("arn:aws-cn:execute-api:cn-north-1:1:a/prod/", Failed("event")),
        ("arn:aws-cn:execute-api:cn-north-1:1:a/prod/POST/a:b/c", Allowed),
        ("arn:aws:execute-api:eu-west-1:1:*/dev/GET/a", Failed("event")),
        ("arn:aws:lambda:eu-west-1:1:function:a/b/c", Failed("event")),
        ("", Failed("event")),
    ] {
        let mut event = asking(&[("authorization", "Bearer yes")]);
        event["methodArn"] = json!(arn);
        let name: String = arn.chars().take(60).collect();
        row(&format!("ARN {name}"), event, outcome);
    }
    table
}

/// The event for the clock: a signed-in user's request through a browser.
pub(crate) fn usual() -> Value {
    // As long as a JWT with a handful of claims.
    let token =
        format!("Bearer eyJhbGciOiJSUzI1NiJ9.{}.{}", "eyJzdWIiOiJ1c2VyIn0".repeat(12), "c2lnbmF0dXJl_-".repeat(24));
    asking(&[
        ("Authorization", token.as_str()),
        ("x-auth-channel", "wechat-mini"),
        ("Accept", "application/json, text/plain, */*"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
        ("CloudFront-Forwarded-Proto", "https"),
        ("CloudFront-Is-Mobile-Viewer", "false"),
        ("CloudFront-Viewer-Country", "DE"),
        ("Host", "abc123.execute-api.eu-west-1.amazonaws.com"),
        ("Origin", "https://shop.example.com"),
        ("Referer", "https://shop.example.com/orders"),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
        ),
        ("Via", "2.0 0123456789abcdef.cloudfront.net (CloudFront)"),
        ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        ("X-Forwarded-For", "203.0.113.7, 198.51.100.23"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ])
}

/// A REQUEST event with these headers, in the form that API Gateway sends for a REST API.
fn asking(headers: &[(&str, &str)]) -> Value {
    let single: BTreeMap<_, _> = headers.iter().copied().collect();
    let multiple: BTreeMap<_, _> = headers.iter().map(|(name, value)| (*name, [*value])).collect();
    json!({
        "type": "REQUEST",
        "methodArn": ARN,
        "resource": "/order-service/{proxy+}",
        "path": "/order-service/orders",
        "httpMethod": "GET",
        "headers": single,
        "multiValueHeaders": multiple,
        "queryStringParameters": {"page": "2"},
        "multiValueQueryStringParameters": {"page": ["2"]},
        "pathParameters": {"proxy": "orders"},
        "stageVariables": null,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": "/order-service/{proxy+}",
            "httpMethod": "GET",
            "path": "/dev/order-service/orders",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "dev",
            "domainName": "abc123.execute-api.eu-west-1.amazonaws.com",
            "requestTimeEpoch": 1_763_797_560_000_u64,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "userArn": null},
            "apiId": "abc123",
        },
    })
}

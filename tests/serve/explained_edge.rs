//! `gwctl explain` and `gwctl test` of HTTP APIs: paths below the domain name, and a token whose signature nobody looks at.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::edge::example;
use crate::explained::{gwctl, stderr, stdout};
use crate::issuer::ISSUER;
use crate::project::{DEV, Project};

const PLACE: [&str; 5] = ["explain", "--product", "shop", "--env", "prod"];

fn text(project: &Project, request: &[&str]) -> String {
    stdout(&gwctl(project.root(), &[&PLACE, request].concat()), 0)
}

fn explained(project: &Project, request: &[&str]) -> Value {
    let json = stdout(&gwctl(project.root(), &[&PLACE, request, &["--output", "json"]].concat()), 0);
    serde_json::from_str(&json).unwrap()
}

/// The names of the layers, those that stop a request with a `!`.
fn layers(explained: &Value) -> Vec<String> {
    let all = explained["layers"].as_array().unwrap().iter();
    all.map(|layer| {
        let sign = if layer["passes"] == true { "" } else { "!" };
        format!("{sign}{}", layer["name"].as_str().unwrap())
    })
    .collect()
}

/// A token with these claims, signed by nobody.
fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut all = json!({ "iss": ISSUER, "aud": "shop", "exp": 4_102_444_800_u64, "sub": "u-7" });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    format!("Authorization: Bearer {}.{}.AAAA", part(&json!({ "alg": "RS256", "kid": "one" })), part(&all))
}

#[test]
fn every_layer_says_what_it_does() {
    let project = example(|_| {});
    let shown =
        text(&project, &["GET", "/orders/7/items?full=1", "-H", "Authorization: x", "--source-ip", "192.0.2.7"]);
    let link = shown.split("VPC link `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    let expected = format!(
        "\
GET /orders/7/items?full=1 to shop/prod

  pass  mapping      `/orders` of api.shop.example.com
  pass  route        ANY /{{proxy+}}
  pass  throttle     2000 requests a second, 1000 at once
  pass  authorizer   `jwt` takes tokens of {ISSUER}
                     note: what was sent is no token, and stands for a good one
  pass  web-acl      its default action lets it pass
"
    );
    assert!(shown.starts_with(&expected), "{shown}");
    let url = "https://orders.svc.shop.example.com/v1/7/items?full=1";
    let integration = format!("  pass  integration  HTTP_PROXY GET {url} through the VPC link `{link}`\n");
    assert!(shown.contains(&integration), "{shown}");
    for line in [
        "  client-ip: 192.0.2.7  (mapped from $context.identity.sourceIp)",
        "  host: orders.svc.shop.example.com  (mapped from orders.svc.shop.example.com)",
        "and has 30000 ms to answer",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn refusals_name_the_layer_and_what_the_client_gets() {
    let project = example(|edge| {
        edge["services"]["learn"]["parameters"] =
            json!({ "overwrite:header.x-user": "$context.authorizer.claims.sub" });
    });
    let allowed = ["--source-ip", "192.0.2.7"];
    let request = |request: &[&str]| explained(&project, &[request, &allowed].concat());
    let refused = |value: &Value, status: u16| {
        let body = value["outcome"]["body"].as_str().unwrap().to_owned();
        assert_eq!((&value["outcome"]["kind"], &value["outcome"]["status"]), (&json!("refused"), &json!(status)));
        body
    };
    let nowhere = request(&["GET", "/nothing"]);
    assert_eq!(
        (layers(&nowhere), refused(&nowhere, 403).as_str()),
        (vec!["!mapping".into()], r#"{"message":"Forbidden"}"#)
    );
    let unknown = request(&["GET", "/learn/nothing"]);
    assert_eq!(
        (layers(&unknown).pop().unwrap(), refused(&unknown, 404)),
        ("!route".into(), r#"{"message":"Not Found"}"#.into())
    );
    let missing = request(&["GET", "/learn/aws-courses"]);
    assert_eq!(
        (layers(&missing).pop().unwrap(), refused(&missing, 401)),
        ("!authorizer".into(), r#"{"message":"Unauthorized"}"#.into())
    );
    for (claims, words) in [
        (json!({ "aud": "other" }), "valid audience"),
        (json!({ "exp": 1 }), "expired"),
        (json!({ "iss": "x" }), "issuer"),
    ] {
        let value = request(&["GET", "/learn/aws-courses", "-H", &token(&claims)]);
        refused(&value, 401);
        assert!(
            value["layers"].as_array().unwrap().last().unwrap()["why"].as_str().unwrap().contains(words),
            "{value}"
        );
    }
    let narrow = request(&["POST", "/learn/aws-courses", "-H", &token(&json!({ "scope": "courses/read" }))]);
    refused(&narrow, 403);
    let good = request(&["POST", "/learn/aws-courses", "-H", &token(&json!({ "scope": "courses/write" }))]);
    assert_eq!((&good["outcome"]["kind"], &good["backend"]["method"]), (&json!("backend"), &json!("POST")));
    let headers = good["backend"]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-user", "u-7"])), "{headers:?}");
    let blocked =
        explained(&project, &["GET", "/learn/aws-courses", "-H", "Authorization: x", "--source-ip", "203.0.113.1"]);
    assert_eq!((layers(&blocked).pop().unwrap(), refused(&blocked, 403)), ("!web-acl".into(), String::new()));
    let rule = blocked["layers"].as_array().unwrap().last().unwrap()["rule"].as_str().unwrap().to_owned();
    assert!(rule.contains("allowlist"), "{rule}");
    // Whoever checks the health has no such header.
    let health = explained(&project, &["GET", "/learn/health", "--source-ip", "203.0.113.1"]);
    assert_eq!(health["outcome"]["kind"], "backend");
}

#[test]
fn a_browsers_question_is_answered_by_the_api() {
    let project = example(|_| {});
    let ask = |origin: &str| {
        let origin = format!("Origin: {origin}");
        explained(
            &project,
            &["OPTIONS", "/learn/aws-courses", "-H", &origin, "-H", "Access-Control-Request-Method: GET"],
        )
    };
    let allowed = ask("https://www.shop.example.com");
    assert_eq!(allowed["outcome"], json!({ "kind": "preflight", "status": 204 }));
    assert_eq!((&allowed["layers"][1]["name"], &allowed["layers"][1]["allowed"]), (&json!("cors"), &json!(true)));
    assert_eq!(ask("https://evil.example")["layers"][1]["allowed"], false);
}

#[test]
fn expectations_are_held_against_both_kinds_of_api() {
    let project = Project::new();
    project.edit(DEV, |environment| {
        environment["edge"] = json!({
            "regions": { "eu-central-1": {} }, "load_balancer": { "name": "ingress" },
            "domain": { "name": "api.shop.example.com" },
            "services": { "things": { "host": "things.example.com", "routes": ["GET /things/{id}", "$default"] } },
        });
    });
    let file = project.root().join("tests/requests.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let write = |route: &str| {
        let expectations = format!(
            r#"
            [[request]]
            send = "GET /order-service/actuator/health"
            expect = {{ outcome = "refused", statement = "deny-list" }}
            [[request]]
            send = "GET /things/things/7"
            edge = true
            expect = {{ outcome = "backend", route = "{route}", authorizer = "none", url = "https://things.example.com/things/7" }}
            "#
        );
        fs::write(&file, expectations).unwrap();
    };
    let test = || gwctl(project.root(), &["test", "--product", "product-a", "--env", "dev"]);
    for route in ["GET /things/{id}", "/things/{id}"] {
        write(route);
        assert!(stdout(&test(), 0).contains("2 as expected, 0 not."));
    }
    write("$default");
    let failed = stdout(&test(), 1);
    assert!(failed.contains("route: expected `$default`, but `/things/{id}`"), "{failed}");

    let explain = |env: &str, more: &[&str]| {
        let place = ["explain", "--product", "product-a", "--env", env, "GET", "/things/x"];
        gwctl(project.root(), &[&place, more].concat())
    };
    assert!(stdout(&explain("dev", &["--edge"]), 0).contains("pass  route        $default"));
    assert!(stdout(&explain("dev", &[]), 0).contains("no route fits GET /things/x"));
    assert!(stderr(&explain("staging", &["--edge"])).contains("product-a/staging has no HTTP APIs"));
}

//! `gwctl explain` and `gwctl test`: what would become of a request, without sending it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::project::{DEV, ENVIRONMENTS, Project};

pub(crate) fn gwctl(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.args(arguments).current_dir(root).env_clear().env("HOME", root).output().unwrap()
}

#[track_caller]
pub(crate) fn stdout(output: &Output, code: i32) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out.into_owned()
}

#[track_caller]
pub(crate) fn stderr(output: &Output) -> String {
    assert_eq!(stdout(output, 1), "");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Explains a request to product-a's `dev`, given as the arguments of the command.
fn explain(project: &Project, request: &[&str]) -> Output {
    let place = ["explain", "--product", "product-a", "--env", "dev"];
    gwctl(project.root(), &[&place, request].concat())
}

/// The same as JSON.
fn explained(project: &Project, request: &[&str]) -> Value {
    let json = stdout(&explain(project, &[request, &["--output", "json"]].concat()), 0);
    serde_json::from_str(&json).unwrap()
}

/// The same as text.
fn text(project: &Project, request: &[&str]) -> String {
    stdout(&explain(project, request), 0)
}

#[test]
fn a_refusal_by_the_policy_names_its_statement() {
    let project = Project::new();
    let request = ["GET", "/order-service/actuator/health", "-H", "Authorization: Bearer x"];
    let value = explained(&project, &request);
    // Everything is in the text but the API's id, which is the sandbox's choice.
    let arn = value["layers"][1]["arn"].as_str().unwrap();
    let api = arn.strip_suffix("/dev/GET/order-service/actuator/health").unwrap();
    let masked = api.replace("12345678", "********");
    assert_eq!(
        text(&project, &request).replace(api, "API").replace(&masked, "MASKED"),
        "\
GET /order-service/actuator/health to product-a/dev

  pass  web-acl          the stage has no web ACL
  stop  resource-policy  denied by statement `deny-list` (resource pattern `API/*/*/actuator/*`)

The client gets 403 ACCESS_DENIED: User: anonymous is not authorized to perform: execute-api:Invoke on resource: MASKED/dev/GET/order-service/actuator/health with an explicit deny

  {\"message\": \"Gateway Forbidden\"}
"
    );
    assert_eq!(value["layers"][1]["statement"], "deny-list");
    assert_eq!((&value["layers"][1]["passes"], value.get("backend")), (&json!(false), None));
    assert_eq!((&value["outcome"]["kind"], &value["outcome"]["status"]), (&json!("refused"), &json!(403)));
    assert!(value["outcome"]["message"].as_str().unwrap().contains("explicit deny"), "{value}");
}

#[test]
fn an_unknown_route_is_told() {
    let project = Project::new();
    let request = ["get", "/nowhere?a=b"];
    let text = text(&project, &request);
    assert!(text.contains("  pass  resource-policy  allowed by statement `allow-all-traffic`"), "{text}");
    assert!(
        text.ends_with(
            "\
  stop  route            no route fits GET /nowhere

The client gets 404 MISSING_AUTHENTICATION_TOKEN: Missing Authentication Token

  {\"message\":\"No such route\"}
"
        ),
        "{text}"
    );
    assert_eq!(explained(&project, &request)["outcome"]["status"], 404);
}

#[test]
fn a_missing_token_is_told() {
    let project = Project::new();
    let request = ["GET", "/order-service/api/v1/orders"];
    let text = text(&project, &request);
    assert!(
        text.ends_with(
            "\
  pass  route            ANY /order-service/{proxy+}, in normal_path
  stop  authorizer       `product-a-api-authorizer-dev` is not asked: the request has no `method.request.header.Authorization`

The client gets 401 UNAUTHORIZED: Unauthorized

  {\"code\":401,\"data\":null,\"message\":\"Please login again\"}
"
        ),
        "{text}"
    );
    let value = explained(&project, &request);
    assert_eq!(
        value["outcome"],
        json!({
            "kind": "refused", "status": 401, "response": "UNAUTHORIZED", "message": "Unauthorized",
            "body": "{\"code\":401,\"data\":null,\"message\":\"Please login again\"}",
        })
    );
    assert_eq!(value["layers"][2]["type"], "normal_path");
}

#[test]
fn a_route_behind_the_authorizer_shows_what_the_backend_sees() {
    let project = Project::new();
    let request =
        ["GET", "/order-service/api/v1/orders?a=b", "-H", "Authorization: Bearer x", "-H", "x-user-id: forged"];
    let text = text(&project, &request);
    for line in [
        "  pass  authorizer       `product-a-api-authorizer-dev` would be asked; its answer is kept for 10 s",
        "  pass  throttle         10000 requests a second, 10000 at once",
        "The backend gets, and has 29000 ms to answer:",
        "  GET http://order-service-dev.k8s-internal.example.com/api/v1/orders?a=b",
        "  authorization: Bearer x",
        "  x-user-id: <authorizer's x-user-id>  (mapped from context.authorizer.x-user-id)",
        "  x-request-id: <request id>  (mapped from context.requestId)",
        "  host: order-service-dev.k8s-internal.example.com",
        "  x-forwarded-for: 203.0.113.1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    assert!(!text.contains("forged"), "{text}");
    let value = explained(&project, &[&request[..], &["--source-ip", "198.51.100.7"]].concat());
    let (authorizer, backend) = (&value["layers"][3], &value["backend"]);
    assert_eq!((&authorizer["cached"], &authorizer["ttl_seconds"]), (&json!(true), &json!(10)));
    assert_eq!((&backend["vpc_link"], &backend["timeout_ms"]), (&json!("xxxxxx"), &json!(29_000)));
    assert_eq!(backend["mapped"]["x-user-id"], "context.authorizer.x-user-id");
    assert!(backend["headers"].as_array().unwrap().contains(&json!(["x-forwarded-for", "198.51.100.7"])));
    assert_eq!(value["outcome"], json!({ "kind": "backend" }));
    let always =
        explained(&project, &["GET", "/user-bff-service/api/v1/account/status", "-H", "Authorization: Bearer x"]);
    assert_eq!(always["layers"][3]["cached"], false);
}

#[test]
fn an_open_route_empties_the_identity() {
    let project = Project::new();
    let request = ["GET", "/order-service/api/v1/public/menu", "-H", "x-user-id: forged"];
    let text = text(&project, &request);
    for line in [
        "  pass  route            ANY /order-service/api/v1/public/{proxy+}, in white_path",
        "  pass  authorizer       open to everybody",
        "  x-user-id:   (mapped from '')",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    assert!(!text.contains("forged"), "{text}");
}

#[test]
fn requests_that_are_none_are_usage_errors() {
    let project = Project::new();
    for (request, words) in [
        (&["GET", "orders"][..], "does not begin with `/`"),
        (&["G T", "/orders"], "no HTTP method"),
        (&["GET", "/orders", "-H", "no colon"], "is no header"),
        (&["GET", "/orders", "-H", "a b: c"], "is no header"),
        (&["GET", "/orders", "--source-ip", "here"], "source-ip"),
    ] {
        let said = stderr(&explain(&project, request));
        assert!(said.contains(words), "{request:?}: {said}");
    }
    let several =
        gwctl(project.root(), &["explain", "GET", "/", "--product", "product-a", "--env", "dev", "--env", "prod"]);
    assert!(stderr(&several).contains("name one --product and one --env"));
}

/// The repository's own expectations of its own configuration.
#[test]
fn the_repositorys_expectations_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = stdout(&gwctl(root, &["test", "--all"]), 0);
    assert!(text.ends_with(" as expected, 0 not.\n") && !text.contains("FAILED"), "{text}");
    for (product, environment) in ENVIRONMENTS {
        let line = format!("ok      {product}/{environment}: actuators are closed");
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
}

const EXPECTATIONS: &str = r#"
[[request]]
name = "orders are open"
send = "GET /order-service/api/v1/orders"
expect = { outcome = "backend", headers = { x-user-id = "" } }

[[request]]
send = "GET /order-service/api/v1/public/menu"
expect = { outcome = "backend", authorizer = "none" }
"#;

#[test]
fn what_is_not_as_expected_fails_and_says_so() {
    let project = Project::new();
    fs::create_dir(project.root().join("tests")).unwrap();
    fs::write(project.root().join("tests/requests.toml"), EXPECTATIONS).unwrap();
    let arguments = ["test", "--product", "product-a", "--env", "dev"];
    assert_eq!(
        stdout(&gwctl(project.root(), &arguments), 1),
        "\
FAILED  product-a/dev: orders are open
          GET /order-service/api/v1/orders
          outcome: expected `backend`, but `refused`
          header x-user-id: expected ``, but there is none
ok      product-a/dev: GET /order-service/api/v1/public/menu

1 as expected, 1 not.
"
    );
    let json = stdout(&gwctl(project.root(), &[&arguments[..], &["--output", "json"]].concat()), 1);
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        value["requests"][0]["mismatches"][0],
        json!({
            "what": "outcome", "expected": "`backend`", "actual": "`refused`",
        })
    );
    assert_eq!((&value["requests"][0]["passed"], &value["requests"][1]["passed"]), (&json!(false), &json!(true)));

    // A change of the configuration is what it is for.
    project.edit(DEV, |environment| {
        let normal = environment["gateway_api"]["normal_path"].as_array_mut().unwrap();
        let orders = normal.remove(0);
        environment["gateway_api"]["white_path"].as_array_mut().unwrap().push(orders);
    });
    stdout(&gwctl(project.root(), &arguments), 0);
}

#[test]
fn a_fault_in_another_environment_is_no_reason_to_test_none() {
    let project = Project::new();
    fs::write(project.root().join("environments/product-b/prod.json"), "{").unwrap();
    let file = "[[request]]\nsend = \"GET /nowhere\"\nproducts = [\"product-a\"]\nexpect.status = 404\n";
    fs::write(project.root().join("r.toml"), file).unwrap();
    let place = ["test", "--product", "product-a", "--env", "dev", "--file", "r.toml"];
    assert!(stdout(&gwctl(project.root(), &place), 0).contains("1 as expected, 0 not."));
}

#[test]
fn files_of_expectations_with_faults_are_told_with_their_place() {
    let project = Project::new();
    let place = ["test", "--product", "product-a", "--env", "dev"];
    let none = stderr(&gwctl(project.root(), &place));
    assert!(none.contains("there is no file of expectations") && none.contains("tests/requests.toml"), "{none}");
    for (name, content, words) in [
        ("a.toml", "[[request]]\nsend = \"GET /a\"\nexpct = {}\n", "expct"),
        ("b.toml", "[[request]]\nsend = \"fetch /a\"\nexpect.status = 1\n", "`fetch` is no HTTP method"),
        ("c.json", r#"{"request": [{"send": "GET /a", "expect": {"outcome": "served"}}]}"#, "served"),
        ("d.yaml", "request: [{send: GET /a}]\n", "expect"),
        ("e.txt", "", "no ending"),
        ("f.toml", "[[request]]\nsend = \"GET /a\"\nproducts = [\"x\"]\nexpect.status = 1\n", "is about a product `x`"),
        (
            "h.toml",
            "[[request]]\nsend = \"GET /a\"\nproducts = [\"product-b\"]\nexpect.status = 1\n",
            "is about what is selected",
        ),
        ("i.toml", "[[request]]\nsend = \"GET /a\"\nexpect = {}\n", "expects nothing"),
        (
            "g.toml",
            "[[request]]\nsend = \"GET /a\"\nheaders = { \"a b\" = \"c\" }\nexpect.status = 1\n",
            "is no header",
        ),
    ] {
        fs::write(project.root().join(name), content).unwrap();
        let said = stderr(&gwctl(project.root(), &[&place[..], &["--file", name]].concat()));
        assert!(said.contains(words) && said.contains("hint: "), "{name}: {said}");
    }
    let missing = stderr(&gwctl(project.root(), &[&place[..], &["--file", "none.toml"]].concat()));
    assert!(missing.contains("none.toml"), "{missing}");
}

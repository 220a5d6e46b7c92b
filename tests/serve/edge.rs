//! The HTTP APIs of the working tree: what `gwctl serve` makes of an environment with `edge`, by its files alone.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::client::{Answer, Ask};
use crate::issuer::{ISSUER, Issuer};
use crate::project::{DEV, Project};
use crate::server::{Served, Server, until};
use crate::upstream::Upstream;

/// The environment file of the example.
pub(crate) const FILE: &str = "environments/shop/prod.json";

/// An address on the example's allow list.
const ALLOWED: &str = "192.0.2.7";

/// The example of `docs/edge`, changed.
pub(crate) fn example(change: impl FnOnce(&mut Value)) -> Project {
    let project = Project::new();
    let environments = project.root().join("environments");
    fs::remove_dir_all(&environments).unwrap();
    fs::create_dir_all(environments.join("shop")).unwrap();
    for file in ["targets.toml", "shop/prod.json"] {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/edge/environments");
        fs::copy(example.join(file), environments.join(file)).unwrap();
    }
    project.edit(FILE, |file| {
        file["edge"]["authorizer"]["issuer"] = json!(ISSUER);
        change(&mut file["edge"]);
    });
    project
}

/// A service whose backend is told which route served.
fn telling(routes: &[&str]) -> Value {
    let parameters = json!({ "overwrite:header.x-route": "$context.routeKey" });
    let routes: Vec<Value> = routes.iter().map(|key| json!({ "route": key, "authorizer": "none" })).collect();
    json!({ "host": "things.svc.shop.example.com", "routes": routes, "parameters": parameters })
}

struct World {
    server: Server,
    project: Project,
    issuer: Issuer,
    _upstreams: [Upstream; 2],
}

/// One server on the example for the tests that change nothing.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let things = ["GET /items/{id}", "GET /items/first", "ANY /items/{rest+}", "POST /items/first", "$default"];
        let project = example(|edge| edge["services"]["things"] = telling(&things));
        let (issuer, upstreams) = (Issuer::start(), [Upstream::start("learn"), Upstream::start("others")]);
        let [learn, others] = &upstreams;
        let learn = format!("learn.svc.shop.example.com={}", learn.address);
        let others = format!("*.svc.shop.example.com={}", others.address);
        let found = format!("{ISSUER}=http://{}/t", issuer.address);
        let arguments = [
            "serve",
            "--product",
            "shop",
            "--env",
            "prod",
            "--upstream",
            &learn,
            "--upstream",
            &others,
            "--issuer",
            &found,
        ];
        let server = Server::start(&project, &[&arguments[..], &["--access-log", "access.log"]].concat());
        World { server, project, issuer, _upstreams: upstreams }
    })
}

/// A request from an address that may come in.
fn allowed(ask: Ask) -> Answer {
    ask.header("x-gwctl-source-ip", ALLOWED).to(world().server.address)
}

fn with(token: &str, method: &str, path: &str) -> Answer {
    allowed(Ask::new(method, path).bearer(token))
}

#[test]
fn each_service_has_a_path_and_its_address_is_told() {
    let address = world().server.address;
    until("all addresses", || {
        let said = world().server.said();
        let all = ["learn", "orders", "things"];
        let told = |name: &&str| said.contains(&format!("serving shop/prod {name} on http://{address}/{name}\n"));
        all.iter().all(told).then_some(())
    });
    let health = allowed(Ask::get("/learn/health")).got();
    assert_eq!((health.line().as_str(), health.upstream()), ("GET /health", "learn"));
    // By the domain name, too, and by nothing else.
    let by_host = Ask::get("/learn/health").header("host", "api.shop.example.com:443");
    assert_eq!(allowed(by_host).got().upstream(), "learn");
    assert_eq!(allowed(Ask::get("/learn/nothing")).is(404).text(), r#"{"message":"Not Found"}"#);
    for path in ["/", "/unknown/x", "/learners/health"] {
        assert_eq!(allowed(Ask::get(path)).is(403).text(), r#"{"message":"Forbidden"}"#, "{path}");
    }
}

#[test]
fn tokens_decide_who_may_call_a_route() {
    let issuer = &world().issuer;
    let token = |claims: Value| issuer.token(&claims);
    let good = token(json!({ "aud": "shop" }));
    assert_eq!(allowed(Ask::get("/learn/aws-courses")).is(401).header("www-authenticate"), Some("Bearer"));
    with(&good, "GET", "/learn/aws-courses").is(200);
    with(&token(json!({ "aud": ["other", "shop"] })), "GET", "/learn/aws-courses").is(200);
    for (claims, words) in [
        (json!({ "aud": "orders" }), "the token does not have a valid audience"),
        (json!({ "aud": "shop", "exp": 1 }), "the token has expired"),
        (json!({ "aud": "shop", "iss": "https://login.example.com" }), "issuer does not match"),
    ] {
        let refused = with(&token(claims), "GET", "/learn/aws-courses").is(401);
        assert!(refused.header("www-authenticate").unwrap().contains(words), "{words}");
    }
    assert_eq!(with(&good, "POST", "/learn/aws-courses").is(403).text(), r#"{"message":"Forbidden"}"#);
    with(&token(json!({ "aud": "shop", "scope": "courses/read courses/write" })), "POST", "/learn/aws-courses").is(200);
}

#[test]
fn what_the_backend_gets_is_mapped() {
    let good = world().issuer.token(&json!({ "aud": "shop" }));
    let ask = Ask::get("/orders/7/items?full=1").bearer(&good).header("client-ip", "198.51.100.1");
    let got = allowed(ask.header("x-forwarded-for", "198.51.100.2")).got();
    assert_eq!((got.line().as_str(), got.upstream()), ("GET /v1/7/items?full=1", "others"));
    assert_eq!(got.values("host"), ["orders.svc.shop.example.com"]);
    assert_eq!(got.values("client-ip"), [ALLOWED], "the connection's, whatever the client says");
}

#[test]
fn the_most_specific_route_serves() {
    for (method, path, route) in [
        ("GET", "/things/items/first", "GET /items/first"),
        ("GET", "/things/items/2", "GET /items/{id}"),
        ("POST", "/things/items/first", "POST /items/first"),
        ("PUT", "/things/items/first", "ANY /items/{rest+}"),
        ("GET", "/things/items/2/parts", "ANY /items/{rest+}"),
        ("GET", "/things/else", "$default"),
        ("GET", "/things", "$default"),
    ] {
        assert_eq!(allowed(Ask::new(method, path)).got().values("x-route"), [route], "{method} {path}");
    }
}

#[test]
fn browsers_ask_before_they_ask() {
    let ask = Ask::new("OPTIONS", "/learn/aws-courses").header("access-control-request-method", "GET");
    let answer = allowed(ask.header("origin", "https://www.shop.example.com")).is(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://www.shop.example.com"));
    assert_eq!(answer.header("access-control-max-age"), Some("3600"));
}

#[test]
fn only_addresses_on_the_list_come_in_but_whoever_checks_the_health_does() {
    let good = world().issuer.token(&json!({ "aud": "shop" }));
    let from = |address: &str, path: &str| {
        Ask::get(path).bearer(&good).header("x-gwctl-source-ip", address).to(world().server.address)
    };
    from("198.51.100.77", "/learn/aws-courses").is(200);
    let refused = from("203.0.113.1", "/learn/aws-courses").is(403);
    assert_eq!(refused.header("server"), Some("awselb/2.0"));
    from("203.0.113.1", "/learn/health").is(200);
    until("what to do about it", || world().server.said().contains("`x-gwctl-source-ip`").then_some(()));
}

#[test]
fn lines_in_the_access_log_have_the_stages_form() {
    let path = "/things/logged";
    let id = allowed(Ask::get(path)).is(200).header("apigw-requestid").unwrap().to_owned();
    let log = world().project.root().join("access.log");
    let line: Value = until("the line", || {
        let text = fs::read_to_string(&log).ok()?;
        serde_json::from_str(text.lines().find(|line| line.contains(&id))?).ok()
    });
    assert_eq!((&line["routeKey"], &line["status"], &line["ip"]), (&json!("$default"), &json!("200"), &json!(ALLOWED)));
}

#[test]
fn a_backend_that_nobody_says_the_place_of_is_told_of() {
    // The Region's own load balancer and certificate are named by ARN here.
    let arn = |service: &str, what: &str| format!("arn:aws:{service}:us-east-1:444455556666:{what}");
    let balancer = arn("elasticloadbalancing", "loadbalancer/app/main/50dc6c495c0c9188");
    let project = example(|edge| {
        edge["regions"]["us-east-1"] = json!({
            "load_balancer": { "arn": balancer, "port": 8443 },
            "certificate_arn": arn("acm", "certificate/11111111-2222-4333-8444-555555555555"),
        });
        edge["waf_logs"]["access_log_bucket"] = json!("audit-${region}");
    });
    let server = Server::start(&project, &["serve", "--product", "shop", "--env", "prod", "--region", "us-east-1"]);
    Ask::get("/learn/health").to(server.address).is(503);
    let said = until("why", || {
        let said = server.said();
        said.contains("really is").then_some(said)
    });
    let hint = "start with `--upstream learn.svc.shop.example.com=127.0.0.1:PORT`";
    assert!(said.contains(hint) && said.contains("listener/app/main/50dc6c495c0c9188"), "{said}");
}

#[test]
fn what_is_edited_is_served_at_once() {
    let project = example(|edge| {
        edge.as_object_mut().unwrap().retain(|key, _| !["allow_list", "waf", "waf_logs"].contains(&key.as_str()));
    });
    let upstream = Upstream::start("all");
    let rule = format!("*.svc.shop.example.com={}", upstream.address);
    let server = Server::start(&project, &["serve", "--product", "shop", "--env", "prod", "--upstream", &rule]);
    let status = |path: &str| Ask::get(path).to(server.address).status;
    assert_eq!((status("/learn/health"), status("/new/x")), (200, 403));

    project.edit(FILE, |file| {
        let services = file["edge"]["services"].as_object_mut().unwrap();
        services.insert("new".to_owned(), telling(&["$default"]));
        services.remove("orders");
    });
    until("the new service", || {
        assert_eq!(status("/learn/health"), 200, "there is no moment at which it does not serve");
        (status("/new/x") == 200).then_some(())
    });
    until("the tale of it", || {
        let said = server.said();
        let told = said.contains(&format!("serving shop/prod new on http://{}/new\n", server.address));
        (told && said.contains("reloaded: ")).then_some(())
    });
    assert_eq!(status("/orders/1"), 403);

    project.edit(FILE, |file| file["edge"]["services"]["new"]["host"] = json!("no host"));
    until("the fault", || {
        let said = server.said();
        (said.contains("`no host` is no host name") && said.contains("goes on as it was")).then_some(())
    });
    assert_eq!(status("/new/x"), 200);

    // Another domain name takes the place of the first, below which everything stands.
    project.edit(FILE, |file| {
        file["edge"]["services"]["new"]["host"] = json!("new.svc.shop.example.com");
        file["edge"]["domain"]["name"] = json!("web.shop.example.com");
    });
    until("the other domain name", || {
        let named = Ask::get("/new/x").header("host", "web.shop.example.com").to(server.address);
        (named.status == 200 && named.got().values("host") == ["new.svc.shop.example.com"]).then_some(())
    });
    assert_eq!(status("/new/x"), 200);
}

#[test]
fn a_rest_api_beside_it_is_served_by_its_stage() {
    let beside = |project: &Project| {
        project.edit(DEV, |environment| {
            environment["edge"] = json!({
                // The first Region is not that of the REST API.
                "regions": { "eu-west-1": {}, "us-east-1": {} },
                "load_balancer": { "name": "ingress" },
                "domain": { "name": "api.shop.example.com" },
                "health_check": { "service": "things", "path": "/health" },
                "services": {
                    "things": telling(&["GET /health", "$default"]),
                    // In the way of the stage's path.
                    "dev": { "host": "dev.svc.shop.example.com", "routes": ["$default"] },
                },
            });
        });
    };
    let upstream = Upstream::start("edge");
    let rule = format!("*.svc.shop.example.com={}", upstream.address);
    let served = Served::new(beside, &["--upstream", &rule]);
    let address = served.server.address;
    let rest = Ask::get("/dev/order-service/api/v1/public/menu").to(address).got();
    assert_eq!((rest.upstream(), rest.target()), ("orders", "/api/v1/public/menu"));
    assert_eq!(Ask::get("/things/x").to(address).got().upstream(), "edge");
    let hidden = Ask::get("/dev/x").header("host", "api.shop.example.com").to(address).got();
    assert_eq!((hidden.upstream(), hidden.target()), ("edge", "/x"));
    let other = until("where the hidden service is", || {
        let said = served.server.said();
        let (_, after) = said.split_once(&format!("serving product-a/dev dev on http://{address}"))?;
        Some(after.lines().next()?.to_owned()).filter(|path| path.starts_with("/_sandbox/execute-api/"))
    });
    assert_eq!(Ask::get(&format!("{other}/x")).to(address).got().upstream(), "edge");
}

#[test]
fn an_edge_without_a_domain_name_is_served_by_the_paths_of_its_apis() {
    let project = example(|edge| {
        edge["regions"] = json!({ "eu-west-1": {} });
        edge.as_object_mut()
            .unwrap()
            .retain(|key, _| !["allow_list", "domain", "health_check", "waf", "waf_logs"].contains(&key.as_str()));
        edge["services"]["orders"]["disable_execute_api_endpoint"] = json!(false);
    });
    let upstream = Upstream::start("all");
    let rule = format!("*.svc.shop.example.com={}", upstream.address);
    let server = Server::start(&project, &["serve", "--product", "shop", "--env", "prod", "--upstream", &rule]);
    let path = until("the path", || {
        let said = server.said();
        let (_, after) = said.split_once(&format!("shop/prod learn on http://{}", server.address))?;
        after.contains('\n').then(|| after.lines().next().unwrap().to_owned())
    });
    assert_eq!(Ask::get(&format!("{path}/health")).to(server.address).got().line(), "GET /health");
    // Nothing else is served here, and there is no control plane.
    assert_ne!(Ask::get("/learn/health").to(server.address).status, 200);
}

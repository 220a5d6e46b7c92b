//! `gwctl sandbox --listen`: what the control plane is told, the data plane serves once it is deployed.

use std::net::SocketAddr;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::client::{Answer, Ask};
use crate::project::Project;
use crate::server::Server;
use crate::upstream::Upstream;

const REGION: &str = "eu-west-1";

struct World {
    server: Server,
    _project: Project,
    _upstreams: [Upstream; 2],
}

/// One server for all tests; each has an API of its own.
fn world() -> SocketAddr {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(|| {
        let (project, upstreams) = (Project::new(), [Upstream::start("one"), Upstream::start("two")]);
        let [one, two] = &upstreams;
        let rules = [format!("one.example={}", one.address), format!("two.example={}", two.address)];
        let arguments =
            ["sandbox", "--sandbox", "--listen", "127.0.0.1:0", "--upstream", &rules[0], "--upstream", &rules[1]];
        World { server: Server::start(&project, &arguments), _project: project, _upstreams: upstreams }
    });
    world.server.address
}

/// A call of the control plane, signed in form.
#[track_caller]
fn call(service: &str, ask: Ask) -> Value {
    let scope = format!("123456789012/20260101/{REGION}/{service}/aws4_request");
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let answer = ask.header("authorization", &signed).header("x-amz-date", "20260101T000000Z").to(world());
    assert!(answer.status < 300, "{} {}", answer.status, answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

#[track_caller]
fn post(path: &str, body: &Value) -> Value {
    call("apigateway", Ask::post(path, "application/json", body.to_string()))
}

#[track_caller]
fn patch(path: &str, place: &str, value: &str) {
    let operations = json!({ "patchOperations": [{ "op": "replace", "path": place, "value": value }] });
    let mut ask = Ask::post(path, "application/json", operations.to_string());
    ask.set_method("PATCH");
    call("apigateway", ask);
}

#[track_caller]
fn waf(operation: &str, body: &Value) -> Value {
    let target = format!("AWSWAF_20190729.{operation}");
    call("wafv2", Ask::post("/", "application/x-amz-json-1.1", body.to_string()).header("x-amz-target", &target))
}

/// An API with a stage `dev`.
struct Api {
    id: String,
}

impl Api {
    /// `/a` leads to the backend `one`; `/keyed` as well, for those with an API key.
    fn deployed() -> Self {
        let to = |path: &str| {
            let uri = format!("http://one.example{path}");
            json!({ "type": "http_proxy", "httpMethod": "GET", "uri": uri })
        };
        let document = json!({
            "openapi": "3.0.1",
            "info": { "title": "an API", "version": "1" },
            "paths": {
                "/a": { "get": { "responses": {}, "x-amazon-apigateway-integration": to("/a") } },
                "/keyed": { "get": {
                    "responses": {}, "security": [{ "api_key": [] }], "x-amazon-apigateway-integration": to("/keyed"),
                } },
            },
            "components": {
                "securitySchemes": { "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" } },
            },
        });
        let api = Self { id: text(&post("/restapis?mode=import", &document), "id") };
        api.deploy(&json!({ "stageName": "dev" }));
        api
    }

    #[track_caller]
    fn deploy(&self, how: &Value) -> Value {
        post(&format!("/restapis/{}/deployments", self.id), how)
    }

    /// Sends `/a` to another URL, without deploying that.
    fn send_to(&self, uri: &str) {
        let resources = call("apigateway", Ask::get(&format!("/restapis/{}/resources", self.id)));
        let a = resources["item"].as_array().unwrap().iter().find(|resource| resource["path"] == "/a").unwrap();
        let id = text(a, "id");
        patch(&format!("/restapis/{}/resources/{id}/methods/GET/integration", self.id), "/uri", uri);
    }

    /// A request for the stage by its path.
    fn ask(&self, path: &str) -> Ask {
        Ask::get(&format!("/_sandbox/execute-api/{}/dev{path}", self.id))
    }

    #[track_caller]
    fn get(&self, path: &str) -> Answer {
        self.ask(path).to(world())
    }

    fn stage_arn(&self) -> String {
        format!("arn:aws:apigateway:{REGION}::/restapis/{}/stages/dev", self.id)
    }
}

#[track_caller]
fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[test]
fn what_is_not_deployed_does_not_serve() {
    let api = Api::deployed();
    assert_eq!(api.get("/a").got().upstream(), "one");
    api.send_to("http://two.example/b");
    assert_eq!(api.get("/a").got().upstream(), "one");
    api.deploy(&json!({ "stageName": "dev" }));
    let got = api.get("/a?c=d").got();
    assert_eq!((got.upstream(), got.target()), ("two", "/b?c=d"));
    // A deployment without a stage serves nobody.
    api.send_to("http://one.example/c");
    api.deploy(&json!({}));
    assert_eq!(api.get("/a").got().upstream(), "two");
}

#[test]
fn a_stage_has_three_addresses() {
    let api = Api::deployed();
    assert_eq!(api.get("/a").got().target(), "/a");
    let port = world().port();
    for host in
        [format!("{}.execute-api.localhost:{port}", api.id), format!("{}.execute-api.{REGION}.amazonaws.com", api.id)]
    {
        assert_eq!(Ask::get("/dev/a").header("host", &host).to(world()).got().target(), "/a", "{host}");
        Ask::get("/none/a").header("host", &host).to(world()).is(403);
    }
    Ask::get("/dev/a").header("host", &format!("nobody.execute-api.localhost:{port}")).to(world()).is(403);
}

#[test]
fn a_canary_gets_its_share() {
    let api = Api::deployed();
    api.send_to("http://two.example/b");
    api.deploy(&json!({ "stageName": "dev", "canarySettings": { "percentTraffic": 100.0 } }));
    let upstreams = || (0..20).map(|_| api.get("/a").got().upstream().to_owned()).collect::<Vec<_>>();
    assert_eq!(upstreams(), ["two"; 20]);
    patch(&format!("/restapis/{}/stages/dev", api.id), "/canarySettings/percentTraffic", "0.0");
    assert_eq!(upstreams(), ["one"; 20]);
}

#[test]
fn an_api_key_is_asked_for() {
    let api = Api::deployed();
    let keyed = |key: &str| api.ask("/keyed").header("x-api-key", key).to(world());
    assert_eq!(api.get("/keyed").is(403).json()["message"], "Forbidden");
    let key = post("/apikeys", &json!({ "name": "a key", "enabled": true }));
    let value = text(&key, "value");
    keyed(&value).is(403);
    let stages = json!([{ "apiId": api.id, "stage": "dev" }]);
    let plan = text(&post("/usageplans", &json!({ "name": "a plan", "apiStages": stages })), "id");
    keyed(&value).is(403);
    post(&format!("/usageplans/{plan}/keys"), &json!({ "keyId": key["id"], "keyType": "API_KEY" }));
    assert_eq!(keyed(&value).got().target(), "/keyed");
    keyed("another").is(403);
    api.get("/a").is(200);
}

#[test]
fn a_custom_domain_leads_to_its_stage() {
    let api = Api::deployed();
    let name = format!("{}.shop.example.com", api.id);
    let ask = Ask::post("/", "application/x-amz-json-1.1", json!({ "DomainName": name }).to_string());
    let made = call("acm", ask.header("x-amz-target", "CertificateManager.RequestCertificate"));
    let certificate = made["CertificateArn"].clone();
    let domain = json!({
        "domainName": name, "regionalCertificateArn": certificate, "endpointConfiguration": { "types": ["REGIONAL"] },
    });
    post("/domainnames", &domain);
    let mapping = json!({ "basePath": "v1", "restApiId": api.id, "stage": "dev" });
    post(&format!("/domainnames/{name}/basepathmappings"), &mapping);
    let by_name = |path: &str| Ask::get(path).header("host", &name).to(world());
    assert_eq!(by_name("/v1/a?b=c").got().target(), "/a?b=c");
    assert_eq!(by_name("/v2/a").status, 403);
    by_name("/v1/nowhere").is(403);
}

#[test]
fn a_web_acl_blocks() {
    let api = Api::deployed();
    let set = waf(
        "CreateIPSet",
        &json!({
            "Name": format!("bad-{}", api.id), "Scope": "REGIONAL", "IPAddressVersion": "IPV4",
            "Addresses": ["198.51.100.0/24"],
        }),
    );
    let seen =
        |name: &str| json!({ "SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": name });
    let rule = |priority: u32, name: &str, statement: Value| {
        json!({
            "Name": name, "Priority": priority, "Statement": statement, "Action": { "Block": {} },
            "VisibilityConfig": seen(name),
        })
    };
    let acl = waf(
        "CreateWebACL",
        &json!({
            "Name": format!("acl-{}", api.id), "Scope": "REGIONAL", "DefaultAction": { "Allow": {} },
            "VisibilityConfig": seen("acl"),
            "Rules": [
                rule(0, "addresses", json!({ "IPSetReferenceStatement": { "ARN": set["Summary"]["ARN"] } })),
                rule(1, "countries", json!({ "GeoMatchStatement": { "CountryCodes": ["AQ"] } })),
                rule(2, "rate", json!({ "RateBasedStatement": { "Limit": 10, "AggregateKeyType": "IP" } })),
            ],
        }),
    );
    let from = |address: &str| api.ask("/a").header("x-gwctl-source-ip", address);
    assert_eq!(from("198.51.100.7").to(world()).status, 200, "it is not associated yet");
    let association = json!({ "WebACLArn": acl["Summary"]["ARN"], "ResourceArn": api.stage_arn() });
    waf("AssociateWebACL", &association);

    let blocked = from("198.51.100.7").to(world()).is(403);
    assert_eq!(blocked.json()["message"], "Forbidden");
    from("203.0.113.1").to(world()).is(200);
    from("203.0.113.1").header("x-gwctl-country", "AQ").to(world()).is(403);
    from("203.0.113.1").header("x-gwctl-country", "NZ").to(world()).is(200);

    let burst: Vec<u16> = (0..30).map(|_| from("203.0.113.2").to(world()).status).collect();
    let passed = burst.iter().take_while(|status| **status == 200).count();
    assert!(passed >= 10 && burst[passed..].iter().all(|status| *status == 403), "{burst:?}");
    from("203.0.113.3").to(world()).is(200);

    waf("DisassociateWebACL", &json!({ "ResourceArn": api.stage_arn() }));
    from("198.51.100.7").to(world()).is(200);
}

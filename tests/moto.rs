//! gwctl against an AWS that somebody else wrote: `moto_server`, plain and pinned, through the binary and
//! `--endpoint-url`.
//!
//! moto keeps IAM, Logs, Lambda, stages and deployments as AWS does, and reads an imported document only in part.
//! [`TOLERATED`] is the whole list of what it gets wrong: any other difference fails the test, and so does one that no
//! longer shows.

mod clients;
#[path = "moto/waf.rs"]
mod waf;

use std::collections::BTreeSet;

use clients::python::{Hand, Python};
use clients::{Change, Project, Run, Server};
use serde_json::{Value, json};

const PACKAGES: [&str; 3] = ["moto[server]==5.2.5", "boto3==1.44.5", "botocore==1.44.5"];

const REGION: &str = "us-east-1";

const API: &str = "gate/rest-api/gateway";

/// The name under which moto keeps an any-method: it takes the keyword of the document for an HTTP method.
const ANY_METHOD: &str = "X-AMAZON-APIGATEWAY-ANY-METHOD";

/// The differences that a plan shows right after an apply: address, field (`*` for any name), and the fault of moto
/// 5.2.5 that each comes from.
const TOLERATED: [(&str, &[&str], &str); 10] = [
    (API, &["policy"], "PutRestApi ignores x-amazon-apigateway-policy"),
    (API, &["binary_media_types"], "PutRestApi ignores x-amazon-apigateway-binary-media-types"),
    (API, &["gateway_responses", "*"], "PutRestApi ignores x-amazon-apigateway-gateway-responses"),
    (API, &["authorizers", "*"], "PutRestApi ignores components.securitySchemes"),
    (API, &["routes", "*", "ANY"], "x-amazon-apigateway-any-method is kept as a method of that name"),
    (API, &["routes", "*", ANY_METHOD], "the same"),
    (API, &["routes", "*", "OPTIONS", "integration", "type"], "keeps http_proxy as written; AWS answers HTTP_PROXY"),
    (API, &["routes", "*", "OPTIONS", "integration", "passthrough_behavior"], "keeps when_no_match as written"),
    (API, &["routes", "*", "OPTIONS", "integration", "connection_id"], "an integration loses its connectionId"),
    (
        API,
        &["routes", "*", "OPTIONS", "request_parameters", "method.request.path.proxy"],
        "a method's parameters are not read from the document",
    ),
];

/// What apply tells of and goes on after, because of `--no-verify`.
const NOTES: [&str; 2] = [
    // The differences of the table, read back at once.
    "REST API `product-a-gateway-dev` is not what was imported into it",
    // moto does not know the encoded slash in the path /tags/arn:…::%2Frestapis%2FID, and answers 404.
    "failed to record the digest of REST API",
];

struct World {
    project: Project,
    hand: Hand,
    _server: Server,
}

impl World {
    fn new() -> Self {
        let python = Python::with("moto", &PACKAGES);
        let server = Server::start(python.program("moto_server").args(["-H", "127.0.0.1", "-p", "0"]));
        let project = Project::copy(REGION).reach(format!("--endpoint-url={}", server.url));
        Self { hand: python.hand(&server, REGION), project, _server: server }
    }

    fn apply(&self) -> Run {
        self.project.gwctl(&["apply", "--yes", "--no-verify"])
    }

    fn inventory(&mut self) -> Value {
        self.hand.does("inventory", &[])
    }
}

#[test]
fn a_gateway_lives_and_goes_on_motos_aws() {
    let mut world = World::new();
    let empty = json!({"rest-api": {}, "iam-role": {}, "log-group": {}, "lambda-function": {}});
    assert_eq!(world.inventory(), empty);

    // moto's account settings have no role for API Gateway's logs: plan warns, and moto, unlike AWS, takes the stage.
    let shown = world.project.gwctl(&["plan"]).exits(0).stdout;
    assert!(shown.contains("no role for API Gateway's logs"), "{shown}");
    let run = world.apply().exits(0);
    for note in NOTES {
        assert!(run.stderr.contains(note), "apply no longer tells: {note}\n{}", run.stderr);
    }
    check_differences(&world.project.plan(2), 9);
    let first = served(&world.inventory());

    world.project.edit(|environment| {
        let routes = environment["gateway_api"]["normal_path"].as_array_mut().unwrap();
        routes.push(json!({"service_path": "/refund-service/{proxy+}"}));
    });
    let plan = world.project.plan(2);
    let changed: BTreeSet<(&str, &str)> =
        plan.iter().map(|one| (one.address.split('/').nth(1).unwrap(), one.reason.as_str())).collect();
    let expected = [("deployment", "missing"), ("rest-api", "unfinished"), ("stage", "configuration_changed")];
    assert_eq!(changed, BTreeSet::from(expected));
    world.apply().exits(0);
    check_differences(&world.project.plan(2), 10);
    assert_ne!(served(&world.inventory()), first);

    world.project.gwctl(&["destroy", "--yes"]).exits(0);
    assert_eq!(world.inventory(), empty);
    let run = world.project.gwctl(&["destroy", "--yes"]).exits(0);
    assert!(run.stdout.contains("Nothing to destroy."), "{}", run.stdout);
}

/// The REST API alone differs, in what the table says and in nothing else; and what moto keeps under the wrong name is
/// what we sent.
fn check_differences(plan: &[Change], routes: usize) {
    let mut met = BTreeSet::new();
    for change in plan {
        // The digest could not be recorded, so the apply counts as unfinished.
        assert_eq!(change.reason, "unfinished", "{}", change.address);
        for field in &change.fields {
            let entry = TOLERATED.iter().position(|(address, pattern, _)| {
                let names =
                    field.len() == pattern.len() && field.iter().zip(*pattern).all(|(name, one)| fits(name, one));
                change.address == *address && names
            });
            met.insert(entry.unwrap_or_else(|| panic!("{} differs in {field:?}", change.address)));
        }
    }
    let gone: Vec<_> = TOLERATED.iter().enumerate().filter(|(index, _)| !met.contains(index)).collect();
    assert!(gone.is_empty(), "moto no longer has these faults: {gone:?}");
    let [api] = plan else { panic!("{} resources change", plan.len()) };
    let wanted = api.after["routes"].as_object().unwrap();
    assert_eq!(wanted.len(), routes);
    for (path, methods) in wanted {
        let (kept, sent) = (&api.before["routes"][path][ANY_METHOD]["integration"], &methods["ANY"]["integration"]);
        assert_eq!(kept["uri"], sent["uri"], "{path}");
        assert_eq!(kept["request_parameters"], sent["request_parameters"], "{path}");
    }
}

fn fits(name: &str, pattern: &str) -> bool {
    pattern == "*" || pattern == name
}

/// The deployment that the stage of the only API serves, which is one of the API's own.
fn served(inventory: &Value) -> String {
    let apis: Vec<&Value> = inventory["rest-api"].as_object().unwrap().values().collect();
    let [api] = apis.as_slice() else { panic!("{} APIs", apis.len()) };
    let id = api["stages"][0]["deploymentId"].as_str().unwrap();
    assert!(api["deployments"].as_array().unwrap().iter().any(|one| one["id"] == id));
    id.to_owned()
}

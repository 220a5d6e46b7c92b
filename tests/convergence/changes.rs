//! One change of the configuration at a time: what the plan names, whether it redeploys, and that it takes effect.

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::state::RestApi;
use serde_json::{Value, json};

use crate::support::project::{DEFAULTS, DEV, Project};
use crate::support::world::{accounts, effective, only_api, only_stage, served};
use crate::support::{Session, addresses};

/// Where a change is to be seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// The text comes up in that part of what AWS holds.
    Comes(&'static str, &'static str),
    /// The text goes from it.
    Goes(&'static str, &'static str),
    /// The value at that JSON pointer becomes this text.
    Reads(&'static str, &'static str, &'static str),
    /// The part becomes another.
    Differs(&'static str),
}
use Seen::{Comes, Differs, Goes, Reads};

/// What a plan names, short.
const DOCUMENT: &[&str] = &["gate/deployment/*", "gate/rest-api/gateway", "gate/stage/gateway"];
const STAGE: &[&str] = &["gate/stage/gateway"];
const API: &[&str] = &["gate/rest-api/gateway"];
const FUNCTIONS: &[&str] = &["gate/lambda-function/authorizer", "gate/lambda-function/non-ttl-authorizer"];
const DOCUMENT_AND_FUNCTIONS: &[&str] = &[
    "gate/deployment/*",
    "gate/lambda-function/authorizer",
    "gate/lambda-function/non-ttl-authorizer",
    "gate/rest-api/gateway",
    "gate/stage/gateway",
];
const STAGE_AND_LOG: &[&str] = &["gate/execution-log-group/gateway", "gate/stage/gateway"];
const LOG_GROUPS: &[&str] = &[
    "gate/execution-log-group/gateway",
    "gate/log-group/access",
    "gate/log-group/authorizer",
    "gate/log-group/non-ttl-authorizer",
];
const XRAY: &[&str] = &[
    "gate/iam-role/authorizer",
    "gate/lambda-function/authorizer",
    "gate/lambda-function/non-ttl-authorizer",
    "gate/stage/gateway",
];
const NETWORK: &[&str] =
    &["gate/iam-role/authorizer", "gate/lambda-function/authorizer", "gate/lambda-function/non-ttl-authorizer"];
const TAGGED: &[&str] = &[
    "gate/execution-log-group/gateway",
    "gate/iam-role/authorizer",
    "gate/iam-role/authorizer-invocation",
    "gate/lambda-function/authorizer",
    "gate/lambda-function/non-ttl-authorizer",
    "gate/log-group/access",
    "gate/log-group/authorizer",
    "gate/log-group/non-ttl-authorizer",
    "gate/rest-api/gateway",
    "gate/stage/gateway",
];
const EVERYTHING: &[&str] = &[
    "gate/deployment/*",
    "gate/iam-role/authorizer",
    "gate/iam-role/authorizer-invocation",
    "gate/lambda-function/authorizer",
    "gate/lambda-function/non-ttl-authorizer",
    "gate/log-group/access",
    "gate/log-group/authorizer",
    "gate/log-group/non-ttl-authorizer",
    "gate/rest-api/gateway",
    "gate/stage/gateway",
];

/// What changes, how, what the plan names, and where it is seen. A plan redeploys if it names a deployment.
type Change = (&'static str, fn(&Project), &'static [&'static str], Seen);

/// What API Gateway serves only once it is deployed.
const REDEPLOY: &[Change] = &[
    ("a route is added", |p| p.add_route("normal_path", "/refund-service/{proxy+}"), DOCUMENT, {
        Comes("served", "ANY /refund-service/{proxy+}")
    }),
    ("a route is removed", |p| list(p, "white_path", |list| drop(list.remove(0))), DOCUMENT, {
        Goes("served", "/auth-service/api/oauth/callback/{proxy+}")
    }),
    ("a route moves to another list", move_route, DOCUMENT, {
        let method = "/methods/ANY ~1payment-service~1{proxy+}/authorizerId";
        Reads("served", method, "product-a-api-non-ttl-authorizer-dev")
    }),
    (
        "a through route gets another target",
        |p| list(p, "through_path", |list| list[0]["pass_through_target_path"] = json!("https://other.example.com/x")),
        DOCUMENT,
        Comes("served", "https://other.example.com/x"),
    ),
    ("the TTL", |p| dev(p, "/authorizer_result_ttl", json!(77)), DOCUMENT, {
        Comes("served", r#""authorizerResultTtlInSeconds":77"#)
    }),
    ("a policy statement", deny_metrics, DOCUMENT, Comes("served", "/*/*/metrics")),
    ("a binary media type", |p| dev(p, "/binary_media_types", json!(["image/*"])), DOCUMENT, {
        Comes("served", r#""binary":["image/*"]"#)
    }),
    ("a gateway response", |p| p.edit("stacks/gate/gateway_responses.json", teapot), DOCUMENT, {
        Comes("served", "short and stout")
    }),
    ("compression", |p| dev(p, "/minimum_compression_size", json!(1024)), DOCUMENT, {
        Comes("served", r#""compression":1024"#)
    }),
    ("the identity source", identity_source, DOCUMENT, Comes("served", "method.request.header.X-Token")),
    ("a required channel", |p| authorizer(p, "channel_required", json!(true)), DOCUMENT_AND_FUNCTIONS, {
        Comes("served", "method.request.header.x-auth-channel")
    }),
    ("the VPC link", |p| dev(p, "/vpc_link_id", json!("vl9999")), DOCUMENT, Comes("served", "vl9999")),
    (
        "the ingress host",
        |p| dev(p, "/ingress", json!({"service_host": "${service}.ingress.example.net"})),
        DOCUMENT,
        Comes("served", "http://order-service.ingress.example.net/{proxy}"),
    ),
    ("the group of all names", |p| dev(p, "/app_group", json!("shop")), EVERYTHING, {
        Comes("served", "shop-api-authorizer-dev")
    }),
];

/// What takes effect at once.
const AT_ONCE: &[Change] = &[
    ("the rate limit", |p| dev(p, "/throttling_rate_limit", json!(12.5)), STAGE, {
        Comes("stage", r#""throttlingRateLimit":12.5"#)
    }),
    ("the burst limit", |p| dev(p, "/throttling_burst_limit", json!(321)), STAGE, {
        Comes("stage", r#""throttlingBurstLimit":321"#)
    }),
    ("the log format", |p| dev(p, "/log_format", json!("id=$context.requestId")), STAGE, {
        Comes("stage", "id=$context.requestId")
    }),
    ("the log level", |p| dev(p, "/logging_level", json!("ERROR")), STAGE, {
        Comes("stage", r#""loggingLevel":"ERROR""#)
    }),
    ("the data trace", |p| dev(p, "/data_trace", json!(false)), STAGE, Comes("stage", r#""dataTraceEnabled":false"#)),
    ("metrics", |p| dev(p, "/metrics", json!(false)), STAGE, Comes("stage", r#""metricsEnabled":false"#)),
    ("a stage variable", |p| dev(p, "/stage_variables", json!({"color": "blue"})), STAGE, {
        Comes("stage", r#""variables":{"color":"blue"}"#)
    }),
    ("the stage's name", |p| dev(p, "/gateway_stage_name", json!("v1")), STAGE_AND_LOG, {
        Comes("stage", r#""stageName":"v1""#)
    }),
    ("X-Ray", |p| dev(p, "/xray_tracing", json!(false)), XRAY, Comes("stage", r#""tracingEnabled":false"#)),
    ("retention", |p| dev(p, "/retention_in_days", json!(90)), LOG_GROUPS, Comes("groups", r#""retention":90"#)),
    ("a tag", |p| dev(p, "/tags/team", json!("edge")), TAGGED, Goes("all", r#""gateway""#)),
    ("a tag less", |p| dev(p, "/tags", json!({"team": "gateway"})), TAGGED, Goes("all", "cost-center")),
    ("the description", |p| dev(p, "/description", json!("the front door")), API, Comes("api", "the front door")),
    ("the authorizer's code", other_code, FUNCTIONS, Differs("functions")),
    ("memory", |p| authorizer(p, "memory_size", json!(512)), FUNCTIONS, Comes("functions", r#""MemorySize":512"#)),
    ("the time-out", |p| authorizer(p, "timeout", json!(9)), FUNCTIONS, Comes("functions", r#""Timeout":9"#)),
    ("the architecture", |p| authorizer(p, "architecture", json!("x86_64")), FUNCTIONS, Comes("functions", "x86_64")),
    ("a variable", |p| authorizer(p, "environment", json!({"COLOR": "blue"})), FUNCTIONS, {
        Comes("functions", r#""COLOR":"blue""#)
    }),
    ("a channel", |p| authorizer(p, "channels", json!({"partner": {"scope": "/s"}})), FUNCTIONS, {
        Comes("functions", r#"\"partner\":{\"scope\":\"/s\"}"#)
    }),
    ("a channel less", |p| authorizer(p, "channels", json!({"mobile-app": null})), FUNCTIONS, {
        Goes("functions", "mobile-app")
    }),
    ("unknown channels", |p| authorizer(p, "unknown_channel", json!("default")), FUNCTIONS, {
        Comes("functions", r#""AUTH_UNKNOWN_CHANNEL":"default""#)
    }),
    ("the functions' metrics", |p| authorizer(p, "metrics", json!(false)), FUNCTIONS, {
        Comes("functions", r#""METRICS":"false""#)
    }),
    ("the network", network, NETWORK, Comes("functions", "subnet-0aaaaaaaaaaaaaaaa")),
];

/// Sets a member of `dev`.
fn dev(project: &Project, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    project.edit(DEV, |env| env.pointer_mut(parent).unwrap()[key] = value);
}

fn authorizer(project: &Project, key: &str, value: Value) {
    project.edit(DEV, |env| env["authorizer"][key] = value);
}

fn list(project: &Project, name: &str, change: impl FnOnce(&mut Vec<Value>)) {
    project.edit(DEV, |env| change(env["gateway_api"][name].as_array_mut().unwrap()));
}

fn move_route(project: &Project) {
    list(project, "normal_path", |list| assert_eq!(list.pop().unwrap()["service_path"], "/payment-service/{proxy+}"));
    project.add_route("normal_non_ttl_path", "/payment-service/{proxy+}");
}

fn deny_metrics(project: &Project) {
    project.edit("stacks/gate/policy.json", |policy| {
        policy["Statement"][1]["Resource"].as_array_mut().unwrap().push(json!("execute-api:/*/*/metrics"));
    });
}

fn teapot(responses: &mut Value) {
    responses["ACCESS_DENIED"] =
        json!({"statusCode": "418", "responseTemplates": {"application/json": "short and stout"}});
}

fn identity_source(project: &Project) {
    authorizer(project, "identity_source", json!(["method.request.header.X-Token"]));
}

fn other_code(project: &Project) {
    project.zip("other.zip", "another authorizer");
    project.edit(DEFAULTS, |defaults| defaults["authorizer"]["zip"] = json!("other.zip"));
}

fn network(project: &Project) {
    dev(project, "/private_subnet", json!(["subnet-0aaaaaaaaaaaaaaaa"]));
    dev(project, "/security_group_ids", json!(["sg-0aaaaaaaaaaaaaaaa"]));
}

/// A part of what AWS holds.
fn part(sandbox: &Sandbox, api: &RestApi, name: &str) -> Value {
    let accounts = accounts(sandbox);
    let (_, account) = accounts.as_object().unwrap().iter().next().expect("somebody called");
    let (_, region) = account["regions"].as_object().unwrap().iter().next().expect("somebody called");
    match name {
        "served" => effective(&served(api).snapshot),
        "stage" => json!(only_stage(api)),
        "api" => json!([api.definition.description, api.definition.endpoint]),
        "groups" => region["logs"].clone(),
        "functions" => region["lambda"].clone(),
        "all" => accounts,
        other => panic!("there is no part `{other}`"),
    }
}

impl Seen {
    fn part(self) -> &'static str {
        let (Comes(part, _) | Goes(part, _) | Reads(part, _, _) | Differs(part)) = self;
        part
    }

    /// Whether the change is to be seen between two states of the part, and was not there all along.
    fn happened(self, before: &Value, after: &Value) -> bool {
        match self {
            Comes(_, text) => !before.to_string().contains(text) && after.to_string().contains(text),
            Goes(_, text) => before.to_string().contains(text) && !after.to_string().contains(text),
            Reads(_, at, text) => before.pointer(at) != Some(&json!(text)) && after.pointer(at) == Some(&json!(text)),
            Differs(_) => before != after,
        }
    }
}

async fn check(change: &Change, redeploys: bool) {
    let (what, edit, expected, seen) = *change;
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    Session::open(project.root(), "product-a", "dev", &sandbox).await.apply().await;
    let old = only_api(&sandbox);
    let before = part(&sandbox, &old, seen.part());

    edit(&project);
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    let plan = session.apply().await;
    assert_eq!(addresses(&plan).into_iter().collect::<Vec<_>>(), expected, "{what}");
    session.assert_converged(what).await;

    let new = only_api(&sandbox);
    let after = part(&sandbox, &new, seen.part());
    assert!(seen.happened(&before, &after), "{what}: {seen:?} is not to be seen in {after:#}");
    assert_eq!(old.id, new.id, "{what}: an API is never made anew");
    // What AWS serves is the snapshot: whatever a deployment holds must be in it, deployed anew or not.
    assert_eq!(effective(&served(&new).snapshot), effective(&new.definition), "{what}");
    let added = usize::from(redeploys);
    assert_eq!(new.deployments.len(), old.deployments.len() + added, "{what}");
    assert_eq!(served(&new).id, new.deployments.last().unwrap().id, "{what}: the stage serves the newest");
    assert_eq!(expected.contains(&"gate/deployment/*"), redeploys, "{what}");
}

#[tokio::test(start_paused = true)]
async fn what_a_deployment_holds_is_deployed() {
    for change in REDEPLOY {
        Box::pin(check(change, true)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_effect_at_once_is_not_deployed() {
    for change in AT_ONCE {
        Box::pin(check(change, false)).await;
    }
}

/// Files that mean the same are the same.
#[tokio::test(start_paused = true)]
async fn order_and_layout_of_the_files_change_nothing() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    project.edit(DEV, |env| env["binary_media_types"] = json!(["image/png", "application/pdf"]));
    Session::open(project.root(), "product-a", "dev", &sandbox).await.apply().await;
    list(&project, "normal_path", |list| list.reverse());
    project.edit(DEV, |env| env["binary_media_types"] = json!(["application/pdf", "image/png"]));
    // Left out, it is the default, which is the same.
    project.edit(DEV, |env| drop(env.as_object_mut().unwrap().remove("throttling_rate_limit")));
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    session.assert_converged("the same in other words").await;
}

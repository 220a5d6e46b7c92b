//! Plans to report: the gate stack of one product, and what can happen to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::diff::diff;
use crate::model::{Address, Observed, Outputs, Owner, Ownership, Place};
use crate::plan::{Action, Plan, Reason, Step, Unchanged, Warning};

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) plan: Plan,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let all: [(&'static str, Plan); 18] = [
        ("added route", added_route()),
        ("changed routes", changed_routes()),
        ("template change", template_change()),
        ("ttl", ttl()),
        ("policy", policy()),
        ("throttle", throttle()),
        ("binary types", binary_types()),
        ("log format", log_format()),
        ("code", code()),
        ("tag", tag()),
        ("full create", full_create()),
        ("destroy", destroy()),
        ("drift", drift()),
        ("replacement", replacement()),
        ("long texts", long_texts()),
        ("odds and ends", odds_and_ends()),
        ("warned", warned()),
        ("nothing", plan(Vec::new())),
    ];
    all.into_iter().map(|(name, plan)| Scenario { name, plan }).collect()
}

pub(super) fn api_address() -> Address {
    Address::new("gate", "rest-api", "gateway")
}

pub(super) fn stage_address() -> Address {
    Address::new("gate", "stage", "gateway")
}

pub(super) fn lambda_address() -> Address {
    Address::new("gate", "lambda-function", "authorizer")
}

fn deployment_address() -> Address {
    Address::new("gate", "deployment", "gateway")
}

fn output(address: &Address, name: &str) -> Value {
    json!({ "$output": format!("{address}#{name}") })
}

pub(super) fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        owner: Owner { product: "product-a".into(), environment: "dev".into() },
        place: Place { account: "111111111111".into(), region: "ap-southeast-1".into(), partition: "aws".into() },
        steps,
        unchanged: Vec::new(),
        warnings: Vec::new(),
    }
}

fn live(address: &Address, spec: &Value) -> Observed {
    Observed {
        name: spec["name"].as_str().unwrap_or("dep111").to_owned(),
        within: None,
        spec: spec.clone(),
        outputs: Outputs::default(),
        ownership: Ownership::Ours { address: address.clone(), digest: None },
        created: None,
        in_use_by: None,
    }
}

pub(super) fn unchanged(address: &Address, spec: &Value) -> Unchanged {
    Unchanged { address: address.clone(), live: live(address, spec) }
}

fn step(address: &Address, action: Action, reason: Reason, before: Option<&Value>, after: Option<&Value>) -> Step {
    let name = after.or(before).and_then(|spec| spec["name"].as_str()).map(str::to_owned);
    let changes = match (before, after) {
        (Some(before), Some(after)) => diff(before, after),
        _ => Vec::new(),
    };
    let labels = after.and_then(|spec| spec.get("routes")).and_then(Value::as_object).into_iter().flatten();
    let labels = labels.map(|(path, route)| {
        let any = &route["ANY"];
        let label = match (any["authorizer"].as_str(), any["integration"]["connection_type"].as_str()) {
            (Some(name), _) if name.contains("non-ttl") => "normal_non_ttl_path",
            (Some(_), _) => "normal_path",
            (None, Some(_)) => "white_path",
            (None, None) => "through_path",
        };
        (format!("routes.{path}"), label.to_owned())
    });
    Step {
        address: address.clone(),
        name,
        action,
        reason,
        forced_by: Vec::new(),
        changes,
        after: after.cloned(),
        live: before.map(|before| live(address, before)),
        after_steps: Vec::new(),
        retires_after: Vec::new(),
        old_ones_first: Vec::new(),
        labels: labels.collect::<BTreeMap<_, _>>(),
    }
}

pub(super) fn create(address: &Address, spec: &Value) -> Step {
    step(address, Action::Create, Reason::Missing, None, Some(spec))
}

pub(super) fn update(address: &Address, reason: Reason, before: &Value, after: &Value) -> Step {
    step(address, Action::Update, reason, Some(before), Some(after))
}

/// A route of the REST API: to the cluster, or past it to `target`.
fn route(authorizer: Option<&str>, uri: &str) -> Value {
    let link = uri.starts_with("http://");
    let method = |authorizer: Option<&str>, headers: Value| {
        json!({
            "authorization": if authorizer.is_some() { "CUSTOM" } else { "NONE" },
            "authorizer": authorizer,
            "api_key_required": false,
            "request_parameters": {"method.request.path.proxy": true},
            "integration": {
                "type": "HTTP_PROXY", "http_method": "ANY", "uri": uri, "timeout_ms": 29000,
                "connection_type": link.then_some("VPC_LINK"), "connection_id": link.then_some("vl1234"),
                "request_parameters": headers,
            },
            "responses": {},
        })
    };
    let identity = json!({
        "integration.request.path.proxy": "method.request.path.proxy",
        "integration.request.header.x-user-id": "context.authorizer.x-user-id",
    });
    let path = json!({"integration.request.path.proxy": "method.request.path.proxy"});
    json!({"ANY": method(authorizer, identity), "OPTIONS": method(None, path)})
}

const AUTHORIZER: &str = "product-a-api-authorizer-dev";
const NON_TTL: &str = "product-a-api-non-ttl-authorizer-dev";

fn authorizer(function: &str, ttl: u32) -> Value {
    json!({
        "type": "REQUEST",
        "uri": output(&Address::new("gate", "lambda-function", function), "invoke_uri"),
        "credentials": output(&Address::new("gate", "iam-role", "invocation"), "arn"),
        "identity_source": ["method.request.header.Authorization", "context.httpMethod"],
        "ttl_seconds": ttl,
    })
}

fn gateway_response(status: u16, template: &str) -> Value {
    json!({
        "status_code": status.to_string(),
        "parameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "method.request.header.origin"},
        "templates": {"application/json": template},
    })
}

fn statement(sid: &str, effect: &str, resources: &[&str]) -> Value {
    json!({
        "Sid": sid, "Effect": effect, "Principal": {"AWS": ["*"]},
        "Action": ["execute-api:Invoke"], "Resource": resources,
    })
}

/// The REST API as the configuration wants it.
pub(super) fn api() -> Value {
    json!({
        "name": "product-a-gateway-dev",
        "description": "the gate of product-a",
        "endpoint_type": "REGIONAL",
        "api_key_source": "HEADER",
        "binary_media_types": ["multipart/form-data"],
        "minimum_compression_size": null,
        "disable_execute_api_endpoint": false,
        "policy": {"version": "2012-10-17", "statements": {
            "allow-all-traffic": statement("allow-all-traffic", "Allow", &["execute-api:/*"]),
            "deny-list": statement("deny-list", "Deny", &[
                "execute-api:/*/*/*/actuator", "execute-api:/*/*/*/actuator/**", "execute-api:/*/*/*/internal/**",
                "execute-api:/*/*/*/swagger-ui.html",
            ]),
        }},
        "authorizers": {AUTHORIZER: authorizer("authorizer", 10), NON_TTL: authorizer("non-ttl-authorizer", 0)},
        "gateway_responses": {
            "ACCESS_DENIED": gateway_response(403, r#"{"message":"Gateway Forbidden"}"#),
            "UNAUTHORIZED": gateway_response(401, r#"{"code":401,"data":null,"message":"Please login again"}"#),
        },
        "routes": {
            "/order-service/{proxy+}":
                route(Some(AUTHORIZER), "http://order-service-dev.k8s-internal.example.com/{proxy}"),
            "/user-bff-service/api/v1/account/merge":
                route(Some(NON_TTL), "http://user-bff-service-dev.k8s-internal.example.com/api/v1/account/merge"),
            "/auth-service/api/v1/oauth/{proxy+}":
                route(None, "http://auth-service-dev.k8s-internal.example.com/api/v1/oauth/{proxy}"),
            "/user-bff-service/api/v1/agreements":
                route(None, "https://internal-api.example.com/platform/api/v1/agreements"),
        },
        "tags": {"team": "gateway"},
    })
}

/// The API as AWS has it: every reference answered.
fn live_api() -> Value {
    crate::model::resolve(&api(), &|reference| Some(format!("arn:aws:{}", reference.address.name())))
}

const LOG: &str = r#"{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","status":"$context.status"}"#;

pub(super) fn stage(deployment: &str) -> Value {
    json!({
        "name": "dev",
        "rest_api": "abc123",
        "deployment": deployment,
        "xray": true,
        "variables": {},
        "access_log": {"destination": "arn:aws:logs:ap-southeast-1:111111111111:log-group:product-a", "format": LOG},
        "method_settings": {"*/*": {
            "metrics": true, "logging_level": "INFO", "data_trace": true,
            "throttling_burst_limit": 10000, "throttling_rate_limit": 10000,
        }},
        "tags": {"team": "gateway"},
    })
}

pub(super) fn function(environment: &Value) -> Value {
    json!({
        "name": AUTHORIZER,
        "role": "arn:aws:iam::111111111111:role/product-a-authorizer",
        "runtime": "provided.al2023",
        "handler": "bootstrap",
        "memory_mb": 128,
        "timeout_seconds": 15,
        "architecture": "arm64",
        "code_sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "environment": environment,
        "tags": {"team": "gateway"},
    })
}

pub(super) fn role() -> Value {
    let logs = json!({
        "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [output(&Address::new("gate", "log-group", "authorizer"), "arn")],
    });
    json!({
        "name": "product-a-authorizer-dev",
        "path": "/",
        "assume_role_policy": {"version": "2012-10-17", "statements": {"statement-0a1b2c3d4e5f": {
            "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}, "Action": ["sts:AssumeRole"],
        }}},
        "inline_policies": {"logs": {"version": "2012-10-17", "statements": {"write": logs}}},
        "managed_policies": [],
    })
}

fn deployment(content: &str) -> Value {
    json!({"rest_api": "abc123", "snapshot": crate::model::Digest::of(&json!(content))})
}

/// What follows a change of the API: a new snapshot, and the stage moves to it.
pub(super) fn release(mut first: Vec<Step>) -> Plan {
    first.push(step(
        &deployment_address(),
        Action::Create,
        Reason::ConfigurationChanged,
        None,
        Some(&deployment("new")),
    ));
    let mut moved = stage("dep111");
    moved["deployment"] = output(&deployment_address(), "id");
    first.push(update(&stage_address(), Reason::ConfigurationChanged, &stage("dep111"), &moved));
    plan(first)
}

fn api_change(change: impl FnOnce(&mut Value)) -> Step {
    let mut after = live_api();
    change(&mut after);
    update(&api_address(), Reason::ConfigurationChanged, &live_api(), &after)
}

pub(super) fn added_route() -> Plan {
    release(vec![api_change(|api| {
        api["routes"]["/refund-service/{proxy+}"] =
            route(Some(AUTHORIZER), "http://refund-service-dev.k8s-internal.example.com/{proxy}");
    })])
}

pub(super) fn changed_routes() -> Plan {
    release(vec![api_change(|api| {
        let merge = &mut api["routes"]["/user-bff-service/api/v1/account/merge"];
        merge["ANY"]["integration"]["timeout_ms"] = json!(10000);
        let order = &mut api["routes"]["/order-service/{proxy+}"];
        order["ANY"]["authorization"] = json!("NONE");
        order["ANY"]["authorizer"] = Value::Null;
        order["ANY"]["integration"]["request_parameters"]["integration.request.header.x-user-id"] = json!("''");
        let agreements = &mut api["routes"]["/user-bff-service/api/v1/agreements"];
        for method in ["ANY", "OPTIONS"] {
            agreements[method]["integration"]["uri"] =
                json!("https://internal-api.example.com/platform/api/v2/agreements");
        }
        let routes = api["routes"].as_object_mut().unwrap();
        routes.remove("/auth-service/api/v1/oauth/{proxy+}");
    })])
}

pub(super) fn template_change() -> Plan {
    release(vec![api_change(|api| {
        for route in api["routes"].as_object_mut().unwrap().values_mut() {
            let headers = &mut route["ANY"]["integration"]["request_parameters"];
            headers["integration.request.header.x-user-scope"] = json!("context.authorizer.x-user-scope");
        }
    })])
}

pub(super) fn ttl() -> Plan {
    release(vec![api_change(|api| api["authorizers"][AUTHORIZER]["ttl_seconds"] = json!(60))])
}

pub(super) fn policy() -> Plan {
    release(vec![api_change(|api| {
        let statements = &mut api["policy"]["statements"];
        statements["deny-list"]["Resource"] = json!([
            "execute-api:/*/*/*/actuator",
            "execute-api:/*/*/*/actuator/**",
            "execute-api:/*/*/*/metrics",
            "execute-api:/*/*/*/swagger-ui.html",
        ]);
        let mut office =
            statement("office-only", "Deny", &["execute-api:/*/*/admin/**", "execute-api:/*/*/console/**"]);
        office["Condition"] = json!({"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24", "203.0.113.0/24"]}});
        statements["office-only"] = office;
    })])
}

pub(super) fn throttle() -> Plan {
    let mut after = stage("dep111");
    after["method_settings"]["*/*"]["throttling_rate_limit"] = json!(5000);
    plan(vec![update(&stage_address(), Reason::ConfigurationChanged, &stage("dep111"), &after)])
}

pub(super) fn binary_types() -> Plan {
    release(vec![api_change(|api| {
        api["binary_media_types"] = json!(["application/pdf", "image/png", "multipart/form-data"]);
    })])
}

pub(super) fn log_format() -> Plan {
    let mut after = stage("dep111");
    let format = LOG.replace("\"status\"", "\"userAgent\":\"$context.identity.userAgent\",\"status\"");
    after["access_log"]["format"] = json!(format.replace("$context.requestId", "$context.extendedRequestId"));
    plan(vec![update(&stage_address(), Reason::ConfigurationChanged, &stage("dep111"), &after)])
}

pub(super) fn code() -> Plan {
    let before = function(&json!({"ENV": "dev"}));
    let mut after = before.clone();
    after["code_sha256"] = json!("uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=");
    after["memory_mb"] = json!(256);
    plan(vec![update(&lambda_address(), Reason::ConfigurationChanged, &before, &after)])
}

pub(super) fn tag() -> Plan {
    let mut after = stage("dep111");
    after["tags"] = json!({"cost-centre": "4711", "team": "平台网关"});
    let group = json!({"name": "/aws/lambda/x", "retention_in_days": 7, "tags": {"team": "gateway", "old": "x"}});
    let mut tagged = group.clone();
    tagged["tags"] = json!({"team": "gateway"});
    plan(vec![
        update(&stage_address(), Reason::ConfigurationChanged, &stage("dep111"), &after),
        update(&Address::new("gate", "log-group", "authorizer"), Reason::Unfinished, &group, &tagged),
    ])
}

pub(super) fn full_create() -> Plan {
    let group = json!({
        "name": "/aws/lambda/product-a-api-authorizer-dev", "retention_in_days": 7, "tags": {"team": "gateway"},
    });
    let mut function = function(&json!({"ENV": "dev", "AUTH_TOKEN": "tok"}));
    function["role"] = output(&Address::new("gate", "iam-role", "authorizer"), "arn");
    let mut first = deployment("new");
    first["rest_api"] = output(&api_address(), "id");
    let mut stage = stage("dep111");
    stage["rest_api"] = output(&api_address(), "id");
    stage["deployment"] = output(&deployment_address(), "id");
    plan(vec![
        create(&Address::new("gate", "log-group", "authorizer"), &group),
        create(&Address::new("gate", "iam-role", "authorizer"), &role()),
        create(&lambda_address(), &function),
        create(&api_address(), &api()),
        create(&deployment_address(), &first),
        create(&stage_address(), &stage),
    ])
}

pub(super) fn destroy() -> Plan {
    let gone = |address: &Address, spec: &Value| step(address, Action::Delete, Reason::Destroy, Some(spec), None);
    plan(vec![
        gone(&stage_address(), &stage("dep111")),
        gone(&deployment_address(), &deployment("old")),
        gone(&api_address(), &live_api()),
        gone(&lambda_address(), &function(&json!({"ENV": "dev"}))),
        gone(&Address::new("gate", "iam-role", "authorizer"), &role()),
    ])
}

pub(super) fn drift() -> Plan {
    let mut moved = stage("dep111");
    moved["xray"] = json!(false);
    moved["method_settings"]["*/*"]["throttling_burst_limit"] = json!(1);
    let mut api = live_api();
    api["gateway_responses"]["UNAUTHORIZED"]["templates"]["application/json"] = json!(r#"{"code":401,"message":"no"}"#);
    api["routes"]["/debug"] = route(None, "http://debug.example.com/");
    plan(vec![
        update(&stage_address(), Reason::Drifted, &moved, &stage("dep111")),
        update(&api_address(), Reason::ChangedAndDrifted, &api, &live_api()),
    ])
}

pub(super) fn replacement() -> Plan {
    let mut after = role();
    after["name"] = json!("product-a-authorizer-role-dev");
    let mut step =
        update(&Address::new("gate", "iam-role", "authorizer"), Reason::ConfigurationChanged, &role(), &after);
    step.action = Action::ReplaceDeleteFirst;
    step.forced_by = vec!["name".to_owned()];
    plan(vec![step])
}

pub(super) fn long_texts() -> Plan {
    let mut before = stage("dep111");
    let fields: Vec<String> = (1..30).map(|n| format!("$context.field{n}")).collect();
    before["access_log"]["format"] = json!(fields.join(" "));
    let mut after = before.clone();
    after["access_log"]["format"] = json!(fields.join(" ").replace("field17 ", "authorizer.principalId "));
    before["variables"] =
        json!({"banner": "one\ntwo\nthree\nfour\nfive", "url": "http://a.example.com/".to_owned() + &"x".repeat(90)});
    after["variables"] =
        json!({"banner": "one\ntwo\n3\nfour\nfive", "url": "http://b.example.com/".to_owned() + &"x".repeat(90)});
    plan(vec![update(&stage_address(), Reason::ConfigurationChanged, &before, &after)])
}

pub(super) fn odds_and_ends() -> Plan {
    let mut closed = role();
    closed["assume_role_policy"]["statements"]["statement-0a1b2c3d4e5f"]["Principal"] =
        json!({"Service": ["apigateway.amazonaws.com", "lambda.amazonaws.com"]});
    closed["inline_policies"].as_object_mut().unwrap().remove("logs");
    closed["managed_policies"] = json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"]);
    let mut step = api_change(|api| {
        api.as_object_mut().unwrap().remove("policy");
        api["authorizers"]["fresh"] = authorizer("fresh", 300);
        api["routes"]["/solo"] = json!({"GET": {"authorization": "NONE", "integration": {"type": "MOCK"}}});
        let agreements = &mut api["routes"]["/user-bff-service/api/v1/agreements"];
        agreements["OPTIONS"]["integration"]["timeout_ms"] = json!(5000);
        agreements["POST"] = json!({
            "authorization": "AWS_IAM",
            "integration": {"type": "AWS_PROXY", "uri": output(&lambda_address(), "invoke_uri")},
        });
    });
    step.reason = Reason::RecordOnly;
    let old = Address::new("gate", "deployment", "old");
    plan(vec![
        update(&Address::new("gate", "iam-role", "authorizer"), Reason::ConfigurationChanged, &role(), &closed),
        step,
        Step {
            name: Some("dep007".to_owned()),
            ..self::step(&old, Action::Delete, Reason::Superseded, Some(&deployment("old")), None)
        },
    ])
}

pub(super) fn warned() -> Plan {
    let mut plan = added_route();
    plan.warnings = vec![Warning {
        message:
            "the deployment history of the API is long, and the oldest two snapshots will be deleted after this apply"
                .to_owned(),
        hint: Some(
            "`gwctl history` lists them; keep more with `keep_deployments` in stacks/gate/defaults.json".to_owned(),
        ),
    }];
    plan
}

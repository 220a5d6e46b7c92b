//! Taking over a gateway that others made: with boto3, as the article's Terraform module makes one, and with the state that
//! Terraform would keep of it. Nothing is made anew, what differs is changed in place, and then nothing differs.

mod clients;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clients::python::{Hand, Python};
use clients::{Project, Run, Server};
use serde_json::{Value, json};

const PACKAGES: [&str; 2] = ["boto3==1.44.5", "botocore==1.44.5"];

const REGION: &str = "ap-southeast-1";

const API: &str = "gate/rest-api/gateway";

/// A configuration, a sandbox with somebody else's gateway in it, and its maker.
struct World {
    project: Project,
    /// Ends with the world.
    _server: Server,
    hand: Hand,
    state: PathBuf,
    /// What was made: ids of API and deployment.
    made: Value,
}

/// The names of the article's module, of which those of roles are its own.
fn article() -> Value {
    json!({
        "api": "product-a-gateway-dev", "stage": "dev",
        "authorizer": "product-a-api-authorizer-dev", "non_ttl": "product-a-api-non-ttl-authorizer-dev",
        "run_role": "lambda_role", "call_role": "authorizer_execution_role", "path": "/team/",
        "access": "product-a-execution-logs", "authorizer_log": "/aws/lambda/product-a-api-authorizer-dev",
    })
}

/// Names that have nothing to do with those that gwctl makes.
fn other() -> Value {
    json!({
        "api": "Orders API", "stage": "dev", "authorizer": "token-check", "non_ttl": "token-check-2",
        "run_role": "run", "call_role": "call", "access": "orders-log", "non_ttl_log": "/aws/lambda/token-check-2",
    })
}

impl World {
    fn new(names: &Value) -> Self {
        let python = Python::with("boto3", &PACKAGES);
        let project = Project::copy(REGION).reach("--sandbox=aws".to_owned());
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.args(["sandbox", "--sandbox=aws", "--listen", "127.0.0.1:0", "--root"]).arg(project.root());
        let server = Server::start(&mut command);
        let state = project.root().join("terraform.tfstate");
        let mut script = python.script("boto3/foreign.py", &server, REGION);
        script.arg(project.root().join("authorizer.zip")).arg(&state).arg(names.to_string());
        let output = script.output().unwrap();
        assert!(output.status.success(), "\n{}", String::from_utf8_lossy(&output.stderr));
        let made = serde_json::from_slice(&output.stdout).unwrap();
        let hand = python.hand(&server, REGION);
        Self { project, _server: server, hand, state, made }
    }

    fn import(&self, arguments: &[&str]) -> Run {
        self.project.gwctl(&[&["import", "--output", "json"], arguments].concat())
    }

    /// Imports, and gives the one environment's part of what it told.
    fn imported(&self, arguments: &[&str]) -> Value {
        let run = self.import(&[&["--yes"], arguments].concat()).exits(0);
        serde_json::from_str::<Value>(&run.stdout).unwrap()["environments"][0].take()
    }

    fn tagged(&mut self) -> usize {
        self.hand.does("tagged_as_ours", &[]).as_array().unwrap().len()
    }

    /// The plan changes in place, and makes only what can't be taken over; it is carried out, and nothing is left to do. The
    /// API is the one that was there.
    fn converges(&mut self, made: &[&str]) {
        let run = self.project.gwctl(&["plan", "--output", "json"]).exits(0);
        let plan: Value = serde_json::from_str(&run.stdout).unwrap();
        let mut found = Vec::new();
        for one in plan["resource_changes"].as_array().unwrap() {
            let address = one["address"].as_str().unwrap();
            let kind = address.split('/').nth(1).unwrap();
            let address = if kind == "deployment" { "gate/deployment/*" } else { address };
            match &one["change"]["actions"] {
                actions if *actions == json!(["no-op"]) => {}
                actions if *actions == json!(["create"]) => found.push(address.to_owned()),
                actions => {
                    assert_eq!(*actions, json!(["update"]), "{address}");
                    assert_eq!(one["gwctl"]["reason"], "configuration_changed", "{address}");
                }
            }
        }
        found.sort();
        assert_eq!(found, made);
        self.project.gwctl(&["apply", "--yes"]).exits(0);
        assert_eq!(self.project.plan(0), []);
        let apis = self.hand.does("inventory", &[])["rest-api"].clone();
        let apis: Vec<&String> = apis.as_object().unwrap().keys().collect();
        assert_eq!(apis, [self.made["api"].as_str().unwrap()]);
    }
}

/// One environment file of many, told by its seed.
fn random_environment(seed: u64, environment: &mut Value) {
    let mut random = fastrand::Rng::with_seed(seed);
    let file = environment.as_object_mut().unwrap();
    let mut set = |key: &str, value: Value| file.insert(key.to_owned(), value);
    set("throttling_rate_limit", json!(random.u32(1..5000)));
    set("throttling_burst_limit", json!(random.u32(1..5000)));
    set("authorizer_result_ttl", json!(random.u32(1..3600)));
    set("retention_in_days", json!(random.choice([1, 7, 30, 365]).unwrap()));
    set("xray_tracing", json!(random.bool()));
    set("logging_level", json!(random.choice(["OFF", "ERROR", "INFO"]).unwrap()));
    set("data_trace", json!(random.bool()));
    set("metrics", json!(random.bool()));
    set("binary_media_types", json!(random.choice([&["image/png"][..], &[], &["a/b", "c/d"]]).unwrap()));
    if random.bool() {
        set("minimum_compression_size", json!(random.u32(0..10_000)));
        set("description", json!(format!("Gateway {seed}")));
    }
    if random.bool() {
        set("log_format", json!({"id": "$context.requestId", "n": seed.to_string()}));
    }
    let tags: Vec<(String, String)> = (0..random.usize(0..3)).map(|n| (format!("t{n}"), format!("v {n}"))).collect();
    set("tags", tags.into_iter().collect());
    set("stage_variables", if random.bool() { json!({"colour": "blue"}) } else { json!({}) });
    set("vpc_link_id", json!(format!("link{}", random.u32(0..100))));
    let ingress = json!({"service_host": "${service}.${env}.internal.example.org", "scheme": "https"});
    if random.bool() {
        set("ingress", ingress);
    }
    let mut authorizer = json!({
        "zip": "authorizer.zip", "auth_host": "auth.example.com", "memory_size": random.u32(128..1024),
        "timeout": random.u32(5..30), "architecture": random.choice(["arm64", "x86_64"]).unwrap(),
        "channel_required": random.bool(), "auth_timeout_ms": random.u32(100..2000),
    });
    if random.bool() {
        authorizer["environment"] = json!({"LOG_LEVEL": "debug"});
        authorizer["unknown_channel"] = "default".into();
        authorizer["channels"] =
            json!({"mobile-app": null, "kiosk": {"path": "/kiosk", "context": {"x-user-scope": "staff"}}});
    }
    set("authorizer", authorizer);
    let mut lists = json!({"normal_path": [], "normal_non_ttl_path": [], "white_path": [], "through_path": []});
    for n in 0..random.u32(1..9) {
        let path = format!("/service-{n}/{}", random.choice(["{proxy+}", "a", "b/{id}", "c/{id}/{rest+}"]).unwrap());
        let (list, entry) = match random.u32(0..4) {
            0 => ("normal_non_ttl_path", json!({"service_path": path})),
            1 => ("white_path", json!({"service_path": path})),
            2 => {
                let target = format!("https://elsewhere.example.com/{n}/a");
                ("through_path", json!({"pass_through_source_path": path, "pass_through_target_path": target}))
            }
            _ => ("normal_path", json!({"service_path": path})),
        };
        lists[list].as_array_mut().unwrap().push(entry);
    }
    set("gateway_api", lists);
}

/// What a configuration becomes, as documents.
fn rendered(project: &Project) -> Vec<Value> {
    let render = |what: &str| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.args(["render", what, "--product", "product-a", "--env", "dev", "--root"]).arg(project.root());
        serde_json::from_slice(&command.assert().success().get_output().stdout).unwrap()
    };
    vec![render("document"), render("policy")]
}

#[test]
fn what_is_exported_of_a_gateway_makes_the_same_gateway() {
    let python = Python::with("boto3", &PACKAGES);
    for seed in 0..5 {
        let project = Project::copy(REGION).reach("--sandbox=aws".to_owned());
        project.edit(|environment| random_environment(seed, environment));
        project.gwctl(&["apply", "--yes"]).exits(0);
        let before = rendered(&project);
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.args(["sandbox", "--sandbox=aws", "--listen", "127.0.0.1:0", "--root"]).arg(project.root());
        let server = Server::start(&mut command);
        let mut hand = python.hand(&server, REGION);
        let inventory = hand.does("inventory", &[]);
        let id = inventory["rest-api"].as_object().unwrap().keys().next().unwrap().clone();
        assert_eq!(hand.does("everything_loses_our_tags", &[]), json!([]));

        let run = project.gwctl(&["export", "--id", &id, "--output", "json"]).exits(0);
        let told: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(told["misfits"], json!([]), "seed {seed}: {told:#}");
        project.edit(|environment| {
            *environment = told["environment_file"].clone();
            // Which zip a function's code came from, AWS does not say.
            environment["authorizer"]["zip"] = "authorizer.zip".into();
        });
        assert_eq!(rendered(&project), before, "seed {seed}: {told:#}");
        project.gwctl(&["import", "--yes"]).exits(0);
        assert_eq!(project.plan(0), [], "seed {seed}");
    }
}

#[test]
fn what_does_not_fit_is_told_and_the_rest_is_exported() {
    let world = World::new(&other());
    let id = world.made["api"].as_str().unwrap();
    let out = world.project.root().join("exported.json");
    let arguments = ["export", "--id", id, "--out", out.to_str().unwrap()];
    let run = world.project.gwctl(&arguments).exits(0);
    let file: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(run.stdout, "");
    for expected in [
        "resource policy",
        "stacks/gate/policy.json",
        "route /order-service/{proxy+}",
        "2 environment variables of the functions",
        "authorizers: they are not the stack's",
    ] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    assert_eq!(file["throttling_rate_limit"], 77);
    assert_eq!(file["gateway_stage_name"], "dev");
    assert_eq!(file["names"]["gate/lambda-function/authorizer"], "token-check");
    let paths: Vec<&str> = file["gateway_api"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|list| list.as_array().unwrap())
        .filter_map(|entry| entry["service_path"].as_str().or(entry["pass_through_source_path"].as_str()))
        .collect();
    assert_eq!(paths.len(), 2, "{file:#}");
    // Nothing that is there is written over.
    let run = world.project.gwctl(&arguments).exits(1);
    assert!(run.stderr.contains("is there already"), "{}", run.stderr);
    for (id, stage, why) in
        [("nosuchapi1", None, "there is no REST API `nosuchapi1`"), (id, Some("v9"), "has no stage `v9`")]
    {
        let stage: Vec<&str> = stage.into_iter().flat_map(|stage| ["--stage", stage]).collect();
        let run = world.project.gwctl(&[&["export", "--id", id], &stage[..]].concat()).exits(1);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
}

fn addresses(list: &Value) -> Vec<&str> {
    let mut all: Vec<&str> = list.as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap()).collect();
    all.sort_unstable();
    all
}

/// What every import leaves to the plan: it can't carry tags, or is AWS's own.
const MADE: [&str; 2] = ["gate/deployment/*", "gate/execution-log-group/gateway"];

const BY_NAME: [&str; 5] = [
    "gate/lambda-function/authorizer",
    "gate/lambda-function/non-ttl-authorizer",
    "gate/log-group/authorizer",
    API,
    "gate/stage/gateway",
];

const BY_USE: [&str; 3] = ["gate/iam-role/authorizer", "gate/iam-role/authorizer-invocation", "gate/log-group/access"];

#[test]
fn what_boto3_made_is_found_by_names_and_by_what_uses_it() {
    let mut world = World::new(&article());
    // Without tags, nothing is touched.
    let run = world.project.gwctl(&["plan"]).exits(1);
    assert!(run.stderr.contains("gwctl import --env dev --product product-a"), "{}", run.stderr);
    // Nobody is there to be asked.
    let before = world.hand.does("inventory", &[]);
    let run = world.import(&[]).exits(1);
    assert!(run.stderr.contains("nobody can be asked"), "{}", run.stderr);
    assert_eq!(world.hand.does("inventory", &[]), before);

    let first = world.imported(&[]);
    assert_eq!(addresses(&first["taken"]), BY_NAME);
    let left: Vec<&str> = addresses(&first["left"]).into_iter().filter(|one| !one.contains("deployment")).collect();
    assert_eq!(left, BY_USE);
    assert_eq!(
        first["names"],
        json!({
            "gate/iam-role/authorizer": "team/lambda_role",
            "gate/iam-role/authorizer-invocation": "team/authorizer_execution_role",
            "gate/log-group/access": "product-a-execution-logs",
        })
    );
    assert_eq!(world.tagged(), BY_NAME.len());
    // Tags, and nothing else.
    let after = world.hand.does("inventory", &[]);
    assert_eq!(untagged(after), untagged(before));

    let names = first["names"].clone();
    world.project.edit(|environment| environment["names"] = names);
    let second = world.imported(&[]);
    assert_eq!(addresses(&second["taken"]), BY_USE);
    assert_eq!(addresses(&second["already"]), BY_NAME);
    let third = world.imported(&[]);
    assert_eq!((addresses(&third["taken"]).len(), addresses(&third["already"]).len()), (0, 8));
    world.converges(&[&MADE[..], &["gate/log-group/non-ttl-authorizer"]].concat());
    // Whoever destroys it takes all of it.
    world.project.gwctl(&["destroy", "--yes"]).exits(0);
    assert_eq!(world.tagged(), 0);
}

/// An inventory without anybody's tags.
fn untagged(mut inventory: Value) -> Value {
    match &mut inventory {
        Value::Object(members) => {
            members.retain(|key, _| !matches!(key.as_str(), "tags" | "Tags"));
            for member in members.values_mut() {
                *member = untagged(member.take());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = untagged(item.take())),
        _ => {}
    }
    inventory
}

#[test]
fn what_terraform_made_is_found_by_its_state() {
    let mut world = World::new(&other());
    let state = world.state.to_str().unwrap().to_owned();
    let first = world.imported(&["--tfstate", &state]);
    assert_eq!(addresses(&first["taken"]), [API, "gate/stage/gateway"]);
    assert!(!first.to_string().contains("hunter2"), "{first}");
    let names = first["names"].clone();
    assert_eq!(names.as_object().unwrap().len(), 6, "{names}");
    assert_eq!(names[API], "Orders API");
    world.project.edit(|environment| environment["names"] = names);
    let second = world.imported(&["--tfstate", &state]);
    assert_eq!(
        addresses(&second["taken"]),
        [
            BY_USE[0],
            BY_USE[1],
            "gate/lambda-function/authorizer",
            "gate/lambda-function/non-ttl-authorizer",
            BY_USE[2],
            "gate/log-group/non-ttl-authorizer",
        ]
    );
    world.converges(&[&MADE[..], &["gate/log-group/authorizer"]].concat());
}

#[test]
fn an_id_says_which_of_two_is_meant() {
    let mut world = World::new(&article());
    world.hand.does("make_api", &["product-a-gateway-dev"]);
    let api = world.made["api"].as_str().unwrap().to_owned();
    let run = world.import(&["--yes"]).exits(1);
    assert!(run.stderr.contains("could be each of") && run.stderr.contains(&api), "{}", run.stderr);
    let given = format!("{API}={api}");
    let run = world
        .import(&[
            "--yes",
            "--id",
            &given,
            "--id",
            "gate/iam-role/authorizer=nobody",
            "--id",
            "gate/log-group/access=/none",
        ])
        .exits(1);
    for missing in ["there is no iam-role `nobody`", "there is no log-group `/none`"] {
        assert!(run.stderr.contains(missing), "{}", run.stderr);
    }
    assert_eq!(world.tagged(), 0);
    let taken = world.imported(&["--id", &given]);
    assert_eq!(addresses(&taken["taken"]), BY_NAME);
    assert_eq!(taken["taken"].as_array().unwrap().iter().filter(|one| one["found"] == "by --id").count(), 1);
}

#[test]
fn what_belongs_to_another_environment_is_refused() {
    let mut world = World::new(&article());
    for (tag, value) in [("gwctl:product", "product-b"), ("gwctl:environment", "prod"), ("gwctl:address", API)] {
        world.hand.does("api_gets", &[tag, value]);
    }
    let run = world.import(&["--yes"]).exits(1);
    assert!(run.stderr.contains("belongs to product-b/prod"), "{}", run.stderr);
    assert_eq!(world.tagged(), 0);
}

#[test]
fn a_state_that_is_none_or_of_another_place_is_refused() {
    let mut world = World::new(&article());
    let file = world.project.root().join("hostile.tfstate");
    let path = file.to_str().unwrap().to_owned();
    let good: Value = serde_json::from_str(&fs::read_to_string(&world.state).unwrap()).unwrap();
    let mut twice = good.clone();
    let first = twice["resources"][1].clone();
    twice["resources"].as_array_mut().unwrap().push(first);
    let mut typed = good.clone();
    typed["resources"][1]["instances"][0]["attributes"]["id"] = json!(["hunter2"]);
    let elsewhere = good.to_string().replace("123456789012", "999999999999");
    for (text, why) in [
        ("garbage hunter2".to_owned(), "it is no JSON"),
        ("\u{0}\u{1}".to_owned(), "it is no JSON"),
        ("[".repeat(200_000), "recursion limit exceeded"),
        (good.to_string().replace("\"version\":4", "\"version\":3"), "it has version 3"),
        (typed.to_string(), "`id` of module.api-gateway.aws_api_gateway_rest_api.main_gateway is no string"),
        (twice.to_string(), "aws_api_gateway_rest_api.main_gateway is in it twice"),
        (elsewhere, "the state is not of 123456789012 ap-southeast-1"),
    ] {
        fs::write(&file, text).unwrap();
        let run = world.import(&["--yes", "--tfstate", &path]).exits(1);
        assert!(run.stderr.contains(why) && !run.stderr.contains("hunter2"), "{why}: {}", run.stderr);
    }
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    let run = world.import(&["--yes", "--tfstate", &path]).exits(1);
    assert!(run.stderr.contains("it is no UTF-8"), "{}", run.stderr);
    assert_eq!(world.tagged(), 0);
}

/// The checks of a doctor, by name and verdict; it has to end with `code`.
fn checks(project: &Project, code: i32) -> Vec<(String, String, String)> {
    let run = project.gwctl(&["doctor", "--output", "json"]).exits(code);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = told["environments"][0]["checks"].as_array().unwrap().iter();
    checks.map(|check| (text(&check["name"]), text(&check["verdict"]), text(&check["message"]))).collect()
}

#[track_caller]
fn has(checks: &[(String, String, String)], name: &str, verdict: &str, part: &str) {
    let found = checks.iter().any(|check| check.0 == name && check.1 == verdict && check.2.contains(part));
    assert!(found, "{name} {verdict} {part}: {checks:#?}");
}

#[test]
fn a_doctor_says_what_will_fail() {
    let python = Python::with("boto3", &PACKAGES);
    let project = Project::copy(REGION);
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.args(["sandbox", "--sandbox=aws", "--listen", "127.0.0.1:0", "--root"]).arg(project.root());
    let server = Server::start(&mut command);
    let mut hand = python.hand(&server, REGION);
    let project = project.reach(format!("--endpoint-url={}", server.url));
    // The file's link is not there; nobody can simulate what a user may do that IAM does not know.
    let found = checks(&project, 1);
    has(&found, "VPC link", "failed", "there is no link xxxxxx");
    has(&found, "permissions", "could not tell", "failed to simulate");
    has(&found, "credentials", "ok", "account 123456789012");
    has(&found, "clock", "ok", "");
    has(&found, "logging role", "ok", "sandbox-apigateway-logs");
    has(&found, "quota", "ok", "of 20 VPC links");
    has(&found, "runtime", "ok", "provided.al2023");
    has(&found, "state", "ok", "");

    let link = hand.does("make_link", &["ingress"]).as_str().unwrap().to_owned();
    project.edit(|environment| environment["vpc_link_id"] = link.as_str().into());
    has(&checks(&project, 0), "VPC link", "ok", &format!("{link} is AVAILABLE"));
    for n in 0..15 {
        hand.does("make_link", &[&format!("other-{n}")]);
    }
    has(&checks(&project, 0), "quota", "warning", "16 of 20 VPC links");

    // A role that may not make functions.
    hand.does("make_deployer", &["deployer", "lambda:CreateFunction"]);
    let role = "arn:aws:iam::123456789012:role/ops/deployer";
    let targets = format!("[dev]\naccount = \"123456789012\"\nregion = \"{REGION}\"\nrole = \"{role}\"\n");
    fs::write(project.root().join("environments/targets.toml"), &targets).unwrap();
    has(&checks(&project, 1), "permissions", "failed", &format!("{role} is denied lambda:CreateFunction"));
    hand.does("make_deployer", &["trusted"]);
    fs::write(project.root().join("environments/targets.toml"), targets.replace("deployer", "trusted")).unwrap();
    has(&checks(&project, 0), "permissions", "ok", "may do all");

    // Somebody else's credentials are told, and nothing else is.
    fs::write(
        project.root().join("environments/targets.toml"),
        "[dev]\naccount = \"999999999999\"\nregion = \"ap-southeast-1\"\n",
    )
    .unwrap();
    let found = checks(&project, 1);
    has(&found, "credentials", "failed", "999999999999");
    assert!(found.iter().all(|check| ["credentials", "clock"].contains(&check.0.as_str())), "{found:#?}");
}

#[test]
fn names_are_checked_with_the_rest_of_the_configuration() {
    let project = Project::copy(REGION);
    project.edit(|environment| {
        environment["names"] = json!({
            "gate/iam-role/authorizer": "same", "gate/iam-role/authorizer-invocation": "same",
            "gate/lambda-function/authoriser": "f", "gate/stage/gateway": "v1", "gate/log-group/authorizer": "/x",
            "gate/lambda-function/authorizer": "no spaces", "nonsense": "x", "gate/deployment/x": "y",
        });
    });
    let run = project.gwctl(&["plan", "--sandbox=aws"]).exits(1);
    for part in [
        "a stage is named by `gateway_stage_name`",
        "the log group of a function is called after the function",
        "`no spaces` can't name a lambda-function",
        "`nonsense` is no address of a resource",
        "`deployment` can't be given a name",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    project.edit(|environment| {
        environment["names"] = json!({
            "gate/iam-role/authorizer": "same", "gate/iam-role/authorizer-invocation": "same",
            "gate/lambda-function/authoriser": "f",
        });
    });
    let run = project.gwctl(&["plan", "--sandbox=aws"]).exits(1);
    for part in [
        "would have the same name, `same`",
        "names gate/lambda-function/authoriser, which",
        "gate/lambda-function/authorizer",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    // Where names are given, everything that refers to them follows.
    project.edit(|environment| {
        environment["names"] = json!({
            "gate/lambda-function/authorizer": "token-check", "gate/iam-role/authorizer": "team/run",
            "gate/rest-api/gateway": "Orders API", "gate/log-group/access": "orders",
        });
    });
    project.gwctl(&["apply", "--yes", "--sandbox=aws"]).exits(0);
    let run = project.gwctl(&["plan", "--detailed-exitcode", "--sandbox=aws"]).exits(0);
    assert!(run.stdout.contains("No changes."), "{}", run.stdout);
    let run = project.gwctl(&["show", "--output", "json", "--sandbox=aws"]).exits(0);
    let show: Value = serde_json::from_str(&run.stdout).unwrap();
    let of =
        |address: &str, pointer: &str| show["environments"][0]["resources"][address].pointer(pointer).unwrap().clone();
    assert_eq!(of("gate/lambda-function/authorizer", "/spec/role"), "arn:aws:iam::123456789012:role/team/run");
    assert_eq!(of("gate/log-group/authorizer", "/name"), "/aws/lambda/token-check");
    assert_eq!(of("gate/rest-api/gateway", "/name"), "Orders API");
    assert!(of("gate/rest-api/gateway", "/spec/authorizers").to_string().contains("function:token-check/invocations"));
    assert!(of("gate/stage/gateway", "/spec/access_log/destination").to_string().contains("log-group:orders"));
}

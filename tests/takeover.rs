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
    assert_eq!(left, [&["gate/execution-log-group/gateway"], &BY_USE[..]].concat());
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

//! The sandbox, and what gwctl made in it, seen through a client that is not ours: boto3 over HTTP.
//!
//! What is applied is shown as the document said; what somebody changes by hand is found, named and put right; what
//! belongs to somebody else is left alone. Besides, every family of operations works by itself, by boto3 and by the AWS CLI.

mod clients;

use std::fs;
use std::process::Command;

use clients::python::{Hand, Python};
use clients::{Change, Project, Run, Server};
use serde_json::Value;

const PACKAGES: [&str; 2] = ["boto3==1.44.5", "botocore==1.44.5"];

/// The AWS CLI has a botocore of its own, so it does not share boto3's environment.
const AWS_CLI: [&str; 1] = ["awscli==1.46.3"];

const REGION: &str = "ap-southeast-1";

/// A Region of the partition with other ARNs and hosts.
const CHINA: &str = "cn-north-1";

/// A configuration, a sandbox that both gwctl and a server work on, and somebody with boto3 at the server.
struct World {
    project: Project,
    server: Server,
    python: Python,
    hand: Hand,
}

impl World {
    fn new() -> Self {
        let python = Python::with("boto3", &PACKAGES);
        let project = Project::copy(REGION).reach("--sandbox=aws".to_owned());
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.args(["sandbox", "--sandbox=aws", "--listen", "127.0.0.1:0", "--root"]).arg(project.root());
        let server = Server::start(&mut command);
        let hand = python.hand(&server, REGION);
        Self { project, server, python, hand }
    }

    /// With the environment applied.
    fn applied() -> Self {
        let world = Self::new();
        world.apply().exits(0);
        world
    }

    fn apply(&self) -> Run {
        self.project.gwctl(&["apply", "--yes"])
    }

    fn destroy(&self) -> Run {
        self.project.gwctl(&["destroy", "--yes"])
    }

    fn inventory(&mut self) -> Value {
        self.hand.does("inventory", &[])
    }
}

#[test]
fn boto3_is_shown_what_the_document_said() {
    let world = World::applied();
    let printed = |what: &str| {
        let path = world.project.root().join(format!("{what}.json"));
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.args(["render", what, "--product", "product-a", "--env", "dev", "--root"]).arg(world.project.root());
        fs::write(&path, command.assert().success().get_output().stdout.clone()).unwrap();
        path
    };
    let mut script = world.python.script("boto3/shown.py", &world.server, REGION);
    let zip = world.project.root().join("authorizer.zip");
    let output = script.args([printed("document"), printed("resources"), zip]).output().unwrap();
    assert!(output.status.success(), "\n{}", String::from_utf8_lossy(&output.stderr));
}

/// What somebody does by hand (a function of `tests/clients/hand.py` and its argument), and the one field of the one
/// resource that it moves.
type Drift = (&'static str, &'static str, &'static [&'static str]);

/// Changes of the API and what is in it.
const IN_THE_API: [Drift; 9] = [
    ("method_sent_elsewhere", API, &["routes", ROUTE, "ANY", "integration", "uri"]),
    ("method_added", API, &["routes", ROUTE, "GET"]),
    ("method_deleted", API, &["routes", ROUTE, "OPTIONS"]),
    ("resource_deleted", API, &["routes", ROUTE]),
    ("policy_removed", API, &["policy"]),
    ("media_type_added", API, &["binary_media_types"]),
    ("gateway_response_deleted", API, &["gateway_responses", "UNAUTHORIZED"]),
    ("authorizer_kept_longer", API, &["authorizers", "product-a-api-authorizer-dev", "ttl_seconds"]),
    ("api_loses team", API, &["tags", "team"]),
];

/// Changes of everything else.
const AROUND_THE_API: [Drift; 14] = [
    ("stage_throttled", STAGE, &["method_settings", "*/*", "throttling_rate_limit"]),
    ("stage_untraced", STAGE, &["xray"]),
    ("stage_unlogged", STAGE, &["access_log"]),
    ("stage_loses team", STAGE, &["tags", "team"]),
    ("stage_moved", STAGE, &["deployment"]),
    (
        "role_widened",
        "gate/iam-role/authorizer-invocation",
        &["inline_policies", "authorizer-invocation", "statements", "CallAuthorizers", "Resource"],
    ),
    ("role_given_policy", "gate/iam-role/authorizer", &["managed_policies"]),
    ("role_untagged", "gate/iam-role/authorizer", &["tags", "team"]),
    ("log_kept_longer", "gate/log-group/access", &["retention_in_days"]),
    ("log_untagged", "gate/log-group/access", &["tags", "team"]),
    ("function_enlarged", FUNCTION, &["memory_mb"]),
    ("function_sent_elsewhere", FUNCTION, &["environment", "AUTH_HOST"]),
    ("function_replaced", FUNCTION, &["code_sha256"]),
    ("function_untagged", FUNCTION, &["tags", "team"]),
];

const API: &str = "gate/rest-api/gateway";
const STAGE: &str = "gate/stage/gateway";
const FUNCTION: &str = "gate/lambda-function/authorizer";
const ROUTE: &str = "/order-service/{proxy+}";

#[test]
fn what_is_changed_by_hand_in_the_api_is_found_and_put_right() {
    let mut world = World::applied();
    for (change, address, field) in IN_THE_API {
        check_drift(&mut world, change, address, &[field]);
    }
    // This one can't be made to move a single field: without authorization, a method has no authorizer.
    let method = |last| ["routes", ROUTE, "ANY", last];
    check_drift(&mut world, "method_opened", API, &[&method("authorization"), &method("authorizer")]);
}

#[test]
fn what_is_changed_by_hand_around_the_api_is_found_and_put_right() {
    let mut world = World::applied();
    for (change, address, field) in AROUND_THE_API {
        check_drift(&mut world, change, address, &[field]);
    }
}

#[test]
fn a_change_by_hand_that_somebody_deployed_is_put_right_too() {
    let mut world = World::applied();
    let served = |world: &mut World| world.hand.does("served", &[]);
    let ours = served(&mut world);
    world.hand.does("method_opened", &[]);
    world.hand.does("stage_moved", &[]);
    assert_ne!(served(&mut world), ours);
    let plan = world.project.plan(2);
    let found: Vec<_> = plan.iter().map(|one| (one.address.as_str(), one.reason.as_str())).collect();
    assert_eq!(found, [(API, "drifted"), (STAGE, "drifted")]);
    world.apply().exits(0);
    assert_eq!(world.project.plan(0), []);
    // The snapshot of what is wanted is there already, and nothing has to be deployed anew.
    assert_eq!(served(&mut world), ours);
}

fn check_drift(world: &mut World, change: &str, address: &str, fields: &[&[&str]]) {
    let mut words = change.split(' ');
    let (function, arguments) = (words.next().unwrap(), words.collect::<Vec<_>>());
    world.hand.does(function, &arguments);
    let run = world.project.gwctl(&["drift", "--output", "json"]).exits(2);
    assert_eq!(drifted(&run.stdout), [(address.to_owned(), owned(fields))], "{change}");
    let plan = world.project.plan(2);
    let [Change { address: found, reason, fields: differ, .. }] = plan.as_slice() else {
        panic!("after {change}, {} resources change: {plan:#?}", plan.len());
    };
    assert_eq!(
        (found.as_str(), reason.as_str(), differ.as_slice()),
        (address, "drifted", &owned(fields)[..]),
        "{change}"
    );
    world.apply().exits(0);
    assert_eq!(world.project.plan(0), [], "{change} was not put right");
    let run = world.project.gwctl(&["drift", "--output", "json"]).exits(0);
    assert_eq!(drifted(&run.stdout), [], "{change} still counts as drift");
}

/// Address and fields of everything that drifted.
fn drifted(json: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let json: Value = serde_json::from_str(json).unwrap();
    let words = |path: &Value| path.as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect();
    let one = |one: &Value| {
        let fields = one["gwctl"]["fields"].as_array().unwrap().iter().map(|field| words(&field["path"])).collect();
        (one["address"].as_str().unwrap().to_owned(), fields)
    };
    json["resource_drift"].as_array().unwrap().iter().map(one).collect()
}

fn owned(fields: &[&[&str]]) -> Vec<Vec<String>> {
    fields.iter().map(|field| field.iter().map(|&part| part.to_owned()).collect()).collect()
}

#[test]
fn a_resource_without_its_owner_is_not_ours_and_one_without_its_digest_is_unfinished() {
    let mut world = World::applied();
    for (function, address, name) in
        [("stage_loses", STAGE, "stage `dev`"), ("api_loses", API, "rest-api `product-a-gateway-dev`")]
    {
        world.hand.does(function, &["gwctl:digest"]);
        let plan = world.project.plan(2);
        let [Change { address: found, reason, fields, .. }] = plan.as_slice() else { panic!("{plan:#?}") };
        assert_eq!((found.as_str(), reason.as_str(), fields.as_slice()), (address, "unfinished", &[][..]));
        world.apply().exits(0);
        assert_eq!(world.project.plan(0), []);

        world.hand.does(function, &["gwctl:product"]);
        let run = world.apply().exits(1);
        assert!(run.stderr.contains(&format!("{name} exists already and is not {address}")), "{}", run.stderr);
        assert!(
            run.stderr.contains("to hand it over to gwctl: gwctl import --env dev --product product-a"),
            "{}",
            run.stderr
        );
        world.hand.does(&function.replace("loses", "gets"), &["gwctl:product", "product-a"]);
        assert_eq!(world.project.plan(0), []);
    }
}

#[test]
fn the_plan_after_apply_is_empty_and_says_so() {
    let world = World::applied();
    let run = world.project.gwctl(&["plan", "--detailed-exitcode"]).exits(0);
    assert!(run.stdout.contains("No changes."), "{}", run.stdout);
}

/// What bears a name that we want: kind, who makes it and takes it away, and the name.
const TAKEN: [(&str, [&str; 2], &str); 4] = [
    ("iam-role", ["make_role", "delete_role"], "product-a-authorizer-dev-ap-southeast-1"),
    ("log-group", ["make_log_group", "delete_log_group"], "/aws/apigateway/product-a-gateway-dev"),
    ("lambda-function", ["make_function", "delete_function"], "product-a-api-authorizer-dev"),
    ("rest-api", ["make_api", "delete_api"], "product-a-gateway-dev"),
];

#[test]
fn a_name_that_is_taken_stops_apply_before_it_does_anything() {
    let mut world = World::new();
    for (kind, [make, delete], name) in TAKEN {
        world.hand.does(make, &[name]);
        let before = world.inventory();
        let run = world.apply().exits(1);
        let expected = format!("{kind} `{name}` exists already");
        assert!(
            run.stderr.contains(&expected) && run.stderr.contains("gwctl:* tags are missing"),
            "{kind}: {}",
            run.stderr
        );
        assert_eq!(world.inventory(), before, "{kind}");
        world.hand.does(delete, &[name]);
    }
    world.apply().exits(0);
}

#[test]
fn destroy_takes_what_is_ours_and_nothing_else() {
    let mut world = World::new();
    // Neighbours as close as can be: names that begin like ours, our roles' path, another environment's tags.
    for (make, arguments) in [
        ("make_role", &["product-a-authorizer-dev-2", "/gwctl/product-a/dev/ap-southeast-1/"][..]),
        ("make_log_group", &["/aws/lambda/product-a-api-authorizer-dev-2"]),
        ("make_log_group", &["/aws/apigateway/product-a-gateway-prod", "prod"]),
        ("make_function", &["product-a-api-authorizer-dev-2"]),
    ] {
        world.hand.does(make, arguments);
    }
    let before = world.inventory();
    assert_eq!(world.hand.does("tagged_as_ours", &[]), serde_json::json!([]));
    world.apply().exits(0);
    assert_eq!(world.hand.does("tagged_as_ours", &[]).as_array().unwrap().len(), 10);
    // The name of an API is not its own: a second one may bear it.
    world.hand.does("make_api", &["product-a-gateway-dev"]);
    let api = theirs(&world.inventory()["rest-api"]);
    world.destroy().exits(0);
    assert_eq!(world.hand.does("tagged_as_ours", &[]), serde_json::json!([]));
    let after = world.inventory();
    for kind in ["iam-role", "log-group", "lambda-function"] {
        assert_eq!(after[kind], before[kind]);
    }
    assert_eq!(after["rest-api"], api);
    let run = world.destroy().exits(0);
    assert!(run.stdout.contains("Nothing to destroy."), "{}", run.stdout);
}

/// The APIs without our tags.
fn theirs(apis: &Value) -> Value {
    let all = apis.as_object().unwrap().iter();
    let theirs = all.filter(|(_, api)| api["tags"].get("gwctl:product").is_none());
    let theirs: serde_json::Map<String, Value> = theirs.map(|(id, api)| (id.clone(), api.clone())).collect();
    assert_eq!(theirs.len(), 1);
    theirs.into()
}

#[test]
fn destroy_refuses_while_somebodys_stage_hangs_under_our_api() {
    let mut world = World::applied();
    world.hand.does("make_stage", &["by-hand"]);
    let before = world.inventory();
    let run = world.destroy().exits(1);
    assert!(run.stderr.contains("stage `by-hand`, which is not gwctl's"), "{}", run.stderr);
    assert_eq!(world.inventory(), before);
    world.hand.does("delete_stage", &["by-hand"]);
    world.destroy().exits(0);
    assert_eq!(world.hand.does("tagged_as_ours", &[]), serde_json::json!([]));
}

/// Runs a script of `tests/boto3/` in a Region, at a server of its own that holds nothing yet.
fn run_alone(python: &Python, script: &str, region: &str) {
    let root = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.args(["sandbox", "--sandbox=aws", "--listen", "127.0.0.1:0", "--root"]).arg(root.path());
    let server = Server::start(&mut command);
    let output = python.script(script, &server, region).output().unwrap();
    assert!(output.status.success(), "{region}:\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn boto3_can_use_every_family_of_operations() {
    run_alone(&Python::with("boto3", &PACKAGES), "boto3/families.py", REGION);
}

#[test]
fn boto3_can_use_every_family_of_operations_in_china() {
    run_alone(&Python::with("boto3", &PACKAGES), "boto3/families.py", CHINA);
}

#[test]
fn an_operator_can_use_the_aws_cli() {
    let python = Python::with("awscli", &AWS_CLI);
    for region in [REGION, CHINA] {
        run_alone(&python, "boto3/commands.py", region);
    }
}

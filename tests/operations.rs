//! What operators do once a gateway stands, on the command line: saved plans, history, rollbacks, canaries,
//! and runs on a schedule.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/project.rs"]
mod project;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use binary::{Run, run, run_with};
use lambda_simulator::{Invocation, Simulator};
use project::{DEV, Project};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Runs a verb on product-a's `dev` in the sandbox.
fn dev(project: &Project, line: &str) -> Run {
    run(project, &format!("{line} --sandbox --product product-a --env dev"))
}

/// Applies, and gives the id of the deployment that is served since.
fn deploy(project: &Project, path: &str) -> String {
    project.add_route("white_path", path);
    dev(project, "apply --yes").exits(0);
    served(project)
}

fn served(project: &Project) -> String {
    let status = dev(project, "canary status --output json").exits(0).json();
    status["environments"][0]["stages"][0]["serves"]["deployment"].as_str().unwrap().to_owned()
}

fn history(project: &Project) -> Vec<Value> {
    let history = dev(project, "history --output json").exits(0).json();
    history["history"][0]["records"].as_array().unwrap().clone()
}

/// The value of a member, wherever it stands.
fn found<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(name).or_else(|| members.values().find_map(|one| found(one, name))),
        Value::Array(items) => items.iter().find_map(|one| found(one, name)),
        _ => None,
    }
}

#[test]
fn every_apply_leaves_a_record_and_none_a_secret() {
    let project = Project::new();
    dev(&project, "history").exits(0).says(&["No records."]);
    project.edit(DEV, |env| env["authorizer"]["environment"] = json!({ "API_KEY": "canary-value-4711" }));
    dev(&project, "apply --yes").exits(0);
    dev(&project, "apply --yes").exits(0).says(&["No changes."]);
    let all = history(&project);
    assert_eq!(all.len(), 1, "nothing done leaves no record: {all:#?}");
    let first = &all[0];
    assert_eq!((first["deed"].as_str(), first["result"].as_str()), (Some("apply"), Some("done")));
    assert_eq!(first["by"]["user"], "anna");
    assert!(first["by"]["caller"].as_str().unwrap().contains(":123456789012:"), "{first:#}");
    assert_eq!(first["steps"].as_array().unwrap().len(), first["applied"].as_object().unwrap().len());
    let state = fs::read_to_string(project.root().join(".gwctl/sandbox/state.json")).unwrap();
    let records = state.split("gwctl/history").nth(1).expect("the stream is in the state");
    let records = &records[..records.find(']').unwrap()];
    assert!(!records.contains("canary-value-4711"), "{records}");

    // What fails is told too: as much as was done, and why the rest was not.
    project.add_route("white_path", "/new/{proxy+}");
    dev(&project, "apply --yes --sandbox-fault deny:CreateDeployment").exits(1);
    let failed = &history(&project)[0];
    assert_eq!((failed["deed"].as_str(), failed["result"].as_str()), (Some("apply"), Some("failed")));
    let why: Vec<&str> =
        failed["steps"].as_array().unwrap().iter().filter_map(|step| step["failure"].as_str()).collect();
    assert_eq!(why.len(), 1, "{failed:#}");
    let id = failed["id"].as_str().unwrap();
    dev(&project, &format!("history {id}")).exits(0).says(&["failed: ", "gate/deployment/", "not begun", "user/"]);
    let short = id.rsplit_once('-').unwrap().1;
    let shown = dev(&project, &format!("history {short} --output json")).exits(0).json();
    assert_eq!(shown["id"], failed["id"]);
    dev(&project, "history nobody").exits(1).says(&["no record is named `nobody`"]);
    dev(&project, "history --output markdown")
        .exits(0)
        .says(&["| when | what | result | changes | who |", "| apply | failed |"]);
    let last = dev(&project, "history --last 1 --output json").exits(0).json();
    assert_eq!(last["history"][0]["records"].as_array().unwrap().len(), 1);
}

#[test]
fn passwords_in_urls_are_shown_nowhere_when_they_change() {
    let project = Project::new();
    let set = |password: &str| {
        let url = format!("postgres://u:{password}@db/x");
        project.edit(DEV, |env| env["authorizer"]["environment"] = json!({ "DB_URL": url }));
    };
    set("canary-value-one");
    dev(&project, "apply --yes").exits(0);
    set("canary-value-two");
    for output in ["text", "json", "markdown"] {
        let plan = dev(&project, &format!("plan --out change.plan --output {output}")).exits(0);
        assert!(!plan.stdout.contains("canary-value"), "{output}: {}", plan.stdout);
    }
    let file = fs::read_to_string(project.root().join("change.plan")).unwrap();
    assert!(!file.contains("canary-value"), "{file}");
    let shown = run(&project, "show-plan change.plan --output json").exits(0).json();
    let sensitive = found(&shown, "before_sensitive").expect("Terraform's shape");
    assert!(shown.to_string().contains(r#""DB_URL":true"#), "{sensitive}");
    dev(&project, "show --output json").exits(0);
}

#[test]
fn strange_lines_in_the_stream_push_no_record_out() {
    let project = Project::new();
    dev(&project, "apply --yes").exits(0);
    let state = project.root().join(".gwctl/sandbox/state.json");
    let text = fs::read_to_string(&state).unwrap();
    let (head, world) = text.split_once('\n').unwrap();
    let mut world: Value = serde_json::from_str(world).unwrap();
    let groups = &mut world["accounts"]["123456789012"]["regions"]["ap-southeast-1"]["logs"]["groups"];
    let group = groups.as_object_mut().unwrap().values_mut().find(|group| !group["streams"].is_null()).unwrap();
    let events = group["streams"]["gwctl/history"]["events"].as_array_mut().unwrap();
    let time = events[0]["time"].clone();
    events.extend((0..300).map(|_| json!({ "time": time, "message": "\u{1b}]0;x\u{7}" })));
    fs::write(&state, format!("{head}\n{world}\n")).unwrap();
    assert_eq!(history(&project).len(), 1);
    dev(&project, "history --last 1").exits(0).says(&["apply", "done"]);
}

/// It would go one further back each time that it died before its record, and drift would put the bad one back.
#[test]
fn a_rollback_that_died_is_finished_by_the_same_command() {
    let project = Project::new();
    dev(&project, "apply --yes").exits(0);
    let second = deploy(&project, "/second/{proxy+}");
    deploy(&project, "/third/{proxy+}");
    dev(&project, "rollback --yes --sandbox-fault crash-after:UpdateStage#1").exits(137);
    assert_eq!(served(&project), second);
    dev(&project, "rollback --yes").exits(0).says(&["was moved back from", "already", "go back further"]);
    assert_eq!(served(&project), second);
    dev(&project, "drift").exits(0);
    assert_eq!(history(&project)[0]["deed"], "rollback");
}

#[test]
fn a_rollback_goes_back_and_the_next_apply_forward() {
    let project = Project::new();
    dev(&project, "apply --yes").exits(0);
    let first = served(&project);
    let second = deploy(&project, "/second/{proxy+}");
    let third = deploy(&project, "/third/{proxy+}");
    assert!(first != second && second != third);

    let back = dev(&project, "rollback --yes").exits(0);
    back.says(&["you go back to it", "the editable API stay as they are", "the next apply moves the stage"]);
    assert_eq!(served(&project), second);
    // gwctl moved it, so nobody else did.
    dev(&project, "plan").exits(0).says(&["the configuration changed", "0 to add, 1 to change, 0 to destroy"]);
    // A second one goes further back, not forward again.
    dev(&project, "rollback --yes").exits(0);
    assert_eq!(served(&project), first);
    dev(&project, &format!("rollback --yes --to {first}")).exits(1).says(&["serves deployment", "already"]);
    dev(&project, "rollback --yes --to nothing").exits(1).says(&["no deployment `nothing`", &third, "served now"]);
    dev(&project, &format!("rollback --yes --functions --to {second}")).exits(1).says(&["no aliases"]);
    dev(&project, "rollback --yes").exits(1).says(&["no earlier deployment", "choose it with --to"]);
    let deeds: Vec<Value> = history(&project).iter().map(|record| record["deed"].clone()).collect();
    assert_eq!(deeds, ["rollback", "rollback", "apply", "apply", "apply"]);

    dev(&project, "apply --yes").exits(0);
    assert_eq!(served(&project), third);
    dev(&project, "plan --detailed-exitcode").exits(0).says(&["No changes."]);
    // Records that can't be read keep nobody from going back to a chosen deployment.
    dev(&project, &format!("rollback --yes --to {second} --sandbox-fault deny:GetLogEvents")).exits(0);
    assert_eq!(served(&project), second);
    dev(&project, "apply --yes").exits(0);
    // Asked on no terminal, it does nothing.
    dev(&project, "rollback").exits(1).says(&["stdin is no terminal"]);
    assert_eq!(served(&project), third);
}

#[test]
fn aliases_go_back_with_the_stage_if_asked() {
    let project = Project::new();
    project.edit(DEV, |env| env["authorizer"]["provisioned_concurrency"] = json!(1));
    dev(&project, "apply --yes").exits(0);
    let alias = |project: &Project| {
        let shown = dev(project, "show --output json").exits(0).json();
        let alias = &shown["environments"][0]["resources"]["gate/function-alias/authorizer"];
        found(alias, "version").and_then(Value::as_str).expect("it has a version").to_owned()
    };
    let before = alias(&project);
    project.edit(DEV, |env| env["authorizer"]["environment"] = json!({ "SOME": "thing" }));
    deploy(&project, "/second/{proxy+}");
    let after = alias(&project);
    assert_ne!(before, after);
    // First the stage, then the functions too: the usual order at night.
    let second = served(&project);
    dev(&project, "rollback --yes").exits(0);
    assert_eq!(alias(&project), after);
    let first = served(&project);
    assert_ne!(first, second);
    dev(&project, &format!("rollback --yes --functions --to {first}")).exits(0).says(&["function-alias"]);
    assert_eq!(alias(&project), before);
    dev(&project, "plan").exits(0).says(&["function-alias", "stage"]);
    dev(&project, "apply --yes").exits(0);
    assert_eq!(alias(&project), after);
    dev(&project, "plan --detailed-exitcode").exits(0);
}

#[test]
fn a_canary_is_begun_seen_and_ended() {
    let project = Project::new();
    dev(&project, "apply --yes --canary 10").exits(1).says(&["can't begin with a canary"]);
    dev(&project, "apply --yes").exits(0);
    let old = served(&project);
    dev(&project, "apply --yes --canary 10").exits(1).says(&["nothing new for a canary"]);
    project.add_route("white_path", "/second/{proxy+}");
    dev(&project, "plan --canary 10").exits(0).says(&["percent"]);
    dev(&project, "apply --yes --canary 10%").exits(0);
    dev(&project, "plan --canary 10 --detailed-exitcode").exits(0).says(&["No changes."]);
    let status = dev(&project, "canary status --output json").exits(0).json();
    let stage = &status["environments"][0]["stages"][0];
    assert_eq!(
        (stage["serves"]["deployment"].as_str(), stage["canary"]["percent"].as_f64()),
        (Some(&*old), Some(10.0))
    );
    dev(&project, "canary status").exits(0).says(&["10 % of the requests go to the canary"]);

    // A plain apply would end it unasked; so would a rollback.
    dev(&project, "apply --yes").exits(1).says(&["has a canary", "gwctl canary promote", "apply --canary PERCENT"]);
    dev(&project, "rollback --yes").exits(1).says(&["has a canary"]);
    dev(&project, "apply --yes --canary 50").exits(0);
    dev(&project, "canary status").exits(0).says(&["50 % of the requests"]);
    let new = stage["canary"]["deployment"].as_str().unwrap().to_owned();
    dev(&project, "canary promote --yes").exits(0);
    assert_eq!(served(&project), new);
    dev(&project, "plan --detailed-exitcode").exits(0).says(&["No changes."]);
    dev(&project, "canary promote --yes").exits(1).says(&["has no canary"]);

    project.add_route("white_path", "/third/{proxy+}");
    dev(&project, "apply --yes --canary 1").exits(0);
    dev(&project, "canary abort --yes").exits(0);
    assert_eq!(served(&project), new);
    dev(&project, "apply --yes").exits(0);
    dev(&project, "plan --detailed-exitcode").exits(0).says(&["No changes."]);
    let deeds: Vec<Value> = history(&project).iter().map(|record| record["deed"].clone()).collect();
    assert_eq!(
        deeds,
        ["apply", "canary-abort", "apply-canary", "canary-promote", "apply-canary", "apply-canary", "apply"]
    );
    for wrong in ["101", "-1", "some"] {
        dev(&project, &format!("apply --yes --canary={wrong}")).exits(1).says(&["a number from 0 to 100"]);
    }
}

#[test]
fn a_saved_plan_is_carried_out_as_it_is_or_not_at_all() {
    let project = Project::new();
    project.edit(DEV, |env| env["authorizer"]["environment"] = json!({ "API_KEY": "canary-value-4711" }));
    dev(&project, "plan --out first.plan").exits(0).says(&["gwctl apply first.plan"]);
    let text = fs::read_to_string(project.root().join("first.plan")).unwrap();
    assert!(!text.contains("canary-value-4711"), "a secret is in the file");
    run(&project, "show-plan first.plan")
        .exits(0)
        .says(&["Plan: 11 to add, 0 to change, 0 to destroy.", "(sensitive)"]);
    let shown = run(&project, "show-plan first.plan --output json").exits(0).json();
    assert_eq!(shown["resource_changes"].as_array().unwrap().len(), 11);
    run(&project, "apply first.plan --sandbox").exits(0).says(&["11 added"]);
    dev(&project, "plan --detailed-exitcode").exits(0);
    // Done already: AWS is another one since.
    run(&project, "apply first.plan --sandbox").exits(1).says(&[
        "no longer fits",
        "is as wanted now",
        "nothing was changed",
    ]);

    project.add_route("white_path", "/second/{proxy+}");
    dev(&project, "plan --out second.plan").exits(0);
    project.add_route("white_path", "/third/{proxy+}");
    let moved = run(&project, "apply second.plan --sandbox").exits(1);
    moved.says(&["the configuration of gate/rest-api/gateway changed since", "gwctl plan --out FILE"]);
    dev(&project, "plan --out third.plan").exits(0);
    dev(&project, "apply --yes").exits(0);
    let both = run(&project, "apply second.plan --sandbox --output json").exits(1).json();
    assert_eq!(both["outcomes"][0]["status"], "failed");
    for arguments in ["--env dev", "--product product-a", "--all", "--canary 1", "--shard 0/2"] {
        run(&project, &format!("apply third.plan --sandbox {arguments}")).exits(1).says(&["cannot be used with"]);
    }
    run(&project, "apply third.plan").exits(1).says(&["saved for sandbox .gwctl/sandbox, and this would go to AWS"]);
    run(&project, "apply third.plan --sandbox=other").exits(1).says(&["this would go to sandbox other"]);
    run(&project, "apply nothing.plan --sandbox").exits(1).says(&["failed to read the plan nothing.plan"]);
    run(&project, "apply environments/targets.toml --sandbox").exits(1).says(&["no saved plan of gwctl"]);
    run(&project, "apply third.plan --sandbox --region eu-west-1").exits(1).says(&["saved for another Region"]);
    project.edit(DEV, |env| env["retention_in_days"] = json!(30));
    let targets = project.root().join("environments/targets.toml");
    let text = fs::read_to_string(&targets).unwrap().replace("123456789012", "111122223333");
    fs::write(targets, text).unwrap();
    run(&project, "apply third.plan --sandbox").exits(1).says(&["no longer puts it there"]);
}

#[test]
fn a_saved_plan_of_a_canary_and_of_a_protected_environment() {
    let project = Project::new();
    dev(&project, "apply --yes").exits(0);
    project.add_route("white_path", "/second/{proxy+}");
    dev(&project, "plan --canary 5 --out canary.plan").exits(0);
    run(&project, "apply canary.plan --sandbox").exits(0);
    dev(&project, "canary status").exits(0).says(&["5 % of the requests"]);
    let prod = "--sandbox --product product-a --env prod";
    run(&project, &format!("plan {prod} --out prod.plan")).exits(0);
    run(&project, "apply prod.plan --sandbox").exits(1).says(&["is protected"]);
    run(&project, "apply prod.plan --sandbox --confirm prod").exits(0);
    // Half of what was asked for is not saved.
    let both = format!("plan {prod} --env dev --out both.plan --sandbox-fault deny:GetRestApis:1");
    run(&project, &both).exits(1);
    assert!(!project.root().join("both.plan").exists());
}

/// The binary as Lambda starts it, in a folder with a configuration.
struct Function {
    runtime: Runtime,
    simulator: Simulator,
    child: Child,
    _project: Project,
}

impl Function {
    fn start(variables: &[(&str, &str)]) -> Self {
        let project = Project::new();
        let bootstrap = project.root().join("bootstrap");
        fs::copy(env!("CARGO_BIN_EXE_gwctl"), &bootstrap).unwrap();
        let runtime = Runtime::new().unwrap();
        let simulator = runtime.block_on(Simulator::builder().function_name("gwctl-drift").build()).unwrap();
        let mut command = Command::new(&bootstrap);
        command.env_clear().envs(simulator.lambda_env_vars()).envs(variables.iter().copied());
        command.env("LAMBDA_TASK_ROOT", project.root()).current_dir("/");
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        Self { runtime, simulator, child, _project: project }
    }

    /// What comes of an event: the answer, or the error's text.
    fn send(&self, event: Value, milliseconds: u64) -> Result<Value, String> {
        let done = self.runtime.block_on(async {
            let id = self.simulator.enqueue(Invocation::new(event, milliseconds)).await;
            self.simulator.wait_for_invocation_complete(&id, Duration::from_mins(2)).await.expect("it answers")
        });
        match (done.response, done.error) {
            (Some(response), None) => Ok(response.payload),
            (_, error) => Err(error.expect("an answer or an error").error_message),
        }
    }

    fn run(&self, line: &str) -> Result<Value, String> {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        self.send(json!({ "arguments": arguments }), 120_000)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_function_runs_what_an_event_says_and_changes_nothing() {
    let function = Function::start(&[("GWCTL_ARGUMENTS", "check --allow unused")]);
    let dev = "--sandbox --product product-a --env dev";
    let plan = function.run(&format!("plan {dev} --output json --detailed-exitcode")).unwrap();
    assert_eq!(plan["exit_code"], 2);
    assert!(plan["output"]["resource_changes"].as_array().unwrap().len() > 5, "{plan:#}");
    let text = function.run(&format!("show {dev}")).unwrap();
    assert!(text["output"].as_str().unwrap().contains("Nothing here carries its tags."), "{text}");
    for line in ["apply --yes --all --sandbox", "destroy --yes --all --sandbox", "plan --all --out x", "lambda"] {
        assert!(function.run(line).unwrap_err().contains("is not run here"), "{line}");
    }
    assert!(function.run("frobnicate").unwrap_err().contains("is no command"));
    assert!(function.run("plan --sandbox --product nobody --env dev").unwrap_err().contains("nobody"));
    assert!(function.send(json!({ "arguments": "drift" }), 60_000).unwrap_err().contains("no list of texts"));
    assert!(function.send(json!({ "arguments": [] }), 60_000).unwrap_err().contains("does not say what to run"));
    // What EventBridge sends of its own has no arguments: the variable's are taken, and they are wrong here.
    assert!(function.send(json!({ "source": "aws.events" }), 60_000).unwrap_err().contains("--allow"));
    // A function ends what it has no time for.
    let late = function.send(json!({ "arguments": ["plan", "--all", "--sandbox"] }), 2_000).unwrap_err();
    assert!(late.contains("has no more time"), "{late}");
}

#[test]
fn a_fleet_is_shared_out() {
    let project = Project::new();
    let plan = |shard: &str, index: Option<&str>| {
        let index: Vec<_> = index.map(|index| ("JOB_COMPLETION_INDEX", index)).into_iter().collect();
        let line = format!("plan --all --sandbox --output json --shard {shard}");
        let json = run_with(&project, &line, &index).exits(0).json();
        let plans = json["gwctl"]["plans"].as_array().unwrap().clone();
        plans
            .iter()
            .map(|one| format!("{}/{}", one["product"], one["environment"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    let (first, second, third) = (plan("0/3", None), plan("/3", Some("1")), plan("2/3", None));
    assert_eq!(first, ["product-a/dev", "product-a/staging", "product-b/prod"]);
    let mut all = [first, second, third].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8);
}

/// What `gwctl policy` prints for product-a's `dev`, in a file.
fn policy(project: &Project, options: &str) -> String {
    let printed = run(project, &format!("policy --product product-a --env dev {options}")).exits(0);
    let name = format!("policy{}.json", options.replace([' ', '-'], ""));
    fs::write(project.root().join(&name), &printed.stdout).unwrap();
    format!("--sandbox-policy {name}")
}

#[test]
fn the_printed_policy_is_enough_for_every_verb_of_an_operator() {
    let project = Project::new();
    let (all, looking) = (policy(&project, ""), policy(&project, "--plan-only"));
    let may = |line: &str| dev(&project, &format!("{line} {all}"));
    may("plan").exits(0);
    may("apply --yes").exits(0);
    dev(&project, &format!("plan --detailed-exitcode {looking}")).exits(0);
    project.add_route("normal_path", "/new-service/api/v1/things");
    may("apply --yes").exits(0);
    for line in ["drift", "show", "history", "routes"] {
        let run = dev(&project, &format!("{line} {looking}")).exits(0);
        assert!(!run.stderr.contains("not authorized"), "{line}: {run:#?}");
    }
    let deeds = dev(&project, &format!("history --output json {looking}")).exits(0);
    assert_eq!(deeds.stdout.matches("\"deed\": \"apply\"").count(), 2, "{deeds:#?}");
    may("rollback --yes").exits(0);
    may("destroy --yes").exits(0);
    assert_eq!(dev(&project, "show --output json").exits(0).stdout.matches("\"arn\"").count(), 0);
}

#[test]
fn a_missing_permission_is_named_with_what_prints_them_all() {
    let project = Project::new();
    let looking = policy(&project, "--plan-only");
    dev(&project, &format!("apply --yes {looking}")).exits(1).says(&[
        "is not authorized to perform: ",
        "on resource: ",
        "the credentials lack the permission `",
        "`gwctl policy` prints all that plans and applies need",
    ]);
    // What the caller may not look at is no reason to guess.
    fs::write(project.root().join("none.json"), r#"{"Version": "2012-10-17", "Statement": []}"#).unwrap();
    dev(&project, "plan --sandbox-policy none.json").exits(1).says(&["the credentials lack the permission `"]);
    run(&project, "plan --env dev --product product-a --sandbox-policy none.json").exits(1).says(&["add --sandbox"]);
}

#[test]
fn policies_are_printed_for_programs_and_people() {
    let project = Project::new();
    let one = run(&project, "policy --product product-a --env dev --output json").exits(0).json();
    let [policy] = one["policies"].as_array().unwrap().as_slice() else { panic!("{one:#}") };
    assert_eq!(policy["environments"], json!(["product-a/dev"]));
    for document in policy["documents"].as_array().unwrap() {
        assert!(document.to_string().chars().count() <= 6144, "{document}");
        for statement in document["Statement"].as_array().unwrap() {
            assert!(statement["Sid"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_alphanumeric()), "{statement}");
        }
    }
    let text = policy["documents"].to_string();
    assert!(text.contains(":function:product-a-") && text.contains("iam:PassedToService"), "{text}");
    assert_eq!(one, run(&project, "policy --product product-a --env dev --output json").exits(0).json());
    run(&project, "policy --product product-a --env dev").exits(0).says(&["account 123456789012, product-a/dev: "]);
}

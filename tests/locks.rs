//! One change of an environment at a time, and what an interruption leaves, on the command line.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/project.rs"]
mod project;

use std::io::{BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use binary::{Run, Served, gwctl, run, run_with};
use gwctl::sandbox::conditions::Conditions;
use project::Project;
use serde_json::Value;

/// The account of product-a's `dev`, which is also the access key that leads there.
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "123456789012"), ("AWS_SECRET_ACCESS_KEY", "sandbox")];

const DEV: &str = "--product product-a --env dev";

fn dev(project: &Project, aws: &Served, line: &str) -> Run {
    run_with(project, &format!("{line} {DEV} --endpoint-url {}", aws.url), &KEYS)
}

/// Starts a run that others go on beside.
fn start(project: &Project, aws: &Served, line: &str) -> Child {
    let mut command = gwctl(project, &format!("{line} {DEV} --endpoint-url {}", aws.url));
    command.envs(KEYS).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Reads stderr until a line has the word.
fn wait_for(stderr: &mut impl std::io::BufRead, word: &str) -> String {
    let mut all = String::new();
    while !all.contains(word) {
        assert!(stderr.read_line(&mut all).unwrap() > 0, "`{word}` in {all}");
    }
    all
}

/// The names of the log groups that are locks.
fn locks(aws: &Served) -> Vec<String> {
    locks_in(&serde_json::to_value(aws.sandbox.world().unwrap().accounts).unwrap())
}

fn locks_in(accounts: &Value) -> Vec<String> {
    let groups = accounts["123456789012"]["regions"]["ap-southeast-1"]["logs"]["groups"].as_object().unwrap();
    groups.keys().filter(|name| name.starts_with("gwctl/lock/")).cloned().collect()
}

/// An AWS far enough away that runs meet.
fn far() -> Served {
    Served::under(Conditions::none().latency("30ms..60ms".parse().unwrap()))
}

/// One in which a call takes so long that it is in flight when a signal comes.
fn slow_at(operation: &str, time: &str) -> Served {
    Served::under(Conditions::none().fault(format!("slow:{operation}:{time}").parse().unwrap()))
}

#[test]
fn what_could_not_be_read_under_the_lock_is_told() {
    let project = Project::new();
    // The first look lists what is tagged, the second one may not.
    let applied = run(&project, &format!("apply --yes --sandbox --sandbox-fault deny:tagging.GetResources#2.. {DEV}"));
    let told = "product-a/dev, planned again under its lock: failed to list tagged resources";
    applied.exits(0).says(&[told, "resources that are no longer in the configuration may have been missed"]);
}

#[test]
fn of_sixteen_applies_at_once_one_works_and_the_others_say_so() {
    let (project, aws) = (Project::new(), far());
    let all: Vec<Child> = (0..16).map(|_| start(&project, &aws, "apply --yes --output json")).collect();
    let all: Vec<Run> = all.into_iter().map(|child| Run::of(child.wait_with_output().unwrap())).collect();
    let mut counts = [0; 3];
    for one in &all {
        let outcome = &one.json()["outcomes"][0];
        match outcome["status"].as_str().unwrap() {
            "done" => counts[0] += 1,
            // It came to the lock when the other had given it back.
            "no_changes" => counts[1] += 1,
            _ => {
                let failure = outcome["failure"].to_string();
                assert!(failure.contains("is locked") && failure.contains("anna on"), "{failure}\n{one:#?}");
                counts[2] += 1;
            }
        }
    }
    assert_eq!((counts[0], counts[1] + counts[2]), (1, 15), "{all:#?}");
    assert!(counts[2] > 0, "no two met: {all:#?}");
    assert_eq!(locks(&aws), [""; 0]);
    dev(&project, &aws, "plan --detailed-exitcode").exits(0);
    let history = dev(&project, &aws, "history --output json").exits(0).json();
    assert_eq!(history["history"][0]["records"].as_array().unwrap().len(), 1, "{history:#}");
    for (operation, times) in [("CreateRestApi", 1), ("CreateDeployment", 1), ("CreateStage", 1)] {
        assert_eq!(aws.asked("apigateway", operation), times, "{operation}");
    }
    assert_eq!(aws.asked("lambda", "CreateFunction"), 2);
}

#[test]
fn one_interrupt_finishes_what_is_in_flight_and_leaves_a_record_and_no_lock() {
    for name in ["INT", "TERM", "HUP"] {
        let (project, aws) = (Project::new(), slow_at("CreateRole", "3s"));
        let mut child = start(&project, &aws, "apply --yes");
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = wait_for(&mut stderr, "gate/log-group/access: creating… done");
        signal(&child, name);
        said += &wait_for(&mut stderr, "ending: finishing ");
        stderr.read_to_string(&mut said).unwrap();
        let run = Run { stderr: said, ..Run::of(child.wait_with_output().unwrap()) };
        run.exits(130).says(&["not begun", "interrupted: ", "run the same command again"]);
        assert_eq!(locks(&aws), [""; 0]);
        let history = dev(&project, &aws, "history --output json").exits(0).json();
        assert_eq!(history["history"][0]["records"][0]["result"], "interrupted", "{history:#}");
        dev(&project, &aws, "apply --yes").exits(0);
        dev(&project, &aws, "plan --detailed-exitcode").exits(0);
    }
}

#[test]
fn two_interrupts_end_it_at_once_and_the_next_run_goes_on() {
    let (project, aws) = (Project::new(), slow_at("CreateRole", "10s"));
    let mut child = start(&project, &aws, "apply --yes");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "gate/log-group/access: creating… done");
    signal(&child, "INT");
    wait_for(&mut stderr, "ending: finishing ");
    signal(&child, "INT");
    let said = wait_for(&mut stderr, "gwctl unlock");
    assert!(said.contains("elsewhere it stays for 15 min"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(locks(&aws), ["gwctl/lock/product-a/dev"]);
    dev(&project, &aws, "apply --yes").exits(0).says(&["took over the lock of apply by"]);
    dev(&project, &aws, "plan --detailed-exitcode").exits(0);
    assert_eq!(locks(&aws), [""; 0]);
}

/// A process that is stopped lives, for all that anybody can tell.
#[test]
fn whoever_holds_the_lock_is_named_until_somebody_takes_it_away() {
    let (project, aws) = (Project::new(), far());
    let mut child = start(&project, &aws, "apply --yes");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "gate/log-group/access: creating… done");
    signal(&child, "STOP");

    let whose = ["product-a/dev in 123456789012 ap-southeast-1 is locked", "apply by", "anna on", "last sign of life"];
    dev(&project, &aws, "apply --yes")
        .exits(1)
        .says(&whose)
        .says(&["--lock-timeout", "gwctl unlock --product product-a"]);
    dev(&project, &aws, "destroy --yes").exits(1).says(&whose);
    dev(&project, &aws, "apply --yes --lock-timeout 1").exits(1).says(&["waits for the lock: apply by", "is locked"]);
    // Who only looks needs no lock.
    dev(&project, &aws, "plan").exits(0);
    dev(&project, &aws, "unlock").exits(1).says(&whose).says(&["stdin is no terminal"]);
    assert_eq!(locks(&aws), ["gwctl/lock/product-a/dev"]);

    let mut waiting = start(&project, &aws, "apply --yes --lock-timeout 600");
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
    wait_for(&mut stderr, "waits for the lock: ");
    let unlocked = dev(&project, &aws, "unlock --yes --output json").exits(0).json();
    let lock = &unlocked["locks"][0];
    assert_eq!((&lock["unlocked"], &lock["holder"]["purpose"]), (&Value::from(true), &Value::from("apply")));
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    Run { stderr: said, ..Run::of(waiting.wait_with_output().unwrap()) }.exits(0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(locks(&aws), [""; 0]);
    dev(&project, &aws, "unlock --yes").exits(0).says(&["is not locked"]);
    dev(&project, &aws, "plan --detailed-exitcode").exits(0);
}

#[test]
fn the_next_run_on_the_same_machine_goes_on_where_a_killed_one_was() {
    let (project, aws) = (Project::new(), far());
    let mut child = start(&project, &aws, "apply --yes");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "gate/iam-role/authorizer: creating… done");
    signal(&child, "KILL");
    child.wait().unwrap();
    assert_eq!(locks(&aws), ["gwctl/lock/product-a/dev"]);
    dev(&project, &aws, "apply --yes").exits(0).says(&["took over the lock of apply by"]);
    dev(&project, &aws, "plan --detailed-exitcode").exits(0);
    assert_eq!(locks(&aws), [""; 0]);
}

/// Whoever dies while they take over a dead one's lock keeps nobody out, and leaves nothing.
#[test]
fn the_third_run_goes_on_where_the_second_died_while_it_took_the_lock_over() {
    for (call, again) in [
        ("crash-before:TagResource#1", "took over"),
        ("crash-after:TagResource#1", "took over"),
        ("deny:TagResource", ""),
    ] {
        let project = Project::new();
        let sandbox = |line: &str| run(&project, &format!("{line} {DEV} --sandbox"));
        sandbox("apply --yes --sandbox-fault crash-before:CreateRole#1").exits(137);
        let second = sandbox(&format!("apply --yes --sandbox-fault {call}"));
        assert!([1, 137].contains(&second.code), "{call}: {}", second.stderr);
        sandbox("apply --yes").exits(0).says(&[again]);
        sandbox("plan --detailed-exitcode").exits(0);
        sandbox("unlock --yes").exits(0).says(&["is not locked"]);
        let state = std::fs::read_to_string(project.root().join(".gwctl/sandbox/state.json")).unwrap();
        let world: Value = serde_json::from_str(state.split_once('\n').unwrap().1).unwrap();
        assert_eq!(locks_in(&world["accounts"]), [""; 0], "{call}");
    }
}

/// One that is protected and was not named stays, and the others are taken away all the same.
#[test]
fn what_is_protected_keeps_no_other_lock() {
    let project = Project::whole();
    let sandbox = |line: &str| run(&project, &format!("{line} --sandbox"));
    for env in ["dev", "prod"] {
        let line = format!("apply --product product-a --env {env} --yes --confirm {env}");
        sandbox(&format!("{line} --sandbox-fault crash-before:CreateRole#1")).exits(137);
    }
    let unlocked = sandbox("unlock --product product-a --all --yes").exits(1);
    unlocked.says(&["product-a/prod is protected", "Unlocked product-a/dev.", "its process is over"]);
    let json = sandbox("unlock --product product-a --all --yes --output json").exits(1).json();
    let held = json["locks"].as_array().unwrap().iter().filter(|one| !one["holder"].is_null());
    assert_eq!(held.map(|one| &one["environment"]).collect::<Vec<_>>(), ["prod"]);
    let unlocked = sandbox("unlock --product product-a --env prod --yes --confirm prod").exits(0);
    unlocked.says(&["Unlocked product-a/prod."]);
}

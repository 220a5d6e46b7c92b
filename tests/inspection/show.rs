//! `gwctl show`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use super::*;

#[test]
fn an_environment_is_shown_with_all_that_an_operator_asks() {
    let project = Project::whole();
    run(&project, &format!("apply --sandbox {DEV} --yes")).exits(0);
    let shown = run(&project, &format!("show --sandbox {DEV} --output json")).exits(0).json();
    let here = &shown["environments"][0];
    let count = here["standing"]["resources"].as_object().unwrap().len();
    assert!(count >= 18, "{count}");
    assert_eq!(here["standing"]["in_sync"], count, "{:#}", here["standing"]);
    assert_eq!((&here["standing"]["compared"], &here["standing"]["cell"]), (&json!(true), &json!("in sync")));
    assert_eq!(here["standing"]["notes"], json!([]));
    assert_eq!(here["last_done"]["deed"], "apply");
    assert_eq!(here["urls"].as_array().unwrap().len(), 2, "the gate's and the system's");
    let stage = &here["stages"][0];
    assert_eq!((&stage["address"], &stage["name"]), (&json!("gate/stage/gateway"), &json!("dev")));
    assert_eq!(stage["settings"]["throttling"], "10000 requests a second, 10000 at once");
    assert_eq!((&stage["settings"]["cache"], &stage["settings"]["tracing"]), (&json!("off"), &json!("X-Ray")));
    assert!(stage["deployment"]["description"].as_str().unwrap().starts_with("gwctl snapshot "), "{stage}");
    let api = &here["resources"]["gate/rest-api/gateway"];
    assert_eq!(api["state"], "in_sync");
    assert!(api["console"].as_str().unwrap().contains("apigateway/main/apis/"), "{api}");
    let groups = here["log_groups"].as_array().unwrap();
    assert!(groups.iter().any(|group| group["retention_in_days"] == 7), "{groups:?}");
    assert_eq!(shown["fleet"][0]["state"], "in sync");

    let text = run(&project, &format!("show --sandbox {DEV}")).exits(0);
    let whole = format!("state          {count} of {count} in sync\n");
    let text = text.says(&[
        &whole,
        "last done      apply done: 20 added",
        "gate/rest-api/gateway  in sync",
        "  served\n",
        "stage dev (gate/stage/gateway)",
    ]);
    assert_eq!(text.stdout.matches("Endpoint: https://").count(), 2);
}

/// Whoever may not see the logs may see the rest.
#[test]
fn what_may_not_be_read_is_noted() {
    let project = Project::new();
    run(&project, &format!("apply --sandbox {DEV} --yes")).exits(0);
    let faults = "--sandbox-fault deny:GetLogEvents --sandbox-fault deny:GetDeployment";
    let shown = run(&project, &format!("show --sandbox {DEV} --output json {faults}")).exits(0).json();
    let here = &shown["environments"][0];
    assert_eq!(
        (&here["standing"]["cell"], &here["last_done"], &here["stages"]),
        (&json!("in sync"), &Value::Null, &json!([]))
    );
    let notes = here["standing"]["notes"].to_string();
    assert!(notes.contains("failed to read the log stream") && notes.contains("failed to read deployment"), "{notes}");
}

#[test]
fn what_waits_is_told_from_what_somebody_changed() {
    let served = Served::applied(None);
    let show = |line: &str| served.run(&format!("show {DEV} {line}")).exits(0);
    assert_eq!(show("--output json").json()["fleet"][0]["state"], "in sync");

    served.project.edit(project::DEV, |env| env["throttling_rate_limit"] = json!(500));
    show("").says(&["1 changes wait", "gate/stage/gateway: changes wait"]);
    served.project.edit(project::DEV, |env| env["throttling_rate_limit"] = json!(10_000));

    let stage = format!("/restapis/{}/stages/dev", served.api());
    served.patch(&stage, "/*/*/throttling/rateLimit", "7");
    show("").says(&["1 drifted", "gate/stage/gateway: drifted", "7 requests a second"]);
    let shown = show("--output json").json();
    assert_eq!(shown["fleet"][0]["state"], "drifted 1");
    assert_eq!(shown["environments"][0]["resources"]["gate/stage/gateway"]["state"], "drifted");

    // An edit that is not deployed is drift of the API; a canary is one of the stage.
    served.send_to("/order-service/{proxy+}", "http://elsewhere.example/{proxy}");
    show("").says(&["2 drifted", "gate/rest-api/gateway: drifted"]);
    served.run(&format!("apply {DEV} --yes")).exits(0);
    assert_eq!(show("--output json").json()["fleet"][0]["state"], "in sync");
}

#[test]
fn many_are_a_table_with_a_cell_each() {
    let project = Project::new();
    for env in ["dev", "staging"] {
        run(&project, &format!("apply --sandbox --product product-a --env {env} --yes")).exits(0);
    }
    project.edit("environments/product-a/staging.json", |env| env["throttling_burst_limit"] = json!(77));
    let shown = run(&project, "show --sandbox --all -v").exits(0);
    let expected = "product    dev           staging       preprod       prod\n\
                    product-a  in sync       changes 1     not deployed  not deployed\n\
                    product-b  not deployed  not deployed  not deployed  not deployed\n";
    let mut lines: Vec<Vec<&str>> = shown
        .stdout
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let head = lines.remove(0);
    let cell = |product: usize, env: &str| lines[product][head.iter().position(|name| *name == env).unwrap()];
    assert_eq!(
        (cell(0, "dev"), cell(0, "staging"), cell(0, "prod"), cell(1, "dev")),
        ("in sync", "changes 1", "not deployed", "not deployed"),
        "{expected}{shown:#?}"
    );
    // Four accounts and Regions, eight environments.
    assert!(shown.stderr.contains("GetRestApis: 4 calls"), "{}", shown.stderr);
    let markdown = run(&project, "show --sandbox --all --output markdown").exits(0);
    assert!(markdown.stdout.starts_with("| product | "), "{}", markdown.stdout);
    let json = run(&project, "show --sandbox --all --output json").exits(0).json();
    assert_eq!(
        (json["fleet"].as_array().map(Vec::len), json["environments"].as_array().map(Vec::len)),
        (Some(8), Some(8))
    );
}

#[test]
fn what_cannot_be_read_is_unreachable_and_stops_nobody() {
    let served = Served::applied(None);
    // The credentials are those of dev's account, which is not prod's.
    let shown = served.run("show --product product-a --env dev --env prod").exits(1);
    assert!(shown.stderr.contains("product-a/prod") && shown.stderr.contains("444455556666"), "{shown:#?}");
    let shown = shown.says(&["in sync", "unreachable"]);
    assert_eq!(shown.stdout.lines().count(), 2);
    let json = served.run("show --product product-a --env dev --env prod --output json").exits(1).json();
    assert_eq!(json["environments"].as_array().map(Vec::len), Some(1));
    assert!(json["fleet"][1]["failure"].as_str().unwrap().contains("444455556666"), "{json:#}");
}

#[test]
fn watching_goes_on_until_ctrl_c() {
    let served = Served::applied(None);
    let mut command = served.command(&format!("show {DEV} --watch=1"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = |word: &str| while !lines.next().expect("it goes on").unwrap().contains(word) {};
    next("--- 2");
    next("in sync");
    served.patch(&format!("/restapis/{}/stages/dev", served.api()), "/tracingEnabled", "false");
    next("--- 2");
    next("gate/stage/gateway: drifted");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    // What it still writes has to be read, or it would wait for that.
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

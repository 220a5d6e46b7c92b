//! `gwctl logs`, after real requests to the stage.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::upstream::Upstream;

/// A path that needs no token.
const OPEN: &str = "/order-service/api/v1/public/items";

/// A path that is refused to all.
const REFUSED: &str = "/order-service/actuator/health";

fn served() -> Served {
    Served::applied(Some(Upstream::start("orders").address))
}

#[test]
fn requests_are_read_back_by_the_format_of_their_stage() {
    let served = served();
    assert_eq!((served.get(&format!("{OPEN}?a=b")), served.get(REFUSED)), (200, 403));
    assert_eq!(served.get("/order-service/mine"), 401, "nobody asks for a token that is not there");
    let logs = |line: &str| served.run(&format!("logs {DEV} {line}")).exits(0);

    let all = logs("--output json").lines();
    assert_eq!(all.len(), 3, "{all:#?}");
    let context = &all[0]["context"];
    assert_eq!(
        (&all[0]["decoded"], &context["status"], &context["httpMethod"]),
        (&json!(true), &json!("200"), &json!("GET"))
    );
    assert_eq!(context["path"], format!("/dev{OPEN}"));
    assert_eq!(context["resourcePath"], "/order-service/api/v1/public/{proxy+}");
    assert_eq!(all[1]["context"]["error.responseType"], "ACCESS_DENIED");
    assert!(all[0]["context"].get("error.message").is_none(), "what is missing is left out");

    let statuses = |line: &str| {
        let lines = logs(&format!("{line} --output json")).lines();
        lines.iter().map(|line| line["context"]["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statuses("--status 4xx"), ["403", "401"]);
    assert_eq!(statuses("--status 200,403"), ["200", "403"]);
    assert_eq!(statuses(&format!("--path {OPEN}")), ["200"], "without the stage");
    assert_eq!(statuses("--path /dev/*actuator*"), ["403"], "with it");
    assert_eq!(statuses("--latency <60s --method get --status 401"), ["401"]);
    assert_eq!(statuses("--method POST"), [""; 0]);
    let id = context["requestId"].as_str().unwrap();
    assert_eq!(statuses(&format!("--request-id {id}")), ["200"]);

    let text = logs("");
    assert_eq!(text.stdout.lines().count(), 3, "{text:#?}");
    let text = text.says(&["  403  GET     /dev/order-service/actuator/health", "not authorized", id]);
    assert!(!text.stdout.contains("gwctl/history") && !text.stdout.contains("\"deed\""), "{text:#?}");
    logs("-v").says(&["\n    responseLatency ", "\n    identity.sourceIp "]);
    let raw = logs("--raw").lines();
    assert_eq!(raw[0]["requestId"], id, "the line as it stands there");
    assert_eq!(logs("--since 2020-01-01T00:00:00Z --raw").stdout.lines().count(), 3);
    assert_eq!(served.run(&format!("logs {DEV} --since 1h --function authorizer")).exits(0).stdout, "");
}

/// The format changed in between, or somebody writes into the group: nothing of it is lost.
#[test]
fn lines_of_another_format_stand_as_they_are() {
    let served = served();
    served.get(OPEN);
    served.project.edit("stacks/gate/defaults.json", |defaults| {
        defaults["log_format"] = json!({"id": "$context.requestId", "code": "$context.status", "what": "$context.httpMethod $context.path"});
    });
    served.run(&format!("apply {DEV} --yes")).exits(0);
    served.get(REFUSED);
    let lines = served.run(&format!("logs {DEV} --output json")).exits(0).lines();
    assert_eq!(lines.iter().map(|line| line["decoded"].as_bool().unwrap()).collect::<Vec<_>>(), [false, true]);
    let context = &lines[1]["context"];
    assert_eq!((&context["status"], &context["path"]), (&json!("403"), &json!(format!("/dev{REFUSED}"))));
    assert_eq!(context.as_object().unwrap().len(), 4, "{context}");
    let text = served.run(&format!("logs {DEV} --status 5xx")).exits(0);
    assert_eq!(text.stdout.lines().count(), 1, "the filter can't judge a line that it can't read: {text:#?}");
    assert!(text.stdout.contains("  ?  {") && text.stderr.contains("1 line does not fit"), "{text:#?}");
}

#[test]
fn following_shows_each_line_once() {
    let served = served();
    served.get(OPEN);
    let mut command = served.command(&format!("logs {DEV} --follow --output json"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: Value = serde_json::from_str(&lines.next().expect("it goes on").unwrap()).unwrap();
        line["context"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(), "200");
    served.get(REFUSED);
    assert_eq!(next(), "403");
    // Each look reads what was shown again.
    for _ in 0..2 {
        served.get("/order-service/mine");
        assert_eq!(next(), "401");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(lines.next().map(|line| line.unwrap()), None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_has_no_log_is_said() {
    let project = Project::new();
    let none = run(&project, &format!("logs --sandbox {DEV}")).exits(1);
    assert!(none.stderr.contains("product-a/dev has no stage that logs requests"), "{none:#?}");
    let several = run(&project, "logs --sandbox --all").exits(1);
    assert!(several.stderr.contains("name one --product and one --env"), "{several:#?}");
    let wrong = run(&project, &format!("logs --sandbox {DEV} --status 9xx")).exits(1);
    assert!(wrong.stderr.contains("400-499"), "{wrong:#?}");
}

//! What becomes of calls under conditions.

use serde_json::{Value, json};

use super::testing::request;
use super::*;
use crate::sandbox::Sandbox;

/// The conditions under these faults.
fn under(faults: &[&str]) -> Conditions {
    faults.iter().fold(Conditions::none(), |conditions, fault| conditions.fault(fault.parse().unwrap()))
}

fn create_role() -> Request {
    request("iam", "POST", "/", "Action=CreateRole")
}

fn get_role() -> Request {
    request("iam", "POST", "/", "Action=GetRole")
}

/// What becomes of the calls, in a word each.
fn fates(conditions: &Conditions, calls: &[(Request, bool)]) -> Vec<String> {
    let word = |(call, writes): &(Request, bool)| match conditions.meet(call, *writes).fate {
        Fate::Served => "served".to_owned(),
        Fate::Refused(response) => response.status.to_string(),
        Fate::Lost(loss, moment) => format!("{loss:?} {moment:?}"),
    };
    calls.iter().map(word).collect()
}

fn creates(count: usize) -> Vec<(Request, bool)> {
    vec![(create_role(), true); count]
}

#[test]
fn without_conditions_calls_are_served_at_once_and_counted() {
    let conditions = Conditions::none();
    assert_eq!(fates(&conditions, &creates(2)), ["served", "served"]);
    assert!(conditions.meet(&get_role(), false).wait.is_zero());
    let counters = conditions.counters();
    assert_eq!((counters.total.calls, counters.total.writes), (3, 2));
    assert_eq!(counters.services["iam"]["CreateRole"].calls, 2);
    assert_eq!(counters.services["iam"]["CreateRole"].to_string(), "2 calls, 2 writes");
    assert_eq!(counters.services["iam"]["GetRole"].to_string(), "1 call, 0 writes");
    let json = serde_json::to_value(&counters).unwrap();
    assert_eq!(json["services"]["iam"]["GetRole"]["calls"], 1);
    assert_eq!(serde_json::from_value::<Counters>(json).unwrap(), counters);
    conditions.clone().reset_counters();
    assert_eq!(conditions.counters(), Counters::default());
}

#[test]
fn faults_hit_the_calls_that_they_say() {
    for (faults, expected) in [
        (vec!["throttle:CreateRole:2"], ["400", "400", "served", "served"]),
        (vec!["error:CreateRole#2"], ["served", "500", "served", "served"]),
        (vec!["deny:iam.*#2..3"], ["served", "403", "403", "served"]),
        (vec!["cut-before:#4"], ["served", "served", "served", "Cut Before"]),
        (vec!["cut-after:write#3.."], ["served", "served", "Cut After", "Cut After"]),
        (vec!["crash-after:CreateRole#1"], ["Crash After", "served", "served", "served"]),
        (vec!["error:lambda.*"], ["served", "served", "served", "served"]),
        // The first that hits counts, and one that did not get its turn has not hit.
        (vec!["error:#1", "deny:*:1"], ["500", "403", "served", "served"]),
        (vec!["cut-after:write#1", "cut-before:*#2.."], ["Cut After", "Cut Before", "Cut Before", "Cut Before"]),
    ] {
        assert_eq!(fates(&under(&faults), &creates(4)), expected, "{faults:?}");
    }
}

#[test]
fn writes_are_numbered_among_writes() {
    let calls = [(get_role(), false), (create_role(), true), (get_role(), false), (create_role(), true)];
    assert_eq!(fates(&under(&["cut-before:write#2"]), &calls), ["served", "served", "served", "Cut Before"]);
    assert_eq!(fates(&under(&["error:read#2"]), &calls), ["served", "served", "500", "served"]);
    assert_eq!(fates(&under(&["error:GetRole#2"]), &calls), ["served", "served", "500", "served"]);
}

#[test]
fn chance_repeats_with_its_seed_and_does_not_depend_on_other_calls() {
    let alone = |seed| fates(&under(&["throttle:CreateRole:30%"]).seed(seed), &creates(200));
    let hits = alone(1).iter().filter(|fate| *fate == "400").count();
    assert!((35..85).contains(&hits), "{hits} of 200 at 30 %");
    assert_eq!(alone(1), alone(1));
    assert_ne!(alone(1), alone(2));
    let conditions = under(&["throttle:CreateRole:30%"]).seed(1);
    let mixed: Vec<String> =
        (0..200).filter_map(|_| fates(&conditions, &[(get_role(), false), (create_role(), true)]).pop()).collect();
    assert_eq!(mixed, alone(1));
    assert_eq!(conditions.counters().services["iam"]["CreateRole"].faults, hits as u64);
}

#[test]
fn latency_and_slowness_add_up() {
    let conditions = under(&["slow:CreateRole#2:2s", "slow:iam.*:1s:1"]).latency("50ms".parse().unwrap());
    let waits: Vec<Duration> = (0..3).map(|_| conditions.meet(&create_role(), true).wait).collect();
    assert_eq!(waits, [1050, 2050, 50].map(Duration::from_millis));
    // Slowness is no failure.
    assert_eq!(conditions.counters().total.faults, 0);
    let range = || {
        let conditions = Conditions::none().latency("50ms..200ms".parse().unwrap()).seed(3);
        (0..50).map(|_| conditions.meet(&create_role(), true).wait).collect::<Vec<_>>()
    };
    assert_eq!(range(), range());
    assert!(range().iter().any(|wait| *wait != range()[0]));
}

#[tokio::test(start_paused = true)]
async fn quotas_follow_the_clock_of_the_tests() {
    let conditions = Conditions::none().quotas(Quotas::Aws);
    let deploy = || (request("apigateway", "POST", "/restapis/a/deployments", "{}"), true);
    assert_eq!(fates(&conditions, &[deploy(), deploy()]), ["served", "429"]);
    let Fate::Refused(refusal) = conditions.meet(&deploy().0, true).fate else { panic!("it is not refused") };
    assert_eq!(refusal.header("retry-after"), Some("5"));
    tokio::time::advance(Duration::from_millis(4900)).await;
    let elsewhere = conditions.clone();
    let refused = tokio::task::spawn_blocking(move || fates(&elsewhere, &[deploy()])).await.unwrap();
    assert_eq!(refused, ["429"]);
    tokio::time::advance(Duration::from_millis(100)).await;
    assert_eq!(fates(&conditions, &[deploy()]), ["served"]);
    let tally = conditions.counters().services["apigateway"]["CreateDeployment"];
    assert_eq!((tally.calls, tally.throttles, tally.faults), (5, 3, 0));
    assert_eq!(tally.to_string(), "5 calls, 5 writes, 3 throttled");
}

#[test]
fn a_call_that_a_quota_refuses_took_no_effect_even_if_its_answer_is_lost() {
    let conditions = under(&["cut-after:CreateDeployment#2"]).quotas(Quotas::Aws);
    let deploy = || (request("apigateway", "POST", "/restapis/a/deployments", "{}"), true);
    assert_eq!(fates(&conditions, &[deploy(), deploy()]), ["served", "Cut Before"]);
}

#[test]
fn faults_that_hit_nothing_are_known() {
    let conditions = under(&["error:CreateRole", "error:CreateRoll"]);
    fates(&conditions, &creates(1));
    let unmet: Vec<String> = conditions.unmet_faults().iter().map(Fault::to_string).collect();
    assert_eq!(unmet, ["error:CreateRoll"]);
}

#[tokio::test]
async fn a_crash_is_known_to_all_clones() {
    let conditions = Conditions::none();
    let waiting = tokio::spawn({
        let conditions = conditions.clone();
        async move { conditions.crashed().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished() && !conditions.has_crashed());
    conditions.clone().crash();
    waiting.await.unwrap();
    // Whoever asks later is told too.
    conditions.crashed().await;
}

/// What a sandbox answers to calls of Lambda: status and body.
fn ask(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let response = sandbox.handle(request("lambda", method, path, &body.to_string()));
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

fn zip() -> String {
    use base64::Engine as _;
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(b"#!/bin/sh\n").unwrap();
    base64::engine::general_purpose::STANDARD.encode(writer.finish().unwrap().into_inner())
}

#[test]
fn a_role_and_a_function_become_ready_only_after_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(dir.path()).unwrap().under(Conditions::none().eventual(2));
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let mut form = form_urlencoded::Serializer::new("Version=2010-05-08&Action=CreateRole&RoleName=auth".to_owned());
    let form = form.append_pair("AssumeRolePolicyDocument", trust).finish();
    assert_eq!(sandbox.handle(request("iam", "POST", "/", &form)).status, 200);

    let function = json!({
        "FunctionName": "auth", "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": { "ZipFile": zip() },
        "Role": "arn:aws:iam::123456789012:role/auth",
    });
    let create = || ask(&sandbox, "POST", "/2015-03-31/functions", &function);
    for _ in 0..2 {
        let (status, body) = create();
        assert_eq!(
            (status, &body["message"]),
            (400, &json!("The role defined for the function cannot be assumed by Lambda."))
        );
    }
    let (status, body) = create();
    assert_eq!((status, &body["State"], &body["StateReasonCode"]), (201, &json!("Pending"), &json!("Creating")));
    let read = || ask(&sandbox, "GET", "/2015-03-31/functions/auth/configuration", &Value::Null).1;
    let shown: Vec<Value> = (0..3).map(|_| read()["State"].take()).collect();
    assert_eq!(shown, ["Pending", "Pending", "Active"]);

    let update = || ask(&sandbox, "PUT", "/2015-03-31/functions/auth/configuration", &json!({ "Timeout": 9 }));
    assert_eq!(update().1["LastUpdateStatus"], "InProgress");
    let (status, body) = update();
    assert_eq!(status, 409, "{body}");
    assert_eq!(read()["LastUpdateStatus"], "InProgress");
    assert_eq!(read()["LastUpdateStatus"], "Successful");
    // What is kept was ready all the time: another process finds nothing new.
    let other = Sandbox::open(dir.path()).unwrap();
    assert_eq!(ask(&other, "GET", "/2015-03-31/functions/auth/configuration", &Value::Null).1["State"], "Active");
    assert_eq!(sandbox.counters().total.not_yet, 3);
}

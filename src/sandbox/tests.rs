//! The sandbox as a whole: who calls what, and what is kept.

use std::fs;

use super::*;
use crate::sandbox::wire::Caller;

fn request(service: &str, operation: &str, body: &str) -> Request {
    let json = matches!(service, "logs" | "tagging");
    let header = if json { "x-amz-target" } else { "content-type" };
    let value = if json { operation } else { "application/x-www-form-urlencoded" };
    Request {
        method: "POST".into(),
        path: "/".into(),
        query: Vec::new(),
        headers: vec![(header.into(), value.into())],
        body: Bytes::copy_from_slice(body.as_bytes()),
        caller: Caller {
            account: DEFAULT_ACCOUNT.into(),
            region: "eu-central-1".into(),
            service: service.into(),
            access_key: "AKIA".into(),
        },
    }
}

fn create_group(name: &str) -> Request {
    let body = format!("{{\"logGroupName\":\"{name}\",\"tags\":{{\"gwctl:product\":\"a\"}}}}");
    request("logs", "Logs_20140328.CreateLogGroup", &body)
}

fn describe_groups() -> Request {
    request("logs", "Logs_20140328.DescribeLogGroups", "{}")
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn state_is_kept_and_shared_between_handles() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Sandbox::open(dir.path()).unwrap(), Sandbox::open(dir.path()).unwrap());
    assert_eq!(one.handle(create_group("a")).status, 200);
    assert_eq!(other.handle(create_group("b")).status, 200);
    assert!(text(&one.handle(describe_groups())).contains("\"logGroupName\":\"b\""));
    assert!(text(&Sandbox::open(dir.path()).unwrap().handle(describe_groups())).contains("\"logGroupName\":\"a\""));
}

#[test]
fn reading_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(dir.path()).unwrap();
    assert_eq!(sandbox.handle(describe_groups()).status, 200);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    sandbox.handle(create_group("a"));
    let before = fs::read(dir.path().join("state.json")).unwrap();
    sandbox.handle(describe_groups());
    // A call that is refused changed nothing either.
    assert_eq!(sandbox.handle(create_group("a")).status, 400);
    assert_eq!(fs::read(dir.path().join("state.json")).unwrap(), before);
}

#[test]
fn numbers_are_kept_to_their_last_digit() {
    // A reader that is content with nearly the same number makes another one of it.
    let number = 1_795_326_787.386_399_7_f64;
    let mut world = World::default();
    world
        .accounts
        .entry(DEFAULT_ACCOUNT.into())
        .or_default()
        .regions
        .entry("eu-central-1".into())
        .or_default()
        .apigateway
        .vpc_link_delay = number;
    let again: World = serde_json::from_str(&serde_json::to_string(&world).unwrap()).unwrap();
    let region = &again.accounts[DEFAULT_ACCOUNT].regions["eu-central-1"];
    assert_eq!(region.apigateway.vpc_link_delay.to_bits(), number.to_bits());
}

#[test]
fn a_state_damaged_under_way_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(dir.path()).unwrap();
    sandbox.handle(create_group("a"));
    let path = dir.path().join("state.json");
    fs::write(&path, "gone").unwrap();
    let response = sandbox.handle(create_group("b"));
    assert_eq!(response.status, 500);
    assert!(text(&response).contains("is damaged") && text(&response).contains("mv "), "{}", text(&response));
    assert_eq!(fs::read_to_string(&path).unwrap(), "gone");
}

#[test]
fn every_answer_has_an_id_and_unknown_services_say_so() {
    let sandbox = Sandbox::in_memory();
    let first = sandbox.handle(request("sqs", "", ""));
    assert_eq!(first.status, 501);
    assert!(text(&first).contains("no service `sqs`; it has acm, apigateway,"), "{}", text(&first));
    let second = sandbox.handle(describe_groups());
    assert_ne!(first.header(REQUEST_ID).unwrap(), second.header(REQUEST_ID).unwrap());
    let unsigned =
        Incoming { method: "GET".into(), target: "/restapis".into(), headers: Vec::new(), body: Bytes::new() };
    let refused = sandbox.receive(unsigned);
    assert_eq!(
        (refused.status, refused.header("x-amzn-errortype")),
        (403, Some("MissingAuthenticationTokenException"))
    );
    assert!(refused.header(REQUEST_ID).is_some());
}

#[test]
fn accounts_and_regions_do_not_see_each_other() {
    let sandbox = Sandbox::in_memory();
    sandbox.handle(create_group("a"));
    for (account, region) in [("210987654321", "eu-central-1"), (DEFAULT_ACCOUNT, "us-east-1")] {
        let mut request = describe_groups();
        (request.caller.account, request.caller.region) = (account.into(), region.into());
        assert_eq!(text(&sandbox.handle(request)), "{\"logGroups\":[]}");
    }
}

#[test]
fn the_tagging_api_sees_the_tags_of_other_services() {
    let sandbox = Sandbox::in_memory();
    sandbox.handle(create_group("a"));
    let ask = |body: &str| {
        let target = "ResourceGroupsTaggingAPI_20170126.GetResources";
        let answer = sandbox.handle(request("tagging", target, body));
        serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap()["ResourceTagMappingList"].clone()
    };
    let found = ask(r#"{"TagFilters":[{"Key":"gwctl:product","Values":["a","b"]}]}"#);
    assert_eq!(found[0]["ResourceARN"], "arn:aws:logs:eu-central-1:123456789012:log-group:a");
    assert_eq!(found[0]["Tags"], serde_json::json!([{ "Key": "gwctl:product", "Value": "a" }]));
    for none in [
        r#"{"TagFilters":[{"Key":"gwctl:product","Values":["b"]}]}"#,
        r#"{"TagFilters":[{"Key":"gwctl:product"},{"Key":"other"}]}"#,
        r#"{"ResourceTypeFilters":["lambda:function"]}"#,
    ] {
        assert_eq!(ask(none), serde_json::json!([]), "{none}");
    }
}

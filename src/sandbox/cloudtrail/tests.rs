//! The event history, by the calls that make it.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::sandbox::wire::{Caller, Request, Response};

const REGION: &str = "eu-central-1";

fn send(
    sandbox: &Sandbox,
    service: &str,
    region: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let caller = Caller {
        account: "123456789012".into(),
        region: region.into(),
        service: service.into(),
        access_key: "123456789012".into(),
    };
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = body.to_owned().into_bytes().into();
    sandbox.handle(Request { method: method.into(), path: path.into(), query: Vec::new(), headers, body, caller })
}

fn look_up(sandbox: &Sandbox, region: &str, input: &Value) -> (u16, Value) {
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
    let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    let answer = send(sandbox, "cloudtrail", region, "POST", "/", &headers, &input.to_string());
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn by(key: &str, value: &str) -> Value {
    json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]})
}

fn named(sandbox: &Sandbox, region: &str, input: &Value) -> Vec<String> {
    let (status, body) = look_up(sandbox, region, input);
    assert_eq!(status, 200, "{body}");
    body["Events"].as_array().unwrap().iter().map(|one| one["EventName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_changed_something_is_found_by_name_the_newest_first() {
    let sandbox = Sandbox::in_memory();
    let agent = [("user-agent", "aws-cli/2")];
    let made = send(&sandbox, "apigateway", REGION, "POST", "/restapis", &agent, r#"{"name":"shop"}"#);
    let id = serde_json::from_slice::<Value>(&made.body).unwrap()["id"].as_str().unwrap().to_owned();
    let patch = r#"{"patchOperations":[{"op":"replace","path":"/description","value":"x"}]}"#;
    send(&sandbox, "apigateway", REGION, "PATCH", &format!("/restapis/{id}"), &agent, patch);
    send(&sandbox, "apigateway", REGION, "GET", &format!("/restapis/{id}"), &agent, "");
    send(&sandbox, "apigateway", REGION, "DELETE", "/restapis/none", &agent, "");
    assert_eq!(named(&sandbox, REGION, &by("ResourceName", &id)), ["UpdateRestApi", "CreateRestApi"]);
    assert_eq!(named(&sandbox, REGION, &by("ResourceName", "shop")), ["CreateRestApi"]);
    assert_eq!(named(&sandbox, REGION, &by("EventName", "DeleteRestApi")), [""; 0], "what failed changed nothing");
    assert_eq!(named(&sandbox, "eu-west-1", &json!({})), [""; 0], "each Region has its own");
    let (_, body) = look_up(&sandbox, REGION, &by("EventName", "UpdateRestApi"));
    let event: Value = serde_json::from_str(body["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::123456789012:user/sandbox");
    assert_eq!((&event["userAgent"], &body["Events"][0]["ReadOnly"]), (&json!("aws-cli/2"), &json!("false")));
}

#[test]
fn pages_follow_their_tokens_and_global_services_have_one_home() {
    let sandbox = Sandbox::in_memory();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for at in 0..3 {
        let body = format!(
            "Version=2010-05-08&Action=CreateRole&RoleName=r{at}&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D"
        );
        assert_eq!(send(&sandbox, "iam", REGION, "POST", "/", &form, &body).status, 200);
    }
    assert_eq!(named(&sandbox, REGION, &json!({})), [""; 0]);
    let (_, first) = look_up(&sandbox, "us-east-1", &json!({"MaxResults": 2}));
    assert_eq!(first["Events"][0]["Resources"][0]["ResourceName"], "r2");
    let (_, second) = look_up(&sandbox, "us-east-1", &json!({"MaxResults": 2, "NextToken": first["NextToken"]}));
    assert_eq!(second["Events"].as_array().unwrap().len(), 1);
    assert!(second.get("NextToken").is_none());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let sandbox = Sandbox::in_memory();
    for (input, code) in [
        (by("Colour", "x"), "InvalidLookupAttributesException"),
        (json!({"MaxResults": 51}), "InvalidMaxResultsException"),
        (json!({"StartTime": 2.0, "EndTime": 1.0}), "InvalidTimeRangeException"),
        (json!({"NextToken": "?"}), "InvalidNextTokenException"),
        (json!({"EventCategory": "insight"}), "InvalidEventCategoryException"),
    ] {
        let (status, body) = look_up(&sandbox, REGION, &input);
        assert_eq!((status, &body["__type"]), (400, &json!(code)), "{body}");
    }
}

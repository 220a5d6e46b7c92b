//! The Logs service as its clients see it, below HTTP.

use serde_json::json;

use super::*;
use crate::sandbox::world::World;

struct Logs(World);

impl Logs {
    fn call(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("x-amz-target".into(), format!("Logs_20140328.{operation}"))],
            body: body.to_string().into_bytes().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: "cn-north-1".into(),
                service: "logs".into(),
                access_key: "123456789012".into(),
            },
        };
        let response = handle(&mut self.0.view("123456789012", "cn-north-1", 5.0), &request);
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    #[track_caller]
    fn done(&mut self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.call(operation, body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    #[track_caller]
    fn refused(&mut self, operation: &str, body: &Value, code: &str, message: &str) {
        let (status, answer) = self.call(operation, body);
        assert_eq!((status, answer["__type"].as_str()), (400, Some(code)), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
}

#[test]
fn a_group_comes_back_with_both_of_its_arns() {
    let mut logs = Logs(World::default());
    let name = json!({ "logGroupName": "/gwctl/a" });
    logs.done("CreateLogGroup", &json!({ "logGroupName": "/gwctl/a", "tags": { "a": "b" } }));
    logs.refused("CreateLogGroup", &name, "ResourceAlreadyExistsException", "The specified log group already exists");
    logs.done("PutRetentionPolicy", &json!({ "logGroupName": "/gwctl/a", "retentionInDays": 14 }));
    let group = logs.done("DescribeLogGroups", &json!({}))["logGroups"][0].clone();
    let arn = "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/gwctl/a";
    assert_eq!((&group["logGroupArn"], &group["arn"]), (&json!(arn), &json!(format!("{arn}:*"))));
    assert_eq!((&group["retentionInDays"], &group["creationTime"]), (&json!(14), &json!(5000)));
    logs.done("DeleteRetentionPolicy", &name);
    assert_eq!(logs.done("DescribeLogGroups", &json!({}))["logGroups"][0]["retentionInDays"], Value::Null);
    logs.done("DeleteLogGroup", &name);
    logs.refused("DeleteLogGroup", &name, "ResourceNotFoundException", "The specified log group does not exist.");
}

#[test]
fn only_awss_retentions_and_names_are_taken() {
    let mut logs = Logs(World::default());
    logs.done("CreateLogGroup", &json!({ "logGroupName": "a" }));
    let code = "InvalidParameterException";
    for days in [0, 2, 17, -1] {
        let body = json!({ "logGroupName": "a", "retentionInDays": days });
        logs.refused("PutRetentionPolicy", &body, code, "at 'retentionInDays' failed to satisfy constraint");
    }
    logs.refused("CreateLogGroup", &json!({ "logGroupName": "a b" }), code, "at 'logGroupName'");
    logs.refused("CreateLogGroup", &json!({}), code, "Value null at 'logGroupName'");
    logs.refused("CreateLogGroup", &json!({ "logGroupName": "b", "logGroupClass": "X" }), code, "[STANDARD,");
    logs.refused("PutLogEvents", &json!({}), "UnknownOperationException", "PutLogEvents");
    logs.refused("CreateLogGroup", &json!([1]), "SerializationException", "");
}

#[test]
fn groups_are_found_by_prefix_pattern_and_page() {
    let mut logs = Logs(World::default());
    for name in ["/aws/lambda/a", "/aws/lambda/b", "/gwctl/lambda"] {
        logs.done("CreateLogGroup", &json!({ "logGroupName": name }));
    }
    let mut names = |body: &Value| -> Vec<String> {
        let answer = logs.done("DescribeLogGroups", body);
        let groups = answer["logGroups"].as_array().unwrap();
        groups.iter().map(|group| group["logGroupName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&json!({ "logGroupNamePrefix": "/aws/" })), ["/aws/lambda/a", "/aws/lambda/b"]);
    assert_eq!(names(&json!({ "logGroupNamePattern": "lambda" })).len(), 3);
    assert_eq!(names(&json!({ "logGroupIdentifiers": ["/gwctl/lambda"] })), ["/gwctl/lambda"]);
    let first = logs.done("DescribeLogGroups", &json!({ "limit": 2 }));
    let second = logs.done("DescribeLogGroups", &json!({ "limit": 2, "nextToken": first["nextToken"] }));
    assert_eq!(second["logGroups"][0]["logGroupName"], "/gwctl/lambda");
    assert_eq!(second["nextToken"], Value::Null);
    let both = json!({ "logGroupNamePrefix": "/a", "logGroupNamePattern": "b" });
    logs.refused("DescribeLogGroups", &both, "InvalidParameterException", "mutually exclusive");
    logs.refused("DescribeLogGroups", &json!({ "limit": 51 }), "InvalidParameterException", "less than or equal to 50");
}

#[test]
fn tags_go_by_the_arn_without_its_star() {
    let mut logs = Logs(World::default());
    logs.done("CreateLogGroup", &json!({ "logGroupName": "a", "tags": { "x": "1" } }));
    let arn = "arn:aws-cn:logs:cn-north-1:123456789012:log-group:a";
    logs.done("TagResource", &json!({ "resourceArn": arn, "tags": { "y": "2" } }));
    logs.done("UntagResource", &json!({ "resourceArn": arn, "tagKeys": ["x"] }));
    assert_eq!(logs.done("ListTagsForResource", &json!({ "resourceArn": arn })), json!({ "tags": { "y": "2" } }));
    assert_eq!(logs.done("ListTagsLogGroup", &json!({ "logGroupName": "a" })), json!({ "tags": { "y": "2" } }));
    let starred = json!({ "resourceArn": format!("{arn}:*") });
    logs.refused("ListTagsForResource", &starred, "InvalidParameterException", "not valid");
    let other = json!({ "resourceArn": arn.replace("cn-north-1", "eu-central-1") });
    logs.refused("ListTagsForResource", &other, "ResourceNotFoundException", "does not exist");
    let many: BTreeMap<String, String> = (0..50).map(|at| (at.to_string(), String::new())).collect();
    let body = json!({ "resourceArn": arn, "tags": many });
    logs.refused("TagResource", &body, "TooManyTagsException", "no more than 50 tags");
}

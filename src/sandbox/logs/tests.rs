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
        let mut view = self.0.view("123456789012", "cn-north-1", 5.0);
        let logged = events::Events::default().answer(&view.region.logs, &request);
        let response = logged.unwrap_or_else(|| handle(&mut view, &request));
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
    logs.refused("PutQueryDefinition", &json!({}), "UnknownOperationException", "PutQueryDefinition");
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

#[test]
fn what_a_client_writes_is_found_page_by_page_from_either_end() {
    let mut logs = Logs(World::default());
    let named = json!({ "logGroupName": "/g", "logStreamName": "a/b" });
    let put = |times: &[i64]| {
        let events: Vec<Value> =
            times.iter().map(|time| json!({ "timestamp": time, "message": format!("m{time}") })).collect();
        json!({ "logGroupName": "/g", "logStreamName": "a/b", "logEvents": events })
    };
    logs.refused("PutLogEvents", &put(&[1]), "ResourceNotFoundException", "The specified log group does not exist");
    logs.done("CreateLogGroup", &json!({ "logGroupName": "/g" }));
    logs.refused("PutLogEvents", &put(&[1]), "ResourceNotFoundException", "The specified log stream does not exist");
    logs.done("CreateLogStream", &named);
    logs.refused("CreateLogStream", &named, "ResourceAlreadyExistsException", "already exists");
    assert_eq!(logs.done("GetLogEvents", &named)["events"], json!([]));
    logs.refused("PutLogEvents", &put(&[2, 1]), "InvalidParameterException", "chronological order");
    logs.refused("PutLogEvents", &put(&[]), "InvalidParameterException", "logEvents");
    assert!(logs.done("PutLogEvents", &put(&[1, 2, 3, 4, 5]))["rejectedLogEventsInfo"].is_null());

    let messages = |page: &Value| -> Vec<String> {
        let all = page["events"].as_array().unwrap();
        all.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    };
    let mut ask = named.clone();
    ask["limit"] = json!(2);
    let mut seen = Vec::new();
    loop {
        let page = logs.done("GetLogEvents", &ask);
        seen.push(messages(&page));
        if page["nextBackwardToken"] == ask["nextToken"] {
            break;
        }
        ask["nextToken"] = page["nextBackwardToken"].clone();
    }
    assert_eq!(seen, [vec!["m4", "m5"], vec!["m2", "m3"], vec!["m1"], vec![]]);
    let head = logs.done(
        "GetLogEvents",
        &json!({ "logGroupName": "/g", "logStreamName": "a/b", "limit": 2, "startFromHead": true }),
    );
    assert_eq!(messages(&head), ["m1", "m2"]);
    let found = logs.done("FilterLogEvents", &json!({ "logGroupName": "/g", "filterPattern": "m3" }));
    assert_eq!(messages(&found), ["m3"]);
    let streams = logs.done("DescribeLogStreams", &json!({ "logGroupName": "/g" }));
    assert_eq!(streams["logStreams"][0]["lastEventTimestamp"], 5);
    logs.done("DeleteLogStream", &named);
    logs.refused("GetLogEvents", &named, "ResourceNotFoundException", "stream does not exist");
}

#[test]
fn times_that_are_too_far_off_are_rejected_and_the_others_kept() {
    let mut logs = Logs(World::default());
    let named = json!({ "logGroupName": "/g", "logStreamName": "s" });
    logs.done("CreateLogGroup", &json!({ "logGroupName": "/g" }));
    logs.done("CreateLogStream", &named);
    // The clock of these tests stands at 5 s.
    let events = [-15 * 86_400_000_i64, 5_000, 3 * 3_600_000].map(|time| json!({ "timestamp": time, "message": "m" }));
    let answer = logs.done("PutLogEvents", &json!({ "logGroupName": "/g", "logStreamName": "s", "logEvents": events }));
    assert_eq!(answer["rejectedLogEventsInfo"], json!({ "tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2 }));
    assert_eq!(logs.done("GetLogEvents", &named)["events"].as_array().unwrap().len(), 1);
}

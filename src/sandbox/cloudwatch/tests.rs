//! Alarms over all three protocols.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::sandbox::cbor;
use crate::sandbox::wire::{Caller, Request, Response};

struct Aws(Sandbox);

fn request(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request {
    Request {
        method: "POST".into(),
        path: path.into(),
        query: Vec::new(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.into(),
        caller: Caller {
            account: "123456789012".into(),
            region: "cn-north-1".into(),
            service: "monitoring".into(),
            access_key: "123456789012".into(),
        },
    }
}

impl Aws {
    fn new() -> Self {
        Self(Sandbox::in_memory())
    }

    fn json(&self, operation: &str, input: &Value) -> Response {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.0")];
        self.0.handle(request("/", &headers, input.to_string().into_bytes()))
    }

    fn cbor(&self, operation: &str, body: Vec<u8>) -> Response {
        let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        let headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
        self.0.handle(request(&path, &headers, body))
    }

    fn query(&self, parameters: &[(&str, &str)]) -> Response {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Version", "2010-08-01").extend_pairs(parameters);
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        self.0.handle(request("/", &headers, form.finish().into_bytes()))
    }

    #[track_caller]
    fn done(&self, operation: &str, input: &Value) -> Value {
        let response = self.json(operation, input);
        assert_eq!(response.status, 200, "{response:?}");
        serde_json::from_slice(&response.body).unwrap()
    }

    #[track_caller]
    fn refused(&self, operation: &str, input: &Value, status: u16, code: &str, words: &str) {
        let response = self.json(operation, input);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let expected = format!("{code};Sender");
        assert_eq!(
            (response.status, response.header("x-amzn-query-error")),
            (status, Some(expected.as_str())),
            "{body}"
        );
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }

    fn only(&self) -> Value {
        let all = self.done("DescribeAlarms", &json!({}));
        assert_eq!(all["MetricAlarms"].as_array().unwrap().len(), 1, "{all}");
        all["MetricAlarms"][0].clone()
    }
}

fn errors() -> Value {
    json!({
        "AlarmName": "errors", "Namespace": "AWS/ApiGateway", "MetricName": "5XXError", "Statistic": "Sum", "Period": 60,
        "Dimensions": [{ "Name": "ApiName", "Value": "gate" }, { "Name": "Stage", "Value": "dev" }],
        "EvaluationPeriods": 5, "DatapointsToAlarm": 3, "Threshold": 1.5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": ["arn:aws-cn:sns:cn-north-1:123456789012:alarms"], "Tags": [{ "Key": "team", "Value": "a" }],
    })
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

fn with(member: &str, value: Value) -> Value {
    let mut alarm = errors();
    alarm[member] = value;
    alarm
}

#[test]
fn an_alarm_comes_back_as_it_was_put_with_what_cloudwatch_adds() {
    let aws = Aws::new();
    aws.done("PutMetricAlarm", &errors());
    let shown = aws.only();
    for (member, value) in without(errors(), "Tags").as_object().unwrap() {
        assert_eq!(shown[member], *value, "{member}");
    }
    let arn = "arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:errors";
    assert_eq!((&shown["AlarmArn"], &shown["ActionsEnabled"]), (&json!(arn), &json!(true)));
    assert_eq!((&shown["StateValue"], &shown["OKActions"]), (&json!("INSUFFICIENT_DATA"), &json!([])));
    // A second put replaces all of it but state and tags.
    let state = json!({ "AlarmName": "errors", "StateValue": "ALARM", "StateReason": "a test" });
    aws.done("SetAlarmState", &state);
    aws.done("PutMetricAlarm", &without(without(errors(), "AlarmActions"), "Tags"));
    let shown = aws.only();
    assert_eq!((&shown["AlarmActions"], &shown["StateValue"]), (&json!([]), &json!("ALARM")));
    let tags = aws.done("ListTagsForResource", &json!({ "ResourceARN": arn }));
    assert_eq!(tags["Tags"], json!([{ "Key": "team", "Value": "a" }]));
    aws.done("TagResource", &json!({ "ResourceARN": arn, "Tags": [{ "Key": "x", "Value": "y" }] }));
    aws.done("UntagResource", &json!({ "ResourceARN": arn, "TagKeys": ["team"] }));
    let tags = aws.done("ListTagsForResource", &json!({ "ResourceARN": arn }));
    assert_eq!(tags["Tags"], json!([{ "Key": "x", "Value": "y" }]));
    aws.done("DeleteAlarms", &json!({ "AlarmNames": ["errors"] }));
    assert_eq!(aws.done("DescribeAlarms", &json!({}))["MetricAlarms"], json!([]));
    aws.refused("DeleteAlarms", &json!({ "AlarmNames": ["errors"] }), 404, "ResourceNotFound", "errors");
}

#[test]
fn alarms_are_refused_for_what_they_lack_or_mix_up() {
    let aws = Aws::new();
    let metric = |id: &str, shown: bool| {
        json!({ "Id": id, "ReturnData": shown, "MetricStat": {
            "Metric": { "Namespace": "n", "MetricName": "m" }, "Period": 60, "Stat": "Sum",
        } })
    };
    let math = |metrics: Value| {
        json!({
            "AlarmName": "rate", "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
            "Metrics": metrics,
        })
    };
    for (input, words) in [
        (with("AlarmName", json!("")), "'alarmName' failed to satisfy constraint"),
        (with("ComparisonOperator", json!("Above")), "Member must satisfy enum value set"),
        (without(errors(), "Threshold"), "Threshold is required"),
        (without(errors(), "EvaluationPeriods"), "Value null at 'evaluationPeriods'"),
        (with("DatapointsToAlarm", json!(6)), "DatapointsToAlarm must be less"),
        (with("Period", json!(61)), "a multiple of 60"),
        (with("EvaluationPeriods", json!(1441)), "Metrics cannot be checked across more than a day"),
        (with("Statistic", json!("p99")), "at 'statistic'"),
        (with("ExtendedStatistic", json!("p99")), "either Statistic or ExtendedStatistic"),
        (with("TreatMissingData", json!("fine")), "TreatMissingData"),
        (with("AlarmActions", json!(["topic"])), "Invalid arn syntax: topic"),
        (with("AlarmActions", json!(["arn:aws:sns:us-east-1:1:t"])), "Invalid arn syntax"),
        (with("AlarmActions", json!(vec!["arn:aws-cn:sns:r:1:t"; 6])), "less than or equal to 5"),
        (with("ThresholdMetricId", json!("m1")), "does not support ThresholdMetricId"),
        (with("Metrics", json!([metric("m1", true)])), "must not be specified together"),
        (math(json!([metric("m1", true), metric("m2", true)])), "Exactly one element"),
        (math(json!([metric("m1", true), metric("m1", false)])), "not unique"),
        (math(json!([metric("M1", true)])), "lowercase letter"),
        (math(json!([{ "Id": "m1" }])), "either MetricStat or Expression"),
    ] {
        aws.refused("PutMetricAlarm", &input, 400, "ValidationError", words);
    }
    aws.refused("PutMetricAlarm", &with("Colour", json!("red")), 400, "SerializationException", "Colour");
    aws.refused("PutDashboard", &json!({}), 400, "InvalidAction", "PutDashboard");
    let rate = json!({ "Id": "rate", "Expression": "100 * m1 / m2", "Label": "Error rate" });
    aws.done("PutMetricAlarm", &math(json!([metric("m1", false), metric("m2", false), rate])));
    let shown = aws.only();
    assert_eq!(shown["Metrics"][2]["ReturnData"], true);
    assert_eq!(shown["MetricName"], Value::Null);
}

#[test]
fn lists_are_filtered_and_come_in_pages() {
    let aws = Aws::new();
    for name in ["a-1", "a-2", "b-1"] {
        aws.done("PutMetricAlarm", &with("AlarmName", json!(name)));
    }
    let names = |input: Value| {
        let answer = aws.done("DescribeAlarms", &input);
        let all = answer["MetricAlarms"].as_array().unwrap().iter();
        (all.map(|one| one["AlarmName"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), answer["NextToken"].clone())
    };
    assert_eq!(names(json!({ "AlarmNamePrefix": "a-" })).0, ["a-1", "a-2"]);
    assert_eq!(names(json!({ "AlarmNames": ["b-1", "none"] })).0, ["b-1"]);
    assert_eq!(names(json!({ "ActionPrefix": "arn:aws-cn:sqs" })).0, Vec::<String>::new());
    assert_eq!(names(json!({ "StateValue": "OK" })).0, Vec::<String>::new());
    assert_eq!(names(json!({ "AlarmTypes": ["CompositeAlarm"] })).0, Vec::<String>::new());
    let (first, token) = names(json!({ "MaxRecords": 2 }));
    assert_eq!(first, ["a-1", "a-2"]);
    assert_eq!(names(json!({ "MaxRecords": 2, "NextToken": token })), (vec!["b-1".to_owned()], Value::Null));
    aws.refused("DescribeAlarms", &json!({ "MaxRecords": 101 }), 400, "ValidationError", "'maxRecords'");
    let of_metric =
        json!({ "MetricName": "5XXError", "Namespace": "AWS/ApiGateway", "Dimensions": errors()["Dimensions"] });
    assert_eq!(aws.done("DescribeAlarmsForMetric", &of_metric)["MetricAlarms"].as_array().unwrap().len(), 3);
    aws.done("DisableAlarmActions", &json!({ "AlarmNames": ["a-1"] }));
    let one = aws.done("DescribeAlarms", &json!({ "AlarmNames": ["a-1"] }));
    assert_eq!(one["MetricAlarms"][0]["ActionsEnabled"], false);
}

#[test]
fn cbor_has_lists_without_lengths_whole_and_broken_numbers_and_an_end() {
    let aws = Aws::new();
    // As the Rust SDK writes it: a map without a length, and lists with or without.
    let mut body = vec![0xbf];
    for (name, text) in [
        ("AlarmName", "slow"),
        ("Namespace", "AWS/ApiGateway"),
        ("MetricName", "Latency"),
        ("ExtendedStatistic", "p99"),
        ("ComparisonOperator", "GreaterThanThreshold"),
    ] {
        body.extend(cbor::encode(&json!(name), |_| false));
        body.extend(cbor::encode(&json!(text), |_| false));
    }
    for (name, number) in [("Period", json!(60)), ("EvaluationPeriods", json!(5)), ("Threshold", json!(1000.5))] {
        body.extend(cbor::encode(&json!(name), |_| false));
        body.extend(cbor::encode(&number, |_| false));
    }
    body.extend(b"\x6aDimensions\x9f\xbf\x64Name\x65Stage\x65Value\x63dev\xff\xff\xff");
    let put = aws.cbor("PutMetricAlarm", body.clone());
    assert_eq!((put.status, put.header("smithy-protocol")), (200, Some("rpc-v2-cbor")), "{put:?}");
    let shown = aws.only();
    assert_eq!((&shown["Threshold"], &shown["Period"]), (&json!(1000.5), &json!(60)));
    assert_eq!(shown["Dimensions"], json!([{ "Name": "Stage", "Value": "dev" }]));
    // Cut off anywhere, it is refused and breaks nothing.
    for length in 1..body.len() {
        assert_eq!(aws.cbor("PutMetricAlarm", body[..length].to_vec()).status, 400, "{length}");
    }
    assert_eq!(aws.cbor("PutMetricAlarm", [0x81].repeat(100_000)).status, 400);
    let refused = aws.cbor("Nothing", vec![0xa0]);
    assert_eq!((refused.status, refused.header("x-amzn-query-error")), (400, Some("InvalidAction;Sender")));
    let described = aws.cbor("DescribeAlarms", vec![0xa0]);
    // A time is tag 1 before a number of seconds.
    let key = b"StateUpdatedTimestamp";
    let at = described.body.windows(key.len()).position(|part| part == key).unwrap() + key.len();
    assert_eq!(described.body[at], 0xc1);
}

#[test]
fn the_query_protocol_has_everything_in_dotted_names() {
    let aws = Aws::new();
    let put = aws.query(&[
        ("Action", "PutMetricAlarm"),
        ("AlarmName", "rate"),
        ("EvaluationPeriods", "2"),
        ("Threshold", "5"),
        ("ComparisonOperator", "GreaterThanThreshold"),
        ("Metrics.member.1.Id", "m1"),
        ("Metrics.member.1.ReturnData", "false"),
        ("Metrics.member.1.MetricStat.Metric.Namespace", "n"),
        ("Metrics.member.1.MetricStat.Metric.MetricName", "m"),
        ("Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Name", "Stage"),
        ("Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Value", "dev"),
        ("Metrics.member.1.MetricStat.Period", "60"),
        ("Metrics.member.1.MetricStat.Stat", "Sum"),
        ("Metrics.member.2.Id", "e1"),
        ("Metrics.member.2.Expression", "m1 * 2"),
    ]);
    assert_eq!(put.status, 200, "{put:?}");
    let shown = aws.only();
    assert_eq!((&shown["Threshold"], &shown["Metrics"][0]["ReturnData"]), (&json!(5.0), &json!(false)));
    let described = aws.query(&[("Action", "DescribeAlarms"), ("AlarmNames.member.1", "rate")]);
    let text = String::from_utf8(described.body.to_vec()).unwrap();
    for part in [
        "<DescribeAlarmsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">",
        "<MetricAlarms><member>",
        "<Metrics><member>",
        "<Value>dev</Value>",
        "Z</StateUpdatedTimestamp>",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let refused = aws.query(&[("Action", "DeleteAlarms"), ("AlarmNames.member.1", "none")]);
    let text = String::from_utf8(refused.body.to_vec()).unwrap();
    assert!(refused.status == 404 && text.contains("<Code>ResourceNotFound</Code>"), "{text}");
}

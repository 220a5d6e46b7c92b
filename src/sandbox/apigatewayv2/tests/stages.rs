//! Stages.

use serde_json::{Value, json};

use super::super::testing::Bench;

#[test]
fn a_stage_has_what_it_was_given_and_no_limit_that_it_was_not() {
    let mut bench = Bench::default();
    let api = bench.api();
    let made = bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "dev" }));
    assert_eq!(
        made,
        json!({
            "createdDate": "2023-11-14T22:13:20Z", "defaultRouteSettings": { "detailedMetricsEnabled": false },
            "lastUpdatedDate": "2023-11-14T22:13:20Z", "routeSettings": {}, "stageName": "dev", "stageVariables": {},
            "tags": {},
        })
    );
    let path = format!("{api}/stages/dev");
    bench.passed = 60.0;
    // Metrics alone leave the throttles unset; a zero is a limit.
    let changed = bench.ok("PATCH", &path, &json!({ "defaultRouteSettings": { "detailedMetricsEnabled": true } }));
    assert_eq!(changed["defaultRouteSettings"], json!({ "detailedMetricsEnabled": true }));
    assert_eq!(changed["lastUpdatedDate"], "2023-11-14T22:14:20Z");
    let settings = json!({ "throttlingBurstLimit": 0, "throttlingRateLimit": 0.5 });
    let changed = bench.ok("PATCH", &path, &json!({ "defaultRouteSettings": settings }));
    let expected = json!({ "detailedMetricsEnabled": false, "throttlingBurstLimit": 0, "throttlingRateLimit": 0.5 });
    assert_eq!(changed["defaultRouteSettings"], expected);
}

#[test]
fn settings_of_routes_and_variables_go_one_by_one() {
    let mut bench = Bench::default();
    let api = bench.api();
    let integration = bench.integration(&api);
    bench.route(&api, "GET /a", &integration);
    bench.route(&api, "$default", &integration);
    let body = json!({
        "stageName": "$default", "routeSettings": { "GET /a": { "throttlingBurstLimit": 100 } },
        "stageVariables": { "a": "1", "b": "2" },
    });
    bench.ok("POST", &format!("{api}/stages"), &body);
    let path = format!("{api}/stages/%24default");
    let change = json!({
        "routeSettings": { "$default": { "throttlingRateLimit": 2000.0 } }, "stageVariables": { "b": "", "c": "3" },
    });
    let changed = bench.ok("PATCH", &path, &change);
    let expected = json!({ "GET /a": { "throttlingBurstLimit": 100 }, "$default": { "throttlingRateLimit": 2000.0 } });
    assert_eq!(changed["routeSettings"], expected);
    assert_eq!(changed["stageVariables"], json!({ "a": "1", "c": "3" }));
    let settings = format!("{path}/routesettings/GET%20%2Fa");
    bench.delete(&settings);
    assert_eq!(bench.refused("DELETE", &settings, &Value::Null).0, "NotFoundException");
    assert_eq!(bench.get(&path)["routeSettings"], json!({ "$default": { "throttlingRateLimit": 2000.0 } }));
    let (code, said) = bench.refused("PATCH", &path, &json!({ "routeSettings": { "GET /b": {} } }));
    assert_eq!(
        (code.as_str(), said.as_str()),
        ("NotFoundException", "Unable to find Route by key GET /b within the provided RouteSettings")
    );
}

#[test]
fn access_logs_need_no_role_and_can_be_taken_away() {
    let mut bench = Bench::default();
    let api = bench.api();
    bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "dev" }));
    let path = format!("{api}/stages/dev");
    let arn = "arn:aws:logs:us-east-1:111111111111:log-group:/edge/orders";
    let firehose = "arn:aws:firehose:us-east-1:111111111111:deliverystream/amazon-apigateway-a";
    let format = "$context.requestId $context.status";
    for (settings, words) in [
        (json!({ "destinationArn": arn }), "both"),
        (json!({ "destinationArn": arn, "format": "$context.status" }), "must include either $context.requestId"),
        (json!({ "destinationArn": format!("{arn}:*"), "format": format }), "Access log destination must only contain"),
        (json!({ "destinationArn": firehose, "format": format }), "CloudWatch Logs log group"),
    ] {
        let (code, said) = bench.refused("PATCH", &path, &json!({ "accessLogSettings": settings }));
        assert_eq!(code, "BadRequestException");
        assert!(said.contains(words), "{settings}: {said}");
    }
    let settings = json!({ "destinationArn": arn, "format": format });
    let changed = bench.ok("PATCH", &path, &json!({ "accessLogSettings": settings }));
    assert_eq!(changed["accessLogSettings"], settings);
    bench.delete(&format!("{path}/accesslogsettings"));
    assert_eq!(bench.get(&path)["accessLogSettings"], Value::Null);
}

#[test]
fn what_can_not_be_a_stage_is_refused() {
    let mut bench = Bench::default();
    let api = bench.api();
    let path = format!("{api}/stages");
    for (body, code, words) in [
        (json!({}), "BadRequestException", "stageName"),
        (json!({ "stageName": "a.b" }), "BadRequestException", "Stage name"),
        (json!({ "stageName": "$latest" }), "BadRequestException", "Stage name"),
        (json!({ "stageName": "a", "deploymentId": "none" }), "NotFoundException", "Deployment identifier"),
        (json!({ "stageName": "a", "clientCertificateId": "c" }), "BadRequestException", "clientCertificateId"),
        (json!({ "stageName": "a", "stageVariables": { "a-b": "c" } }), "BadRequestException", "variable name"),
        (json!({ "stageName": "a", "stageVariables": { "a": "b c" } }), "BadRequestException", "variable value"),
        (
            json!({ "stageName": "a", "defaultRouteSettings": { "loggingLevel": "OFF" } }),
            "BadRequestException",
            "Execution logs are not supported on protocolType HTTP",
        ),
    ] {
        let (said, message) = bench.refused("POST", &path, &body);
        assert_eq!(said, code, "{body}: {message}");
        assert!(message.contains(words), "{body}: {message}");
    }
    for at in 0..10 {
        bench.ok("POST", &path, &json!({ "stageName": at.to_string() }));
    }
    let (code, said) = bench.refused("POST", &path, &json!({ "stageName": "0" }));
    assert_eq!((code.as_str(), said.as_str()), ("ConflictException", "Stage already exists"));
    assert_eq!(bench.refused("POST", &path, &json!({ "stageName": "more" })).0, "TooManyRequestsException");
    bench.delete(&format!("{path}/0/cache/authorizers"));
    bench.delete(&format!("{path}/0"));
    let (code, said) = bench.refused("GET", &format!("{path}/0"), &Value::Null);
    assert_eq!((code.as_str(), said.as_str()), ("NotFoundException", "Invalid stage identifier specified"));
}

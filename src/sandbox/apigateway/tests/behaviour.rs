//! Stages, deployments, lists, tags, the account.

use serde_json::{Value, json};

use super::super::super::wire::Request;
use super::super::testing::{Bench, caller};
use super::super::{is_read, tagged};
use super::{deploy, document, mocked, patch};

#[test]
fn quotas_are_kept() {
    let mut bench = Bench::default();
    let mut many = document();
    for index in 0..300 {
        many["paths"][format!("/r{index}")] =
            json!({ "get": { "x-amazon-apigateway-integration": { "type": "mock" } } });
    }
    assert_eq!(bench.refused("POST", "/restapis?mode=import", &many).0, "LimitExceededException");
    let mut heavy = document();
    heavy["info"]["description"] = json!("x".repeat(6 * 1024 * 1024));
    assert!(bench.refused("POST", "/restapis?mode=import", &heavy).1.contains("6 MB"));
    assert!(bench.state().apis.is_empty());

    let (mut bench, id, _) = mocked();
    let deployment = deploy(&mut bench, &id, "s0");
    for index in 1..10 {
        let stage = json!({ "stageName": format!("s{index}"), "deploymentId": deployment });
        bench.ok("POST", &format!("/restapis/{id}/stages"), &stage);
    }
    let eleventh = json!({ "stageName": "s10", "deploymentId": deployment });
    assert_eq!(bench.refused("POST", &format!("/restapis/{id}/stages"), &eleventh).0, "LimitExceededException");

    let arn = format!("/tags/arn:aws:apigateway:us-east-1::%2Frestapis%2F{id}%2Fstages%2Fs0");
    let tags = |count: usize| json!({ "tags": (0..count).map(|n| (format!("k{n}"), "v")).collect::<std::collections::BTreeMap<_, _>>() });
    bench.ok("PUT", &arn, &tags(50));
    assert_eq!(bench.refused("PUT", &arn, &tags(51)).0, "LimitExceededException");
    assert_eq!(
        bench.ok("GET", &format!("/restapis/{id}/stages/s0"), &Value::Null)["tags"]
            .as_object()
            .map(serde_json::Map::len),
        Some(50)
    );
}

#[test]
fn flushes_are_counted_by_stage() {
    let (mut bench, id, _) = mocked();
    deploy(&mut bench, &id, "dev");
    deploy(&mut bench, &id, "other");
    let stages = format!("/restapis/{id}/stages");
    let shown = bench.ok("GET", &format!("{stages}/dev"), &Value::Null);
    for _ in 0..2 {
        bench.ok("DELETE", &format!("{stages}/dev/cache/authorizers"), &Value::Null);
    }
    bench.ok("DELETE", &format!("{stages}/other/cache/data"), &Value::Null);
    let missing = bench.refused("DELETE", &format!("{stages}/none/cache/authorizers"), &Value::Null);
    assert_eq!(missing.0, "NotFoundException");
    assert_eq!(bench.state().apis[0].authorizer_flushes, [("dev".to_owned(), 2)].into());
    assert_eq!(bench.ok("GET", &format!("{stages}/dev"), &Value::Null), shown);
}

#[test]
fn logging_needs_the_role_of_the_account_settings() {
    let (mut bench, id, _) = mocked();
    deploy(&mut bench, &id, "dev");
    let stage = format!("/restapis/{id}/stages/dev");
    let account = bench.ok("GET", "/account", &Value::Null);
    assert_eq!(account["cloudwatchRoleArn"], "arn:aws:iam::111111111111:role/sandbox-apigateway-logs");
    bench.ok("PATCH", &stage, &patch("/*/*/logging/loglevel", "INFO"));

    bench.ok("PATCH", "/account", &patch("/cloudwatchRoleArn", ""));
    assert_eq!(bench.ok("GET", "/account", &Value::Null).get("cloudwatchRoleArn"), None);
    let words = "CloudWatch Logs role ARN must be set in account settings to enable logging";
    let group = "arn:aws:logs:us-east-1:111111111111:log-group:g";
    for change in [patch("/*/*/logging/loglevel", "ERROR"), patch("/accessLogSettings/destinationArn", group)] {
        assert_eq!(bench.refused("PATCH", &stage, &change), ("BadRequestException".into(), words.into()));
    }
    bench.ok("PATCH", &stage, &patch("/*/*/logging/loglevel", "OFF"));
    let role = patch("/cloudwatchRoleArn", "arn:aws:iam::111111111111:role/logs");
    assert!(bench.refused("PATCH", "/account", &role).1.starts_with("The role ARN does not have required permissions"));
    bench.make_logs_role();
    bench.ok("PATCH", "/account", &role);
    bench.ok("PATCH", &stage, &patch("/accessLogSettings/destinationArn", group));
}

#[test]
fn only_what_can_be_served_is_deployed() {
    let mut bench = Bench::default();
    let api = bench.ok("POST", "/restapis", &json!({ "name": "a", "endpointConfiguration": { "types": ["PRIVATE"] } }));
    let (id, root) = (api["id"].as_str().expect("an id"), api["rootResourceId"].as_str().expect("a root"));
    let deployments = format!("/restapis/{id}/deployments");
    assert_eq!(bench.refused("POST", &deployments, &json!({})).1, "The REST API doesn't contain any methods");
    let method = format!("/restapis/{id}/resources/{root}/methods/GET");
    bench.ok("PUT", &method, &json!({ "authorizationType": "NONE" }));
    assert_eq!(bench.refused("POST", &deployments, &json!({})).1, "No integration defined for method");
    bench.ok("PUT", &format!("{method}/integration"), &json!({ "type": "MOCK" }));
    let words = "Private REST API doesn't have a resource policy attached to it";
    assert_eq!(bench.refused("POST", &deployments, &json!({})).1, words);
}

#[test]
fn a_canary_takes_canary_deployments_only() {
    let (mut bench, id, _) = mocked();
    deploy(&mut bench, &id, "dev");
    let deployments = format!("/restapis/{id}/deployments");
    let canary = json!({ "stageName": "dev", "canarySettings": { "percentTraffic": 10.0 } });
    let second = bench.ok("POST", &deployments, &canary);
    let words = bench.refused("POST", &deployments, &json!({ "stageName": "dev" })).1;
    assert!(words.contains("Non canary deployment not supported on stage dev"), "{words}");
    let in_use = format!("{deployments}/{}", second["id"].as_str().expect("an id"));
    bench.refused("DELETE", &in_use, &Value::Null);
}

#[test]
fn lists_come_in_pages() {
    let mut bench = Bench::default();
    for index in 0..60 {
        bench.ok("POST", "/restapis", &json!({ "name": format!("api-{index}") }));
    }
    let (mut names, mut path) = (Vec::new(), "/restapis".to_owned());
    let mut pages = 0;
    loop {
        let page = bench.ok("GET", &path, &Value::Null);
        names.extend(page["item"].as_array().expect("items").iter().map(|api| api["name"].to_string()));
        pages += 1;
        match page["position"].as_str() {
            Some(position) => path = format!("/restapis?position={position}"),
            None => break,
        }
    }
    assert_eq!((pages, names.len()), (3, 60));
    assert_eq!(names[59], "\"api-59\"");
    assert_eq!(bench.ok("GET", "/restapis?limit=500", &Value::Null)["item"].as_array().map(Vec::len), Some(60));
    assert_eq!(bench.refused("GET", "/restapis?limit=0", &Value::Null).0, "BadRequestException");
}

#[test]
fn tags_have_one_store() {
    let (mut bench, id, _) = mocked();
    deploy(&mut bench, &id, "dev");
    let arn = format!("/tags/arn:aws:apigateway:us-east-1::%2Frestapis%2F{id}");
    bench.ok("PUT", &arn, &json!({ "tags": { "a": "1", "b": "2" } }));
    bench.ok("DELETE", &format!("{arn}?tagKeys=a"), &Value::Null);
    assert_eq!(bench.ok("GET", &format!("/restapis/{id}"), &Value::Null)["tags"], json!({ "b": "2" }));
    assert_eq!(bench.ok("GET", &arn, &Value::Null)["tags"], json!({ "b": "2" }));
    bench.ok("PUT", &format!("{arn}%2Fstages%2Fdev"), &json!({ "tags": { "c": "3" } }));
    let found = tagged(bench.state(), &caller());
    let arns: Vec<&str> = found.iter().map(|(arn, _)| arn.as_str()).collect();
    let api = format!("arn:aws:apigateway:us-east-1::/restapis/{id}");
    assert_eq!(arns, [api.clone(), format!("{api}/stages/dev")]);
}

#[test]
fn a_moved_resource_takes_its_children_along() {
    let (mut bench, id, root) = mocked();
    let resources = format!("/restapis/{id}/resources");
    let pets = bench.ok("POST", &format!("{resources}/{root}"), &json!({ "pathPart": "pets" }));
    let pets = pets["id"].as_str().expect("an id");
    let child = bench.ok("POST", &format!("{resources}/{pets}"), &json!({ "pathPart": "{id}" }));
    let child = child["id"].as_str().expect("an id");
    bench.ok("PATCH", &format!("{resources}/{pets}"), &patch("/pathPart", "dogs"));
    assert_eq!(bench.ok("GET", &format!("{resources}/{child}"), &Value::Null)["path"], "/dogs/{id}");
    let words = bench.refused("PATCH", &format!("{resources}/{pets}"), &patch("/parentId", child)).1;
    assert_eq!(words, "Resources cannot be cyclical.");
    bench.ok("DELETE", &format!("{resources}/{pets}"), &Value::Null);
    bench.refused("GET", &format!("{resources}/{child}"), &Value::Null);
}

#[test]
fn only_get_is_a_read() {
    let request = |method: &str| Request {
        method: method.into(),
        path: "/restapis".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        caller: caller(),
    };
    assert!(is_read(&request("GET")));
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        assert!(!is_read(&request(method)), "{method}");
    }
}

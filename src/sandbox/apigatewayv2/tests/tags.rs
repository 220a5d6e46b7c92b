//! Tags.

use serde_json::{Value, json};

use super::super::testing::Bench;

#[test]
fn tags_are_one_store() {
    let mut bench = Bench::default();
    let api = bench.api();
    let link = bench.link();
    bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "$default", "tags": { "at": "creation" } }));
    let prefix = "arn:aws:apigateway:us-east-1::";
    let arns = [
        api.replace("/v2", prefix),
        format!("{}/stages/$default", api.replace("/v2", prefix)),
        format!("{prefix}/vpclinks/{link}"),
    ];
    for arn in &arns {
        // Not every client encodes the ARN.
        for arn in [arn.clone(), arn.replace(':', "%3A").replace('/', "%2F")] {
            let path = format!("/v2/tags/{arn}");
            let (_, response) = bench.send("POST", &path, &json!({ "tags": { "a": "b", "c": "d" } }));
            assert_eq!(response.status, 201);
            bench.delete(&format!("{path}?tagKeys=a&tagKeys=x"));
            let tags = bench.get(&path)["tags"].clone();
            assert_eq!((&tags["a"], &tags["c"]), (&Value::Null, &json!("d")));
        }
    }
    assert_eq!(bench.get(&format!("{api}/stages/$default"))["tags"], json!({ "at": "creation", "c": "d" }));
    assert_eq!(bench.get(&format!("/v2/vpclinks/{link}"))["tags"], json!({ "c": "d" }));
    let mut sorted = arns.to_vec();
    sorted.sort();
    assert_eq!(bench.tagged(), sorted);
    bench.delete(&format!("/v2/tags/{}?tagKeys=c", arns[0]));
    assert!(!bench.tagged().contains(&arns[0]));
}

#[test]
fn what_can_not_be_tagged_is_refused() {
    let mut bench = Bench::default();
    let api = bench.api().replace("/v2", "arn:aws:apigateway:us-east-1::");
    let many: serde_json::Map<String, Value> = (0..51).map(|at| (at.to_string(), json!(""))).collect();
    for (arn, body, code) in [
        (api.as_str(), json!({}), "BadRequestException"),
        (&api, json!({ "tags": { "aws:a": "b" } }), "BadRequestException"),
        (&api, json!({ "tags": many }), "LimitExceededException"),
        (&api.replace("us-east-1", "eu-west-1"), json!({ "tags": { "a": "b" } }), "BadRequestException"),
        ("arn:aws:apigateway:us-east-1::/apis/none", json!({ "tags": { "a": "b" } }), "NotFoundException"),
        ("arn:aws:apigateway:us-east-1::/routes/a", json!({ "tags": { "a": "b" } }), "NotFoundException"),
    ] {
        let (said, words) = bench.refused("POST", &format!("/v2/tags/{arn}"), &body);
        assert_eq!(said, code, "{arn} {body}: {words}");
    }
}

//! Integrations.

use serde_json::{Value, json};

use super::super::testing::{Bench, LISTENER};

/// A body that is taken, changed in one member; null takes the member out.
fn private(link: &str, member: &str, value: Value) -> Value {
    let mut body = json!({
        "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": LISTENER,
        "payloadFormatVersion": "1.0", "connectionType": "VPC_LINK", "connectionId": link, "description": "orders",
        "requestParameters": { "overwrite:header.host": "a.example.com", "overwrite:path": "$request.path" },
        "responseParameters": { "500": { "overwrite:statuscode": "403" } },
        "timeoutInMillis": 12_000, "tlsConfig": { "serverNameToVerify": "a.example.com" },
    });
    if value.is_null() {
        body.as_object_mut().unwrap().remove(member);
    } else {
        body[member] = value;
    }
    body
}

#[test]
fn a_private_integration_keeps_all_that_was_given() {
    let mut bench = Bench::default();
    let (api, link) = (bench.api(), bench.link());
    let body = private(&link, "x", Value::Null);
    let mut made = bench.ok("POST", &format!("{api}/integrations"), &body);
    let path = format!("{api}/integrations/{}", made["integrationId"].as_str().unwrap());
    assert_eq!(bench.get(&path), made);
    assert_eq!(bench.get(&format!("{api}/integrations"))["items"], json!([made]));
    made.as_object_mut().unwrap().remove("integrationId");
    assert_eq!(made, body);
    let change = json!({
        "requestParameters": { "overwrite:path": "", "append:header.a": "b" }, "responseParameters": { "500": {} },
        "tlsConfig": {}, "description": "",
    });
    let changed = bench.ok("PATCH", &path, &change);
    assert_eq!(
        changed["requestParameters"],
        json!({ "overwrite:header.host": "a.example.com", "append:header.a": "b" })
    );
    for gone in ["responseParameters", "tlsConfig", "description"] {
        assert_eq!(changed[gone], Value::Null, "{gone}");
    }
    assert_eq!(changed["connectionId"], link);
    // The way to another link: the same integration, moved.
    let other = bench.link();
    assert_eq!(bench.ok("PATCH", &path, &json!({ "connectionId": other }))["connectionId"], other);
    bench.delete(&format!("/v2/vpclinks/{link}"));
    bench.delete(&path);
    assert_eq!(bench.refused("GET", &path, &Value::Null).0, "NotFoundException");
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_service() {
    let mut bench = Bench::default();
    let api = bench.api();
    let function = "arn:aws:lambda:us-east-1:111111111111:function:orders";
    let body = json!({ "integrationType": "AWS_PROXY", "integrationUri": function, "payloadFormatVersion": "2.0" });
    let made = bench.ok("POST", &format!("{api}/integrations"), &body);
    assert_eq!(
        made,
        json!({
            "connectionType": "INTERNET", "integrationId": made["integrationId"], "integrationMethod": "POST",
            "integrationType": "AWS_PROXY", "integrationUri": function, "payloadFormatVersion": "2.0",
            "timeoutInMillis": 30_000,
        })
    );
    // TLS settings of an integration through the internet are taken and forgotten.
    let path = format!("{api}/integrations/{}", bench.integration(&api));
    let changed = bench.ok("PATCH", &path, &json!({ "tlsConfig": { "serverNameToVerify": "a.example.com" } }));
    assert_eq!(changed["tlsConfig"], Value::Null);
}

#[test]
fn what_can_not_be_an_integration_is_refused() {
    let mut bench = Bench::default();
    let (api, link) = (bench.api(), bench.link());
    let path = format!("{api}/integrations");
    bench.ok("POST", &path, &private(&link, "x", Value::Null));
    let elsewhere = LISTENER.replace("us-east-1", "eu-west-1");
    let balancer = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/shared/50dc6c495c0c9188";
    let listener = "integration uri should be a valid ELB listener ARN";
    for (member, value, words) in [
        ("connectionId", Value::Null, "connectionId"),
        ("connectionId", json!("absent"), "Invalid VpcLink identifier specified absent"),
        ("connectionType", json!("INTERNET"), "connectionId is only supported"),
        ("connectionType", json!("TUNNEL"), "connectionType"),
        ("integrationType", Value::Null, "integrationType"),
        ("integrationType", json!("HTTP"), "not supported on protocolType HTTP"),
        ("integrationType", json!("MOCK"), "not supported on protocolType HTTP"),
        ("integrationMethod", Value::Null, "integrationMethod"),
        ("integrationMethod", json!("TRACE"), "integrationMethod"),
        ("integrationUri", Value::Null, "integrationUri"),
        ("integrationUri", json!("https://example.com"), listener),
        ("integrationUri", json!(balancer), listener),
        ("integrationUri", json!(elsewhere), listener),
        ("payloadFormatVersion", json!("2.0"), "payloadFormatVersion"),
        ("payloadFormatVersion", Value::Null, "payloadFormatVersion"),
        ("timeoutInMillis", json!(49), "Timeout should be between 50 ms and 30000 ms"),
        ("timeoutInMillis", json!(30_001), "Timeout should be between 50 ms and 30000 ms"),
        (
            "requestParameters",
            json!({ "overwrite:header.Connection": "x" }),
            "Invalid mapping expression specified: Validation",
        ),
        ("responseParameters", json!({ "600": {} }), "Invalid status code"),
        ("requestTemplates", json!({ "application/json": "" }), "requestTemplates"),
        ("integrationSubtype", json!("SQS-SendMessage"), "integrationSubtype"),
    ] {
        let before = bench.state().apis.clone();
        let (code, said) = bench.refused("POST", &path, &private(&link, member, value.clone()));
        assert!(said.contains(words), "{member} {value}: {code}: {said}");
        assert_eq!(bench.state().apis, before, "{member}");
    }
    let targets = [
        "arn:aws:elasticloadbalancing:us-east-1:111111111111:listener/net/a/1/2",
        "arn:aws:servicediscovery:us-east-1:111111111111:service/srv-id?stage=prod",
    ];
    for uri in targets {
        bench.ok("POST", &path, &private(&link, "integrationUri", json!(uri)));
    }
}

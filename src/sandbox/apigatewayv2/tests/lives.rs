//! How an API and what is in it are made, changed and deleted.

use serde_json::{Value, json};

use super::super::testing::Bench;

#[test]
fn an_api_is_made_changed_and_deleted() {
    let mut bench = Bench::default();
    let body = json!({
        "name": "orders", "protocolType": "HTTP", "description": "d", "version": "v1", "tags": { "a": "b" },
        "corsConfiguration": { "allowOrigins": ["https://a.example"], "allowHeaders": ["X-Token"], "maxAge": 60 },
    });
    let made = bench.ok("POST", "/v2/apis", &body);
    let id = made["apiId"].as_str().unwrap();
    assert_eq!(
        made,
        json!({
            "apiEndpoint": format!("https://{id}.execute-api.us-east-1.amazonaws.com"),
            "apiId": id,
            "apiKeySelectionExpression": "$request.header.x-api-key",
            "corsConfiguration": { "allowHeaders": ["x-token"], "allowOrigins": ["https://a.example"], "maxAge": 60 },
            "createdDate": "2023-11-14T22:13:20Z",
            "description": "d",
            "disableExecuteApiEndpoint": false,
            "ipAddressType": "ipv4",
            "name": "orders",
            "protocolType": "HTTP",
            "routeSelectionExpression": "$request.method $request.path",
            "tags": { "a": "b" },
            "version": "v1",
        })
    );
    let path = format!("/v2/apis/{id}");
    assert_eq!(bench.get(&path), made);
    let changed = bench.ok("PATCH", &path, &json!({ "description": "", "disableExecuteApiEndpoint": true }));
    assert_eq!((&changed["description"], &changed["disableExecuteApiEndpoint"]), (&Value::Null, &json!(true)));
    assert_eq!(changed["corsConfiguration"], made["corsConfiguration"]);
    bench.delete(&format!("{path}/cors"));
    assert_eq!(bench.get(&path)["corsConfiguration"], Value::Null);
    bench.delete(&path);
    let refusal = bench.refused("GET", &path, &Value::Null);
    assert_eq!(refusal, ("NotFoundException".into(), format!("Invalid API identifier specified {id}")));
}

#[test]
fn lists_go_by_pages() {
    let mut bench = Bench::default();
    let apis: Vec<String> = (0..5).map(|_| bench.api()).collect();
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = bench.get(&format!("/v2/apis?maxResults=2{next}"));
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|api| format!("/v2/apis/{}", api["apiId"].as_str().unwrap())));
        let Some(token) = page["nextToken"].as_str() else { break };
        next = format!("&nextToken={token}");
    }
    assert_eq!(found, apis);
    for query in ["maxResults=0", "maxResults=x", "nextToken=2"] {
        let (code, _) = bench.refused("GET", &format!("/v2/apis?{query}"), &Value::Null);
        assert_eq!(code, "BadRequestException", "{query}");
    }
}

#[test]
fn what_is_not_here_is_refused_loudly() {
    let mut bench = Bench::default();
    let api = bench.api();
    let quick = json!({ "name": "a", "protocolType": "HTTP", "target": "https://example.com" });
    let socket = json!({ "name": "a", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.a" });
    for (verb, path, body) in [
        ("POST", "/v2/apis", quick),
        ("POST", "/v2/apis", socket),
        ("PUT", "/v2/apis", json!({ "body": "{}" })),
        ("PUT", &*api, json!({ "body": "{}" })),
        ("GET", &*format!("{api}/exports/OAS30"), Value::Null),
        ("GET", &*format!("{api}/models"), Value::Null),
        ("GET", "/v2/portals", Value::Null),
        ("GET", "/v2/domainnames/a.example.com/routingrules", Value::Null),
        ("GET", "/v2/nothing", Value::Null),
        ("POST", &*format!("{api}/cors"), json!({})),
    ] {
        let (code, words) = bench.refused(verb, path, &body);
        assert_eq!(code, "NotImplementedException", "{verb} {path}: {words}");
    }
}

#[test]
fn in_china_hosts_and_arns_are_chinese() {
    let mut bench = Bench::in_region("cn-north-1");
    let api = bench.api();
    let endpoint = bench.get(&api)["apiEndpoint"].as_str().unwrap().to_owned();
    assert!(endpoint.ends_with(".execute-api.cn-north-1.amazonaws.com.cn"), "{endpoint}");
    let arn = api.replace("/v2/", "arn:aws-cn:apigateway:cn-north-1::/");
    bench.ok("POST", &format!("/v2/tags/{arn}"), &json!({ "tags": { "a": "b" } }));
    assert_eq!(bench.tagged(), std::slice::from_ref(&arn));
    let (code, _) = bench.refused("GET", &format!("/v2/tags/{}", arn.replace("aws-cn", "aws")), &Value::Null);
    assert_eq!(code, "BadRequestException");
    let link = bench.link();
    let uri = "arn:aws-cn:elasticloadbalancing:cn-north-1:111111111111:listener/app/a/1/2";
    for (uri, taken) in [(uri.to_owned(), true), (uri.replace("aws-cn", "aws"), false)] {
        let body = json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "GET", "payloadFormatVersion": "1.0",
            "connectionType": "VPC_LINK", "connectionId": link, "integrationUri": uri,
        });
        let (_, response) = bench.send("POST", &format!("{api}/integrations"), &body);
        assert_eq!(response.status == 201, taken, "{uri}");
    }
}

#[test]
fn the_state_survives_being_kept() {
    let mut bench = Bench::default();
    let api = bench.api();
    let integration = bench.integration(&api);
    bench.route(&api, "GET /a/{id}", &integration);
    bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "$default", "autoDeploy": true }));
    bench.link();
    let state = bench.state();
    let kept = serde_json::to_string(state).unwrap();
    let read: super::super::State = serde_json::from_str(&kept).unwrap();
    assert_eq!((&read.apis, &read.vpc_links), (&state.apis, &state.vpc_links));
    // A Region that was kept before there were HTTP APIs.
    let mut old = serde_json::to_value(bench.here()).unwrap();
    old.as_object_mut().unwrap().remove("apigatewayv2");
    let old: crate::sandbox::world::Region = serde_json::from_value(old).unwrap();
    assert!(old.apigatewayv2.apis.is_empty());
}

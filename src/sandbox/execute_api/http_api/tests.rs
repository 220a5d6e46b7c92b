//! Requests to HTTP APIs in the test's own process, as simulated clients send them: to a Region of an account.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::sandbox::acm::Certificate;
use crate::sandbox::execute_api::{Gateway, Options, Site};
use crate::sandbox::wire::{Caller, Request as Call};
use crate::sandbox::world::World;

const ACCOUNT: &str = "123456789012";
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// A sandbox in whose `us-east-1` VPC links stay pending.
fn sandbox() -> Sandbox {
    let mut world = World::default();
    world.view(ACCOUNT, REGIONS[1], 0.0).region.apigateway.vpc_link_delay = 3600.0;
    Sandbox::holding(world)
}

fn post(sandbox: &Sandbox, region: &str, path: &str, body: &Value) -> Value {
    let caller = Caller {
        account: ACCOUNT.into(),
        region: region.into(),
        service: "apigateway".into(),
        access_key: ACCOUNT.into(),
    };
    let body = Bytes::from(body.to_string());
    let call = Call { method: "POST".into(), path: path.into(), query: Vec::new(), headers: Vec::new(), body, caller };
    let response = sandbox.handle(call);
    assert!(response.status < 300, "{path}: {}", String::from_utf8_lossy(&response.body));
    serde_json::from_slice(&response.body).unwrap_or_default()
}

/// An API whose route `GET /a` leads through a VPC link, and the API's id.
fn api(sandbox: &Sandbox, region: &str) -> String {
    let made = post(sandbox, region, "/v2/apis", &json!({ "name": "orders", "protocolType": "HTTP" }));
    let id = made["apiId"].as_str().unwrap();
    let link = post(sandbox, region, "/v2/vpclinks", &json!({ "name": "l", "subnetIds": ["subnet-0a", "subnet-0b"] }));
    let listener = format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:listener/app/a/b/c");
    let integration = json!({
        "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "connectionType": "VPC_LINK",
        "connectionId": link["vpcLinkId"], "integrationUri": listener, "payloadFormatVersion": "1.0",
    });
    let integration = post(sandbox, region, &format!("/v2/apis/{id}/integrations"), &integration);
    route(sandbox, region, id, "GET /a", &integration);
    post(sandbox, region, &format!("/v2/apis/{id}/stages"), &json!({ "stageName": "$default", "autoDeploy": true }));
    id.to_owned()
}

fn route(sandbox: &Sandbox, region: &str, api: &str, key: &str, integration: &Value) {
    let target = format!("integrations/{}", integration["integrationId"].as_str().unwrap());
    post(sandbox, region, &format!("/v2/apis/{api}/routes"), &json!({ "routeKey": key, "target": target }));
}

async fn get(gateway: &Gateway, region: &str, host: &str, path: &str) -> Option<Response<Bytes>> {
    let request = Request::get(path).header("host", host).body(Bytes::new()).unwrap();
    let site = Site { account: ACCOUNT.into(), region: region.into() };
    gateway.send(&site, request, IpAddr::from([203, 0, 113, 7])).await
}

fn shown(response: &Response<Bytes>) -> (u16, String) {
    (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
}

#[tokio::test]
async fn a_client_reaches_the_region_that_it_resolved_the_name_to() {
    let mut world = World::default();
    let certificate = |region: &str| format!("arn:aws:acm:{region}:{ACCOUNT}:certificate/1");
    for region in REGIONS {
        let arn = certificate(region);
        let held = Certificate::of(&arn, &["api.example.com"]);
        world.view(ACCOUNT, region, 0.0).region.acm.certificates.insert(arn, held);
    }
    let sandbox = Sandbox::holding(world);
    let apis = REGIONS.map(|region| api(&sandbox, region));
    for (region, id) in REGIONS.iter().zip(&apis) {
        let configuration = json!({
            "certificateArn": certificate(region), "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2",
        });
        let domain = json!({ "domainName": "api.example.com", "domainNameConfigurations": [configuration] });
        post(&sandbox, region, "/v2/domainnames", &domain);
        let mapping = json!({ "apiId": id, "stage": "$default" });
        post(&sandbox, region, "/v2/domainnames/api.example.com/apimappings", &mapping);
    }
    // Only one of the two has the route by which they are told apart.
    let (region, id) = (REGIONS[0], &apis[0]);
    let function = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:f");
    let integration = json!({
        "integrationType": "AWS_PROXY", "integrationUri": function, "payloadFormatVersion": "2.0",
    });
    let integration = post(&sandbox, region, &format!("/v2/apis/{id}/integrations"), &integration);
    route(&sandbox, region, id, "GET /function", &integration);

    let gateway = Gateway::new(sandbox, Options::default()).unwrap();
    // Functions are not served, and said to be so; in the other Region there is no such route.
    let answer = get(&gateway, REGIONS[0], "api.example.com", "/function").await.unwrap();
    assert_eq!(shown(&answer), (500, r#"{"message":"Internal Server Error"}"#.to_owned()));
    let answer = get(&gateway, REGIONS[1], "api.example.com", "/function").await.unwrap();
    assert_eq!(shown(&answer), (404, r#"{"message":"Not Found"}"#.to_owned()));
    // A Region that does not have the name answers for nobody, and another name leads nowhere.
    assert_eq!(get(&gateway, "eu-north-1", "api.example.com", "/a").await.unwrap().status(), 403);
    assert!(get(&gateway, REGIONS[0], "other.example.com", "/a").await.is_none());
}

#[tokio::test]
async fn what_is_behind_a_link_that_is_not_up_or_nowhere_is_not_available() {
    let sandbox = sandbox();
    let apis = REGIONS.map(|region| api(&sandbox, region));
    let gateway = Gateway::new(sandbox, Options::default()).unwrap();
    for (region, id) in REGIONS.iter().zip(&apis) {
        let host = format!("{id}.execute-api.{region}.amazonaws.com");
        let answer = get(&gateway, region, &host, "/a").await.unwrap();
        assert_eq!(shown(&answer), (503, r#"{"message":"Service Unavailable"}"#.to_owned()), "{region}");
        assert!(answer.headers().contains_key("apigw-requestid"));
    }
}

/// The rule is there in both Regions, so that what keeps the second from being reached is its link alone.
#[tokio::test]
async fn a_pending_link_takes_no_requests() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let sandbox = sandbox();
    let apis = REGIONS.map(|region| api(&sandbox, region));
    let backend = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut upstreams = crate::sandbox::execute_api::Upstreams::default();
    for region in REGIONS {
        let listener = format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:listener/app/a/b/c");
        upstreams.add(&format!("{listener}={}", backend.local_addr().unwrap())).unwrap();
    }
    let serving = tokio::spawn(async move {
        let (mut stream, _) = backend.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let gateway = Gateway::new(sandbox, Options { upstreams, ..Options::default() }).unwrap();
    let host = |at: usize| format!("{}.execute-api.{}.amazonaws.com", apis[at], REGIONS[at]);
    let pending = get(&gateway, REGIONS[1], &host(1), "/a").await.unwrap();
    assert_eq!(pending.status(), 503);
    let served = get(&gateway, REGIONS[0], &host(0), "/a?b=c").await.unwrap();
    assert_eq!(shown(&served), (200, "ok".to_owned()));
    assert!(serving.await.unwrap().starts_with("GET /a?b=c HTTP/1.1\r\n"));
}

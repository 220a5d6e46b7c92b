//! Requests to a deployed stage: the gateway on a socket, and the upstream of the recordings behind it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::execute_api::{Gateway, Options, Upstreams};
use gwctl::sandbox::listener::{Doors, bind, serve};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};

/// Sends the request of an `Invoke` step, and shows the answer as it was recorded.
pub(crate) fn invoke(sandbox: &Sandbox, input: &Value) -> Value {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let upstream = bind("127.0.0.1:0").await.unwrap();
        let mut upstreams = Upstreams::default();
        upstreams.add(&format!("echo.example={}", upstream.local_addr().unwrap())).unwrap();
        tokio::spawn(answer_all(upstream));
        let gateway = Gateway::new(sandbox.clone(), Options { upstreams, ..Options::default() }).unwrap();
        let doors = Doors { control: None, data: Some(Arc::new(gateway)) };
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(doors, listener, pending()));
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(request(input)).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let headers = joined(&head.headers);
        let content: Value = serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
        json!({ "content": content, "headers": headers, "status_code": head.status.as_u16() })
    })
}

fn request(input: &Value) -> Request<Full<Bytes>> {
    let member = |name: &str| input[name].as_str().unwrap_or_default();
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in input["queryString"].as_object().into_iter().flatten() {
        query.append_pair(name, value.as_str().unwrap());
    }
    let uri = format!("/{}{}?{}", member("stageName"), member("path"), query.finish());
    let host = format!("{}.execute-api.us-east-1.amazonaws.com", member("restApiId"));
    let mut request = Request::builder().method(member("httpMethod")).uri(uri).header("host", host);
    for (name, value) in input["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap());
    }
    request.body(Full::new(Bytes::copy_from_slice(member("body").as_bytes()))).unwrap()
}

async fn answer_all(listener: tokio::net::TcpListener) {
    while let Ok((stream, client)) = listener.accept().await {
        let service = service_fn(move |request| async move { Ok::<_, Infallible>(echo(request, client.ip()).await) });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// What the upstream of the recordings answers: 200, and what it got.
async fn echo(request: Request<Incoming>, client: std::net::IpAddr) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
        let all = arguments.entry(name.into_owned()).or_default();
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(&value);
    }
    let mut headers = joined(&head.headers);
    headers.retain(|name, _| !name.starts_with("x-amzn") && !name.starts_with("x-forwarded-"));
    let got = json!({
        "args": arguments,
        "data": serde_json::from_slice::<Value>(&body).unwrap_or_default(),
        "domain": headers["host"],
        "headers": headers,
        "method": head.method.as_str(),
        "origin": client.to_string(),
        "path": head.uri.path(),
    });
    Response::builder()
        .header("content-type", "application/json")
        .header("connection", "keep-alive")
        .header("x-amzn-requestid", "0f4b6c1e-2d5a-4b0e-9a59-6d1c7c0c5b1f")
        .body(Full::new(got.to_string().into()))
        .unwrap()
}

/// Headers with their values joined by a comma.
fn joined(headers: &hyper::HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in headers {
        let value = value.to_str().unwrap();
        let joined = match all.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.to_owned(),
        };
        all.insert(name.as_str().to_owned(), joined.into());
    }
    all
}

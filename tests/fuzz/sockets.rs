//! Bytes on a connection to a listener with both doors open: the stages', and behind it the control plane's.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Once};
use std::time::Duration;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::execute_api::{Gateway, Options};
use gwctl::sandbox::listener::{self, Doors};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::bench::{done, id};
use super::check;
use super::strategies::text;

/// The name of all threads that serve here.
const SERVING: &str = "serving";

/// How often one of them panicked. hyper's task and the sandbox's lock would hide it.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A client waits that long for an answer, or for the end of the connection; only one that hangs takes it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Counts panics of the threads that serve, beside what a panic does anyway.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(SERVING) {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(panic);
        }));
    });
}

/// A sandbox that is served.
pub(crate) struct Server {
    pub(crate) sandbox: Sandbox,
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        count_panics();
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(SERVING).enable_all().build().unwrap();
        let gateway = Gateway::new(sandbox.clone(), Options::default()).unwrap();
        let doors = Doors { control: Some(sandbox.clone()), data: Some(Arc::new(gateway)) };
        let listener = runtime.block_on(listener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(listener::serve(doors, listener, std::future::pending()));
        Self { sandbox, address, _runtime: runtime }
    }

    /// Sends a whole request that asks for the connection to be closed, and gives the answer.
    pub(crate) fn ask(&self, request: &str) -> String {
        String::from_utf8_lossy(&self.exchange(request.as_bytes(), false)).into_owned()
    }

    /// Sends bytes, and closes the client's side behind them, so that nothing waits for more. What comes back, if anything
    /// does: to the server, a client that is closed is gone.
    fn send(&self, bytes: &[u8]) -> Vec<u8> {
        self.exchange(bytes, true)
    }

    fn exchange(&self, bytes: &[u8], close: bool) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        // The server may close the connection before it has read all of it.
        let _ = stream.write_all(bytes);
        if close {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the server hangs on {:?}", String::from_utf8_lossy(bytes));
            }
            _ => answer,
        }
    }

    /// The server still answers a good request, and nothing panicked.
    pub(crate) fn assert_alive(&self, path: &str) -> Result<(), TestCaseError> {
        let answer = self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        prop_assert!(answer.starts_with("HTTP/1.1 200"), "a good request is answered by {answer:?}");
        prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a thread panicked; stderr has where");
        Ok(())
    }
}

/// An API with routes of all forms in front of mocks, and the path of its stage.
fn mocks(sandbox: &Sandbox) -> String {
    let mock = json!({ "x-amazon-apigateway-integration": {
        "type": "mock", "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
        "responses": { "default": { "statusCode": "200", "responseParameters": {
            "method.response.header.x-path": "context.path", "method.response.header.x-echo": "method.request.header.x-in",
        }, "responseTemplates": { "application/json": "$input.params('p') $input.params().header $context.identity.userAgent" } } },
    }, "responses": { "200": { "headers": { "x-path": {}, "x-echo": {} } } } });
    let mut mapped = mock.clone();
    mapped["parameters"] = json!([{ "name": "x-in", "in": "header" }]);
    mapped["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"] =
        json!({ "method.response.header.x-path": "context.path" });
    let document = json!({
        "openapi": "3.0.1", "info": { "title": "mocks" },
        "paths": {
            "/good": { "get": mapped }, "/{p}": { "x-amazon-apigateway-any-method": mapped },
            "/deep/{proxy+}": { "x-amazon-apigateway-any-method": mapped },
        },
        "x-amazon-apigateway-gateway-responses": { "MISSING_AUTHENTICATION_TOKEN": {
            "responseParameters": { "gatewayresponse.header.x-sent": "method.request.header.x-in",
                "gatewayresponse.header.x-path": "context.path" },
            "responseTemplates": { "application/json": "{\"m\":$context.error.messageString,\"p\":\"$context.path\"}" } } },
        "x-amazon-apigateway-policy": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*" },
            { "Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/live/*/closed/*" },
        ] },
    });
    let api = id(&done(sandbox, "POST", "/restapis?mode=import", &document));
    done(sandbox, "POST", &format!("/restapis/{api}/deployments"), &json!({ "stageName": "live" }));
    format!("/_sandbox/execute-api/{api}/live")
}

/// The server that all cases share, and the path of its stage.
static SERVER: LazyLock<(Server, String)> = LazyLock::new(|| {
    let sandbox = Sandbox::in_memory();
    let stage = mocks(&sandbox);
    (Server::new(sandbox), stage)
});

/// Bytes that a request target, or the value of a header, may be thought to have.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => text().prop_map(String::into_bytes),
        2 => "(/|a|\\.\\.|%|%2|%2F|%00|%zz|%C3|%C3%A4|;|\\?|&|=|#|\\+|:|@){0,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..40),
        1 => (1_usize..70_000).prop_map(|length| vec![b'a'; length]),
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![
        4 => select(&["GET", "POST", "OPTIONS", "HEAD", "PURGE", "CONNECT"][..]).prop_map(|name| name.as_bytes().to_vec()),
        1 => bytes(),
    ];
    let start = select(&["/good", "/", "/deep/", "/closed/", "//", "?", "", "/good?", "/{p}"][..]);
    let target = prop_oneof![
        8 => (start, bytes()).prop_map(|(start, more)| [SERVER.1.as_bytes(), start.as_bytes(), &more].concat()),
        1 => bytes().prop_map(|more| [b"/_sandbox/execute-api/", &*more].concat()),
        1 => bytes().prop_map(|more| [b"http://", &*more].concat()),
        1 => bytes(),
    ];
    let version = select(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP", ""][..]);
    let name = select(
        &[
            "host",
            "x-in",
            "accept",
            "content-type",
            "authorization",
            "cookie",
            "x-forwarded-for",
            "x-amzn-trace-id",
            "x-gwctl-source-ip",
            "x-api-key",
            "user-agent",
            "connection",
            "expect",
            "upgrade",
            "te",
            "content-encoding",
            "transfer-encoding",
            "content-length",
            "range",
            "origin",
            "",
        ][..],
    );
    let value = prop_oneof![
        4 => bytes(),
        1 => select(&["close", "upgrade", "100-continue", "chunked", "aws-chunked", "websocket", "0", "-1", "a.execute-api.localhost"][..])
            .prop_map(|value| value.as_bytes().to_vec()),
    ];
    let header = (name, value).prop_map(|(name, value)| [name.as_bytes(), b": ", &value].concat());
    let body = prop_oneof![
        3 => Just(b"\r\n".to_vec()),
        1 => (0_usize..50, vec(any::<u8>(), 0..40)).prop_map(|(length, body)| {
            [format!("content-length: {length}\r\n\r\n").as_bytes(), &body].concat()
        }),
        1 => (vec(vec(any::<u8>(), 1..20), 0..4), any::<proptest::sample::Index>()).prop_map(|(chunks, cut)| {
            let mut body = b"transfer-encoding: chunked\r\n\r\n".to_vec();
            let begin = body.len();
            for chunk in chunks {
                body.extend([format!("{:x};e=1\r\n", chunk.len()).as_bytes(), &chunk, b"\r\n"].concat());
            }
            body.extend(b"0\r\ntrailer: x\r\n\r\n");
            body.truncate(begin + cut.index(body.len() - begin + 1));
            body
        }),
        1 => "[0-9a-fx;]{1,18}".prop_map(|size| format!("transfer-encoding: chunked\r\n\r\n{size}\r\nabc").into_bytes()),
    ];
    (method, target, version, vec(header, 0..5), body).prop_map(|(method, target, version, headers, body)| {
        let mut head = [&method, &b" "[..], &target, b" ", version.as_bytes(), b"\r\n"].concat();
        for header in headers {
            head.extend([&header, &b"\r\n"[..]].concat());
        }
        head.extend(body);
        head
    })
}

#[test]
fn no_bytes_on_a_connection_take_the_server_down() {
    let (server, stage) = &*SERVER;
    let raw = prop_oneof![
        6 => request(),
        // Several on one connection.
        2 => vec(request(), 2..5).prop_map(|all| all.concat()),
        1 => vec(any::<u8>(), 0..300),
        // Cut anywhere.
        2 => (request(), any::<proptest::sample::Index>()).prop_map(|(mut all, cut)| {
            all.truncate(cut.index(all.len() + 1));
            all
        }),
    ];
    check(150, &raw, |bytes| {
        server.send(&bytes);
        server.assert_alive(&format!("{stage}/good"))
    });
}

#[test]
fn every_status_that_a_mock_may_have_is_survived() {
    // Among them those that HTTP gives a meaning of its own: 100, 101, 204, 304.
    let sandbox = Sandbox::in_memory();
    let mut paths = json!({});
    for status in [100, 101, 102, 103, 199, 200, 204, 205, 206, 226, 300, 304, 399, 407, 416, 426, 499, 500, 511, 599] {
        paths[format!("/s{status}")] = json!({ "get": { "x-amazon-apigateway-integration": {
            "type": "mock", "requestTemplates": { "application/json": format!("{{\"statusCode\": {status}}}") },
            "responses": { "default": { "statusCode": status.to_string(), "responseTemplates": { "application/json": "body" } } },
        } } });
    }
    let document = json!({ "openapi": "3.0.1", "info": { "title": "all" }, "paths": paths });
    let api = id(&done(&sandbox, "POST", "/restapis?mode=import", &document));
    done(&sandbox, "POST", &format!("/restapis/{api}/deployments"), &json!({ "stageName": "live" }));
    let server = Server::new(sandbox);
    let stage = format!("/_sandbox/execute-api/{api}/live");
    for path in paths.as_object().unwrap().keys() {
        let answer = server.ask(&format!("GET {stage}{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer:?}");
        server.assert_alive(&format!("{stage}/s200")).unwrap();
    }
}

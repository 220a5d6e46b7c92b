//! The sandbox on a socket: `gwctl sandbox --listen 127.0.0.1:PORT` serves boto3, the AWS CLI and every other AWS client
//! that takes an endpoint URL.
//!
//! Only loopback addresses are served: there is no authentication worth the name, and a sandbox on a network would be an
//! open door to whoever finds it.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::Either;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Sandbox;
use super::execute_api::{self, Gateway, Written};
use super::transport::Outcome;
use super::wire::{Incoming, Response};
use crate::error::{Failure, FailureKind, Result};

/// More than any request of the services here may have: Lambda takes 70 MB.
const BODY_LIMIT: usize = 100 * 1024 * 1024;

/// How long requests under way may still take when the process is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Binds an address such as `127.0.0.1:4566`, `[::1]:0` or `localhost:4566`; refuses one that is not loopback.
pub async fn bind(address: &str) -> Result<TcpListener> {
    let address = match address.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => address.to_owned(),
    };
    let parsed: SocketAddr = address.parse().map_err(|_| {
        Failure::new(FailureKind::Usage, format!("`{address}` is no address to listen on"))
            .hint("write address and port: `127.0.0.1:4566`")
    })?;
    if !parsed.ip().is_loopback() {
        return Err(Failure::new(FailureKind::Usage, format!("the sandbox does not listen on {parsed}"))
            .cause("it lets everybody do everything, so only this machine may reach it")
            .hint(format!("listen on 127.0.0.1:{}", parsed.port())));
    }
    TcpListener::bind(parsed).await.map_err(|error| {
        Failure::io(format!("failed to listen on {parsed}"), &error)
            .hint("another program may use the port; port 0 takes a free one")
    })
}

/// What stands behind a socket.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The control plane.
    pub control: Option<Sandbox>,
    /// The data plane. It is asked first.
    pub data: Option<Arc<Gateway>>,
}

impl From<Sandbox> for Doors {
    fn from(sandbox: Sandbox) -> Self {
        Self { control: Some(sandbox), data: None }
    }
}

/// Serves a sandbox until `shutdown` is ready, then lets the requests under way finish.
pub async fn serve(doors: impl Into<Doors>, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<()> {
    let doors = doors.into();
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    connections.spawn(connection(doors.clone(), stream, client.ip(), stopped.clone()));
                }
                // A client that gave up, or no file descriptors left: neither is a reason to stop serving the others.
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // Nobody listening any more means that all connections are closed already.
    let _ = stop.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    // A client that sends no more, or a backend that is slow, would keep the process for as long as it likes.
    let _ = tokio::time::timeout(GRACE, drained).await;
    Ok(())
}

async fn connection(doors: Doors, stream: TcpStream, client: IpAddr, mut stopped: watch::Receiver<bool>) {
    // Answers are small and written at once; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let doors = Arc::new(doors);
    let service = service_fn(move |request| {
        let doors = Arc::clone(&doors);
        async move { respond(&doors, client, request).await }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            _ = stopped.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The connection is to be closed without an answer. That the client dies can't be done from here: to it, a crash is a
/// connection that breaks.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was cut on purpose")
    }
}

impl std::error::Error for Cut {}

async fn respond(doors: &Doors, client: IpAddr, mut request: hyper::Request<Body>) -> Result<Written, Cut> {
    if let Some(gateway) = &doors.data {
        match execute_api::respond(gateway, request, client).await {
            Either::Left(written) => return Ok(written),
            Either::Right(other) => request = other,
        }
    }
    let Some(sandbox) = &doors.control else {
        return Ok(to_hyper(plain(404, "only stages are served here: the path begins with /STAGE/")));
    };
    if let Some(why) = of_a_web_page(request.headers()) {
        return Ok(to_hyper(plain(403, why)));
    }
    let response = match incoming(request).await {
        Ok(incoming) => answer(sandbox, incoming).await?,
        Err(refusal) => refusal,
    };
    Ok(to_hyper(response))
}

/// Why a request is refused that a web page sends through somebody's browser. Signatures are not verified here, so without
/// this any page could make functions run on the machine of whoever looks at it: by a plain cross-site POST, which needs no
/// leave, or under a host name of its own that leads to 127.0.0.1. AWS clients send none of these headers.
fn of_a_web_page(headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key("origin") || headers.contains_key("sec-fetch-site") {
        return Some("the control plane answers no web pages");
    }
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
    let name = name.trim_matches(['[', ']']).to_ascii_lowercase();
    let loopback = name.is_empty() || name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let known = [".localhost", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
    let ours = loopback || !name.contains('.') || known.iter().any(|end| name.ends_with(end));
    if ours { None } else { Some("the control plane answers to names of this machine and of AWS only") }
}

async fn answer(sandbox: &Sandbox, incoming: Incoming) -> Result<Response, Cut> {
    let died = || plain(500, "the sandbox failed to answer; its log says why");
    let asked = sandbox.clone();
    // The code of a function is read from the disk here.
    let request = match tokio::task::spawn_blocking(move || asked.authenticate(incoming)).await {
        Ok(Ok(request)) => request,
        Ok(Err(response)) => return Ok(response),
        Err(_) => return Ok(died()),
    };
    match sandbox.answer(request, true).await {
        Ok(Outcome::Answer(response)) => Ok(response),
        Ok(Outcome::Lost(_)) => Err(Cut),
        Err(_) => Ok(died()),
    }
}

fn to_hyper(response: Response) -> Written {
    tracing::debug!(status = response.status, "answered");
    let mut answer = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        answer = answer.header(name, value);
    }
    answer.body(execute_api::whole(response.body)).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer had a header that can't be sent");
        let mut answer = hyper::Response::new(execute_api::whole(Bytes::new()));
        *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

async fn incoming(request: hyper::Request<Body>) -> Result<Incoming, Response> {
    let (parts, body) = request.into_parts();
    // Reading the body is also what makes hyper answer `Expect: 100-continue`.
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(plain(413, "the request is too large")),
        Err(error) => return Err(plain(400, &format!("failed to read the request: {error}"))),
    };
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, value)| name == "content-encoding" && value.contains("aws-chunked"));
    let body = if chunked {
        unchunk(&body).ok_or_else(|| plain(400, "the body is not in the aws-chunked encoding"))?
    } else {
        body
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    tracing::debug!(method = %parts.method, %target, "asked");
    Ok(Incoming { method: parts.method.as_str().to_owned(), target, headers, body })
}

/// Takes the `aws-chunked` encoding off a body: hexadecimal size, extensions, data, until a chunk of size 0.
fn unchunk(body: &Bytes) -> Option<Bytes> {
    let mut rest = body.as_ref();
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            // Checksums may follow as trailers; nobody here verifies signatures either.
            return Some(whole.into());
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn plain(status: u16, text: &str) -> Response {
    Response {
        status,
        headers: vec![("content-type".into(), "text/plain".into())],
        body: Bytes::copy_from_slice(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::conditions::Conditions;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn only_loopback_is_served() {
        for address in ["0.0.0.0:0", "192.168.0.1:80", "[::]:0"] {
            let failure = bind(address).await.unwrap_err();
            assert_eq!(failure.kind(), FailureKind::Usage);
            assert!(failure.to_string().contains("only this machine"), "{failure}");
        }
        assert!(bind("4566").await.unwrap_err().to_string().contains("no address"));
        assert!(bind("localhost:0").await.is_ok());
    }

    #[test]
    fn aws_chunked_bodies_are_put_together() {
        let body = Bytes::from_static(
            b"3;chunk-signature=00\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AA\r\n\r\n",
        );
        assert_eq!(unchunk(&body).unwrap(), "abc0123456789");
        assert!(unchunk(&Bytes::from_static(b"5\r\nabc\r\n0\r\n")).is_none());
        assert!(unchunk(&Bytes::from_static(b"ffffffffffffffff\r\nabc")).is_none());
        assert!(unchunk(&Bytes::from_static(b"")).is_none());
    }

    #[test]
    fn web_pages_are_not_answered_and_clients_are() {
        let refused = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            of_a_web_page(&headers).is_some()
        };
        for host in [
            "127.0.0.1:4566",
            "[::1]:4566",
            "localhost:4566",
            "x.localhost",
            "iam.amazonaws.com",
            "apigateway.cn-north-1.amazonaws.com.cn",
            "sandbox:4566",
            "",
        ] {
            assert!(!refused(&[("host", host)]), "{host}");
        }
        for host in ["evil.example:4566", "192.0.2.1:4566", "localhost.evil.example"] {
            assert!(refused(&[("host", host)]), "{host}");
        }
        assert!(refused(&[("host", "127.0.0.1"), ("origin", "https://evil.example")]));
        assert!(refused(&[("host", "127.0.0.1"), ("sec-fetch-site", "cross-site")]));
    }

    #[tokio::test]
    async fn requests_are_answered_until_the_shutdown() {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(serve(Sandbox::in_memory(), listener, async { stopped.await.unwrap() }));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..count].starts_with(b"HTTP/1.1 100 Continue"));
        stream.write_all(b"2\r\n{}\r\n0\r\n\r\n").await.unwrap();
        let count = stream.read(&mut buffer).await.unwrap();
        let answer = String::from_utf8_lossy(&buffer[..count]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains("Missing Authentication Token"), "{answer}");
        // The connection is still open; the shutdown must not wait for it.
        stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap().unwrap();
    }

    /// Sends one request on a connection of its own; all that comes back until it is closed.
    async fn ask(address: SocketAddr, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=1/2/eu-central-1/lambda/aws4_request, SignedHeaders=h, Signature=s";
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {scope}\r\nx-amz-date: x\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_cut_and_a_crash_close_the_connection_without_an_answer_and_all_is_counted() {
        let faults =
            ["cut-before:#1", "crash-after:#2", "throttle:ListFunctions#3"].map(|fault| fault.parse().unwrap());
        let conditions = faults.into_iter().fold(Conditions::none(), Conditions::fault);
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sandbox = Sandbox::in_memory().under(conditions);
        let server = tokio::spawn(serve(sandbox, listener, std::future::pending()));
        let list = || ask(address, "GET", "/2015-03-31/functions/");
        assert_eq!(list().await, "");
        assert_eq!(list().await, "");
        let throttled = list().await;
        assert!(throttled.starts_with("HTTP/1.1 429") && throttled.contains("retry-after: 1"), "{throttled}");
        assert!(list().await.starts_with("HTTP/1.1 200"));
        let counters = ask(address, "GET", "/_sandbox/counters").await;
        assert!(
            counters.contains(r#""ListFunctions":{"calls":4,"denied":0,"faults":3,"not_yet":0,"throttles":0"#),
            "{counters}"
        );
        assert!(ask(address, "DELETE", "/_sandbox/counters").await.starts_with("HTTP/1.1 204"));
        assert!(ask(address, "GET", "/_sandbox/counters").await.contains(r#""services":{}"#));
        assert!(ask(address, "PUT", "/_sandbox/counters").await.starts_with("HTTP/1.1 405"));
        server.abort();
    }
}

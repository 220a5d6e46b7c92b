//! The auth service: TLS with a certificate of its own CA, and an answer that depends on nothing but the token.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::Result;
use super::http::{self, Request};

/// An auth service at work; it ends with the process.
#[derive(Debug)]
pub(crate) struct AuthService {
    address: SocketAddr,
    /// The certificate to trust.
    pub(crate) ca_pem: String,
    connections: Arc<AtomicUsize>,
}

impl AuthService {
    /// Starts one on a free port.
    pub(crate) fn start() -> Result<Self> {
        let (tls, ca_pem) = certified()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        thread::Builder::new().name("auth service".to_owned()).spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counter.fetch_add(1, Ordering::Relaxed);
                let tls = Arc::clone(&tls);
                thread::spawn(move || serve(stream, tls));
            }
        })?;
        Ok(Self { address, ca_pem, connections })
    }

    /// Host and port, by name: functions have to look it up, as they do in Lambda.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Answers on one connection until either side has enough; `None` then.
fn serve(stream: TcpStream, tls: Arc<ServerConfig>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let connection = ServerConnection::new(tls).ok()?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut request = Request::default();
    loop {
        request.read(&mut stream)?;
        let answer = answer(&request)?;
        stream.get_mut().write_all(&answer).ok()?;
        stream.get_mut().flush().ok()?;
    }
}

/// The answer to a request; `None` cuts the connection. The token says what it is to be: see the table of events.
fn answer(request: &Request) -> Option<Vec<u8>> {
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    let authorization = request.field("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = query.strip_prefix("token=").or(request.field("x-token")).or(authorization)?;
    let trace = request.field("x-amzn-trace-id").unwrap_or_default();
    // As it stood in the request, so that the users' ids show how it was encoded; shortened like a subject would be.
    let subject = &token[..token.len().min(40)];
    let yes = json!({
        "code": "0",
        "active": true,
        "result": 200,
        "data": {"jwt": subject, "id": 70_123, "scope": ["read", "write"], "trace": trace, "path": path, "odd": "ü"},
        "list/of~things": [{"sub": "third"}],
    });
    let (status, body) = match token {
        "no" => (200, json!({"code": "40101", "active": false, "result": 0, "data": null}).to_string()),
        "no-by-status" => (401, String::new()),
        "no-with-403" => (403, json!({"code": "40301"}).to_string()),
        "yes-with-404" => (404, yes.to_string()),
        "broken" => (500, yes.to_string()),
        "redirect" => return Some(http::response(302, "location: /elsewhere?token=yes\r\n", b"")),
        "page" => (200, "<html>".to_owned()),
        "two" => (200, format!("{yes} {yes}")),
        "null" => (200, json!({"code": null}).to_string()),
        "list" => (200, json!([1, 2]).to_string()),
        "number" => (200, json!({"code": 0, "data": {"jwt": "u"}}).to_string()),
        "nobody" => (200, json!({"code": "0", "data": {}}).to_string()),
        "blank" => (200, json!({"code": "0", "data": {"jwt": "a b"}}).to_string()),
        "huge" => (200, json!({"code": "0", "data": {"jwt": "u"}, "padding": "x".repeat(70_000)}).to_string()),
        "long-id" => (200, json!({"code": "0", "data": {"jwt": "u".repeat(11_000)}}).to_string()),
        "cut" => return None,
        "hang" => {
            // Longer than the functions wait.
            thread::sleep(Duration::from_secs(2));
            return None;
        }
        _ => (200, yes.to_string()),
    };
    Some(http::response(status, "content-type: application/json\r\n", body.as_bytes()))
}

/// A server certificate for `localhost`, and the PEM of the CA that signed it.
fn certified() -> Result<(Arc<ServerConfig>, String)> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name of its own: OpenSSL takes a certificate for self-signed whose issuer has its name.
    params.distinguished_name.push(DnType::CommonName, "functions CA");
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &ca)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok((Arc::new(config), ca.pem()))
}

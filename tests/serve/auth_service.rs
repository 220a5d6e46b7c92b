//! An auth service with a certificate of its own CA. What it says depends on the token, and on the path it is asked at.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

pub(crate) struct AuthService {
    address: SocketAddr,
    pub(crate) ca_pem: String,
    seen: Arc<Mutex<Vec<Question>>>,
}

/// What it was asked.
#[derive(Clone)]
struct Question {
    path: String,
    token: String,
}

/// Where it answers as an `OAuth` server does when asked about a token.
pub(crate) const INTROSPECT: &str = "/introspect";

impl AuthService {
    /// Listens. It refuses tokens that begin with `refused`, breaks down over those that begin with `broken`, and takes all
    /// others; those that begin with `only-` and a word only at paths in which the word is.
    pub(crate) fn start() -> Self {
        let (tls, ca_pem) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let questions = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&questions);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, seen) = (Arc::clone(&tls), Arc::clone(&questions));
                thread::spawn(move || serve(stream.unwrap(), tls, &seen));
            }
        });
        Self { address, ca_pem, seen }
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// How often it was asked about a token.
    pub(crate) fn asked(&self, token: &str) -> usize {
        self.paths(token).len()
    }

    /// The paths at which it was asked about a token, in their order.
    pub(crate) fn paths(&self, token: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|question| question.token == token).map(|question| question.path.clone()).collect()
    }
}

impl Question {
    /// Whether the token is a good one here.
    fn is_good(&self) -> bool {
        let only = self.token.strip_prefix("only-").and_then(|rest| rest.split('-').next());
        !self.token.starts_with("refused") && only.is_none_or(|word| self.path.contains(word))
    }

    fn answer(&self) -> (u16, serde_json::Value) {
        let (token, good) = (&self.token, self.is_good());
        if token.starts_with("broken") {
            return (503, json!({ "message": "out of order" }));
        }
        let answer = match (self.path == INTROSPECT, good) {
            (true, true) => {
                json!({ "active": true, "sub": format!("sub-of-{token}"), "scope": "orders:read orders:write" })
            }
            (true, false) => json!({ "active": false }),
            (false, true) => json!({ "code": "0", "data": { "jwt": format!("jwt-of-{token}") } }),
            (false, false) => json!({ "code": "40101", "data": null }),
        };
        (200, answer)
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, seen: &Mutex<Vec<Question>>) {
    let connection = ServerConnection::new(tls).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(question) = read(&mut stream) {
        let (status, body) = question.answer();
        seen.lock().unwrap().push(question);
        let body = body.to_string();
        let length = body.len();
        let out = stream.get_mut();
        let written = write!(out, "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n\r\n{body}");
        if written.and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// What the next request asks, which has no body: its token stands in the query, or in the header `authorization`.
fn read(stream: &mut impl BufRead) -> Option<Question> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        (stream.read_line(&mut line).ok()? > 0).then_some(())?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let target = lines.first()?.split(' ').nth(1)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let bearer = || lines.iter().find_map(|line| line.strip_prefix("authorization: Bearer "));
    let token = query.split_once('=').map(|(_, token)| token).or_else(bearer).unwrap_or_default();
    Some(Question { path: path.to_owned(), token: token.to_owned() })
}

/// A server certificate for `localhost`, and the PEM of the CA that signed it.
fn certified() -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (Arc::new(config), ca.pem())
}

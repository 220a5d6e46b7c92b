//! An auth service with a certificate of its own CA. What it says depends on the token.

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
    tokens: Arc<Mutex<Vec<String>>>,
}

impl AuthService {
    /// Listens. It refuses tokens that begin with `refused`, breaks down over those that begin with `broken`, and takes all
    /// others.
    pub(crate) fn start() -> Self {
        let (tls, ca_pem) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tokens = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&tokens);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, seen) = (Arc::clone(&tls), Arc::clone(&seen));
                thread::spawn(move || serve(stream.unwrap(), tls, &seen));
            }
        });
        Self { address, ca_pem, tokens }
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// How often it was asked about a token.
    pub(crate) fn asked(&self, token: &str) -> usize {
        self.tokens.lock().unwrap().iter().filter(|known| *known == token).count()
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, tokens: &Mutex<Vec<String>>) {
    let connection = ServerConnection::new(tls).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(line) = read(&mut stream) {
        let token = line.split(['=', ' ']).nth(2).unwrap_or_default().to_owned();
        tokens.lock().unwrap().push(token.clone());
        let (status, body) = if token.starts_with("refused") {
            (200, json!({ "code": "40101", "data": null }))
        } else if token.starts_with("broken") {
            (503, json!({ "message": "out of order" }))
        } else {
            (200, json!({ "code": "0", "data": { "jwt": format!("jwt-of-{token}") } }))
        };
        let body = body.to_string();
        let length = body.len();
        let out = stream.get_mut();
        let written = write!(out, "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n\r\n{body}");
        if written.and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// The line of the next request, which has no body.
fn read(stream: &mut impl BufRead) -> Option<String> {
    let mut first = None;
    loop {
        let mut line = String::new();
        (stream.read_line(&mut line).ok()? > 0).then_some(())?;
        if line.trim_end().is_empty() {
            return first;
        }
        first.get_or_insert(line);
    }
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

//! An auth service with a certificate of its own CA, as well or badly behaved as a test wants it.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http;

/// What the service does with a request.
pub(crate) enum Act {
    /// Answers.
    Reply(u16, String),
    /// Answers, and cuts the connection without having said that it would.
    ReplyThenCut(u16, String),
    /// Sends the client somewhere else.
    Redirect(String),
    /// Answers with something that isn't HTTP.
    Garbage,
    /// Cuts the connection without an answer.
    Cut,
    /// Never answers.
    Hang,
}

#[derive(Default)]
struct Seen {
    requests: Vec<String>,
    connections: usize,
}

pub(crate) struct AuthService {
    address: SocketAddr,
    ca_pem: String,
    seen: Arc<Mutex<Seen>>,
}

impl AuthService {
    /// Listens, and asks `act` what to do with the n-th request, counted from 0.
    pub(crate) fn start(act: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        let (tls, ca_pem) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (act, shared) = (Arc::new(act), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, act, seen) = (Arc::clone(&tls), Arc::clone(&act), Arc::clone(&shared));
                thread::spawn(move || serve(stream.unwrap(), tls, &*act, &seen));
            }
        });
        Self { address, ca_pem, seen }
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The request lines that came, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// How many connections got as far as a request.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, act: &dyn Fn(usize) -> Act, seen: &Mutex<Seen>) {
    let connection = ServerConnection::new(tls).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut first = true;
    while let Some((line, _)) = http::read_request(&mut stream) {
        let n = {
            let mut seen = seen.lock().unwrap();
            seen.connections += usize::from(std::mem::take(&mut first));
            seen.requests.push(line);
            seen.requests.len() - 1
        };
        let out = stream.get_mut();
        let sent = match act(n) {
            Act::Reply(status, body) => http::write_response(out, status, "", &body),
            Act::ReplyThenCut(status, body) => http::write_response(out, status, "", &body).and_then(|()| Err(cut())),
            Act::Redirect(to) => http::write_response(out, 302, &format!("location: {to}\r\n"), ""),
            Act::Garbage => out.write_all(b"SSH-2.0-nothing of the kind\r\n\r\n").and_then(|()| out.flush()),
            Act::Cut => Err(cut()),
            Act::Hang => {
                thread::sleep(Duration::from_secs(30));
                Err(cut())
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn cut() -> std::io::Error {
    std::io::ErrorKind::ConnectionAborted.into()
}

/// A server certificate for `localhost` and `127.0.0.1`, and the PEM of the CA that signed it.
fn certified() -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (Arc::new(config), ca.pem())
}

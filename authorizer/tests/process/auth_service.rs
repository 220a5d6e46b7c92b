//! An auth service with a certificate of its own CA, as well or badly behaved as a test wants it.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use socket2::SockRef;

use crate::http::{self, Request};

/// What the service does with a request.
pub(crate) enum Act {
    /// Answers.
    Reply(u16, String),
    /// Answers, and cuts the connection without having said that it would.
    ReplyThenCut(u16, String),
    /// Sends the client somewhere else.
    Redirect(u16, &'static str),
    /// Answers with something that isn't HTTP.
    Garbage,
    /// Cuts the connection without an answer.
    Cut,
    /// Resets the connection without an answer.
    Reset,
    /// Cuts the connection in the middle of the answer.
    CutShort,
    /// Begins a good answer that never ends, as fast as the client reads.
    Endless,
    /// Begins a good answer and sends a byte of it now and then.
    Drip,
    /// Never answers.
    Hang,
}

impl Act {
    /// Answers with status 200.
    pub(crate) fn answer(body: &Value) -> Self {
        Self::Reply(200, body.to_string())
    }
}

/// What the service shows to prove who it is.
pub(crate) struct Identity {
    tls: Arc<ServerConfig>,
    ca_pem: String,
}

impl Identity {
    /// `localhost`, as it should be.
    pub(crate) fn good() -> Self {
        Self::certified(&["localhost", "127.0.0.1"], 2126)
    }

    /// Somebody else, under a CA of the same making.
    pub(crate) fn of_another_host() -> Self {
        Self::certified(&["auth.example.com"], 2126)
    }

    /// `localhost`, until the end of 2020.
    pub(crate) fn expired() -> Self {
        Self::certified(&["localhost", "127.0.0.1"], 2021)
    }

    fn certified(names: &[&str], end: i32) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(end, 1, 1);
        let certificate = params.signed_by(&key, &ca).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        Self { tls: Arc::new(tls), ca_pem: ca.pem() }
    }
}

#[derive(Default)]
struct Seen {
    requests: Vec<Request>,
    connections: usize,
}

/// The service, until the tests end.
pub(crate) struct AuthService {
    address: SocketAddr,
    ca_pem: String,
    seen: Arc<Mutex<Seen>>,
}

impl AuthService {
    /// Listens, and asks `act` what to do with the n-th request, counted from 0.
    pub(crate) fn start(act: impl Fn(usize, &Request) -> Act + Send + Sync + 'static) -> Self {
        Self::start_as(Identity::good(), act)
    }

    /// The same, with another proof of who it is.
    pub(crate) fn start_as(identity: Identity, act: impl Fn(usize, &Request) -> Act + Send + Sync + 'static) -> Self {
        let Identity { tls, ca_pem } = identity;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (act, shared) = (Arc::new(act), Arc::clone(&seen));
        let address = listen(move |stream| serve(stream, Arc::clone(&tls), &*act, &shared));
        Self { address, ca_pem, seen }
    }

    /// `AUTH_HOST`
    pub(crate) fn host(&self) -> String {
        host(self.address)
    }

    /// `AUTH_CA_PEM`
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The requests that came, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// How many connections got as far as a request.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

/// The host of a server that does `act` with every connection, and knows no TLS.
pub(crate) fn plain(act: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    host(listen(act))
}

/// A host where nobody listens.
pub(crate) fn nobody() -> String {
    // Bound and not listening: refuses every connection, and nobody else gets the port meanwhile.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    std::mem::forget(socket);
    host(address)
}

fn host(address: SocketAddr) -> String {
    format!("localhost:{}", address.port())
}

fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream.unwrap()));
        }
    });
    address
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, act: &dyn Fn(usize, &Request) -> Act, seen: &Mutex<Seen>) {
    let connection = ServerConnection::new(tls).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut first = true;
    while let Some(request) = Request::read(&mut stream) {
        let n = {
            let mut seen = seen.lock().unwrap();
            seen.connections += usize::from(std::mem::take(&mut first));
            seen.requests.push(request.clone());
            seen.requests.len() - 1
        };
        if perform(act(n, &request), stream.get_mut()).is_err() {
            return;
        }
    }
}

/// Does it; an error is the end of the connection.
fn perform(act: Act, out: &mut StreamOwned<ServerConnection, TcpStream>) -> std::io::Result<()> {
    const BEGINNING: &str =
        "HTTP/1.1 200 -\r\nconnection: close\r\n\r\n{\"code\":\"0\",\"data\":{\"jwt\":\"user.jwt-1\"}";
    let cut = || Err(std::io::ErrorKind::ConnectionAborted.into());
    match act {
        Act::Reply(status, body) => http::write_response(out, status, "", &body),
        Act::ReplyThenCut(status, body) => http::write_response(out, status, "", &body).and_then(|()| cut()),
        Act::Redirect(status, to) => {
            let yes = r#"{"code":"0","data":{"jwt":"user.jwt-1"}}"#;
            http::write_response(out, status, &format!("location: {to}\r\n"), yes)
        }
        Act::Garbage => out.write_all(b"SSH-2.0-nothing of the kind\r\n\r\n").and_then(|()| out.flush()),
        Act::Cut => cut(),
        Act::Reset => {
            SockRef::from(&out.sock).set_linger(Some(Duration::ZERO))?;
            cut()
        }
        Act::CutShort => {
            write!(out, "HTTP/1.1 200 -\r\ncontent-length: 4000\r\n\r\n{{\"code\":\"0\",")?;
            out.flush()?;
            cut()
        }
        Act::Endless => {
            write!(out, "{BEGINNING}")?;
            loop {
                out.write_all(&[b' '; 8192])?;
            }
        }
        Act::Drip => {
            write!(out, "{BEGINNING}")?;
            loop {
                out.write_all(b" ")?;
                out.flush()?;
                thread::sleep(Duration::from_millis(20));
            }
        }
        Act::Hang => {
            thread::sleep(Duration::from_mins(10));
            cut()
        }
    }
}

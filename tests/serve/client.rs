//! A client that sends exactly what it is told, and hides nothing of the answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

/// An answer that is not there by then never comes. Only a bound: nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Body>,
}

#[derive(Debug, Clone)]
enum Body {
    Whole(Vec<u8>),
    /// In chunks of so many bytes.
    Chunked(Vec<u8>, usize),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A connection, for one request after the other.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: &str, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut ask = Self::new("POST", target).header("content-type", kind);
        ask.body = Some(Body::Whole(body.into()));
        ask
    }

    pub(crate) fn set_method(&mut self, method: &str) {
        method.clone_into(&mut self.method);
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sends the body in chunks of so many bytes.
    pub(crate) fn chunked(mut self, size: usize) -> Self {
        if let Some(Body::Whole(body)) = self.body.take() {
            self.body = Some(Body::Chunked(body, size));
        }
        self
    }

    /// Sends it on a connection of its own.
    #[track_caller]
    pub(crate) fn to(&self, address: SocketAddr) -> Answer {
        Connection::open(address).ask(self)
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut line = |name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            line("host", host);
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        match &self.body {
            None => {}
            Some(Body::Whole(body)) => line("content-length", &body.len().to_string()),
            Some(Body::Chunked(..)) => line("transfer-encoding", "chunked"),
        }
        let mut bytes = (head + "\r\n").into_bytes();
        match &self.body {
            None => {}
            Some(Body::Whole(body)) => bytes.extend(body),
            Some(Body::Chunked(body, size)) => {
                for chunk in body.chunks(*size) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    bytes.extend(chunk);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            }
        }
        bytes
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), host: address.to_string() }
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, ask: &Ask) -> Answer {
        self.stream.get_mut().write_all(&ask.bytes(&self.host)).unwrap();
        let status = self.line();
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer to {} {}", ask.method, ask.target));
        let mut answer = Answer { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else { break };
            answer.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        if ask.method != "HEAD" && status != 204 {
            answer.body = self.body(&answer);
        }
        answer
    }

    fn body(&mut self, answer: &Answer) -> Vec<u8> {
        if answer.header("transfer-encoding") == Some("chunked") {
            let mut whole = Vec::new();
            loop {
                let size = usize::from_str_radix(&self.line(), 16).unwrap();
                let chunk = self.bytes(size + 2);
                if size == 0 {
                    return whole;
                }
                whole.extend(&chunk[..size]);
            }
        }
        let length = answer.header("content-length").expect("an answer that says how long it is");
        self.bytes(length.parse().unwrap())
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Answer {
    /// The one value of a header; none if it is not there.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} stands twice in {:?}", self.headers);
        first
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// Fails the test unless it has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, self.text());
        self
    }

    /// What the upstream got: its answer is the request.
    #[track_caller]
    pub(crate) fn got(&self) -> Got {
        assert_eq!(self.status, 200, "{}", self.text());
        Got(self.json())
    }
}

/// A request as it reached the upstream.
#[derive(Debug)]
pub(crate) struct Got(Value);

impl Got {
    /// The upstream's name.
    pub(crate) fn upstream(&self) -> &str {
        self.0["upstream"].as_str().unwrap()
    }

    /// Method and target.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.0["method"].as_str().unwrap(), self.target())
    }

    pub(crate) fn target(&self) -> &str {
        self.0["target"].as_str().unwrap()
    }

    /// Every value of a header.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.0["headers"].as_array().unwrap().iter();
        headers.filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap()).collect()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        BASE64.decode(self.0["body"].as_str().unwrap()).unwrap()
    }
}

//! A backend on this machine. Its answer is the request it got, unless the request's header `x-act` wants another one.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

/// Bytes that are no UTF-8: the beginning of a PNG.
pub(crate) const BINARY: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0xff, 0x00];

/// The largest body that API Gateway passes on.
pub(crate) const LIMIT: usize = 10 * 1024 * 1024;

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
}

struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Upstream {
    /// Listens. The name stands in its answers.
    pub(crate) fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&targets);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(name, BufReader::new(stream.unwrap()), &seen));
            }
        });
        Self { address, targets }
    }

    /// How many requests came whose target has a text in it.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.targets.lock().unwrap().iter().filter(|target| target.contains(text)).count()
    }
}

fn serve(name: &str, mut stream: BufReader<TcpStream>, seen: &Mutex<Vec<String>>) {
    while let Some(request) = read(&mut stream) {
        seen.lock().unwrap().push(request.target.clone());
        let act = request.header("x-act").unwrap_or("echo").to_owned();
        let written = match act.as_str() {
            "hang" => {
                // Until the gateway gives up and closes the connection.
                let _ = stream.read(&mut [0]);
                return;
            }
            "chunked" => stream.get_mut().write_all(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nkeep-alive: timeout=5\r\nx-kept: yes\r\n\r\n\
                  3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
            ),
            "no-content" => stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n"),
            "teapot" => answer(&mut stream, "418 I'm a teapot", "text/plain", b"short and stout"),
            "binary" => {
                let kind = request.header("x-kind").unwrap_or("image/png").to_owned();
                answer(&mut stream, "200 OK", &kind, &BINARY)
            }
            "length" => {
                let length = json!({ "length": request.body.len() }).to_string();
                answer(&mut stream, "200 OK", "application/json", length.as_bytes())
            }
            "huge" => answer(&mut stream, "200 OK", "text/plain", &vec![b'x'; LIMIT + 1]),
            "head" => stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 42\r\nx-kept: yes\r\n\r\n"),
            _ => answer(&mut stream, "200 OK", "application/json", request.shown(name).as_bytes()),
        };
        if written.is_err() {
            return;
        }
    }
}

fn answer(stream: &mut BufReader<TcpStream>, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    let out = stream.get_mut();
    write!(out, "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nserver: upstream\r\n")?;
    write!(out, "content-length: {length}\r\nx-kept: yes\r\n\r\n")?;
    out.write_all(body)
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = line(stream)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut request = Request { method, target, headers: Vec::new(), body: Vec::new() };
    loop {
        let line = self::line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    // The gateway has every body as a whole, and says how long it is.
    assert_eq!(request.header("transfer-encoding"), None);
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    (stream.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn shown(&self, name: &str) -> String {
        let (method, target, headers) = (&self.method, &self.target, &self.headers);
        let body = BASE64.encode(&self.body);
        json!({ "upstream": name, "method": method, "target": target, "headers": headers, "body": body }).to_string()
    }
}

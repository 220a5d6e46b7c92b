//! As much HTTP/1.1 as the auth service of these tests speaks.

use std::io::{BufRead, Write};

/// A request without a body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET /path?query HTTP/1.1`
    pub(crate) line: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Request {
    /// The next request; `None` when the peer is gone.
    pub(crate) fn read(stream: &mut impl BufRead) -> Option<Self> {
        let line = read_line(stream)?;
        let mut headers = Vec::new();
        loop {
            let header = read_line(stream)?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let request = Self { line, headers };
        assert_eq!((request.header("content-length"), request.header("transfer-encoding")), (None, None));
        Some(request)
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The one header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} stands twice");
        value
    }
}

fn read_line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    (stream.read_line(&mut line).ok()? > 0).then_some(())?;
    Some(line.trim_end().to_owned())
}

/// Answers with these header lines and this body.
pub(crate) fn write_response(stream: &mut impl Write, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n{headers}\r\n{body}")?;
    stream.flush()
}

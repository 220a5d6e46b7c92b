//! As much HTTP/1.1 as the two servers of these tests speak.

use std::io::{BufRead, Write};

/// The request line and the body of the next request; `None` when the peer is gone.
pub(crate) fn read_request(stream: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    (stream.read_line(&mut line).ok()? > 0).then_some(())?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        (stream.read_line(&mut header).ok()? > 0).then_some(())?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        assert!(!header.starts_with("transfer-encoding"), "these servers read only bodies of a stated length");
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((line.trim_end().to_owned(), body))
}

/// Answers with these header lines and this body.
pub(crate) fn write_response(stream: &mut impl Write, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n{headers}\r\n{body}")?;
    stream.flush()
}

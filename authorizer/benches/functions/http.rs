//! As much HTTP/1.1 as the two servers need to speak, and no more, so that they cost the functions little.

use std::io::{BufRead, Read};

/// A request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Method, target and version.
    pub(crate) line: String,
    /// The header fields with their names in lower case, one a line.
    pub(crate) fields: String,
    /// The body; empty without one.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request, over the one before; `None` when the peer is gone, or speaks something else.
    pub(crate) fn read(&mut self, stream: &mut impl BufRead) -> Option<()> {
        self.line.clear();
        self.fields.clear();
        self.body.clear();
        (stream.read_line(&mut self.line).ok()? > 0).then_some(())?;
        loop {
            let start = self.fields.len();
            (stream.read_line(&mut self.fields).ok()? > 0).then_some(())?;
            let line = &mut self.fields[start..];
            if line == "\r\n" {
                break;
            }
            let name = line.find(':')?;
            line[..name].make_ascii_lowercase();
        }
        if let Some(length) = self.field("content-length") {
            let length = length.parse().ok()?;
            (stream.take(length).read_to_end(&mut self.body).ok()? as u64 == length).then_some(())
        } else if self.field("transfer-encoding").is_some() {
            self.read_chunks(stream)
        } else {
            Some(())
        }
    }

    /// A header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ str| line.split_once(':').filter(|(given, _)| *given == name).map(|(name, _)| name.len());
        self.fields.lines().find_map(|line| of(line).map(|length| line[length + 1..].trim()))
    }

    /// What the request line asks for.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    fn read_chunks(&mut self, stream: &mut impl BufRead) -> Option<()> {
        let mut line = String::new();
        loop {
            line.clear();
            stream.read_line(&mut line).ok()?;
            let length = u64::from_str_radix(line.trim().split(';').next()?, 16).ok()?;
            stream.take(length).read_to_end(&mut self.body).ok()?;
            if length == 0 {
                break;
            }
            stream.read_exact(&mut [0; 2]).ok()?;
        }
        // Trailers, up to the empty line.
        loop {
            line.clear();
            (stream.read_line(&mut line).ok()? > 0).then_some(())?;
            if line == "\r\n" {
                return Some(());
            }
        }
    }
}

/// An answer in one piece, so that it leaves in one write.
pub(crate) fn response(status: u16, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n{fields}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

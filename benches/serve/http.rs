//! As much of HTTP/1.1 as a load generator and an upstream need that must cost next to nothing: where a message ends, and
//! its status. Nothing is decoded, nothing is copied.

use std::ops::Range;

use super::{Result, wrong};

/// One message at the beginning of a buffer.
#[derive(Debug)]
pub(crate) struct Message {
    /// The status of an answer; 0 for a request.
    pub(crate) status: u16,
    /// Where the head is, up to the empty line.
    pub(crate) head: Range<usize>,
    /// Bytes of the whole message.
    pub(crate) length: usize,
}

/// The message that a buffer begins with, once all of it is there.
pub(crate) fn message(buffer: &[u8]) -> Result<Option<Message>> {
    let Some(end) = find(buffer, b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = (&buffer[..end], &buffer[end + 4..]);
    let Some(length) = body_length(head, body)? else { return Ok(None) };
    if body.len() < length {
        return Ok(None);
    }
    Ok(Some(Message { status: status(head)?, head: 0..end, length: end + 4 + length }))
}

/// The status in an answer's first line; 0 for a request, whose first line begins otherwise.
fn status(head: &[u8]) -> Result<u16> {
    if !head.starts_with(b"HTTP/1.") {
        return Ok(0);
    }
    let digits = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    digits.ok_or_else(|| wrong("an answer has no status"))
}

/// Bytes of the body; none as long as the end of a chunked one is not there.
fn body_length(head: &[u8], body: &[u8]) -> Result<Option<usize>> {
    if let Some(length) = header(head, "content-length") {
        return length.parse().map(Some).map_err(|_| wrong("a content-length is no number"));
    }
    if header(head, "transfer-encoding").is_some() {
        // No body here has an empty line in it, so the first one is behind the last chunk, of size 0.
        return Ok(find(body, b"0\r\n\r\n").map(|at| at + 5));
    }
    Ok(Some(0))
}

/// The value of a header, found by its name in any case.
pub(crate) fn header<'h>(head: &'h [u8], name: &str) -> Option<&'h str> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (given, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        given.eq_ignore_ascii_case(name.as_bytes()).then(|| std::str::from_utf8(value).ok().map(str::trim))?
    })
}

fn find(buffer: &[u8], wanted: &[u8]) -> Option<usize> {
    buffer.windows(wanted.len()).position(|window| window == wanted)
}

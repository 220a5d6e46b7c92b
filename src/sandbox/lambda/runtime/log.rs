//! What functions print, line by line.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// `CloudWatch` Logs cuts events at 256 KB; without a limit a function that never ends its line would fill the memory.
const LINE_LIMIT: usize = 256 * 1024;

/// What `LogType: Tail` gives back: the last 4 KB (API reference of `Invoke`).
const TAIL_LIMIT: usize = 4 * 1024;

/// Where the lines go that functions write to stdout and stderr.
pub trait LogSink: Send + Sync {
    /// Takes one line, without its end. Called in the order of the lines of a process; must not block.
    fn line(&self, function: &str, line: &str);
}

impl<F: Fn(&str, &str) + Send + Sync> LogSink for F {
    fn line(&self, function: &str, line: &str) {
        self(function, line);
    }
}

/// The sink that is used unless another is given: the log of this process, target `gwctl::function`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingLog;

impl LogSink for TracingLog {
    fn line(&self, function: &str, line: &str) {
        tracing::info!(target: "gwctl::function", "{function}: {line}");
    }
}

/// The end of what a process printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    pub(super) fn clear(&self) {
        self.hold().clear();
    }

    pub(super) fn read(&self) -> Vec<u8> {
        self.hold().clone()
    }

    pub(super) fn push(&self, line: &str) {
        let mut tail = self.hold();
        tail.extend_from_slice(line.as_bytes());
        tail.push(b'\n');
        let surplus = tail.len().saturating_sub(TAIL_LIMIT);
        tail.drain(..surplus);
    }

    fn hold(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        // Bytes are whole whatever happened to a thread that held them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands on the lines of one stream until it ends.
pub(super) async fn follow(mut stream: impl AsyncRead + Unpin, name: Arc<str>, sink: Arc<dyn LogSink>, tail: Tail) {
    let mut pending = Vec::new();
    let mut buffer = vec![0; 8 * 1024];
    let emit = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches(['\n', '\r']);
        tail.push(line);
        sink.line(&name, line);
    };
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let mut rest = &buffer[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            pending.extend_from_slice(&rest[..=end]);
            emit(&pending);
            pending.clear();
            rest = &rest[end + 1..];
        }
        pending.extend_from_slice(rest);
        if pending.len() >= LINE_LIMIT {
            emit(&pending);
            pending.clear();
        }
    }
    if !pending.is_empty() {
        emit(&pending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_handed_on_whole_and_never_too_long() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let sink = move |function: &str, line: &str| into.lock().unwrap().push(format!("{function}:{}", line.len()));
        let text = format!("ab\r\n\n{}\nend", "x".repeat(LINE_LIMIT + 10_000));
        let tail = Tail::default();
        follow(text.as_bytes(), "f".into(), Arc::new(sink), tail.clone()).await;
        let seen = seen.lock().unwrap();
        assert_eq!(seen[..2], ["f:2", "f:0"]);
        assert_eq!(seen.last().unwrap(), "f:3");
        let lengths = seen.iter().map(|line| line[2..].parse::<usize>().unwrap());
        assert!(lengths.clone().all(|length| length < LINE_LIMIT + 8 * 1024));
        assert_eq!(lengths.sum::<usize>(), 2 + LINE_LIMIT + 10_000 + 3);
        assert_eq!(tail.read().len(), TAIL_LIMIT);
        assert!(tail.read().ends_with(b"x\nend\n"));
    }
}

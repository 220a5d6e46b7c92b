//! Where access log lines go: a file, or whatever the program writes to.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

/// Lines that may wait for the writer. A disk that hangs would otherwise fill the memory; lines beyond are dropped and
/// counted, and the requests go on.
const WAITING: usize = 16_384;

/// A writer of log lines with a thread of its own; clones share it. Lines that wait are written before the last one is
/// dropped.
#[derive(Debug, Clone)]
pub struct Sink {
    writer: Arc<Writer>,
}

#[derive(Debug)]
struct Writer {
    /// Taken when the writer ends, which ends the thread.
    lines: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
    prefix: String,
    lost: Arc<AtomicU64>,
}

impl Sink {
    /// Appends to a file, which is made if it does not exist, each line behind a prefix.
    ///
    /// Fails when the file can't be opened for appending.
    pub fn file(path: &Path, prefix: &str) -> io::Result<Self> {
        Self::over(OpenOptions::new().create(true).append(true).open(path)?, prefix)
    }

    /// Writes to anything, each line behind a prefix, one write a line.
    ///
    /// Fails when the system has no thread left.
    pub fn over(mut target: impl Write + Send + 'static, prefix: &str) -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel::<String>(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let failed = Arc::clone(&lost);
        let thread = thread::Builder::new().name("access-log".to_owned()).spawn(move || {
            for line in waiting {
                // A full disk is no reason to stop serving; the next line may be written again.
                if target.write_all(line.as_bytes()).is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        })?;
        let writer = Writer { lines: Some(lines), thread: Some(thread), prefix: prefix.to_owned(), lost };
        Ok(Self { writer: Arc::new(writer) })
    }

    /// Hands a line over, without waiting for it to be written.
    pub fn send(&self, line: &str) {
        let whole = format!("{}{line}\n", self.writer.prefix);
        let Some(lines) = &self.writer.lines else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = lines.try_send(whole) {
            self.writer.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were lost: dropped because too many waited, or not written because writing failed.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.writer.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lines.take();
        if let Some(thread) = self.thread.take() {
            // The thread only writes; if it panicked all the same, there is nobody left to tell.
            let _ = thread.join();
        }
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!("{lost} lines of the access log were lost: they came faster than they could be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn lines_of_all_threads_arrive_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("access.log");
        std::fs::write(&path, "before\n").expect("written");
        let sink = Sink::file(&path, "api/prod ").expect("a sink");
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let sink = sink.clone();
                thread::spawn(move || {
                    for line in 0..500 {
                        sink.send(&format!("{thread}-{line}"));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("sent");
        }
        assert_eq!(sink.lost(), 0);
        drop(sink);
        let text = std::fs::read_to_string(&path).expect("read");
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.remove(0), "before");
        for thread in 0..4 {
            let prefix = format!("api/prod {thread}-");
            let own: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(&prefix)).collect();
            assert_eq!(own, (0..500).map(|line| line.to_string()).collect::<Vec<_>>());
        }
        assert_eq!(lines.len(), 2_000);
    }

    /// Fails every second write, and tells what was written.
    struct Flaky(Arc<Mutex<(usize, String)>>);

    impl Write for Flaky {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock().expect("not poisoned");
            state.0 += 1;
            if state.0.is_multiple_of(2) {
                return Err(io::Error::other("full"));
            }
            state.1.push_str(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failure_costs_one_line_and_is_counted() {
        let state = Arc::new(Mutex::new((0, String::new())));
        let sink = Sink::over(Flaky(Arc::clone(&state)), "").expect("a sink");
        let lost = Arc::clone(&sink.writer.lost);
        for line in ["a", "b", "c"] {
            sink.send(line);
        }
        drop(sink);
        assert_eq!(state.lock().expect("not poisoned").1, "a\nc\n");
        assert_eq!(lost.load(Ordering::Relaxed), 1);
    }

    /// Writes nothing until it is let.
    struct Hanging(mpsc::Receiver<()>);

    impl Write for Hanging {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_writer_that_hangs_does_not_hold_requests() {
        let (release, held) = mpsc::channel();
        let sink = Sink::over(Hanging(held), "").expect("a sink");
        for _ in 0..WAITING + 100 {
            sink.send("x");
        }
        // One line may be with the writer already.
        assert!((99..=100).contains(&sink.lost()));
        drop(release);
        drop(sink);
    }

    #[test]
    fn a_folder_is_no_file() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(Sink::file(dir.path(), "").is_err());
    }
}

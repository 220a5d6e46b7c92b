//! Where commands write: data to stdout, everything else to stderr.

use std::io::{self, IsTerminal as _, Write};

use anstream::AutoStream;
use serde_json::Value;

use crate::cli::Global;
use crate::config::Faults;
use crate::error::{Failure, Result};
use crate::report::{self, TextOptions};

/// Lines get harder to read beyond this, however wide the terminal is.
const WIDEST: usize = 120;

/// Columns where nobody can be asked: pipes, files, CI.
const USUAL: usize = 80;

/// How to lay text out. Colour codes are always written; the stream strips them where they can't be seen.
pub(super) fn text_options(global: &Global) -> TextOptions {
    let width = terminal_size::terminal_size().map_or(USUAL, |(width, _)| usize::from(width.0).min(WIDEST));
    TextOptions { width, color: true, verbose: global.verbose > 0 }
}

/// Writes to stdout. A reader that goes away (`| head`) ends the output, not the command.
pub(super) fn data(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut stream = AutoStream::new(io::stdout().lock(), global.color.into());
    finish("stdout", write(&mut stream).and_then(|()| stream.flush()))
}

/// Writes to stdout, and says whether somebody still reads it: what goes on until it is stopped ends when nobody does.
pub(super) fn data_while_read(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<bool> {
    let mut stream = AutoStream::new(io::stdout().lock(), global.color.into());
    match write(&mut stream).and_then(|()| stream.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => finish("stdout", result).map(|()| true),
    }
}

/// Begins what is shown again and again: a terminal is cleared, elsewhere a line with the time stands between.
/// False when nobody reads it any more.
pub(super) fn fresh_page(global: &Global) -> Result<bool> {
    if io::stdout().is_terminal() {
        // Home, and everything below erased: what follows writes over it. Not through the stream that strips colours.
        finish("stdout", io::stdout().write_all(b"\x1b[H\x1b[2J"))?;
        return Ok(true);
    }
    data_while_read(global, |out| match global.output {
        report::Format::Json => Ok(()),
        _ => writeln!(out, "--- {}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ")),
    })
}

/// Stdout for what is written line by line from elsewhere. It is locked for each line, because others print too.
pub(super) fn line_writer() -> impl Write + Send + 'static {
    io::stdout()
}

/// Writes one JSON value to stdout, for programs.
pub(super) fn json(global: &Global, value: &Value) -> Result<()> {
    data(global, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Writes to stderr.
pub(super) fn notice(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut stream = AutoStream::new(io::stderr().lock(), global.color.into());
    finish("stderr", write(&mut stream).and_then(|()| stream.flush()))
}

fn finish(stream: &str, result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::io(format!("failed to write to {stream}"), &error)),
        Ok(()) => Ok(()),
    }
}

/// Shows faults on stderr and gives the failure that the command ends with.
pub(super) fn faulty(global: &Global, faults: &Faults) -> Failure {
    match notice(global, |out| writeln!(out, "{}", faults.render(true))) {
        Ok(()) => faults.to_failure(),
        Err(failure) => failure,
    }
}

/// Tells on stderr what went wrong beside the work, which is done.
pub(super) fn warning(global: &Global, failure: &Failure) -> Result<()> {
    notice(global, |out| report::warning_text(failure, out, true))
}

/// Tells on stderr what failed and for whom; whether anything did. The failure of an environment that is alone is the
/// command's own, and the caller ends with it.
pub(super) fn failures(global: &Global, failures: Vec<(String, Failure)>, several: bool) -> Result<bool> {
    let any = !failures.is_empty();
    for (label, failure) in failures {
        if !several {
            return Err(failure);
        }
        let failure = failure.context(label);
        notice(global, |out| report::failure_text(&failure, out, true))?;
    }
    Ok(any)
}

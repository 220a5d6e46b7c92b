//! Where commands write: data to stdout, everything else to stderr.

use std::io::{self, IsTerminal as _, Write};

use anstream::adapter::strip_bytes;
use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::cli::{Color, Global};
use crate::config::Faults;
use crate::error::{Failure, Result};
use crate::host::Page;
use crate::report::{self, Board, TextOptions, progress};

/// Lines get harder to read beyond this, however wide the terminal is.
const WIDEST: usize = 120;

/// Columns where nobody can be asked: pipes, files, CI.
const USUAL: usize = 80;

/// How to lay text out. Colour codes are always written; the stream strips them where they can't be seen.
pub(super) fn text_options(global: &Global) -> TextOptions {
    let width = terminal_size::terminal_size().map_or(USUAL, |(width, _)| usize::from(width.0).min(WIDEST));
    TextOptions { width, color: true, verbose: global.verbose > 0 }
}

/// Where something is written.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Out,
    Err,
}

impl Stream {
    const fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }

    /// The page of the program that runs the command, where it keeps some.
    fn page(self, global: &Global) -> Option<Page> {
        let [out, err] = global.host.as_ref()?.pages.as_ref()?;
        Some(match self {
            Self::Out => out.clone(),
            Self::Err => err.clone(),
        })
    }

    /// A reader that goes away (`| head`) ends the output, not the command. Whether somebody still reads it.
    fn write(self, global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<bool> {
        let mut out: Box<dyn Write> = match (self.page(global), self) {
            (Some(page), _) => Box::new(page),
            (None, Self::Out) => Box::new(AutoStream::new(io::stdout().lock(), global.color.into())),
            (None, Self::Err) => Box::new(AutoStream::new(io::stderr().lock(), global.color.into())),
        };
        match write(&mut *out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::io(format!("failed to write to {}", self.name()), &error)),
            Ok(()) => Ok(true),
        }
    }
}

/// Writes to stdout what may be long, while other work goes on: a pager that is not read on holds up no change that was begun. On a
/// terminal `above` takes the bars away meanwhile.
pub(super) async fn data_beside(
    global: &Global,
    above: impl FnOnce(&mut dyn FnMut() -> Result<()>) -> Result<()>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let mut text = Vec::new();
    write(&mut text).map_err(|error| Failure::io("failed to lay text out", &error))?;
    let global = global.clone();
    if Stream::Out.page(&global).is_none() && io::stdout().is_terminal() {
        return above(&mut || data(&global, |out| out.write_all(&text)));
    }
    let color = match global.color.into() {
        ColorChoice::Auto => AutoStream::choice(&io::stdout()),
        chosen => chosen,
    };
    let text = if color == ColorChoice::Never { strip_bytes(&text).into_vec() } else { text };
    // Written in one piece: where stderr goes to the same place, no line of progress comes between.
    let as_it_is = Global { color: Color::Always, ..global };
    let written = tokio::task::spawn_blocking(move || data(&as_it_is, |out| out.write_all(&text))).await;
    written.unwrap_or_else(|error| Err(Failure::internal("writing to stdout panicked").because(&error)))
}

/// Writes to stdout.
pub(super) fn data(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    Stream::Out.write(global, write).map(drop)
}

/// Writes to stdout, and says whether somebody still reads it: what goes on until it is stopped ends when nobody does.
pub(super) fn data_while_read(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<bool> {
    Stream::Out.write(global, write)
}

/// The progress of environments of these names.
pub(super) fn board(global: &Global, names: &[String]) -> Board {
    match Stream::Err.page(global) {
        Some(page) => Board::to(Box::new(page), names),
        None => Board::new(progress::Mode::choose(global.no_progress), names),
    }
}

/// Begins what is shown again and again: a terminal is cleared, elsewhere a line with the time stands between.
/// False when nobody reads it any more.
pub(super) fn fresh_page(global: &Global) -> Result<bool> {
    if io::stdout().is_terminal() {
        // Home, and everything below erased: what follows writes over it. Not through the stream that strips colours.
        let cleared = io::stdout().write_all(b"\x1b[H\x1b[2J");
        return cleared.map(|()| true).map_err(|error| Failure::io("failed to write to stdout", &error));
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

/// Writes one value as JSON to stdout, for programs.
pub(super) fn json(global: &Global, value: &impl Serialize) -> Result<()> {
    data(global, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Writes to stderr.
pub(super) fn notice(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    Stream::Err.write(global, write).map(drop)
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

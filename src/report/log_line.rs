//! Lines of logs, as people and programs read them.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::{Tone, visible};
use super::text::TextOptions;
use crate::inspection::access_log::Line;

/// One line of a log.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Where it is from, where there are several places: `gate`.
    pub label: Option<String>,
    /// The log group.
    pub group: String,
    /// The stream.
    pub stream: String,
    /// The event's id.
    pub id: String,
    /// Milliseconds since the epoch.
    pub time: i64,
    /// As it stands there.
    pub message: String,
    /// What it says; nothing where it can't be told, or where nothing was to be decoded.
    pub decoded: Option<Line>,
    /// It was to be decoded, and does not fit the stage's format.
    pub foreign: bool,
}

/// Stands before a line that does not fit the format of its stage.
const FOREIGN: &str = "?";

fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// Writes a line for people: time, status, method, path, milliseconds, address, and what went wrong. In full it has every value.
pub fn log_line_text(line: &LogLine, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let paint = |tone: Tone, text: &str| tone.paint(&visible(text), options.color);
    write!(out, "{}  ", paint(Tone::Faint, &time(line.time)))?;
    if let Some(label) = &line.label {
        write!(out, "{}  ", paint(Tone::Strong, label))?;
    }
    let Some(read) = &line.decoded else {
        let mark =
            if line.foreign { format!("{}  ", Tone::Warning.paint(FOREIGN, options.color)) } else { String::new() };
        return writeln!(out, "{mark}{}", visible(line.message.trim_end_matches(['\n', '\r'])));
    };
    let tone = match read.status() {
        Some(500..) => Tone::Removed,
        Some(400..) => Tone::Changed,
        Some(200..) => Tone::Added,
        _ => Tone::Plain,
    };
    let status = read.get("status").unwrap_or("-");
    let took = read.latency_ms().map_or("-".to_owned(), |took| format!("{took} ms"));
    let method = format!("{:<6}", read.method().unwrap_or("-"));
    write!(out, "{}  {}  {}", paint(tone, status), paint(Tone::Strong, &method), visible(read.path().unwrap_or("-")))?;
    write!(out, "  {took}  {}", visible(read.get("identity.sourceIp").unwrap_or("-")))?;
    if let Some(problem) = read.problem() {
        write!(out, "  {}", paint(tone, problem))?;
    }
    if !options.verbose {
        let id = read.get("requestId").or_else(|| read.get("extendedRequestId"));
        return writeln!(out, "  {}", paint(Tone::Faint, id.unwrap_or("-")));
    }
    writeln!(out)?;
    for (name, value) in read.fields() {
        writeln!(out, "    {} {}", paint(Tone::Faint, name), visible(value))?;
    }
    Ok(())
}

/// Writes a line as it stands in the log.
pub fn log_line_raw(line: &LogLine, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", line.message.trim_end_matches(['\n', '\r']))
}

/// A line as data: the variables by their names in the format, and the line as it stands in the log.
#[must_use]
pub fn log_line_json(line: &LogLine) -> Value {
    let context = line.decoded.as_ref().map(Line::fields);
    json!({
        "time": time(line.time), "group": line.group, "stream": line.stream, "id": line.id, "decoded": context.is_some(),
        "context": context, "message": line.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspection::access_log::Format;

    fn line(message: &str, decoded: Option<Line>) -> LogLine {
        LogLine {
            label: None,
            group: "g".into(),
            stream: "s".into(),
            id: "1".into(),
            time: 1_700_000_000_123,
            foreign: decoded.is_none(),
            message: message.to_owned(),
            decoded,
        }
    }

    fn text(line: &LogLine, verbose: bool) -> String {
        let mut out = Vec::new();
        log_line_text(line, &mut out, &TextOptions { verbose, ..TextOptions::default() }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_says_what_happened_and_a_foreign_one_is_marked() {
        let format = "$context.status $context.httpMethod $context.path $context.responseLatency $context.requestId";
        let message = "502 GET /dev/a 31 r-1";
        let read = line(message, Format::parse(format).decode(message));
        assert_eq!(text(&read, false), "2023-11-14T22:13:20.123Z  502  GET     /dev/a  31 ms  -  r-1\n");
        assert!(text(&read, true).contains("\n    responseLatency 31\n"));
        assert_eq!(log_line_json(&read)["context"]["status"], "502");
        let foreign = line("what \u{1b}[31mis this", None);
        assert_eq!(text(&foreign, false), "2023-11-14T22:13:20.123Z  ?  what \\u{1b}[31mis this\n");
        assert_eq!(log_line_json(&foreign)["decoded"], false);
    }
}

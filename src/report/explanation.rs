//! What becomes of a request, and whether that is what was expected.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::Tone;
use super::text::TextOptions;
use crate::expectation::Mismatch;
use crate::sandbox::execute_api::explain::{Backend, Explanation, Layer, Outcome};

/// Writes an explanation for people: layer by layer, then what the backend gets.
pub fn explanation_text(
    title: &str,
    explanation: &Explanation,
    out: &mut dyn Write,
    options: &TextOptions,
) -> io::Result<()> {
    let paint = |tone: Tone, text: &str| tone.paint(text, options.color);
    writeln!(out, "{}\n", paint(Tone::Strong, title))?;
    let width = explanation.layers.iter().map(|layer| layer.name.len()).max().unwrap_or_default();
    for Layer { name, passes, why, facts: _, notes } in &explanation.layers {
        let (tone, word) = if *passes { (Tone::Added, "pass") } else { (Tone::Removed, "stop") };
        writeln!(out, "  {}  {name:width$}  {why}", paint(tone, word))?;
        for note in notes {
            writeln!(out, "        {:width$}  {}", "", paint(Tone::Warning, &format!("note: {note}")))?;
        }
    }
    writeln!(out)?;
    match (&explanation.outcome, &explanation.backend) {
        (Outcome::Refused { status, response, message, body }, _) => {
            let response = response.map_or(String::new(), |response| format!(" {response}"));
            writeln!(out, "The client gets {}: {message}", paint(Tone::Strong, &format!("{status}{response}")))?;
            if body.is_empty() { Ok(()) } else { writeln!(out, "\n  {body}") }
        }
        (Outcome::Mock, _) => writeln!(out, "The gateway answers from its mock integration."),
        (Outcome::Preflight { status }, _) => writeln!(out, "The gateway answers the preflight itself, with {status}."),
        (Outcome::Backend, None) => Ok(()),
        (Outcome::Backend, Some(backend)) => backend_text(backend, out, options),
    }
}

fn backend_text(backend: &Backend, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let Backend { integration: _, method, url, vpc_link: _, timeout_ms, headers, mapped } = backend;
    writeln!(out, "The backend gets, and has {timeout_ms} ms to answer:\n")?;
    writeln!(out, "  {}", Tone::Strong.paint(&format!("{method} {url}"), options.color))?;
    for (name, value) in headers {
        write!(out, "  {name}: {value}")?;
        match mapped.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, source)) => {
                writeln!(out, "  {}", Tone::Faint.paint(&format!("(mapped from {source})"), options.color))?;
            }
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// One expectation and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The product and the environment: `product-a dev`.
    pub owner: String,
    /// The expectation's name.
    pub title: String,
    /// The request.
    pub send: String,
    /// What is not as expected.
    pub mismatches: Vec<Mismatch>,
}

/// Writes what came of expectations, for people.
pub fn tried_text(all: &[Tried], out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    for Tried { owner, title, send, mismatches } in all {
        let (tone, word) = if mismatches.is_empty() { (Tone::Added, "ok") } else { (Tone::Removed, "FAILED") };
        writeln!(out, "{}  {owner}: {title}", tone.paint(&format!("{word:6}"), options.color))?;
        if !mismatches.is_empty() && send != title {
            writeln!(out, "          {send}")?;
        }
        for Mismatch { what, expected, actual } in mismatches {
            writeln!(out, "          {what}: expected {expected}, but {actual}")?;
        }
    }
    let failed = all.iter().filter(|tried| !tried.mismatches.is_empty()).count();
    writeln!(out, "\n{} as expected, {failed} not.", all.len() - failed)
}

/// The same for programs.
#[must_use]
pub fn tried_json(all: &[Tried]) -> Value {
    let shown = all.iter().map(|Tried { owner, title, send, mismatches }| {
        json!({ "owner": owner, "name": title, "send": send, "passed": mismatches.is_empty(), "mismatches": mismatches })
    });
    json!({ "format_version": "1.0", "requests": shown.collect::<Vec<_>>() })
}

//! A failure as people read it: what failed, why, and what to do now.

use std::io::{self, Write};

use super::style::{Tone, visible};
use crate::error::Failure;

/// Writes `error: failed to …: …` with the nearest cause, the causes below that one, and the hints.
///
/// Lines are not wrapped: an error message is searched for and copied as a whole.
pub fn failure_text(failure: &Failure, out: &mut dyn Write, color: bool) -> io::Result<()> {
    labelled(Tone::Error, "error:", failure, out, color)
}

/// Writes the same of something that went wrong beside the work, and did not keep it from being done.
pub fn warning_text(failure: &Failure, out: &mut dyn Write, color: bool) -> io::Result<()> {
    labelled(Tone::Warning, "warning:", failure, out, color)
}

fn labelled(tone: Tone, label: &str, failure: &Failure, out: &mut dyn Write, color: bool) -> io::Result<()> {
    let margin = " ".repeat(label.len() + 1);
    let whole = failure.to_string();
    let message = message(failure, &whole);
    let label = tone.paint(label, color);
    // A cause of several lines, a marked piece of a file perhaps, is easier to read below.
    let mut causes = failure.causes();
    match causes.split_first() {
        Some((nearest, below)) if !nearest.trim_end().contains('\n') => {
            block(out, &format!("{label} "), &margin, &format!("{message}: {nearest}"))?;
            causes = below;
        }
        _ => block(out, &format!("{label} "), &margin, message)?,
    }
    for cause in causes {
        block(out, "  cause: ", "         ", cause)?;
    }
    let label = Tone::Strong.paint("hint:", color);
    for hint in failure.hints() {
        block(out, &format!("{label} "), "      ", hint)?;
    }
    Ok(())
}

/// The failure's own sentence: `whole`, which is the failure with its causes behind it, without them.
fn message<'a>(failure: &Failure, whole: &'a str) -> &'a str {
    let mut message = whole;
    for cause in failure.causes().iter().rev() {
        message = message.strip_suffix(cause.as_str()).and_then(|rest| rest.strip_suffix(": ")).unwrap_or(message);
    }
    message
}

/// A text of one or more lines, the others below the first.
fn block(out: &mut dyn Write, first: &str, rest: &str, text: &str) -> io::Result<()> {
    for (index, line) in text.trim_end().split('\n').enumerate() {
        let left = if index == 0 { first } else { rest };
        writeln!(out, "{}", format!("{left}{}", visible(line.trim_end_matches('\r'))).trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FailureKind;

    fn text(failure: &Failure, color: bool) -> String {
        let mut out = Vec::new();
        failure_text(failure, &mut out, color).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn says_what_why_and_what_now() {
        let failure = Failure::new(FailureKind::Aws, "NotFoundException: Invalid API id: a:b")
            .cause("request id 1234")
            .context("failed to create stage `dev`")
            .hint("run `gwctl plan` again")
            .hint("or look at it with `gwctl show`");
        insta::assert_snapshot!(text(&failure, false), @r"
        error: failed to create stage `dev`: NotFoundException: Invalid API id: a:b
          cause: request id 1234
        hint: run `gwctl plan` again
        hint: or look at it with `gwctl show`
        ");
        assert_eq!(anstream::adapter::strip_str(&text(&failure, true)).to_string(), text(&failure, false));
        assert_ne!(text(&failure, true), text(&failure, false));
    }

    #[test]
    fn a_cause_of_several_lines_stands_below() {
        let failure =
            Failure::new(FailureKind::Configuration, "dev.json is wrong").cause("3 | \"x\": 1\n  | ^^^ unknown\n");
        insta::assert_snapshot!(text(&failure, false), @r#"
        error: dev.json is wrong
          cause: 3 | "x": 1
                   | ^^^ unknown
        "#);
    }

    #[test]
    fn a_failure_without_causes_is_one_line() {
        let failure = Failure::new(FailureKind::Usage, "no product named `product-z`");
        assert_eq!(text(&failure, false), "error: no product named `product-z`\n");
    }
}

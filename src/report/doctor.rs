//! What was checked, and what came of it.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Format;
use super::style::{Text, Tone};
use super::text::TextOptions;
use crate::doctor::{Check, Verdict};
use crate::model::{Owner, Place};

/// The checks of one environment in one Region.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// Each check.
    pub checks: Vec<Check>,
}

impl Checked {
    fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    fn summary(&self) -> String {
        let all = [Verdict::Failed, Verdict::Warning, Verdict::Unknown, Verdict::Ok];
        let counts = all.map(|verdict| format!("{} {}", self.count(verdict), verdict.word()));
        counts.join(", ")
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Ok => Tone::Added,
        Verdict::Unknown => Tone::Faint,
        Verdict::Warning => Tone::Warning,
        Verdict::Failed => Tone::Error,
    }
}

/// The columns of the longest verdict, and two between.
const VERDICT: usize = 16;

/// Writes checks as text or Markdown.
pub fn checks(all: &[Checked], format: Format, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    for (index, checked) in all.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        match format {
            Format::Markdown => markdown(checked, out)?,
            _ => text(checked, out, options)?,
        }
    }
    Ok(())
}

fn text(checked: &Checked, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let place = format!(" in {} {}", checked.place.account, checked.place.region);
    page.paragraph(&Text::of(Tone::Strong, &checked.owner.to_string()).plain(&place), out)?;
    for Check { name, verdict, message, hint } in &checked.checks {
        let word = format!("{:<VERDICT$}", verdict.word());
        let line = Text::of(tone(*verdict), &word).push(Tone::Strong, name).plain(": ").plain(message);
        page.paragraph(&line.hanging(VERDICT), out)?;
        if let Some(hint) = hint.as_ref().filter(|_| *verdict != Verdict::Ok) {
            let line = Text::of(Tone::Plain, &" ".repeat(VERDICT)).push(Tone::Faint, "hint: ").plain(hint);
            page.paragraph(&line.hanging(VERDICT + 6), out)?;
        }
    }
    page.paragraph(&Text::of(Tone::Strong, &checked.summary()).plain("."), out)
}

fn markdown(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    writeln!(out, "## {} in {} {}\n", checked.owner, checked.place.account, checked.place.region)?;
    writeln!(out, "{}\n\n| | check | finding | what to do |\n|---|---|---|---|", checked.summary())?;
    for Check { name, verdict, message, hint } in &checked.checks {
        let hint = hint.as_deref().filter(|_| *verdict != Verdict::Ok).unwrap_or_default();
        writeln!(out, "| {} | {} | {} | {} |", verdict.word(), cell(name), cell(message), cell(hint))?;
    }
    Ok(())
}

/// Checks as JSON.
#[must_use]
pub fn checks_json(all: &[Checked]) -> Value {
    let environments: Vec<Value> = all
        .iter()
        .map(|checked| {
            let checks: Vec<Value> = checked
                .checks
                .iter()
                .map(|Check { name, verdict, message, hint }| {
                    json!({"name": name, "verdict": verdict.word(), "message": message, "hint": hint})
                })
                .collect();
            json!({
                "product": checked.owner.product,
                "environment": checked.owner.environment,
                "account": checked.place.account,
                "region": checked.place.region,
                "checks": checks,
            })
        })
        .collect();
    json!({"gwctl_version": env!("CARGO_PKG_VERSION"), "environments": environments})
}

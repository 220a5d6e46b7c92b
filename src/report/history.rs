//! What was done to environments, for people and programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::{Text, Tone, visible};
use super::text::TextOptions;
use super::{Format, tree};
use crate::history::{Ending, Record, Served, StepRecord};
use crate::model::{Owner, Place};
use crate::plan::Summary;

/// The records of one environment, the newest first.
#[derive(Debug, Clone)]
pub struct Chronicle {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// The records.
    pub records: Vec<Record>,
}

impl Chronicle {
    fn title(&self) -> String {
        format!("{} in {} {}", self.owner, self.place.account, self.place.region)
    }
}

/// The columns of the list, with the names that stand above them.
const COLUMNS: [&str; 5] = ["when", "what", "result", "changes", "who"];

fn cells(record: &Record) -> [String; 5] {
    let Summary { add, change, destroy } = record.summary;
    let (all, done) = (record.steps.len(), record.steps.iter().filter(|step| step.done).count());
    let part = if done < all { format!(" ({done} of {all} steps)") } else { String::new() };
    [
        visible(&record.id),
        record.deed.name().to_owned(),
        record.result.name().to_owned(),
        format!("+{add} ~{change} -{destroy}{part}"),
        visible(record.by.who()),
    ]
}

fn tone(result: Ending) -> Tone {
    match result {
        Ending::Done => Tone::Plain,
        Ending::Failed => Tone::Error,
        Ending::Interrupted => Tone::Warning,
    }
}

/// Writes the records of environments as lists, for people.
pub fn chronicles(all: &[Chronicle], format: Format, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    for (index, one) in all.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        match format {
            Format::Markdown => markdown(one, out)?,
            Format::Text | Format::Json => text(one, out, options)?,
        }
    }
    Ok(())
}

fn text(chronicle: &Chronicle, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    page.paragraph(&Text::of(Tone::Strong, &chronicle.title()), out)?;
    if chronicle.records.is_empty() {
        return page.paragraph(&Text::of(Tone::Plain, "No records."), out);
    }
    let rows: Vec<[String; 5]> = chronicle.records.iter().map(cells).collect();
    let width = |column: usize| {
        let all = rows.iter().map(|row| row[column].chars().count());
        all.max().unwrap_or_default().max(COLUMNS[column].len())
    };
    let line = |cells: [&str; 5]| {
        let padded: Vec<String> =
            cells.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column))).collect();
        padded.join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", Tone::Faint.paint(&line(COLUMNS), options.color))?;
    for (record, row) in chronicle.records.iter().zip(&rows) {
        writeln!(out, "{}", tone(record.result).paint(&line(row.each_ref().map(String::as_str)), options.color))?;
    }
    Ok(())
}

fn markdown(chronicle: &Chronicle, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}\n", chronicle.title())?;
    if chronicle.records.is_empty() {
        return writeln!(out, "No records.");
    }
    writeln!(out, "| {} |\n|{}", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len()))?;
    for record in &chronicle.records {
        let cells = cells(record).map(|cell| cell.replace('|', "\\|"));
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// Writes one record in full, for people.
pub fn record(record: &Record, format: Format, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let facts = facts(record);
    if format == Format::Markdown {
        writeln!(out, "### {}\n", visible(&record.id))?;
        for (name, value) in &facts {
            writeln!(out, "- {name}: {}", visible(value))?;
        }
        writeln!(out)?;
        return record.steps.iter().try_for_each(|step| writeln!(out, "- {}", visible(&step_line(step))));
    }
    let page = options.page();
    page.paragraph(&Text::of(Tone::Strong, &visible(&record.id)), out)?;
    for (name, value) in &facts {
        let line = Text::of(Tone::Faint, &format!("{name:<12}")).plain(&format!(" {}", visible(value)));
        page.paragraph(&line.hanging(13), out)?;
    }
    if !record.steps.is_empty() {
        writeln!(out)?;
    }
    for step in &record.steps {
        let tone = if step.done { Tone::Plain } else { Tone::Error };
        page.paragraph(&Text::new().plain("  ").push(tone, &visible(&step_line(step))).hanging(4), out)?;
    }
    Ok(())
}

fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let by = &record.by;
    let Summary { add, change, destroy } = record.summary;
    let user = by.user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
    let mut facts = vec![
        ("environment", format!("{} in {} {}", record.owner, record.place.account, record.place.region)),
        ("what", format!("{}, {} after {} s", record.deed.name(), record.result.name(), record.seconds)),
        ("changes", format!("{add} added, {change} changed, {destroy} destroyed")),
        ("who", by.caller.clone()),
        ("from", format!("{user}{}, process {}", by.host, by.process)),
        ("gwctl", record.gwctl.clone()),
    ];
    if let Some(run) = &by.run {
        facts.push(("run", run.clone()));
    }
    for (stage, Served { deployment, before, canary }) in &record.serves {
        let before = before.as_ref().map_or_else(String::new, |before| format!(", before it {before}"));
        let canary = canary.as_ref().map_or_else(String::new, |(to, share)| format!("; {share} % go to {to}"));
        facts.push(("serves", format!("{stage}: deployment {deployment}{before}{canary}")));
    }
    facts
}

fn step_line(step: &StepRecord) -> String {
    let StepRecord { address, name, action, reason, done, failure } = step;
    let name =
        name.as_deref().filter(|name| *name != address.name()).map_or_else(String::new, |name| format!(" ({name})"));
    let ended = match (done, failure) {
        (true, _) => String::new(),
        (false, Some(failure)) => format!(": failed: {failure}"),
        (false, None) => ": not begun".to_owned(),
    };
    format!("{} {address}{name}, {}{ended}", tree::mark(*action).sign(), tree::why(*reason))
}

/// One record for programs.
#[must_use]
pub fn record_json(record: &Record) -> Value {
    json!(record)
}

/// The records of environments for programs.
#[must_use]
pub fn chronicles_json(all: &[Chronicle]) -> Value {
    let all: Vec<Value> = all
        .iter()
        .map(|Chronicle { owner, place, records }| {
            json!({
                "product": owner.product, "environment": owner.environment, "account": place.account,
                "region": place.region, "records": records,
            })
        })
        .collect();
    json!({ "gwctl_version": env!("CARGO_PKG_VERSION"), "history": all })
}

//! What moved in AWS, for people, programs, pull requests and test reports.
//!
//! A finding is shown as a plan's step is, from what was applied to what AWS holds: so it is masked by the same pass and
//! names fields, methods, routes and policy statements in the same words.

mod json;
mod junit;
mod markdown;
mod message;
mod text;

pub use json::drift_json;
pub use junit::junit;
pub use markdown::drift_markdown;
pub use message::drift_message;
pub use text::drift_text;

use std::collections::BTreeMap;

use super::field::Change;
use super::mask::mask_step;
use super::style::{Detail, Entry, Mark, Text, Tone};
use super::tree::{describe, why};
use crate::drift::{Drift, Finding, Looked, Pending, Standing, Summary, Who};
use crate::model::{Observed, Ownership};
use crate::plan::{Action, Reason, Step};

/// The finding as a step from what was applied to what AWS holds, fit to be shown.
fn step(finding: &Finding) -> Step {
    let name = finding.name.clone().unwrap_or_default();
    let before = match finding.standing {
        Standing::Unmanaged => None,
        _ if finding.both_moved => finding.wanted.clone(),
        _ => finding.applied.clone(),
    };
    let (action, reason) = match finding.standing {
        Standing::Missing => (Action::Delete, Reason::Drifted),
        Standing::Unmanaged => (Action::Create, Reason::Drifted),
        _ if finding.both_moved => (Action::Update, Reason::ChangedAndDrifted),
        _ => (Action::Update, Reason::Drifted),
    };
    let mut step = Step {
        address: finding.address.clone(),
        name: finding.name.clone(),
        action,
        reason,
        forced_by: Vec::new(),
        changes: finding.changes.clone(),
        after: finding.live.clone(),
        live: before.map(|spec| Observed {
            name,
            within: None,
            spec,
            outputs: finding.outputs.clone(),
            ownership: Ownership::Nobody,
            created: None,
            in_use_by: None,
        }),
        after_steps: Vec::new(),
        retires_after: Vec::new(),
        old_ones_first: Vec::new(),
        labels: finding.labels.clone(),
    };
    mask_step(&mut step);
    step
}

/// How a finding stands, in words.
fn standing(finding: &Finding) -> &'static str {
    match finding.standing {
        Standing::InSync => "in sync",
        Standing::Drifted if finding.both_moved => "drifted, and the configuration changed",
        Standing::Drifted => "drifted",
        Standing::Missing => "missing",
        Standing::Unmanaged => "not gwctl's",
        Standing::Unknown => "unknown",
    }
}

fn mark(standing: Standing) -> Option<Mark> {
    match standing {
        Standing::Drifted => Some(Mark::Change),
        Standing::Missing => Some(Mark::Remove),
        Standing::Unmanaged => Some(Mark::Add),
        Standing::InSync | Standing::Unknown => None,
    }
}

/// A finding with everything there is to say about it below.
fn entry(finding: &Finding, verbose: bool) -> Entry {
    let mut text = Text::of(Tone::Plain, finding.address.kind()).plain(" ").push(Tone::Strong, finding.address.name());
    if let Some(name) = finding.name.as_deref().filter(|name| *name != finding.address.name()) {
        text = text.segment(" ", 2, 4).push(Tone::Faint, &format!("({name})"));
    }
    let mark = mark(finding.standing);
    let tone = mark.map_or(Tone::Warning, Mark::tone);
    text = text.plain(":").segment(" ", 2, 4).push(tone, standing(finding));
    let step = step(finding);
    let changes: Vec<Change> = step.changes.iter().map(Change::from).collect();
    let mut below = describe(&step, changes, Detail { verbose, brief: false });
    let line = |tone: Tone, text: String| Entry::new(None, Text::of(tone, &text).hanging(2));
    below.extend(finding.notes.iter().map(|note| line(Tone::Faint, note.clone())));
    below.extend(who(&finding.who).into_iter().map(|text| line(Tone::Plain, text)));
    below.extend(finding.settle.iter().map(|way| line(Tone::Plain, format!("settle: {way}"))));
    Entry::new(mark, text).with(below)
}

/// A line for each event.
fn who(who: &Who) -> Vec<String> {
    match who {
        Who::NotAsked => Vec::new(),
        Who::CannotSay(why) => vec![format!("who: CloudTrail can't say: {why}")],
        Who::Known(deeds) => deeds
            .iter()
            .map(|deed| format!("who: {} called {} at {}", deed.user, deed.event, time(deed.time)))
            .collect(),
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// As many fields of a change that was not applied are named.
const NAMED: usize = 5;

/// What was not applied, in one line.
fn pending_line(pending: &Pending) -> String {
    let mut fields: Vec<String> = pending.changes.iter().map(crate::model::diff::FieldChange::dotted).collect();
    let more = fields.len().saturating_sub(NAMED);
    fields.truncate(NAMED);
    if more > 0 {
        fields.push(format!("{more} more"));
    }
    let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
    format!("{}: {}{fields}", pending.address, why(pending.reason))
}

/// `1 drifted, 0 missing, 0 unmanaged, 0 unknown; 27 in sync, 1 not applied.`
fn counts(summary: Summary) -> String {
    let Summary { in_sync, drifted, missing, unmanaged, unknown, pending } = summary;
    format!(
        "{drifted} drifted, {missing} missing, {unmanaged} unmanaged, {unknown} unknown; {in_sync} in sync, {pending} \
         changed in the configuration and not applied"
    )
}

/// The counts of all environments that could be looked at.
fn total(all: &[Looked]) -> Summary {
    let each = all.iter().filter_map(|one| one.drift.as_ref().ok()).map(Drift::summary);
    each.fold(Summary::default(), Summary::plus)
}

/// Product by environment: what came of each.
struct Table {
    environments: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

fn table(all: &[Looked]) -> Table {
    let mut environments: Vec<String> = Vec::new();
    let mut cells: BTreeMap<(String, String), (Summary, usize)> = BTreeMap::new();
    let mut products: Vec<String> = Vec::new();
    for one in all {
        let (product, environment) = (&one.owner.product, &one.owner.environment);
        if !environments.contains(environment) {
            environments.push(environment.clone());
        }
        if !products.contains(product) {
            products.push(product.clone());
        }
        let cell = cells.entry((product.clone(), environment.clone())).or_default();
        match &one.drift {
            Ok(drift) => cell.0 = cell.0.plus(drift.summary()),
            Err(_) => cell.1 += 1,
        }
    }
    let cell = |product: &String, environment: &String| match cells.get(&(product.clone(), environment.clone())) {
        None => "-".to_owned(),
        Some((_, failed)) if *failed > 0 => "failed".to_owned(),
        Some((summary, _)) => short(*summary),
    };
    let rows = products
        .iter()
        .map(|product| (product.clone(), environments.iter().map(|environment| cell(product, environment)).collect()));
    let rows = rows.collect();
    Table { environments, rows }
}

/// One cell: what there is, or that all is well.
fn short(summary: Summary) -> String {
    let Summary { in_sync: _, drifted, missing, unmanaged, unknown, pending } = summary;
    let parts = [
        (drifted, "drifted"),
        (missing, "missing"),
        (unmanaged, "unmanaged"),
        (unknown, "unknown"),
        (pending, "not applied"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() { "in sync".to_owned() } else { parts.join(", ") }
}

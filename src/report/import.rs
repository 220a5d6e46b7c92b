//! What an import takes over, what it leaves and why, and what comes next.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::{Text, Tone};
use super::text::TextOptions;
use super::{Format, plan_markdown};
use crate::error::{Failure, Result};
use crate::model::{Address, Digest, Owner, Place};
use crate::plan::{Action, Plan};
use crate::takeover::matching::{Left, Settled, Taken, called};

/// The import of one environment in one Region.
#[derive(Debug, Clone)]
pub struct Import {
    /// Whose everything is to be.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// What was found.
    pub settled: Settled,
    /// Names by which what exists keeps its name, for the environment file.
    pub names: BTreeMap<Address, String>,
    /// The plan that follows, or why there will be none.
    pub next: Result<Plan>,
    /// What was taken over.
    pub written: Vec<Address>,
}

impl Import {
    /// The tags that a resource gets.
    fn tags(&self, taken: &Taken) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("gwctl:product", self.owner.product.clone()),
            ("gwctl:environment", self.owner.environment.clone()),
            ("gwctl:address", taken.address.to_string()),
            ("gwctl:digest", Digest::of(&taken.live.spec).to_string()),
        ])
    }

    /// What the next plan makes, changes and removes, each by address.
    fn follows(&self, wanted: &[Action]) -> Vec<String> {
        let steps = self.next.iter().flat_map(|plan| &plan.steps);
        steps.filter(|step| wanted.contains(&step.action)).map(|step| step.address.to_string()).collect()
    }

    fn names_json(&self) -> Value {
        let names: BTreeMap<&str, &str> =
            self.names.iter().map(|(address, name)| (address.as_str(), name.as_str())).collect();
        json!(names)
    }
}

/// Writes what an import is about to do, as text or Markdown.
pub fn import(import: &Import, format: Format, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    if format == Format::Markdown {
        return markdown(import, out);
    }
    let page = options.page();
    let place = format!(" in {} {}", import.place.account, import.place.region);
    page.paragraph(&Text::of(Tone::Strong, &import.owner.to_string()).plain(&place), out)?;
    let Settled { taken, ours, left, missing, .. } = &import.settled;
    let line = |out: &mut dyn Write, sign: &str, tone: Tone, address: &Address, rest: &str| {
        page.paragraph(
            &Text::of(tone, sign).plain(" ").push(Tone::Strong, address.as_str()).plain(rest).hanging(4),
            out,
        )
    };
    if !taken.is_empty() {
        writeln!(out, "\nGets tags, and is changed in nothing else:")?;
    }
    for one in taken {
        line(out, "~", Tone::Changed, &one.address, &format!("  {}, found {}", called(&one.live), one.source))?;
    }
    if !left.is_empty() {
        writeln!(out, "\nIs left as it is:")?;
    }
    for Left { address, found, why, hint, by_name: _ } in left {
        let name = found.as_ref().map(|found| format!("  {}", called(found))).unwrap_or_default();
        line(out, " ", Tone::Plain, address, &format!("{name}: {why}"))?;
        if let Some(hint) = hint {
            page.paragraph(&Text::of(Tone::Faint, "    ").plain(hint).hanging(4), out)?;
        }
    }
    if !ours.is_empty() {
        writeln!(out, "\n{} resources carry its tags already.", ours.len())?;
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(Address::as_str).collect();
        writeln!(out)?;
        page.paragraph(&Text::of(Tone::Plain, &format!("Not in AWS: {}", names.join(", "))).hanging(2), out)?;
    }
    if !import.names.is_empty() {
        writeln!(out, "\nTo keep names, put this into the environment file:\n")?;
        writeln!(out, "\"names\": {}", serde_json::to_string_pretty(&import.names_json()).unwrap_or_default())?;
    }
    writeln!(out)?;
    page.paragraph(&Text::of(Tone::Plain, &next(import)).hanging(2), out)
}

/// What the plan after it does, in one paragraph.
fn next(import: &Import) -> String {
    let plan = match &import.next {
        Ok(plan) => plan,
        Err(failure) => return format!("The plan after this will be refused: {failure}"),
    };
    let summary = plan.summary();
    let mut text = format!(
        "The plan after this: {} to add, {} to change, {} to destroy.",
        summary.add, summary.change, summary.destroy
    );
    let made = import.follows(&[Action::Create]);
    if !made.is_empty() {
        text = format!("{text} It makes {}.", made.join(", "));
    }
    let gone = import.follows(&[Action::Delete, Action::ReplaceCreateFirst, Action::ReplaceDeleteFirst]);
    if !gone.is_empty() {
        text = format!("{text} It removes {}.", gone.join(", "));
    }
    text
}

fn markdown(import: &Import, out: &mut dyn Write) -> io::Result<()> {
    let Settled { taken, left, .. } = &import.settled;
    writeln!(out, "## Import of {} in {} {}\n", import.owner, import.place.account, import.place.region)?;
    writeln!(out, "| resource | gets tags | found |\n|---|---|---|")?;
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for one in taken {
        let (name, source) = (cell(&called(&one.live)), cell(&one.source.to_string()));
        writeln!(out, "| {} | {name} | {source} |", one.address)?;
    }
    for one in left {
        writeln!(out, "\n- {} is left as it is: {}", one.address, cell(&one.why))?;
    }
    if !import.names.is_empty() {
        let lines = serde_json::to_string_pretty(&import.names_json()).unwrap_or_default();
        writeln!(out, "\nTo keep names:\n\n```json\n\"names\": {lines}\n```")?;
    }
    match &import.next {
        Ok(plan) => writeln!(out, "\n{}", plan_markdown(plan)),
        Err(failure) => writeln!(out, "\nThe plan after this will be refused: {}", cell(&failure.to_string())),
    }
}

/// Writes what came of it.
pub fn imported(import: &Import, out: &mut dyn Write) -> io::Result<()> {
    let owner = &import.owner;
    if import.settled.taken.is_empty() {
        return writeln!(out, "\nNothing to take over for {owner}.");
    }
    let some = import.written.len();
    writeln!(out, "\nTook over {some} resources for {owner}. `gwctl plan` shows what differs from the configuration.")
}

/// Imports as JSON.
#[must_use]
pub fn imports_json(imports: &[Import]) -> Value {
    let resource = |one: &Taken| json!({"address": one.address, "name": one.live.name, "outputs": one.live.outputs});
    let environments: Vec<Value> = imports
        .iter()
        .map(|import| {
            let Settled { taken, ours, left, missing, .. } = &import.settled;
            let taken = taken.iter().map(|one| {
                let mut value = resource(one);
                value["found"] = one.source.to_string().into();
                value["tags"] = json!(import.tags(one));
                value["written"] = import.written.contains(&one.address).into();
                value
            });
            let left = left.iter().map(|one| {
                json!({"address": one.address, "name": one.found.as_ref().map(|found| &found.name),
                    "why": one.why, "hint": one.hint})
            });
            let next = import.next.as_ref().map(|plan| json!(plan.summary()));
            json!({
                "product": import.owner.product,
                "environment": import.owner.environment,
                "account": import.place.account,
                "region": import.place.region,
                "taken": taken.collect::<Vec<_>>(),
                "already": ours.iter().map(resource).collect::<Vec<_>>(),
                "left": left.collect::<Vec<_>>(),
                "missing": missing,
                "names": import.names_json(),
                "next_plan": next.as_ref().ok(),
                "next_plan_refused": import.next.as_ref().err().map(Failure::to_string),
            })
        })
        .collect();
    json!({"gwctl_version": env!("CARGO_PKG_VERSION"), "environments": environments})
}

//! What an apply or a destroy came to.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::plan_json;
use super::style::{Text, Tone};
use super::text::TextOptions;
use crate::apply::Applied;
use crate::model::Outputs;
use crate::plan::{Plan, Summary};

/// What became of one plan.
#[derive(Debug, Clone)]
pub struct Outcome {
    plan: Plan,
    destroyed: bool,
    done: usize,
    failed: Vec<(String, String)>,
    skipped: usize,
    outputs: Vec<(String, Outputs)>,
}

impl Outcome {
    /// The outcome of an apply.
    #[must_use]
    pub fn new(plan: &Plan, applied: &Applied) -> Self {
        Self {
            plan: plan.clone(),
            destroyed: false,
            done: applied.done,
            failed: applied.failed.iter().map(|(address, why)| (address.to_string(), why.to_string())).collect(),
            skipped: applied.skipped,
            outputs: applied.outputs.iter().map(|(address, outputs)| (address.to_string(), outputs.clone())).collect(),
        }
    }

    /// The outcome of a destroy.
    #[must_use]
    pub fn destroyed(plan: &Plan, applied: &Applied) -> Self {
        Self { destroyed: true, ..Self::new(plan, applied) }
    }

    fn is_whole(&self) -> bool {
        self.failed.is_empty() && self.skipped == 0
    }

    /// Where the gateways answer.
    fn urls(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().filter_map(|(_, outputs)| outputs.get("url"))
    }
}

/// Writes an outcome for people: what was done, and where the gateway answers.
pub fn outcome_text(outcome: &Outcome, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let owner = &outcome.plan.owner;
    if !outcome.is_whole() {
        let text = format!("{} done, {} failed, {} not begun.", outcome.done, outcome.failed.len(), outcome.skipped);
        writeln!(out)?;
        return page.paragraph(&Text::of(Tone::Error, &format!("{owner} is not finished: {text}")), out);
    }
    let Summary { add, change, destroy } = outcome.plan.summary();
    if outcome.plan.is_empty() && outcome.destroyed {
        return page
            .paragraph(&Text::of(Tone::Strong, "Nothing to destroy.").plain(&format!(" {owner} holds nothing.")), out);
    }
    if !outcome.plan.is_empty() {
        writeln!(out)?;
        let text = if outcome.destroyed {
            format!("Destroyed {owner}: {destroy} resources are gone.")
        } else {
            format!("Applied {owner}: {add} added, {change} changed, {destroy} destroyed.")
        };
        page.paragraph(&Text::of(Tone::Strong, &text), out)?;
    }
    for url in outcome.urls() {
        writeln!(out, "Endpoint: {url}")?;
    }
    Ok(())
}

/// Outcomes as one JSON object: for each its plan, in the shape of [`plan_json`], and what came of it.
#[must_use]
pub fn outcomes_json(outcomes: &[Outcome]) -> Value {
    let all: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let failed: Vec<Value> =
                outcome.failed.iter().map(|(address, why)| json!({"address": address, "failure": why})).collect();
            let outputs: serde_json::Map<String, Value> =
                outcome.outputs.iter().map(|(address, outputs)| (address.clone(), json!(outputs))).collect();
            json!({
                "product": outcome.plan.owner.product,
                "environment": outcome.plan.owner.environment,
                "complete": outcome.is_whole(),
                "done": outcome.done,
                "failed": failed,
                "not_begun": outcome.skipped,
                "urls": outcome.urls().collect::<Vec<_>>(),
                "outputs": outputs,
                "plan": plan_json(&outcome.plan),
            })
        })
        .collect();
    json!({ "gwctl_version": env!("CARGO_PKG_VERSION"), "outcomes": all })
}

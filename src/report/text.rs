//! A plan as text for a terminal.

use std::io::{self, Write};

use super::layout::Page;
use super::mask::masked;
use super::style::{Text, Tone};
use super::tree::branches;
use crate::plan::{Plan, Summary};

/// How to write text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns of a line. Nothing is wider than this, down to 40.
    pub width: usize,
    /// Write ANSI colour codes. Whoever opened the stream strips them where nobody can see colours.
    pub color: bool,
    /// Leave nothing out.
    pub verbose: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { width: 80, color: false, verbose: false }
    }
}

/// A narrower line would break nearly every word.
const NARROWEST: usize = 40;

impl TextOptions {
    pub(super) fn page(self) -> Page {
        Page { width: self.width.max(NARROWEST), color: self.color, verbose: self.verbose }
    }
}

/// Writes a plan for people: whose it is, the resources as a tree with why and how each changes, warnings, the counts.
///
/// A plan without steps is one sentence, whose first words are `No changes.`
pub fn plan_text(plan: &Plan, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let plan = &masked(plan);
    let page = options.page();
    if plan.is_empty() {
        let text = Text::of(Tone::Strong, "No changes.").plain(&format!(" {} matches the configuration.", label(plan)));
        page.paragraph(&text, out)?;
        return warnings(plan, page, out);
    }
    let place = format!(" in {} {}", plan.place.account, plan.place.region);
    page.paragraph(&Text::of(Tone::Strong, &plan.owner.to_string()).plain(&place), out)?;
    for branch in branches(plan, options.verbose) {
        writeln!(out)?;
        page.paragraph(&Text::of(Tone::Strong, &branch.stack), out)?;
        page.tree(&branch.steps, out)?;
    }
    warnings(plan, page, out)?;
    writeln!(out)?;
    page.paragraph(&Text::of(Tone::Strong, &footer(plan.summary())), out)
}

/// Whose plan it is, and for which Region where the environment has several.
pub(super) fn label(plan: &Plan) -> String {
    let mut addresses =
        plan.steps.iter().map(|step| &step.address).chain(plan.unchanged.iter().map(|one| &one.address));
    if addresses.any(|address| address.region().is_some()) {
        format!("{} {}", plan.owner, plan.place.region)
    } else {
        plan.owner.to_string()
    }
}

fn warnings(plan: &Plan, page: Page, out: &mut dyn Write) -> io::Result<()> {
    for warning in &plan.warnings {
        writeln!(out)?;
        page.paragraph(&Text::of(Tone::Warning, "warning: ").plain(&warning.message).hanging(2), out)?;
        if let Some(hint) = &warning.hint {
            page.paragraph(&Text::new().plain("  ").push(Tone::Strong, "hint: ").plain(hint).hanging(8), out)?;
        }
    }
    Ok(())
}

/// `Plan: 1 to add, 2 to change, 0 to destroy.`
#[must_use]
pub fn footer(summary: Summary) -> String {
    let Summary { add, change, destroy } = summary;
    format!("Plan: {add} to add, {change} to change, {destroy} to destroy.")
}

//! A plan as Markdown for a comment under a pull request: the counts, a table of resources, and the details folded
//! away.

use std::fmt::Write as _;

use super::layout::rows;
use super::mask::masked;
use super::style::{Entry, Mark, Tone, visible};
use super::tree::{branches, mark, why};
use crate::plan::{Plan, Summary};

/// Lines in a code block wrap here; the comment column of the usual forges is about as wide.
const WIDTH: usize = 100;

/// The plan as Markdown, ending in a line feed.
#[must_use]
pub fn plan_markdown(plan: &Plan) -> String {
    let plan = &masked(plan);
    let mut page = String::new();
    let Summary { add, change, destroy } = plan.summary();
    let counts = if plan.is_empty() {
        "no changes".to_owned()
    } else {
        format!("{add} to add, {change} to change, {destroy} to destroy")
    };
    // Writing to a string can't fail.
    let _ = writeln!(page, "### {}: {counts}\n", code(&plan.owner.to_string()));
    let _ = writeln!(page, "Account {}, {}", code(&plan.place.account), code(&plan.place.region));
    if !plan.is_empty() {
        table(plan, &mut page);
    }
    for warning in &plan.warnings {
        let _ = write!(page, "\n> **Warning:** {}", prose(&warning.message));
        if let Some(hint) = &warning.hint {
            let _ = write!(page, "\n>\n> Hint: {}", prose(hint));
        }
        page.push('\n');
    }
    if !plan.is_empty() {
        details(plan, &mut page);
    }
    page
}

fn table(plan: &Plan, page: &mut String) {
    page.push_str("\n|   | Resource | Name in AWS | Why |\n|:-:|---|---|---|\n");
    for step in &plan.steps {
        let name = step.name.as_deref().map(code).unwrap_or_default();
        let address = code(step.address.as_str());
        let _ = writeln!(page, "| {} | {address} | {name} | {} |", code(mark(step.action).sign()), why(step.reason));
    }
}

fn details(plan: &Plan, page: &mut String) {
    let mut block = String::new();
    for branch in branches(plan, false) {
        if !block.is_empty() {
            block.push('\n');
        }
        let _ = writeln!(block, "  {}", branch.stack);
        branch.steps.iter().for_each(|entry| diff_lines(entry, 0, &mut block));
    }
    let fence = fence(&block);
    let _ = writeln!(page, "\n<details><summary>Details</summary>\n\n{fence}diff\n{block}{fence}\n\n</details>");
}

/// The entry and what is below it, each line with the sign in front that a `diff` block is coloured by.
pub(super) fn diff_lines(entry: &Entry, depth: usize, block: &mut String) {
    let sign = entry.mark.map_or(' ', Mark::diff_sign);
    let left = depth * 2 + 1;
    // The block's own signs have none for a replacement.
    let replaced = entry.mark.filter(|mark| mark.tone() == Tone::Replaced).map(|mark| format!("{} ", mark.sign()));
    for (index, row) in rows(&entry.text, WIDTH.saturating_sub(left + 5)).iter().enumerate() {
        let kind = replaced.as_deref().filter(|_| index == 0).unwrap_or_default();
        let _ = writeln!(block, "{sign}{}{kind}{}", " ".repeat(left), row.plain());
    }
    entry.below.iter().for_each(|entry| diff_lines(entry, depth + 1, block));
}

/// A fence longer than any run of backticks inside, so that no value can end the block.
pub(super) fn fence(block: &str) -> String {
    let longest = block.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat((longest + 1).max(3))
}

/// A code span that can't break out of a table cell or a line.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", visible(text).replace('`', "'").replace('|', "\\|"))
}

/// Words, with what Markdown and HTML would take for markup spelled out.
pub(super) fn prose(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('|', "\\|")
}

//! Drift for a terminal.

use std::io::{self, Write};

use super::super::layout::Page;
use super::super::style::{Entry, Mark, Text, Tone, columns};
use super::super::text::TextOptions;
use super::{counts, entry, pending_line, table, total};
use crate::drift::{Drift, Looked};

/// Writes what came of each environment that could be looked at and, of several, a table of all.
pub fn drift_text(all: &[Looked], out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let mut first = true;
    for one in all {
        let Ok(drift) = &one.drift else { continue };
        if !first {
            writeln!(out)?;
        }
        first = false;
        environment(&one.label, drift, page, out)?;
    }
    if all.len() > 1 {
        if !first {
            writeln!(out)?;
        }
        fleet(all, page, out)?;
    }
    Ok(())
}

fn environment(label: &str, drift: &Drift, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let summary = drift.summary();
    if summary.drift() + summary.unknown == 0 {
        let rest = match (drift.quick, summary.in_sync) {
            (_, 0) => format!(" Nothing of {label} was applied yet."),
            (true, count) => format!(" The tags of {label} are as they were applied ({count} resources)."),
            (false, count) => format!(" {label} is as it was applied ({count} resources)."),
        };
        page.paragraph(&Text::of(Tone::Strong, "No drift.").plain(&rest), out)?;
    } else {
        let place = format!(" in {} {}", drift.place.account, drift.place.region);
        page.paragraph(&Text::of(Tone::Strong, label).plain(&place), out)?;
        let mut stacks: Vec<(&str, Vec<Entry>)> = Vec::new();
        for finding in drift.found() {
            let stack = finding.address.stack();
            let entry = entry(finding, page.verbose);
            match stacks.iter_mut().find(|(known, _)| *known == stack) {
                Some((_, entries)) => entries.push(entry),
                None => stacks.push((stack, vec![entry])),
            }
        }
        for (stack, entries) in stacks {
            writeln!(out)?;
            page.paragraph(&Text::of(Tone::Strong, stack), out)?;
            page.tree(&entries, out)?;
        }
    }
    pending(drift, page, out)?;
    for warning in &drift.warnings {
        writeln!(out)?;
        page.paragraph(&Text::of(Tone::Warning, "warning: ").plain(&warning.message).hanging(2), out)?;
        if let Some(hint) = &warning.hint {
            page.paragraph(&Text::new().plain("  ").push(Tone::Strong, "hint: ").plain(hint).hanging(8), out)?;
        }
    }
    if summary.drift() + summary.unknown > 0 {
        writeln!(out)?;
        page.paragraph(&Text::of(Tone::Strong, &format!("Drift: {}.", counts(summary))), out)?;
    }
    Ok(())
}

fn pending(drift: &Drift, page: Page, out: &mut dyn Write) -> io::Result<()> {
    if drift.pending.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    page.paragraph(&Text::of(Tone::Strong, "Changed in the configuration and not applied, which is no drift:"), out)?;
    let entries: Vec<Entry> =
        drift.pending.iter().map(|one| Entry::new(Mark::Change, Text::of(Tone::Plain, &pending_line(one)))).collect();
    page.entries(&entries, "  ", out)
}

fn fleet(all: &[Looked], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let table = table(all);
    let mut widths = vec![0; table.environments.len() + 1];
    let header: Vec<String> = std::iter::once(String::new()).chain(table.environments.iter().cloned()).collect();
    let rows = table.rows.into_iter().map(|(product, cells)| std::iter::once(product).chain(cells).collect());
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - columns(cell))));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)?;
    page.paragraph(&Text::of(Tone::Strong, &format!("Drift: {}.", counts(total(all)))), out)
}

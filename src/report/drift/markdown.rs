//! Drift as Markdown for a pull request, an issue or a chat.

use std::fmt::Write as _;

use super::super::markdown::{code, diff_lines, fence, prose};
use super::{counts, entry, mark, pending_line, short, standing, table, total};
use crate::drift::{Drift, Looked};

/// Every environment, and a table of all where there are several. Ends in a line feed.
#[must_use]
pub fn drift_markdown(all: &[Looked]) -> String {
    let mut page = String::new();
    if all.len() > 1 {
        // Writing to a string can't fail.
        let _ = writeln!(page, "## Drift: {}\n", counts(total(all)));
        let table = table(all);
        let head: Vec<String> = table.environments.iter().map(|name| code(name)).collect();
        let _ = writeln!(page, "| | {} |\n|---|{}", head.join(" | "), "---|".repeat(head.len()));
        for (product, cells) in table.rows {
            let _ = writeln!(page, "| {} | {} |", code(&product), cells.join(" | "));
        }
    }
    for one in all {
        if !page.is_empty() {
            page.push('\n');
        }
        match &one.drift {
            Ok(drift) => environment(&one.label, drift, &mut page),
            Err(failure) => {
                let _ = writeln!(page, "### {}: failed\n\n> {}", code(&one.label), prose(&failure.to_string()));
            }
        }
    }
    page
}

fn environment(label: &str, drift: &Drift, page: &mut String) {
    let _ = writeln!(page, "### {}: {}\n", code(label), short(drift.summary()));
    let _ = writeln!(page, "Account {}, {}", code(&drift.place.account), code(&drift.place.region));
    if drift.found().next().is_some() {
        page.push_str("\n|   | Resource | Name in AWS | Stands |\n|:-:|---|---|---|\n");
        for finding in drift.found() {
            let name = finding.name.as_deref().map(code).unwrap_or_default();
            let sign = mark(finding.standing).map_or("?", |mark| mark.sign());
            let address = code(finding.address.as_str());
            let _ = writeln!(page, "| {} | {address} | {name} | {} |", code(sign), prose(standing(finding)));
        }
        let mut block = String::new();
        drift.found().for_each(|finding| diff_lines(&entry(finding, false), 0, &mut block));
        let fence = fence(&block);
        let _ = writeln!(page, "\n<details><summary>Details</summary>\n\n{fence}diff\n{block}{fence}\n\n</details>");
    }
    if !drift.pending.is_empty() {
        page.push_str("\nChanged in the configuration and not applied, which is no drift:\n\n");
        for pending in &drift.pending {
            let _ = writeln!(page, "- {}", code(&pending_line(pending)));
        }
    }
    for warning in &drift.warnings {
        let _ = writeln!(page, "\n> **Warning:** {}", prose(&warning.message));
    }
}

//! The list of lints.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lint::catalogue::LINTS;

/// Every lint for people: name and sentence, then why and what to do.
#[must_use]
pub fn lints_text() -> String {
    let mut page = String::new();
    for (index, lint) in LINTS.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let _ =
            write!(page, "{gap}{}: {}\n  why: {}\n  what to do: {}\n", lint.name, lint.summary, lint.why, lint.remedy);
    }
    page
}

/// Every lint as data.
#[must_use]
pub fn lints_json() -> Value {
    let lint = |lint: &&crate::lint::catalogue::Lint| {
        json!({
            "name": lint.name,
            "summary": lint.summary,
            "why": lint.why,
            "remedy": lint.remedy,
            "allowed_by_entries": lint.by_route,
        })
    };
    LINTS.iter().map(lint).collect()
}

//! What people and programs see of a plan, of an apply and of a failure.
//!
//! Stage 6 of the pipeline in [`crate`], and the reader of the events of stage 8. Reporters write to the stream they
//! are given and never choose one; nothing else in gwctl prints. The formats of a plan, all masked by one and the same
//! pass:
//!
//! - text for a terminal ([`plan_text`]): a tree that fits 80 columns and reads without colour;
//! - JSON in the shape of `terraform show -json` ([`PlanJson`]), for policy checkers and bots;
//! - Markdown for a comment under a pull request ([`plan_markdown`]).

mod board;
mod canary;
mod comparison;
mod doctor;
mod document;
mod drift;
mod edge;
mod explanation;
mod export;
mod failure;
mod field;
mod fleet;
mod history;
mod import;
mod inventory;
mod json;
mod layout;
mod lints;
mod lock;
mod log_line;
mod markdown;
mod mask;
mod outcome;
mod permissions;
mod planned;
mod policy;
pub mod progress;
mod routes;
mod style;
mod text;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use board::Board;
pub use canary::{Stages, stages_json, stages_text};
pub use comparison::{comparisons, comparisons_json};
pub use doctor::{Checked, checks, checks_json};
pub use drift::{drift_json, drift_markdown, drift_message, drift_text, junit};
pub use edge::{Moved, moved_json, moved_text};
pub use explanation::{Tried, explanation_text, tried_json, tried_text};
pub use export::{export, export_json};
pub use failure::{failure_text, warning_text};
pub use fleet::{FleetRow, fleet, inventories_json};
pub use history::{Chronicle, chronicles, chronicles_json, record, record_json};
pub use import::{Import, import, imported, imports_json};
pub use inventory::{Inventory, LogGroupView, Serving, inventory_text};
pub use json::PlanJson;
pub use lints::{lints_json, lints_text};
pub use lock::{Fate, Locked, locked_text, locks_json, unlocked_text};
pub use log_line::{LogLine, log_line_json, log_line_raw, log_line_text};
pub use markdown::plan_markdown;
pub use mask::{masked, masked_spec, without_secrets};
pub use outcome::{Outcome, Status, outcome_text, outcomes_json, summary_text};
pub use permissions::{AccountPolicy, policies, policies_json, policies_notes};
pub use planned::{Manner, Planned, plans, plans_json};
pub use progress::Reporter;
pub use routes::{RouteTable, route_tables};
pub use text::{TextOptions, footer, plan_text};

/// How a plan is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a comment under a pull request.
    Markdown,
}

impl Format {
    /// Every format, in the order in which they are documented.
    pub const ALL: [Self; 3] = [Self::Text, Self::Json, Self::Markdown];

    /// The word for it on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| format!("`{text}` is not one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

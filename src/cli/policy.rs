//! Options of `policy`.

use clap::{Args, ValueEnum};

use super::Selection;

/// Options of `policy`.
#[derive(Debug, Args)]
pub struct PolicyOptions {
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,

    /// Allow looking only: what `plan`, `drift`, `show` and `history` need
    #[arg(long)]
    pub plan_only: bool,

    /// Allow this as well; may be repeated
    #[arg(long = "with", value_name = "WHAT")]
    pub with: Vec<Beside>,
}

/// What not everybody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Beside {
    /// `gwctl doctor`: quotas, links, and what the caller may do.
    Doctor,
    /// `gwctl logs`: access logs.
    Logs,
    /// `gwctl drift --who`: who changed what.
    Who,
    /// `gwctl drift --metric`.
    Metric,
    /// `gwctl drift --sns-topic`.
    Topic,
}

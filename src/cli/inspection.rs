//! Options of the verbs that say what AWS holds.

use clap::Args;
use clap::builder::TypedValueParser as _;

use super::Selection;

/// Options of `show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,
}

/// Options of `history`.
#[derive(Debug, Args)]
pub struct HistoryOptions {
    /// Show this one record in full: its id, or the letters at its end
    #[arg(value_name = "RECORD")]
    pub record: Option<String>,

    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// How many records of each environment are listed
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub last: usize,
}

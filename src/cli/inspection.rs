//! Options of the verbs that say what AWS holds.

use clap::Args;

use super::Selection;

/// Options of `show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,
}

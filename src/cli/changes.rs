//! Options of the verbs that change AWS, and of `plan`, which says what they would do.

use clap::{Args, Subcommand};

use super::Selection;

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Exit with 2 when there is something to do
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct ApplyOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV; may be repeated
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,

    /// Carry out a plan that removes an API or a large share of what exists
    #[arg(long)]
    pub allow_deletes: bool,

    /// Deploy an API that does not read back as it was imported: for emulators, refused on AWS itself
    #[arg(long)]
    pub no_verify: bool,

    /// How long a Region is watched after its change, before the next one of its environment is changed; without it, as
    /// long as its health check takes to find a fault
    #[arg(long, value_name = "SECONDS")]
    pub settle: Option<u64>,
}

/// Options of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV; may be repeated
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,
}

/// Options of `edge`.
#[derive(Debug, Args)]
pub struct EdgeOptions {
    /// What is done.
    #[command(subcommand)]
    pub action: EdgeAction,
}

/// What is done to a Region.
#[derive(Debug, Subcommand)]
pub enum EdgeAction {
    /// Take its records out of DNS, and wait until nobody is led there
    Drain(RegionOptions),
    /// Put its records back into DNS
    Restore(RegionOptions),
}

/// Options of `edge drain` and `edge restore`.
#[derive(Debug, Args)]
pub struct RegionOptions {
    /// The Region
    #[arg(value_name = "REGION")]
    pub to: String,

    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,

    /// Drain it although no other Region serves
    #[arg(long)]
    pub force: bool,
}

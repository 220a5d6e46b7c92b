//! Options of the verbs that change AWS, and of `plan`, which says what they would do.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};

use super::{Selection, Stack};

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Exit with 2 when there is something to do
    #[arg(long)]
    pub detailed_exitcode: bool,

    /// Save the plan, to be carried out by `gwctl apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Plan for `apply --canary`
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub canary: Option<f64>,
}

/// Options of `show-plan`.
#[derive(Debug, Args)]
pub struct ShowPlanOptions {
    /// The saved plan
    #[arg(value_name = "FILE")]
    pub plan: PathBuf,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "a share of the requests is a number from 0 to 100".to_owned())
}

/// What somebody does who finds an environment locked.
#[derive(Debug, Clone, Args)]
pub struct LockOptions {
    /// How long to wait for the lock of an environment that somebody else changes
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub lock_timeout: u64,
}

impl LockOptions {
    /// The same as a time.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        Duration::from_secs(self.lock_timeout)
    }
}

/// Options of `unlock`.
#[derive(Debug, Args)]
pub struct UnlockOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be unlocked without a question, ENV or PRODUCT/ENV; may be repeated
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,
}

/// Options of `apply`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("consented").args(["yes", "plan"]).multiple(true)))]
pub struct ApplyOptions {
    /// Carry out this saved plan and nothing else, without a question
    #[arg(value_name = "FILE", conflicts_with_all = ["environments", "products", "all", "shard", "canary"])]
    pub plan: Option<PathBuf>,

    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV; may be repeated
    #[arg(long, value_name = "ENV", requires = "consented")]
    pub confirm: Vec<String>,

    /// Try a new deployment on this share of the requests: a canary
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub canary: Option<f64>,

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

    /// What to do while somebody else changes it.
    #[command(flatten)]
    pub lock: LockOptions,
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

    /// What to do while somebody else changes it.
    #[command(flatten)]
    pub lock: LockOptions,
}

/// Options of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// The gateway whose stage is moved, where there are several
    #[arg(long, value_name = "STACK")]
    pub stack: Option<Stack>,

    /// The deployment, by its id or its snapshot; without it, the last good one before the one that is served
    #[arg(long, value_name = "DEPLOYMENT")]
    pub to: Option<String>,

    /// Move the aliases of the functions back too, to the versions that stood then
    #[arg(long)]
    pub functions: bool,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV; may be repeated
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,

    /// What to do while somebody else changes it.
    #[command(flatten)]
    pub lock: LockOptions,
}

/// Options of `canary`.
#[derive(Debug, Args)]
pub struct CanaryOptions {
    /// What is done.
    #[command(subcommand)]
    pub action: CanaryAction,
}

/// What is done with a canary.
#[derive(Debug, Subcommand)]
pub enum CanaryAction {
    /// Show which deployments get which share of the requests
    Status(Selection),
    /// Give the canary's deployment all requests
    Promote(CanaryEnd),
    /// End the canary: all requests go to what the stage serves
    Abort(CanaryEnd),
}

/// Options of `canary promote` and `canary abort`.
#[derive(Debug, Args)]
pub struct CanaryEnd {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// The gateway whose canary it is, where there are several
    #[arg(long, value_name = "STACK")]
    pub stack: Option<Stack>,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV; may be repeated
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,

    /// What to do while somebody else changes it.
    #[command(flatten)]
    pub lock: LockOptions,
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

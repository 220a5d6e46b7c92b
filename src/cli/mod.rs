//! The command line, as types. Nothing here does anything.

mod changes;
mod drift;
mod inspection;
mod policy;
mod sandbox;
mod takeover;
mod working_tree;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use changes::{
    ApplyOptions, CanaryAction, CanaryEnd, CanaryOptions, DestroyOptions, EdgeAction, EdgeOptions, LockOptions,
    PlanOptions, RegionOptions, RollbackOptions, ShowPlanOptions, UnlockOptions,
};
pub use drift::{DriftOptions, Notify, Webhook};
pub use inspection::{GraphFormat, GraphOptions, HistoryOptions, LogsOptions, RoutesOptions, ShowOptions, Since};
pub use policy::{Beside, PolicyOptions};
pub use sandbox::{ConditionOptions, DataPlaneOptions, SandboxOptions, ServeOptions};
pub use takeover::{DoctorOptions, ExportOptions, ImportOptions};
pub use working_tree::{
    CheckOptions, ExplainOptions, PackageOptions, RenderOptions, Rendered, Stack, TestOptions, WARNINGS,
};

use crate::config::Shard;
use crate::host::Host;
use crate::report::Format;

/// Where the sandbox keeps its state unless told otherwise, below the root.
pub const SANDBOX_DIR: &str = ".gwctl/sandbox";

/// Deploys and reconciles AWS API Gateways, without a state file.
#[derive(Debug, Parser)]
#[command(name = "gwctl", version, about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Folder that holds `stacks/` and `environments/`; and `authorizer/` with its workspace, unless a zip is named
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub root: PathBuf,

    /// How to print: text, json or markdown
    #[arg(long, global = true, value_name = "FORMAT", default_value_t = Format::Text)]
    pub output: Format,

    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// Profile of the AWS configuration files, instead of the target's
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// AWS Region, instead of the target's
    #[arg(long, global = true, value_name = "REGION", value_parser = region)]
    pub region: Option<String>,

    /// Endpoint for every AWS call, instead of AWS's own
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    pub endpoint_url: Option<String>,

    /// Work on an AWS inside this process, its state in DIR below the root [default DIR: .gwctl/sandbox]
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true,
          default_missing_value = SANDBOX_DIR, conflicts_with = "endpoint_url")]
    pub sandbox: Option<PathBuf>,

    /// Say more; twice for the AWS SDK's own log
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Plain lines instead of moving progress
    #[arg(long, global = true)]
    pub no_progress: bool,

    /// What the sandbox is like.
    #[command(flatten)]
    pub conditions: ConditionOptions,

    /// The program that runs the command inside itself, if one does.
    #[arg(skip)]
    pub host: Option<Host>,
}

fn region(text: &str) -> Result<String, String> {
    if crate::config::is_region(text) {
        Ok(text.to_owned())
    } else {
        Err("a Region looks like eu-central-1".to_owned())
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
        _ => Err("an endpoint looks like http://127.0.0.1:4566".to_owned()),
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report every fault of the configuration, offline
    Check(CheckOptions),
    /// Print the OpenAPI document or the resource policy of an environment
    Render(RenderOptions),
    /// Build the authorizers' zips
    Package(PackageOptions),
    /// Show what an apply would do
    Plan(PlanOptions),
    /// Show what a saved plan would do
    ShowPlan(ShowPlanOptions),
    /// Make AWS what the configuration says, or carry out a saved plan
    Apply(ApplyOptions),
    /// Move a stage back to an earlier deployment
    Rollback(RollbackOptions),
    /// See how a canary stands, give it all requests, or end it
    Canary(CanaryOptions),
    /// Remove everything that carries the environment's tags
    Destroy(DestroyOptions),
    /// Take away the lock of an environment whose holder is gone
    Unlock(UnlockOptions),
    /// Take a Region of an edge out of service, or put it back
    Edge(EdgeOptions),
    /// Say what somebody changed in AWS since the last apply
    Drift(DriftOptions),
    /// Show what AWS holds
    Show(ShowOptions),
    /// Show what was done to an environment, by whom, and what came of it
    History(HistoryOptions),
    /// Take over what exists, by adding tags to it and nothing else
    Import(ImportOptions),
    /// Write the environment file of a REST API that is there, and say what does not fit
    Export(ExportOptions),
    /// Check what would fail: credentials, permissions, quotas, links, certificates, runtimes
    Doctor(DoctorOptions),
    /// Print the IAM policy that the chosen environments need
    Policy(PolicyOptions),
    /// List the routes, those of the configuration beside those that are served
    Routes(RoutesOptions),
    /// Read access logs, decoded by the stage's format
    Logs(LogsOptions),
    /// Draw the resources, or the way of a request through them
    Graph(GraphOptions),
    /// Serve the gateway of the working tree on this machine
    Serve(ServeOptions),
    /// Say what each layer of the gateway decides about one request, without sending it
    Explain(ExplainOptions),
    /// Hold a file of requests and expected outcomes against the configuration
    Test(TestOptions),
    /// Offer the sandbox to any AWS client over HTTP, and serve its stages
    Sandbox(SandboxOptions),
    /// Run as an AWS Lambda function: each event says what is run, verbs that read only
    Lambda,
}

impl Command {
    /// Whether it runs until it is told to stop, and serves meanwhile.
    #[must_use]
    pub const fn serves(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Sandbox(_) | Self::Lambda)
    }

    /// Whether it changes nothing, neither in AWS nor on this machine, and ends by itself.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Check(_)
            | Self::Render(_)
            | Self::ShowPlan(_)
            | Self::Routes(_)
            | Self::History(_)
            | Self::Doctor(_)
            | Self::Policy(_)
            | Self::Explain(_) => true,
            Self::Show(options) => options.watch.is_none(),
            Self::Logs(options) => !options.follow,
            Self::Graph(options) => options.out.is_none(),
            Self::Plan(options) => options.out.is_none(),
            // What it sends where it is told to is no change of anything.
            Self::Drift(options) => options.junit.is_none(),
            Self::Canary(options) => matches!(options.action, CanaryAction::Status(_)),
            Self::Package(_)
            | Self::Apply(_)
            | Self::Rollback(_)
            | Self::Destroy(_)
            | Self::Edge(_)
            | Self::Unlock(_)
            | Self::Import(_)
            // It writes what functions were told, secrets perhaps, into a file.
            | Self::Export(_)
            | Self::Serve(_)
            | Self::Test(_)
            | Self::Sandbox(_)
            | Self::Lambda => false,
        }
    }
}

/// Which environments.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Environment; may be repeated
    #[arg(long = "env", value_name = "ENV")]
    pub environments: Vec<String>,

    /// Product; may be repeated
    #[arg(long = "product", value_name = "PRODUCT")]
    pub products: Vec<String>,

    /// Every product, or every environment, or both, where none is named
    #[arg(long)]
    pub all: bool,

    /// Every `COUNTth` of them, from the `INDEXth` on, counted from 0; without INDEX, that of the Kubernetes Indexed Job
    #[arg(long, value_name = "INDEX/COUNT")]
    pub shard: Option<Shard>,
}

impl Selection {
    /// Whether anything is selected by name or by `--all`.
    #[must_use]
    pub fn is_some(&self) -> bool {
        let Self { environments, products, all, shard: _ } = self;
        *all || !environments.is_empty() || !products.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

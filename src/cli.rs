//! The command line, as types. Nothing here does anything.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::package::Architecture;
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
    /// Build the authorizer's zip
    Package(PackageOptions),
    /// Show what an apply would do
    Plan(PlanOptions),
    /// Make AWS what the configuration says
    Apply(ApplyOptions),
    /// Remove everything that carries the environment's tags
    Destroy(DestroyOptions),
    /// Show what AWS holds
    Show(ShowOptions),
    /// Offer the sandbox to any AWS client over HTTP
    Sandbox(SandboxOptions),
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
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// Fail on warnings too
    #[arg(long = "deny", value_name = "WHAT")]
    pub deny: Option<Deny>,
}

/// What `check` fails on besides errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Warnings.
    Warnings,
}

/// Options of `render`.
#[derive(Debug, Args)]
pub struct RenderOptions {
    /// What to print
    #[arg(value_name = "WHAT", default_value = "document")]
    pub what: Rendered,
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,
}

/// What `render` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rendered {
    /// The OpenAPI document that is imported.
    Document,
    /// The resource policy in it.
    Policy,
    /// Every resource's spec, by address.
    Resources,
}

/// Options of `package`.
#[derive(Debug, Args)]
pub struct PackageOptions {
    /// Processor: arm64 or `x86_64`; may be repeated
    #[arg(long = "arch", value_name = "ARCH", default_value = "arm64")]
    pub architectures: Vec<Architecture>,

    /// Folder to copy the zips to
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

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

    /// Carry out a plan that removes an API or a large share of what exists
    #[arg(long)]
    pub allow_deletes: bool,

    /// Deploy an API that does not read back as it was imported: for emulators only
    #[arg(long)]
    pub no_verify: bool,
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
}

/// Options of `show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,
}

/// Options of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Address to listen on; only loopback addresses are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: String,
}

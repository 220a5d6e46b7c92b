//! The command line, as types. Nothing here does anything.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::config::GatewayStack;
use crate::error::Failure;
use crate::lint::catalogue;
use crate::package::{Architecture, Function};
use crate::report::Format;
use crate::sandbox::conditions::{Fault, Latency, Quotas};

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
}

/// What the sandbox is like. They need `--sandbox`, except for the verb that serves it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sandbox options")]
pub struct ConditionOptions {
    /// How long each call takes: 50ms, 2s, or 50ms..200ms
    #[arg(long = "sandbox-latency", global = true, value_name = "TIME", value_parser = latency)]
    pub latency: Option<Latency>,

    /// Whose request rates hold: aws
    #[arg(long = "sandbox-quotas", global = true, value_name = "WHOSE", value_parser = quotas)]
    pub quotas: Option<Quotas>,

    /// What goes wrong: `throttle:CreateDeployment:2`, `cut-after:write#17`, `error:*:5%`; may be repeated
    #[arg(long = "sandbox-fault", global = true, value_name = "FAULT", value_parser = fault)]
    pub faults: Vec<Fault>,

    /// File with one such fault a line
    #[arg(long = "sandbox-faults", global = true, value_name = "FILE")]
    pub fault_file: Option<PathBuf>,

    /// Tries for which something new is not ready yet
    #[arg(long = "sandbox-eventual", global = true, value_name = "TRIES")]
    pub eventual: Option<u32>,

    /// What chance is drawn from
    #[arg(long = "sandbox-seed", global = true, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

impl ConditionOptions {
    /// The first option that was given, by its name on the command line.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let Self { latency, quotas, faults, fault_file, eventual, seed } = self;
        let all = [
            (latency.is_some(), "--sandbox-latency"),
            (quotas.is_some(), "--sandbox-quotas"),
            (!faults.is_empty(), "--sandbox-fault"),
            (fault_file.is_some(), "--sandbox-faults"),
            (eventual.is_some(), "--sandbox-eventual"),
            (seed.is_some(), "--sandbox-seed"),
        ];
        all.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }
}

fn latency(text: &str) -> Result<Latency, String> {
    text.parse().map_err(|failure| said(&failure))
}

fn quotas(text: &str) -> Result<Quotas, String> {
    text.parse().map_err(|failure| said(&failure))
}

fn fault(text: &str) -> Result<Fault, String> {
    text.parse().map_err(|failure| said(&failure))
}

/// A failure as clap can show it, on one line with what to do.
fn said(failure: &Failure) -> String {
    failure.hints().iter().fold(failure.to_string(), |text, hint| format!("{text}; {hint}"))
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
    /// Make AWS what the configuration says
    Apply(ApplyOptions),
    /// Remove everything that carries the environment's tags
    Destroy(DestroyOptions),
    /// Take a Region of an edge out of service, or put it back
    Edge(EdgeOptions),
    /// Show what AWS holds
    Show(ShowOptions),
    /// Serve the gateway of the working tree on this machine
    Serve(ServeOptions),
    /// Say what each layer of the gateway decides about one request, without sending it
    Explain(ExplainOptions),
    /// Hold a file of requests and expected outcomes against the configuration
    Test(TestOptions),
    /// Offer the sandbox to any AWS client over HTTP, and serve its stages
    Sandbox(SandboxOptions),
}

impl Command {
    /// Whether it runs until it is told to stop, and serves meanwhile.
    #[must_use]
    pub const fn serves(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Sandbox(_))
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
}

impl Selection {
    /// Whether anything is selected by name or by `--all`.
    #[must_use]
    pub fn is_some(&self) -> bool {
        let Self { environments, products, all } = self;
        *all || !environments.is_empty() || !products.is_empty()
    }
}

/// What `--deny` takes besides the names of lints.
pub const WARNINGS: &str = "warnings";

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// Fail on `warnings`, or on those of one lint; may be repeated
    #[arg(long = "deny", value_name = "WHAT", value_parser = PossibleValuesParser::new(catalogue::names().chain([WARNINGS])),
          hide_possible_values = true)]
    pub deny: Vec<String>,

    /// Show no warnings of a lint; may be repeated
    #[arg(long = "allow", value_name = "LINT", value_parser = PossibleValuesParser::new(catalogue::names()),
          hide_possible_values = true)]
    pub allow: Vec<String>,

    /// List the lints: what they warn of, why, and what to do
    #[arg(long)]
    pub lints: bool,

    /// Show how environments differ, instead: `dev,prod`
    #[arg(long, value_name = "ENV,ENV", value_delimiter = ',', conflicts_with_all = ["deny", "allow", "lints"])]
    pub compare: Vec<String>,

    /// Compare the environments of this product alone; may be repeated
    #[arg(long = "product", value_name = "PRODUCT", requires = "compare")]
    pub products: Vec<String>,
}

/// Options of `render`.
#[derive(Debug, Args)]
pub struct RenderOptions {
    /// What to print
    #[arg(value_name = "WHAT", default_value = "document")]
    pub what: Rendered,

    /// The gateway whose document or policy is printed
    #[arg(long, value_name = "STACK", default_value = "gate")]
    pub stack: Stack,
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,
}

/// A gateway of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stack {
    /// The public one.
    Gate,
    /// The internal one.
    System,
}

impl From<Stack> for GatewayStack {
    fn from(stack: Stack) -> Self {
        match stack {
            Stack::Gate => Self::Gate,
            Stack::System => Self::System,
        }
    }
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

    /// Whose: gate or system; may be repeated
    #[arg(long = "function", value_name = "FUNCTION", default_values = ["gate", "system"])]
    pub functions: Vec<Function>,

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

    /// How stages are served.
    #[command(flatten)]
    pub data_plane: DataPlaneOptions,
}

/// How stages are served.
#[derive(Debug, Clone, Default, Args)]
pub struct DataPlaneOptions {
    /// Where a host of an integration really is: `*.k8s-internal.example.com=127.0.0.1:9001`; may be repeated
    #[arg(long = "upstream", value_name = "PATTERN=HOST:PORT")]
    pub upstreams: Vec<String>,

    /// Ask a URL instead of an authorizer's function; may be repeated
    #[arg(long = "authorizer", value_name = "NAME=URL")]
    pub authorizers: Vec<String>,

    /// Where the issuer of tokens really is: `https://login.example.com=http://127.0.0.1:9003`; may be repeated
    #[arg(long = "issuer", value_name = "ISSUER=URL")]
    pub issuers: Vec<String>,

    /// Write the access log to a file, or to stdout with `-`
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<String>,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,

    /// Address to listen on; only loopback addresses are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: String,

    /// How it is served.
    #[command(flatten)]
    pub data_plane: DataPlaneOptions,

    /// Set a variable of the functions, to a file's content with `NAME=@FILE`; may be repeated
    #[arg(long = "function-env", value_name = "NAME=VALUE")]
    pub function_env: Vec<String>,

    /// Go on serving what was there at the start when a file changes
    #[arg(long)]
    pub no_reload: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// HTTP method
    #[arg(value_name = "METHOD")]
    pub method: String,

    /// Path below the stage, with its query string
    #[arg(value_name = "PATH")]
    pub path: String,

    /// Header to send, `Name: value`; may be repeated
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    pub headers: Vec<String>,

    /// Address of the client [default: 203.0.113.1]
    #[arg(long, value_name = "ADDRESS")]
    pub source_ip: Option<std::net::IpAddr>,

    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,
}

/// Options of `test`.
#[derive(Debug, Args)]
pub struct TestOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// File of expectations [default: tests/requests.toml, .json or .yaml below the root]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn conditions(line: &str) -> ConditionOptions {
        Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}")).global.conditions
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn conditions_are_taken_before_and_after_the_verb() {
        let line = "gwctl --sandbox-quotas aws --sandbox-fault error:* plan --sandbox --sandbox-latency 50ms..200ms \
                    --sandbox-fault cut-before:#3 --sandbox-eventual 2 --sandbox-seed 7 --sandbox-faults bad-day";
        let before = conditions("gwctl --sandbox-quotas aws --sandbox-fault error:* plan");
        assert_eq!((before.quotas, before.faults.len()), (Some(Quotas::Aws), 1));
        let all = conditions(line);
        assert_eq!(all.latency.unwrap().to_string(), "50ms..200ms");
        assert_eq!((all.eventual, all.seed, all.fault_file), (Some(2), Some(7), Some("bad-day".into())));
        // Of one option given on both sides, clap keeps what stands after the verb.
        assert_eq!(all.faults.iter().map(Fault::to_string).collect::<Vec<_>>(), ["cut-before:#3"]);
    }

    #[test]
    fn the_first_condition_is_known_by_its_name() {
        assert_eq!(conditions("gwctl plan --sandbox").given(), None);
        assert_eq!(conditions("gwctl plan --sandbox-seed 1").given(), Some("--sandbox-seed"));
        assert_eq!(conditions("gwctl plan --sandbox-seed 1 --sandbox-fault error:*").given(), Some("--sandbox-fault"));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (option, words) in [
            ("--sandbox-latency=50", "has no unit; write a number with the unit ms or s"),
            ("--sandbox-quotas=azure", "no quotas named `azure`; write `aws`"),
            ("--sandbox-fault=throtle:*", "`throtle` is none of throttle, error"),
            ("--sandbox-fault=throttle", "write ACTION:WHICH[:HOW]"),
            ("--sandbox-eventual=-1", "invalid value"),
        ] {
            let error = Cli::try_parse_from(["gwctl", "plan", "--sandbox", option]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

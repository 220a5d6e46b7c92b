//! Options of the verbs that look at the working tree alone.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::Selection;
use crate::config::GatewayStack;
use crate::lint::catalogue;
use crate::package::{Architecture, Function};

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

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// HTTP method
    #[arg(value_name = "METHOD")]
    pub method: String,

    /// Path below the stage, or for HTTP APIs below the domain name, with its query string
    #[arg(value_name = "PATH")]
    pub path: String,

    /// Ask the HTTP APIs of `edge`, though there is a REST API
    #[arg(long)]
    pub edge: bool,

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

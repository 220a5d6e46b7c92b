//! The second step of the pipeline: load the configuration, lay its layers on each other, and check it.
//!
//! A configuration root holds
//!
//! ```text
//! stacks/gate/…, stacks/system/…      what a gateway is made of (see `stack_files`)
//! stacks/edge/defaults.json           what every HTTP API starts from (see `edge`)
//! environments/PRODUCT/ENV.json       what one environment of one product sets, and its routes
//! environments/targets.toml           the AWS account, Region and credentials of each environment
//! ```
//!
//! Settings come from the stack's `defaults.json`, then from the environment file, key by key; nothing is built in, so
//! that whoever wants to know a value finds it in a file. Every value keeps its place, and every fault of every file is
//! reported in one run ([`Faults`]): [`load`] gives what is right together with all that is wrong, [`load_selected`]
//! gives either what was asked for or what is wrong with it. Nothing here talks to AWS.

mod certificates;
pub mod edge;
mod environment;
mod fault;
mod fields;
mod files;
mod function;
mod hidden;
pub mod limits;
mod merge;
pub mod names;
mod nearest;
mod network;
mod node;
mod operation;
mod parse;
pub mod path;
mod rates;
mod read_authorizer;
mod read_settings;
mod routes;
mod select;
mod settings;
mod shard;
mod source;
mod stack_files;
mod target_url;
mod targets;
#[cfg(test)]
mod tests;
mod web_acl;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use environment::{ENVIRONMENTS, Environment, Gateway};
pub use fault::{Fault, Faults, Severity};
pub use files::{leads_out, leaves};
pub use merge::layer;
pub use names::{GivenName, Names};
pub use nearest::{nearest, suggestion};
pub use network::{DomainSettings, LoadBalancer, VpcLink};
pub use node::{Member, Node, NodeValue};
pub use operation::AlarmSettings;
pub use parse::{parse_json, parse_toml};
pub use routes::{Allowed, Route};
pub use settings::{AuthorizerSettings, CHANNEL_SOURCE, Ingress, LogFormat, Settings};
pub use shard::Shard;
pub use source::{SourceFile, Span};
pub use stack_files::{DEFAULTS, GatewayStack, RouteTemplate, StackFiles, Stacks};
pub use targets::{TARGETS, Target, Targets, is_region, partition_of};
pub use web_acl::{BlockResponse, RateLimit, RuleGroup, WafLogging, WebAclSettings};

use crate::error::Failure;

/// A configuration: what stands below one root.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The folder everything was read from.
    pub root: PathBuf,
    /// What gateways are made of.
    pub stacks: Stacks,
    /// Where environments go.
    pub targets: Targets,
    /// The environments that were asked for and are right, by product and then by name.
    pub environments: Vec<Environment>,
    /// What is legal but probably not meant; [`load`] leaves it among its faults instead.
    pub warnings: Faults,
}

/// Why a configuration could not be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// What is wrong with its files: print [`Faults::render`], then fail with [`Faults::to_failure`].
    Faults(Faults),
    /// What was asked for does not exist.
    Failure(Failure),
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Faults(faults) => faults.to_failure(),
            LoadError::Failure(failure) => failure,
        }
    }
}

/// Loads everything below `root`, and all that is wrong with it, sorted by file and place.
#[must_use]
pub fn load(root: &Path) -> (Configuration, Faults) {
    let mut faults = Faults::default();
    let known = select::environments(root, &mut faults);
    if known.values().all(Vec::is_empty) && !faults.has_errors() {
        let hint = "write `environments/PRODUCT/ENV.json`: its keys are in docs/guide.md";
        faults.file_error(Path::new(ENVIRONMENTS), "there is no environment", hint);
    }
    let wanted: Vec<(&str, &str)> = pairs(&known).collect();
    let configuration = load_pairs(root, &known, &wanted, &mut faults);
    (configuration, faults)
}

/// The environments that have a file, by product. Their files are not read, so faults in them don't matter here.
///
/// # Errors
///
/// [`LoadError::Faults`] if the folders can't be read.
pub fn known(root: &Path) -> Result<BTreeMap<String, Vec<String>>, LoadError> {
    let mut faults = Faults::default();
    let known = select::environments(root, &mut faults);
    if faults.has_errors() { Err(LoadError::Faults(faults)) } else { Ok(known) }
}

/// Loads the stacks, the targets, and the environments that are asked for: every one of `environments` of every one of
/// `products`. With `all`, an empty list means all there are.
///
/// # Errors
///
/// [`LoadError::Failure`] if nothing is asked for, or something that does not exist: it names what does, and what is
/// nearest. [`LoadError::Faults`] if a file that matters is wrong.
pub fn load_selected(
    root: &Path,
    products: &[String],
    environments: &[String],
    all: bool,
) -> Result<Configuration, LoadError> {
    let mut faults = Faults::default();
    let known = known(root)?;
    let wanted = select::wanted(&known, products, environments, all).map_err(LoadError::Failure)?;
    let mut configuration = load_pairs(root, &known, &wanted, &mut faults);
    if faults.has_errors() {
        return Err(LoadError::Faults(faults));
    }
    configuration.warnings = faults;
    Ok(configuration)
}

fn pairs(known: &BTreeMap<String, Vec<String>>) -> impl Iterator<Item = (&str, &str)> {
    known.iter().flat_map(|(product, names)| names.iter().map(move |name| (product.as_str(), name.as_str())))
}

fn load_pairs(
    root: &Path,
    known: &BTreeMap<String, Vec<String>>,
    wanted: &[(&str, &str)],
    faults: &mut Faults,
) -> Configuration {
    let stacks = stack_files::load(root, faults);
    let targets = targets::load(root, known, faults);
    let environments: Vec<Environment> =
        wanted.iter().flat_map(|pair| environment::load(root, *pair, (&stacks, &targets), faults)).collect();
    environment::check_collisions(&environments, faults);
    environment::check_given_names(&environments, faults);
    faults.sort();
    Configuration { root: root.to_owned(), stacks, targets, environments, warnings: Faults::default() }
}

//! The code that the functions are to run: zips that the configuration names, or that are built here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::output::notice;
use crate::cli::Global;
use crate::config::{Configuration, Environment, Gateway, GatewayStack};
use crate::error::{Failure, Result};
use crate::kinds::Artifacts;
use crate::package::{self, Architecture, Function, Package, Packager, read_zip};
use crate::stack::Zips;

/// The code that the functions are to run.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// By function and what its code is made from.
    sha256: BTreeMap<(Function, String), String>,
    artifacts: Artifacts,
}

/// The function of a gateway.
fn function(gateway: &Gateway) -> Function {
    match gateway.stack {
        GatewayStack::Gate => Function::Gate,
        GatewayStack::System => Function::System,
    }
}

impl Code {
    /// Gateways of which this is the same run the same code.
    fn key(gateway: &Gateway) -> (Function, String) {
        let authorizer = &gateway.settings.authorizer;
        let made_from = match &authorizer.zip {
            Some(zip) => zip.display().to_string(),
            None => authorizer.architecture.clone(),
        };
        (function(gateway), made_from)
    }

    /// The zips of each environment, in their order: named in the configuration, or built where that has not been done yet.
    /// What can't be had for one leaves the others theirs. Only on the sandbox may a build for this machine stand in for
    /// one that Lambda runs.
    pub(super) async fn of_each(global: &Global, configuration: &Configuration) -> Vec<Result<Self>> {
        let mut all = Vec::new();
        for environment in &configuration.environments {
            all.push(Self::of(global, std::slice::from_ref(environment), global.sandbox.is_some()).await);
        }
        all
    }

    /// Nothing for each environment, where only names are looked at.
    pub(super) fn of_none(configuration: &Configuration) -> Vec<Result<Self>> {
        configuration.environments.iter().map(|_| Ok(Self::default())).collect()
    }

    /// The zips of some environments. `for_here`: a build for this machine may stand in for one that Lambda runs.
    pub(super) async fn of(global: &Global, environments: &[Environment], for_here: bool) -> Result<Self> {
        let mut code = Self::default();
        // By architecture, so that one call of cargo builds all that is missing of it.
        let mut missing: BTreeMap<Architecture, BTreeSet<Function>> = BTreeMap::new();
        for gateway in environments.iter().flat_map(Environment::gateways) {
            if let Some(zip) = &gateway.settings.authorizer.zip {
                let path = global.root.join(zip);
                let archive = read_zip(&path).map_err(|failure| failure.hint(ZIP_HINT))?;
                code.add(Self::key(gateway), archive.sha256_base64, path);
            } else {
                missing.entry(architecture(gateway)?).or_default().insert(function(gateway));
            }
        }
        for (architecture, functions) in missing {
            let functions: Vec<Function> = functions.into_iter().collect();
            for package in build(global, &functions, architecture, for_here).await? {
                code.add((package.function, architecture.to_string()), package.sha256_base64, package.zip);
            }
        }
        Ok(code)
    }

    fn add(&mut self, key: (Function, String), sha256: String, zip: PathBuf) {
        self.artifacts.insert(sha256.clone(), zip);
        self.sha256.insert(key, sha256);
    }

    /// Something in the place of code, where nothing is run: a zip in `folder`, which has to live as long as the work.
    pub(super) fn stand_in(folder: &Path, environment: &Environment) -> Result<Self> {
        let path = folder.join("stand-in.zip");
        let zip = package::pack(b"nothing is run")?;
        std::fs::write(&path, zip)
            .map_err(|error| Failure::io(format!("failed to write {}", path.display()), &error))?;
        let sha256 = read_zip(&path)?.sha256_base64;
        let mut code = Self::default();
        for gateway in environment.gateways() {
            code.add(Self::key(gateway), sha256.clone(), path.clone());
        }
        Ok(code)
    }

    /// The zips by their digests.
    pub(super) fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// The digests of the zips of an environment.
    pub(super) fn zips(&self, environment: &Environment) -> Zips<'_> {
        let of = |gateway: Option<&Gateway>| {
            let known = gateway.and_then(|gateway| self.sha256.get(&Self::key(gateway)));
            known.map_or(Zips::UNBUILT.gate, String::as_str)
        };
        Zips { gate: of(environment.gate.as_ref()), system: of(environment.system.as_ref()) }
    }
}

const ZIP_HINT: &str =
    "the setting `authorizer.zip` names it, relative to --root: put the zip there, or leave the setting out";

fn architecture(gateway: &Gateway) -> Result<Architecture> {
    let name = &gateway.settings.authorizer.architecture;
    name.parse().map_err(|_| Failure::internal(format!("the configuration let the architecture `{name}` pass")))
}

/// Builds the zips of functions where that has not been done yet.
pub(super) async fn build(
    global: &Global,
    functions: &[Function],
    architecture: Architecture,
    for_here: bool,
) -> Result<Vec<Package>> {
    let root = &global.root;
    let packager = Packager::new(root, root.join("target/gwctl-package")).allow_host_build(for_here);
    let progress = |line: &str| {
        // Progress that can't be written is not worth stopping a build for.
        let _ = notice(global, |out| writeln!(out, "authorizer ({architecture}): {line}"));
    };
    let built = packager.packages(functions, architecture, &progress).await?;
    if built.iter().any(|package| !package.cached) {
        // A note is about what this machine lacks: every zip of an architecture has the same.
        for note in built.iter().flat_map(|package| &package.notes).collect::<BTreeSet<_>>() {
            notice(global, |out| writeln!(out, "note: {note}"))?;
        }
    }
    Ok(built)
}

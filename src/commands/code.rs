//! The code that the functions are to run: zips that the configuration names, or that are built here.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::notice;
use crate::cli::Global;
use crate::config::{Configuration, Environment};
use crate::error::{Failure, Result};
use crate::kinds::Artifacts;
use crate::package::{self, Architecture, Package, Packager, read_zip};

/// The code that the functions are to run.
#[derive(Debug, Default)]
pub(super) struct Code {
    sha256: BTreeMap<String, String>,
    artifacts: Artifacts,
}

impl Code {
    /// Code for commands that look only at names: nothing is built, and no spec may be compared.
    pub(super) const UNBUILT: &'static str = "unbuilt";

    fn key(environment: &Environment) -> String {
        let authorizer = &environment.settings.authorizer;
        match &authorizer.zip {
            Some(zip) => zip.display().to_string(),
            None => authorizer.architecture.clone(),
        }
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
        for environment in environments {
            let key = Self::key(environment);
            if code.sha256.contains_key(&key) {
                continue;
            }
            let (sha256, zip) = if let Some(zip) = &environment.settings.authorizer.zip {
                let path = global.root.join(zip);
                let archive = read_zip(&path).map_err(|failure| failure.hint(ZIP_HINT))?;
                (archive.sha256_base64, path)
            } else {
                let package = build(global, architecture(environment)?, for_here).await?;
                (package.sha256_base64, package.zip)
            };
            code.artifacts.insert(sha256.clone(), zip);
            code.sha256.insert(key, sha256);
        }
        Ok(code)
    }

    /// Something in the place of code, where nothing is run: a zip in `folder`, which has to live as long as the work.
    pub(super) fn stand_in(folder: &Path, environment: &Environment) -> Result<Self> {
        let path = folder.join("stand-in.zip");
        let zip = package::pack(b"nothing is run")?;
        std::fs::write(&path, zip)
            .map_err(|error| Failure::io(format!("failed to write {}", path.display()), &error))?;
        let sha256 = read_zip(&path)?.sha256_base64;
        Ok(Self { artifacts: [(sha256.clone(), path)].into(), sha256: [(Self::key(environment), sha256)].into() })
    }

    /// The zips by their digests.
    pub(super) fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// The digest of the zip of an environment.
    pub(super) fn sha256(&self, environment: &Environment) -> &str {
        self.sha256.get(&Self::key(environment)).map_or(Self::UNBUILT, String::as_str)
    }
}

const ZIP_HINT: &str =
    "the setting `authorizer.zip` names it, relative to --root: put the zip there, or leave the setting out";

fn architecture(environment: &Environment) -> Result<Architecture> {
    let name = &environment.settings.authorizer.architecture;
    name.parse().map_err(|_| Failure::internal(format!("the configuration let the architecture `{name}` pass")))
}

/// Builds the authorizer's zip where that has not been done yet.
pub(super) async fn build(global: &Global, architecture: Architecture, for_here: bool) -> Result<Package> {
    let root = &global.root;
    let packager = Packager::new(root, root.join("target/gwctl-package")).allow_host_build(for_here);
    let progress = |line: &str| {
        // Progress that can't be written is not worth stopping a build for.
        let _ = notice(global, |out| writeln!(out, "authorizer ({architecture}): {line}"));
    };
    let package = packager.package(architecture, &progress).await?;
    if !package.cached {
        for note in &package.notes {
            notice(global, |out| writeln!(out, "note: {note}"))?;
        }
    }
    Ok(package)
}

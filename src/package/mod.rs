//! From the source of the authorizers to the zips that Lambda takes, one for each function.
//!
//! [`Packager::package`] stands before the plan: the digest of the zip is part of the function's spec. So the same source
//! has to give the same bytes, on every machine and in every folder, or a plan would show a change where there is none
//! (aws-facts G: Lambda's `CodeSha256` is the hash of the zip, not of what is in it). And it has to be quick when nothing
//! changed: a zip is kept under the digest of everything that goes into it, and cargo is called only when that is new.
//!
//! - `toolchain`: what this machine can build with, and what it lacks
//! - `sources`: the digest of everything that decides the bytes
//! - `build`: the one call of cargo
//! - `archive`: the zip
//! - `cache`: finished zips, and the lock between two processes

mod archive;
mod build;
mod cache;
mod sources;
mod toolchain;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Failure, FailureKind, Result};

pub use archive::{Archive, pack, read_zip};

/// What to do when nothing can be built here; every failure that a ready zip would avoid ends with it.
const NAME_A_ZIP: &str = "or name a ready-made zip in the configuration instead of building one";

/// The processor of a Lambda function, spelled as Lambda does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Architecture {
    /// Graviton: the cheaper one.
    #[default]
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Architecture {
    /// This machine's, if Lambda has it.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        match std::env::consts::ARCH {
            "aarch64" => Some(Self::Arm64),
            "x86_64" => Some(Self::X86_64),
            _ => None,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        })
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "arm64" => Ok(Self::Arm64),
            "x86_64" => Ok(Self::X86_64),
            _ => Err("choose arm64 or x86_64".to_owned()),
        }
    }
}

/// A function that is built here: each has a program of its own in the crate, and a zip of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// The authorizer of a public gateway.
    Gate,
    /// The authorizer of an internal gateway.
    System,
}

impl Function {
    /// Its program in the crate; so are its files called, and so do people know it.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Gate => "gate-authorizer",
            Self::System => "system-authorizer",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gate => "gate",
            Self::System => "system",
        })
    }
}

impl FromStr for Function {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "gate" => Ok(Self::Gate),
            "system" => Ok(Self::System),
            _ => Err("choose gate or system".to_owned()),
        }
    }
}

/// A zip that was built here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Where it lies. A file under this path never changes.
    pub zip: PathBuf,
    /// Lambda's `CodeSha256`: SHA-256 of the zip in base64.
    pub sha256_base64: String,
    /// Size of the zip in bytes.
    pub size: u64,
    /// What it does in Lambda.
    pub function: Function,
    /// The architecture that was asked for. Where a host build stood in, `notes` says so.
    pub architecture: Architecture,
    /// SHA-256 in hex of everything that the zips of an architecture are built from.
    pub source_digest: String,
    /// What the user should know about this build.
    pub notes: Vec<String>,
    /// Whether it was there already.
    pub cached: bool,
}

/// Builds the authorizers' zips.
#[derive(Debug, Clone)]
pub struct Packager {
    root: PathBuf,
    cache: PathBuf,
    allow_host_build: bool,
    /// The command lines that start the two programs: the name, and arguments that go before all others.
    cargo: Vec<OsString>,
    rustc: Vec<OsString>,
}

impl Packager {
    /// A packager for the crate in `root/authorizer`. It keeps its zips and cargo's files in `cache`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, cache: impl Into<PathBuf>) -> Self {
        let (cargo, rustc) = (vec!["cargo".into()], vec!["rustc".into()]);
        Self { root: root.into(), cache: cache.into(), allow_host_build: false, cargo, rustc }
    }

    /// Whether a build for this machine may stand in when the Linux target is missing. Such a zip runs on this machine's
    /// sandbox and nowhere else.
    #[must_use]
    pub fn allow_host_build(mut self, allow: bool) -> Self {
        self.allow_host_build = allow;
        self
    }

    /// The zip of a function for this architecture: from the cache if nothing changed (milliseconds), or built (about a
    /// minute). `on_progress` receives what cargo is doing, line by line.
    pub async fn package(
        &self,
        function: Function,
        architecture: Architecture,
        on_progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Package> {
        let packages = self.packages(&[function], architecture, on_progress).await?;
        packages.into_iter().next().ok_or_else(|| Failure::internal("a function was asked for, and none was built"))
    }

    /// The zips of several functions, each once, the gate's first. Those that are not there are built by one call of cargo,
    /// which takes little longer than for one of them, because they share nearly everything.
    pub async fn packages(
        &self,
        functions: &[Function],
        architecture: Architecture,
        on_progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Vec<Package>> {
        let root = self.find_root()?;
        let toolchain = toolchain::Toolchain::probe(&self.rustc, &root, architecture).await?;
        let target = toolchain.choose(self.allow_host_build, &toolchain::on_this_machine)?;
        let source = sources::Source::read(&root)?;
        let digest = source.digest(&toolchain, &target);
        let cache = cache::Cache::open(&self.cache)?;
        let wanted: BTreeSet<Function> = functions.iter().copied().collect();
        let find = || wanted.iter().filter_map(|function| cache.find(*function, architecture, &digest)).collect();
        let packages: Vec<Package> = find();
        if packages.len() == wanted.len() {
            return Ok(packages);
        }
        let _lock = cache.lock(on_progress).await?;
        // Whoever held the lock may have built the very same.
        let mut packages: Vec<Package> = find();
        let missing: Vec<Function> = wanted
            .iter()
            .copied()
            .filter(|function| packages.iter().all(|found| found.function != *function))
            .collect();
        if missing.is_empty() {
            return Ok(packages);
        }
        let (cargo, folder) = (&self.cargo, cache.cargo_folder());
        let (source, toolchain) = (&source, &toolchain);
        let build = build::Build { cargo, source, toolchain, target: &target, functions: &missing, folder };
        for (function, binary) in build.run(on_progress).await? {
            let bytes = archive::pack(&binary)?;
            packages.push(cache.keep(function, architecture, &digest, &bytes, target.notes.clone())?);
        }
        packages.sort_unstable_by_key(|package| package.function);
        Ok(packages)
    }

    /// The root as the system calls it: cargo and rustc see that name, so the remapping of paths needs it.
    fn find_root(&self) -> Result<PathBuf> {
        if !self.root.join("authorizer/Cargo.toml").is_file() {
            let message =
                format!("there is no crate to build at {}", Path::new(&self.root).join("authorizer").display());
            return Err(Failure::new(FailureKind::Build, message)
                .hint("run gwctl in the folder that holds `authorizer/`")
                .hint(NAME_A_ZIP));
        }
        self.root
            .canonicalize()
            .map_err(|error| Failure::io(format!("failed to resolve {}", self.root.display()), &error))
    }
}

#[cfg(all(test, unix))]
mod tests;

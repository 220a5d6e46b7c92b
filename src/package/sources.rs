//! Everything that decides the bytes of the binaries, and its digest.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use toml_edit::{DocumentMut, Item};

use super::toolchain::{Target, Toolchain};
use crate::error::{Failure, FailureKind, Result};

/// Rises when this module builds differently from the same source, so that older zips are no longer found.
const RECIPE: &str = "gwctl package 2";

/// The profile to build with.
pub(super) const PROFILE: &str = "lambda";

/// The source of the authorizers.
#[derive(Debug)]
pub(super) struct Source {
    /// The folder that holds `authorizer/`, as the system calls it.
    pub(super) root: PathBuf,
    /// Whether the root is a Cargo workspace; otherwise the crate stands alone.
    pub(super) workspace: bool,
    /// Whether the profile is defined; otherwise it comes with the command line.
    pub(super) has_profile: bool,
    /// Names and contents, in the order of their names.
    parts: Vec<(String, Vec<u8>)>,
}

impl Source {
    /// Reads the crate, the lock file, and those parts of the manifest above that reach into the crate.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let above = read_if_there(&root.join("Cargo.toml"))?.map(|text| parse(root, &text)).transpose()?;
        let workspace = above.filter(|manifest| manifest.contains_key("workspace"));
        let mut parts = Vec::new();
        collect(&root.join("authorizer"), "authorizer", &mut parts)?;
        let has_profile = match &workspace {
            Some(manifest) => {
                parts.extend(inherited(manifest));
                if let Some(lock) = read_if_there(&root.join("Cargo.lock"))? {
                    parts.push(("Cargo.lock".to_owned(), lock));
                }
                defines_profile(manifest)
            }
            None => read_if_there(&root.join("authorizer/Cargo.toml"))?
                .map(|text| parse(&root.join("authorizer"), &text))
                .transpose()?
                .is_some_and(|manifest| defines_profile(&manifest)),
        };
        parts.sort_unstable();
        Ok(Self { root: root.to_owned(), workspace: workspace.is_some(), has_profile, parts })
    }

    /// SHA-256 in hex of the source, the compiler and the target.
    pub(super) fn digest(&self, toolchain: &Toolchain, target: &Target) -> String {
        let Target { triple, cc, ar: _, linker, notes: _ } = target;
        let mut hash = Sha256::new();
        // Every part is preceded by its length, or the end of one could be moved to the beginning of the next.
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        let tools = [triple.as_str(), cc.as_deref().unwrap_or(""), linker.as_deref().unwrap_or("")];
        for part in [RECIPE, &toolchain.version].into_iter().chain(tools) {
            add(part.as_bytes());
        }
        for (name, content) in &self.parts {
            add(name.as_bytes());
            add(content);
        }
        hash.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(format!("failed to read {}", path.display()), &error)),
    }
}

fn parse(folder: &Path, text: &[u8]) -> Result<DocumentMut> {
    String::from_utf8_lossy(text).parse().map_err(|error: toml_edit::TomlError| {
        let message = format!("{} is not valid TOML", folder.join("Cargo.toml").display());
        Failure::new(FailureKind::Build, message).because(&error)
    })
}

fn defines_profile(manifest: &DocumentMut) -> bool {
    manifest.get("profile").and_then(|profiles| profiles.get(PROFILE)).is_some()
}

/// What a workspace's manifest hands down. The rest of it is about other crates, and must not cause a build.
fn inherited(manifest: &DocumentMut) -> impl Iterator<Item = (String, Vec<u8>)> {
    let paths: [&[&str]; 6] = [
        &["workspace", "package"],
        &["workspace", "dependencies"],
        &["workspace", "resolver"],
        &["profile", "release"],
        &["profile", PROFILE],
        &["patch"],
    ];
    paths.into_iter().filter_map(|path| {
        let item: &Item = path.iter().try_fold(manifest.as_item(), |item, key| item.get(key))?;
        Some((format!("Cargo.toml {}", path.join(".")), item.to_string().into_bytes()))
    })
}

/// All files below a folder, by their names from the root with slashes.
fn collect(folder: &Path, name: &str, parts: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let failed = |error: std::io::Error| Failure::io(format!("failed to read {}", folder.display()), &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let below = entry.file_name().to_string_lossy().into_owned();
        // Cargo's own output, when the crate was built where it stands, and what editors and version control leave.
        if below == "target" || below.starts_with('.') {
            continue;
        }
        let (path, below) = (entry.path(), format!("{name}/{below}"));
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&path, &below, parts)?;
        } else if let Some(content) = read_if_there(&path)? {
            parts.push((below, content));
        }
    }
    Ok(())
}

//! Finished zips, each under the digest of its source, and the lock that keeps two processes from building at once.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Architecture, Function, Package, archive};
use crate::error::{Failure, Result};

/// The folder of finished zips.
pub(super) struct Cache {
    folder: PathBuf,
}

/// What is known of a zip, beside it. It is written last: a zip without it is not finished.
#[derive(Serialize, Deserialize)]
struct Record {
    sha256_base64: String,
    size: u64,
    notes: Vec<String>,
}

impl Cache {
    /// Makes the folder if need be, and takes it by the name the system gives it.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .and_then(|()| folder.canonicalize())
            .map(|folder| Self { folder })
            .map_err(|error| Failure::io(format!("failed to create {}", folder.display()), &error))
    }

    /// Where cargo may put its files.
    pub(super) fn cargo_folder(&self) -> PathBuf {
        self.folder.join("target")
    }

    fn entry(&self, function: Function, architecture: Architecture, digest: &str) -> PathBuf {
        self.folder.join(function.program()).join(architecture.to_string()).join(digest)
    }

    /// A finished zip, if there is one and it is still what was written.
    pub(super) fn find(&self, function: Function, architecture: Architecture, digest: &str) -> Option<Package> {
        let entry = self.entry(function, architecture, digest);
        let record: Record = serde_json::from_slice(&fs::read(entry.join("package.json")).ok()?).ok()?;
        let zip = entry.join("bootstrap.zip");
        let intact = archive::sha256_base64(&fs::read(&zip).ok()?) == record.sha256_base64;
        intact.then(|| package(zip, function, architecture, digest, record, true))
    }

    /// Waits until no other process builds, and keeps others waiting until the result is dropped.
    pub(super) async fn lock(&self, on_progress: &(dyn Fn(&str) + Send + Sync)) -> Result<File> {
        let path = self.folder.join("lock");
        let failed = |error: &std::io::Error| Failure::io(format!("failed to lock {}", path.display()), error);
        let file = File::create(&path).map_err(|error| failed(&error))?;
        let mut said = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
                // Asked again and again instead of waited for, so that Ctrl-C works meanwhile.
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut said, true) {
                        on_progress("waiting for another gwctl that is building");
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Writes a zip and what is known of it; each file appears whole or not at all.
    pub(super) fn keep(
        &self,
        function: Function,
        architecture: Architecture,
        digest: &str,
        bytes: &[u8],
        notes: Vec<String>,
    ) -> Result<Package> {
        let entry = self.entry(function, architecture, digest);
        let zip = entry.join("bootstrap.zip");
        let record = Record { sha256_base64: archive::sha256_base64(bytes), size: bytes.len() as u64, notes };
        let json = serde_json::to_vec_pretty(&record)
            .map_err(|error| Failure::internal("failed to describe the zip").because(&error))?;
        fs::create_dir_all(&entry)
            .and_then(|()| write(&zip, bytes))
            .and_then(|()| write(&entry.join("package.json"), &json))
            .map_err(|error| Failure::io(format!("failed to write {}", zip.display()), &error))?;
        Ok(package(zip, function, architecture, digest, record, false))
    }
}

fn package(
    zip: PathBuf,
    function: Function,
    architecture: Architecture,
    digest: &str,
    record: Record,
    cached: bool,
) -> Package {
    let Record { sha256_base64, size, notes } = record;
    Package { zip, sha256_base64, size, function, architecture, source_digest: digest.to_owned(), notes, cached }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

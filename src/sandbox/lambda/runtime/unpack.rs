//! The zip of a function on disk, where its processes find it, and for which machine it was built.

use std::fs::{self, File};
use std::io::{Cursor, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;

use super::InvokeError;

/// What Lambda starts for an OS-only runtime.
const BOOTSTRAP: &str = "bootstrap";

/// 250 MB, Lambda's own limit: a zip that claims less than it holds must not fill the disk.
const LIMIT: u64 = 262_144_000;

/// An unpacked zip; the folder goes with it.
#[derive(Debug)]
pub(super) struct Unpacked {
    dir: TempDir,
}

impl Unpacked {
    /// Unpacks a zip. Reads and writes files.
    pub(super) fn new(zip: &Bytes) -> Result<Self, InvokeError> {
        let dir = tempfile::Builder::new().prefix("gwctl-function-").tempdir();
        let dir = dir.map_err(|error| InvokeError::machine("failed to make a folder for the function", &error))?;
        extract(zip, dir.path())?;
        let unpacked = Self { dir };
        unpacked.check()?;
        Ok(unpacked)
    }

    /// The folder, Lambda's `/var/task`.
    pub(super) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// The program to start.
    pub(super) fn bootstrap(&self) -> PathBuf {
        self.root().join(BOOTSTRAP)
    }

    /// The machine that the program was built for, if it says so: scripts don't.
    pub(super) fn machine(&self) -> Option<&'static str> {
        let mut head = [0; 20];
        File::open(self.bootstrap()).and_then(|mut file| file.read_exact(&mut head)).ok()?;
        elf_machine(&head)
    }

    fn check(&self) -> Result<(), InvokeError> {
        let Ok(found) = fs::metadata(self.bootstrap()) else {
            return Err(InvokeError::entrypoint(
                "the zip of the function has no `bootstrap` at its top level",
                "`gwctl package` makes a zip that has; only OS-only runtimes (`provided.*`) run here",
            ));
        };
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(InvokeError::entrypoint(
                "`bootstrap` in the zip of the function is not executable",
                "zip it with its mode: `chmod +x bootstrap && zip function.zip bootstrap`, or use `gwctl package`",
            ));
        }
        Ok(())
    }
}

fn extract(zip: &Bytes, root: &Path) -> Result<(), InvokeError> {
    let damaged = |error: &dyn std::fmt::Display| {
        InvokeError::entrypoint(format!("the zip of the function can't be read: {error}"), "upload it again")
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(|error| damaged(&error))?;
    let mut left = LIMIT;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|error| damaged(&error))?;
        // A name such as `../../etc/passwd` would write outside the folder; a link would let a later name do so.
        let Some(name) = entry.enclosed_name().filter(|_| !entry.is_symlink()) else {
            return Err(InvokeError::entrypoint(
                format!("the zip of the function has the entry `{}`", entry.name().unwrap_or_default()),
                "entries must lie inside the zip and be plain files or folders: make the zip anew",
            ));
        };
        let path = root.join(name);
        let written = if entry.is_dir() {
            fs::create_dir_all(&path).map(|()| 0)
        } else {
            let mode = entry.unix_mode().map_or(0o644, |mode| mode & 0o777);
            write(&path, mode, &mut (&mut entry).take(left + 1))
        };
        let written = written.map_err(|error| InvokeError::machine("failed to unpack the function", &error))?;
        left = left.checked_sub(written).ok_or_else(|| damaged(&"it unpacks to more than Lambda's 250 MB"))?;
    }
    Ok(())
}

fn write(path: &Path, mode: u32, content: &mut impl std::io::Read) -> std::io::Result<u64> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create(path)?;
    let written = std::io::copy(content, &mut file)?;
    // Readable by its owner whatever the zip says, or the folder could not be removed.
    file.set_permissions(fs::Permissions::from_mode(mode | 0o600))?;
    Ok(written)
}

/// The machine in an ELF header, in Lambda's words.
fn elf_machine(head: &[u8; 20]) -> Option<&'static str> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    // `e_machine`, in the byte order that `EI_DATA` gives.
    let machine =
        if head[5] == 2 { u16::from_be_bytes([head[18], head[19]]) } else { u16::from_le_bytes([head[18], head[19]]) };
    match machine {
        0x3e => Some("x86_64"),
        0xb7 => Some("arm64"),
        _ => Some("another machine"),
    }
}

/// This machine, in Lambda's words.
pub(super) fn this_machine() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::lambda::runtime::tests::zip_of;

    fn refused(entries: &[(&str, u32, &[u8])]) -> String {
        Unpacked::new(&zip_of(entries)).unwrap_err().to_string()
    }

    #[test]
    fn a_zip_is_unpacked_with_its_modes() {
        let zip = zip_of(&[("bootstrap", 0o755, b"#!/bin/sh\n"), ("lib/data", 0o444, b"data")]);
        let unpacked = Unpacked::new(&zip).unwrap();
        assert_eq!(fs::read(unpacked.root().join("lib/data")).unwrap(), b"data");
        assert_eq!(fs::metadata(unpacked.bootstrap()).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(unpacked.machine(), None);
        let root = unpacked.root().to_owned();
        drop(unpacked);
        assert!(!root.exists());
    }

    #[test]
    fn what_could_not_be_started_is_refused_with_what_to_do() {
        assert!(refused(&[("main", 0o755, b"")]).contains("has no `bootstrap`"));
        let plain = refused(&[("bootstrap", 0o644, b"")]);
        assert!(plain.contains("not executable") && plain.contains("chmod +x"), "{plain}");
        let slip = refused(&[("bootstrap", 0o755, b""), ("../outside", 0o644, b"")]);
        assert!(slip.contains("`../outside`"), "{slip}");
        let link = refused(&[("bootstrap", 0o755, b""), ("link", 0o120_777, b"/etc")]);
        assert!(link.contains("`link`"), "{link}");
        assert!(Unpacked::new(&Bytes::from_static(b"no zip")).unwrap_err().to_string().contains("can't be read"));
    }

    #[test]
    fn the_machine_is_read_from_the_header() {
        let mut head = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0";
        assert_eq!(elf_machine(&head), Some("x86_64"));
        head[18] = 0xb7;
        assert_eq!(elf_machine(&head), Some("arm64"));
        (head[5], head[18], head[19]) = (2, 0, 0xb7);
        assert_eq!(elf_machine(&head), Some("arm64"));
        head[0] = b'#';
        assert_eq!(elf_machine(&head), None);
    }
}

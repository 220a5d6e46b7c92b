//! The zip: one entry, nothing in it that depends on when and where it was made.

use std::fs;
use std::io::{Cursor, Read as _, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::config;
use crate::error::{Failure, FailureKind, Result};

/// Lambda takes no more in a request; a larger zip would have to come from S3.
const MAX_ZIP: u64 = 50 * 1024 * 1024;
/// 250 MB, Lambda's own limit, layers included.
const MAX_UNPACKED: u64 = 250 * 1024 * 1024;
/// No path of Linux is longer.
const LONGEST_LINK: u64 = 4096;
/// The name that a custom runtime must have.
const ENTRY: &str = "bootstrap";

/// A zip file in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Archive {
    /// The file.
    pub bytes: Vec<u8>,
    /// Lambda's `CodeSha256`: SHA-256 of the file in base64.
    pub sha256_base64: String,
    /// Size in bytes.
    pub size: u64,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bytes: _, sha256_base64, size } = self;
        f.debug_struct("Archive").field("sha256_base64", sha256_base64).field("size", size).finish_non_exhaustive()
    }
}

/// Reads a zip that the configuration names, and makes sure that it is one Lambda can take.
pub fn read_zip(path: &Path) -> Result<Archive> {
    let shown = path.display();
    let found = fs::metadata(path).map_err(|error| Failure::io(format!("failed to read {shown}"), &error))?;
    if !found.is_file() {
        return Err(Failure::new(FailureKind::Configuration, format!("{shown} is no file"))
            .hint("`authorizer.zip` names a zip, not a folder"));
    }
    let length = found.len();
    if length > MAX_ZIP {
        return Err(Failure::new(FailureKind::Configuration, format!("{shown} is too large for Lambda"))
            .cause(format!("it has {length} bytes, and Lambda takes at most {MAX_ZIP} in a request"))
            .hint("strip the binary, and leave out what the function does not need"));
    }
    let bytes = fs::read(path).map_err(|error| Failure::io(format!("failed to read {shown}"), &error))?;
    let mut archive = ZipArchive::new(Cursor::new(&bytes))
        .map_err(|error| Failure::new(FailureKind::Configuration, format!("{shown} is not a zip")).because(&error))?;
    if archive.is_empty() {
        return Err(Failure::new(FailureKind::Configuration, format!("{shown} is an empty zip"))
            .hint("it should hold the function's files, such as `bootstrap`"));
    }
    if let Some(cause) = wrong_entry(&mut archive) {
        return Err(Failure::new(FailureKind::Configuration, format!("{shown} is no zip that Lambda can run"))
            .cause(cause)
            .hint("make it anew, of the function's own files"));
    }
    let (sha256_base64, size) = (sha256_base64(&bytes), bytes.len() as u64);
    Ok(Archive { bytes, sha256_base64, size })
}

/// What is wrong with the entries of a zip: whoever unpacks it would write outside of its folder, or fill the disk.
fn wrong_entry(archive: &mut ZipArchive<Cursor<&Vec<u8>>>) -> Option<String> {
    let mut size = 0_u64;
    for at in 0..archive.len() {
        let mut entry = match archive.by_index(at) {
            Ok(entry) => entry,
            Err(error) => return Some(format!("entry {} can't be read: {error}", at + 1)),
        };
        let name = entry.name().unwrap_or_default().into_owned();
        let Some(place) = entry.enclosed_name() else { return Some(format!("its entry `{name}` leads out of it")) };
        if entry.is_symlink() {
            let mut target = String::new();
            let read = (&mut entry).take(LONGEST_LINK).read_to_string(&mut target);
            let folder = place.parent().unwrap_or(Path::new(""));
            if read.is_err() || config::leads_out(&folder.join(&target)) {
                return Some(format!("its link `{name}` leads out of it"));
            }
        }
        size = size.saturating_add(entry.size());
    }
    (size > MAX_UNPACKED).then(|| format!("it unpacks to {size} bytes, and Lambda takes at most {MAX_UNPACKED}"))
}

/// The zip of a binary: time, mode, order and compression are fixed, so the same binary gives the same bytes.
pub fn pack(binary: &[u8]) -> Result<Vec<u8>> {
    // The default time of an entry is the first that a zip can say, but that is the library's choice; this is ours.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755)
        .system(zip::System::Unix);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |error: &dyn std::error::Error| Failure::internal("failed to write the zip").because(error);
    writer.start_file(ENTRY, options).map_err(|error| failed(&error))?;
    writer.write_all(binary).map_err(|error| failed(&error))?;
    Ok(writer.finish().map_err(|error| failed(&error))?.into_inner())
}

/// What Lambda calls `CodeSha256`.
pub(super) fn sha256_base64(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::{pack, read_zip, sha256_base64};
    use std::io::{Cursor, Read, Write as _};

    #[test]
    fn the_same_binary_gives_the_same_zip() {
        let binary: Vec<u8> = (0..200_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let first = pack(&binary).unwrap();
        // Two seconds are the step of a zip's clock; the test checks the fields instead of waiting for them.
        assert_eq!(first, pack(&binary).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(&first)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_index(0).unwrap();
        assert_eq!((entry.name().unwrap().as_ref(), entry.unix_mode()), ("bootstrap", Some(0o100_755)));
        let time = entry.last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day(), time.hour(), time.minute()), (1980, 1, 1, 0, 0));
        let mut unpacked = Vec::new();
        entry.read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, binary);
        assert_ne!(first, pack(&binary[1..]).unwrap());
    }

    #[test]
    fn the_digest_is_lambdas() {
        assert_eq!(sha256_base64(b"abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn a_named_zip_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        assert!(read_zip(&path).unwrap_err().to_string().contains("failed to read"));
        std::fs::write(&path, "#!/bin/sh").unwrap();
        assert!(read_zip(&path).unwrap_err().to_string().contains("is not a zip"));
        std::fs::write(&path, [b"PK\x05\x06".as_slice(), &[0; 18]].concat()).unwrap();
        assert!(read_zip(&path).unwrap_err().to_string().contains("is an empty zip"));
        std::fs::File::create(&path).unwrap().set_len(super::MAX_ZIP + 1).unwrap();
        assert!(read_zip(&path).unwrap_err().to_string().contains("too large for Lambda"));
        let bytes = pack(b"binary").unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let archive = read_zip(&path).unwrap();
        assert_eq!((archive.size, &archive.sha256_base64), (bytes.len() as u64, &sha256_base64(&bytes)));
        assert_eq!(archive.bytes, bytes);
    }

    /// The zip of some entries.
    fn zip_of(entries: impl FnOnce(&mut zip::ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        entries(&mut writer);
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_zip_that_leaves_its_folder_is_refused() {
        let options = zip::write::SimpleFileOptions::default();
        let named = |name: &str| {
            zip_of(|zip| {
                zip.start_file(name, options).unwrap();
                zip.write_all(b"x").unwrap();
            })
        };
        let linked = |name: &str, target: &str| zip_of(|zip| zip.add_symlink(name, target, options).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        for (zip, what) in [
            (named("../bootstrap"), "its entry `../bootstrap` leads out of it"),
            (named("a/../../b"), "leads out of it"),
            (linked("etc", "/etc"), "its link `etc` leads out of it"),
            (linked("a/up", "../../x"), "its link `a/up` leads out of it"),
        ] {
            std::fs::write(&path, zip).unwrap();
            let said = read_zip(&path).unwrap_err().to_string();
            assert!(said.contains("is no zip that Lambda can run") && said.contains(what), "{said}");
        }
        std::fs::write(&path, linked("a/latest", "../lib/x.so")).unwrap();
        read_zip(&path).unwrap();
        let said = read_zip(folder.path()).unwrap_err().to_string();
        assert!(said.contains("is no file"), "{said}");
    }

    #[test]
    fn a_zip_that_claims_to_be_huge_is_refused() {
        let options = zip::write::SimpleFileOptions::default();
        let mut zip = zip_of(|zip| {
            zip.start_file("bootstrap", options).unwrap();
            zip.write_all(&[0; 1000]).unwrap();
        });
        // The size stands in the central directory, 24 bytes behind its mark.
        let at = zip.windows(4).rposition(|mark| mark == b"PK\x01\x02").unwrap() + 24;
        zip[at..at + 4].copy_from_slice(&400_000_000_u32.to_le_bytes());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, zip).unwrap();
        let said = read_zip(&path).unwrap_err().to_string();
        assert!(said.contains("it unpacks to 400000000 bytes"), "{said}");
    }
}

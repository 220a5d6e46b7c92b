//! The zip: one entry, nothing in it that depends on when and where it was made.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::error::{Failure, FailureKind, Result};

/// Lambda takes no more in a request; a larger zip would have to come from S3.
const MAX_ZIP: u64 = 50 * 1024 * 1024;
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
    let length = fs::metadata(path).map_err(|error| Failure::io(format!("failed to read {shown}"), &error))?.len();
    if length > MAX_ZIP {
        return Err(Failure::new(FailureKind::Configuration, format!("{shown} is too large for Lambda"))
            .cause(format!("it has {length} bytes, and Lambda takes at most {MAX_ZIP} in a request"))
            .hint("strip the binary, and leave out what the function does not need"));
    }
    let bytes = fs::read(path).map_err(|error| Failure::io(format!("failed to read {shown}"), &error))?;
    let entries = ZipArchive::new(Cursor::new(&bytes))
        .map(|archive| archive.len())
        .map_err(|error| Failure::new(FailureKind::Configuration, format!("{shown} is not a zip")).because(&error))?;
    if entries == 0 {
        return Err(Failure::new(FailureKind::Configuration, format!("{shown} is an empty zip"))
            .hint("it should hold the function's files, such as `bootstrap`"));
    }
    let (sha256_base64, size) = (sha256_base64(&bytes), bytes.len() as u64);
    Ok(Archive { bytes, sha256_base64, size })
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
    use std::io::{Cursor, Read};

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
}

//! The code of functions: a zip that Lambda could unpack.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::invalid;
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::hex;

/// 50 MB of zip and a third more in base64: Lambda's limit for a direct upload, as its message states it.
const REQUEST_LIMIT: usize = 70_167_211;

/// 250 MB, as Lambda's message states it.
const UNZIPPED_LIMIT: u64 = 262_144_000;

/// Code that was uploaded and found good.
#[derive(Debug)]
pub(super) struct Upload {
    /// The zip.
    pub(super) zip: Bytes,
    /// Its SHA-256, in hexadecimal digits.
    pub(super) digest: String,
    /// Its SHA-256, in base64: Lambda's `CodeSha256`.
    pub(super) sha256: String,
}

/// Decodes and checks a `ZipFile`; `operation` and the size of its request are for the message.
pub(super) fn upload(zip: &str, operation: &str, request: usize) -> Answer<Upload> {
    if request > REQUEST_LIMIT {
        let message = format!("Request must be smaller than {REQUEST_LIMIT} bytes for the {operation} operation");
        return Err(Fault::new(413, "RequestEntityTooLargeException", message));
    }
    let zip: Bytes = BASE64
        .decode(zip)
        .map_err(|error| Fault::new(400, "SerializationException", format!("ZipFile is not valid base64: {error}")))?
        .into();
    check(&zip)?;
    let sum = Sha256::digest(&zip);
    Ok(Upload { digest: hex(&sum), sha256: BASE64.encode(sum), zip })
}

fn check(zip: &Bytes) -> Answer<()> {
    let unreadable = || invalid("Could not unzip uploaded file. Please check your file, then try to upload again.");
    if zip.is_empty() {
        return Err(invalid("Uploaded file must be a non-empty zip"));
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(|_| unreadable())?;
    if archive.is_empty() {
        return Err(invalid("Uploaded file must be a non-empty zip"));
    }
    let mut unzipped: u64 = 0;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|_| unreadable())?;
        unzipped = unzipped.saturating_add(entry.size());
    }
    if unzipped >= UNZIPPED_LIMIT {
        return Err(invalid(format!("Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")));
    }
    Ok(())
}

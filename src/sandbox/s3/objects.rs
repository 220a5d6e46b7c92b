//! Objects: small ones, whole, with their versions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Bucket;
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::hex;
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::world::date;

/// Bytes of the largest object here: the world is written to disk as a whole.
const LARGEST: usize = 1024 * 1024;

/// A version of an object, or a delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) key: String,
    /// `null` where the bucket kept no versions when it was made.
    pub(super) id: String,
    /// Milliseconds since the epoch.
    pub(super) modified: i64,
    /// The object, in base64; a delete marker has none.
    data: Option<String>,
    kind: String,
    pub(super) size: usize,
    pub(super) etag: String,
}

impl Version {
    pub(super) fn is_marker(&self) -> bool {
        self.data.is_none()
    }
}

/// The newest version of each key, in the order of the keys.
pub(super) fn newest(bucket: &Bucket) -> std::collections::BTreeMap<&str, &Version> {
    // Later ones take the place of earlier ones.
    bucket.versions.iter().map(|version| (version.key.as_str(), version)).collect()
}

/// Puts a version in; where no versions are kept, or no longer, it takes the place of the one called `null`.
fn keep(bucket: &mut Bucket, mut version: Version, fresh: String) -> String {
    if bucket.versioning.as_deref() == Some("Enabled") {
        version.id = fresh;
    } else {
        bucket.versions.retain(|other| other.key != version.key || other.id != "null");
    }
    let id = version.id.clone();
    bucket.versions.push(version);
    id
}

pub(super) fn put(bucket: &mut Bucket, request: &Request, key: &str, now: i64, fresh: String) -> Answer<Response> {
    if key.len() > 1024 {
        return Err(Fault::new(400, "KeyTooLongError", "Your key is too long"));
    }
    if request.body.len() > LARGEST {
        let message = format!("The sandbox's S3 keeps objects of at most {LARGEST} bytes");
        return Err(Fault::new(400, "EntityTooLarge", message));
    }
    // Not the MD5 that it is on AWS for objects without a KMS key; clients may not rely on it (user guide).
    let etag = format!("\"{}\"", &hex(&Sha256::digest(&request.body))[..32]);
    let version = Version {
        key: key.to_owned(),
        id: "null".to_owned(),
        modified: now,
        data: Some(BASE64.encode(&request.body)),
        kind: request.header("content-type").unwrap_or("binary/octet-stream").to_owned(),
        size: request.body.len(),
        etag: etag.clone(),
    };
    let id = keep(bucket, version, fresh);
    let mut response = Response::empty(200);
    response.headers.push(("etag".into(), etag));
    if id != "null" {
        response.headers.push(("x-amz-version-id".into(), id));
    }
    Ok(response)
}

pub(super) fn get(bucket: &Bucket, request: &Request, key: &str, whole: bool) -> Answer<Response> {
    let asked = request.parameter("versionId");
    let found = match asked {
        Some(id) => bucket.versions.iter().find(|version| version.key == key && version.id == id),
        None => newest(bucket).get(key).copied(),
    };
    let missing = || match asked {
        Some(_) => Fault::new(404, "NoSuchVersion", "The specified version does not exist."),
        None => Fault::new(404, "NoSuchKey", "The specified key does not exist."),
    };
    let version = found.ok_or_else(missing)?;
    let Some(data) = version.data.as_ref().and_then(|data| BASE64.decode(data).ok()) else {
        return Err(if asked.is_some() {
            let message = "The specified method is not allowed against this resource.";
            Fault::new(405, "MethodNotAllowed", message)
        } else {
            missing()
        });
    };
    let mut headers = vec![
        ("content-type".to_owned(), version.kind.clone()),
        ("etag".to_owned(), version.etag.clone()),
        ("last-modified".to_owned(), date(version.modified, "%a, %d %b %Y %H:%M:%S GMT")),
    ];
    if version.id != "null" {
        headers.push(("x-amz-version-id".to_owned(), version.id.clone()));
    }
    let body = if whole {
        data.into()
    } else {
        headers.push(("content-length".to_owned(), version.size.to_string()));
        Bytes::new()
    };
    Ok(Response { status: 200, headers, body })
}

/// What is not there is deleted all the same (API reference, `DeleteObject`).
pub(super) fn delete(bucket: &mut Bucket, request: &Request, key: &str, now: i64, fresh: String) -> Response {
    if let Some(id) = request.parameter("versionId") {
        bucket.versions.retain(|version| version.key != key || version.id != id);
        return Response::empty(204);
    }
    if bucket.versioning.is_none() {
        bucket.versions.retain(|version| version.key != key);
        return Response::empty(204);
    }
    let marker = Version {
        key: key.to_owned(),
        id: "null".to_owned(),
        modified: now,
        data: None,
        kind: String::new(),
        size: 0,
        etag: String::new(),
    };
    let id = keep(bucket, marker, fresh);
    let mut response = Response::empty(204);
    response.headers.push(("x-amz-delete-marker".into(), "true".into()));
    response.headers.push(("x-amz-version-id".into(), id));
    response
}

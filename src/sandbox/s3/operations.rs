//! What a request to S3 is for: the bucket and key in its host and path, and the operation that verb and query string make.

use percent_encoding::percent_decode_str;

use crate::sandbox::wire::Request;

/// The bucket and the key that a request names; the key is empty where it is about the bucket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) bucket: Option<String>,
    pub(super) key: String,
}

impl Target {
    /// From the host (`bucket.s3.eu-central-1.amazonaws.com`, and `bucket.localhost` as clients make it of a server on this
    /// machine) or from the path.
    pub(super) fn of(request: &Request) -> Self {
        let host = request.header("host").unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = request.path.trim_start_matches('/');
        if let Some(bucket) = in_host(host) {
            return Self { bucket: Some(bucket.to_owned()), key: decoded(path) };
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Self { bucket: (!bucket.is_empty()).then(|| decoded(bucket)), key: decoded(key) }
    }
}

fn in_host(host: &str) -> Option<&str> {
    if let Some(bucket) = host.strip_suffix(".localhost") {
        return Some(bucket);
    }
    let at = host.find(".s3.").or_else(|| host.find(".s3-"))?;
    host.ends_with(".amazonaws.com").then_some(()).or_else(|| host.ends_with(".amazonaws.com.cn").then_some(()))?;
    Some(&host[..at])
}

/// The bucket and the key that a request is about; the key is empty where it is about the bucket.
pub(in crate::sandbox) fn addressed(request: &Request) -> (Option<String>, String) {
    let Target { bucket, key } = Target::of(request);
    (bucket, key)
}

/// What of a bucket has operations of its own.
const SUBRESOURCES: [&str; 11] = [
    "encryption",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "ownershipControls",
    "policy",
    "publicAccessBlock",
    "tagging",
    "versioning",
    "versions",
];

/// Parameters that tell no operation from another.
const PARAMETERS: [&str; 13] = [
    "bucket-region",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "max-buckets",
    "max-keys",
    "prefix",
    "start-after",
    "version-id-marker",
    "versionId",
    "x-id",
];

/// Verb, level, subresource and name. Levels: `/` the service, `b` a bucket, `o` an object.
const OPERATIONS: [(&str, char, &str, &str); 33] = [
    ("GET", '/', "", "ListBuckets"),
    ("PUT", 'b', "", "CreateBucket"),
    ("DELETE", 'b', "", "DeleteBucket"),
    ("HEAD", 'b', "", "HeadBucket"),
    ("GET", 'b', "location", "GetBucketLocation"),
    ("GET", 'b', "list-type", "ListObjectsV2"),
    ("GET", 'b', "versions", "ListObjectVersions"),
    ("GET", 'b', "tagging", "GetBucketTagging"),
    ("PUT", 'b', "tagging", "PutBucketTagging"),
    ("DELETE", 'b', "tagging", "DeleteBucketTagging"),
    ("GET", 'b', "policy", "GetBucketPolicy"),
    ("PUT", 'b', "policy", "PutBucketPolicy"),
    ("DELETE", 'b', "policy", "DeleteBucketPolicy"),
    ("GET", 'b', "versioning", "GetBucketVersioning"),
    ("PUT", 'b', "versioning", "PutBucketVersioning"),
    ("GET", 'b', "logging", "GetBucketLogging"),
    ("PUT", 'b', "logging", "PutBucketLogging"),
    ("GET", 'b', "encryption", "GetBucketEncryption"),
    ("PUT", 'b', "encryption", "PutBucketEncryption"),
    ("DELETE", 'b', "encryption", "DeleteBucketEncryption"),
    ("GET", 'b', "lifecycle", "GetBucketLifecycleConfiguration"),
    ("PUT", 'b', "lifecycle", "PutBucketLifecycleConfiguration"),
    ("DELETE", 'b', "lifecycle", "DeleteBucketLifecycle"),
    ("GET", 'b', "publicAccessBlock", "GetPublicAccessBlock"),
    ("PUT", 'b', "publicAccessBlock", "PutPublicAccessBlock"),
    ("DELETE", 'b', "publicAccessBlock", "DeletePublicAccessBlock"),
    ("GET", 'b', "ownershipControls", "GetBucketOwnershipControls"),
    ("PUT", 'b', "ownershipControls", "PutBucketOwnershipControls"),
    ("DELETE", 'b', "ownershipControls", "DeleteBucketOwnershipControls"),
    ("PUT", 'o', "", "PutObject"),
    ("GET", 'o', "", "GetObject"),
    ("HEAD", 'o', "", "HeadObject"),
    ("DELETE", 'o', "", "DeleteObject"),
];

/// The name of an operation, `GetBucketTagging`. Nothing for what the sandbox has not: a parameter that it does not know
/// would make another operation of the request.
pub(in crate::sandbox) fn operation(request: &Request) -> Option<&'static str> {
    let known = |name: &str| PARAMETERS.contains(&name) || SUBRESOURCES.contains(&name) || name.starts_with("X-Amz-");
    if request.query.iter().any(|(name, _)| !known(name)) || request.header("x-amz-copy-source").is_some() {
        return None;
    }
    let Target { bucket, key } = Target::of(request);
    let level = match (&bucket, key.is_empty()) {
        (None, _) => '/',
        (Some(_), true) => 'b',
        (Some(_), false) => 'o',
    };
    let of = subresource(request).unwrap_or_default();
    let found = OPERATIONS.iter().find(|(verb, at, sub, _)| *verb == request.method && *at == level && *sub == of)?;
    // The first list of objects, which has no number.
    if of == "list-type" && request.parameter("list-type") != Some("2") {
        return None;
    }
    Some(found.3)
}

/// The subresource in the query string.
pub(super) fn subresource(request: &Request) -> Option<&str> {
    request.query.iter().map(|(name, _)| name.as_str()).find(|name| SUBRESOURCES.contains(name))
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    #[test]
    fn buckets_are_named_by_host_or_by_path() {
        let of = |host: &str, path: &str| {
            let mut request = request("GET", path, &[], "");
            request.headers.push(("host".into(), host.into()));
            let Target { bucket, key } = Target::of(&request);
            (bucket.unwrap_or_default(), key)
        };
        let is = |bucket: &str, key: &str| (bucket.to_owned(), key.to_owned());
        assert_eq!(of("s3.eu-central-1.amazonaws.com", "/b/x%20y/z"), is("b", "x y/z"));
        assert_eq!(of("b.s3.eu-central-1.amazonaws.com", "/x/z"), is("b", "x/z"));
        assert_eq!(of("a.b.s3.cn-north-1.amazonaws.com.cn", "/"), is("a.b", ""));
        assert_eq!(of("b.localhost:4566", "/x"), is("b", "x"));
        assert_eq!(of("127.0.0.1:4566", "/b"), is("b", ""));
        assert_eq!(of("localhost:4566", "/"), is("", ""));
        assert_eq!(of("b.s3.evil.example", "/c"), is("c", ""));
    }

    #[test]
    fn every_operation_is_told_by_verb_and_query() {
        for (verb, level, sub, name) in OPERATIONS {
            let path = match level {
                '/' => "/",
                'b' => "/b",
                _ => "/b/k",
            };
            let query: Vec<(&str, &str)> =
                if sub.is_empty() { Vec::new() } else { vec![(sub, if sub == "list-type" { "2" } else { "" })] };
            assert_eq!(operation(&request(verb, path, &query, "")), Some(name), "{verb} {path} {sub}");
        }
        for (verb, path, query) in [
            ("GET", "/b", vec![]),
            ("GET", "/b", vec![("acl", "")]),
            ("GET", "/b", vec![("list-type", "1")]),
            ("PUT", "/b/k", vec![("tagging", "")]),
            ("POST", "/b/k", vec![]),
            ("DELETE", "/b", vec![("versioning", "")]),
        ] {
            assert_eq!(operation(&request(verb, path, &query, "")), None, "{verb} {path} {query:?}");
        }
    }
}

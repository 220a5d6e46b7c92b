//! S3 in the sandbox: buckets with their settings and tags, and small objects in them, over REST and XML, version
//! 2006-03-01.
//!
//! Names are global: one set of them for each partition, whoever owns the bucket (API reference, `CreateBucket`). A bucket
//! lives in one Region, and other Regions point there. Objects are here so that "not empty" is real; parts, ACLs, CORS,
//! websites, replication and notifications are not. Bucket policies are kept and not asked.

mod buckets;
mod faults;
mod listing;
mod objects;
pub(in crate::sandbox) mod operations;
mod policy;
mod settings;
mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::faults::{access_denied, elsewhere, no_bucket, refusal};
use self::operations::Target;
use super::fault::{Answer, Fault};
use super::wire::{Caller, Request, Response};
use super::world::View;
use super::xml::Xml;
use super::xml_reader::Element;

pub(in crate::sandbox) use self::buckets::stand_in;
pub(in crate::sandbox) use self::faults::response as refused;

/// The XML namespace of answers.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// S3 of one partition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
}

/// A bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    /// The account that owns it.
    pub account: String,
    /// The Region that it is in.
    pub region: String,
    /// Milliseconds since the epoch.
    created: i64,
    tags: BTreeMap<String, String>,
    /// Documents by subresource, `encryption`, as they were put.
    settings: BTreeMap<String, Element>,
    policy: Option<String>,
    /// `Enabled` or `Suspended`, once it was set.
    versioning: Option<String>,
    /// Versions of objects and delete markers, the newest last.
    versions: Vec<objects::Version>,
}

impl State {
    /// The ARNs of the buckets of an account in a Region that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self, caller: &Caller) -> Vec<(String, BTreeMap<String, String>)> {
        let own = |bucket: &Bucket| bucket.account == caller.account && bucket.region == caller.region;
        let tagged = self.buckets.iter().filter(|(_, bucket)| own(bucket) && !bucket.tags.is_empty());
        tagged.map(|(name, bucket)| (format!("arn:{}:s3:::{name}", caller.partition()), bucket.tags.clone())).collect()
    }

    /// The bucket that a request is for, if its caller may see it from there.
    fn bucket(&mut self, request: &Request, name: &str) -> Answer<&mut Bucket> {
        let bucket = self.buckets.get_mut(name).ok_or_else(no_bucket)?;
        // Nobody shares buckets here. "If the account ID that you provide does not match the actual owner of the bucket,
        // the request fails with the HTTP status code 403" (API reference, `ExpectedBucketOwner`).
        let expected = request.header("x-amz-expected-bucket-owner");
        if bucket.account != request.caller.account || expected.is_some_and(|expected| expected != bucket.account) {
            return Err(access_denied());
        }
        if bucket.region == request.caller.region { Ok(bucket) } else { Err(elsewhere()) }
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    match act(view, request) {
        Ok(response) => response,
        Err(fault) => {
            let mut response = refusal(&fault, request);
            // Where a bucket is, is told with every answer about it (API reference, `HeadBucket`).
            let region = Target::of(request).bucket.and_then(|name| view.s3.buckets.get(&name));
            if let Some(bucket) = region.filter(|_| fault.status == 301) {
                response.headers.push(("x-amz-bucket-region".into(), bucket.region.clone()));
            }
            response
        }
    }
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<Response> {
    let Target { bucket, key } = Target::of(request);
    let Some(operation) = operations::operation(request) else {
        // S3's own words for what it does not know; 501, so that SDKs do not ask again.
        let message = format!(
            "A header or query you provided implies functionality that is not implemented: the sandbox's S3 has no \
             operation {} {}",
            request.method, request.path
        );
        return Err(Fault::new(501, "NotImplemented", message));
    };
    let Some(name) = bucket else { return buckets::list(view.s3, request) };
    if operation == "CreateBucket" {
        return buckets::create(view, request, &name);
    }
    let partition = request.caller.partition();
    let now = view.millis();
    // Only a write may draw an id: drawing changes the world.
    let fresh = if ["PutObject", "DeleteObject"].contains(&operation) { view.new_id(32) } else { String::new() };
    let bucket = view.s3.bucket(request, &name)?;
    match operation {
        "DeleteBucket" => {
            buckets::check_empty(bucket)?;
            view.s3.buckets.remove(&name);
            Ok(Response::empty(204))
        }
        "HeadBucket" => Ok(buckets::head(bucket)),
        "GetBucketLocation" => Ok(buckets::location(bucket)),
        "GetBucketTagging" => tags::get(bucket),
        "PutBucketTagging" => tags::put(bucket, request),
        "DeleteBucketTagging" => {
            bucket.tags.clear();
            Ok(Response::empty(204))
        }
        "GetBucketPolicy" => policy::get(bucket),
        "PutBucketPolicy" => policy::put(bucket, request, partition, &name),
        "DeleteBucketPolicy" => {
            bucket.policy = None;
            Ok(Response::empty(204))
        }
        "GetBucketVersioning" => Ok(settings::versioning(bucket)),
        "PutBucketVersioning" => settings::put_versioning(bucket, request),
        "PutBucketLogging" => settings::put_logging(view.s3, request, &name),
        "ListObjectsV2" => listing::objects(bucket, request, &name),
        "ListObjectVersions" => listing::versions(bucket, request, &name),
        "PutObject" => objects::put(bucket, request, &key, now, fresh),
        "GetObject" => objects::get(bucket, request, &key, true),
        "HeadObject" => objects::get(bucket, request, &key, false),
        "DeleteObject" => Ok(objects::delete(bucket, request, &key, now, fresh)),
        _ if operation.starts_with("Get") => settings::get(bucket, request),
        _ if operation.starts_with("Put") => settings::put(bucket, request),
        _ => Ok(settings::delete(bucket, request)),
    }
}

/// An answer: the members of its outermost element.
fn answer(root: &str, inside: impl FnOnce(&mut Xml)) -> Response {
    let mut xml = Xml::new();
    xml.root(root, Some(NAMESPACE), inside);
    let mut response = xml.response(200);
    response.headers = vec![("content-type".into(), "application/xml".into())];
    response
}

#[cfg(test)]
mod tests;

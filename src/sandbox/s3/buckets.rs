//! Buckets themselves.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::faults::{invalid_argument, malformed};
use super::{Bucket, State, answer, settings, tags};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::wire::{Caller, Request, Response};
use crate::sandbox::world::{View, date};
use crate::sandbox::xml_reader;

/// The Region of buckets that name none.
const FIRST: &str = "us-east-1";

/// Buckets of an account ("General purpose bucket quotas": 10,000 by default).
const MOST: usize = 10_000;

/// The form of dates in answers.
const DATE: &str = "%Y-%m-%dT%H:%M:%S.000Z";

pub(super) fn create(view: &mut View<'_>, request: &Request, name: &str) -> Answer<Response> {
    check_name(name)?;
    let caller = &request.caller;
    let body = (!request.body.is_empty()).then(|| xml_reader::parse(&request.body)).transpose();
    let body = body.map_err(|_| malformed())?;
    if body.as_ref().is_some_and(|body| body.name != "CreateBucketConfiguration") {
        return Err(malformed());
    }
    let asked = body.as_ref().and_then(|body| body.text_of("LocationConstraint")).filter(|text| !text.is_empty());
    let region = region(asked, &caller.region)?;
    let tags = tags::read(body.as_ref().and_then(|body| body.child("Tags")))?;
    if let Some(other) = view.s3.buckets.get(name) {
        if other.account != caller.account {
            let message = "The requested bucket name is not available. The bucket namespace is shared by all users of \
                           the system. Please select a different name and try again.";
            return Err(Fault::new(409, "BucketAlreadyExists", message));
        }
        // "Returns this error in all AWS Regions except in the North Virginia Region. For legacy compatibility, if you
        // re-create an existing bucket that you already own in the North Virginia Region, Amazon S3 returns 200 OK"
        // (API reference). That the tags stay what they were is a guess.
        if caller.region != FIRST || other.region != FIRST {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(Fault::new(409, "BucketAlreadyOwnedByYou", message));
        }
        return Ok(made(name));
    }
    if view.s3.buckets.values().filter(|bucket| bucket.account == caller.account).count() >= MOST {
        let message = "You have attempted to create more buckets than allowed";
        return Err(Fault::new(400, "TooManyBuckets", message));
    }
    let bucket = new(view, caller, region, tags);
    view.s3.buckets.insert(name.to_owned(), bucket);
    Ok(made(name))
}

fn new(view: &View<'_>, caller: &Caller, region: String, tags: BTreeMap<String, String>) -> Bucket {
    Bucket {
        account: caller.account.clone(),
        region,
        created: view.millis(),
        tags,
        settings: settings::of_new(),
        policy: None,
        versioning: None,
        versions: Vec::new(),
    }
}

/// An empty bucket of a name, where there is none.
pub(in crate::sandbox) fn stand_in(view: &mut View<'_>, caller: &Caller, name: &str) {
    if !view.s3.buckets.contains_key(name) {
        let bucket = new(view, caller, caller.region.clone(), BTreeMap::new());
        view.s3.buckets.insert(name.to_owned(), bucket);
    }
}

fn made(name: &str) -> Response {
    let mut response = Response::empty(200);
    response.headers.push(("location".into(), format!("/{name}")));
    response
}

/// Where a bucket is to be. Only the first Region's endpoint makes buckets for others.
fn region(asked: Option<&str>, endpoint: &str) -> Answer<String> {
    let illegal = |what: &str| {
        let message = format!(
            "The {what} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Fault::new(400, "IllegalLocationConstraintException", message)
    };
    match asked {
        None if endpoint == FIRST => Ok(FIRST.to_owned()),
        None => Err(illegal("unspecified")),
        // The service model's values begin at `us-east-2`: the first Region is said by saying nothing.
        Some(FIRST) => {
            let message = "The specified location-constraint is not valid";
            Err(Fault::new(400, "InvalidLocationConstraint", message))
        }
        Some(asked) if asked == endpoint || endpoint == FIRST => Ok(asked.to_owned()),
        Some(asked) => Err(illegal(asked)),
    }
}

/// User guide, "General purpose bucket naming rules".
fn check_name(name: &str) -> Answer<()> {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(sign) && name.bytes().last().is_some_and(sign);
    let inside = name.bytes().all(|byte| sign(byte) || byte == b'.' || byte == b'-');
    let reserved = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end));
    let fits = (3..=63).contains(&name.len()) && ends && inside && !name.contains("..") && !reserved;
    if fits && name.parse::<Ipv4Addr>().is_err() {
        return Ok(());
    }
    Err(Fault::new(400, "InvalidBucketName", "The specified bucket is not valid."))
}

pub(super) fn check_empty(bucket: &Bucket) -> Answer<()> {
    if bucket.versions.is_empty() {
        return Ok(());
    }
    let message = if bucket.versioning.is_some() {
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    } else {
        "The bucket you tried to delete is not empty"
    };
    Err(Fault::new(409, "BucketNotEmpty", message))
}

pub(super) fn head(bucket: &Bucket) -> Response {
    let mut response = Response::empty(200);
    response.headers.push(("x-amz-bucket-region".into(), bucket.region.clone()));
    response
}

/// "Buckets in Region us-east-1 have a `LocationConstraint` of null" (API reference).
pub(super) fn location(bucket: &Bucket) -> Response {
    let mut response = answer("LocationConstraint", |_| ());
    if bucket.region != FIRST {
        let text = String::from_utf8_lossy(&response.body).replace("></", &format!(">{}</", bucket.region));
        response.body = text.into_bytes().into();
    }
    response
}

pub(super) fn list(state: &State, request: &Request) -> Answer<Response> {
    let most = match request.parameter("max-buckets").map(str::parse::<usize>) {
        None => MOST,
        Some(Ok(most)) if (1..=MOST).contains(&most) => most,
        Some(_) => return Err(invalid_argument("max-buckets must be between 1 and 10000")),
    };
    let (prefix, region) = (request.parameter("prefix").unwrap_or_default(), request.parameter("bucket-region"));
    let after = request.parameter("continuation-token").unwrap_or_default();
    let wanted = |(name, bucket): &(&String, &Bucket)| {
        bucket.account == request.caller.account
            && name.starts_with(prefix)
            && name.as_str() > after
            && region.is_none_or(|region| region == bucket.region)
    };
    let found: Vec<_> = state.buckets.iter().filter(wanted).collect();
    let page = &found[..found.len().min(most)];
    Ok(answer("ListAllMyBucketsResult", |xml| {
        xml.node("Owner", |xml| xml.leaf("ID", &request.caller.account));
        xml.node("Buckets", |xml| {
            for (name, bucket) in page {
                xml.node("Bucket", |xml| {
                    xml.leaf("Name", name);
                    xml.leaf("CreationDate", date(bucket.created, DATE));
                    xml.leaf("BucketRegion", &bucket.region);
                });
            }
        });
        if let (Some((last, _)), true) = (page.last(), found.len() > page.len()) {
            xml.leaf("ContinuationToken", last);
        }
    }))
}

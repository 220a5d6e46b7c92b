//! What of a bucket is set by a document of its own: encryption, public access, ownership, logging, lifecycle, versioning.
//!
//! A document is checked, completed with what S3 takes for granted, kept as it is, and shown again.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::{access_denied, invalid_argument, malformed, not_here};
use super::operations::subresource;
use super::{Bucket, State, answer};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::xml_reader::{self, Element};

const BLOCKS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// What a new bucket comes with ("Default settings for new S3 buckets": since April 2023 closed, without ACLs, encrypted).
pub(super) fn of_new() -> BTreeMap<String, Element> {
    let access =
        node("PublicAccessBlockConfiguration", BLOCKS.iter().map(|name| Element::leaf(name, "true")).collect());
    let owner = node("Rule", vec![Element::leaf("ObjectOwnership", "BucketOwnerEnforced")]);
    [
        ("encryption".to_owned(), sse_s3()),
        ("publicAccessBlock".to_owned(), access),
        ("ownershipControls".to_owned(), node("OwnershipControls", vec![owner])),
    ]
    .into()
}

fn sse_s3() -> Element {
    let by_default = node("ApplyServerSideEncryptionByDefault", vec![Element::leaf("SSEAlgorithm", "AES256")]);
    let rule = node("Rule", vec![by_default, Element::leaf("BucketKeyEnabled", "false")]);
    node("ServerSideEncryptionConfiguration", vec![rule])
}

fn node(name: &str, children: Vec<Element>) -> Element {
    Element { name: name.to_owned(), text: String::new(), children }
}

/// Whether a bucket has one of the four blocks of public access.
pub(super) fn blocks(bucket: &Bucket, which: &str) -> bool {
    bucket.settings.get("publicAccessBlock").and_then(|block| block.text_of(which)) == Some("true")
}

pub(super) fn get(bucket: &Bucket, request: &Request) -> Answer<Response> {
    let which = subresource(request).unwrap_or_default();
    if let Some(document) = bucket.settings.get(which) {
        return Ok(answer(&document.name, |xml| document.children.iter().for_each(|child| xml.element(child))));
    }
    let (code, message) = match which {
        "logging" => return Ok(answer("BucketLoggingStatus", |_| ())),
        "publicAccessBlock" => {
            ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
        }
        "ownershipControls" => ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
        "lifecycle" => ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
        // A bucket is never without: encryption that is deleted becomes that of new buckets.
        _ => return Err(not_here(which)),
    };
    Err(Fault::new(404, code, message))
}

pub(super) fn put(bucket: &mut Bucket, request: &Request) -> Answer<Response> {
    let which = subresource(request).unwrap_or_default();
    let document = xml_reader::parse(&request.body).map_err(|_| malformed())?;
    let checked = match which {
        "encryption" => encryption(document)?,
        "publicAccessBlock" => public_access(&document)?,
        "ownershipControls" => ownership(document)?,
        "lifecycle" => lifecycle(document)?,
        _ => return Err(not_here(which)),
    };
    bucket.settings.insert(which.to_owned(), checked);
    Ok(Response::empty(200))
}

pub(super) fn delete(bucket: &mut Bucket, request: &Request) -> Response {
    let which = subresource(request).unwrap_or_default();
    bucket.settings.remove(which);
    if which == "encryption" {
        bucket.settings.insert(which.to_owned(), sse_s3());
    }
    Response::empty(204)
}

/// The only element of a name inside another.
fn only<'e>(inside: &'e Element, name: &str) -> Answer<&'e Element> {
    match inside.children.as_slice() {
        [one] if one.name == name => Ok(one),
        _ => Err(malformed()),
    }
}

fn named(document: &Element, name: &str) -> Answer<()> {
    if document.name == name { Ok(()) } else { Err(malformed()) }
}

fn encryption(mut document: Element) -> Answer<Element> {
    named(&document, "ServerSideEncryptionConfiguration")?;
    let rule = only(&document, "Rule")?;
    let by_default = rule.child("ApplyServerSideEncryptionByDefault").ok_or_else(malformed)?;
    let algorithm = by_default.text_of("SSEAlgorithm").ok_or_else(malformed)?;
    if !["AES256", "aws:kms", "aws:kms:dsse"].contains(&algorithm) {
        return Err(malformed());
    }
    if algorithm == "AES256" && by_default.child("KMSMasterKeyID").is_some() {
        let message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
        return Err(invalid_argument(message));
    }
    if rule.child("BucketKeyEnabled").is_none()
        && let [rule] = document.children.as_mut_slice()
    {
        rule.children.push(Element::leaf("BucketKeyEnabled", "false"));
    }
    Ok(document)
}

/// A block that is left out is off (API reference, `PublicAccessBlockConfiguration`).
fn public_access(document: &Element) -> Answer<Element> {
    named(document, "PublicAccessBlockConfiguration")?;
    let known =
        |child: &Element| BLOCKS.contains(&child.name.as_str()) && ["true", "false"].contains(&child.text.trim());
    if !document.children.iter().all(known) {
        return Err(malformed());
    }
    let whole = BLOCKS.iter().map(|name| Element::leaf(name, document.text_of(name).unwrap_or("false")));
    Ok(node(&document.name, whole.collect()))
}

fn ownership(document: Element) -> Answer<Element> {
    named(&document, "OwnershipControls")?;
    let rule = only(&document, "Rule")?;
    let known = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];
    if rule.text_of("ObjectOwnership").is_some_and(|text| known.contains(&text)) {
        Ok(document)
    } else {
        Err(malformed())
    }
}

/// The actions that a rule may have.
const ACTIONS: [&str; 5] = [
    "Expiration",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
    "Transition",
    "NoncurrentVersionTransition",
];

fn lifecycle(document: Element) -> Answer<Element> {
    named(&document, "LifecycleConfiguration")?;
    let mut ids = BTreeSet::new();
    for rule in &document.children {
        named(rule, "Rule")?;
        let status = rule.text_of("Status").ok_or_else(malformed)?;
        let scoped = rule.child("Filter").is_some() || rule.child("Prefix").is_some();
        if !["Enabled", "Disabled"].contains(&status) || !scoped {
            return Err(malformed());
        }
        let actions: Vec<&Element> =
            rule.children.iter().filter(|child| ACTIONS.contains(&child.name.as_str())).collect();
        if actions.is_empty() {
            let message = "At least one action needs to be specified in a rule";
            return Err(Fault::new(400, "InvalidRequest", message));
        }
        for (action, member) in [
            ("Expiration", "Days"),
            ("NoncurrentVersionExpiration", "NoncurrentDays"),
            ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
        ] {
            let days = rule.child(action).and_then(|action| action.text_of(member));
            if days.is_some_and(|days| days.parse::<u32>().is_ok_and(|days| days == 0) || days.starts_with('-')) {
                return Err(invalid_argument(format!("'{member}' for {action} action must be a positive integer")));
            }
        }
        if let Some(id) = rule.text_of("ID")
            && (id.len() > 255 || !ids.insert(id))
        {
            return Err(invalid_argument(format!(
                "Rule ID must be unique. Found same ID for more than one rule: {id}"
            )));
        }
    }
    if document.children.is_empty() { Err(malformed()) } else { Ok(document) }
}

pub(super) fn versioning(bucket: &Bucket) -> Response {
    answer("VersioningConfiguration", |xml| {
        if let Some(status) = &bucket.versioning {
            xml.leaf("Status", status);
        }
    })
}

pub(super) fn put_versioning(bucket: &mut Bucket, request: &Request) -> Answer<Response> {
    let document = xml_reader::parse(&request.body).map_err(|_| malformed())?;
    named(&document, "VersioningConfiguration")?;
    if document.text_of("MfaDelete").is_some_and(|text| text != "Disabled") {
        return Err(not_here("MFA delete"));
    }
    let Some(status @ ("Enabled" | "Suspended")) = document.text_of("Status") else {
        let message = "The Versioning element must be specified";
        return Err(Fault::new(400, "IllegalVersioningConfigurationException", message));
    };
    bucket.versioning = Some(status.to_owned());
    Ok(Response::empty(200))
}

/// Logs go to a bucket of the same account and Region (API reference, `PutBucketLogging`).
pub(super) fn put_logging(state: &mut State, request: &Request, name: &str) -> Answer<Response> {
    let document = xml_reader::parse(&request.body).map_err(|_| malformed())?;
    named(&document, "BucketLoggingStatus")?;
    let Some(enabled) = document.child("LoggingEnabled") else {
        state.bucket(request, name)?.settings.remove("logging");
        return Ok(Response::empty(200));
    };
    if enabled.child("TargetGrants").is_some() {
        return Err(not_here("grants on logs"));
    }
    let target = enabled.text_of("TargetBucket").ok_or_else(malformed)?;
    enabled.child("TargetPrefix").ok_or_else(malformed)?;
    let invalid = |message: &str| Fault::new(400, "InvalidTargetBucketForLogging", message);
    let found = state.buckets.get(target).ok_or_else(|| invalid("The target bucket for logging does not exist"))?;
    if found.account != request.caller.account {
        return Err(invalid("The owner for the bucket to be logged and the target bucket must be the same."));
    }
    if found.region != request.caller.region {
        let message = "S3 Cross Region logging is not allowed";
        return Err(Fault::new(403, "CrossLocationLoggingProhibited", message));
    }
    let bucket = state.buckets.get_mut(name).ok_or_else(access_denied)?;
    bucket.settings.insert("logging".to_owned(), document);
    Ok(Response::empty(200))
}

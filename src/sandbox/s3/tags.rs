//! The tags of buckets. A put replaces them all.

use std::collections::BTreeMap;

use super::faults::malformed;
use super::{Bucket, answer};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::xml_reader::{self, Element};

/// Tags that one bucket may have ("Using cost allocation S3 bucket tags").
const LIMIT: usize = 50;

type Tags = BTreeMap<String, String>;

pub(super) fn get(bucket: &Bucket) -> Answer<Response> {
    if bucket.tags.is_empty() {
        return Err(Fault::new(404, "NoSuchTagSet", "The TagSet does not exist"));
    }
    Ok(answer("Tagging", |xml| {
        xml.node("TagSet", |xml| {
            for (key, value) in &bucket.tags {
                xml.node("Tag", |xml| {
                    xml.leaf("Key", key);
                    xml.leaf("Value", value);
                });
            }
        });
    }))
}

pub(super) fn put(bucket: &mut Bucket, request: &Request) -> Answer<Response> {
    let body = xml_reader::parse(&request.body).map_err(|_| malformed())?;
    if body.name != "Tagging" {
        return Err(malformed());
    }
    bucket.tags = read(Some(body.child("TagSet").ok_or_else(malformed)?))?;
    Ok(Response::empty(204))
}

/// The tags in a list of them.
pub(super) fn read(list: Option<&Element>) -> Answer<Tags> {
    let invalid = |message: &str| Fault::new(400, "InvalidTag", message);
    let mut tags = Tags::new();
    for one in list.iter().flat_map(|list| &list.children) {
        let text = |member: &str| one.child(member).map(|member| member.text.clone());
        let (Some(key), Some(value), "Tag") = (text("Key"), text("Value"), one.name.as_str()) else {
            return Err(malformed());
        };
        let sign = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
        if !(1..=128).contains(&key.chars().count()) || !key.chars().all(sign) {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 || !value.chars().all(sign) {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > LIMIT {
        return Err(Fault::new(400, "BadRequest", "Bucket tag count cannot be greater than 50"));
    }
    Ok(tags)
}

//! Lists of objects and of their versions, by pages.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::faults::invalid_argument;
use super::objects::{Version, newest};
use super::{Bucket, answer};
use crate::sandbox::fault::Answer;
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::world::date;
use crate::sandbox::xml::Xml;

/// Entries of one page.
const PAGE: usize = 1000;

const DATE: &str = "%Y-%m-%dT%H:%M:%S.000Z";

/// What stays as it is in keys that are asked for in the encoding of URLs.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// What a request says of its page.
struct Asked<'r> {
    prefix: &'r str,
    delimiter: &'r str,
    most: usize,
    encoded: bool,
}

impl<'r> Asked<'r> {
    fn of(request: &'r Request) -> Answer<Self> {
        let most = match request.parameter("max-keys").map(str::parse::<usize>) {
            None => PAGE,
            Some(Ok(most)) => most.min(PAGE),
            Some(Err(_)) => return Err(invalid_argument("Provided max-keys not an integer or within integer range")),
        };
        let encoded = match request.parameter("encoding-type") {
            None => false,
            Some("url") => true,
            Some(_) => return Err(invalid_argument("Invalid Encoding Method specified in Request")),
        };
        let text = |name| request.parameter(name).unwrap_or_default();
        Ok(Self { prefix: text("prefix"), delimiter: text("delimiter"), most, encoded })
    }

    fn text(&self, key: &str) -> String {
        if self.encoded { utf8_percent_encode(key, PLAIN).to_string() } else { key.to_owned() }
    }

    /// The prefix that a key shares with others, up to the delimiter.
    fn common(&self, key: &str) -> Option<String> {
        let rest = key.strip_prefix(self.prefix)?;
        let end = rest.find(self.delimiter).filter(|_| !self.delimiter.is_empty())?;
        Some(format!("{}{}", self.prefix, &rest[..end + self.delimiter.len()]))
    }

    fn write(&self, xml: &mut Xml, name: &str, truncated: bool) {
        xml.leaf("Name", name);
        xml.leaf("Prefix", self.text(self.prefix));
        if !self.delimiter.is_empty() {
            xml.leaf("Delimiter", self.text(self.delimiter));
        }
        xml.leaf("MaxKeys", self.most.to_string());
        if self.encoded {
            xml.leaf("EncodingType", "url");
        }
        xml.leaf("IsTruncated", truncated.to_string());
    }
}

pub(super) fn objects(bucket: &Bucket, request: &Request, name: &str) -> Answer<Response> {
    let asked = Asked::of(request)?;
    let after = request.parameter("continuation-token").or(request.parameter("start-after")).unwrap_or_default();
    let all = newest(bucket);
    let left = all.values().filter(|one| !one.is_marker() && one.key.starts_with(asked.prefix));
    let left = left.filter(|one| one.key.as_str() > after && !(after.ends_with('/') && one.key.starts_with(after)));
    let (mut page, mut common, mut truncated) = (Vec::new(), BTreeSet::new(), false);
    for one in left {
        let shared = asked.common(&one.key);
        if shared.as_ref().is_some_and(|shared| common.contains(shared)) {
            continue;
        }
        if page.len() + common.len() == asked.most {
            truncated = true;
            break;
        }
        match shared {
            Some(shared) => drop(common.insert(shared)),
            None => page.push(*one),
        }
    }
    let last = page.last().map(|one| one.key.clone()).max(common.last().cloned());
    Ok(answer("ListBucketResult", |xml| {
        asked.write(xml, name, truncated);
        xml.leaf("KeyCount", (page.len() + common.len()).to_string());
        if let Some(last) = last.filter(|_| truncated) {
            xml.leaf("NextContinuationToken", last);
        }
        for one in &page {
            xml.node("Contents", |xml| {
                xml.leaf("Key", asked.text(&one.key));
                write(xml, one);
            });
        }
        for prefix in &common {
            xml.node("CommonPrefixes", |xml| xml.leaf("Prefix", asked.text(prefix)));
        }
    }))
}

fn write(xml: &mut Xml, one: &Version) {
    xml.leaf("LastModified", date(one.modified, DATE));
    if !one.is_marker() {
        xml.leaf("ETag", &one.etag);
        xml.leaf("Size", one.size.to_string());
        xml.leaf("StorageClass", "STANDARD");
    }
}

/// By key, and of each key the newest first.
pub(super) fn versions(bucket: &Bucket, request: &Request, name: &str) -> Answer<Response> {
    let asked = Asked::of(request)?;
    if !asked.delimiter.is_empty() {
        return Err(super::faults::not_here("lists of versions with a delimiter"));
    }
    let newest = newest(bucket);
    let mut all: Vec<&Version> = bucket.versions.iter().rev().filter(|one| one.key.starts_with(asked.prefix)).collect();
    all.sort_by(|one, other| one.key.cmp(&other.key));
    let marker = (request.parameter("key-marker"), request.parameter("version-id-marker"));
    let start = match marker {
        (Some(key), Some(id)) => all.iter().position(|one| one.key == key && one.id == id).map_or(0, |at| at + 1),
        (Some(key), None) => all.partition_point(|one| one.key.as_str() <= key),
        _ => 0,
    };
    let left = &all[start.min(all.len())..];
    let page = &left[..left.len().min(asked.most)];
    let truncated = left.len() > page.len();
    Ok(answer("ListVersionsResult", |xml| {
        asked.write(xml, name, truncated);
        if let Some(last) = page.last().filter(|_| truncated) {
            xml.leaf("NextKeyMarker", asked.text(&last.key));
            xml.leaf("NextVersionIdMarker", &last.id);
        }
        for one in page {
            let latest = newest.get(one.key.as_str()).is_some_and(|newest| newest.id == one.id);
            xml.node(if one.is_marker() { "DeleteMarker" } else { "Version" }, |xml| {
                xml.leaf("Key", asked.text(&one.key));
                xml.leaf("VersionId", &one.id);
                xml.leaf("IsLatest", latest.to_string());
                write(xml, one);
            });
        }
    }))
}

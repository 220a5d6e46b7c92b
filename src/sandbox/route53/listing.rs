//! `ListResourceRecordSets`: the order of record sets, and their pages.

use super::faults::{Answer, invalid_batch, invalid_input};
use super::record::{RecordSet, TYPES};
use super::{Zone, answer, names, page_size};
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::xml::Xml;

/// Record sets of one page (API reference).
const PAGE: usize = 300;

/// What record sets are sorted by: the name from its end, then the type, then the identifier.
pub(super) fn order(set: &RecordSet) -> (Vec<&str>, &str, &str) {
    (names::order(&set.name), &set.kind, set.set_identifier.as_deref().unwrap_or_default())
}

pub(super) fn list(zone: &Zone, request: &Request) -> Answer<Response> {
    let size = page_size(request, PAGE)?;
    let (name, kind, identifier) =
        (request.parameter("name"), request.parameter("type"), request.parameter("identifier"));
    // API reference, "Errors": InvalidInput. The words are a guess.
    if kind.is_some() && name.is_none() || identifier.is_some() && kind.is_none() {
        return Err(invalid_input("The request has a type without a name, or an identifier without a type"));
    }
    if let Some(kind) = kind.filter(|kind| !TYPES.contains(kind)) {
        return Err(invalid_input(format!("Value '{kind}' is not one of the types [{}]", TYPES.join(", "))));
    }
    let name = name.map(names::normal).transpose().map_err(|problem| invalid_batch(&[problem]))?;
    let start = name.as_deref().map(|name| (names::order(name), kind.unwrap_or(""), identifier.unwrap_or("")));
    let first = start.map_or(0, |start| zone.records.partition_point(|set| order(set) < start));
    let rest = &zone.records[first..];
    let (page, rest) = rest.split_at(size.min(rest.len()));
    let mut xml = Xml::new();
    xml.node("ResourceRecordSets", |xml| page.iter().for_each(|set| set.write(xml)));
    xml.leaf("IsTruncated", (!rest.is_empty()).to_string());
    if let Some(next) = rest.first() {
        xml.leaf("NextRecordName", &next.name);
        xml.leaf("NextRecordType", &next.kind);
        if let Some(identifier) = &next.set_identifier {
            xml.leaf("NextRecordIdentifier", identifier);
        }
    }
    xml.leaf("MaxItems", size.to_string());
    Ok(answer("ListResourceRecordSetsResponse", &xml))
}

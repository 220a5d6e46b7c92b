//! The TXT record sets that say whose the records of a name are: one line a tag, `"gwctl:product=product-a"`.
//!
//! For `api.example.com` in the zone `example.com` it is `api._gwctl.example.com`: all markers of a zone stand below one name,
//! so that one list finds them. A wildcard's is `_wildcard._gwctl.example.com`, because a star would make it answer for every
//! name there. Markers are as public as everything in the DNS: product, environment and address can be read by who guesses
//! the name, and so can who took records out of service.
//!
//! Latency records have a marker for each set identifier, a latency record itself with the same identifier and Region: TXT is
//! among the types that can be (API reference, `ResourceRecordSet`, "Type"). So each Region writes its own marker and never that
//! of another, and Route 53 keeps one Region from taking another's place.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, ResourceRecordSetRegion, RrType};
use serde::{Deserialize, Serialize};

use super::sets::listed;
use super::spec::{DnsRecordSpec, Latency, LeadsTo};
use crate::aws::tags::Tags;
use crate::aws::zones::{HostedZone, plain_name};
use crate::error::{Failure, Result};

/// The label that markers stand below.
const LABEL: &str = "_gwctl";

/// The label that stands for a star.
const WILDCARD: &str = "_wildcard";

/// How long resolvers may keep a marker, in seconds. Nobody resolves them.
const TTL: i64 = 300;

/// The tag of records that are out of service: since when, and who took them out.
pub(super) const DRAINED: &str = "gwctl:drained";

/// The tag that says what records are to be put back, while they are out of service.
const RECORDS: &str = "gwctl:records";

/// A string of a TXT record has at most 255 characters; Route 53 counts those that a backslash stands before as two.
const LONGEST: usize = 250;

/// A marker as it is, or as it will be.
#[derive(Debug, Clone)]
pub(super) struct Marker {
    /// The record set, if there is one.
    pub(super) set: Option<ResourceRecordSet>,
    /// What its lines say.
    pub(super) tags: Tags,
    name: String,
}

/// What a marker remembers of records that are out of service.
#[derive(Debug, Serialize, Deserialize)]
struct Records {
    leads_to: LeadsTo,
    latency: Option<Latency>,
}

impl Marker {
    /// One that is not there yet. `zone` is the zone's name.
    pub(super) fn absent(zone: &str, name: &str) -> Self {
        Self { set: None, tags: Tags::new(), name: marker_name(zone, name) }
    }

    pub(super) fn read(set: ResourceRecordSet) -> Self {
        let tags = set.resource_records().iter().filter_map(|line| tag(line.value())).collect();
        Self { name: plain_name(set.name()), set: Some(set), tags }
    }

    /// Which of the name's records it is for.
    pub(super) fn identifier(&self) -> Option<&str> {
        self.set.as_ref().and_then(ResourceRecordSet::set_identifier)
    }

    /// The Region of a latency record's marker.
    pub(super) fn region(&self) -> Option<&str> {
        self.set.as_ref().and_then(ResourceRecordSet::region).map(ResourceRecordSetRegion::as_str)
    }

    /// The same marker, for records that stand otherwise among others.
    pub(super) fn written_for(&self, latency: Option<&Latency>, tags: &Tags) -> Result<ResourceRecordSet> {
        let place = latency.map(|latency| (latency.set_identifier.as_str(), latency.region.as_str()));
        self.built(place, tags)
    }

    /// The record set with other tags.
    pub(super) fn written(&self, tags: &Tags) -> Result<ResourceRecordSet> {
        self.built(self.identifier().zip(self.region()), tags)
    }

    fn built(&self, place: Option<(&str, &str)>, tags: &Tags) -> Result<ResourceRecordSet> {
        let mut set = ResourceRecordSet::builder().name(&self.name).r#type(RrType::Txt).ttl(TTL);
        if let Some((identifier, region)) = place {
            set = set.set_identifier(identifier).region(ResourceRecordSetRegion::from(region));
        }
        for (key, value) in tags {
            let line = ResourceRecord::builder().value(line(key, value)).build();
            set =
                set.resource_records(line.map_err(|error| Failure::internal("a marker has no value").because(&error))?);
        }
        set.build().map_err(|error| Failure::internal("a marker has no name").because(&error))
    }

    /// What records it remembers, if they are out of service.
    pub(super) fn remembered(&self) -> Option<(LeadsTo, Option<Latency>)> {
        let records: Records = serde_json::from_str(self.tags.get(RECORDS)?).ok()?;
        Some((records.leads_to, records.latency))
    }
}

/// Has tags say that records are out of service, or that they are in it. What is said already of when and by whom stays.
pub(super) fn drain(tags: &mut Tags, spec: &DnsRecordSpec, who: Option<&str>) -> Result<()> {
    let Some(who) = who else {
        tags.remove(DRAINED);
        tags.remove(RECORDS);
        return Ok(());
    };
    let records = Records { leads_to: spec.leads_to.clone(), latency: spec.latency.clone() };
    let records = serde_json::to_string(&records)
        .map_err(|error| Failure::internal("records that are out of service are no JSON").because(&error))?;
    tags.insert(RECORDS.to_owned(), records);
    tags.entry(DRAINED.to_owned()).or_insert_with(|| who.to_owned());
    Ok(())
}

/// A tag as a line of one or several strings. Route 53 reads a backslash before quotes and backslashes.
fn line(key: &str, value: &str) -> String {
    let mut strings = vec![String::new()];
    for character in format!("{key}={value}").chars() {
        let escaped = match character {
            '\\' | '"' => format!("\\{character}"),
            other => other.to_string(),
        };
        match strings.last_mut() {
            Some(last) if last.len() + escaped.len() <= LONGEST => last.push_str(&escaped),
            _ => strings.push(escaped),
        }
    }
    strings.iter().map(|string| format!("\"{string}\"")).collect::<Vec<_>>().join(" ")
}

fn tag(line: &str) -> Option<(String, String)> {
    let (mut text, mut inside) = (String::new(), false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => inside = !inside,
            '\\' if inside => text.push(characters.next()?),
            other if inside => text.push(other),
            ' ' => {}
            _ => return None,
        }
    }
    let (key, value) = text.split_once('=').filter(|_| !inside)?;
    Some((key.to_owned(), value.to_owned()))
}

/// The name of the marker of a name.
pub(super) fn marker_name(zone: &str, name: &str) -> String {
    let own = name.strip_suffix(zone).unwrap_or(name).trim_end_matches('.');
    let own = if let Some(rest) = own.strip_prefix('*') { format!("{WILDCARD}{rest}") } else { own.to_owned() };
    if own.is_empty() { format!("{LABEL}.{zone}") } else { format!("{own}.{LABEL}.{zone}") }
}

/// The name that a marker is for, if it is one.
pub(super) fn marked_name(zone: &str, marker: &str) -> Option<String> {
    let own = marker.strip_suffix(&format!("{LABEL}.{zone}"))?;
    if own.is_empty() {
        return Some(zone.to_owned());
    }
    let own = own.strip_suffix('.')?;
    let own = if let Some(rest) = own.strip_prefix(WILDCARD) { format!("*{rest}") } else { own.to_owned() };
    Some(format!("{own}.{zone}"))
}

/// All markers of a zone, each with the name it is for.
pub(super) async fn all(client: &Client, zone: &HostedZone) -> Result<Vec<(String, Marker)>> {
    let start = format!("{LABEL}.{}", zone.name);
    let sets = listed(client, &zone.id, &start, |name| marked_name(&zone.name, name).is_some()).await?;
    let texts = sets.into_iter().filter(|set| *set.r#type() == RrType::Txt);
    Ok(texts
        .filter_map(|set| {
            let marker = Marker::read(set);
            Some((marked_name(&zone.name, &marker.name)?, marker))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_marker_and_back() {
        for (name, marker) in [
            ("api.example.com", "api._gwctl.example.com"),
            ("a.b.example.com", "a.b._gwctl.example.com"),
            ("example.com", "_gwctl.example.com"),
            ("*.example.com", "_wildcard._gwctl.example.com"),
            ("*.a.example.com", "_wildcard.a._gwctl.example.com"),
        ] {
            assert_eq!(marker_name("example.com", name), marker);
            assert_eq!(marked_name("example.com", marker).as_deref(), Some(name));
        }
        for other in ["api.example.com", "x_gwctl.example.com", "_gwctl.other.com"] {
            assert_eq!(marked_name("example.com", other), None, "{other}");
        }
    }

    #[test]
    fn lines_are_tags_and_back() {
        let long = "\"x\\".repeat(400);
        for (key, value) in [("gwctl:product", "product-a"), ("a", "b=c"), ("a", "\"\\\""), ("a", ""), ("a", &long)] {
            let line = line(key, value);
            assert_eq!(tag(&line), Some((key.to_owned(), value.to_owned())));
        }
        assert_eq!(line("gwctl:product", "product-a"), "\"gwctl:product=product-a\"");
        assert!(line("a", &long).split("\" \"").all(|string| string.len() <= 255));
        assert_eq!(tag("\"v=spf1 -all\""), Some(("v".into(), "spf1 -all".into())));
        for none in ["\"no tag\"", "bare=text", "\"open=", "\"a=\\"] {
            assert_eq!(tag(none), None, "{none}");
        }
    }
}

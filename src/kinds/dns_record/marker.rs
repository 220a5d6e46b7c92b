//! The TXT record set that says whose the records of a name are: one line a tag, `"gwctl:product=product-a"`.
//!
//! For `api.example.com` in the zone `example.com` it is `api._gwctl.example.com`: all markers of a zone stand below one name,
//! so that one list finds them. A wildcard's is `_wildcard._gwctl.example.com`, because a star would make it answer for every
//! name there. Markers are as public as everything in the DNS: product, environment and address can be read by who guesses
//! the name.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};

use super::Marks;
use super::sets::listed;
use crate::aws::failed;
use crate::aws::tags::Tags;
use crate::aws::zones::{HostedZone, plain_name};
use crate::error::{Failure, Result};

/// The label that markers stand below.
const LABEL: &str = "_gwctl";

/// The label that stands for a star.
const WILDCARD: &str = "_wildcard";

/// How long resolvers may keep a marker, in seconds. Nobody resolves them.
const TTL: i64 = 300;

/// A marker as it is, or as it will be.
#[derive(Debug)]
pub(super) struct Marker {
    /// The record set, if there is one.
    pub(super) set: Option<ResourceRecordSet>,
    /// What its lines say.
    pub(super) tags: Tags,
    name: String,
}

impl Marker {
    /// One that is not there yet. `zone` is the zone's name.
    fn absent(zone: &str, name: &str) -> Self {
        Self { set: None, tags: Tags::new(), name: marker_name(zone, name) }
    }

    fn read(set: ResourceRecordSet) -> Self {
        let tags = set.resource_records().iter().filter_map(|line| tag(line.value())).collect();
        Self { name: plain_name(set.name()), set: Some(set), tags }
    }

    /// The record set with other tags.
    pub(super) fn written(&self, tags: &Tags) -> Result<ResourceRecordSet> {
        let mut set = ResourceRecordSet::builder().name(&self.name).r#type(RrType::Txt).ttl(TTL);
        for (key, value) in tags {
            let line = ResourceRecord::builder().value(line(key, value)).build();
            set =
                set.resource_records(line.map_err(|error| Failure::internal("a marker has no value").because(&error))?);
        }
        set.build().map_err(|error| Failure::internal("a marker has no name").because(&error))
    }
}

/// A tag as a line. Tags of gwctl's have no quotes in them; Route 53 reads a backslash before any that might come.
fn line(key: &str, value: &str) -> String {
    let text = format!("{key}={value}").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

fn tag(line: &str) -> Option<(String, String)> {
    let text = line.strip_prefix('"')?.strip_suffix('"')?.replace("\\\"", "\"").replace("\\\\", "\\");
    let (key, value) = text.split_once('=')?;
    Some((key.to_owned(), value.to_owned()))
}

/// The name of the marker of a name.
fn marker_name(zone: &str, name: &str) -> String {
    let own = name.strip_suffix(zone).unwrap_or(name).trim_end_matches('.');
    let own = if let Some(rest) = own.strip_prefix('*') { format!("{WILDCARD}{rest}") } else { own.to_owned() };
    if own.is_empty() { format!("{LABEL}.{zone}") } else { format!("{own}.{LABEL}.{zone}") }
}

/// The name that a marker is for, if it is one.
fn marked_name(zone: &str, marker: &str) -> Option<String> {
    let own = marker.strip_suffix(&format!("{LABEL}.{zone}"))?;
    if own.is_empty() {
        return Some(zone.to_owned());
    }
    let own = own.strip_suffix('.')?;
    let own = if let Some(rest) = own.strip_prefix(WILDCARD) { format!("*{rest}") } else { own.to_owned() };
    Some(format!("{own}.{zone}"))
}

/// What all markers of a zone say, by the names they are for.
pub(super) async fn all(client: &Client, zone: &HostedZone) -> Result<Marks> {
    let start = format!("{LABEL}.{}", zone.name);
    let sets = listed(client, &zone.id, &start, |name| marked_name(&zone.name, name).is_some()).await?;
    let texts = sets.into_iter().filter(|set| *set.r#type() == RrType::Txt);
    Ok(texts
        .filter_map(|set| {
            let marker = Marker::read(set);
            Some((marked_name(&zone.name, &marker.name)?, marker.tags))
        })
        .collect())
}

/// The marker of a name, there or not; nothing if the zone is gone.
pub(super) async fn of(client: &Client, zone: &str, name: &str) -> Result<Option<Marker>> {
    let answer = match client.get_hosted_zone().id(zone).send().await {
        Err(error) if crate::aws::failure::is_not_found(&error) => return Ok(None),
        answer => answer.map_err(|error| failed(&format!("read hosted zone {zone}"), error))?,
    };
    let zone_name = answer.hosted_zone().map(|zone| plain_name(zone.name())).unwrap_or_default();
    let absent = Marker::absent(&zone_name, name);
    let sets = listed(client, zone, &absent.name, |other| other == absent.name).await?;
    let text = sets.into_iter().find(|set| *set.r#type() == RrType::Txt);
    Ok(Some(text.map_or(absent, Marker::read)))
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
        for (key, value) in [("gwctl:product", "product-a"), ("a", "b=c"), ("a", "\"\\\"")] {
            assert_eq!(tag(&line(key, value)), Some((key.to_owned(), value.to_owned())));
        }
        assert_eq!(tag("\"v=spf1 -all\""), Some(("v".into(), "spf1 -all".into())));
        assert_eq!(tag("\"no tag\""), None);
    }
}

//! What a zone holds of one name, told apart by set identifiers, and what has to change in it. Pure but for the reading.

use std::collections::BTreeSet;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{Change, ResourceRecordSet, ResourceRecordSetRegion, RrType};

use super::marker::{self, Marker, marker_name};
use super::sets::{self, leads, listed};
use super::spec::{DnsRecordSpec, LeadsTo};
use crate::aws::tags::{self, Tags};
use crate::aws::zones::plain_name;
use crate::aws::{failed, failure};
use crate::error::{Failure, FailureKind, Result};

/// Everything that stands at a name, and its markers.
#[derive(Debug)]
pub(super) struct Held {
    /// The zone's name.
    zone: String,
    name: String,
    sets: Vec<ResourceRecordSet>,
    markers: Vec<Marker>,
}

/// A batch of changes, and how many seconds clients go on to where records led before it.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    pub(super) lingers: Option<u32>,
}

/// What turns the records of a name into others.
pub(super) struct Wish<'a> {
    pub(super) spec: &'a DnsRecordSpec,
    /// The set identifier under which they stand now, for an update that changes it.
    pub(super) from: Option<&'a str>,
    /// Tags to add to the marker.
    pub(super) birth: &'a Tags,
    /// Since when and by whom they are out of service, if they are to be.
    pub(super) drained: Option<&'a str>,
}

impl Held {
    /// Reads a name; nothing if the zone is gone.
    pub(super) async fn read(client: &Client, zone: &str, name: &str) -> Result<Option<Self>> {
        let answer = match client.get_hosted_zone().id(zone).send().await {
            Err(error) if failure::is_not_found(&error) => return Ok(None),
            answer => answer.map_err(|error| failed(&format!("read hosted zone {zone}"), error))?,
        };
        let zone_name = answer.hosted_zone().map(|zone| plain_name(zone.name())).unwrap_or_default();
        let sets = listed(client, zone, name, |other| other == name).await?;
        let marks = marker_name(&zone_name, name);
        let texts = listed(client, zone, &marks, |other| other == marks).await?;
        let texts = texts.into_iter().filter(|set| *set.r#type() == RrType::Txt);
        let markers = texts.map(Marker::read).collect();
        Ok(Some(Self { zone: zone_name, name: name.to_owned(), sets, markers }))
    }

    /// What is known of a name from lists that were read before.
    pub(super) fn of(zone: &str, name: &str, sets: Vec<ResourceRecordSet>, markers: Vec<Marker>) -> Self {
        Self { zone: zone.to_owned(), name: name.to_owned(), sets, markers }
    }

    /// The set identifiers that there are; nothing stands for records without one.
    pub(super) fn identifiers(&self) -> BTreeSet<Option<&str>> {
        let sets = self.sets.iter().filter(|set| leads(set)).map(ResourceRecordSet::set_identifier);
        sets.chain(self.markers.iter().map(Marker::identifier)).collect()
    }

    /// The marker of an identifier.
    pub(super) fn marker(&self, identifier: Option<&str>) -> Option<&Marker> {
        self.markers.iter().find(|marker| marker.identifier() == identifier)
    }

    /// The record sets of an identifier that lead clients somewhere.
    pub(super) fn sets(&self, identifier: Option<&str>) -> Vec<&ResourceRecordSet> {
        self.sets.iter().filter(|set| leads(set) && set.set_identifier() == identifier).collect()
    }

    /// The Region whose latency the record sets of an identifier are chosen by.
    pub(super) fn region(&self, identifier: Option<&str>) -> Option<&str> {
        self.sets(identifier).into_iter().find_map(ResourceRecordSet::region).map(ResourceRecordSetRegion::as_str)
    }

    /// What stands under an identifier, as a spec of the zone with this id.
    pub(super) fn spec(&self, zone_id: &str, identifier: Option<&str>) -> DnsRecordSpec {
        let sets = self.sets(identifier);
        let remembered = self.marker(identifier).filter(|_| sets.is_empty()).and_then(Marker::remembered);
        let in_service = !sets.is_empty();
        let (leads_to, latency) = remembered.unwrap_or_else(|| (sets::leads_to(&sets), sets::latency(&sets)));
        DnsRecordSpec { name: self.name.clone(), zone_id: zone_id.into(), leads_to, latency, in_service }
    }

    /// The batch that fulfils a wish. `ours` tells by a marker's tags whether it is of the resource that wishes.
    pub(super) fn batch(&self, wish: &Wish<'_>, ours: impl Fn(&Tags) -> bool) -> Result<Batch> {
        let Wish { spec, from, birth, drained } = wish;
        spec.check(Some(&self.zone))?;
        let into = spec.set_identifier();
        let own: BTreeSet<Option<&str>> = [*from, into].into();
        for identifier in &own {
            let free = self.sets(*identifier).is_empty();
            if !self.marker(*identifier).map_or(free, |marker| ours(&marker.tags)) {
                return Err(self.somebody_elses(*identifier));
            }
        }
        self.refuse_conflicts(spec, &own)?;
        let live: Vec<&ResourceRecordSet> = own.iter().flat_map(|identifier| self.sets(*identifier)).collect();
        let wanted = sets::wanted(spec)?;
        let lingers = sets::lingers(&live, &wanted);
        let marker = self.marker(into).or_else(|| self.marker(*from));
        let mut tags = marker.map(|marker| marker.tags.clone()).unwrap_or_default();
        let before = tags.clone();
        tags.extend((*birth).clone());
        marker::drain(&mut tags, spec, *drained)?;
        let mut changes = Vec::new();
        // The old place's marker goes first: simple and latency records can't stand beside each other, nor can two of a Region.
        for old in
            own.iter().filter(|identifier| **identifier != into).filter_map(|identifier| self.marker(*identifier))
        {
            changes.extend(old.set.clone().map(sets::delete).transpose()?);
        }
        changes.extend(sets::difference(&live, wanted)?);
        let there = self.marker(into);
        let region = spec.latency.as_ref().map(|latency| latency.region.as_str());
        if tags != before || there.is_none_or(|there| there.region() != region) {
            let absent = Marker::absent(&self.zone, &self.name);
            let written = there.unwrap_or(&absent).written_for(spec.latency.as_ref(), &tags)?;
            changes.push(if there.is_some() { sets::upsert(written)? } else { sets::create(written)? });
        }
        Ok(Batch { changes, lingers })
    }

    /// Refuses records that can't stand beside others of the name (API reference, `ResourceRecordSet`; developer guide, "Choosing
    /// a routing policy"; RFC 1034 for CNAME), with what stands there. `own` are the identifiers that make place.
    fn refuse_conflicts(&self, spec: &DnsRecordSpec, own: &BTreeSet<Option<&str>>) -> Result<()> {
        let is_cname = matches!(spec.leads_to, LeadsTo::Cname { .. });
        let region = spec.latency.as_ref().map(|latency| latency.region.as_str());
        let is_own = |set: &&ResourceRecordSet| leads(set) && own.contains(&set.set_identifier());
        for other in self.sets.iter().filter(|set| !is_own(set)) {
            let other_cname = *other.r#type() == RrType::Cname;
            let theirs = other.region().map(ResourceRecordSetRegion::as_str);
            let problem = if is_cname != other_cname && (is_cname || other_cname) {
                "a CNAME record can't stand beside records of other types"
            } else if !leads(other) {
                continue;
            } else if region.is_none() || theirs.is_none() {
                "all records of a name have to be chosen from in the same way, by latency or not"
            } else if region == theirs {
                "a name has one latency record for each Region"
            } else {
                continue;
            };
            return Err(self.conflict(problem, other, self.marker(other.set_identifier())));
        }
        // The markers are records, too, and those of Regions that are out of service stand without theirs.
        for other in self.markers.iter().filter(|marker| !own.contains(&marker.identifier())) {
            let (Some(set), true) =
                (&other.set, region.is_none() || region == other.region() || other.region().is_none())
            else {
                continue;
            };
            return Err(self.conflict("another marker stands in the way", set, Some(other)));
        }
        Ok(())
    }

    fn conflict(&self, problem: &str, set: &ResourceRecordSet, marker: Option<&Marker>) -> Failure {
        let message = format!("the records of `{}` can't be written: {problem}", self.name);
        let whose = marker.map_or_else(|| "nobody's that gwctl knows".to_owned(), whose);
        Failure::new(FailureKind::Ownership, message)
            .cause(format!("there is {}, which is {whose}", sets::shown(set)))
            .hint("delete it if nobody needs it, or choose another name")
    }

    fn somebody_elses(&self, identifier: Option<&str>) -> Failure {
        let marker = self.marker(identifier);
        let mut there: Vec<String> = self.sets(identifier).into_iter().map(sets::shown).collect();
        if let Some(marker) = marker {
            let tags: Vec<String> = marker.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            there.push(format!("a marker that says {}", tags.join(", ")));
        }
        Failure::new(FailureKind::Ownership, format!("the records of `{}` are somebody else's", self.name))
            .cause(format!("zone `{}` holds {}", self.zone, there.join("; ")))
            .hint("choose another name, or delete them if nobody needs them")
    }
}

/// `product-a/dev's edge/dns-record/api`
fn whose(marker: &Marker) -> String {
    let tag = |key: &str| marker.tags.get(key).map_or("?", String::as_str);
    format!("{}/{}'s {}", tag(tags::PRODUCT), tag(tags::ENVIRONMENT), tag(tags::ADDRESS))
}

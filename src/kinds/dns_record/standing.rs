//! Which Regions of an owner stand in DNS, and which are out of service: what the markers of its names say.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use futures::future::try_join_all;

use super::held::Held;
use super::marker::{self, DRAINED, Marker, marked_name};
use super::sets::{leads, listed};
use super::spec::DnsRecordSpec;
use crate::aws::ReadAws;
use crate::aws::tags::{self, Tags};
use crate::aws::zones::{HostedZone, plain_name};
use crate::error::{Failure, Result};
use crate::model::{Address, Outputs, Owner};

/// The records of one name and set identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The hosted zone's id.
    pub zone_id: String,
    /// What the marker says the address is: `eu-west-1/edge/dns-record/api`.
    pub address: String,
    /// What stands there, or is to be put back. Its `in_service` says which.
    pub spec: DnsRecordSpec,
    /// Who took it out of service, and when. Also nothing for records that somebody deleted by hand.
    pub drained: Option<Drained>,
}

impl Standing {
    /// What the records are found by, as their kind gives it.
    pub fn outputs(&self) -> Result<Outputs> {
        super::outputs_of(&self.spec)
    }
}

/// Who took records out of service, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// `2026-11-22T11:03:02Z`
    pub since: String,
    /// `assumed-role/Operator/anna`: AWS's name for the caller, without its account.
    pub by: String,
}

impl Drained {
    /// Reads the tag.
    pub(super) fn read(tags: &Tags) -> Option<Self> {
        let (since, by) = tags.get(DRAINED)?.split_once(' ')?;
        Some(Self { since: since.to_owned(), by: by.to_owned() })
    }
}

/// The owner's records of these names, in all Regions and whichever of them `aws` reads.
pub async fn standing(aws: &ReadAws, owner: &Owner, names: &BTreeSet<String>) -> Result<Vec<Standing>> {
    let zones = aws.zones().await?;
    let holding = zones.iter().filter(|zone| names.iter().any(|name| zone.covers(name)));
    let all = try_join_all(holding.map(|zone| in_zone(&aws.clients.route53, zone, owner, names))).await?;
    Ok(all.into_iter().flatten().collect())
}

/// The Regions that a name leads to, or led to; of those that somebody took out, who did, and when.
pub async fn regions(aws: &ReadAws, owner: &Owner, name: &str) -> Result<BTreeMap<String, Option<String>>> {
    let standing = standing(aws, owner, &BTreeSet::from([name.to_owned()])).await?;
    let regions = standing.into_iter().filter_map(|one| {
        let region = Address::parse(&one.address)?.region()?.to_owned();
        // A deletion that was interrupted is nobody's wish: the next apply puts the records back.
        let drained = one.drained.filter(|drained| drained.by != super::A_DELETION);
        Some((region, drained.map(|Drained { since, by }| format!("{by} at {since}"))))
    });
    Ok(regions.collect())
}

/// Whether tags are an owner's, whatever the address.
fn is_owners(tags: &Tags, owner: &Owner) -> bool {
    tags.get(tags::PRODUCT) == Some(&owner.product) && tags.get(tags::ENVIRONMENT) == Some(&owner.environment)
}

async fn in_zone(client: &Client, zone: &HostedZone, owner: &Owner, names: &BTreeSet<String>) -> Result<Vec<Standing>> {
    let mut marked: BTreeMap<String, Vec<Marker>> = BTreeMap::new();
    for (name, marker) in marker::all(client, zone).await? {
        if names.contains(&name) && is_owners(&marker.tags, owner) {
            marked.entry(name).or_default().push(marker);
        }
    }
    let reads = marked.into_iter().map(|(name, markers)| async move {
        let sets = listed(client, &zone.id, &name, |other| other == name).await?;
        let held = Held::of(&zone.name, &name, sets, markers.clone());
        let one = |marker: &Marker| Standing {
            zone_id: zone.id.clone(),
            address: marker.tags.get(tags::ADDRESS).cloned().unwrap_or_default(),
            spec: held.spec(&zone.id, marker.identifier()),
            drained: Drained::read(&marker.tags),
        };
        Ok::<_, Failure>(markers.iter().map(one).collect::<Vec<_>>())
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Every record set of a zone.
pub(in crate::kinds) async fn all_sets(client: &Client, zone: &str) -> Result<Vec<ResourceRecordSet>> {
    let call = client.list_resource_record_sets().hosted_zone_id(zone);
    let answer = call.send().await;
    let answer = answer.map_err(|error| crate::aws::failed(&format!("list the records of zone {zone}"), error))?;
    let mut all = answer.resource_record_sets;
    if let Some(next) = answer.next_record_name.filter(|_| answer.is_truncated) {
        // From the same name on; what of it was on the first page comes again.
        let rest = listed(client, zone, &plain_name(&next), |_| true).await?;
        all.retain(|set| set.name() != next);
        all.extend(rest);
    }
    Ok(all)
}

/// The record sets of a zone that are not an owner's: neither markers of its nor what they mark.
pub(in crate::kinds) async fn sets_of_others(
    client: &Client,
    zone_id: &str,
    zone: &str,
    owner: &Owner,
) -> Result<Vec<ResourceRecordSet>> {
    let all = all_sets(client, zone_id).await?;
    let own: BTreeSet<(String, Option<String>)> = all
        .iter()
        .filter(|set| *set.r#type() == RrType::Txt)
        .filter_map(|set| {
            let marker = Marker::read(set.clone());
            let name = marked_name(zone, &plain_name(set.name())).filter(|_| is_owners(&marker.tags, owner))?;
            Some((name, set.set_identifier().map(str::to_owned)))
        })
        .collect();
    let is_own = |set: &ResourceRecordSet| {
        let (name, identifier) = (plain_name(set.name()), set.set_identifier().map(str::to_owned));
        let marked = marked_name(zone, &name).filter(|_| *set.r#type() == RrType::Txt);
        marked.is_some_and(|marked| own.contains(&(marked, identifier.clone())))
            || leads(set) && own.contains(&(name, identifier))
    };
    Ok(all.into_iter().filter(|set| !is_own(set)).collect())
}

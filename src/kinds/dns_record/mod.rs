//! `dns-record`: the alias records of one name in Route 53, `A`, `AAAA` or both.
//!
//! Record sets can't be tagged. Beside them stands a TXT record set that says whose they are, the [`marker`]; both are always
//! changed in one batch, which Route 53 carries out as a whole. A record without a marker is somebody else's and never
//! overwritten: new records are made with `CREATE`, which Route 53 refuses where there is one, and `UPSERT` is for what a
//! marker was just read for.
//!
//! Records are found where they can be: in the zones that hold a wanted name, or the name of a domain name of ours, which is
//! always deleted after its record.

mod marker;
mod sets;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::marker::Marker;
use self::sets::{change, record_sets, spread};
use super::domain_name::own_names;
use super::{Kind, Scope};
use crate::aws::tags::{self, Tags};
use crate::aws::zones::HostedZone;
use crate::aws::{Aws, ReadAws};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Digest, Identity, Input, Observed, Outputs, Ownership, Place};

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct DnsRecord;

/// What gwctl decides about the records of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsRecordSpec {
    /// `api.example.com`, in lower case, or `*.example.com`.
    pub name: String,
    /// The id of the hosted zone that the name stands in, without `/hostedzone/`.
    pub zone_id: String,
    /// The types that the name has an alias of.
    pub types: BTreeSet<RecordType>,
    /// The host name that the alias stands for: a domain name's output `regional_domain_name`.
    pub target: Input,
    /// The hosted zone of that host name: a domain name's output `regional_hosted_zone_id`.
    pub target_zone_id: Input,
    /// Whether the alias counts as unhealthy when its target does. Of use beside other records of the name only (aws-facts I).
    pub evaluate_target_health: bool,
}

/// A type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RecordType {
    /// For clients with IPv4.
    #[serde(rename = "A")]
    A,
    /// For clients with IPv6. The domain name has to be `dualstack`, too.
    #[serde(rename = "AAAA")]
    Aaaa,
    /// Never wanted; read so that one is seen.
    #[serde(rename = "CNAME")]
    Cname,
}

fn outputs(name: &str, zone: &str) -> Outputs {
    Outputs::from_iter([("name", name), ("zone_id", zone)])
}

/// The names to look at in a zone: those wanted, and those with a marker.
async fn observe_zone(aws: &ReadAws, scope: &Scope, zone: &HostedZone) -> Result<Vec<Observed<DnsRecordSpec>>> {
    let client = &aws.clients.route53;
    let marks = marker::all(client, zone).await?;
    let ours = marks.iter().filter(|(_, tags)| matches!(tags::ownership(tags, &scope.owner), Ownership::Ours { .. }));
    let mut names: BTreeSet<&str> = scope.names().filter(|name| zone.covers(name)).collect();
    names.extend(ours.map(|(name, _)| name.as_str()));
    let reads = names.into_iter().map(|name| async {
        let sets = record_sets(client, &zone.id, name).await?;
        let tags = marks.get(name).cloned().unwrap_or_default();
        Ok::<_, Failure>((!sets.is_empty()).then(|| Observed {
            name: name.to_owned(),
            within: None,
            spec: sets::spec(name, &zone.id, &sets),
            outputs: outputs(name, &zone.id),
            ownership: tags::ownership(&tags, &scope.owner),
            created: None,
            in_use_by: None,
        }))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

impl Kind for DnsRecord {
    type Spec = DnsRecordSpec;
    const NAME: &'static str = "dns-record";
    const REPLACE_ON: &'static [&'static str] = &["name", "zone_id"];

    fn predict(&self, _: &Place, spec: &DnsRecordSpec) -> Outputs {
        outputs(&spec.name, &spec.zone_id)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<DnsRecordSpec>>> {
        let mut names: BTreeSet<String> = scope.names().map(str::to_owned).collect();
        names.extend(own_names(aws, &scope.owner).await?.into_iter().map(|own| own.name));
        if names.is_empty() {
            // Route 53 is nothing to those without a domain name.
            return Ok(Vec::new());
        }
        let zones = aws.zones().await?;
        let holding = zones.iter().filter(|zone| names.iter().any(|name| zone.covers(name)));
        let all = try_join_all(holding.map(|zone| observe_zone(aws, scope, zone))).await?;
        let mut found: Vec<Observed<DnsRecordSpec>> = all.into_iter().flatten().collect();
        // Several zones can hold one name. What is somebody else's in one of them is no matter if ours is in another.
        let own: BTreeSet<String> =
            found.iter().filter(|one| one.address().is_some()).map(|one| one.name.clone()).collect();
        found.retain(|one| one.address().is_some() || !own.contains(&one.name));
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &DnsRecordSpec) -> Result<Outputs> {
        let birth = tags::at_birth(identity, &Tags::new());
        converge(aws, spec, &birth, |found| match found.map(|mark| tags::ownership(&mark.tags, &identity.owner)) {
            Some(Ownership::Ours { address, .. }) => address == identity.address,
            _ => false,
        })
        .await?;
        Ok(outputs(&spec.name, &spec.zone_id))
    }

    async fn update(&self, aws: &Aws, live: &Observed<DnsRecordSpec>, spec: &DnsRecordSpec) -> Result<Outputs> {
        let DnsRecordSpec {
            name,
            zone_id,
            types: _,
            target: _,
            target_zone_id: _,
            evaluate_target_health: _, // all of them in `sets::wanted`
        } = spec;
        let address = live.address().map(ToString::to_string);
        converge(aws, spec, &Tags::new(), |found| {
            found.and_then(|mark| mark.tags.get(tags::ADDRESS)) == address.as_ref()
        })
        .await?;
        Ok(outputs(name, zone_id))
    }

    async fn delete(&self, aws: &Aws, live: &Observed<DnsRecordSpec>) -> Result<()> {
        let DnsRecordSpec { name, zone_id, .. } = &live.spec;
        let client = &aws.write.route53;
        for last in [false, true] {
            let Some(marker) = marker::of(client, zone_id, name).await? else { return Ok(()) };
            if marker.tags.get(tags::ADDRESS) != live.address().map(ToString::to_string).as_ref() {
                // Somebody else's by now.
                return Ok(());
            }
            let sets = record_sets(client, zone_id, name).await?;
            let changes = sets.into_iter().chain(marker.set).map(sets::delete).collect::<Result<Vec<_>>>()?;
            let doing = format!("delete the records of `{name}`");
            if change(aws, zone_id, &doing, changes, !last).await?.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Into the marker.
    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let (name, zone) = (outputs.required("name")?, outputs.required("zone_id")?);
        let marker = marker::of(&aws.write.route53, zone, name).await?.ok_or_else(|| no_zone(zone))?;
        let mut all = marker.tags.clone();
        all.extend(tags);
        let doing = format!("record whose `{name}` is");
        change(aws, zone, &doing, vec![sets::upsert(marker.written(&all)?)?], false).await.map(drop)
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("a DNS record was to be untagged, but it takes no tags of the user's"))
    }

    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        self.tag(aws, outputs, tags::record(identity, digest)).await
    }
}

/// Turns the records of a name into those wanted, and adds tags to its marker, in one batch. `ours` tells from the marker
/// whether what stands there may be touched.
///
/// A batch whose answer was lost, or that somebody came before, is refused when it is sent again: then everything is read
/// anew, once. What is as wanted by then is done.
async fn converge(aws: &Aws, spec: &DnsRecordSpec, add: &Tags, ours: impl Fn(Option<&Marker>) -> bool) -> Result<()> {
    let DnsRecordSpec { name, zone_id, .. } = spec;
    let client = &aws.write.route53;
    for last in [false, true] {
        let marker = marker::of(client, zone_id, name).await?.ok_or_else(|| no_zone(zone_id))?;
        let live = record_sets(client, zone_id, name).await?;
        let found = Some(&marker).filter(|marker| marker.set.is_some());
        if !(ours(found) || live.is_empty() && found.is_none()) {
            return Err(Failure::new(FailureKind::Ownership, format!("the records of `{name}` are somebody else's"))
                .cause(format!("zone {zone_id} holds {}", sets::shown(&live, found)))
                .hint("choose another name, or delete them if nobody needs them"));
        }
        let mut tags = marker.tags.clone();
        tags.extend(add.clone());
        let mut changes = sets::difference(live, sets::wanted(spec)?)?;
        if tags != marker.tags {
            changes.push(sets::upsert(marker.written(&tags)?)?);
        }
        if changes.is_empty() {
            return Ok(());
        }
        if let Some(sent) = change(aws, zone_id, &format!("write the records of `{name}`"), changes, !last).await? {
            return spread(aws, sent).await;
        }
    }
    Ok(())
}

fn no_zone(id: &str) -> Failure {
    Failure::new(FailureKind::Configuration, format!("there is no hosted zone {id} in the account"))
        .hint("a zone of another account can't be written to: make the record there")
}

/// Tags by the name they are for.
type Marks = BTreeMap<String, Tags>;

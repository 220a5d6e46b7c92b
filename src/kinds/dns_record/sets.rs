//! The record sets of one name: read, compared, and changed in one batch.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use tokio::time::{Instant, sleep};

use super::marker::Marker;
use super::{DnsRecordSpec, RecordType};
use crate::aws::zones::plain_name;
use crate::aws::{Aws, failed, retry};
use crate::error::{Failure, Result};
use crate::model::Input;

/// How long to come back while Route 53 still works on an earlier change of the zone (aws-facts A).
const CHANGES_QUEUE: Duration = Duration::from_mins(1);

/// The texts that mean "not yet".
const NOT_YET: [retry::NotYet; 1] = [("PriorRequestNotComplete", "")];

/// How long to wait until all name servers know a change: usually within 60 seconds (developer guide, "How Route 53 works").
/// The change is made by then in any case.
const SPREADS: Duration = Duration::from_mins(3);

/// The pause between two looks.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// Record sets from a name on, for as long as their names are wanted.
pub(super) async fn listed(
    client: &Client,
    zone: &str,
    start: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<ResourceRecordSet>> {
    let mut found = Vec::new();
    let mut next = (start.to_owned(), None, None);
    loop {
        let (name, kind, identifier) = next;
        let call = client.list_resource_record_sets().hosted_zone_id(zone).start_record_name(name);
        let answer = call.set_start_record_type(kind).set_start_record_identifier(identifier).send().await;
        let answer = answer.map_err(|error| failed(&format!("list the records of zone {zone}"), error))?;
        for set in answer.resource_record_sets {
            if !wanted(&plain_name(set.name())) {
                return Ok(found);
            }
            found.push(set);
        }
        let Some(name) = answer.next_record_name.filter(|_| answer.is_truncated) else { return Ok(found) };
        next = (name, answer.next_record_type, answer.next_record_identifier);
    }
}

/// The record sets of a name that lead clients somewhere.
pub(super) async fn record_sets(client: &Client, zone: &str, name: &str) -> Result<Vec<ResourceRecordSet>> {
    let sets = listed(client, zone, name, |other| other == name).await?;
    Ok(sets.into_iter().filter(|set| kind(set).is_some()).collect())
}

fn kind(set: &ResourceRecordSet) -> Option<RecordType> {
    match set.r#type() {
        RrType::A => Some(RecordType::A),
        RrType::Aaaa => Some(RecordType::Aaaa),
        RrType::Cname => Some(RecordType::Cname),
        _ => None,
    }
}

/// What record sets come to, in the form of a spec. Several that lead to different places are all named.
pub(super) fn spec(name: &str, zone: &str, sets: &[ResourceRecordSet]) -> DnsRecordSpec {
    let joined = |of: &dyn Fn(&ResourceRecordSet) -> String| {
        let distinct: BTreeSet<String> = sets.iter().map(of).collect();
        Input::from(distinct.into_iter().collect::<Vec<_>>().join(" | "))
    };
    DnsRecordSpec {
        name: name.to_owned(),
        zone_id: zone.to_owned(),
        types: sets.iter().filter_map(kind).collect(),
        target: joined(&target),
        target_zone_id: joined(&|set| {
            set.alias_target().map(|one| one.hosted_zone_id().to_owned()).unwrap_or_default()
        }),
        evaluate_target_health: sets
            .iter()
            .any(|set| set.alias_target().is_some_and(AliasTarget::evaluate_target_health)),
    }
}

/// Where a record set leads, and under which condition.
fn target(set: &ResourceRecordSet) -> String {
    let values = set.resource_records().iter().map(|record| record.value().to_owned()).collect::<Vec<_>>().join(", ");
    let leads = set.alias_target().map_or(values, |one| plain_name(one.dns_name()));
    match set.set_identifier() {
        Some(identifier) => format!("{leads} ({identifier})"),
        None => leads,
    }
}

/// What stands there, for a person.
pub(super) fn shown(sets: &[ResourceRecordSet], marker: Option<&Marker>) -> String {
    let mut parts: Vec<String> =
        sets.iter().map(|set| format!("{} to {}", set.r#type().as_str(), target(set))).collect();
    if let Some(marker) = marker {
        let tags: Vec<String> = marker.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        parts.push(format!("a marker that says {}", tags.join(", ")));
    }
    parts.join("; ")
}

/// The record sets that a spec asks for.
pub(super) fn wanted(spec: &DnsRecordSpec) -> Result<Vec<ResourceRecordSet>> {
    let incomplete =
        |error: aws_sdk_route53::error::BuildError| Failure::internal("a DNS record is incomplete").because(&error);
    let DnsRecordSpec { name, zone_id: _, types, target, target_zone_id, evaluate_target_health } = spec;
    let alias = AliasTarget::builder()
        .dns_name(target.known()?)
        .hosted_zone_id(target_zone_id.known()?)
        .evaluate_target_health(*evaluate_target_health)
        .build()
        .map_err(incomplete)?;
    types
        .iter()
        .map(|kind| {
            let kind = match kind {
                RecordType::A => RrType::A,
                RecordType::Aaaa => RrType::Aaaa,
                RecordType::Cname => return Err(Failure::internal("an alias was to be a CNAME record")),
            };
            let set = ResourceRecordSet::builder().name(name).r#type(kind).alias_target(alias.clone());
            set.build().map_err(incomplete)
        })
        .collect()
}

/// The changes that turn record sets of ours into others. What is new is made with `CREATE`, so that Route 53 refuses the batch
/// if somebody came before; what goes is named exactly.
pub(super) fn difference(live: Vec<ResourceRecordSet>, wanted: Vec<ResourceRecordSet>) -> Result<Vec<Change>> {
    let mut missing = wanted;
    let mut changes = Vec::new();
    for set in live {
        match missing.iter().position(|other| same_place(&set, other)) {
            Some(at) => {
                let other = missing.remove(at);
                if !same(&set, &other) {
                    changes.push(upsert(other));
                }
            }
            None => changes.push(delete(set)),
        }
    }
    changes.extend(missing.into_iter().map(|set| changed(ChangeAction::Create, set)));
    changes.into_iter().collect()
}

/// Whether one of two record sets takes the other's place.
fn same_place(live: &ResourceRecordSet, wanted: &ResourceRecordSet) -> bool {
    live.r#type() == wanted.r#type() && live.set_identifier() == wanted.set_identifier()
}

/// Whether a live record set holds what the wanted one in its place does. Route 53 writes names in a form of its own.
fn same(live: &ResourceRecordSet, wanted: &ResourceRecordSet) -> bool {
    let alias = |set: &ResourceRecordSet| {
        let one = set.alias_target()?;
        Some((plain_name(one.dns_name()), one.hosted_zone_id().to_owned(), one.evaluate_target_health()))
    };
    live.health_check_id() == wanted.health_check_id() && alias(live) == alias(wanted)
}

/// Deletes a record set, which has to be as it is here.
pub(super) fn delete(set: ResourceRecordSet) -> Result<Change> {
    changed(ChangeAction::Delete, set)
}

/// Makes a record set, or puts it in the place of the old one.
pub(super) fn upsert(set: ResourceRecordSet) -> Result<Change> {
    changed(ChangeAction::Upsert, set)
}

fn changed(action: ChangeAction, set: ResourceRecordSet) -> Result<Change> {
    let built = Change::builder().action(action).resource_record_set(set).build();
    built.map_err(|error| Failure::internal("a change of a DNS record is incomplete").because(&error))
}

/// A batch that Route 53 took.
#[derive(Debug)]
pub(super) struct Sent {
    /// The change, unless all name servers know it already.
    pending: Option<String>,
}

/// Sends a batch. With `again`, one that does not fit what the zone holds now is no failure, but nothing.
pub(super) async fn change(
    aws: &Aws,
    zone: &str,
    doing: &str,
    changes: Vec<Change>,
    again: bool,
) -> Result<Option<Sent>> {
    let batch = ChangeBatch::builder().set_changes(Some(changes)).build();
    let batch = batch.map_err(|error| Failure::internal("a batch has no changes").because(&error))?;
    let client = &aws.write.route53;
    let call = || client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch.clone()).send();
    let answer = match retry::until_ready(CHANGES_QUEUE, &NOT_YET, call).await {
        Err(error) if again && error.code() == Some("InvalidChangeBatch") => return Ok(None),
        answer => answer.map_err(|error| failed(doing, error))?,
    };
    let info = answer.change_info().filter(|info| *info.status() != ChangeStatus::Insync);
    Ok(Some(Sent { pending: info.map(|info| info.id().to_owned()) }))
}

/// Waits until all name servers know a batch.
pub(super) async fn spread(aws: &Aws, sent: Sent) -> Result<()> {
    match sent.pending {
        Some(id) => wait(&aws.write.route53, &id).await,
        None => Ok(()),
    }
}

async fn wait(client: &Client, id: &str) -> Result<()> {
    let deadline = Instant::now() + SPREADS;
    loop {
        let answer = client.get_change().id(id).send().await;
        let answer = answer.map_err(|error| failed(&format!("ask for change {id} of Route 53"), error))?;
        if answer.change_info().is_none_or(|info| *info.status() == ChangeStatus::Insync) {
            return Ok(());
        }
        if Instant::now() > deadline {
            tracing::warn!("change {id} of Route 53 is made, but not known to all name servers yet");
            return Ok(());
        }
        sleep(LOOKS_EVERY).await;
    }
}

//! Record sets: read, compared, and changed in one batch.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet,
    ResourceRecordSetRegion, RrType,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use tokio::time::{Instant, sleep};

use super::spec::{DnsRecordSpec, Latency, LeadsTo, RecordType};
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

/// How long resolvers keep an alias to something of AWS's, in seconds. It has the TTL of what it leads to (developer guide,
/// "Choosing between alias and non-alias records"), which for load balancers is 60 (Route 53 FAQ, "Do I need to adjust the TTL
/// for my records in order to use DNS Failover?"; API reference, `ResourceRecordSet`, "TTL"). For API Gateway no number was found
/// written down; that it is the same is a guess, which Terraform's documentation of `aws_route53_record` shares for all aliases.
pub(super) const ALIAS_TTL: u32 = 60;

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

/// Whether a record set leads clients somewhere.
pub(super) fn leads(set: &ResourceRecordSet) -> bool {
    matches!(set.r#type(), RrType::A | RrType::Aaaa | RrType::Cname)
}

/// What record sets of one identifier lead to, in the form of a spec. Several that lead to different places are all named.
pub(super) fn leads_to(sets: &[&ResourceRecordSet]) -> LeadsTo {
    let joined = |of: &dyn Fn(&ResourceRecordSet) -> String| {
        let distinct: BTreeSet<String> = sets.iter().map(|set| of(set)).collect();
        Input::from(distinct.into_iter().collect::<Vec<_>>().join(" | "))
    };
    if let Some(set) = sets.iter().find(|set| *set.r#type() == RrType::Cname) {
        let ttl = set.ttl().and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or_default();
        return LeadsTo::Cname { value: joined(&target), ttl };
    }
    let kind = |set: &&ResourceRecordSet| match set.r#type() {
        RrType::Aaaa => RecordType::Aaaa,
        _ => RecordType::A,
    };
    LeadsTo::Alias {
        types: sets.iter().map(kind).collect(),
        target: joined(&target),
        target_zone_id: joined(&|set| {
            set.alias_target().map(|one| one.hosted_zone_id().to_owned()).unwrap_or_default()
        }),
        evaluate_target_health: sets
            .iter()
            .any(|set| set.alias_target().is_some_and(AliasTarget::evaluate_target_health)),
    }
}

/// How record sets of one identifier stand among others. Policies that gwctl writes none of have no Region.
pub(super) fn latency(sets: &[&ResourceRecordSet]) -> Option<Latency> {
    let identifier = sets.iter().find_map(|set| set.set_identifier())?;
    let distinct = |of: &dyn Fn(&ResourceRecordSet) -> Option<String>| {
        let all: BTreeSet<String> = sets.iter().filter_map(|set| of(set)).collect();
        all.into_iter().collect::<Vec<_>>().join(" | ")
    };
    let check = distinct(&|set| set.health_check_id().map(str::to_owned));
    Some(Latency {
        region: distinct(&|set| set.region().map(|region| region.as_str().to_owned())),
        set_identifier: identifier.to_owned(),
        health_check: Some(check).filter(|check| !check.is_empty()).map(Input::from),
    })
}

/// Where a record set leads.
fn target(set: &ResourceRecordSet) -> String {
    let name = |value: &str| if *set.r#type() == RrType::Cname { plain_name(value) } else { value.to_owned() };
    let values = set.resource_records().iter().map(|record| name(record.value())).collect::<Vec<_>>().join(", ");
    set.alias_target().map_or(values, |one| plain_name(one.dns_name()))
}

/// What stands there, for a person.
pub(super) fn shown(set: &ResourceRecordSet) -> String {
    let identifier = set.set_identifier().map(|identifier| format!(" ({identifier})")).unwrap_or_default();
    format!("{} to {}{identifier}", set.r#type().as_str(), target(set))
}

/// The record sets that a spec asks for; none while it is out of service.
pub(super) fn wanted(spec: &DnsRecordSpec) -> Result<Vec<ResourceRecordSet>> {
    let incomplete =
        |error: aws_sdk_route53::error::BuildError| Failure::internal("a DNS record is incomplete").because(&error);
    let DnsRecordSpec { name, zone_id: _, leads_to, latency, in_service } = spec;
    if !in_service {
        return Ok(Vec::new());
    }
    let mut set = ResourceRecordSet::builder().name(name);
    if let Some(Latency { region, set_identifier, health_check }) = latency {
        let check = health_check.as_ref().map(Input::known).transpose()?;
        let region = ResourceRecordSetRegion::from(region.as_str());
        set = set.set_identifier(set_identifier).region(region).set_health_check_id(check.map(str::to_owned));
    }
    match leads_to {
        LeadsTo::Alias { types, target, target_zone_id, evaluate_target_health } => {
            let alias = AliasTarget::builder()
                .dns_name(target.known()?)
                .hosted_zone_id(target_zone_id.known()?)
                .evaluate_target_health(*evaluate_target_health)
                .build()
                .map_err(incomplete)?;
            let kind = |kind: &RecordType| match kind {
                RecordType::A => RrType::A,
                RecordType::Aaaa => RrType::Aaaa,
            };
            let sets = types.iter().map(|one| set.clone().r#type(kind(one)).alias_target(alias.clone()));
            sets.map(|set| set.build().map_err(incomplete)).collect()
        }
        LeadsTo::Cname { value, ttl } => {
            let value = ResourceRecord::builder().value(value.known()?).build().map_err(incomplete)?;
            let set = set.r#type(RrType::Cname).ttl(i64::from(*ttl)).resource_records(value);
            Ok(vec![set.build().map_err(incomplete)?])
        }
    }
}

/// The changes that turn record sets of ours into others. What is new is made with `CREATE`, so that Route 53 refuses the batch
/// if somebody came before; what goes is named exactly, and goes first, because of types that can't stand beside each other.
pub(super) fn difference(live: &[&ResourceRecordSet], wanted: Vec<ResourceRecordSet>) -> Result<Vec<Change>> {
    let mut missing = wanted;
    let (mut gone, mut changed) = (Vec::new(), Vec::new());
    for set in live {
        match missing.iter().position(|other| same_place(set, other)) {
            Some(at) => {
                let other = missing.remove(at);
                if !same(set, &other) {
                    changed.push(upsert(other));
                }
            }
            None => gone.push(delete((*set).clone())),
        }
    }
    changed.extend(missing.into_iter().map(create));
    gone.into_iter().chain(changed).collect()
}

/// How long, in seconds, clients go on to where the live record sets lead and the wanted ones do not.
pub(super) fn lingers(live: &[&ResourceRecordSet], wanted: &[ResourceRecordSet]) -> Option<u32> {
    let left = live.iter().filter(|set| {
        !wanted.iter().any(|other| same_place(set, other) && target(set).eq_ignore_ascii_case(&target(other)))
    });
    left.map(|set| set.ttl().and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or(ALIAS_TTL)).max()
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
    live.health_check_id() == wanted.health_check_id()
        && live.region() == wanted.region()
        && live.ttl() == wanted.ttl()
        && alias(live) == alias(wanted)
        && target(live) == target(wanted)
}

/// Deletes a record set, which has to be as it is here.
pub(super) fn delete(set: ResourceRecordSet) -> Result<Change> {
    changed(ChangeAction::Delete, set)
}

/// Makes a record set that nobody may have made.
pub(super) fn create(set: ResourceRecordSet) -> Result<Change> {
    changed(ChangeAction::Create, set)
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

/// Waits until all name servers know a batch, and then until no resolver keeps what stood there before for `lingers` seconds.
pub(super) async fn spread(aws: &Aws, sent: Sent, lingers: Option<u32>) -> Result<()> {
    if let Some(id) = sent.pending {
        wait(&aws.write.route53, &id).await?;
    }
    if let Some(seconds) = lingers {
        sleep(Duration::from_secs(seconds.into())).await;
    }
    Ok(())
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

//! `gwctl edge drain` and `restore`: takes a Region out of DNS, and puts it back. What stands in the Region stays.
//!
//! Everything goes through the session of another Region, because the one that is taken out may be the one that is down.

use std::collections::BTreeSet;

use serde_json::Value;

use super::code::Code;
use super::output::{self, data, notice};
use super::question::{Changed, Consent, confirm};
use super::work::{Lookups, Member, Work, begin_all, load};
use crate::aws::health;
use crate::cli::{EdgeAction, EdgeOptions, Global, RegionOptions};
use crate::config::Environment;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::kinds::Kind as _;
use crate::kinds::dns_record::{self, DnsRecord, DnsRecordSpec, Standing};
use crate::model::{Address, Digest, Identity, Observed, Ownership};
use crate::report::{self, Format, Moved};
use crate::stack::edge;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &EdgeOptions) -> Result<u8> {
    let (change, in_service) = match &options.action {
        EdgeAction::Drain(change) => (change, false),
        EdgeAction::Restore(change) => (change, true),
    };
    let region = &change.to;
    let mut configuration = load(global, &change.selection)?;
    let domain = check(&configuration.environments, region)?;
    // The others first: one of them does the work if there is one.
    configuration.environments.sort_by_key(|environment| environment.target.region == *region);
    let code = Code::of_none(&configuration);
    let members = begin_all(global, &configuration, code, Lookups::Open).await?;
    let Some(Member { owner, place, work, .. }) = members.into_iter().next() else {
        return Err(Failure::internal("an environment without a Region"));
    };
    let work = work?;
    let records = records(&work, &domain).await?;
    let address = edge::address(region, DnsRecord::NAME, edge::REGION);
    let Some(record) = records.iter().find(|one| one.address == address.as_str()) else {
        let message = format!("{owner} has no records in DNS for {region}");
        return Err(Failure::new(FailureKind::Refused, message).hint("apply the Region first"));
    };
    let already = record.spec.in_service == in_service;
    let moved = Moved { region: region.clone(), domain, in_service, already };
    if !already {
        if !in_service && !change.force {
            refuse_the_last(&work, &records, region).await?;
        }
        ask(global, change, in_service, &Changed { owner: &owner, place: &place, protected: work.protected })?;
        notice(global, |out| writeln!(out, "{}", moved.doing()))?;
        put(&work, address, record, in_service).await?;
    }
    if global.output == Format::Json {
        output::json(global, &report::moved_json(&moved))?;
    } else {
        data(global, |out| report::moved_text(&moved, out))?;
    }
    Ok(exit::DONE)
}

fn ask(global: &Global, change: &RegionOptions, in_service: bool, changed: &Changed<'_>) -> Result<()> {
    let consent = Consent { yes: change.yes, confirmed: change.confirm.clone() };
    consent.check(&[changed.owner])?;
    if !consent.yes {
        let question = format!("{} {} in", if in_service { "Restore" } else { "Drain" }, change.to);
        return confirm(global, &question, std::slice::from_ref(changed));
    }
    if changed.protected { consent.to_protected(changed.owner) } else { Ok(()) }
}

/// Writes the record, in service or not, and waits until DNS says so.
async fn put(work: &Work, address: Address, record: &Standing, in_service: bool) -> Result<()> {
    let live = observed(record, &address)?;
    let spec = written(&DnsRecordSpec { in_service, ..record.spec.clone() })?;
    let kind = work.registry.kind(DnsRecord::NAME)?;
    let made = kind.update(&work.aws, &live, &spec).await?;
    let identity = Identity { owner: work.owner.clone(), address, place: work.place.clone() };
    kind.record(&work.aws, &identity, &made, &Digest::of(&spec)).await
}

/// One environment is selected, and the Region is one of its; its domain name.
fn check(environments: &[Environment], region: &str) -> Result<String> {
    let owners: BTreeSet<_> = environments.iter().map(|one| (&one.product, &one.name)).collect();
    if owners.len() != 1 {
        let message = format!("this changes one environment, and {} are selected", owners.len());
        return Err(Failure::new(FailureKind::Usage, message).hint("add --product and --env"));
    }
    let edge = environments.iter().find_map(|one| one.edge.as_ref());
    let Some(edge) = edge.filter(|edge| edge.regions.iter().any(|one| one == region)) else {
        let regions = edge.map(|edge| edge.regions.join(", ")).unwrap_or_default();
        let failure = Failure::new(FailureKind::Usage, format!("the environment has no edge in {region}"));
        return Err(if regions.is_empty() { failure } else { failure.hint(format!("its Regions are {regions}")) });
    };
    let domain = edge.domain.as_ref().map(|domain| domain.name.clone());
    domain.ok_or_else(|| Failure::new(FailureKind::Refused, "the edge has no domain name, so DNS leads nobody to it"))
}

fn written(spec: &DnsRecordSpec) -> Result<Value> {
    serde_json::to_value(spec).map_err(|error| Failure::internal("a record can't be written").because(&error))
}

/// The record as its kind takes it.
fn observed(record: &Standing, address: &Address) -> Result<Observed> {
    Ok(Observed {
        name: record.spec.name.clone(),
        within: None,
        spec: written(&record.spec)?,
        outputs: record.outputs()?,
        ownership: Ownership::Ours { address: address.clone(), digest: None },
        created: None,
        in_use_by: None,
    })
}

/// The records of the domain name in all Regions, whichever of them the session is in.
async fn records(work: &Work, domain: &str) -> Result<Vec<Standing>> {
    let read = work.aws.read.anew();
    read.check_account().await?;
    dns_record::standing(&read, &work.owner, &BTreeSet::from([domain.to_owned()])).await
}

/// Somebody has to be left to serve.
async fn refuse_the_last(work: &Work, records: &[Standing], region: &str) -> Result<()> {
    let hint = "add --force if the Region has to go all the same";
    let mut sick = Vec::new();
    for Standing { spec, .. } in records {
        let Some(latency) = spec.latency.as_ref().filter(|_| spec.in_service) else { continue };
        if latency.region == region {
            continue;
        }
        let check = latency.health_check.as_ref().and_then(|check| check.known().ok().map(str::to_owned));
        let health = match check {
            Some(id) => health::of(&work.aws.read, &id).await?,
            None => None,
        };
        if health.is_none_or(|health| health.healthy) {
            return Ok(());
        }
        sick.push(latency.region.clone());
    }
    let failure = Failure::new(FailureKind::Refused, format!("{region} is the last Region that serves"));
    Err(match sick.as_slice() {
        [] => failure.cause("no other Region is in service"),
        sick => failure.cause(format!("unhealthy: {}", sick.join(", "))),
    }
    .hint(hint))
}

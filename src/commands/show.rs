//! `gwctl show`: what AWS holds.

use super::code::Code;
use super::output::{self, data, text_options};
use serde_json::Value;

use super::work::{Lookups, Member, Work, begin_all, load, side_by_side};
use crate::aws::{certificates, health};
use crate::cli::{Global, ShowOptions};
use crate::error::{Failure, Result, exit};
use crate::kinds::Kind as _;
use crate::kinds::dns_record::{self, DnsRecord};
use crate::kinds::domain_name::DomainName;
use crate::kinds::health_check::HealthCheck;
use crate::kinds::http_stage::HttpStage;
use crate::model::{Live, Ownership};
use crate::report::{self, Format, Inventory, Serving};
use crate::stack::edge;

/// How a Region of an edge serves; nothing where there is none.
async fn serving(work: &Work, live: &Live) -> Result<Option<Serving>> {
    let of = |kind: &str| live.get(kind).into_iter().flatten().filter(|one| one.address().is_some());
    let record = of(DnsRecord::NAME).find(|one| one.address().is_some_and(|at| at.name() == edge::REGION));
    let Some(record) = record else { return Ok(None) };
    let read = &work.aws.read;
    let health = match of(HealthCheck::NAME).find_map(|one| one.outputs.get("id")) {
        Some(id) => health::of(read, id).await?,
        None => None,
    };
    let names = of(DomainName::NAME).filter(|one| one.address().is_some_and(|at| at.name() == edge::REGION));
    let certificate = names.into_iter().find_map(|one| one.spec.get("certificate")?.as_str());
    let expires = match certificate {
        Some(arn) => certificates::expires(read, arn).await?,
        None => None,
    };
    let drained = match record.spec.get("in_service").and_then(Value::as_bool) {
        Some(true) => None,
        _ => Some(dns_record::regions(read, &work.owner, &record.name).await?.remove(&work.place.region).flatten()),
    };
    let deployed = of(HttpStage::NAME).filter_map(|one| {
        let service = one.address()?.name().to_owned();
        let Ownership::Ours { digest, .. } = &one.ownership else { return None };
        Some((service, one.outputs.get("deployment")?.to_owned(), digest.clone()))
    });
    Ok(Some(Serving { domain: record.name.clone(), drained, health, deployed: deployed.collect(), expires }))
}

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ShowOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let several = members.len() > 1;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    let read = members.into_iter().map(async |Member { label, owner, place, work }| {
        let inventory = async {
            let work = work?;
            let (live, _) = work.observe().await?;
            let serving = Box::pin(serving(&work, &live)).await?;
            Ok::<_, Failure>(Inventory::new(&owner, &place, live).serving(serving))
        };
        let inventory = inventory.await;
        (label, inventory)
    });
    for (label, inventory) in side_by_side(read).await {
        match inventory {
            Ok(inventory) => found.push(inventory),
            Err(failure) => failures.push((label, failure)),
        }
    }
    if global.output == Format::Json {
        output::json(global, &report::inventories_json(&found))?;
    } else {
        data(global, |out| {
            for (index, inventory) in found.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                report::inventory_text(inventory, out, &text_options(global))?;
            }
            Ok(())
        })?;
    }
    Ok(if output::failures(global, failures, several)? { exit::FAILED } else { exit::DONE })
}

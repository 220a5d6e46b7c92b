//! How a Region of an edge serves.

use serde_json::Value;

use super::super::work::Work;
use crate::aws::{certificates, health};
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::dns_record::{self, DnsRecord};
use crate::kinds::domain_name::DomainName;
use crate::kinds::health_check::HealthCheck;
use crate::kinds::http_stage::HttpStage;
use crate::model::{Live, Ownership};
use crate::report::Serving;
use crate::stack::edge;

/// How a Region of an edge serves; nothing where there is none.
pub(super) async fn serving(work: &Work, live: &Live) -> Result<Option<Serving>> {
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

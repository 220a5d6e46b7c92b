//! The Regions of an edge: which are selected, which clients are led to, and how one serves after its change.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::work::Work;
use crate::aws::{ReadAws, health};
use crate::config::edge::ZoneSetting;
use crate::config::{Configuration, Environment};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::Kind as _;
use crate::kinds::dns_record::{self, DnsRecord};
use crate::kinds::health_check::{HealthCheck, HealthCheckSpec};
use crate::model::{Found, Owner};
use crate::plan::Warning;
use crate::stack::{self, edge};

/// `--region`: another Region for what has one, and this one of what has several.
pub(super) fn in_region(region: &str, configuration: &mut Configuration) -> Result<()> {
    let all = std::mem::take(&mut configuration.environments);
    // An edge says where its environment is; a REST API beside it stays in its own Region.
    let edges: BTreeMap<Owner, Vec<String>> =
        all.iter().filter_map(|one| Some((stack::owner(one), one.edge.as_ref()?.regions.clone()))).collect();
    for environment in all {
        let owner = stack::owner(&environment);
        let here = environment.target.region == region;
        match edges.get(&owner) {
            None => {
                let target = environment.target.in_region(region);
                configuration.environments.push(Environment { target, ..environment });
            }
            Some(_) if here => configuration.environments.push(environment),
            Some(regions) if !regions.iter().any(|one| one == region) && environment.gate.is_none() => {
                let hint = format!("its Regions are {}", regions.join(", "));
                return Err(Failure::new(FailureKind::Usage, format!("{owner} is not in {region}")).hint(hint));
            }
            Some(_) => {}
        }
    }
    if configuration.environments.is_empty() {
        return Err(Failure::new(FailureKind::Usage, format!("nothing that is selected is in {region}")));
    }
    Ok(())
}

/// The Regions of an edge that DNS knows, and of those that an operator took out of it, who did, and when. What is applied
/// meanwhile leaves them out.
pub(super) async fn standing(read: &ReadAws, environment: &Environment) -> Result<BTreeMap<String, Option<String>>> {
    let domain = environment.edge.as_ref().and_then(|edge| edge.domain.as_ref());
    let Some(domain) = domain.filter(|domain| domain.zone != ZoneSetting::None) else { return Ok(BTreeMap::new()) };
    dns_record::regions(read, &stack::owner(environment), &domain.name).await
}

/// What the reader of a plan has to know of the Regions of an edge.
pub(super) fn about_regions(environment: &Environment, found: &Found) -> Vec<Warning> {
    let Some(edge) = &environment.edge else { return Vec::new() };
    let name = format!("--product {} --env {}", environment.product, environment.name);
    let mut warnings = Vec::new();
    for region in found.regions().filter(|region| !edge.regions.iter().any(|one| one == region)) {
        warnings.push(Warning {
            message: format!("{region} is no longer among the Regions, and what stands there still serves"),
            hint: Some(format!("name it in `regions` again, then: gwctl destroy {name} --region {region}")),
        });
    }
    if let Some(by) = found.drained(&environment.target.region) {
        let region = &environment.target.region;
        warnings.push(Warning {
            message: format!("{region} is out of service, drained by {by}"),
            hint: Some(format!("it stays so until: gwctl edge restore {region} {name}")),
        });
    }
    warnings
}

/// The pause between two looks at a health check.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

impl Work {
    /// The health check of the Region, if it has one: its spec, and its id in AWS.
    async fn health_check(&self, read: &ReadAws) -> Result<Option<(HealthCheckSpec, String)>> {
        let check = self.desired.iter().find(|one| one.address.kind() == HealthCheck::NAME);
        let Some(check) = check else { return Ok(None) };
        let spec: HealthCheckSpec = serde_json::from_value(check.spec.clone())
            .map_err(|error| Failure::internal("a health check can't be read").because(&error))?;
        let live = self.registry.observe(read, &self.owner, std::slice::from_ref(check)).await?;
        let live = live.get(HealthCheck::NAME).into_iter().flatten().find(|one| one.address() == Some(&check.address));
        let id = live.map(|one| one.outputs.required("id").map(str::to_owned)).transpose()?;
        Ok(id.map(|id| (spec, id)))
    }

    /// Whether an operator took the Region out of DNS.
    pub(super) fn is_drained(&self) -> bool {
        let record = edge::address(&self.place.region, DnsRecord::NAME, edge::REGION);
        let record = self.desired.iter().find(|one| one.address == record);
        record.is_some_and(|one| one.spec.get("in_service") == Some(&serde_json::Value::Bool(false)))
    }

    /// Why clients are not served in the Region now, whatever is done to it: it was taken out of DNS, or its health check
    /// fails.
    pub(super) async fn is_out(&self) -> Result<Option<String>> {
        if self.is_drained() {
            return Ok(Some(format!("{} is drained", self.place.region)));
        }
        let read = self.aws.read.anew();
        let Some((_, id)) = self.health_check(&read).await? else { return Ok(None) };
        let sick = health::of(&read, &id).await?.filter(|health| !health.healthy);
        Ok(sick.map(|health| format!("{} is not healthy: {health}", self.place.region)))
    }

    /// Watches how the Region serves after a change, as long as its health check takes to find a fault, or for `settle`. Without
    /// a health check there is nothing to watch.
    pub(super) async fn serves(&self, settle: Option<Duration>, tell: &dyn Fn(String)) -> Result<()> {
        let read = self.aws.read.anew();
        let Some((spec, id)) = self.health_check(&read).await? else { return Ok(()) };
        let finds_faults = u64::from(spec.interval_seconds) * u64::from(spec.failure_threshold);
        let settle = settle.unwrap_or(Duration::from_secs(finds_faults));
        let region = &self.place.region;
        tell(format!("watching {region} for {} s before the next Region is changed", settle.as_secs()));
        tokio::time::sleep(settle).await;
        // A check that has just been made takes its time until the first answers are there.
        let deadline = Instant::now() + settle;
        loop {
            let health = health::of(&read, &id).await?;
            let Some(health) = health.filter(|health| !health.healthy || health.checkers == 0) else { return Ok(()) };
            if Instant::now() >= deadline {
                if health.checkers == 0 {
                    tell(format!("no checker has answered for {region} yet"));
                    return Ok(());
                }
                let hint = "the other Regions serve on; mend the cause, or take the Region out with `gwctl edge drain`";
                return Err(Failure::new(FailureKind::Refused, format!("{region} does not serve after its change"))
                    .cause(health.to_string())
                    .hint(hint));
            }
            tell(format!("waiting for {region} to be healthy"));
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }
}

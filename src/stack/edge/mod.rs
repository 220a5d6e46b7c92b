//! The edge stack: HTTP APIs, one for each service, that are the same in every Region and stand behind one domain name.
//!
//! This expands one Region, whose name stands in front of every address: `eu-west-1/edge/http-api/orders`. The Regions meet in
//! DNS alone, where each has records of its own beside those of the others.

mod api;
mod dns;
mod waf;

use std::collections::BTreeMap;

use super::{owner, place};
use crate::config::edge::{EdgeSettings, ZoneSetting};
use crate::config::{Environment, Faults, LoadBalancer};
use crate::error::Result;
use crate::kinds::account_logging::{self, AccountLogging, AccountLoggingSpec};
use crate::kinds::log_group::{LogFilters, LogGroup, LogGroupSpec};
use crate::kinds::{Kind, desired};
use crate::model::{Address, Desired, Found, Input, LoadBalancerPart, Lookup, Owner, Place};

/// The name in addresses of what a Region has one of.
pub const REGION: &str = "region";

/// The stack in addresses, without the Region in front.
pub const STACK: &str = "edge";

/// One Region of an edge on its way from settings to resources.
pub(super) struct Edge<'a> {
    environment: &'a Environment,
    settings: &'a EdgeSettings,
    found: &'a Found,
    place: Place,
    owner: Owner,
    stack: String,
}

/// The address of something in a Region of an edge.
#[must_use]
pub fn address(region: &str, kind: &str, name: &str) -> Address {
    Address::new(&format!("{region}/{STACK}"), kind, name)
}

/// What has to be looked up in AWS for a Region of an edge.
pub(super) fn lookups(environment: &Environment) -> Vec<Lookup> {
    let Some(settings) = &environment.edge else { return Vec::new() };
    let part = |part| part_of(settings, part);
    let mut all = vec![
        part(LoadBalancerPart::Listener(settings.port)),
        part(LoadBalancerPart::Subnets),
        part(LoadBalancerPart::SecurityGroups),
    ];
    if settings.services.values().any(|service| service.cname_ttl.is_some()) {
        all.push(part(LoadBalancerPart::DnsName));
        // Their names need not lie in the zone of the domain name.
        let named = settings.services.values().filter(|service| service.cname_ttl.is_some());
        all.extend(
            named
                .filter(|service| dns::made_zone(settings, &service.host).is_none())
                .map(|service| Lookup::HostedZone { domain: service.host.clone() }),
        );
    }
    if let (Some(_), LoadBalancer::Name(name)) = (waf::is_wanted(settings), &settings.load_balancer) {
        all.push(Lookup::AnyLoadBalancer { name: name.clone() });
    }
    if let Some(domain) = &settings.domain {
        if domain.certificate_arn.is_none() {
            all.push(dns::certificate(domain));
        }
        match &domain.zone {
            ZoneSetting::Found => all.push(Lookup::HostedZone { domain: domain.name.clone() }),
            // The first Region makes it, and the others find it.
            ZoneSetting::Made(zone) if settings.regions.first() != Some(&environment.target.region) => {
                all.push(Lookup::HostedZone { domain: zone.clone() });
            }
            ZoneSetting::Made(_) | ZoneSetting::None => {}
        }
    }
    all
}

fn part_of(settings: &EdgeSettings, part: LoadBalancerPart) -> Lookup {
    let (LoadBalancer::Name(which) | LoadBalancer::Arn(which)) = &settings.load_balancer;
    Lookup::LoadBalancerPart { load_balancer: which.clone(), part }
}

impl<'a> Edge<'a> {
    pub(super) fn new(environment: &'a Environment, settings: &'a EdgeSettings, found: &'a Found) -> Self {
        let place = place(&environment.target);
        let stack = format!("{}/{STACK}", place.region);
        Self { environment, settings, found, place, owner: owner(environment), stack }
    }

    /// The resources of the Region.
    pub(super) fn expand(&self, faults: &mut Faults) -> Result<Vec<Desired>> {
        let mut all = vec![self.access_log()?];
        all.extend(self.account_logging()?);
        all.push(self.vpc_link()?);
        for (name, service) in &self.settings.services {
            all.extend(self.service(name, service)?);
        }
        all.extend(self.domain(faults)?);
        all.extend(self.waf(faults)?);
        Ok(all)
    }

    fn address(&self, kind: &str, name: &str) -> Address {
        Address::new(&self.stack, kind, name)
    }

    fn desired<K: Kind>(&self, name: &str, spec: &K::Spec) -> Result<Desired> {
        desired::<K>(&self.stack, name, spec)
    }

    /// `product-c-WHAT-prod`. Names are the same in each Region; what is global has the Region behind.
    fn named(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.settings.app_group, self.environment.name)
    }

    fn tags(&self) -> BTreeMap<String, String> {
        self.settings.tags.clone()
    }

    fn part(&self, part: LoadBalancerPart) -> Vec<String> {
        self.found.all(&part_of(self.settings, part))
    }

    fn access_log(&self) -> Result<Desired> {
        let spec = LogGroupSpec {
            name: format!("/aws/apigateway/{}", self.named(STACK)),
            retention_in_days: Some(self.settings.retention_in_days),
            tags: self.tags(),
            filters: LogFilters::default(),
        };
        self.desired::<LogGroup>("access", &spec)
    }

    fn access_log_arn(&self) -> Input {
        Input::output(&self.address(LogGroup::NAME, "access"), "arn")
    }

    /// The Region's role for logs; a gate in the same Region makes it for both.
    fn account_logging(&self) -> Result<Option<Desired>> {
        let gate = self.environment.gate.as_ref().is_some_and(|gate| gate.settings.makes_logging_role);
        if !self.settings.makes_logging_role || gate {
            return Ok(None);
        }
        let spec = AccountLoggingSpec { name: account_logging::name_of(&self.place.region) };
        self.desired::<AccountLogging>(REGION, &spec).map(Some)
    }
}

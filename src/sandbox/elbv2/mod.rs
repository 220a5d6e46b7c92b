//! Elastic Load Balancing in the sandbox: load balancers, their listeners and tags, over the query protocol, version 2015-12-01.
//!
//! Nothing is balanced: a load balancer is what a VPC link or an integration points at. It is `provisioning` in the answer
//! that made it and `active` from then on. Target groups are refused, like everything else that is not here.

mod balancers;
mod listeners;
mod tags;

pub(in crate::sandbox) use balancers::stand_in;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{Answer, Fault};
use super::query::{Call, Dialect};
use super::wire::{Request, Response};
use super::world::View;
use super::xml::Xml;

const DIALECT: Dialect =
    Dialect { namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/", version: "2015-12-01" };

/// The namespace of answers and refusals.
pub(in crate::sandbox) const NAMESPACE: &str = DIALECT.namespace;

/// Load balancers of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// By ARN.
    balancers: BTreeMap<String, balancers::Balancer>,
    /// By ARN.
    #[serde(default)]
    listeners: BTreeMap<String, listeners::Listener>,
}

impl State {
    /// The ARNs of all that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.balancers.iter().filter(|(_, one)| !one.tags.is_empty());
        tagged.map(|(arn, one)| (arn.clone(), one.tags.clone())).collect()
    }

    /// The DNS name of the load balancer with an ARN.
    #[must_use]
    pub fn dns_name(&self, arn: &str) -> Option<&str> {
        self.balancers.get(arn).map(|balancer| balancer.dns_name.as_str())
    }

    /// Whether there is an application load balancer with an ARN.
    #[must_use]
    pub fn has_application(&self, arn: &str) -> bool {
        self.balancers.contains_key(arn) && arn.contains(":loadbalancer/app/")
    }

    /// Whether a load balancer is in a security group.
    #[must_use]
    pub fn uses_group(&self, id: &str) -> bool {
        self.balancers.values().any(|one| one.groups.iter().any(|group| group == id))
    }

    /// Whether a load balancer is in a subnet.
    #[must_use]
    pub fn uses_subnet(&self, id: &str) -> bool {
        self.balancers.values().any(|one| one.subnets.iter().any(|subnet| subnet == id))
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let call = Call::of(request);
    let answer = call.check_version(&DIALECT).and_then(|()| act(view, request, &call));
    call.respond(&DIALECT, request, answer)
}

fn act(view: &mut View<'_>, request: &Request, call: &Call) -> Answer<Option<Xml>> {
    match call.action() {
        "CreateLoadBalancer" => balancers::create(view, &request.caller, call),
        "DescribeLoadBalancers" => balancers::describe(view, call),
        "DeleteLoadBalancer" => balancers::delete(view, call),
        "CreateListener" => listeners::create(view, call),
        "DescribeListeners" => listeners::describe(view, call),
        "DeleteListener" => listeners::delete(view, call),
        "AddTags" => tags::add(&mut view.region.elbv2, call),
        "RemoveTags" => tags::remove(&mut view.region.elbv2, call),
        "DescribeTags" => tags::describe(&view.region.elbv2, call),
        _ => Err(call.unknown(DIALECT.version)),
    }
}

fn refuse(code: &str, message: impl Into<String>) -> Fault {
    Fault::new(400, code, message)
}

fn no_balancer(arns: &str) -> Fault {
    refuse("LoadBalancerNotFound", format!("Load balancers '[{arns}]' not found"))
}

#[cfg(test)]
mod tests;

//! How a gateway reaches its ingress, and how it is reached: VPC link, security group, endpoint.

use super::RestGateway;
use crate::config::{self, GatewayStack, LoadBalancer, VpcLink as Setting};
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::security_group::{Rule, SecurityGroup, SecurityGroupSpec};
use crate::kinds::vpc_link::{VpcLink, VpcLinkSpec};
use crate::model::{Address, Desired, Input, Lookup};

/// The stage variable that holds the id of a link that gwctl makes. A deployment can't wait for an id: what it serves is told
/// before anything is made. API Gateway takes a variable in `connectionId` (its guide, "Stage variables").
pub(super) const LINK_VARIABLE: &str = "vpcLinkId";

/// What has to be looked up for the network of a gateway.
pub(super) fn lookups(gateway: &config::Gateway) -> Option<Lookup> {
    match &gateway.settings.vpc_link {
        Setting::Id(_) | Setting::Made { load_balancer: LoadBalancer::Arn(_) } => None,
        Setting::Name(name) => Some(Lookup::VpcLink { name: name.clone() }),
        Setting::Made { load_balancer: LoadBalancer::Name(name) } => Some(Lookup::LoadBalancer { name: name.clone() }),
    }
}

impl RestGateway<'_> {
    /// What stands for the link in the templates.
    pub(super) fn vpc_link_id(&self) -> String {
        match (&self.settings.vpc_link, lookups(self.gateway)) {
            (Setting::Made { .. }, _) => format!("${{stageVariables.{LINK_VARIABLE}}}"),
            (_, Some(lookup)) => self.found.get(&lookup),
            (Setting::Id(id) | Setting::Name(id), None) => id.clone(),
        }
    }

    /// Whether the gateway goes through the link of the gate, which makes it for both.
    fn shares_vpc_link(&self) -> bool {
        let gate = self.environment.gate.as_ref();
        self.blueprint.stack != GatewayStack::Gate
            && gate.is_some_and(|gate| gate.settings.vpc_link == self.settings.vpc_link)
    }

    fn vpc_link_address(&self) -> Address {
        let stack = if self.shares_vpc_link() { GatewayStack::Gate } else { self.blueprint.stack };
        Address::new(stack.name(), VpcLink::NAME, "ingress")
    }

    /// The id of the link, where gwctl makes it.
    pub(super) fn made_vpc_link(&self) -> Option<Input> {
        let made = matches!(self.settings.vpc_link, Setting::Made { .. });
        made.then(|| Input::output(&self.vpc_link_address(), "id"))
    }

    pub(super) fn vpc_link(&self) -> Result<Option<Desired>> {
        let Setting::Made { load_balancer } = &self.settings.vpc_link else { return Ok(None) };
        if self.shares_vpc_link() {
            return Ok(None);
        }
        let target = match (load_balancer, lookups(self.gateway)) {
            (LoadBalancer::Arn(arn), _) | (LoadBalancer::Name(arn), None) => arn.clone(),
            (LoadBalancer::Name(_), Some(lookup)) => self.found.get(&lookup),
        };
        let spec = VpcLinkSpec {
            name: self.vpc_link_name(),
            description: Some(format!("To the ingress of {} in {}", self.settings.app_group, self.environment.name)),
            target_arns: vec![target.into()],
            tags: self.settings.tags.clone(),
        };
        self.desired::<VpcLink>(self.vpc_link_address().name(), &spec).map(Some)
    }

    /// Whether the functions get a security group of their own: they are in subnets, and none is given.
    pub(super) fn makes_security_group(&self) -> bool {
        !self.settings.private_subnet.is_empty()
            && self.settings.security_group_ids.is_empty()
            && self.settings.vpc_id.is_some()
    }

    pub(super) fn security_group_address(&self) -> Address {
        self.address(SecurityGroup::NAME, "authorizer")
    }

    /// Nobody calls a function through the network, so nothing comes in.
    pub(super) fn security_group(&self) -> Result<Option<Desired>> {
        let Some(vpc_id) = self.settings.vpc_id.as_ref().filter(|_| self.makes_security_group()) else {
            return Ok(None);
        };
        let spec = SecurityGroupSpec {
            name: self.name_of(SecurityGroup::NAME, "authorizer", || self.authorizer_name("authorizer")),
            description: format!("Network of the authorizers of {}", self.gateway_name()),
            vpc_id: vpc_id.clone(),
            ingress: std::collections::BTreeSet::new(),
            egress: Rule::everywhere(),
            tags: self.settings.tags.clone(),
        };
        self.desired::<SecurityGroup>("authorizer", &spec).map(Some)
    }
}

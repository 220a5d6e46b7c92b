//! EC2 in the sandbox, as far as gateways touch it: VPCs and subnets, security groups, the network interfaces of functions,
//! VPC endpoints and tags, over EC2's Query protocol, version 2016-11-15.
//!
//! **The sandbox's networks are the reader's own.** A configuration names VPCs, subnets and VPC endpoints that somebody else
//! made. So an id of one of these that is well-formed, and that nobody made here, is taken to exist wherever it is named
//! (a subnet then is in a VPC drawn from its id); lists show those that were made here.
//! Security groups are strict: one that is not here does not exist.
//!
//! Codes and words are those of EC2's error reference and of reports of the live service, unless a comment says otherwise.

mod call;
mod endpoints;
mod groups;
mod interfaces;
mod listing;
mod networks;
mod permissions;
mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{Answer, Fault};
use super::query::Call;
use super::wire::{Caller, Request, Response};
use super::world::View;
use super::xml::Xml;

pub(in crate::sandbox) use networks::vpc_of;

/// The XML namespace of answers.
const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The version of the API.
const VERSION: &str = "2016-11-15";

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// EC2 of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    vpcs: BTreeMap<String, networks::Vpc>,
    subnets: BTreeMap<String, networks::Subnet>,
    groups: BTreeMap<String, groups::Group>,
    endpoints: BTreeMap<String, endpoints::Endpoint>,
    /// Network interfaces that no function uses any more, and that Lambda has not removed yet.
    leaving: Vec<interfaces::Leaving>,
    /// How many looks at it a network interface outlives its last function by. On AWS that is up to 20 minutes; here none,
    /// unless somebody sets it.
    pub interface_looks: u32,
}

impl State {
    /// The VPC of a security group that is here.
    #[must_use]
    pub fn vpc_of_group(&self, id: &str) -> Option<&str> {
        self.groups.get(id).map(|group| group.vpc_id.as_str())
    }

    /// The VPC of a subnet that was made here.
    #[must_use]
    pub fn vpc_of_known_subnet(&self, id: &str) -> Option<&str> {
        self.subnets.get(id).map(|subnet| subnet.vpc_id.as_str())
    }

    /// The VPC of a subnet: the one it was made in, or the one drawn from its id.
    #[must_use]
    pub fn vpc_of_subnet(&self, id: &str) -> String {
        self.subnets.get(id).map_or_else(|| vpc_of(id), |subnet| subnet.vpc_id.clone())
    }

    /// The ARNs of everything that has tags, and their tags.
    pub(in crate::sandbox) fn tagged(&self, caller: &Caller) -> Vec<(String, Tags)> {
        let arn = |kind: &str, id: &str| arn(caller, kind, id);
        let vpcs = self.vpcs.iter().map(|(id, one)| (arn("vpc", id), one.tags.clone()));
        let subnets = self.subnets.iter().map(|(id, one)| (arn("subnet", id), one.tags.clone()));
        let groups = self.groups.iter().map(|(id, one)| (arn("security-group", id), one.tags.clone()));
        let endpoints = self.endpoints.iter().map(|(id, one)| (arn("vpc-endpoint", id), one.tags.clone()));
        vpcs.chain(subnets).chain(groups).chain(endpoints).filter(|(_, tags)| !tags.is_empty()).collect()
    }
}

/// A security group that nobody asked for over the wire, by its id.
pub(in crate::sandbox) fn new_group(view: &mut View<'_>, name: &str, description: &str, vpc_id: &str) -> String {
    groups::add(view, name, description, vpc_id, Tags::new())
}

/// What Lambda tells EC2: functions have left subnets, so that their network interfaces go.
pub(in crate::sandbox) use interfaces::settle;

/// Whether a request only looks. Looks at network interfaces are counted while some are leaving.
pub fn is_read(request: &Request) -> bool {
    let operation = request.operation();
    operation.starts_with("Describe") && operation != "DescribeNetworkInterfaces"
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let call = Call::of(request);
    let answer = check_version(&call).and_then(|()| act(view, &request.caller, &call));
    match answer {
        Ok(content) => {
            let mut xml = Xml::new();
            xml.root(&format!("{}Response", call.action()), Some(NAMESPACE), |xml| {
                xml.leaf("requestId", request.id());
                xml.append(&content);
            });
            xml.response(200)
        }
        Err(fault) => refusal(&fault, request.id()),
    }
}

/// A fault in EC2's own envelope, which is not the one of the other query services.
pub(in crate::sandbox) fn refusal(fault: &Fault, id: &str) -> Response {
    let mut xml = Xml::new();
    xml.node("Response", |xml| {
        xml.node("Errors", |xml| {
            xml.node("Error", |xml| {
                xml.leaf("Code", &fault.code);
                xml.leaf("Message", &fault.message);
            });
        });
        xml.leaf("RequestID", id);
    });
    xml.response(fault.status)
}

fn check_version(call: &Call) -> Answer<()> {
    match call.get("Version") {
        Some(VERSION) => Ok(()),
        _ => Err(invalid_action(call)),
    }
}

fn act(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    if call.get("DryRun") == Some("true") {
        return Err(Fault::new(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."));
    }
    match call.action() {
        "CreateVpc" => networks::create_vpc(view, caller, call),
        "DescribeVpcs" => networks::describe_vpcs(view, caller, call),
        "DeleteVpc" => networks::delete_vpc(view, call),
        "CreateSubnet" => networks::create_subnet(view, caller, call),
        "DescribeSubnets" => networks::describe_subnets(view, caller, call),
        "DeleteSubnet" => networks::delete_subnet(view, call),
        "CreateSecurityGroup" => groups::create(view, caller, call),
        "DescribeSecurityGroups" => groups::describe(view, caller, call),
        "DescribeSecurityGroupRules" => groups::describe_rules(view, caller, call),
        "DeleteSecurityGroup" => groups::delete(view, call),
        "AuthorizeSecurityGroupIngress" => groups::authorize(view, caller, call, false),
        "AuthorizeSecurityGroupEgress" => groups::authorize(view, caller, call, true),
        "RevokeSecurityGroupIngress" => groups::revoke(view, call, false),
        "RevokeSecurityGroupEgress" => groups::revoke(view, call, true),
        "UpdateSecurityGroupRuleDescriptionsIngress" => groups::update_descriptions(view, call, false),
        "UpdateSecurityGroupRuleDescriptionsEgress" => groups::update_descriptions(view, call, true),
        "DescribeNetworkInterfaces" => interfaces::describe(view, caller, call),
        "CreateVpcEndpoint" => endpoints::create(view, caller, call),
        "DescribeVpcEndpoints" => endpoints::describe(view, caller, call),
        "DeleteVpcEndpoints" => endpoints::delete(view, call),
        "CreateTags" => tags::create(&mut view.region.ec2, call),
        "DeleteTags" => tags::delete(&mut view.region.ec2, call),
        "DescribeTags" => tags::describe(&view.region.ec2, call),
        _ => Err(invalid_action(call)),
    }
}

fn invalid_action(call: &Call) -> Fault {
    let (action, version) = (call.action(), call.get("Version").unwrap_or_default());
    Fault::new(
        400,
        "InvalidAction",
        format!(
            "The action {action} is not valid for this web service. The sandbox's EC2 has version {VERSION} and not all of it; asked was version {version}."
        ),
    )
}

fn arn(caller: &Caller, kind: &str, id: &str) -> String {
    format!("arn:{}:ec2:{}:{}:{kind}/{id}", caller.partition(), caller.region, caller.account)
}

fn refuse(code: &str, message: impl Into<String>) -> Fault {
    Fault::new(400, code, message)
}

/// EC2's answer to what it carried out.
fn done() -> Xml {
    let mut xml = Xml::new();
    xml.leaf("return", "true");
    xml
}

#[cfg(test)]
mod tests;

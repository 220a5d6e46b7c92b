//! VPCs and subnets.

use std::str::FromStr as _;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::call::{check_id, is_id, merged, need, new_id, strings, tag_specification};
use super::listing::{self, Entry, Listing, write_tags};
use super::{State, Tags, arn, done, groups, interfaces, refuse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::hex;
use crate::sandbox::query::Call;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;
use crate::sandbox::xml::Xml;

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Vpc {
    cidr: String,
    pub(super) tags: Tags,
}

/// A subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub(super) vpc_id: String,
    cidr: String,
    zone: String,
    pub(super) tags: Tags,
}

const VPCS: Listing = Listing {
    set: "vpcSet",
    ids: "VpcId",
    not_found: no_vpc,
    filters: &["cidr", "is-default", "owner-id", "state", "vpc-id"],
};

const SUBNETS: Listing = Listing {
    set: "subnetSet",
    ids: "SubnetId",
    not_found: no_subnet,
    filters: &["availability-zone", "cidr-block", "owner-id", "state", "subnet-id", "vpc-id"],
};

fn no_vpc(id: &str) -> Fault {
    refuse("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
}

fn no_subnet(id: &str) -> Fault {
    refuse("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
}

/// The VPC of a subnet that nobody made here.
#[must_use]
pub(in crate::sandbox) fn vpc_of(subnet: &str) -> String {
    format!("vpc-{}", &hex(&Sha256::digest(subnet))[..17])
}

/// Refuses what can't be a VPC's id. Every other is taken to exist.
pub(super) fn check_vpc(id: &str) -> Answer<()> {
    check_id("VpcId", "vpc-", id)
}

/// A block of the sizes that VPCs and subnets may have.
fn block(call: &Call) -> Answer<Ipv4Net> {
    let text = need(call, "CidrBlock")?;
    let malformed = || {
        let words = format!("Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        refuse("InvalidParameterValue", words)
    };
    let net = Ipv4Net::from_str(text).map_err(|_| malformed())?.trunc();
    if (16..=28).contains(&net.prefix_len()) {
        Ok(net)
    } else {
        Err(refuse("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")))
    }
}

pub(super) fn create_vpc(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let cidr = block(call)?.to_string();
    let tags = merged(&Tags::new(), tag_specification(call, "vpc")?)?;
    let id = new_id(view, "vpc-");
    let vpc = Vpc { cidr, tags };
    let mut xml = Xml::new();
    xml.node("vpc", |xml| xml.append(&vpc_entry(&id, &vpc, caller).shown));
    view.region.ec2.vpcs.insert(id.clone(), vpc);
    groups::add(view, "default", "default VPC security group", &id, Tags::new());
    Ok(xml)
}

fn vpc_entry(id: &str, vpc: &Vpc, caller: &Caller) -> Entry {
    let mut xml = Xml::new();
    xml.leaf("vpcId", id);
    xml.leaf("ownerId", &caller.account);
    xml.leaf("state", "available");
    xml.leaf("cidrBlock", &vpc.cidr);
    xml.leaf("dhcpOptionsId", "default");
    xml.leaf("instanceTenancy", "default");
    xml.leaf("isDefault", "false");
    write_tags(&mut xml, &vpc.tags);
    let field = |name, value: &str| (name, vec![value.to_owned()]);
    Entry {
        id: id.to_owned(),
        fields: vec![
            field("vpc-id", id),
            field("cidr", &vpc.cidr),
            field("owner-id", &caller.account),
            field("state", "available"),
            field("is-default", "false"),
        ],
        tags: vpc.tags.clone(),
        shown: xml,
    }
}

pub(super) fn describe_vpcs(view: &View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let vpcs = &view.region.ec2.vpcs;
    let mut entries: Vec<Entry> = vpcs.iter().map(|(id, vpc)| vpc_entry(id, vpc, caller)).collect();
    for id in taken(call, &VPCS, "vpc-", |id| vpcs.contains_key(id)) {
        entries.push(vpc_entry(&id, &Vpc { cidr: "10.0.0.0/16".into(), tags: Tags::new() }, caller));
    }
    listing::answer(call, &VPCS, entries)
}

/// The ids that a call names, that nobody made, and that are taken to exist.
pub(super) fn taken(call: &Call, listing: &Listing, prefix: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut ids = strings(call, listing.ids);
    ids.retain(|id| is_id(prefix, id) && !known(id));
    ids.sort();
    ids.dedup();
    ids
}

pub(super) fn delete_vpc(view: &mut View<'_>, call: &Call) -> Answer<Xml> {
    let id = need(call, "VpcId")?;
    let state = &mut view.region.ec2;
    if !state.vpcs.contains_key(id) {
        return Err(no_vpc(id));
    }
    let groups = state.groups.values().any(|group| group.vpc_id == id && group.name != "default");
    let subnets = state.subnets.values().any(|subnet| subnet.vpc_id == id);
    if groups || subnets || state.endpoints.values().any(|endpoint| endpoint.vpc_id == id) {
        let words = format!("The vpc '{id}' has dependencies and cannot be deleted.");
        return Err(refuse("DependencyViolation", words));
    }
    state.groups.retain(|_, group| group.vpc_id != id);
    state.vpcs.remove(id);
    Ok(done())
}

pub(super) fn create_subnet(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let vpc_id = need(call, "VpcId")?.to_owned();
    let net = block(call)?;
    let tags = merged(&Tags::new(), tag_specification(call, "subnet")?)?;
    let zone = call.get("AvailabilityZone").map_or_else(|| format!("{}a", caller.region), str::to_owned);
    if !zone.starts_with(&caller.region) {
        let words = format!(
            "Value ({zone}) for parameter availabilityZone is invalid. Subnets can only be created in the Region."
        );
        return Err(refuse("InvalidParameterValue", words));
    }
    check_place(&view.region.ec2, &vpc_id, net)?;
    let id = new_id(view, "subnet-");
    let subnet = Subnet { vpc_id, cidr: net.to_string(), zone, tags };
    let mut xml = Xml::new();
    xml.node("subnet", |xml| xml.append(&subnet_entry(&id, &subnet, caller).shown));
    view.region.ec2.subnets.insert(id, subnet);
    Ok(xml)
}

/// A subnet lies in its VPC, which has to be one that was made here, and over no other subnet.
fn check_place(state: &State, vpc_id: &str, net: Ipv4Net) -> Answer<()> {
    let vpc = state.vpcs.get(vpc_id).ok_or_else(|| no_vpc(vpc_id))?;
    if !Ipv4Net::from_str(&vpc.cidr).is_ok_and(|vpc| vpc.contains(&net)) {
        return Err(refuse("InvalidSubnet.Range", format!("The CIDR '{net}' is invalid.")));
    }
    let over = |subnet: &&Subnet| {
        let other = Ipv4Net::from_str(&subnet.cidr);
        subnet.vpc_id == vpc_id && other.is_ok_and(|other| other.contains(&net) || net.contains(&other))
    };
    match state.subnets.values().find(over) {
        None => Ok(()),
        Some(_) => Err(refuse("InvalidSubnet.Conflict", format!("The CIDR '{net}' conflicts with another subnet"))),
    }
}

fn subnet_entry(id: &str, subnet: &Subnet, caller: &Caller) -> Entry {
    let mut xml = Xml::new();
    xml.leaf("subnetId", id);
    xml.leaf("subnetArn", arn(caller, "subnet", id));
    xml.leaf("ownerId", &caller.account);
    xml.leaf("state", "available");
    xml.leaf("vpcId", &subnet.vpc_id);
    xml.leaf("cidrBlock", &subnet.cidr);
    xml.leaf("availabilityZone", &subnet.zone);
    xml.leaf("defaultForAz", "false");
    xml.leaf("mapPublicIpOnLaunch", "false");
    write_tags(&mut xml, &subnet.tags);
    let field = |name, value: &str| (name, vec![value.to_owned()]);
    Entry {
        id: id.to_owned(),
        fields: vec![
            field("subnet-id", id),
            field("vpc-id", &subnet.vpc_id),
            field("cidr-block", &subnet.cidr),
            field("availability-zone", &subnet.zone),
            field("owner-id", &caller.account),
            field("state", "available"),
        ],
        tags: subnet.tags.clone(),
        shown: xml,
    }
}

pub(super) fn describe_subnets(view: &View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let subnets = &view.region.ec2.subnets;
    let mut entries: Vec<Entry> = subnets.iter().map(|(id, subnet)| subnet_entry(id, subnet, caller)).collect();
    for id in taken(call, &SUBNETS, "subnet-", |id| subnets.contains_key(id)) {
        let (vpc_id, zone) = (vpc_of(&id), format!("{}a", caller.region));
        let subnet = Subnet { vpc_id, cidr: "10.0.0.0/24".into(), zone, tags: Tags::new() };
        entries.push(subnet_entry(&id, &subnet, caller));
    }
    listing::answer(call, &SUBNETS, entries)
}

pub(super) fn delete_subnet(view: &mut View<'_>, call: &Call) -> Answer<Xml> {
    let id = need(call, "SubnetId")?;
    if !view.region.ec2.subnets.contains_key(id) {
        return Err(no_subnet(id));
    }
    let used = view.region.elbv2.uses_subnet(id) || view.region.apigatewayv2.uses_subnet(id);
    if used || interfaces::looked_at(view).iter().any(|one| one.subnet == id) {
        let words = format!("The subnet '{id}' has dependencies and cannot be deleted.");
        return Err(refuse("DependencyViolation", words));
    }
    view.region.ec2.subnets.remove(id);
    Ok(done())
}

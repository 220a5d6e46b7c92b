//! The network interfaces of functions in a VPC.
//!
//! Lambda makes one for each pair of a subnet and a set of security groups, and shares it among all functions that have
//! that pair (Lambda developer guide, "Understanding Hyperplane elastic network interfaces"). So those in use follow from
//! the functions there are; those that are leaving are remembered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::listing::{self, Entry, Listing, write_tags};
use super::{Tags, arn, refuse};
use crate::sandbox::fault::Answer;
use crate::sandbox::hex;
use crate::sandbox::lambda;
use crate::sandbox::query::Call;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::{Region, View};
use crate::sandbox::xml::Xml;

/// A network interface of functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Interface {
    pub(super) subnet: String,
    /// Its security groups, sorted.
    pub(super) groups: Vec<String>,
    vpc_id: String,
    /// The function it was first made for.
    function: String,
}

/// One that no function uses any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Leaving {
    interface: Interface,
    looks: u32,
}

const INTERFACES: Listing = Listing {
    set: "networkInterfaceSet",
    ids: "NetworkInterfaceId",
    not_found: |id| {
        refuse("InvalidNetworkInterfaceID.NotFound", format!("The networkInterface ID '{id}' does not exist"))
    },
    filters: &["description", "group-id", "interface-type", "network-interface-id", "status", "subnet-id", "vpc-id"],
};

/// Those that functions use.
fn in_use(lambda: &lambda::State) -> Vec<Interface> {
    let mut found: BTreeMap<(String, Vec<String>), Interface> = BTreeMap::new();
    for (function, vpc_id, subnets, groups) in lambda.networks() {
        let mut groups = groups.to_vec();
        groups.sort();
        for subnet in subnets {
            let interface = Interface {
                subnet: subnet.clone(),
                groups: groups.clone(),
                vpc_id: vpc_id.to_owned(),
                function: function.to_owned(),
            };
            found.entry((subnet.clone(), groups.clone())).or_insert(interface);
        }
    }
    found.into_values().collect()
}

/// What changes when functions change: interfaces that had users `before` and have none now are leaving.
pub(in crate::sandbox) fn settle<T>(view: &mut View<'_>, change: impl FnOnce(&mut View<'_>) -> T) -> T {
    let before = in_use(&view.region.lambda);
    let result = change(view);
    let now = in_use(&view.region.lambda);
    let same = |one: &Interface, two: &Interface| (&one.subnet, &one.groups) == (&two.subnet, &two.groups);
    let ec2 = &mut view.region.ec2;
    // One that is wanted again stays.
    ec2.leaving.retain(|leaving| !now.iter().any(|one| same(one, &leaving.interface)));
    let looks = ec2.interface_looks;
    if looks > 0 {
        let gone = before.into_iter().filter(|one| !now.iter().any(|other| same(one, other)));
        ec2.leaving.extend(gone.map(|interface| Leaving { interface, looks }));
    }
    result
}

/// All interfaces there are. Those that are leaving go after so many looks.
pub(super) fn looked_at(view: &mut View<'_>) -> Vec<Interface> {
    let Region { lambda, ec2, .. } = &mut *view.region;
    let mut all = in_use(lambda);
    all.extend(ec2.leaving.iter().map(|leaving| leaving.interface.clone()));
    ec2.leaving.iter_mut().for_each(|leaving| leaving.looks -= 1);
    ec2.leaving.retain(|leaving| leaving.looks > 0);
    all
}

pub(super) fn describe(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let all = looked_at(view);
    let entries = all.iter().map(|one| entry(view, caller, one)).collect();
    listing::answer(call, &INTERFACES, entries)
}

fn entry(view: &View<'_>, caller: &Caller, interface: &Interface) -> Entry {
    let digest = hex(&Sha256::digest(format!("{} {}", interface.subnet, interface.groups.join(" "))));
    let id = format!("eni-0{}", &digest[..16]);
    // As reported of the live service: the function's name, and an id behind it.
    let description = format!("AWS Lambda VPC ENI-{}-{}", interface.function, &digest[16..48]);
    let mut xml = Xml::new();
    xml.leaf("networkInterfaceId", &id);
    xml.leaf("networkInterfaceArn", arn(caller, "network-interface", &id));
    xml.leaf("subnetId", &interface.subnet);
    xml.leaf("vpcId", &interface.vpc_id);
    xml.leaf("description", &description);
    xml.leaf("ownerId", &caller.account);
    xml.leaf("requesterManaged", "true");
    xml.leaf("status", "in-use");
    xml.leaf("interfaceType", "lambda");
    xml.node("groupSet", |xml| {
        for group in &interface.groups {
            xml.node("item", |xml| {
                xml.leaf("groupId", group);
                if let Some(known) = view.region.ec2.groups.get(group) {
                    xml.leaf("groupName", &known.name);
                }
            });
        }
    });
    write_tags(&mut xml, &Tags::new());
    let field = |name, value: &str| (name, vec![value.to_owned()]);
    Entry {
        fields: vec![
            field("network-interface-id", &id),
            field("subnet-id", &interface.subnet),
            field("vpc-id", &interface.vpc_id),
            field("description", &description),
            field("interface-type", "lambda"),
            field("status", "in-use"),
            ("group-id", interface.groups.clone()),
        ],
        id,
        tags: Tags::new(),
        shown: xml,
    }
}

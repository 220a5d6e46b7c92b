//! VPC endpoints, as private APIs name them. They are available at once, and nothing travels through them.

use serde::{Deserialize, Serialize};

use super::call::{merged, need, new_id, strings, tag_specification};
use super::listing::{self, Entry, Listing, write_tags};
use super::{Tags, groups, networks, refuse, vpc_of};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::Call;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;
use crate::sandbox::xml::Xml;

/// A VPC endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Endpoint {
    pub(super) vpc_id: String,
    service: String,
    kind: String,
    subnets: Vec<String>,
    pub(super) groups: Vec<String>,
    private_dns: bool,
    pub(super) tags: Tags,
}

const ENDPOINTS: Listing = Listing {
    set: "vpcEndpointSet",
    ids: "VpcEndpointId",
    not_found: no_endpoint,
    filters: &["service-name", "vpc-endpoint-id", "vpc-endpoint-state", "vpc-endpoint-type", "vpc-id"],
};

fn no_endpoint(id: &str) -> Fault {
    refuse("InvalidVpcEndpointId.NotFound", format!("The Vpc Endpoint Id '{id}' does not exist"))
}

pub(super) fn create(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let vpc_id = need(call, "VpcId")?.to_owned();
    networks::check_vpc(&vpc_id)?;
    let service = need(call, "ServiceName")?.to_owned();
    let kind = call.get("VpcEndpointType").unwrap_or("Gateway").to_owned();
    let china = if caller.partition() == "aws-cn" { "cn." } else { "" };
    let known = service.starts_with(&format!("{china}com.amazonaws.{}.", caller.region))
        || service.starts_with(&format!("com.amazonaws.{}.", caller.region));
    if !known {
        return Err(refuse("InvalidServiceName", format!("The Vpc Endpoint Service '{service}' does not exist")));
    }
    let (subnets, groups) = (strings(call, "SubnetId"), strings(call, "SecurityGroupId"));
    if kind == "Gateway" && !subnets.is_empty() {
        let words = "Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.";
        return Err(refuse("InvalidParameter", words));
    }
    for group in &groups {
        groups::find(&view.region.ec2, group)?;
    }
    let tags = merged(&Tags::new(), tag_specification(call, "vpc-endpoint")?)?;
    let private_dns = kind == "Interface" && call.get("PrivateDnsEnabled") != Some("false");
    let id = new_id(view, "vpce-");
    let endpoint = Endpoint { vpc_id, service, kind, subnets, groups, private_dns, tags };
    let mut xml = Xml::new();
    xml.node("vpcEndpoint", |xml| xml.append(&entry(&id, &endpoint, caller).shown));
    view.region.ec2.endpoints.insert(id, endpoint);
    Ok(xml)
}

fn entry(id: &str, endpoint: &Endpoint, caller: &Caller) -> Entry {
    let mut xml = Xml::new();
    xml.leaf("vpcEndpointId", id);
    xml.leaf("vpcEndpointType", &endpoint.kind);
    xml.leaf("vpcId", &endpoint.vpc_id);
    xml.leaf("serviceName", &endpoint.service);
    xml.leaf("state", "available");
    xml.leaf("ownerId", &caller.account);
    xml.leaf("privateDnsEnabled", endpoint.private_dns.to_string());
    xml.node("subnetIdSet", |xml| endpoint.subnets.iter().for_each(|subnet| xml.leaf("item", subnet)));
    xml.node("groupSet", |xml| {
        endpoint.groups.iter().for_each(|group| xml.node("item", |xml| xml.leaf("groupId", group)));
    });
    write_tags(&mut xml, &endpoint.tags);
    let field = |name, value: &str| (name, vec![value.to_owned()]);
    Entry {
        id: id.to_owned(),
        fields: vec![
            field("vpc-endpoint-id", id),
            field("vpc-id", &endpoint.vpc_id),
            field("service-name", &endpoint.service),
            field("vpc-endpoint-state", "available"),
            field("vpc-endpoint-type", &endpoint.kind),
        ],
        tags: endpoint.tags.clone(),
        shown: xml,
    }
}

pub(super) fn describe(view: &View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let endpoints = &view.region.ec2.endpoints;
    let mut entries: Vec<Entry> = endpoints.iter().map(|(id, one)| entry(id, one, caller)).collect();
    for id in networks::taken(call, &ENDPOINTS, "vpce-", |id| endpoints.contains_key(id)) {
        let endpoint = Endpoint {
            vpc_id: vpc_of(&id),
            service: format!("com.amazonaws.{}.execute-api", caller.region),
            kind: "Interface".into(),
            subnets: Vec::new(),
            groups: Vec::new(),
            private_dns: true,
            tags: Tags::new(),
        };
        entries.push(entry(&id, &endpoint, caller));
    }
    listing::answer(call, &ENDPOINTS, entries)
}

/// What can't be deleted is told in the answer; the others go.
pub(super) fn delete(view: &mut View<'_>, call: &Call) -> Answer<Xml> {
    let ids = strings(call, "VpcEndpointId");
    if ids.is_empty() {
        return Err(super::call::missing("VpcEndpointId"));
    }
    let mut xml = Xml::new();
    xml.node("unsuccessful", |xml| {
        for id in ids {
            if view.region.ec2.endpoints.remove(&id).is_none() {
                let fault = no_endpoint(&id);
                xml.node("item", |xml| {
                    xml.leaf("resourceId", &id);
                    xml.node("error", |xml| {
                        xml.leaf("code", &fault.code);
                        xml.leaf("message", &fault.message);
                    });
                });
            }
        }
    });
    Ok(xml)
}

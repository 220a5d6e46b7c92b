//! VPC links of HTTP APIs: network interfaces in subnets, through which integrations reach private listeners.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, ok, timestamp};
use super::errors::{Answer, bad_request, length, limit_exceeded, required};
use super::integration_rules::no_link;
use super::state::{Definition, Strings, VpcLink};
use super::tags;
use crate::sandbox::wire::Response;

/// VPC links that one Region of an account may have (aws-facts A).
const LIMIT: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    name: Option<String>,
    security_group_ids: Option<Vec<String>>,
    subnet_ids: Option<Vec<String>>,
    tags: Option<Strings>,
}

/// `/v2/vpclinks…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.state().vpc_links.iter().map(|link| describe(link, call.view.now))),
        ("POST", []) => create(call),
        ("GET", [id]) => {
            let link = call.state().vpc_link(id).ok_or_else(|| no_link(id))?;
            Ok(ok(&describe(link, call.view.now)))
        }
        ("PATCH", [id]) => update(call, id),
        ("DELETE", [id]) => delete(call, id),
        _ => Err(call.unknown()),
    }
}

/// A link as it is at a time. The messages are those of the examples of the AWS CLI.
fn describe(link: &VpcLink, now: f64) -> Value {
    let (status, message) = if link.is_available(now) {
        ("AVAILABLE", "VPC link is ready to route traffic")
    } else {
        ("PENDING", "VPC link is provisioning ENIs")
    };
    json!({
        "createdDate": timestamp(link.created),
        "name": link.name,
        "securityGroupIds": link.security_group_ids,
        "subnetIds": link.subnet_ids,
        "tags": link.tags,
        "vpcLinkId": link.vpc_link_id,
        "vpcLinkStatus": status,
        "vpcLinkStatusMessage": message,
        "vpcLinkVersion": "V2",
    })
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let Input { name, security_group_ids, subnet_ids, tags } = call.body()?;
    let name = required(name, "name")?;
    length(&name, "name", 1, 128)?;
    let subnet_ids = required(subnet_ids, "subnetIds")?;
    let security_group_ids = security_group_ids.unwrap_or_default();
    check_network(call, &subnet_ids, &security_group_ids)?;
    let tags = tags.unwrap_or_default();
    tags::check(&tags)?;
    if call.state().vpc_links.len() >= LIMIT {
        return Err(limit_exceeded("VPC Links"));
    }
    let link = VpcLink {
        vpc_link_id: call.view.new_id(6),
        name,
        created: call.now(),
        subnet_ids,
        security_group_ids,
        pending_until: call.view.now + call.view.region.apigateway.vpc_link_delay,
        tags,
    };
    // The answer comes before the link is up, however soon that is.
    let shown = describe(&link, f64::NEG_INFINITY);
    call.state_mut().vpc_links.push(link);
    Ok(Response::json(201, &shown))
}

/// Refuses subnets and security groups that can't be a link's. A subnet that nobody made here is taken to exist where its form
/// is right, a security group has to be here (see [`ec2`](crate::sandbox::ec2)); all are of one VPC. The words are guesses.
fn check_network(call: &Call<'_, '_>, subnets: &[String], groups: &[String]) -> Answer<()> {
    let well_formed = |id: &str, prefix: &str| {
        let digits = id.strip_prefix(prefix).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if subnets.is_empty() {
        return Err(bad_request("subnetIds must not be empty"));
    }
    if let Some(id) = subnets.iter().find(|id| !well_formed(id, "subnet-")) {
        return Err(bad_request(format!("The subnet ID '{id}' does not exist")));
    }
    let ec2 = &call.view.region.ec2;
    let of_subnets = subnets.iter().filter_map(|id| ec2.vpc_of_known_subnet(id));
    let of_groups = groups.iter().map(|id| {
        let missing = || bad_request(format!("The security group '{id}' does not exist"));
        ec2.vpc_of_group(id).ok_or_else(missing)
    });
    let of_groups = of_groups.collect::<Answer<Vec<&str>>>()?;
    // A subnet that is not here may be in any VPC.
    let vpcs: BTreeSet<&str> = of_subnets.chain(of_groups).collect();
    if vpcs.len() > 1 {
        return Err(bad_request("Subnets and security groups of a VPC link must be in the same VPC"));
    }
    Ok(())
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let Input { name, security_group_ids, subnet_ids, tags: _ } = call.body()?;
    // The operation has no such members; a client that sends them wants what can't be had (aws-facts I).
    if security_group_ids.is_some() || subnet_ids.is_some() {
        return Err(bad_request("Subnets and security groups of a VPC link can't be changed"));
    }
    if let Some(name) = &name {
        length(name, "name", 1, 128)?;
    }
    let now = call.view.now;
    let link = call.state_mut().vpc_links.iter_mut().find(|link| link.vpc_link_id == id);
    let link = link.ok_or_else(|| no_link(id))?;
    if let Some(name) = name {
        link.name = name;
    }
    Ok(ok(&describe(link, now)))
}

fn delete(call: &mut Call<'_, '_>, id: &str) -> Answer {
    call.state().vpc_link(id).ok_or_else(|| no_link(id))?;
    let refuse = |uses: &[String], form: &str| {
        bad_request(format!(
            "Cannot delete vpc link. Vpc link '{id}', is referenced in [{}] in format of [{form}].",
            uses.join(", ")
        ))
    };
    // Reported of an HTTP API: the method and the id of a route. That what a stage serves counts as well, and how it is
    // written, follows the links of REST APIs.
    let edited: Vec<String> = call.state().apis.iter().flat_map(|api| uses(&api.definition, id)).collect();
    if !edited.is_empty() {
        return Err(refuse(&edited, "Method:Resource"));
    }
    let mut served = Vec::new();
    for api in &call.state().apis {
        for stage in api.stages.keys() {
            let uses = api.served(stage).map(|definition| uses(definition, id)).unwrap_or_default();
            served.extend(uses.into_iter().map(|at| format!("{}:{at}:{stage}", api.id)));
        }
    }
    if !served.is_empty() {
        return Err(refuse(&served, "ApiId:Method:Resource:Stage"));
    }
    call.state_mut().vpc_links.retain(|link| link.vpc_link_id != id);
    Ok(Response::empty(202))
}

/// What of a definition goes through a link: the routes to its integrations, or an integration that no route leads to.
fn uses(definition: &Definition, link: &str) -> Vec<String> {
    let through = definition.integrations.iter().filter(|one| one.connection_id.as_deref() == Some(link));
    let named = through.flat_map(|integration| {
        let id = integration.integration_id.as_str();
        let routes = definition.routes.iter().filter(|route| route.integration_id() == Some(id));
        let named = |key: &str| super::route_key::split(key).map_or(key, |(method, _)| method).to_owned();
        let routes: Vec<String> =
            routes.map(|route| format!("{}:{}", named(&route.route_key), route.route_id)).collect();
        if routes.is_empty() { vec![format!("{}:{id}", integration.integration_method)] } else { routes }
    });
    named.collect()
}

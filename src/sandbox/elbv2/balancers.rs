//! Load balancers themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tags;
use super::{no_balancer, refuse};
use crate::sandbox::ec2;
use crate::sandbox::fault::Answer;
use crate::sandbox::query::{Call, invalid};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::{View, date};
use crate::sandbox::xml::Xml;

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Balancer {
    name: String,
    /// `network` or `application`.
    kind: String,
    /// `internal` or `internet-facing`.
    scheme: String,
    pub(super) dns_name: String,
    zone_id: String,
    vpc_id: String,
    zone_names: Vec<String>,
    pub(super) subnets: Vec<String>,
    pub(super) groups: Vec<String>,
    /// Milliseconds since the epoch.
    created: i64,
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) fn create(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let name = name(call)?;
    let kind = one_of(call, "Type", &["application", "network"], "application")?;
    let scheme = one_of(call, "Scheme", &["internet-facing", "internal"], "internet-facing")?;
    let subnets = subnets(call, &kind)?;
    let groups = groups(view, call)?;
    let tags = tags::checked(call.tags("Tags"))?;
    let same_name = view.region.elbv2.balancers.iter().find(|(_, one)| one.name == name);
    if let Some((arn, other)) = same_name {
        // The same again is answered with what is there (reported of the live service).
        if (&other.kind, &other.scheme, &other.subnets, &other.groups) == (&kind, &scheme, &subnets, &groups)
            && other.tags == tags
        {
            return Ok(Some(members(&[(arn, other)], "active")));
        }
        return Err(refuse(
            "DuplicateLoadBalancerName",
            format!("A load balancer with the same name '{name}' exists, but with different settings"),
        ));
    }
    let arn = new_arn(view, caller, &kind, &name);
    let balancer = Balancer {
        dns_name: dns_name(&arn, caller, &scheme),
        name,
        kind,
        scheme,
        // The zones of load balancers differ by Region; this one is nobody's.
        zone_id: ZONE.to_owned(),
        vpc_id: view.region.ec2.vpc_of_subnet(&subnets[0]),
        zone_names: zone_names(caller),
        subnets,
        groups,
        created: view.millis(),
        tags,
    };
    let xml = members(&[(&arn, &balancer)], "provisioning");
    view.region.elbv2.balancers.insert(arn, balancer);
    Ok(Some(xml))
}

/// The hosted zone of the names of load balancers.
const ZONE: &str = "Z00000000SANDBOXELB";

fn new_arn(view: &mut View<'_>, caller: &Caller, kind: &str, name: &str) -> String {
    let short = if kind == "network" { "net" } else { "app" };
    let id: String = view.new_uuid().chars().filter(char::is_ascii_hexdigit).take(16).collect();
    let (partition, region, account) = (caller.partition(), &caller.region, &caller.account);
    format!("arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{short}/{name}/{id}")
}

/// The DNS name of a load balancer, from its ARN: `…:loadbalancer/app/NAME/ID`.
fn dns_name(arn: &str, caller: &Caller, scheme: &str) -> String {
    let mut parts = arn.rsplit('/');
    let (id, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (region, suffix) = (&caller.region, caller.dns_suffix());
    if parts.next() == Some("net") {
        return format!("{name}-{id}.elb.{region}.{suffix}");
    }
    let inner = if scheme == "internal" { "internal-" } else { "" };
    let number = id.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default();
    format!("{inner}{name}-{number}.{region}.elb.{suffix}")
}

fn zone_names(caller: &Caller) -> Vec<String> {
    ["a", "b", "c", "d", "e", "f"].iter().map(|letter| format!("{}{letter}", caller.region)).collect()
}

/// A load balancer with a TLS listener, under a name or an ARN, where there is none.
pub(in crate::sandbox) fn stand_in(view: &mut View<'_>, caller: &Caller, which: &str, port: u16) {
    let balancers = &view.region.elbv2.balancers;
    let same = |(arn, one): &(&String, &Balancer)| *arn == which || one.name == which;
    let arn = match balancers.iter().find(same) {
        Some((arn, _)) => arn.clone(),
        None => make_stand_in(view, caller, which),
    };
    super::listeners::stand_in(view, &arn, port);
}

fn make_stand_in(view: &mut View<'_>, caller: &Caller, which: &str) -> String {
    let given = which.rsplit('/').nth(1).filter(|_| which.starts_with("arn:"));
    let name = given.unwrap_or(which).to_owned();
    let kind = if which.contains(":loadbalancer/net/") { "network" } else { "application" };
    let arn = if given.is_some() { which.to_owned() } else { new_arn(view, caller, kind, &name) };
    let subnets = ["subnet-0000000000000000a", "subnet-0000000000000000b"].map(str::to_owned).to_vec();
    let vpc_id = view.region.ec2.vpc_of_subnet(&subnets[0]);
    let group = ec2::new_group(view, &name, "Stands in for that of a load balancer", &vpc_id);
    let balancer = Balancer {
        dns_name: dns_name(&arn, caller, "internal"),
        name,
        kind: kind.to_owned(),
        scheme: "internal".to_owned(),
        zone_id: ZONE.to_owned(),
        vpc_id,
        zone_names: zone_names(caller),
        subnets,
        groups: vec![group],
        created: view.millis(),
        tags: BTreeMap::new(),
    };
    view.region.elbv2.balancers.insert(arn.clone(), balancer);
    arn
}

/// "Unique …, maximum of 32 characters, only alphanumeric characters or hyphens, must not begin or end with a hyphen, and must
/// not begin with `internal-`" (API reference). The first sentence is reported; the others are like it.
fn name(call: &Call) -> Answer<String> {
    let name = call.need("Name")?;
    let why = if name.chars().count() > 32 {
        "cannot be longer than '32' characters"
    } else if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') || name.is_empty() {
        "can only contain characters that are alphanumeric characters and hyphens(-)"
    } else if name.starts_with('-') || name.ends_with('-') {
        "cannot begin or end with '-'"
    } else if name.starts_with("internal-") {
        "cannot begin with 'internal-'"
    } else {
        return Ok(name.to_owned());
    };
    Err(invalid(format!("The load balancer name '{name}' {why}")))
}

fn one_of(call: &Call, parameter: &str, values: &[&str], default: &str) -> Answer<String> {
    let value = call.get(parameter).unwrap_or(default);
    if values.contains(&value) {
        return Ok(value.to_owned());
    }
    Err(invalid(format!("The sandbox's load balancers have a {parameter} of {}, not '{value}'", values.join(" or "))))
}

fn subnets(call: &Call, kind: &str) -> Answer<Vec<String>> {
    let mut subnets = call.strings("Subnets");
    let mapped = (1..).map_while(|at| call.get(&format!("SubnetMappings.member.{at}.SubnetId")).map(str::to_owned));
    subnets.extend(mapped);
    subnets.sort();
    subnets.dedup();
    if subnets.is_empty() {
        return Err(invalid("At least one subnet must be specified".to_owned()));
    }
    if kind == "application" && subnets.len() < 2 {
        return Err(invalid("At least two subnets in two different Availability Zones must be specified".to_owned()));
    }
    match subnets.iter().find(|id| !id.starts_with("subnet-")) {
        None => Ok(subnets),
        Some(id) => Err(refuse("SubnetNotFound", format!("The subnet ID '{id}' does not exist"))),
    }
}

fn groups(view: &View<'_>, call: &Call) -> Answer<Vec<String>> {
    let mut groups = call.strings("SecurityGroups");
    groups.sort();
    if let Some(id) = groups.iter().find(|id| view.region.ec2.vpc_of_group(id).is_none()) {
        return Err(refuse("InvalidSecurityGroup", format!("One or more security groups are invalid: '{id}'")));
    }
    Ok(groups)
}

fn members(list: &[(&String, &Balancer)], state: &str) -> Xml {
    let mut xml = Xml::new();
    xml.node("LoadBalancers", |xml| {
        for (arn, one) in list {
            xml.node("member", |xml| write(xml, arn, one, state));
        }
    });
    xml
}

fn write(xml: &mut Xml, arn: &str, one: &Balancer, state: &str) {
    xml.leaf("LoadBalancerArn", arn);
    xml.leaf("DNSName", &one.dns_name);
    xml.leaf("CanonicalHostedZoneId", &one.zone_id);
    xml.leaf("CreatedTime", date(one.created, "%Y-%m-%dT%H:%M:%S.%3fZ"));
    xml.leaf("LoadBalancerName", &one.name);
    xml.leaf("Scheme", &one.scheme);
    xml.leaf("VpcId", &one.vpc_id);
    xml.node("State", |xml| xml.leaf("Code", state));
    xml.leaf("Type", &one.kind);
    xml.leaf("IpAddressType", "ipv4");
    xml.node("AvailabilityZones", |xml| {
        for (subnet, zone) in one.subnets.iter().zip(one.zone_names.iter().cycle()) {
            xml.node("member", |xml| {
                xml.leaf("ZoneName", zone);
                xml.leaf("SubnetId", subnet);
            });
        }
    });
    xml.node("SecurityGroups", |xml| one.groups.iter().for_each(|group| xml.leaf("member", group)));
}

pub(super) fn describe(view: &View<'_>, call: &Call) -> Answer<Option<Xml>> {
    let all = &view.region.elbv2.balancers;
    let (arns, names) = (call.strings("LoadBalancerArns"), call.strings("Names"));
    if !arns.is_empty() && !names.is_empty() {
        return Err(invalid(
            "Load balancer names and load balancer ARNs cannot be specified at the same time".to_owned(),
        ));
    }
    if let Some(arn) = arns.iter().find(|arn| !all.contains_key(*arn)) {
        return Err(no_balancer(arn));
    }
    let unknown: Vec<&str> =
        names.iter().filter(|name| !all.values().any(|one| one.name == **name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(no_balancer(&unknown.join(", ")));
    }
    let wanted = |(arn, one): &(&String, &Balancer)| {
        (arns.is_empty() || arns.contains(arn)) && (names.is_empty() || names.contains(&one.name))
    };
    let found: Vec<(&String, &Balancer)> = all.iter().filter(wanted).collect();
    let size = call.number("PageSize", 1, 400)?.unwrap_or(400) as usize;
    let after = call.get("Marker").unwrap_or_default();
    let rest: Vec<_> = found.into_iter().filter(|(arn, _)| arn.as_str() > after).collect();
    let page = &rest[..rest.len().min(size)];
    let mut xml = members(page, "active");
    if let (Some((last, _)), true) = (page.last(), rest.len() > page.len()) {
        xml.leaf("NextMarker", last);
    }
    Ok(Some(xml))
}

/// "If the load balancer does not exist or has already been deleted, the call succeeds" (API reference).
pub(super) fn delete(view: &mut View<'_>, call: &Call) -> Answer<Option<Xml>> {
    let arn = call.need("LoadBalancerArn")?;
    // The endpoint service that API Gateway makes for a VPC link holds it.
    if view.region.apigateway.vpc_links.iter().any(|link| link.target_arns.iter().any(|target| target == arn)) {
        return Err(refuse(
            "ResourceInUse",
            format!("Load balancer '{arn}' cannot be deleted because it is currently associated with another service"),
        ));
    }
    view.region.elbv2.balancers.remove(arn);
    view.region.elbv2.listeners.retain(|_, one| one.balancer != arn);
    Ok(Some(Xml::new()))
}

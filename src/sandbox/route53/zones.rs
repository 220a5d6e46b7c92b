//! Hosted zones: made, listed in both orders, described and deleted.

use super::faults::{Answer, invalid_input};
use super::record::RecordSet;
use super::{State, Zone, answer, change_info, names, page_size};
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::world::View;
use crate::sandbox::xml::Xml;
use crate::sandbox::xml_reader::Element;

/// Hosted zones that an account may have (Route 53's quotas; raisable).
const LIMIT: usize = 500;

/// Zones of one page (API reference).
const PAGE: usize = 100;

/// The servers of every zone of the sandbox. They are of a domain that can't exist.
const NAME_SERVERS: [&str; 4] =
    ["ns-1.sandbox.invalid", "ns-2.sandbox.invalid", "ns-3.sandbox.invalid", "ns-4.sandbox.invalid"];

pub(super) fn create(view: &mut View<'_>, body: &Element) -> Answer<Response> {
    let need = |name: &str| {
        let text = body.text_of(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid_input(format!("Invalid XML ; {name} is missing")))
    };
    let (given, reference) = (need("Name")?, need("CallerReference")?.to_owned());
    if let Some(member) = body.child("DelegationSetId") {
        return Err(super::faults::not_here(&member.name));
    }
    // The code is AWS's, the words are a guess.
    let invalid = |problem: String| Fault::new(400, "InvalidDomainName", problem);
    let name = names::normal(given).map_err(invalid)?;
    let config = body.child("HostedZoneConfig");
    let comment = config.and_then(|config| config.text_of("Comment")).filter(|text| !text.is_empty());
    let private = config.and_then(|config| config.text_of("PrivateZone")) == Some("true");
    let vpc = body.child("VPC").map(|vpc| {
        let text = |name: &str| vpc.text_of(name).unwrap_or_default().to_owned();
        (text("VPCRegion"), text("VPCId"))
    });
    if private != vpc.is_some() {
        // The words are a guess.
        return Err(invalid_input("A private hosted zone needs a VPC, and a public one has none"));
    }
    if view.route53.zones.values().any(|zone| zone.caller_reference == reference) {
        let message =
            format!("A hosted zone has already been created with the specified caller reference: {reference}");
        return Err(Fault::new(409, "HostedZoneAlreadyExists", message));
    }
    if view.route53.zones.len() >= LIMIT {
        let message = "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER";
        return Err(Fault::new(400, "TooManyHostedZones", message));
    }
    let id = view.new_iam_id("Z", 20);
    let change = view.new_change(String::new());
    let mut zone = Zone {
        id: id.clone(),
        caller_reference: reference,
        comment: comment.map(str::to_owned),
        vpcs: vpc.into_iter().collect(),
        name_servers: NAME_SERVERS.map(str::to_owned).into(),
        tags: std::collections::BTreeMap::new(),
        records: born(&name),
        name,
    };
    zone.sort();
    let mut xml = Xml::new();
    write(&mut xml, &zone);
    change_info(&mut xml, view.route53.changes.get(&change), "PENDING");
    write_servers(&mut xml, &zone);
    view.route53.zones.insert(id.clone(), zone);
    let mut response = answer("CreateHostedZoneResponse", &xml);
    response.status = 201;
    response.headers.push(("location".into(), format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}")));
    Ok(response)
}

/// The record sets that every zone has from its first day.
fn born(name: &str) -> Vec<RecordSet> {
    let set = |kind: &str, ttl: u32, values: Vec<String>| RecordSet {
        name: name.to_owned(),
        kind: kind.to_owned(),
        set_identifier: None,
        routing: None,
        ttl: Some(ttl),
        values,
        alias: None,
        health_check: None,
    };
    let servers = NAME_SERVERS.iter().map(|server| format!("{server}.")).collect();
    let authority = format!("{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", NAME_SERVERS[0]);
    vec![set("NS", 172_800, servers), set("SOA", 900, vec![authority])]
}

pub(super) fn get(state: &State, id: &str) -> Answer<Response> {
    let zone = state.zone(id)?;
    let mut xml = Xml::new();
    write(&mut xml, zone);
    write_servers(&mut xml, zone);
    Ok(answer("GetHostedZoneResponse", &xml))
}

pub(super) fn count(state: &State) -> Response {
    let mut xml = Xml::new();
    xml.leaf("HostedZoneCount", state.zones.len().to_string());
    answer("GetHostedZoneCountResponse", &xml)
}

pub(super) fn comment(state: &mut State, id: &str, body: &Element) -> Answer<Response> {
    let zone = state.zone_mut(id)?;
    zone.comment = body.text_of("Comment").filter(|text| !text.is_empty()).map(str::to_owned);
    let mut xml = Xml::new();
    write(&mut xml, zone);
    Ok(answer("UpdateHostedZoneCommentResponse", &xml))
}

pub(super) fn delete(view: &mut View<'_>, id: &str) -> Answer<Response> {
    let zone = view.route53.zone(id)?;
    let required = |set: &RecordSet| set.name == zone.name && ["NS", "SOA"].contains(&set.kind.as_str());
    if !zone.records.iter().all(required) {
        // AWS's own words, as reported.
        let message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
        return Err(Fault::new(400, "HostedZoneNotEmpty", message));
    }
    view.route53.zones.remove(id);
    let change = view.new_change(String::new());
    let mut xml = Xml::new();
    change_info(&mut xml, view.route53.changes.get(&change), "PENDING");
    Ok(answer("DeleteHostedZoneResponse", &xml))
}

/// All zones by id; a marker is the id that the page begins with.
pub(super) fn list(state: &State, request: &Request) -> Answer<Response> {
    let size = page_size(request, PAGE)?;
    let marker = request.parameter("marker");
    if let Some(marker) = marker.filter(|marker| !state.zones.contains_key(*marker)) {
        // The words are a guess.
        return Err(invalid_input(format!("The specified marker is not valid: {marker}")));
    }
    let private = request.parameter("hostedzonetype") == Some("PrivateHostedZone");
    let mut found = state
        .zones
        .values()
        .filter(|zone| marker.is_none_or(|marker| zone.id.as_str() >= marker) && (!private || zone.is_private()));
    let page: Vec<&Zone> = found.by_ref().take(size).collect();
    let next = found.next();
    let mut xml = Xml::new();
    xml.node("HostedZones", |xml| page.iter().for_each(|zone| write(xml, zone)));
    if let Some(marker) = marker {
        xml.leaf("Marker", marker);
    }
    xml.leaf("IsTruncated", next.is_some().to_string());
    if let Some(next) = next {
        xml.leaf("NextMarker", &next.id);
    }
    xml.leaf("MaxItems", size.to_string());
    Ok(answer("ListHostedZonesResponse", &xml))
}

/// All zones by name, from its end, and by id among those of one name.
pub(super) fn list_by_name(state: &State, request: &Request) -> Answer<Response> {
    let size = page_size(request, PAGE)?;
    let (given, id) = (request.parameter("dnsname"), request.parameter("hostedzoneid"));
    if id.is_some() && given.is_none() {
        return Err(invalid_input("The request has a hosted zone ID, but no DNS name"));
    }
    let from = given.map(names::normal).transpose().map_err(|problem| Fault::new(400, "InvalidDomainName", problem))?;
    let place = |zone: &Zone| (names::order(&zone.name).join("."), zone.id.clone());
    let start = from.as_deref().map(|name| (names::order(name).join("."), id.unwrap_or_default().to_owned()));
    let mut all: Vec<&Zone> = state.zones.values().collect();
    all.sort_by_key(|zone| place(zone));
    all.retain(|zone| start.as_ref().is_none_or(|start| place(zone) >= *start));
    let (page, rest) = all.split_at(size.min(all.len()));
    let mut xml = Xml::new();
    xml.node("HostedZones", |xml| page.iter().for_each(|zone| write(xml, zone)));
    if let Some(given) = given {
        xml.leaf("DNSName", given);
    }
    if let Some(id) = id {
        xml.leaf("HostedZoneId", id);
    }
    xml.leaf("IsTruncated", (!rest.is_empty()).to_string());
    if let Some(next) = rest.first() {
        xml.leaf("NextDNSName", &next.name);
        xml.leaf("NextHostedZoneId", &next.id);
    }
    xml.leaf("MaxItems", size.to_string());
    Ok(answer("ListHostedZonesByNameResponse", &xml))
}

fn write(xml: &mut Xml, zone: &Zone) {
    xml.node("HostedZone", |xml| {
        xml.leaf("Id", format!("/hostedzone/{}", zone.id));
        xml.leaf("Name", &zone.name);
        xml.leaf("CallerReference", &zone.caller_reference);
        xml.node("Config", |xml| {
            if let Some(comment) = &zone.comment {
                xml.leaf("Comment", comment);
            }
            xml.leaf("PrivateZone", zone.is_private().to_string());
        });
        xml.leaf("ResourceRecordSetCount", zone.records.len().to_string());
    });
}

/// The servers of a public zone, or the VPCs of a private one.
fn write_servers(xml: &mut Xml, zone: &Zone) {
    if !zone.is_private() {
        xml.node("DelegationSet", |xml| {
            xml.node("NameServers", |xml| zone.name_servers.iter().for_each(|server| xml.leaf("NameServer", server)));
        });
        return;
    }
    xml.node("VPCs", |xml| {
        for (region, id) in &zone.vpcs {
            xml.node("VPC", |xml| {
                xml.leaf("VPCRegion", region);
                xml.leaf("VPCId", id);
            });
        }
    });
}

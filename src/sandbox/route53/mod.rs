//! Route 53 in the sandbox: hosted zones with their record sets, and tags, over REST and XML, version 2013-04-01.
//!
//! It is global: one per account and partition. Clients sign for us-east-1 or cn-northwest-1 as on AWS; another Region is
//! taken for its partition. A change is `PENDING` when it is made and `INSYNC` when it is asked for. DNS queries are answered for
//! tests only ([`resolve`]), and health checks see what they are told ([`health`]). Traffic policies and routing by place are not
//! here.

mod change;
mod faults;
pub mod health;
mod health_config;
mod listing;
mod names;
pub(in crate::sandbox) mod operations;
pub mod record;
pub mod resolve;
mod tags;
mod zones;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(in crate::sandbox) use self::faults::NAMESPACE;
use self::faults::{Answer, invalid_input, no_zone, refusal};
use self::health::HealthCheck;
use self::record::RecordSet;
use super::fault::Fault;
use super::wire::{Request, Response};
use super::world::{View, date};
use super::xml::Xml;
use super::xml_reader::{self, Element};

/// Route 53 of one account in one partition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Hosted zones by id.
    pub zones: BTreeMap<String, Zone>,
    /// Changes by id: the last [`REMEMBERED`].
    changes: BTreeMap<String, Change>,
    /// Health checks by id. A state that was kept before the sandbox had them has none.
    #[serde(default)]
    pub health_checks: BTreeMap<String, HealthCheck>,
    /// References of health checks that were deleted, which Route 53 does not take again.
    #[serde(default)]
    spent: Vec<String>,
}

/// How many changes are remembered, so that a sandbox that lives long does not grow.
const REMEMBERED: usize = 200;

/// A hosted zone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Zone {
    /// `Z0123456789ABC`
    pub id: String,
    /// `example.com.`
    pub name: String,
    caller_reference: String,
    comment: Option<String>,
    /// The VPCs of a private zone, by Region and id; a public zone has none.
    vpcs: Vec<(String, String)>,
    name_servers: Vec<String>,
    tags: BTreeMap<String, String>,
    /// Record sets as they are listed.
    pub records: Vec<RecordSet>,
}

impl Zone {
    fn is_private(&self) -> bool {
        !self.vpcs.is_empty()
    }

    /// Puts the record sets in the order of lists: by name from its end, then by type.
    fn sort(&mut self) {
        self.records.sort_by(|one, other| listing::order(one).cmp(&listing::order(other)));
    }
}

/// A change as `GetChange` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Change {
    id: String,
    /// Milliseconds since the epoch.
    submitted: i64,
    comment: String,
}

impl State {
    fn zone(&self, id: &str) -> Answer<&Zone> {
        self.zones.get(id).ok_or_else(|| no_zone(id))
    }

    fn zone_mut(&mut self, id: &str) -> Answer<&mut Zone> {
        self.zones.get_mut(id).ok_or_else(|| no_zone(id))
    }

    fn note(&mut self, id: String, submitted: i64, comment: String) {
        self.changes.insert(id.clone(), Change { id, submitted, comment });
        if self.changes.len() > REMEMBERED {
            let oldest = self.changes.values().min_by_key(|change| change.submitted).map(|change| change.id.clone());
            oldest.and_then(|oldest| self.changes.remove(&oldest));
        }
    }

    /// The ARNs of the zones and health checks that have tags, and their tags. `partition` is `aws` or another.
    #[must_use]
    pub fn tagged(&self, partition: &str) -> Vec<(String, BTreeMap<String, String>)> {
        let zones = self.zones.values().map(|zone| ("hostedzone", &zone.id, &zone.tags));
        let checks = self.health_checks.values().map(|check| ("healthcheck", &check.id, &check.tags));
        let tagged = zones.chain(checks).filter(|(.., tags)| !tags.is_empty());
        tagged.map(|(kind, id, tags)| (format!("arn:{partition}:route53:::{kind}/{id}"), tags.clone())).collect()
    }
}

/// The Region that requests to Route 53 are signed for in a partition.
#[must_use]
pub fn home(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    act(view, request).unwrap_or_else(|fault| refusal(&fault, request))
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<Response> {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let operation = operations::operation(&request.method, &request.path);
    let below = segments.get(1..).unwrap_or_default();
    match (operation, below) {
        (Some("CreateHostedZone"), _) => zones::create(view, &body(request, "CreateHostedZoneRequest")?),
        (Some("ListHostedZones"), _) => zones::list(view.route53, request),
        (Some("ListHostedZonesByName"), _) => zones::list_by_name(view.route53, request),
        (Some("GetHostedZoneCount"), _) => Ok(zones::count(view.route53)),
        (Some("GetHostedZone"), [_, id]) => zones::get(view.route53, id),
        (Some("UpdateHostedZoneComment"), [_, id]) => {
            zones::comment(view.route53, id, &body(request, "UpdateHostedZoneCommentRequest")?)
        }
        (Some("DeleteHostedZone"), [_, id]) => zones::delete(view, id),
        (Some("ChangeResourceRecordSets"), [_, id, _]) => {
            let body = body(request, "ChangeResourceRecordSetsRequest")?;
            Ok(answer("ChangeResourceRecordSetsResponse", &change::change(view, &request.caller, id, &body)?))
        }
        (Some("ListResourceRecordSets"), [_, id, _]) => listing::list(view.route53.zone(id)?, request),
        (Some("GetChange"), [_, id]) => {
            let found = view.route53.changes.get(*id);
            // The words are a guess.
            let missing = || Fault::new(404, "NoSuchChange", format!("No change found with ID: {id}"));
            let mut xml = Xml::new();
            change_info(&mut xml, Some(found.ok_or_else(missing)?), "INSYNC");
            Ok(answer("GetChangeResponse", &xml))
        }
        (Some("CreateHealthCheck"), _) => health::create(view, &body(request, "CreateHealthCheckRequest")?),
        (Some("ListHealthChecks"), _) => health::list(view.route53, request),
        (Some("GetHealthCheckCount"), _) => Ok(health::count(view.route53)),
        (Some("GetHealthCheck"), [_, id]) => health::get(view.route53, id),
        (Some("UpdateHealthCheck"), [_, id]) => {
            health::update(view.route53, id, &body(request, "UpdateHealthCheckRequest")?)
        }
        (Some("DeleteHealthCheck"), [_, id]) => health::delete(view.route53, id),
        (Some("GetHealthCheckStatus"), [_, id, _]) => health::status(view.route53, id, false),
        (Some("GetHealthCheckLastFailureReason"), [_, id, _]) => health::status(view.route53, id, true),
        (Some("TestDNSAnswer"), _) => test_answer(view.route53, request),
        (Some("ListTagsForResource"), [_, kind, id]) => tags::list(view.route53, kind, id),
        (Some("ListTagsForResources"), [_, kind]) => {
            tags::list_several(view.route53, kind, &body(request, "ListTagsForResourcesRequest")?)
        }
        (Some("ChangeTagsForResource"), [_, kind, id]) => {
            tags::change(view.route53, kind, id, &body(request, "ChangeTagsForResourceRequest")?)
        }
        _ => {
            let message = format!("The sandbox's Route 53 has no operation {} {}", request.method, request.path);
            Err(Fault::new(404, "UnknownOperationException", message))
        }
    }
}

/// The body, whose outermost element has to be that of the operation.
fn body(request: &Request, root: &str) -> Answer<Element> {
    let element = xml_reader::parse(&request.body);
    let element = element.map_err(|problem| invalid_input(format!("Invalid XML ; {problem}")))?;
    if element.name != root {
        return Err(invalid_input(format!("Invalid XML ; cannot find the declaration of element '{}'", element.name)));
    }
    Ok(element)
}

/// An answer: the members of its outermost element.
fn answer(root: &str, members: &Xml) -> Response {
    let mut xml = Xml::new();
    xml.root(root, Some(NAMESPACE), |xml| xml.append(members));
    xml.response(200)
}

fn change_info(xml: &mut Xml, change: Option<&Change>, status: &str) {
    let Some(Change { id, submitted, comment }) = change else { return };
    xml.node("ChangeInfo", |xml| {
        xml.leaf("Id", format!("/change/{id}"));
        xml.leaf("Status", status);
        xml.leaf("SubmittedAt", date(*submitted, "%Y-%m-%dT%H:%M:%S.%3fZ"));
        if !comment.is_empty() {
            xml.leaf("Comment", comment);
        }
    });
}

/// `TestDNSAnswer`. Where the resolver stands is not told from its address here: it stands in the Region that calls are signed for.
fn test_answer(state: &State, request: &Request) -> Answer<Response> {
    let need = |name: &str| {
        let text = request.parameter(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid_input(format!("The request has no {name}")))
    };
    let zone = state.zone(need("hostedzoneid")?)?;
    let (name, kind) = (need("recordname")?, need("recordtype")?);
    let normal = names::normal(name).map_err(invalid_input)?;
    if !names::lies_within(&normal, &zone.name) {
        return Err(invalid_input(format!("{name} does not lie in the zone {}", zone.name)));
    }
    let found = resolve::ask(state, zone, &normal, kind, home(request.caller.partition()));
    let mut xml = Xml::new();
    xml.leaf("Nameserver", zone.name_servers.first().map(String::as_str).unwrap_or_default());
    xml.leaf("RecordName", name);
    xml.leaf("RecordType", kind);
    let values = found.as_ref().map(|found| found.values.as_slice()).unwrap_or_default();
    xml.node("RecordData", |xml| values.iter().for_each(|value| xml.leaf("RecordDataEntry", value)));
    xml.leaf("ResponseCode", if found.is_some() { "NOERROR" } else { "NXDOMAIN" });
    xml.leaf("Protocol", "UDP");
    Ok(answer("TestDNSAnswerResponse", &xml))
}

/// The number of a page that a client asks for.
fn page_size(request: &Request, most: usize) -> Answer<usize> {
    let Some(text) = request.parameter("maxitems") else { return Ok(most) };
    let asked = text.parse::<usize>().ok().filter(|size| *size > 0);
    let asked = asked.ok_or_else(|| invalid_input(format!("Invalid value for maxitems: {text}")))?;
    // More than fits is no fault (API reference).
    Ok(asked.min(most))
}

#[cfg(test)]
mod tests;

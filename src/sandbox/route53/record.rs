//! A record set: read from the XML of a change, written into that of a list, and what it must hold to be one.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::faults::{Answer, invalid_batch, invalid_input, not_here};
use super::names;
use super::resolve::is_region;
use crate::sandbox::xml::Xml;
use crate::sandbox::xml_reader::Element;

/// The types that hosted zones can hold (API reference, `RRType`).
pub(super) const TYPES: [&str; 17] = [
    "SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB",
    "HTTPS",
];

/// A record set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// Its name as Route 53 keeps it: `api.example.com.`
    pub name: String,
    /// `A`
    pub kind: String,
    /// What tells record sets of one name and type apart.
    pub set_identifier: Option<String>,
    /// How Route 53 chooses among them.
    pub routing: Option<Routing>,
    /// Seconds; an alias has none.
    pub ttl: Option<u32>,
    /// Values; an alias has none.
    pub values: Vec<String>,
    /// What it is an alias of.
    pub alias: Option<Alias>,
    /// The health check that tells whether it is an answer.
    pub health_check: Option<String>,
}

/// A routing policy. Those by place are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Routing {
    /// By weight, up to 255.
    Weight(u8),
    /// By latency to a Region.
    Region(String),
    /// `PRIMARY` or `SECONDARY`
    Failover(String),
    /// Several at random.
    MultiValue,
}

/// The target of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The hosted zone that the target stands in.
    pub zone: String,
    /// The target's name as Route 53 keeps it.
    pub name: String,
    /// Whether the alias is as healthy as its target.
    pub evaluate_health: bool,
}

/// What the members of a record set are called that the sandbox does not have.
const NOT_HERE: [&str; 4] = ["GeoLocation", "GeoProximityLocation", "CidrRoutingConfig", "TrafficPolicyInstanceId"];

/// What the members of a record set are called that it has.
const MEMBERS: [&str; 11] = [
    "Name",
    "Type",
    "SetIdentifier",
    "Weight",
    "Region",
    "Failover",
    "MultiValueAnswer",
    "TTL",
    "ResourceRecords",
    "AliasTarget",
    "HealthCheckId",
];

impl RecordSet {
    /// Reads the record set of a change. `action` is for the words of refusals.
    pub(super) fn read(element: &Element, action: &str) -> Answer<Self> {
        for child in &element.children {
            if NOT_HERE.contains(&child.name.as_str()) {
                return Err(not_here(&format!("record sets with {}", child.name)));
            }
            if !MEMBERS.contains(&child.name.as_str()) {
                return Err(invalid_input(format!("Invalid XML ; unexpected element {}", child.name)));
            }
        }
        let given = element.text_of("Name").filter(|name| !name.is_empty());
        let (Some(given), Some(kind)) = (given, element.text_of("Type")) else {
            return Err(invalid_input("Invalid XML ; a record set needs a Name and a Type"));
        };
        if !TYPES.contains(&kind) {
            let set = TYPES.join(", ");
            return Err(invalid_input(format!("Invalid XML ; Value '{kind}' is not one of the types [{set}]")));
        }
        let set_identifier = element.text_of("SetIdentifier").map(str::to_owned);
        let what = format!(
            "[Action={action}, Name={given}, Type={kind}, SetIdentifier={}]",
            set_identifier.as_deref().unwrap_or("null")
        );
        let routing = routing(element, &what, set_identifier.is_some())?;
        let ttl = element.text_of("TTL").map(|text| number(text, "TTL", 2_147_483_647)).transpose()?;
        let values: Vec<String> = element
            .child("ResourceRecords")
            .map(|list| list.children.iter().filter_map(|one| one.text_of("Value")).map(str::to_owned).collect())
            .unwrap_or_default();
        let alias = element.child("AliasTarget").map(read_alias).transpose()?;
        check_content(alias.is_some(), ttl.is_some(), !values.is_empty(), &what)?;
        let name = names::normal(given).map_err(|problem| invalid_batch(&[problem]))?;
        let health_check = element.text_of("HealthCheckId").filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(Self { name, kind: kind.to_owned(), set_identifier, routing, ttl, values, alias, health_check })
    }

    /// Writes the record set into a list.
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.node("ResourceRecordSet", |xml| {
            xml.leaf("Name", &self.name);
            xml.leaf("Type", &self.kind);
            if let Some(identifier) = &self.set_identifier {
                xml.leaf("SetIdentifier", identifier);
            }
            match &self.routing {
                Some(Routing::Weight(weight)) => xml.leaf("Weight", weight.to_string()),
                Some(Routing::Region(region)) => xml.leaf("Region", region),
                Some(Routing::Failover(role)) => xml.leaf("Failover", role),
                Some(Routing::MultiValue) => xml.leaf("MultiValueAnswer", "true"),
                None => {}
            }
            if let Some(ttl) = self.ttl {
                xml.leaf("TTL", ttl.to_string());
            }
            if !self.values.is_empty() {
                xml.node("ResourceRecords", |xml| {
                    for value in &self.values {
                        xml.node("ResourceRecord", |xml| xml.leaf("Value", value));
                    }
                });
            }
            if let Some(Alias { zone, name, evaluate_health }) = &self.alias {
                xml.node("AliasTarget", |xml| {
                    xml.leaf("HostedZoneId", zone);
                    xml.leaf("DNSName", name);
                    xml.leaf("EvaluateTargetHealth", evaluate_health.to_string());
                });
            }
            if let Some(id) = &self.health_check {
                xml.leaf("HealthCheckId", id);
            }
        });
    }

    /// Whether another record set stands in the same place.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind && self.set_identifier == other.set_identifier
    }

    /// Whether another record set in the same place holds the same. Values have no order.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        let values = |set: &Self| set.values.iter().cloned().collect::<BTreeSet<_>>();
        self.routing == other.routing
            && self.ttl == other.ttl
            && self.alias == other.alias
            && self.health_check == other.health_check
            && self.values.len() == other.values.len()
            && values(self) == values(other)
    }

    /// The place in Route 53's words: `[name='api.example.com.', type='A']`.
    pub(super) fn place(&self) -> String {
        match &self.set_identifier {
            None => format!("[name='{}', type='{}']", self.name, self.kind),
            Some(one) => format!("[name='{}', type='{}', set identifier='{one}']", self.name, self.kind),
        }
    }

    /// What is wrong with the values, in Route 53's words. Those of types with a grammar of their own are taken as they are.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .values
            .iter()
            .filter_map(|value| {
                let problem = match self.kind.as_str() {
                    "A" if value.parse::<Ipv4Addr>().is_err() => {
                        "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
                    }
                    "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
                        "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
                    }
                    "TXT" | "SPF" => character_strings(value)?,
                    _ => return None,
                };
                Some(format!("Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"))
            })
            .collect();
        for (at, value) in self.values.iter().enumerate() {
            if self.values[..at].contains(value) {
                problems.push(format!("Duplicate Resource Record: '{value}'"));
            }
        }
        if self.kind == "CNAME" && self.values.len() > 1 {
            // The words are a guess.
            problems.push(format!("RRSet of type CNAME with DNS name {} can have one value only", self.name));
        }
        problems
    }
}

/// What is wrong with the quoted strings of a TXT value, each of at most 255 characters.
fn character_strings(value: &str) -> Option<&'static str> {
    let mut rest = value.trim();
    while !rest.is_empty() {
        let Some(inside) = rest.strip_prefix('"') else {
            return Some("InvalidCharacterString (Value should be enclosed in quotation marks)");
        };
        let mut escaped = false;
        let end = inside.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        let Some(end) = end else {
            return Some("InvalidCharacterString (Value should be enclosed in quotation marks)");
        };
        if end > 255 {
            return Some("CharacterStringTooLong (Value is too long)");
        }
        rest = inside[end + 1..].trim_start();
    }
    None
}

fn number(text: &str, member: &str, most: u32) -> Answer<u32> {
    let number = text.parse::<u32>().ok().filter(|number| *number <= most);
    number
        .ok_or_else(|| invalid_input(format!("Invalid XML ; {member} must be a number from 0 to {most}, not '{text}'")))
}

fn read_alias(element: &Element) -> Answer<Alias> {
    let member = |name: &str| {
        let text = element.text_of(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid_input(format!("Invalid XML ; an AliasTarget needs {name}")))
    };
    let zone = member("HostedZoneId")?.trim_start_matches("/hostedzone/").to_owned();
    let name = names::normal(member("DNSName")?).map_err(|problem| invalid_batch(&[problem]))?;
    let evaluate_health = match member("EvaluateTargetHealth")? {
        "true" | "1" => true,
        "false" | "0" => false,
        other => {
            return Err(invalid_input(format!("Invalid XML ; '{other}' is no value of EvaluateTargetHealth")));
        }
    };
    Ok(Alias { zone, name, evaluate_health })
}

fn routing(element: &Element, what: &str, identified: bool) -> Answer<Option<Routing>> {
    let mut found = Vec::new();
    if let Some(text) = element.text_of("Weight") {
        let weight = number(text, "Weight", 255)?;
        found.push(Routing::Weight(u8::try_from(weight).unwrap_or(u8::MAX)));
    }
    if let Some(region) = element.text_of("Region") {
        if !is_region(region) {
            return Err(invalid_input(format!("Invalid XML ; '{region}' is no value of Region")));
        }
        found.push(Routing::Region(region.to_owned()));
    }
    if let Some(role) = element.text_of("Failover") {
        if !["PRIMARY", "SECONDARY"].contains(&role) {
            return Err(invalid_input(format!("Invalid XML ; '{role}' is no value of Failover")));
        }
        found.push(Routing::Failover(role.to_owned()));
    }
    if element.text_of("MultiValueAnswer") == Some("true") {
        found.push(Routing::MultiValue);
    }
    // Reported words; those for more than one policy follow them.
    let policies =
        "[Weight, Region, Failover, GeoLocation, GeoProximityLocation, CidrRoutingConfig, or MultiValueAnswer]";
    match (found.len(), identified) {
        (0, false) | (1, true) => Ok(found.pop()),
        (1, false) => {
            Err(invalid_input(format!("Invalid request: Missing field 'SetIdentifier' in Change with {what}")))
        }
        (0, true) => Err(invalid_input(format!(
            "Invalid request: Expected exactly one of {policies}, but found none in Change with {what}"
        ))),
        _ => Err(invalid_input(format!(
            "Invalid request: Expected exactly one of {policies}, but found more than one in Change with {what}"
        ))),
    }
}

/// A record set has values with a time to live, or is an alias (reported words).
fn check_content(alias: bool, ttl: bool, values: bool, what: &str) -> Answer<()> {
    let problem = match (alias, ttl, values) {
        (true, false, false) | (false, true, true) => return Ok(()),
        (false, true, false) => {
            return Err(invalid_input(format!(
                "Invalid request: Missing field 'ResourceRecords' in Change with {what}"
            )));
        }
        (false, false, true) => {
            return Err(invalid_input(format!("Invalid request: Missing field 'TTL' in Change with {what}")));
        }
        (false, false, false) => "none",
        (true, _, _) => "more than one",
    };
    Err(invalid_input(format!(
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
         TrafficPolicyInstanceId], but found {problem} in Change with {what}"
    )))
}

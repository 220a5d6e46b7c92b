//! Rules of security groups: read from requests, put together in answers.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::call::count;
use super::{State, groups, refuse};
use crate::sandbox::fault::Answer;
use crate::sandbox::query::Call;
use crate::sandbox::xml::Xml;

/// One rule: a protocol, a range of ports and one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    /// `sgr-…`, empty before it is kept.
    pub(super) id: String,
    pub(super) protocol: String,
    pub(super) ports: Option<(i32, i32)>,
    pub(super) peer: Peer,
    pub(super) description: Option<String>,
}

/// The other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Peer {
    Ipv4(String),
    Ipv6(String),
    PrefixList(String),
    Group(String),
}

/// The lists of an `IpPermission`: as requests name them, the member in requests, as answers name them, the member there.
const LISTS: [(&str, &str, &str, &str); 4] = [
    ("IpRanges", "CidrIp", "ipRanges", "cidrIp"),
    ("Ipv6Ranges", "CidrIpv6", "ipv6Ranges", "cidrIpv6"),
    ("PrefixListIds", "PrefixListId", "prefixListIds", "prefixListId"),
    ("Groups", "GroupId", "groups", "groupId"),
];

impl Rule {
    /// Whether another rule opens the same way; descriptions do not count.
    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.protocol, self.ports, &self.peer) == (&other.protocol, other.ports, &other.peer)
    }

    /// The rule as refusals write it: `peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW`.
    pub(super) fn words(&self) -> String {
        let peer = self.peer.text();
        match (self.protocol.as_str(), self.ports) {
            ("-1", _) => format!("peer: {peer}, ALL, ALLOW"),
            (protocol @ ("tcp" | "udp" | "icmp" | "icmpv6"), Some((from, to))) => {
                format!("peer: {peer}, {}, from port: {from}, to port: {to}, ALLOW", protocol.to_uppercase())
            }
            (protocol, _) => format!("peer: {peer}, protocol: {protocol}, ALLOW"),
        }
    }
}

impl Peer {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Ipv4(text) | Self::Ipv6(text) | Self::PrefixList(text) | Self::Group(text) => text,
        }
    }

    /// Its place in [`LISTS`].
    fn list(&self) -> usize {
        match self {
            Self::Ipv4(_) => 0,
            Self::Ipv6(_) => 1,
            Self::PrefixList(_) => 2,
            Self::Group(_) => 3,
        }
    }
}

/// The rules that a request names.
pub(super) fn read(call: &Call, state: &State) -> Answer<Vec<Rule>> {
    // The form of before there were lists of permissions.
    if call.get("IpProtocol").is_some() || call.get("CidrIp").is_some() {
        return Err(refuse(
            "InvalidParameterCombination",
            "The sandbox takes rules as IpPermissions, not as CidrIp, IpProtocol, FromPort and ToPort.",
        ));
    }
    let mut rules = Vec::new();
    for at in 1..=count(call, "IpPermissions", &["IpProtocol", "FromPort", "IpRanges.1.CidrIp"]) {
        let base = format!("IpPermissions.{at}");
        let protocol = protocol(call.get(&format!("{base}.IpProtocol")).unwrap_or_default())?;
        let ports = ports(call, &base, &protocol)?;
        for (index, (list, member, _, _)) in LISTS.iter().enumerate() {
            for at in 1..=count(call, &format!("{base}.{list}"), &[member]) {
                let value = call.get(&format!("{base}.{list}.{at}.{member}")).unwrap_or_default();
                let description = call.get(&format!("{base}.{list}.{at}.Description")).map(str::to_owned);
                check_description(description.as_deref())?;
                rules.push(Rule {
                    id: String::new(),
                    protocol: protocol.clone(),
                    ports,
                    peer: peer(index, value, state)?,
                    description: description.filter(|text| !text.is_empty()),
                });
            }
        }
    }
    if rules.is_empty() {
        return Err(refuse("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided."));
    }
    Ok(rules)
}

/// `-1` is all; numbers that have names are shown by them (API reference, `IpPermission`).
fn protocol(text: &str) -> Answer<String> {
    let name = match text {
        "-1" | "all" => "-1",
        "6" | "tcp" => "tcp",
        "17" | "udp" => "udp",
        "1" | "icmp" => "icmp",
        "58" | "icmpv6" => "icmpv6",
        other if other.parse::<u8>().is_ok() => other,
        other => {
            return Err(refuse(
                "InvalidParameterValue",
                format!("Invalid value '{other}' for IP protocol. Unknown protocol."),
            ));
        }
    };
    Ok(name.to_owned())
}

fn ports(call: &Call, base: &str, protocol: &str) -> Answer<Option<(i32, i32)>> {
    if !matches!(protocol, "tcp" | "udp" | "icmp" | "icmpv6") {
        return Ok(None);
    }
    let port = |name: &str| call.get(&format!("{base}.{name}")).and_then(|text| text.parse::<i32>().ok());
    let layer = if protocol.starts_with("icmp") { "ICMP" } else { "TCP/UDP" };
    let (Some(from), Some(to)) = (port("FromPort"), port("ToPort")) else {
        // Reported in these words for TCP and UDP.
        let words = format!("Invalid value 'Must specify both from and to ports with {layer}.' for portRange.");
        return Err(refuse("InvalidParameterValue", words));
    };
    let fits = if layer == "ICMP" { from >= -1 && to >= -1 } else { (0..=65535).contains(&from) && from <= to };
    if !fits || to > 65535 {
        let words = format!("Invalid {} port range {from}:{to}", protocol.to_uppercase());
        return Err(refuse("InvalidParameterValue", words));
    }
    Ok(Some((from, to)))
}

/// Ranges are kept in their canonical form: "if you specify 100.68.0.18/18 …, we create … 100.68.0.0/18" (EC2 user guide).
fn peer(list: usize, value: &str, state: &State) -> Answer<Peer> {
    let malformed = || refuse("InvalidParameterValue", format!("CIDR block {value} is malformed"));
    match list {
        0 | 1 => match IpNet::from_str(value).map_err(|_| malformed())?.trunc() {
            net @ IpNet::V4(_) if list == 0 => Ok(Peer::Ipv4(net.to_string())),
            net @ IpNet::V6(_) if list == 1 => Ok(Peer::Ipv6(net.to_string())),
            _ => Err(malformed()),
        },
        2 if super::call::is_id("pl-", value) => Ok(Peer::PrefixList(value.to_owned())),
        2 => Err(refuse("InvalidPrefixListId.Malformed", format!("Invalid id: \"{value}\" (expecting \"pl-...\")"))),
        _ => {
            groups::find(state, value)?;
            Ok(Peer::Group(value.to_owned()))
        }
    }
}

/// "Up to 255 characters in length. Allowed characters are a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*" (API reference,
/// `IpRange`; the same for descriptions of groups).
pub(super) fn is_text(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(letter);
    text.chars().count() <= 255 && text.chars().all(allowed)
}

fn check_description(text: Option<&str>) -> Answer<()> {
    match text {
        Some(text) if !is_text(text) => Err(refuse(
            "InvalidParameterValue",
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: \
             a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        )),
        _ => Ok(()),
    }
}

/// A protocol, and a range of its ports.
type Traffic<'a> = (&'a str, Option<(i32, i32)>);

/// Writes rules as EC2 does: those of one protocol and range of ports together.
pub(super) fn write(xml: &mut Xml, element: &str, rules: &[Rule], owner: &str) {
    let mut bundles: BTreeMap<Traffic<'_>, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        bundles.entry((&rule.protocol, rule.ports)).or_default().push(rule);
    }
    xml.node(element, |xml| {
        for ((protocol, ports), rules) in bundles {
            xml.node("item", |xml| {
                xml.leaf("ipProtocol", protocol);
                if let Some((from, to)) = ports {
                    xml.leaf("fromPort", from.to_string());
                    xml.leaf("toPort", to.to_string());
                }
                for (index, (_, _, list, member)) in LISTS.iter().enumerate() {
                    let own = rules.iter().filter(|rule| rule.peer.list() == index);
                    xml.node(list, |xml| own.for_each(|rule| write_peer(xml, rule, member, owner)));
                }
            });
        }
    });
}

fn write_peer(xml: &mut Xml, rule: &Rule, member: &str, owner: &str) {
    xml.node("item", |xml| {
        if member == "groupId" {
            xml.leaf("userId", owner);
        }
        xml.leaf(member, rule.peer.text());
        if let Some(description) = &rule.description {
            xml.leaf("description", description);
        }
    });
}

/// Writes one rule as `DescribeSecurityGroupRules` shows it.
pub(super) fn shown(rule: &Rule, group: &str, egress: bool, owner: &str) -> Xml {
    let mut xml = Xml::new();
    xml.leaf("securityGroupRuleId", &rule.id);
    xml.leaf("groupId", group);
    xml.leaf("groupOwnerId", owner);
    xml.leaf("isEgress", egress.to_string());
    xml.leaf("ipProtocol", &rule.protocol);
    let (from, to) = rule.ports.unwrap_or((-1, -1));
    xml.leaf("fromPort", from.to_string());
    xml.leaf("toPort", to.to_string());
    match &rule.peer {
        Peer::Ipv4(cidr) => xml.leaf("cidrIpv4", cidr),
        Peer::Ipv6(cidr) => xml.leaf("cidrIpv6", cidr),
        Peer::PrefixList(id) => xml.leaf("prefixListId", id),
        Peer::Group(id) => xml.node("referencedGroupInfo", |xml| xml.leaf("groupId", id)),
    }
    if let Some(description) = &rule.description {
        xml.leaf("description", description);
    }
    xml
}

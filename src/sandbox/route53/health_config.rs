//! The settings of a health check: read from the XML of a create or of an update, checked, and written.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::faults::{Answer, invalid_input, not_here};
use crate::sandbox::xml::Xml;
use crate::sandbox::xml_reader::Element;

/// The Regions that Route 53 checks from (service model, `HealthCheckRegion`).
pub(super) const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
];

/// The types of checks that the sandbox has.
const TYPES: [&str; 5] = ["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"];

/// Those that it does not have.
const OTHER_TYPES: [&str; 3] = ["CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"];

/// What only a create can say (service model).
const AT_BIRTH: [&str; 3] = ["Type", "RequestInterval", "MeasureLatency"];

/// What an update can say, too.
const MEMBERS: [&str; 10] = [
    "IPAddress",
    "Port",
    "ResourcePath",
    "FullyQualifiedDomainName",
    "SearchString",
    "FailureThreshold",
    "Inverted",
    "Disabled",
    "EnableSNI",
    "Regions",
];

/// Members of other types of checks.
const NOT_HERE: [&str; 5] =
    ["HealthThreshold", "ChildHealthChecks", "AlarmIdentifier", "InsufficientDataHealthStatus", "RoutingControlArn"];

/// The settings, with Route 53's own flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Config {
    pub(super) kind: String,
    ip_address: Option<String>,
    port: u32,
    path: Option<String>,
    host: Option<String>,
    search: Option<String>,
    interval: u32,
    threshold: u32,
    measure_latency: bool,
    pub(super) inverted: bool,
    pub(super) disabled: bool,
    sni: bool,
    pub(super) regions: Vec<String>,
}

impl Config {
    /// Reads the settings of a new check, with Route 53's defaults.
    pub(super) fn read(element: &Element) -> Answer<Self> {
        known(element, &[&AT_BIRTH, &MEMBERS])?;
        let kind = text(element, "Type").unwrap_or_default();
        if OTHER_TYPES.contains(&kind.as_str()) {
            return Err(not_here(&format!("health checks of the type {kind}")));
        }
        if !TYPES.contains(&kind.as_str()) {
            return Err(invalid_input(format!(
                "Invalid XML ; Value '{kind}' is not one of the types [{}]",
                TYPES.join(", ")
            )));
        }
        let secure = kind.starts_with("HTTPS");
        let port = match kind.as_str() {
            "TCP" => 0,
            _ if secure => 443,
            _ => 80,
        };
        let mut config = Self {
            ip_address: None,
            port,
            path: None,
            host: None,
            search: None,
            interval: number(element, "RequestInterval", 10, 30)?.unwrap_or(30),
            threshold: 3,
            measure_latency: flag(element, "MeasureLatency")?.unwrap_or_default(),
            inverted: false,
            disabled: false,
            // AWS's default as Terraform's provider tells it (`aws_route53_health_check`, `enable_sni`).
            sni: secure,
            regions: Vec::new(),
            kind,
        };
        config.take(element)?;
        config.check()?;
        Ok(config)
    }

    /// The settings with what an update says.
    pub(super) fn updated(&self, element: &Element) -> Answer<Self> {
        known(element, &[&MEMBERS, &["HealthCheckVersion", "ResetElements"]])?;
        let mut config = self.clone();
        for reset in element.child("ResetElements").map(|list| list.children.as_slice()).unwrap_or_default() {
            match reset.text.trim() {
                "FullyQualifiedDomainName" => config.host = None,
                "ResourcePath" => config.path = None,
                "Regions" => config.regions = Vec::new(),
                other => return Err(invalid_input(format!("Invalid XML ; '{other}' is no element to reset"))),
            }
        }
        config.take(element)?;
        if config.ip_address.is_some() != self.ip_address.is_some() {
            // API reference, `UpdateHealthCheck`: an address can be changed, but neither added nor removed. The words are a guess.
            return Err(invalid_input("An IP address can't be added to an existing health check, or removed from it"));
        }
        config.check()?;
        Ok(config)
    }

    fn take(&mut self, element: &Element) -> Answer<()> {
        for (member, place) in [
            ("IPAddress", &mut self.ip_address),
            ("ResourcePath", &mut self.path),
            ("FullyQualifiedDomainName", &mut self.host),
            ("SearchString", &mut self.search),
        ] {
            if let Some(text) = text(element, member) {
                if text.len() > 255 {
                    return Err(invalid_input(format!("Invalid XML ; {member} can have at most 255 characters")));
                }
                *place = Some(text);
            }
        }
        self.port = number(element, "Port", 1, 65_535)?.unwrap_or(self.port);
        self.threshold = number(element, "FailureThreshold", 1, 10)?.unwrap_or(self.threshold);
        self.inverted = flag(element, "Inverted")?.unwrap_or(self.inverted);
        self.disabled = flag(element, "Disabled")?.unwrap_or(self.disabled);
        self.sni = flag(element, "EnableSNI")?.unwrap_or(self.sni);
        if let Some(list) = element.child("Regions").filter(|list| !list.children.is_empty()) {
            self.regions = list.children.iter().map(|one| one.text.trim().to_owned()).collect();
        }
        Ok(())
    }

    /// Holds the settings against each other. The rules are the API reference's, the words guesses.
    fn check(&self) -> Answer<()> {
        let matches = self.kind.ends_with("_STR_MATCH");
        let problem = if self.ip_address.is_none() && self.host.is_none() {
            "A health check needs an IPAddress or a FullyQualifiedDomainName"
        } else if self.ip_address.as_deref().is_some_and(|address| !is_public(address)) {
            "The IPAddress is not a public IP address"
        } else if matches != self.search.is_some() {
            "A SearchString belongs to a health check whose type ends in _STR_MATCH, and such a one needs it"
        } else if self.kind == "TCP" && self.path.is_some() {
            "A TCP health check has no ResourcePath"
        } else if self.kind == "TCP" && self.port == 0 {
            "A TCP health check needs a Port"
        } else if ![10, 30].contains(&self.interval) {
            "RequestInterval must be 10 or 30"
        } else if self.sni && !self.kind.starts_with("HTTPS") {
            "EnableSNI is for HTTPS"
        } else if !self.regions.is_empty()
            && (self.regions.len() < 3 || self.regions.iter().any(|one| !REGIONS.contains(&one.as_str())))
        {
            "Regions must be three or more of those that Route 53 checks from"
        } else {
            return Ok(());
        };
        Err(invalid_input(problem))
    }

    pub(super) fn write(&self, xml: &mut Xml) {
        xml.node("HealthCheckConfig", |xml| {
            let mut text = |name: &str, text: &Option<String>| {
                if let Some(text) = text {
                    xml.leaf(name, text);
                }
            };
            text("IPAddress", &self.ip_address);
            text("Port", &Some(self.port.to_string()));
            text("Type", &Some(self.kind.clone()));
            text("ResourcePath", &self.path);
            text("FullyQualifiedDomainName", &self.host);
            text("SearchString", &self.search);
            xml.leaf("RequestInterval", self.interval.to_string());
            xml.leaf("FailureThreshold", self.threshold.to_string());
            xml.leaf("MeasureLatency", self.measure_latency.to_string());
            xml.leaf("Inverted", self.inverted.to_string());
            xml.leaf("Disabled", self.disabled.to_string());
            xml.leaf("EnableSNI", self.sni.to_string());
            if !self.regions.is_empty() {
                xml.node("Regions", |xml| self.regions.iter().for_each(|region| xml.leaf("Region", region)));
            }
        });
    }
}

/// Route 53 can't check what is in local, private, non-routable or multicast ranges (API reference, `HealthCheckConfig`).
fn is_public(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_unspecified())
        }
        Ok(IpAddr::V6(address)) => {
            !(address.is_loopback()
                || address.is_multicast()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
        Err(_) => false,
    }
}

fn known(element: &Element, lists: &[&[&str]]) -> Answer<()> {
    for child in &element.children {
        let name = child.name.as_str();
        if NOT_HERE.contains(&name) {
            return Err(not_here(&format!("health checks with {name}")));
        }
        if !lists.iter().any(|list| list.contains(&name)) {
            return Err(invalid_input(format!("Invalid XML ; unexpected element {name}")));
        }
    }
    Ok(())
}

fn text(element: &Element, member: &str) -> Option<String> {
    element.text_of(member).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(element: &Element, member: &str, least: u32, most: u32) -> Answer<Option<u32>> {
    let Some(text) = element.text_of(member) else { return Ok(None) };
    let number = text.parse::<u32>().ok().filter(|number| (least..=most).contains(number));
    let wrong =
        || invalid_input(format!("Invalid XML ; {member} must be a number from {least} to {most}, not '{text}'"));
    number.ok_or_else(wrong).map(Some)
}

fn flag(element: &Element, member: &str) -> Answer<Option<bool>> {
    match element.text_of(member) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(other) => Err(invalid_input(format!("Invalid XML ; '{other}' is no value of {member}"))),
    }
}

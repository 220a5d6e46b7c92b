//! The hosted zones of the account: which one a domain name belongs to.
//!
//! Route 53 is global, with one endpoint in each partition; the SDK finds it, and signs for its Region, by itself.

use std::sync::Arc;

use super::{ReadAws, failed, given};
use crate::error::{Failure, FailureKind, Result};

/// What finding a zone asks.
pub const CALLS: &[&str] = &["route53:ListHostedZones"];

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// `Z0123456789ABC`, without `/hostedzone/` before it.
    pub id: String,
    /// `example.com`, without a dot at its end.
    pub name: String,
    /// Whether only VPCs can see it.
    pub private: bool,
}

impl HostedZone {
    /// Whether a domain name stands in the zone.
    #[must_use]
    pub fn covers(&self, domain: &str) -> bool {
        let rest = domain.strip_suffix(self.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl ReadAws {
    /// All hosted zones of the account, read once.
    pub async fn zones(&self) -> Result<Arc<Vec<HostedZone>>> {
        self.lists
            .zones
            .get_or_try_init(|| async {
                let mut pages = self.clients.route53.list_hosted_zones().into_paginator().items().send();
                let mut all = Vec::new();
                while let Some(zone) = pages.try_next().await.map_err(|error| failed("list the hosted zones", error))? {
                    let private = zone.config().is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone);
                    // The SDK makes nothing of what is missing.
                    let id = given("id of a hosted zone", Some(bare_id(zone.id())).filter(|id| !id.is_empty()))?;
                    let name = given("name of a hosted zone", Some(zone.name()).filter(|name| !name.is_empty()))?;
                    all.push(HostedZone { id: id.to_owned(), name: plain_name(name), private });
                }
                Ok(Arc::new(all))
            })
            .await
            .cloned()
    }
}

/// An id without the path before it.
#[must_use]
pub fn bare_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// A name of Route 53's as people write it: no dot at its end, a star for the `\052` that Route 53 makes of it.
#[must_use]
pub fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*").to_ascii_lowercase()
}

/// The public zone that a domain name belongs to: the one with the longest name that it ends with.
///
/// Fails if there is none, and if there are several of that name, which answer different questions or none.
pub async fn zone_for(aws: &ReadAws, domain: &str) -> Result<HostedZone> {
    choose(&aws.zones().await?, domain)
}

fn choose(zones: &[HostedZone], domain: &str) -> Result<HostedZone> {
    let fitting: Vec<&HostedZone> = zones.iter().filter(|zone| !zone.private && zone.covers(domain)).collect();
    let longest = fitting.iter().map(|zone| zone.name.len()).max().unwrap_or_default();
    let best: Vec<&&HostedZone> = fitting.iter().filter(|zone| zone.name.len() == longest).collect();
    match best.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let private = zones.iter().any(|zone| zone.private && zone.covers(domain));
            let failure = Failure::new(
                FailureKind::Configuration,
                format!("no public hosted zone of the account holds `{domain}`"),
            );
            let failure = if private {
                failure.cause("a private one does, but nobody outside of its VPCs sees it")
            } else {
                failure
            };
            Err(failure
                .hint("create the zone and delegate the domain to it, or leave the record out and point DNS at the gateway yourself")
                .hint("if the zone is in another account, the record has to be made there"))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|zone| zone.id.as_str()).collect();
            let message = format!("{} public hosted zones are named `{}`", several.len(), several[0].name);
            Err(Failure::new(FailureKind::Configuration, message)
                .cause(format!("they are {}", ids.join(" and ")))
                .hint("name the one that the domain is delegated to by its id, or delete the others"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(id: &str, name: &str, private: bool) -> HostedZone {
        HostedZone { id: id.into(), name: name.into(), private }
    }

    #[test]
    fn the_longest_name_wins() {
        let zones = [
            zone("Z1", "example.com", false),
            zone("Z2", "dev.example.com", false),
            zone("Z3", "api.dev.example.com", true),
            zone("Z4", "ple.com", false),
        ];
        assert_eq!(choose(&zones, "api.dev.example.com").unwrap().id, "Z2");
        assert_eq!(choose(&zones, "dev.example.com").unwrap().id, "Z2");
        assert_eq!(choose(&zones, "api.example.com").unwrap().id, "Z1");
        assert_eq!(choose(&zones, "*.example.com").unwrap().id, "Z1");
    }

    #[test]
    fn none_and_several_are_errors() {
        let text = |failure: Failure| format!("{failure} {:?} {:?}", failure.causes(), failure.hints());
        let none = text(
            choose(&[zone("Z1", "other.com", false), zone("Z2", "example.com", true)], "a.example.com").unwrap_err(),
        );
        assert!(none.contains("no public hosted zone") && none.contains("a private one does"), "{none}");
        let two = [zone("Z1", "example.com", false), zone("Z2", "example.com", false)];
        let two = text(choose(&two, "a.example.com").unwrap_err());
        assert!(two.contains("2 public hosted zones are named `example.com`") && two.contains("Z1 and Z2"), "{two}");
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(plain_name("\\052.Example.com."), "*.example.com");
        assert_eq!(bare_id("/hostedzone/Z1"), "Z1");
    }
}

//! What a configuration names and AWS identifies: found by a read before the stacks are expanded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing to look up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// The id of the VPC link of that name.
    VpcLink {
        /// Its name.
        name: String,
    },
    /// The ARN of the Network Load Balancer of that name.
    LoadBalancer {
        /// Its name.
        name: String,
    },
    /// The ARN of the Application or Network Load Balancer of that name, for HTTP APIs.
    AnyLoadBalancer {
        /// Its name.
        name: String,
    },
    /// What a load balancer is asked for to put an HTTP API in front of it.
    LoadBalancerPart {
        /// Its name, or its ARN.
        load_balancer: String,
        /// What.
        part: LoadBalancerPart,
    },
    /// The ARN of a certificate of the Region that is issued and covers the domain.
    Certificate {
        /// The domain.
        domain: String,
    },
    /// The id of the public hosted zone that the domain belongs to.
    HostedZone {
        /// The domain.
        domain: String,
    },
    /// Host and stage of the system gateway of another product: `abc.execute-api.eu-west-1.amazonaws.com/dev`.
    SystemGateway {
        /// The product.
        product: String,
        /// Its environment.
        environment: String,
    },
}

/// Something of a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoadBalancerPart {
    /// The ARN of its listener at a port.
    Listener(i32),
    /// The ids of its subnets.
    Subnets,
    /// The ids of its security groups.
    SecurityGroups,
    /// The host name that AWS gave it.
    DnsName,
}

impl fmt::Display for LoadBalancerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener(port) => write!(f, "listener at port {port}"),
            Self::Subnets => f.write_str("subnets"),
            Self::SecurityGroups => f.write_str("security groups"),
            Self::DnsName => f.write_str("host name"),
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VpcLink { name } => write!(f, "VPC link {name}"),
            Self::LoadBalancer { name } | Self::AnyLoadBalancer { name } => write!(f, "load balancer {name}"),
            Self::LoadBalancerPart { load_balancer, part } => write!(f, "{part} of load balancer {load_balancer}"),
            Self::Certificate { domain } => write!(f, "certificate of {domain}"),
            Self::HostedZone { domain } => write!(f, "hosted zone of {domain}"),
            Self::SystemGateway { product, environment } => write!(f, "system gateway of {product}/{environment}"),
        }
    }
}

/// The answers.
#[derive(Debug, Clone, Default)]
pub struct Found {
    answers: BTreeMap<Lookup, Vec<String>>,
    /// The Regions that DNS knows; of those that an operator took out: who, and since when.
    regions: BTreeMap<String, Option<String>>,
}

impl Found {
    /// For whoever works offline: every answer is the question in angle brackets.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The answer.
    #[must_use]
    pub fn get(&self, lookup: &Lookup) -> String {
        self.all(lookup).into_iter().next().unwrap_or_default()
    }

    /// Who took a Region out of DNS, and since when; nothing where nobody did.
    #[must_use]
    pub fn drained(&self, region: &str) -> Option<&str> {
        self.regions.get(region)?.as_deref()
    }

    /// The Regions that DNS knows.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.keys().map(String::as_str)
    }

    /// Says that DNS knows a Region, and who took it out if somebody did.
    pub fn set_drained(&mut self, region: &str, by: Option<String>) {
        self.regions.insert(region.to_owned(), by);
    }

    /// The questions whose answers are others than they were, in words. That DNS knows another Region is none.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let all: BTreeSet<&Lookup> = self.answers.keys().chain(before.answers.keys()).collect();
        let other = all.into_iter().filter(|lookup| self.answers.get(lookup) != before.answers.get(lookup));
        let regions: BTreeSet<&String> = self.regions.keys().chain(before.regions.keys()).collect();
        let turned = regions.into_iter().filter(|region| self.drained(region) != before.drained(region));
        let turned = turned.map(|region| match self.drained(region) {
            Some(by) => format!("{region} was drained by {by}"),
            None => format!("{region} was restored"),
        });
        other.map(|lookup| format!("the {lookup} is another one")).chain(turned).collect()
    }

    /// The answers to a question that may have several, or none.
    #[must_use]
    pub fn all(&self, lookup: &Lookup) -> Vec<String> {
        self.answers.get(lookup).cloned().unwrap_or_else(|| vec![format!("<{lookup}>")])
    }
}

impl FromIterator<(Lookup, Vec<String>)> for Found {
    fn from_iter<I: IntoIterator<Item = (Lookup, Vec<String>)>>(answers: I) -> Self {
        Self { answers: answers.into_iter().collect(), regions: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_answers_and_turned_regions_are_told_and_new_regions_are_not() {
        let zone = Lookup::HostedZone { domain: "example.com".into() };
        let found = |id: &str| Found::from_iter([(zone.clone(), vec![id.to_owned()])]);
        let before = found("Z1");
        let mut now = found("Z1");
        now.set_drained("eu-west-1", None);
        assert_eq!(now.changed_since(&before), [""; 0]);
        now.set_drained("eu-west-1", Some("anna".into()));
        assert_eq!(now.changed_since(&before), ["eu-west-1 was drained by anna"]);
        assert_eq!(before.changed_since(&now), ["eu-west-1 was restored"]);
        assert_eq!(found("Z2").changed_since(&before), ["the hosted zone of example.com is another one"]);
    }
}

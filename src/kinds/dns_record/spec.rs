//! What gwctl decides about the records of a name, and what can be told to be wrong with it before Route 53 is asked.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Failure, FailureKind, Result};
use crate::model::Input;

/// What gwctl decides about the records of a name, or about those of one set identifier of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsRecordSpec {
    /// `api.example.com`, in lower case, or `*.example.com`.
    pub name: String,
    /// The id of the hosted zone that the name stands in, without `/hostedzone/`.
    pub zone_id: Input,
    /// Where clients are led.
    pub leads_to: LeadsTo,
    /// Stands beside records of other Regions, and answers the clients that are near to its own. Without it, the name has no other
    /// records.
    pub latency: Option<Latency>,
    /// Whether the records stand in DNS. Out of service, only their marker does.
    pub in_service: bool,
}

/// Where the records of a name lead clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadsTo {
    /// To something of AWS's, as if the name were its own.
    Alias {
        /// The types that the name has an alias of.
        types: BTreeSet<RecordType>,
        /// The host name that the alias stands for: a domain name's output `regional_domain_name`.
        target: Input,
        /// The hosted zone of that host name: a domain name's output `regional_hosted_zone_id`.
        target_zone_id: Input,
        /// Whether the alias counts as unhealthy when its target does. Of use beside other records of the name only. One to API
        /// Gateway does when API Gateway itself is down in the Region (aws-facts I).
        evaluate_target_health: bool,
    },
    /// To another name, by a CNAME record, which can't stand at a zone's apex or beside other types.
    Cname {
        /// The other name, in lower case, without a dot at its end.
        value: Input,
        /// Seconds that resolvers may keep it. With a health check: at most 60, so that clients follow it (API reference,
        /// `ResourceRecordSet`).
        ttl: u32,
    },
}

/// How records stand beside those of other Regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// The Region whose latency counts.
    pub region: String,
    /// What tells them apart from the others of the name: 1 to 128 characters.
    pub set_identifier: String,
    /// The id of the health check that takes them out of answers: a health check's output `id`.
    pub health_check: Option<Input>,
}

/// A type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RecordType {
    /// For clients with IPv4.
    #[serde(rename = "A")]
    A,
    /// For clients with IPv6. The domain name has to be `dualstack`, too.
    #[serde(rename = "AAAA")]
    Aaaa,
}

impl DnsRecordSpec {
    /// An alias with `A` records only, beside no others, in service.
    #[must_use]
    pub fn alias(name: &str, zone_id: Input, target: Input, target_zone_id: Input) -> Self {
        let types = [RecordType::A].into();
        Self {
            name: name.to_owned(),
            zone_id,
            leads_to: LeadsTo::Alias { types, target, target_zone_id, evaluate_target_health: false },
            latency: None,
            in_service: true,
        }
    }

    /// What tells the records apart from others of the name.
    #[must_use]
    pub fn set_identifier(&self) -> Option<&str> {
        self.latency.as_ref().map(|latency| latency.set_identifier.as_str())
    }

    /// Refuses what Route 53 would refuse, without asking it. `zone` is the name of the zone, where it is known.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub fn check(&self, zone: Option<&str>) -> Result<()> {
        let identifier = self.set_identifier().map(str::len);
        let (problem, hint) = match &self.leads_to {
            LeadsTo::Alias { types, .. } if types.is_empty() => {
                ("an alias needs a type", "an alias has type A, AAAA or both")
            }
            LeadsTo::Cname { .. } if zone == Some(self.name.as_str()) => (
                "a CNAME record can't stand at the apex of a zone, where NS and SOA records stand",
                "make it an alias, which can",
            ),
            LeadsTo::Cname { ttl, .. } if i32::try_from(*ttl).is_err() => {
                ("a TTL has at most 31 bits", "write seconds, 60 for instance")
            }
            _ if identifier.is_some_and(|length| !(1..=128).contains(&length)) => {
                ("a set identifier has 1 to 128 characters", "the Region's name is a good one")
            }
            _ if zone.is_some_and(|zone| !lies_within(&self.name, zone)) => {
                ("it does not lie in its zone", "name another zone")
            }
            _ => return Ok(()),
        };
        let message = format!("the records of `{}` can't stand in DNS: {problem}", self.name);
        Err(Failure::new(FailureKind::Configuration, message).hint(hint))
    }
}

fn lies_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_is_refused_without_asking() {
        let good = DnsRecordSpec::alias("api.example.com", "Z1".into(), "d-1".into(), "Z2".into());
        assert!(good.check(None).is_ok() && good.check(Some("example.com")).is_ok());
        let cname = |name: &str, ttl| DnsRecordSpec {
            name: name.into(),
            leads_to: LeadsTo::Cname { value: "b.example.com".into(), ttl },
            ..good.clone()
        };
        assert!(cname("api.example.com", 60).check(Some("example.com")).is_ok());
        let latency = |set_identifier: &str| DnsRecordSpec {
            latency: Some(Latency {
                region: "eu-west-1".into(),
                set_identifier: set_identifier.into(),
                health_check: None,
            }),
            ..good.clone()
        };
        assert!(latency("eu-west-1").check(None).is_ok());
        let mut typeless = good.clone();
        if let LeadsTo::Alias { types, .. } = &mut typeless.leads_to {
            types.clear();
        }
        for (wrong, zone, words) in [
            (cname("example.com", 60), Some("example.com"), "apex"),
            (cname("api.example.com", u32::MAX), None, "31 bits"),
            (latency(""), None, "1 to 128 characters"),
            (latency(&"x".repeat(129)), None, "1 to 128 characters"),
            (typeless, None, "an alias needs a type"),
            (good, Some("other.com"), "does not lie in its zone"),
        ] {
            let failure = wrong.check(zone).unwrap_err().to_string();
            assert!(failure.contains(words), "{failure}");
        }
    }
}

//! Answers to DNS queries, for tests: which record set Route 53 would answer with, by latency and health.
//!
//! A model, and not a name server: latency is the distance on a globe between two Regions, of weighted records the heaviest
//! answers, and nothing is cached. What counts as healthy follows the developer guide ("How Route 53 chooses records when health
//! checking is configured"): a record without a health check is healthy, and if none is, all are.

use super::record::{RecordSet, Routing};
use super::{State, Zone, names};
use crate::sandbox::wire::partition;
use crate::sandbox::world::World;

/// The time to live of an alias to a load balancer or the like: 60 seconds (Route 53 FAQ, "Do I need to adjust the TTL for my
/// records in order to use DNS Failover?").
const ALIAS_TTL: u32 = 60;

/// Aliases of aliases are followed so far.
const DEEPEST: usize = 8;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The set identifier of the record set that answers, where it has one.
    pub set_identifier: Option<String>,
    /// Its type, which is `CNAME` where a name has nothing else.
    pub kind: String,
    /// The values; of an alias to something of AWS's, that thing's name. Without a dot at the end.
    pub values: Vec<String>,
    /// Seconds that clients may keep it.
    pub ttl: u32,
}

/// Regions, and about where on the globe they are: latitude and longitude in degrees.
const PLACES: [(&str, f64, f64); 39] = [
    ("af-south-1", -33.9, 18.4),
    ("ap-east-1", 22.3, 114.2),
    ("ap-east-2", 25.0, 121.5),
    ("ap-northeast-1", 35.7, 139.7),
    ("ap-northeast-2", 37.6, 127.0),
    ("ap-northeast-3", 34.7, 135.5),
    ("ap-south-1", 19.1, 72.9),
    ("ap-south-2", 17.4, 78.5),
    ("ap-southeast-1", 1.35, 103.8),
    ("ap-southeast-2", -33.9, 151.2),
    ("ap-southeast-3", -6.2, 106.8),
    ("ap-southeast-4", -37.8, 145.0),
    ("ap-southeast-5", 3.1, 101.7),
    ("ap-southeast-6", -36.8, 174.8),
    ("ap-southeast-7", 13.8, 100.5),
    ("ca-central-1", 45.5, -73.6),
    ("ca-west-1", 51.0, -114.1),
    ("cn-north-1", 39.9, 116.4),
    ("cn-northwest-1", 37.5, 105.2),
    ("eu-central-1", 50.1, 8.7),
    ("eu-central-2", 47.4, 8.5),
    ("eu-north-1", 59.3, 18.1),
    ("eu-south-1", 45.5, 9.2),
    ("eu-south-2", 41.6, -0.9),
    ("eu-west-1", 53.3, -6.3),
    ("eu-west-2", 51.5, -0.1),
    ("eu-west-3", 48.9, 2.4),
    ("eusc-de-east-1", 52.4, 13.1),
    ("il-central-1", 32.1, 34.8),
    ("me-central-1", 24.5, 54.4),
    ("me-south-1", 26.1, 50.6),
    ("mx-central-1", 20.6, -100.4),
    ("sa-east-1", -23.5, -46.6),
    ("us-east-1", 39.0, -77.5),
    ("us-east-2", 40.0, -83.0),
    ("us-gov-east-1", 40.0, -83.0),
    ("us-gov-west-1", 45.8, -119.7),
    ("us-west-1", 37.4, -121.9),
    ("us-west-2", 45.8, -119.7),
];

/// Whether latency records can name a Region (service model, `ResourceRecordSetRegion`, which has the same ones).
pub(super) fn is_region(name: &str) -> bool {
    PLACES.iter().any(|(region, ..)| *region == name)
}

/// How far two Regions are apart, in radians on a globe. One that is not known is farther than all others.
fn distance(one: &str, other: &str) -> f64 {
    let place = |name: &str| PLACES.iter().find(|(region, ..)| *region == name);
    let (Some((_, lat, lon)), Some((_, lat2, lon2))) = (place(one), place(other)) else { return f64::MAX };
    let (lat, lat2, across) = (lat.to_radians(), lat2.to_radians(), (lon2 - lon).to_radians());
    (lat.sin() * lat2.sin() + lat.cos() * lat2.cos() * across.cos()).clamp(-1.0, 1.0).acos()
}

/// What clients in a Region are answered by the public zones of an account; nothing where there is no such record.
pub(in crate::sandbox) fn resolve(
    world: &World,
    account: &str,
    name: &str,
    kind: &str,
    client_region: &str,
) -> Option<DnsAnswer> {
    let state = world.accounts.get(account)?.route53.get(partition(client_region))?;
    let name = names::normal(name).ok()?;
    let zones = state.zones.values().filter(|zone| !zone.is_private() && names::lies_within(&name, &zone.name));
    let zone = zones.max_by_key(|zone| zone.name.len())?;
    Query { state, zone, region: client_region }.answer(&name, kind, 0)
}

/// What one zone answers.
pub(super) fn ask(state: &State, zone: &Zone, name: &str, kind: &str, region: &str) -> Option<DnsAnswer> {
    Query { state, zone, region }.answer(name, kind, 0)
}

struct Query<'a> {
    state: &'a State,
    zone: &'a Zone,
    region: &'a str,
}

impl<'a> Query<'a> {
    fn answer(&self, name: &str, kind: &str, depth: usize) -> Option<DnsAnswer> {
        let set = self.choose(&self.group(name, kind), depth)?;
        let Some(alias) = &set.alias else {
            let values = set.values.iter().map(|value| value.trim_end_matches('.').to_owned()).collect();
            let ttl = set.ttl.unwrap_or_default();
            return Some(DnsAnswer { set_identifier: set.set_identifier.clone(), kind: set.kind.clone(), values, ttl });
        };
        let found = if alias.zone == self.zone.id && depth < DEEPEST {
            self.answer(&alias.name, &set.kind, depth + 1)?
        } else {
            let values = vec![alias.name.trim_end_matches('.').to_owned()];
            DnsAnswer { set_identifier: None, kind: set.kind.clone(), values, ttl: ALIAS_TTL }
        };
        Some(DnsAnswer { set_identifier: set.set_identifier.clone(), ..found })
    }

    /// The record sets that a query is about: of the type, or a CNAME; of the name, or of a star in place of its first labels.
    fn group(&self, name: &str, kind: &str) -> Vec<&'a RecordSet> {
        let of = |name: &str| -> Vec<&RecordSet> { self.zone.records.iter().filter(|set| set.name == name).collect() };
        let mut all = of(name);
        let mut rest = name;
        while all.is_empty() {
            let Some((_, parent)) = rest.split_once('.') else { break };
            if !names::lies_within(parent, &self.zone.name) {
                break;
            }
            all = of(&format!("\\052.{parent}"));
            rest = parent;
        }
        let wanted = if all.iter().any(|set| set.kind == kind) { kind } else { "CNAME" };
        all.retain(|set| set.kind == wanted);
        all
    }

    fn choose(&self, group: &[&'a RecordSet], depth: usize) -> Option<&'a RecordSet> {
        let healthy: Vec<&RecordSet> = group.iter().copied().filter(|set| self.is_healthy(set, depth)).collect();
        // If none is healthy, all are taken for it.
        let candidates = if healthy.is_empty() { group } else { healthy.as_slice() };
        let by = |set: &RecordSet| -> f64 {
            match &set.routing {
                Some(Routing::Region(region)) => distance(self.region, region),
                Some(Routing::Weight(weight)) => -f64::from(*weight),
                Some(Routing::Failover(role)) => f64::from(u8::from(role == "SECONDARY")),
                Some(Routing::MultiValue) | None => 0.0,
            }
        };
        candidates.iter().copied().min_by(|one, other| by(one).total_cmp(&by(other)))
    }

    fn is_healthy(&self, set: &RecordSet, depth: usize) -> bool {
        let check = set.health_check.as_ref().and_then(|id| self.state.health_checks.get(id));
        // What is outside of the zone is AWS's, and healthy here: an alias of API Gateway's domain names turns unhealthy only
        // when API Gateway itself is down in the Region (aws-facts I).
        let target = set.alias.as_ref().filter(|alias| alias.evaluate_health && alias.zone == self.zone.id);
        check.is_none_or(super::health::HealthCheck::is_healthy)
            && target.is_none_or(|alias| {
                depth >= DEEPEST || self.group(&alias.name, &set.kind).iter().any(|set| self.is_healthy(set, depth + 1))
            })
    }
}

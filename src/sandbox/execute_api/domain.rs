//! Custom domain names: which stage a base path mapping, or an API mapping of an HTTP API, leads to.
//!
//! One name may be in several Regions; where a request does not say which one it reaches, the first that has a mapping for it
//! counts. The longest base path of one segment or more that the request's path begins with counts; `(none)` is the one that is
//! always there. A mapping without a stage takes the stage from the next segment (API Gateway Developer Guide, "Custom
//! domain names for REST APIs").

use std::collections::BTreeMap;

use crate::sandbox::apigateway::state::{BasePathMapping, DomainName};
use crate::sandbox::world::World;

/// A base path mapping's name for the whole domain.
const WHOLE: &str = "(none)";

/// The mappings of every domain name of a world, in every Region that has it.
#[derive(Debug, Default)]
pub(super) struct Domains(BTreeMap<String, Vec<Domain>>);

#[derive(Debug)]
struct Domain {
    account: String,
    region: String,
    /// The longest first.
    mappings: Vec<BasePathMapping>,
}

/// Which account and Region a request reaches, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached<'r> {
    pub(super) account: Option<&'r str>,
    pub(super) region: Option<&'r str>,
}

/// Where a request to a domain name goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) api: String,
    pub(super) stage: String,
    /// The path below the stage.
    pub(super) path: String,
    /// The key of the mapping; empty for the whole domain.
    pub(super) key: String,
}

impl Domains {
    pub(super) fn of(world: &World) -> Self {
        let mut domains: BTreeMap<String, Vec<Domain>> = BTreeMap::new();
        for (account, held) in &world.accounts {
            for (region, services) in &held.regions {
                for domain in services.apigateway.domain_names.values() {
                    let (account, region) = (account.clone(), region.clone());
                    let here = Domain { account, region, mappings: sorted(domain) };
                    domains.entry(domain.domain_name.to_ascii_lowercase()).or_default().push(here);
                }
            }
        }
        Self(domains)
    }

    /// Whether a host is a domain name.
    pub(super) fn know(&self, host: &str) -> bool {
        self.0.contains_key(&name(host))
    }

    /// The stage for a request, if its host is a domain name with a mapping that fits.
    pub(super) fn find(&self, host: &str, path: &str, reached: Reached<'_>) -> Option<Mapped> {
        let fits = |wanted: Option<&str>, own: &str| wanted.is_none_or(|wanted| wanted == own);
        let here = self.0.get(&name(host))?.iter();
        let here = here.filter(|one| fits(reached.account, &one.account) && fits(reached.region, &one.region));
        here.flat_map(|domain| &domain.mappings).find_map(|mapping| {
            let rest = below(path, &mapping.base_path)?;
            let (stage, rest) = if let Some(stage) = &mapping.stage {
                (stage.as_str(), rest)
            } else {
                let rest = rest.strip_prefix('/')?;
                rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
            };
            let path = if rest.is_empty() { "/" } else { rest };
            let key = if mapping.base_path == WHOLE { "" } else { &mapping.base_path };
            Some(Mapped {
                api: mapping.rest_api_id.clone(),
                stage: stage.to_owned(),
                path: path.to_owned(),
                key: key.to_owned(),
            })
        })
    }
}

/// The name in a `Host`, which may have a port.
fn name(host: &str) -> String {
    host.split(':').next().unwrap_or(host).to_ascii_lowercase()
}

/// The mappings, the longest first.
fn sorted(domain: &DomainName) -> Vec<BasePathMapping> {
    let mut mappings: Vec<BasePathMapping> = domain.mappings.values().cloned().collect();
    let length = |mapping: &BasePathMapping| if mapping.base_path == WHOLE { 0 } else { mapping.base_path.len() };
    mappings.sort_by_key(|mapping| std::cmp::Reverse(length(mapping)));
    mappings
}

/// What of a path stands below a base path.
fn below<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    if base == WHOLE {
        return Some(path);
    }
    let rest = path.strip_prefix('/')?.strip_prefix(base)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(base: &str, api: &str, stage: Option<&str>) -> (String, BasePathMapping) {
        let stage = stage.map(str::to_owned);
        (
            base.into(),
            BasePathMapping { base_path: base.into(), rest_api_id: api.into(), stage, ..BasePathMapping::default() },
        )
    }

    #[test]
    fn the_longest_base_path_counts_and_a_missing_stage_is_in_the_path() {
        let domain = DomainName {
            domain_name: "API.example.com".into(),
            mappings: [
                mapping("(none)", "whole", Some("prod")),
                mapping("orders", "orders", Some("v1")),
                mapping("orders/old", "old", None),
            ]
            .into(),
            ..DomainName::default()
        };
        let mut world = World::default();
        world.view("1", "eu-west-1", 0.0).region.apigateway.domain_names.insert("x".into(), domain);
        let domains = Domains::of(&world);
        for (path, expected) in [
            ("/orders/1", Some(("orders", "v1", "/1"))),
            ("/orders", Some(("orders", "v1", "/"))),
            ("/ordersx/1", Some(("whole", "prod", "/ordersx/1"))),
            ("/orders/old/beta/2", Some(("old", "beta", "/2"))),
            ("/", Some(("whole", "prod", "/"))),
        ] {
            let found = domains.find("api.example.com:8443", path, Reached::default());
            let found = found.as_ref().map(|found| (found.api.as_str(), found.stage.as_str(), found.path.as_str()));
            assert_eq!(found, expected, "{path}");
        }
        assert_eq!(domains.find("other.example.com", "/", Reached::default()), None);
        assert!(domains.know("API.example.com:1") && !domains.know("other.example.com"));
    }

    #[test]
    fn one_name_in_two_regions_leads_to_the_one_that_is_reached() {
        let mut world = World::default();
        for region in ["eu-west-1", "us-east-1"] {
            let mappings = [mapping("(none)", region, Some("$default"))].into();
            let domain = DomainName { domain_name: "api.example.com".into(), mappings, ..DomainName::default() };
            world.view("1", region, 0.0).region.apigateway.domain_names.insert("api.example.com".into(), domain);
        }
        let domains = Domains::of(&world);
        let api = |reached| domains.find("api.example.com", "/", reached).map(|found| found.api);
        let region = |region| Reached { account: Some("1"), region: Some(region) };
        assert_eq!(api(region("us-east-1")).as_deref(), Some("us-east-1"));
        assert_eq!(api(region("eu-west-1")).as_deref(), Some("eu-west-1"));
        assert_eq!(api(region("eu-west-2")), None);
        assert_eq!(api(Reached { account: Some("2"), region: None }), None);
        assert_eq!(api(Reached::default()).as_deref(), Some("eu-west-1"));
    }
}

//! Custom domain names: which stage a base path mapping leads to.
//!
//! The longest base path of one segment or more that the request's path begins with counts; `(none)` is the one that is
//! always there. A mapping without a stage takes the stage from the next segment (API Gateway Developer Guide, "Custom
//! domain names for REST APIs").

use std::collections::BTreeMap;

use crate::sandbox::apigateway::state::{BasePathMapping, DomainName};
use crate::sandbox::world::World;

/// A base path mapping's name for the whole domain.
const WHOLE: &str = "(none)";

/// The mappings of every domain name of a world.
#[derive(Debug, Default)]
pub(super) struct Domains(BTreeMap<String, Vec<BasePathMapping>>);

/// Where a request to a domain name goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) api: String,
    pub(super) stage: String,
    /// The path below the stage.
    pub(super) path: String,
}

impl Domains {
    pub(super) fn of(world: &World) -> Self {
        let regions = world.accounts.values().flat_map(|account| account.regions.values());
        let domains = regions.flat_map(|region| region.apigateway.domain_names.values());
        Self(domains.map(|domain| (domain.domain_name.to_ascii_lowercase(), sorted(domain))).collect())
    }

    /// The stage for a request, if its host is a domain name with a mapping that fits.
    pub(super) fn find(&self, host: &str, path: &str) -> Option<Mapped> {
        let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
        let mappings = self.0.get(&host)?;
        mappings.iter().find_map(|mapping| {
            let rest = below(path, &mapping.base_path)?;
            let (stage, rest) = if let Some(stage) = &mapping.stage {
                (stage.as_str(), rest)
            } else {
                let rest = rest.strip_prefix('/')?;
                rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
            };
            let path = if rest.is_empty() { "/" } else { rest };
            Some(Mapped { api: mapping.rest_api_id.clone(), stage: stage.to_owned(), path: path.to_owned() })
        })
    }
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
        (base.into(), BasePathMapping { base_path: base.into(), rest_api_id: api.into(), stage })
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
            let found = domains.find("api.example.com:8443", path);
            let found = found.as_ref().map(|found| (found.api.as_str(), found.stage.as_str(), found.path.as_str()));
            assert_eq!(found, expected, "{path}");
        }
        assert_eq!(domains.find("other.example.com", "/"), None);
    }
}

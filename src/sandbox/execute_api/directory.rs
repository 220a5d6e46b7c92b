//! What hosts and paths mean: one stage of a REST API or of an HTTP API, or nothing that is served.

use std::collections::{BTreeMap, BTreeSet};

use super::domain::{Domains, Mapped, Reached};
use super::http_api::DEFAULT_STAGE;
use crate::sandbox::world::World;

/// The domain names and HTTP APIs of a world.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) domains: Domains,
    /// The stages of the HTTP APIs, by the ids of these.
    http_apis: BTreeMap<String, BTreeSet<String>>,
}

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A stage of a REST API.
    Rest {
        api: String,
        stage: String,
        path: String,
        /// Whether it came by the API's own host name.
        own_host: bool,
    },
    /// A stage of an HTTP API.
    Http {
        api: String,
        stage: String,
        path: String,
        own_host: bool,
        /// The key of the API mapping that it came by.
        key: Option<String>,
    },
    /// An HTTP API without a stage that would serve it.
    NotFound,
    /// A domain name that leads nowhere from that path.
    Forbidden,
}

impl Directory {
    pub(super) fn of(world: &World) -> Self {
        let regions = world.accounts.values().flat_map(|account| account.regions.values());
        let apis = regions.flat_map(|region| &region.apigatewayv2.apis);
        let http_apis = apis.map(|api| (api.id.clone(), api.stages.keys().cloned().collect())).collect();
        Self { domains: Domains::of(world), http_apis }
    }

    /// What a path below a custom domain name means, if a mapping of it fits.
    pub(super) fn mapped(&self, host: &str, path: &str, reached: Reached<'_>) -> Option<Goal> {
        let Mapped { api, stage, path, key } = self.domains.find(host, path, reached)?;
        Some(if self.http_apis.contains_key(&api) {
            Goal::Http { api, stage, path, own_host: false, key: Some(key) }
        } else {
            Goal::Rest { api, stage, path, own_host: false }
        })
    }

    /// What a path means that is sent to an API, if that is an HTTP API. "If the request explicitly matches a stage, API
    /// Gateway sends the request to that stage. If no stage explicitly matches the request, API Gateway sends the request to
    /// the `$default` stage. If there's no `$default` stage, then the API returns `{"message":"Not Found"}`" (API Gateway
    /// Developer Guide, "Create routes for HTTP APIs").
    pub(super) fn http_api(&self, api: &str, path: &str, own_host: bool) -> Option<Goal> {
        let stages = self.http_apis.get(api)?;
        let rest = path.strip_prefix('/').unwrap_or(path);
        let at = rest.find('/').unwrap_or(rest.len());
        let (first, below) = rest.split_at(at);
        let goal = |stage: &str, path: &str| Goal::Http {
            api: api.to_owned(),
            stage: stage.to_owned(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            own_host,
            key: None,
        };
        if first != DEFAULT_STAGE && stages.contains(first) {
            return Some(goal(first, below));
        }
        Some(if stages.contains(DEFAULT_STAGE) { goal(DEFAULT_STAGE, path) } else { Goal::NotFound })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_in_the_path_goes_before_the_default_one() {
        let stages = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let directory = Directory {
            http_apis: [("a".to_owned(), stages(&["$default", "dev"])), ("b".to_owned(), stages(&["dev"]))].into(),
            ..Directory::default()
        };
        for (api, path, expected) in [
            ("a", "/dev/x/", Some(("dev", "/x/"))),
            ("a", "/dev", Some(("dev", "/"))),
            ("a", "/devx", Some(("$default", "/devx"))),
            ("a", "/$default/x", Some(("$default", "/$default/x"))),
            ("a", "/", Some(("$default", "/"))),
            ("b", "/dev/x", Some(("dev", "/x"))),
            ("b", "/x", None),
        ] {
            match directory.http_api(api, path, true).unwrap() {
                Goal::Http { stage, path: below, .. } => {
                    assert_eq!(Some((stage.as_str(), below.as_str())), expected, "{api}{path}");
                }
                goal => assert_eq!((goal, expected), (Goal::NotFound, None), "{api}{path}"),
            }
        }
        assert_eq!(directory.http_api("c", "/dev", true), None);
    }
}

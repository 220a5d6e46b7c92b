//! Which API and which stage a request on a socket is for.
//!
//! | form | for |
//! |---|---|
//! | host `API.execute-api.REGION.amazonaws.com[.cn]`, path `/STAGE/…` | whoever resolves that name to this machine, or sets `Host` |
//! | host `API.execute-api.localhost[:PORT]`, path `/STAGE/…` | browsers and curl, which know that `*.localhost` is this machine |
//! | path `/_sandbox/execute-api/API/STAGE/…` | everybody else |
//!
//! The stage `$default` of an HTTP API is in no path. Everything else is for the control plane.

use std::collections::BTreeSet;

use super::http_api::DEFAULT_STAGE;
use crate::error::Result;
use crate::sandbox::Sandbox;

/// The path form's beginning.
const PREFIX: &str = "/_sandbox/execute-api/";

/// A stage, and what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'r> {
    /// The API's id.
    pub(super) api: &'r str,
    /// The stage's name; empty when the path ends before it.
    pub(super) stage: &'r str,
    /// The path below the stage, `/` at least.
    pub(super) path: &'r str,
}

/// A stage that serves, for whoever wants to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAddress {
    /// The API's id.
    pub api: String,
    /// The API's name.
    pub api_name: String,
    /// The stage's name.
    pub stage: String,
    /// The account it is in.
    pub account: String,
    /// The Region it is in.
    pub region: String,
}

impl StageAddress {
    /// The path below which the sandbox's listener serves it.
    #[must_use]
    pub fn path(&self) -> String {
        if self.stage == DEFAULT_STAGE {
            return format!("{PREFIX}{}", self.api);
        }
        format!("{PREFIX}{}/{}", self.api, self.stage)
    }
}

/// All stages of a sandbox, of REST and of HTTP APIs.
pub fn stages(sandbox: &Sandbox) -> Result<Vec<StageAddress>> {
    sandbox.look(|world| {
        let mut all = Vec::new();
        for (account, held) in &world.accounts {
            for (region, services) in &held.regions {
                let address = |api: &str, name: &str, stage: &String| StageAddress {
                    api: api.to_owned(),
                    api_name: name.to_owned(),
                    stage: stage.clone(),
                    account: account.clone(),
                    region: region.clone(),
                };
                for api in &services.apigateway.apis {
                    all.extend(api.stages.keys().map(|stage| address(&api.id, &api.definition.name, stage)));
                }
                for api in &services.apigatewayv2.apis {
                    all.extend(api.stages.keys().map(|stage| address(&api.id, &api.name, stage)));
                }
            }
        }
        all
    })
}

/// The names of all authorizers that a sandbox's APIs have now.
pub fn authorizer_names(sandbox: &Sandbox) -> Result<BTreeSet<String>> {
    sandbox.look(|world| {
        let regions = world.accounts.values().flat_map(|account| account.regions.values());
        let apis = regions.flat_map(|region| &region.apigateway.apis);
        apis.flat_map(|api| &api.definition.authorizers).map(|authorizer| authorizer.name.clone()).collect()
    })
}

/// Reads an address. `host` may have a port; `path` has no query string.
pub(super) fn read<'r>(host: &'r str, path: &'r str) -> Option<Address<'r>> {
    let (api, path) = whole(host, path)?;
    Some(staged(api, path.trim_start_matches('/')))
}

/// The API that an address means, and the path as it was sent to it, which for a REST API begins with the stage.
pub(super) fn whole<'r>(host: &'r str, path: &'r str) -> Option<(&'r str, &'r str)> {
    let Some(rest) = path.strip_prefix(PREFIX) else { return Some((api_of(host)?, path)) };
    let at = rest.find('/').unwrap_or(rest.len());
    Some((&rest[..at], if at == rest.len() { "/" } else { &rest[at..] }))
}

/// Whether a host is one of the data plane, and of which API.
fn api_of(host: &str) -> Option<&str> {
    let host = host.split(':').next().unwrap_or(host);
    let (api, rest) = host.split_once(".execute-api.")?;
    let known = rest == "localhost" || rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn");
    // A private API is also called as `API-VPCE.execute-api.…`.
    let api = api.split('-').next().unwrap_or(api);
    (known && !api.is_empty() && !api.contains('.')).then_some(api)
}

/// A stage and a path below it, from `STAGE/path`.
pub(super) fn staged<'r>(api: &'r str, rest: &'r str) -> Address<'r> {
    match rest.find('/') {
        Some(at) => Address { api, stage: &rest[..at], path: &rest[at..] },
        None => Address { api, stage: rest, path: "/" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths_name_a_stage() {
        let expected = Address { api: "abc123", stage: "dev", path: "/orders/1" };
        for (host, path) in [
            ("abc123.execute-api.eu-west-1.amazonaws.com", "/dev/orders/1"),
            ("abc123.execute-api.cn-north-1.amazonaws.com.cn", "/dev/orders/1"),
            ("abc123-vpce-0a1b.execute-api.eu-west-1.amazonaws.com", "/dev/orders/1"),
            ("abc123.execute-api.localhost:4566", "/dev/orders/1"),
            ("127.0.0.1:4566", "/_sandbox/execute-api/abc123/dev/orders/1"),
        ] {
            assert_eq!(read(host, path), Some(expected), "{host}{path}");
        }
        assert_eq!(read("abc123.execute-api.localhost", "/dev").unwrap().path, "/");
        assert_eq!(read("abc123.execute-api.localhost", "/dev//x").unwrap().path, "//x");
        assert_eq!(read("abc123.execute-api.localhost", "/").unwrap().stage, "");
        assert_eq!(whole("abc123.execute-api.localhost", "//x/"), Some(("abc123", "//x/")));
        assert_eq!(whole("", "/_sandbox/execute-api/abc123"), Some(("abc123", "/")));
        assert_eq!(whole("", "/_sandbox/execute-api/abc123/a/"), Some(("abc123", "/a/")));
    }

    #[test]
    fn everything_else_is_the_control_planes() {
        for (host, path) in [
            ("127.0.0.1:4566", "/restapis"),
            ("apigateway.eu-west-1.amazonaws.com", "/restapis"),
            ("abc.execute-api.example.com", "/dev"),
            (".execute-api.localhost", "/dev"),
            ("", "/"),
        ] {
            assert_eq!(read(host, path), None, "{host}{path}");
        }
    }
}

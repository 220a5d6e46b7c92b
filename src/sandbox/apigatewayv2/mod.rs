//! The sandbox's API Gateway, second version: the control plane of HTTP APIs, and custom domain names and API mappings for
//! HTTP and REST APIs alike.
//!
//! It is signed for as the first version is, on the same host, and told from it by its paths, which begin with `/v2/`. What
//! AWS refuses is refused, with AWS's words where they are known from reports of the live service; a refusal whose words
//! are a guess says so where it is made. WebSocket APIs, imports and exports, quick creation and developer portals are not
//! here and are refused loudly.
//!
//! An [`Api`](state::Api) is its [`Definition`](state::Definition), the deployments (each a frozen copy of the definition)
//! and the stages, which serve a deployment. A deployment is needed for a change of routes, integrations, authorizers or
//! CORS; stage settings, stage variables, access logs and tags are the stage's own and take effect at once ("Every time you
//! update an API, you must redeploy … anything else other than stage settings", API Gateway Developer Guide, on
//! deployments). `disableExecuteApiEndpoint` is the API's own too: the guide says of REST APIs that it takes effect with the
//! next change of a stage; here it does at once.

mod api_mappings;
mod apis;
mod authorizers;
mod call;
mod cors;
mod deployments;
mod domain_names;
mod errors;
mod integration_rules;
mod integrations;
pub mod operations;
mod parameters;
mod route_key;
mod routes;
mod stage_rules;
mod stages;
pub mod state;
mod tags;
mod vpc_links;

use super::wire::{Request, Response};
use super::world::View;
use call::Call;
use errors::not_implemented;

pub use self::state::State;
pub(in crate::sandbox) use self::tags::tagged;

/// Whether a request that is signed for API Gateway is one of this version.
#[must_use]
pub fn serves(request: &Request) -> bool {
    request.path.starts_with("/v2/")
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    route(&mut Call { view, request }, &segments).unwrap_or_else(|fault| errors::response(&fault))
}

fn route(call: &mut Call<'_, '_>, segments: &[&str]) -> errors::Answer {
    // What has no name is no operation, whatever the file of its topic would say to it.
    if operations::operation(call.verb(), &call.request.path).is_none() {
        return Err(call.unknown());
    }
    match segments.get(1..).unwrap_or_default() {
        ["apis"] => apis::collection(call),
        ["apis", api] => apis::one(call, api),
        ["apis", api, "cors"] => cors::delete(call, api),
        ["apis", api, "authorizers", rest @ ..] => authorizers::route(call, api, rest),
        ["apis", api, "deployments", rest @ ..] => deployments::route(call, api, rest),
        ["apis", api, "integrations", rest @ ..] => integrations::route(call, api, rest),
        ["apis", api, "routes", rest @ ..] => routes::route(call, api, rest),
        ["apis", api, "stages", rest @ ..] => stages::route(call, api, rest),
        ["domainnames", domain, "apimappings", rest @ ..] => api_mappings::route(call, domain, rest),
        ["domainnames", rest @ ..] => domain_names::route(call, rest),
        ["tags", arn @ ..] if !arn.is_empty() => tags::route(call, &arn.join("/")),
        ["vpclinks", rest @ ..] => vpc_links::route(call, rest),
        _ => Err(not_implemented(call.verb(), &call.request.path)),
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

//! The sandbox's API Gateway: the control plane of REST APIs.
//!
//! It speaks the service's REST-JSON, so SDKs, boto3 and the AWS CLI can't tell it from the real one, and it is strict:
//! what AWS refuses is refused, with AWS's words where they are known from recordings (`tests/recordings`) or from
//! reports. An operation that is not here answers `NotImplementedException` rather than something wrong.
//!
//! [`handle`] routes a request by its path to the file of its topic. Every operation either changes the state as a
//! whole or not at all: it works on a copy of what it changes and puts the copy in place last.

mod account;
mod api_keys;
mod apis;
mod authorizers;
mod base_path_mappings;
mod client_certificates;
mod clone;
mod deployments;
mod documentation;
pub(in crate::sandbox) mod domain_checks;
pub(in crate::sandbox) mod domain_names;
mod domain_patch;
mod endpoint;
pub(in crate::sandbox) mod errors;
mod export;
pub(in crate::sandbox) mod gateway_responses;
pub(in crate::sandbox) mod hosted_zones;
mod import;
mod integration_responses;
mod integrations;
mod mapping;
mod method_responses;
mod methods;
mod model_template;
mod model_update;
mod models;
pub mod operations;
mod patch;
mod patch_paths;
mod policy;
mod request_validators;
mod resources;
mod response_type;
pub(in crate::sandbox) mod stage_logging;
mod stage_patch;
mod stages;
pub mod state;
pub(in crate::sandbox) mod tags;
mod usage_plan_patch;
mod usage_plans;
mod vpc_links;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::errors::{Answer, Refusal, bad_request, no_api, no_resource, not_implemented, serialization};
use self::state::{Definition, Method, Resource, RestApi};
use super::wire::{Caller, Request, Response};
use super::world::View;

pub use self::response_type::ResponseType;
pub use self::state::State;

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let mut call = Call { view, request };
    route(&mut call, &segments).unwrap_or_else(Refusal::into_response)
}

/// Whether a request leaves the state as it is.
#[must_use]
pub fn is_read(request: &Request) -> bool {
    request.method == "GET"
}

/// The ARNs of everything that has tags, with the tags.
#[must_use]
pub fn tagged(state: &State, caller: &Caller) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found = Vec::new();
    for api in &state.apis {
        if !api.tags.is_empty() {
            found.push((tags::api_arn(caller, &api.id), api.tags.clone()));
        }
        for stage in api.stages.values().filter(|stage| !stage.tags.is_empty()) {
            found.push((tags::stage_arn(caller, &api.id, &stage.stage_name), stage.tags.clone()));
        }
    }
    let others = tags::of_others(state, caller).filter(|(_, tags)| !tags.is_empty());
    found.extend(others.map(|(arn, tags)| (arn, tags.clone())));
    found
}

fn route(call: &mut Call<'_, '_>, segments: &[&str]) -> Answer {
    // What has no name is no operation, whatever the file of its topic would say to it.
    if operations::operation(call.verb(), &call.request.path).is_none() {
        return Err(call.unknown());
    }
    match segments {
        ["account"] => account::route(call),
        ["tags", arn @ ..] if !arn.is_empty() => tags::route(call, &arn.join("/")),
        ["apikeys", rest @ ..] => api_keys::route(call, rest),
        ["usageplans", rest @ ..] => usage_plans::route(call, rest),
        ["vpclinks", rest @ ..] => vpc_links::route(call, rest),
        ["domainnames", rest @ ..] => domain_names::route(call, rest),
        ["clientcertificates", rest @ ..] => client_certificates::route(call, rest),
        ["restapis"] => apis::collection(call),
        ["restapis", api] => apis::one(call, api),
        ["restapis", api, "resources", rest @ ..] => resources::route(call, api, rest),
        ["restapis", api, "models", rest @ ..] => models::route(call, api, rest),
        ["restapis", api, "requestvalidators", rest @ ..] => request_validators::route(call, api, rest),
        ["restapis", api, "authorizers", rest @ ..] => authorizers::route(call, api, rest),
        ["restapis", api, "gatewayresponses", rest @ ..] => gateway_responses::route(call, api, rest),
        ["restapis", api, "deployments", rest @ ..] => deployments::route(call, api, rest),
        ["restapis", api, "stages", stage, "exports", kind] => export::route(call, api, stage, kind),
        ["restapis", api, "stages", rest @ ..] => stages::route(call, api, rest),
        ["restapis", api, "documentation", rest @ ..] => documentation::route(call, api, rest),
        _ => Err(call.unknown()),
    }
}

/// One call, and what it can reach.
struct Call<'a, 'v> {
    view: &'a mut View<'v>,
    request: &'a Request,
}

impl Call<'_, '_> {
    fn caller(&self) -> &Caller {
        &self.request.caller
    }

    fn verb(&self) -> &str {
        &self.request.method
    }

    /// The time as the service shows it: whole seconds.
    fn now(&self) -> f64 {
        self.view.now.floor()
    }

    /// An id of the length that everything below an API has.
    fn new_id(&mut self) -> String {
        self.view.new_id(6)
    }

    fn state(&self) -> &State {
        &self.view.region.apigateway
    }

    fn state_mut(&mut self) -> &mut State {
        &mut self.view.region.apigateway
    }

    fn api(&self, id: &str) -> Answer<&RestApi> {
        self.state().apis.iter().find(|api| api.id == id).ok_or_else(|| no_api(&self.caller().account, id))
    }

    fn api_mut(&mut self, id: &str) -> Answer<&mut RestApi> {
        let refusal = no_api(&self.caller().account, id);
        self.state_mut().apis.iter_mut().find(|api| api.id == id).ok_or(refusal)
    }

    fn definition(&self, api: &str) -> Answer<&Definition> {
        Ok(&self.api(api)?.definition)
    }

    fn definition_mut(&mut self, api: &str) -> Answer<&mut Definition> {
        Ok(&mut self.api_mut(api)?.definition)
    }

    /// A resource; a missing API is a missing resource here (recorded).
    fn resource(&self, api: &str, resource: &str) -> Answer<&Resource> {
        let definition = self.definition(api).map_err(|_| no_resource())?;
        definition.resources.get(resource).ok_or_else(no_resource)
    }

    fn resource_mut(&mut self, api: &str, resource: &str) -> Answer<&mut Resource> {
        let definition = self.definition_mut(api).map_err(|_| no_resource())?;
        definition.resources.get_mut(resource).ok_or_else(no_resource)
    }

    fn method(&self, place: &Place<'_>) -> Answer<&Method> {
        let resource = self.resource(place.api, place.resource)?;
        resource.resource_methods.get(place.method).ok_or_else(errors::no_method)
    }

    fn method_mut(&mut self, place: &Place<'_>) -> Answer<&mut Method> {
        let resource = self.resource_mut(place.api, place.resource)?;
        resource.resource_methods.get_mut(place.method).ok_or_else(errors::no_method)
    }

    /// The body as the input of an operation.
    fn body<T: DeserializeOwned>(&self) -> Answer<T> {
        let body = if self.request.body.is_empty() { b"{}" } else { &self.request.body[..] };
        serde_json::from_slice(body).map_err(|error| wrong_type(&error))
    }

    /// One page of a list, from `limit` and `position`.
    fn page<T: Serialize>(&self, items: impl IntoIterator<Item = T>) -> Answer {
        // The API reference gives 25 as default and 500 as maximum; a larger limit is cut down to it, and one below zero is
        // taken without a word (recorded in `api-keys`).
        let limit = match self.request.parameter("limit") {
            None => 25,
            Some(text) => match text.parse::<i64>() {
                Ok(0) | Err(_) => return Err(bad_request("Invalid limit")),
                Ok(limit) => usize::try_from(limit).map_or(25, |limit| limit.min(500)),
            },
        };
        let start = match self.request.parameter("position") {
            None => 0,
            Some(text) => usize::from_str_radix(text, 36).map_err(|_| bad_request("Invalid position parameter"))?,
        };
        let mut items = items.into_iter().skip(start);
        let page: Vec<Value> = items.by_ref().take(limit).map(|item| to_json(&item)).collect();
        let mut body = json!({ "item": page });
        if items.next().is_some() {
            body["position"] = json!(base36(start + limit));
        }
        Ok(Response::json(200, &body))
    }

    fn unknown(&self) -> Refusal {
        not_implemented(self.verb(), &self.request.path)
    }
}

/// Where a method is.
#[derive(Clone, Copy)]
struct Place<'a> {
    api: &'a str,
    resource: &'a str,
    method: &'a str,
}

fn ok<T: Serialize>(value: &T) -> Response {
    Response::json(200, &to_json(value))
}

fn created<T: Serialize>(value: &T) -> Response {
    Response::json(201, &to_json(value))
}

fn accepted() -> Response {
    Response::empty(202)
}

fn no_content() -> Response {
    Response::empty(204)
}

/// The stored shapes have string keys and finite numbers, so they always become JSON.
fn to_json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A position in a list, so that a client can't take it for a number to count with.
fn base36(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(u32::try_from(number % 36).unwrap_or_default(), 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// Says as the service does that a member has the wrong JSON type.
fn wrong_type(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let given = if text.contains("boolean") {
        "class java.lang.Boolean"
    } else if text.contains("integer") || text.contains("floating point") {
        "class com.amazon.coral.value.json.numbers.TruncatingBigNumber"
    } else if text.contains("invalid type: string") {
        "class java.lang.String"
    } else {
        return serialization(format!("Unable to parse the request body: {text}"));
    };
    let wanted = if text.contains("expected a boolean") {
        "a Boolean"
    } else if text.contains("expected i64") || text.contains("expected u32") {
        "an Integer"
    } else {
        "an String"
    };
    serialization(format!("{given} can not be converted to {wanted}"))
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

//! One call, and what it can reach.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::deployments;
use super::errors::{Answer, bad_request, not_found, not_implemented};
use super::state::{Api, Definition, State};
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::{Caller, Request, Response};
use crate::sandbox::world::{View, date};

/// Entities of a page if a client does not say. The reference names no number; this is the one of REST APIs.
const PAGE: usize = 25;

/// The most that a page may have, a guess after the limit of REST APIs.
const LARGEST_PAGE: usize = 500;

pub(super) struct Call<'a, 'v> {
    pub(super) view: &'a mut View<'v>,
    pub(super) request: &'a Request,
}

impl Call<'_, '_> {
    pub(super) fn caller(&self) -> &Caller {
        &self.request.caller
    }

    pub(super) fn verb(&self) -> &str {
        &self.request.method
    }

    pub(super) fn state(&self) -> &State {
        &self.view.region.apigatewayv2
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        &mut self.view.region.apigatewayv2
    }

    /// The time as the service shows it: whole seconds.
    pub(super) fn now(&self) -> f64 {
        self.view.now.floor()
    }

    pub(super) fn api(&self, id: &str) -> Answer<&Api> {
        self.state().api(id).ok_or_else(|| no_api(id))
    }

    pub(super) fn api_mut(&mut self, id: &str) -> Answer<&mut Api> {
        self.state_mut().apis.iter_mut().find(|api| api.id == id).ok_or_else(|| no_api(id))
    }

    pub(super) fn definition(&self, api: &str) -> Answer<&Definition> {
        Ok(&self.api(api)?.definition)
    }

    /// Puts a changed definition in place, and deploys it to the stages that deploy by themselves.
    pub(super) fn define(&mut self, api: &str, definition: Definition) -> Answer<()> {
        let held = self.api_mut(api)?;
        let changed = held.definition != definition;
        held.definition = definition;
        if changed {
            deployments::deploy_by_itself(self, api)?;
        }
        Ok(())
    }

    /// The body as the input of an operation.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Answer<T> {
        let body = if self.request.body.is_empty() { b"{}" } else { &self.request.body[..] };
        // The words are a guess.
        serde_json::from_slice(body).map_err(|error| bad_request(format!("Invalid request body: {error}")))
    }

    /// One page of a list, from `maxResults` and `nextToken`.
    pub(super) fn page<T: Serialize>(&self, items: impl IntoIterator<Item = T>) -> Answer {
        let limit = match self.request.parameter("maxResults") {
            None => PAGE,
            Some(text) => match text.parse::<usize>() {
                Ok(limit) if limit > 0 => limit.min(LARGEST_PAGE),
                _ => return Err(bad_request("Invalid maxResults parameter")),
            },
        };
        let start = match self.request.parameter("nextToken") {
            None => 0,
            Some(token) => read_token(token).ok_or_else(|| bad_request("Invalid nextToken parameter"))?,
        };
        let mut items = items.into_iter().skip(start);
        let page: Vec<Value> = items.by_ref().take(limit).map(|item| to_json(&item)).collect();
        let mut body = json!({ "items": page });
        if items.next().is_some() {
            body["nextToken"] = BASE64.encode(format!("page:{}", start + limit)).into();
        }
        Ok(Response::json(200, &body))
    }

    pub(super) fn unknown(&self) -> Fault {
        not_implemented(self.verb(), &self.request.path)
    }
}

/// A position in a list, so that a client can't take it for a number to count with.
fn read_token(token: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    text.strip_prefix("page:")?.parse().ok()
}

/// No such API.
pub(super) fn no_api(id: &str) -> Fault {
    not_found(format!("Invalid API identifier specified {id}"))
}

pub(super) fn ok<T: Serialize>(value: &T) -> Response {
    Response::json(200, &to_json(value))
}

pub(super) fn created<T: Serialize>(value: &T) -> Response {
    Response::json(201, &to_json(value))
}

pub(super) fn no_content() -> Response {
    Response::empty(204)
}

/// The stored shapes have string keys and finite numbers, so they always become JSON.
pub(super) fn to_json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A time as the service writes it.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit an i64 for ages to come")]
pub(super) fn timestamp(seconds: f64) -> String {
    date((seconds * 1000.0) as i64, "%Y-%m-%dT%H:%M:%SZ")
}

/// Takes a new text if one is given; an empty one takes the old away.
pub(super) fn put(held: &mut Option<String>, given: Option<String>) {
    if let Some(text) = given {
        *held = Some(text).filter(|text| !text.is_empty());
    }
}

//! Aliases: names that point at versions.
//!
//! Sources: API reference of the five operations; words of refusals as emulators recorded them from the live service. An
//! alias that splits its calls between two versions is refused: the sandbox would have to choose at random.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::function::stale;
use super::requests::{self, refuse_unsupported};
use super::settings::validation;
use super::versions::{LATEST, check_description, is_number};
use super::{Function, State, names, no_function};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::{Caller, Request};
use crate::sandbox::world::View;

/// What the sandbox lacks of `CreateAlias` and `UpdateAlias`.
const UNSUPPORTED: &[&str] = &["RoutingConfig.AdditionalVersionWeights"];

/// One alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(super) struct Alias {
    pub(super) alias_arn: String,
    pub(super) name: String,
    pub(super) function_version: String,
    pub(super) description: String,
    pub(super) revision_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    name: Option<String>,
    function_version: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

impl Alias {
    fn json(&self) -> Value {
        // Five strings: nothing that JSON could not hold.
        serde_json::to_value(self).unwrap_or_default()
    }
}

pub(super) fn create(view: &mut View<'_>, request: &Request, function_name: &str) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    refuse_unsupported(&body, UNSUPPORTED)?;
    let asked: Asked = requests::parse(&body)?;
    let required = |member: &str| validation(missing(member));
    let name = asked.name.ok_or_else(|| required("name"))?;
    let version = asked.function_version.ok_or_else(|| required("functionVersion"))?;
    check_name(&name)?;
    check_description(asked.description.as_deref())?;
    let revision_id = view.new_uuid();
    let caller = &request.caller;
    let function = view.region.lambda.function_mut(function_name, caller)?;
    check_version(function, function_name, &version, caller)?;
    let alias_arn = names::arn(&format!("{function_name}:{name}"), caller);
    if function.aliases.contains_key(&name) {
        return Err(Fault::new(409, "ResourceConflictException", format!("Alias already exists: {alias_arn}")));
    }
    let description = asked.description.unwrap_or_default();
    let alias = Alias { alias_arn, name: name.clone(), function_version: version, description, revision_id };
    let answer = alias.json();
    function.aliases.insert(name, alias);
    Ok((201, answer))
}

pub(super) fn get(lambda: &State, request: &Request, function: &str, name: &str) -> Answer<(u16, Value)> {
    let alias = lambda.function(function, &request.caller)?.aliases.get(name);
    alias.map(|alias| (200, alias.json())).ok_or_else(|| no_alias(&format!("{function}:{name}"), &request.caller))
}

pub(super) fn update(view: &mut View<'_>, request: &Request, name: &str, alias: &str) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    refuse_unsupported(&body, UNSUPPORTED)?;
    let asked: Asked = requests::parse(&body)?;
    check_description(asked.description.as_deref())?;
    let revision_id = view.new_uuid();
    let caller = &request.caller;
    let function = view.region.lambda.function_mut(name, caller)?;
    if !function.aliases.contains_key(alias) {
        let arn = names::arn(&format!("{name}:{alias}"), caller);
        return Err(Fault::new(404, "ResourceNotFoundException", format!("Alias not found: {arn}")));
    }
    if let Some(version) = &asked.function_version {
        check_version(function, name, version, caller)?;
        function.check_provisionable(alias, version)?;
    }
    let Some(found) = function.aliases.get_mut(alias) else { return Err(no_alias(alias, caller)) };
    if asked.revision_id.is_some_and(|asked| asked != found.revision_id) {
        return Err(stale());
    }
    if let Some(version) = asked.function_version {
        found.function_version = version;
    }
    if let Some(description) = asked.description {
        found.description = description;
    }
    found.revision_id = revision_id;
    Ok((200, found.json()))
}

/// An alias that is gone already is no error: the reference names no exception for it.
pub(super) fn delete(lambda: &mut State, request: &Request, name: &str, alias: &str) -> Answer<(u16, Value)> {
    let function = lambda.function_mut(name, &request.caller)?;
    function.aliases.remove(alias);
    function.forget(alias);
    Ok((204, Value::Null))
}

pub(super) fn list(lambda: &State, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let function = lambda.function(name, &request.caller)?;
    let version = request.parameter("FunctionVersion");
    let all = function.aliases.values().filter(|alias| version.is_none_or(|asked| asked == alias.function_version));
    let (page, next) = requests::page(request, all.map(|alias| (alias.name.clone(), alias.json())).collect(), 50)?;
    let mut answer = json!({ "Aliases": page });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok((200, answer))
}

pub(super) fn no_alias(qualified: &str, caller: &Caller) -> Fault {
    let arn = names::arn(qualified, caller);
    Fault::new(404, "ResourceNotFoundException", format!("Cannot find alias arn: {arn}"))
}

fn check_version(function: &Function, name: &str, version: &str, caller: &Caller) -> Answer<()> {
    if version != LATEST && !is_number(version) {
        let pattern = "Member must satisfy regular expression pattern: (\\$LATEST(\\.PUBLISHED)?|[0-9]+)";
        return Err(validation(violation(version, "functionVersion", pattern)));
    }
    match function.resolve(Some(version)) {
        Some(_) => Ok(()),
        None => Err(no_function(&format!("{name}:{version}"), caller)),
    }
}

fn check_name(name: &str) -> Answer<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let constraint = if name.len() > 128 {
        "Member must have length less than or equal to 128"
    } else if name.is_empty() || is_number(name) || !name.bytes().all(allowed) {
        "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
    } else {
        return Ok(());
    };
    Err(validation(violation(name, "name", constraint)))
}

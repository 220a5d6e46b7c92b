//! Published versions: what `$LATEST` was at one time, with a number.
//!
//! Sources: API reference of `PublishVersion`, `ListVersionsByFunction` and `DeleteFunction`; what counts as a change
//! ("any update, whatever it says") and the words of refusals as emulators recorded them from the live service.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::configuration::Configuration;
use super::function::stale;
use super::names::Named;
use super::requests::{self, refuse_unsupported};
use super::settings::validation;
use super::{Function, State, invalid, names, no_function};
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::wire::{Caller, Request};
use crate::sandbox::world::View;

/// The word for what is not published.
pub(super) const LATEST: &str = "$LATEST";

/// One version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) configuration: Configuration,
    /// The hexadecimal SHA-256 of its zip.
    pub(super) code: String,
}

/// What `PublishVersion` takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publication {
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

impl Function {
    /// The configuration and the code behind a qualifier: a version's own, an alias's version's, or `$LATEST`.
    pub(super) fn resolve(&self, qualifier: Option<&str>) -> Option<(&Configuration, &str)> {
        let number = match qualifier {
            None | Some(LATEST) => return Some((&self.configuration, self.code.as_str())),
            Some(text) if is_number(text) => text,
            Some(alias) => {
                let version = self.aliases.get(alias)?.function_version.as_str();
                if version == LATEST {
                    return self.resolve(None);
                }
                version
            }
        };
        let version = self.versions.get(&number.parse().ok()?)?;
        Some((&version.configuration, version.code.as_str()))
    }

    /// The configuration behind a qualifier as a caller sees it, who called it by that qualifier.
    pub(super) fn seen(&self, named: &Named, caller: &Caller) -> Answer<Configuration> {
        let missing = || no_function(&named.qualified(), caller);
        let (found, _) = self.resolve(named.qualifier.as_deref()).ok_or_else(missing)?;
        let mut configuration = found.clone();
        if named.qualifier.is_some() {
            configuration.function_arn = names::arn(&named.qualified(), caller);
        }
        Ok(configuration)
    }
}

/// Whether a qualifier is a version's number; an alias can't be all digits.
pub(super) fn is_number(qualifier: &str) -> bool {
    !qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn publish(view: &mut View<'_>, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let body = requests::optional_body(request)?;
    refuse_unsupported(&body, &["PublishTo"])?;
    let asked: Publication = requests::parse(&body)?;
    let revision = view.new_uuid();
    let of_version = view.new_uuid();
    let caller = &request.caller;
    let function = view.region.lambda.function_mut(name, caller)?;
    if asked.revision_id.is_some_and(|asked| asked != function.configuration.revision_id) {
        return Err(stale());
    }
    let current = &function.configuration.code_sha256;
    if let Some(other) = asked.code_sha256.filter(|asked| !asked.is_empty() && asked != current) {
        return Err(invalid(format!(
            "CodeSHA256 ({other}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the \
             CodeSHA256 in $LATEST."
        )));
    }
    check_description(asked.description.as_deref())?;
    if let Some(published) = function.latest_is.and_then(|number| function.versions.get(&number)) {
        return Ok((201, published.configuration.json()));
    }
    let number = function.last_version + 1;
    let mut configuration = function.configuration.clone();
    configuration.version = number.to_string();
    configuration.function_arn = names::arn(&format!("{name}:{number}"), caller);
    configuration.revision_id = of_version;
    if let Some(description) = asked.description {
        configuration.description = description;
    }
    let answer = configuration.json();
    function.versions.insert(number, Version { configuration, code: function.code.clone() });
    function.last_version = number;
    function.latest_is = Some(number);
    function.configuration.revision_id = revision;
    Ok((201, answer))
}

pub(super) fn list(lambda: &State, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let caller = &request.caller;
    let function = lambda.function(name, caller)?;
    let (page, next) = requests::page(request, all(name, function, caller), 50)?;
    let mut answer = json!({ "Versions": page });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok((200, answer))
}

/// `$LATEST` and all versions, oldest first, as lists show them, with keys of that order.
pub(super) fn all(name: &str, function: &Function, caller: &Caller) -> Vec<(String, Value)> {
    let mut latest = function.configuration.clone();
    latest.function_arn = names::arn(&format!("{name}:{LATEST}"), caller);
    let key = |number: u64| format!("{name}:{number:020}");
    let versions = function.versions.iter().map(|(number, version)| (key(*number), version.configuration.listed()));
    std::iter::once((key(0), latest.listed())).chain(versions).collect()
}

/// `DeleteFunction` with a qualifier: one version. That one which is gone already is no error is a guess; the reference
/// names an exception for functions alone.
pub(super) fn delete(lambda: &mut State, request: &Request, name: &str, qualifier: &str) -> Answer<(u16, Value)> {
    let function = lambda.function_mut(name, &request.caller)?;
    if qualifier == LATEST {
        return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
    }
    if !is_number(qualifier) {
        return Err(invalid("Deletion of aliases is not currently supported."));
    }
    let users: Vec<&str> = function
        .aliases
        .values()
        .filter(|alias| alias.function_version == qualifier)
        .map(|alias| alias.name.as_str())
        .collect();
    if !users.is_empty() {
        let message =
            format!("Unable to delete version because the following aliases reference it: [{}]", users.join(", "));
        return Err(Fault::new(409, "ResourceConflictException", message));
    }
    if let Ok(number) = qualifier.parse::<u64>() {
        function.versions.remove(&number);
    }
    function.forget(qualifier);
    Ok((204, Value::Null))
}

/// Descriptions of versions and aliases have 256 characters at most.
pub(super) fn check_description(text: Option<&str>) -> Answer<()> {
    match text.filter(|text| text.chars().count() > 256) {
        None => Ok(()),
        Some(long) => {
            let constraint = "Member must have length less than or equal to 256";
            Err(validation(violation(long, "description", constraint)))
        }
    }
}

//! API keys. Answers and refusals are those of recordings of 2024 and 2025.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Answer, Refusal, bad_request, conflict, not_found};
use super::patch::Patch;
use super::patch_paths::{self, Paths};
use super::state::{ApiKey, State, Strings};
use super::{Call, accepted, created, ok, patch, tags, to_json, usage_plans};

/// The paths in the order of the service's message. `/labels` and `/stages` are those of old keys without usage plans.
const PATHS: &Paths = &[("replace", &["/description", "/enabled", "/name", "/customerId"])];

const LONGEST_DESCRIPTION: usize = 125_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    value: Option<String>,
    stage_keys: Option<Vec<StageKey>>,
    customer_id: Option<String>,
    tags: Option<Strings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageKey {
    rest_api_id: Option<String>,
    stage_name: Option<String>,
}

/// `/apikeys…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => list(call),
        ("POST", []) if call.request.parameter("mode").is_none() => create(call),
        ("GET", [id]) => {
            let key = find(call.state(), id)?;
            let value = call.request.parameter("includeValue") == Some("true");
            Ok(ok(&tags::shown(describe(key, value), &key.tags)))
        }
        ("PATCH", [id]) => update(call, id),
        ("DELETE", [id]) => {
            find(call.state(), id)?;
            let state = call.state_mut();
            state.api_keys.retain(|key| key.id != *id);
            usage_plans::forget_key(state, id);
            Ok(accepted())
        }
        _ => Err(call.unknown()),
    }
}

/// No such key.
pub(super) fn no_key() -> Refusal {
    not_found("Invalid API Key identifier specified")
}

/// A key by its id.
pub(super) fn find<'s>(state: &'s State, id: &str) -> Answer<&'s ApiKey> {
    state.api_keys.iter().find(|key| key.id == id).ok_or_else(no_key)
}

fn describe(key: &ApiKey, value: bool) -> Value {
    let mut shown = to_json(key);
    if let Some(members) = shown.as_object_mut().filter(|_| !value) {
        members.remove("value");
    }
    shown
}

fn list(call: &Call<'_, '_>) -> Answer {
    let prefix = call.request.parameter("name").unwrap_or_default();
    let customer = call.request.parameter("customerId");
    let values = call.request.parameter("includeValues") == Some("true");
    let fits = |key: &&ApiKey| {
        key.name.as_deref().unwrap_or_default().starts_with(prefix)
            && customer.is_none_or(|customer| key.customer_id.as_deref() == Some(customer))
    };
    call.page(call.state().api_keys.iter().filter(fits).map(|key| describe(key, values)))
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let input: CreateInput = call.body()?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let name = some(input.name);
    check_name(name.as_deref())?;
    let value = match some(input.value) {
        Some(value) => value,
        None => call.view.new_id(20) + &call.view.new_id(20),
    };
    check_value(&value)?;
    let description = some(input.description);
    check_description(description.as_deref())?;
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let stage_keys = stage_keys(call, input.stage_keys.unwrap_or_default())?;
    if call.state().api_keys.iter().any(|key| key.value == value) {
        return Err(conflict("API Key already exists"));
    }
    let now = call.now();
    let key = ApiKey {
        id: call.view.new_id(10),
        value,
        name,
        customer_id: some(input.customer_id),
        description,
        enabled: input.enabled.unwrap_or_default(),
        created_date: now,
        last_updated_date: now,
        stage_keys,
        tags,
    };
    let answer = created(&describe(&key, true));
    call.state_mut().api_keys.insert(0, key);
    Ok(answer)
}

fn stage_keys(call: &Call<'_, '_>, given: Vec<StageKey>) -> Answer<Vec<String>> {
    let mut keys = Vec::new();
    for StageKey { rest_api_id, stage_name } in given {
        let (api, stage) = (rest_api_id.unwrap_or_default(), stage_name.unwrap_or_default());
        call.api(&api)?.stages.get(&stage).ok_or_else(super::stages::no_stage)?;
        keys.push(format!("{api}/{stage}"));
    }
    Ok(keys)
}

fn check_name(name: Option<&str>) -> Answer<()> {
    if name.is_some_and(|name| name.chars().count() > 1024) {
        return Err(bad_request("Invalid API Key name, can be at most 1024 characters."));
    }
    Ok(())
}

fn check_value(value: &str) -> Answer<()> {
    match value.chars().count() {
        ..20 => Err(bad_request("API Key value should be at least 20 characters")),
        20..=128 => Ok(()),
        _ => Err(bad_request("API Key value exceeds maximum size of 128 characters")),
    }
}

fn check_description(description: Option<&str>) -> Answer<()> {
    if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return Err(bad_request("Invalid API Key description specified."));
    }
    Ok(())
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let patches = patch::read(call, "updateApiKeyInput")?;
    let mut draft = find(call.state(), id)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    draft.last_updated_date = call.now();
    let shown = tags::shown(describe(&draft, false), &draft.tags);
    if let Some(key) = call.state_mut().api_keys.iter_mut().find(|key| key.id == id) {
        *key = draft;
    }
    Ok(ok(&shown))
}

fn apply(key: &mut ApiKey, patch: &Patch) -> Answer<()> {
    patch_paths::check(patch, PATHS)?;
    let value = patch.text_or_none();
    match patch.path.as_str() {
        "/enabled" => key.enabled = patch.flag(),
        "/name" => {
            check_name(value.as_deref())?;
            key.name = value;
        }
        "/description" => {
            check_description(value.as_deref())?;
            key.description = value;
        }
        _ => key.customer_id = value,
    }
    Ok(())
}

/// A key as it is shown below a usage plan.
pub(super) fn of_plan(key: &ApiKey) -> Value {
    let mut shown = json!({ "id": key.id, "type": "API_KEY", "value": key.value });
    if let Some(name) = &key.name {
        shown["name"] = name.as_str().into();
    }
    shown
}

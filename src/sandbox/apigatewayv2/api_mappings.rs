//! API mappings of custom domain names, to HTTP and to REST APIs. They are the first version's base path mappings, with two
//! freedoms: a key may have slashes in it, and the API may be an HTTP API.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, created, no_content, ok};
use super::domain_names::{find, no_domain};
use super::errors::{Answer, bad_request, conflict, not_found, required};
use crate::sandbox::apigateway::state::{BasePathMapping, DomainName};
use crate::sandbox::fault::Fault;

/// How the first version writes the empty key.
const NONE: &str = "(none)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    api_id: Option<String>,
    api_mapping_key: Option<String>,
    stage: Option<String>,
}

/// `/v2/domainnames/{domain}/apimappings…`.
pub(super) fn route(call: &mut Call<'_, '_>, domain: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(find(call, domain)?.mappings.values().map(describe)),
        ("POST", []) => create(call, domain),
        ("GET", [id]) => Ok(ok(&describe(mapping(find(call, domain)?, id)?))),
        ("PATCH", [id]) => update(call, domain, id),
        ("DELETE", [id]) => {
            let key = mapping(find(call, domain)?, id)?.base_path.clone();
            domain_mut(call, domain)?.mappings.remove(&key);
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

/// Refuses to delete an API that a domain name leads to (reported).
pub(super) fn check_api_unmapped(call: &Call<'_, '_>, api: &str) -> Answer<()> {
    if all(call).any(|mapping| mapping.rest_api_id == api) {
        return Err(bad_request(format!(
            "Deleting API {api} failed. Please remove all API mappings for the API from your custom domain names."
        )));
    }
    Ok(())
}

/// Refuses to delete a stage that a domain name leads to. The words follow those for an API.
pub(super) fn check_stage_unmapped(call: &Call<'_, '_>, api: &str, stage: &str) -> Answer<()> {
    if all(call).any(|mapping| mapping.rest_api_id == api && mapping.stage.as_deref() == Some(stage)) {
        return Err(bad_request(format!(
            "Deleting stage {stage} failed. Please remove all API mappings for the stage from your custom domain names."
        )));
    }
    Ok(())
}

fn all<'c>(call: &'c Call<'_, '_>) -> impl Iterator<Item = &'c BasePathMapping> {
    call.view.region.apigateway.domain_names.values().flat_map(|domain| domain.mappings.values())
}

fn describe(mapping: &BasePathMapping) -> Value {
    let key = if mapping.base_path == NONE { "" } else { &mapping.base_path };
    let mut shown = json!({ "apiId": mapping.rest_api_id, "apiMappingId": id_of(mapping), "apiMappingKey": key });
    if let Some(stage) = &mapping.stage {
        shown["stage"] = stage.as_str().into();
    }
    shown
}

/// The id; a mapping that was kept before mappings had one goes by its key.
fn id_of(mapping: &BasePathMapping) -> &str {
    if mapping.api_mapping_id.is_empty() { &mapping.base_path } else { &mapping.api_mapping_id }
}

fn mapping<'d>(domain: &'d DomainName, id: &str) -> Answer<&'d BasePathMapping> {
    domain.mappings.values().find(|mapping| id_of(mapping) == id).ok_or_else(no_mapping)
}

fn no_mapping() -> Fault {
    not_found("Invalid API mapping identifier specified")
}

fn domain_mut<'c>(call: &'c mut Call<'_, '_>, name: &str) -> Answer<&'c mut DomainName> {
    call.view.region.apigateway.domain_names.get_mut(name).ok_or_else(no_domain)
}

fn create(call: &mut Call<'_, '_>, domain: &str) -> Answer {
    let Input { api_id, api_mapping_key, stage } = call.body()?;
    let mut mapping = BasePathMapping {
        api_mapping_id: String::new(),
        base_path: written(api_mapping_key.unwrap_or_default()),
        rest_api_id: required(api_id, "apiId")?,
        stage: Some(required(stage, "stage")?),
    };
    let held = find(call, domain)?;
    check(call, held, &mapping)?;
    if held.mappings.contains_key(&mapping.base_path) {
        return Err(taken());
    }
    mapping.api_mapping_id = call.view.new_id(6);
    let answer = created(&describe(&mapping));
    domain_mut(call, domain)?.mappings.insert(mapping.base_path.clone(), mapping);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, domain: &str, id: &str) -> Answer {
    let Input { api_id, api_mapping_key, stage } = call.body()?;
    let held = find(call, domain)?;
    let before = mapping(held, id)?;
    let mut draft = before.clone();
    id.clone_into(&mut draft.api_mapping_id);
    draft.rest_api_id = required(api_id, "apiId")?;
    if let Some(key) = api_mapping_key {
        draft.base_path = written(key);
    }
    if stage.is_some() {
        draft.stage = stage;
    }
    check(call, held, &draft)?;
    let old = before.base_path.clone();
    if draft.base_path != old && held.mappings.contains_key(&draft.base_path) {
        return Err(taken());
    }
    let answer = ok(&describe(&draft));
    let mappings = &mut domain_mut(call, domain)?.mappings;
    mappings.remove(&old);
    mappings.insert(draft.base_path.clone(), draft);
    Ok(answer)
}

fn written(key: String) -> String {
    if key.is_empty() { NONE.to_owned() } else { key }
}

/// Reported.
fn taken() -> Fault {
    conflict("ApiMapping key already exists for this domain name")
}

/// Checks a mapping. Characters and lengths are those of the developer guide ("Map API stages to a custom domain name").
fn check(call: &Call<'_, '_>, domain: &DomainName, mapping: &BasePathMapping) -> Answer<()> {
    let key = mapping.base_path.as_str();
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "$-_.+!*'()".contains(c));
    if key != NONE && (key.len() > 300 || !key.split('/').all(plain)) {
        // Reported.
        return Err(bad_request("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'(),"));
    }
    let modern = domain.is_type("REGIONAL") && domain.security_policy != "TLS_1_0";
    if key.contains('/') && !modern {
        // That it is so is documented; the words are a guess.
        return Err(bad_request("Multi-level API mappings are only supported on regional domain names with TLS 1.2"));
    }
    let http = call.state().api(&mapping.rest_api_id);
    let rest = call.view.region.apigateway.apis.iter().find(|api| api.id == mapping.rest_api_id);
    let stage = mapping.stage.as_deref().unwrap_or_default();
    let there = match (http, rest) {
        (Some(_), _) if !modern => {
            // As above.
            return Err(bad_request("HTTP APIs can only be mapped to regional domain names with TLS 1.2"));
        }
        (Some(api), _) => api.stages.contains_key(stage),
        (None, Some(api)) => api.stages.contains_key(stage),
        // The words are a guess, after those for a stage.
        (None, None) => return Err(bad_request("Invalid API identifier specified")),
    };
    // Reported.
    if there { Ok(()) } else { Err(bad_request("Invalid stage identifier specified")) }
}

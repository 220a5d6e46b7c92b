//! Base path mappings: which stage of which API a path of a custom domain name leads to.

use serde::Deserialize;
use serde_json::Value;

use super::domain_names::{find, no_domain};
use super::errors::{Answer, Refusal, bad_request, conflict, not_found, required};
use super::patch::Patch;
use super::patch_paths::{self, Paths};
use super::state::{BasePathMapping, DomainName, State};
use super::{Call, accepted, created, ok, patch, to_json};

/// How the empty base path is written, and the absence of a stage.
const NONE: &str = "(none)";

const PATHS: &Paths = &[("replace", &["/basePath", "/restapiId", "/stage"])];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    base_path: Option<String>,
    rest_api_id: Option<String>,
    stage: Option<String>,
}

/// `/domainnames/{domain}/basepathmappings…`.
pub(super) fn route(call: &mut Call<'_, '_>, domain: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(find(call.state(), domain)?.mappings.values().map(describe)),
        ("POST", []) => create(call, domain),
        ("GET", [path]) => Ok(ok(&describe(find(call.state(), domain)?.mappings.get(*path).ok_or_else(no_mapping)?))),
        ("PATCH", [path]) => update(call, domain, path),
        ("DELETE", [path]) => {
            domain_mut(call, domain)?.mappings.remove(*path).ok_or_else(no_mapping)?;
            Ok(accepted())
        }
        _ => Err(call.unknown()),
    }
}

/// Refuses to delete an API that a domain name leads to (reported).
pub(super) fn check_api_unmapped(state: &State, api: &str) -> Answer<()> {
    let domains = domains(state, |mapping| mapping.rest_api_id == api);
    if domains.is_empty() {
        return Ok(());
    }
    Err(bad_request(format!(
        "Deleting RestApi {api} failed. Please remove all base path mappings related to the RestApi in your domains: {domains}"
    )))
}

/// Refuses to delete a stage that a domain name leads to (reported).
pub(super) fn check_stage_unmapped(state: &State, api: &str, name: &str) -> Answer<()> {
    let domains = domains(state, |mapping| mapping.rest_api_id == api && mapping.stage.as_deref() == Some(name));
    if domains.is_empty() {
        return Ok(());
    }
    Err(bad_request(format!(
        "Deleting stage {name} failed. Please remove all base path mappings related to the stage in your domains: {domains}"
    )))
}

fn domains(state: &State, leads: impl Fn(&BasePathMapping) -> bool) -> String {
    let domains = state.domain_names.values().filter(|domain| domain.mappings.values().any(&leads));
    domains.map(|domain| domain.domain_name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A mapping without the id that the second version calls it by.
fn describe(mapping: &BasePathMapping) -> Value {
    let mut shown = to_json(mapping);
    if let Some(members) = shown.as_object_mut() {
        members.remove("apiMappingId");
    }
    shown
}

fn no_mapping() -> Refusal {
    not_found("Invalid base path mapping identifier specified")
}

fn domain_mut<'c>(call: &'c mut Call<'_, '_>, name: &str) -> Answer<&'c mut DomainName> {
    call.state_mut().domain_names.get_mut(name).ok_or_else(no_domain)
}

fn create(call: &mut Call<'_, '_>, domain: &str) -> Answer {
    let CreateInput { base_path, rest_api_id, stage } = call.body()?;
    let rest_api_id = required(rest_api_id, "createBasePathMappingInput.restApiId")?;
    let mappings = &find(call.state(), domain)?.mappings;
    let base_path = base_path.filter(|path| !path.is_empty()).unwrap_or_else(|| NONE.to_owned());
    let mut mapping = BasePathMapping { api_mapping_id: String::new(), base_path, rest_api_id, stage: named(stage) };
    check(call.state(), &mapping)?;
    if mappings.contains_key(&mapping.base_path) {
        return Err(taken());
    }
    mapping.api_mapping_id = call.new_id();
    let answer = created(&describe(&mapping));
    domain_mut(call, domain)?.mappings.insert(mapping.base_path.clone(), mapping);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, domain: &str, path: &str) -> Answer {
    let patches = patch::read(call, "updateBasePathMappingInput")?;
    let mappings = &find(call.state(), domain)?.mappings;
    let mut draft = mappings.get(path).ok_or_else(no_mapping)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    check(call.state(), &draft)?;
    if draft.base_path != path && mappings.contains_key(&draft.base_path) {
        return Err(taken());
    }
    let answer = ok(&describe(&draft));
    let mappings = &mut domain_mut(call, domain)?.mappings;
    mappings.remove(path);
    mappings.insert(draft.base_path.clone(), draft);
    Ok(answer)
}

fn apply(mapping: &mut BasePathMapping, patch: &Patch) -> Answer<()> {
    patch_paths::check(patch, PATHS)?;
    match patch.path.as_str() {
        "/basePath" => mapping.base_path = patch.text_or_none().unwrap_or_else(|| NONE.to_owned()),
        "/stage" => mapping.stage = named(patch.text_or_none()),
        _ => patch.text().clone_into(&mut mapping.rest_api_id),
    }
    Ok(())
}

fn named(stage: Option<String>) -> Option<String> {
    stage.filter(|stage| !stage.is_empty() && stage != NONE)
}

fn taken() -> Refusal {
    conflict("Base path already exists for this domain name")
}

fn check(state: &State, mapping: &BasePathMapping) -> Answer<()> {
    let path = mapping.base_path.as_str();
    if path.contains('/') {
        return Err(bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base \
             path mapping, use API Gateway V2.",
        ));
    }
    if !path.chars().all(|c| c.is_ascii_alphanumeric() || "$-_.+!*'(),".contains(c)) {
        // The characters are documented, the words a guess.
        return Err(bad_request(
            "Base path can only contain letters, numbers, and one of $-_.+!*'(), and may not contain a slash",
        ));
    }
    let api = state.apis.iter().find(|api| api.id == mapping.rest_api_id);
    let api = api.ok_or_else(|| bad_request("Invalid REST API identifier specified"))?;
    if mapping.stage.as_ref().is_some_and(|stage| !api.stages.contains_key(stage)) {
        return Err(bad_request("Invalid stage identifier specified"));
    }
    Ok(())
}

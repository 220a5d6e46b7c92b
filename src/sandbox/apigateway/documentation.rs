//! Documentation parts and versions.
//!
//! Answers and refusals are those of recordings of 2023 to 2026 unless a comment says otherwise.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Answer, Refusal, bad_request, conflict, not_found, one_of, required};
use super::patch_paths::{self, Paths};
use super::state::{DocumentationPart, DocumentationVersion};
use super::{Call, accepted, created, import, ok, patch, stages};

const PART_PATHS: &Paths = &[("replace", &["/properties"])];
const VERSION_PATHS: &Paths = &[("replace", &["/description"])];

/// What a part can be about, in the order the service's messages name it (recorded).
const LOCATIONS: [&str; 12] = [
    "RESPONSE_BODY",
    "RESPONSE",
    "METHOD",
    "MODEL",
    "AUTHORIZER",
    "RESPONSE_HEADER",
    "RESOURCE",
    "PATH_PARAMETER",
    "REQUEST_BODY",
    "QUERY_PARAMETER",
    "API",
    "REQUEST_HEADER",
];

#[derive(Deserialize)]
struct PartInput {
    location: Option<Value>,
    properties: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionInput {
    documentation_version: Option<String>,
    stage_name: Option<String>,
    description: Option<String>,
}

/// `/restapis/{api}/documentation/…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", ["parts"]) => list_parts(call, api),
        ("GET", ["parts", id]) => Ok(ok(part(call, api, id)?)),
        ("POST", ["parts"]) => create_part(call, api),
        ("PUT", ["parts"]) => import_parts(call, api),
        ("PATCH", ["parts", id]) => update_part(call, api, id),
        ("DELETE", ["parts", id]) => {
            call.api_mut(api)?.documentation_parts.remove(*id).ok_or_else(no_part)?;
            Ok(accepted())
        }
        ("GET", ["versions"]) => call.page(call.api(api)?.documentation_versions.values()),
        ("GET", ["versions", name]) => {
            Ok(ok(call.api(api)?.documentation_versions.get(*name).ok_or_else(no_version)?))
        }
        ("POST", ["versions"]) => create_version(call, api),
        ("PATCH", ["versions", name]) => update_version(call, api, name),
        ("DELETE", ["versions", name]) => delete_version(call, api, name),
        _ => Err(call.unknown()),
    }
}

/// A location with what the service fills in: a part below a path that names none is about the root.
pub(super) fn located(mut location: Value) -> Value {
    let below = !matches!(location["type"].as_str(), Some("API" | "AUTHORIZER" | "MODEL") | None);
    if below && location.get("path").is_none() {
        location["path"] = "/".into();
    }
    location
}

fn no_part() -> Refusal {
    not_found("Invalid Documentation part identifier specified")
}

fn no_version() -> Refusal {
    not_found("Invalid Documentation version specified")
}

/// A part; a missing API is a missing part here.
fn part<'c>(call: &'c Call<'_, '_>, api: &str, id: &str) -> Answer<&'c DocumentationPart> {
    call.api(api).ok().and_then(|api| api.documentation_parts.get(id)).ok_or_else(no_part)
}

fn list_parts(call: &Call<'_, '_>, api: &str) -> Answer {
    let wanted = |parameter: &str| call.request.parameter(parameter);
    // Every part there is has been documented.
    let documented = wanted("locationStatus") != Some("UNDOCUMENTED");
    let fits = |part: &&DocumentationPart| {
        documented
            && ["type", "name", "path"]
                .iter()
                .all(|member| wanted(member).is_none_or(|value| part.location[*member] == value))
    };
    call.page(call.api(api)?.documentation_parts.values().filter(fits))
}

fn create_part(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let PartInput { location, properties } = call.body()?;
    let location = required(location, "createDocumentationPartInput.location")?;
    let properties = required(properties, "createDocumentationPartInput.properties")?;
    let kind = required(location.get("type").and_then(Value::as_str), "createDocumentationPartInput.location.type")?;
    one_of(kind, "createDocumentationPartInput.location.type", &LOCATIONS)?;
    check_properties(&properties)?;
    let part = DocumentationPart { id: call.new_id(), location: located(location), properties };
    let api = call.api_mut(api)?;
    if api.documentation_parts.values().any(|each| each.location == part.location) {
        return Err(conflict("Documentation part already exists for the specified location"));
    }
    let answer = created(&part);
    api.documentation_parts.insert(part.id.clone(), part);
    Ok(answer)
}

fn check_properties(properties: &str) -> Answer<()> {
    if properties.is_empty() {
        // The words are a guess.
        return Err(bad_request("Documentation part properties must be non-empty"));
    }
    Ok(())
}

fn update_part(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let patches = patch::read(call, "updateDocumentationPartInput")?;
    let mut draft = part(call, api, id)?.clone();
    for patch in &patches {
        patch_paths::check(patch, PART_PATHS)?;
        check_properties(patch.text())?;
        patch.text().clone_into(&mut draft.properties);
    }
    let answer = ok(&draft);
    call.api_mut(api)?.documentation_parts.insert(id.to_owned(), draft);
    Ok(answer)
}

/// `ImportDocumentationParts`: the parts of a document, and nothing else of it.
fn import_parts(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let mode = call.request.parameter("mode").unwrap_or("merge");
    one_of(mode, "importDocumentationPartsInput.mode", &["merge", "overwrite"])?;
    let parts = import::documentation(&call.request.body)
        .map_err(|_| bad_request("Unable to build importer with provided input."))?;
    let mut all = call.api(api)?.documentation_parts.clone();
    if mode == "overwrite" {
        all.clear();
    }
    let mut ids = Vec::new();
    for (location, properties) in parts {
        let old = all.values().find(|part| part.location == location).map(|part| part.id.clone());
        let id = old.unwrap_or_else(|| call.new_id());
        ids.push(id.clone());
        all.insert(id.clone(), DocumentationPart { id, location, properties });
    }
    call.api_mut(api)?.documentation_parts = all;
    Ok(ok(&json!({ "ids": ids })))
}

fn create_version(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let VersionInput { documentation_version, stage_name, description } = call.body()?;
    let name = required(documentation_version, "createDocumentationVersionInput.documentationVersion")?;
    let version = DocumentationVersion { version: name.clone(), created_date: call.now(), description };
    let api = call.api_mut(api)?;
    if api.documentation_versions.contains_key(&name) {
        return Err(conflict("Documentation version already exists"));
    }
    if let Some(stage) = stage_name {
        let stage = api.stages.get_mut(&stage).ok_or_else(stages::no_stage)?;
        stage.documentation_version = Some(name.clone());
    }
    let answer = created(&version);
    api.documentation_versions.insert(name, version);
    Ok(answer)
}

fn update_version(call: &mut Call<'_, '_>, api: &str, name: &str) -> Answer {
    let patches = patch::read(call, "updateDocumentationVersionInput")?;
    let versions = &mut call.api_mut(api)?.documentation_versions;
    let mut draft = versions.get(name).ok_or_else(no_version)?.clone();
    for patch in &patches {
        patch_paths::check(patch, VERSION_PATHS)?;
        draft.description = patch.text_or_none();
    }
    let answer = ok(&draft);
    versions.insert(name.to_owned(), draft);
    Ok(answer)
}

fn delete_version(call: &mut Call<'_, '_>, api: &str, name: &str) -> Answer {
    let api = call.api_mut(api)?;
    api.documentation_versions.get(name).ok_or_else(no_version)?;
    if let Some(stage) = api.stages.values().find(|stage| stage.documentation_version.as_deref() == Some(name)) {
        // The words are a guess.
        return Err(bad_request(format!(
            "Cannot delete documentation version '{name}', is referenced in stage: {}",
            stage.stage_name
        )));
    }
    api.documentation_versions.remove(name);
    Ok(accepted())
}

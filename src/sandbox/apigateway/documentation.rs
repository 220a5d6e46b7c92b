//! Documentation parts and versions, as far as stages refer to them.

use serde::Deserialize;
use serde_json::Value;

use super::errors::{Answer, conflict, not_found, one_of, required};
use super::state::{DocumentationPart, DocumentationVersion};
use super::{Call, accepted, created, ok};

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
        ("GET", ["parts"]) => call.page(call.api(api)?.documentation_parts.values()),
        ("GET", ["parts", id]) => {
            let part = call.api(api).ok().and_then(|api| api.documentation_parts.get(*id));
            Ok(ok(part.ok_or_else(|| not_found("Invalid Documentation part identifier specified"))?))
        }
        ("POST", ["parts"]) => create_part(call, api),
        ("DELETE", ["parts", id]) => {
            let removed = call.api_mut(api)?.documentation_parts.remove(*id);
            removed.ok_or_else(|| not_found("Invalid Documentation part identifier specified"))?;
            Ok(accepted())
        }
        ("GET", ["versions"]) => call.page(call.api(api)?.documentation_versions.values()),
        ("GET", ["versions", name]) => {
            let version = call.api(api)?.documentation_versions.get(*name);
            Ok(ok(version.ok_or_else(|| not_found("Invalid Documentation version specified"))?))
        }
        ("POST", ["versions"]) => create_version(call, api),
        _ => Err(call.unknown()),
    }
}

fn create_part(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let PartInput { location, properties } = call.body()?;
    let location = required(location, "createDocumentationPartInput.location")?;
    let properties = required(properties, "createDocumentationPartInput.properties")?;
    let kind = required(location.get("type").and_then(Value::as_str), "createDocumentationPartInput.location.type")?;
    one_of(kind, "createDocumentationPartInput.location.type", &LOCATIONS)?;
    let part = DocumentationPart { id: call.new_id(), location, properties };
    let api = call.api_mut(api)?;
    if api.documentation_parts.values().any(|each| each.location == part.location) {
        return Err(conflict("Documentation part already exists for the specified location"));
    }
    let answer = created(&part);
    api.documentation_parts.insert(part.id.clone(), part);
    Ok(answer)
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
        let stage = api.stages.get_mut(&stage).ok_or_else(super::stages::no_stage)?;
        stage.documentation_version = Some(name.clone());
    }
    let answer = created(&version);
    api.documentation_versions.insert(name, version);
    Ok(answer)
}

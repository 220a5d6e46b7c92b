//! Models: JSON schemas with names.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::errors::{Answer, Refusal, bad_request, conflict, not_found, required};
use super::state::{Definition, Model};
use super::{Call, accepted, created, export, mapping, model_update, ok};

/// The types of JSON schema draft 4.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    description: Option<String>,
    schema: Option<String>,
    content_type: Option<String>,
}

/// `/restapis/{api}/models…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.definition(api)?.models.values()),
        ("GET", [name]) => {
            // A missing API is a missing model here (recorded).
            let model = call.definition(api).ok().and_then(|definition| definition.models.get(*name));
            Ok(ok(model.ok_or_else(|| no_model(name))?))
        }
        ("GET", [name, "default_template"]) => model_update::template(call, api, name),
        ("POST", []) => create(call, api),
        ("PATCH", [name]) => model_update::update(call, api, name),
        ("DELETE", [name]) => delete(call, api, name),
        _ => Err(call.unknown()),
    }
}

/// No such model.
pub(super) fn no_model(name: &str) -> Refusal {
    not_found(format!("Invalid model name specified: {name}"))
}

/// The models that `CreateRestApi` makes. An import makes none (recorded).
pub(super) fn defaults(call: &mut Call<'_, '_>) -> BTreeMap<String, Model> {
    let mut model = |name: &str, kind: &str, schema: &str| Model {
        id: call.new_id(),
        name: name.to_owned(),
        description: Some(format!("This is a default {kind} schema model")),
        schema: schema.to_owned(),
        content_type: "application/json".into(),
    };
    let empty = "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \
                 \"type\" : \"object\"\n}";
    let error = "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \
                 \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}";
    [model("Empty", "empty", empty), model("Error", "error", error)]
        .into_iter()
        .map(|model| (model.name.clone(), model))
        .collect()
}

/// Refuses a model name that is not letters and digits.
pub(super) fn check_name(name: &str) -> Answer<()> {
    if name.is_empty() {
        return Err(bad_request("Model name must be non-empty"));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(bad_request(format!("Model name must be alphanumeric: {name}")));
    }
    Ok(())
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let input: CreateInput = call.body()?;
    let name = required(input.name, "createModelInput.name")?;
    let content_type = required(input.content_type, "createModelInput.contentType")?;
    let id = call.new_id();
    let definition = call.definition_mut(api)?;
    check_name(&name)?;
    if !mapping::is_content_type(&content_type) {
        return Err(bad_request(format!("Invalid content type specified: {content_type}")));
    }
    let schema = input.schema.unwrap_or_default();
    if schema.trim().is_empty() {
        return Err(bad_request("Model schema must have at least 1 property or array items defined"));
    }
    if content_type.contains("json") {
        let parsed: Value = serde_json::from_str(&schema).map_err(|_| invalid_schema())?;
        check_schema(&parsed, &|model| model == name || definition.models.contains_key(model))?;
    }
    if definition.models.contains_key(&name) {
        return Err(conflict("Model name already exists for this REST API"));
    }
    // An empty description is none (recorded).
    let model = Model {
        id,
        name: name.clone(),
        description: input.description.filter(|text| !text.is_empty()),
        schema,
        content_type,
    };
    let answer = created(&model);
    definition.models.insert(name, model);
    Ok(answer)
}

/// Refuses what is no schema, and references to models that are not there.
pub(super) fn check_schema(schema: &Value, exists: &dyn Fn(&str) -> bool) -> Answer<()> {
    let typed = schema.get("type").and_then(Value::as_str).is_none_or(|kind| TYPES.contains(&kind));
    let linked = references(schema)
        .iter()
        .all(|reference| export::model_of(reference).map_or_else(|| reference.starts_with('#'), exists));
    if schema.is_object() && typed && linked { Ok(()) } else { Err(invalid_schema()) }
}

/// Everything that a schema refers to.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn invalid_schema() -> Refusal {
    bad_request("Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]")
}

/// The model whose schema refers to another one.
fn referrer<'d>(definition: &'d Definition, name: &str) -> Option<&'d Model> {
    definition.models.values().find(|model| {
        let schema: Value = serde_json::from_str(&model.schema).unwrap_or_default();
        model.name != name && references(&schema).into_iter().filter_map(export::model_of).any(|other| other == name)
    })
}

fn delete(call: &mut Call<'_, '_>, api: &str, name: &str) -> Answer {
    let definition = call.definition_mut(api).map_err(|_| no_model(name))?;
    for resource in definition.resources.values() {
        for method in resource.resource_methods.values() {
            let path = format!("{}/{}", resource.path, method.http_method);
            if method.request_models.iter().flatten().any(|(_, model)| model == name) {
                return Err(conflict(format!("Cannot delete model '{name}', is referenced in method request: {path}")));
            }
            let mut responses = method.method_responses.values();
            if responses.any(|response| response.response_models.iter().flatten().any(|(_, model)| model == name)) {
                return Err(conflict(format!(
                    "Cannot delete model '{name}', is referenced in method response: {path}"
                )));
            }
        }
    }
    if let Some(model) = referrer(definition, name) {
        // How the service puts it is not known beyond that it refuses.
        return Err(conflict(format!("Cannot delete model '{name}', is referenced in model: {}", model.name)));
    }
    definition.models.remove(name).ok_or_else(|| not_found(format!("Invalid model name specified: {name}")))?;
    Ok(accepted())
}

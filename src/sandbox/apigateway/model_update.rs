//! Changes of a model, and the mapping template that is generated from it.

use serde_json::{Value, json};

use super::errors::{Answer, bad_request};
use super::models::no_model;
use super::patch_paths::{self, Paths};
use super::state::Model;
use super::{Call, model_template, ok, patch};

const PATHS: &Paths = &[("replace", &["/description", "/schema"])];

/// `GetModelTemplate`.
pub(super) fn template(call: &Call<'_, '_>, api: &str, name: &str) -> Answer {
    let schema = &find(call, api, name)?.schema;
    Ok(ok(&json!({ "value": model_template::generate(call.definition(api)?, schema)? })))
}

/// `UpdateModel`, as recorded.
pub(super) fn update(call: &mut Call<'_, '_>, api: &str, name: &str) -> Answer {
    let patches = patch::read(call, "updateModelInput")?;
    let mut draft = find(call, api, name)?.clone();
    for patch in &patches {
        patch_paths::check(patch, PATHS)?;
        if patch.path == "/schema" {
            check(patch.text())?;
            patch.text().clone_into(&mut draft.schema);
        } else {
            draft.description = patch.text_or_none();
        }
    }
    let answer = ok(&draft);
    call.definition_mut(api)?.models.insert(name.to_owned(), draft);
    Ok(answer)
}

/// A model; a missing API is a missing model here (recorded).
fn find<'c>(call: &'c Call<'_, '_>, api: &str, name: &str) -> Answer<&'c Model> {
    let found = call.definition(api).ok().and_then(|definition| definition.models.get(name));
    found.ok_or_else(|| no_model(name))
}

fn check(schema: &str) -> Answer<()> {
    if schema.is_empty() {
        return Err(bad_request("Model schema must have at least 1 property or array items defined"));
    }
    serde_json::from_str::<Value>(schema).map(drop).map_err(|_| {
        bad_request(
            "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
        )
    })
}

//! Request validators: what is checked before the integration is called. Answers and refusals are recorded (2024, 2025).

use serde::Deserialize;

use super::errors::{Answer, Refusal, bad_request, conflict, not_found};
use super::patch_paths::{self, Paths};
use super::state::RequestValidator;
use super::{Call, accepted, created, ok, patch};

const PATHS: &Paths = &[("replace", &["/name", "/validateRequestParameters", "/validateRequestBody"])];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    validate_request_body: Option<bool>,
    validate_request_parameters: Option<bool>,
}

/// `/restapis/{api}/requestvalidators…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.definition(api)?.request_validators.values()),
        ("GET", [id]) => Ok(ok(find(call, api, id)?)),
        ("POST", []) => create(call, api),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => delete(call, api, id),
        _ => Err(call.unknown()),
    }
}

/// A method names a validator that its API does not have.
pub(super) fn invalid() -> Refusal {
    bad_request("Invalid Request Validator identifier specified")
}

/// A validator; a missing API is a missing validator here.
fn find<'c>(call: &'c Call<'_, '_>, api: &str, id: &str) -> Answer<&'c RequestValidator> {
    let found = call.definition(api).ok().and_then(|definition| definition.request_validators.get(id));
    found.ok_or_else(|| not_found("Invalid Request Validator identifier specified"))
}

fn check(validator: &RequestValidator) -> Answer<()> {
    if validator.name.trim().is_empty() {
        return Err(bad_request("Request Validator name cannot be blank"));
    }
    Ok(())
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let CreateInput { name, validate_request_body, validate_request_parameters } = call.body()?;
    let id = call.new_id();
    let definition = call.definition_mut(api).map_err(|_| bad_request("Invalid REST API identifier specified"))?;
    let validator = RequestValidator {
        id: id.clone(),
        name: name.unwrap_or_default(),
        validate_request_body: validate_request_body.unwrap_or_default(),
        validate_request_parameters: validate_request_parameters.unwrap_or_default(),
    };
    check(&validator)?;
    let answer = created(&validator);
    definition.request_validators.insert(id, validator);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let patches = patch::read(call, "updateRequestValidatorInput")?;
    let mut draft = find(call, api, id)?.clone();
    for patch in &patches {
        patch_paths::check(patch, PATHS)?;
        match patch.path.as_str() {
            "/name" => patch.text().clone_into(&mut draft.name),
            "/validateRequestBody" => draft.validate_request_body = patch.flag(),
            _ => draft.validate_request_parameters = patch.flag(),
        }
    }
    check(&draft)?;
    let answer = ok(&draft);
    call.definition_mut(api)?.request_validators.insert(id.to_owned(), draft);
    Ok(answer)
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let name = find(call, api, id)?.name.clone();
    let definition = call.definition_mut(api)?;
    for resource in definition.resources.values() {
        for method in resource.resource_methods.values() {
            if method.request_validator_id.as_deref() == Some(id) {
                // The words are a guess, after those for an authorizer.
                return Err(conflict(format!(
                    "Cannot delete validator '{name}', is referenced in method: {}/{}",
                    resource.path, method.http_method
                )));
            }
        }
    }
    definition.request_validators.remove(id);
    Ok(accepted())
}

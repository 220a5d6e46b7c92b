//! Methods of resources.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::errors::{Answer, bad_request, conflict, patch_path, required};
use super::patch::Patch;
use super::state::{Definition, Method, Strings};
use super::{Call, Place, created, integrations, mapping, method_responses, no_content, ok, patch};

/// The HTTP methods of the service, in the order its messages name them.
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutInput {
    authorization_type: Option<String>,
    authorizer_id: Option<String>,
    api_key_required: Option<bool>,
    operation_name: Option<String>,
    request_parameters: Option<BTreeMap<String, bool>>,
    request_models: Option<Strings>,
    request_validator_id: Option<String>,
    authorization_scopes: Option<Vec<String>>,
}

/// `/restapis/{api}/resources/{resource}/methods/{method}…`.
pub(super) fn route(call: &mut Call<'_, '_>, place: Place<'_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => Ok(ok(call.method(&place)?)),
        ("PUT", []) => put(call, &place),
        ("PATCH", []) => update(call, &place),
        ("DELETE", []) => {
            call.method(&place)?;
            call.resource_mut(place.api, place.resource)?.resource_methods.remove(place.method);
            Ok(no_content())
        }
        (_, ["responses", status]) => method_responses::route(call, &place, status),
        (_, ["integration", rest @ ..]) => integrations::route(call, &place, rest),
        _ => Err(call.unknown()),
    }
}

/// Refuses an HTTP method that the service does not have.
pub(super) fn check_name(method: &str) -> Answer<()> {
    if METHODS.contains(&method) {
        return Ok(());
    }
    Err(bad_request(format!("Invalid HttpMethod specified. Valid options are {}", METHODS.join(","))))
}

/// Checks a method against the rest of its API, in the order the service checks (recorded).
pub(super) fn check(definition: &Definition, method: &Method) -> Answer<()> {
    check_name(&method.http_method)?;
    let wanted: &[&str] = match method.authorization_type.as_str() {
        "NONE" | "AWS_IAM" => &[],
        "CUSTOM" => &["TOKEN", "REQUEST"],
        "COGNITO_USER_POOLS" => &["COGNITO_USER_POOLS"],
        _ => {
            return Err(bad_request(
                "Invalid Authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS",
            ));
        }
    };
    if !wanted.is_empty() {
        let authorizer = method.authorizer_id.as_deref().and_then(|id| definition.authorizer(id));
        if !authorizer.is_some_and(|authorizer| wanted.contains(&authorizer.r#type.as_str())) {
            return Err(bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS \
                 requires a valid authorizer.",
            ));
        }
    }
    if let Some(validator) = &method.request_validator_id
        && !definition.request_validators.contains_key(validator)
    {
        return Err(super::request_validators::invalid());
    }
    if !method.authorization_scopes.is_empty() && method.authorization_type != "COGNITO_USER_POOLS" {
        return Err(bad_request("Authorization Scopes are only valid for COGNITO_USER_POOLS authorization type"));
    }
    check_models(definition, method.request_models.as_ref())?;
    method.request_parameters.as_ref().map_or(Ok(()), mapping::declared_request)
}

/// Refuses models that the API does not have.
pub(super) fn check_models(definition: &Definition, models: Option<&Strings>) -> Answer<()> {
    match models.iter().flat_map(|models| models.values()).find(|name| !definition.models.contains_key(*name)) {
        Some(name) => Err(bad_request(format!("Invalid model identifier specified: {name}"))),
        None => Ok(()),
    }
}

fn put(call: &mut Call<'_, '_>, place: &Place<'_>) -> Answer {
    let input: PutInput = call.body()?;
    // Any case is taken (recorded in `usage-plans`); that it is kept in capitals is a guess.
    let authorization_type =
        required(input.authorization_type, "putMethodInput.authorizationType")?.to_ascii_uppercase();
    let resource = call.resource(place.api, place.resource)?;
    let exists = resource.resource_methods.contains_key(place.method);
    let guarded = matches!(authorization_type.as_str(), "CUSTOM" | "COGNITO_USER_POOLS");
    let method = Method {
        http_method: place.method.to_owned(),
        authorizer_id: input.authorizer_id.filter(|id| guarded && !id.is_empty()),
        authorization_type,
        api_key_required: input.api_key_required.unwrap_or_default(),
        operation_name: input.operation_name,
        request_parameters: input.request_parameters,
        request_models: input.request_models,
        request_validator_id: input.request_validator_id.filter(|id| !id.is_empty()),
        authorization_scopes: input.authorization_scopes.unwrap_or_default(),
        ..Method::default()
    };
    check(call.definition(place.api)?, &method)?;
    if exists {
        return Err(conflict("Method already exists for this resource"));
    }
    let answer = created(&method);
    let resource = call.resource_mut(place.api, place.resource)?;
    resource.resource_methods.insert(place.method.to_owned(), method);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, place: &Place<'_>) -> Answer {
    let patches = patch::read(call, "updateMethodInput")?;
    let mut draft = call.method(place)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    if !matches!(draft.authorization_type.as_str(), "CUSTOM" | "COGNITO_USER_POOLS") {
        draft.authorizer_id = None;
    }
    check(call.definition(place.api)?, &draft)?;
    let method = call.method_mut(place)?;
    *method = draft;
    let mut shown = method.clone();
    // An update shows the method alone; its integration and responses are read with GetMethod.
    shown.method_integration = None;
    shown.method_responses = BTreeMap::new();
    Ok(ok(&shown))
}

fn apply(method: &mut Method, patch: &Patch) -> Answer<()> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["requestParameters", name] => {
            patch.optional_entry(
                &mut method.request_parameters,
                name,
                patch.flag(),
                "Invalid parameter name specified",
            )?;
        }
        ["requestModels", content_type] => {
            let model = patch.text().to_owned();
            let absent = "Content-Type specified was not found";
            patch.optional_entry(&mut method.request_models, content_type, model, absent)?;
        }
        ["authorizationScopes"] => patch.item(&mut method.authorization_scopes, patch.text())?,
        ["authorizationScopes", scope] => patch.item(&mut method.authorization_scopes, scope)?,
        [member] => {
            let target = match *member {
                "apiKeyRequired" => {
                    patch.only_replace()?;
                    method.api_key_required = patch.flag();
                    return Ok(());
                }
                "authorizationType" => {
                    patch.only_replace()?;
                    method.authorization_type = patch.text().to_ascii_uppercase();
                    return Ok(());
                }
                "authorizerId" => &mut method.authorizer_id,
                "operationName" => &mut method.operation_name,
                "requestValidatorId" => &mut method.request_validator_id,
                _ => return Err(patch_path(&patch.path)),
            };
            patch.only_replace()?;
            *target = patch.text_or_none();
        }
        _ => return Err(patch_path(&patch.path)),
    }
    Ok(())
}

/// The integration of a method.
pub(super) fn integration(method: &Method) -> Answer<&super::state::Integration> {
    method.method_integration.as_ref().ok_or_else(integrations::no_integration)
}

//! Integration responses: how a backend's answer becomes the method's.

use serde::Deserialize;

use super::errors::{Answer, bad_request, no_status, one_of, patch_path, status_code};
use super::patch::Patch;
use super::state::{IntegrationResponse, Method, Strings};
use super::{Call, Place, created, integrations, mapping, methods, no_content, ok, patch};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutInput {
    selection_pattern: Option<String>,
    response_parameters: Option<Strings>,
    response_templates: Option<Strings>,
    content_handling: Option<String>,
}

/// `…/methods/{method}/integration/responses/{status}`.
pub(super) fn route(call: &mut Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer {
    status_code(status, "statusCode")?;
    match call.verb() {
        "GET" => Ok(ok(get(call, place, status)?)),
        "PUT" => put(call, place, status),
        "PATCH" => update(call, place, status),
        "DELETE" => {
            // Here a missing method is a missing integration (recorded).
            call.resource(place.api, place.resource)?;
            let method = call.method_mut(place).map_err(|_| integrations::no_integration())?;
            let integration = method.method_integration.as_mut().ok_or_else(integrations::no_integration)?;
            integration.integration_responses.remove(status).ok_or_else(no_status)?;
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

/// Checks a response against the method it belongs to.
pub(super) fn check(response: &IntegrationResponse, method: &Method) -> Answer<()> {
    if let Some(handling) = &response.content_handling {
        one_of(handling, "putIntegrationResponseInput.contentHandling", &["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"])?;
    }
    mapping::content_types(response.response_templates.as_ref())?;
    if response.selection_pattern.as_deref().is_some_and(|pattern| !mapping::is_pattern(pattern)) {
        return Err(bad_request("Invalid regex pattern specified"));
    }
    let declared = method.method_responses.get(&response.status_code);
    let declared = declared.and_then(|declared| declared.response_parameters.as_ref());
    response.response_parameters.as_ref().map_or(Ok(()), |mappings| mapping::response(mappings, declared))
}

fn get<'c>(call: &'c Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer<&'c IntegrationResponse> {
    let integration = methods::integration(call.method(place)?)?;
    integration.integration_responses.get(status).ok_or_else(no_status)
}

fn put(call: &mut Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer {
    let PutInput { selection_pattern, response_parameters, response_templates, content_handling } = call.body()?;
    let response = IntegrationResponse {
        status_code: status.to_owned(),
        selection_pattern,
        response_parameters,
        response_templates,
        content_handling: content_handling.filter(|handling| !handling.is_empty()),
    };
    store(call, place, response.clone())?;
    Ok(created(&response))
}

fn update(call: &mut Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer {
    let patches = patch::read(call, "updateIntegrationResponseInput")?;
    let mut draft = get(call, place, status)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    store(call, place, draft.clone())?;
    Ok(ok(&draft))
}

fn store(call: &mut Call<'_, '_>, place: &Place<'_>, response: IntegrationResponse) -> Answer<()> {
    let method = call.method_mut(place)?;
    methods::integration(method)?;
    check(&response, method)?;
    if let Some(integration) = &mut method.method_integration {
        integration.integration_responses.insert(response.status_code.clone(), response);
    }
    Ok(())
}

fn apply(response: &mut IntegrationResponse, patch: &Patch) -> Answer<()> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["responseParameters", name] => {
            let absent = "Invalid parameter name specified";
            patch.optional_entry(&mut response.response_parameters, name, patch.text().to_owned(), absent)
        }
        ["responseTemplates", content_type] => {
            let absent = "Content-Type specified was not found";
            patch.optional_entry(&mut response.response_templates, content_type, patch.text().to_owned(), absent)
        }
        ["selectionPattern"] => {
            patch.only_replace()?;
            response.selection_pattern.clone_from(&patch.value);
            Ok(())
        }
        ["contentHandling"] => {
            patch.only_replace()?;
            response.content_handling = patch.text_or_none();
            Ok(())
        }
        _ => Err(patch_path(&patch.path)),
    }
}

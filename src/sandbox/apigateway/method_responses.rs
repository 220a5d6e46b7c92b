//! Method responses: what a method may answer.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::errors::{Answer, conflict, no_status, patch_path, status_code};
use super::patch::Patch;
use super::state::{MethodResponse, Strings};
use super::{Call, Place, created, mapping, methods, no_content, ok, patch};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutInput {
    response_parameters: Option<BTreeMap<String, bool>>,
    response_models: Option<Strings>,
}

/// `…/methods/{method}/responses/{status}`.
pub(super) fn route(call: &mut Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer {
    let verb = call.verb().to_owned();
    if verb == "PATCH" {
        return update(call, place, status);
    }
    status_code(status, "statusCode")?;
    match verb.as_str() {
        "GET" => Ok(ok(call.method(place)?.method_responses.get(status).ok_or_else(no_status)?)),
        "PUT" => put(call, place, status),
        "DELETE" => {
            call.method_mut(place)?.method_responses.remove(status).ok_or_else(no_status)?;
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

fn put(call: &mut Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer {
    let PutInput { response_parameters, response_models } = call.body()?;
    if call.method(place)?.method_responses.contains_key(status) {
        return Err(conflict("Response already exists for this resource"));
    }
    let response = MethodResponse { status_code: status.to_owned(), response_parameters, response_models };
    check(call, place, &response)?;
    let answer = created(&response);
    call.method_mut(place)?.method_responses.insert(status.to_owned(), response);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, place: &Place<'_>, status: &str) -> Answer {
    // The front end names the faults of the operations before that of the status (recorded), so both are read first.
    let patches = patch::read(call, "updateMethodResponseInput");
    let checked = status_code(status, "statusCode");
    let patches = match (patches, checked) {
        (Err(one), Err(two)) if one.code == "ValidationException" => return Err(join(&one.message, &two.message)),
        (patches, checked) => {
            let patches = patches?;
            checked?;
            patches
        }
    };
    let mut draft = call.method(place)?.method_responses.get(status).ok_or_else(no_status)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    check(call, place, &draft)?;
    let answer = created(&draft);
    call.method_mut(place)?.method_responses.insert(status.to_owned(), draft);
    Ok(answer)
}

fn join(one: &str, two: &str) -> super::errors::Refusal {
    let faults =
        |message: &str| message.split_once("detected: ").map_or_else(String::new, |(_, faults)| faults.to_owned());
    let all = format!("{}; {}", faults(one), faults(two));
    super::errors::validation(&all.split("; ").map(str::to_owned).collect::<Vec<_>>())
}

fn check(call: &Call<'_, '_>, place: &Place<'_>, response: &MethodResponse) -> Answer<()> {
    methods::check_models(call.definition(place.api)?, response.response_models.as_ref())?;
    response.response_parameters.as_ref().map_or(Ok(()), mapping::declared_response)
}

fn apply(response: &mut MethodResponse, patch: &Patch) -> Answer<()> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["responseParameters", name] => {
            let absent = "Invalid parameter name specified";
            patch.optional_entry(&mut response.response_parameters, name, patch.flag(), absent)
        }
        ["responseModels", content_type] => {
            let absent = "Content-Type specified was not found";
            patch.optional_entry(&mut response.response_models, content_type, patch.text().to_owned(), absent)
        }
        _ => Err(patch_path(&patch.path)),
    }
}

//! Gateway responses: what API Gateway itself answers. What is not set is generated, from `DEFAULT_4XX` or `DEFAULT_5XX`
//! where those are set (recorded).

use serde::Deserialize;

use super::ResponseType;
use super::errors::{Answer, bad_request, not_found, not_in_set, patch_path, status_code, validation};
use super::patch::Patch;
use super::state::{Definition, GatewayResponse, Strings};
use super::{Call, accepted, created, mapping, ok, patch};

const JSON_TEMPLATE: &str = "{\"message\":$context.error.messageString}";

/// A gateway response as a client gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GatewayResponseInput {
    pub(super) status_code: Option<String>,
    pub(super) response_parameters: Option<Strings>,
    pub(super) response_templates: Option<Strings>,
}

/// `/restapis/{api}/gatewayresponses…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    let [kind] = rest else {
        return match (call.verb(), rest) {
            ("GET", []) => {
                let definition = call.definition(api)?;
                let mut all: Vec<_> = ResponseType::ALL.into_iter().map(|kind| effective(definition, kind)).collect();
                all.sort_by(|one, other| one.response_type.cmp(&other.response_type));
                call.page(all)
            }
            _ => Err(call.unknown()),
        };
    };
    let definition = call.definition(api)?;
    let kind = named(kind)?;
    match call.verb() {
        "GET" => Ok(ok(&effective(definition, kind))),
        "PUT" => put(call, api, kind),
        "PATCH" => update(call, api, kind),
        "DELETE" => {
            let removed = call.definition_mut(api)?.gateway_responses.remove(kind.name());
            removed.ok_or_else(|| not_found("Gateway response type not defined on api"))?;
            Ok(accepted())
        }
        _ => Err(call.unknown()),
    }
}

/// The response of a type as it is in effect: set, or generated.
pub(in crate::sandbox) fn effective(definition: &Definition, kind: ResponseType) -> GatewayResponse {
    if let Some(set) = definition.gateway_responses.get(kind.name()) {
        return set.clone();
    }
    let base = definition.gateway_responses.get(kind.base().name());
    GatewayResponse {
        response_type: kind.name().to_owned(),
        status_code: base.and_then(|base| base.status_code.clone()).or_else(|| kind.status().map(str::to_owned)),
        response_parameters: base.map(|base| base.response_parameters.clone()).unwrap_or_default(),
        response_templates: base.map_or_else(default_templates, |base| base.response_templates.clone()),
        default_response: true,
    }
}

/// Checks a response that is set and gives it with what the service fills in. It does not inherit (recorded).
pub(super) fn complete(kind: &str, input: GatewayResponseInput) -> Answer<GatewayResponse> {
    let own = named(kind)?;
    let response = GatewayResponse {
        response_type: kind.to_owned(),
        status_code: input.status_code.or_else(|| own.status().map(str::to_owned)),
        response_parameters: input.response_parameters.unwrap_or_default(),
        response_templates: input
            .response_templates
            .filter(|templates| !templates.is_empty())
            .unwrap_or_else(default_templates),
        default_response: false,
    };
    check(&response)?;
    Ok(response)
}

fn put(call: &mut Call<'_, '_>, api: &str, kind: ResponseType) -> Answer {
    let response = complete(kind.name(), call.body()?)?;
    let answer = created(&response);
    call.definition_mut(api)?.gateway_responses.insert(kind.name().to_owned(), response);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, kind: ResponseType) -> Answer {
    let patches = patch::read(call, "updateGatewayResponseInput")?;
    let mut draft = effective(call.definition(api)?, kind);
    draft.default_response = false;
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    check(&draft)?;
    let answer = ok(&draft);
    call.definition_mut(api)?.gateway_responses.insert(kind.name().to_owned(), draft);
    Ok(answer)
}

fn apply(response: &mut GatewayResponse, patch: &Patch) -> Answer<()> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let filled = |list: &str| {
        let empty = patch.op != "remove" && patch.text().is_empty();
        if empty {
            Err(bad_request(format!("Invalid null or empty value in {list}")))
        } else {
            Ok(patch.text().to_owned())
        }
    };
    match segments.as_slice() {
        ["statusCode"] if patch.op == "replace" => {
            response.status_code = patch.text_or_none();
            Ok(())
        }
        ["responseParameters", name] => {
            let value = filled("responseParameters")?;
            patch.entry(&mut response.response_parameters, name, value, "Invalid parameter name specified")
        }
        ["responseTemplates", content_type] => {
            let value = filled("responseTemplates")?;
            let absent = "Content-Type specified was not found";
            patch.entry(&mut response.response_templates, content_type, value, absent)
        }
        _ => Err(patch_path(&patch.path)),
    }
}

fn named(kind: &str) -> Answer<ResponseType> {
    ResponseType::named(kind).ok_or_else(|| {
        let names = ResponseType::ALL.map(ResponseType::name);
        validation(&[not_in_set(kind, "responseType", &names)])
    })
}

fn check(response: &GatewayResponse) -> Answer<()> {
    if let Some(status) = &response.status_code {
        status_code(status, "putGatewayResponseInput.statusCode")?;
    }
    mapping::gateway_response(&response.response_parameters)
}

fn default_templates() -> Strings {
    Strings::from([("application/json".to_owned(), JSON_TEMPLATE.to_owned())])
}

//! HTTP APIs themselves.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, created, no_content, ok, put, timestamp, to_json};
use super::errors::{Answer, bad_request, length, limit_exceeded, not_here, one_of, required};
use super::state::{Api, Cors, Strings};
use super::{api_mappings, cors, deployments, tags};
use crate::sandbox::wire::Caller;

/// HTTP APIs that one Region of an account may have (API Gateway's quotas: 600 Regional APIs of either kind).
const LIMIT: usize = 600;

/// The only route selection expression of HTTP APIs; the reference writes it with braces, the service without.
const SELECTION: [&str; 2] = ["$request.method $request.path", "${request.method} ${request.path}"];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    api_key_selection_expression: Option<String>,
    cors_configuration: Option<Cors>,
    credentials_arn: Option<String>,
    description: Option<String>,
    disable_execute_api_endpoint: Option<bool>,
    disable_schema_validation: Option<bool>,
    ip_address_type: Option<String>,
    name: Option<String>,
    protocol_type: Option<String>,
    route_key: Option<String>,
    route_selection_expression: Option<String>,
    tags: Option<Strings>,
    target: Option<String>,
    version: Option<String>,
}

/// `/v2/apis`.
pub(super) fn collection(call: &mut Call<'_, '_>) -> Answer {
    match call.verb() {
        "GET" => call.page(call.state().apis.iter().map(|api| describe(api, call.caller()))),
        "POST" => create(call),
        _ => Err(call.unknown()),
    }
}

/// `/v2/apis/{api}`.
pub(super) fn one(call: &mut Call<'_, '_>, id: &str) -> Answer {
    match call.verb() {
        "GET" => Ok(ok(&describe(call.api(id)?, call.caller()))),
        "PATCH" => update(call, id),
        "DELETE" => delete(call, id),
        _ => Err(call.unknown()),
    }
}

fn describe(api: &Api, caller: &Caller) -> Value {
    let (region, suffix) = (&caller.region, caller.dns_suffix());
    let mut shown = json!({
        "apiEndpoint": format!("https://{}.execute-api.{region}.{suffix}", api.id),
        "apiId": api.id,
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "createdDate": timestamp(api.created),
        "disableExecuteApiEndpoint": api.disable_execute_api_endpoint,
        "ipAddressType": api.ip_address_type,
        "name": api.name,
        "protocolType": "HTTP",
        "routeSelectionExpression": SELECTION[0],
        "tags": api.tags,
    });
    for (member, text) in [("description", &api.description), ("version", &api.version)] {
        if let Some(text) = text {
            shown[member] = text.as_str().into();
        }
    }
    if let Some(cors) = &api.definition.cors {
        shown["corsConfiguration"] = to_json(cors);
    }
    shown
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let mut input: Input = call.body()?;
    required(input.name.as_ref(), "name")?;
    let protocol = required(input.protocol_type.take(), "protocolType")?;
    // These words are those of a mock that follows the service closely, and of no report.
    one_of(&protocol, "protocol", &["HTTP", "WEBSOCKET"])?;
    if protocol == "WEBSOCKET" {
        return Err(not_here("WebSocket APIs"));
    }
    let given_tags = input.tags.take().unwrap_or_default();
    tags::check(&given_tags)?;
    let mut api = Api { created: call.now(), ip_address_type: "ipv4".into(), tags: given_tags, ..Api::default() };
    apply(&mut api, input)?;
    if call.state().apis.len() >= LIMIT {
        return Err(limit_exceeded("APIs"));
    }
    api.id = call.view.new_id(10);
    let answer = created(&describe(&api, call.caller()));
    call.state_mut().apis.push(api);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let input: Input = call.body()?;
    let held = call.api(id)?;
    let cors = held.definition.cors.clone();
    // Its deployments are left where they are: there may be many.
    let mut draft = Api {
        id: held.id.clone(),
        created: held.created,
        name: held.name.clone(),
        description: held.description.clone(),
        version: held.version.clone(),
        disable_execute_api_endpoint: held.disable_execute_api_endpoint,
        ip_address_type: held.ip_address_type.clone(),
        tags: held.tags.clone(),
        definition: held.definition.clone(),
        ..Api::default()
    };
    apply(&mut draft, input)?;
    let shown = describe(&draft, call.caller());
    let held = call.api_mut(id)?;
    let changed = draft.definition.cors != cors;
    (draft.deployments, draft.stages) = (std::mem::take(&mut held.deployments), std::mem::take(&mut held.stages));
    *held = draft;
    if changed {
        deployments::deploy_by_itself(call, id)?;
    }
    Ok(ok(&shown))
}

fn apply(api: &mut Api, input: Input) -> Answer<()> {
    let Input {
        api_key_selection_expression,
        cors_configuration,
        credentials_arn,
        description,
        disable_execute_api_endpoint,
        disable_schema_validation,
        ip_address_type,
        name,
        protocol_type: _,
        route_key,
        route_selection_expression,
        tags: _,
        target,
        version,
    } = input;
    if credentials_arn.is_some() || route_key.is_some() || target.is_some() {
        return Err(not_here("quick creation of an API (credentialsArn, routeKey, target)"));
    }
    // Members of WebSocket APIs. What is always so on HTTP APIs is taken; what AWS makes of the rest is a guess.
    if api_key_selection_expression.is_some_and(|text| text != "$request.header.x-api-key") {
        return Err(super::errors::only_websocket("apiKeySelectionExpression"));
    }
    if disable_schema_validation == Some(true) {
        return Err(super::errors::only_websocket("disableSchemaValidation"));
    }
    // That there is only this one is documented; the words are a guess.
    if route_selection_expression.is_some_and(|text| !SELECTION.contains(&text.as_str())) {
        return Err(bad_request(format!(
            "Invalid routeSelectionExpression specified. It must be {} for protocolType HTTP",
            SELECTION[0]
        )));
    }
    if let Some(name) = name {
        length(&name, "name", 1, 128)?;
        api.name = name;
    }
    if let Some(text) = &description {
        length(text, "description", 0, 1024)?;
    }
    if let Some(text) = &version {
        length(text, "version", 0, 64)?;
    }
    put(&mut api.description, description);
    put(&mut api.version, version);
    if let Some(disable) = disable_execute_api_endpoint {
        api.disable_execute_api_endpoint = disable;
    }
    if let Some(kind) = ip_address_type {
        one_of(&kind, "ipAddressType", &["ipv4", "dualstack"])?;
        api.ip_address_type = kind;
    }
    if let Some(configuration) = cors_configuration {
        api.definition.cors = cors::checked(configuration)?;
    }
    Ok(())
}

fn delete(call: &mut Call<'_, '_>, id: &str) -> Answer {
    call.api(id)?;
    api_mappings::check_api_unmapped(call, id)?;
    // All that is in it goes with it.
    call.state_mut().apis.retain(|api| api.id != id);
    Ok(no_content())
}

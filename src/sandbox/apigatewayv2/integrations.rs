//! Integrations.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::call::{Call, created, no_content, ok, put};
use super::errors::{Answer, conflict, length, limit_exceeded, not_found, not_here, only_websocket, required};
use super::state::{Integration, Strings, TlsConfig};
use super::{integration_rules, parameters};
use crate::sandbox::fault::Fault;

/// Integrations that one API may have (API Gateway's quotas).
const LIMIT: usize = 300;

/// How long a backend may take if nobody says, in milliseconds (service model).
const TIMEOUT: i64 = 30_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    connection_id: Option<String>,
    connection_type: Option<String>,
    content_handling_strategy: Option<String>,
    credentials_arn: Option<String>,
    description: Option<String>,
    integration_method: Option<String>,
    integration_subtype: Option<String>,
    integration_type: Option<String>,
    integration_uri: Option<String>,
    payload_format_version: Option<String>,
    request_parameters: Option<Strings>,
    request_templates: Option<Strings>,
    response_parameters: Option<BTreeMap<String, Strings>>,
    template_selection_expression: Option<String>,
    timeout_in_millis: Option<i64>,
    tls_config: Option<TlsConfig>,
}

/// `/v2/apis/{api}/integrations…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(&call.definition(api)?.integrations),
        ("POST", []) => create(call, api),
        ("GET", [id]) => Ok(ok(call.definition(api)?.integration(id).ok_or_else(|| no_integration(id))?)),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => delete(call, api, id),
        _ => Err(call.unknown()),
    }
}

/// No such integration.
pub(super) fn no_integration(id: &str) -> Fault {
    not_found(format!("Invalid Integration identifier specified {id}"))
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let input: Input = call.body()?;
    required(input.integration_type.as_ref(), "integrationType")?;
    let mut definition = call.definition(api)?.clone();
    let mut integration =
        Integration { connection_type: "INTERNET".into(), timeout_in_millis: TIMEOUT, ..Integration::default() };
    apply(&mut integration, input)?;
    integration_rules::check(&mut integration, call)?;
    if definition.integrations.len() >= LIMIT {
        return Err(limit_exceeded("integrations"));
    }
    integration.integration_id = call.view.new_id(7);
    let answer = created(&integration);
    definition.integrations.push(integration);
    call.define(api, definition)?;
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let input: Input = call.body()?;
    let mut definition = call.definition(api)?.clone();
    let mut integration = definition.integration(id).ok_or_else(|| no_integration(id))?.clone();
    apply(&mut integration, input)?;
    integration_rules::check(&mut integration, call)?;
    let answer = ok(&integration);
    let held = definition.integrations.iter_mut().filter(|held| held.integration_id == id);
    held.for_each(|held| held.clone_from(&integration));
    call.define(api, definition)?;
    Ok(answer)
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let mut definition = call.definition(api)?.clone();
    definition.integration(id).ok_or_else(|| no_integration(id))?;
    let routes = definition.routes.iter().filter(|route| route.integration_id() == Some(id));
    let routes: Vec<&str> = routes.map(|route| route.route_id.as_str()).collect();
    if !routes.is_empty() {
        // Reported.
        return Err(conflict(format!(
            "Cannot delete Integration because it is referenced by the following Routes with Ids: [{}]",
            routes.join(", ")
        )));
    }
    definition.integrations.retain(|held| held.integration_id != id);
    call.define(api, definition)?;
    Ok(no_content())
}

fn apply(integration: &mut Integration, input: Input) -> Answer<()> {
    if input.integration_subtype.is_some() {
        return Err(not_here("integrations with AWS services (integrationSubtype)"));
    }
    // `passthroughBehavior` is of WebSocket APIs too, but taken and not shown: Terraform sends it with every integration.
    for (member, given) in [
        ("contentHandlingStrategy", input.content_handling_strategy.is_some()),
        ("requestTemplates", input.request_templates.is_some_and(|all| !all.is_empty())),
        ("templateSelectionExpression", input.template_selection_expression.is_some()),
    ] {
        if given {
            return Err(only_websocket(member));
        }
    }
    if let Some(text) = &input.description {
        length(text, "description", 0, 1024)?;
    }
    put(&mut integration.description, input.description);
    put(&mut integration.connection_id, input.connection_id);
    put(&mut integration.credentials_arn, input.credentials_arn);
    for (held, given) in [
        (&mut integration.connection_type, input.connection_type),
        (&mut integration.integration_method, input.integration_method),
        (&mut integration.integration_type, input.integration_type),
        (&mut integration.integration_uri, input.integration_uri),
        (&mut integration.payload_format_version, input.payload_format_version),
    ] {
        if let Some(text) = given {
            *held = text;
        }
    }
    if let Some(timeout) = input.timeout_in_millis {
        integration.timeout_in_millis = timeout;
    }
    if let Some(tls) = input.tls_config {
        // An empty one takes TLS away (Terraform does it so).
        integration.tls_config = Some(tls).filter(|tls| tls.server_name_to_verify.is_some());
    }
    if let Some(given) = input.request_parameters {
        parameters::merge_requests(&mut integration.request_parameters, given)?;
    }
    if let Some(given) = input.response_parameters {
        parameters::merge_responses(&mut integration.response_parameters, given)?;
    }
    Ok(())
}

//! Routes.

use serde::Deserialize;

use super::call::{Call, created, no_content, ok, put};
use super::errors::{Answer, bad_request, length, limit_exceeded, not_found, one_of, only_websocket, required};
use super::integrations::no_integration;
use super::route_key;
use super::state::{AuthorizerType, Definition, Route, Strings};
use crate::sandbox::fault::Fault;

/// Routes that one API may have (API Gateway's quotas).
const LIMIT: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    api_key_required: Option<bool>,
    authorization_scopes: Option<Vec<String>>,
    authorization_type: Option<String>,
    authorizer_id: Option<String>,
    model_selection_expression: Option<String>,
    operation_name: Option<String>,
    request_models: Option<Strings>,
    request_parameters: Option<serde_json::Value>,
    route_key: Option<String>,
    route_response_selection_expression: Option<String>,
    target: Option<String>,
}

/// `/v2/apis/{api}/routes…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(&call.definition(api)?.routes),
        ("POST", []) => create(call, api),
        ("GET", [id]) => Ok(ok(call.definition(api)?.route(id).ok_or_else(|| no_route(id))?)),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => {
            let mut definition = call.definition(api)?.clone();
            definition.route(id).ok_or_else(|| no_route(id))?;
            definition.routes.retain(|route| route.route_id != *id);
            call.define(api, definition)?;
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

fn no_route(id: &str) -> Fault {
    not_found(format!("Invalid Route identifier specified {id}"))
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let input: Input = call.body()?;
    required(input.route_key.as_ref(), "routeKey")?;
    let mut definition = call.definition(api)?.clone();
    let mut route = Route { authorization_type: "NONE".into(), ..Route::default() };
    apply(&mut route, input, &definition)?;
    if definition.routes.len() >= LIMIT {
        return Err(limit_exceeded("routes"));
    }
    route.route_id = call.view.new_id(7);
    let answer = created(&route);
    definition.routes.push(route);
    call.define(api, definition)?;
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let input: Input = call.body()?;
    let mut definition = call.definition(api)?.clone();
    let mut route = definition.route(id).ok_or_else(|| no_route(id))?.clone();
    apply(&mut route, input, &definition)?;
    let answer = ok(&route);
    definition.routes.iter_mut().filter(|held| held.route_id == id).for_each(|held| held.clone_from(&route));
    call.define(api, definition)?;
    Ok(answer)
}

fn apply(route: &mut Route, input: Input, definition: &Definition) -> Answer<()> {
    let Input {
        api_key_required,
        authorization_scopes,
        authorization_type,
        authorizer_id,
        model_selection_expression,
        operation_name,
        request_models,
        request_parameters,
        route_key,
        route_response_selection_expression,
        target,
    } = input;
    for (member, given) in [
        ("apiKeyRequired", api_key_required == Some(true)),
        ("modelSelectionExpression", model_selection_expression.is_some()),
        ("requestModels", request_models.is_some_and(|models| !models.is_empty())),
        ("requestParameters", request_parameters.is_some_and(|all| all.as_object().is_none_or(|all| !all.is_empty()))),
        ("routeResponseSelectionExpression", route_response_selection_expression.is_some()),
    ] {
        if given {
            return Err(only_websocket(member));
        }
    }
    if let Some(key) = route_key {
        route_key::check(&key)?;
        let others = definition.routes.iter().filter(|other| other.route_id != route.route_id);
        route_key::check_against(&key, others.map(|other| other.route_key.as_str()))?;
        route.route_key = key;
    }
    if let Some(name) = &operation_name {
        length(name, "operationName", 0, 64)?;
    }
    put(&mut route.operation_name, operation_name);
    put(&mut route.target, target);
    check_target(route, definition)?;
    if let Some(kind) = authorization_type {
        one_of(&kind, "authorizationType", &["NONE", "AWS_IAM", "CUSTOM", "JWT"])?;
        // `NONE` takes the authorizer off (reported of CloudFormation, which has to say it).
        if kind != route.authorization_type && !matches!(kind.as_str(), "CUSTOM" | "JWT") {
            (route.authorizer_id, route.authorization_scopes) = (None, Vec::new());
        }
        route.authorization_type = kind;
    }
    put(&mut route.authorizer_id, authorizer_id);
    if let Some(scopes) = authorization_scopes {
        route.authorization_scopes = scopes;
    }
    check_authorization(route, definition)
}

/// A target is an integration of the API. The words are a guess.
fn check_target(route: &Route, definition: &Definition) -> Answer<()> {
    let Some(target) = &route.target else { return Ok(()) };
    let Some(id) = route.integration_id() else {
        return Err(bad_request(format!(
            "Invalid target specified: {target}. It must be integrations/{{integrationId}}"
        )));
    };
    definition.integration(id).map(|_| ()).ok_or_else(|| no_integration(id))
}

fn check_authorization(route: &Route, definition: &Definition) -> Answer<()> {
    let authorizer = route.authorizer_id.as_deref().and_then(|id| definition.authorizer(id));
    let kind = authorizer.map(|authorizer| authorizer.authorizer_type);
    let refuse = |words: &str| Err(bad_request(format!("Invalid authorizer ID specified. Setting the {words}")));
    match route.authorization_type.as_str() {
        // Reported.
        "JWT" if kind != Some(AuthorizerType::Jwt) => {
            return refuse("authorization type to JWT requires a valid JWT authorizer.");
        }
        // After the one above.
        "CUSTOM" if kind != Some(AuthorizerType::Request) => {
            return refuse("authorization type to CUSTOM requires a valid REQUEST authorizer.");
        }
        // A guess.
        "NONE" | "AWS_IAM" if route.authorizer_id.is_some() => {
            return refuse("authorizer ID requires the authorization type CUSTOM or JWT.");
        }
        _ => {}
    }
    if route.authorization_type != "JWT" && !route.authorization_scopes.is_empty() {
        // A guess: scopes are of JWT authorizers (developer guide).
        return Err(bad_request("Authorization scopes can only be specified for the authorization type JWT"));
    }
    if let Some(scope) = route.authorization_scopes.iter().find(|scope| scope.is_empty() || scope.len() > 64) {
        return Err(bad_request(format!("Invalid authorization scope specified: {scope}")));
    }
    Ok(())
}

//! Reads routes out of specs and out of an export.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Facts, Key, Route, Routes};
use crate::kinds::http_api::spec::HttpApiSpec;
use crate::kinds::rest_api::RestApiSpec;
use crate::kinds::rest_api::spec::{DEFAULT_TIMEOUT_MS, Method};
use crate::model::Input;

/// The method that stands for all.
pub(super) const ANY: &str = "ANY";

/// The route of an HTTP API that takes what no other does.
pub(super) const DEFAULT: &str = "$default";

/// The same in an `OpenAPI` document.
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";

/// The header by which a route of an edge says which host its backend is.
const HOST: &str = "overwrite:header.host";

/// The members of a path in an `OpenAPI` document that are methods.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The routes of a REST API's spec; nothing if it is none.
#[must_use]
pub fn of_rest_api(spec: &Value) -> Option<Routes> {
    let spec: RestApiSpec = serde_json::from_value(spec.clone()).ok()?;
    let mut routes = Routes::new();
    for (path, methods) in spec.routes {
        for (name, method) in methods {
            let route = Route { facts: facts(&method), whole: serde_json::to_value(&method).ok() };
            routes.insert((path.clone(), name), route);
        }
    }
    Some(routes)
}

fn facts(method: &Method) -> Facts {
    let authorizer = match method.authorization.as_str() {
        "NONE" => None,
        "CUSTOM" => method.authorizer.clone(),
        other => Some(other.to_owned()),
    };
    let known = Facts { authorizer, api_key: method.api_key_required, ..Facts::default() };
    match &method.integration {
        None => known,
        Some(integration) => Facts {
            integration: integration.kind.clone(),
            backend_method: integration.http_method.clone(),
            target: integration.uri.clone(),
            link: integration.connection_id.clone(),
            timeout_ms: integration.timeout_ms.into(),
            ..known
        },
    }
}

/// The routes of an HTTP API's spec, references to other resources resolved where they can be; nothing if it is none.
#[must_use]
pub fn of_http_api(spec: &Value) -> Option<Routes> {
    let spec: HttpApiSpec = serde_json::from_value(spec.clone()).ok()?;
    let known = |input: &Input| match input {
        Input::Known(text) => text.clone(),
        Input::From { reference } => reference.clone(),
    };
    let routes = spec.routes.into_iter().map(|(key, route)| {
        let whole = serde_json::to_value(&route).ok();
        let integration = route.integration;
        let host = integration.parameters.get(HOST).map(|host| format!("https://{host}"));
        let facts = Facts {
            integration: "HTTP_PROXY".to_owned(),
            backend_method: Some(integration.method),
            target: Some(host.unwrap_or_else(|| known(&integration.uri))),
            link: integration.connection.as_ref().map(known),
            authorizer: route.authorizer,
            api_key: false,
            timeout_ms: integration.timeout_ms.into(),
        };
        (key_of(&key), Route { facts, whole })
    });
    Some(routes.collect())
}

/// `GET /orders` as path and method.
fn key_of(key: &str) -> Key {
    match key.split_once(' ') {
        Some((method, path)) => (path.to_owned(), method.to_owned()),
        None => (key.to_owned(), ANY.to_owned()),
    }
}

/// The routes of an export: an `OpenAPI` document with integrations and authorizers.
#[must_use]
pub fn of_export(document: &Value) -> Routes {
    let schemes = document.pointer("/components/securitySchemes").or_else(|| document.get("securityDefinitions"));
    let empty = serde_json::Map::new();
    let paths = document.get("paths").and_then(Value::as_object).unwrap_or(&empty);
    let mut routes = BTreeMap::new();
    for (path, item) in paths {
        for (name, operation) in item.as_object().unwrap_or(&empty) {
            let method = match name.as_str() {
                ANY_METHOD => ANY.to_owned(),
                name if METHODS.contains(&name) => name.to_ascii_uppercase(),
                _ => continue,
            };
            let route = Route { facts: facts_of_operation(operation, schemes), whole: None };
            routes.insert((path.clone(), method), route);
        }
    }
    routes
}

fn facts_of_operation(operation: &Value, schemes: Option<&Value>) -> Facts {
    let mut found = Facts::default();
    let requirements = operation.get("security").and_then(Value::as_array).into_iter().flatten();
    for name in requirements.filter_map(Value::as_object).flat_map(|one| one.keys()) {
        let scheme = schemes.and_then(|schemes| schemes.get(name));
        let kind = scheme.and_then(|scheme| scheme.get("x-amazon-apigateway-authtype")?.as_str());
        match kind {
            Some("awsSigv4") => found.authorizer = Some("AWS_IAM".to_owned()),
            Some(_) => found.authorizer = Some(name.clone()),
            None => found.api_key = true,
        }
    }
    let Some(integration) = operation.get("x-amazon-apigateway-integration") else { return found };
    let text = |name: &str| integration.get(name).and_then(Value::as_str).map(str::to_owned);
    found.integration = text("type").unwrap_or_default().to_ascii_uppercase();
    found.backend_method = text("httpMethod");
    found.target = text("uri");
    found.link = text("connectionId");
    // What is by default is left out of an export (aws-facts B).
    found.timeout_ms = integration.get("timeoutInMillis").and_then(Value::as_i64).unwrap_or(DEFAULT_TIMEOUT_MS.into());
    found
}

//! A method as an operation, with its integration where that is asked for.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::errors::{Answer, bad_request};
use super::super::state::{Integration, IntegrationResponse, Method, MethodResponse, Strings};
use super::{Dialect, Source};

/// The content type of the models that an export can carry.
const JSON: &str = "application/json";

impl Source<'_> {
    /// One operation.
    pub(super) fn operation(&self, resource: &str, method: &Method) -> Answer<Value> {
        let mut operation = Map::new();
        let mut set = |name: &str, value: Value| drop(operation.insert(name.to_owned(), value));
        if let Some(name) = &method.operation_name {
            set("operationId", name.as_str().into());
        }
        let mut parameters = self.parameters(method);
        match self.dialect {
            Dialect::OpenApi3 => {
                if let Some(models) = filled(method.request_models.as_ref()) {
                    set("requestBody", json!({ "content": self.contents(models), "required": true }));
                }
                if !method.method_responses.is_empty() {
                    set("responses", self.responses(method)?);
                }
            }
            Dialect::Swagger => {
                parameters.extend(self.body_parameter(method)?);
                let (consumes, produces) = (consumed(method), produced(method));
                if !consumes.is_empty() {
                    set("consumes", json!(consumes));
                }
                if !produces.is_empty() {
                    set("produces", json!(produces));
                }
                set("responses", self.responses(method)?);
            }
        }
        if !parameters.is_empty() {
            set("parameters", parameters.into());
        }
        let security = self.requirements(method);
        if !security.is_empty() {
            set("security", security.into());
        }
        let validator = method.request_validator_id.as_ref().filter(|_| self.extensions.api);
        if let Some(validator) = validator.and_then(|id| self.definition.request_validators.get(id)) {
            set("x-amazon-apigateway-request-validator", validator.name.as_str().into());
        }
        if let Some(integration) = method.method_integration.as_ref().filter(|_| self.extensions.integrations) {
            set("x-amazon-apigateway-integration", shown_integration(integration, resource));
        }
        Ok(operation.into())
    }

    fn parameters(&self, method: &Method) -> Vec<Value> {
        let declared = method.request_parameters.iter().flatten();
        declared.filter_map(|(expression, required)| self.parameter(expression, *required)).collect()
    }

    /// `method.request.querystring.q` as a parameter. `OpenAPI` 3 leaves out that one is optional (recorded).
    fn parameter(&self, expression: &str, required: bool) -> Option<Value> {
        let (location, name) = expression.strip_prefix("method.request.")?.split_once('.')?;
        let location = match location.trim_start_matches("multivalue") {
            "querystring" => "query",
            other => other,
        };
        let mut parameter = json!({ "name": name, "in": location });
        match self.dialect {
            Dialect::OpenApi3 => {
                parameter["schema"] = json!({ "type": "string" });
                if required {
                    parameter["required"] = true.into();
                }
            }
            Dialect::Swagger => {
                parameter["type"] = "string".into();
                parameter["required"] = required.into();
            }
        }
        Some(parameter)
    }

    /// Swagger has one body; its name is the model's (recorded).
    fn body_parameter(&self, method: &Method) -> Answer<Option<Value>> {
        let Some(models) = filled(method.request_models.as_ref()) else {
            return Ok(None);
        };
        let model = json_model(models, method)?;
        Ok(Some(json!({ "in": "body", "name": model, "required": true, "schema": self.reference(model) })))
    }

    fn responses(&self, method: &Method) -> Answer<Value> {
        let mut responses = Map::new();
        for (status, response) in &method.method_responses {
            responses.insert(status.clone(), self.response(status, response, method)?);
        }
        Ok(responses.into())
    }

    fn response(&self, status: &str, response: &MethodResponse, method: &Method) -> Answer<Value> {
        let mut shown = json!({ "description": format!("{status} response") });
        let headers = response.response_parameters.iter().flatten();
        let headers: Map<String, Value> = headers
            .filter_map(|(expression, _)| expression.strip_prefix("method.response.header."))
            .map(|name| {
                let kind = json!({ "type": "string" });
                let header = if self.dialect == Dialect::OpenApi3 { json!({ "schema": kind }) } else { kind };
                (name.to_owned(), header)
            })
            .collect();
        if !headers.is_empty() {
            shown["headers"] = headers.into();
        }
        let models = filled(response.response_models.as_ref());
        match (self.dialect, models) {
            // It is there even if it is empty (recorded).
            (Dialect::OpenApi3, models) => {
                shown["content"] = models.map_or_else(|| json!({}), |models| self.contents(models));
            }
            (Dialect::Swagger, Some(models)) => shown["schema"] = self.reference(json_model(models, method)?),
            (Dialect::Swagger, None) => {}
        }
        Ok(shown)
    }

    fn contents(&self, models: &Strings) -> Value {
        let contents = models.iter().map(|(kind, model)| (kind.clone(), json!({ "schema": self.reference(model) })));
        Value::Object(contents.collect())
    }
}

/// A map that is there and holds something.
fn filled(map: Option<&Strings>) -> Option<&Strings> {
    map.filter(|map| !map.is_empty())
}

/// The one model that Swagger has room for. "Otherwise, API Gateway throws an exception with the 'Only found non-JSON body
/// models for …' error message" (developer guide; how it goes on is not known).
fn json_model<'m>(models: &'m Strings, method: &Method) -> Answer<&'m str> {
    let model =
        models.get(JSON).or_else(|| models.iter().find(|(kind, _)| kind.contains("json")).map(|(_, model)| model));
    let operation = method.operation_name.as_deref().unwrap_or(&method.http_method);
    model.map(String::as_str).ok_or_else(|| bad_request(format!("Only found non-JSON body models for {operation}")))
}

/// The content types of a request: those of its models, else those its templates are for (recorded).
fn consumed(method: &Method) -> BTreeSet<&str> {
    let templates = method.method_integration.as_ref().and_then(|integration| integration.request_templates.as_ref());
    let types = filled(method.request_models.as_ref()).or(templates);
    types.into_iter().flatten().map(|(kind, _)| kind.as_str()).collect()
}

/// The content types of the responses: those of their models, else those their templates are for (recorded).
fn produced(method: &Method) -> BTreeSet<&str> {
    let models = method.method_responses.values().filter_map(|response| response.response_models.as_ref());
    let modelled: BTreeSet<&str> = models.flatten().map(|(kind, _)| kind.as_str()).collect();
    if !modelled.is_empty() {
        return modelled;
    }
    let responses = method.method_integration.iter().flat_map(|integration| integration.integration_responses.values());
    responses
        .filter_map(|response| response.response_templates.as_ref())
        .flatten()
        .map(|(kind, _)| kind.as_str())
        .collect()
}

/// An integration; what has its default is left out (recorded).
fn shown_integration(integration: &Integration, resource: &str) -> Value {
    let mut shown = Map::new();
    let mut set = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
    set("type", integration.r#type.to_lowercase().into());
    set("passthroughBehavior", integration.passthrough_behavior.to_lowercase().into());
    for (name, text) in [
        ("httpMethod", &integration.http_method),
        ("uri", &integration.uri),
        ("credentials", &integration.credentials),
        ("connectionId", &integration.connection_id),
        ("contentHandling", &integration.content_handling),
    ] {
        if let Some(text) = text {
            set(name, text.as_str().into());
        }
    }
    if let Some(kind) = integration.connection_type.as_deref().filter(|kind| *kind != "INTERNET") {
        set("connectionType", kind.into());
    }
    if let Some(mappings) = filled(integration.request_parameters.as_ref()) {
        set("requestParameters", json!(mappings));
    }
    if let Some(templates) = filled(integration.request_templates.as_ref()) {
        set("requestTemplates", json!(templates));
    }
    if integration.timeout_in_millis != 29_000 {
        set("timeoutInMillis", integration.timeout_in_millis.into());
    }
    if integration.response_transfer_mode != "BUFFERED" {
        set("responseTransferMode", integration.response_transfer_mode.as_str().into());
    }
    if integration.cache_namespace != resource || !integration.cache_key_parameters.is_empty() {
        set("cacheNamespace", integration.cache_namespace.as_str().into());
    }
    if !integration.cache_key_parameters.is_empty() {
        set("cacheKeyParameters", json!(integration.cache_key_parameters));
    }
    if let Some(tls) = &integration.tls_config {
        set("tlsConfig", json!(tls));
    }
    let responses: Map<String, Value> =
        integration.integration_responses.values().map(shown_integration_response).collect();
    if !responses.is_empty() {
        set("responses", responses.into());
    }
    shown.into()
}

fn shown_integration_response(response: &IntegrationResponse) -> (String, Value) {
    let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty()).unwrap_or("default");
    let mut shown = json!({ "statusCode": response.status_code });
    if let Some(mappings) = filled(response.response_parameters.as_ref()) {
        shown["responseParameters"] = json!(mappings);
    }
    if let Some(templates) = filled(response.response_templates.as_ref()) {
        shown["responseTemplates"] = json!(templates);
    }
    if let Some(handling) = &response.content_handling {
        shown["contentHandling"] = handling.as_str().into();
    }
    (pattern.to_owned(), shown)
}

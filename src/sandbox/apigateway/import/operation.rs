//! The operations of a path become methods with integrations and responses.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::errors::{Answer, Refusal, bad_request, status_code};
use super::super::integrations::{self, IntegrationInput};
use super::super::state::{IntegrationResponse, Method, MethodResponse, RequestValidator, Strings, TlsConfig};
use super::super::{integration_responses, methods, resources};
use super::Importer;
use super::document::scalar;

const ANY: &str = "x-amazon-apigateway-any-method";

/// Where an operation is, for messages.
struct Spot<'a> {
    resource: &'a str,
    path: &'a str,
    verb: &'a str,
}

impl Spot<'_> {
    fn integration(&self) -> String {
        format!("Unable to put integration on '{}' for resource at path '{}'", self.verb, self.path)
    }

    fn integration_response(&self) -> String {
        format!("Unable to put integration response on '{}' for resource at path '{}'", self.verb, self.path)
    }

    fn method(&self) -> String {
        format!("Unable to put method '{}' on resource at path '{}'", self.verb, self.path)
    }
}

impl Importer<'_, '_, '_> {
    /// Makes the request validators that the document names.
    pub(super) fn request_validators(&mut self) {
        let validators = self.document.extension("request-validators").and_then(Value::as_object);
        for (name, validator) in validators.into_iter().flatten() {
            let flag = |member: &str| validator.get(member).and_then(Value::as_bool).unwrap_or_default();
            let old = self.old.request_validators.values().find(|each| each.name == *name).map(|each| each.id.clone());
            let validator = RequestValidator {
                id: old.unwrap_or_else(|| self.call.new_id()),
                name: name.clone(),
                validate_request_body: flag("validateRequestBody"),
                validate_request_parameters: flag("validateRequestParameters"),
            };
            self.definition.request_validators.insert(validator.id.clone(), validator);
        }
    }

    /// Imports all operations of one path.
    pub(super) fn path_item(&mut self, resource: &str, path: &str, item: &Map<String, Value>) {
        for (key, operation) in item {
            let verb = match key.as_str() {
                ANY => "ANY".to_owned(),
                "get" | "put" | "post" | "delete" | "options" | "head" | "patch" => key.to_uppercase(),
                "trace" => {
                    self.warnings
                        .push(format!("Method 'TRACE' on resource at path '{path}' is not supported and was ignored"));
                    continue;
                }
                _ => continue,
            };
            let spot = Spot { resource, path, verb: &verb };
            if let Err((what, refusal)) = self.operation(&spot, operation, item.get("parameters")) {
                self.fail(&what, &refusal);
            }
        }
    }

    fn operation(
        &mut self,
        spot: &Spot<'_>,
        operation: &Value,
        shared: Option<&Value>,
    ) -> Result<(), (String, Refusal)> {
        let mut method = Method {
            http_method: spot.verb.to_owned(),
            operation_name: operation.get("operationId").map(scalar),
            request_parameters: self.parameters(spot.path, operation, shared),
            request_models: self.request_models(operation),
            ..Method::default()
        };
        let at_method = |refusal| (spot.method(), refusal);
        if !self.guard(&mut method, operation).map_err(at_method)? {
            return Ok(());
        }
        method.request_validator_id = self.validator(operation).map_err(at_method)?;
        method.method_responses = self.responses(operation);
        methods::check(&self.definition, &method).map_err(at_method)?;
        for response in method.method_responses.values() {
            methods::check_models(&self.definition, response.response_models.as_ref()).map_err(at_method)?;
        }
        if let Some(extension) = operation.get("x-amazon-apigateway-integration") {
            let extension = self.document.resolve(extension);
            self.integration(spot, &mut method, extension)?;
        }
        if let Some(resource) = self.definition.resources.get_mut(spot.resource) {
            resource.resource_methods.insert(spot.verb.to_owned(), method);
        }
        Ok(())
    }

    /// Declared parameters. Those of the path are declared even if the operation does not (recorded).
    fn parameters(&self, path: &str, operation: &Value, shared: Option<&Value>) -> Option<BTreeMap<String, bool>> {
        let names = path.split('/').filter_map(resources::parameter_name);
        let mut declared: BTreeMap<String, bool> =
            names.map(|name| (format!("method.request.path.{name}"), true)).collect();
        let own = operation.get("parameters");
        let given = [shared, own].into_iter().flatten().filter_map(Value::as_array).flatten();
        for parameter in given.map(|parameter| self.document.resolve(parameter)) {
            let location = match parameter.get("in").and_then(Value::as_str) {
                Some("query") => "querystring",
                Some(location @ ("header" | "path")) => location,
                _ => continue,
            };
            let name = parameter.get("name").map(scalar).unwrap_or_default();
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
            declared.insert(format!("method.request.{location}.{name}"), required);
        }
        (!declared.is_empty()).then_some(declared)
    }

    fn request_models(&mut self, operation: &Value) -> Option<Strings> {
        let document = self.document;
        // The bodies borrow from the operation, so their models are made once all are known.
        let bodies: Vec<(String, Value)> =
            document.request_bodies(operation).into_iter().map(|(kind, schema)| (kind, schema.clone())).collect();
        let models: Strings = bodies.into_iter().map(|(kind, schema)| (kind, self.model_of(&schema))).collect();
        (!models.is_empty()).then_some(models)
    }

    fn validator(&self, operation: &Value) -> Answer<Option<String>> {
        let own = operation.get("x-amazon-apigateway-request-validator");
        let Some(name) = own.or_else(|| self.document.extension("request-validator")).map(scalar) else {
            return Ok(None);
        };
        let found = self.definition.request_validators.values().find(|validator| validator.name == name);
        found.map(|validator| Some(validator.id.clone())).ok_or_else(super::super::request_validators::invalid)
    }

    fn responses(&mut self, operation: &Value) -> BTreeMap<String, MethodResponse> {
        let document = self.document;
        let mut responses = BTreeMap::new();
        for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
            // A method response has a status; the document's default response and ranges have none.
            if status_code(status, "statusCode").is_err() {
                continue;
            }
            let response = document.resolve(response);
            let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            let headers: BTreeMap<String, bool> =
                headers.map(|(name, _)| (format!("method.response.header.{name}"), false)).collect();
            let bodies: Vec<(String, Value)> = document
                .response_bodies(operation, response)
                .into_iter()
                .map(|(kind, schema)| (kind, schema.clone()))
                .collect();
            let models: Strings = bodies.into_iter().map(|(kind, schema)| (kind, self.model_of(&schema))).collect();
            let response = MethodResponse {
                status_code: status.clone(),
                response_parameters: (!headers.is_empty()).then_some(headers),
                response_models: (!models.is_empty()).then_some(models),
            };
            responses.insert(status.clone(), response);
        }
        responses
    }

    fn integration(
        &mut self,
        spot: &Spot<'_>,
        method: &mut Method,
        extension: &Value,
    ) -> Result<(), (String, Refusal)> {
        let text = |member: &str| extension.get(member).filter(|value| !value.is_null()).map(scalar);
        let upper = |member: &str| text(member).map(|value| value.to_uppercase());
        let at_integration = |refusal| (spot.integration(), refusal);
        let timeout = text("timeoutInMillis").map(|millis| millis.parse());
        let timeout = timeout.transpose().map_err(|_| at_integration(bad_request("Invalid timeout specified")))?;
        let cache_keys = extension.get("cacheKeyParameters").and_then(Value::as_array);
        let tls = extension.pointer("/tlsConfig/insecureSkipVerification").and_then(Value::as_bool);
        let input = IntegrationInput {
            r#type: upper("type"),
            http_method: upper("httpMethod"),
            uri: text("uri"),
            connection_type: upper("connectionType"),
            connection_id: text("connectionId"),
            credentials: text("credentials"),
            request_parameters: self.strings(spot, extension, "requestParameters"),
            request_templates: self.strings(spot, extension, "requestTemplates"),
            passthrough_behavior: upper("passthroughBehavior"),
            content_handling: upper("contentHandling"),
            timeout_in_millis: timeout,
            cache_namespace: text("cacheNamespace"),
            cache_key_parameters: cache_keys.map(|keys| keys.iter().map(scalar).collect()),
            tls_config: tls.map(|insecure_skip_verification| TlsConfig { insecure_skip_verification }),
            response_transfer_mode: upper("responseTransferMode"),
        };
        let mut integration =
            integrations::complete(input, method, spot.resource, &self.caller).map_err(at_integration)?;
        for (pattern, response) in extension.get("responses").and_then(Value::as_object).into_iter().flatten() {
            let response = self
                .integration_response(spot, pattern, response, method)
                .map_err(|refusal| (spot.integration_response(), refusal))?;
            integration.integration_responses.insert(response.status_code.clone(), response);
        }
        method.method_integration = Some(integration);
        Ok(())
    }

    fn integration_response(
        &mut self,
        spot: &Spot<'_>,
        pattern: &str,
        given: &Value,
        method: &Method,
    ) -> Answer<IntegrationResponse> {
        let status = given.get("statusCode").map(scalar).unwrap_or_default();
        status_code(&status, "putIntegrationResponseInput.statusCode")?;
        let response = IntegrationResponse {
            status_code: status,
            selection_pattern: (pattern != "default").then(|| pattern.to_owned()),
            response_parameters: self.strings(spot, given, "responseParameters"),
            response_templates: self.strings(spot, given, "responseTemplates"),
            content_handling: given.get("contentHandling").map(|handling| scalar(handling).to_uppercase()),
        };
        integration_responses::check(&response, method)?;
        Ok(response)
    }

    /// A map of strings. What is no string is left out with a warning (recorded).
    fn strings(&mut self, spot: &Spot<'_>, holder: &Value, member: &str) -> Option<Strings> {
        let mut strings = Strings::new();
        for (name, value) in holder.get(member)?.as_object()? {
            match value {
                Value::String(text) => drop(strings.insert(name.clone(), text.clone())),
                other => self.warnings.push(format!(
                    "Invalid format for '{member}'. Expected type string for property '{name}' of resource '{}' and \
                     method '{}' but got '{other}'",
                    spot.path, spot.verb
                )),
            }
        }
        (!strings.is_empty()).then_some(strings)
    }
}

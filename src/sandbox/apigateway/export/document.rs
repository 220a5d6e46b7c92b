//! The document as a whole: title, server, paths, and the extensions of the API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::errors::Answer;
use super::super::state::RequestValidator;
use super::{Dialect, Source};

const ANY: &str = "x-amazon-apigateway-any-method";

impl Source<'_> {
    /// The whole document.
    pub(super) fn document(&self) -> Answer<Value> {
        let mut document = Map::new();
        let mut info = json!({ "title": self.definition.name, "version": self.version() });
        if let Some(description) = &self.definition.description {
            info["description"] = description.as_str().into();
        }
        document.insert("info".into(), info);
        document.insert("paths".into(), self.paths()?);
        let schemas = self.schemas()?;
        let security = self.security_schemes();
        match self.dialect {
            Dialect::OpenApi3 => {
                document.insert("openapi".into(), "3.0.1".into());
                document.insert("servers".into(), json!([self.server()]));
                let mut components = Map::new();
                insert_filled(&mut components, "schemas", schemas);
                insert_filled(&mut components, "securitySchemes", security);
                // It is there even if it is empty (recorded).
                document.insert("components".into(), components.into());
            }
            Dialect::Swagger => {
                document.insert("swagger".into(), "2.0".into());
                document.insert("host".into(), self.host().into());
                document.insert("basePath".into(), format!("/{}", self.stage).into());
                document.insert("schemes".into(), json!(["https"]));
                insert_filled(&mut document, "definitions", schemas);
                insert_filled(&mut document, "securityDefinitions", security);
                if let Some(options) = self.endpoint_options() {
                    document.insert("x-amazon-apigateway-endpoint-configuration".into(), options);
                }
            }
        }
        if self.extensions.api {
            self.add_extensions(&mut document);
        }
        Ok(document.into())
    }

    fn host(&self) -> String {
        format!("{}.execute-api.{}.{}", self.api.id, self.caller.region, self.caller.dns_suffix())
    }

    fn server(&self) -> Value {
        let mut server = json!({
            "url": format!("https://{}/{{basePath}}", self.host()),
            "variables": { "basePath": { "default": self.stage } },
        });
        if let Some(options) = self.endpoint_options() {
            server["x-amazon-apigateway-endpoint-configuration"] = options;
        }
        server
    }

    /// The options of the endpoint, if any is set.
    fn endpoint_options(&self) -> Option<Value> {
        let mut options = Map::new();
        if self.definition.disable_execute_api_endpoint {
            options.insert("disableExecuteApiEndpoint".into(), true.into());
        }
        let endpoints = &self.definition.endpoint.vpc_endpoint_ids;
        if !endpoints.is_empty() {
            options.insert("vpcEndpointIds".into(), json!(endpoints));
        }
        (self.extensions.api && !options.is_empty()).then(|| options.into())
    }

    /// The paths that have methods. A resource without one, the root above all, is not in an export (recorded).
    fn paths(&self) -> Answer<Value> {
        let mut paths = Map::new();
        for resource in self.definition.resources.values().filter(|resource| !resource.resource_methods.is_empty()) {
            let mut item = Map::new();
            for (verb, method) in &resource.resource_methods {
                let key = if verb == "ANY" { ANY.to_owned() } else { verb.to_lowercase() };
                item.insert(key, self.operation(&resource.id, method)?);
            }
            paths.insert(resource.path.clone(), item.into());
        }
        Ok(paths.into())
    }

    /// The extensions of the API that say something else than the default.
    fn add_extensions(&self, document: &mut Map<String, Value>) {
        let definition = self.definition;
        let mut set = |name: &str, value: Value| drop(document.insert(format!("x-amazon-apigateway-{name}"), value));
        if definition.api_key_source != "HEADER" {
            set("api-key-source", definition.api_key_source.as_str().into());
        }
        if !definition.binary_media_types.is_empty() {
            set("binary-media-types", json!(definition.binary_media_types));
        }
        if let Some(size) = definition.minimum_compression_size {
            set("minimum-compression-size", size.into());
        }
        if let Some(policy) = definition.policy.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
            set("policy", policy);
        }
        if let Some(tls) = &definition.security_policy {
            set("security-policy", tls.as_str().into());
        }
        if let Some(mode) = &definition.endpoint_access_mode {
            set("endpoint-access-mode", mode.as_str().into());
        }
        let validators: BTreeMap<&str, Value> = definition.request_validators.values().map(validator).collect();
        if !validators.is_empty() {
            set("request-validators", json!(validators));
        }
        let responses: BTreeMap<&str, Value> = definition
            .gateway_responses
            .iter()
            .map(|(kind, response)| {
                let mut shown = json!({ "responseTemplates": response.response_templates });
                if let Some(status) = &response.status_code {
                    shown["statusCode"] = status.as_str().into();
                }
                if !response.response_parameters.is_empty() {
                    shown["responseParameters"] = json!(response.response_parameters);
                }
                (kind.as_str(), shown)
            })
            .collect();
        if !responses.is_empty() {
            set("gateway-responses", json!(responses));
        }
    }
}

fn validator(validator: &RequestValidator) -> (&str, Value) {
    let shown = json!({
        "validateRequestBody": validator.validate_request_body,
        "validateRequestParameters": validator.validate_request_parameters,
    });
    (&validator.name, shown)
}

/// Puts a map in, if it holds something.
pub(super) fn insert_filled(into: &mut Map<String, Value>, name: &str, map: Map<String, Value>) {
    if !map.is_empty() {
        into.insert(name.to_owned(), map.into());
    }
}

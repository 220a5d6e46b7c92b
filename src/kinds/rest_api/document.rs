//! Writes a REST API as the OpenAPI 3.0.1 document that API Gateway imports.
//!
//! The same spec gives the same bytes. Overwriting an API drops what the body does not carry (aws-facts B), so everything
//! travels in it: policy, binary media types, compression, API key source.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::spec::{Authorizer, GatewayResponse, Integration, IntegrationResponse, Method, MethodResponse, RestApiSpec};

/// The security scheme that asks for a usage plan's API key; API Gateway knows it by its header.
const API_KEY: &str = "api_key";

/// The document.
#[must_use]
pub fn document(spec: &RestApiSpec) -> Value {
    let RestApiSpec {
        name,
        description,
        endpoint_type: _, // a property of the API, not of its document
        vpc_endpoint_ids,
        disable_execute_api_endpoint: _, // likewise
        api_key_source,
        binary_media_types,
        minimum_compression_size,
        policy,
        authorizers,
        gateway_responses,
        routes,
        tags: _, // an import takes no tags (aws-facts A)
    } = spec;
    let mut root = Map::new();
    root.insert("openapi".into(), "3.0.1".into());
    root.insert("info".into(), info(name, description.as_deref()));
    let paths = routes.iter().map(|(path, methods)| (path.clone(), path_item(methods)));
    root.insert("paths".into(), Value::Object(paths.collect()));
    let mut schemes: Map<String, Value> =
        authorizers.iter().map(|(name, authorizer)| (name.clone(), security_scheme(authorizer))).collect();
    if routes.values().flat_map(BTreeMap::values).any(|method| method.api_key_required) {
        schemes.insert(API_KEY.into(), json!({ "type": "apiKey", "name": "x-api-key", "in": "header" }));
    }
    if !schemes.is_empty() {
        root.insert("components".into(), json!({ "securitySchemes": schemes }));
    }
    root.insert("x-amazon-apigateway-api-key-source".into(), api_key_source.as_str().into());
    root.insert("x-amazon-apigateway-binary-media-types".into(), json!(binary_media_types));
    if let Some(size) = minimum_compression_size {
        root.insert("x-amazon-apigateway-minimum-compression-size".into(), json!(size));
    }
    if !vpc_endpoint_ids.is_empty() {
        // An overwrite drops them with everything else that the body does not carry (aws-facts B).
        let endpoints = json!({ "vpcEndpointIds": vpc_endpoint_ids });
        root.insert("x-amazon-apigateway-endpoint-configuration".into(), endpoints);
    }
    if let Some(policy) = policy {
        root.insert("x-amazon-apigateway-policy".into(), policy.to_document());
    }
    if !gateway_responses.is_empty() {
        let responses = gateway_responses.iter().map(|(kind, response)| (kind.clone(), gateway_response(response)));
        root.insert("x-amazon-apigateway-gateway-responses".into(), Value::Object(responses.collect()));
    }
    Value::Object(root)
}

/// The version is one of the document, and says nothing: a deployment is what tells two states of an API apart.
fn info(name: &str, description: Option<&str>) -> Value {
    let mut info = json!({ "title": name, "version": "1.0" });
    if let Some(description) = description {
        info["description"] = description.into();
    }
    info
}

fn security_scheme(authorizer: &Authorizer) -> Value {
    let Authorizer { kind, uri, credentials, identity_source, ttl_seconds, identity_validation } = authorizer;
    let mut lambda = json!({
        "type": kind.to_lowercase(),
        "authorizerUri": uri.to_value(),
        "authorizerResultTtlInSeconds": ttl_seconds,
        "identitySource": identity_source.join(","),
    });
    if let Some(credentials) = credentials {
        lambda["authorizerCredentials"] = credentials.to_value();
    }
    if let Some(pattern) = identity_validation {
        lambda["identityValidationExpression"] = pattern.as_str().into();
    }
    // The scheme's own header is documentation; what the authorizer looks at is its identity source.
    json!({
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": lambda,
    })
}

fn gateway_response(response: &GatewayResponse) -> Value {
    let GatewayResponse { status_code, parameters, templates } = response;
    let mut value = json!({ "responseParameters": parameters, "responseTemplates": templates });
    if let Some(status) = status_code {
        value["statusCode"] = status.as_str().into();
    }
    value
}

fn path_item(methods: &BTreeMap<String, Method>) -> Value {
    let operations = methods.iter().map(|(name, method)| {
        let key = if name == "ANY" { "x-amazon-apigateway-any-method".to_owned() } else { name.to_lowercase() };
        (key, operation(method))
    });
    Value::Object(operations.collect())
}

fn operation(method: &Method) -> Value {
    let Method {
        authorization,
        authorizer,
        api_key_required,
        request_parameters,
        request_models: _,    // never wanted
        request_validator: _, // never wanted
        integration,
        responses,
    } = method;
    let mut value = Map::new();
    if !request_parameters.is_empty() {
        let list = request_parameters.iter().filter_map(|(name, required)| parameter(name, *required));
        value.insert("parameters".into(), Value::Array(list.collect()));
    }
    // One requirement with both names: both are asked for. Two requirements would mean either.
    let mut security = Map::new();
    security.extend(authorizer.iter().map(|name| (name.clone(), json!([]))));
    if *api_key_required {
        security.insert(API_KEY.into(), json!([]));
    }
    if !security.is_empty() {
        value.insert("security".into(), json!([security]));
    }
    if authorization == "AWS_IAM" {
        value.insert("x-amazon-apigateway-auth".into(), json!({ "type": "AWS_IAM" }));
    }
    if !responses.is_empty() {
        let list = responses.iter().map(|(status, response)| (status.clone(), method_response(status, response)));
        value.insert("responses".into(), Value::Object(list.collect()));
    }
    if let Some(integration) = integration {
        value.insert("x-amazon-apigateway-integration".into(), integration_value(integration));
    }
    Value::Object(value)
}

/// `method.request.path.proxy` as an OpenAPI parameter.
fn parameter(name: &str, required: bool) -> Option<Value> {
    let (place, name) = name.strip_prefix("method.request.")?.split_once('.')?;
    let place = if place == "querystring" { "query" } else { place };
    Some(json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } }))
}

fn method_response(status: &str, response: &MethodResponse) -> Value {
    let MethodResponse { parameters, models: _ } = response;
    let mut value = json!({ "description": format!("{status} response") });
    if !parameters.is_empty() {
        let headers = parameters.keys().filter_map(|name| {
            let header = name.strip_prefix("method.response.header.")?;
            Some((header.to_owned(), json!({ "schema": { "type": "string" } })))
        });
        value["headers"] = Value::Object(headers.collect());
    }
    value
}

fn integration_value(integration: &Integration) -> Value {
    let Integration {
        kind,
        http_method,
        uri,
        connection_type,
        connection_id,
        credentials,
        passthrough_behavior,
        timeout_ms,
        request_parameters,
        request_templates,
        content_handling,
        cache_key_parameters,
        insecure_skip_verification,
        responses,
    } = integration;
    let mut value = json!({
        "type": kind.to_lowercase(),
        "passthroughBehavior": passthrough_behavior.to_lowercase(),
        "timeoutInMillis": timeout_ms,
    });
    for (name, text) in [
        ("httpMethod", http_method),
        ("uri", uri),
        ("connectionType", connection_type),
        ("connectionId", connection_id),
        ("credentials", credentials),
        ("contentHandling", content_handling),
    ] {
        if let Some(text) = text {
            value[name] = text.as_str().into();
        }
    }
    if !request_parameters.is_empty() {
        value["requestParameters"] = json!(request_parameters);
    }
    if !request_templates.is_empty() {
        value["requestTemplates"] = json!(request_templates);
    }
    if !cache_key_parameters.is_empty() {
        value["cacheKeyParameters"] = json!(cache_key_parameters);
    }
    if *insecure_skip_verification {
        value["tlsConfig"] = json!({ "insecureSkipVerification": true });
    }
    if !responses.is_empty() {
        let list = responses.iter().map(|(status, response)| integration_response(status, response));
        value["responses"] = Value::Object(list.collect());
    }
    value
}

/// In the document, the key of an integration response is its selection pattern; in the API, its status.
fn integration_response(status: &str, response: &IntegrationResponse) -> (String, Value) {
    let IntegrationResponse { selection_pattern, parameters, templates, content_handling } = response;
    let mut value = json!({ "statusCode": status });
    if !parameters.is_empty() {
        value["responseParameters"] = json!(parameters);
    }
    if !templates.is_empty() {
        value["responseTemplates"] = json!(templates);
    }
    if let Some(handling) = content_handling {
        value["contentHandling"] = handling.as_str().into();
    }
    (selection_pattern.clone().unwrap_or_else(|| "default".to_owned()), value)
}

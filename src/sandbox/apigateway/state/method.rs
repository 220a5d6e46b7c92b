//! Methods and what hangs below them, as they are shown and stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strings;

/// One method of a resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    /// `GET`, …, or `ANY`.
    pub http_method: String,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `COGNITO_USER_POOLS`.
    pub authorization_type: String,
    /// The authorizer, for `CUSTOM` and `COGNITO_USER_POOLS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    /// Whether an API key is asked for.
    pub api_key_required: bool,
    /// The request validator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_validator_id: Option<String>,
    /// The document's `operationId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// Declared parameters, `method.request.LOCATION.NAME`, and whether each is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<BTreeMap<String, bool>>,
    /// Model names by content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_models: Option<Strings>,
    /// OAuth scopes of a Cognito authorizer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_scopes: Vec<String>,
    /// Method responses by status code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub method_responses: BTreeMap<String, MethodResponse>,
    /// The integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_integration: Option<Integration>,
}

/// What a method may answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodResponse {
    /// Three digits.
    pub status_code: String,
    /// Declared headers, `method.response.header.NAME`, and whether each is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<BTreeMap<String, bool>>,
    /// Model names by content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_models: Option<Strings>,
}

/// What stands behind a method.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// `HTTP`, `HTTP_PROXY`, `AWS`, `AWS_PROXY` or `MOCK`.
    pub r#type: String,
    /// The HTTP method towards the backend; `ANY` passes the client's on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// Where the request goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `INTERNET` or `VPC_LINK`, for HTTP types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
    /// The VPC link, or a stage variable that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// The role to assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// `integration.request.LOCATION.NAME` → mapping expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<Strings>,
    /// Request templates by content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_templates: Option<Strings>,
    /// `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    pub passthrough_behavior: String,
    /// `CONVERT_TO_BINARY` or `CONVERT_TO_TEXT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
    /// Milliseconds, 50 to 29000.
    pub timeout_in_millis: i64,
    /// The cache group; the resource's id unless it is set.
    pub cache_namespace: String,
    /// Parameters that are part of the cache key.
    pub cache_key_parameters: Vec<String>,
    /// Integration responses by status code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub integration_responses: BTreeMap<String, IntegrationResponse>,
    /// TLS towards the backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// `BUFFERED` or `STREAM`.
    pub response_transfer_mode: String,
}

/// TLS towards the backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    /// Whether the backend's certificate goes unchecked.
    #[serde(default)]
    pub insecure_skip_verification: bool,
}

/// How a backend's answer becomes the method's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationResponse {
    /// Three digits.
    pub status_code: String,
    /// The pattern that picks this response; none for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    /// `method.response.header.NAME` → mapping expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<Strings>,
    /// Response templates by content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_templates: Option<Strings>,
    /// `CONVERT_TO_BINARY` or `CONVERT_TO_TEXT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
}

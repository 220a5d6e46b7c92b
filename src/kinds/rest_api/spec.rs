//! Everything gwctl decides about a REST API: API Gateway's own model of it, in a form in which equal is equal.
//!
//! The OpenAPI document that is imported is written from this type ([`super::document`]), and what API Gateway holds is
//! read back into it ([`super::read`]). So drift inside an API is seen by comparing structures, never texts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::tags::Tags;
use crate::model::Input;
use crate::model::policy::Policy;

/// A REST API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestApiSpec {
    /// `product-a-gateway-dev`; the title of the document.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// `REGIONAL`, `EDGE` or `PRIVATE`.
    pub endpoint_type: String,
    /// The VPC endpoints that lead to a private API.
    pub vpc_endpoint_ids: BTreeSet<String>,
    /// `HEADER` or `AUTHORIZER`.
    pub api_key_source: String,
    /// Media types whose bodies are passed on byte for byte.
    pub binary_media_types: BTreeSet<String>,
    /// Bytes from which answers are compressed; absent: never.
    pub minimum_compression_size: Option<i32>,
    /// Whether the default `execute-api` host is switched off.
    pub disable_execute_api_endpoint: bool,
    /// Who may call what, before anything else is asked.
    pub policy: Option<Policy>,
    /// Authorizers by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Customised gateway responses by type.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
    /// Methods by path, then by HTTP method (`ANY` for all).
    pub routes: BTreeMap<String, BTreeMap<String, Method>>,
    /// The user's tags.
    pub tags: Tags,
}

/// A Lambda authorizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Authorizer {
    /// `REQUEST` or `TOKEN`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The function's invocation ARN.
    pub uri: Input,
    /// The role API Gateway assumes to call it.
    pub credentials: Option<Input>,
    /// What of a request makes the cache key; a missing one is a 401 without a call (aws-facts D).
    pub identity_source: Vec<String>,
    /// Seconds that a decision is kept; 0: never. Always sent: left out, it would mean 300 (aws-facts D).
    pub ttl_seconds: i32,
    /// What a token has to look like (`TOKEN` only).
    pub identity_validation: Option<String>,
}

/// What API Gateway answers by itself in one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatewayResponse {
    /// The HTTP status; absent for `DEFAULT_4XX` and `DEFAULT_5XX`, which keep each case's own.
    pub status_code: Option<String>,
    /// Headers, by `gatewayresponse.header.NAME`.
    pub parameters: BTreeMap<String, String>,
    /// Bodies by media type.
    pub templates: BTreeMap<String, String>,
}

/// One method of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Method {
    /// `NONE`, `CUSTOM` or `AWS_IAM`.
    pub authorization: String,
    /// The authorizer's name, with `CUSTOM`.
    pub authorizer: Option<String>,
    /// Whether a usage plan's API key is asked for.
    pub api_key_required: bool,
    /// Parameters the method declares (`method.request.path.proxy`) and whether they have to be there.
    pub request_parameters: BTreeMap<String, bool>,
    /// Models of bodies by media type. Never wanted; read so that one added by hand is seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_models: BTreeMap<String, String>,
    /// A request validator's id. Never wanted; read so that one added by hand is seen.
    pub request_validator: Option<String>,
    /// Where requests go.
    pub integration: Option<Integration>,
    /// Declared answers by status.
    pub responses: BTreeMap<String, MethodResponse>,
}

/// Where a method's requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Integration {
    /// `HTTP_PROXY`, `HTTP`, `AWS_PROXY`, `AWS` or `MOCK`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The method the backend is called with; `ANY` passes on the client's.
    pub http_method: Option<String>,
    /// The backend.
    pub uri: Option<String>,
    /// `INTERNET` or `VPC_LINK`; absent for kinds that have none.
    pub connection_type: Option<String>,
    /// The VPC link.
    pub connection_id: Option<String>,
    /// The role API Gateway assumes to call it.
    pub credentials: Option<String>,
    /// `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    pub passthrough_behavior: String,
    /// Milliseconds until 504; 50 to 29,000 (aws-facts A).
    pub timeout_ms: i32,
    /// What the backend is sent, by `integration.request.header.NAME` and the like.
    pub request_parameters: BTreeMap<String, String>,
    /// Bodies by media type.
    pub request_templates: BTreeMap<String, String>,
    /// `CONVERT_TO_BINARY` or `CONVERT_TO_TEXT`.
    pub content_handling: Option<String>,
    /// Parameters that make the cache key.
    pub cache_key_parameters: BTreeSet<String>,
    /// Whether the backend's certificate goes unverified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure_skip_verification: bool,
    /// How the backend's answers become the method's, by status.
    pub responses: BTreeMap<String, IntegrationResponse>,
}

/// A declared answer of a method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodResponse {
    /// Headers (`method.response.header.NAME`) and whether they have to be there.
    pub parameters: BTreeMap<String, bool>,
    /// Models of bodies by media type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, String>,
}

/// How one answer of the backend becomes one of the method's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationResponse {
    /// The regular expression on the backend's status; absent: the default.
    pub selection_pattern: Option<String>,
    /// Headers.
    pub parameters: BTreeMap<String, String>,
    /// Bodies by media type.
    pub templates: BTreeMap<String, String>,
    /// `CONVERT_TO_BINARY` or `CONVERT_TO_TEXT`.
    pub content_handling: Option<String>,
}

/// The body API Gateway answers with where a gateway response names none (recorded).
pub const DEFAULT_TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;

/// API Gateway's limit on an integration, and what it fills in: 29 s (aws-facts A, C).
pub const DEFAULT_TIMEOUT_MS: i32 = 29_000;

/// What an authorizer's decision is kept for when nobody says (aws-facts D).
pub const DEFAULT_TTL_SECONDS: i32 = 300;

/// The types of gateway responses and the status each has by itself (recorded; `DEFAULT_*` have none).
pub const GATEWAY_RESPONSES: [(&str, Option<&str>); 21] = [
    ("ACCESS_DENIED", Some("403")),
    ("API_CONFIGURATION_ERROR", Some("500")),
    ("AUTHORIZER_CONFIGURATION_ERROR", Some("500")),
    ("AUTHORIZER_FAILURE", Some("500")),
    ("BAD_REQUEST_BODY", Some("400")),
    ("BAD_REQUEST_PARAMETERS", Some("400")),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("EXPIRED_TOKEN", Some("403")),
    ("INTEGRATION_FAILURE", Some("504")),
    ("INTEGRATION_TIMEOUT", Some("504")),
    ("INVALID_API_KEY", Some("403")),
    ("INVALID_SIGNATURE", Some("403")),
    ("MISSING_AUTHENTICATION_TOKEN", Some("403")),
    ("QUOTA_EXCEEDED", Some("429")),
    ("REQUEST_TOO_LARGE", Some("413")),
    ("RESOURCE_NOT_FOUND", Some("404")),
    ("THROTTLED", Some("429")),
    ("UNAUTHORIZED", Some("401")),
    ("UNSUPPORTED_MEDIA_TYPE", Some("415")),
    ("WAF_FILTERED", Some("403")),
];

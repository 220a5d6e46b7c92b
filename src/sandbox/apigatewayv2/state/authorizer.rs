//! Authorizers: who may use a route.

use serde::{Deserialize, Serialize};

/// What an authorizer asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AuthorizerType {
    /// The issuer's keys.
    #[default]
    Jwt,
    /// A function.
    Request,
}

/// An authorizer, as the service shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// Six lower-case letters and digits.
    pub authorizer_id: String,
    /// The name, unique in its API.
    pub name: String,
    /// What it asks.
    pub authorizer_type: AuthorizerType,
    /// Where a request says who it is from: `$request.header.Authorization`.
    #[serde(default)]
    pub identity_source: Vec<String>,
    /// The tokens that a JWT authorizer takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_configuration: Option<JwtConfiguration>,
    /// The invocation ARN of the function of a REQUEST authorizer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    /// The role that calls the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials_arn: Option<String>,
    /// `1.0` or `2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_payload_format_version: Option<String>,
    /// Seconds that an answer of the function is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_result_ttl_in_seconds: Option<i64>,
    /// Whether the function may answer yes or no instead of a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_simple_responses: Option<bool>,
}

/// Which tokens are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JwtConfiguration {
    /// Of these a token's `aud` or `client_id` has to be one.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Who issues the tokens.
    #[serde(default)]
    pub issuer: Option<String>,
}

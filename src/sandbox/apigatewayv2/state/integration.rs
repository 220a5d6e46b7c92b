//! Integrations: what is behind a route.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strings;

/// An integration of an HTTP API, as the service shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// Seven lower-case letters and digits.
    pub integration_id: String,
    /// `HTTP_PROXY` or `AWS_PROXY`.
    pub integration_type: String,
    /// `INTERNET` or `VPC_LINK`.
    pub connection_type: String,
    /// The VPC link of a private integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// The role that calls a function; none leaves that to the function's policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_arn: Option<String>,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `ANY` or a method.
    pub integration_method: String,
    /// A URL, the ARN of a listener or of a Cloud Map service, or a function.
    pub integration_uri: String,
    /// `1.0` or `2.0`.
    pub payload_format_version: String,
    /// What changes in requests: `overwrite:header.host` → a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_parameters: Strings,
    /// What changes in answers, by their status code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub response_parameters: BTreeMap<String, Strings>,
    /// How long the backend may take.
    pub timeout_in_millis: i64,
    /// TLS to a private backend; none means that the backend is called without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
}

/// TLS to a private backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    /// The name that the backend's certificate has to be for, also sent as SNI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name_to_verify: Option<String>,
}

impl Integration {
    /// Whether it goes through a VPC link.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.connection_type == "VPC_LINK"
    }
}

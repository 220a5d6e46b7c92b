//! Custom domain names and what is mapped below them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EndpointConfiguration, Strings};

/// A custom domain name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DomainName {
    /// The name, `api.example.com`.
    pub domain_name: String,
    /// The certificate of an edge-optimised name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_name: Option<String>,
    /// When the certificate was set, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_upload_date: Option<f64>,
    /// The `CloudFront` host name of an edge-optimised name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_domain_name: Option<String>,
    /// The certificate of a regional name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regional_certificate_arn: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regional_certificate_name: Option<String>,
    /// The host name that DNS points a regional name to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regional_domain_name: Option<String>,
    /// `REGIONAL` or `EDGE`.
    pub endpoint_configuration: EndpointConfiguration,
    /// The TLS policy.
    pub security_policy: String,
    /// `BASIC` or `STRICT`, if it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<String>,
    /// The trust store for clients' certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutual_tls_authentication: Option<MutualTls>,
    /// The certificate that proves who owns the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership_verification_certificate_arn: Option<String>,
    /// How requests find their API.
    pub routing_mode: String,
    /// Tags.
    #[serde(default)]
    pub tags: Strings,
    /// Base path mappings by base path; `(none)` is the empty one.
    #[serde(default)]
    pub mappings: BTreeMap<String, BasePathMapping>,
}

/// Mutual TLS of a domain name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MutualTls {
    /// `s3://bucket/key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truststore_uri: Option<String>,
    /// The version of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truststore_version: Option<String>,
}

/// What a base path of a domain name leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BasePathMapping {
    /// What API Gateway's second version calls it by; the first one does not show it.
    #[serde(default)]
    pub api_mapping_id: String,
    /// The path, or `(none)`. The first version makes none with a slash in it.
    pub base_path: String,
    /// The API, of either kind.
    pub rest_api_id: String,
    /// The stage; without one the second segment names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

impl DomainName {
    /// Whether it is of this endpoint type.
    #[must_use]
    pub fn is_type(&self, name: &str) -> bool {
        self.endpoint_configuration.types.iter().any(|each| each == name)
    }
}

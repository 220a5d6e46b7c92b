//! VPC links and client certificates: the way from a stage to its backends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strings;

/// A VPC link to a Network Load Balancer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcLink {
    /// Six lower-case letters and digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The ARN of the load balancer, alone.
    pub target_arns: Vec<String>,
    /// Until when the link is `PENDING`, in seconds since the epoch.
    pub pending_until: f64,
    /// Why the link can't come up, if it can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Strings,
}

/// A certificate that API Gateway shows to backends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// Six lower-case letters and digits.
    pub client_certificate_id: String,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The certificate.
    pub pem_encoded_certificate: String,
    /// Its key, which the service never shows.
    pub private_key: String,
    /// Seconds since the epoch.
    pub created_date: f64,
    /// Seconds since the epoch.
    pub expiration_date: f64,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Strings,
}

//! Stages, as they are shown and stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strings;

/// A stage: a name under which a deployment serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// The name.
    pub stage_name: String,
    /// The deployment that serves.
    pub deployment_id: String,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The client certificate towards backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_id: Option<String>,
    /// Whether the stage has a cache cluster.
    pub cache_cluster_enabled: bool,
    /// Its size in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_cluster_size: Option<String>,
    /// `AVAILABLE` or `NOT_AVAILABLE`.
    pub cache_cluster_status: String,
    /// Settings by `{resourcePath}/{httpMethod}`, as the patch path named it; `*/*` for all.
    pub method_settings: BTreeMap<String, MethodSetting>,
    /// Stage variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: Strings,
    /// The documentation version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation_version: Option<String>,
    /// Access logging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log_settings: Option<AccessLogSettings>,
    /// The canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_settings: Option<CanarySettings>,
    /// X-Ray.
    pub tracing_enabled: bool,
    /// The web ACL; WAF sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_acl_arn: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Strings,
    /// Seconds since the epoch.
    pub created_date: f64,
    /// Seconds since the epoch.
    pub last_updated_date: f64,
}

/// Settings of one method, or of all, on a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the service has them so")]
pub struct MethodSetting {
    /// Detailed `CloudWatch` metrics.
    pub metrics_enabled: bool,
    /// `OFF`, `ERROR` or `INFO`; not shown until it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<String>,
    /// Whether whole requests and answers are logged.
    pub data_trace_enabled: bool,
    /// Requests that may come at once.
    pub throttling_burst_limit: i64,
    /// Requests per second.
    pub throttling_rate_limit: f64,
    /// Whether answers are cached.
    pub caching_enabled: bool,
    /// Seconds.
    pub cache_ttl_in_seconds: i64,
    /// Whether cached answers are encrypted.
    pub cache_data_encrypted: bool,
    /// Whether a client needs permission to invalidate the cache.
    pub require_authorization_for_cache_control: bool,
    /// What a client without it gets.
    pub unauthorized_cache_control_header_strategy: String,
}

/// Access logging of a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLogSettings {
    /// The line's format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// A log group (without `:*`) or a Firehose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
}

/// The canary of a stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanarySettings {
    /// Percent of the requests.
    pub percent_traffic: f64,
    /// The deployment that serves them.
    pub deployment_id: String,
    /// Stage variables that differ for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stage_variable_overrides: Strings,
    /// Whether they use the stage's cache.
    pub use_stage_cache: bool,
}

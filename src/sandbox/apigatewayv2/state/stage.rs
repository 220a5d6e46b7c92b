//! Stages: what of an API is served, and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strings;

/// A stage. All of it but the deployment that it points at takes effect at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The name; `$default` is not in the path of a request.
    pub name: String,
    /// Seconds since the epoch.
    pub created: f64,
    /// Seconds since the epoch.
    pub updated: f64,
    /// The description.
    pub description: Option<String>,
    /// Whether each change of the API is deployed to it.
    pub auto_deploy: bool,
    /// The deployment that it serves.
    pub deployment_id: Option<String>,
    /// What became of the last change that was to be deployed by itself.
    pub last_deployment_status_message: Option<String>,
    /// Settings of the routes that have none of their own.
    pub default_route_settings: RouteSettings,
    /// Settings by route key.
    pub route_settings: BTreeMap<String, RouteSettings>,
    /// Stage variables.
    pub stage_variables: Strings,
    /// Where and how requests are logged.
    pub access_log_settings: Option<AccessLogSettings>,
    /// How often the answers of its authorizers were to be forgotten.
    pub authorizer_resets: u64,
    /// Tags.
    pub tags: Strings,
}

/// Settings of routes. A throttling limit that is not there is not configured: the account's limit holds. Zero is a limit,
/// and lets nothing through.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSettings {
    /// Whether there are metrics of each route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detailed_metrics_enabled: Option<bool>,
    /// Requests that may come at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttling_burst_limit: Option<i64>,
    /// Requests per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttling_rate_limit: Option<f64>,
}

/// Access logging of a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLogSettings {
    /// A log group, without `:*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
    /// The line's format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

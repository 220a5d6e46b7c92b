//! API keys and usage plans: who may call how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strings;

/// An API key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Ten lower-case letters and digits.
    pub id: String,
    /// What a client sends; unique in its Region.
    pub value: String,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The customer of a marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it opens anything.
    pub enabled: bool,
    /// Seconds since the epoch.
    pub created_date: f64,
    /// Seconds since the epoch.
    pub last_updated_date: f64,
    /// Stages as `api/stage`, from before there were usage plans.
    #[serde(default)]
    pub stage_keys: Vec<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Strings,
}

/// A usage plan: stages, and how much of them a key may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsagePlan {
    /// Six lower-case letters and digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The stages it opens.
    #[serde(default)]
    pub api_stages: Vec<ApiStage>,
    /// Requests per second, for each key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSettings>,
    /// Requests per period, for each key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// The product of a marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Strings,
}

/// A stage of a usage plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiStage {
    /// The API.
    pub api_id: String,
    /// The stage.
    pub stage: String,
    /// Throttles of single methods, by `/path/METHOD`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub throttle: BTreeMap<String, ThrottleSettings>,
}

/// How many requests may come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleSettings {
    /// At once.
    #[serde(default)]
    pub burst_limit: i64,
    /// Per second.
    #[serde(default)]
    pub rate_limit: f64,
}

/// How many requests a period has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaSettings {
    /// Requests of one period.
    #[serde(default)]
    pub limit: i64,
    /// Requests taken off the first period.
    #[serde(default)]
    pub offset: i64,
    /// `DAY`, `WEEK` or `MONTH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
}

impl ApiStage {
    /// Whether it is this stage of this API.
    #[must_use]
    pub fn is(&self, api: &str, stage: &str) -> bool {
        self.api_id == api && self.stage == stage
    }
}

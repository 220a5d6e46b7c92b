//! What Lambda holds of a function, in the form in which it sends it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A function's configuration, with the defaults that Lambda fills in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Configuration {
    pub(super) function_name: String,
    pub(super) function_arn: String,
    pub(super) runtime: String,
    pub(super) role: String,
    pub(super) handler: String,
    pub(super) code_size: usize,
    pub(super) description: String,
    pub(super) timeout: u32,
    pub(super) memory_size: u32,
    pub(super) last_modified: String,
    pub(super) code_sha256: String,
    pub(super) version: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) vpc_config: Option<VpcConfig>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) environment: Option<Environment>,
    #[serde(rename = "KMSKeyArn", skip_serializing_if = "Option::is_none", default)]
    pub(super) kms_key_arn: Option<String>,
    pub(super) tracing_config: TracingConfig,
    pub(super) revision_id: String,
    pub(super) state: String,
    pub(super) last_update_status: String,
    pub(super) package_type: String,
    pub(super) architectures: Vec<String>,
    pub(super) ephemeral_storage: EphemeralStorage,
    pub(super) snap_start: SnapStart,
    pub(super) runtime_version_config: RuntimeVersionConfig,
    pub(super) logging_config: LoggingConfig,
}

/// The network of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VpcConfig {
    pub(super) subnet_ids: Vec<String>,
    pub(super) security_group_ids: Vec<String>,
    pub(super) vpc_id: String,
    pub(super) ipv6_allowed_for_dual_stack: bool,
}

/// Where events go that a function failed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeadLetterConfig {
    #[serde(default)]
    pub(super) target_arn: String,
}

/// Environment variables.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Environment {
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
}

/// X-Ray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TracingConfig {
    pub(super) mode: String,
}

/// The size of `/tmp` in MB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EphemeralStorage {
    pub(super) size: u32,
}

/// Snapshots of started functions; always off here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SnapStart {
    pub(super) apply_on: String,
    pub(super) optimization_status: String,
}

/// The build of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RuntimeVersionConfig {
    pub(super) runtime_version_arn: String,
}

/// Where and how a function logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoggingConfig {
    pub(super) log_format: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) application_log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) system_log_level: Option<String>,
    pub(super) log_group: String,
}

impl Configuration {
    /// The configuration as most operations send it.
    pub(super) fn json(&self) -> Value {
        // Strings, numbers and maps with string keys: nothing that JSON could not hold.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The configuration as `ListFunctions` sends it: a subset, as its documentation says.
    pub(super) fn listed(&self) -> Value {
        let mut value = self.json();
        if let Some(fields) = value.as_object_mut() {
            for left_out in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
                fields.remove(left_out);
            }
        }
        value
    }
}

//! Where a stream delivers: Extended S3.
//!
//! "Firehose merges the configuration parameters specified with the destination configuration that already exists on the
//! delivery stream" (API reference, `UpdateDestination`): what an update leaves out stays.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{argument, invalid, one_of};
use crate::sandbox::fault::{Answer, missing, violation};

/// The destination, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Destination {
    #[serde(rename = "RoleARN")]
    pub(super) role_arn: String,
    #[serde(rename = "BucketARN")]
    bucket_arn: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    error_output_prefix: String,
    #[serde(default = "buffering")]
    buffering_hints: Value,
    #[serde(default = "uncompressed")]
    compression_format: String,
    #[serde(default = "unencrypted")]
    encryption_configuration: Value,
    #[serde(default = "off")]
    cloud_watch_logging_options: Value,
    #[serde(default)]
    processing_configuration: Option<Value>,
    #[serde(default = "disabled")]
    s3_backup_mode: String,
    #[serde(default)]
    data_format_conversion_configuration: Option<Value>,
    #[serde(default)]
    file_extension: Option<String>,
    #[serde(default)]
    custom_time_zone: Option<String>,
}

// What is taken for granted: as seen in descriptions of the live service (turbot/steampipe-plugin-aws#769).

fn buffering() -> Value {
    json!({ "SizeInMBs": 5, "IntervalInSeconds": 300 })
}

fn uncompressed() -> String {
    "UNCOMPRESSED".to_owned()
}

fn unencrypted() -> Value {
    json!({ "NoEncryptionConfig": "NoEncryption" })
}

fn off() -> Value {
    json!({ "Enabled": false })
}

fn disabled() -> String {
    "Disabled".to_owned()
}

impl Destination {
    /// A new one, from the configuration of a create.
    pub(super) fn new(configuration: Value) -> Answer<Self> {
        for (member, name) in [("RoleARN", "roleARN"), ("BucketARN", "bucketARN")] {
            if configuration[member].is_null() {
                return Err(invalid(missing(&format!("extendedS3DestinationConfiguration.{name}"))));
            }
        }
        Self::checked(configuration)
    }

    /// This one with an update in it.
    pub(super) fn updated(&self, update: Value) -> Answer<Self> {
        let (Ok(Value::Object(mut whole)), Value::Object(update)) = (serde_json::to_value(self), update) else {
            return Err(argument("A destination update is an object."));
        };
        whole.extend(update);
        whole.retain(|_, value| !value.is_null());
        Self::checked(Value::Object(whole))
    }

    fn checked(configuration: Value) -> Answer<Self> {
        let read: Self = serde_json::from_value(configuration).map_err(|error| {
            let text = error.to_string();
            let name = text.split('`').nth(1).unwrap_or_default().to_owned();
            // AWS ignores what it does not know. What the sandbox does not know may be something that AWS does.
            if text.contains("unknown field") {
                invalid(format!("The sandbox's Firehose does not support {name} of a destination"))
            } else {
                invalid(text)
            }
        })?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Answer<()> {
        for (arn, member, service) in [(&self.role_arn, "roleARN", ":iam::"), (&self.bucket_arn, "bucketARN", ":s3:::")]
        {
            if !arn.starts_with("arn:") || !arn.contains(service) || arn.ends_with(':') {
                let constraint = "Member must satisfy regular expression pattern: arn:.*";
                return Err(invalid(violation(arn, member, constraint)));
            }
        }
        let hints = &self.buffering_hints;
        let (Some(size), Some(seconds)) = (hints["SizeInMBs"].as_i64(), hints["IntervalInSeconds"].as_i64()) else {
            return Err(argument("BufferingHints must specify both SizeInMBs and IntervalInSeconds."));
        };
        for (value, member, low, high) in [(size, "sizeInMBs", 1, 128), (seconds, "intervalInSeconds", 0, 900)] {
            if !(low..=high).contains(&value) {
                let constraint = format!("Member must have value between {low} and {high}");
                let member = format!("bufferingHints.{member}");
                return Err(invalid(violation(&value.to_string(), &member, &constraint)));
            }
        }
        let formats = ["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"];
        one_of(&self.compression_format, "compressionFormat", &formats)?;
        one_of(&self.s3_backup_mode, "s3BackupMode", &["Disabled", "Enabled"])?;
        if self.s3_backup_mode == "Enabled" {
            return Err(argument("The sandbox's Firehose keeps no backups in S3"));
        }
        self.check_prefixes()?;
        let logging = &self.cloud_watch_logging_options;
        let named = !logging["LogGroupName"].is_null() && !logging["LogStreamName"].is_null();
        if logging["Enabled"] == true && !named {
            // The words are a guess.
            return Err(argument("LogGroupName and LogStreamName are required if CloudWatch logging is enabled."));
        }
        let encryption = &self.encryption_configuration;
        if encryption["NoEncryptionConfig"].is_null() == encryption["KMSEncryptionConfig"].is_null() {
            return Err(argument("One and only one encryption configuration must be specified."));
        }
        Ok(())
    }

    /// Where a prefix says more than text, errors need one that says of which type they are (developer guide, "Custom
    /// prefixes for Amazon S3 objects": the rules for the two prefixes).
    fn check_prefixes(&self) -> Answer<()> {
        for (text, member) in [(&self.prefix, "prefix"), (&self.error_output_prefix, "errorOutputPrefix")] {
            if text.len() > 1024 {
                let constraint = "Member must have length less than or equal to 1024";
                return Err(invalid(violation(text, member, constraint)));
            }
        }
        if self.prefix.contains("!{firehose:error-output-type}") {
            return Err(argument("Prefix cannot contain !{firehose:error-output-type}"));
        }
        if self.prefix.contains("!{") && self.error_output_prefix.is_empty() {
            return Err(argument("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"));
        }
        let error = &self.error_output_prefix;
        if error.contains("!{") && !error.contains("!{firehose:error-output-type}") {
            let message = "ErrorOutputPrefix with expressions must contain !{firehose:error-output-type}";
            return Err(argument(message));
        }
        Ok(())
    }

    /// As a description shows it: also in the old form, which knows less.
    pub(super) fn shown(&self, id: &str) -> Value {
        const OLD: [&str; 8] = [
            "RoleARN",
            "BucketARN",
            "Prefix",
            "ErrorOutputPrefix",
            "BufferingHints",
            "CompressionFormat",
            "EncryptionConfiguration",
            "CloudWatchLoggingOptions",
        ];
        let Ok(Value::Object(mut extended)) = serde_json::to_value(self) else { return json!({}) };
        extended.retain(|name, value| {
            !(value.is_null() || name == "ErrorOutputPrefix" && value.as_str().is_some_and(str::is_empty))
        });
        let old: Map<String, Value> = extended
            .iter()
            .filter(|(name, _)| OLD.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        json!({
            "DestinationId": id, "ExtendedS3DestinationDescription": extended, "S3DestinationDescription": old,
        })
    }
}

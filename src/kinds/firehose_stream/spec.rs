//! What gwctl decides about a delivery stream, typed, and what its role needs. It names no type of the AWS SDK.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::tags::Tags;
use crate::error::{Failure, Result};
use crate::model::policy::Policy;
use crate::model::{Input, Place};

/// What gwctl decides about a delivery stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirehoseStreamSpec {
    /// `aws-waf-logs-orders-dev`: at most 64 letters, digits and `_.-`. AWS WAF logs only to names that begin so.
    pub name: String,
    /// The ARN of the role that it writes with: `firehose.amazonaws.com` may assume it.
    pub role: Input,
    /// The ARN of the bucket that it delivers to.
    pub bucket: Input,
    /// What stands before the keys of objects; absent: `YYYY/MM/dd/HH/` alone. It may have expressions, `!{timestamp:…}`.
    pub prefix: Option<String>,
    /// What stands before the keys of what could not be delivered; needed where `prefix` has expressions.
    pub error_prefix: Option<String>,
    /// When an object is written.
    pub buffering: Buffering,
    /// How objects are compressed.
    pub compression: Compression,
    /// The ARN of the KMS key that objects are encrypted with; absent: as the bucket says.
    pub object_key: Option<Input>,
    /// Where failed deliveries are told of.
    pub log: Option<DeliveryLog>,
    /// How what waits for its delivery is encrypted.
    pub encryption: StreamEncryption,
    /// Settings that gwctl makes none of, by AWS's names. Never wanted; read so that they are seen.
    pub foreign_settings: BTreeSet<String>,
    /// The user's tags.
    pub tags: Tags,
}

/// When an object is written: whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Buffering {
    /// MiB that wait at most: 1 to 128.
    pub size_mib: i32,
    /// Seconds that they wait at most: 0 to 900.
    pub interval_seconds: i32,
}

impl Default for Buffering {
    /// What Firehose takes for granted (API reference, `BufferingHints`).
    fn default() -> Self {
        Self { size_mib: 5, interval_seconds: 300 }
    }
}

/// How objects are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    Uncompressed,
    /// As gzip.
    Gzip,
    /// As ZIP.
    Zip,
    /// As Snappy.
    Snappy,
    /// As Snappy in Hadoop's frames.
    HadoopSnappy,
}

/// Where failed deliveries are told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryLog {
    /// The name of the log group.
    pub group: Input,
    /// The name of the stream in it, `S3Delivery`. Firehose does not make it, and loses what it would write there.
    pub stream: String,
}

/// How what waits for its delivery is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamEncryption {
    /// Not with a key that anybody sees.
    None,
    /// With a key of AWS's.
    AwsOwned,
    /// With a key of one's own.
    Customer {
        /// The ARN of the KMS key.
        key: Input,
    },
}

/// What Firehose refuses of a stream although its type can say it, each a sentence without a full stop.
#[must_use]
pub fn faults(stream: &FirehoseStreamSpec) -> Vec<String> {
    let mut found = Vec::new();
    let name = &stream.name;
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(sign) {
        found.push(format!("the delivery stream has the name `{name}`, which is not 1 to 64 letters, digits and _.-"));
    }
    let Buffering { size_mib, interval_seconds } = stream.buffering;
    if !(1..=128).contains(&size_mib) {
        found.push(format!("the delivery stream buffers {size_mib} MiB, not 1 to 128"));
    }
    if !(0..=900).contains(&interval_seconds) {
        found.push(format!("the delivery stream buffers for {interval_seconds} seconds, not 0 to 900"));
    }
    // Developer guide, "Custom prefixes for Amazon S3 objects".
    let error = stream.error_prefix.as_deref().unwrap_or_default();
    let prefix = stream.prefix.as_deref().unwrap_or_default();
    if prefix.contains("!{firehose:error-output-type}") {
        found.push("the prefix of what was delivered names a type of errors".to_owned());
    }
    if prefix.contains("!{") && error.is_empty() {
        found.push("a prefix with expressions wants a prefix for errors beside it".to_owned());
    }
    if error.contains("!{") && !error.contains("!{firehose:error-output-type}") {
        found.push("a prefix for errors with expressions wants !{firehose:error-output-type} in it".to_owned());
    }
    found
}

/// The trust policy of a stream's role. The external id is the account (`CloudWatch` Logs user guide, "Create a Firehose
/// delivery stream", step 2), so that nobody else's stream can use the role.
pub fn trust(place: &Place) -> Result<Policy> {
    parsed(&json!({
        "Effect": "Allow",
        "Principal": { "Service": "firehose.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": place.account } },
    }))
}

/// What a stream's role has to be allowed to do with its bucket (developer guide, "Grant Firehose access to an Amazon S3
/// destination"). `bucket` and `objects` are the outputs `arn` and `objects_arn` of an `s3-bucket`; where objects are
/// encrypted with a KMS key, [`key_permissions`] come beside them, and `logs:PutLogEvents` where failures are told of.
pub fn permissions(bucket: &Input, objects: &Input) -> Result<Policy> {
    let actions = [
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:PutObject",
    ];
    allowed(&actions, &[bucket.to_value(), objects.to_value()])
}

/// What a stream's role has to be allowed to do with the KMS key of its bucket or of its objects (the same page).
pub fn key_permissions(key: &Input) -> Result<Policy> {
    allowed(&["kms:Decrypt", "kms:GenerateDataKey"], &[key.to_value()])
}

fn allowed(actions: &[&str], resources: &[Value]) -> Result<Policy> {
    parsed(&json!({ "Effect": "Allow", "Action": actions, "Resource": resources }))
}

fn parsed(statement: &Value) -> Result<Policy> {
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": [statement] }))
        .map_err(|why| Failure::internal("a policy for Firehose is none").cause(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told() {
        let stream = FirehoseStreamSpec {
            name: "aws-waf-logs-orders".into(),
            role: "arn:aws:iam::123456789012:role/delivery".into(),
            bucket: "arn:aws:s3:::logs".into(),
            prefix: None,
            error_prefix: None,
            buffering: Buffering::default(),
            compression: Compression::Gzip,
            object_key: None,
            log: None,
            encryption: StreamEncryption::AwsOwned,
            foreign_settings: BTreeSet::new(),
            tags: Tags::new(),
        };
        assert_eq!(faults(&stream), Vec::<String>::new());
        let text = |text: &str| Some(text.to_owned());
        let buffering = |size_mib, interval_seconds| Buffering { size_mib, interval_seconds };
        for (wrong, words) in [
            (FirehoseStreamSpec { name: "a b".into(), ..stream.clone() }, "name `a b`"),
            (FirehoseStreamSpec { buffering: buffering(0, 60), ..stream.clone() }, "0 MiB"),
            (FirehoseStreamSpec { buffering: buffering(1, 901), ..stream.clone() }, "901 seconds"),
            (FirehoseStreamSpec { prefix: text("!{timestamp:yyyy}/"), ..stream.clone() }, "prefix for errors beside"),
            (FirehoseStreamSpec { error_prefix: text("!{timestamp:yyyy}/"), ..stream.clone() }, "error-output-type"),
        ] {
            let found = faults(&wrong);
            assert!(matches!(found.as_slice(), [one] if one.contains(words)), "{words}: {found:?}");
        }
    }

    #[test]
    fn policies_name_the_bucket_wherever_it_comes_from() {
        let address = crate::model::Address::new("edge", "s3-bucket", "logs");
        let inputs = [Input::output(&address, "arn"), Input::output(&address, "objects_arn")];
        let policy = permissions(&inputs[0], &inputs[1]).unwrap();
        let document = policy.to_document();
        assert_eq!(document["Statement"][0]["Resource"], json!([inputs[0].to_value(), inputs[1].to_value()]));
        let place = Place { account: "123456789012".into(), region: "eu-central-1".into(), partition: "aws".into() };
        let trusted = trust(&place).unwrap().to_document();
        assert_eq!(trusted["Statement"][0]["Principal"], json!({ "Service": "firehose.amazonaws.com" }));
        assert_eq!(key_permissions(&"arn:aws:kms:x".into()).unwrap().statements.len(), 1);
    }
}

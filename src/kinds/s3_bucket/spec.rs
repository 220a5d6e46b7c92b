//! What gwctl decides about a bucket, typed, and its policy. It names no type of the AWS SDK.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aws::tags::Tags;
use crate::error::{Failure, Result};
use crate::model::policy::Policy;
use crate::model::{Input, Place};

/// What gwctl decides about a bucket. Beside that, every bucket has all four blocks of public access, and its owner owns
/// every object (`BucketOwnerEnforced`, no ACLs); where one has not, [`S3BucketSpec::foreign_settings`] says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct S3BucketSpec {
    /// `aws-waf-logs-orders-dev-eu-central-1`: 3 to 63 lower-case letters, digits, `.` and `-`. It is the only one of that
    /// name in the whole partition, whoever owns it.
    pub name: String,
    /// How objects are encrypted.
    pub encryption: Encryption,
    /// Whether what is overwritten or deleted is kept. A bucket that never had versions reads as [`Versioning::Suspended`],
    /// because nothing that is written differs.
    pub versioning: Versioning,
    /// Where each request is logged.
    pub access_log: Option<AccessLog>,
    /// The bucket policy; [`policy`] makes one that refuses plain HTTP. Absent: none.
    pub policy: Option<Policy>,
    /// Days after which objects are deleted, and what was deleted or overwritten is, too; absent: never.
    pub expire_after_days: Option<i32>,
    /// Settings that are not as gwctl makes them, by AWS's names: `BlockPublicAcls=false`, `LifecycleRules`. Never wanted;
    /// read so that they are seen. An update puts them right.
    pub foreign_settings: BTreeSet<String>,
    /// The user's tags.
    pub tags: Tags,
}

/// How objects are encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Encryption {
    /// With a key of S3's (SSE-S3).
    S3,
    /// With a KMS key, and a bucket key that saves calls of KMS.
    Kms {
        /// The ARN of the key.
        key: Input,
    },
}

/// Whether what is overwritten or deleted is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    /// It is.
    Enabled,
    /// It is not, or no longer.
    Suspended,
}

/// Where each request is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLog {
    /// The name of the bucket, in the same account and Region; it may be the same one. Its policy lets S3's log delivery
    /// write: see [`policy`].
    pub bucket: Input,
    /// What stands before the keys of the logs: `access/`.
    pub prefix: String,
}

/// The policy of a bucket: no requests over plain HTTP, whoever makes them. With `access_logs`, the access logs of other
/// buckets of the account may be written into it, or its own (user guide, "Permissions for server access log delivery":
/// ACLs, which could allow that too, are off). That S3's log delivery has the same name in China is a guess.
pub fn policy(place: &Place, name: &str, access_logs: bool) -> Result<Policy> {
    let arn = arn(place, name);
    let objects = format!("{arn}/*");
    let mut statements = vec![json!({
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, objects],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })];
    if access_logs {
        statements.push(json!({
            "Sid": "AccessLogs",
            "Effect": "Allow",
            "Principal": { "Service": "logging.s3.amazonaws.com" },
            "Action": "s3:PutObject",
            "Resource": objects,
            "Condition": { "StringEquals": { "aws:SourceAccount": place.account } },
        }));
    }
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }))
        .map_err(|why| Failure::internal("the policy of a bucket is none").cause(why))
}

/// The ARN of a bucket.
pub(super) fn arn(place: &Place, name: &str) -> String {
    format!("arn:{}:s3:::{name}", place.partition)
}

/// What S3 refuses of a bucket although its type can say it, each a sentence without a full stop (user guide, "General
/// purpose bucket naming rules").
#[must_use]
pub fn faults(bucket: &S3BucketSpec) -> Vec<String> {
    let mut found = Vec::new();
    let name = &bucket.name;
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inside = name.bytes().all(|byte| sign(byte) || byte == b'.' || byte == b'-');
    let ends = name.bytes().next().is_some_and(sign) && name.bytes().last().is_some_and(sign);
    if !(3..=63).contains(&name.len()) || !inside || !ends || name.contains("..") {
        let form = "3 to 63 lower-case letters, digits, . and -, which begins and ends with a letter or digit";
        found.push(format!("the bucket has the name `{name}`, which is not {form}"));
    } else if name.parse::<Ipv4Addr>().is_ok() {
        found.push(format!("the bucket has the name `{name}`, which is an address"));
    } else if ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end))
    {
        found.push(format!("the bucket has the name `{name}`, of a form that S3 keeps to itself"));
    }
    if bucket.expire_after_days.is_some_and(|days| days < 1) {
        found.push("objects can't expire after less than a day".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> S3BucketSpec {
        S3BucketSpec {
            name: "aws-waf-logs-orders".into(),
            encryption: Encryption::S3,
            versioning: Versioning::Suspended,
            access_log: None,
            policy: None,
            expire_after_days: Some(30),
            foreign_settings: BTreeSet::new(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn faults_are_told() {
        assert_eq!(faults(&bucket()), Vec::<String>::new());
        for name in ["ab", "Logs", "a_b", "-logs", "logs.", "a..b", "192.0.2.1", "xn--logs", "logs-s3alias"] {
            let found = faults(&S3BucketSpec { name: name.into(), ..bucket() });
            assert!(matches!(found.as_slice(), [one] if one.contains("the bucket has the name")), "{name}: {found:?}");
        }
        let found = faults(&S3BucketSpec { expire_after_days: Some(0), ..bucket() });
        assert!(matches!(found.as_slice(), [one] if one.contains("less than a day")), "{found:?}");
    }

    #[test]
    fn the_policy_is_of_its_place() {
        let place = Place { account: "123456789012".into(), region: "cn-north-1".into(), partition: "aws-cn".into() };
        let plain = policy(&place, "logs", false).unwrap();
        assert_eq!(plain.statements.keys().collect::<Vec<_>>(), ["TlsOnly"]);
        let logs = policy(&place, "logs", true).unwrap().to_document().to_string();
        assert!(logs.contains("arn:aws-cn:s3:::logs/*") && logs.contains("logging.s3.amazonaws.com"), "{logs}");
    }
}

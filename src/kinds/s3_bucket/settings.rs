//! The settings of a bucket: each has a read and a write of its own.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::types as sdk;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::spec::{AccessLog, Encryption, S3BucketSpec, Versioning};
use crate::aws::tags::Tags;
use crate::aws::{Aws, Clients, failed, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::policy::Policy;
use crate::model::{Input, Place};

/// A bucket that was made just now is not known everywhere, nor are its settings; two changes at once are refused. In these
/// words (API reference, "Error responses"; hashicorp/terraform-provider-aws, `internal/service/s3/bucket.go`, waits on the
/// same).
pub(super) const NOT_YET: [retry::NotYet; 3] = [
    ("NoSuchBucket", ""),
    ("OperationAborted", ""),
    // The bucket for logs is new.
    ("InvalidTargetBucketForLogging", "does not exist"),
];

/// How long that may last: as long as the same source waits.
pub(super) const SPREADS: Duration = Duration::from_mins(2);

/// The id of the lifecycle rule that gwctl makes.
const RULE: &str = "gwctl-expiry";

/// Days after which parts of an upload that was never finished go: nobody can see them, and they are paid for.
const UNFINISHED: i32 = 7;

/// What S3 answered; nothing if it said that there is none, in one of these codes.
fn or_none<T, E, R>(
    name: &str,
    what: &str,
    answer: std::result::Result<T, SdkError<E, R>>,
    none: &[&str],
) -> Result<Option<T>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(None),
        Err(error) if error.code().is_some_and(|code| none.contains(&code)) => Ok(None),
        Err(error) => Err(explained(name, &format!("read the {what} of bucket `{name}`"), error)),
    }
}

/// A failure, with what people have to know of names of buckets.
pub(super) fn explained<E, R>(name: &str, doing: &str, error: SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let hint = match error.code() {
        Some("AccessDenied") => {
            Some(format!("all accounts share the names of buckets: if `{name}` is somebody else's, choose another one"))
        }
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => Some(
            format!("`{name}` is in another Region: all Regions share the names of buckets, so choose another one"),
        ),
        _ => None,
    };
    let failure = failed(doing, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// All tags of a bucket: nothing if there is no such bucket.
pub(super) async fn tags_of(clients: &Clients, place: &Place, name: &str) -> Result<Option<Tags>> {
    match clients.s3.get_bucket_tagging().bucket(name).expected_bucket_owner(&place.account).send().await {
        Ok(answer) => Ok(Some(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
        Err(error) if error.code() == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(None),
        Err(error) => Err(explained(name, &format!("read the tags of bucket `{name}`"), error)),
    }
}

/// The settings of a bucket that is there. Its tags are read by themselves.
pub(super) async fn read(clients: &Clients, place: &Place, name: &str, tags: Tags) -> Result<S3BucketSpec> {
    let owner = &place.account;
    let s3 = &clients.s3;
    let encryption = async {
        let answer = s3.get_bucket_encryption().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "encryption", answer, &["ServerSideEncryptionConfigurationNotFoundError"])
    };
    let versioning = async {
        let answer = s3.get_bucket_versioning().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "versioning", answer, &[])
    };
    let logging = async {
        let answer = s3.get_bucket_logging().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "logging", answer, &[])
    };
    let policy = async {
        let answer = s3.get_bucket_policy().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "policy", answer, &["NoSuchBucketPolicy"])
    };
    let lifecycle = async {
        let answer = s3.get_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "lifecycle", answer, &["NoSuchLifecycleConfiguration"])
    };
    let access = async {
        let answer = s3.get_public_access_block().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "public access block", answer, &["NoSuchPublicAccessBlockConfiguration"])
    };
    let ownership = async {
        let answer = s3.get_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner).send().await;
        or_none(name, "ownership controls", answer, &["OwnershipControlsNotFoundError"])
    };
    let (encryption, versioning, logging, policy, lifecycle, access, ownership) =
        futures::try_join!(encryption, versioning, logging, policy, lifecycle, access, ownership)?;
    let mut foreign_settings = BTreeSet::new();
    let encryption = encryption.and_then(|one| one.server_side_encryption_configuration);
    let logging = logging.and_then(|one| one.logging_enabled);
    let access_log = logging.map(|one| read_logging(one, &mut foreign_settings));
    let rules = lifecycle.and_then(|one| one.rules).unwrap_or_default();
    let expire_after_days = read_lifecycle(&rules, &mut foreign_settings);
    read_access(access.and_then(|one| one.public_access_block_configuration), &mut foreign_settings);
    read_ownership(ownership.and_then(|one| one.ownership_controls), &mut foreign_settings);
    let enabled = versioning.and_then(|one| one.status) == Some(sdk::BucketVersioningStatus::Enabled);
    Ok(S3BucketSpec {
        name: name.to_owned(),
        encryption: read_encryption(encryption, &mut foreign_settings),
        versioning: if enabled { Versioning::Enabled } else { Versioning::Suspended },
        access_log,
        policy: policy.and_then(|one| one.policy).map(|text| read_policy(name, &text)).transpose()?,
        expire_after_days,
        foreign_settings,
        tags,
    })
}

fn read_policy(name: &str, text: &str) -> Result<Policy> {
    let wrong =
        |why: String| Failure::new(FailureKind::Aws, format!("the policy of bucket `{name}` can't be read")).cause(why);
    let document = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    Policy::parse(&document).map_err(wrong)
}

fn read_encryption(live: Option<sdk::ServerSideEncryptionConfiguration>, foreign: &mut BTreeSet<String>) -> Encryption {
    let rule = live.and_then(|one| one.rules.into_iter().next());
    let bucket_key = rule.as_ref().and_then(|rule| rule.bucket_key_enabled) == Some(true);
    let Some(by_default) = rule.and_then(|rule| rule.apply_server_side_encryption_by_default) else {
        foreign.insert("Encryption=none".to_owned());
        return Encryption::S3;
    };
    match (by_default.sse_algorithm, by_default.kms_master_key_id) {
        (sdk::ServerSideEncryption::Aes256, _) => Encryption::S3,
        (sdk::ServerSideEncryption::AwsKms, Some(key)) => {
            if !bucket_key {
                foreign.insert("BucketKeyEnabled=false".to_owned());
            }
            Encryption::Kms { key: Input::from(key) }
        }
        (other, _) => {
            foreign.insert(format!("Encryption={}", other.as_str()));
            Encryption::S3
        }
    }
}

fn read_logging(live: sdk::LoggingEnabled, foreign: &mut BTreeSet<String>) -> AccessLog {
    if live.target_grants.is_some_and(|grants| !grants.is_empty()) {
        foreign.insert("TargetGrants".to_owned());
    }
    if live.target_object_key_format.is_some_and(|format| format.partitioned_prefix.is_some()) {
        foreign.insert("TargetObjectKeyFormat".to_owned());
    }
    AccessLog { bucket: Input::from(live.target_bucket), prefix: live.target_prefix }
}

/// The days of the one rule that gwctl makes. Any other rule, or one that is not exactly as gwctl makes it, is foreign.
fn read_lifecycle(live: &[sdk::LifecycleRule], foreign: &mut BTreeSet<String>) -> Option<i32> {
    let mut found = None;
    for rule in live {
        let days = rule.expiration().and_then(sdk::LifecycleExpiration::days);
        if days.is_some_and(|days| expiry(days).is_ok_and(|ours| tidy(rule) == tidy(&ours))) {
            found = days;
        } else {
            foreign.insert("LifecycleRules".to_owned());
        }
    }
    found
}

/// A rule in one form: S3 takes an empty prefix for none, and tells what is off as false.
fn tidy(rule: &sdk::LifecycleRule) -> sdk::LifecycleRule {
    let mut rule = rule.clone();
    if let Some(filter) = &mut rule.filter {
        filter.prefix = filter.prefix.take().filter(|prefix| !prefix.is_empty());
    }
    if let Some(expiration) = &mut rule.expiration {
        expiration.expired_object_delete_marker = expiration.expired_object_delete_marker.filter(|set| *set);
    }
    rule.transitions = rule.transitions.filter(|list| !list.is_empty());
    rule.noncurrent_version_transitions = rule.noncurrent_version_transitions.filter(|list| !list.is_empty());
    rule
}

fn read_access(live: Option<sdk::PublicAccessBlockConfiguration>, foreign: &mut BTreeSet<String>) {
    let live = live.unwrap_or_else(|| sdk::PublicAccessBlockConfiguration::builder().build());
    for (name, set) in [
        ("BlockPublicAcls", live.block_public_acls),
        ("IgnorePublicAcls", live.ignore_public_acls),
        ("BlockPublicPolicy", live.block_public_policy),
        ("RestrictPublicBuckets", live.restrict_public_buckets),
    ] {
        if set != Some(true) {
            foreign.insert(format!("{name}=false"));
        }
    }
}

fn read_ownership(live: Option<sdk::OwnershipControls>, foreign: &mut BTreeSet<String>) {
    let live = live.and_then(|one| one.rules.into_iter().next()).map(|rule| rule.object_ownership);
    if live != Some(sdk::ObjectOwnership::BucketOwnerEnforced) {
        let shown = live.as_ref().map_or("none", sdk::ObjectOwnership::as_str);
        foreign.insert(format!("ObjectOwnership={shown}"));
    }
}

/// The outcome of a builder of the SDK. It fails where a required member is missing, and all are set.
pub(super) fn built<T>(result: std::result::Result<T, aws_smithy_types::error::operation::BuildError>) -> Result<T> {
    result.map_err(|error| Failure::internal("a request to S3 was left incomplete").because(&error))
}

/// One call, as often as S3 asks to come back.
async fn put<T, E, F, Fut>(name: &str, what: &str, call: F) -> Result<()>
where
    E: ProvideErrorMetadata + Error + 'static,
    F: FnMut() -> Fut,
    Fut: Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>>,
{
    let answer = retry::until_ready(SPREADS, &NOT_YET, call).await;
    answer.map(drop).map_err(|error| explained(name, &format!("set the {what} of bucket `{name}`"), error))
}

/// Turns the settings of a bucket from what they are into what is wanted. What closes it comes first.
pub(super) async fn write(aws: &Aws, live: &S3BucketSpec, wanted: &S3BucketSpec) -> Result<()> {
    let S3BucketSpec {
        name,
        encryption,
        versioning,
        access_log,
        policy,
        expire_after_days,
        foreign_settings: _, // never wanted
        tags: _,             // have calls of their own
    } = wanted;
    let (s3, owner) = (&aws.write.s3, &aws.place.account);
    let is_foreign = |start: &str| live.foreign_settings.iter().any(|one| one.starts_with(start));
    if ["BlockPublic", "IgnorePublic", "RestrictPublic"].into_iter().any(is_foreign) {
        let closed = sdk::PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
        let closed = closed.block_public_policy(true).restrict_public_buckets(true).build();
        put(name, "public access block", || {
            let call = s3.put_public_access_block().bucket(name).expected_bucket_owner(owner);
            call.public_access_block_configuration(closed.clone()).send()
        })
        .await?;
    }
    if is_foreign("ObjectOwnership") {
        let rule = sdk::OwnershipControlsRule::builder().object_ownership(sdk::ObjectOwnership::BucketOwnerEnforced);
        let controls = built(sdk::OwnershipControls::builder().rules(built(rule.build())?).build())?;
        put(name, "ownership controls", || {
            let call = s3.put_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner);
            call.ownership_controls(controls.clone()).send()
        })
        .await?;
    }
    if live.encryption != *encryption || is_foreign("Encryption") || is_foreign("BucketKeyEnabled") {
        let wanted = sse(encryption)?;
        put(name, "encryption", || {
            let call = s3.put_bucket_encryption().bucket(name).expected_bucket_owner(owner);
            call.server_side_encryption_configuration(wanted.clone()).send()
        })
        .await?;
    }
    if live.policy != *policy {
        write_policy(aws, name, policy.as_ref()).await?;
    }
    if live.versioning != *versioning {
        let status = match versioning {
            Versioning::Enabled => sdk::BucketVersioningStatus::Enabled,
            Versioning::Suspended => sdk::BucketVersioningStatus::Suspended,
        };
        let wanted = sdk::VersioningConfiguration::builder().status(status).build();
        put(name, "versioning", || {
            let call = s3.put_bucket_versioning().bucket(name).expected_bucket_owner(owner);
            call.versioning_configuration(wanted.clone()).send()
        })
        .await?;
    }
    if live.access_log != *access_log || is_foreign("Target") {
        let wanted =
            sdk::BucketLoggingStatus::builder().set_logging_enabled(access_log.as_ref().map(logging).transpose()?);
        let wanted = wanted.build();
        put(name, "logging", || {
            let call = s3.put_bucket_logging().bucket(name).expected_bucket_owner(owner);
            call.bucket_logging_status(wanted.clone()).send()
        })
        .await?;
    }
    if live.expire_after_days != *expire_after_days || is_foreign("LifecycleRules") {
        write_lifecycle(aws, name, *expire_after_days).await?;
    }
    Ok(())
}

fn sse(encryption: &Encryption) -> Result<sdk::ServerSideEncryptionConfiguration> {
    let builder = sdk::ServerSideEncryptionByDefault::builder();
    let (by_default, bucket_key) = match encryption {
        Encryption::S3 => (builder.sse_algorithm(sdk::ServerSideEncryption::Aes256), false),
        Encryption::Kms { key } => {
            (builder.sse_algorithm(sdk::ServerSideEncryption::AwsKms).kms_master_key_id(key.known()?), true)
        }
    };
    let rule = sdk::ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(built(by_default.build())?)
        .bucket_key_enabled(bucket_key);
    built(sdk::ServerSideEncryptionConfiguration::builder().rules(rule.build()).build())
}

fn logging(log: &AccessLog) -> Result<sdk::LoggingEnabled> {
    let AccessLog { bucket, prefix } = log;
    built(sdk::LoggingEnabled::builder().target_bucket(bucket.known()?).target_prefix(prefix).build())
}

async fn write_policy(aws: &Aws, name: &str, policy: Option<&Policy>) -> Result<()> {
    let (s3, owner) = (&aws.write.s3, &aws.place.account);
    if let Some(policy) = policy {
        let text = policy.to_document().to_string();
        return put(name, "policy", || {
            s3.put_bucket_policy().bucket(name).expected_bucket_owner(owner).policy(&text).send()
        })
        .await;
    }
    put(name, "policy", || s3.delete_bucket_policy().bucket(name).expected_bucket_owner(owner).send()).await
}

async fn write_lifecycle(aws: &Aws, name: &str, days: Option<i32>) -> Result<()> {
    let (s3, owner) = (&aws.write.s3, &aws.place.account);
    if let Some(days) = days {
        let rules = sdk::BucketLifecycleConfiguration::builder().rules(expiry(days)?);
        let rules = built(rules.build())?;
        return put(name, "lifecycle", || {
            let call = s3.put_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner);
            call.lifecycle_configuration(rules.clone()).send()
        })
        .await;
    }
    put(name, "lifecycle", || s3.delete_bucket_lifecycle().bucket(name).expected_bucket_owner(owner).send()).await
}

/// The rule that lets objects expire: the current ones, those that were overwritten or deleted, and what was never whole.
fn expiry(days: i32) -> Result<sdk::LifecycleRule> {
    let unfinished = sdk::AbortIncompleteMultipartUpload::builder().days_after_initiation(UNFINISHED).build();
    let rule = sdk::LifecycleRule::builder()
        .id(RULE)
        .status(sdk::ExpirationStatus::Enabled)
        .filter(sdk::LifecycleRuleFilter::builder().prefix("").build())
        .expiration(sdk::LifecycleExpiration::builder().days(days).build())
        .noncurrent_version_expiration(sdk::NoncurrentVersionExpiration::builder().noncurrent_days(days).build())
        .abort_incomplete_multipart_upload(unfinished);
    built(rule.build())
}

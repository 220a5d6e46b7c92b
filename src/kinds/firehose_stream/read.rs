//! A delivery stream as Firehose describes it, in the type that desired wears.

use std::collections::BTreeSet;

use aws_sdk_firehose::types::{
    BufferingHints, CompressionFormat, DeliveryStreamDescription, DeliveryStreamEncryptionStatus, DeliveryStreamType,
    EncryptionConfiguration, ExtendedS3DestinationDescription, KeyType, S3BackupMode,
};

use super::spec::{Buffering, Compression, DeliveryLog, FirehoseStreamSpec, StreamEncryption};
use crate::aws::tags::Tags;
use crate::model::Input;

pub(super) fn spec(live: &DeliveryStreamDescription, user: Tags) -> FirehoseStreamSpec {
    let to = live.destinations.first().and_then(|one| one.extended_s3_destination_description());
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let hints = to.and_then(ExtendedS3DestinationDescription::buffering_hints);
    let granted = Buffering::default();
    let log = to.and_then(ExtendedS3DestinationDescription::cloud_watch_logging_options);
    let log = log.filter(|log| log.enabled == Some(true));
    let key = to.and_then(ExtendedS3DestinationDescription::encryption_configuration);
    let key = key.and_then(EncryptionConfiguration::kms_encryption_config);
    FirehoseStreamSpec {
        name: live.delivery_stream_name.clone(),
        role: to.map(|to| to.role_arn.as_str()).unwrap_or_default().into(),
        bucket: to.map(|to| to.bucket_arn.as_str()).unwrap_or_default().into(),
        prefix: text(to.and_then(ExtendedS3DestinationDescription::prefix)),
        error_prefix: text(to.and_then(ExtendedS3DestinationDescription::error_output_prefix)),
        buffering: Buffering {
            size_mib: hints.and_then(BufferingHints::size_in_mbs).unwrap_or(granted.size_mib),
            interval_seconds: hints.and_then(BufferingHints::interval_in_seconds).unwrap_or(granted.interval_seconds),
        },
        compression: compression(to.map(|to| &to.compression_format)),
        object_key: key.map(|key| Input::from(key.awskms_key_arn.as_str())),
        log: log.map(|log| DeliveryLog {
            group: log.log_group_name().unwrap_or_default().into(),
            stream: log.log_stream_name().unwrap_or_default().to_owned(),
        }),
        encryption: encryption(live),
        foreign_settings: foreign_settings(live, to),
        tags: user,
    }
}

fn compression(live: Option<&CompressionFormat>) -> Compression {
    match live {
        Some(CompressionFormat::Gzip) => Compression::Gzip,
        Some(CompressionFormat::Zip) => Compression::Zip,
        Some(CompressionFormat::Snappy) => Compression::Snappy,
        Some(CompressionFormat::HadoopSnappy) => Compression::HadoopSnappy,
        _ => Compression::Uncompressed,
    }
}

/// Encryption that failed to begin is none, so that the next apply begins it again.
fn encryption(live: &DeliveryStreamDescription) -> StreamEncryption {
    use DeliveryStreamEncryptionStatus::{DisablingFailed, Enabled, Enabling};
    let Some(found) = live.delivery_stream_encryption_configuration() else { return StreamEncryption::None };
    match (found.status(), found.key_type()) {
        (Some(Enabled | Enabling | DisablingFailed), Some(KeyType::CustomerManagedCmk)) => {
            StreamEncryption::Customer { key: found.key_arn().unwrap_or_default().into() }
        }
        (Some(Enabled | Enabling | DisablingFailed), _) => StreamEncryption::AwsOwned,
        _ => StreamEncryption::None,
    }
}

/// What an update takes away by saying that it is off.
pub(super) const REMOVED: [&str; 4] =
    ["ProcessingConfiguration", "DataFormatConversionConfiguration", "FileExtension", "CustomTimeZone"];

fn foreign_settings(
    live: &DeliveryStreamDescription,
    to: Option<&ExtendedS3DestinationDescription>,
) -> BTreeSet<String> {
    let on = |get: fn(&ExtendedS3DestinationDescription) -> Option<bool>| to.and_then(get) == Some(true);
    let [processing, conversion, extension, zone] = REMOVED;
    [
        ("DeliveryStreamType", live.delivery_stream_type != DeliveryStreamType::DirectPut),
        ("Destination", to.is_none()),
        (processing, on(|to| to.processing_configuration()?.enabled())),
        (conversion, on(|to| to.data_format_conversion_configuration()?.enabled())),
        ("DynamicPartitioningConfiguration", on(|to| to.dynamic_partitioning_configuration()?.enabled())),
        ("S3BackupMode", on(|to| Some(*to.s3_backup_mode()? == S3BackupMode::Enabled))),
        (extension, on(|to| Some(!to.file_extension()?.is_empty()))),
        (zone, on(|to| Some(!["", "UTC"].contains(&to.custom_time_zone()?)))),
    ]
    .into_iter()
    .filter(|(_, set)| *set)
    .map(|(name, _)| name.to_owned())
    .collect()
}

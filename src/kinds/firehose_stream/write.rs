//! A delivery stream as Firehose takes it.

use aws_sdk_firehose::types::{
    BufferingHints, CloudWatchLoggingOptions, CompressionFormat, DataFormatConversionConfiguration,
    DeliveryStreamEncryptionConfigurationInput, EncryptionConfiguration, ExtendedS3DestinationConfiguration,
    ExtendedS3DestinationUpdate, KeyType, KmsEncryptionConfig, NoEncryptionConfig, ProcessingConfiguration,
};

use super::read::REMOVED;
use super::spec::{Buffering, Compression, DeliveryLog, FirehoseStreamSpec, StreamEncryption};
use crate::error::{Failure, Result};

/// The outcome of a builder of the SDK. It fails where a required member is missing, and all are set.
pub(super) fn built<T>(result: std::result::Result<T, aws_smithy_types::error::operation::BuildError>) -> Result<T> {
    result.map_err(|error| Failure::internal("a request to Firehose was left incomplete").because(&error))
}

/// The parts of a destination that creating and updating it have in common.
struct Destination {
    hints: BufferingHints,
    format: CompressionFormat,
    encryption: EncryptionConfiguration,
    log: CloudWatchLoggingOptions,
}

fn destination(spec: &FirehoseStreamSpec) -> Result<Destination> {
    let Buffering { size_mib, interval_seconds } = spec.buffering;
    let format = match spec.compression {
        Compression::Uncompressed => CompressionFormat::Uncompressed,
        Compression::Gzip => CompressionFormat::Gzip,
        Compression::Zip => CompressionFormat::Zip,
        Compression::Snappy => CompressionFormat::Snappy,
        Compression::HadoopSnappy => CompressionFormat::HadoopSnappy,
    };
    let encryption = match &spec.object_key {
        None => EncryptionConfiguration::builder().no_encryption_config(NoEncryptionConfig::NoEncryption).build(),
        Some(key) => {
            let key = built(KmsEncryptionConfig::builder().awskms_key_arn(key.known()?).build())?;
            EncryptionConfiguration::builder().kms_encryption_config(key).build()
        }
    };
    let log = CloudWatchLoggingOptions::builder().enabled(spec.log.is_some());
    let log = match &spec.log {
        None => log,
        Some(DeliveryLog { group, stream }) => log.log_group_name(group.known()?).log_stream_name(stream),
    };
    let hints = BufferingHints::builder().size_in_mbs(size_mib).interval_in_seconds(interval_seconds).build();
    Ok(Destination { hints, format, encryption, log: log.build() })
}

pub(super) fn sse(encryption: &StreamEncryption) -> Result<Option<DeliveryStreamEncryptionConfigurationInput>> {
    let builder = DeliveryStreamEncryptionConfigurationInput::builder();
    let builder = match encryption {
        StreamEncryption::None => return Ok(None),
        StreamEncryption::AwsOwned => builder.key_type(KeyType::AwsOwnedCmk),
        StreamEncryption::Customer { key } => builder.key_type(KeyType::CustomerManagedCmk).key_arn(key.known()?),
    };
    built(builder.build()).map(Some)
}

/// The destination of a new stream.
pub(super) fn configuration(spec: &FirehoseStreamSpec) -> Result<ExtendedS3DestinationConfiguration> {
    let FirehoseStreamSpec {
        role,
        bucket,
        prefix,
        error_prefix,
        // Through `destination`.
        buffering: _,
        compression: _,
        object_key: _,
        log: _,
        // Beside the destination.
        name: _,
        encryption: _,
        foreign_settings: _,
        tags: _,
    } = spec;
    let Destination { hints, format, encryption: objects, log } = destination(spec)?;
    let to = ExtendedS3DestinationConfiguration::builder()
        .role_arn(role.known()?)
        .bucket_arn(bucket.known()?)
        .set_prefix(prefix.clone())
        .set_error_output_prefix(error_prefix.clone())
        .buffering_hints(hints)
        .compression_format(format)
        .encryption_configuration(objects)
        .cloud_watch_logging_options(log);
    built(to.build())
}

/// What turns the destination of one stream into that of another. What an update leaves out stays (API reference,
/// `UpdateDestination`), so that everything is said, what is not wanted as empty.
pub(super) fn update(live: &FirehoseStreamSpec, wanted: &FirehoseStreamSpec) -> Result<ExtendedS3DestinationUpdate> {
    let Destination { hints, format, encryption, log } = destination(wanted)?;
    let [processing, conversion, extension, zone] = REMOVED.map(|one| live.foreign_settings.contains(one));
    Ok(ExtendedS3DestinationUpdate::builder()
        .role_arn(wanted.role.known()?)
        .bucket_arn(wanted.bucket.known()?)
        .prefix(wanted.prefix.clone().unwrap_or_default())
        .error_output_prefix(wanted.error_prefix.clone().unwrap_or_default())
        .buffering_hints(hints)
        .compression_format(format)
        .encryption_configuration(encryption)
        .cloud_watch_logging_options(log)
        .set_processing_configuration(processing.then(|| ProcessingConfiguration::builder().enabled(false).build()))
        .set_data_format_conversion_configuration(
            conversion.then(|| DataFormatConversionConfiguration::builder().enabled(false).build()),
        )
        .set_file_extension(extension.then(String::new))
        .set_custom_time_zone(zone.then(|| "UTC".to_owned()))
        .build())
}

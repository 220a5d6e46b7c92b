//! Access logging of a stage: what may be logged where (aws-facts F).

use super::errors::{Answer, Refusal, bad_request};
use super::patch::Patch;
use super::stage_patch::Around;
use super::state::Stage;
use crate::sandbox::wire::Caller;

/// Adds or replaces one member of the access log settings.
pub(super) fn set(stage: &mut Stage, patch: &Patch, around: &Around<'_>) -> Answer<()> {
    let member = patch.path.strip_prefix("/accessLogSettings").unwrap_or_default();
    if !matches!(member, "/destinationArn" | "/format") {
        return Err(bad_request(
            "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
        ));
    }
    let Some(value) = patch.text_or_none() else {
        return Err(bad_request("Access Log value must not be empty"));
    };
    if !around.can_log {
        return Err(no_role());
    }
    if member == "/format" {
        check_format(&value)?;
    } else {
        check_destination(&value, around.caller)?;
    }
    let settings = stage.access_log_settings.get_or_insert_default();
    if member == "/format" {
        settings.format = Some(value);
    } else {
        settings.destination_arn = Some(value);
    }
    Ok(())
}

/// The account settings name no role that may write logs.
pub(super) fn no_role() -> Refusal {
    bad_request("CloudWatch Logs role ARN must be set in account settings to enable logging")
}

/// One line, and a request can be told by it.
pub(in crate::sandbox) fn check_format(format: &str) -> Answer<()> {
    if format.trim_end_matches('\n').contains('\n') {
        return Err(bad_request(
            "Access Log format must be single line, new line character is allowed only at end of the format",
        ));
    }
    if !format.contains("$context.requestId") && !format.contains("$context.extendedRequestId") {
        return Err(bad_request(
            "Access Log format must include either $context.requestId or $context.extendedRequestId",
        ));
    }
    Ok(())
}

/// A log group of the caller, without `:*`, or a Firehose with the prefix. Whether the group exists is not asked
/// (recorded).
pub(in crate::sandbox) fn check_destination(arn: &str, caller: &Caller) -> Answer<()> {
    let own = |service: &str| format!("arn:{}:{service}:{}:{}:", caller.partition(), caller.region, caller.account);
    if let Some(group) = arn.strip_prefix(&own("logs")) {
        let name = group.strip_prefix("log-group:").unwrap_or_default();
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.#".contains(c)) {
            return Ok(());
        }
        return Err(bad_request(format!(
            "Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': '{group}'"
        )));
    }
    let stream = arn.strip_prefix(&own("firehose")).and_then(|rest| rest.strip_prefix("deliverystream/"));
    match stream {
        Some(name) if name.starts_with("amazon-apigateway-") => Ok(()),
        Some(_) => Err(bad_request(
            "Kinesis Firehose delivery stream name must begin with the characters 'amazon-apigateway-'",
        )),
        None if !arn.starts_with("arn:") => Err(bad_request("Invalid ARN specified in the request")),
        None => Err(bad_request(
            "The ARN must be a valid CloudWatch Logs log group or Kinesis Data Firehose delivery stream",
        )),
    }
}

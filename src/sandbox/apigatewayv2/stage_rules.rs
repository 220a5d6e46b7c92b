//! What a stage must hold to be one.

use serde::Deserialize;

use super::errors::{Answer, bad_request};
use super::state::{AccessLogSettings, RouteSettings, Strings};
use crate::sandbox::apigateway::stage_logging;
use crate::sandbox::wire::Caller;

/// Settings of routes as a client gives them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RouteSettingsInput {
    data_trace_enabled: Option<bool>,
    detailed_metrics_enabled: Option<bool>,
    logging_level: Option<String>,
    throttling_burst_limit: Option<i64>,
    throttling_rate_limit: Option<f64>,
}

/// `$default`, or letters, digits, hyphens and underscores (service model). The words are a guess.
pub(super) fn name(name: &str) -> Answer<()> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if name == "$default" || (plain && (1..=128).contains(&name.len())) {
        return Ok(());
    }
    Err(bad_request("Stage name only allows a-zA-Z0-9_- or $default"))
}

/// Settings of routes. A limit that is not given is not configured: it is Terraform that sent a zero for it, not AWS that made
/// one of it (terraform-aws-modules/terraform-aws-apigateway-v2#59, hashicorp/terraform-provider-aws#27674; a stage of
/// `CloudFormation` with metrics alone is not throttled). A zero that is given is kept, and lets nothing through.
pub(super) fn route_settings(given: RouteSettingsInput) -> Answer<RouteSettings> {
    let RouteSettingsInput {
        data_trace_enabled,
        detailed_metrics_enabled,
        logging_level,
        throttling_burst_limit,
        throttling_rate_limit,
    } = given;
    if logging_level.is_some() || data_trace_enabled == Some(true) {
        // Reported of the level; the same for traces is a guess.
        return Err(bad_request("Execution logs are not supported on protocolType HTTP"));
    }
    // Guesses.
    if throttling_burst_limit.is_some_and(|limit| limit < 0) || throttling_rate_limit.is_some_and(|limit| limit < 0.0) {
        return Err(bad_request("Throttling limits can't be less than 0"));
    }
    Ok(RouteSettings { detailed_metrics_enabled, throttling_burst_limit, throttling_rate_limit })
}

/// Takes in stage variables; an empty value takes one away (Terraform does it so). The words are guesses.
pub(super) fn variables(held: &mut Strings, given: Strings) -> Answer<()> {
    for (name, value) in given {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(bad_request(format!("Invalid stage variable name: {name}")));
        }
        // aws-facts A.
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte)) {
            return Err(bad_request(format!("Invalid stage variable value: {value}")));
        }
        if value.is_empty() {
            held.remove(&name);
        } else {
            held.insert(name, value);
        }
    }
    Ok(())
}

/// Takes in settings of the access log. Formats and log groups are those of REST APIs (the AWS CDK refuses a format without a
/// request id for both); that an HTTP API needs no role in the account settings and has no Firehose is from memory of
/// the developer guide, and was not looked up.
pub(super) fn access_log(
    held: &mut Option<AccessLogSettings>,
    given: AccessLogSettings,
    caller: &Caller,
) -> Answer<()> {
    let mut settings = held.clone().unwrap_or_default();
    if let Some(arn) = given.destination_arn {
        stage_logging::check_destination(&arn, caller)?;
        if arn.contains(":firehose:") {
            return Err(bad_request("The ARN must be a valid CloudWatch Logs log group"));
        }
        settings.destination_arn = Some(arn);
    }
    if let Some(format) = given.format {
        stage_logging::check_format(&format)?;
        settings.format = Some(format);
    }
    // A guess.
    if settings.destination_arn.is_none() || settings.format.is_none() {
        return Err(bad_request("Access log settings need both a destination ARN and a format"));
    }
    *held = Some(settings);
    Ok(())
}

//! What a refusal says: that calls come too often, which time mends, or that there are too many of something, which time does
//! not.

use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::retry::ErrorKind;

/// Codes of quotas that no time fills again. The SDK takes the first of them for a rate. API Gateway, Certificate Manager,
/// Firehose and Logs: `LimitExceededException`; IAM: `LimitExceeded`; the others by their API references.
const USED_UP: [&str; 11] = [
    "LimitExceededException",
    "LimitExceeded",
    "ServiceQuotaExceededException",
    "CodeStorageExceededException",
    "WAFLimitsExceededException",
    "TooManyHostedZones",
    "TooManyHealthChecks",
    "LimitsExceeded",
    "TooManyBuckets",
    "TopicLimitExceeded",
    "TooManyTagsException",
];

/// Whether a code says that a quota is used up.
#[must_use]
pub fn is_used_up(code: &str) -> bool {
    USED_UP.contains(&code)
}

/// The error code of an answer: in a header, in a tag, or in a field, whatever the protocol has.
fn code(response: &HttpResponse) -> Option<String> {
    if let Some(header) = response.headers().get("x-amzn-errortype") {
        return Some(bare(header).to_owned());
    }
    // With the query protocol's clients in mind, services that left it say the old code here.
    if let Some(header) = response.headers().get("x-amzn-query-error") {
        return header.split(';').next().map(str::to_owned);
    }
    let body = String::from_utf8_lossy(response.body().bytes()?);
    let between = |open: &str, close: char| {
        let rest = &body[body.find(open)? + open.len()..];
        let rest = rest.trim_start_matches([':', ' ', '"']);
        Some(bare(&rest[..rest.find(close)?]).to_owned())
    };
    between("<Code>", '<').or_else(|| between("\"__type\"", '"')).or_else(|| between("\"code\"", '"'))
}

/// A code without the name space before it and the address behind it.
fn bare(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code)
}

/// Whether AWS refused a call for its rate. A quota that time does not fill again has the same status in API Gateway.
pub(super) fn came_too_often(response: &HttpResponse) -> bool {
    let code = code(response).unwrap_or_default();
    match response.status().as_u16() {
        429 => !is_used_up(&code),
        400 => code.starts_with("Throttl"),
        _ => false,
    }
}

/// When to come back. API Gateway and Lambda say so in seconds: both models bind `retryAfterSeconds` to this header (aws-facts
/// A), of which the SDK knows only its own, `x-amz-retry-after`.
pub(super) fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let headers = response.headers();
    let seconds = headers.get("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let own = headers.get("x-amz-retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_millis);
    // Nobody is sent away for longer than that for a rate.
    seconds.or(own).map(|wait| wait.min(LONGEST))
}

/// The longest that is waited because an answer says so.
const LONGEST: Duration = Duration::from_mins(5);

/// Tells the SDK which refusals are worth another try: those for the rate, without a pause, because the call waits in its line;
/// and none of a quota that is used up.
#[derive(Debug)]
pub(super) struct Refusals;

impl ClassifyRetry for Refusals {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response().filter(|response| !response.status().is_success()) else {
            return RetryAction::NoActionIndicated;
        };
        if came_too_often(response) {
            RetryAction::retryable_error_with_explicit_delay(ErrorKind::ThrottlingError, Duration::ZERO)
        } else if code(response).is_some_and(|code| is_used_up(&code)) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Refusals"
    }

    /// The last word.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, header: &str, body: &str) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), body.to_owned().into());
        if let Some((name, value)) = header.split_once('=') {
            response.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        response
    }

    #[test]
    fn refusals_for_the_rate_are_told_from_others() {
        let code = |code: &str| format!("x-amzn-errortype={code}");
        for (status, header, body, expected) in [
            (429, code("TooManyRequestsException"), "", true),
            (429, String::new(), "", true),
            (429, code("LimitExceededException:"), "", false),
            (400, String::new(), "<Error><Code>Throttling</Code></Error>", true),
            (400, code("ThrottlingException"), "", true),
            (400, code("ThrottledException"), "", true),
            (400, String::new(), "{\"__type\":\"com.amazonaws.logs#ThrottlingException\"}", true),
            (400, "x-amzn-query-error=Throttling;Sender".to_owned(), "", true),
            (400, code("BadRequestException"), "Throttling settings are wrong", false),
            (400, String::new(), "{\"__type\":\"WAFUnavailableEntityException\"}", false),
            (200, String::new(), "Throttling", false),
        ] {
            assert_eq!(came_too_often(&response(status, &header, body)), expected, "{status} {header} {body}");
        }
    }

    #[test]
    fn quotas_that_are_used_up_are_not_asked_again() {
        for (status, header, body) in [
            (429, "x-amzn-errortype=LimitExceededException", ""),
            (409, "", "<ErrorResponse><Error><Code>LimitExceeded</Code></Error></ErrorResponse>"),
            (400, "", "{\"__type\":\"com.amazonaws.wafv2#WAFLimitsExceededException\"}"),
            (400, "x-amzn-errortype=CodeStorageExceededException", ""),
        ] {
            assert!(code(&response(status, header, body)).is_some_and(|code| is_used_up(&code)), "{header} {body}");
        }
    }

    #[test]
    fn aws_says_in_seconds_when_to_come_back() {
        let after = |header| retry_after(&response(429, header, ""));
        assert_eq!(after("retry-after=3"), Some(Duration::from_secs(3)));
        assert_eq!(after("x-amz-retry-after=1500"), Some(Duration::from_millis(1500)));
        assert_eq!(after("retry-after=86400"), Some(LONGEST));
        assert_eq!(after("retry-after=Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(after(""), None);
    }
}

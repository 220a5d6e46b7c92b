//! Turns an error of the SDK into a [`Failure`] that says what was being done, what AWS answered, and what to do.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{Failure, FailureKind};

/// `failed to <doing>`, with AWS's code and message as cause.
#[must_use]
// By value: this is where an error of the SDK ends, and `map_err(|error| failed(…, error))` reads best so.
#[allow(clippy::needless_pass_by_value)]
pub fn failed<E, R>(doing: &str, error: SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let failure = Failure::new(FailureKind::Aws, format!("failed to {doing}"));
    let (Some(code), true) = (error.code(), matches!(error, SdkError::ServiceError(_))) else {
        let below = below(&error);
        let no_credentials = below.0.contains("credentials");
        let failure = failure.because(&below);
        if no_credentials {
            return failure
                .hint("find credentials: set AWS_PROFILE, log in (`aws sso login`), or try it with --sandbox");
        }
        return match &error {
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                failure.hint("check the network, the Region and --endpoint-url, then run this again")
            }
            SdkError::ResponseError(_) => failure.hint(
                "what answered may not be AWS: check the proxy, HTTPS_PROXY and --endpoint-url, then run this again",
            ),
            SdkError::ConstructionFailure(_) => failure.hint(
                "if credentials are missing: set AWS_PROFILE, log in (`aws sso login`), or try it with --sandbox",
            ),
            _ => failure,
        };
    };
    let message = error.message().unwrap_or("AWS gave no message");
    let failure = failure.cause(format!("{code}: {message}"));
    match hint(code) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What AWS always answers: an empty id or ARN would go into the next call and mean something else there.
pub fn given<T>(what: &str, value: Option<T>) -> crate::error::Result<T> {
    value.ok_or_else(|| Failure::new(FailureKind::Aws, format!("AWS gave no {what}")))
}

/// The error below the SDK's own envelope, which says only "dispatch failure".
fn below<E: Error + 'static, R: std::fmt::Debug + 'static>(error: &SdkError<E, R>) -> Flat {
    let mut texts = Vec::new();
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = error.source();
    }
    // The envelope stands in front of the reason and tells nothing that the reason does not.
    let start = usize::from(texts.len() > 1);
    Flat(texts[start..].join(": "))
}

#[derive(Debug)]
struct Flat(String);

impl std::fmt::Display for Flat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Flat {}

fn hint(code: &str) -> Option<&'static str> {
    match code {
        "ExpiredToken" | "ExpiredTokenException" => Some("the credentials have expired: log in again"),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "SignatureDoesNotMatch" => {
            Some("AWS does not know these credentials: check AWS_PROFILE and the keys it leads to")
        }
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedException" | "UnauthorizedOperation" => {
            Some("the credentials lack the permission for this call: ask the owner of the account for it")
        }
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
            Some("AWS throttles this account's calls: wait a minute and run this again; nothing is lost")
        }
        "LimitExceededException"
        | "LimitExceeded"
        | "ServiceQuotaExceededException"
        | "WAFLimitsExceededException"
        | "SecurityGroupLimitExceeded"
        | "RulesPerSecurityGroupLimitExceeded" => {
            Some("a quota of the account is used up: delete what is not needed, or ask AWS to raise it")
        }
        _ => None,
    }
}

/// Whether an answer was lost: the call may have taken effect, or not. The SDK does not tell a connection that was refused
/// from one that was cut, so that both count.
#[must_use]
pub fn is_ambiguous<E, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout() || failure.is_other(),
        _ => false,
    }
}

/// Whether AWS said that there is no such thing.
#[must_use]
pub fn is_not_found<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    matches!(
        error.code(),
        Some(
            "NotFoundException"
                | "NoSuchEntity"
                | "NoSuchEntityException"
                | "NoSuchHealthCheck"
                | "NoSuchHostedZone"
                | "ResourceNotFoundException"
                | "WAFNonexistentItemException"
        )
    )
}

//! Turns an error of the SDK into a [`Failure`] that says what was being done, what AWS answered, and what to do.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::pace::{GivenUp, is_used_up};
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
    if is_given_up(&error) {
        return Failure::new(FailureKind::Interrupted, format!("failed to {doing}")).because(&GivenUp);
    }
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
            // An error of AWS has a code.
            SdkError::ResponseError(_) | SdkError::ServiceError(_) => failure.hint(
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
    if DENIALS.contains(&code) {
        return failure.hint(not_allowed(message));
    }
    match hint(code) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What AWS always answers: an empty id or ARN would go into the next call and mean something else there.
pub fn given<T>(what: &str, value: Option<T>) -> crate::error::Result<T> {
    value.ok_or_else(|| Failure::new(FailureKind::Aws, format!("AWS gave no {what}")))
}

/// Whether a call ended in its line, because nobody was to wait any longer.
fn is_given_up<E: Error + 'static, R: std::fmt::Debug + 'static>(error: &SdkError<E, R>) -> bool {
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        if error.is::<GivenUp>() {
            return true;
        }
        next = error.source();
    }
    false
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

/// What services answer a caller whose policies do not allow a call.
const DENIALS: [&str; 4] = ["AccessDenied", "AccessDeniedException", "UnauthorizedException", "UnauthorizedOperation"];

/// What to do about a permission that is missing; most answers name it.
fn not_allowed(message: &str) -> String {
    let action = message.split_once("not authorized to perform: ").and_then(|(_, rest)| rest.split_whitespace().next());
    let what = match action.map(|action| action.trim_end_matches([',', '.'])) {
        Some(action) if action.contains(':') => format!("the permission `{action}`"),
        _ => "the permission for this call".to_owned(),
    };
    format!(
        "the credentials lack {what}: `gwctl policy` prints all that plans and applies need, and `--with` what other commands \
         need; ask the owner of the account for them"
    )
}
/// What helps when a quota is used up that time does not fill again.
const USED_UP: &str = "a quota of the account is used up: delete what is not needed, or ask AWS to raise it";

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
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
            Some("AWS throttles this account's calls: wait a minute and run this again; nothing is lost")
        }
        "SecurityGroupLimitExceeded" | "RulesPerSecurityGroupLimitExceeded" => Some(USED_UP),
        code if is_used_up(code) => Some(USED_UP),
        _ => None,
    }
}

/// Whether an answer was lost: the call may have taken effect, or not. The SDK does not tell a connection that was refused
/// from one that was cut, so that both count. One that ended in its line was never sent.
#[must_use]
pub fn is_ambiguous<E: Error + 'static, R: std::fmt::Debug + 'static>(error: &SdkError<E, R>) -> bool {
    match error {
        _ if is_given_up(error) => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_what_is_missing_and_who_knows_the_rest() {
        let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: lambda:GetFunction on resource: \
                       arn:aws:lambda:eu-central-1:123456789012:function:f because no identity-based policy allows the \
                       lambda:GetFunction action";
        let hint = not_allowed(message);
        assert!(hint.starts_with("the credentials lack the permission `lambda:GetFunction`: `gwctl policy`"), "{hint}");
        assert!(not_allowed("Access Denied").starts_with("the credentials lack the permission for this call: "));
    }
}

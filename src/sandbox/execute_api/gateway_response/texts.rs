//! The words of gateway responses: messages, and the error types in the header `x-amzn-ErrorType`.
//!
//! **Seen** marks what clients of the real service show in public: its answers in issues and in the tests of emulators that
//! are run against it. The rest is a guess, formed like its neighbours.

use super::ResponseType;

/// The authorizer's policy has no statement for the request. Seen.
pub const DENIED_BY_AUTHORIZER: &str = "User is not authorized to access this resource";

/// The authorizer's policy denies the request. Seen in 2026; until about 2025 the text ended after "explicit deny".
pub const DENIED_EXPLICITLY_BY_AUTHORIZER: &str =
    "User is not authorized to access this resource with an explicit deny in an identity-based policy";

/// The message of a type, where the case has no better one. None: the message is `null`.
#[must_use]
pub fn default_message(kind: ResponseType) -> Option<&'static str> {
    Some(match kind {
        ResponseType::AccessDenied => DENIED_BY_AUTHORIZER,
        // Seen, together with "Internal server error" for the configuration error.
        ResponseType::AuthorizerFailure => return None,
        ResponseType::ApiConfigurationError | ResponseType::AuthorizerConfigurationError | ResponseType::Default5xx => {
            "Internal server error"
        }
        // Seen, in both cases: see also `missing_parameters`.
        ResponseType::BadRequestBody => "Invalid request body",
        ResponseType::BadRequestParameters => "Missing required request parameters",
        // Seen, in the words that all services of AWS have.
        ResponseType::ExpiredToken => "The security token included in the request is expired",
        ResponseType::InvalidSignature => {
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details."
        }
        // Seen from here on.
        ResponseType::IntegrationFailure => "Network error communicating with endpoint",
        ResponseType::IntegrationTimeout => "Endpoint request timed out",
        ResponseType::InvalidApiKey | ResponseType::WafFiltered => "Forbidden",
        ResponseType::MissingAuthenticationToken => "Missing Authentication Token",
        ResponseType::QuotaExceeded => "Limit Exceeded",
        // A body over 10 MB never gets this far: it is answered `HTTP content length exceeded 10485760 bytes.`, as text.
        ResponseType::RequestTooLarge => "Request Too Long",
        ResponseType::Throttled => "Too Many Requests",
        ResponseType::Unauthorized => "Unauthorized",
        ResponseType::UnsupportedMediaType => "Unsupported Media Type",
        // Guesses.
        ResponseType::ResourceNotFound => "Not Found",
        ResponseType::Default4xx => "Bad Request",
    })
}

/// The error type of a type, in `x-amzn-ErrorType`.
#[must_use]
pub fn error_type(kind: ResponseType) -> &'static str {
    match kind {
        // Seen.
        ResponseType::AccessDenied => "AccessDeniedException",
        ResponseType::AuthorizerConfigurationError => "AuthorizerConfigurationException",
        ResponseType::BadRequestBody
        | ResponseType::BadRequestParameters
        | ResponseType::Default4xx
        | ResponseType::RequestTooLarge
        | ResponseType::UnsupportedMediaType => "BadRequestException",
        ResponseType::IntegrationFailure
        | ResponseType::IntegrationTimeout
        | ResponseType::Default5xx
        // A guess, this one.
        | ResponseType::ApiConfigurationError => "InternalServerErrorException",
        ResponseType::InvalidApiKey
        // Also a guess: seen is only its message.
        | ResponseType::WafFiltered => "ForbiddenException",
        ResponseType::MissingAuthenticationToken => "MissingAuthenticationTokenException",
        ResponseType::QuotaExceeded => "LimitExceededException",
        ResponseType::Throttled => "TooManyRequestsException",
        ResponseType::Unauthorized => "UnauthorizedException",
        // Guesses.
        ResponseType::AuthorizerFailure => "AuthorizerFailureException",
        ResponseType::ExpiredToken => "ExpiredTokenException",
        ResponseType::InvalidSignature => "InvalidSignatureException",
        ResponseType::ResourceNotFound => "NotFoundException",
    }
}

/// The message when required parameters are missing. Recorded with one name; several are parted as Java prints a list.
#[must_use]
pub fn missing_parameters(names: &[&str]) -> String {
    format!("Missing required request parameters: [{}]", names.join(", "))
}

/// The message when the resource policy does not let a request through: `resource` is its ARN. Seen, the account's first
/// eight digits masked.
#[must_use]
pub fn denied_by_policy(resource: &str, explicitly: bool) -> String {
    let mut parts: Vec<&str> = resource.splitn(6, ':').collect();
    let masked;
    if let Some(account) = parts.get_mut(4)
        && account.len() == 12
        && account.is_ascii()
    {
        masked = format!("********{}", &account[8..]);
        *account = &masked;
    }
    let resource = parts.join(":");
    let suffix = if explicitly { " with an explicit deny" } else { "" };
    format!("User: anonymous is not authorized to perform: execute-api:Invoke on resource: {resource}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policys_refusal_masks_the_account() {
        assert_eq!(
            denied_by_policy("arn:aws:execute-api:us-west-2:123456782543:vd2gh6uqw3/api/GET/", false),
            "User: anonymous is not authorized to perform: execute-api:Invoke on resource: \
             arn:aws:execute-api:us-west-2:********2543:vd2gh6uqw3/api/GET/"
        );
        assert!(denied_by_policy("x", true).ends_with("on resource: x with an explicit deny"));
    }

    #[test]
    fn missing_parameters_are_listed() {
        assert_eq!(missing_parameters(&["issuer"]), "Missing required request parameters: [issuer]");
        assert_eq!(missing_parameters(&["a", "b"]), "Missing required request parameters: [a, b]");
    }
}

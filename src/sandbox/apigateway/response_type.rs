//! The cases in which API Gateway itself answers, with the status that each has by itself.

use std::fmt;

/// A type of gateway response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are AWS's, and its developer guide says when each is given")]
pub enum ResponseType {
    RequestTooLarge,
    ResourceNotFound,
    AuthorizerConfigurationError,
    MissingAuthenticationToken,
    BadRequestBody,
    InvalidSignature,
    InvalidApiKey,
    BadRequestParameters,
    AuthorizerFailure,
    Unauthorized,
    IntegrationTimeout,
    AccessDenied,
    Default4xx,
    Default5xx,
    WafFiltered,
    QuotaExceeded,
    Throttled,
    ApiConfigurationError,
    UnsupportedMediaType,
    IntegrationFailure,
    ExpiredToken,
}

impl ResponseType {
    /// All, in the order the service's messages name them.
    pub const ALL: [Self; 21] = [
        Self::RequestTooLarge,
        Self::ResourceNotFound,
        Self::AuthorizerConfigurationError,
        Self::MissingAuthenticationToken,
        Self::BadRequestBody,
        Self::InvalidSignature,
        Self::InvalidApiKey,
        Self::BadRequestParameters,
        Self::AuthorizerFailure,
        Self::Unauthorized,
        Self::IntegrationTimeout,
        Self::AccessDenied,
        Self::Default4xx,
        Self::Default5xx,
        Self::WafFiltered,
        Self::QuotaExceeded,
        Self::Throttled,
        Self::ApiConfigurationError,
        Self::UnsupportedMediaType,
        Self::IntegrationFailure,
        Self::ExpiredToken,
    ];

    /// The type of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name: `ACCESS_DENIED`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The status it has by itself; none for the two defaults, which leave each case its own.
    #[must_use]
    pub fn status(self) -> Option<&'static str> {
        self.row().1
    }

    /// Whether `DEFAULT_5XX` stands in for it, and not `DEFAULT_4XX`.
    #[must_use]
    pub fn is_server_error(self) -> bool {
        self == Self::Default5xx || self.status().is_some_and(|status| status.starts_with('5'))
    }

    /// The type whose settings it takes where it has none of its own.
    #[must_use]
    pub fn base(self) -> Self {
        if self.is_server_error() { Self::Default5xx } else { Self::Default4xx }
    }

    fn row(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::RequestTooLarge => ("REQUEST_TOO_LARGE", Some("413")),
            Self::ResourceNotFound => ("RESOURCE_NOT_FOUND", Some("404")),
            Self::AuthorizerConfigurationError => ("AUTHORIZER_CONFIGURATION_ERROR", Some("500")),
            Self::MissingAuthenticationToken => ("MISSING_AUTHENTICATION_TOKEN", Some("403")),
            Self::BadRequestBody => ("BAD_REQUEST_BODY", Some("400")),
            Self::InvalidSignature => ("INVALID_SIGNATURE", Some("403")),
            Self::InvalidApiKey => ("INVALID_API_KEY", Some("403")),
            Self::BadRequestParameters => ("BAD_REQUEST_PARAMETERS", Some("400")),
            Self::AuthorizerFailure => ("AUTHORIZER_FAILURE", Some("500")),
            Self::Unauthorized => ("UNAUTHORIZED", Some("401")),
            Self::IntegrationTimeout => ("INTEGRATION_TIMEOUT", Some("504")),
            Self::AccessDenied => ("ACCESS_DENIED", Some("403")),
            Self::Default4xx => ("DEFAULT_4XX", None),
            Self::Default5xx => ("DEFAULT_5XX", None),
            Self::WafFiltered => ("WAF_FILTERED", Some("403")),
            Self::QuotaExceeded => ("QUOTA_EXCEEDED", Some("429")),
            Self::Throttled => ("THROTTLED", Some("429")),
            Self::ApiConfigurationError => ("API_CONFIGURATION_ERROR", Some("500")),
            Self::UnsupportedMediaType => ("UNSUPPORTED_MEDIA_TYPE", Some("415")),
            Self::IntegrationFailure => ("INTEGRATION_FAILURE", Some("504")),
            Self::ExpiredToken => ("EXPIRED_TOKEN", Some("403")),
        }
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

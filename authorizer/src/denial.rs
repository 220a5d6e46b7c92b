//! Why a request does not pass.

use std::borrow::Cow;
use std::fmt;

use crate::UNAUTHORIZED;

/// Why a request does not pass. The reason is for the log; it never holds a token or a part of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// A real no: no token, a malformed one, or the auth service refused it. The client gets 401.
    Unauthorized(&'static str),
    /// No decision could be made. The client gets 500, and somebody should look.
    Failed(Cow<'static, str>),
}

impl Denial {
    /// A denial because no decision could be made.
    pub fn failed(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(reason.into())
    }

    /// The word for the log's `decision`, and the error type Lambda is told.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => UNAUTHORIZED,
            Self::Failed(_) => "AuthorizerFailed",
        }
    }

    /// Why, for the log.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Unauthorized(reason) => reason,
            Self::Failed(reason) => reason,
        }
    }
}

/// The error message to give to Lambda: exactly `Unauthorized` for a real no, because API Gateway compares it.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(_) => f.write_str(UNAUTHORIZED),
            Self::Failed(reason) => write!(f, "authorizer failed: {reason}"),
        }
    }
}

impl std::error::Error for Denial {}

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
    Failed(Cause, Cow<'static, str>),
}

/// What kept a decision from being made: the first thing to know at three in the morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The function's environment variables are wrong.
    Settings,
    /// API Gateway sent something else than the event of a REQUEST authorizer.
    Event,
    /// The auth service can't be reached, or cut the connection, twice.
    Unreachable,
    /// The auth service did not answer in time.
    Timeout,
    /// The auth service answered what is neither a yes nor a no.
    Nonsense,
}

impl Cause {
    /// The word for the log's `cause`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Event => "event",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Nonsense => "nonsense",
        }
    }
}

impl Denial {
    /// A denial because no decision could be made.
    pub fn failed(cause: Cause, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(cause, reason.into())
    }

    /// The error type that Lambda is told.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => UNAUTHORIZED,
            Self::Failed(..) => "AuthorizerFailed",
        }
    }

    /// Why, for the log.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Unauthorized(reason) => reason,
            Self::Failed(_, reason) => reason,
        }
    }
}

/// The error message to give to Lambda: exactly `Unauthorized` for a real no, because API Gateway compares it.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(_) => f.write_str(UNAUTHORIZED),
            Self::Failed(_, reason) => write!(f, "authorizer failed: {reason}"),
        }
    }
}

impl std::error::Error for Denial {}

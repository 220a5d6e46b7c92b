//! Why a function could not be called at all. What a function itself got wrong is an answer, not one of these.

use std::fmt;

/// A call that did not reach the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeError {
    /// There is no such function, or no such version of it.
    NotFound(String),
    /// The event is larger than Lambda takes; the number of its bytes.
    TooLarge(usize),
    /// The code can't be started.
    CannotStart {
        /// Lambda's type for it, `Runtime.InvalidEntrypoint`.
        kind: &'static str,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// Its reserved concurrency is nought: it is switched off.
    Throttled,
    /// The sandbox is being shut down.
    ShutDown,
}

impl InvokeError {
    /// Code that can't be started, in Lambda's own category for it.
    pub(super) fn entrypoint(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::CannotStart { kind: "Runtime.InvalidEntrypoint", reason: reason.into(), hint: hint.into() }
    }

    /// What this machine refused to do for the function.
    pub(super) fn machine(doing: &str, error: &std::io::Error) -> Self {
        Self::CannotStart {
            kind: "Runtime.Unknown",
            reason: format!("{doing}: {error}"),
            hint: "the folder for temporary files (`TMPDIR`) must have room and let programs run".to_owned(),
        }
    }
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(arn) => write!(f, "the sandbox has no function {arn}"),
            Self::TooLarge(size) => {
                write!(f, "the event has {size} bytes, and Lambda takes {}", super::PAYLOAD_LIMIT)
            }
            Self::CannotStart { reason, hint, .. } => write!(f, "{reason}; {hint}"),
            Self::Throttled => f.write_str("Rate Exceeded."),
            Self::ShutDown => f.write_str("the sandbox is being shut down"),
        }
    }
}

impl std::error::Error for InvokeError {}

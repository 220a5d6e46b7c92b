//! How an endpoint stands, as those see it who check it.

use std::fmt;

/// How an endpoint stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether Route 53 takes it for healthy.
    pub healthy: bool,
    /// How many checkers have answered.
    pub checkers: usize,
    /// How many of them see it fail.
    pub failing: usize,
    /// What the last checker that sees it fail says: `Failure: HTTP Status Code 503, …`
    pub reason: Option<String>,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} checkers see it fail", self.failing, self.checkers)?;
        self.reason.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

//! The plan of one environment among several, or why it has none.

use serde_json::{Value, json};

use crate::error::{Failure, Result};
use crate::model::{Owner, Place};
use crate::plan::Plan;

/// What planning one environment came to.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// The plan, or why there is none.
    pub plan: Result<Plan>,
}

impl From<Plan> for Planned {
    fn from(plan: Plan) -> Self {
        Self { owner: plan.owner.clone(), place: plan.place.clone(), plan: Ok(plan) }
    }
}

/// A failure as programs read it.
#[must_use]
pub(super) fn failure_json(failure: &Failure) -> Value {
    json!({ "message": failure.to_string(), "hints": failure.hints() })
}

//! Carries out a plan.
//!
//! Stage 7 of the pipeline in [`crate`]. The executor walks the plan's graph, as much side by side as the references
//! allow, resolving references as outputs arrive, and tells of it in [`Event`]s. It decides nothing: what is done, and
//! what waits for what, stands in the plan. A step that fails stops what builds on it and nothing else; the next apply
//! finishes the work, because the digest is written to a resource's tags only once the whole step is done.

mod applied;
mod executor;

use std::time::Duration;

pub use applied::{Applied, Ended};
pub use executor::apply;

use crate::model::Address;
use crate::plan::Action;

/// What happens during an apply, for reporters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The apply begins.
    Started {
        /// How many steps it has.
        steps: usize,
    },
    /// Something that is about no step alone: `waits for the lock: …`.
    Note {
        /// One sentence.
        message: String,
    },
    /// The user wants it to end: these steps are finished, and no other one begins.
    Ending {
        /// The resources.
        running: Vec<Address>,
    },
    /// A step begins.
    StepStarted {
        /// The resource.
        address: Address,
        /// What happens to it.
        action: Action,
        /// The same as a word: `creating`.
        what: String,
    },
    /// A step has something to tell while it runs.
    StepProgress {
        /// The resource.
        address: Address,
        /// One sentence: `waiting for the function to become active`.
        message: String,
    },
    /// A step is done.
    StepDone {
        /// The resource.
        address: Address,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step failed.
    StepFailed {
        /// The resource.
        address: Address,
        /// The failure in one sentence.
        failure: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// The user ended a step while it waited for AWS: the next apply goes on there.
    StepInterrupted {
        /// The resource.
        address: Address,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step was not begun.
    StepSkipped {
        /// The resource.
        address: Address,
        /// The step that it waits for and that was not done; absent if the apply was interrupted before its turn.
        because: Option<Address>,
    },
    /// The apply is over.
    Finished {
        /// Steps done.
        done: usize,
        /// Steps failed.
        failed: usize,
        /// Steps not begun.
        skipped: usize,
        /// How long it took.
        elapsed: Duration,
    },
}

impl Event {
    /// The same with `hide` over what AWS may have said.
    #[must_use]
    pub fn without(self, hide: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::StepProgress { address, message } => Self::StepProgress { address, message: hide(&message) },
            Self::StepFailed { address, failure, elapsed } => {
                Self::StepFailed { address, failure: hide(&failure), elapsed }
            }
            other => other,
        }
    }
}

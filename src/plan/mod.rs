//! The plan: the ordered list of steps that turns live into desired.
//!
//! Stage 5 of the pipeline in [`crate`]. It is pure data made by pure functions: no AWS type is named here, and nothing is
//! left for the executor to decide. [`build`] makes it with [`crate::model::diff`], [`safety`] refuses what is dangerous.

pub mod build;
mod matching;
mod retirement;
pub mod safety;
pub mod saved;
pub mod serving;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use build::{build, build_destroy, survey};

use crate::model::diff::FieldChange;
use crate::model::{Address, Observed, Owner, Place};

/// What happens to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It does not exist yet.
    Create,
    /// It is changed in place.
    Update,
    /// It goes, and is made anew under the same name.
    ReplaceDeleteFirst,
    /// It is made anew under another name; the old one goes once nothing uses it any more.
    ReplaceCreateFirst,
    /// It goes.
    Delete,
}

/// Why a step is in the plan. Three values tell who moved: the desired digest, the one in the tag, the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is in the configuration and not in AWS.
    Missing,
    /// The configuration changed since the last apply.
    ConfigurationChanged,
    /// Somebody changed AWS since the last apply.
    Drifted,
    /// Both changed.
    ChangedAndDrifted,
    /// An earlier apply did not get to the end of it.
    Unfinished,
    /// It is as wanted; only the record of it, the digest in its tag, is missing or old.
    RecordOnly,
    /// It is ours and no longer in the configuration.
    NotWanted,
    /// An old snapshot beyond those kept for a rollback.
    Superseded,
    /// The user asked for everything to go.
    Destroy,
    /// The user asked to go back to it.
    RolledBack,
    /// The user asked for the canary's deployment to get all requests.
    CanaryPromoted,
    /// The user asked for the canary to end.
    CanaryAborted,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// The name AWS knows it by, or will, where the kind has one.
    pub name: Option<String>,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The fields whose change forces a replacement, dotted: `name`.
    pub forced_by: Vec<String>,
    /// Field by field. Empty for a create or delete.
    pub changes: Vec<FieldChange>,
    /// The spec wanted; references that no output answers yet stay in it. Absent for a delete.
    pub after: Option<Value>,
    /// The resource as it was read. Absent for a create.
    pub live: Option<Observed>,
    /// Steps, by address, that have to be done before this one.
    pub after_steps: Vec<Address>,
    /// With [`Action::ReplaceCreateFirst`], steps that have to be done before the old resource goes: whatever may still
    /// use it.
    pub retires_after: Vec<Address>,
    /// With it and with [`Action::Delete`], steps whose old resources have to be gone before this one's goes.
    pub old_ones_first: Vec<Address>,
    /// Words for the reader, by the field they stand at (see [`crate::model::Desired::labels`]).
    pub labels: BTreeMap<String, String>,
}

impl Step {
    /// Whether the resource is as wanted, and only its digest is to be written.
    #[must_use]
    pub fn only_records(&self) -> bool {
        self.action == Action::Update && self.changes.is_empty()
    }

    /// The spec as it was read, before the step.
    #[must_use]
    pub fn before(&self) -> Option<&Value> {
        self.live.as_ref().map(|live| &live.spec)
    }
}

/// Something the reader should know that is not a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A resource that is as it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unchanged {
    /// The resource.
    pub address: Address,
    /// As it was read.
    pub live: Observed,
}

/// The plan for one product and environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// What is done, in an order in which it could be done one by one.
    pub steps: Vec<Step>,
    /// What is not touched.
    pub unchanged: Vec<Unchanged>,
    /// What the reader should know besides.
    pub warnings: Vec<Warning>,
}

/// How many resources a plan adds, changes and destroys; a replacement counts as one of each of the outer two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Created, replacements included.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Deleted, replacements included.
    pub destroy: usize,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The counts of the footer.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for step in &self.steps {
            match step.action {
                Action::Create => summary.add += 1,
                Action::Update => summary.change += 1,
                Action::Delete => summary.destroy += 1,
                Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst => {
                    summary.add += 1;
                    summary.destroy += 1;
                }
            }
        }
        summary
    }

    /// The step for a resource.
    #[must_use]
    pub fn step(&self, address: &Address) -> Option<&Step> {
        self.steps.iter().find(|step| &step.address == address)
    }
}

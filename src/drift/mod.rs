//! What moved in AWS since the last apply.
//!
//! Beside the plan (stage 5 of the pipeline in [`crate`]), and as pure as it: no AWS type is named here. Three digests decide:
//! of what is wanted, of what was last applied (in the resource's tag, or in the record of the last apply), and of what AWS
//! holds. [`classify`] goes through the desired resources by the plan's own walk ([`crate::plan::survey`]), so that drift and
//! plan never see two things; [`settle`] says what ends a drift; [`quick`] judges by tags alone.

pub mod classify;
pub mod quick;
pub mod settle;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub use classify::{Input, classify};

use crate::error::Failure;
use crate::model::diff::FieldChange;
use crate::model::{Address, Outputs, Owner, Place};
use crate::plan::{Reason, Warning};

/// How a resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// AWS holds what was last applied.
    InSync,
    /// Somebody changed it.
    Drifted,
    /// It was applied, and is gone.
    Missing,
    /// It lives below one of ours, and is not ours.
    Unmanaged,
    /// It could not be read.
    Unknown,
}

impl Standing {
    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Drifted => "drifted",
            Self::Missing => "missing",
            Self::Unmanaged => "unmanaged",
            Self::Unknown => "unknown",
        }
    }

    /// Whether somebody changed AWS.
    #[must_use]
    pub const fn is_drift(self) -> bool {
        matches!(self, Self::Drifted | Self::Missing | Self::Unmanaged)
    }
}

/// What is known of one resource.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The resource. One that is not ours has no address of its own: it gets that of its parent's stack, its kind and its name.
    pub address: Address,
    /// The name AWS knows it by, where it has one.
    pub name: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// What was last applied, as far as that is known: what is wanted, if the configuration did not change.
    pub applied: Option<Value>,
    /// What is wanted, for what both moved.
    pub wanted: Option<Value>,
    /// What AWS holds.
    pub live: Option<Value>,
    /// Field by field: `before` was applied (or is wanted, see `both_moved`), `after` is in AWS.
    pub changes: Vec<FieldChange>,
    /// The configuration changed since the last apply, too: what was applied is not known field by field, and `changes` go
    /// from the configuration to AWS.
    pub both_moved: bool,
    /// What else there is to say of it, a sentence each.
    pub notes: Vec<String>,
    /// What ends it.
    pub settle: Vec<String>,
    /// The ids and ARNs that AWS knows it by.
    pub outputs: Outputs,
    /// Words for the reader, by the field they stand at.
    pub labels: BTreeMap<String, String>,
    /// Who may have done it.
    pub who: Who,
}

/// Who may have changed a resource.
#[derive(Debug, Clone, Default)]
pub enum Who {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// The last writing events that CloudTrail has of it, the newest first.
    Known(Vec<Deed>),
    /// CloudTrail can't say, and why.
    CannotSay(String),
}

/// One event of CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// When, in seconds since the epoch.
    pub time: i64,
    /// What was called: `UpdateStage`.
    pub event: String,
    /// Who called.
    pub user: String,
}

/// A resource whose configuration changed and was not applied. AWS still holds what was applied last.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The resource.
    pub address: Address,
    /// The name AWS knows it by, or will.
    pub name: Option<String>,
    /// Why an apply would touch it.
    pub reason: Reason,
    /// From what AWS holds to what is wanted.
    pub changes: Vec<FieldChange>,
}

/// What came of looking at one environment.
#[derive(Debug, Clone)]
pub struct Drift {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// Every resource, in the order of the plan; what is in sync included.
    pub findings: Vec<Finding>,
    /// What the configuration wants otherwise than it was applied.
    pub pending: Vec<Pending>,
    /// What the reader should know besides.
    pub warnings: Vec<Warning>,
    /// Judged by tags alone.
    pub quick: bool,
}

/// How many resources stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// As they were applied.
    pub in_sync: usize,
    /// Changed by somebody.
    pub drifted: usize,
    /// Gone.
    pub missing: usize,
    /// Not ours, below one of ours.
    pub unmanaged: usize,
    /// Not read.
    pub unknown: usize,
    /// Changed in the configuration and not applied.
    pub pending: usize,
}

impl Summary {
    /// What somebody did to AWS: drifted, missing and unmanaged.
    #[must_use]
    pub const fn drift(self) -> usize {
        self.drifted + self.missing + self.unmanaged
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            in_sync: self.in_sync + other.in_sync,
            drifted: self.drifted + other.drifted,
            missing: self.missing + other.missing,
            unmanaged: self.unmanaged + other.unmanaged,
            unknown: self.unknown + other.unknown,
            pending: self.pending + other.pending,
        }
    }
}

impl Drift {
    /// The counts.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |standing| self.findings.iter().filter(|one| one.standing == standing).count();
        Summary {
            in_sync: count(Standing::InSync),
            drifted: count(Standing::Drifted),
            missing: count(Standing::Missing),
            unmanaged: count(Standing::Unmanaged),
            unknown: count(Standing::Unknown),
            pending: self.pending.len(),
        }
    }

    /// What is not in sync.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|one| one.standing != Standing::InSync)
    }
}

/// One environment of a run: what came of it, or what kept it from being looked at.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What the reader knows it by.
    pub label: String,
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// What came of it.
    pub drift: Result<Drift, Failure>,
}

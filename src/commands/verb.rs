//! What is done to environments: how it is planned, what it is called, and what it may do unasked.

use super::journal;
use super::work::Work;
use crate::error::Result;
use crate::history::{Deed, Record};
use crate::plan::serving::{Past, Serving, Target, as_canary};
use crate::plan::{Plan, safety};

/// How many records are looked through for what a stage served: more than there are deployments kept.
const RECORDS: usize = 200;

/// What is done to each environment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verb {
    /// Make AWS what the configuration says.
    Apply {
        /// Carry out plans that remove an API or a large share of what exists.
        allow_deletes: bool,
        /// Percent of the requests that new deployments get.
        canary: Option<f64>,
    },
    /// Remove everything.
    Destroy,
    /// Move a stage back to an earlier deployment.
    RollBack {
        /// Of which stack.
        stack: Option<&'static str>,
        /// To what.
        target: Target,
    },
    /// Give the canary's deployment all requests.
    Promote {
        /// Of which stack.
        stack: Option<&'static str>,
    },
    /// Take the canary away.
    Abort {
        /// Of which stack.
        stack: Option<&'static str>,
    },
}

impl Verb {
    /// The plan for one environment.
    pub(super) async fn plan(&self, work: &Work) -> Result<Plan> {
        match self {
            Self::Apply { canary: None, .. } => work.plan().await,
            Self::Apply { canary: Some(percent), .. } => as_canary(work.plan().await?, *percent),
            Self::Destroy => work.plan_destroy().await,
            Self::RollBack { stack, target } => {
                let (observed, records) = futures::join!(work.observe(), journal::read(work, RECORDS));
                let ((live, notes), (records, _)) = (observed?, records?);
                let past: Vec<Past> = records.iter().flat_map(past).collect();
                let serving = Serving { owner: &work.owner, place: &work.place, live: &live, stack: *stack };
                let mut plan = serving.roll_back(&past, target)?;
                plan.warnings.extend(notes);
                Ok(plan)
            }
            Self::Promote { stack } | Self::Abort { stack } => {
                let (live, _) = work.observe().await?;
                let serving = Serving { owner: &work.owner, place: &work.place, live: &live, stack: *stack };
                if matches!(self, Self::Promote { .. }) { serving.promote() } else { serving.abort() }
            }
        }
    }

    /// Refuses what is too dangerous to be done unasked.
    pub(super) fn allows(&self, plan: &Plan) -> Result<()> {
        match self {
            Self::Apply { allow_deletes, .. } => safety::refuse_dangerous(plan, *allow_deletes),
            // These say by their names what they do.
            Self::Destroy | Self::RollBack { .. } | Self::Promote { .. } | Self::Abort { .. } => Ok(()),
        }
    }

    /// What a record calls it.
    pub(super) const fn deed(&self) -> Deed {
        match self {
            Self::Apply { canary: None, .. } => Deed::Apply,
            Self::Apply { canary: Some(_), .. } => Deed::ApplyCanary,
            Self::Destroy => Deed::Destroy,
            Self::RollBack { .. } => Deed::Rollback,
            Self::Promote { .. } => Deed::CanaryPromote,
            Self::Abort { .. } => Deed::CanaryAbort,
        }
    }

    /// What is asked before so many plans are carried out.
    pub(super) const fn question(&self, plans: usize) -> &'static str {
        match self {
            Self::Apply { .. } if plans == 1 => "Apply this plan",
            Self::Apply { .. } => "Apply these plans",
            Self::Destroy => "Destroy all of this",
            Self::RollBack { .. } => "Roll back",
            Self::Promote { .. } => "Give the canary all requests",
            Self::Abort { .. } => "End the canary",
        }
    }

    /// Whether everything goes.
    pub(super) fn is_destroy(&self) -> bool {
        matches!(self, Self::Destroy)
    }
}

/// What the stages of an environment served after a record's deed.
fn past(record: &Record) -> Vec<Past> {
    let versions = record.applied.keys().filter(|address| address.kind() == "function-version");
    let versions: Vec<_> = versions.cloned().collect();
    let good = record.result == crate::history::Ending::Done;
    let all = record.serves.iter().map(|(stage, served)| Past {
        stage: stage.clone(),
        deployment: served.deployment.clone(),
        good,
        versions: versions.clone(),
    });
    all.collect()
}

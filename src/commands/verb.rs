//! What is done to environments: how it is planned, what it is called, and what it may do unasked.

use super::journal;
use super::work::Work;
use crate::error::{Failure, Result};
use crate::history::{Deed, Ending, Record};
use crate::plan::serving::{Past, Serving, Target, as_canary};
use crate::plan::{Plan, Warning, safety};

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
            Self::RollBack { stack, target } => roll_back(work, *stack, target).await,
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
            Self::Apply { .. } if plans == 1 => "Apply this plan to",
            Self::Apply { .. } => "Apply these plans to",
            Self::Destroy => "Destroy all of this in",
            Self::RollBack { .. } => "Roll back",
            Self::Promote { .. } => "Give the canary all requests in",
            Self::Abort { .. } => "End the canary of",
        }
    }

    /// Whether the configuration says what is wanted, and not what stands in AWS at the moment: two who roll back at the same time
    /// want to go back once.
    pub(super) fn is_of_the_configuration(&self) -> bool {
        matches!(self, Self::Apply { .. } | Self::Destroy)
    }

    /// Whether everything goes.
    pub(super) fn is_destroy(&self) -> bool {
        matches!(self, Self::Destroy)
    }
}

async fn roll_back(work: &Work, stack: Option<&str>, target: &Target) -> Result<Plan> {
    let (observed, (past, notes)) = futures::join!(work.observe(), past(work, target));
    let (live, unread) = observed?;
    let serving = Serving { owner: &work.owner, place: &work.place, live: &live, stack };
    let mut plan = serving.roll_back(&past, target)?;
    plan.warnings.extend(unread.into_iter().chain(notes));
    Ok(plan)
}

/// What the stages served, the newest first, if that has to be known. Records that can't be read keep nobody from going back: not
/// at three in the morning.
async fn past(work: &Work, target: &Target) -> (Vec<Past>, Vec<Warning>) {
    if target.deployment.is_some() && !target.functions {
        return (Vec::new(), Vec::new());
    }
    let (records, failures) = match journal::read(work, RECORDS).await {
        Ok(read) => read,
        Err(failure) => (Vec::new(), vec![failure]),
    };
    let warning = |failure: Failure| Warning {
        message: format!("records of earlier applies can't be read: {failure}"),
        hint: Some("the deployment was chosen without them: look at it twice".to_owned()),
    };
    (records.iter().flat_map(left_behind).collect(), failures.into_iter().map(warning).collect())
}

/// What a record's deed left the stages of an environment with, if it was an apply or a promotion and got to its end.
fn left_behind(record: &Record) -> Vec<Past> {
    let (Deed::Apply | Deed::CanaryPromote, Ending::Done) = (record.deed, record.result) else { return Vec::new() };
    let all = record.serves.iter().map(|(stage, served)| Past {
        stage: stage.clone(),
        deployment: served.deployment.clone(),
        aliases: record.aliases.clone(),
    });
    all.collect()
}

//! What `gwctl apply` and `gwctl destroy` ask of AWS, from the first look to the record.

use std::path::Path;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::future::{join_all, try_join_all};
use gwctl::aws::log_events;
use gwctl::config::Configuration;
use gwctl::error::{Failure, Result};
use gwctl::history::{self, Circumstances, Origin, Record};
use gwctl::model::Found;
use gwctl::plan::build::Input;
use gwctl::plan::{self, Action, Plan, safety};

use crate::support::Session;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Make AWS what the configuration says.
    Apply {
        /// As with `--allow-deletes`.
        allow_deletes: bool,
    },
    /// Remove everything.
    Destroy,
}

/// A plan, with what could not be read for it.
struct Planned {
    session: Session,
    plan: Plan,
    notes: Vec<String>,
}

impl Deed {
    /// Does it, Region after Region. What it gives is what a user is warned of.
    pub(crate) async fn carry_out(
        self,
        root: &Path,
        configuration: &Configuration,
        client: SharedHttpClient,
    ) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for planned in Box::pin(self.plan(root, configuration, client)).await? {
            let Planned { session, plan, notes: unread } = planned;
            notes.extend(unread);
            if let Self::Apply { allow_deletes } = self {
                safety::refuse_dangerous(&plan, allow_deletes)?;
            }
            if plan.is_empty() {
                continue;
            }
            if let Some(failure) = Box::pin(self.finish(&session, &plan, &mut notes)).await {
                return Err(failure);
            }
        }
        Ok(notes)
    }

    /// Steps and warnings of the plans that are left to carry out.
    pub(crate) async fn left(
        self,
        root: &Path,
        configuration: &Configuration,
        client: SharedHttpClient,
    ) -> Result<Vec<String>> {
        let planned = Box::pin(self.plan(root, configuration, client)).await?;
        let tell = |Planned { plan, notes, .. }: Planned| {
            let steps = plan.steps.iter().map(|step| format!("{:?} {} {:?}", step.action, step.address, step.changes));
            let warnings = plan.warnings.iter().map(|warning| warning.message.clone());
            steps.chain(warnings).chain(notes).collect::<Vec<_>>()
        };
        Ok(planned.into_iter().flat_map(tell).collect())
    }

    /// All Regions are planned before the first one is changed.
    async fn plan(self, root: &Path, configuration: &Configuration, client: SharedHttpClient) -> Result<Vec<Planned>> {
        // Whoever removes what there is needs names only, and what they named may be gone.
        let found = (self == Self::Destroy).then(Found::nothing);
        let sessions = Box::pin(Session::each(root, configuration, client, found.as_ref())).await?;
        let mut planned = try_join_all(sessions.into_iter().map(|session| self.plan_one(session))).await?;
        if self == Self::Destroy {
            planned.reverse();
        }
        Ok(planned)
    }

    async fn plan_one(self, session: Session) -> Result<Planned> {
        let read = session.aws.read.anew();
        let observed = session.registry.observe(&read, &session.owner, &session.desired);
        let logging_role = async {
            if self != Self::Destroy {
                read.logging_role().await;
            }
        };
        let (account, live, ()) = futures::join!(read.check_account(), observed, logging_role);
        account?;
        let live = live?;
        let predicted = session.registry.predict(&session.place, &session.desired)?;
        let input = Input {
            owner: &session.owner,
            place: &session.place,
            desired: &session.desired,
            predicted: &predicted,
            live: &live,
            rules: &session.registry.rules(),
        };
        let plan = if self == Self::Destroy { plan::build_destroy(&input) } else { plan::build(&input) }?;
        let deletes = plan.steps.iter().filter(|step| {
            matches!(step.action, Action::Delete | Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst)
        });
        for (step, live) in deletes.filter_map(|step| Some((step, step.live.as_ref()?))) {
            let others = session.registry.kind(step.address.kind())?.others_using(&read, live).await?;
            assert!(others.is_empty(), "nobody else is in this world: {others:?}");
        }
        let notes = read.take_notes();
        Ok(Planned { session, plan, notes })
    }

    /// Carries a plan out and leaves a record of it.
    async fn finish(self, session: &Session, plan: &Plan, notes: &mut Vec<String>) -> Option<Failure> {
        let deed = if self == Self::Destroy { history::Deed::Destroy } else { history::Deed::Apply };
        let caller = session.aws.read.caller().await.unwrap_or_default();
        let circumstances = Circumstances { deed, began: jiff::Timestamp::now(), by: Origin::here(caller) };
        let applied = session.carry_out(plan).await;
        let record = Record::of(plan, &applied, &circumstances, &str::to_owned);
        let group = history::group_of(&record, plan, &applied);
        let line = record.line().expect("a record can be written");
        let kept = group.iter().map(|group| log_events::append(&session.aws, group, history::STREAM, &line));
        for kept in join_all(kept).await {
            notes.extend(kept.err().map(|failure| format!("no record was left: {failure}")));
        }
        applied.into_failure()
    }
}

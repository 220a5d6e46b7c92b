//! What `gwctl apply` and `gwctl destroy` ask of AWS, from the first look to the record.

use std::path::Path;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::future::try_join_all;
use gwctl::apply::Applied;
use gwctl::aws::lock::{self, Taken};
use gwctl::aws::log_events;
use gwctl::config::Configuration;
use gwctl::error::Result;
use gwctl::history::{self, Circumstances, Record};
use gwctl::lock::Holder;
use gwctl::model::Found;
use gwctl::origin::Origin;
use gwctl::plan::build::Input;
use gwctl::plan::{self, Action, Plan, safety};
use jiff::Timestamp;

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

/// A plan, with the session that it is for and what could not be read for it.
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
            self.allows(&planned.plan)?;
            if planned.plan.is_empty() {
                notes.extend(planned.notes);
            } else {
                Box::pin(self.under_lock(planned.session, &mut notes)).await?;
            }
        }
        Ok(notes)
    }

    fn allows(self, plan: &Plan) -> Result<()> {
        match self {
            Self::Apply { allow_deletes } => safety::refuse_dangerous(plan, allow_deletes),
            Self::Destroy => Ok(()),
        }
    }

    /// Takes the lock, plans again, carries the plan out, leaves a record of it, and gives the lock back.
    async fn under_lock(self, session: Session, notes: &mut Vec<String>) -> Result<()> {
        let deed = if self == Self::Destroy { history::Deed::Destroy } else { history::Deed::Apply };
        let caller = session.aws.read.caller().await.unwrap_or_default();
        let by = Origin::here(caller);
        let holder = Holder::new(deed.name(), by.clone(), Timestamp::now());
        let circumstances = Circumstances { deed, began: Timestamp::now(), by };
        let lock = match lock::take(&session.aws, &session.owner, holder).await? {
            Taken::Ours { lock, .. } => lock,
            Taken::Theirs(other) => return Err(other.refuses(&session.owner, &session.place, Timestamp::now())),
        };
        let session = &session;
        let work = async {
            let (plan, notes) = self.plan_one(session).await?;
            self.allows(&plan)?;
            let applied = session.carry_out(&plan).await;
            let recorded = record(session, &plan, &applied, &circumstances).await;
            Ok((applied, notes.into_iter().chain(recorded.err().map(|failure| failure.to_string()))))
        };
        let came = tokio::select! {
            came = Box::pin(work) => came,
            lost = Box::pin(lock.kept_alive()) => Err(lost),
        };
        let kept = lock.give_back().await;
        let (applied, told) = came?;
        notes.extend(told.chain(kept.err().map(|failure| failure.to_string())));
        applied.into_failure().map_or(Ok(()), Err)
    }

    /// Does what an operator does who finds the environment locked by a process that is gone: takes the lock away, or lets the time
    /// pass in which it expires.
    pub(crate) async fn unlock(
        self,
        root: &Path,
        configuration: &Configuration,
        client: SharedHttpClient,
        waits: bool,
    ) {
        let found = Found::nothing();
        for session in Session::each(root, configuration, client, Some(&found)).await.unwrap() {
            let Some(holder) = lock::holder(&session.aws.read, &session.owner).await.unwrap() else { continue };
            if waits {
                // Time passes for whatever a take-over left, too.
                let logs = &session.aws.write.logs;
                let prefix = gwctl::lock::name(&session.owner);
                let groups = logs.describe_log_groups().log_group_name_prefix(&prefix).send().await.unwrap();
                for group in groups.log_groups() {
                    let name = group.log_group_name().unwrap();
                    if name != prefix && !name.starts_with(&format!("{prefix}/")) {
                        continue;
                    }
                    let arn = session.place.arn("logs", &session.place.region, &format!("log-group:{name}"));
                    let old = holder.seen - gwctl::lock::VALID_FOR - Duration::from_secs(2);
                    let old = Holder { seen: old, ..holder.clone() };
                    let tag = logs.tag_resource().resource_arn(arn);
                    old.sign_of_life().fold(tag, |tag, (key, value)| tag.tags(key, value)).send().await.unwrap();
                }
            } else {
                assert!(lock::take_away(&session.aws, &session.owner, &holder).await.unwrap());
            }
        }
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
        let planned = try_join_all(sessions.iter().map(|session| self.plan_one(session))).await?;
        let mut planned: Vec<Planned> = planned
            .into_iter()
            .zip(sessions)
            .map(|((plan, notes), session)| Planned { session, plan, notes })
            .collect();
        if self == Self::Destroy {
            planned.reverse();
        }
        Ok(planned)
    }

    async fn plan_one(self, session: &Session) -> Result<(Plan, Vec<String>)> {
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
        Ok((plan, notes))
    }
}

/// Leaves a record of a plan that was carried out.
async fn record(session: &Session, plan: &Plan, applied: &Applied, circumstances: &Circumstances) -> Result<()> {
    let record = Record::of(plan, applied, circumstances, &str::to_owned);
    match history::group_of(&record, plan, applied) {
        Some(group) => log_events::append(&session.aws, &group, history::STREAM, &record.line()?).await,
        None => Ok(()),
    }
}

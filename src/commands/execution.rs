//! What `apply`, `destroy`, `rollback` and `canary` share: plan all, show all, ask once, carry out side by side, tell.
//!
//! What fails for one environment is its own: it stops no other one and touches none. Whatever ends the work, what was
//! done until then is told: with `--output json`, stdout holds one object at the end, with every environment in it.

use std::time::Duration;

use super::carrying_out::carry_out;
use super::output::{self, data, text_options};
use super::question::{Changed, Consent, confirm};
use super::verb::Verb;
use super::work::{Member, Work, side_by_side};
use crate::apply::Applied;
use crate::cli::Global;
use crate::error::{Failure, Result, exit};
use crate::model::{Owner, Place};
use crate::plan::Plan;
use crate::plan::saved::SavedPlan;
use crate::report::{self, Format, Outcome, Planned, Status};

/// What is to be done, and with whose consent.
#[derive(Debug)]
pub(super) struct Order {
    /// What.
    pub(super) verb: Verb,
    /// What the command line says yes to.
    pub(super) consent: Consent,
    /// How long a Region is watched before the next one is changed; none: as its health check says.
    pub(super) settle: Option<Duration>,
    /// The plans that are carried out, and no others.
    pub(super) saved: Option<SavedPlan>,
    /// How long a lock is waited for that somebody else has.
    pub(super) patience: Duration,
}

/// One environment on its way.
pub(super) struct Turn {
    /// What the reader knows it by.
    label: String,
    pub(super) owner: Owner,
    pub(super) place: Place,
    /// Its session and its plan, or what stopped it before the first change.
    pub(super) ready: Result<(Work, Plan)>,
    /// The plan as it was shown, where something stopped it later.
    shown: Option<Plan>,
    pub(super) applied: Option<Applied>,
    /// What stopped it has been said.
    told: bool,
    /// What went wrong beside the work: no record of it was left, the lock was not given back.
    pub(super) beside: Vec<Failure>,
}

impl Turn {
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.ready.as_ref().ok().map(|(_, plan)| plan)
    }

    /// Whether carrying it out would change something.
    pub(super) fn changes(&self) -> bool {
        self.plan().is_some_and(|plan| !plan.is_empty())
    }

    /// Whether everything that was to be done to it is done.
    pub(super) fn is_through(&self) -> bool {
        self.ready.is_ok() && self.applied.as_ref().is_none_or(Applied::is_done)
    }

    pub(super) fn stop(&mut self, failure: Failure) {
        if let Ok((_, plan)) = std::mem::replace(&mut self.ready, Err(failure)) {
            self.shown = Some(plan);
        }
    }

    fn outcome(&self, verb: &Verb) -> Outcome {
        match (&self.ready, &self.applied) {
            (Err(failure), _) => Outcome::refused(&self.owner, &self.place, self.shown.as_ref(), failure),
            (Ok((_, plan)), None) => Outcome::not_begun(plan),
            (Ok((_, plan)), Some(applied)) if verb.is_destroy() => Outcome::destroyed(plan, applied),
            (Ok((_, plan)), Some(applied)) => Outcome::new(plan, applied),
        }
    }

    /// What it ended with, if it did not do all it should.
    fn into_failure(self) -> Option<(String, Failure)> {
        let failure = match self.ready {
            Err(failure) => Some(failure),
            Ok(_) => self.applied.and_then(Applied::into_failure),
        };
        Some((self.label, failure?))
    }
}

/// Does it to all. The number is the exit code.
pub(super) async fn all(global: &Global, members: Vec<Member>, order: &Order) -> Result<u8> {
    let Order { verb, consent, saved, .. } = order;
    consent.check(&members.iter().map(|member| &member.owner).collect::<Vec<_>>())?;
    let mut turns = side_by_side(members.into_iter().map(async |Member { label, owner, place, work }| {
        let ready = async {
            let work = work?;
            let plan = verb.plan(&work).await?;
            Ok((work, plan))
        };
        let ready = ready.await;
        Turn { label, owner, place, ready, shown: None, applied: None, told: false, beside: Vec::new() }
    }))
    .await;
    show(global, &turns, verb)?;
    refuse(&mut turns, order);
    let several = turns.len() > 1;
    if several {
        tell_stopped(global, &mut turns)?;
    }
    let refused = match saved {
        None => ask(global, &turns, order).err(),
        Some(_) => None,
    };
    if refused.is_none() {
        carry_out(global, &mut turns, order).await;
    }
    finish(global, turns, verb, refused)
}

/// Whoever is asked has to know who is not in it, and why.
fn tell_stopped(global: &Global, turns: &mut [Turn]) -> Result<()> {
    let mut stopped = Vec::new();
    for turn in turns {
        if let Err(failure) = &turn.ready {
            stopped.push((turn.label.clone(), failure.clone()));
            turn.told = true;
        }
    }
    output::failures(global, stopped, true).map(|_| ())
}

fn show(global: &Global, turns: &[Turn], verb: &Verb) -> Result<()> {
    if global.output == Format::Json {
        return Ok(());
    }
    let shown = turns.iter().filter_map(Turn::plan).filter(|plan| !verb.is_destroy() || !plan.is_empty());
    let shown: Vec<Planned> = shown.cloned().map(Planned::from).collect();
    data(global, |out| report::plans(&shown, global.output, out, &text_options(global)))
}

/// Stops what no longer fits the plan that was saved, what is too dangerous, and what is protected and was not named.
fn refuse(turns: &mut [Turn], order: &Order) {
    let Order { verb, consent, saved, .. } = order;
    for turn in turns {
        let Ok((work, plan)) = &turn.ready else { continue };
        let fits = saved.as_ref().map_or(Ok(()), |saved| saved.fits(plan, &report::masked(plan)));
        let named =
            if work.protected && consent.yes && !plan.is_empty() { consent.to_protected(&turn.owner) } else { Ok(()) };
        if let Err(failure) = fits.and_then(|()| verb.allows(plan)).and(named) {
            turn.stop(failure);
        }
    }
}

/// Asks once for all that would be changed.
fn ask(global: &Global, turns: &[Turn], order: &Order) -> Result<()> {
    let Order { verb, consent, .. } = order;
    let changed: Vec<Changed<'_>> = turns
        .iter()
        .filter(|turn| turn.changes())
        .filter_map(|turn| {
            let (work, _) = turn.ready.as_ref().ok()?;
            Some(Changed { owner: &turn.owner, place: &turn.place, protected: work.protected })
        })
        .collect();
    if changed.is_empty() || consent.yes {
        return Ok(());
    }
    confirm(global, verb.question(changed.len()), &changed)
}

/// Tells what became of each, and with what the command ends.
fn finish(global: &Global, turns: Vec<Turn>, verb: &Verb, refused: Option<Failure>) -> Result<u8> {
    let outcomes: Vec<Outcome> = turns.iter().map(|turn| turn.outcome(verb)).collect();
    let several = turns.len() > 1;
    if global.output == Format::Json {
        output::json(global, &report::outcomes_json(&outcomes))?;
    } else {
        data(global, |out| {
            let options = text_options(global);
            outcomes.iter().try_for_each(|outcome| report::outcome_text(outcome, out, &options))?;
            if several { report::summary_text(&outcomes, out, &options) } else { Ok(()) }
        })?;
    }
    for failure in turns.iter().flat_map(|turn| &turn.beside) {
        output::warning(global, failure)?;
    }
    let failures = turns.into_iter().filter(|turn| !turn.told).filter_map(Turn::into_failure).collect();
    output::failures(global, failures, several)?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    Ok(exit_code(&outcomes))
}

fn exit_code(outcomes: &[Outcome]) -> u8 {
    let any = |wanted: &[Status]| outcomes.iter().any(|outcome| wanted.contains(&outcome.status()));
    if any(&[Status::Interrupted, Status::NotBegun]) {
        exit::INTERRUPTED
    } else if any(&[Status::Failed]) {
        exit::FAILED
    } else {
        exit::DONE
    }
}

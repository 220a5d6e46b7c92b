//! What `apply`, `destroy`, `rollback` and `canary` share: plan, show, ask, carry out, tell.
//!
//! Whoever is asked sees all plans first, and answers once. Where nobody is asked, each environment goes its way alone, and what it
//! held in memory goes with it: the first are carried out while others are still planned, because AWS grants a deployment only every 5
//! s, and the time in which none is made is lost.
//!
//! What fails for one environment is its own: it stops no other one and touches none. Whatever ends the work, what was
//! done until then is told: with `--output json`, stdout holds one object at the end, with every environment in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;

use super::interruption::Interruption;
use super::output::{self, data, data_beside, text_options};
use super::question::{Changed, Consent, confirm};
use super::verb::Verb;
use super::work::{Selected, Work, side_by_side};
use crate::apply::Applied;
use crate::aws::wait;
use crate::cli::Global;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::model::{Owner, Place};
use crate::plan::Plan;
use crate::plan::saved::SavedPlan;
use crate::report::{self, Board, Format, Manner, Outcome, PlanJson, Planned, Status};

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
    /// Goes on where a service does not give back what it was given: for emulators.
    pub(super) tolerant: bool,
}

/// One environment on its way.
pub(super) struct Turn {
    /// Which of the run.
    pub(super) number: usize,
    /// What the reader knows it by.
    pub(super) label: String,
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

/// One environment at the end of its way: what is to be told of it.
#[derive(Clone)]
struct Arrived {
    label: String,
    outcome: Outcome,
    /// What it ended with, if it did not do all it should.
    failure: Option<Failure>,
    /// That has been said.
    told: bool,
    beside: Vec<Failure>,
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

    /// It goes no further.
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

    /// Lets go of everything but what is to be told.
    fn arrive(self, verb: &Verb, format: Format) -> Arrived {
        let outcome = self.outcome(verb);
        let plan = self.plan().or(self.shown.as_ref());
        let shown = plan.filter(|_| format == Format::Json).map(|plan| {
            // At this time others may hold locks.
            catch_unwind(AssertUnwindSafe(|| PlanJson::of(plan))).map_err(|_| panicked())
        });
        let mut beside = self.beside;
        let outcome = match shown.transpose() {
            Ok(plan) => outcome.with_plan(plan),
            Err(failure) => {
                beside.push(failure.context("the plan can't be shown"));
                outcome
            }
        };
        let failure = match self.ready {
            Err(failure) => Some(failure),
            Ok(_) => self.applied.and_then(Applied::into_failure),
        };
        Arrived { label: self.label, outcome, failure, told: self.told, beside }
    }
}

/// Does it to all. The number is the exit code.
pub(super) async fn all(global: &Global, selected: Vec<Selected<'_>>, order: &Order) -> Result<u8> {
    order.consent.check(&selected.iter().map(|one| &one.owner).collect::<Vec<_>>())?;
    let several = selected.len() > 1;
    // Whoever types codes does that before there is progress to write over the question.
    let together = !order.consent.yes || selected.iter().any(|one| one.asks);
    let run = Run::new(global, order, &selected);
    let selected = selected.into_iter().enumerate().collect();
    let (arrived, refused) = if together {
        Box::pin(run.all_together(selected)).await
    } else {
        (Box::pin(run.each_alone(selected)).await, None)
    };
    // From here on Ctrl-C ends the process.
    drop(run);
    finish(global, arrived, several, refused)
}

/// What all environments of a run share.
pub(super) struct Run<'a> {
    pub(super) global: &'a Global,
    pub(super) order: &'a Order,
    several: bool,
    board: Mutex<Board>,
    /// A plan was shown, and the next one stands apart from it. Plans are shown one after the other.
    shown: tokio::sync::Mutex<bool>,
    pub(super) interruption: Interruption,
}

impl<'a> Run<'a> {
    fn new(global: &'a Global, order: &'a Order, selected: &[Selected<'_>]) -> Self {
        let labels: Vec<String> = selected.iter().map(|one| one.label.clone()).collect();
        Self {
            global,
            order,
            several: selected.len() > 1,
            board: Mutex::new(output::board(global, &labels)),
            shown: tokio::sync::Mutex::new(false),
            interruption: Interruption::new(global),
        }
    }

    /// The progress of all.
    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans all, asks once, and carries out; and why it was not carried out.
    async fn all_together(&self, selected: Vec<(usize, Selected<'_>)>) -> (Vec<Arrived>, Option<Failure>) {
        let mut turns = self.plan(selected).await;
        self.present(&mut turns).await;
        let refused = match self.order.saved {
            None => self.ask(&turns).err(),
            Some(_) => None,
        };
        let of_owners = by_owner(turns, |turn| &turn.owner).into_iter().map(async |mut turns| {
            if refused.is_none() {
                self.carry_out(&mut turns).await;
            }
            self.arrive(turns)
        });
        (side_by_side(of_owners).await.concat(), refused)
    }

    /// Leads each environment from its plan to its end.
    async fn each_alone(&self, selected: Vec<(usize, Selected<'_>)>) -> Vec<Arrived> {
        let of_owners = by_owner(selected, |(_, one)| &one.owner).into_iter().map(async |selected| {
            let mut turns = self.plan(selected).await;
            self.present(&mut turns).await;
            self.carry_out(&mut turns).await;
            self.arrive(turns)
        });
        side_by_side(of_owners).await.concat()
    }

    async fn plan(&self, selected: Vec<(usize, Selected<'_>)>) -> Vec<Turn> {
        let turns = selected.into_iter().map(async |(number, selected)| {
            let mut interrupt = self.interruption.told();
            let (label, owner, place) = (selected.label.clone(), selected.owner.clone(), selected.place.clone());
            let ready = async {
                let mut work = selected.begin().await.work?;
                if self.order.tolerant {
                    work.aws.tolerate_differences()?;
                }
                let plan = self.order.verb.plan(&work).await?;
                Ok((work, plan))
            };
            let ready = tokio::select! {
                biased;
                () = wait::told(&mut interrupt) => Err(interrupted()),
                ready = Box::pin(whatever_happens(ready)) => ready.flatten(),
            };
            Turn { number, label, owner, place, ready, shown: None, applied: None, told: false, beside: Vec::new() }
        });
        side_by_side(turns).await
    }

    /// Shows the plans, and stops what may not be carried out. Where there are several, whoever reads them has to know who is not
    /// among them, and why. What can't be shown is not done.
    async fn present(&self, turns: &mut [Turn]) {
        let mut interrupt = self.interruption.told();
        let shown = tokio::select! {
            biased;
            shown = whatever_happens(self.show(turns)) => shown.flatten(),
            () = wait::told(&mut interrupt) => Err(interrupted()),
        };
        self.refuse(turns);
        let told = if self.several { self.board().beside(|| self.tell_stopped(turns)) } else { Ok(()) };
        if let Err(failure) = shown.and(told) {
            turns.iter_mut().filter(|turn| turn.ready.is_ok()).for_each(|turn| turn.stop(failure.clone()));
        }
    }

    async fn show(&self, turns: &[Turn]) -> Result<()> {
        let global = self.global;
        if global.output == Format::Json {
            return Ok(());
        }
        let destroys = self.order.verb.is_destroy();
        let plans = turns.iter().filter_map(Turn::plan).filter(|plan| !destroys || !plan.is_empty());
        let manner = Manner { format: global.output, options: text_options(global), several: self.several };
        let plans: Vec<Planned> = plans.map(|plan| Planned::of(plan, manner)).collect();
        if plans.is_empty() {
            return Ok(());
        }
        let mut shown = self.shown.lock().await;
        let apart = std::mem::replace(&mut *shown, true);
        let above = |write: &mut dyn FnMut() -> Result<()>| self.board().beside(write);
        data_beside(global, above, |out| {
            if apart {
                writeln!(out)?;
            }
            report::plans(&plans, global.output, out)
        })
        .await
    }

    /// Stops what no longer fits the plan that was saved, what is too dangerous, and what is protected and was not named.
    fn refuse(&self, turns: &mut [Turn]) {
        let Order { verb, consent, saved, .. } = self.order;
        for turn in turns {
            let Ok((work, plan)) = &turn.ready else { continue };
            let fits = saved.as_ref().map_or(Ok(()), |saved| saved.fits(plan, &report::masked(plan)));
            let named = if work.protected && consent.yes && !plan.is_empty() {
                consent.to_protected(&turn.owner)
            } else {
                Ok(())
            };
            if let Err(failure) = fits.and_then(|()| verb.allows(plan)).and(named) {
                turn.stop(failure);
            }
        }
    }

    fn tell_stopped(&self, turns: &mut [Turn]) -> Result<()> {
        let mut stopped = Vec::new();
        for turn in turns {
            // Of whom the user ended before they were begun, the summary tells.
            if let Err(failure) = &turn.ready
                && failure.kind() != FailureKind::Interrupted
            {
                stopped.push((turn.label.clone(), failure.clone()));
                turn.told = true;
            }
        }
        output::failures(self.global, stopped, true).map(|_| ())
    }

    /// Asks once for all that would be changed.
    fn ask(&self, turns: &[Turn]) -> Result<()> {
        let Order { verb, consent, .. } = self.order;
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
        confirm(self.global, verb.question(changed.len()), &changed)
    }

    fn arrive(&self, turns: Vec<Turn>) -> Vec<Arrived> {
        turns.into_iter().map(|turn| turn.arrive(&self.order.verb, self.global.output)).collect()
    }
}

/// Those of one environment, its Regions, together.
fn by_owner<T>(all: Vec<T>, owner: impl Fn(&T) -> &Owner) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|group| owner(&group[0]) == owner(&one)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// Does it; a panic is a failure of its own, so that others, who hold locks, come to their end.
pub(super) async fn whatever_happens<T>(way: impl Future<Output = T>) -> Result<T> {
    AssertUnwindSafe(way).catch_unwind().await.map_err(|_| panicked())
}

pub(super) fn interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "interrupted before anything was changed")
}

fn panicked() -> Failure {
    Failure::internal("the work panicked; what went before has said where")
}

/// Tells what became of each, and with what the command ends.
fn finish(global: &Global, arrived: Vec<Arrived>, several: bool, refused: Option<Failure>) -> Result<u8> {
    let mut outcomes = Vec::with_capacity(arrived.len());
    let (mut beside, mut failures) = (Vec::new(), Vec::new());
    for one in arrived {
        outcomes.push(one.outcome);
        beside.extend(one.beside);
        // Where there are several, the summary tells of those that were not begun.
        let told = one.told || several && outcomes.last().is_some_and(|last| last.status() == Status::NotBegun);
        failures.extend(one.failure.filter(|_| !told).map(|failure| (one.label, failure)));
    }
    let written = if global.output == Format::Json {
        output::json(global, &report::outcomes_json(&outcomes))
    } else {
        data(global, |out| {
            let options = text_options(global);
            outcomes.iter().try_for_each(|outcome| report::outcome_text(outcome, out, &options))?;
            if several { report::summary_text(&outcomes, out, &options) } else { Ok(()) }
        })
    };
    for failure in &beside {
        output::warning(global, failure)?;
    }
    // What failed is told also where stdout can't be written to.
    output::failures(global, failures, several)?;
    written?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    Ok(exit_code(&outcomes))
}

fn exit_code(outcomes: &[Outcome]) -> u8 {
    if outcomes.iter().any(Outcome::is_interrupted) {
        exit::INTERRUPTED
    } else if outcomes.iter().any(|outcome| outcome.status() == Status::Failed) {
        exit::FAILED
    } else {
        exit::DONE
    }
}

//! Carries out the plans of several environments: side by side, the Regions of one after each other, each under its lock.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::execution::{Order, Turn};
use super::locking::{Held, Wanted, under_lock};
use super::verb::Verb;
use super::work::{Work, side_by_side};
use super::{interruption, journal};
use crate::apply::{self, Applied};
use crate::aws::{Pace, wait};
use crate::cli::Global;
use crate::error::{Failure, FailureKind, Result};
use crate::model::Owner;
use crate::plan::{self, Plan};
use crate::report::{self, Board, progress};

/// Who goes after whom. Environments go side by side, and the Regions of one after each other, so that a change that breaks
/// one leaves the others: the n-th of each is in the n-th wave, those that nobody is led to first. What goes, goes in the
/// order against which it was made.
fn waves(turns: &[Turn], verb: &Verb) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..turns.len()).collect();
    if !verb.is_destroy() {
        order.sort_by_key(|&index| !turns[index].ready.as_ref().is_ok_and(|(work, _)| work.is_drained()));
    }
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (place, &index) in order.iter().enumerate() {
        let same = |&&other: &&usize| turns[other].owner == turns[index].owner;
        let earlier = order[..place].iter().filter(same).count();
        if waves.len() <= earlier {
            waves.push(Vec::new());
        }
        waves[earlier].push(index);
    }
    if verb.is_destroy() {
        waves.reverse();
    }
    waves
}

/// What carrying out plans is told and tells.
struct Running<'a> {
    order: &'a Order,
    board: &'a Mutex<Board>,
    /// The rows of the board, by turn.
    changing: &'a [usize],
    interrupt: watch::Receiver<bool>,
}

/// What came of one plan.
struct Carried {
    /// The plan that was carried out, where it is not the one that was shown.
    plan: Option<Plan>,
    applied: Applied,
    beside: Vec<Failure>,
}

impl Turn {
    fn carried(&mut self, Carried { plan, applied, beside }: Carried) {
        if let (Ok((_, shown)), Some(plan)) = (&mut self.ready, plan) {
            *shown = plan;
        }
        self.applied = Some(applied);
        self.beside = beside;
    }
}

impl Running<'_> {
    fn tell(&self, turn: usize, event: &apply::Event) {
        // An empty plan has nothing to tell.
        if let Some(row) = self.changing.iter().position(|other| *other == turn) {
            self.board.lock().unwrap_or_else(PoisonError::into_inner).event(row, event);
        }
    }

    /// Why a Region whose turn comes is left as it is: an earlier one of its environment did not go through, or another one
    /// does not serve, so that clients would have nobody left if this change is a bad one.
    async fn holds_back(&self, turns: &[Turn], index: usize, earlier: &[usize]) -> Option<Failure> {
        let turn = &turns[index];
        let (Ok((work, _)), true) = (&turn.ready, turn.changes()) else { return None };
        let here = &turn.place.region;
        let others = (0..turns.len()).filter(|&other| other != index && turns[other].owner == turn.owner);
        let others: Vec<usize> = others.collect();
        let alone = format!("mend that first; to change this Region alone, add --region {here}");
        let failed = others.iter().map(|&other| &turns[other]).find(|other| !other.is_through());
        if let Some(other) = failed {
            let there = &other.place.region;
            let message = format!("{here} was left as it is, because {there} did not go through");
            return Some(Failure::new(FailureKind::Refused, message).hint(alone));
        }
        if self.order.verb.is_destroy() || others.is_empty() {
            return None;
        }
        let looked = async {
            // What serves nobody can't get worse.
            if work.is_out().await?.is_some() {
                return Ok(());
            }
            for other in others {
                let Ok((work, _)) = &turns[other].ready else { continue };
                if earlier.contains(&other) && turns[other].changes() {
                    work.serves(self.order.settle, &|message| self.tell_of(index, message)).await?;
                } else if let Some(why) = work.is_out().await? {
                    return Err(Failure::new(FailureKind::Refused, why).hint(alone.clone()));
                }
            }
            Ok(())
        };
        let mut interrupt = self.interrupt.clone();
        let verdict = tokio::select! {
            verdict = Box::pin(looked) => verdict,
            // What was not begun is not begun: the apply itself says so.
            () = wait::told(&mut interrupt) => Ok(()),
        };
        verdict.err().map(|failure| failure.context(format!("{here} was left as it is")))
    }

    /// Says what is about no step alone.
    fn tell_of(&self, turn: usize, message: String) {
        self.tell(turn, &apply::Event::Note { message });
    }

    /// Carries a plan out under the lock of its environment, and leaves a record of it. An empty plan needs neither.
    async fn carry_out(&self, turns: &[Turn], index: usize) -> Option<Result<Carried>> {
        let (work, plan) = turns[index].ready.as_ref().ok()?;
        if plan.is_empty() {
            let applied = self.apply(work, plan, index, self.interrupt.clone()).await;
            return Some(Ok(Carried { plan: None, applied, beside: Vec::new() }));
        }
        Some(self.carry_out_locked(work, plan, index).await)
    }

    async fn carry_out_locked(&self, work: &Work, plan: &Plan, index: usize) -> Result<Carried> {
        let deed = self.order.verb.deed();
        let circumstances = journal::begin(work, deed).await;
        let wanted = Wanted { purpose: deed.name(), by: &circumstances.by, patience: self.order.patience };
        let tell = |message| self.tell_of(index, message);
        let held = under_lock(&work.aws, &work.owner, wanted, self.interrupt.clone(), &tell, async |ended| {
            if *ended.borrow() {
                return Err(Failure::new(FailureKind::Interrupted, "interrupted before anything was changed"));
            }
            let now = self.look_again(work, plan, index).await?;
            let current = now.as_ref().unwrap_or(plan);
            let applied = self.apply(work, current, index, ended).await;
            let recorded = Pace::to_the_end(journal::keep(work, current, &applied, &circumstances)).await;
            Ok::<_, Failure>((now, applied, recorded))
        });
        let Held { came, lost, kept } = Box::pin(held).await?;
        let Some(came) = came else {
            // The user ended it before: this says what is not begun.
            let applied = self.apply(work, plan, index, self.interrupt.clone()).await;
            return Ok(Carried { plan: None, applied, beside: Vec::new() });
        };
        let (plan, applied, recorded) = match came {
            Ok(came) => came,
            // Whoever reads why nothing was done has to know that the lock stays, too.
            Err(failure) => return Err(kept.into_iter().chain(lost).fold(failure, Failure::beside)),
        };
        let mut beside: Vec<Failure> = recorded.err().into_iter().chain(kept).collect();
        let applied = applied.ended_by(lost.clone());
        beside.extend(lost.filter(|_| applied.ended_by.is_none()));
        Ok(Carried { plan, applied, beside })
    }

    async fn apply(&self, work: &Work, plan: &Plan, index: usize, ended: watch::Receiver<bool>) -> Applied {
        // AWS may repeat in an error what it was sent.
        let hide = |text: &str| report::without_secrets(plan, text);
        let mut emit = |event: apply::Event| self.tell(index, &event.without(&hide));
        apply::apply(plan, &work.registry, &work.aws, ended, &mut emit).await.without(&hide)
    }

    /// Plans again now that nobody else changes anything: a plan is carried out as it was shown. Where nobody was asked, and what
    /// is wanted is not told by what is there, the new plan is as good; it is given then.
    async fn look_again(&self, work: &Work, shown: &Plan, index: usize) -> Result<Option<Plan>> {
        let Order { verb, consent, saved, .. } = self.order;
        if verb.is_of_the_configuration() {
            work.look_up_again().await?;
        }
        let now = verb.plan(work).await?;
        if shown.steps == now.steps {
            return Ok(None);
        }
        if let Some(saved) = saved {
            saved.fits(&now, &report::masked(&now))?;
        } else if !consent.yes || !verb.is_of_the_configuration() {
            return Err(Failure::new(
                FailureKind::Refused,
                "AWS changed meanwhile, so the plan you saw no longer fits",
            )
            .hint("nothing was changed; run this again to see the new plan"));
        }
        verb.allows(&now)?;
        let plan::Summary { add, change, destroy, .. } = now.summary();
        self.tell_of(
            index,
            format!("AWS changed since the plan was shown; to do now: {add} to add, {change} to change, {destroy} to destroy"),
        );
        Ok(Some(now))
    }
}

/// Carries the plans out, with progress on stderr. Only meanwhile does Ctrl-C mean "finish what is in flight"; before and
/// after, it ends the process.
pub(super) async fn carry_out(global: &Global, turns: &mut [Turn], order: &Order) {
    let changing: Vec<usize> = (0..turns.len()).filter(|&index| turns[index].changes()).collect();
    let owners: Vec<Owner> = changing.iter().map(|&index| turns[index].owner.clone()).collect();
    let board = Mutex::new(Board::new(progress::Mode::choose(global.no_progress), &owners));
    let interrupt = if changing.is_empty() { watch::channel(false).1 } else { interruption::watch(global) };
    let running = Running { order, board: &board, changing: &changing, interrupt };
    let mut earlier = Vec::new();
    for wave in waves(turns, &order.verb) {
        let held = wave.iter().map(|&index| running.holds_back(turns, index, &earlier));
        let held = futures::future::join_all(held).await;
        for (&index, held) in wave.iter().zip(held) {
            if let Some(failure) = held {
                turns[index].stop(failure);
            }
        }
        let begun: &[Turn] = turns;
        let applied = side_by_side(wave.iter().map(|&index| running.carry_out(begun, index))).await;
        for (&index, applied) in wave.iter().zip(applied) {
            match applied {
                None => {}
                Some(Ok(carried)) => turns[index].carried(carried),
                Some(Err(failure)) => turns[index].stop(failure),
            }
        }
        earlier.extend(wave);
    }
}

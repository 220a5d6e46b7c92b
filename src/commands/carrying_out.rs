//! Carries out the plans of one environment: its Regions after each other, each under its lock.

use tokio::sync::watch;

use super::execution::{Order, Run, Turn, interrupted, whatever_happens};
use super::journal;
use super::locking::{Held, Wanted, under_lock};
use super::work::Work;
use crate::apply::{self, Applied};
use crate::aws::{Pace, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::plan::{self, Plan, Warning};
use crate::report;

/// What came of one plan.
struct Carried {
    /// The plan as it was made under the lock; none if it did not come to that.
    plan: Option<Plan>,
    applied: Applied,
    beside: Vec<Failure>,
}

/// Why a plan was not carried out.
struct Stopped {
    why: Failure,
    beside: Vec<Failure>,
}

impl From<Failure> for Stopped {
    fn from(why: Failure) -> Self {
        Self { why, beside: Vec::new() }
    }
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

impl Run<'_> {
    /// Carries out the plans of one environment, with progress on stderr.
    pub(super) async fn carry_out(&self, turns: &mut [Turn]) {
        if turns.iter().any(Turn::changes) {
            self.interruption.listen(self.global);
        }
        let mut earlier = Vec::new();
        for index in self.order_of(turns) {
            let held_back = whatever_happens(self.holds_back(turns, index, &earlier)).await;
            if let Some(failure) = held_back.unwrap_or_else(Some) {
                turns[index].stop(failure);
            }
            match self.carry_out_one(&turns[index]).await {
                None => {}
                Some(Ok(carried)) => turns[index].carried(carried),
                Some(Err(Stopped { why, beside })) => {
                    turns[index].stop(why);
                    turns[index].beside = beside;
                }
            }
            earlier.push(index);
        }
    }

    /// Which Region goes after which, so that a change that breaks one leaves the others: those that nobody is led to first. What
    /// goes, goes in the order against which it was made.
    fn order_of(&self, turns: &[Turn]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..turns.len()).collect();
        if self.order.verb.is_destroy() {
            order.reverse();
        } else {
            order.sort_by_key(|&index| !turns[index].ready.as_ref().is_ok_and(|(work, _)| work.is_drained()));
        }
        order
    }

    /// Why a Region whose turn comes is left as it is: an earlier one of its environment did not go through, or another one
    /// does not serve, so that clients would have nobody left if this change is a bad one.
    async fn holds_back(&self, turns: &[Turn], index: usize, earlier: &[usize]) -> Option<Failure> {
        let turn = &turns[index];
        let (Ok((work, _)), true) = (&turn.ready, turn.changes()) else { return None };
        let mut interrupt = self.interruption.told();
        if *interrupt.borrow() {
            // What was not begun is not begun: the apply itself says so.
            return None;
        }
        let here = &turn.place.region;
        let others: Vec<usize> = (0..turns.len()).filter(|&other| other != index).collect();
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
                    work.serves(self.order.settle, &|message| self.tell_of(turn, message)).await?;
                } else if let Some(why) = work.is_out().await? {
                    return Err(Failure::new(FailureKind::Refused, why).hint(alone.clone()));
                }
            }
            Ok(())
        };
        let verdict = tokio::select! {
            verdict = Box::pin(looked) => verdict,
            () = wait::told(&mut interrupt) => Ok(()),
        };
        verdict.err().map(|failure| failure.context(format!("{here} was left as it is")))
    }

    fn tell(&self, turn: &Turn, event: &apply::Event) {
        self.board().event(turn.number, event);
    }

    /// Says what is about no step alone.
    fn tell_of(&self, turn: &Turn, message: String) {
        self.tell(turn, &apply::Event::Note { message });
    }

    /// Carries a plan out under the lock of its environment, and leaves a record of it. An empty plan needs neither.
    async fn carry_out_one(&self, turn: &Turn) -> Option<Result<Carried, Stopped>> {
        let (work, plan) = turn.ready.as_ref().ok()?;
        if plan.is_empty() || *self.interruption.told().borrow() {
            return Some(Ok(self.nothing(work, plan).await));
        }
        let way = Box::pin(self.carry_out_locked(turn, work, plan));
        Some(whatever_happens(way).await.unwrap_or_else(|failure| Err(failure.into())))
    }

    /// What comes of a plan of which no step is begun, because there is none or because the user ended it before. There is nothing to
    /// tell of it meanwhile.
    async fn nothing(&self, work: &Work, plan: &Plan) -> Carried {
        let told = self.interruption.told();
        let applied = apply::apply(plan, &work.registry, &work.aws, told, &mut |_| {}).await;
        Carried { plan: None, applied, beside: Vec::new() }
    }

    async fn carry_out_locked(&self, turn: &Turn, work: &Work, plan: &Plan) -> Result<Carried, Stopped> {
        let deed = self.order.verb.deed();
        let circumstances = journal::begin(work, deed).await;
        let wanted = Wanted { purpose: deed.name(), by: &circumstances.by, patience: self.order.patience };
        let tell = |message| self.tell_of(turn, message);
        let held = under_lock(&work.aws, &work.owner, wanted, self.interruption.told(), &tell, async |ended| {
            if *ended.borrow() {
                return Err(interrupted());
            }
            let now = self.look_again(turn, work, plan).await?;
            let applied = self.apply(turn, work, &now, ended).await;
            let recorded = Pace::to_the_end(journal::keep(work, &now, &applied, &circumstances)).await;
            Ok::<_, Failure>((now, applied, recorded))
        });
        let Held { came, lost, kept } = Box::pin(held).await?;
        let Some(came) = came else {
            return Ok(self.nothing(work, plan).await);
        };
        let (now, applied, recorded) = match came {
            Ok(came) => came,
            // Whoever reads that nothing was done has to know that the lock stays, too.
            Err(why) => return Err(Stopped { why, beside: kept.into_iter().chain(lost).collect() }),
        };
        let mut beside: Vec<Failure> = unseen(&turn.label, plan, &now).chain(recorded.err()).chain(kept).collect();
        let applied = applied.ended_by(lost.clone());
        beside.extend(lost.filter(|_| applied.ended_by.is_none()));
        Ok(Carried { plan: Some(now), applied, beside })
    }

    async fn apply(&self, turn: &Turn, work: &Work, plan: &Plan, ended: watch::Receiver<bool>) -> Applied {
        // AWS may repeat in an error what it was sent.
        let hide = |text: &str| report::without_secrets(plan, text);
        let mut emit = |event: apply::Event| self.tell(turn, &event.without(&hide));
        apply::apply(plan, &work.registry, &work.aws, ended, &mut emit).await.without(&hide)
    }

    /// Plans again now that nobody else changes anything: a plan is carried out as it was shown. Where nobody was asked, and what
    /// is wanted is not told by what is there, the new plan is as good.
    async fn look_again(&self, turn: &Turn, work: &Work, shown: &Plan) -> Result<Plan> {
        let Order { verb, consent, saved, .. } = self.order;
        if verb.is_of_the_configuration() {
            work.look_up_again().await?;
        }
        let now = verb.plan(work).await?;
        if shown.steps == now.steps {
            return Ok(now);
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
            turn,
            format!("AWS changed since the plan was shown; to do now: {add} to add, {change} to change, {destroy} to destroy"),
        );
        Ok(now)
    }
}

/// The warnings of the plan that was carried out which the one that was shown did not have: that something could not be read, for one.
fn unseen<'a>(label: &'a str, shown: &'a Plan, now: &'a Plan) -> impl Iterator<Item = Failure> + 'a {
    let new = now.warnings.iter().filter(|warning| !shown.warnings.contains(warning));
    new.map(move |Warning { message, hint }| {
        let message = format!("{label}, planned again under its lock: {message}");
        let failure = Failure::new(FailureKind::Aws, message);
        hint.iter().cloned().fold(failure, Failure::hint)
    })
}

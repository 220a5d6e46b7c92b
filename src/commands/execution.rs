//! What `apply`, `destroy`, `rollback` and `canary` share: plan all, show all, ask once, carry out side by side, tell.
//!
//! What fails for one environment is its own: it stops no other one and touches none. Whatever ends the work, what was
//! done until then is told: with `--output json`, stdout holds one object at the end, with every environment in it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::journal;
use super::output::{self, data, text_options};
use super::question::{Changed, Consent, confirm};
use super::verb::Verb;
use super::work::{Member, Work, side_by_side};
use crate::apply::{self, Applied};
use crate::cli::Global;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::model::{Address, Owner, Place};
use crate::plan::Plan;
use crate::plan::saved::SavedPlan;
use crate::report::{self, Board, Format, Outcome, Planned, Status, progress};

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
}

/// One environment on its way.
struct Turn {
    /// What the reader knows it by.
    label: String,
    owner: Owner,
    place: Place,
    /// Its session and its plan, or what stopped it before the first change.
    ready: Result<(Work, Plan)>,
    /// The plan as it was shown, where something stopped it later.
    shown: Option<Plan>,
    applied: Option<Applied>,
    /// What stopped it has been said.
    told: bool,
    /// Why no record of it was left.
    unrecorded: Option<Failure>,
}

impl Turn {
    fn plan(&self) -> Option<&Plan> {
        self.ready.as_ref().ok().map(|(_, plan)| plan)
    }

    /// Whether carrying it out would change something.
    fn changes(&self) -> bool {
        self.plan().is_some_and(|plan| !plan.is_empty())
    }

    /// Whether everything that was to be done to it is done.
    fn is_through(&self) -> bool {
        self.ready.is_ok() && self.applied.as_ref().is_none_or(Applied::is_done)
    }

    fn stop(&mut self, failure: Failure) {
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
    let Order { verb, consent, settle, saved } = order;
    consent.check(&members.iter().map(|member| &member.owner).collect::<Vec<_>>())?;
    let mut turns = side_by_side(members.into_iter().map(async |Member { label, owner, place, work }| {
        let ready = async {
            let work = work?;
            let plan = verb.plan(&work).await?;
            Ok((work, plan))
        };
        let ready = ready.await;
        Turn { label, owner, place, ready, shown: None, applied: None, told: false, unrecorded: None }
    }))
    .await;
    show(global, &turns, verb)?;
    refuse(&mut turns, order);
    let several = turns.len() > 1;
    if several {
        tell_stopped(global, &mut turns)?;
    }
    let refused = match saved {
        None => ask(global, &mut turns, order).await.err(),
        Some(_) => None,
    };
    if refused.is_none() {
        carry_out(global, &mut turns, verb, *settle).await;
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

/// Asks once for all that would be changed, and plans again: a plan is carried out as it was shown or not at all.
async fn ask(global: &Global, turns: &mut [Turn], order: &Order) -> Result<()> {
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
    confirm(global, verb.question(changed.len()), &changed)?;
    let again = turns.iter().map(async |turn| match &turn.ready {
        Ok((work, plan)) if !plan.is_empty() => still_fits(plan, &verb.plan(work).await?),
        _ => Ok(()),
    });
    let fits = side_by_side(again).await;
    for (turn, fits) in turns.iter_mut().zip(fits) {
        if let Err(failure) = fits {
            turn.stop(failure);
        }
    }
    Ok(())
}

fn still_fits(shown: &Plan, now: &Plan) -> Result<()> {
    if shown.steps == now.steps {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Refused, "AWS changed while you were asked, so the plan you saw no longer fits")
        .hint("nothing was changed; run this again to see the new plan"))
}

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
    verb: &'a Verb,
    /// How long a Region is watched before the next one is changed; none: as its health check says.
    settle: Option<Duration>,
    board: &'a Mutex<Board>,
    /// The rows of the board, by turn.
    changing: &'a [usize],
    /// The first step of each turn.
    first_steps: &'a [Option<Address>],
    interrupt: watch::Receiver<bool>,
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
        if self.verb.is_destroy() || others.is_empty() {
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
                    work.serves(self.settle, &|message| self.tell_of(index, message)).await?;
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
            _ = interrupt.wait_for(|interrupted| *interrupted) => Ok(()),
        };
        verdict.err().map(|failure| failure.context(format!("{here} was left as it is")))
    }

    /// Says what a Region waits for, at the step of it that is next.
    fn tell_of(&self, turn: usize, message: String) {
        if let Some(Some(address)) = self.first_steps.get(turn) {
            self.tell(turn, &apply::Event::StepProgress { address: address.clone(), message });
        }
    }

    /// Carries a plan out and leaves a record of it. An empty plan leaves none.
    async fn carry_out(&self, turns: &[Turn], index: usize) -> Option<(Applied, Result<()>)> {
        let (work, plan) = turns[index].ready.as_ref().ok()?;
        let mut emit = |event: apply::Event| self.tell(index, &event);
        if plan.is_empty() {
            let applied = apply::apply(plan, &work.registry, &work.aws, self.interrupt.clone(), &mut emit).await;
            return Some((applied, Ok(())));
        }
        let circumstances = journal::begin(work, self.verb.deed()).await;
        let applied = apply::apply(plan, &work.registry, &work.aws, self.interrupt.clone(), &mut emit).await;
        let kept = journal::keep(work, plan, &applied, &circumstances).await;
        Some((applied, kept))
    }
}

/// Carries the plans out, with progress on stderr. Only meanwhile does Ctrl-C mean "finish what is in flight"; before and
/// after, it ends the process.
async fn carry_out(global: &Global, turns: &mut [Turn], verb: &Verb, settle: Option<Duration>) {
    let changing: Vec<usize> = (0..turns.len()).filter(|&index| turns[index].changes()).collect();
    let owners: Vec<Owner> = changing.iter().map(|&index| turns[index].owner.clone()).collect();
    let board = Mutex::new(Board::new(progress::Mode::choose(global.no_progress), &owners));
    let interrupt = watch_interrupt(!changing.is_empty());
    let first = |turn: &Turn| Some(turn.plan()?.steps.first()?.address.clone());
    let first_steps: Vec<Option<Address>> = turns.iter().map(first).collect();
    let running = Running { verb, settle, board: &board, changing: &changing, first_steps: &first_steps, interrupt };
    let mut earlier = Vec::new();
    for wave in waves(turns, verb) {
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
            let Some((applied, kept)) = applied else { continue };
            turns[index].applied = Some(applied);
            turns[index].unrecorded = kept.err();
        }
        earlier.extend(wave);
    }
}

/// Turns true at the first Ctrl-C or SIGTERM, which is what Kubernetes, systemd and cancelled CI jobs send; the second ends the process
/// at once.
fn watch_interrupt(anything: bool) -> watch::Receiver<bool> {
    let (send, receive) = watch::channel(false);
    if !anything {
        return receive;
    }
    tokio::spawn(async move {
        let mut interrupted = false;
        while told_to_end().await {
            // With nobody listening, the apply is over, and Ctrl-C means what it always means.
            if interrupted || send.send(true).is_err() {
                std::process::exit(i32::from(exit::INTERRUPTED));
            }
            interrupted = true;
        }
    });
    receive
}

/// Waits until somebody wants the process to end; false if nobody can say so.
async fn told_to_end() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            return tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
                told = terminated.recv() => told.is_some(),
            };
        }
    }
    tokio::signal::ctrl_c().await.is_ok()
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
    for failure in turns.iter().filter_map(|turn| turn.unrecorded.as_ref()) {
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

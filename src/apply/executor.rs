//! Walks the plan's graph.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::watch;

use super::{Applied, Ended, Event};
use crate::aws::{Aws, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::Registry;
use crate::model::{Address, Digest, Identity, Outputs, references, resolve};
use crate::plan::{Action, Plan, Step};

/// One piece of work: a step, or the second half of a replacement that makes the new one first.
#[derive(Debug, Clone, Copy)]
struct Work<'a> {
    step: &'a Step,
    /// The step's place in the plan.
    place: usize,
    retires: bool,
}

/// Carries out a plan. `interrupt` turns true when the user wants it to end: calls in flight are finished, nothing new is
/// begun.
pub async fn apply(
    plan: &Plan,
    registry: &Registry,
    aws: &Aws,
    mut interrupt: watch::Receiver<bool>,
    emit: &mut (dyn FnMut(Event) + Send),
) -> Applied {
    let started = Instant::now();
    let mut walk = Walk::new(plan);
    emit(Event::Started { steps: walk.waiting.len() });
    let mut running: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
    let mut ending = false;
    loop {
        let stop = *interrupt.borrow();
        if stop && !std::mem::replace(&mut ending, stop) && !running.is_empty() {
            emit(Event::Ending { running: walk.running() });
        }
        if !stop {
            for index in walk.ready() {
                let Work { step, retires, .. } = walk.work[index];
                let (action, what) = describe(step, retires);
                emit(Event::StepStarted { address: step.address.clone(), action, what: what.to_owned() });
                let work = perform(index, walk.work[index], plan, registry, aws, walk.outputs.clone());
                running.push(wait::ending(interrupt.clone(), work).boxed());
            }
        }
        tokio::select! {
            done = running.next() => match done {
                Some(done) => {
                    let address = walk.work[done.index].step.address.clone();
                    for message in aws.take_notes() {
                        emit(Event::StepProgress { address: address.clone(), message });
                    }
                    walk.finish(done, emit);
                }
                None => break,
            },
            // Only the wake-up matters; the loop reads the value. With nobody left to interrupt, there is none.
            Ok(()) = interrupt.changed(), if !stop => {}
        }
    }
    let interrupted = *interrupt.borrow() && (!walk.waiting.is_empty() || walk.skipped > 0);
    walk.skip_rest(emit);
    let applied = Applied {
        outputs: walk.outputs,
        failed: walk.failed,
        ended: walk.ended,
        done: walk.done.len(),
        skipped: walk.skipped,
        interrupted,
        ended_by: None,
    };
    emit(Event::Finished {
        done: applied.done,
        failed: applied.failed.len(),
        skipped: applied.skipped,
        elapsed: started.elapsed(),
    });
    applied
}

/// What a step made.
struct Made {
    outputs: Outputs,
    digest: Digest,
}

struct Done {
    index: usize,
    result: Result<Option<Made>>,
    started: Instant,
}

struct Walk<'a> {
    work: Vec<Work<'a>>,
    waiting: BTreeSet<usize>,
    running: BTreeSet<usize>,
    done: BTreeSet<usize>,
    failed: Vec<(Address, Failure)>,
    /// By step of the plan.
    ended: Vec<Ended>,
    skipped: usize,
    outputs: BTreeMap<Address, Outputs>,
}

impl<'a> Walk<'a> {
    fn new(plan: &'a Plan) -> Self {
        let steps = plan.steps.iter().enumerate().map(|(place, step)| Work { step, place, retires: false });
        let retired = steps.clone().filter(|work| work.step.action == Action::ReplaceCreateFirst);
        let work: Vec<Work<'_>> = steps.chain(retired.map(|work| Work { retires: true, ..work })).collect();
        let outputs = plan.unchanged.iter().map(|one| (one.address.clone(), one.live.outputs.clone())).collect();
        Self {
            waiting: (0..work.len()).collect(),
            work,
            running: BTreeSet::new(),
            done: BTreeSet::new(),
            failed: Vec::new(),
            ended: vec![Ended::NotBegun; plan.steps.len()],
            skipped: 0,
            outputs,
        }
    }

    /// Work that has to be done before another piece, as the plan says.
    fn blockers(&self, index: usize) -> Vec<usize> {
        let Work { step, retires, .. } = self.work[index];
        let before = if retires { &step.retires_after } else { &step.after_steps };
        (0..self.work.len())
            .filter(|&other| {
                let Work { step: earlier, retires: old, .. } = self.work[other];
                // A plan can be carried out in its order, so what a step waits for stands before it. The same address
                // may stand behind it again: the old one of a resource whose renaming was cut off, to be deleted.
                let is_before = other < index && !old && before.contains(&earlier.address);
                // What a second half has to wait for of those that go says the line below.
                let is_before = is_before && !(retires && earlier.action == Action::Delete);
                let (goes, went) = (retires || step.action == Action::Delete, old || earlier.action == Action::Delete);
                is_before || (goes && went && step.old_ones_first.contains(&earlier.address))
            })
            .collect()
    }

    fn ready(&mut self) -> Vec<usize> {
        let ready: Vec<usize> = self
            .waiting
            .iter()
            .copied()
            .filter(|&index| self.blockers(index).iter().all(|other| self.done.contains(other)))
            .collect();
        for index in &ready {
            self.waiting.remove(index);
            self.running.insert(*index);
        }
        ready
    }

    fn finish(&mut self, done: Done, emit: &mut (dyn FnMut(Event) + Send)) {
        let Done { index, result, started } = done;
        self.running.remove(&index);
        let address = self.work[index].step.address.clone();
        let elapsed = started.elapsed();
        match result {
            Ok(made) => {
                self.done.insert(index);
                // The second half of a replacement makes nothing, and what the first one made stands.
                if !self.work[index].retires {
                    self.ended[index] = Ended::Done(made.as_ref().map(|made| made.digest.clone()));
                }
                if let Some(made) = made {
                    self.outputs.insert(address.clone(), made.outputs);
                }
                emit(Event::StepDone { address, elapsed });
            }
            // The user ended a wait of it: the next apply goes on there.
            Err(failure) if failure.kind() == FailureKind::Interrupted => {
                self.skipped += 1;
                self.end(index, Ended::Interrupted, failure);
                emit(Event::StepInterrupted { address, elapsed });
            }
            Err(failure) => {
                emit(Event::StepFailed { address: address.clone(), failure: failure.to_string(), elapsed });
                self.end(index, Ended::Failed(failure.clone()), failure.clone());
                self.failed.push((address, failure));
            }
        }
    }

    /// Notes how a step ended that was not done; of a second half, that the old one stays.
    fn end(&mut self, index: usize, how: Ended, failure: Failure) {
        let Work { place, retires, .. } = self.work[index];
        let ended = &mut self.ended[place];
        *ended = match std::mem::replace(ended, Ended::NotBegun) {
            Ended::Done(digest) if retires => Ended::OldStays(digest, failure),
            _ => how,
        };
    }

    fn running(&self) -> Vec<Address> {
        self.running.iter().map(|&index| self.work[index].step.address.clone()).collect()
    }

    fn skip_rest(&mut self, emit: &mut (dyn FnMut(Event) + Send)) {
        for index in std::mem::take(&mut self.waiting) {
            self.skipped += 1;
            let blocker = self.blockers(index).into_iter().find(|other| !self.done.contains(other));
            let address = self.work[index].step.address.clone();
            let because = blocker.map(|other| self.work[other].step.address.clone());
            emit(Event::StepSkipped { address, because });
        }
    }
}

fn describe(step: &Step, retires: bool) -> (Action, &'static str) {
    match step.action {
        _ if retires => (Action::Delete, "deleting the old one"),
        Action::Create => (step.action, "creating"),
        Action::Update if step.only_records() => (step.action, "recording"),
        Action::Update => (step.action, "updating"),
        Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst => (step.action, "replacing"),
        Action::Delete => (step.action, "deleting"),
    }
}

async fn perform(
    index: usize,
    work: Work<'_>,
    plan: &Plan,
    registry: &Registry,
    aws: &Aws,
    outputs: BTreeMap<Address, Outputs>,
) -> Done {
    let started = Instant::now();
    let result = match carry_out(work, plan, registry, aws, &outputs).await {
        Err(failure) => Err(aws.read.name_quota(work.step.address.kind(), failure).await),
        done => done,
    };
    Done { index, result, started }
}

async fn carry_out(
    work: Work<'_>,
    plan: &Plan,
    registry: &Registry,
    aws: &Aws,
    outputs: &BTreeMap<Address, Outputs>,
) -> Result<Option<Made>> {
    let Work { step, retires, .. } = work;
    let kind = registry.kind(step.address.kind())?;
    let live = || step.live.as_ref().ok_or_else(|| Failure::internal(format!("{} was never read", step.address)));
    if retires || step.action == Action::Delete {
        kind.delete(aws, live()?).await?;
        return Ok(None);
    }
    let identity = Identity { owner: plan.owner.clone(), address: step.address.clone(), place: plan.place.clone() };
    let spec = (kind.canonical())(resolved(step, outputs)?)?;
    let made = match step.action {
        Action::Update if step.only_records() => live()?.outputs.clone(),
        Action::Update => kind.update(aws, live()?, &spec).await?,
        Action::ReplaceDeleteFirst => {
            kind.delete(aws, live()?).await?;
            kind.create(aws, &identity, &spec).await?
        }
        Action::Create | Action::ReplaceCreateFirst | Action::Delete => kind.create(aws, &identity, &spec).await?,
    };
    let digest = Digest::of(&spec);
    kind.record(aws, &identity, &made, &digest).await?;
    Ok(Some(Made { outputs: made, digest }))
}

/// The spec with every output it refers to filled in.
fn resolved(step: &Step, outputs: &BTreeMap<Address, Outputs>) -> Result<Value> {
    let after = step.after.as_ref().ok_or_else(|| Failure::internal(format!("{} has no spec", step.address)))?;
    let spec = resolve(after, &|reference| outputs.get(&reference.address)?.get(&reference.output).map(str::to_owned));
    match references(&spec).into_iter().next() {
        None => Ok(crate::model::without_nulls(&spec)),
        Some(open) => Err(Failure::internal(format!("{} needs `{open}`, which no step gave", step.address))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Owner, Place};
    use crate::plan::Reason;

    fn step(address: &str, action: Action, after: &[&str], old_ones_first: &[&str]) -> Step {
        let all = |addresses: &[&str]| addresses.iter().map(|address| Address::parse(address).unwrap()).collect();
        Step {
            address: Address::parse(address).unwrap(),
            name: None,
            action,
            reason: Reason::ConfigurationChanged,
            forced_by: Vec::new(),
            changes: Vec::new(),
            after: None,
            live: None,
            after_steps: if action == Action::Delete { all(after) } else { Vec::new() },
            retires_after: if action == Action::Delete { Vec::new() } else { all(after) },
            old_ones_first: all(old_ones_first),
            labels: BTreeMap::new(),
        }
    }

    /// What an apply that died left is deleted under the address of what is replaced now: nobody waits for themselves.
    #[test]
    fn what_goes_never_waits_in_a_circle() {
        let (function, stage) = ("gate/lambda-function/authorizer", "gate/stage/gateway");
        let changed = [function, stage];
        let steps = vec![
            step(function, Action::ReplaceCreateFirst, &changed, &[stage]),
            step(stage, Action::ReplaceCreateFirst, &changed, &[]),
            step(function, Action::Delete, &changed, &[stage]),
        ];
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let place = Place { account: String::new(), region: String::new(), partition: "aws".into() };
        let plan = Plan { owner, place, steps, unchanged: Vec::new(), warnings: Vec::new() };
        let mut walk = Walk::new(&plan);
        let mut rounds = Vec::new();
        loop {
            let ready = walk.ready();
            if ready.is_empty() {
                break;
            }
            walk.done.extend(&ready);
            rounds.push(ready);
        }
        // The new ones; the old stage; then both old functions.
        assert_eq!(rounds, [vec![0, 1], vec![4], vec![2, 3]]);
    }
}

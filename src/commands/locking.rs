//! Holds the lock of an environment while it is changed.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::aws::lock::{self, Lock, Taken};
use crate::aws::{Aws, Pace, wait};
use crate::error::{Failure, Result};
use crate::lock::Holder;
use crate::model::Owner;
use crate::origin::Origin;

/// Who wants a lock, what for, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// What for: `apply`.
    pub(super) purpose: &'a str,
    /// Who.
    pub(super) by: &'a Origin,
    /// How long it is waited for while somebody else has it.
    pub(super) patience: Duration,
}

/// What came of work under a lock.
pub(super) struct Held<T> {
    /// Of the work; none if the user ended it before the lock was there.
    pub(super) came: Option<T>,
    /// Why the lock was lost meanwhile.
    pub(super) lost: Option<Failure>,
    /// Why it was not given back.
    pub(super) kept: Option<Failure>,
}

/// How long calls may still wait for AWS's rates once the user wants the work to end: the last ones of a step, which record it, need
/// a few seconds among many.
const GRACE: Duration = Duration::from_secs(10);

/// How often a lock that somebody else has is looked at.
const LOOKS_EVERY: Duration = Duration::from_secs(2);

/// Takes the lock, does the work, gives the lock back. The work is told to end (its receiver turns true) when the user wants
/// that, and when the lock is lost. If it panics, that is a failure, so that other environments come to their end.
pub(super) async fn under_lock<T, F>(
    aws: &Aws,
    owner: &Owner,
    wanted: Wanted<'_>,
    mut interrupt: watch::Receiver<bool>,
    tell: &(dyn Fn(String) + Sync),
    act: impl FnOnce(watch::Receiver<bool>) -> F,
) -> Result<Held<T>>
where
    F: Future<Output = T>,
{
    let Some(lock) = take(aws, owner, wanted, &mut interrupt, tell).await? else {
        return Ok(Held { came: None, lost: None, kept: None });
    };
    let (end, ended) = watch::channel(false);
    let lost = Mutex::new(None);
    let told = async {
        wait::told(&mut interrupt).await;
        // What waits for its turn among others is not in flight.
        aws.pace.close(GRACE);
        end.send_replace(true);
        pending::<Infallible>().await
    };
    let kept_alive = async {
        let failure = Box::pin(Pace::to_the_end(lock.kept_alive())).await;
        end.send_replace(true);
        *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        pending::<Infallible>().await
    };
    let came = tokio::select! {
        // Who wants the work to end is heard before the work goes on.
        biased;
        never = told => match never {},
        never = kept_alive => match never {},
        came = AssertUnwindSafe(act(ended)).catch_unwind() => came,
    };
    let gone = lock.is_lost();
    let (kept, gone) = match Box::pin(Pace::to_the_end(lock.give_back())).await {
        Ok(given) => (None, (!given).then_some(gone)),
        Err(failure) => (Some(failure), None),
    };
    let Ok(came) = came else {
        let failure = Failure::internal("the work panicked; what went before has said where");
        return Err(kept.into_iter().chain(gone).fold(failure, Failure::beside));
    };
    Ok(Held { came: Some(came), lost: lost.into_inner().unwrap_or_else(PoisonError::into_inner).or(gone), kept })
}

/// Takes the lock; none if the user ended it before. Waiting is cut off by that, and taking is not: a lock might stay.
async fn take(
    aws: &Aws,
    owner: &Owner,
    wanted: Wanted<'_>,
    interrupt: &mut watch::Receiver<bool>,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Option<Lock>> {
    let begun = Instant::now();
    let mut told = false;
    while !*interrupt.borrow() {
        let holder = Holder::new(wanted.purpose, wanted.by.clone(), Timestamp::now());
        let mut other = match lock::take(aws, owner, holder).await? {
            Taken::Ours { lock, from } => {
                if let Some(from) = from {
                    tell(format!("took over the lock of {}, {}", from.who(), from.since_when(Timestamp::now())));
                }
                return Ok(Some(*lock));
            }
            Taken::Theirs(other) => other,
        };
        loop {
            let left = wanted.patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(other.refuses(owner, &aws.place, Timestamp::now()));
            }
            if !std::mem::replace(&mut told, true) {
                tell(format!("waits for the lock: {}, {}", other.who(), other.since_when(Timestamp::now())));
            }
            tokio::select! {
                () = sleep(LOOKS_EVERY.min(left)) => {}
                () = wait::told(interrupt) => return Ok(None),
            }
            other = match lock::holder(&aws.read, owner).await? {
                Some(other) if !other.may_be_retired(Timestamp::now()) => other,
                _ => break,
            };
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;

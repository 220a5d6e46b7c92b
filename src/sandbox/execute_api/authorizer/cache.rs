//! The answers of authorizers, kept for their time to live.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Answer;
use super::identity::Key;

/// Answers kept at once. A client that sends a new token with every request must not fill the memory.
const LIMIT: usize = 10_000;

/// The answers of all stages; clones share them. Requests that come side by side each call the function until one of them
/// has its answer: nothing says that API Gateway would let one wait for the other.
#[derive(Debug, Clone)]
pub struct Cache {
    held: Arc<Mutex<Held>>,
    limit: usize,
}

/// Whose answers: API, stage and authorizer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Whose {
    /// The API.
    pub api: String,
    /// The stage.
    pub stage: String,
    /// The authorizer.
    pub authorizer: String,
}

#[derive(Debug, Default)]
struct Held {
    entries: HashMap<(Whose, Key), Entry>,
    /// The entries in the order they came in, with their numbers: an entry that was replaced has another one.
    order: VecDeque<(u64, (Whose, Key))>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    until: Instant,
    answer: Arc<Answer>,
}

impl Default for Cache {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl Cache {
    /// An empty cache of a size.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { held: Arc::default(), limit }
    }

    /// The answer for a key, unless it is too old.
    #[must_use]
    pub fn get(&self, whose: &Whose, key: &Key) -> Option<Arc<Answer>> {
        let mut held = self.hold();
        let place = (whose.clone(), key.clone());
        let entry = held.entries.get(&place)?;
        if entry.until > Instant::now() {
            return Some(Arc::clone(&entry.answer));
        }
        held.entries.remove(&place);
        None
    }

    /// Keeps an answer from now on. The oldest goes if there are too many.
    pub fn put(&self, whose: &Whose, key: &Key, answer: Arc<Answer>, ttl: Duration) {
        if ttl.is_zero() {
            return;
        }
        let mut held = self.hold();
        let number = held.next;
        held.next += 1;
        let place = (whose.clone(), key.clone());
        held.order.push_back((number, place.clone()));
        held.entries.insert(place, Entry { number, until: Instant::now() + ttl, answer });
        // Places of entries that are gone stand in the order until they come to its front.
        while held.entries.len() > self.limit || held.order.len() > self.limit.saturating_mul(2) {
            let Some((number, place)) = held.order.pop_front() else { return };
            if held.entries.get(&place).is_some_and(|entry| entry.number == number) {
                held.entries.remove(&place);
            }
        }
    }

    /// Forgets the answers of a stage, as `FlushStageAuthorizersCache` asks.
    pub fn flush(&self, api: &str, stage: &str) {
        let mut held = self.hold();
        held.entries.retain(|(whose, _), _| whose.api != api || whose.stage != stage);
        held.order.retain(|(_, (whose, _))| whose.api != api || whose.stage != stage);
    }

    /// How many answers are kept, old ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hold().entries.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(test)]
    pub(super) fn hold_order(&self) -> usize {
        self.hold().order.len()
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        // The worst that a thread's end can leave behind is a place in the order without an entry.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

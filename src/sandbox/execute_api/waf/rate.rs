//! How often requests came: the memory of rate-based rules.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Keys that one rule keeps apart; more are not counted ("up to 10,000 IP addresses", developer guide). Without a bound,
/// a client that changes a counted header with every request would fill the memory.
const KEYS: usize = 10_000;
/// Parts with a lock each, so that requests with different keys seldom wait for each other.
const PARTS: usize = 16;

/// Counts requests over sliding windows. One is shared by all web ACLs of a data plane.
///
/// AWS looks at the rates every few seconds and estimates; here each request counts at once, to the second.
#[derive(Debug, Default)]
pub struct Counters {
    parts: [Mutex<HashMap<u64, HashMap<String, Window>>>; PARTS],
}

/// Requests by the second they came in.
#[derive(Debug, Default)]
struct Window {
    seconds: VecDeque<(u64, u64)>,
    total: u64,
}

impl Counters {
    /// Counts a request, and tells how many came in the last `window` seconds with it. None if it can't be counted.
    pub(super) fn count(&self, rule: u64, key: &str, now: Duration, window: u64) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (rule, key).hash(&mut hasher);
        let part = usize::try_from(hasher.finish() % PARTS as u64).unwrap_or_default();
        let mut part = self.parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        let keys = part.entry(rule).or_default();
        let now = now.as_secs();
        if let Some(found) = keys.get_mut(key) {
            return Some(found.add(now, window));
        }
        if keys.len() >= KEYS / PARTS {
            keys.retain(|_, one| one.seconds.back().is_some_and(|(second, _)| second + window > now));
        }
        (keys.len() < KEYS / PARTS).then(|| keys.entry(key.to_owned()).or_default().add(now, window))
    }
}

impl Window {
    fn add(&mut self, now: u64, window: u64) -> u64 {
        while let Some((second, count)) = self.seconds.front().copied().filter(|(second, _)| second + window <= now) {
            debug_assert!(second < now);
            self.total -= count;
            self.seconds.pop_front();
        }
        match self.seconds.back_mut() {
            // A request that a thread was slow with counts for the last second.
            Some((second, count)) if *second >= now => *count += 1,
            _ => self.seconds.push_back((now, 1)),
        }
        self.total += 1;
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let counters = Counters::default();
        let at = |second: u64, key: &str| counters.count(1, key, Duration::from_secs(second), 60);
        assert_eq!((at(0, "a"), at(0, "a"), at(30, "a")), (Some(1), Some(2), Some(3)));
        assert_eq!(at(30, "b"), Some(1), "keys are counted apart");
        assert_eq!(counters.count(2, "a", Duration::from_secs(30), 60), Some(1), "and so are rules");
        assert_eq!(at(59, "a"), Some(4));
        assert_eq!(at(60, "a"), Some(3), "the two of second 0 are gone");
        assert_eq!(at(500, "a"), Some(1));
    }

    #[test]
    fn memory_is_bounded_and_free_again_after_the_window() {
        let counters = Counters::default();
        let count =
            |second: u64, number: usize| counters.count(1, &number.to_string(), Duration::from_secs(second), 60);
        let counted = (0..2 * KEYS).filter(|number| count(0, *number).is_some()).count();
        assert!(counted <= KEYS, "{counted}");
        assert_eq!(count(61, 3 * KEYS), Some(1));
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| assert!(counters.count(1, "a", Duration::ZERO, 60).is_some())));
            }
        });
        assert_eq!(counters.count(1, "a", Duration::ZERO, 60), Some(2001));
    }
}

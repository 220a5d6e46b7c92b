//! What of a log that is read again and again is new.
//!
//! CloudWatch Logs takes events in late, and out of order between streams: whoever asks for what came after the last event misses
//! some. So each look goes back a little beyond the newest event, now and then further, and what was seen is known by its id.

use std::collections::HashMap;

/// How far each look goes back, in milliseconds.
const SHORT: i64 = 20_000;

/// How far every [`OFTEN`]th look goes back: what comes later than this is missed.
const LONG: i64 = 300_000;

/// A long look costs the pages of five minutes, a short one those of seconds.
const OFTEN: u32 = 15;

/// What was seen of one log group.
#[derive(Debug, Clone)]
pub struct Tail {
    start: i64,
    newest: i64,
    looks: u32,
    /// When each event was that may be read again, by its id.
    seen: HashMap<String, i64>,
}

impl Tail {
    /// Begins at a time in milliseconds since the epoch.
    #[must_use]
    pub fn new(start: i64) -> Self {
        Self { start, newest: start, looks: 0, seen: HashMap::new() }
    }

    /// From when on to look now, in milliseconds since the epoch. `now` keeps a clock that is wrong from moving the window into
    /// the future.
    pub fn next_look(&mut self, now: i64) -> i64 {
        let back = if self.looks.is_multiple_of(OFTEN) { LONG } else { SHORT };
        self.looks = self.looks.wrapping_add(1);
        let newest = self.newest.min(now);
        self.seen.retain(|_, time| *time >= newest - LONG);
        if self.looks == 1 { self.start } else { (newest - back).max(self.start) }
    }

    /// Whether an event was not seen yet; it is from now on.
    pub fn is_new(&mut self, id: &str, time: i64) -> bool {
        self.newest = self.newest.max(time);
        self.seen.insert(id.to_owned(), time).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_twice_and_what_is_late_is_not_missed() {
        let mut tail = Tail::new(1_000_000);
        assert_eq!(tail.next_look(1_000_500), 1_000_000);
        assert!(tail.is_new("a", 1_000_100) && tail.is_new("b", 1_050_000));
        // Ten seconds older than the newest, and not there before.
        let from = tail.next_look(1_060_000);
        assert_eq!(from, 1_030_000);
        assert!(!tail.is_new("b", 1_050_000) && tail.is_new("late", 1_040_000));
        assert!(!tail.is_new("late", 1_040_000));
        // Every so often it looks back further, never before the start.
        let looks: Vec<i64> = (0..OFTEN).map(|_| tail.next_look(1_060_000)).collect();
        assert_eq!(looks.iter().filter(|from| **from == 1_000_000).count(), 1, "{looks:?}");
        assert!(!tail.is_new("a", 1_000_100), "what a long look can meet again is still known");
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_hide_what_comes() {
        let mut tail = Tail::new(0);
        tail.next_look(1000);
        assert!(tail.is_new("from the future", 9_000_000));
        assert_eq!(tail.next_look(100_000), 80_000);
    }

    #[test]
    fn ids_that_no_look_can_meet_again_are_forgotten() {
        let mut tail = Tail::new(0);
        tail.next_look(0);
        for at in 0..1000 {
            assert!(tail.is_new(&at.to_string(), at * 1000));
        }
        tail.next_look(1_000_000);
        assert!(tail.seen.len() <= 301, "{}", tail.seen.len());
    }
}

//! The calls of one service in one account and Region that wait for their turn, and who goes next.
//!
//! Calls that draw on the same buckets stand in one line and go by their numbers: those of an environment that was begun
//! earlier first, and of one environment in the order in which they came. Nobody starves, because an environment's calls have
//! an end. Of the heads of several lines, which may all want a token of the bucket that the whole service shares, those go
//! first whose operation is scarce: a run waits for `CreateDeployment` and its like, and a token for one of them is lost when
//! nobody takes it. The others do not starve for that, because scarce operations are few by their own rates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::bucket::Bucket;
use crate::rates::{self, Allowance};

/// The rate that is supposed of operations for which AWS documents none, once it has refused one.
const UNDOCUMENTED: f64 = 5.0;

/// An operation is scarce when AWS grants no more than this many calls a second. All of them together are a fifth of what
/// API Gateway grants for all.
pub(super) const SCARCE: f64 = 1.0;

/// A bucket's name in the lane: the row of the table, none for an operation that has none, and the operation where each has
/// a bucket.
type Key = (Option<usize>, String);

/// The buckets that a call draws on, the operation's own first.
pub(super) type Way = Vec<Key>;

/// The lane.
#[derive(Debug, Default)]
pub(super) struct Lane {
    service: String,
    /// From the first call on; else once AWS has refused.
    ahead: bool,
    allowance: Allowance,
    buckets: BTreeMap<Key, Bucket>,
    lines: BTreeMap<Way, BTreeMap<u64, Arc<Notify>>>,
}

/// How a call stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may go.
    Goes,
    /// It is the next of its line, and not before then.
    Next(Instant),
    /// Others are before it.
    Behind,
}

impl Lane {
    pub(super) fn new(service: &str) -> Self {
        Self { service: service.to_owned(), ..Self::default() }
    }

    /// Another session goes by this lane: what is stricter holds for all.
    pub(super) fn admit(&mut self, ahead: bool, allowance: &Allowance, now: Instant) {
        self.ahead |= ahead;
        self.allowance.restrict(allowance);
        for ((row, operation), bucket) in &mut self.buckets {
            if let Some(row) = row {
                let (rate, burst) = self.allowance.of(&self.service, operation, &rates::QUOTAS[*row]);
                bucket.limit(rate, burst, now);
            }
        }
    }

    fn keys(&self, operation: &str) -> Way {
        let rows = rates::covering(&self.service, operation);
        rows.map(|(row, quota)| (Some(row), if quota.is_shared() { String::new() } else { operation.to_owned() }))
            .collect()
    }

    /// The buckets that a call draws on; none if it has not to wait at all.
    pub(super) fn way(&mut self, operation: &str, now: Instant) -> Way {
        self.forget(now);
        let mut way = self.keys(operation);
        if self.ahead {
            for key in &way {
                self.open(key, now);
            }
        } else {
            way.retain(|key| self.buckets.contains_key(key));
        }
        let undocumented = (None, operation.to_owned());
        if self.buckets.contains_key(&undocumented) {
            way.push(undocumented);
        }
        way
    }

    /// What a refusal brought about goes when it has been long enough without one.
    fn forget(&mut self, now: Instant) {
        let used: BTreeSet<&Key> = self.lines.keys().flatten().collect();
        let ahead = self.ahead;
        self.buckets
            .retain(|key, bucket| (ahead && key.0.is_some()) || used.contains(key) || !bucket.is_untouched(now));
    }

    fn open(&mut self, key: &Key, now: Instant) -> &mut Bucket {
        let (row, operation) = key;
        let (service, allowance) = (&self.service, &self.allowance);
        self.buckets.entry(key.clone()).or_insert_with(|| {
            let (rate, burst) =
                row.map_or((UNDOCUMENTED, 1.0), |row| allowance.of(service, operation, &rates::QUOTAS[row]));
            Bucket::new(rate, burst, now)
        })
    }

    /// Puts a call into its line. One that was refused has an old number, and is the first again.
    pub(super) fn join(&mut self, way: &Way, number: u64) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        self.lines.entry(way.clone()).or_default().insert(number, bell.clone());
        bell
    }

    /// Takes a call out of its line, if it still stands there.
    pub(super) fn leave(&mut self, way: &Way, number: u64) {
        let Some(line) = self.lines.get_mut(way) else { return };
        line.remove(&number);
        match line.first_key_value() {
            Some((_, bell)) => bell.notify_one(),
            None => drop(self.lines.remove(way)),
        }
    }

    /// Lets all go whose turn it is.
    pub(super) fn advance(&mut self, now: Instant) {
        loop {
            let buckets = &mut self.buckets;
            let mut ready = |way: &Way| way.iter().all(|key| buckets.get_mut(key).is_none_or(|one| one.is_ready(now)));
            let ready = self.lines.iter().filter(|(way, _)| ready(way));
            let heads = ready.filter_map(|(way, line)| Some((rank(way), *line.first_key_value()?.0, way)));
            let Some((_, number, way)) = heads.min() else { return };
            let way = way.clone();
            for key in &way {
                if let Some(bucket) = self.buckets.get_mut(key) {
                    bucket.take(now);
                }
            }
            if let Some(bell) = self.lines.get(&way).and_then(|line| line.get(&number)) {
                bell.notify_one();
            }
            self.leave(&way, number);
        }
    }

    /// How a call stands after [`Lane::advance`].
    pub(super) fn standing(&mut self, way: &Way, number: u64, now: Instant) -> Standing {
        let Some(line) = self.lines.get(way).filter(|line| line.contains_key(&number)) else { return Standing::Goes };
        if line.first_key_value().is_some_and(|(first, _)| *first != number) {
            return Standing::Behind;
        }
        let times = way.iter().filter_map(|key| Some(self.buckets.get_mut(key)?.ready_at(now)));
        Standing::Next(times.max().unwrap_or(now))
    }

    /// AWS refused a call of an operation. It does not say for which of its quotas: the narrowest is the likeliest, and where
    /// it was the other, calls that draw on that one alone will find out.
    pub(super) fn refused(&mut self, operation: &str, went: Instant, after: Option<std::time::Duration>, now: Instant) {
        let narrowest = self.keys(operation).into_iter().next();
        let key = narrowest.unwrap_or_else(|| (None, operation.to_owned()));
        self.open(&key, now).refused(went, after, now);
    }
}

/// Who goes first of those that could: scarce operations, the scarcest first; all others are equal.
fn rank(way: &Way) -> (bool, u64) {
    let quota = way.first().and_then(|(row, _)| Some(&rates::QUOTAS[(*row)?]));
    match quota {
        // Periods of whole milliseconds, the longest first.
        Some(quota) if quota.rate() <= SCARCE => {
            (false, u64::MAX - u64::from(quota.seconds) * 1000 / u64::from(quota.count))
        }
        _ => (true, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn lane(service: &str) -> Lane {
        let mut lane = Lane::new(service);
        lane.admit(true, &Allowance::default(), Instant::now());
        lane
    }

    /// Lets calls go until all are gone: which went when.
    fn run(lane: &mut Lane, operations: &[&str], mut now: Instant) -> Vec<(usize, Duration)> {
        let begun = now;
        let mut waiting: Vec<(usize, Way)> = Vec::new();
        for (number, operation) in operations.iter().enumerate() {
            let way = lane.way(operation, now);
            lane.join(&way, number as u64);
            waiting.push((number, way));
        }
        let mut gone = Vec::new();
        while !waiting.is_empty() {
            lane.advance(now);
            let mut next = None;
            waiting.retain(|(number, way)| match lane.standing(way, *number as u64, now) {
                Standing::Goes => {
                    gone.push((*number, now - begun));
                    false
                }
                Standing::Next(at) => {
                    next = Some(next.map_or(at, |other: Instant| other.min(at)));
                    true
                }
                Standing::Behind => true,
            });
            now = next.unwrap_or(now);
        }
        gone
    }

    #[test]
    fn calls_of_one_operation_go_as_they_came() {
        let gone = run(&mut lane("apigateway"), &["CreateDeployment"; 4], Instant::now());
        assert_eq!(gone.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let last = gone[3].1.as_secs_f64();
        assert!((15.0..16.0).contains(&last), "{last}");
    }

    #[test]
    fn what_waits_for_its_own_quota_holds_up_nobody() {
        let operations = ["CreateDeployment", "CreateDeployment", "GetStages", "GetStages"];
        let gone = run(&mut lane("apigateway"), &operations, Instant::now());
        assert_eq!(
            gone[..3].iter().map(|(number, at)| (*number, *at)).collect::<Vec<_>>(),
            [0, 2, 3].map(|n| (n, Duration::ZERO))
        );
    }

    #[test]
    fn the_scarce_go_first_of_those_who_could() {
        let now = Instant::now();
        let mut lane = lane("apigateway");
        let mut operations = vec!["GetStages"; 100];
        operations.extend(["PutRestApi", "CreateDeployment"]);
        let gone = run(&mut lane, &operations, now);
        let order: Vec<usize> = gone.iter().map(|(number, _)| *number).collect();
        let place = |number| order.iter().position(|other| *other == number).unwrap();
        assert!(place(100) < 40 && place(101) < 40, "{order:?}");
        let others: Vec<usize> = order.into_iter().filter(|number| *number < 100).collect();
        assert!(others.is_sorted(), "{others:?}");
        // 102 calls, 40 at once, 10 a second.
        assert!((6.2..7.0).contains(&gone[101].1.as_secs_f64()), "{:?}", gone[101].1);
    }

    #[test]
    fn scarce_operations_leave_room_for_all_others() {
        for service in ["apigateway", "route53"] {
            let of = rates::QUOTAS.iter().filter(|quota| quota.service == service);
            let (shared, own): (Vec<_>, Vec<_>) = of.partition(|quota| quota.is_shared());
            let scarce = own.iter().filter(|quota| quota.rate() <= SCARCE && quota.calls != rates::Calls::Edge);
            let scarce: f64 =
                scarce.map(|quota| quota.rate() * f64::from(u32::try_from(quota.operations.len()).unwrap())).sum();
            assert!(scarce < shared[0].rate() / 3.0, "{service}: {scarce} a second");
        }
    }

    #[test]
    fn whoever_leaves_makes_room() {
        let now = Instant::now();
        let mut lane = lane("apigateway");
        let way = lane.way("PutRestApi", now);
        for number in 0..3 {
            lane.join(&way, number);
        }
        lane.advance(now);
        assert_eq!(lane.standing(&way, 0, now), Standing::Goes);
        assert_eq!(lane.standing(&way, 2, now), Standing::Behind);
        lane.leave(&way, 1);
        assert!(matches!(lane.standing(&way, 2, now), Standing::Next(_)));
    }

    #[test]
    fn elsewhere_there_is_no_line_until_a_call_is_refused() {
        let now = Instant::now();
        let mut lane = Lane::new("apigateway");
        assert!(lane.way("CreateDeployment", now).is_empty());
        lane.refused("CreateDeployment", now, None, now);
        assert_eq!(lane.way("CreateDeployment", now).len(), 1);
        assert!(lane.way("CreateDeployment", now + Duration::from_mins(10)).is_empty(), "it goes when nobody waits");
    }

    #[test]
    fn where_aws_documents_no_rate_a_refusal_makes_a_line_too() {
        let now = Instant::now();
        let mut lane = lane("iam");
        assert!(lane.way("CreateRole", now).is_empty());
        lane.refused("CreateRole", now, None, now);
        assert!(lane.way("GetRole", now).is_empty());
        let gone = run(&mut lane, &["CreateRole"; 5], now);
        assert!(gone[4].1 > Duration::from_secs(1), "{gone:?}");
    }

    #[test]
    fn one_that_was_refused_is_the_first_again() {
        let now = Instant::now();
        let mut lane = lane("apigateway");
        let way = lane.way("CreateDeployment", now);
        for number in 0..3 {
            lane.join(&way, number);
        }
        lane.advance(now);
        lane.refused("CreateDeployment", now, Some(Duration::from_secs(4)), now);
        lane.join(&way, 0);
        let Standing::Next(at) = lane.standing(&way, 0, now) else { panic!("it is not the first") };
        assert!((at - now).abs_diff(Duration::from_secs(4)) < Duration::from_millis(2), "{:?}", at - now);
        assert_eq!(lane.standing(&way, 1, now), Standing::Behind);
    }
}

//! The least time that AWS's quotas allow for the calls that were made.

use gwctl::rates::{Calls, QUOTAS, Quota, Share};
use gwctl::sandbox::conditions::Counters;

use super::estate::Shape;

/// The bucket that takes longest.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// Seconds until it has granted the last call, the first being made at the beginning.
    pub(crate) seconds: f64,
    /// Which it is.
    pub(crate) bucket: String,
}

/// The longest of all buckets of the place where most environments are; calls that were refused are not in it. Every
/// environment makes the same calls, and what is asked once for a whole place is taken as its environments' share.
pub(crate) fn of(counters: &Counters, shape: &Shape) -> Option<Bound> {
    let portion = as_f64(shape.most_in_one_place()) / as_f64(shape.environments);
    let all = counters.services.iter().flat_map(|(service, operations)| {
        operations.iter().map(move |(operation, tally)| (service, operation, tally.calls - tally.throttles))
    });
    let all: Vec<(&String, &String, u64)> = all.collect();
    // gwctl makes no edge-optimised API.
    let quotas = QUOTAS.iter().filter(|quota| quota.calls != Calls::Edge);
    let buckets = quotas.flat_map(|quota| {
        let covered = all.iter().filter(|(service, operation, _)| quota.covers(service, operation));
        match quota.share {
            Share::Each => covered.map(|(_, name, calls)| longest(quota, name, *calls, portion)).collect::<Vec<_>>(),
            Share::Rest | Share::All => {
                let calls = covered.map(|(_, _, calls)| calls).sum();
                vec![longest(quota, &format!("{} in all", quota.service), calls, portion)]
            }
        }
    });
    buckets.max_by(|one, other| one.seconds.total_cmp(&other.seconds)).filter(|bound| bound.seconds > 0.0)
}

fn longest(quota: &Quota, name: &str, calls: u64, share: f64) -> Bound {
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls")]
    let waiting = (calls as f64 * share - f64::from(quota.burst)).max(0.0);
    Bound { seconds: waiting / quota.rate(), bucket: name.to_owned() }
}

/// Counts are small.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 of anything here")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

//! Throttling of methods: a token bucket each, as API Gateway has them.
//!
//! The limits of a stage, `*/*` included, hold for each method by itself (API Gateway Developer Guide, "Throttle requests to
//! your REST APIs"): a bucket of `burst` tokens that fills up at `rate` tokens a second. The real service keeps to it only
//! roughly, being many machines; this one keeps to it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// The limits of one method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    /// Requests a second; negative for no limit.
    pub(super) rate: f64,
    /// Requests at once; negative for no limit.
    pub(super) burst: i64,
}

/// The buckets of one stage. They outlive a redeployment.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Throttles {
    /// Takes a token from the bucket of a method; `false` when it is empty.
    pub(super) fn take(&self, method: &str, limits: Limits, now: Instant) -> bool {
        if limits.rate < 0.0 || limits.burst < 0 {
            return true;
        }
        #[expect(clippy::cast_precision_loss, reason = "no burst is near 2^52")]
        let burst = limits.burst as f64;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(method) {
            buckets.insert(method.to_owned(), Bucket { tokens: burst, filled: now });
        }
        let Some(bucket) = buckets.get_mut(method) else { return true };
        let elapsed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * limits.rate).min(burst);
        bucket.filled = now;
        let pass = bucket.tokens >= 1.0;
        if pass {
            bucket.tokens -= 1.0;
        }
        pass
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate() {
        let throttles = Throttles::default();
        let limits = Limits { rate: 2.0, burst: 3 };
        let start = Instant::now();
        let passed = |now| (0..10).filter(|_| throttles.take("GET /a", limits, now)).count();
        assert_eq!(passed(start), 3);
        assert_eq!(passed(start + Duration::from_millis(400)), 0);
        assert_eq!(passed(start + Duration::from_secs(1)), 2);
        assert_eq!(passed(start + Duration::from_secs(100)), 3, "never more than the burst");
        assert!(throttles.take("GET /b", limits, start), "each method has its own bucket");
    }

    #[test]
    fn nothing_passes_a_closed_method_and_everything_one_without_limit() {
        let throttles = Throttles::default();
        let now = Instant::now();
        assert!(!throttles.take("closed", Limits { rate: 0.0, burst: 0 }, now));
        assert!((0..50).all(|_| throttles.take("open", Limits { rate: -1.0, burst: -1 }, now)));
    }
}

//! A token bucket as AWS keeps one for an account: how many calls may go now, and when the next one may.

use std::time::Duration;

use tokio::time::Instant;

/// How much closer together calls may arrive at AWS than they left: connections are made, packets are sent again.
const JITTER: Duration = Duration::from_millis(100);

/// What the rate is taken to be less, since nothing says how AWS counts: 2 %.
const LESS: f64 = 0.98;

/// The most that a bucket of single calls gives up of its rate for [`JITTER`]. With it, gwctl goes at nine tenths of AWS's
/// rates at least.
const MOST_LESS: f64 = 0.93;

/// What a refusal leaves of the pace: others use the account, too.
const SLOWER: f64 = 0.7;

/// The slowest pace: a quarter of the rate. Whoever gets less than that of a quota shares it with others who pace nothing.
const SLOWEST: f64 = 0.25;

/// From a stop back to the whole rate: so many periods, and not less than so long. A retry too early is one call more that
/// AWS refuses; one too late is lost time.
const RECOVERY_PERIODS: f64 = 20.0;
const RECOVERY: Duration = Duration::from_secs(30);

/// A token that lacks a millionth is there: time is whole nanoseconds, of which a hundred calls a second take that part.
const NEARLY: f64 = 1e-6;

/// A bucket. It is full at first: what others used before is not known, and a wrong guess costs one call that AWS refuses,
/// which has no effect, while beginning empty would cost every run a wait.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// Tokens a second at full pace.
    rate: f64,
    /// As many it holds.
    most: f64,
    tokens: f64,
    at: Instant,
    /// The share of the rate at which it fills.
    pace: f64,
    /// When it was slowed down last.
    slowed: Option<Instant>,
    /// When AWS said to come back.
    not_before: Option<Instant>,
}

impl Bucket {
    /// A full bucket for calls that AWS grants at so many a second, and so many at once.
    pub(super) fn new(rate: f64, burst: f64, now: Instant) -> Self {
        // A reserve in the bucket takes up the jitter where there is one; else each call has to keep more distance.
        let jitter = JITTER.as_secs_f64() * rate;
        let (rate, most) = if burst < 2.0 {
            (rate * (1.0 / (1.0 + jitter)).clamp(MOST_LESS, LESS), 1.0)
        } else {
            (rate * LESS, (burst - jitter.max(1.0).ceil()).max(1.0))
        };
        Self { rate, most, tokens: most, at: now, pace: 1.0, slowed: None, not_before: None }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate * self.pace).min(self.most);
        let recovery = (RECOVERY_PERIODS / self.rate).max(RECOVERY.as_secs_f64());
        self.pace = (self.pace + passed / recovery).min(1.0);
        self.at = now;
    }

    /// Whether a call may go now.
    pub(super) fn is_ready(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.not_before.is_none_or(|then| now >= then) && self.tokens + NEARLY >= 1.0
    }

    /// When the next call may go, if no other goes before it.
    pub(super) fn ready_at(&mut self, now: Instant) -> Instant {
        if self.is_ready(now) {
            return now;
        }
        let wait = (1.0 - self.tokens) / (self.rate * self.pace);
        // Timers count milliseconds: a wait of less would end at once, and again.
        let then = now + Duration::from_secs_f64(wait.max(0.001));
        self.not_before.map_or(then, |not_before| then.max(not_before))
    }

    /// A call goes.
    pub(super) fn take(&mut self, now: Instant) {
        self.fill(now);
        self.tokens -= 1.0;
    }

    /// AWS refused a call that went at `went`: somebody else took the tokens. None is left. The next call goes when AWS says, else
    /// after a whole period. Of calls that went together, the first refusal slows down, and the others say the same.
    pub(super) fn refused(&mut self, went: Instant, after: Option<Duration>, now: Instant) {
        self.fill(now);
        let first = self.slowed.is_none_or(|slowed| went >= slowed);
        if first {
            self.pace = (self.pace * SLOWER).max(SLOWEST);
            self.slowed = Some(now);
        }
        self.not_before = self.not_before.max(after.map(|after| now + after));
        let rate = self.rate * self.pace;
        self.tokens = match after {
            Some(after) if first => 1.0 - after.as_secs_f64() * rate,
            Some(after) => self.tokens.min(1.0 - after.as_secs_f64() * rate),
            None => self.tokens.min(0.0),
        };
    }

    /// Whether it is as if nothing had happened.
    pub(super) fn is_untouched(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.pace >= 1.0 && self.tokens + NEARLY >= self.most && self.not_before.is_none_or(|then| now >= then)
    }

    /// Keeps to another rate from now on.
    pub(super) fn limit(&mut self, rate: f64, burst: f64, now: Instant) {
        self.fill(now);
        let Self { rate, most, .. } = Self::new(rate, burst, now);
        (self.rate, self.most, self.tokens) = (rate, most, self.tokens.min(most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many calls take that go as soon as they may.
    fn time(bucket: &mut Bucket, calls: usize, begun: Instant) -> Duration {
        let mut now = begun;
        for _ in 0..calls {
            now = bucket.ready_at(now);
            assert!(bucket.is_ready(now));
            bucket.take(now);
        }
        now - begun
    }

    /// The time that AWS's own bucket asks for at least.
    fn least(rate: f64, burst: f64, calls: usize) -> f64 {
        (f64::from(u32::try_from(calls).unwrap()) - burst).max(0.0) / rate
    }

    #[test]
    fn it_goes_at_nine_tenths_of_the_rate_at_least_and_never_faster() {
        for (rate, burst) in [(0.2, 1.0), (1.0 / 3.0, 1.0), (1.0, 1.0), (1.0 / 30.0, 1.0), (2.5, 5.0), (10.0, 40.0)] {
            let now = Instant::now();
            for calls in [1, 10, 100, 1000] {
                let (took, least) =
                    (time(&mut Bucket::new(rate, burst, now), calls, now).as_secs_f64(), least(rate, burst, calls));
                assert!(took >= least, "{rate}/s: {calls} calls in {took} s");
                // What is kept in reserve for jitter is a wait of its own, once.
                let reserve = (JITTER.as_secs_f64() + 1.0 / rate) * f64::from(u8::from(burst > 1.0));
                assert!(took * 0.9 <= least + reserve, "{rate}/s: {calls} calls in {took} s, not {least} s");
            }
        }
    }

    #[test]
    fn calls_keep_a_distance_that_jitter_can_take_from() {
        let now = Instant::now();
        let mut bucket = Bucket::new(0.2, 1.0, now);
        bucket.take(now);
        let distance = bucket.ready_at(now) - now;
        assert!(distance >= Duration::from_secs(5) + JITTER, "{distance:?}");
    }

    #[test]
    fn a_refusal_empties_it_and_slows_it_down_until_it_recovers() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, 40.0, now);
        bucket.refused(now, None, now);
        let slow = time(&mut bucket, 10, now);
        assert!(slow > Duration::from_millis(1350), "ten calls at 7 a second and slower: {slow:?}");
        assert!(!bucket.is_untouched(now + slow));
        assert!(bucket.is_untouched(now + Duration::from_mins(2)));
        assert_eq!(time(&mut bucket, 39, now + Duration::from_mins(2)), Duration::ZERO);
    }

    #[test]
    fn a_burst_of_refusals_slows_down_once() {
        let now = Instant::now();
        let mut bucket = Bucket::new(1.0, 1.0, now);
        for _ in 0..5 {
            bucket.refused(now, None, now + Duration::from_millis(10));
        }
        assert!((bucket.pace - SLOWER).abs() < 0.01, "{}", bucket.pace);
        for seconds in 1..10 {
            let then = now + Duration::from_secs(seconds);
            bucket.refused(then, None, then);
        }
        assert!((SLOWEST..SLOWEST + 0.05).contains(&bucket.pace), "{}", bucket.pace);
    }

    #[test]
    fn aws_says_when_to_come_back() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, 40.0, now);
        bucket.refused(now, Some(Duration::from_secs(3)), now);
        let wait = bucket.ready_at(now) - now;
        assert!(wait.abs_diff(Duration::from_secs(3)) < Duration::from_millis(2), "{wait:?}");
    }

    #[test]
    fn however_often_it_is_looked_at_nobody_comes_back_too_early() {
        for (rate, burst) in [(10.0, 40.0), (0.2, 1.0)] {
            let now = Instant::now();
            let mut bucket = Bucket::new(rate, burst, now);
            bucket.refused(now, Some(Duration::from_mins(1)), now);
            let first =
                (0..=900).map(|tenths| now + Duration::from_millis(100) * tenths).find(|at| bucket.is_ready(*at));
            assert_eq!(first.unwrap() - now, Duration::from_mins(1), "{rate} a second");
        }
    }

    #[test]
    fn a_stricter_rate_holds_from_now_on() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, 40.0, now);
        bucket.limit(1.0, 1.0, now);
        assert!(time(&mut bucket, 11, now) > Duration::from_secs(10));
    }
}

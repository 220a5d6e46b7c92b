//! Times as the command line writes them: `50ms`, `2s`, `50ms..200ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::draw;
use crate::error::{Failure, FailureKind, Result};

/// The longest time taken. A number that lacks its decimal point would otherwise hang a test for days.
const LONGEST: Duration = Duration::from_hours(1);

/// How long a call takes: always the same, or something between two times, drawn from the seed.
///
/// ```
/// use gwctl::sandbox::conditions::Latency;
/// let latency: Latency = "50ms..200ms".parse().unwrap();
/// assert_eq!(latency.to_string(), "50ms..200ms");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    least: Duration,
    most: Duration,
}

impl Latency {
    /// Always the same.
    #[must_use]
    pub fn fixed(time: Duration) -> Self {
        Self { least: time, most: time }
    }

    /// Something between two times, each as likely as any other.
    #[must_use]
    pub fn between(one: Duration, other: Duration) -> Self {
        Self { least: one.min(other), most: one.max(other) }
    }

    /// The time of one call. The same draw gives the same time.
    pub(super) fn drawn(self, draw: u64) -> Duration {
        let width = self.most.saturating_sub(self.least);
        self.least + width.mul_f64(draw::fraction(draw))
    }
}

impl FromStr for Latency {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let Some((least, most)) = text.split_once("..") else { return duration(text).map(Self::fixed) };
        let (least, most) = (duration(least)?, duration(most)?);
        if least > most {
            return Err(Failure::new(FailureKind::Usage, format!("`{text}` begins with the longer time"))
                .hint("write the shorter time first: `50ms..200ms`"));
        }
        Ok(Self::between(least, most))
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.least)?;
        if self.most > self.least { write!(f, "..{:?}", self.most) } else { Ok(()) }
    }
}

/// Reads a time: a number with the unit `ms` or `s`.
pub(super) fn duration(text: &str) -> Result<Duration> {
    let wrong = |why: &str| {
        Failure::new(FailureKind::Usage, format!("`{text}` is no time: {why}"))
            .hint("write a number with the unit ms or s: `50ms`, `1.5s`")
    };
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(|| wrong("it has no unit"))?, 1.0),
    };
    // `parse` would also take `inf`, `NaN` and `1e9`.
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(wrong("it has no number"));
    }
    let number: f64 = number.parse().map_err(|_| wrong("it has no number"))?;
    match Duration::try_from_secs_f64(number * scale) {
        Ok(time) if time <= LONGEST => Ok(time),
        _ => Err(wrong("it is longer than an hour")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, millis) in [("0ms", 0), ("50ms", 50), ("2s", 2000), ("1.5s", 1500)] {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(millis));
        }
        for (text, written) in [("50ms", "50ms"), ("50ms..0.2s", "50ms..200ms"), ("1s..1s", "1s")] {
            assert_eq!(text.parse::<Latency>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_a_hint() {
        for (text, words) in [
            ("50", "no unit"),
            ("", "no unit"),
            ("ms", "no number"),
            ("infs", "no number"),
            ("-1s", "no number"),
            ("1.2.3s", "no number"),
            ("5m", "no unit"),
            ("3601s", "longer than an hour"),
            ("2s..1s", "longer time"),
            ("1s..", "no unit"),
        ] {
            let failure = text.parse::<Latency>().unwrap_err();
            assert!(failure.to_string().contains(words), "{text}: {failure}");
            assert!(!failure.hints().is_empty());
        }
    }

    #[test]
    fn a_range_is_drawn_from_and_never_left() {
        let latency: Latency = "50ms..200ms".parse().unwrap();
        let drawn: Vec<Duration> = (0..200).map(|n| latency.drawn(draw::of(7, &[&n.to_string()]))).collect();
        assert!(drawn.iter().all(|time| (Duration::from_millis(50)..=Duration::from_millis(200)).contains(time)));
        assert!(drawn.iter().any(|time| *time < Duration::from_millis(80)));
        assert!(drawn.iter().any(|time| *time > Duration::from_millis(170)));
    }
}

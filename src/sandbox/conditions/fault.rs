//! What is to go wrong, as a user writes it: `throttle:CreateDeployment:2`.
//!
//! ```text
//! fault  = ACTION ":" WHICH { ":" HOW }
//! ACTION = throttle | error | deny | slow | cut-before | cut-after | crash-before | crash-after
//! WHICH  = [ SERVICE "." ] ( OPERATION | "*" | "read" | "write" ) [ "#" NUMBERS ]  |  "#" NUMBERS
//! NUMBERS = N | N..M | N..
//! HOW    = COUNT | PERCENT "%" | TIME            (the time of `slow`)
//! ```

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::time::Latency;
use crate::error::{Failure, FailureKind, Result};

/// The grammar in one line, for hints.
const FORM: &str = "write ACTION:WHICH[:HOW], such as `throttle:CreateDeployment:2`, `cut-after:write#17`, \
                    `error:lambda.*:5%` or `slow:PutRestApi:2s`";

/// One thing that is to go wrong, and when.
///
/// ```
/// use gwctl::sandbox::conditions::Fault;
/// let fault: Fault = "throttle:CreateDeployment:2".parse().unwrap();
/// assert_eq!(fault.to_string(), "throttle:CreateDeployment:2");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    text: String,
    pub(super) action: Action,
    which: Which,
    /// Numbers among the calls that `which` selects, the first being 1.
    pub(super) numbers: RangeInclusive<u64>,
    /// At most so many of them.
    pub(super) most: u64,
    /// The share of them, from 0 to 1.
    pub(super) share: f64,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Too many requests; nothing took effect.
    Throttle,
    /// An internal error of the service; nothing took effect.
    Error,
    /// The caller may not; nothing took effect.
    Deny,
    /// The answer takes longer.
    Slow(Latency),
    /// The connection is lost.
    Cut(Moment),
    /// The client dies.
    Crash(Moment),
}

/// On which side of a call's effect something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing took effect.
    Before,
    /// It took effect, and nobody is told.
    After,
}

/// Which calls.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Which {
    service: Option<String>,
    operation: Operation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operation {
    Any,
    Read,
    Write,
    Named(String),
}

impl Fault {
    /// Whether a call is one of those that are meant, its number aside.
    pub(super) fn selects(&self, service: &str, operation: &str, writes: bool) -> bool {
        let Which { service: wanted, operation: kind } = &self.which;
        wanted.as_deref().is_none_or(|wanted| wanted == service)
            && match kind {
                Operation::Any => true,
                Operation::Read => !writes,
                Operation::Write => writes,
                Operation::Named(name) => name == operation,
            }
    }

    /// Reads a file of faults: one a line; empty lines, and what follows a `#` at the start of a line or after a space,
    /// are left out. `name` is the file's, for messages.
    pub fn list(name: &str, text: &str) -> Result<Vec<Self>> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, without_comment(line)));
        let faults = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| {
            line.parse::<Self>().map_err(|failure| failure.context(format!("{name}:{number} is wrong")))
        });
        faults.collect()
    }
}

/// A `#` that begins a word begins a comment, unless a number of calls follows: `cut-before:#17` has one inside a word.
fn without_comment(line: &str) -> &str {
    let start = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| line[..*at].is_empty() || line[..*at].ends_with([' ', '\t']));
    start.map_or(line, |at| &line[..at]).trim()
}

impl FromStr for Fault {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| Failure::new(FailureKind::Usage, format!("`{text}` is no fault: {why}")).hint(FORM);
        let mut parts = text.split(':');
        let action = parts.next().unwrap_or_default();
        let Some(which) = parts.next() else { return Err(wrong("it does not say which calls".to_owned())) };
        let (which, numbers) = parse_which(which).map_err(wrong)?;
        let mut how = How::default();
        for part in parts {
            how.take(part).map_err(wrong)?;
        }
        let action = parse_action(action, how.time).map_err(wrong)?;
        Ok(Self {
            text: text.to_owned(),
            action,
            which,
            numbers,
            most: how.count.unwrap_or(u64::MAX),
            share: how.share.unwrap_or(1.0),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_action(name: &str, time: Option<Latency>) -> Result<Action, String> {
    let action = match name {
        "throttle" => Action::Throttle,
        "error" => Action::Error,
        "deny" => Action::Deny,
        "slow" => return time.map(Action::Slow).ok_or_else(|| "`slow` needs a time, such as `2s`".to_owned()),
        "cut-before" => Action::Cut(Moment::Before),
        "cut-after" => Action::Cut(Moment::After),
        "crash-before" => Action::Crash(Moment::Before),
        "crash-after" => Action::Crash(Moment::After),
        other => {
            return Err(format!(
                "`{other}` is none of throttle, error, deny, slow, cut-before, cut-after, crash-before and crash-after"
            ));
        }
    };
    if time.is_some() { Err(format!("only `slow` takes a time, `{name}` does not")) } else { Ok(action) }
}

fn parse_which(text: &str) -> Result<(Which, RangeInclusive<u64>), String> {
    let (name, numbers) = match text.split_once('#') {
        Some((name, numbers)) => (name, parse_numbers(numbers)?),
        None => (text, 1..=u64::MAX),
    };
    let (service, operation) = match name.split_once('.') {
        Some((service, operation)) => (Some(service), operation),
        None => (None, name),
    };
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if let Some(service) = service.filter(|service| service.is_empty() || !service.bytes().all(lower)) {
        return Err(format!("`{service}` is no service; one looks like `apigateway` or `lambda`"));
    }
    let operation = match operation {
        "*" => Operation::Any,
        "" if name.is_empty() && text.starts_with('#') => Operation::Any,
        "read" => Operation::Read,
        "write" => Operation::Write,
        named
            if named.starts_with(|first: char| first.is_ascii_uppercase())
                && named.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            Operation::Named(named.to_owned())
        }
        other => {
            return Err(format!(
                "`{other}` is no operation; one looks like `CreateRole`, and `*`, `read` and `write` mean many"
            ));
        }
    };
    Ok((Which { service: service.map(str::to_owned), operation }, numbers))
}

fn parse_numbers(text: &str) -> Result<RangeInclusive<u64>, String> {
    let number = |digits: &str| match digits.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`#{text}` is no number of calls; write `#17`, `#5..9` or `#5..`, the first call being 1")),
    };
    match text.split_once("..") {
        None => number(text).map(|one| one..=one),
        Some((first, "")) => Ok(number(first)?..=u64::MAX),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last { Err(format!("`#{text}` begins with the larger number")) } else { Ok(first..=last) }
        }
    }
}

/// What follows the calls.
#[derive(Default)]
struct How {
    count: Option<u64>,
    share: Option<f64>,
    time: Option<Latency>,
}

impl How {
    fn take(&mut self, part: &str) -> Result<(), String> {
        let twice = if let Some(percent) = part.strip_suffix('%') {
            let percent = percent.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent));
            let percent =
                percent.ok_or_else(|| format!("`{part}` is no share; one looks like `5%`, and is at most 100%"))?;
            self.share.replace(percent / 100.0).is_some()
        } else if part.ends_with('s') {
            let time: Latency = part.parse().map_err(|failure: Failure| failure.to_string())?;
            self.time.replace(time).is_some()
        } else {
            let count = part.parse::<u64>().ok().filter(|count| *count > 0);
            let count =
                count.ok_or_else(|| format!("`{part}` is no count (`2`), no share (`5%`) and no time (`2s`)"))?;
            self.count.replace(count).is_some()
        };
        if twice { Err(format!("`{part}` says a second time how often or how long")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        text.parse().unwrap_or_else(|failure| panic!("{failure}"))
    }

    #[test]
    fn calls_are_selected_by_service_operation_and_effect() {
        for (text, service, operation, writes, selected) in [
            ("error:PutRestApi", "apigateway", "PutRestApi", true, true),
            ("error:PutRestApi", "apigateway", "CreateRestApi", true, false),
            ("error:lambda.TagResource", "lambda", "TagResource", true, true),
            ("error:lambda.TagResource", "logs", "TagResource", true, false),
            ("error:lambda.*", "lambda", "GetFunction", false, true),
            ("error:*", "iam", "GetRole", false, true),
            ("error:#3", "iam", "GetRole", false, true),
            ("error:write", "iam", "GetRole", false, false),
            ("error:iam.write", "iam", "CreateRole", true, true),
            ("error:read", "iam", "GetRole", false, true),
        ] {
            assert_eq!(fault(text).selects(service, operation, writes), selected, "{text}");
        }
    }

    #[test]
    fn numbers_counts_shares_and_times_are_read() {
        assert_eq!(fault("cut-before:#17").numbers, 17..=17);
        assert_eq!(fault("cut-before:write#5..9").numbers, 5..=9);
        assert_eq!(fault("cut-before:CreateRole#5..").numbers, 5..=u64::MAX);
        assert_eq!(fault("throttle:CreateDeployment:2").most, 2);
        assert!((fault("throttle:*:5%").share - 0.05).abs() < 1e-9);
        let slow = fault("slow:PutRestApi#2..:1s..2s:50%:3");
        assert_eq!(slow.action, Action::Slow("1s..2s".parse().unwrap()));
        assert_eq!((slow.most, slow.numbers), (3, 2..=u64::MAX));
        assert_eq!(fault("crash-after:#1").action, Action::Crash(Moment::After));
    }

    #[test]
    fn what_is_no_fault_is_refused_with_what_to_write() {
        for (text, words) in [
            ("throtle:*", "`throtle` is none of throttle, error"),
            ("throttle", "which calls"),
            ("throttle:", "`` is no operation"),
            ("throttle:createRole", "`createRole` is no operation"),
            ("throttle:Create Role", "no operation"),
            ("throttle:lambda.", "`` is no operation"),
            ("throttle:Lambda.CreateFunction", "`Lambda` is no service"),
            ("throttle:.CreateFunction", "`` is no service"),
            ("throttle:CreateRole#0", "#0"),
            ("throttle:CreateRole#x", "#x"),
            ("throttle:CreateRole#9..5", "larger number"),
            ("throttle:CreateRole:0", "no count"),
            ("throttle:CreateRole:101%", "no share"),
            ("throttle:CreateRole:2:3", "second time"),
            ("throttle:CreateRole:2s", "only `slow` takes a time"),
            ("slow:CreateRole", "needs a time"),
            ("slow:CreateRole:fives", "no number"),
        ] {
            let failure = text.parse::<Fault>().unwrap_err();
            assert!(failure.to_string().contains(words), "{text}: {failure}");
            assert!(failure.hints()[0].contains("ACTION:WHICH"), "{text}");
        }
    }

    #[test]
    fn a_file_has_one_a_line_and_names_the_line_that_is_wrong() {
        let text = "# a bad day\n\n  throttle:CreateDeployment:2   # twice\ncut-before:#17\n";
        let faults: Vec<String> = Fault::list("bad-day", text).unwrap().iter().map(Fault::to_string).collect();
        assert_eq!(faults, ["throttle:CreateDeployment:2", "cut-before:#17"]);
        let failure = Fault::list("bad-day", "error:*\n\nerror\n").unwrap_err();
        assert!(failure.to_string().starts_with("bad-day:3 is wrong: `error` is no fault"), "{failure}");
        assert!(!failure.hints().is_empty());
    }
}

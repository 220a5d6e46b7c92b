//! Statements, compiled, and whether they hold.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ipnet::IpNet;
use regex::bytes::RegexSet;

use super::field::{Field, arguments, cookies};
use super::transform::{self, Step};
use super::{COUNTRY, Home, Run, Subject};
use crate::sandbox::wafv2::rules::{
    Aggregate, Comparison, CustomKey, Fallback, Forwarded, LabelScope, Place, Position, RateBased, Statement,
};

/// Addresses of a header that are looked at, at most (API reference, `IPSetForwardedIPConfig`).
const ADDRESSES: usize = 10;

/// Whether something holds; what is not known stays not known when it is turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A compiled statement.
#[derive(Debug)]
pub(super) enum Test {
    Always,
    /// Can't be told here; the note says why.
    Unknown(String),
    Part {
        field: Field,
        steps: Vec<Step>,
        what: What,
        /// Said when the part can't be read.
        note: String,
    },
    Address {
        ranges: Vec<IpNet>,
        header: Option<Header>,
    },
    Country {
        codes: Vec<String>,
        note: String,
    },
    Label {
        scope: LabelScope,
        key: String,
        /// With the prefix of the web ACL or rule group that the statement stands in.
        own: String,
    },
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Rate(Box<Rate>),
}

/// What is looked for in a part of a request.
#[derive(Debug)]
pub(super) enum What {
    Bytes(Vec<u8>, Position),
    Size(Comparison, u64),
    Pattern(RegexSet),
}

/// A header with addresses.
#[derive(Debug)]
pub(super) struct Header {
    name: String,
    fallback: Fallback,
    place: Place,
}

/// Too many requests.
#[derive(Debug)]
pub(super) struct Rate {
    id: u64,
    limit: u64,
    window: u64,
    scope_down: Option<Test>,
    header: Option<Header>,
    key: Key,
    note: String,
}

/// What requests are counted together.
#[derive(Debug)]
enum Key {
    Everything,
    Address,
    Forwarded,
    Custom(Vec<(CustomKey, Vec<Step>)>),
}

impl Test {
    pub(super) fn compile(statement: &Statement, home: &Home<'_>, rule: &str) -> Self {
        let unknown = |what: &str| Self::Unknown(format!("rule `{rule}`: {what}, so it never matches here"));
        if let Some((field, list)) = statement.field() {
            let steps = match transform::steps(list) {
                Ok(steps) => steps,
                Err(kind) => return unknown(&format!("the transformation {kind} is not done in the sandbox")),
            };
            let what = match What::compile(statement, home) {
                Ok(what) => what,
                Err(why) => return unknown(why),
            };
            let note = format!("rule `{rule}`: the body is no JSON, so it does not match here");
            return match Field::compile(field, home.body_limit) {
                Some(field) => Self::Part { field, steps, what, note },
                None => unknown("it looks at nothing"),
            };
        }
        if let Some(set) = &statement.ip_set_reference_statement {
            let Some(found) = home.state.ip_set(&set.arn) else { return unknown("its IP set does not exist") };
            let ranges = found.body.addresses.iter().filter_map(|text| text.parse().ok()).collect();
            let header = set.forwarded.as_ref().map(|one| Header {
                name: one.header_name.to_ascii_lowercase(),
                fallback: one.fallback_behavior,
                place: one.position,
            });
            return Self::Address { ranges, header };
        }
        if let Some(geo) = &statement.geo_match_statement {
            let note = format!("rule `{rule}`: the country is not known without the header {COUNTRY}");
            return Self::Country { codes: geo.country_codes.clone(), note };
        }
        if let Some(label) = &statement.label_match_statement {
            let own = format!("{}{}", home.namespace, label.key);
            return Self::Label { scope: label.scope, key: label.key.clone(), own };
        }
        let all = |list: &[Statement]| list.iter().map(|inner| Self::compile(inner, home, rule)).collect();
        if let Some(nested) = &statement.and_statement {
            return Self::All(all(&nested.statements));
        }
        if let Some(nested) = &statement.or_statement {
            return Self::Any(all(&nested.statements));
        }
        if let Some(not) = &statement.not_statement {
            return Self::Not(Box::new(Self::compile(&not.statement, home, rule)));
        }
        if let Some(rate) = &statement.rate_based_statement {
            return Rate::compile(rate, home, rule).map_or_else(
                |kind| unknown(&format!("the transformation {kind} is not done in the sandbox")),
                |rate| Self::Rate(Box::new(rate)),
            );
        }
        if let Some(group) = &statement.managed_rule_group_statement {
            return unknown(&format!("the rules of {} {} are not public", group.vendor_name, group.name));
        }
        unknown("the network of an address is not known")
    }

    /// Whether the statement holds.
    pub(super) fn holds(&self, run: &mut Run<'_>, rule: &str) -> Truth {
        match self {
            Self::Always => Truth::Yes,
            Self::Unknown(note) => run.unknown(note),
            Self::Part { field, steps, what, note } => {
                let found = field.any(run.subject, &mut |text| what.is_in(&transform::apply(steps, text)));
                if found == Truth::Unknown { run.unknown(note) } else { found }
            }
            Self::Address { ranges, header } => {
                let inside = |address: &IpAddr| ranges.iter().any(|range| range.contains(address));
                Truth::from(match header {
                    None => inside(&run.subject.source_ip.to_canonical()),
                    Some(header) => header.any(run.subject, inside),
                })
            }
            Self::Country { codes, note } => {
                let country = run.subject.headers.get(COUNTRY).and_then(|code| code.to_str().ok());
                let Some(country) = country else { return run.unknown(note) };
                let label = format!("awswaf:clientip:geo:country:{country}");
                if !run.labels.contains(&label) {
                    // A geo statement labels whether it matches or not (developer guide, "Geographic match").
                    run.labels.push(label);
                }
                Truth::from(codes.iter().any(|code| code == country))
            }
            Self::Label { scope, key, own } => Truth::from(run.labels.iter().any(|label| match scope {
                LabelScope::Label => label == key || label == own,
                LabelScope::Namespace => label.starts_with(key) || label.starts_with(own),
            })),
            Self::All(tests) => fold(tests, run, rule, Truth::No),
            Self::Any(tests) => fold(tests, run, rule, Truth::Yes),
            Self::Not(test) => match test.holds(run, rule) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
            },
            Self::Rate(rate) => rate.holds(run, rule),
        }
    }
}

/// `and` and `or`: the one answer that decides at once, otherwise what is not known, otherwise the opposite.
fn fold(tests: &[Test], run: &mut Run<'_>, rule: &str, decides: Truth) -> Truth {
    let mut otherwise = if decides == Truth::Yes { Truth::No } else { Truth::Yes };
    for test in tests {
        match test.holds(run, rule) {
            truth if truth == decides => return decides,
            Truth::Unknown => otherwise = Truth::Unknown,
            _ => {}
        }
    }
    otherwise
}

impl Run<'_> {
    fn unknown(&mut self, note: &str) -> Truth {
        if !self.notes.iter().any(|one| one == note) {
            self.notes.push(note.to_owned());
        }
        Truth::Unknown
    }
}

impl What {
    fn compile(statement: &Statement, home: &Home<'_>) -> Result<Self, &'static str> {
        if let Some(byte) = &statement.byte_match_statement {
            let text = BASE64.decode(&byte.search_string).map_err(|_| "its string is no base64")?;
            return Ok(Self::Bytes(text, byte.positional_constraint));
        }
        if let Some(size) = &statement.size_constraint_statement {
            return Ok(Self::Size(size.comparison_operator, size.size));
        }
        let patterns: Vec<&str> = if let Some(regex) = &statement.regex_match_statement {
            vec![&regex.regex_string]
        } else if let Some(set) = &statement.regex_pattern_set_reference_statement {
            let found = home.state.regex_pattern_set(&set.arn).ok_or("its regex pattern set does not exist")?;
            found.body.regular_expression_list.iter().map(|pattern| pattern.regex_string.as_str()).collect()
        } else if statement.sqli_match_statement.is_some() {
            return Err("the search for SQL is AWS's own");
        } else {
            return Err("the search for scripts is AWS's own");
        };
        RegexSet::new(patterns).map(Self::Pattern).map_err(|_| "its pattern can't be compiled")
    }

    fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Bytes(wanted, Position::Exactly) => text == wanted.as_slice(),
            Self::Bytes(wanted, Position::StartsWith) => text.starts_with(wanted),
            Self::Bytes(wanted, Position::EndsWith) => text.ends_with(wanted),
            Self::Bytes(wanted, Position::Contains) => places(text, wanted).next().is_some(),
            Self::Bytes(wanted, Position::ContainsWord) => {
                let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
                let before = |at: usize| at.checked_sub(1).and_then(|at| text.get(at));
                places(text, wanted).any(|at| !word(before(at)) && !word(text.get(at + wanted.len())))
            }
            Self::Size(comparison, size) => {
                let length = text.len() as u64;
                match comparison {
                    Comparison::Eq => length == *size,
                    Comparison::Ne => length != *size,
                    Comparison::Le => length <= *size,
                    Comparison::Lt => length < *size,
                    Comparison::Ge => length >= *size,
                    Comparison::Gt => length > *size,
                }
            }
            Self::Pattern(set) => set.is_match(text),
        }
    }
}

/// Where a text contains another.
fn places<'a>(text: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    text.windows(wanted.len().max(1)).enumerate().filter(move |(_, part)| *part == wanted).map(|(at, _)| at)
}

impl Header {
    fn first(config: &Forwarded) -> Self {
        let name = config.header_name.to_ascii_lowercase();
        Self { name, fallback: config.fallback_behavior, place: Place::First }
    }

    /// Whether one of the addresses that count passes a test. Without the header the statement does not apply; a text
    /// that is no address means what the fallback says (API reference).
    fn any(&self, subject: &Subject<'_>, test: impl Fn(&IpAddr) -> bool) -> bool {
        let Some(line) = subject.headers.get(&self.name).and_then(|line| line.to_str().ok()) else { return false };
        let parse = |text: &str| text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical());
        let check = |text: &str| parse(text).map_or(self.fallback == Fallback::Match, |address| test(&address));
        match self.place {
            Place::First => line.split(',').next().is_some_and(check),
            Place::Last => line.rsplit(',').next().is_some_and(check),
            // Of more than ten, the last ten count.
            Place::Any => line.rsplit(',').take(ADDRESSES).any(check),
        }
    }

    /// The first address, or what a header that has none means.
    fn address(&self, subject: &Subject<'_>) -> Option<Result<IpAddr, Fallback>> {
        let line = subject.headers.get(&self.name)?.to_str().ok()?;
        let first = line.split(',').next().unwrap_or_default().trim();
        Some(first.parse().map_err(|_| self.fallback))
    }
}

impl Rate {
    fn compile<'s>(rate: &'s RateBased, home: &Home<'_>, rule: &str) -> Result<Self, &'s str> {
        let mut hasher = DefaultHasher::new();
        // "If you change any of these settings … the change resets the rule's rate limiting counts" (API reference).
        (&home.identity, rule, serde_json::to_string(rate).unwrap_or_default()).hash(&mut hasher);
        let key = match rate.aggregate_key_type {
            Aggregate::Ip => Key::Address,
            Aggregate::ForwardedIp => Key::Forwarded,
            Aggregate::Constant => Key::Everything,
            Aggregate::CustomKeys => {
                let with_steps = |key: &'s CustomKey| {
                    let named = [&key.header, &key.cookie, &key.query_argument].into_iter().flatten();
                    let plain = [&key.query_string, &key.uri_path].into_iter().flatten();
                    let named = named.map(|key| &key.text_transformations);
                    let list = named.chain(plain.map(|key| &key.text_transformations)).next();
                    let steps = list.map_or(Ok(Vec::new()), |list| transform::steps(list))?;
                    Ok((key.clone(), steps))
                };
                Key::Custom(rate.custom_keys.iter().map(with_steps).collect::<Result<_, &str>>()?)
            }
        };
        Ok(Self {
            id: hasher.finish(),
            limit: rate.limit,
            window: rate.evaluation_window_sec,
            scope_down: rate.scope_down_statement.as_ref().map(|inner| Test::compile(inner, home, rule)),
            header: rate.forwarded.as_ref().map(Header::first),
            key,
            note: format!(
                "rule `{rule}` would act on what comes after {} requests in {} s from {}; nothing is counted here",
                rate.limit,
                rate.evaluation_window_sec,
                match rate.aggregate_key_type {
                    Aggregate::Ip => "one address",
                    Aggregate::ForwardedIp => "one forwarded address",
                    Aggregate::Constant => "all together",
                    Aggregate::CustomKeys => "requests with the same keys",
                }
            ),
        })
    }

    fn holds(&self, run: &mut Run<'_>, rule: &str) -> Truth {
        let inside = self.scope_down.as_ref().map_or(Truth::Yes, |test| test.holds(run, rule));
        if inside != Truth::Yes {
            return inside;
        }
        let key = match self.key_of(run) {
            Ok(Some(key)) => key,
            Ok(None) => return Truth::No,
            Err(fallback) => return Truth::from(fallback == Fallback::Match),
        };
        let Some(counters) = run.counters else { return run.unknown(&self.note) };
        Truth::from(counters.count(self.id, &key, run.now, self.window).is_some_and(|count| count > self.limit))
    }

    /// What the request is counted by; a request without one of the keys is not counted (developer guide, "Aggregating
    /// rate-based rules").
    fn key_of(&self, run: &Run<'_>) -> Result<Option<String>, Fallback> {
        let forwarded = || -> Result<Option<String>, Fallback> {
            let address = self.header.as_ref().and_then(|header| header.address(run.subject)).transpose()?;
            Ok(address.map(|address| address.to_string()))
        };
        let keys = match &self.key {
            Key::Everything => return Ok(Some(String::new())),
            Key::Address => return Ok(Some(run.subject.source_ip.to_canonical().to_string())),
            Key::Forwarded => return forwarded(),
            Key::Custom(keys) => keys,
        };
        let mut whole = String::new();
        for (key, steps) in keys {
            let part = if key.forwarded_ip.is_some() { forwarded()? } else { part_of(key, steps, run) };
            let Some(part) = part else { return Ok(None) };
            // Lengths keep `a` + `bc` and `ab` + `c` apart.
            whole.push_str(&format!("{}:{part}", part.len()));
        }
        Ok(Some(whole))
    }
}

fn part_of(key: &CustomKey, steps: &[Step], run: &Run<'_>) -> Option<String> {
    let subject = run.subject;
    let text = |bytes: &[u8]| String::from_utf8_lossy(&transform::apply(steps, bytes.into())).into_owned();
    if let Some(header) = &key.header {
        return subject.headers.get(header.name.as_str()).map(|value| text(value.as_bytes()));
    }
    if let Some(wanted) = &key.cookie {
        return cookies(subject).find(|(name, _)| *name == wanted.name).map(|(_, value)| text(value.as_bytes()));
    }
    if let Some(wanted) = &key.query_argument {
        let mut all = arguments(subject.query);
        return all.find(|(name, _)| name.eq_ignore_ascii_case(&wanted.name)).map(|(_, value)| text(value.as_bytes()));
    }
    if let Some(wanted) = &key.label_namespace {
        let labels = run.labels.iter().filter(|label| label.contains(&wanted.namespace));
        return labels.map(String::as_str).reduce(|one, _| one).map(str::to_owned);
    }
    if key.query_string.is_some() {
        return Some(text(subject.query.as_bytes()));
    }
    if key.uri_path.is_some() {
        return Some(text(subject.path.as_bytes()));
    }
    if key.method.is_some() {
        return Some(subject.method.to_owned());
    }
    Some(subject.source_ip.to_canonical().to_string())
}

//! Statements, compiled, and whether they hold.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ipnet::IpNet;
use regex::bytes::RegexSet;

use super::field::Field;
use super::forwarded::Header;
use super::limit::Rate;
use super::transform::{self, Step};
use super::{COUNTRY, Home, Run};
use crate::sandbox::wafv2::rules::{Comparison, FieldToMatch, LabelScope, Position, Statement, Transformation};

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

impl Test {
    pub(super) fn compile(statement: &Statement, home: &Home<'_>, rule: &str) -> Self {
        let unknown = |what: &str| Self::Unknown(format!("rule `{rule}`: {what}, so it never matches here"));
        if let Some((field, list)) = statement.field() {
            return Self::part(statement, field, list, home, rule).unwrap_or_else(|why| unknown(&why));
        }
        if let Some(set) = &statement.ip_set_reference_statement {
            let Some(found) = home.state.ip_set(&set.arn) else { return unknown("its IP set does not exist") };
            let ranges = found.body.addresses.iter().filter_map(|text| text.parse().ok()).collect();
            let header = set.forwarded.as_ref().map(Header::new);
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
            let compiled = Rate::compile(rate, home, rule).map(|rate| Self::Rate(Box::new(rate)));
            return compiled.unwrap_or_else(|kind| unknown(&undone(kind)));
        }
        if let Some(group) = &statement.managed_rule_group_statement {
            return unknown(&format!("the rules of {} {} are not public", group.vendor_name, group.name));
        }
        unknown("the network of an address is not known")
    }

    /// Compiles a statement that looks at a part of the request, or tells why it can't be.
    fn part(
        statement: &Statement,
        field: &FieldToMatch,
        list: &[Transformation],
        home: &Home<'_>,
        rule: &str,
    ) -> Result<Self, String> {
        let steps = transform::steps(list).map_err(undone)?;
        let what = What::compile(statement, home)?;
        let field = Field::compile(field, home.body_limit).ok_or("it looks at nothing")?;
        let note = format!("rule `{rule}`: the body is no JSON, so it does not match here");
        Ok(Self::Part { field, steps, what, note })
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

/// Why a statement with a transformation is not evaluated.
fn undone(kind: &str) -> String {
    format!("the transformation {kind} is not done in the sandbox")
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
    pub(super) fn unknown(&mut self, note: &str) -> Truth {
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

//! Conditions: an operator, a key and the values it is compared with (IAM user guide, "Condition operators").
//!
//! The values of one key are alternatives; of a negated operator none of them may match. A key that the request does not
//! have makes a condition false, a negated one true.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::general_purpose::STANDARD_NO_PAD as UNPADDED;
use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value;
use std::net::IpAddr;

use super::glob::{Glob, Reading};
use super::keys::Keys;

/// The operators that turn another one round.
const NEGATED: [(&str, &str); 8] = [
    ("StringNotEquals", "StringEquals"),
    ("StringNotEqualsIgnoreCase", "StringEqualsIgnoreCase"),
    ("StringNotLike", "StringLike"),
    ("NumericNotEquals", "NumericEquals"),
    ("DateNotEquals", "DateEquals"),
    ("NotIpAddress", "IpAddress"),
    ("ArnNotEquals", "ArnEquals"),
    ("ArnNotLike", "ArnLike"),
];

/// One condition, compiled.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// The condition key in lower case.
    key: String,
    set: Set,
    if_exists: bool,
    negated: bool,
    test: Test,
}

/// How several values of the request count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// No set operator. The guide wants one for keys of several values and says nothing of what happens without; here one
    /// matching value is enough, and a negated operator is the opposite of the plain one.
    Single,
    Any,
    All,
}

#[derive(Debug, Clone)]
enum Test {
    Text(Vec<Glob>),
    Number(Order, Vec<f64>),
    Date(Order, Vec<Timestamp>),
    Bool(Vec<Glob>),
    Binary(Vec<Vec<u8>>),
    Ip(Vec<IpNet>),
    /// Whether the key has to be absent; both is a condition that always holds.
    Null(Vec<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Condition {
    /// Compiles `{operator: {key: values}}`.
    pub(super) fn new(operator: &str, key: &str, values: &Value, variables: bool) -> Result<Self, String> {
        let (set, rest) = match operator.split_once(':') {
            None => (Set::Single, operator),
            Some(("ForAnyValue", rest)) => (Set::Any, rest),
            Some(("ForAllValues", rest)) => (Set::All, rest),
            Some(_) => return Err(format!("`{operator}` is no condition operator")),
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let texts = texts(values).ok_or_else(|| format!("the values of `{operator}` are no strings"))?;
        let (plain, negated) =
            NEGATED.iter().find(|(not, _)| *not == name).map_or((name, false), |(_, is)| (*is, true));
        let test = Test::new(plain, &texts, variables)
            .map_err(|why| why.unwrap_or_else(|| format!("`{operator}` is no condition operator")))?;
        if matches!(test, Test::Null(_)) && (if_exists || set != Set::Single) {
            return Err(format!("`{operator}` is no condition operator"));
        }
        Ok(Self { key: key.to_ascii_lowercase(), set, if_exists, negated, test })
    }

    /// Whether the request meets the condition.
    pub(super) fn holds(&self, keys: &dyn Keys) -> bool {
        let values = keys.values(&self.key);
        let absent = matches!(values, super::keys::Values::Absent);
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&absent);
        }
        if absent && self.if_exists {
            return true;
        }
        let values = values.as_slice();
        let is_met = |value: &str| self.test.matches(value, keys) != self.negated;
        match self.set {
            Set::Single => values.iter().any(|value| self.test.matches(value, keys)) != self.negated,
            Set::Any => values.iter().any(|value| is_met(value)),
            // True without any value too, which the guide warns of.
            Set::All => values.iter().all(|value| is_met(value)),
        }
    }
}

impl Test {
    /// A test by the name of its operator without negation; `Err(None)` is an unknown one.
    fn new(name: &str, texts: &[String], variables: bool) -> Result<Self, Option<String>> {
        let globs = |reading: Reading| -> Result<Vec<Glob>, Option<String>> {
            let compile = |text: &String| Glob::new(text, reading, variables).map_err(Some);
            texts.iter().map(compile).collect()
        };
        let test = match name {
            "StringEquals" => Self::Text(globs(Reading::Plain)?),
            "StringEqualsIgnoreCase" => Self::Text(globs(Reading::PlainAnyCase)?),
            "StringLike" => Self::Text(globs(Reading::Text)?),
            // "ArnEquals and ArnLike behave identically" (IAM user guide, "ARN condition operators").
            "ArnEquals" | "ArnLike" => Self::Text(globs(Reading::Parts)?),
            "Bool" => Self::Bool(globs(Reading::PlainAnyCase)?),
            "BinaryEquals" => Self::Binary(all(texts, "base64", binary)?),
            "IpAddress" => Self::Ip(all(texts, "IP address or range", range)?),
            "Null" => Self::Null(all(texts, "boolean", |text| text.to_ascii_lowercase().parse().ok())?),
            _ => match (order(name, "Numeric"), order(name, "Date")) {
                (Some(order), _) => Self::Number(order, all(texts, "number", number)?),
                (_, Some(order)) => Self::Date(order, all(texts, "date", date)?),
                _ => return Err(None),
            },
        };
        Ok(test)
    }

    /// Whether one value of the request matches one of the policy's. A value of another kind matches none.
    fn matches(&self, value: &str, keys: &dyn Keys) -> bool {
        match self {
            Self::Text(globs) | Self::Bool(globs) => globs.iter().any(|glob| glob.matches(value, keys)),
            Self::Number(order, wanted) => {
                number(value).is_some_and(|value| wanted.iter().any(|wanted| order.holds(&value, wanted)))
            }
            Self::Date(order, wanted) => {
                date(value).is_some_and(|value| wanted.iter().any(|wanted| order.holds(&value, wanted)))
            }
            Self::Binary(wanted) => binary(value).is_some_and(|value| wanted.contains(&value)),
            Self::Ip(ranges) => address(value).is_some_and(|value| ranges.iter().any(|range| range.contains(&value))),
            Self::Null(_) => false,
        }
    }
}

impl Order {
    fn holds<T: PartialOrd>(self, value: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => value == wanted,
            Self::Less => value < wanted,
            Self::LessEqual => value <= wanted,
            Self::Greater => value > wanted,
            Self::GreaterEqual => value >= wanted,
        }
    }
}

fn order(name: &str, kind: &str) -> Option<Order> {
    Some(match name.strip_prefix(kind)? {
        "Equals" => Order::Equal,
        "LessThan" => Order::Less,
        "LessThanEquals" => Order::LessEqual,
        "GreaterThan" => Order::Greater,
        "GreaterThanEquals" => Order::GreaterEqual,
        _ => return None,
    })
}

/// The values in a condition: one or several, each a string, a number or a boolean.
fn texts(values: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match values {
        Value::Array(values) => values.iter().map(text).collect(),
        one => text(one).map(|one| vec![one]),
    }
}

fn all<T>(texts: &[String], what: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Option<String>> {
    texts.iter().map(|text| parse(text).ok_or_else(|| Some(format!("`{text}` is no {what}")))).collect()
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn binary(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).or_else(|_| UNPADDED.decode(text)).ok()
}

fn range(text: &str) -> Option<IpNet> {
    if text.contains('/') { text.parse().ok() } else { address(text).map(IpNet::from) }
}

/// An address; an IPv4 address in the dress of IPv6 is what it is.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// A time: ISO 8601, down to the day, or seconds since the epoch.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let local = text.strip_suffix('Z').unwrap_or(text);
    let midnight = if local.contains('T') { local.to_owned() } else { format!("{local}T00:00:00") };
    let time: jiff::civil::DateTime = midnight.parse().ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::keys::Pairs;
    use super::*;

    #[track_caller]
    fn holds(operator: &str, key: &str, wanted: &Value, has: &[(&str, &str)]) -> bool {
        Condition::new(operator, key, wanted, true).unwrap().holds(&Pairs(has.to_vec()))
    }

    #[test]
    fn each_kind_compares_in_its_own_way() {
        for (operator, wanted, value, expected) in [
            ("StringEquals", json!(["b", "a"]), "a", true),
            ("StringEquals", json!("a*"), "ab", false),
            ("StringNotEquals", json!(["b", "a"]), "a", false),
            ("StringNotEquals", json!(["b", "a"]), "c", true),
            ("StringEqualsIgnoreCase", json!("AbC"), "aBc", true),
            ("StringNotEqualsIgnoreCase", json!("AbC"), "aBc", false),
            ("StringLike", json!("a?c*"), "abcd", true),
            ("StringNotLike", json!("a?c*"), "abcd", false),
            ("NumericEquals", json!("10"), "10.0", true),
            ("NumericNotEquals", json!(10), "10.0", false),
            ("NumericLessThan", json!("10"), "9.5", true),
            ("NumericLessThanEquals", json!("10"), "10", true),
            ("NumericGreaterThan", json!("10"), "10", false),
            ("NumericGreaterThanEquals", json!(["10", "5"]), "7", true),
            ("NumericLessThan", json!("10"), "few", false),
            ("DateLessThan", json!("2026-01-01T00:00:00Z"), "2025-12-31T23:59:59Z", true),
            ("DateLessThan", json!("2026-01-01"), "2026-01-01T01:00:00+02:00", true),
            ("DateGreaterThan", json!("2026-01-01T00:00Z"), "1767225601", true),
            ("DateEquals", json!("1767225600"), "2026-01-01T00:00:00Z", true),
            ("DateNotEquals", json!("1767225600"), "2026-01-01T00:00:00Z", false),
            ("Bool", json!(true), "true", true),
            ("Bool", json!("false"), "true", false),
            ("BinaryEquals", json!("QmluYXJ5"), "QmluYXJ5", true),
            ("BinaryEquals", json!("QmluYXJ5"), "qMLUyxj5", false),
            ("IpAddress", json!(["10.0.0.0/8", "2001:db8::/32"]), "10.1.2.3", true),
            ("IpAddress", json!(["10.0.0.0/8", "2001:db8::/32"]), "2001:db8::1", true),
            ("IpAddress", json!("203.0.113.7"), "203.0.113.8", false),
            ("IpAddress", json!("203.0.113.7"), "::ffff:203.0.113.7", true),
            ("NotIpAddress", json!(["10.0.0.0/8", "192.168.0.0/16"]), "192.168.1.1", false),
            ("NotIpAddress", json!(["10.0.0.0/8", "192.168.0.0/16"]), "203.0.113.7", true),
            ("ArnEquals", json!("arn:aws:iam::*:role/a*"), "arn:aws:iam::123456789012:role/ab", true),
            ("ArnLike", json!("arn:aws:iam::*:role/a"), "arn:aws:iam::1:x:role/a", false),
            ("ArnNotLike", json!("arn:aws:iam::*:role/a"), "arn:aws:iam::1:role/a", false),
            ("StringEquals", json!("${aws:username}!"), "me!", true),
        ] {
            let has = [("aws:key", value), ("aws:username", "me")];
            assert_eq!(holds(operator, "aws:Key", &wanted, &has), expected, "{operator} {wanted} {value}");
        }
    }

    #[test]
    fn an_absent_key_is_no_match_and_a_negated_operator_is_glad_of_it() {
        for (operator, wanted, expected) in [
            ("StringEquals", "a", false),
            ("StringNotEquals", "a", true),
            ("NotIpAddress", "10.0.0.0/8", true),
            ("IpAddressIfExists", "10.0.0.0/8", true),
            ("StringNotLikeIfExists", "a", true),
            ("ForAnyValue:StringEquals", "a", false),
            ("ForAnyValue:StringNotEquals", "a", false),
            ("ForAnyValue:StringEqualsIfExists", "a", true),
            ("ForAllValues:StringEquals", "a", true),
            ("Null", "true", true),
            ("Null", "false", false),
            ("DateLessThan", "2026-01-01", false),
        ] {
            assert_eq!(holds(operator, "aws:key", &json!(wanted), &[]), expected, "{operator}");
        }
        assert!(holds("Null", "aws:key", &json!(false), &[("aws:key", "")]));
    }

    #[test]
    fn sets_are_compared_value_by_value() {
        let has = [("aws:tagkeys", "a"), ("aws:tagkeys", "b")];
        for (operator, wanted, expected) in [
            ("ForAnyValue:StringEquals", json!(["b", "c"]), true),
            ("ForAnyValue:StringEquals", json!(["c"]), false),
            ("ForAnyValue:StringNotEquals", json!(["b"]), true),
            ("ForAnyValue:StringNotEquals", json!(["a", "b"]), false),
            ("ForAllValues:StringEquals", json!(["a", "b", "c"]), true),
            ("ForAllValues:StringLike", json!(["a*"]), false),
            ("ForAllValues:StringNotEquals", json!(["c"]), true),
            ("ForAllValues:StringNotEquals", json!(["b"]), false),
        ] {
            assert_eq!(holds(operator, "aws:TagKeys", &wanted, &has), expected, "{operator} {wanted}");
        }
        let addresses = [("aws:ip", "10.0.0.1"), ("aws:ip", "11.0.0.1")];
        assert!(!holds("ForAllValues:IpAddress", "aws:ip", &json!("10.0.0.0/8"), &addresses));
        assert!(holds("ForAnyValue:NumericLessThan", "n", &json!(2), &[("n", "3"), ("n", "1")]));
    }

    #[test]
    fn what_is_no_operator_or_no_value_is_refused() {
        for (operator, wanted, words) in [
            ("StringMatches", json!("a"), "no condition operator"),
            ("ForSomeValues:StringEquals", json!("a"), "no condition operator"),
            ("BoolNot", json!("a"), "no condition operator"),
            ("NumericNotLessThan", json!("1"), "no condition operator"),
            ("IpNotAddress", json!("10.0.0.1"), "no condition operator"),
            ("NotStringEquals", json!("a"), "no condition operator"),
            ("NullIfExists", json!("true"), "no condition operator"),
            ("NumericEquals", json!("few"), "`few` is no number"),
            ("IpAddress", json!("10.0.0.0/33"), "no IP address"),
            ("DateEquals", json!("soon"), "no date"),
            ("BinaryEquals", json!("?"), "no base64"),
            ("Null", json!("maybe"), "`maybe` is no boolean"),
            ("StringEquals", json!({ "a": 1 }), "no strings"),
        ] {
            let error = Condition::new(operator, "k", &wanted, true).unwrap_err();
            assert!(error.contains(words), "{operator}: {error}");
        }
    }
}

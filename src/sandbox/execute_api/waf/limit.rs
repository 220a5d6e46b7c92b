//! Rate-based statements: what is counted together, and when it is too much.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::field::{arguments, cookies};
use super::forwarded::Header;
use super::statement::{Test, Truth};
use super::transform::{self, Step};
use super::{Home, Run};
use crate::sandbox::wafv2::rules::{Aggregate, CustomKey, Fallback, RateBased};

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

impl Rate {
    pub(super) fn compile<'s>(rate: &'s RateBased, home: &Home<'_>, rule: &str) -> Result<Self, &'s str> {
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

    pub(super) fn holds(&self, run: &mut Run<'_>, rule: &str) -> Truth {
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
            whole.extend([part.len().to_string().as_str(), ":", &part]);
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

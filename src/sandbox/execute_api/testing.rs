//! Variables for tests: what was put in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::variables::{Location, Variables};

/// Variables that a test sets.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    context: BTreeMap<String, String>,
    stage: BTreeMap<String, String>,
    parameters: Vec<(Location, String, String)>,
    body: Vec<u8>,
}

impl Fake {
    pub(crate) fn context(mut self, name: &str, value: &str) -> Self {
        self.context.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn stage(mut self, name: &str, value: &str) -> Self {
        self.stage.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn parameter(mut self, location: Location, name: &str, value: &str) -> Self {
        self.parameters.push((location, name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }
}

impl Variables for Fake {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        self.context.get(name).map(|value| Cow::Borrowed(value.as_str()))
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.stage.get(name).map(String::as_str)
    }

    fn stage_variables(&self) -> Vec<(&str, &str)> {
        self.stage.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn context_members(&self, prefix: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        let below = |name: &'_ str| name.strip_prefix(prefix)?.strip_prefix('.').map(str::len);
        let members = self.context.iter().filter_map(|(name, value)| {
            let length = below(name)?;
            Some((Cow::Borrowed(&name[name.len() - length..]), Cow::Borrowed(value.as_str())))
        });
        members.collect()
    }

    fn parameter(&self, location: Location, name: &str) -> Option<Cow<'_, str>> {
        self.values(location, name).pop()
    }

    fn values(&self, location: Location, name: &str) -> Vec<Cow<'_, str>> {
        let same = |key: &str| match location {
            Location::Header => key.eq_ignore_ascii_case(name),
            _ => key == name,
        };
        let matching = self.parameters.iter().filter(|(place, key, _)| *place == location && same(key));
        matching.map(|(_, _, value)| Cow::Borrowed(value.as_str())).collect()
    }

    fn parameters(&self, location: Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        let mut all: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        for (_, name, value) in self.parameters.iter().filter(|(place, ..)| *place == location) {
            all.retain(|(key, _)| key != name);
            all.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
        all
    }

    fn body(&self) -> &[u8] {
        &self.body
    }
}

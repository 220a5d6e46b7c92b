//! Condition keys: what a request says about itself, asked for only when a statement wants to know.

use std::borrow::Cow;

/// The values of one condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values<'a> {
    /// The request does not have the key.
    Absent,
    /// One value.
    One(Cow<'a, str>),
    /// Several values, for a key such as `aws:TagKeys`; an empty list is a key that is there without a value.
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Values<'a> {
    /// The values; none if the key is absent.
    #[must_use]
    pub fn as_slice(&self) -> &[Cow<'a, str>] {
        match self {
            Self::Absent => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<Option<T>> for Values<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, |value| Self::One(value.into()))
    }
}

/// Looks condition keys up.
pub trait Keys {
    /// The values of a key, by its name in lower case: `aws:sourceip`.
    fn values(&self, name: &str) -> Values<'_>;
}

/// A request without condition keys.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn values(&self, _: &str) -> Values<'_> {
        Values::Absent
    }
}

/// Keys in a list, in lower case; a name that stands there twice has two values.
#[derive(Debug, Clone, Default)]
pub struct Pairs<'a>(pub Vec<(&'a str, &'a str)>);

impl Keys for Pairs<'_> {
    fn values(&self, name: &str) -> Values<'_> {
        let mut found = self.0.iter().filter(|(key, _)| *key == name).map(|(_, value)| Cow::Borrowed(*value));
        match (found.next(), found.next()) {
            (None, _) => Values::Absent,
            (Some(one), None) => Values::One(one),
            (Some(one), Some(two)) => Values::Many([one, two].into_iter().chain(found).collect()),
        }
    }
}

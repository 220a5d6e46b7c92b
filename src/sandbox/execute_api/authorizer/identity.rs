//! Identity sources: what must be in a request, and what its cached answer is found by.

use std::borrow::Cow;

use crate::sandbox::execute_api::variables::{Location, Variables};

/// What a request says of who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// An identity source is missing or empty: 401 without a call (aws-facts D).
    Missing {
        /// The first such source, as the authorizer names it.
        expression: String,
    },
    /// The token does not match the authorizer's validation expression: 401 without a call (API reference).
    NotValid,
    /// Everything is there.
    Present(Key),
}

/// The values of all identity sources. Two requests with the same values have the same key, others do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Key(pub(super) Vec<String>);

impl Key {
    /// The token of a `TOKEN` authorizer.
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

/// One identity source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Parameter(Location, String),
    All(Location, String),
    StageVariable(String),
    Context(String),
}

impl Source {
    /// Reads one expression; none if it is no identity source. Path parameters are none (aws-facts D).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let kind = if let Some(rest) = text.strip_prefix("method.request.") {
            let (location, name) = rest.split_once('.')?;
            let name = name.to_owned();
            match location {
                "header" => Kind::Parameter(Location::Header, name),
                "querystring" => Kind::Parameter(Location::QueryString, name),
                "multivalueheader" => Kind::All(Location::Header, name),
                "multivaluequerystring" => Kind::All(Location::QueryString, name),
                _ => return None,
            }
        } else if let Some(name) = text.strip_prefix("stageVariables.") {
            Kind::StageVariable(name.to_owned())
        } else {
            Kind::Context(text.strip_prefix("context.")?.to_owned())
        };
        Some(Self { text: text.to_owned(), kind })
    }

    /// Puts the values into the key; false if there is none or it is empty.
    pub(super) fn collect(&self, variables: &dyn Variables, key: &mut Vec<String>) -> bool {
        let values: Vec<Cow<'_, str>> = match &self.kind {
            Kind::Parameter(location, name) => variables.parameter(*location, name).into_iter().collect(),
            Kind::All(location, name) => variables.values(*location, name),
            Kind::StageVariable(name) => variables.stage_variable(name).map(Cow::Borrowed).into_iter().collect(),
            Kind::Context(name) => variables.context(name).into_iter().collect(),
        };
        let present = values.iter().any(|value| !value.is_empty());
        // The count keeps the values of one source apart from those of the next.
        if matches!(self.kind, Kind::All(..)) {
            key.push(values.len().to_string());
        }
        key.extend(values.into_iter().map(Cow::into_owned));
        present
    }
}

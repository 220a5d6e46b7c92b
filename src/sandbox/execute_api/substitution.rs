//! Texts in which variables are replaced, and nothing else happens: gateway responses and access logs.

use std::borrow::Cow;

/// A text, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Substitution {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A variable without its `$`: `context.requestId`.
    Variable(String),
}

/// Which names a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// `$context.…`, `$stageVariables.…` and `$method.request.…`, with hyphens, which headers have.
    OfTemplates,
    /// `$context.…`; of signs only underscores: "For a property, the only special character supported is the underscore"
    /// (developer guide, variables for access logging).
    OfLogs,
}

impl Names {
    fn roots(self) -> &'static [&'static str] {
        match self {
            Self::OfTemplates => &["context.", "stageVariables.", "method.request."],
            Self::OfLogs => &["context."],
        }
    }

    /// How long the name is that a text begins with, if it begins with one.
    fn length(self, text: &str) -> Option<usize> {
        let root = self.roots().iter().find(|root| text.starts_with(**root))?;
        let hyphens = self == Self::OfTemplates;
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || (hyphens && c == '-');
        let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
        // A full stop or a dash at the end belongs to the text around.
        let length = text[..end].trim_end_matches(['.', '-']).len();
        (length > root.len()).then_some(length)
    }
}

impl Substitution {
    pub(super) fn parse(text: &str, names: Names) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(length) = names.length(rest) else {
                literal.push('$');
                continue;
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Variable(rest[..length].to_owned()));
            rest = &rest[length..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The variables, in order.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with the values of its variables.
    pub(super) fn text<'v>(&'v self, value: impl Fn(&'v str) -> Cow<'v, str>) -> String {
        let mut text = String::with_capacity(self.parts.len() * 24);
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Variable(name) => text.push_str(&value(name)),
            }
        }
        text
    }
}

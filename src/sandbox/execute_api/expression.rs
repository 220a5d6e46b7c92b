//! Mapping expressions: where an integration, a response, an authorizer or a gateway response takes a value from.
//!
//! An expression is compiled when a stage is deployed and evaluated for each request. **When its source is missing, the
//! target is not sent**: API Gateway leaves a header or query parameter away whose mapped source is not in the request,
//! it does not send it empty (aws-facts D: only a static `''` replaces a client's header by an empty one). So
//! [`Expression::value`] gives `None`, and the caller leaves the target out.

use std::borrow::Cow;

use super::json::Json;
use super::json_path::JsonPath;
use super::variables::{Location, Variables};

/// A mapping expression, compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `'text'`.
    Static(String),
    /// `context.NAME`.
    Context(String),
    /// `stageVariables.NAME`.
    StageVariable(String),
    /// `method.request.header.NAME`, `integration.response.header.NAME` and their like: the last value.
    Parameter(Location, String),
    /// `method.request.multivalueheader.NAME` and its like: all values.
    Values(Location, String),
    /// `method.request.body`, `integration.response.body`: as text.
    Body,
    /// `method.request.body.JSONPATH`, `integration.response.body.JSONPATH`.
    BodyPart(JsonPath),
}

impl Expression {
    /// Compiles an expression. Nothing, if it has none of the known forms; the control plane lets no such one in.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(quoted) = text.strip_prefix('\'') {
            return quoted.strip_suffix('\'').map(|text| Self::Static(text.to_owned()));
        }
        if let Some(name) = text.strip_prefix("context.") {
            return filled(name).map(Self::Context);
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return filled(name).map(Self::StageVariable);
        }
        if let Some(source) = text.strip_prefix("method.request.") {
            return Self::parameter(source, true);
        }
        text.strip_prefix("integration.response.").and_then(|source| Self::parameter(source, false))
    }

    fn parameter(source: &str, of_request: bool) -> Option<Self> {
        if source == "body" {
            return Some(Self::Body);
        }
        if let Some(path) = source.strip_prefix("body").filter(|path| path.starts_with(['.', '['])) {
            return JsonPath::parse(&format!("${path}")).map(Self::BodyPart);
        }
        let (place, name) = source.split_once('.')?;
        let name = filled(name)?;
        match place {
            "header" => Some(Self::Parameter(Location::Header, name)),
            "multivalueheader" => Some(Self::Values(Location::Header, name)),
            "querystring" if of_request => Some(Self::Parameter(Location::QueryString, name)),
            "multivaluequerystring" if of_request => Some(Self::Values(Location::QueryString, name)),
            "path" if of_request => Some(Self::Parameter(Location::Path, name)),
            _ => None,
        }
    }

    /// The value; of several the last, except for a multi-value expression, whose values are joined with commas as HTTP
    /// joins a header's. `None`: the source is missing, and the target is not sent.
    pub fn value<'v>(&'v self, variables: &'v dyn Variables) -> Option<Cow<'v, str>> {
        match self {
            Self::Static(text) => Some(Cow::Borrowed(text)),
            Self::Context(name) => variables.context(name),
            Self::StageVariable(name) => variables.stage_variable(name).map(Cow::Borrowed),
            Self::Parameter(location, name) => variables.parameter(*location, name),
            Self::Values(location, name) => {
                let mut values = variables.values(*location, name);
                match values.len() {
                    0 => None,
                    1 => values.pop(),
                    _ => Some(Cow::Owned(values.join(","))),
                }
            }
            Self::Body => {
                let body = variables.body();
                (!body.is_empty()).then(|| String::from_utf8_lossy(body))
            }
            Self::BodyPart(path) => {
                let body = Json::parse(variables.body())?;
                path.find(&body).filter(|found| *found != Json::Null).map(|found| Cow::Owned(found.to_text()))
            }
        }
    }

    /// All values; at most one unless the expression is a multi-value one. Empty: the target is not sent.
    pub fn values<'v>(&'v self, variables: &'v dyn Variables) -> Vec<Cow<'v, str>> {
        match self {
            Self::Values(location, name) => variables.values(*location, name),
            _ => self.value(variables).into_iter().collect(),
        }
    }
}

fn filled(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

/// A text with `${stageVariables.NAME}` in it, and, in an integration's URI, `{NAME}` for the path parameters that were
/// mapped to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpolation {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    StageVariable(String),
    Placeholder(String),
}

impl Interpolation {
    /// Compiles a text in which only stage variables are replaced: a `connectionId`, an ARN.
    #[must_use]
    pub fn of_stage_variables(text: &str) -> Self {
        Self::parse(text, false)
    }

    /// Compiles the URI of an integration, with its `{NAME}` placeholders.
    #[must_use]
    pub fn of_uri(text: &str) -> Self {
        Self::parse(text, true)
    }

    fn parse(text: &str, placeholders: bool) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', '{']) {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            let part = variable(rest).or_else(|| placeholder(rest).filter(|_| placeholders));
            let Some((part, after)) = part else {
                // The brace after a `$` opens no placeholder.
                let (sign, after) = rest.split_at(if rest.starts_with("${") { 2 } else { 1 });
                literal.push_str(sign);
                rest = after;
                continue;
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(part);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The names of the placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text with its stage variables. `placeholder` gives the value of a `{NAME}`, encoded as it shall stand there.
    /// A stage variable that is not set leaves nothing in its place; a placeholder without value stays as it is written
    /// (both guesses: AWS does not say).
    pub fn render<'v>(
        &self,
        variables: &'v dyn Variables,
        placeholder: impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::StageVariable(name) => text.push_str(variables.stage_variable(name).unwrap_or_default()),
                Part::Placeholder(name) => match placeholder(name) {
                    Some(value) => text.push_str(&value),
                    None => text.extend(["{", name.as_str(), "}"]),
                },
            }
        }
        text
    }
}

/// `${stageVariables.NAME}` at the beginning of a text, and what follows it.
fn variable(text: &str) -> Option<(Part, &str)> {
    let (name, after) = text.strip_prefix("${stageVariables.")?.split_once('}')?;
    (!name.is_empty()).then(|| (Part::StageVariable(name.to_owned()), after))
}

/// `{NAME}` or `{NAME+}` at the beginning of a text, and what follows it.
fn placeholder(text: &str) -> Option<(Part, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-:".contains(c));
    plain.then(|| (Part::Placeholder(name.to_owned()), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Fake;
    use super::*;

    fn fake() -> Fake {
        Fake::default()
            .context("requestId", "r-1")
            .context("authorizer.x-user-id", "u-7")
            .stage("host", "backend.example.com")
            .parameter(Location::Header, "X-One", "1")
            .parameter(Location::Header, "X-Two", "a")
            .parameter(Location::Header, "X-Two", "b")
            .parameter(Location::QueryString, "q", "first")
            .parameter(Location::QueryString, "q", "last")
            .parameter(Location::Path, "id", "42")
            .body(r#"{"user":{"name":"Ann","tags":["x"],"none":null}}"#)
    }

    fn value(text: &str) -> Option<String> {
        let fake = fake();
        Expression::parse(text).unwrap_or_else(|| panic!("{text}")).value(&fake).map(Cow::into_owned)
    }

    #[test]
    fn each_form_finds_its_value() {
        for (text, expected) in [
            ("'fixed'", "fixed"),
            ("''", ""),
            ("context.requestId", "r-1"),
            ("context.authorizer.x-user-id", "u-7"),
            ("stageVariables.host", "backend.example.com"),
            ("method.request.header.x-one", "1"),
            ("method.request.header.X-Two", "b"),
            ("method.request.multivalueheader.X-Two", "a,b"),
            ("method.request.querystring.q", "last"),
            ("method.request.multivaluequerystring.q", "first,last"),
            ("method.request.path.id", "42"),
            ("method.request.body.user.name", "Ann"),
            ("method.request.body.user.tags", r#"["x"]"#),
            ("integration.response.header.X-One", "1"),
            ("integration.response.multivalueheader.X-Two", "a,b"),
            ("integration.response.body.user.tags[0]", "x"),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(
            value("method.request.body").as_deref(),
            Some(r#"{"user":{"name":"Ann","tags":["x"],"none":null}}"#)
        );
    }

    #[test]
    fn a_missing_source_has_no_value() {
        for text in [
            "context.identity.user",
            "stageVariables.other",
            "method.request.header.x-none",
            "method.request.multivalueheader.x-none",
            "method.request.querystring.Q",
            "method.request.body.user.age",
            "method.request.body.user.none",
        ] {
            assert_eq!(value(text), None, "{text}");
            let expression = Expression::parse(text).expect("an expression");
            assert!(expression.values(&fake()).is_empty(), "{text}");
        }
        assert_eq!(Expression::Body.value(&Fake::default()), None);
    }

    #[test]
    fn several_values_stay_apart() {
        let expression = Expression::parse("method.request.multivaluequerystring.q").expect("an expression");
        assert_eq!(expression.values(&fake()), ["first", "last"]);
        let expression = Expression::parse("method.request.querystring.q").expect("an expression");
        assert_eq!(expression.values(&fake()), ["last"]);
    }

    #[test]
    fn other_texts_are_no_expressions() {
        for text in [
            "",
            "'",
            "x",
            "context.",
            "stageVariables.",
            "method.request.cookie.c",
            "method.request.header.",
            "integration.response.querystring.q",
            "method.request.bodyx",
            "method.response.header.x",
        ] {
            assert_eq!(Expression::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_uri_is_filled_in() {
        let fake = fake();
        let uri = Interpolation::of_uri("https://${stageVariables.host}/v1/{id}/{proxy+}?a=${x}&b={ }");
        assert_eq!(uri.placeholders().collect::<Vec<_>>(), ["id", "proxy"]);
        let text = uri.render(&fake, |name| (name == "id").then_some(Cow::Borrowed("4%2F2")));
        assert_eq!(text, "https://backend.example.com/v1/4%2F2/{proxy}?a=${x}&b={ }");
        let link = Interpolation::of_stage_variables("${stageVariables.host}-{id}${stageVariables.none}");
        assert_eq!(link.render(&fake, |_| None), "backend.example.com-{id}");
    }

    proptest! {
        #[test]
        fn any_text_compiles(text in ".{0,40}") {
            if let Some(expression) = Expression::parse(&text) {
                let _ = expression.values(&fake());
            }
            let _ = Interpolation::of_uri(&text).render(&fake(), |_| None);
        }

        #[test]
        fn a_text_without_signs_stays(text in "[^${]{0,40}") {
            prop_assert_eq!(Interpolation::of_uri(&text).render(&fake(), |_| None), text);
        }
    }
}

//! Parameter mappings: what is overwritten, appended or removed, and where the new value comes from (API Gateway Developer
//! Guide, "Transform API requests and responses for HTTP APIs").
//!
//! The guide asks for braces around variables where there are several of them. A variable within a text is found without
//! them too: that `/v1/$request.path.proxy` works is what many a published configuration counts on.

use crate::sandbox::execute_api::json::Json;
use crate::sandbox::execute_api::json_path::JsonPath;

/// JSON paths see no more of a body than this (as above).
const BODY_SEEN: usize = 100 * 1024;

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Append,
    Overwrite,
    Remove,
}

/// Which parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In lower case.
    Header(String),
    Query(String),
    Path,
    Status,
}

/// One mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) action: Action,
    pub(super) place: Place,
    pub(super) value: Value,
    /// The value as it is written.
    pub(super) written: String,
}

/// Where a value comes from.
#[derive(Debug)]
pub(super) struct Value {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Source(Source),
}

/// A variable.
#[derive(Debug)]
pub(super) enum Source {
    /// Of the request, or of the answer in a mapping of answers.
    Header(String),
    Query(String),
    Path,
    PathParameter(String),
    Body,
    BodyPart(JsonPath),
    Context(String),
    StageVariable(String),
}

impl Mapping {
    /// Reads a mapping as the control plane keeps it.
    pub(super) fn parse(key: &str, value: &str) -> Result<Self, String> {
        let wrong = || format!("the mapping of `{key}` to `{value}` can't be read");
        let (action, target) = key.split_once(':').ok_or_else(wrong)?;
        let action = match action {
            "append" => Action::Append,
            "overwrite" => Action::Overwrite,
            "remove" => Action::Remove,
            _ => return Err(wrong()),
        };
        let place = match target.split_once('.') {
            Some(("header", name)) => Place::Header(name.to_ascii_lowercase()),
            Some(("querystring", name)) => Place::Query(name.to_owned()),
            None if target == "path" => Place::Path,
            None if target == "statuscode" => Place::Status,
            _ => return Err(wrong()),
        };
        Ok(Self { action, place, value: Value::parse(value), written: value.to_owned() })
    }
}

impl Value {
    pub(super) fn parse(text: &str) -> Self {
        // Alone, a variable goes to the end of the text, whatever signs its name has.
        if let Some(source) = text.strip_prefix('$').filter(|name| !name.starts_with('{')).and_then(Source::parse) {
            return Self { parts: vec![Part::Source(source)] };
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some((source, after)) = variable(rest) else {
                literal.push('$');
                continue;
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Source(source));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The value. None where it is one variable and that is missing; a missing one within a text is empty, which is a guess.
    pub(super) fn text(&self, look: impl Fn(&Source) -> Option<String>) -> Option<String> {
        if let [Part::Source(source)] = self.parts.as_slice() {
            return look(source);
        }
        let values = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Source(source) => look(source).unwrap_or_default(),
        });
        Some(values.collect())
    }
}

/// The variable that a text begins with, behind its `$`, and what follows.
fn variable(text: &str) -> Option<(Source, &str)> {
    if let Some(rest) = text.strip_prefix('{') {
        let end = rest.find('}')?;
        return Some((Source::parse(&rest[..end])?, &rest[end + 1..]));
    }
    let belongs = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    let name = text[..end].trim_end_matches(['.', '-']);
    Some((Source::parse(name)?, &text[name.len()..]))
}

impl Source {
    fn parse(name: &str) -> Option<Self> {
        let (root, rest) = name.split_once('.')?;
        match root {
            "context" => Some(Self::Context(rest.to_owned())),
            "stageVariables" => Some(Self::StageVariable(rest.to_owned())),
            "request" | "response" => match rest.split_once('.') {
                Some(("header", name)) => Some(Self::Header(name.to_ascii_lowercase())),
                Some(("querystring", name)) => Some(Self::Query(name.to_owned())),
                Some(("path", name)) => Some(Self::PathParameter(name.to_owned())),
                Some(("body", path)) => JsonPath::parse(&format!("$.{path}")).map(Self::BodyPart),
                None if rest == "path" => Some(Self::Path),
                None if rest == "body" => Some(Self::Body),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a JSON path finds in a body.
pub(super) fn in_body(path: &JsonPath, body: &[u8]) -> Option<String> {
    let body = Json::parse(&body[..body.len().min(BODY_SEEN)])?;
    path.find(&body).filter(|found| *found != Json::Null).map(|found| found.to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Option<String> {
        Value::parse(value).text(|source| match source {
            Source::Header(name) if name == "x-a" => Some("a".into()),
            Source::Path => Some("/p/q".into()),
            Source::PathParameter(name) if name == "id" => Some("7".into()),
            Source::Context(name) if name == "identity.sourceIp" => Some("203.0.113.7".into()),
            Source::StageVariable(name) if name == "env" => Some("dev".into()),
            Source::BodyPart(path) => in_body(path, br#"{"user":{"id":5,"name":"n"}}"#),
            _ => None,
        })
    }

    #[test]
    fn values_are_texts_and_variables() {
        for (value, expected) in [
            ("api.example.com", Some("api.example.com")),
            ("$request.header.X-A", Some("a")),
            ("$request.path", Some("/p/q")),
            ("${request.path}", Some("/p/q")),
            ("/v1/$request.path.id", Some("/v1/7")),
            ("${request.path.id} ${stageVariables.env}.${request.header.none}", Some("7 dev.")),
            ("$context.identity.sourceIp", Some("203.0.113.7")),
            ("$request.body.user.id", Some("5")),
            ("$request.body.user.none", None),
            ("$request.header.none", None),
            ("5$ and $unknown.thing ${open", Some("5$ and $unknown.thing ${open")),
        ] {
            assert_eq!(text(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn keys_say_what_becomes_of_which_parameter() {
        let mapping = Mapping::parse("overwrite:header.Host", "x").unwrap();
        assert_eq!((mapping.action, mapping.place), (Action::Overwrite, Place::Header("host".into())));
        let mapping = Mapping::parse("append:querystring.A.b", "x").unwrap();
        assert_eq!((mapping.action, mapping.place), (Action::Append, Place::Query("A.b".into())));
        assert_eq!(Mapping::parse("overwrite:path", "/").unwrap().place, Place::Path);
        assert!(Mapping::parse("overwrite:body", "x").is_err());
        assert!(Mapping::parse("path", "x").is_err());
    }
}

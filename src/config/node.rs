//! One tree for every file of the configuration, whatever its syntax: values with the place they were written at.

use std::ops::Range;
use std::sync::Arc;

use super::source::{SourceFile, Span};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where the value stands; for a string, its quotes are part of it.
    pub span: Span,
    /// The value.
    pub value: NodeValue,
}

/// The values of JSON, which are also those of TOML that gwctl uses.
#[derive(Debug, Clone)]
pub enum NodeValue {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as exact as the file has it.
    Number(serde_json::Number),
    /// A string, its escapes resolved.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// An object, its members in the order of the file; no two have the same key.
    Object(Vec<Member>),
}

/// One `key: value` of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Where the key stands, with its quotes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// An empty object at the start of a file: what stands in for a file that could not be read.
    #[must_use]
    pub fn empty(file: &Arc<SourceFile>) -> Self {
        Self { span: Span::new(file, 0..0), value: NodeValue::Object(Vec::new()) }
    }

    /// The value without its places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            NodeValue::Null => serde_json::Value::Null,
            NodeValue::Bool(value) => serde_json::Value::Bool(*value),
            NodeValue::Number(value) => serde_json::Value::Number(value.clone()),
            NodeValue::String(value) => serde_json::Value::String(value.clone()),
            NodeValue::Array(items) => serde_json::Value::Array(items.iter().map(Self::to_json).collect()),
            NodeValue::Object(members) => serde_json::Value::Object(
                members.iter().map(|member| (member.key.clone(), member.value.to_json())).collect(),
            ),
        }
    }

    /// The member `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Member> {
        self.members()?.iter().find(|member| member.key == key)
    }

    /// The members, if this is an object.
    #[must_use]
    pub fn members(&self) -> Option<&[Member]> {
        match &self.value {
            NodeValue::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The node that a pointer after RFC 6901 leads to, from this one.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |node, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match &node.value {
                NodeValue::Array(items) => items.get(step.parse::<usize>().ok()?),
                _ => node.get(&step).map(|member| &member.value),
            }
        })
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::String(value) => Some(value),
            _ => None,
        }
    }

    /// What kind of value this is, with its article: `a string`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Number(_) => "a number",
            NodeValue::String(_) => "a string",
            NodeValue::Array(_) => "a list",
            NodeValue::Object(_) => "an object",
        }
    }

    /// The place of a part of a string, `range` in bytes of its text.
    ///
    /// Falls back to the whole string where the file writes it with escapes, because then the bytes do not correspond.
    #[must_use]
    pub fn span_within(&self, range: Range<usize>) -> Span {
        let Some(text) = self.as_str() else { return self.span.clone() };
        let written = self.span.text();
        let quoted = written.len() == text.len() + 2 && written.get(1..=text.len()) == Some(text);
        if !quoted || range.end > text.len() {
            return self.span.clone();
        }
        let first = self.span.start + 1;
        Span::new(&self.span.file, first + range.start..first + range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse_json;
    use crate::config::{Faults, source::SourceFile};

    fn node(text: &str) -> Node {
        let mut faults = Faults::default();
        let node = parse_json(&SourceFile::new("a.json", text), &mut faults).expect("the text is JSON");
        assert!(faults.is_empty(), "{}", faults.render(false));
        node
    }

    #[test]
    fn json_survives_the_tree() {
        let text = r#"{"a": [1, -2.5, 1e3, true, null, "x\né"], "b": {"c": {}}}"#;
        let plain: serde_json::Value = serde_json::from_str(text).expect("the text is JSON");
        assert_eq!(node(text).to_json(), plain);
    }

    #[test]
    fn a_part_of_a_string_has_its_own_place() {
        let list = node(r#"["/a/{b}", "\u002fa/{b}"]"#);
        let items = list.items().expect("a list");
        assert_eq!(items[0].span_within(3..6).text(), "{b}");
        assert_eq!(items[1].span_within(3..6).text(), r#""\u002fa/{b}""#);
    }
}

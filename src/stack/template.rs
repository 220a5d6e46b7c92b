//! Fills `${placeholders}` in templates: values into parsed JSON, never text into text.
//!
//! A string that is nothing but a placeholder becomes the value, whatever its type; one inside a longer string becomes
//! part of it. Every filled node keeps the place of the template it comes from, so that a fault found later points there.
//! `${stageVariables.…}` is API Gateway's own and passes through.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::{Faults, Member, Node, NodeValue, Span, suggestion};

/// What placeholders stand for.
pub(super) type Values = BTreeMap<String, Value>;

/// Fills a template. Unknown placeholders, and values that don't fit into a string, become faults.
pub(super) fn fill(node: &Node, values: &Values, faults: &mut Faults) -> Node {
    let value = match &node.value {
        NodeValue::String(text) => return fill_string(node, text, values, faults),
        NodeValue::Array(items) => NodeValue::Array(items.iter().map(|item| fill(item, values, faults)).collect()),
        NodeValue::Object(members) => {
            NodeValue::Object(members.iter().map(|member| fill_member(member, values, faults)).collect())
        }
        other => other.clone(),
    };
    Node { span: node.span.clone(), value }
}

fn fill_member(member: &Member, values: &Values, faults: &mut Faults) -> Member {
    let at = |range: std::ops::Range<usize>| {
        let start = member.key_span.start + 1 + range.start;
        Span::new(&member.key_span.file, start..start + range.len())
    };
    let key = embed(&member.key, &at, values, faults);
    Member { key, key_span: member.key_span.clone(), value: fill(&member.value, values, faults) }
}

fn fill_string(node: &Node, text: &str, values: &Values, faults: &mut Faults) -> Node {
    let whole = placeholders(text).next().filter(|found| found.range == (0..text.len()));
    if let Some(value) = whole.and_then(|found| values.get(found.name)) {
        return from_json(value, &node.span);
    }
    let filled = embed(text, &|range| node.span_within(range), values, faults);
    Node { span: node.span.clone(), value: NodeValue::String(filled) }
}

/// A JSON value as a node that stands at one place.
fn from_json(value: &Value, span: &Span) -> Node {
    let value = match value {
        Value::Null => NodeValue::Null,
        Value::Bool(flag) => NodeValue::Bool(*flag),
        Value::Number(number) => NodeValue::Number(number.clone()),
        Value::String(text) => NodeValue::String(text.clone()),
        Value::Array(items) => NodeValue::Array(items.iter().map(|item| from_json(item, span)).collect()),
        Value::Object(members) => NodeValue::Object(
            members
                .iter()
                .map(|(key, value)| Member { key: key.clone(), key_span: span.clone(), value: from_json(value, span) })
                .collect(),
        ),
    };
    Node { span: span.clone(), value }
}

struct Placeholder<'a> {
    /// What stands between the braces.
    name: &'a str,
    /// The place in the text, `${` and `}` included.
    range: std::ops::Range<usize>,
}

fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find("${")?;
            let end = start + text[start..].find('}')? + 1;
            from = end;
            let name = &text[start + 2..end - 1];
            if !name.starts_with("stageVariables.") {
                return Some(Placeholder { name, range: start..end });
            }
        }
    })
}

fn embed(text: &str, at: &dyn Fn(std::ops::Range<usize>) -> Span, values: &Values, faults: &mut Faults) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut from = 0;
    for found in placeholders(text) {
        filled.push_str(&text[from..found.range.start]);
        from = found.range.end;
        match values.get(found.name) {
            Some(Value::String(value)) => filled.push_str(value),
            Some(Value::Number(value)) => filled.push_str(&value.to_string()),
            Some(Value::Bool(value)) => filled.push_str(&value.to_string()),
            Some(_) => {
                let message = format!("the value of `${{{}}}` can't be part of a string", found.name);
                faults.error(
                    &at(found.range),
                    message,
                    "let the string be the placeholder alone: it becomes the value",
                );
            }
            None => {
                let known: Vec<&str> = values.keys().map(String::as_str).collect();
                let message = format!("there is no placeholder `${{{}}}` here", found.name);
                faults.error(&at(found.range), message, suggestion(found.name, &known));
            }
        }
    }
    filled.push_str(&text[from..]);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_json};
    use serde_json::json;

    fn values() -> Values {
        BTreeMap::from([
            ("env".to_owned(), json!("dev")),
            ("ttl".to_owned(), json!(10)),
            ("list".to_owned(), json!([1, {"a": "${env}"}])),
        ])
    }

    fn filled(text: &str) -> (Value, Faults) {
        let mut faults = Faults::default();
        let node = parse_json(&SourceFile::new("t.json", text), &mut faults).unwrap();
        let filled = fill(&node, &values(), &mut faults);
        (filled.to_json(), faults)
    }

    #[test]
    fn a_string_that_is_a_placeholder_becomes_the_value() {
        let (value, faults) = filled(r#"{"a": "${ttl}", "b": "${list}", "c": "x-${env}-${ttl}", "${env}": true}"#);
        assert!(faults.is_empty());
        // What a value holds is data, not a template.
        assert_eq!(value, json!({"a": 10, "b": [1, {"a": "${env}"}], "c": "x-dev-10", "dev": true}));
    }

    #[test]
    fn quotes_and_braces_in_values_stay_data() {
        let mut faults = Faults::default();
        let node = parse_json(&SourceFile::new("t.json", r#"{"a": "${v}"}"#), &mut faults).unwrap();
        let nasty = BTreeMap::from([("v".to_owned(), json!("\"},{\"x\": \"${env}"))]);
        assert_eq!(fill(&node, &nasty, &mut faults).to_json(), json!({"a": "\"},{\"x\": \"${env}"}));
    }

    #[test]
    fn stage_variables_pass_through() {
        let (value, faults) = filled(r#"{"a": "http://${stageVariables.host}/${env}"}"#);
        assert!(faults.is_empty());
        assert_eq!(value["a"], "http://${stageVariables.host}/dev");
    }

    #[test]
    fn an_unknown_placeholder_is_a_fault_with_its_place_and_the_nearest_known() {
        let (_, faults) = filled("{\n  \"a\": \"x ${enf} y\",\n  \"b\": \"in ${list}\"\n}");
        let list: Vec<_> = faults.iter().collect();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].span.as_ref().unwrap().line_column(), (2, 11));
        assert!(list[0].hint.as_ref().unwrap().contains("env"), "{:?}", list[0].hint);
        assert!(list[1].message.contains("can't be part of a string"));
    }
}

//! Layers: what stands in a later file goes before what stands in an earlier one.

use super::node::{Member, Node, NodeValue};

/// Settings that are one value although they are written as an object: the later file's replaces the earlier one's.
/// A log format with fields of two files would be neither team's format.
const WHOLE: [&str; 1] = ["log_format"];

/// Lays `over` on `under`: objects merge key by key, anything else replaces, and `null` takes the key away.
///
/// Every value keeps the place it was written at; a merged object has the place of the later one.
#[must_use]
pub fn layer(under: &Node, over: &Node) -> Node {
    let (NodeValue::Object(below), NodeValue::Object(above)) = (&under.value, &over.value) else {
        return over.clone();
    };
    let mut members: Vec<Member> = Vec::with_capacity(below.len() + above.len());
    for member in above {
        if matches!(member.value.value, NodeValue::Null) {
            continue;
        }
        let value = match under.get(&member.key) {
            Some(default) if !WHOLE.contains(&member.key.as_str()) => layer(&default.value, &member.value),
            _ => member.value.clone(),
        };
        members.push(Member { key: member.key.clone(), key_span: member.key_span.clone(), value });
    }
    members.extend(below.iter().filter(|member| over.get(&member.key).is_none()).cloned());
    Node { span: over.span.clone(), value: NodeValue::Object(members) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Faults;
    use crate::config::parse::parse_json;
    use crate::config::source::SourceFile;

    fn layered(under: &str, over: &str) -> Node {
        let mut faults = Faults::default();
        let mut parse = |name, text| parse_json(&SourceFile::new(name, text), &mut faults).expect("the text is JSON");
        layer(&parse("under.json", under), &parse("over.json", over))
    }

    #[test]
    fn objects_merge_key_by_key_and_null_takes_away() {
        let node = layered(r#"{"a": {"b": 1, "c": 2}, "d": [1], "e": 5}"#, r#"{"a": {"c": 3}, "d": [2], "e": null}"#);
        assert_eq!(node.to_json(), json!({"a": {"b": 1, "c": 3}, "d": [2]}));
        let place = |key| node.get("a").and_then(|a| a.value.get(key)).map(|member| member.value.span.to_string());
        assert_eq!(place("b").as_deref(), Some("under.json:1:13"));
        assert_eq!(place("c").as_deref(), Some("over.json:1:13"));
    }

    #[test]
    fn a_log_format_is_one_value() {
        let node = layered(r#"{"log_format": {"ip": "x", "id": "y"}}"#, r#"{"log_format": {"id": "z"}}"#);
        assert_eq!(node.to_json(), json!({"log_format": {"id": "z"}}));
    }
}

//! Values as people read them.

use serde_json::Value;

use super::style::Detail;
use crate::model::{as_reference, canonical};

/// Stands for an output of another step.
pub(super) const UNKNOWN: &str = "(known after apply)";

/// As many digits of a hash tell two versions apart.
const HASH_DIGITS: usize = 12;

/// The value in words: strings bare where nobody can take them for something else, lists with commas.
pub(super) fn words(value: &Value, detail: Detail) -> String {
    if let Some(reference) = as_reference(value) {
        return if detail.verbose { format!("(known after apply: {reference})") } else { UNKNOWN.to_owned() };
    }
    match value {
        Value::String(text) if is_bare(text) => hash_start(text, detail).unwrap_or_else(|| text.clone()),
        Value::Array(items) if !items.is_empty() && !items.iter().any(Value::is_array) => {
            items.iter().map(|item| words(item, detail)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) if !members.is_empty() => {
            let members = members.iter().map(|(name, member)| format!("{name}: {}", words(member, detail)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => whole(number).unwrap_or_else(|| number.to_string()),
        other => canonical(other),
    }
}

/// `10000` for `10000.0`: a rate is a fraction to AWS, and a whole number to everybody else.
fn whole(number: &serde_json::Number) -> Option<String> {
    let text = number.to_string();
    text.strip_suffix(".0").map(str::to_owned)
}

/// Two values in words that differ, as the values do.
pub(super) fn both_words(before: &Value, after: &Value, detail: Detail) -> (String, String) {
    let pair = (words(before, detail), words(after, detail));
    if pair.0 != pair.1 {
        return pair;
    }
    // `10` and `"10"`, or two hashes with one beginning.
    (canonical(before), canonical(after))
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.trim().len() == text.len()
}

/// The beginning of a hash, in hexadecimal as gwctl writes it or in Base64 as Lambda does. Its other digits tell a
/// reader nothing.
fn hash_start(text: &str, detail: Detail) -> Option<String> {
    let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let base64 = text.len() == 44
        && text.ends_with('=')
        && text[..43].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    (!detail.verbose && (hex || base64)).then(|| format!("{}…", &text[..HASH_DIGITS]))
}

/// The object or list that a string holds as JSON, if it does. A null in it is the word `null`: in a spec, null is
/// nothing, but in a text that is handed on it is a value.
pub(super) fn inner_json(value: &Value) -> Option<Value> {
    fn spelled_out(value: Value) -> Value {
        match value {
            Value::Null => "null".into(),
            Value::Array(items) => items.into_iter().map(spelled_out).collect(),
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(name, member)| (name, spelled_out(member))).collect())
            }
            other => other,
        }
    }
    let text = value.as_str()?.trim_start();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok().map(spelled_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_as_people_write_them() {
        let cases = [
            (json!("REGIONAL"), "REGIONAL"),
            (json!(""), "\"\""),
            (json!(" x"), "\" x\""),
            (json!(["a/b", "c"]), "a/b, c"),
            (json!([]), "[]"),
            (json!({}), "{}"),
            (json!(10000.0), "10000"),
            (json!(0.5), "0.5"),
            (json!({"a": 1, "b": [true]}), "{a: 1, b: true}"),
            (json!({"$output": "gate/rest-api/gateway#id"}), "(known after apply)"),
            (json!("ab".repeat(32)), "abababababab…"),
        ];
        for (value, expected) in cases {
            assert_eq!(words(&value, Detail::default()), expected);
        }
        assert_eq!(words(&json!("ab".repeat(32)), Detail { verbose: true, brief: false }).len(), 64);
    }

    #[test]
    fn different_values_never_look_the_same() {
        let one = format!("{}{}", "ab".repeat(30), "0000");
        let two = format!("{}{}", "ab".repeat(30), "1111");
        for (before, after) in [(json!(10), json!("10")), (json!(one), json!(two)), (json!([]), json!("[]"))] {
            let (before, after) = both_words(&before, &after, Detail::default());
            assert_ne!(before, after);
        }
    }
}

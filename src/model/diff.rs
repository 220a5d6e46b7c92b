//! One generic walk over canonical JSON that compares any two specs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::references;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The members that lead to the field: `["routes", "/orders", "ANY"]`.
    pub path: Vec<String>,
    /// Its value before; absent if it did not exist.
    pub before: Option<Value>,
    /// Its value after; absent if it will not exist.
    pub after: Option<Value>,
    /// The value after holds an output that is known only once another step is done.
    pub after_unknown: bool,
}

impl FieldChange {
    /// The path with dots, for one line of text: `access_log.format`.
    #[must_use]
    pub fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// Whether the change is at or below the dotted `path`.
    #[must_use]
    pub fn is_within(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split('.').collect();
        self.path.len() >= wanted.len() && self.path.iter().zip(&wanted).all(|(have, want)| have == want)
    }
}

/// What has to change to turn `before` into `after`. Objects are compared member by member, everything else as a whole:
/// the order of a list is part of its value. A member that is null counts as absent, as both mean to AWS.
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(&mut Vec::new(), Some(before), Some(after), &mut changes);
    changes
}

fn walk(path: &mut Vec<String>, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    let before = before.filter(|value| !value.is_null());
    let after = after.filter(|value| !value.is_null());
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new)))
            if super::as_reference(&Value::Object(new.clone())).is_none() =>
        {
            let mut names: Vec<&String> =
                old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
            names.sort();
            for name in names {
                path.push(name.clone());
                walk(path, old.get(name), new.get(name), changes);
                path.pop();
            }
        }
        (None, None) => {}
        (before, after) => changes.push(FieldChange {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            after_unknown: after.is_some_and(|value| !references(value).is_empty()),
        }),
    }
}

/// Carries out changes: `apply(a, diff(a, b))` is `b`, up to members that are null.
#[must_use]
pub fn apply(value: &Value, changes: &[FieldChange]) -> Value {
    let mut result = value.clone();
    for change in changes {
        let Some((last, parents)) = change.path.split_last() else {
            result = change.after.clone().unwrap_or(Value::Null);
            continue;
        };
        let mut at = &mut result;
        for name in parents {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Value::Object(members) = at else { unreachable!("made an object above") };
            at = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        }
        let Value::Object(members) = at else { continue };
        match &change.after {
            Some(after) => members.insert(last.clone(), after.clone()),
            None => members.remove(last),
        };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn names_each_field_once() {
        let before = json!({"a": 1, "b": {"c": [1, 2], "d": null}, "gone": true});
        let after = json!({"a": 1, "b": {"c": [2, 1]}, "new": {"$output": "gate/rest-api/gateway#id"}});
        let changes = diff(&before, &after);
        let dotted: Vec<String> = changes.iter().map(FieldChange::dotted).collect();
        assert_eq!(dotted, ["b.c", "gone", "new"]);
        assert!(changes[2].after_unknown);
        assert!(changes[0].is_within("b") && !changes[0].is_within("b.c.d"));
    }

    #[test]
    fn a_known_object_that_becomes_a_reference_is_one_change() {
        let changes = diff(&json!({"uri": "x"}), &json!({"uri": {"$output": "gate/rest-api/gateway#id"}}));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].before, Some(json!("x")));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z$~/*.]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d.]{1,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_does_not_differ_from_itself(a in json_value()) {
            prop_assert_eq!(diff(&a, &a), vec![]);
        }

        #[test]
        fn carrying_out_the_difference_gives_the_other(a in json_value(), b in json_value()) {
            prop_assert_eq!(apply(&a, &diff(&a, &b)), b);
        }
    }
}

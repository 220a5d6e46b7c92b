//! Text and JSON of the kind that breaks things.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Texts that programs have stumbled over.
const HOSTILE: [&str; 36] = [
    "",
    " ",
    "\0",
    "\u{feff}",
    "ä",
    "\u{1f980}",
    "e\u{301}",
    "\u{202e}",
    "/",
    "//",
    "/../",
    "~",
    "~2",
    "~1~0",
    "%",
    "%zz",
    "%ff",
    "%00",
    "{",
    "{}",
    "{+}",
    "{proxy+}",
    "${",
    "${stageVariables.",
    "'",
    "''",
    "$",
    "$.",
    "$input.json('$')",
    "*",
    "arn:aws:",
    "-1",
    "1e400",
    "9223372036854775808",
    "NaN",
    "a\r\nb: c",
];

/// A text: short and plain, hostile, anything, or long.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,6}",
        4 => select(&HOSTILE[..]).prop_map(str::to_owned),
        2 => "\\PC{0,12}",
        1 => any::<String>(),
        1 => vec(select(&HOSTILE[..]), 2..6).prop_map(|parts| parts.concat()),
        1 => (select(&HOSTILE[..]), 100_usize..3_000).prop_map(|(part, times)| part.repeat(times)),
    ]
}

/// Any JSON, a few levels deep.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Brackets in brackets, as deep as that.
pub(crate) fn nested(depth: usize) -> impl Strategy<Value = String> {
    (select(&[("[", "]"), ("{\"a\":", "}"), ("{\"properties\":{\"a\":", "}}"), ("[{\"$ref\":", "}]")][..]), 0..depth)
        .prop_map(|((open, close), depth)| format!("{}1{}", open.repeat(depth), close.repeat(depth)))
}

/// One change to a JSON value.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    place: Index,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Put(Value),
    Remove,
    Insert(String, Value),
    /// What stands in another place.
    Copy(Index),
    Append(String),
}

/// Changes to a JSON value, to be made by [`spoil`].
pub(crate) fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let change = prop_oneof![
        4 => json().prop_map(Change::Put),
        2 => text().prop_map(|text| Change::Put(Value::from(text))),
        2 => Just(Change::Remove),
        2 => (text(), json()).prop_map(|(name, value)| Change::Insert(name, value)),
        2 => any::<Index>().prop_map(Change::Copy),
        2 => text().prop_map(Change::Append),
    ];
    let edit = (any::<Index>(), change).prop_map(|(place, change)| Edit { place, change });
    vec(edit, 0..most)
}

/// Makes the changes.
pub(crate) fn spoil(mut value: Value, edits: &[Edit]) -> Value {
    for Edit { place, change } in edits {
        let mut places = Vec::new();
        list(&value, String::new(), &mut places);
        let at = &places[place.index(places.len())];
        match change {
            Change::Remove => remove(&mut value, at),
            Change::Copy(from) => {
                let copy = value.pointer(&places[from.index(places.len())]).cloned();
                // A copy of the whole within the whole doubles it each time.
                let copy = copy.filter(|copy| copy.to_string().len() < 20_000);
                if let (Some(copy), Some(slot)) = (copy, value.pointer_mut(at)) {
                    *slot = copy;
                }
            }
            Change::Put(new) => {
                if let Some(slot) = value.pointer_mut(at) {
                    *slot = new.clone();
                }
            }
            Change::Insert(name, new) => match value.pointer_mut(at) {
                Some(Value::Object(members)) => drop(members.insert(name.clone(), new.clone())),
                Some(Value::Array(items)) => items.push(new.clone()),
                Some(slot) => *slot = json!({ name: new }),
                None => {}
            },
            Change::Append(text) => match value.pointer_mut(at) {
                Some(Value::String(old)) => old.push_str(text),
                Some(slot) => *slot = text.as_str().into(),
                None => {}
            },
        }
    }
    value
}

fn remove(value: &mut Value, at: &str) {
    let Some((holder, name)) = at.rsplit_once('/') else {
        *value = Value::Null;
        return;
    };
    match value.pointer_mut(holder) {
        Some(Value::Object(members)) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => {
            let index: usize = name.parse().expect("an index");
            items.remove(index);
        }
        _ => {}
    }
}

/// The pointers of a value and of all in it.
fn list(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                list(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                list(item, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

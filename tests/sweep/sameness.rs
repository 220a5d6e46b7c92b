//! When two worlds are the same: everything in them is, but for ids, times and the order in which things were made.
//!
//! Ids are told by what stands around them: each gets a name made of the places it stands in, and of the names of the ids that
//! stand there with it, twice over. So a stage that serves the wrong one of two deployments is another world.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use gwctl::sandbox::world::World;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The alphabets that a world draws ids from, and the shortest length of each that is told from a word.
const ALPHABETS: [(&[u8], usize); 2] =
    [(b"0123456789abcdefghijklmnopqrstuvwxyz", 6), (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 12)];

/// What a world holds, with names for ids and without times.
pub(crate) fn normal(world: &World) -> Value {
    let ids = Ids::of(world);
    let mut all = json!({"accounts": world.accounts, "s3": world.s3});
    leave_past_out(&mut all);
    let plain = ids.marked(all);
    let mut names: HashMap<String, String> = HashMap::new();
    for _ in 0..2 {
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        surroundings(&plain, &names, "", &mut found);
        names = found
            .into_iter()
            .map(|(id, mut places)| {
                places.sort_unstable();
                (id, digest(&places.join("\n")))
            })
            .collect();
    }
    settled(&plain, &names)
}

/// The locks in a world: each with what tells it from another one.
pub(crate) fn locks(world: &World) -> Vec<String> {
    let mut all = json!(world.accounts);
    let mut found = Vec::new();
    for_each_group(&mut all, &mut |groups| {
        let locks = groups.iter().filter(|(name, _)| is_lock(name));
        found.extend(locks.map(|(name, group)| format!("{name} {}", group["tags"]["gwctl:lock"])));
    });
    found
}

fn is_lock(group: &str) -> bool {
    group.starts_with(gwctl::lock::PREFIX)
}

fn for_each_group(accounts: &mut Value, act: &mut dyn FnMut(&mut Map<String, Value>)) {
    for account in accounts.as_object_mut().into_iter().flat_map(Map::values_mut) {
        for region in account["regions"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            region["logs"]["groups"].as_object_mut().into_iter().for_each(&mut *act);
        }
    }
}

/// Takes away what tells of the past alone: who wrote what into log groups, and changes of zones that are done. Locks are looked at
/// by themselves ([`locks`]).
fn leave_past_out(all: &mut Value) {
    for account in all["accounts"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for partition in account["route53"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            partition["changes"] = Value::Null;
        }
    }
    for_each_group(&mut all["accounts"], &mut |groups| {
        groups.retain(|name, _| !is_lock(name));
        groups.values_mut().for_each(|group| group["streams"] = Value::Null);
    });
}

/// Where two such worlds differ.
pub(crate) fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ(one, other, "", &mut found);
    // What else differs says more than the names of ids, which follow from it.
    found.sort_by_key(|text| text.contains("instead of") && !text.contains("null"));
    found.truncate(12);
    found
}

fn differ(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let keys: BTreeSet<&String> = ones.keys().chain(others.keys()).collect();
            for key in keys {
                let missing = Value::Null;
                let pick = |of: &'_ Map<String, Value>| of.get(key).cloned().unwrap_or(missing.clone());
                differ(&pick(ones), &pick(others), &format!("{path}/{key}"), found);
            }
        }
        _ if one == other => {}
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            for (place, (one, other)) in ones.iter().zip(others).enumerate() {
                differ(one, other, &format!("{path}/{place}"), found);
            }
        }
        (Value::Array(ones), Value::Array(others)) => {
            let gone = ones.iter().filter(|one| !others.contains(one));
            let come = others.iter().filter(|other| !ones.contains(other));
            let short = |value: &Value| value.to_string().chars().take(600).collect::<String>();
            found.extend(gone.map(|one| format!("{path} lacks {}", short(one))));
            found.extend(come.map(|one| format!("{path} has {}", short(one))));
        }
        _ => found.push(format!("{path}: {other} instead of {one}").chars().take(800).collect()),
    }
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    let digits = digest.iter().take(6).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The ids that worlds give out: every world the same ones, in the order of its calls.
struct Ids {
    /// By their beginning: what the generator would have gone on with.
    drawn: Vec<(HashMap<String, Vec<String>>, usize)>,
}

/// More than any world here gives out.
const IDS: u64 = 4000;

impl Ids {
    fn of(world: &World) -> &'static Self {
        static ALL: OnceLock<Ids> = OnceLock::new();
        assert!(world.ids <= IDS, "{} ids", world.ids);
        ALL.get_or_init(Self::draw)
    }

    fn draw() -> Self {
        let mut drawn: Vec<_> = ALPHABETS.iter().map(|(_, least)| (HashMap::new(), *least)).collect();
        for number in 1..=IDS {
            let digest = Sha256::digest(format!("gwctl sandbox id {number}"));
            for ((alphabet, least), (all, _)) in ALPHABETS.iter().zip(&mut drawn) {
                let whole = digest.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]));
                let whole: String = whole.collect();
                all.entry(whole[..*least].to_owned()).or_insert_with(Vec::new).push(whole);
            }
        }
        Self { drawn }
    }

    /// Whether a word is an id, or a digest that may have been made of ids.
    fn is_id(&self, word: &str) -> bool {
        // Those of EC2 and of load balancers are hexadecimal too.
        if [16, 17, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return true;
        }
        self.drawn.iter().any(|(all, least)| {
            let begins = |word: &str| {
                word.get(..*least)
                    .and_then(|start| all.get(start))
                    .is_some_and(|all| all.iter().any(|id| id.starts_with(word)))
            };
            [0, 1, 4].iter().any(|prefix| word.get(*prefix..).is_some_and(begins))
        })
    }

    /// The value with ids between signs that nothing else has, without times.
    fn marked(&self, value: Value) -> Value {
        match value {
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(key, value)| (self.mark(&key), self.marked(value))).collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.marked(item)).collect()),
            Value::String(text) => Value::String(self.mark(&text)),
            Value::Number(number) if number.as_f64().is_some_and(|number| number > 1.6e9) => json!("TIME"),
            other => other,
        }
    }

    fn mark(&self, text: &str) -> String {
        if is_time(text) {
            return "TIME".to_owned();
        }
        if let Some((before, time)) = text.split_once("gwctl:drained=").filter(|(_, rest)| is_time(rest)) {
            let after = time.split_once(' ').map_or("", |(_, after)| after);
            return format!("{before}gwctl:drained=TIME {}", self.mark(after));
        }
        let mut marked = String::with_capacity(text.len());
        for word in words(text) {
            if is_uuid(word) || self.is_id(word) {
                marked.extend(["\u{1}", word, "\u{2}"]);
            } else {
                marked += word;
            }
        }
        marked
    }
}

/// A text in words and what stands between them; a UUID is one word.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.get(..36).is_some_and(is_uuid) {
            words.push(&rest[..36]);
            rest = &rest[36..];
            continue;
        }
        let inside = |character: char| character.is_ascii_alphanumeric();
        let first = rest.chars().next().is_some_and(inside);
        let end = rest.find(|character| inside(character) != first).unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, character)| match at {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit() && !character.is_ascii_uppercase(),
        })
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 19
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && (bytes[4], bytes[7], bytes[10], bytes[13]) == (b'-', b'-', b'T', b':')
}

/// A text with the ids' names instead of the ids.
fn named(text: &str, names: &HashMap<String, String>, this: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\u{1}') {
        let end = rest.find('\u{2}').expect("every mark is closed");
        let id = &rest[start + 1..end];
        out += &rest[..start];
        out += match names.get(id) {
            _ if this == Some(id) => "<this>",
            Some(name) => name,
            None => "<id>",
        };
        rest = &rest[end + 1..];
    }
    out + rest
}

fn ids_in(text: &str) -> HashSet<&str> {
    text.split('\u{1}').skip(1).filter_map(|part| part.split_once('\u{2}')).map(|(id, _)| id).collect()
}

/// Every place that an id stands in: the way there, and the plain members that stand beside it.
fn surroundings(value: &Value, names: &HashMap<String, String>, path: &str, found: &mut HashMap<String, Vec<String>>) {
    match value {
        Value::Object(members) => {
            let plain = |members: &Map<String, Value>, this: &str| -> String {
                let plain = members.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
                let texts: BTreeMap<String, String> = plain
                    .map(|(key, value)| (named(key, names, Some(this)), named(&text_of(value), names, Some(this))))
                    .collect();
                format!("{texts:?}")
            };
            for (key, value) in members {
                for id in ids_in(key) {
                    let beside = value.as_object().map(|members| plain(members, id)).unwrap_or_default();
                    let place = format!("{path} key {} {beside}", named(key, names, Some(id)));
                    found.entry(id.to_owned()).or_default().push(place);
                }
                if let Value::String(text) = value {
                    for id in ids_in(text) {
                        let place = format!("{path} {key} {}", plain(members, id));
                        found.entry(id.to_owned()).or_default().push(place);
                    }
                }
                surroundings(value, names, &format!("{path}/{}", named(key, names, None)), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                surroundings(item, names, path, found);
                if let Value::String(text) = item {
                    for id in ids_in(text) {
                        let place = format!("{path} item {}", named(text, names, Some(id)));
                        found.entry(id.to_owned()).or_default().push(place);
                    }
                }
            }
        }
        _ => {}
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The value with names for ids, and lists of objects in an order of their own.
fn settled(value: &Value, names: &HashMap<String, String>) -> Value {
    match value {
        Value::Object(members) => {
            let mut all = Map::new();
            for (key, value) in members {
                let mut key = named(key, names, None);
                // Two that nothing tells apart are still two.
                while all.contains_key(&key) {
                    key.push('\'');
                }
                all.insert(key, settled(value, names));
            }
            Value::Object(all)
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| settled(item, names)).collect();
            if items.iter().all(Value::is_object) {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::String(text) => Value::String(named(text, names, None)),
        other => other.clone(),
    }
}

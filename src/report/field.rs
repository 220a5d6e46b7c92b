//! Changed fields: `path: before → after`, aligned; long and structured values below their field, piece by piece.

use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};

use super::mask::{SENSITIVE, SENSITIVE_CHANGED};
use super::style::{Detail, Entry, LINES, Mark, Text, Tone, columns, limited};
use super::value::{both_words, inner_json, words};
use crate::model::as_reference;
use crate::model::diff::FieldChange;
use crate::model::diff::diff;

/// A field, where it stands below the part being described.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) path: Vec<String>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl Change {
    /// A whole spec that comes or goes.
    pub(super) fn whole(before: Option<&Value>, after: Option<&Value>) -> Self {
        Self { path: Vec::new(), before: before.cloned(), after: after.cloned() }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark::of(self.before.as_ref(), self.after.as_ref())
    }

    /// The first member of the path.
    pub(super) fn first(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    /// The same change seen from `depth` members further down.
    pub(super) fn below(&self, depth: usize) -> Self {
        let path = self.path.get(depth..).unwrap_or_default().to_vec();
        Self { path, before: self.before.clone(), after: self.after.clone() }
    }

    /// The value, if it comes or goes as a whole.
    pub(super) fn only(&self) -> Option<&Value> {
        match (&self.before, &self.after) {
            (None, Some(value)) | (Some(value), None) => Some(value),
            _ => None,
        }
    }

    fn dotted(&self) -> String {
        self.path.join(".")
    }
}

impl From<&FieldChange> for Change {
    fn from(change: &FieldChange) -> Self {
        Self { path: change.path.clone(), before: change.before.clone(), after: change.after.clone() }
    }
}

/// The changes with every object that comes or goes as a whole taken apart into its members, down to `depth` members.
pub(super) fn taken_apart(changes: Vec<Change>, depth: usize) -> Vec<Change> {
    let mut apart = Vec::new();
    for change in changes {
        let members = match change.only() {
            Some(Value::Object(members)) if change.path.len() < depth && !members.is_empty() => members,
            _ => {
                apart.push(change);
                continue;
            }
        };
        if change.only().and_then(as_reference).is_some() {
            apart.push(change);
            continue;
        }
        let added = change.before.is_none();
        let inner = members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
            let path = change.path.iter().chain([name]).cloned().collect();
            let (before, after) = if added { (None, Some(value.clone())) } else { (Some(value.clone()), None) };
            Change { path, before, after }
        });
        apart.extend(taken_apart(inner.collect(), depth));
    }
    apart
}

/// The changes whose path begins with the same member, in the order in which the members appear, the member taken off.
pub(super) fn grouped(changes: &[Change]) -> Vec<(String, Vec<Change>)> {
    let mut groups: Vec<(String, Vec<Change>)> = Vec::new();
    for change in changes {
        let name = change.first();
        match groups.iter_mut().find(|(known, _)| known == name) {
            Some((_, group)) => group.push(change.below(1)),
            None => groups.push((name.to_owned(), vec![change.below(1)])),
        }
    }
    groups
}

/// How one field is shown.
enum Shape {
    /// On the line of its name.
    Inline(Option<String>, Option<String>),
    /// Below its name; the word, if any, stays on the line.
    Below(&'static str, Vec<Entry>),
}

/// A list this long still reads well on one line.
const SHORT_LIST: usize = 60;

/// One line of text longer than this is compared word by word.
const LONG_TEXT: usize = 160;

fn shape(change: &Change, detail: Detail) -> Shape {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => changed(before, after, detail),
        (None, Some(value)) => only(value, Mark::Add, detail),
        (Some(value), None) => only(value, Mark::Remove, detail),
        (None, None) => Shape::Inline(None, None),
    }
}

fn changed(before: &Value, after: &Value, detail: Detail) -> Shape {
    if after.as_str() == Some(SENSITIVE_CHANGED) && before.as_str() == Some(SENSITIVE) {
        return Shape::Inline(None, Some(SENSITIVE_CHANGED.to_owned()));
    }
    if let (Value::Array(old), Value::Array(new)) = (before, after)
        && (old.len() > 1 || new.len() > 1 || words(before, detail).len() + words(after, detail).len() > SHORT_LIST)
    {
        return Shape::Below("", items(old, new, detail));
    }
    if let (Some(old), Some(new)) = (inner_json(before), inner_json(after)) {
        if same_json(before, after) && !detail.verbose {
            return Shape::Below("the same JSON, written differently", Vec::new());
        }
        let changes: Vec<Change> = diff(&old, &new).iter().map(Change::from).collect();
        if !changes.is_empty() {
            return Shape::Below("", limited(fields(changes, detail), LINES, "line", detail));
        }
    }
    if let (Some(old), Some(new)) = (before.as_str(), after.as_str()) {
        if old.contains('\n') || new.contains('\n') {
            let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
            return Shape::Below("", lines(&old, &new, detail));
        }
        if old.len().min(new.len()) > LONG_TEXT && old.contains(' ') {
            let (old, new): (Vec<&str>, Vec<&str>) = (old.split(' ').collect(), new.split(' ').collect());
            return Shape::Below("", lines(&old, &new, detail));
        }
    }
    let (before, after) = both_words(before, after, detail);
    Shape::Inline(Some(before), Some(after))
}

/// Whether two texts are one JSON value, written differently.
fn same_json(before: &Value, after: &Value) -> bool {
    let parsed = |text: &Value| serde_json::from_str::<Value>(text.as_str()?).ok();
    parsed(before) == parsed(after)
}

fn only(value: &Value, mark: Mark, detail: Detail) -> Shape {
    if let Some(inner) = inner_json(value) {
        let whole =
            if mark == Mark::Add { Change::whole(None, Some(&inner)) } else { Change::whole(Some(&inner), None) };
        if inner.is_object() {
            return Shape::Below("", limited(fields(vec![whole], detail), LINES, "line", detail));
        }
    }
    match value {
        Value::Array(list) if words(value, detail).len() > SHORT_LIST => {
            let entries = list.iter().map(|item| Entry::new(mark, Text::of(Tone::Plain, &words(item, detail))));
            Shape::Below("", limited(entries.collect(), LINES, "line", detail))
        }
        Value::String(text) if text.contains('\n') => {
            let entries = text.split('\n').map(|line| Entry::new(mark, Text::of(Tone::Plain, line)));
            Shape::Below("", limited(entries.collect(), LINES, "line", detail))
        }
        _ if mark == Mark::Add => Shape::Inline(None, Some(words(value, detail))),
        _ => Shape::Inline(Some(words(value, detail)), None),
    }
}

/// The items that come and go; those that stay are left out.
pub(super) fn items(before: &[Value], after: &[Value], detail: Detail) -> Vec<Entry> {
    let text = |items: &[Value]| items.iter().map(|item| words(item, detail)).collect::<Vec<_>>();
    let (old, new) = (text(before), text(after));
    let entry = |mark, text: &String| Entry::new(mark, Text::of(Tone::Plain, text));
    let mut entries = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, before, after) {
        if op.tag() != DiffTag::Equal {
            entries.extend(old[op.old_range()].iter().map(|text| entry(Mark::Remove, text)));
            entries.extend(new[op.new_range()].iter().map(|text| entry(Mark::Add, text)));
        }
    }
    limited(entries, LINES, "line", detail)
}

/// The lines that come and go, with one line around them.
fn lines(before: &[&str], after: &[&str], detail: Detail) -> Vec<Entry> {
    let entry = |mark: Option<Mark>, line: &&str| {
        Entry::new(mark, Text::of(if mark.is_some() { Tone::Plain } else { Tone::Faint }, line))
    };
    let mut entries = Vec::new();
    let groups = group_diff_ops(capture_diff_slices(Algorithm::Myers, before, after), 1);
    for group in groups {
        // Between two groups one ellipsis is enough.
        if entries.is_empty() && group.first().is_some_and(|op| op.old_range().start > 0) {
            entries.push(entry(None, &"…"));
        }
        let rest = group.last().is_some_and(|op| op.old_range().end < before.len());
        for op in group {
            if op.tag() == DiffTag::Equal {
                entries.extend(before[op.old_range()].iter().map(|line| entry(None, line)));
            } else {
                entries.extend(before[op.old_range()].iter().map(|line| entry(Some(Mark::Remove), line)));
                entries.extend(after[op.new_range()].iter().map(|line| entry(Some(Mark::Add), line)));
            }
        }
        if rest {
            entries.push(entry(None, &"…"));
        }
    }
    limited(entries, LINES, "line", detail)
}

/// Names longer than this don't push the values of the others to the right.
const ALIGNED: usize = 44;

/// Columns of a line of 80 that are left for name and value at the usual depth. A value that ends beyond them goes
/// below its name.
const ROOM: usize = 70;

/// One entry a field, the values one below the other.
pub(super) fn fields(changes: Vec<Change>, detail: Detail) -> Vec<Entry> {
    named_fields(changes, &Change::dotted, &[], detail)
}

/// The same, with other names for the fields, and a remark at those whose change forces a replacement.
pub(super) fn named_fields(
    changes: Vec<Change>,
    name: &dyn Fn(&Change) -> String,
    forcing: &[String],
    detail: Detail,
) -> Vec<Entry> {
    let changes = taken_apart(changes, usize::MAX);
    let shapes: Vec<(String, &Change, Shape)> =
        changes.iter().map(|change| (name(change), change, shape(change, detail))).collect();
    let inline = shapes.iter().filter(|(_, _, shape)| matches!(shape, Shape::Inline(..)));
    let widest = inline.map(|(name, ..)| columns(name)).filter(|&width| width <= ALIGNED).max().unwrap_or(0);
    let entries = shapes.into_iter().map(|(name, change, shape)| {
        let forces =
            forcing.iter().any(|path| change.dotted() == *path || change.dotted().starts_with(&format!("{path}.")));
        let remark = |text: Text| {
            if forces { text.segment("  ", 4, 6).push(Tone::Replaced, "(forces replacement)") } else { text }
        };
        match shape {
            Shape::Below(word, below) => {
                let text = remark(
                    Text::of(Tone::Plain, &format!("{name}:"))
                        .plain(if word.is_empty() { "" } else { " " })
                        .plain(word),
                );
                Entry::new(change.mark(), text).with(below)
            }
            Shape::Inline(before, after) => {
                Entry::new(change.mark(), remark(inline_text(&name, widest, before, after)))
            }
        }
    });
    entries.collect()
}

/// `name:  before → after`, the values of all fields in one column. Where the line is too narrow the arrow goes below,
/// so that the two values stand in one column; where even one value does not fit, both go below the name.
fn inline_text(name: &str, widest: usize, before: Option<String>, after: Option<String>) -> Text {
    let name_width = columns(name);
    let longest = [&before, &after].into_iter().flatten().map(|value| columns(value)).max().unwrap_or(0);
    let label = Text::of(Tone::Plain, &format!("{name}:"));
    let (text, column) = if name_width <= widest && widest + 2 + longest <= ROOM {
        (label.plain(&" ".repeat(widest - name_width + 1)).hanging(widest + 2), widest + 2)
    } else {
        (label.segment(" ", 4, 4), 4)
    };
    match (before, after) {
        (Some(before), Some(after)) => {
            text.plain(&before).segment(" ", column - 2, column).push(Tone::Faint, "→ ").plain(&after)
        }
        (value, None) | (None, value) => text.plain(&value.unwrap_or_default()),
    }
}

/// A named thing that has changed, `what`: on its line if there is one change and it is short, else below it.
pub(super) fn changed_item(
    what: Text,
    changes: Vec<Change>,
    name: &dyn Fn(&Change) -> String,
    detail: Detail,
) -> Entry {
    let changes = taken_apart(changes, usize::MAX);
    if let [change] = changes.as_slice()
        && let (Mark::Change, Shape::Inline(Some(before), Some(after))) = (change.mark(), shape(change, detail))
    {
        let name = name(change);
        let column = columns(&name) + 3;
        let text = what.segment("  ", 2, column).plain(&format!("{name} {before}"));
        let text = text.segment(" ", column - 2, column).push(Tone::Faint, "→ ").plain(&after);
        return Entry::new(Mark::Change, text);
    }
    Entry::new(Mark::Change, what).with(named_fields(changes, name, &[], detail))
}

/// A named thing that comes or goes: its short facts on the line, and the rest below where all of it is wanted.
pub(super) fn whole_item(what: Text, mark: Mark, value: &Value, detail: Detail) -> Entry {
    if detail.full() && mark == Mark::Add {
        let below = fields(vec![Change::whole(None, Some(value))], detail);
        return Entry::new(mark, what).with(below);
    }
    let is_short = |fact: &Value| fact.is_number() || fact.as_str().is_some_and(|text| text.len() < 24);
    let mut facts: Vec<_> =
        value.as_object().into_iter().flatten().filter(|(name, fact)| *name != "name" && is_short(fact)).collect();
    facts.sort_by_key(|(_, fact)| fact.is_number());
    let facts: Vec<String> = facts.into_iter().map(|(name, fact)| format!("{name} {}", words(fact, detail))).collect();
    Entry::new(
        mark,
        if facts.is_empty() { what } else { what.segment("  ", 2, 4).push(Tone::Faint, &facts.join(", ")) },
    )
}

#[cfg(test)]
mod tests {
    use super::super::layout::Page;
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_that_come_are_taken_apart_down_to_the_depth() {
        let whole =
            Change::whole(None, Some(&json!({"a": {"b": {"c": 1}}, "r": {"$output": "s/k/n#id"}, "e": {}, "n": null})));
        let at = |depth| taken_apart(vec![whole.clone()], depth).iter().map(Change::dotted).collect::<Vec<_>>();
        assert_eq!(at(1), ["a", "e", "r"]);
        assert_eq!(at(2), ["a.b", "e", "r"]);
        assert_eq!(at(9), ["a.b.c", "e", "r"]);
    }

    #[test]
    fn a_null_inside_json_is_not_nothing() {
        let change = |before: &str, after: &str| {
            let change =
                Change { path: vec!["template".to_owned()], before: Some(json!(before)), after: Some(json!(after)) };
            let entries = fields(vec![change], Detail::default());
            let mut out = Vec::new();
            Page { width: 80, color: false, verbose: false }.entries(&entries, "", &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(change(r#"{"a":1,"b":null}"#, r#"{"a":1}"#), "~ template:\n  - b: null\n");
        assert_eq!(change(r#"{"a":1}"#, r#"{"a":1,"b":null}"#), "~ template:\n  + b: null\n");
        assert_eq!(change(r#"{"a":1}"#, r#"{ "a": 1 }"#), "~ template: the same JSON, written differently\n");
        assert_eq!(change(r#"{"a":null}"#, r#"{"a":"null"}"#), "~ template: {\"a\":null} → {\"a\":\"null\"}\n");
    }

    #[test]
    fn only_items_that_come_and_go_are_listed() {
        let entries =
            items(&[json!("a"), json!("b"), json!("c")], &[json!("a"), json!("c"), json!("d")], Detail::default());
        let shown: Vec<_> =
            entries.iter().map(|entry| (entry.mark, entry.text.segments[0].spans[0].1.as_str())).collect();
        assert_eq!(shown, [(Some(Mark::Remove), "b"), (Some(Mark::Add), "d")]);
    }
}

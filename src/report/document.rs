//! The changes of a REST API route by route, and its authorizers and gateway responses by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::field::{Change, changed_item, grouped, named_fields, taken_apart, whole_item};
use super::style::{Detail, Entry, LINES, Mark, Text, Tone, limited};
use super::value::words;
use crate::model::as_reference;

/// As many routes with one and the same change are told as one.
const ALIKE: usize = 3;

/// Entries for the changes below `routes`. `labels` has the type of a route at `routes./its/path`.
pub(super) fn routes(changes: Vec<Change>, labels: &BTreeMap<String, String>, detail: Detail) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut edits: Vec<Edit> = Vec::new();
    for (path, changes) in grouped(&taken_apart(changes, 2)) {
        let label = labels.get(&format!("routes.{path}")).map(String::as_str);
        let methods = grouped(&changes);
        let whole = |method: &str| {
            let (_, changes) = methods.iter().find(|(name, _)| name == method)?;
            let [change] = changes.as_slice() else { return None };
            Some((change.mark(), change.only()?)).filter(|_| change.path.is_empty())
        };
        for (method, changes) in &methods {
            match whole(method) {
                // Told by the line of the method it is the preflight of.
                Some(_) if method == "OPTIONS" && !detail.verbose && follows(whole("ANY"), whole(method)) => {}
                Some((mark, value)) => entries.push(whole_route(mark, method, &path, value, label, detail)),
                None => push_edit(&mut edits, &path, method, changes.clone(), label),
            }
        }
    }
    entries.extend(edited_routes(edits, detail));
    entries
}

/// Whether a preflight method comes or goes together with the method it is the preflight of, to the same place.
fn follows(any: Option<(Mark, &Value)>, options: Option<(Mark, &Value)>) -> bool {
    let (Some((any_mark, any)), Some((mark, options))) = (any, options) else { return false };
    any_mark == mark && target(any) == target(options)
}

/// Where the method leads: the integration's URI, or its type where it has none.
fn target(method: &Value) -> Option<&Value> {
    let integration = method.get("integration")?;
    integration.get("uri").filter(|uri| !uri.is_null()).or_else(|| integration.get("type"))
}

fn route_name(method: &str, path: &str) -> Text {
    Text::of(Tone::Plain, method).plain(" ").push(Tone::Strong, path)
}

/// `ANY /orders/{proxy+}  normal_path → http://…`
fn whole_route(mark: Mark, method: &str, path: &str, value: &Value, label: Option<&str>, detail: Detail) -> Entry {
    let mut text = route_name(method, path);
    if let Some(label) = label {
        text = text.segment("  ", 2, 4).plain(label);
    }
    if let Some(target) = target(value) {
        let join = if label.is_some() { " " } else { "  " };
        text = text.segment(join, 2, 4).push(Tone::Faint, "→ ").plain(&words(target, detail));
    }
    let below =
        if detail.verbose { named_fields(vec![whole(mark, value)], &field_name, &[], detail) } else { Vec::new() };
    Entry::new(mark, text).with(below)
}

fn whole(mark: Mark, value: &Value) -> Change {
    if mark == Mark::Remove { Change::whole(Some(value), None) } else { Change::whole(None, Some(value)) }
}

/// Methods of one path that change alike.
struct Edit {
    path: String,
    methods: Vec<String>,
    label: Option<String>,
    changes: Vec<Change>,
}

fn push_edit(edits: &mut Vec<Edit>, path: &str, method: &str, changes: Vec<Change>, label: Option<&str>) {
    match edits.iter_mut().find(|edit| edit.path == path && edit.changes == changes) {
        Some(edit) => edit.methods.push(method.to_owned()),
        None => edits.push(Edit {
            path: path.to_owned(),
            methods: vec![method.to_owned()],
            label: label.map(str::to_owned),
            changes,
        }),
    }
}

/// One entry a route; one for all of them where many change alike, as when a template changes.
fn edited_routes(edits: Vec<Edit>, detail: Detail) -> Vec<Entry> {
    let mut groups: Vec<Vec<Edit>> = Vec::new();
    for edit in edits {
        match groups.iter_mut().find(|group| group[0].changes == edit.changes) {
            Some(group) => group.push(edit),
            None => groups.push(vec![edit]),
        }
    }
    let mut entries = Vec::new();
    for group in groups {
        if group.len() >= ALIKE {
            let what = Text::of(Tone::Strong, &format!("{} routes", group.len()));
            let names = group.iter().map(|edit| Entry::new(None, route_name(&edit.methods.join(", "), &edit.path)));
            let names = limited(names.collect(), LINES, "route", detail);
            let mut entry = changed_item(what, group[0].changes.clone(), &field_name, detail);
            entry.below.extend(names);
            entries.push(entry);
            continue;
        }
        for edit in group {
            let mut what = route_name(&edit.methods.join(", "), &edit.path);
            // Whoever may call the route changes: that is a change of the route's type.
            let opens = edit.changes.iter().any(|change| change.first().starts_with("authoriz"));
            if let Some(label) = edit.label.as_deref().filter(|_| opens) {
                what = what.segment("  ", 2, 4).plain(label);
            }
            entries.push(changed_item(what, edit.changes, &field_name, detail));
        }
    }
    entries
}

/// The words for a field of a route.
fn field_name(change: &Change) -> String {
    let path: Vec<&str> = change.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["integration", "timeout_ms"] => "timeout".to_owned(),
        ["integration", "request_parameters", name] => match name.strip_prefix("integration.request.") {
            Some(rest) => rest.replacen('.', " ", 1),
            None => (*name).to_owned(),
        },
        ["request_parameters", name] => format!("parameter {}", name.strip_prefix("method.request.").unwrap_or(name)),
        ["integration", rest @ ..] if !rest.is_empty() => rest.join("."),
        rest => rest.join("."),
    }
}

/// Entries for parts that have a name: authorizers, gateway responses.
pub(super) fn named_parts(noun: &str, changes: Vec<Change>, detail: Detail) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, changes) in grouped(&taken_apart(changes, 1)) {
        let what = Text::of(Tone::Plain, noun).plain(" ").push(Tone::Strong, &name);
        let entry = match changes.as_slice() {
            [change] if change.path.is_empty() => match change.only() {
                Some(value) if as_reference(value).is_none() => whole_item(what, change.mark(), value, detail),
                _ => changed_item(what, changes, &|change| change.path.join("."), detail),
            },
            _ => changed_item(what, changes, &|change| change.path.join("."), detail),
        };
        entries.push(entry);
    }
    entries
}

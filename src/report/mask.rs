//! Keeps secrets out of everything that is shown: the values of environment and stage variables whose names sound
//! secret or that look it, and the fixed texts of that sort that an API sends to its backends.
//!
//! Every format begins by masking the whole plan, before anything is laid out: a value that a reporter never holds can't
//! slip through in one of its corners.

use serde_json::{Map, Value};

use crate::model::as_reference;
use crate::model::diff::FieldChange;
use crate::plan::{Plan, Step};
pub(super) use crate::secrets::SENSITIVE;
use crate::secrets::{is_secret_parameter, looks_secret, sounds_secret};

/// Stands for a value that is not shown and is not the one before.
pub(super) const SENSITIVE_CHANGED: &str = "(sensitive, changed)";

/// What the members are whose names the user chose.
#[derive(Clone, Copy)]
enum Named {
    /// Variables, of functions and stages.
    Variables,
    /// Parameters that a backend is sent.
    Parameters,
}

impl Named {
    fn is_secret(self, name: &str, value: &Value) -> bool {
        match (self, value.as_str()) {
            (Self::Variables, Some(text)) => sounds_secret(name) || looks_secret(text),
            (Self::Variables, None) => sounds_secret(name),
            (Self::Parameters, text) => text.is_some_and(|text| is_secret_parameter(name, text)),
        }
    }
}

/// Where a spec has such members: of functions, of stages and of a stage's canary; of the integrations of REST APIs and HTTP
/// APIs. A star is any member.
const PLACES: [(&[&str], Named); 5] = [
    (&["environment"], Named::Variables),
    (&["variables"], Named::Variables),
    (&["canary", "variables"], Named::Variables),
    (&["routes", "*", "*", "integration", "request_parameters"], Named::Parameters),
    (&["routes", "*", "integration", "parameters"], Named::Parameters),
];

/// The plan, fit to be shown.
#[must_use]
pub fn masked(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for step in &mut plan.steps {
        mask_step(step);
    }
    for unchanged in &mut plan.unchanged {
        unchanged.live.spec = mask_spec(&unchanged.live.spec, None);
    }
    plan
}

pub(super) fn mask_step(step: &mut Step) {
    let before = step.before().cloned();
    step.after = step.after.as_ref().map(|after| mask_spec(after, before.as_ref()));
    if let Some(live) = &mut step.live {
        live.spec = mask_spec(&live.spec, None);
    }
    for change in &mut step.changes {
        mask_change(change);
    }
}

/// A spec, fit to be shown.
#[must_use]
pub fn masked_spec(spec: &Value) -> Value {
    mask_spec(spec, None)
}

/// Values shorter than this are too likely to be a part of other words.
const SHORTEST_SECRET: usize = 4;

/// A text without the secrets of a plan: AWS may repeat in an error what it was sent.
#[must_use]
pub fn without_secrets(plan: &Plan, text: &str) -> String {
    let live = plan.unchanged.iter().map(|one| &one.live.spec);
    let specs = plan.steps.iter().flat_map(|step| step.after.iter().chain(step.before())).chain(live);
    let mut secrets: Vec<&str> = specs.flat_map(secrets).filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
    // The longest first, so that what is left of one that holds another tells nothing.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, SENSITIVE))
}

/// The secret values of a spec.
fn secrets(spec: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    for (path, named) in PLACES {
        collect(spec, path, named, &mut found);
    }
    found
}

fn collect<'v>(value: &'v Value, path: &[&str], named: Named, found: &mut Vec<&'v str>) {
    let Value::Object(members) = value else { return };
    let Some((wanted, rest)) = path.split_first() else {
        let secret = members.iter().filter(|(name, value)| named.is_secret(name, value));
        return found.extend(secret.filter_map(|(_, value)| value.as_str()));
    };
    let fitting = members.iter().filter(|(name, _)| fits(name, wanted));
    fitting.for_each(|(_, inner)| collect(inner, rest, named, found));
}

/// Whether a member is the one of a path.
fn fits(name: &str, wanted: &str) -> bool {
    wanted == "*" || name == wanted
}

/// The value of a setting, by its whole key: `authorizer.environment.API_KEY`.
pub(super) fn masked_setting(key: &str, value: &Value) -> Value {
    let variable = key.split_once("authorizer.environment.").or_else(|| key.split_once("stage_variables."));
    if variable.is_some_and(|(_, name)| sounds_secret(name)) || value.as_str().is_some_and(looks_secret) {
        return mask(value, None);
    }
    value.clone()
}

/// The spec with its secrets masked; those that differ from the ones in `before` say so.
fn mask_spec(spec: &Value, before: Option<&Value>) -> Value {
    PLACES.iter().fold(spec.clone(), |spec, (path, named)| mask_at(&spec, path, *named, before))
}

/// A value with the secret members at a path in it masked.
fn mask_at(value: &Value, path: &[&str], named: Named, before: Option<&Value>) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let members = members.iter().map(|(name, value)| {
        let before = before.and_then(|before| before.get(name));
        let shown = match path.split_first() {
            None if named.is_secret(name, value) => mask(value, before),
            Some((wanted, rest)) if fits(name, wanted) => mask_at(value, rest, named, before),
            _ => value.clone(),
        };
        (name.clone(), shown)
    });
    Value::Object(members.collect())
}

/// A reference to another resource's output says where a value comes from and not what it is, so it stays.
fn mask(value: &Value, before: Option<&Value>) -> Value {
    match before {
        _ if value.is_null() || as_reference(value).is_some() => value.clone(),
        Some(before) if before != value && !before.is_null() => SENSITIVE_CHANGED.into(),
        _ => SENSITIVE.into(),
    }
}

fn mask_change(change: &mut FieldChange) {
    let FieldChange { path: changed, before, after, .. } = change;
    let was = before.clone();
    for (path, named) in PLACES {
        let shared = changed.iter().zip(path).take_while(|(one, other)| fits(one, other)).count();
        if shared == changed.len() {
            // The members are in it.
            let rest = &path[shared.min(path.len())..];
            *after = after.as_ref().map(|value| mask_at(value, rest, named, was.as_ref()));
            *before = before.as_ref().map(|value| mask_at(value, rest, named, None));
        } else if shared == path.len() {
            // It is one of them, or in one of them.
            if [&*before, &*after].into_iter().flatten().any(|value| named.is_secret(&changed[shared], value)) {
                *after = after.as_ref().map(|value| mask(value, was.as_ref()));
                *before = before.as_ref().map(|value| mask(value, None));
            }
        }
    }
}

/// The shape of `spec`, which is masked, with `true` at every masked value, as Terraform's `before_sensitive` has it.
pub(super) fn sensitive_parts(spec: &Value) -> Value {
    let mut parts = Value::Object(Map::new());
    for (path, named) in PLACES {
        if let Some(found) = sensitive_at(spec, path, named) {
            lay(found, &mut parts);
        }
    }
    parts
}

/// The same for one path; nothing where nothing is masked.
fn sensitive_at(value: &Value, path: &[&str], named: Named) -> Option<Value> {
    let Value::Object(members) = value else { return None };
    let is_masked = |name: &str, value: &Value| {
        value == SENSITIVE
            || value == SENSITIVE_CHANGED
            || (named.is_secret(name, value) && as_reference(value).is_none())
    };
    let parts: Map<String, Value> = members
        .iter()
        .filter_map(|(name, value)| {
            let part = match path.split_first() {
                None => is_masked(name, value).then_some(Value::Bool(true)),
                Some((wanted, rest)) => fits(name, wanted).then(|| sensitive_at(value, rest, named)).flatten(),
            };
            Some((name.clone(), part?))
        })
        .collect();
    (!parts.is_empty()).then_some(Value::Object(parts))
}

/// Lays an object on another.
fn lay(new: Value, on: &mut Value) {
    match (new, on) {
        (Value::Object(new), Value::Object(on)) => {
            for (name, value) in new {
                lay(value, on.entry(name).or_insert(Value::Null));
            }
        }
        (new, on) => *on = new,
    }
}

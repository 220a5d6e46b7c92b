//! Keeps secrets out of everything that is shown: the values of environment and stage variables whose names sound
//! secret.
//!
//! Every format begins by masking the whole plan, before anything is laid out: a value that a reporter never holds can't
//! slip through in one of its corners.

use serde_json::{Map, Value};

use crate::model::as_reference;
use crate::model::diff::FieldChange;
use crate::plan::{Plan, Step};

/// Where a spec has members whose names the user chose: of functions, of stages, and of a stage's canary.
const VARIABLES: [&[&str]; 3] = [&["environment"], &["variables"], &["canary", "variables"]];

/// What sounds secret, in capitals.
const SECRET: [&str; 8] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PWD", "KEY", "CREDENTIAL", "PRIVATE"];

/// Stands for a value that is not shown.
pub(super) const SENSITIVE: &str = "(sensitive)";

/// Stands for a value that is not shown and is not the one before.
pub(super) const SENSITIVE_CHANGED: &str = "(sensitive, changed)";

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET.iter().any(|word| name.contains(word))
}

/// Whether a value is secret whatever its name: a private key, or a URL with a password in it.
fn looks_secret(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let password = text.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    password || (text.contains("-----BEGIN") && text.contains("PRIVATE KEY"))
}

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
fn secrets(spec: &Value) -> impl Iterator<Item = &str> {
    let variables = VARIABLES.iter().filter_map(|path| at(spec, path)?.as_object()).flatten();
    variables.filter(|(name, value)| is_secret(name) || looks_secret(value)).filter_map(|(_, value)| value.as_str())
}

/// What stands at a path.
fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, member| value.get(member))
}

/// The value of a setting, by its whole key: `authorizer.environment.API_KEY`.
pub(super) fn masked_setting(key: &str, value: &Value) -> Value {
    let variable = key.split_once("authorizer.environment.").or_else(|| key.split_once("stage_variables."));
    if variable.is_some_and(|(_, name)| is_secret(name)) || looks_secret(value) {
        return mask(value, None);
    }
    value.clone()
}

/// The spec with secret variables masked; those that differ from the ones in `before` say so.
fn mask_spec(spec: &Value, before: Option<&Value>) -> Value {
    VARIABLES.iter().fold(spec.clone(), |spec, path| mask_at(&spec, path, before))
}

/// A value with the secret variables at a path in it masked.
fn mask_at(value: &Value, path: &[&str], before: Option<&Value>) -> Value {
    let Some((member, rest)) = path.split_first() else { return mask_variables(value, before) };
    let mut value = value.clone();
    if let Some(inner) = value.get_mut(member) {
        *inner = mask_at(inner, rest, before.and_then(|before| before.get(member)));
    }
    value
}

fn mask_variables(variables: &Value, before: Option<&Value>) -> Value {
    let Value::Object(members) = variables else { return variables.clone() };
    let members = members.iter().map(|(name, value)| {
        let before = before.and_then(|before| before.get(name));
        (name.clone(), if is_secret(name) || looks_secret(value) { mask(value, before) } else { value.clone() })
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
    for path in VARIABLES {
        let shared = changed.iter().zip(path).take_while(|(one, other)| one.as_str() == **other).count();
        if shared == changed.len() {
            // The variables are in it.
            let rest = &path[shared.min(path.len())..];
            *after = after.as_ref().map(|value| mask_at(value, rest, was.as_ref()));
            *before = before.as_ref().map(|value| mask_at(value, rest, None));
        } else if shared == path.len() {
            // It is one of them, or in one of them.
            let shows = [&*before, &*after].into_iter().flatten().any(looks_secret);
            if is_secret(&changed[shared]) || shows {
                *after = after.as_ref().map(|value| mask(value, was.as_ref()));
                *before = before.as_ref().map(|value| mask(value, None));
            }
        }
    }
}

/// The shape of `spec`, which is masked, with `true` at every masked value, as Terraform's `before_sensitive` has it.
pub(super) fn sensitive_parts(spec: &Value) -> Value {
    let is_masked = |name: &str, value: &Value| {
        value == SENSITIVE || value == SENSITIVE_CHANGED || (is_secret(name) && as_reference(value).is_none())
    };
    let mut parts = Value::Object(Map::new());
    for path in VARIABLES {
        let Some(variables) = at(spec, path).and_then(Value::as_object) else { continue };
        let secret = variables.iter().filter(|(name, value)| is_masked(name, value));
        let secret: Map<String, Value> = secret.map(|(name, _)| (name.clone(), true.into())).collect();
        if !secret.is_empty() {
            path.iter().fold(&mut parts, |parts, member| &mut parts[*member]).clone_from(&Value::Object(secret));
        }
    }
    parts
}

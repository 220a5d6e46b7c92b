//! A plan as entries: its resources by stack, each with why it changes and what does.

use serde_json::Value;

use super::document;
use super::field::{Change, grouped, named_fields, taken_apart};
use super::policy;
use super::style::{Detail, Entry, Mark, Text, Tone, limited};
use crate::model::as_reference;
use crate::plan::{Action, Plan, Reason, Step};

/// The steps of one stack.
pub(super) struct Branch {
    pub(super) stack: String,
    pub(super) steps: Vec<Entry>,
}

/// The steps of the plan by stack, in the order of the plan.
pub(super) fn branches(plan: &Plan, verbose: bool) -> Vec<Branch> {
    let mut branches: Vec<Branch> = Vec::new();
    for step in &plan.steps {
        let entry = step_entry(step, verbose);
        match branches.iter_mut().find(|branch| branch.stack == step.address.stack()) {
            Some(branch) => branch.steps.push(entry),
            None => branches.push(Branch { stack: step.address.stack().to_owned(), steps: vec![entry] }),
        }
    }
    branches
}

/// The mark of an action.
pub(super) fn mark(action: Action) -> Mark {
    match action {
        Action::Create => Mark::Add,
        Action::Update => Mark::Change,
        Action::Delete => Mark::Remove,
        Action::ReplaceDeleteFirst => Mark::ReplaceDeleteFirst,
        Action::ReplaceCreateFirst => Mark::ReplaceCreateFirst,
    }
}

/// Why a step is in the plan, in words.
pub(super) fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Missing => "not in AWS yet",
        Reason::ConfigurationChanged => "the configuration changed",
        Reason::Drifted => "changed in AWS by somebody else",
        Reason::ChangedAndDrifted => "the configuration changed, and AWS was changed by somebody else",
        Reason::Unfinished => "an earlier apply did not finish",
        Reason::RecordOnly => "as wanted; only the record in its tags is missing or old",
        Reason::NotWanted => "no longer in the configuration",
        Reason::Superseded => "an old snapshot, beyond those kept for a rollback",
        Reason::Destroy => "everything is to go",
        Reason::RolledBack => "you go back to it",
        Reason::CanaryPromoted => "the canary gets all requests",
        Reason::CanaryAborted => "the canary ends",
    }
}

fn step_entry(step: &Step, verbose: bool) -> Entry {
    let mut text = Text::of(Tone::Plain, step.address.kind()).plain(" ").push(Tone::Strong, step.address.name());
    if let Some(name) = step.name.as_deref().filter(|name| *name != step.address.name()) {
        text = text.segment(" ", 2, 4).push(Tone::Faint, &format!("({name})"));
    }
    text = text.plain(":").segment(" ", 2, 4).plain(why(step.reason));
    let below = match step.action {
        Action::Create => created(step, verbose),
        Action::Delete => deleted(step, verbose),
        Action::Update | Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst => {
            let changes = step.changes.iter().map(Change::from).collect();
            describe(step, changes, Detail { verbose, brief: false })
        }
    };
    let note = note(step).map(|note| Entry::new(None, Text::of(Tone::Faint, note)));
    Entry::new(mark(step.action), text).with(note.into_iter().chain(below).collect())
}

/// What some kinds are for, where their fields do not say it.
fn note(step: &Step) -> Option<&'static str> {
    match (step.address.kind(), step.action) {
        ("deployment", Action::Delete) | (_, Action::Update | Action::Delete) => None,
        ("deployment", _) => Some("a snapshot of the API for the stage to serve"),
        _ => None,
    }
}

/// As many fields of a new resource are worth a line each.
const MAIN_FIELDS: usize = 8;

fn created(step: &Step, verbose: bool) -> Vec<Entry> {
    let detail = Detail { verbose, brief: true };
    let changes = taken_apart(vec![Change::whole(None, step.after.as_ref())], 1);
    describe(step, changes, detail)
}

fn deleted(step: &Step, verbose: bool) -> Vec<Entry> {
    if verbose {
        let changes = taken_apart(vec![Change::whole(step.before(), None)], 1);
        return describe(step, changes, Detail { verbose, brief: true });
    }
    let routes =
        step.before().and_then(|spec| spec.get("routes")).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    let sentence = match routes {
        0 => return Vec::new(),
        1 => "with its route".to_owned(),
        many => format!("with its {many} routes"),
    };
    vec![Entry::new(None, Text::of(Tone::Faint, &sentence))]
}

/// Entries for the changes of one resource: what is best told in its own way in its own way, the rest field by field.
pub(super) fn describe(step: &Step, changes: Vec<Change>, detail: Detail) -> Vec<Entry> {
    let mut general = Vec::new();
    let mut special = Vec::new();
    for change in changes {
        let is_special = matches!(
            (step.address.kind(), change.first()),
            ("rest-api", "routes" | "authorizers" | "gateway_responses" | "policy")
                | ("iam-role", "assume_role_policy" | "inline_policies")
        );
        if is_special { special.push(change) } else { general.push(change) }
    }
    let mut entries = if detail.full() {
        named_fields(general, &|change| change.path.join("."), &step.forced_by, detail)
    } else {
        main_fields(general, detail)
    };
    let special = grouped(&special);
    for name in ["routes", "authorizers", "gateway_responses", "policy", "assume_role_policy", "inline_policies"] {
        let Some((_, changes)) = special.iter().find(|(known, _)| known == name) else { continue };
        entries.extend(special_part(step, name, changes.clone(), detail));
    }
    entries
}

fn special_part(step: &Step, name: &str, changes: Vec<Change>, detail: Detail) -> Vec<Entry> {
    let subject = |noun: &str, path: &[&str]| {
        let at = |spec: Option<&'_ Value>| path.iter().try_fold(spec?.clone(), |at, name| at.get(*name).cloned());
        (noun.to_owned(), at(step.before()), at(step.after.as_ref()))
    };
    let statements = |(noun, before, after): (String, Option<Value>, Option<Value>), changes| {
        policy::entries(&policy::Subject { noun, before: before.as_ref(), after: after.as_ref() }, changes, detail)
    };
    match name {
        "routes" => document::routes(changes, &step.labels, detail),
        "authorizers" => document::named_parts("authorizer", changes, detail),
        "gateway_responses" => document::named_parts("gateway response", changes, detail),
        "policy" => statements(subject("policy", &["policy"]), changes),
        "assume_role_policy" => statements(subject("trust policy", &["assume_role_policy"]), changes),
        _ => grouped(&taken_apart(changes, 1))
            .into_iter()
            .flat_map(|(name, changes)| {
                statements(subject(&format!("inline policy {name}"), &["inline_policies", &name]), changes)
            })
            .collect(),
    }
}

/// The fields of a new resource that say what it will be like. Its name is in the line above, tags are on everything,
/// the API is the one above, and what is only known later says nothing now.
fn main_fields(changes: Vec<Change>, detail: Detail) -> Vec<Entry> {
    const LONG: usize = 60;
    let telling = |change: &Change| {
        let Some(value) = change.only() else { return true };
        let is_long = value.as_str().is_some_and(|text| text.len() > LONG);
        let is_nothing = matches!(value, Value::Object(members) if members.is_empty())
            || matches!(value, Value::Array(items) if items.is_empty());
        !["name", "tags", "rest_api", "snapshot"].contains(&change.first())
            && as_reference(value).is_none()
            && !is_long
            && !is_nothing
    };
    let fields: Vec<Change> = taken_apart(changes, usize::MAX).into_iter().filter(telling).collect();
    limited(named_fields(fields, &|change| change.path.join("."), &[], detail), MAIN_FIELDS, "field", detail)
}

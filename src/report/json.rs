//! A plan as JSON in the shape of `terraform show -json`, so that policy checkers, summarisers and commenters that
//! people already run on Terraform plans read it.
//!
//! What is ours alone stands under `gwctl` members: Terraform's readers skip what they don't know.

use serde_json::{Map, Value, json};

use super::mask::{masked, sensitive_parts};
use super::planned::{Planned, failure_json};
use crate::error::Failure;
use crate::model::diff::FieldChange;
use crate::model::{Address, as_reference};
use crate::plan::{Action, Plan, Reason, Step, Summary, Unchanged};

/// The version of Terraform's format that this follows.
pub(super) const FORMAT_VERSION: &str = "1.2";

/// One plan. Addresses are those of the resources inside the environment: `gate/rest-api/gateway`.
///
/// `gwctl` holds `product`, `environment`, `account`, `region`, `partition`, `status`, `summary` and `warnings`. A drift whose
/// last applied state is not recorded (both sides moved) has `before: null` in `resource_drift`.
#[must_use]
pub fn plan_json(plan: &Plan) -> Value {
    let plan = &masked(plan);
    document(&[(plan, String::new())], true, &about(plan))
}

/// Several plans as one object. With more than one, every address begins with product and environment,
/// `product-a/dev/gate/rest-api/gateway`, and `gwctl` holds the `summary` of all and, under `plans`, what it holds for
/// one. An environment without a plan has the status `failed` and says why.
#[must_use]
pub fn plans_json(planned: &[Planned]) -> Value {
    match planned {
        [Planned { plan: Ok(plan), .. }] => return plan_json(plan),
        [one @ Planned { plan: Err(failure), .. }] => return document(&[], false, &about_failed(one, failure)),
        _ => {}
    }
    let masked: Vec<Plan> = planned.iter().filter_map(|one| one.plan.as_ref().ok()).map(masked).collect();
    let prefixed: Vec<(&Plan, String)> = masked.iter().map(|plan| (plan, format!("{}/", plan.owner))).collect();
    let mut total = Summary::default();
    for Summary { add, change, destroy } in masked.iter().map(Plan::summary) {
        total.add += add;
        total.change += change;
        total.destroy += destroy;
    }
    let mut plans = masked.iter();
    let all: Vec<Value> = planned
        .iter()
        .filter_map(|one| match &one.plan {
            Ok(_) => plans.next().map(about),
            Err(failure) => Some(about_failed(one, failure)),
        })
        .collect();
    document(&prefixed, masked.len() == planned.len(), &json!({ "summary": total, "plans": all }))
}

fn about(plan: &Plan) -> Value {
    json!({
        "product": plan.owner.product,
        "environment": plan.owner.environment,
        "account": plan.place.account,
        "region": plan.place.region,
        "partition": plan.place.partition,
        "status": if plan.is_empty() { "no_changes" } else { "changes" },
        "summary": plan.summary(),
        "warnings": plan.warnings,
    })
}

fn about_failed(planned: &Planned, failure: &Failure) -> Value {
    json!({
        "product": planned.owner.product,
        "environment": planned.owner.environment,
        "account": planned.place.account,
        "region": planned.place.region,
        "partition": planned.place.partition,
        "status": "failed",
        "failure": failure_json(failure),
    })
}

fn document(plans: &[(&Plan, String)], complete: bool, about: &Value) -> Value {
    let (mut changes, mut drift, mut planned) = (Vec::new(), Vec::new(), Vec::new());
    for (plan, prefix) in plans {
        for step in &plan.steps {
            changes.push(step_change(step, prefix));
            drift.extend(step_drift(step, prefix));
            planned.extend(step.after.as_ref().map(|after| planned_value(&step.address, after, prefix)));
        }
        for unchanged in &plan.unchanged {
            changes.push(no_op(unchanged, prefix));
            planned.push(planned_value(&unchanged.address, &unchanged.live.spec, prefix));
        }
    }
    json!({
        "format_version": FORMAT_VERSION,
        "gwctl_version": env!("CARGO_PKG_VERSION"),
        "planned_values": { "root_module": { "resources": planned } },
        "resource_changes": changes,
        "resource_drift": drift,
        "output_changes": {},
        "complete": complete,
        "errored": !complete,
        "applyable": plans.iter().any(|(plan, _)| !plan.is_empty()),
        "gwctl": about,
    })
}

/// The members that every mention of a resource begins with.
pub(super) fn resource(address: &Address, prefix: &str) -> Map<String, Value> {
    let members = [
        ("address", format!("{prefix}{address}")),
        ("mode", "managed".to_owned()),
        ("type", address.kind().to_owned()),
        ("name", address.name().to_owned()),
        ("provider_name", "gwctl".to_owned()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn step_change(step: &Step, prefix: &str) -> Value {
    let mut members = resource(&step.address, prefix);
    let mut change = change(actions(step.action), step.before(), step.after.as_ref());
    if !step.forced_by.is_empty() {
        change["replace_paths"] = step.forced_by.iter().map(|path| replace_path(path, &step.changes)).collect();
    }
    members.insert("change".to_owned(), change);
    let reason = match (step.action, step.reason) {
        (Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst, _) => Some("replace_because_cannot_update"),
        (Action::Delete, Reason::NotWanted) => Some("delete_because_no_resource_config"),
        _ => None,
    };
    if let Some(reason) = reason {
        members.insert("action_reason".to_owned(), reason.into());
    }
    members.insert("gwctl".to_owned(), json!({ "reason": step.reason, "name_in_aws": step.name }));
    members.into()
}

fn no_op(unchanged: &Unchanged, prefix: &str) -> Value {
    let mut members = resource(&unchanged.address, prefix);
    let spec = Some(&unchanged.live.spec);
    members.insert("change".to_owned(), change(&["no-op"], spec, spec));
    members.into()
}

/// What moved in AWS since the last apply. If the configuration did not change, what was last applied is what is
/// wanted.
fn step_drift(step: &Step, prefix: &str) -> Option<Value> {
    let applied = match step.reason {
        Reason::Drifted => step.after.as_ref(),
        Reason::ChangedAndDrifted => None,
        _ => return None,
    };
    let verb: &[&str] = if step.live.is_some() { &["update"] } else { &["delete"] };
    let mut members = resource(&step.address, prefix);
    members.insert("change".to_owned(), change(verb, applied, step.before()));
    Some(members.into())
}

fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::Create => &["create"],
        Action::Update => &["update"],
        Action::Delete => &["delete"],
        Action::ReplaceDeleteFirst => &["delete", "create"],
        Action::ReplaceCreateFirst => &["create", "delete"],
    }
}

pub(super) fn change(actions: &[&str], before: Option<&Value>, after: Option<&Value>) -> Value {
    // Terraform says `false`, not `{}`, for the sensitive parts of what does not exist.
    let sensitive = |spec: Option<&Value>| spec.map_or(Value::Bool(false), sensitive_parts);
    json!({
        "actions": actions,
        "before": before.map(known),
        "after": after.map(known),
        "after_unknown": after.and_then(unknown).unwrap_or_else(|| json!({})),
        "before_sensitive": sensitive(before),
        "after_sensitive": sensitive(after),
    })
}

fn planned_value(address: &Address, spec: &Value, prefix: &str) -> Value {
    let mut members = resource(address, prefix);
    members.insert("values".to_owned(), known(spec));
    members.insert("sensitive_values".to_owned(), sensitive_parts(spec));
    members.into()
}

/// The value without what is known only later: members are left out, items of lists are null so that the others keep
/// their places.
fn known(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let known = members.iter().filter(|(_, member)| as_reference(member).is_none());
            Value::Object(known.map(|(name, member)| (name.clone(), known_item(member))).collect())
        }
        other => known_item(other),
    }
}

fn known_item(value: &Value) -> Value {
    match value {
        item if as_reference(item).is_some() => Value::Null,
        Value::Array(items) => items.iter().map(known_item).collect(),
        Value::Object(_) => known(value),
        other => other.clone(),
    }
}

/// `true` at every value that is known only later, in the shape of the value; `None` if all of it is known.
fn unknown(value: &Value) -> Option<Value> {
    if as_reference(value).is_some() {
        return Some(true.into());
    }
    match value {
        Value::Object(members) => {
            let unknown: Map<String, Value> =
                members.iter().filter_map(|(name, member)| Some((name.clone(), unknown(member)?))).collect();
            (!unknown.is_empty()).then(|| unknown.into())
        }
        Value::Array(items) => {
            let unknown: Vec<Option<Value>> = items.iter().map(unknown).collect();
            unknown
                .iter()
                .any(Option::is_some)
                .then(|| unknown.into_iter().map(|item| item.unwrap_or(Value::Bool(false))).collect())
        }
        _ => None,
    }
}

/// The dotted path as a list. The names on the way may have dots themselves, so the change it comes from decides.
fn replace_path(dotted: &str, changes: &[FieldChange]) -> Value {
    match changes.iter().find(|change| change.dotted() == dotted) {
        Some(change) => json!(change.path),
        None => dotted.split('.').collect(),
    }
}

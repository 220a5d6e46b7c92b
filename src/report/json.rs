//! A plan as JSON in the shape of `terraform show -json`, so that policy checkers, summarisers and commenters that
//! people already run on Terraform plans read it.
//!
//! What is ours alone stands under `gwctl` members: Terraform's readers skip what they don't know.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::mask::{masked, sensitive_parts};
use super::planned::failure_json;
use crate::error::Failure;
use crate::model::diff::FieldChange;
use crate::model::{Address, Owner, Place, as_reference};
use crate::plan::{Action, Plan, Reason, Step, Summary, Unchanged};

/// The version of Terraform's format that this follows.
pub(super) const FORMAT_VERSION: &str = "1.2";

/// One plan. Addresses are those of the resources inside the environment: `gate/rest-api/gateway`.
///
/// `gwctl` holds `product`, `environment`, `account`, `region`, `partition`, `status`, `summary` and `warnings`. A drift whose
/// last applied state is not recorded (both sides moved) has `before: null` in `resource_drift`.
#[derive(Debug, Clone)]
pub struct PlanJson {
    about: Value,
    summary: Summary,
    is_empty: bool,
    changes: Vec<Packed>,
    drift: Vec<Packed>,
    planned: Vec<Packed>,
}

impl PlanJson {
    /// A plan for itself.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self::beginning_with("", plan)
    }

    /// One among several: every address begins with product and environment, `product-a/dev/gate/rest-api/gateway`.
    #[must_use]
    pub fn among_several(plan: &Plan) -> Self {
        Self::beginning_with(&format!("{}/", plan.owner), plan)
    }

    fn beginning_with(prefix: &str, plan: &Plan) -> Self {
        let plan = masked(plan);
        let steps = plan.steps.iter();
        let later = steps.clone().filter_map(|step| Some((&step.address, step.after.as_ref()?)));
        let stays = plan.unchanged.iter().map(|one| (&one.address, &one.live.spec));
        Self {
            about: about(&plan),
            summary: plan.summary(),
            is_empty: plan.is_empty(),
            changes: (steps.clone().map(|step| step_change(step, prefix)))
                .chain(plan.unchanged.iter().map(|one| no_op(one, prefix)))
                .map(|value| Packed::of(&value))
                .collect(),
            drift: steps.filter_map(|step| step_drift(step, prefix)).map(|value| Packed::of(&value)).collect(),
            planned: (later.chain(stays))
                .map(|(address, spec)| Packed::of(&planned_value(address, spec, prefix)))
                .collect(),
        }
    }
}

impl Serialize for PlanJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document::of(&[self], true, &self.about).serialize(serializer)
    }
}

/// Plans as one object: several that are each [among several](PlanJson::among_several), or one for itself; or what an environment is
/// known by without one.
pub(super) struct PlansJson<'a>(pub(super) Vec<Result<&'a PlanJson, Value>>);

impl Serialize for PlansJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [Ok(plan)] => return plan.serialize(serializer),
            [Err(about)] => return Document::of(&[], false, about).serialize(serializer),
            _ => {}
        }
        let plans: Vec<&PlanJson> = self.0.iter().filter_map(|one| one.as_ref().ok().copied()).collect();
        let mut total = Summary::default();
        for Summary { add, change, destroy } in plans.iter().map(|plan| plan.summary) {
            total.add += add;
            total.change += change;
            total.destroy += destroy;
        }
        let all: Vec<&Value> =
            self.0.iter().map(|one| one.as_ref().map_or_else(|about| about, |plan| &plan.about)).collect();
        let about = json!({ "summary": total, "plans": all });
        Document::of(&plans, plans.len() == self.0.len(), &about).serialize(serializer)
    }
}

/// What an environment without a plan is known by: `gwctl` of its plan, with `status` `failed` and why.
pub(super) fn about_failed(owner: &Owner, place: &Place, failure: &Failure) -> Value {
    json!({
        "product": owner.product,
        "environment": owner.environment,
        "account": place.account,
        "region": place.region,
        "partition": place.partition,
        "status": "failed",
        "failure": failure_json(failure),
    })
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

/// The whole, with its members in the order of their names, as in every other object.
#[derive(Serialize)]
struct Document<'a> {
    applyable: bool,
    complete: bool,
    errored: bool,
    format_version: &'static str,
    gwctl: &'a Value,
    gwctl_version: &'static str,
    output_changes: Map<String, Value>,
    planned_values: Root<'a>,
    resource_changes: Vec<&'a Packed>,
    resource_drift: Vec<&'a Packed>,
}

#[derive(Serialize)]
struct Root<'a> {
    root_module: Module<'a>,
}

#[derive(Serialize)]
struct Module<'a> {
    resources: Vec<&'a Packed>,
}

impl<'a> Document<'a> {
    fn of(plans: &[&'a PlanJson], complete: bool, about: &'a Value) -> Self {
        let all = |of: fn(&PlanJson) -> &[Packed]| plans.iter().flat_map(|plan| of(plan)).collect();
        Self {
            applyable: plans.iter().any(|plan| !plan.is_empty),
            complete,
            errored: !complete,
            format_version: FORMAT_VERSION,
            gwctl: about,
            gwctl_version: env!("CARGO_PKG_VERSION"),
            output_changes: Map::new(),
            planned_values: Root { root_module: Module { resources: all(|plan| &plan.planned) } },
            resource_changes: all(|plan| &plan.changes),
            resource_drift: all(|plan| &plan.drift),
        }
    }
}

/// JSON that waits to be written as its text: as a tree of values it takes many times the memory, and a fleet has hundreds of plans.
#[derive(Debug, Clone)]
struct Packed(Box<str>);

impl Packed {
    fn of(value: &Value) -> Self {
        Self(value.to_string().into())
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<Value>(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
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

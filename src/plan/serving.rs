//! Plans that move what a stage serves, and touch nothing else: rollbacks and canaries.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Action, Plan, Reason, Step, Unchanged, Warning};
use crate::error::{Failure, FailureKind, Result};
use crate::model::diff::diff;
use crate::model::{Address, Digest, Live, Observed, Owner, Ownership, Place, as_reference};

/// What these plans are made from.
#[derive(Debug, Clone, Copy)]
pub struct Serving<'a> {
    /// Whose the plan is.
    pub owner: &'a Owner,
    /// Where it applies.
    pub place: &'a Place,
    /// What AWS holds.
    pub live: &'a Live,
    /// The stack whose stage is meant: needed where an environment has several.
    pub stack: Option<&'a str>,
}

/// What a stage served at some time, from the records of applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The stage.
    pub stage: Address,
    /// The deployment.
    pub deployment: String,
    /// The apply got to its end.
    pub good: bool,
    /// The versions of functions that stood then.
    pub versions: Vec<Address>,
}

/// What a stage goes back to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// A deployment, by its id or by the digest in its address; absent: the last good one before the one that is served.
    pub deployment: Option<String>,
    /// Aliases of functions go back too, to the versions that stood when the deployment was last served.
    pub functions: bool,
}

impl<'a> Serving<'a> {
    /// Every live resource of a kind that is ours.
    fn own(&self, kind: &str) -> impl Iterator<Item = (&'a Address, &'a Observed)> {
        self.live.get(kind).into_iter().flatten().filter_map(|one| Some((one.address()?, one)))
    }

    /// The stage that is meant.
    fn stage(&self) -> Result<(&'a Address, &'a Observed)> {
        let meant = |address: &Address| self.stack.is_none_or(|stack| address.stack() == stack);
        let all: Vec<_> = self.own("stage").filter(|(address, _)| meant(address)).collect();
        match all.as_slice() {
            [one] => Ok(*one),
            [] => {
                let stack = self.stack.map_or_else(String::new, |stack| format!(" of `{stack}`"));
                let message = format!("{} has no stage{stack} of a REST API", self.owner);
                Err(Failure::new(FailureKind::Refused, message)
                    .hint("look at what there is with `gwctl show`; HTTP APIs deploy by themselves and keep nothing to go back to"))
            }
            _ => {
                let stacks: Vec<&str> = all.iter().map(|(address, _)| address.stack()).collect();
                Err(Failure::new(FailureKind::Usage, format!("{} has several stages", self.owner))
                    .hint(format!("say which with --stack: {}", stacks.join(", "))))
            }
        }
    }

    /// The deployments of a stage's API, the newest first.
    fn deployments(&self, stage: &Observed) -> Vec<(&'a Address, &'a Observed)> {
        let mut all: Vec<_> = self.own("deployment").filter(|(_, one)| one.within == stage.within).collect();
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.created));
        all
    }

    fn plan(&self, steps: Vec<Step>, warnings: Vec<Warning>) -> Plan {
        let all = self.live.values().flatten().filter_map(|one| Some((one.address()?, one)));
        let same = all.filter(|(address, _)| !steps.iter().any(|step| &step.address == *address));
        let unchanged = same.map(|(address, live)| Unchanged { address: address.clone(), live: live.clone() });
        Plan { owner: self.owner.clone(), place: self.place.clone(), unchanged: unchanged.collect(), steps, warnings }
    }

    /// Back to an earlier deployment.
    pub fn roll_back(&self, past: &[Past], target: &Target) -> Result<Plan> {
        let (address, stage) = self.stage()?;
        if canary(&stage.spec).is_some() {
            return Err(Failure::new(FailureKind::Refused, format!("{address} has a canary"))
                .hint("end it first: gwctl canary abort"));
        }
        let served = text(&stage.spec, "deployment");
        let to = self.chosen(address, stage, past, target.deployment.as_deref())?;
        let mut steps = Vec::new();
        if to.name == served {
            if target.deployment.is_some() && !target.functions {
                let message = format!("{address} serves deployment {served} already");
                return Err(Failure::new(FailureKind::Refused, message).hint("there is nothing to go back to with it"));
            }
        } else {
            let mut after = stage.spec.clone();
            after["deployment"] = to.name.as_str().into();
            steps.push(moved(address, stage, after, Reason::RolledBack));
        }
        if target.functions {
            steps.extend(self.aliases_back(address, past, &to.name)?);
        }
        let stays = if target.functions { "roles, web ACL" } else { "functions, roles, web ACL" };
        let warnings = vec![
            Warning {
                message: format!(
                    "{stays} and the editable API stay as they are: a rollback moves what the stage serves and nothing else"
                ),
                hint: None,
            },
            Warning {
                message: "the next apply moves the stage to what the configuration says then".to_owned(),
                hint: Some("take the change out of the configuration before it".to_owned()),
            },
        ];
        Ok(self.plan(steps, warnings))
    }

    /// The deployment to go back to.
    fn chosen(
        &self,
        address: &Address,
        stage: &'a Observed,
        past: &[Past],
        wanted: Option<&str>,
    ) -> Result<&'a Observed> {
        let all = self.deployments(stage);
        let served = text(&stage.spec, "deployment");
        let known = || {
            let known = all.iter().map(|(address, one)| {
                let now = if one.name == served { ", served now" } else { "" };
                format!("{} (snapshot {}{}{now})", one.name, address.name(), made(one.created))
            });
            known.collect::<Vec<_>>()
        };
        if let Some(wanted) = wanted {
            let is_it = |address: &Address, one: &Observed| one.name == wanted || address.name() == wanted;
            let found = all.iter().find(|(address, one)| is_it(address, one)).map(|(_, one)| *one);
            return found.ok_or_else(|| {
                let failure =
                    Failure::new(FailureKind::Refused, format!("{address} has no deployment `{wanted}` to go back to"));
                known().into_iter().fold(failure, |failure, one| failure.hint(format!("there is {one}")))
            });
        }
        let stands = |id: &str| all.iter().find(|(_, one)| one.name == id && id != served).map(|(_, one)| *one);
        let good = past.iter().filter(|one| one.good && &one.stage == address).find_map(|one| stands(&one.deployment));
        // Without records, the one that was made before the one that is served.
        let age = all.iter().position(|(_, one)| one.name == served).map_or(0, |at| at + 1);
        good.or_else(|| all.get(age).map(|(_, one)| *one)).ok_or_else(|| {
            let message = format!("{address} has no earlier deployment to go back to");
            known().into_iter().fold(Failure::new(FailureKind::Refused, message), |failure, one| {
                failure.hint(format!("there is {one}; choose it with --to"))
            })
        })
    }

    /// Each alias of the stack's functions to the version that stood when the deployment was last served.
    fn aliases_back(&self, stage: &Address, past: &[Past], deployment: &str) -> Result<Vec<Step>> {
        let aliases: Vec<_> = self.own("function-alias").filter(|(one, _)| one.stack() == stage.stack()).collect();
        if aliases.is_empty() {
            let message = format!("the functions of `{}` have no aliases that could go back", stage.stack());
            return Err(Failure::new(FailureKind::Refused, message)
                .hint("functions get versions and an alias with `provisioned_concurrency`; without it, apply an earlier configuration"));
        }
        let then = past.iter().find(|one| one.good && &one.stage == stage && one.deployment == deployment);
        let then = then.ok_or_else(|| {
            let message = format!("no record says which versions of the functions stood when {deployment} was served");
            Failure::new(FailureKind::Refused, message).hint(
                "go back without --functions; records are as old as the retention of the access logs lets them be",
            )
        })?;
        let mut steps = Vec::new();
        for (address, alias) in aliases {
            let versions = self.own("function-version").filter(|(_, one)| one.within == alias.within);
            let version = versions.into_iter().find(|(one, _)| then.versions.contains(one));
            let (_, version) = version.ok_or_else(|| {
                let message = format!("the version that {address} pointed at then is gone");
                Failure::new(FailureKind::Refused, message)
                    .hint("go back without --functions, or apply an earlier configuration")
            })?;
            let number = version.outputs.required("version")?;
            if text(&alias.spec, "version") != number {
                let mut after = alias.spec.clone();
                after["version"] = number.into();
                steps.push(moved(address, alias, after, Reason::RolledBack));
            }
        }
        Ok(steps)
    }

    /// The canary's deployment for all requests.
    pub fn promote(&self) -> Result<Plan> {
        let (address, stage) = self.stage()?;
        let canary = canary(&stage.spec).ok_or_else(|| no_canary(address))?;
        if canary.get("variables").and_then(Value::as_object).is_some_and(|variables| !variables.is_empty()) {
            let message = format!("the canary of {address} overrides stage variables, which the configuration decides");
            return Err(Failure::new(FailureKind::Refused, message)
                .hint("write them into `stage_variables` and apply, after: gwctl canary abort"));
        }
        let mut after = without_canary(&stage.spec);
        after["deployment"] = canary.get("deployment").cloned().unwrap_or_default();
        Ok(self.plan(vec![moved(address, stage, after, Reason::CanaryPromoted)], Vec::new()))
    }

    /// No canary any more: all requests go to what the stage serves.
    pub fn abort(&self) -> Result<Plan> {
        let (address, stage) = self.stage()?;
        canary(&stage.spec).ok_or_else(|| no_canary(address))?;
        let step = moved(address, stage, without_canary(&stage.spec), Reason::CanaryAborted);
        let warning = Warning {
            message: "the next apply deploys what the configuration says then, for all requests".to_owned(),
            hint: Some("take the change out of the configuration before it".to_owned()),
        };
        Ok(self.plan(vec![step], vec![warning]))
    }
}

/// The same plan with each new deployment on `percent` of the requests only, as the stage's canary.
pub fn as_canary(mut plan: Plan, percent: f64) -> Result<Plan> {
    let mut canaries = 0;
    let mut kept = Vec::new();
    let mut steps = Vec::new();
    for mut step in std::mem::take(&mut plan.steps) {
        if step.address.kind() != "stage" {
            steps.push(step);
            continue;
        }
        let (Action::Update, Some(live), Some(after)) = (step.action, &step.live, &step.after) else {
            return Err(Failure::new(FailureKind::Refused, format!("{} can't begin with a canary", step.address))
                .cause("a canary is a share of the requests to a stage that serves already")
                .hint("apply without --canary"));
        };
        let (served, new) = (&live.spec["deployment"], &after["deployment"]);
        if served == new {
            steps.push(step);
            continue;
        }
        canaries += 1;
        if let Some(other) = canary(&live.spec).filter(|canary| canary.get("deployment") != Some(new)) {
            return Err(Failure::new(
                FailureKind::Refused,
                format!("{} has a canary of another deployment", step.address),
            )
            .cause(format!("{} % of the requests go to {}", other["percent"], text(other, "deployment")))
            .hint("end it first: gwctl canary promote, or gwctl canary abort"));
        }
        let mut wanted = after.clone();
        wanted["deployment"] = served.clone();
        wanted["canary"] = json!({ "deployment": new, "percent": percent, "use_stage_cache": false, "variables": {} });
        kept.push(text(&live.spec, "deployment").to_owned());
        step.changes = diff(&live.spec, &wanted);
        if step.changes.is_empty() && is_recorded(live, &wanted) {
            plan.unchanged.push(Unchanged { address: step.address, live: live.clone() });
            continue;
        }
        step.after = Some(wanted);
        steps.push(step);
    }
    if canaries == 0 {
        return Err(Failure::new(FailureKind::Refused, format!("{} has nothing new for a canary to try", plan.owner))
            .hint("apply without --canary; a canary is for a change of the API itself: routes, policy, integrations"));
    }
    // What the stage goes on serving stays.
    steps.retain(|step| {
        let served = step.live.as_ref().is_some_and(|live| kept.contains(&live.name));
        !(step.address.kind() == "deployment" && step.action == Action::Delete && served)
    });
    let whole: Vec<String> = steps
        .iter()
        .filter(|step| !["stage", "deployment", "rest-api"].contains(&step.address.kind()) && !step.only_records())
        .map(|step| step.address.to_string())
        .collect();
    if !whole.is_empty() {
        plan.warnings.push(Warning {
            message: format!(
                "only the API is tried on {percent} % of the requests; for all of them changes: {}",
                whole.join(", ")
            ),
            hint: None,
        });
    }
    plan.steps = steps;
    Ok(plan)
}

/// Whether the tag of a live resource has the digest of a spec.
fn is_recorded(live: &Observed, spec: &Value) -> bool {
    as_reference(&spec["canary"]["deployment"]).is_none()
        && matches!(&live.ownership, Ownership::Ours { digest: Some(digest), .. } if digest == Digest::of(spec).as_str())
}

fn no_canary(stage: &Address) -> Failure {
    Failure::new(FailureKind::Refused, format!("{stage} has no canary"))
        .hint("begin one with: gwctl apply --canary PERCENT")
}

fn canary(stage: &Value) -> Option<&Value> {
    stage.get("canary").filter(|canary| !canary.is_null())
}

fn without_canary(stage: &Value) -> Value {
    let mut stage = stage.clone();
    if let Some(members) = stage.as_object_mut() {
        members.remove("canary");
    }
    stage
}

fn text<'v>(spec: &'v Value, member: &str) -> &'v str {
    spec.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// `, made 2026-01-31T09:30:00Z`
fn made(created: Option<i64>) -> String {
    let time = created.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(String::new, |time| format!(", made {time}"))
}

fn moved(address: &Address, live: &Observed, after: Value, reason: Reason) -> Step {
    Step {
        address: address.clone(),
        name: Some(live.name.clone()),
        action: Action::Update,
        reason,
        forced_by: Vec::new(),
        changes: diff(&live.spec, &after),
        after: Some(after),
        live: Some(live.clone()),
        after_steps: Vec::new(),
        retires_after: Vec::new(),
        labels: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests;

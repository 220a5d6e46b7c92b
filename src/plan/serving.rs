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

/// What a whole apply, or a promoted canary, left a stage with. Rollbacks are none of these: what somebody fled to says nothing of how
/// good it is, and what they fled from least of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The stage.
    pub stage: Address,
    /// The deployment.
    pub deployment: String,
    /// The version that each alias of a function pointed at.
    pub aliases: BTreeMap<Address, String>,
}

/// What a stage goes back to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// A deployment, by its id or by the digest in its address; absent: the last good one before the one that is served.
    pub deployment: Option<String>,
    /// Aliases of functions go back too, to where the last apply that served the deployment had them.
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

    /// Back to an earlier deployment. `past` is the newest first.
    pub fn roll_back(&self, past: &[Past], target: &Target) -> Result<Plan> {
        let (address, stage) = self.stage()?;
        if canary(&stage.spec).is_some() {
            return Err(Failure::new(FailureKind::Refused, format!("{address} has a canary"))
                .hint("end it first: gwctl canary abort"));
        }
        let served = text(&stage.spec, "deployment");
        let cut_off = self.cut_off(stage);
        let wanted = target.deployment.as_deref().or(cut_off.map(|_| served));
        let to = self.chosen(address, stage, past, wanted)?;
        let (mut steps, mut warnings) = (Vec::new(), Vec::new());
        if to.name == served {
            if let Some(from) = cut_off {
                // Nothing to change but the record.
                steps.push(moved(address, stage, stage.spec.clone(), Reason::RolledBack));
                warnings.push(Warning {
                    message: format!("{address} was moved back from {} already, and that was not recorded", from.name),
                    hint: Some("this records it; to go back further, say where to with --to".to_owned()),
                });
            } else if !target.functions {
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
        if steps.is_empty() {
            let message = format!("{address} and the aliases are where deployment {served} had them");
            return Err(Failure::new(FailureKind::Refused, message).hint("there is nothing to go back to with it"));
        }
        let stays = if target.functions { "roles, web ACL" } else { "functions, roles, web ACL" };
        if cut_off.is_none() {
            warnings.extend(moved_by_others(&steps));
        }
        warnings.extend([
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
        ]);
        Ok(self.plan(steps, warnings))
    }

    /// The deployment that a stage served before it was moved back by something that ended before it recorded that: with it, and with
    /// nothing else changed, the stage would be as its tag says. What serves a newer one than recorded was not moved back. (AWS tells
    /// when one was made to the second: of two of one second either may be the newer.)
    fn cut_off(&self, stage: &'a Observed) -> Option<&'a Observed> {
        let all = self.deployments(stage);
        let served = text(&stage.spec, "deployment");
        let since = all.iter().find(|(_, one)| one.name == served)?.1.created?;
        let mut others = all.into_iter().map(|(_, one)| one).filter(|one| one.name != served);
        others.find(|one| {
            if one.created.is_none_or(|made| made < since) {
                return false;
            }
            let mut before = stage.spec.clone();
            before["deployment"] = one.name.as_str().into();
            is_recorded(stage, &before)
        })
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
        // Only what is older than the one that is served: after a rollback, a second one goes further back.
        let mut good = past.iter().filter(|one| &one.stage == address).skip_while(|one| one.deployment != served);
        let good = good.find_map(|one| stands(&one.deployment));
        // Without records, the last one that was made before the one that is served. AWS tells times to the second: of two in the same
        // one nobody knows which was first.
        let since = all.iter().find(|(_, one)| one.name == served).and_then(|(_, one)| one.created);
        let mut older = all.iter().filter(|(_, one)| one.name != served && (since.is_none() || one.created < since));
        good.or_else(|| older.next().map(|(_, one)| *one)).ok_or_else(|| {
            let message = format!("{address} has no earlier deployment to go back to");
            let others = known().into_iter().filter(|one| !one.ends_with(", served now)"));
            others.fold(Failure::new(FailureKind::Refused, message), |failure, one| {
                failure.hint(format!("there is {one}; choose it with --to"))
            })
        })
    }

    /// Each alias of the stack's functions to the version that the last apply with the deployment had it at.
    fn aliases_back(&self, stage: &Address, past: &[Past], deployment: &str) -> Result<Vec<Step>> {
        let aliases: Vec<_> = self.own("function-alias").filter(|(one, _)| one.stack() == stage.stack()).collect();
        if aliases.is_empty() {
            let message = format!("the functions of `{}` have no aliases that could go back", stage.stack());
            return Err(Failure::new(FailureKind::Refused, message)
                .hint("functions get versions and an alias with `provisioned_concurrency`; without it, apply an earlier configuration"));
        }
        let then = past.iter().find(|one| &one.stage == stage && one.deployment == deployment);
        let then = then.ok_or_else(|| {
            let message = format!("no record says which versions of the functions went with {deployment}");
            Failure::new(FailureKind::Refused, message).hint(
                "go back without --functions; records are as old as the retention of the access logs lets them be",
            )
        })?;
        let mut steps = Vec::new();
        for (address, alias) in aliases {
            let mut versions = self.own("function-version").filter(|(_, one)| one.within == alias.within);
            let number = then.aliases.get(address);
            let stands =
                |number: &&String| versions.any(|(_, one)| one.outputs.get("version") == Some(number.as_str()));
            let number = number.filter(stands).ok_or_else(|| {
                let message = format!("the version that {address} pointed at then is gone");
                Failure::new(FailureKind::Refused, message)
                    .hint("go back without --functions, or apply an earlier configuration")
            })?;
            if text(&alias.spec, "version") != number {
                let mut after = alias.spec.clone();
                after["version"] = number.as_str().into();
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
        let steps = vec![moved(address, stage, after, Reason::CanaryPromoted)];
        let warnings = moved_by_others(&steps);
        Ok(self.plan(steps, warnings))
    }

    /// No canary any more: all requests go to what the stage serves.
    pub fn abort(&self) -> Result<Plan> {
        let (address, stage) = self.stage()?;
        canary(&stage.spec).ok_or_else(|| no_canary(address))?;
        let steps = vec![moved(address, stage, without_canary(&stage.spec), Reason::CanaryAborted)];
        let mut warnings = moved_by_others(&steps);
        warnings.push(Warning {
            message: "the next apply deploys what the configuration says then, for all requests".to_owned(),
            hint: Some("take the change out of the configuration before it".to_owned()),
        });
        Ok(self.plan(steps, warnings))
    }
}

/// Says so where a step goes on with what somebody changed by hand.
fn moved_by_others(steps: &[Step]) -> Vec<Warning> {
    let by_hand = |step: &&Step| step.live.as_ref().is_some_and(|live| !is_as_recorded(live));
    let sentence = |step: &Step| Warning {
        message: format!("somebody changed {} since the last apply, and that stays as it is", step.address),
        hint: Some("`gwctl drift` says what, as long as nothing else is done".to_owned()),
    };
    steps.iter().filter(by_hand).map(sentence).collect()
}

/// The same plan with each new deployment on `percent` of the requests only, as the stage's canary.
pub fn as_canary(mut plan: Plan, percent: f64) -> Result<Plan> {
    let (mut kept, mut steps) = (Vec::new(), Vec::new());
    for step in std::mem::take(&mut plan.steps) {
        let is_new = |step: &Step| Some(step.before()?.get("deployment")? != step.after.as_ref()?.get("deployment")?);
        match (step.address.kind(), is_new(&step)) {
            ("stage", Some(true)) => {
                kept.extend(step.before().map(|live| text(live, "deployment").to_owned()));
                match canary_step(step, percent)? {
                    Ok(step) => steps.push(step),
                    Err(unchanged) => plan.unchanged.push(unchanged),
                }
            }
            ("stage", None) => return Err(no_stage_yet(&step)),
            _ => steps.push(step),
        }
    }
    if kept.is_empty() {
        return Err(Failure::new(FailureKind::Refused, format!("{} has nothing new for a canary to try", plan.owner))
            .hint("apply without --canary; a canary is for a change of the API itself: routes, policy, integrations"));
    }
    // What the stage goes on serving stays.
    steps.retain(|step| {
        let served = step.live.as_ref().is_some_and(|live| kept.contains(&live.name));
        !(step.address.kind() == "deployment" && step.action == Action::Delete && served)
    });
    let whole: Vec<String> = steps.iter().filter_map(changes_for_all).collect();
    if !whole.is_empty() {
        plan.warnings.push(Warning {
            message: format!(
                "only the API is tried on {percent} % of the requests; for all of them changes: {}",
                whole.join(", ")
            ),
            hint: Some("apply these first, or leave them for later, if that is not what you want".to_owned()),
        });
    }
    plan.steps = steps;
    Ok(plan)
}

fn no_stage_yet(step: &Step) -> Failure {
    Failure::new(FailureKind::Refused, format!("{} can't begin with a canary", step.address))
        .cause("a canary is a share of the requests to a stage that serves already")
        .hint("apply without --canary")
}

/// The step that gives a stage a canary instead of a deployment; or the stage, if it has just that canary.
fn canary_step(mut step: Step, percent: f64) -> Result<Result<Step, Unchanged>> {
    let (Action::Update, Some(live), Some(after)) = (step.action, &step.live, &step.after) else {
        return Err(no_stage_yet(&step));
    };
    let (served, new) = (&live.spec["deployment"], &after["deployment"]);
    if let Some(other) = canary(&live.spec).filter(|canary| canary.get("deployment") != Some(new)) {
        return Err(Failure::new(FailureKind::Refused, format!("{} has a canary of another deployment", step.address))
            .cause(format!("{} % of the requests go to {}", other["percent"], text(other, "deployment")))
            .hint("end it first: gwctl canary promote, or gwctl canary abort"));
    }
    let mut wanted = after.clone();
    wanted["deployment"] = served.clone();
    wanted["canary"] = json!({ "deployment": new, "percent": percent, "use_stage_cache": false, "variables": {} });
    step.changes = diff(&live.spec, &wanted);
    if step.changes.is_empty() && is_recorded(live, &wanted) {
        return Ok(Err(Unchanged { address: step.address, live: live.clone() }));
    }
    step.reason = match (is_recorded(live, &wanted), is_as_recorded(live)) {
        (true, _) => Reason::Drifted,
        (false, true) => Reason::ConfigurationChanged,
        (false, false) => Reason::ChangedAndDrifted,
    };
    step.after = Some(wanted);
    Ok(Ok(step))
}

/// What a step of a plan with a canary changes for all requests, if anything.
fn changes_for_all(step: &Step) -> Option<String> {
    match step.address.kind() {
        _ if step.only_records() => None,
        "deployment" | "rest-api" => None,
        "stage" => {
            let members = step.changes.iter().filter_map(|change| change.path.first());
            let mut members: Vec<&str> = members.map(String::as_str).collect();
            members.retain(|member| !["deployment", "canary"].contains(member));
            members.dedup();
            (!members.is_empty()).then(|| format!("{} ({})", step.address, members.join(", ")))
        }
        _ => Some(step.address.to_string()),
    }
}

/// Whether a live resource is as its tag says it was applied.
fn is_as_recorded(live: &Observed) -> bool {
    matches!(&live.ownership, Ownership::Ours { digest: Some(digest), .. } if digest == Digest::of(&live.spec).as_str())
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
        old_ones_first: Vec::new(),
        labels: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests;

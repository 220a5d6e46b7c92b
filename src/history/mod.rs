//! What was done to an environment: the record that every apply, destroy, rollback and canary leaves in AWS.
//!
//! Records stand as JSON lines in the log stream [`STREAM`] of the environment's own access log groups, so that they need no
//! store of their own, are seen by whoever may see the logs, and go when the environment goes. A record names what was
//! applied, by address and digest, and never holds a spec: no secret gets into it. Records are as old as the log group's
//! retention lets them be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apply::{Applied, Ended};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Observed, Owner, Ownership, Place, Reference, resolve};
use crate::origin::Origin;
use crate::plan::{Action, Plan, Reason, Step, Summary};

/// The log stream of an environment's access log group that holds its records.
pub const STREAM: &str = "gwctl/history";

/// The kind and the name of the log groups that hold records: each stack has one.
const GROUP: (&str, &str) = ("log-group", "access");

/// The form of a record. A reader that meets a newer one says so instead of guessing.
const FORMAT: u32 = 1;

/// What CloudWatch Logs takes as one event, in bytes, with the 26 that it counts for each event itself (API reference of
/// `PutLogEvents`: 1 MB since 2025, 256 KB before; the smaller one holds everywhere).
const LARGEST: usize = 256 * 1024 - 26;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// AWS was made what the configuration says.
    Apply,
    /// The same, with the new deployment on a share of the requests only.
    ApplyCanary,
    /// Everything was removed.
    Destroy,
    /// A stage was moved back to an earlier deployment.
    Rollback,
    /// All requests were moved to the canary's deployment.
    CanaryPromote,
    /// The canary was taken away.
    CanaryAbort,
}

impl Deed {
    /// The word for it: `apply`, `canary-promote`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::ApplyCanary => "apply-canary",
            Self::Destroy => "destroy",
            Self::Rollback => "rollback",
            Self::CanaryPromote => "canary-promote",
            Self::CanaryAbort => "canary-abort",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All of it was done.
    Done,
    /// A step failed.
    Failed,
    /// The user ended it half-way.
    Interrupted,
}

impl Ending {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The resource.
    pub address: Address,
    /// The name AWS knows it by, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was to happen to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Whether it happened.
    pub done: bool,
    /// Why it did not, if it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Which deployment a stage serves since then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Served {
    /// The deployment's id.
    pub deployment: String,
    /// The one before, where there was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The canary's deployment and its percent of the requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<(String, f64)>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`] of the gwctl that wrote it.
    pub format: u32,
    /// What it is called: the time and some letters by chance.
    pub id: String,
    /// When it began: RFC 3339, UTC, to the millisecond.
    pub began: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was done.
    pub deed: Deed,
    /// How it ended.
    pub result: Ending,
    /// Who did it, and from where.
    pub by: Origin,
    /// The version of gwctl.
    pub gwctl: String,
    /// To whom.
    pub owner: Owner,
    /// In which account and Region.
    pub place: Place,
    /// What was added, changed and destroyed: of the plan, what was done.
    pub summary: Summary,
    /// The plan's steps, and what became of them.
    pub steps: Vec<StepRecord>,
    /// Everything that stands since then, by address, with the digest of what was applied last.
    pub applied: BTreeMap<Address, String>,
    /// Which deployment each stage serves since then, by the stage's address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub serves: BTreeMap<Address, Served>,
    /// Which version each alias of a function points at since then, by the alias's address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<Address, String>,
}

/// When something was done, and by whom.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// What.
    pub deed: Deed,
    /// When it began.
    pub began: jiff::Timestamp,
    /// Who.
    pub by: Origin,
}

impl Record {
    /// The record of a plan that was carried out. `hide` takes the secrets out of a failure's text.
    #[must_use]
    pub fn of(plan: &Plan, applied: &Applied, circumstances: &Circumstances, hide: &dyn Fn(&str) -> String) -> Self {
        let Circumstances { deed, began, by } = circumstances;
        let steps = plan.steps.iter().zip(&applied.ended).map(|(step, ended)| StepRecord {
            address: step.address.clone(),
            name: step.name.clone(),
            action: step.action,
            reason: step.reason,
            done: matches!(ended, Ended::Done(_)),
            failure: match ended {
                Ended::Failed(failure) | Ended::OldStays(_, failure) => Some(hide(&failure.to_string())),
                _ => None,
            },
        });
        let ending = match applied {
            Applied { interrupted: true, .. } => Ending::Interrupted,
            applied if applied.is_done() => Ending::Done,
            _ => Ending::Failed,
        };
        let elapsed = jiff::Timestamp::now().duration_since(*began);
        let began = began.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let chance: String = std::iter::repeat_with(fastrand::alphanumeric).take(6).collect();
        Self {
            format: FORMAT,
            id: format!("{began}-{}", chance.to_ascii_lowercase()),
            began,
            seconds: (elapsed.as_secs_f64() * 10.0).round() / 10.0,
            deed: *deed,
            result: ending,
            by: by.clone(),
            gwctl: env!("CARGO_PKG_VERSION").to_owned(),
            owner: plan.owner.clone(),
            place: plan.place.clone(),
            summary: done(plan, applied),
            steps: steps.collect(),
            applied: standing(plan, applied),
            serves: served(plan, applied),
            aliases: aliases(plan, applied),
        }
    }

    /// The record as the one line that is logged. One that is too large for an event goes without the text of its failures,
    /// and then without its steps: what stands is what later commands ask for.
    pub fn line(&self) -> Result<String> {
        let text = |record: &Self| {
            serde_json::to_string(record)
                .map_err(|error| Failure::internal("a record can't be written").because(&error))
        };
        let mut line = text(self)?;
        let mut less = self.clone();
        if line.len() > LARGEST {
            less.steps.iter_mut().for_each(|step| step.failure = None);
            line = text(&less)?;
        }
        if line.len() > LARGEST {
            less.steps.clear();
            line = text(&less)?;
        }
        Ok(line)
    }

    /// Reads a line. What is no record of ours is none: anybody may write to a log stream.
    pub fn read(line: &str) -> Result<Option<Self>> {
        let Ok(value) = serde_json::from_str::<Value>(line) else { return Ok(None) };
        let Some(format) = value.get("format").and_then(Value::as_u64) else { return Ok(None) };
        if format > u64::from(FORMAT) {
            let message = format!("a record of a newer gwctl can't be read: its format is {format}, not {FORMAT}");
            return Err(Failure::new(FailureKind::Refused, message).hint("update gwctl"));
        }
        Ok(serde_json::from_value(value).ok())
    }
}

/// The log groups, by name, that hold the records of an environment with these resources.
pub fn groups<'a>(resources: impl Iterator<Item = (&'a Address, Option<&'a str>)>) -> Vec<String> {
    let mut all: Vec<(&Address, &str)> = resources
        .filter(|(address, _)| (address.kind(), address.name()) == GROUP)
        .filter_map(|(address, name)| Some((address, name?)))
        .collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// The log group, by name, that a record of a plan that was carried out goes to; none where none stands. Of one that was given
/// another name, the new one: the old one may be gone.
#[must_use]
pub fn group_of(record: &Record, plan: &Plan, applied: &Applied) -> Option<String> {
    let read = plan.steps.iter().filter_map(|step| Some((&step.address, &step.live.as_ref()?.outputs)));
    let read = read.filter(|(address, _)| !applied.outputs.contains_key(*address));
    let standing = applied.outputs.iter().chain(read).filter(|(address, _)| record.applied.contains_key(*address));
    groups(standing.map(|(address, outputs)| (address, outputs.get("name")))).into_iter().next()
}

/// The records in lines of several log groups, the newest first, each once, and what could not be read of them.
#[must_use]
pub fn newest_first(lines: impl IntoIterator<Item = String>) -> (Vec<Record>, Vec<Failure>) {
    let (mut records, mut failures) = (BTreeMap::new(), Vec::new());
    for line in lines {
        match Record::read(&line) {
            Ok(Some(record)) => {
                records.insert((record.began.clone(), record.id.clone()), record);
            }
            Ok(None) => {}
            Err(failure) => failures.push(failure),
        }
    }
    (records.into_values().rev().collect(), failures)
}

fn digest(live: &Observed) -> Option<String> {
    match &live.ownership {
        Ownership::Ours { digest, .. } => digest.clone(),
        _ => None,
    }
}

/// What stands after a plan, with the digest of what was applied last.
fn standing(plan: &Plan, applied: &Applied) -> BTreeMap<Address, String> {
    let unchanged = plan.unchanged.iter().filter_map(|one| Some((one.address.clone(), digest(&one.live)?)));
    let mut standing: BTreeMap<Address, String> = unchanged.collect();
    // What goes comes last in a plan, and the old one of an address may go while the new one stands.
    for (step, ended) in plan.steps.iter().zip(&applied.ended) {
        let made = match ended {
            Ended::Done(digest) | Ended::OldStays(digest, _) => {
                digest.as_ref().map(|digest| digest.as_str().to_owned())
            }
            Ended::Failed(_) | Ended::Interrupted | Ended::NotBegun => {
                step.live.as_ref().and_then(digest_of_step(step))
            }
        };
        match made {
            Some(made) => drop(standing.insert(step.address.clone(), made)),
            None if !is_made(plan, &step.address) => drop(standing.remove(&step.address)),
            None => {}
        }
    }
    standing
}

fn digest_of_step(step: &Step) -> impl Fn(&Observed) -> Option<String> {
    // A replacement that failed may have removed the old one already.
    let stands = matches!(step.action, Action::Update | Action::Delete);
    move |live| digest(live).filter(|_| stands)
}

/// Whether the plan makes or keeps a resource of this address, besides deleting one.
fn is_made(plan: &Plan, address: &Address) -> bool {
    plan.steps.iter().any(|step| &step.address == address && step.action != Action::Delete)
        || plan.unchanged.iter().any(|one| &one.address == address)
}

/// The counts of the steps that were done.
fn done(plan: &Plan, applied: &Applied) -> Summary {
    let steps = plan
        .steps
        .iter()
        .zip(&applied.ended)
        .filter(|(_, ended)| matches!(ended, Ended::Done(_) | Ended::OldStays(..)));
    Plan { steps: steps.map(|(step, _)| step.clone()).collect(), ..plan.clone() }.summary()
}

/// The specs of all resources of a kind after a plan, each with the one before if a step changed it.
fn specs(plan: &Plan, applied: &Applied, kind: &str) -> Vec<(Address, Value, Option<Value>)> {
    let known =
        |reference: &Reference| applied.outputs.get(&reference.address)?.get(&reference.output).map(str::to_owned);
    let unchanged = plan.unchanged.iter().filter(|one| one.address.kind() == kind);
    let mut all: Vec<_> = unchanged.map(|one| (one.address.clone(), one.live.spec.clone(), None)).collect();
    for (step, ended) in plan.steps.iter().zip(&applied.ended).filter(|(step, _)| step.address.kind() == kind) {
        match (ended, &step.after, step.before()) {
            (Ended::Done(Some(_)) | Ended::OldStays(Some(_), _), Some(after), before) => {
                all.push((step.address.clone(), resolve(after, &known), before.cloned()));
            }
            (Ended::Failed(_) | Ended::Interrupted | Ended::NotBegun, _, Some(before)) => {
                all.push((step.address.clone(), before.clone(), None));
            }
            _ => {}
        }
    }
    all
}

fn text(spec: &Value, key: &str) -> Option<String> {
    spec.get(key)?.as_str().map(str::to_owned)
}

/// Which deployments the stages serve after a plan.
fn served(plan: &Plan, applied: &Applied) -> BTreeMap<Address, Served> {
    let canary = |spec: &Value| {
        let canary = spec.get("canary")?;
        Some((text(canary, "deployment")?, canary.get("percent")?.as_f64()?))
    };
    let served = |(address, spec, before): (Address, Value, Option<Value>)| {
        let deployment = text(&spec, "deployment")?;
        let before = before.and_then(|before| text(&before, "deployment")).filter(|one| *one != deployment);
        Some((address, Served { canary: canary(&spec), deployment, before }))
    };
    specs(plan, applied, "stage").into_iter().filter_map(served).collect()
}

/// Which versions the aliases point at after a plan.
fn aliases(plan: &Plan, applied: &Applied) -> BTreeMap<Address, String> {
    let all = specs(plan, applied, "function-alias").into_iter();
    all.filter_map(|(address, spec, _)| Some((address, text(&spec, "version")?))).collect()
}

#[cfg(test)]
mod tests;

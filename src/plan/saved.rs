//! Plans in a file, to be looked at and carried out later.
//!
//! A saved plan holds what was shown, with its secrets masked, and no spec as it is: for each step it has digests of what was
//! read and of what is wanted. Whoever carries it out reads AWS and the configuration again, plans again, and goes on only if
//! the plan comes out the same. So nothing is done that was not in the file. Secrets are in it as salted digests only: whoever has the
//! file can try guesses at a short one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Plan, Step};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Owner, Place, canonical};

/// The form of the file. It changes with what stands in it.
const FORMAT: &str = "gwctl-plan/1";

/// What was asked for on the command line, to be asked for again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Products.
    pub products: Vec<String>,
    /// Environments.
    pub environments: Vec<String>,
    /// All where none is named.
    pub all: bool,
    /// Another Region than the configuration's, or one of several.
    pub region: Option<String>,
    /// Percent of the requests for new deployments.
    pub canary: Option<f64>,
    /// Which AWS: none for AWS itself, else an endpoint, or the folder of a sandbox.
    pub world: Option<String>,
}

/// A plan in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    format: String,
    /// The version of gwctl that made it.
    gwctl: String,
    /// When it was made: RFC 3339, UTC.
    pub made: String,
    /// What was asked for.
    pub asked: Asked,
    /// Goes into every digest, so that nobody recognises a secret by the digest of it elsewhere.
    salt: String,
    environments: Vec<SavedEnvironment>,
}

/// The plan of one environment in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedEnvironment {
    /// As it was shown.
    shown: Plan,
    steps: Vec<SavedStep>,
}

/// What a step is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStep {
    address: Address,
    action: Action,
    /// The digest of the resource as it was read.
    before: Option<Digest>,
    /// The digest of the spec that is wanted, references and all.
    after: Option<Digest>,
}

impl SavedPlan {
    /// Takes down plans. `shown` is what becomes of a plan before it is shown: without its secrets.
    #[must_use]
    pub fn new(asked: Asked, plans: &[Plan], shown: &dyn Fn(&Plan) -> Plan) -> Self {
        let salt: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
        let environments = plans.iter().map(|plan| SavedEnvironment { shown: shown(plan), steps: steps(plan, &salt) });
        Self {
            format: FORMAT.to_owned(),
            gwctl: env!("CARGO_PKG_VERSION").to_owned(),
            made: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            asked,
            environments: environments.collect(),
            salt,
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// If it is no saved plan, or that of another version of gwctl.
    pub fn read(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<String>,
            gwctl: Option<String>,
        }
        let again = "make it again: gwctl plan --out FILE";
        let no_plan = |cause: &dyn std::error::Error| {
            Failure::new(FailureKind::Usage, "the file is no saved plan of gwctl").because(cause).hint(again)
        };
        let head: Head = serde_json::from_str(text).map_err(|error| no_plan(&error))?;
        let here = env!("CARGO_PKG_VERSION");
        match (head.format.as_deref(), head.gwctl.as_deref()) {
            (Some(FORMAT), Some(version)) if version == here => {}
            (Some(format), Some(version)) if format.starts_with("gwctl-plan/") => {
                let message = format!("the plan was saved by gwctl {version}, and this is {here}");
                return Err(Failure::new(FailureKind::Refused, message)
                    .cause("another version may read and write other things")
                    .hint(again));
            }
            _ => {
                return Err(Failure::new(FailureKind::Usage, "the file is no saved plan of gwctl")
                    .cause(format!("its `format` is not `{FORMAT}`"))
                    .hint(again));
            }
        }
        let saved: Self = serde_json::from_str(text).map_err(|error| no_plan(&error))?;
        let agrees = |one: &SavedEnvironment| {
            let shown = one.shown.steps.iter().map(|step| (&step.address, step.action));
            shown.eq(one.steps.iter().map(|step| (&step.address, step.action)))
        };
        if saved.environments.is_empty() || !saved.environments.iter().all(agrees) {
            return Err(Failure::new(
                FailureKind::Refused,
                "the saved plan was changed: what it shows is not what it would do",
            )
            .hint(again));
        }
        Ok(saved)
    }

    /// The text of the file.
    pub fn to_text(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|error| Failure::internal("a plan can't be written").because(&error))
    }

    /// The plans as they were shown.
    pub fn shown(&self) -> impl Iterator<Item = &Plan> {
        self.environments.iter().map(|one| &one.shown)
    }

    /// Whether it has a plan for an environment in a place.
    #[must_use]
    pub fn has(&self, owner: &Owner, place: &Place) -> bool {
        self.shown().any(|plan| &plan.owner == owner && &plan.place == place)
    }

    /// Refuses a plan, made now, that is not the saved one of its environment, and says what moved. `shown` is what becomes of it before
    /// it is shown: what people looked at has to be what is done.
    pub fn fits(&self, now: &Plan, shown: &Plan) -> Result<()> {
        let name = format!("{} in {} {}", now.owner, now.place.account, now.place.region);
        let is_it = |one: &&SavedEnvironment| one.shown.owner == now.owner && one.shown.place == now.place;
        let Some(saved) = self.environments.iter().find(is_it) else {
            return Err(Failure::new(FailureKind::Refused, format!("the saved plan is not for {name}")));
        };
        let moved = moved(&saved.steps, &steps(now, &self.salt), now);
        if moved.is_empty() && saved.shown.steps == shown.steps {
            return Ok(());
        }
        if moved.is_empty() {
            let message = format!("the saved plan shows something else than what would be done to {name}");
            return Err(Failure::new(FailureKind::Refused, message)
                .cause("the file was changed, or something that AWS decides was")
                .hint("nothing was changed; look at the new plan, and save it again: gwctl plan --out FILE"));
        }
        let failure = Failure::new(FailureKind::Refused, format!("the saved plan no longer fits {name}"));
        let failure = moved.into_iter().fold(failure, Failure::cause);
        Err(failure.hint("nothing was changed; look at the new plan, and save it again: gwctl plan --out FILE"))
    }
}

fn steps(plan: &Plan, salt: &str) -> Vec<SavedStep> {
    let digest = |value: &Value| Digest::of_bytes(format!("{salt}{}", canonical(value)).as_bytes());
    let step = |step: &Step| SavedStep {
        address: step.address.clone(),
        action: step.action,
        before: step.before().map(digest),
        after: step.after.as_ref().map(digest),
    };
    plan.steps.iter().map(step).collect()
}

/// What moved between two plans, a sentence each.
fn moved(saved: &[SavedStep], now: &[SavedStep], plan: &Plan) -> Vec<String> {
    let addresses: BTreeSet<&Address> = saved.iter().chain(now).map(|step| &step.address).collect();
    let mut sentences = Vec::new();
    for address in addresses {
        let of = |all: &'_ [SavedStep]| -> Vec<SavedStep> {
            all.iter().filter(|step| &step.address == address).cloned().collect()
        };
        let (was, is) = (of(saved), of(now));
        if was == is {
            continue;
        }
        sentences.push(match (was.as_slice(), is.as_slice()) {
            ([], _) => {
                let reason = plan.step(address).map_or("", |step| why(step));
                format!("{address} is to be changed now, and was not then{reason}")
            }
            (_, []) => format!("{address} is as wanted now, and was not then"),
            ([was], [is]) if was.before != is.before && was.after == is.after => {
                format!("{address} changed in AWS since")
            }
            ([was], [is]) if was.before == is.before && was.after != is.after => {
                format!("the configuration of {address} changed since")
            }
            _ => format!("{address} changed since, in the configuration and in AWS"),
        });
    }
    sentences
}

fn why(step: &Step) -> &'static str {
    use super::Reason;
    match step.reason {
        Reason::ConfigurationChanged | Reason::NotWanted => ": the configuration changed",
        Reason::Drifted => ": somebody changed it in AWS",
        _ => "",
    }
}

#[cfg(test)]
mod tests;

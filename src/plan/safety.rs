//! Refuses plans that are more likely a mistake than a wish.

use super::{Action, Plan, Reason};
use crate::error::{Failure, FailureKind, Result};

/// An apply that deletes more than this share of what exists is refused unless asked for. The usual way there is a
/// configuration that did not load as its author thinks, or the wrong environment's file.
const MOST_DELETES_PERCENT: usize = 30;

/// Kinds whose removal takes something away that never comes back, and what.
const IRREPLACEABLE: [(&str, &str); 13] = [
    ("rest-api", "its id and URL are lost for good"),
    ("stage", "its URL answers no more, and custom domains and WAF associations go with it"),
    ("log-group", "its events are lost for good"),
    ("execution-log-group", "its events are lost for good"),
    ("domain-name", "the host that DNS points to is lost for good"),
    ("web-acl", "nothing filters the requests that it filtered, and its samples are lost for good"),
    ("http-api", "its id and URL are lost for good"),
    ("http-stage", "its URL answers no more, and domain names lead to it no more"),
    ("http-vpc-link", "its id is lost for good, and integrations that name it reach nothing"),
    ("hosted-zone", "its name servers are lost for good"),
    ("s3-bucket", "its objects are lost for good"),
    ("firehose-stream", "what waits in it is lost for good"),
    ("vpc-link", "its id is lost for good, and routes that name it reach nothing"),
];

/// Refuses a plan that removes what never comes back, or a large share of what exists; and one that would stop half-way,
/// at a stage with a canary. `destroy` says what it does by its name and does not come through here.
pub fn refuse_dangerous(plan: &Plan, allow_deletes: bool) -> Result<()> {
    refuse_over_canary(plan)?;
    if allow_deletes {
        return Ok(());
    }
    let gone: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| step.reason != Reason::Superseded)
        .filter(|step| matches!(step.action, Action::Delete | Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst))
        .collect();
    let hint = "look at the plan; if it is what you want, run it again with --allow-deletes";
    for (kind, loss) in IRREPLACEABLE {
        if let Some(step) = gone.iter().find(|step| step.address.kind() == kind) {
            let name = step.live.as_ref().map_or_else(|| step.address.to_string(), |live| live.name.clone());
            let message = format!("the plan removes {kind} `{name}`: {loss}");
            return Err(Failure::new(FailureKind::Refused, message).hint(hint));
        }
    }
    let existing = plan.unchanged.len() + plan.steps.iter().filter(|step| step.live.is_some()).count();
    if gone.len() * 100 > existing * MOST_DELETES_PERCENT {
        let message = format!(
            "the plan removes or replaces {} of {existing} resources, more than {MOST_DELETES_PERCENT} %",
            gone.len()
        );
        return Err(Failure::new(FailureKind::Refused, message).hint(hint));
    }
    Ok(())
}

/// An active canary blocks a plain deployment to its stage (aws-facts F). Better to say so before anything is changed. A plan
/// that keeps the canary, with another share of the requests perhaps, goes on with it.
fn refuse_over_canary(plan: &Plan) -> Result<()> {
    let deployment = |spec: Option<&serde_json::Value>| {
        let canary = spec?.get("canary").filter(|canary| !canary.is_null())?;
        Some(canary.get("deployment").cloned())
    };
    let canary = plan.steps.iter().find(|step| {
        let before = deployment(step.before());
        step.action == Action::Update && before.is_some() && before != deployment(step.after.as_ref())
    });
    match canary {
        None => Ok(()),
        Some(step) => {
            let message = format!("{} has a canary, and an update would end it", step.address);
            Err(Failure::new(FailureKind::Refused, message)
                .hint("end it first: `gwctl canary promote` gives it all requests, `gwctl canary abort` none")
                .hint("or go on with it: gwctl apply --canary PERCENT"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Observed, Outputs, Owner, Ownership, Place};
    use crate::plan::{Step, Unchanged};
    use std::collections::BTreeMap;

    fn live(address: &Address) -> Observed {
        Observed {
            name: "x".into(),
            within: None,
            spec: serde_json::json!({}),
            outputs: Outputs::default(),
            ownership: Ownership::Ours { address: address.clone(), digest: None },
            created: None,
            in_use_by: None,
        }
    }

    fn plan(kind: &str, reason: Reason, unchanged: usize) -> Plan {
        let address = Address::new("gate", kind, "x");
        Plan {
            owner: Owner { product: "p".into(), environment: "e".into() },
            place: Place { account: String::new(), region: String::new(), partition: "aws".into() },
            steps: vec![Step {
                address: address.clone(),
                name: None,
                action: Action::Delete,
                reason,
                forced_by: Vec::new(),
                changes: Vec::new(),
                after: None,
                live: Some(live(&address)),
                after_steps: Vec::new(),
                retires_after: Vec::new(),
                old_ones_first: Vec::new(),
                labels: BTreeMap::new(),
            }],
            unchanged: (0..unchanged).map(|_| Unchanged { address: address.clone(), live: live(&address) }).collect(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn what_never_comes_back_is_not_removed_unasked() {
        for kind in ["rest-api", "stage", "log-group", "execution-log-group", "domain-name", "web-acl", "vpc-link"] {
            let plan = plan(kind, Reason::NotWanted, 100);
            assert!(refuse_dangerous(&plan, false).is_err(), "{kind}");
            assert!(refuse_dangerous(&plan, true).is_ok(), "{kind}");
        }
    }

    #[test]
    fn a_stage_with_a_canary_is_not_updated() {
        let mut plan = plan("stage", Reason::Drifted, 0);
        plan.steps[0].action = Action::Update;
        assert!(refuse_dangerous(&plan, true).is_ok());
        plan.steps[0].live.as_mut().unwrap().spec = serde_json::json!({"canary": {"percent": 10.0}});
        assert!(refuse_dangerous(&plan, true).is_err());
    }

    #[test]
    fn a_large_share_is_refused_and_pruning_is_not() {
        assert!(refuse_dangerous(&plan("iam-role", Reason::NotWanted, 1), false).is_err());
        assert!(refuse_dangerous(&plan("iam-role", Reason::NotWanted, 9), false).is_ok());
        assert!(refuse_dangerous(&plan("deployment", Reason::Superseded, 0), false).is_ok());
    }
}

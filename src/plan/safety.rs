//! Refuses plans that are more likely a mistake than a wish.

use super::{Action, Plan, Reason};
use crate::error::{Failure, FailureKind, Result};

/// An apply that deletes more than this share of what exists is refused unless asked for. The usual way there is a
/// configuration that did not load as its author thinks, or the wrong environment's file.
const MOST_DELETES_PERCENT: usize = 30;

/// Refuses a plan that removes an API (its id and URL never come back), or a large share of what exists.
/// `destroy` says what it does by its name and does not come through here.
pub fn refuse_dangerous(plan: &Plan, allow_deletes: bool) -> Result<()> {
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
    if let Some(api) = gone.iter().find(|step| step.address.kind() == "rest-api") {
        let message = format!("the plan removes {}: its id and URL are lost for good", api.address);
        return Err(Failure::new(FailureKind::Refused, message).hint(hint));
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
                replaced_by: Vec::new(),
                changes: Vec::new(),
                after: None,
                live: Some(live(&address)),
                after_steps: Vec::new(),
                labels: BTreeMap::new(),
            }],
            unchanged: (0..unchanged).map(|_| Unchanged { address: address.clone(), live: live(&address) }).collect(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn an_api_is_never_removed_unasked() {
        let plan = plan("rest-api", Reason::NotWanted, 100);
        assert!(refuse_dangerous(&plan, false).is_err());
        assert!(refuse_dangerous(&plan, true).is_ok());
    }

    #[test]
    fn a_large_share_is_refused_and_pruning_is_not() {
        assert!(refuse_dangerous(&plan("log-group", Reason::NotWanted, 1), false).is_err());
        assert!(refuse_dangerous(&plan("log-group", Reason::NotWanted, 9), false).is_ok());
        assert!(refuse_dangerous(&plan("deployment", Reason::Superseded, 0), false).is_ok());
    }
}

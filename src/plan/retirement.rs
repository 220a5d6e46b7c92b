//! In which order what is replaced and what is no longer wanted goes: what builds on others first. An old stage serves until it is gone,
//! and asks the old functions and their aliases as long; an old function needs its old role until then.

use super::{Action, Step};
use crate::error::Result;
use crate::model::Address;

/// Says of each step that removes something, at once or as its second half, what has to be gone before. What is deleted waits for other
/// deletions by [`Step::after_steps`] already. Kinds build on kinds of a lower rank.
pub(super) fn order(steps: &mut [Step], rank: impl Fn(&str) -> Result<usize>) -> Result<()> {
    let removes = |step: &&Step| matches!(step.action, Action::Delete | Action::ReplaceCreateFirst);
    let removals = steps.iter().filter(removes);
    let removals = removals.map(|step| Ok((rank(step.address.kind())?, step.action, step.address.clone())));
    let removals: Vec<(usize, Action, Address)> = removals.collect::<Result<_>>()?;
    for (step, (rank, action, _)) in steps.iter_mut().filter(|step| removes(&&**step)).zip(&removals) {
        let first = |(other, and, _): &&(usize, Action, Address)| {
            other > rank && (*action, *and) != (Action::Delete, Action::Delete)
        };
        step.old_ones_first = removals.iter().filter(first).map(|(.., address)| address.clone()).collect();
        step.old_ones_first.sort();
        step.old_ones_first.dedup();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plan::Reason;

    fn step(address: &str, action: Action) -> Step {
        Step {
            address: Address::parse(address).unwrap(),
            name: None,
            action,
            reason: Reason::ConfigurationChanged,
            forced_by: Vec::new(),
            changes: Vec::new(),
            after: None,
            live: None,
            after_steps: Vec::new(),
            retires_after: Vec::new(),
            old_ones_first: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    #[test]
    fn what_builds_on_others_is_gone_before_them() {
        let kinds = ["iam-role", "lambda-function", "function-alias", "rest-api", "stage"];
        let rank = |kind: &str| Ok(kinds.iter().position(|other| *other == kind).unwrap());
        let (function, alias, api, stage) =
            ("gate/lambda-function/one", "gate/function-alias/one", "gate/rest-api/gateway", "gate/stage/gateway");
        let replaced = Action::ReplaceCreateFirst;
        let mut steps = [
            step(function, replaced),
            step(api, Action::Update),
            step(stage, replaced),
            step(alias, Action::Delete),
            step("gate/iam-role/one", Action::Delete),
        ];
        order(&mut steps, rank).unwrap();
        let first = steps.each_ref().map(|step| step.old_ones_first.iter().map(Address::as_str).collect::<Vec<_>>());
        assert_eq!(first, [vec![alias, stage], vec![], vec![], vec![stage], vec![function, stage]]);
    }
}

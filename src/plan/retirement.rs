//! In which order the old ones of what is replaced go: whoever refers to a resource, at any remove, first. An old stage serves until it is
//! gone, and asks the old functions as long; an old function needs its old role until then.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Step};
use crate::model::Address;

/// Says of each step that makes its new one first whose old ones have to be gone before its own. The steps stand in the plan's order:
/// what one refers to stands before it.
pub(super) fn order(steps: &mut [Step]) {
    let mut refers: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for step in steps.iter() {
        let further = step.after_steps.iter().filter_map(|address| refers.get(address)).flatten();
        let all = further.chain(&step.after_steps).cloned().collect();
        refers.insert(step.address.clone(), all);
    }
    let retires = |step: &&Step| step.action == Action::ReplaceCreateFirst;
    let retired: Vec<Address> = steps.iter().filter(retires).map(|step| step.address.clone()).collect();
    for step in steps.iter_mut().filter(|step| retires(&&**step)) {
        let uses = |user: &&Address| refers.get(*user).is_some_and(|all| all.contains(&step.address));
        step.old_ones_first = retired.iter().filter(uses).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Reason;

    fn step(address: &str, action: Action, after: &[&str]) -> Step {
        let parsed = |address: &str| Address::parse(address).unwrap();
        Step {
            address: parsed(address),
            name: None,
            action,
            reason: Reason::ConfigurationChanged,
            forced_by: Vec::new(),
            changes: Vec::new(),
            after: None,
            live: None,
            after_steps: after.iter().map(|address| parsed(address)).collect(),
            retires_after: Vec::new(),
            old_ones_first: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    #[test]
    fn what_refers_to_others_is_gone_before_them() {
        let (function, other) = ("gate/lambda-function/one", "gate/lambda-function/other");
        let (api, stage) = ("gate/rest-api/gateway", "gate/stage/gateway");
        let replaced = Action::ReplaceCreateFirst;
        let mut steps = [
            step(function, replaced, &[]),
            step(other, replaced, &[]),
            step(api, Action::Update, &[function]),
            step(stage, replaced, &[api]),
        ];
        order(&mut steps);
        let first = steps.each_ref().map(|step| step.old_ones_first.iter().map(Address::as_str).collect::<Vec<_>>());
        // The old stage goes before the function that its API asks; the other function is nobody's.
        assert_eq!(first, [vec![stage], vec![], vec![], vec![]]);
    }
}

//! Makes the plan: matches desired with live, compares, orders.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::matching::{Claim, Obstacle, find, foreign};
use super::{Action, Plan, Reason, Step, Unchanged, Warning, retirement};
use crate::error::{Failure, FailureKind, Result};
use crate::model::diff::diff;
use crate::model::{
    Address, Desired, Digest, KindRules, Live, Observed, Outputs, Owner, Ownership, Place, Reference, Rules,
    references, resolve,
};

/// Everything a plan is made from.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose the plan is.
    pub owner: &'a Owner,
    /// Where it applies.
    pub place: &'a Place,
    /// What the configuration wants, in any order.
    pub desired: &'a [Desired],
    /// Outputs that follow from names alone: the ARN of a role that is yet to be made.
    pub predicted: &'a BTreeMap<Address, Outputs>,
    /// What AWS holds.
    pub live: &'a Live,
    /// The kinds' rules.
    pub rules: &'a Rules,
}

/// The plan that turns live into desired.
pub fn build(input: &Input<'_>) -> Result<Plan> {
    let mut draft = Draft::new(input);
    for desired in in_order(input.desired)? {
        draft.consider(desired).map_err(|obstacle| obstacle.failure)?;
    }
    let changed: Vec<Address> = draft.plan.steps.iter().map(|step| step.address.clone()).collect();
    for step in &mut draft.plan.steps {
        if step.action == Action::ReplaceCreateFirst {
            step.retires_after.clone_from(&changed);
        }
    }
    draft.retire(&changed, Reason::NotWanted)?;
    retirement::order(&mut draft.plan.steps, |kind| Ok(rules(input.rules, kind)?.rank))?;
    draft.plan.warnings.extend(strangers(input));
    Ok(draft.plan)
}

/// A desired resource that a plan can't be made for, because what bears its name or its tags is not certainly it.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The desired resource.
    pub address: Address,
    /// What stands in its place: one that is not ours by its tags, or several that are.
    pub live: Vec<Observed>,
    /// Why no plan can be made.
    pub failure: Failure,
}

/// The same walk for whoever only looks: it goes on where a plan would be refused, and says of which resources.
pub fn survey(input: &Input<'_>) -> Result<(Plan, Vec<Taken>)> {
    let mut draft = Draft::new(input);
    let mut taken = Vec::new();
    for desired in in_order(input.desired)? {
        let Err(Obstacle { claims, failure }) = draft.consider(desired) else { continue };
        let live: Vec<&Observed> = claims.iter().filter_map(|(kind, at)| input.live.get(kind)?.get(*at)).collect();
        match live.as_slice() {
            [] => return Err(failure),
            // What refers to it is compared with it all the same.
            [one] => drop(draft.known.insert(desired.address.clone(), one.outputs.clone())),
            _ => draft.foretell(&desired.address),
        }
        taken.push(Taken { address: desired.address.clone(), live: live.into_iter().cloned().collect(), failure });
        draft.claimed.extend(claims);
    }
    draft.doom(&[], Reason::NotWanted)?;
    Ok((draft.plan, taken))
}

/// The plan that removes everything that is ours.
pub fn build_destroy(input: &Input<'_>) -> Result<Plan> {
    refuse_breaking_what_stays(input)?;
    let mut draft = Draft::new(input);
    draft.retire(&[], Reason::Destroy)?;
    Ok(draft.plan)
}

fn empty(input: &Input<'_>) -> Plan {
    Plan {
        owner: input.owner.clone(),
        place: input.place.clone(),
        steps: Vec::new(),
        unchanged: Vec::new(),
        warnings: Vec::new(),
    }
}

struct Draft<'a> {
    input: &'a Input<'a>,
    /// Outputs known at this point of the walk.
    known: BTreeMap<Address, Outputs>,
    plan: Plan,
    claimed: BTreeSet<Claim>,
}

impl<'a> Draft<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        Self { input, known: BTreeMap::new(), plan: empty(input), claimed: BTreeSet::new() }
    }

    fn consider(&mut self, desired: &Desired) -> Result<(), Obstacle> {
        let mut after = resolve(&desired.spec, &|reference: &Reference| {
            self.known.get(&reference.address)?.get(&reference.output).map(str::to_owned)
        });
        let referred: BTreeSet<Address> =
            references(&desired.spec).into_iter().map(|reference| reference.address).collect();
        if !referred.is_empty() {
            after = (self.rules(&desired.address)?.canonical)(after)?;
        }
        let before = self.rules(&desired.address)?.after;
        let needed = self.plan.steps.iter().map(|step| &step.address).filter(|one| before.contains(&one.kind()));
        let referred: BTreeSet<Address> = needed.cloned().chain(referred).collect();
        let step = Step {
            address: desired.address.clone(),
            name: desired.name().map(str::to_owned),
            action: Action::Create,
            reason: Reason::Missing,
            forced_by: Vec::new(),
            changes: Vec::new(),
            after: Some(after),
            live: None,
            after_steps: referred.into_iter().filter(|address| self.plan.step(address).is_some()).collect(),
            retires_after: Vec::new(),
            old_ones_first: Vec::new(),
            labels: desired.labels.clone(),
        };
        if self.rules(&desired.address)?.only_if_missing {
            self.make_if_missing(step);
            return Ok(());
        }
        match find(desired, step.after.as_ref(), self.input)? {
            None => {
                self.foretell(&desired.address);
                self.plan.steps.push(step);
            }
            Some((claim, live)) => {
                self.claimed.insert(claim);
                self.compare(step, live)?;
            }
        }
        Ok(())
    }

    /// A step for what is made only where there is none of its kind. What is there is neither compared nor claimed.
    fn make_if_missing(&mut self, step: Step) {
        let live = self.input.live.get(step.address.kind()).and_then(|all| all.first());
        if let Some(live) = live {
            self.known.insert(step.address.clone(), live.outputs.clone());
            self.plan.unchanged.push(Unchanged { address: step.address, live: live.clone() });
        } else {
            self.foretell(&step.address);
            self.plan.steps.push(step);
        }
    }

    /// Turns a create into what it has to be, now that the resource is there.
    fn compare(&mut self, mut step: Step, live: &Observed) -> Result<()> {
        let after = step.after.clone().unwrap_or_default();
        step.changes = diff(&live.spec, &after);
        let Some(reason) = reason(live, &step.address, &after, step.changes.is_empty()) else {
            self.known.insert(step.address.clone(), live.outputs.clone());
            self.plan.unchanged.push(Unchanged { address: step.address, live: live.clone() });
            return Ok(());
        };
        step.reason = reason;
        let rules = self.rules(&step.address)?;
        step.forced_by = rules
            .replace_on
            .iter()
            .filter(|path| step.changes.iter().any(|change| change.is_within(path)))
            .map(|path| (*path).to_owned())
            .collect();
        step.action = match step.forced_by.as_slice() {
            [] => Action::Update,
            _ if rules.names_are_unique && step.name.as_deref() == Some(&live.name) => Action::ReplaceDeleteFirst,
            _ => Action::ReplaceCreateFirst,
        };
        if step.action == Action::Update {
            self.known.insert(step.address.clone(), live.outputs.clone());
        } else {
            self.foretell(&step.address);
        }
        step.live = Some(live.clone());
        self.plan.steps.push(step);
        Ok(())
    }

    fn foretell(&mut self, address: &Address) {
        let outputs = self.input.predicted.get(address).cloned().unwrap_or_default();
        self.known.insert(address.clone(), outputs);
    }

    fn rules(&self, address: &Address) -> Result<KindRules> {
        rules(self.input.rules, address.kind())
    }

    /// How many resources of a kind stay beside the wanted ones: in all, or in the resource that they live in.
    fn spare(&self, kind: &str, parent: Option<&Address>, keep: usize, reason: Reason) -> usize {
        if reason == Reason::Destroy {
            return 0;
        }
        let within = |desired: &&Desired| {
            parent.is_none_or(|parent| references(&desired.spec).iter().any(|reference| reference.address == *parent))
        };
        let wanted = self.input.desired.iter().filter(|desired| desired.address.kind() == kind).filter(within).count();
        keep.saturating_sub(wanted)
    }

    /// Adds the deletion of everything ours that nothing has claimed, unless that takes others along.
    fn retire(&mut self, others: &[Address], reason: Reason) -> Result<()> {
        let doomed = self.plan.steps.len();
        self.doom(others, reason)?;
        refuse_orphaning(&self.plan.steps[doomed..], self.input.live)
    }

    fn doom(&mut self, others: &[Address], reason: Reason) -> Result<()> {
        let mut doomed: Vec<(usize, Step)> = Vec::new();
        for (kind, live) in self.input.live {
            let rules = rules(self.input.rules, kind)?;
            if rules.only_if_missing {
                continue;
            }
            let mut unwanted: Vec<(usize, &Observed)> = live
                .iter()
                .enumerate()
                .filter(|(index, one)| one.address().is_some() && !self.claimed.contains(&(*kind, *index)))
                .collect();
            // Newest first, so that what is kept for a rollback is the most recent.
            unwanted.sort_by_key(|(_, one)| std::cmp::Reverse(one.created));
            let mut kept: BTreeMap<Option<&Address>, usize> = BTreeMap::new();
            for (_, one) in unwanted {
                let parent = one.within.as_ref();
                let left = kept.entry(parent).or_insert_with(|| self.spare(kind, parent, rules.keep, reason));
                if *left > 0 {
                    *left -= 1;
                    continue;
                }
                if let Some(user) = one.in_use_by.as_ref().filter(|_| reason != Reason::Destroy) {
                    self.plan.warnings.push(Warning {
                        message: format!("{kind} `{}` is no longer wanted, but {user} uses it, so it stays", one.name),
                        hint: None,
                    });
                    continue;
                }
                let reason = if rules.keep > 0 && reason == Reason::NotWanted { Reason::Superseded } else { reason };
                doomed.push((rules.rank, deletion(one, reason)?));
            }
        }
        doomed.sort_by(|(a, one), (b, two)| b.cmp(a).then_with(|| one.address.cmp(&two.address)));
        // One address can be deleted twice, where the answer to a create was lost: each goes by its own name.
        let order: Vec<(usize, Address)> = doomed.iter().map(|(rank, step)| (*rank, step.address.clone())).collect();
        for (rank, mut step) in doomed {
            let before = order.iter().filter(|(other, _)| *other > rank).map(|(_, address)| address.clone());
            step.after_steps = others.iter().cloned().chain(before).collect::<BTreeSet<_>>().into_iter().collect();
            self.plan.steps.push(step);
        }
        Ok(())
    }
}

pub(super) fn rules(all: &Rules, kind: &str) -> Result<KindRules> {
    all.get(kind).copied().ok_or_else(|| Failure::internal(format!("no resource kind is named `{kind}`")))
}

fn deletion(live: &Observed, reason: Reason) -> Result<Step> {
    let address = live.address().cloned().ok_or_else(|| Failure::internal("planned to delete what is not ours"))?;
    Ok(Step {
        address,
        name: Some(live.name.clone()),
        action: Action::Delete,
        reason,
        forced_by: Vec::new(),
        changes: Vec::new(),
        after: None,
        live: Some(live.clone()),
        after_steps: Vec::new(),
        retires_after: Vec::new(),
        old_ones_first: Vec::new(),
        labels: BTreeMap::new(),
    })
}

/// An API under our name that has lost our tags would stay and serve, while the functions and roles it calls would go.
fn refuse_breaking_what_stays(input: &Input<'_>) -> Result<()> {
    if input.live.values().flatten().all(|one| one.address().is_none()) {
        return Ok(());
    }
    let all = input.live.get("rest-api").map(Vec::as_slice).unwrap_or_default();
    for desired in input.desired.iter().filter(|one| one.address.kind() == "rest-api") {
        // Beside our own, somebody else's of the same name is none of our business.
        if all.iter().any(|one| one.address() == Some(&desired.address)) {
            continue;
        }
        let same = |one: &&Observed| Some(one.name.as_str()) == desired.name() && one.ownership == Ownership::Nobody;
        if let Some(one) = all.iter().find(same) {
            return Err(foreign(desired, one, input));
        }
    }
    Ok(())
}

/// What somebody added below a resource of ours: never touched, and worth knowing.
fn strangers(input: &Input<'_>) -> Vec<Warning> {
    let strangers = input.live.iter().flat_map(|(kind, all)| all.iter().map(move |one| (kind, one)));
    strangers
        .filter(|(_, one)| one.within.is_some() && one.address().is_none())
        .map(|(kind, one)| Warning {
            message: format!("{kind} `{}` below our resource is not gwctl's and is left alone", one.name),
            hint: Some("delete it if nobody needs it".to_owned()),
        })
        .collect()
}

/// Deleting an API deletes its stages with it. One that is not ours must not go that way.
fn refuse_orphaning(doomed: &[Step], live: &Live) -> Result<()> {
    for step in doomed {
        for (kind, all) in live {
            for child in all {
                if child.within.as_ref() == Some(&step.address) && child.address().is_none() {
                    return Err(Failure::new(
                        FailureKind::Ownership,
                        format!("deleting {} would delete {kind} `{}`, which is not gwctl's", step.address, child.name),
                    )
                    .hint(format!(
                        "delete the {kind} `{}` yourself if nobody needs it, then run this again",
                        child.name
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Who moved; nothing if nobody did.
fn reason(live: &Observed, address: &Address, after: &Value, same: bool) -> Option<Reason> {
    let Ownership::Ours { address: tagged, digest } = &live.ownership else { return Some(Reason::Unfinished) };
    let Some(tag) = digest.as_deref() else { return Some(Reason::Unfinished) };
    let desired = Digest::of(after);
    if same {
        // The tag may also name an older address of the same resource.
        return (tag != desired.as_str() || tagged != address).then_some(Reason::RecordOnly);
    }
    Some(match (tag == desired.as_str(), tag == Digest::of(&live.spec).as_str()) {
        (_, true) => Reason::ConfigurationChanged,
        (true, false) => Reason::Drifted,
        (false, false) => Reason::ChangedAndDrifted,
    })
}

/// Desired resources so that each stands behind what it refers to.
fn in_order(desired: &[Desired]) -> Result<Vec<&Desired>> {
    let mut placed: BTreeSet<&Address> = BTreeSet::new();
    let mut order = Vec::with_capacity(desired.len());
    let mut waiting: Vec<&Desired> = desired.iter().collect();
    while !waiting.is_empty() {
        let (ready, blocked): (Vec<&Desired>, Vec<&Desired>) = waiting
            .into_iter()
            .partition(|one| references(&one.spec).iter().all(|reference| placed.contains(&reference.address)));
        if ready.is_empty() {
            let names: Vec<&str> = blocked.iter().map(|one| one.address.as_str()).collect();
            return Err(Failure::internal(format!("resources refer to each other in a circle: {}", names.join(", "))));
        }
        placed.extend(ready.iter().map(|one| &one.address));
        order.extend(ready);
        waiting = blocked;
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Input as Text;
    use serde_json::json;

    fn rule(replace_on: &'static [&'static str], keep: usize, rank: usize) -> KindRules {
        KindRules {
            replace_on,
            keep,
            only_if_missing: false,
            after: &[],
            names_are_unique: true,
            name_is_place: false,
            way_out: |_, _, _| Vec::new(),
            rank,
            canonical: Ok,
        }
    }

    fn rules() -> Rules {
        BTreeMap::from([
            ("iam-role", rule(&["name"], 0, 0)),
            ("rest-api", rule(&[], 0, 1)),
            ("deployment", rule(&[], 2, 2)),
            ("vpc-link", KindRules { names_are_unique: false, ..rule(&["target"], 0, 1) }),
            ("stage", KindRules { after: &["account-logging"], ..rule(&["name"], 0, 3) }),
            ("account-logging", KindRules { only_if_missing: true, ..rule(&["name"], 0, 4) }),
            ("api-mapping", KindRules { name_is_place: true, way_out: another_key, ..rule(&["name"], 0, 5) }),
        ])
    }

    fn another_key(live: &Observed, address: &Address, _: &Owner) -> Vec<String> {
        vec![format!("give {address} another key than {}", live.name)]
    }

    fn desired(address: &str, spec: Value) -> Desired {
        Desired { address: Address::parse(address).unwrap(), spec, labels: BTreeMap::new() }
    }

    fn live(address: Option<&str>, name: &str, spec: &Value, digest: Option<&Value>) -> Observed {
        let ownership = match address {
            Some(address) => Ownership::Ours {
                address: Address::parse(address).unwrap(),
                digest: digest.map(|spec| Digest::of(spec).as_str().to_owned()),
            },
            None => Ownership::Nobody,
        };
        Observed {
            name: name.to_owned(),
            within: None,
            spec: spec.clone(),
            outputs: Outputs::from_iter([("id", format!("id-of-{name}"))]),
            ownership,
            created: Some(1),
            in_use_by: None,
        }
    }

    fn plan(desired: &[Desired], found: &Live) -> Result<Plan> {
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let place = Place { account: "1".repeat(12), region: "eu-central-1".into(), partition: "aws".into() };
        let predicted = BTreeMap::new();
        build(&Input { owner: &owner, place: &place, desired, predicted: &predicted, live: found, rules: &rules() })
    }

    const ROLE: &str = "gate/iam-role/authorizer";

    fn reason_of(before: &Value, after: &Value, tag: Option<&Value>) -> Option<Reason> {
        let found = Live::from([("iam-role", vec![live(Some(ROLE), "r", before, tag)])]);
        let plan = plan(&[desired(ROLE, after.clone())], &found).unwrap();
        plan.steps.first().map(|step| step.reason)
    }

    #[test]
    fn three_digests_tell_who_moved() {
        let (old, new, edited) =
            (json!({"name": "r", "x": 1}), json!({"name": "r", "x": 2}), json!({"name": "r", "x": 3}));
        assert_eq!(reason_of(&old, &old, Some(&old)), None);
        assert_eq!(reason_of(&old, &new, Some(&old)), Some(Reason::ConfigurationChanged));
        assert_eq!(reason_of(&edited, &old, Some(&old)), Some(Reason::Drifted));
        assert_eq!(reason_of(&edited, &new, Some(&old)), Some(Reason::ChangedAndDrifted));
        assert_eq!(reason_of(&old, &old, Some(&new)), Some(Reason::RecordOnly));
        assert_eq!(reason_of(&old, &old, None), Some(Reason::Unfinished));
        assert_eq!(reason_of(&old, &new, None), Some(Reason::Unfinished));
    }

    #[test]
    fn a_resource_under_our_name_without_our_tags_is_an_error_that_names_it() {
        let found = Live::from([("iam-role", vec![live(None, "r", &json!({"name": "r"}), None)])]);
        let failure = plan(&[desired(ROLE, json!({"name": "r"}))], &found).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Ownership);
        assert!(failure.to_string().contains("iam-role `r` exists already"), "{failure}");
    }

    #[test]
    fn a_name_that_another_parent_has_is_free() {
        let stage = |stack: &str| {
            let api = Address::parse(&format!("{stack}/rest-api/gateway")).unwrap();
            let spec = json!({"name": "dev", "rest_api": Text::output(&api, "id").to_value()});
            desired(&format!("{stack}/stage/gateway"), spec)
        };
        let api = |stack: &str| desired(&format!("{stack}/rest-api/gateway"), json!({"name": stack}));
        let within = Address::parse("gate/rest-api/gateway").unwrap();
        let spec = json!({"name": "dev", "rest_api": "id-of-gate"});
        let there = live(Some("gate/stage/gateway"), "dev", &spec, None);
        let found = Live::from([
            ("rest-api", vec![live(Some("gate/rest-api/gateway"), "gate", &json!({"name": "gate"}), None)]),
            ("stage", vec![Observed { within: Some(within), ..there }]),
        ]);
        let plan = plan(&[api("gate"), stage("gate"), api("system"), stage("system")], &found).unwrap();
        let step = plan.step(&Address::parse("system/stage/gateway").unwrap()).unwrap();
        assert_eq!(step.action, Action::Create);
    }

    #[test]
    fn two_resources_with_one_address_are_an_error_that_lists_them() {
        let spec = json!({"name": "g"});
        let twin = |id: &str| Observed {
            outputs: Outputs::from_iter([("id", id)]),
            ..live(Some("gate/rest-api/gateway"), "g", &spec, None)
        };
        let found = Live::from([("rest-api", vec![twin("aaa"), twin("bbb")])]);
        let failure = plan(&[desired("gate/rest-api/gateway", spec)], &found).unwrap_err();
        assert!(failure.to_string().contains("id aaa") && failure.to_string().contains("id bbb"), "{failure}");
    }

    #[test]
    fn a_renaming_that_was_cut_off_is_finished() {
        let named = |name: &str| {
            let spec = json!({"name": name});
            live(Some(ROLE), name, &spec, Some(&spec))
        };
        let found = Live::from([("iam-role", vec![named("old"), named("new")])]);
        let steps = |wanted: &str| {
            let plan = plan(&[desired(ROLE, json!({"name": wanted}))], &found).unwrap();
            let steps = plan.steps.iter().map(|step| (step.action, step.name.clone().unwrap_or_default()));
            steps.collect::<Vec<_>>()
        };
        assert_eq!(steps("new"), [(Action::Delete, "old".to_owned())]);
        let both = [(Action::Delete, "old".to_owned()), (Action::Delete, "new".to_owned())];
        assert_eq!(steps("newer")[0], (Action::Create, "newer".to_owned()));
        assert_eq!(steps("newer")[1..], both);
    }

    /// Action, address, name, and where it leads: of mappings that lead somewhere, wanted and there.
    fn mapped(wanted: &[(&str, &str)], there: &[(Option<&str>, &str)]) -> Result<Vec<String>> {
        let address = |service: &str| format!("edge/api-mapping/{service}");
        let spec = |service: &str, name: &str| json!({"name": name, "api": format!("api-of-{service}")});
        let wanted: Vec<Desired> =
            wanted.iter().map(|(service, name)| desired(&address(service), spec(service, name))).collect();
        let there = there.iter().map(|(service, name)| {
            let spec = spec(service.unwrap_or("nobody"), name);
            live(service.map(address).as_deref(), name, &spec, Some(&spec))
        });
        let plan = plan(&wanted, &Live::from([("api-mapping", there.collect())]))?;
        let shown = plan.steps.iter().map(|step| {
            let (name, api) =
                (step.name.as_deref().unwrap_or_default(), step.after.as_ref().map(|after| &after["api"]));
            let api = api.and_then(Value::as_str).unwrap_or_default();
            let was = step.live.as_ref().map_or("", |live| live.name.as_str());
            format!("{:?} {} {was}>{name} {api}", step.action, step.address.name())
        });
        Ok(shown.collect())
    }

    #[test]
    fn whoever_takes_a_place_turns_what_is_there_into_its_own() {
        let mapped = |wanted: &[_], there: &[_]| mapped(wanted, there).unwrap();
        let both = [(Some("a"), "d/1"), (Some("b"), "d/2")];
        let swapped = ["Update a d/2>d/2 api-of-a", "Update b d/1>d/1 api-of-b"];
        assert_eq!(mapped(&[("a", "d/2"), ("b", "d/1")], &both), swapped);
        // Half of it was done when the apply died.
        assert_eq!(mapped(&[("a", "d/2"), ("b", "d/1")], &[(Some("b"), "d/1"), (Some("b"), "d/2")]), swapped[..1]);
        let moved = ["Update a d/2>d/2 api-of-a", "Create b >d/3 api-of-b", "Delete a d/1>d/1 "];
        assert_eq!(mapped(&[("a", "d/2"), ("b", "d/3")], &both), moved);
        // The one that had the place is no longer wanted.
        let taken_over = ["Update b d/1>d/1 api-of-b", "Delete b d/2>d/2 "];
        assert_eq!(mapped(&[("b", "d/1")], &both), taken_over);
        assert_eq!(mapped(&[("a", "d/9")], &both[..1]), ["ReplaceCreateFirst a d/1>d/9 api-of-a"]);
        // A renaming that was cut off.
        assert_eq!(mapped(&[("a", "d/2")], &[(Some("a"), "d/1"), (Some("a"), "d/2")]), ["Delete a d/1>d/1 "]);
    }

    #[test]
    fn a_place_that_is_somebody_elses_is_refused_with_the_kinds_own_hint() {
        let failure = mapped(&[("a", "d/1")], &[(None, "d/1")]).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Ownership);
        assert_eq!(failure.hints(), ["give edge/api-mapping/a another key than d/1"]);
        assert!(failure.to_string().ends_with("nothing says that it is gwctl's"), "{failure}");
    }

    #[test]
    fn where_names_are_shared_the_new_one_is_made_first_and_a_cut_off_is_finished() {
        const LINK: &str = "gate/vpc-link/ingress";
        let spec = |target: &str| json!({"name": "l", "target": target});
        let old = live(Some(LINK), "l", &spec("a"), Some(&spec("a")));
        let new = live(Some(LINK), "l", &spec("b"), None);
        let third = live(Some(LINK), "l", &spec("c"), None);
        let actions = |found: Vec<Observed>| -> Vec<(Action, Option<Value>)> {
            let found = Live::from([("vpc-link", found)]);
            let plan = plan(&[desired(LINK, spec("b"))], &found).unwrap();
            plan.steps.into_iter().map(|step| (step.action, step.live.map(|live| live.spec))).collect()
        };
        assert_eq!(actions(vec![old.clone()]), [(Action::ReplaceCreateFirst, Some(spec("a")))]);
        let both = [(Action::Update, Some(spec("b"))), (Action::Delete, Some(spec("a")))];
        assert_eq!(actions(vec![old.clone(), new]), both);
        let neither = [(Action::Create, None), (Action::Delete, Some(spec("a"))), (Action::Delete, Some(spec("c")))];
        assert_eq!(actions(vec![old, third]), neither);
    }

    #[test]
    fn steps_wait_for_what_they_refer_to_and_deletes_for_everything() {
        let api = Address::parse("gate/rest-api/gateway").unwrap();
        let wanted = [
            desired("gate/stage/gateway", json!({"name": "dev", "rest_api": Text::output(&api, "id")})),
            desired("gate/rest-api/gateway", json!({"name": "g"})),
        ];
        let old = json!({"name": "old"});
        let found = Live::from([("iam-role", vec![live(Some(ROLE), "old", &old, Some(&old))])]);
        let plan = plan(&wanted, &found).unwrap();
        let order: Vec<&str> = plan.steps.iter().map(|step| step.address.as_str()).collect();
        assert_eq!(order, ["gate/rest-api/gateway", "gate/stage/gateway", ROLE]);
        assert_eq!(plan.steps[1].after_steps, [api]);
        assert_eq!(plan.steps[2].after_steps.len(), 2);
        assert!(!references(plan.steps[1].after.as_ref().unwrap()).is_empty(), "the id is known only after apply");
    }

    #[test]
    fn a_new_name_replaces_and_makes_the_new_one_first() {
        let (old, new) = (json!({"name": "old"}), json!({"name": "new"}));
        let found = Live::from([("iam-role", vec![live(Some(ROLE), "old", &old, Some(&old))])]);
        let plan = plan(&[desired(ROLE, new)], &found).unwrap();
        assert_eq!(plan.steps[0].action, Action::ReplaceCreateFirst);
        assert_eq!(plan.steps[0].forced_by, ["name"]);
    }

    #[test]
    fn old_snapshots_go_once_there_are_more_than_are_kept_but_never_one_in_use() {
        let snapshot = |n: i64| Observed {
            created: Some(n),
            in_use_by: (n == 1).then(|| "a stage of somebody's".to_owned()),
            ..live(
                Some(&format!("gate/deployment/d{n}")),
                &format!("d{n}"),
                &json!({"snapshot": n}),
                Some(&json!({"snapshot": n})),
            )
        };
        let found = Live::from([("deployment", (1..=4).map(snapshot).collect())]);
        let plan = plan(&[desired("gate/deployment/d9", json!({"snapshot": 9}))], &found).unwrap();
        let gone: Vec<&str> =
            plan.steps.iter().filter(|step| step.action == Action::Delete).map(|step| step.address.name()).collect();
        assert_eq!(gone, ["d2", "d3"]);
        assert_eq!(plan.warnings.len(), 1);
    }

    #[test]
    fn so_many_snapshots_stay_in_each_resource_that_has_some() {
        let parents = ["gate/rest-api/one", "gate/rest-api/two"].map(|text| Address::parse(text).unwrap());
        let snapshot = |parent: &Address, n: i64| Observed {
            created: Some(n),
            within: Some(parent.clone()),
            ..live(
                Some(&format!("gate/deployment/{}-{n}", parent.name())),
                "d",
                &json!({"n": n}),
                Some(&json!({"n": n})),
            )
        };
        let all = parents.iter().flat_map(|parent| (1..=3).map(|n| snapshot(parent, n))).collect();
        let found = Live::from([("deployment", all)]);
        let wanted = parents.clone().map(|parent| {
            let spec = json!({"n": 9, "rest_api": Text::output(&parent, "id")});
            [
                desired(parent.as_str(), json!({"name": "g"})),
                desired(&format!("gate/deployment/{}-9", parent.name()), spec),
            ]
        });
        let plan = plan(&wanted.concat(), &found).unwrap();
        let gone: Vec<&str> =
            plan.steps.iter().filter(|step| step.action == Action::Delete).map(|step| step.address.name()).collect();
        assert_eq!(gone, ["one-1", "one-2", "two-1", "two-2"], "the rules keep two in each, the wanted one included");
    }

    #[test]
    fn what_is_made_only_where_it_is_missing_is_neither_changed_nor_deleted() {
        let logging = "gate/account-logging/region";
        let wanted =
            [desired("gate/stage/gateway", json!({"name": "dev"})), desired(logging, json!({"name": "our-role"}))];
        // In a stack, what a stage refers to puts it behind; here only the order of the list does.
        let wanted = [wanted[1].clone(), wanted[0].clone()];
        let missing = plan(&wanted, &Live::new()).unwrap();
        let order: Vec<&str> = missing.steps.iter().map(|step| step.address.as_str()).collect();
        assert_eq!(order, [logging, "gate/stage/gateway"]);
        assert_eq!(missing.steps[1].after_steps, [Address::parse(logging).unwrap()], "the stage waits for it");
        for whose in [None, Some(logging), Some("gate/account-logging/older")] {
            let spec = json!({"name": "their-role"});
            let found = Live::from([("account-logging", vec![live(whose, "their-role", &spec, None)])]);
            let there = plan(&wanted, &found).unwrap();
            assert_eq!(there.steps.len(), 1, "only the stage is made: {:?}", there.steps);
            assert_eq!(there.unchanged[0].live.name, "their-role");
            let owner = Owner { product: "product-a".into(), environment: "dev".into() };
            let place = Place { account: "1".repeat(12), region: "eu-central-1".into(), partition: "aws".into() };
            let (predicted, rules) = (BTreeMap::new(), rules());
            let all = Input {
                owner: &owner,
                place: &place,
                desired: &wanted,
                predicted: &predicted,
                live: &found,
                rules: &rules,
            };
            assert!(build_destroy(&all).unwrap().is_empty(), "not even a destroy takes it");
        }
    }

    #[test]
    fn a_stage_that_is_not_ours_keeps_its_api_from_being_destroyed() {
        let spec = json!({"name": "g"});
        let mut stage = live(None, "by-hand", &json!({"name": "by-hand"}), None);
        stage.within = Address::parse("gate/rest-api/gateway");
        let found = Live::from([
            ("rest-api", vec![live(Some("gate/rest-api/gateway"), "g", &spec, None)]),
            ("stage", vec![stage]),
        ]);
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let place = Place { account: "1".repeat(12), region: "eu-central-1".into(), partition: "aws".into() };
        let input = Input {
            owner: &owner,
            place: &place,
            desired: &[],
            predicted: &BTreeMap::new(),
            live: &found,
            rules: &rules(),
        };
        let failure = build_destroy(&input).unwrap_err();
        assert!(failure.to_string().contains("stage `by-hand`"), "{failure}");
    }
}

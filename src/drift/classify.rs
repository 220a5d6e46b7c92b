//! Tells who moved, resource by resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Drift, Finding, Pending, Standing, Who, settle};
use crate::error::Result;
use crate::model::diff::{FieldChange, diff};
use crate::model::{Address, Desired, Digest, Live, Observed, Outputs, Owner, Ownership, Place, Rules, references};
use crate::plan::build::{self, Taken};
use crate::plan::{self, Action, Reason, Step};

/// Everything that drift is told from.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose.
    pub owner: &'a Owner,
    /// Where.
    pub place: &'a Place,
    /// What the configuration wants, in any order.
    pub desired: &'a [Desired],
    /// Outputs that follow from names alone.
    pub predicted: &'a BTreeMap<Address, Outputs>,
    /// What AWS holds, as far as it could be read.
    pub live: &'a Live,
    /// The kinds' rules.
    pub rules: &'a Rules,
    /// Kinds that could not be read, and why.
    pub unread: &'a BTreeMap<&'static str, String>,
    /// The digest of everything that the last apply left, by address, where that apply is on record.
    pub applied: Option<&'a BTreeMap<Address, String>>,
}

/// The tag that says what was last applied.
const DIGEST_TAG: &str = "gwctl:digest";

/// The tag that says which resource it is.
const ADDRESS_TAG: &str = "gwctl:address";

/// Judges every resource.
pub fn classify(input: &Input<'_>) -> Result<Drift> {
    let (plan, taken) = plan::survey(&build::Input {
        owner: input.owner,
        place: input.place,
        desired: input.desired,
        predicted: input.predicted,
        live: input.live,
        rules: input.rules,
    })?;
    let mut judge = Judge { input, taken, findings: Vec::new(), pending: Vec::new(), hidden: BTreeMap::new() };
    judge.out_of_sight(&plan.steps);
    for step in &plan.steps {
        judge.step(step);
    }
    judge.findings.extend(plan.unchanged.iter().map(|one| in_sync(&one.address, &one.live)));
    judge.strangers();
    let taken = std::mem::take(&mut judge.taken);
    for one in &taken {
        judge.taken(one);
    }
    let Judge { mut findings, pending, .. } = judge;
    for finding in findings.iter_mut().filter(|one| one.settle.is_empty()) {
        finding.settle = settle::of(finding, input.owner);
    }
    // The stack's order is the reader's; what AWS reads first is nobody's business.
    findings.sort_by(|a, b| (&a.address, &a.name).cmp(&(&b.address, &b.name)));
    let (owner, place) = (input.owner.clone(), input.place.clone());
    Ok(Drift { owner, place, findings, pending, warnings: plan.warnings, quick: false })
}

/// Where in AWS moved and configuration moved meet.
struct Moved {
    aws: bool,
    configuration: bool,
}

struct Judge<'a> {
    input: &'a Input<'a>,
    taken: Vec<Taken>,
    findings: Vec<Finding>,
    pending: Vec<Pending>,
    /// What can't be seen, because it is found through what is not ours any more.
    hidden: BTreeMap<Address, Address>,
}

impl Judge<'_> {
    /// What would be found below a resource that lost its tags is not missing: nobody has looked.
    fn out_of_sight(&mut self, steps: &[Step]) {
        let taken: BTreeSet<&Address> = self.taken.iter().map(|one| &one.address).collect();
        for step in steps.iter().filter(|step| step.action == Action::Create) {
            let referred = self.referred(&step.address);
            let above = referred.iter().find_map(|address| {
                taken.get(address).map(|found| (*found).clone()).or_else(|| self.hidden.get(address).cloned())
            });
            if let Some(above) = above {
                self.hidden.insert(step.address.clone(), above);
            }
        }
    }

    fn referred(&self, address: &Address) -> BTreeSet<Address> {
        let desired = self.input.desired.iter().find(|one| &one.address == address);
        let all = desired.map(|one| references(&one.spec)).unwrap_or_default();
        all.into_iter().map(|reference| reference.address).collect()
    }

    fn step(&mut self, step: &Step) {
        if let Some(why) = self.input.unread.get(step.address.kind()) {
            self.findings.push(unread(step, why));
        } else if self.hidden.contains_key(&step.address) {
            // Said of the resource that hides it.
        } else {
            match (step.action, &step.live) {
                (Action::Create, _) => self.absent(step),
                (Action::Delete, _) if step.reason == Reason::Superseded => {}
                (Action::Delete, _) | (_, None) => self.pending.push(pending(step)),
                (_, Some(live)) => self.differs(step, live),
            }
        }
    }

    /// It is wanted and not there.
    fn absent(&mut self, step: &Step) {
        let gone = match self.input.applied {
            Some(applied) => applied.contains_key(&step.address),
            None => self.was_applied(step),
        };
        if !gone {
            self.pending.push(pending(step));
            return;
        }
        let mut finding = blank(&step.address, Standing::Missing);
        finding.name.clone_from(&step.name);
        finding.applied.clone_from(&step.after);
        finding.labels.clone_from(&step.labels);
        if self.input.applied.is_none() {
            finding.notes.push("no apply is on record: it is taken for applied because the rest of it stands".into());
        }
        self.findings.push(finding);
    }

    /// Without a record: whether something of the environment stands, and, of what is named by its content, whether the
    /// resource it is the content of is still as it was applied.
    fn was_applied(&self, step: &Step) -> bool {
        let ours = self.input.live.values().flatten().any(|one| one.address().is_some());
        let rules = self.input.rules.get(step.address.kind());
        if !ours || rules.is_none_or(|rules| rules.keep == 0) {
            return ours;
        }
        let parents = self.referred(&step.address);
        let changed = self.pending.iter().map(|one| &one.address);
        let both = self.findings.iter().filter(|one| one.both_moved).map(|one| &one.address);
        !changed.chain(both).any(|address| parents.contains(address))
    }

    /// It is there, and not as wanted or not as recorded.
    fn differs(&mut self, step: &Step, live: &Observed) {
        let after = step.after.clone().unwrap_or_default();
        let (tagged, tag) = match &live.ownership {
            Ownership::Ours { address, digest } => (Some(address), digest.as_deref()),
            _ => (None, None),
        };
        let recorded = self.input.applied.and_then(|applied| applied.get(&step.address)).map(String::as_str);
        let (wanted, held) = (Digest::of(&after), Digest::of(&live.spec));
        let known = |digest: &str| digest == wanted.as_str() || digest == held.as_str();
        // The tag is the record of the resource itself; that of the apply helps where somebody removed or changed the tag.
        let base = tag.filter(|tag| known(tag) || !recorded.is_some_and(known)).or(recorded);
        let tags = tag_changes(step, tagged, tag, base, recorded);
        let open = step.changes.iter().any(|change| change.after_unknown);
        let moved = Moved {
            aws: base.is_none_or(|base| base != held.as_str()),
            configuration: base.is_some_and(|base| base != wanted.as_str()) && !self.only_waits(step, open),
        };
        let same = step.changes.is_empty();
        if same && tags.is_empty() || !moved.aws && tags.is_empty() {
            if moved.configuration || same {
                self.pending.push(pending(step));
            }
            self.findings.push(in_sync(&step.address, live));
            return;
        }
        let changes = if moved.aws { inverted(step, open && !moved.configuration) } else { Vec::new() };
        let mut finding = Finding {
            applied: (!moved.configuration || !moved.aws).then(|| after.clone()),
            wanted: moved.configuration.then(|| after.clone()),
            live: Some(live.spec.clone()),
            both_moved: moved.aws && moved.configuration && !same,
            name: Some(live.name.clone()),
            outputs: live.outputs.clone(),
            labels: step.labels.clone(),
            ..blank(&step.address, Standing::Drifted)
        };
        if !moved.aws {
            finding.applied = Some(live.spec.clone());
        }
        note_tags(&mut finding, tag.is_none(), base.is_some(), same);
        finding.changes = changes.into_iter().chain(tags).collect();
        if finding.both_moved {
            let sentence = "the configuration changed as well, so what was applied last is not known field by field: \
                            this is the configuration against AWS";
            finding.notes.push(sentence.to_owned());
        }
        if moved.configuration && !moved.aws {
            self.pending.push(pending(step));
        }
        self.findings.push(finding);
    }

    /// Whether all that differs from the configuration is the output of something that has to be made first, because
    /// somebody deleted it or it can't be seen.
    fn only_waits(&self, step: &Step, open: bool) -> bool {
        let changed: Vec<&FieldChange> = step.changes.iter().collect();
        open && changed.iter().all(|change| change.after_unknown) && {
            let after = changed.iter().filter_map(|change| change.after.as_ref());
            let awaited: BTreeSet<Address> = after.flat_map(references).map(|reference| reference.address).collect();
            awaited.iter().all(|address| {
                self.hidden.contains_key(address)
                    || self.findings.iter().any(|one| &one.address == address && one.standing != Standing::InSync)
            })
        }
    }

    /// What lives below ours and is not ours.
    fn strangers(&mut self) {
        let taken: Vec<Observed> = self.taken.iter().flat_map(|one| one.live.iter().cloned()).collect();
        for (kind, all) in self.input.live {
            for one in all.iter().filter(|one| one.address().is_none() && !taken.contains(one)) {
                let Some(parent) = &one.within else { continue };
                let address = Address::new(parent.stack(), kind, &one.name);
                let mut finding = blank(&address, Standing::Unmanaged);
                finding.name = Some(one.name.clone());
                finding.live = Some(one.spec.clone());
                finding.outputs = one.outputs.clone();
                finding.notes.push(match &one.ownership {
                    Ownership::Others { owner } => format!("it is below {parent}, and belongs to {owner}"),
                    _ => format!("it is below {parent}, and has no tags of gwctl's"),
                });
                self.findings.push(finding);
            }
        }
    }

    /// It bears the name, and not the tags; or there are several.
    fn taken(&mut self, taken: &Taken) {
        let mut finding = blank(&taken.address, Standing::Drifted);
        let below: Vec<String> =
            self.hidden.iter().filter(|(_, above)| **above == taken.address).map(|(one, _)| one.to_string()).collect();
        if let [live] = taken.live.as_slice() {
            finding.name = Some(live.name.clone());
            finding.outputs = live.outputs.clone();
            finding.live = Some(live.spec.clone());
            let wanted = self.input.owner;
            let tag = |name: &str, before: &str, after: Option<&str>| FieldChange {
                path: vec!["tags".into(), name.into()],
                before: Some(json!(before)),
                after: after.map(Value::from),
                after_unknown: false,
            };
            match &live.ownership {
                Ownership::Others { owner } => {
                    let pairs = [
                        ("gwctl:product", &wanted.product, &owner.product),
                        ("gwctl:environment", &wanted.environment, &owner.environment),
                    ];
                    let moved = pairs.into_iter().filter(|(_, before, after)| before != after);
                    finding.changes = moved.map(|(name, before, after)| tag(name, before, Some(after))).collect();
                    finding.notes.push(format!("its tags say that it belongs to {owner}"));
                }
                Ownership::Ours { address, .. } => {
                    finding.changes = vec![tag(ADDRESS_TAG, taken.address.as_str(), Some(address.as_str()))];
                }
                Ownership::Nobody => finding.notes.push("it lost its tags: gwctl:* are missing or incomplete".into()),
            }
        } else {
            finding.notes.push(taken.failure.to_string());
        }
        finding.settle = taken.failure.hints().to_vec();
        if !below.is_empty() {
            finding.notes.push(format!("not looked at, because it is found through this one: {}", below.join(", ")));
        }
        self.findings.push(finding);
    }
}

/// What is wrong with the tags of ours on a resource that is certainly ours.
fn tag_changes(
    step: &Step,
    tagged: Option<&Address>,
    tag: Option<&str>,
    base: Option<&str>,
    recorded: Option<&str>,
) -> Vec<FieldChange> {
    let change = |name: &str, before: Option<&str>, after: Option<&str>| FieldChange {
        path: vec!["tags".into(), name.into()],
        before: before.map(Value::from),
        after: after.map(Value::from),
        after_unknown: false,
    };
    let mut changes = Vec::new();
    if let Some(tagged) = tagged.filter(|tagged| **tagged != step.address) {
        changes.push(change(ADDRESS_TAG, Some(step.address.as_str()), Some(tagged.as_str())));
    }
    let wanted = step.after.as_ref().map(Digest::of);
    let held = step.live.as_ref().map(|live| Digest::of(&live.spec));
    let of = |digest: &Option<Digest>| digest.as_ref().map(|digest| digest.as_str().to_owned());
    let (wanted, held) = (of(&wanted), of(&held));
    match (tag, base) {
        // Nothing says what it was, and what it would be now is no lie: that is what its being as wanted is told by.
        (None, base) => changes.push(change(DIGEST_TAG, base.or(wanted.as_deref()), None)),
        (Some(tag), Some(base)) if tag != base => changes.push(change(DIGEST_TAG, Some(base), Some(tag))),
        // As wanted, and tagged as something else. If that is what the last apply wrote, nobody touched the tag: the
        // configuration followed AWS, or another gwctl writes the same in another form.
        (Some(tag), _) if wanted == held && Some(tag) != held.as_deref() && Some(tag) != recorded => {
            changes.push(change(DIGEST_TAG, held.as_deref(), Some(tag)));
        }
        _ => {}
    }
    changes
}

fn note_tags(finding: &mut Finding, untagged: bool, known: bool, same: bool) {
    if untagged && !known {
        let sentence = "no digest says what was applied: an apply did not finish, or somebody removed the tag";
        finding.notes.push(sentence.to_owned());
    } else if !untagged && same {
        let sentence = "it is as the configuration wants it; only the record in its tags is another";
        finding.notes.push(sentence.to_owned());
    }
}

/// The step's changes seen from what was applied: what was, and what is in AWS now.
fn inverted(step: &Step, known_only: bool) -> Vec<FieldChange> {
    let known = step.changes.iter().any(|change| !change.after_unknown);
    let (Some(live), Some(after)) = (step.before(), step.after.as_ref()) else { return Vec::new() };
    let unknown: BTreeSet<&Vec<String>> =
        step.changes.iter().filter(|change| change.after_unknown).map(|change| &change.path).collect();
    let told = |change: &FieldChange| !(known_only && known && unknown.contains(&change.path));
    diff(after, live).into_iter().filter(told).flat_map(one_by_one).collect()
}

/// Members that nobody wants and that are absent while they are empty: what is in them has names of its own.
const NAMED: [&str; 3] = ["permissions", "subscription_filters", "metric_filters"];

/// A change for each thing in such a member.
fn one_by_one(change: FieldChange) -> Vec<FieldChange> {
    match (change.path.as_slice(), &change.after) {
        ([member], Some(Value::Object(all))) if NAMED.contains(&member.as_str()) && change.before.is_none() => {
            let one = |(name, value): (&String, &Value)| FieldChange {
                path: vec![member.clone(), name.clone()],
                before: None,
                after: Some(value.clone()),
                after_unknown: false,
            };
            all.iter().map(one).collect()
        }
        _ => vec![change],
    }
}

fn blank(address: &Address, standing: Standing) -> Finding {
    Finding {
        address: address.clone(),
        name: None,
        standing,
        applied: None,
        wanted: None,
        live: None,
        changes: Vec::new(),
        both_moved: false,
        notes: Vec::new(),
        settle: Vec::new(),
        outputs: Outputs::default(),
        labels: BTreeMap::new(),
        who: Who::NotAsked,
    }
}

/// A resource as somebody left it whole.
pub(super) fn in_sync(address: &Address, live: &Observed) -> Finding {
    let name = Some(live.name.clone());
    Finding { name, outputs: live.outputs.clone(), ..blank(address, Standing::InSync) }
}

pub(super) fn judged(address: &Address, name: Option<String>, standing: Standing, note: Option<String>) -> Finding {
    Finding { name, notes: note.into_iter().collect(), ..blank(address, standing) }
}

fn unread(step: &Step, why: &str) -> Finding {
    judged(&step.address, step.name.clone(), Standing::Unknown, Some(why.to_owned()))
}

fn pending(step: &Step) -> Pending {
    Pending {
        address: step.address.clone(),
        name: step.name.clone(),
        reason: match step.reason {
            Reason::ChangedAndDrifted | Reason::Drifted => Reason::ConfigurationChanged,
            other => other,
        },
        changes: step.changes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Input as Text, KindRules};

    const API: &str = "gate/rest-api/gateway";
    const STAGE: &str = "gate/stage/gateway";
    const ROLE: &str = "gate/iam-role/authorizer";

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn desired(at: &str, spec: Value) -> Desired {
        Desired { address: address(at), spec, labels: BTreeMap::new() }
    }

    /// A live resource; `tag`: what its digest is of.
    fn live(at: &str, name: &str, spec: &Value, tag: Option<&Value>) -> Observed {
        let digest = tag.map(|tag| Digest::of(tag).as_str().to_owned());
        Observed {
            name: name.to_owned(),
            within: None,
            spec: spec.clone(),
            outputs: Outputs::from_iter([("id", "abc")]),
            ownership: Ownership::Ours { address: address(at), digest },
            created: None,
            in_use_by: None,
        }
    }

    fn rules() -> Rules {
        let rule = |rank, keep| KindRules {
            replace_on: &["name"],
            keep,
            only_if_missing: false,
            after: &[],
            names_are_unique: true,
            name_is_place: false,
            way_out: |_, _, _| Vec::new(),
            rank,
            canonical: Ok,
        };
        Rules::from([
            ("iam-role", rule(0, 0)),
            ("rest-api", rule(1, 0)),
            ("deployment", rule(2, 5)),
            ("stage", rule(3, 0)),
        ])
    }

    fn judge(
        wanted: &[Desired],
        live: &Live,
        applied: Option<&BTreeMap<Address, String>>,
        unread: &[&'static str],
    ) -> Drift {
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let place = Place { account: "1".repeat(12), region: "eu-central-1".into(), partition: "aws".into() };
        let unread = unread.iter().map(|kind| (*kind, "AccessDenied".to_owned())).collect();
        classify(&Input {
            owner: &owner,
            place: &place,
            desired: wanted,
            predicted: &BTreeMap::new(),
            live,
            rules: &rules(),
            unread: &unread,
            applied,
        })
        .unwrap()
    }

    fn found(drift: &Drift) -> Vec<(&str, Standing, Vec<String>)> {
        let fields = |one: &Finding| one.changes.iter().map(FieldChange::dotted).collect();
        drift.found().map(|one| (one.address.as_str(), one.standing, fields(one))).collect()
    }

    #[test]
    fn three_digests_tell_who_moved() {
        let (a, b, c) = (json!({"name": "r", "x": 1}), json!({"name": "r", "x": 2}), json!({"name": "r", "x": 3}));
        let case = |wanted: &Value, held: &Value, tag: &Value| {
            let all = Live::from([("iam-role", vec![live(ROLE, "r", held, Some(tag))])]);
            judge(&[desired(ROLE, wanted.clone())], &all, None, &[])
        };
        let same = case(&a, &a, &a);
        assert!(found(&same).is_empty() && same.pending.is_empty());
        let configuration = case(&b, &a, &a);
        assert!(found(&configuration).is_empty());
        assert_eq!(configuration.pending[0].reason, Reason::ConfigurationChanged);
        let aws = case(&a, &b, &a);
        assert_eq!(found(&aws), [(ROLE, Standing::Drifted, vec!["x".to_owned()])]);
        let change = &aws.findings[0].changes[0];
        assert_eq!((&change.before, &change.after), (&Some(json!(1)), &Some(json!(2))), "from applied to live");
        assert!(aws.pending.is_empty() && !aws.findings[0].both_moved);
        let both = case(&b, &c, &a);
        assert!(both.findings[0].both_moved && both.findings[0].notes[0].contains("the configuration changed as well"));
        assert_eq!(both.findings[0].changes[0].before, Some(json!(2)), "from the configuration to live");
        let followed = case(&b, &b, &a);
        assert_eq!(found(&followed), [(ROLE, Standing::Drifted, vec!["tags.gwctl:digest".to_owned()])]);
    }

    #[test]
    fn the_record_of_the_last_apply_stands_in_for_a_tag_that_was_touched() {
        let (a, b) = (json!({"name": "r", "x": 1}), json!({"name": "r", "x": 2}));
        let record = BTreeMap::from([(address(ROLE), Digest::of(&a).as_str().to_owned())]);
        for tag in [None, Some(&json!("touched"))] {
            let all = Live::from([("iam-role", vec![live(ROLE, "r", &a, tag)])]);
            let drift = judge(&[desired(ROLE, b.clone())], &all, Some(&record), &[]);
            assert_eq!(found(&drift), [(ROLE, Standing::Drifted, vec!["tags.gwctl:digest".to_owned()])]);
            assert_eq!(drift.pending.len(), 1, "and the configuration changed");
        }
        // Whoever writes the same in another form did not touch anything.
        let old = BTreeMap::from([(address(ROLE), Digest::of(&b).as_str().to_owned())]);
        let all = Live::from([("iam-role", vec![live(ROLE, "r", &a, Some(&b))])]);
        let drift = judge(&[desired(ROLE, a.clone())], &all, Some(&old), &[]);
        assert!(found(&drift).is_empty());
        assert_eq!(drift.pending[0].reason, Reason::RecordOnly);
    }

    #[test]
    fn missing_is_what_the_record_lists_or_what_stood_with_the_rest() {
        let spec = json!({"name": "g"});
        let wanted = [desired(API, spec.clone()), desired(ROLE, json!({"name": "r"}))];
        assert!(judge(&wanted, &Live::new(), None, &[]).findings.is_empty(), "never applied");
        let all = Live::from([("rest-api", vec![live(API, "g", &spec, Some(&spec))])]);
        assert_eq!(found(&judge(&wanted, &all, None, &[])), [(ROLE, Standing::Missing, vec![])]);
        let record = BTreeMap::from([(address(API), Digest::of(&spec).as_str().to_owned())]);
        let new = judge(&wanted, &all, Some(&record), &[]);
        assert!(found(&new).is_empty());
        assert_eq!(new.pending[0].reason, Reason::Missing, "no apply made it yet");
    }

    #[test]
    fn what_is_named_by_its_content_is_not_missing_while_that_was_not_applied() {
        let deployment = |snapshot: &str| {
            let spec = json!({"rest_api": Text::output(&address(API), "id"), "snapshot": snapshot});
            desired(&format!("gate/deployment/{snapshot}"), spec)
        };
        let (old, new) = (json!({"name": "g", "routes": 1}), json!({"name": "g", "routes": 2}));
        let all = Live::from([("rest-api", vec![live(API, "g", &old, Some(&old))])]);
        let changed = judge(&[desired(API, new), deployment("two")], &all, None, &[]);
        assert!(found(&changed).is_empty(), "{:?}", found(&changed));
        assert_eq!(changed.pending.len(), 2);
        let deleted = judge(&[desired(API, old), deployment("one")], &all, None, &[]);
        assert_eq!(found(&deleted), [("gate/deployment/one", Standing::Missing, vec![])]);
    }

    #[test]
    fn what_could_not_be_read_is_unknown_and_not_missing() {
        let spec = json!({"name": "g"});
        let all = Live::from([("rest-api", vec![live(API, "g", &spec, Some(&spec))])]);
        let drift = judge(&[desired(API, spec), desired(ROLE, json!({"name": "r"}))], &all, None, &["iam-role"]);
        assert_eq!(found(&drift), [(ROLE, Standing::Unknown, vec![])]);
        assert_eq!(drift.findings[0].notes, ["AccessDenied"]);
        assert_eq!((drift.summary().unknown, drift.summary().drift()), (1, 0));
    }

    #[test]
    fn an_api_that_lost_its_tags_hides_its_stage_and_is_told_once() {
        let spec = json!({"name": "g"});
        let wanted = [
            desired(API, spec.clone()),
            desired(STAGE, json!({"name": "dev", "rest_api": Text::output(&address(API), "id")})),
        ];
        let lost = Observed { ownership: Ownership::Nobody, ..live(API, "g", &spec, None) };
        let drift = judge(&wanted, &Live::from([("rest-api", vec![lost])]), None, &[]);
        assert_eq!(found(&drift), [(API, Standing::Drifted, vec![])]);
        assert!(drift.findings[0].notes.iter().any(|note| note.contains(STAGE)), "{:?}", drift.findings[0].notes);
        let settle = drift.findings[0].settle.join("; ");
        assert!(settle.contains("gwctl import --env dev --product product-a"), "{settle}");
    }

    #[test]
    fn two_of_one_address_are_one_finding() {
        let spec = json!({"name": "g"});
        // Names are a kind's own and force a replacement, so that only those of the wanted name are looked at.
        let all =
            Live::from([("rest-api", vec![live(API, "g", &spec, Some(&spec)), live(API, "g", &spec, Some(&spec))])]);
        let drift = judge(&[desired(API, spec)], &all, None, &[]);
        assert_eq!(drift.findings.len(), 1, "{:?}", found(&drift));
    }

    #[test]
    fn what_is_below_ours_and_not_ours_is_unmanaged() {
        let spec = json!({"name": "g"});
        let mut stage = live(STAGE, "by-hand", &json!({"name": "by-hand"}), None);
        (stage.within, stage.ownership) = (Some(address(API)), Ownership::Nobody);
        let all = Live::from([("rest-api", vec![live(API, "g", &spec, Some(&spec))]), ("stage", vec![stage])]);
        let drift = judge(&[desired(API, spec)], &all, None, &[]);
        assert_eq!(found(&drift), [("gate/stage/by-hand", Standing::Unmanaged, vec![])]);
    }
}

//! Tells who moved, resource by resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Drift, Finding, Pending, Standing, Who, settle};
use crate::error::Result;
use crate::model::diff::{FieldChange, diff};
use crate::model::{
    Address, Desired, Digest, Live, Observed, Outputs, Owner, Ownership, Place, Rules, references,
};
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
    taken.into_iter().for_each(|one| judge.taken(one));
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
            let awaited: BTreeSet<Address> =
                after.flat_map(references).map(|reference| reference.address).collect();
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
    fn taken(&mut self, taken: Taken) {
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
    diff(after, live).into_iter().filter(|change| !(known_only && known && unknown.contains(&change.path))).collect()
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

//! Which live resource a desired one is: by its address, by its name, by its place; and what is in the way where that is not certain.

use serde_json::Value;

use super::build::{Input, rules};
use crate::error::{Failure, FailureKind, Result};
use crate::model::diff::diff;
use crate::model::{Desired, Observed, Ownership, references};

/// A live resource, by kind and place in its list.
pub(super) type Claim = (&'static str, usize);

/// Why a resource can't be planned for, and what is in its way.
pub(super) struct Obstacle {
    /// What is in its way.
    pub(super) claims: Vec<Claim>,
    /// Why.
    pub(super) failure: Failure,
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self { claims: Vec::new(), failure }
    }
}

/// The live resource that a desired one is, if it is there. `wanted` is its spec with what is known filled in.
pub(super) fn find<'a>(
    desired: &Desired,
    wanted: Option<&Value>,
    input: &Input<'a>,
) -> Result<Option<(Claim, &'a Observed)>, Obstacle> {
    let Some((kind, all)) = input.live.get_key_value(desired.address.kind()) else { return Ok(None) };
    if rules(input.rules, kind)?.name_is_place {
        let found = in_place(desired, all, input)
            .map_err(|(index, failure)| Obstacle { claims: vec![(*kind, index)], failure })?;
        return Ok(found.map(|index| ((*kind, index), &all[index])));
    }
    let mut same: Vec<(Claim, &Observed)> = all
        .iter()
        .enumerate()
        .filter(|(_, one)| one.address() == Some(&desired.address))
        .map(|(index, one)| ((*kind, index), one))
        .collect();
    let rules = rules(input.rules, kind)?;
    if rules.keep > 0 {
        // A lost answer can leave two snapshots of one state; the oldest serves. One that somebody made later under the
        // same description, by hand and of another state, then never passes for ours.
        same.sort_by_key(|(_, one)| one.created);
        same.truncate(1);
    }
    if same.len() > 1 && rules.replace_on.contains(&"name") {
        // A renaming that was cut off between making the new one and deleting the old. Whichever has not the wanted name
        // is no longer wanted.
        same.retain(|(_, one)| desired.name() == Some(one.name.as_str()));
    }
    if same.len() > 1 && !(rules.names_are_unique && rules.replace_on.contains(&"name")) {
        // A replacement that was cut off in the same way: the new one is what the old one could not be changed into.
        let settled = |one: &Observed| {
            let changes = diff(&one.spec, wanted.unwrap_or(&desired.spec));
            !rules.replace_on.iter().any(|path| changes.iter().any(|change| change.is_within(path)))
        };
        same.retain(|(_, one)| settled(one));
        if same.is_empty() {
            return Ok(None);
        }
    }
    match same.as_slice() {
        [] => {}
        [one] => return Ok(Some(*one)),
        several => {
            let claims = several.iter().map(|(claim, _)| *claim).collect();
            return Err(Obstacle { claims, failure: ambiguous(desired, several) });
        }
    }
    let Some(name) = desired.name() else { return Ok(None) };
    let mut named = all.iter().enumerate().filter(|(_, one)| one.name == name && !lives_elsewhere(one, desired, input));
    let Some((index, one)) = named.next() else { return Ok(None) };
    match &one.ownership {
        // Ours under an older address: the apply writes the new one into its tag.
        Ownership::Ours { address, .. } if !input.desired.iter().any(|other| &other.address == address) => {
            Ok(Some(((*kind, index), one)))
        }
        _ => Err(Obstacle { claims: vec![(*kind, index)], failure: foreign(desired, one, input) }),
    }
}

/// Of a kind whose names are places: what is ours in the place, whatever it was there for; else what the address had before,
/// unless another one takes that place. The failure comes with what is in the way.
fn in_place(desired: &Desired, all: &[Observed], input: &Input<'_>) -> Result<Option<usize>, (usize, Failure)> {
    let kind = desired.address.kind();
    if let Some(index) = all.iter().position(|one| Some(one.name.as_str()) == desired.name()) {
        return match all[index].address() {
            Some(address) if address.kind() == kind => Ok(Some(index)),
            _ => Err((index, foreign(desired, &all[index], input))),
        };
    }
    let is_taken = |name: &str| {
        let mut others = input.desired.iter().filter(|other| other.address.kind() == kind);
        others.any(|other| other.name() == Some(name))
    };
    let mut before = all.iter().enumerate().filter(|(_, one)| one.address() == Some(&desired.address));
    let found = before.find(|(_, one)| !is_taken(&one.name)).map(|(index, _)| index);
    // Several are what a renaming left that was cut off twice: all of them are no longer wanted.
    Ok(found.filter(|_| before.all(|(_, one)| is_taken(&one.name))))
}

/// Whether a resource lives in another one than `desired` does: two APIs may each have a stage of one name. One that lives in
/// what is no longer wanted goes with it, unless that is wanted under another address: then it has the same name.
fn lives_elsewhere(live: &Observed, desired: &Desired, input: &Input<'_>) -> bool {
    let Some(parent) = &live.within else { return false };
    let referred = references(&desired.spec);
    if referred.iter().any(|reference| reference.address == *parent) {
        return false;
    }
    if input.desired.iter().any(|other| other.address == *parent) {
        return true;
    }
    let parents = input.live.get(parent.kind()).map(Vec::as_slice).unwrap_or_default();
    let Some(old) = parents.iter().find(|one| one.address() == Some(parent)) else { return false };
    let new = referred.iter().filter(|reference| reference.address.kind() == parent.kind());
    let mut names = new.filter_map(|new| input.desired.iter().find(|one| one.address == new.address)?.name());
    names.all(|name| name != old.name)
}

fn ambiguous(desired: &Desired, several: &[(Claim, &Observed)]) -> Failure {
    let list: Vec<String> = several
        .iter()
        .map(|(_, one)| {
            let outputs: Vec<String> = one.outputs.iter().map(|(name, value)| format!("{name} {value}")).collect();
            format!("`{}` ({})", one.name, outputs.join(", "))
        })
        .collect();
    Failure::new(FailureKind::Ownership, format!("{} exists {} times in AWS", desired.address, several.len()))
        .cause(format!("each is tagged as {}: {}", desired.address, list.join("; ")))
        .hint("delete the one that serves no traffic, or remove its gwctl:* tags, and run this again")
}

/// Why what stands under the wanted name is not taken.
pub(super) fn foreign(desired: &Desired, live: &Observed, input: &Input<'_>) -> Failure {
    let (kind, name, owner) = (desired.address.kind(), &live.name, input.owner);
    let own_hints = rules(input.rules, kind).map(|rules| (rules.way_out)(live, &desired.address, owner));
    let own_hints = own_hints.unwrap_or_default();
    let whose = match &live.ownership {
        Ownership::Others { owner } => format!("it belongs to {owner}"),
        Ownership::Ours { address, .. } => format!("it is tagged as {address}"),
        Ownership::Nobody if own_hints.is_empty() => "its gwctl:* tags are missing or incomplete".to_owned(),
        Ownership::Nobody => "nothing says that it is gwctl's".to_owned(),
    };
    let failure = Failure::new(
        FailureKind::Ownership,
        format!("{kind} `{name}` exists already and is not {}: {whose}", desired.address),
    );
    if !own_hints.is_empty() {
        return own_hints.into_iter().fold(failure, Failure::hint);
    }
    match &live.ownership {
        Ownership::Others { .. } => {
            failure.hint("choose another `app_group`: that resource serves somebody else's gateway")
        }
        Ownership::Ours { .. } | Ownership::Nobody => failure.hint(format!(
            "to hand it over to gwctl: gwctl import --env {} --product {}; else rename or delete it",
            owner.environment, owner.product
        )),
    }
}

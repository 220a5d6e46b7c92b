//! Of all that was said and all that AWS holds: the one resource for each address, or why there is none.

use std::collections::BTreeSet;

use super::ids::why_not;
use super::{Candidate, Source};
use crate::model::{Address, Desired, Live, Observed, Ownership, references};

/// A resource that is nobody's, for an address.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The address.
    pub address: Address,
    /// The resource.
    pub live: Observed,
    /// Who says that it is the one.
    pub source: Source,
}

/// A resource that stays as it is, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// The address it would have had.
    pub address: Address,
    /// The resource, where there is one.
    pub found: Option<Observed>,
    /// Why, as a sentence.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it can be kept by giving it its name in `names`.
    pub by_name: bool,
}

/// What was found of an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// What can be taken over.
    pub taken: Vec<Taken>,
    /// What carries the environment's tags already, with its name.
    pub ours: Vec<Taken>,
    /// What stays as it is.
    pub left: Vec<Left>,
    /// Addresses of which AWS has nothing: the next plan makes it.
    pub missing: Vec<Address>,
    /// What stands in the way of taking over anything, every bit of it.
    pub faults: Vec<String>,
}

impl Settled {
    /// What is or will be the environment's at an address.
    #[must_use]
    pub fn at(&self, address: &Address) -> Option<&Observed> {
        self.taken.iter().chain(&self.ours).find(|one| one.address == *address).map(|one| &one.live)
    }
}

/// Finds the resource for each desired one.
#[must_use]
pub fn settle(desired: &[Desired], candidates: &[Candidate], live: &Live) -> Settled {
    let mut settled = Settled::default();
    let mut claimed: Vec<(Address, Observed)> = Vec::new();
    for one in desired {
        let kind = one.address.kind();
        if let Some(why) = why_not(kind) {
            if !matches!(kind, "function-version" | "account-logging") {
                settled.left.push(Left {
                    address: one.address.clone(),
                    found: None,
                    why: why.to_owned(),
                    hint: None,
                    by_name: false,
                });
            }
            continue;
        }
        let said: Vec<&Candidate> = candidates.iter().filter(|said| said.address == one.address).collect();
        settled.find(one, desired, &said, live.get(kind).map_or(&[], Vec::as_slice), &mut claimed);
    }
    let known: BTreeSet<&Address> = desired.iter().map(|one| &one.address).collect();
    for said in candidates.iter().filter(|said| said.source == Source::Given && !known.contains(&said.address)) {
        settled.faults.push(format!("--id names {}, which the environment does not have", said.address));
    }
    settled
}

impl Settled {
    fn find(
        &mut self,
        one: &Desired,
        desired: &[Desired],
        said: &[&Candidate],
        live: &[Observed],
        claimed: &mut Vec<(Address, Observed)>,
    ) {
        let address = &one.address;
        let here: Vec<&Observed> = live.iter().filter(|live| stands_where(live, one, desired)).collect();
        let ours = here.iter().find(|live| live.address() == Some(address)).copied();
        for given in said.iter().filter(|said| said.source == Source::Given) {
            if !here.iter().any(|live| is(live, given)) {
                self.faults.push(format!(
                    "there is no {} `{}`, which --id names for {address}",
                    address.kind(),
                    given.said()
                ));
            } else if let Some(ours) = ours.filter(|ours| !is(ours, given)) {
                let message = format!("{address} is `{}` already, and --id names `{}` for it", ours.name, given.said());
                self.faults.push(message);
            }
        }
        if let Some(ours) = ours {
            let taken = Taken { address: address.clone(), live: ours.clone(), source: Source::Named };
            claimed.push((address.clone(), ours.clone()));
            self.ours.push(taken);
            return;
        }
        let Some((source, found)) = best(said, &here) else {
            self.missing.push(address.clone());
            return;
        };
        let [found] = found.as_slice() else {
            let list: Vec<String> = found.iter().map(|one| known_as(one)).collect();
            self.faults.push(format!("{address} could be each of {}", list.join(" and ")));
            return;
        };
        self.take(address, source, found, desired, claimed);
    }

    fn take(
        &mut self,
        address: &Address,
        source: &Source,
        found: &Observed,
        desired: &[Desired],
        claimed: &mut Vec<(Address, Observed)>,
    ) {
        let kind = address.kind();
        match &found.ownership {
            // What is merely used may well be shared.
            Ownership::Others { owner } if matches!(source, Source::Used(_)) => {
                self.left.push(Left {
                    address: address.clone(),
                    found: Some(found.clone()),
                    why: format!("it belongs to {owner}"),
                    hint: Some("the next plan makes one of its own".to_owned()),
                    by_name: false,
                });
                return;
            }
            Ownership::Others { owner } => {
                self.faults.push(format!("{kind} {} belongs to {owner}", known_as(found)));
                return;
            }
            Ownership::Ours { address: other, .. } if desired.iter().any(|one| one.address == *other) => {
                if *source == Source::Given {
                    self.faults.push(format!("{kind} {} is {other} already", known_as(found)));
                } else {
                    self.missing.push(address.clone());
                }
                return;
            }
            Ownership::Ours { .. } | Ownership::Nobody => {}
        }
        let same = |(_, live): &&(Address, Observed)| live.name == found.name && live.outputs == found.outputs;
        let kinds = |(other, _): &&(Address, Observed)| other.kind() == kind;
        if let Some((first, _)) = claimed.iter().filter(kinds).find(same) {
            self.left.push(Left {
                address: address.clone(),
                found: Some(found.clone()),
                why: format!("it is {first} already, and one resource has one address"),
                hint: Some("the next plan makes one of its own".to_owned()),
                by_name: false,
            });
            return;
        }
        claimed.push((address.clone(), found.clone()));
        self.taken.push(Taken { address: address.clone(), live: found.clone(), source: source.clone() });
    }
}

/// Whether what was said means this resource.
fn is(live: &Observed, said: &Candidate) -> bool {
    let name = said.name.as_ref().is_none_or(|name| *name == live.name);
    let id =
        said.id.as_ref().is_none_or(|id| live.outputs.get("id") == Some(id) || live.outputs.get("arn") == Some(id));
    name && id && (said.name.is_some() || said.id.is_some())
}

/// The different resources that the best words lead to, and one who says so.
fn best<'a>(said: &[&'a Candidate], live: &[&'a Observed]) -> Option<(&'a Source, Vec<&'a Observed>)> {
    let mut said = said.to_vec();
    said.sort_by_key(|one| (one.source.rank(), &one.source));
    for words in said.chunk_by(|a, b| a.source.rank() == b.source.rank()) {
        let mut found: Vec<&Observed> = Vec::new();
        let mut by = None;
        for word in words {
            for one in live.iter().filter(|live| is(live, word)) {
                by.get_or_insert(&word.source);
                if !found.iter().any(|other| other.name == one.name && other.outputs == one.outputs) {
                    found.push(one);
                }
            }
        }
        if let Some(by) = by {
            return Some((by, found));
        }
    }
    None
}

/// Whether a resource lives in what the desired one is to live in: a stage in the API that was found for its address.
fn stands_where(live: &Observed, one: &Desired, desired: &[Desired]) -> bool {
    let Some(parent) = &live.within else { return true };
    let wanted = references(&one.spec).into_iter().any(|reference| reference.address == *parent);
    wanted || !desired.iter().any(|other| other.address == *parent)
}

/// A resource by its name, and by its id where AWS gave it one.
#[must_use]
pub fn called(live: &Observed) -> String {
    match live.outputs.get("id").filter(|id| *id != live.name) {
        Some(id) => format!("`{}` ({id})", live.name),
        None => format!("`{}`", live.name),
    }
}

/// A resource as a reader tells it from others of its name.
#[must_use]
pub fn known_as(live: &Observed) -> String {
    match live.outputs.get("id").or_else(|| live.outputs.get("arn")).filter(|id| *id != live.name) {
        Some(id) => format!("`{}` ({id})", live.name),
        None => format!("`{}`", live.name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::model::{Outputs, Owner};

    const API: &str = "gate/rest-api/gateway";
    const ROLE: &str = "gate/iam-role/authorizer";
    const OTHER_ROLE: &str = "gate/iam-role/authorizer-invocation";

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn desired(of: &str, name: &str) -> Desired {
        Desired { address: address(of), spec: json!({"name": name}), labels: BTreeMap::new() }
    }

    fn live(name: &str, id: &str, ownership: Ownership) -> Observed {
        let outputs = Outputs::from_iter([("id", id)]);
        let spec = json!({"name": name});
        Observed { name: name.into(), within: None, spec, outputs, ownership, created: None, in_use_by: None }
    }

    fn said(of: &str, source: Source, name: Option<&str>, id: Option<&str>) -> Candidate {
        let owned = |text: &str| text.to_owned();
        Candidate { address: address(of), source, name: name.map(owned), id: id.map(owned) }
    }

    fn ours(of: &str) -> Ownership {
        Ownership::Ours { address: address(of), digest: None }
    }

    fn others() -> Ownership {
        Ownership::Others { owner: Owner { product: "b".into(), environment: "dev".into() } }
    }

    fn of(kind: &'static str, all: Vec<Observed>) -> Live {
        Live::from([(kind, all)])
    }

    #[test]
    fn the_given_one_is_taken_before_the_named_one() {
        let desired = [desired(API, "a")];
        let live = of("rest-api", vec![live("a", "1", Ownership::Nobody), live("z", "2", Ownership::Nobody)]);
        let named = said(API, Source::Named, Some("a"), None);
        let settled = settle(&desired, std::slice::from_ref(&named), &live);
        assert_eq!(settled.taken[0].live.outputs.get("id"), Some("1"));
        let given = said(API, Source::Given, None, Some("2"));
        let settled = settle(&desired, &[named.clone(), given], &live);
        assert_eq!((settled.taken[0].live.outputs.get("id"), &settled.faults[..]), (Some("2"), &[][..]));
        let state = said(API, Source::State("x".into()), None, Some("2"));
        let settled = settle(&desired, &[named, state], &live);
        assert_eq!(settled.faults, ["gate/rest-api/gateway could be each of `z` (2) and `a` (1)"]);
    }

    #[test]
    fn two_of_one_name_are_both_told() {
        let live = of("rest-api", vec![live("a", "1", Ownership::Nobody), live("a", "2", Ownership::Nobody)]);
        let settled = settle(&[desired(API, "a")], &[said(API, Source::Named, Some("a"), None)], &live);
        assert_eq!(settled.faults, ["gate/rest-api/gateway could be each of `a` (1) and `a` (2)"]);
        assert_eq!(settled.taken, []);
    }

    #[test]
    fn what_belongs_to_others_is_refused_and_every_missing_id_told() {
        let candidates = [
            said(API, Source::Given, None, Some("9")),
            said(ROLE, Source::Given, Some("nobody"), None),
            said("gate/log-group/none", Source::Given, Some("x"), None),
        ];
        let settled = settle(&[desired(API, "a"), desired(ROLE, "r")], &candidates, &Live::new());
        assert_eq!(
            settled.faults,
            [
                "there is no rest-api `9`, which --id names for gate/rest-api/gateway",
                "there is no iam-role `nobody`, which --id names for gate/iam-role/authorizer",
                "--id names gate/log-group/none, which the environment does not have",
            ]
        );
        let live = of("rest-api", vec![live("a", "1", others())]);
        let settled = settle(&[desired(API, "a")], &[said(API, Source::Named, Some("a"), None)], &live);
        assert_eq!(settled.faults, ["rest-api `a` (1) belongs to b/dev"]);
        let used = said(ROLE, Source::Used(address(API)), Some("r"), None);
        let live = of("iam-role", vec![self::live("r", "1", others())]);
        let settled = settle(&[desired(ROLE, "x")], &[used], &live);
        assert_eq!((settled.faults.len(), settled.left[0].why.as_str()), (0, "it belongs to b/dev"));
    }

    #[test]
    fn what_is_ours_stays_ours() {
        let all = of("rest-api", vec![live("a", "1", ours(API)), live("a", "2", Ownership::Nobody)]);
        let settled = settle(&[desired(API, "a")], &[said(API, Source::Named, Some("a"), None)], &all);
        assert_eq!((settled.taken.len(), settled.ours.len(), settled.faults.len()), (0, 1, 0));
        let settled = settle(&[desired(API, "a")], &[said(API, Source::Given, None, Some("2"))], &all);
        assert_eq!(settled.faults, ["gate/rest-api/gateway is `a` already, and --id names `2` for it"]);
        let settled = settle(&[desired(API, "a")], &[said(API, Source::Named, Some("b"), None)], &Live::new());
        assert_eq!(settled.missing, [address(API)]);
    }

    #[test]
    fn one_resource_has_one_address() {
        let all = of("iam-role", vec![live("r", "1", Ownership::Nobody)]);
        let used = |of: &str| said(of, Source::Used(address(API)), Some("r"), None);
        let desired = [desired(ROLE, "x"), desired(OTHER_ROLE, "y")];
        let settled = settle(&desired, &[used(ROLE), used(OTHER_ROLE)], &all);
        assert_eq!((settled.taken.len(), settled.left.len()), (1, 1));
        assert_eq!(settled.left[0].address, address(OTHER_ROLE));
        // What uses it is heard only where nobody else says anything.
        let named = said(ROLE, Source::Named, Some("x"), None);
        let all = of("iam-role", vec![live("r", "1", Ownership::Nobody), live("x", "2", Ownership::Nobody)]);
        let settled = settle(&desired, &[used(ROLE), named], &all);
        assert_eq!(settled.taken[0].live.name, "x");
    }
}

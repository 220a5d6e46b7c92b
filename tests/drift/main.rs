//! What somebody changes in AWS by hand is found, named exactly, told once, and gone after an apply; and where nobody
//! changed anything, nothing is found.

mod by_hand;
mod edge;
mod fleet;
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::collections::BTreeMap;

use gwctl::drift::{self, Drift, Standing};
use gwctl::model::{Address, Live, Ownership};

use support::Session;

/// One finding in short: address, standing, and its fields, the members of each joined by `|`.
pub(crate) type Found = (String, Standing, Vec<String>);

/// What is to be found.
pub(crate) fn found(drift: &Drift) -> Vec<Found> {
    let fields = |one: &drift::Finding| {
        let mut fields: Vec<String> = one.changes.iter().map(|change| change.path.join("|")).collect();
        fields.sort();
        fields
    };
    drift.found().map(|one| (one.address.to_string(), one.standing, fields(one))).collect()
}

/// What is drifted in what was read. `applied`: the record of the last apply, if there is one.
pub(crate) fn classify(session: &Session, live: &Live, applied: Option<&BTreeMap<Address, String>>) -> Drift {
    drift::classify(&drift::Input {
        owner: &session.owner,
        place: &session.place,
        desired: &session.desired,
        predicted: &session.registry.predict(&session.place, &session.desired).unwrap(),
        live,
        rules: &session.registry.rules(),
        unread: &BTreeMap::new(),
        applied,
    })
    .unwrap_or_else(|failure| panic!("{failure}"))
}

/// What an apply would have left on record.
pub(crate) fn record(live: &Live) -> BTreeMap<Address, String> {
    let all = live.values().flatten().filter_map(|one| match &one.ownership {
        Ownership::Ours { address, digest: Some(digest) } => Some((address.clone(), digest.clone())),
        _ => None,
    });
    all.collect()
}

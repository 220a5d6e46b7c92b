//! `gwctl policy`: the IAM policy that lets gwctl do its work on the chosen environments, and nothing else. Offline.

use std::collections::BTreeMap;

use super::output;
use super::work::{expand, load};
use crate::aws::{ReadAws, SESSION_CALLS, checkup, health, lock, log_events, log_lines, notice, stage_state, trail};
use crate::cli::{Beside, Global, PolicyOptions};
use crate::config::Environment;
use crate::error::{Result, exit};
use crate::kinds::{Artifacts, Registry};
use crate::model::{Desired, Found};
use crate::permissions::{Permissions, Purpose, Subject};
use crate::report::{self, AccountPolicy, Format};
use crate::stack::{self, Zips};

/// Runs the command.
pub(super) fn run(global: &Global, options: &PolicyOptions) -> Result<u8> {
    let PolicyOptions { selection, plan_only, with } = options;
    let configuration = load(global, selection)?;
    let purpose = if *plan_only { Purpose::Look } else { Purpose::Change };
    // A policy is one account's.
    let mut accounts: BTreeMap<(String, String), (Vec<String>, Permissions)> = BTreeMap::new();
    for environment in &configuration.environments {
        let expansion = expand(global, &configuration, environment, &Zips::UNBUILT, &Found::nothing())?;
        let place = stack::place(&environment.target);
        let (names, permissions) = accounts.entry((place.partition, place.account)).or_default();
        let name = stack::owner(environment).to_string();
        if !names.contains(&name) {
            names.push(name);
        }
        add(permissions, environment, &expansion.desired, purpose, with);
    }
    let policies: Vec<AccountPolicy> = accounts
        .into_iter()
        .map(|((partition, account), (environments, permissions))| AccountPolicy {
            partition,
            account,
            environments,
            documents: permissions.documents(),
        })
        .collect();
    if global.output == Format::Json {
        output::json(global, &report::policies_json(&policies))?;
    } else {
        output::data(global, |out| report::policies(&policies, out))?;
        output::notice(global, |out| report::policies_notes(&policies, out))?;
    }
    Ok(exit::DONE)
}

/// Everything that gwctl asks AWS for the sake of one environment in one Region.
#[must_use]
pub fn needed(environment: &Environment, desired: &[Desired], purpose: Purpose) -> Permissions {
    let mut permissions = Permissions::default();
    add(&mut permissions, environment, desired, purpose, &[]);
    permissions
}

/// Adds it, and what is done beside.
pub(super) fn add(
    permissions: &mut Permissions,
    environment: &Environment,
    desired: &[Desired],
    purpose: Purpose,
    with: &[Beside],
) {
    let (owner, place) = (stack::owner(environment), stack::place(&environment.target));
    let subject = Subject { owner: &owner, place: &place, desired };
    let registry = Registry::new(Artifacts::new());
    permissions.add_kinds(&subject, registry.kinds().map(|kind| (kind.name(), kind.calls())), purpose);
    let mut calls: Vec<&str> = [SESSION_CALLS, log_events::LAST].concat();
    calls.extend(stack::lookups(environment).iter().flat_map(ReadAws::calls_of));
    if environment.gate.is_some() {
        calls.extend(stage_state::CALLS);
    }
    if subject.kinds().contains("health-check") {
        calls.extend(health::CALLS);
    }
    if purpose == Purpose::Change {
        calls.extend(log_events::APPEND);
        permissions.add(&subject, "lock", lock::CALLS.iter().copied());
    }
    for beside in with {
        match beside {
            Beside::Doctor => permissions.add(&subject, "doctor", checkup::CALLS.iter().copied()),
            Beside::Logs => calls.extend(log_lines::CALLS),
            Beside::Who => calls.extend(trail::CALLS),
            Beside::Metric => calls.extend(notice::METRIC),
            Beside::Topic => calls.extend(notice::PUBLISH),
        }
    }
    permissions.add(&subject, "", calls);
}

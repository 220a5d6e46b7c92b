//! `gwctl unlock`: takes away the lock of an environment whose holder is gone, once somebody has seen whose it is.

use std::io::Write;

use jiff::Timestamp;

use super::code::Code;
use super::output::{self, data};
use super::question::{Changed, Consent, confirm};
use super::work::{Lookups, Member, Work, begin_all, load, side_by_side};
use crate::aws::lock;
use crate::cli::{Global, UnlockOptions};
use crate::error::{Failure, Result, exit};
use crate::report::{self, Fate, Format, Locked};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &UnlockOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    // Only the name is needed, and what the configuration leaves to be looked up may be gone.
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let consent = Consent { yes: options.yes, confirmed: options.confirm.clone() };
    consent.check(&members.iter().map(|member| &member.owner).collect::<Vec<_>>())?;
    let several = members.len() > 1;
    let looked = members.into_iter().map(async |Member { label, owner, place, work }| {
        let found = async {
            let work = work?;
            work.aws.read.check_account().await?;
            let holder = lock::holder(&work.aws.read, &owner).await?;
            Ok((work, Locked { owner, place, holder, fate: Fate::Stays }))
        };
        let found: Result<(Work, Locked)> = found.await;
        (label, found)
    });
    let (mut locks, mut failures) = (Vec::new(), Vec::new());
    for (label, found) in side_by_side(looked).await {
        match found {
            Ok(found) => locks.push(found),
            Err(failure) => failures.push((label, failure)),
        }
    }
    show(global, &locks, &consent)?;
    let refused = agree(global, &locks, &consent)?;
    failures.extend(take_away(&mut locks, &refused).await);
    failures.extend(refused);
    let locks: Vec<Locked> = locks.into_iter().map(|(_, locked)| locked).collect();
    if global.output == Format::Json {
        output::json(global, &report::locks_json(&locks, Timestamp::now()))?;
    } else {
        data(global, |out| locks.iter().try_for_each(|locked| report::unlocked_text(locked, out)))?;
    }
    Ok(if output::failures(global, failures, several)? { exit::FAILED } else { exit::DONE })
}

/// Shows whose the locks are. Whoever is asked sees it also where programs read the output.
fn show(global: &Global, locks: &[(Work, Locked)], consent: &Consent) -> Result<()> {
    let now = Timestamp::now();
    let all = |out: &mut dyn Write| locks.iter().try_for_each(|(_, locked)| report::locked_text(locked, now, out));
    match (global.output, consent.yes) {
        (Format::Json, true) => Ok(()),
        (Format::Json, false) => output::notice(global, all),
        _ => data(global, all),
    }
}

/// What is protected and was not named stays, and the others go.
fn agree(global: &Global, locks: &[(Work, Locked)], consent: &Consent) -> Result<Vec<(String, Failure)>> {
    let held = locks.iter().filter(|(_, locked)| locked.holder.is_some());
    let held =
        held.map(|(work, locked)| Changed { owner: &locked.owner, place: &locked.place, protected: work.protected });
    let held: Vec<Changed<'_>> = held.collect();
    if held.is_empty() {
        return Ok(Vec::new());
    }
    if !consent.yes {
        let question = "Whoever holds it may still be at work. Take the lock away from";
        return confirm(global, question, &held).map(|()| Vec::new());
    }
    let protected = held.iter().filter(|one| one.protected);
    let refused = protected.filter_map(|one| Some((one.owner.to_string(), consent.to_protected(one.owner).err()?)));
    Ok(refused.collect())
}

/// Takes away the locks that were shown, and no others.
async fn take_away(locks: &mut [(Work, Locked)], but: &[(String, Failure)]) -> Vec<(String, Failure)> {
    let mut failures = Vec::new();
    for (work, locked) in locks {
        let Some(holder) = &locked.holder else { continue };
        if but.iter().any(|(label, _)| *label == locked.owner.to_string()) {
            continue;
        }
        match lock::take_away(&work.aws, &locked.owner, holder).await {
            Ok(true) => locked.fate = Fate::TakenAway,
            Ok(false) => locked.fate = Fate::Another,
            Err(failure) => failures.push((locked.owner.to_string(), failure)),
        }
    }
    failures
}

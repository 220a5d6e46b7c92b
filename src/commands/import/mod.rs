//! `gwctl import`: takes over what exists. What is written is tags, and nothing else: what then differs from the
//! configuration is the next plan's to show.

mod names;
mod preview;
mod search;

use std::path::Path;

use tokio::sync::watch;

pub(super) use self::names::lines as names_for;
pub(super) use self::preview::{Prepared, prepare};
pub(super) use self::search::Whose;
use super::code::Code;
use super::files;
use super::interruption::Interruption;
use super::locking::{Held, Wanted, under_lock};
use super::output::{self, data, notice, text_options};
use super::question::{Changed, Consent, confirm};
use super::work::{Lookups, Member, Work, begin_all, load};
use crate::cli::{Global, ImportOptions};
use crate::config::Configuration;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::model::{Digest, Identity};
use crate::origin::Origin;
use crate::report::{self, Format, Import};
use crate::takeover::tfstate::{self, State};
use crate::takeover::{Candidate, Source, ids};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ImportOptions) -> Result<u8> {
    let given = given(&options.ids)?;
    let state = options.tfstate.as_deref().map(read_state).transpose()?;
    let configuration = load(global, &options.selection())?;
    // Whoever can't build the functions can take them over all the same: only the foresight is poorer.
    let code = Code::of_each(global, &configuration).await;
    let code = code.into_iter().map(|code| Ok(code.unwrap_or_default())).collect();
    let members = begin_all(global, &configuration, code, Lookups::Required).await?;
    let consent = Consent { yes: options.yes, confirmed: options.confirm.clone() };
    consent.check(&members.iter().map(|member| &member.owner).collect::<Vec<_>>())?;
    let mut all = Vec::new();
    for Member { work, .. } in members {
        let work = work?;
        let said = said(&work, &given, state.as_ref(), &configuration)?;
        let prepared = prepare(&work, &said, Whose::Nobody).await?;
        all.push((work, said, prepared));
    }
    refuse(&all)?;
    let mut shown: Vec<Import> = all.iter().map(|(work, _, prepared)| view(work, prepared)).collect();
    show(global, &shown)?;
    if all.iter().all(|(.., prepared)| prepared.settled.taken.is_empty()) {
        return finish(global, &shown);
    }
    agree(global, &all, &consent)?;
    let interruption = Interruption::new(global);
    interruption.listen(global);
    for (turn, shown) in all.iter().zip(&mut shown) {
        take_over(global, options, turn, shown, interruption.told()).await?;
    }
    finish(global, &shown)
}

/// An environment in one Region, with what was said of it, and what came of that.
type Turn = (Work, Vec<Candidate>, Prepared);

/// The words of the command line; each that can't be read is told.
fn given(texts: &[String]) -> Result<Vec<Candidate>> {
    let (mut given, mut failures) = (Vec::<Candidate>::new(), Vec::new());
    for text in texts {
        match ids::given(text) {
            Ok((address, _)) if given.iter().any(|other| other.address == address) => {
                failures.push(Failure::new(FailureKind::Usage, format!("--id names {address} twice")));
            }
            Ok((address, id)) => given.push(ids::candidate(&address, Source::Given, &id)),
            Err(failure) => failures.push(failure),
        }
    }
    all_or_first(failures, "some of --id can't be used").map(|()| given)
}

fn all_or_first(mut failures: Vec<Failure>, message: &str) -> Result<()> {
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        _ => {
            let all = Failure::new(failures[0].kind(), message);
            Err(failures.into_iter().fold(all, |all, one| all.cause(one.to_string())))
        }
    }
}

fn read_state(path: &Path) -> Result<State> {
    let text = files::text(path, "the state", tfstate::MOST_BYTES)?;
    tfstate::parse(&text).map_err(|failure| failure.context(format!("failed to read {}", path.display())))
}

/// All that is said of the resources of an environment before AWS is asked.
fn said(
    work: &Work,
    given: &[Candidate],
    state: Option<&State>,
    configuration: &Configuration,
) -> Result<Vec<Candidate>> {
    let here = |region: Option<&str>| region.is_none_or(|region| region == work.place.region);
    let mut said: Vec<Candidate> = given.iter().filter(|one| here(one.address.region())).cloned().collect();
    if let Some(state) = state {
        let elsewhere = tfstate::elsewhere(state, &work.place);
        // The state of an environment in several Regions has resources in each of them.
        if !elsewhere.is_empty() && configuration.environments.len() == 1 {
            let message = format!("the state is not of {} {}", work.place.account, work.place.region);
            let failure = Failure::new(FailureKind::Refused, message)
                .hint("is it the state of this environment? targets.toml says where an environment is");
            return Err(elsewhere.into_iter().take(5).fold(failure, Failure::cause));
        }
        said.extend(crate::takeover::state::candidates(state, &work.desired));
    }
    let named = work.desired.iter().filter_map(|one| {
        let name = Some(one.name()?.to_owned());
        Some(Candidate { address: one.address.clone(), source: Source::Named, name, id: None })
    });
    said.extend(named);
    Ok(said)
}

/// What stands in the way is told at once, for all Regions, before anything is shown.
fn refuse(all: &[Turn]) -> Result<()> {
    let faults: Vec<&String> = all.iter().flat_map(|(.., prepared)| &prepared.settled.faults).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(FailureKind::Ownership, "nothing was taken over");
    Err(faults
        .into_iter()
        .fold(failure, |failure, fault| failure.cause(fault.clone()))
        .hint("say which resource belongs to an address: --id ADDRESS=ID")
        .hint("what belongs to another environment stays there: `gwctl destroy` there, or take its gwctl:* tags off"))
}

fn view(work: &Work, prepared: &Prepared) -> Import {
    Import {
        owner: work.owner.clone(),
        place: work.place.clone(),
        settled: prepared.settled.clone(),
        names: names::lines(&work.desired, &prepared.settled),
        next: prepared.next.clone(),
        written: Vec::new(),
    }
}

fn show(global: &Global, all: &[Import]) -> Result<()> {
    if global.output == Format::Json {
        return Ok(());
    }
    data(global, |out| all.iter().try_for_each(|one| report::import(one, global.output, out, &text_options(global))))
}

fn agree(global: &Global, all: &[Turn], consent: &Consent) -> Result<()> {
    let changed: Vec<Changed<'_>> = all
        .iter()
        .filter(|(.., prepared)| !prepared.settled.taken.is_empty())
        .map(|(work, ..)| Changed { owner: &work.owner, place: &work.place, protected: work.protected })
        .collect();
    if consent.yes {
        for one in changed.iter().filter(|one| one.protected) {
            consent.to_protected(one.owner)?;
        }
        return Ok(());
    }
    confirm(global, "Add these tags to", &changed)
}

/// Writes the tags of one environment in a Region under its lock.
async fn take_over(
    global: &Global,
    options: &ImportOptions,
    turn: &Turn,
    shown: &mut Import,
    interrupt: watch::Receiver<bool>,
) -> Result<()> {
    let (work, said, prepared) = turn;
    // Whoever may not ask who they are may still act.
    let by = Origin::here(work.aws.read.caller().await.unwrap_or_default());
    let wanted = Wanted { purpose: "import", by: &by, patience: options.lock.patience() };
    let tell = |message: String| {
        // What can't be told is not worth stopping for.
        let _ = notice(global, |out| writeln!(out, "{message}"));
    };
    let held = under_lock(&work.aws, &work.owner, wanted, interrupt, &tell, async |ended| {
        // Somebody was asked, or the lock was waited for.
        preview::check_unchanged(work, said, prepared).await?;
        write(global, work, prepared, shown, &ended).await
    });
    let Held { came, lost, kept } = Box::pin(held).await?;
    if let Some(failure) = &kept {
        output::warning(global, failure)?;
    }
    match (came, lost) {
        (Some(Ok(())), Some(lost)) => output::warning(global, &lost),
        (Some(Ok(())), None) => Ok(()),
        // It was told to end because the lock was gone.
        (Some(Err(failure)), Some(lost)) if failure.kind() == FailureKind::Interrupted => Err(lost),
        (Some(Err(failure)), _) => Err(failure),
        (None, _) => Err(Failure::new(FailureKind::Interrupted, "interrupted: nothing was taken over")),
    }
}

/// Writes the tags, one resource after the other: what is written when one fails stays, and the next run goes on behind it.
async fn write(
    global: &Global,
    work: &Work,
    prepared: &Prepared,
    shown: &mut Import,
    ended: &watch::Receiver<bool>,
) -> Result<()> {
    for taken in &prepared.settled.taken {
        if *ended.borrow() {
            let (done, all) = (shown.written.len(), prepared.settled.taken.len());
            let message = format!("interrupted: {done} of {all} resources are taken over");
            return Err(Failure::new(FailureKind::Interrupted, message).hint("run this again to go on"));
        }
        let address = taken.address.clone();
        let identity = Identity { owner: work.owner.clone(), address, place: work.place.clone() };
        // Of what is there, not of what is wanted: the next plan then says that the configuration differs.
        let digest = Digest::of(&taken.live.spec);
        let kind = work.registry.kind(taken.address.kind())?;
        let recorded = kind.adopt(&work.aws, &identity, &taken.live.outputs, &digest).await;
        recorded.map_err(|failure| {
            let (done, all) = (shown.written.len(), prepared.settled.taken.len());
            failure
                .context(format!("failed to take over {}", taken.address))
                .hint(format!("{done} of {all} resources are taken over; run this again to go on"))
        })?;
        shown.written.push(taken.address.clone());
        if global.output != Format::Json && global.verbose > 0 {
            notice(global, |out| writeln!(out, "{} is taken over", taken.address))?;
        }
    }
    Ok(())
}

fn finish(global: &Global, all: &[Import]) -> Result<u8> {
    if global.output == Format::Json {
        output::json(global, &report::imports_json(all))?;
    } else {
        data(global, |out| all.iter().try_for_each(|one| report::imported(one, out)))?;
    }
    Ok(exit::DONE)
}

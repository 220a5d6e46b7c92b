//! `gwctl drift`: what somebody changed in AWS since the last apply.
//!
//! It reads as `plan` does and shows only what moved in AWS. It writes nothing to any resource; what it sends where (a webhook,
//! a topic, a metric) is asked for by options.

mod webhook;

use std::collections::BTreeMap;

use super::code::Code;
use super::journal;
use super::output::{self, data, text_options};
use super::work::{Lookups, Member, Work, load, select, side_by_side};
use crate::aws::{Aws, notice, trail};
use crate::cli::{DriftOptions, Global, Notify, Selection};
use crate::drift::{self, Deed, Drift, Finding, Looked, Who, quick};
use crate::error::{Failure, Result, exit};
use crate::model::{Address, Outputs};
use crate::plan::Warning;
use crate::report::{self, Format};

/// As many records are looked through for the last one that can be read.
const RECORDS: usize = 1;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &DriftOptions) -> Result<u8> {
    // Nothing named is everything, or a share of everything.
    let all = options.selection.all || !options.selection.is_some();
    let configuration = load(global, &Selection { all, ..options.selection.clone() })?;
    let code = Code::of_each(global, &configuration).await;
    let selected = select(global, &configuration, code, Lookups::Required).await?;
    let looked = selected.into_iter().map(async |one| {
        let Member { label, owner, place, work } = one.begin().await;
        match work {
            Ok(work) => {
                let drift = look(&work, options).await;
                // Whoever is to be told of it is told through a session.
                let told = options.metric || options.sns_topic.is_some();
                (Looked { label, owner, place, drift }, told.then(|| work.let_go()))
            }
            Err(failure) => (Looked { label, owner, place, drift: Err(failure) }, None),
        }
    });
    let (looked, works): (Vec<Looked>, Vec<Option<Work>>) = side_by_side(looked).await.into_iter().unzip();
    show(global, &looked)?;
    let mut trouble = Vec::new();
    if let Some(path) = &options.junit {
        let written = std::fs::write(path, report::junit(&looked));
        let failed = |error| Failure::io(format!("failed to write {}", path.display()), &error);
        trouble.extend(written.map_err(failed).err());
    }
    trouble.extend(tell(options, &looked, &works).await);
    let failed = complain(global, &looked, trouble)?;
    let incomplete = drifts(&looked).any(|drift| drift.summary().unknown > 0);
    let drifted = drifts(&looked).any(|drift| drift.summary().drift() > 0);
    Ok(match (failed || incomplete, drifted) {
        (true, _) => exit::FAILED,
        (false, true) => exit::CHANGES,
        (false, false) => exit::DONE,
    })
}

fn drifts(looked: &[Looked]) -> impl Iterator<Item = &Drift> {
    looked.iter().filter_map(|one| one.drift.as_ref().ok())
}

fn show(global: &Global, looked: &[Looked]) -> Result<()> {
    match global.output {
        Format::Json => output::json(global, &report::drift_json(looked)),
        Format::Markdown => data(global, |out| out.write_all(report::drift_markdown(looked).as_bytes())),
        Format::Text => data(global, |out| report::drift_text(looked, out, &text_options(global))),
    }
}

/// Tells on stderr what failed: of environments, and of messages. Drift is printed by then.
fn complain(global: &Global, looked: &[Looked], trouble: Vec<Failure>) -> Result<bool> {
    let several = looked.len() > 1 || !trouble.is_empty();
    let of_environments = looked.iter().filter_map(|one| Some((one.label.clone(), one.drift.as_ref().err()?.clone())));
    let any = output::failures(global, of_environments.collect(), several)?;
    let told = !trouble.is_empty();
    for failure in trouble {
        output::notice(global, |out| report::failure_text(&failure, out, true))?;
    }
    Ok(any || told)
}

/// Looks at one environment.
async fn look(work: &Work, options: &DriftOptions) -> Result<Drift> {
    let (applied, note) = last_apply(work).await;
    let predicted = work.registry.predict(&work.place, &work.desired)?;
    let mut drift = if options.quick {
        at_tags(work, &predicted, applied.as_ref()).await?
    } else {
        at_resources(work, &predicted, applied.as_ref()).await?
    };
    drift.warnings.extend(note);
    if options.who {
        for finding in drift.findings.iter_mut().filter(|one| one.standing.is_drift()) {
            finding.who = who(work, finding).await;
        }
    }
    Ok(drift)
}

/// The digests that the last apply left on record. Whoever may not read the record does without.
async fn last_apply(work: &Work) -> (Option<BTreeMap<Address, String>>, Option<Warning>) {
    let hint = Some("what is missing is then told from what stands".to_owned());
    let warning = |failure: &Failure| Warning { message: failure.to_string(), hint: hint.clone() };
    match journal::read(work, RECORDS).await {
        Ok((records, unread)) => {
            let note = unread.first().map(warning);
            // A record that can't be read may be newer than one that can.
            let record = records.into_iter().next().filter(|_| note.is_none());
            (record.map(|record| record.applied), note)
        }
        Err(failure) => (None, Some(warning(&failure))),
    }
}

async fn at_resources(
    work: &Work,
    predicted: &BTreeMap<Address, Outputs>,
    applied: Option<&BTreeMap<Address, String>>,
) -> Result<Drift> {
    let read = work.session();
    let observed = work.registry.observe_each(&read, &work.owner, &work.desired);
    let (account, (live, unread)) = futures::join!(read.check_account(), observed);
    // Whatever else failed in a foreign account is beside the point.
    account?;
    let unread = unread.into_iter().map(|(kind, failure)| (kind, failure.to_string())).collect();
    let mut drift = drift::classify(&drift::Input {
        owner: &work.owner,
        place: &work.place,
        desired: &work.desired,
        predicted,
        live: &live,
        rules: &work.registry.rules(),
        unread: &unread,
        applied,
    })?;
    let hint = "resources that are no longer in the configuration may have been missed";
    let notes = read.take_notes().into_iter().map(|message| Warning { message, hint: Some(hint.to_owned()) });
    drift.warnings.extend(notes);
    Ok(drift)
}

async fn at_tags(
    work: &Work,
    predicted: &BTreeMap<Address, Outputs>,
    applied: Option<&BTreeMap<Address, String>>,
) -> Result<Drift> {
    let read = work.session();
    let (account, tagged) = futures::join!(read.check_account(), read.tagged(&work.owner));
    account?;
    // Without the one list that this is about, nothing can be said.
    if let Some(why) = read.take_notes().into_iter().next() {
        return Err(Failure::new(crate::error::FailureKind::Aws, why).hint("run `gwctl drift` without --quick"));
    }
    let tagged: Vec<(Address, String, Option<String>)> = tagged
        .iter()
        .filter_map(|(arn, tags)| {
            let address = Address::parse(tags.get(crate::aws::tags::ADDRESS)?)?;
            Some((address, arn.clone(), tags.get(crate::aws::tags::DIGEST).cloned()))
        })
        .collect();
    quick::judge(&quick::Input {
        owner: &work.owner,
        place: &work.place,
        desired: &work.desired,
        predicted,
        rules: &work.registry.rules(),
        tagged: &tagged,
        applied,
    })
}

/// Kinds of services that are global in an account, whose events are in one Region.
const GLOBAL: [&str; 4] = ["iam-role", "hosted-zone", "dns-record", "health-check"];

/// Asks `CloudTrail`. What lives in an API is written of the API by its id.
async fn who(work: &Work, finding: &Finding) -> Who {
    let live = |field: &str| finding.live.as_ref().and_then(|live| live.get(field)).and_then(|value| value.as_str());
    let output = |name: &str| finding.outputs.get(name);
    let mut names: Vec<&str> = Vec::new();
    for name in [output("id"), output("arn"), live("rest_api"), live("http_api"), finding.name.as_deref()] {
        if let Some(name) = name.filter(|name| !name.is_empty() && !names.contains(name)) {
            names.push(name);
        }
    }
    let global = GLOBAL.contains(&finding.address.kind());
    match trail::writers(&work.aws.read, &names, global).await {
        Ok(events) if events.is_empty() => {
            let why = "it has no writing event of it in the last 90 days, or not yet (it is some minutes behind)";
            Who::CannotSay(why.to_owned())
        }
        Ok(events) => {
            Who::Known(events.into_iter().map(|one| Deed { time: one.time, event: one.name, user: one.user }).collect())
        }
        Err(failure) => Who::CannotSay(failure.to_string()),
    }
}

/// Sends what is to be sent, each once for the whole run; what could not be sent.
async fn tell(options: &DriftOptions, looked: &[Looked], works: &[Option<Work>]) -> Vec<Failure> {
    let mut trouble = Vec::new();
    let clean = looked
        .iter()
        .all(|one| one.drift.as_ref().is_ok_and(|drift| drift.summary().drift() + drift.summary().unknown == 0));
    if options.notify == Notify::Always || !clean {
        if let Some(url) = &options.webhook {
            trouble.extend(webhook::post(url, report::drift_json(looked).to_string()).await.err());
        }
        if let Some(topic) = &options.sns_topic {
            trouble.extend(publish(topic, looked, works).await.err());
        }
    }
    if options.metric {
        for one in counted(looked) {
            let work = works.iter().flatten().find(|work| work.owner == one.0 && work.place.region == one.1);
            if let Some(work) = work {
                trouble.extend(notice::put_drift(&work.aws, &one.0, one.2).await.err());
            }
        }
    }
    trouble
}

/// How many resources of each environment drifted, in each Region.
fn counted(looked: &[Looked]) -> Vec<(crate::model::Owner, String, usize)> {
    let each = looked.iter().filter_map(|one| Some((one, one.drift.as_ref().ok()?.summary())));
    each.map(|(one, summary)| (one.owner.clone(), one.place.region.clone(), summary.drift())).collect()
}

/// Through a session of the topic's account where there is one.
async fn publish(topic: &str, looked: &[Looked], works: &[Option<Work>]) -> Result<()> {
    let account = topic.split(':').nth(4);
    let sessions: Vec<&Aws> = works.iter().flatten().map(|work| &work.aws).collect();
    let own = sessions.iter().find(|aws| Some(aws.place.account.as_str()) == account).or(sessions.first());
    let Some(aws) = own else {
        let message = format!("failed to publish to {topic}: no environment could be reached");
        return Err(Failure::new(crate::error::FailureKind::Aws, message));
    };
    let (subject, message) = report::drift_message(looked, notice::LONGEST_MESSAGE);
    notice::publish(aws, topic, &subject, &message).await
}

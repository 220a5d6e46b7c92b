//! What an apply or a destroy came to.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::planned::failure_json;
use super::style::{Text, Tone};
use super::text::TextOptions;
use super::{PlanJson, style};
use crate::apply::Applied;
use crate::error::{Failure, FailureKind};
use crate::model::{Outputs, Owner, Place};
use crate::plan::{Plan, Summary};

/// How it ended for one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All of the plan was done.
    Done,
    /// There was nothing to do.
    NoChanges,
    /// Something failed, before or after the first change.
    Failed,
    /// The user ended it half-way.
    Interrupted,
    /// Nothing was changed, because the user did not want it or ended it before.
    NotBegun,
}

impl Status {
    /// The word for it in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NoChanges => "no_changes",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::NotBegun => "not_begun",
        }
    }
}

/// What became of one environment.
#[derive(Debug, Clone)]
pub struct Outcome {
    owner: Owner,
    place: Place,
    /// What the plan came to, if there is one. Plans are large, and a fleet has many: it is not kept itself.
    summary: Option<Summary>,
    /// Of the plan: whose it is, and for which Region where the environment has several.
    label: String,
    /// The plan for programs, where one reads it.
    plan: Option<PlanJson>,
    status: Status,
    destroyed: bool,
    done: usize,
    failed: Vec<(String, String)>,
    skipped: usize,
    outputs: Vec<(String, Outputs)>,
    /// Something was begun.
    begun: bool,
    /// The user ended it.
    interrupted: bool,
    why: Option<Failure>,
}

impl Outcome {
    /// The outcome of an apply.
    #[must_use]
    pub fn new(plan: &Plan, applied: &Applied) -> Self {
        let status = match applied {
            Applied { failed, .. } if !failed.is_empty() => Status::Failed,
            Applied { ended_by: Some(_), .. } => Status::Failed,
            Applied { interrupted: true, .. } if applied.is_untouched() => Status::NotBegun,
            Applied { interrupted: true, .. } => Status::Interrupted,
            // Nothing failed, and steps are left: the plan could not be carried out.
            applied if !applied.is_done() => Status::Failed,
            _ if plan.is_empty() => Status::NoChanges,
            _ => Status::Done,
        };
        Self {
            done: applied.done,
            failed: applied.failed.iter().map(|(address, why)| (address.to_string(), why.to_string())).collect(),
            skipped: applied.skipped,
            begun: !applied.is_untouched(),
            interrupted: applied.interrupted,
            outputs: applied.outputs.iter().map(|(address, outputs)| (address.to_string(), outputs.clone())).collect(),
            ..Self::without(&plan.owner, &plan.place, Some(plan), status, applied.ended_by.clone())
        }
    }

    /// The outcome of a destroy.
    #[must_use]
    pub fn destroyed(plan: &Plan, applied: &Applied) -> Self {
        Self { destroyed: true, ..Self::new(plan, applied) }
    }

    /// It failed, or the user ended it, before anything was changed.
    #[must_use]
    pub fn refused(owner: &Owner, place: &Place, plan: Option<&Plan>, why: &Failure) -> Self {
        let by_user = why.kind() == FailureKind::Interrupted;
        let status = if by_user { Status::NotBegun } else { Status::Failed };
        Self::without(owner, place, plan, status, Some(why.clone()))
    }

    /// It was not begun.
    #[must_use]
    pub fn not_begun(plan: &Plan) -> Self {
        Self::without(&plan.owner, &plan.place, Some(plan), Status::NotBegun, None)
    }

    fn without(owner: &Owner, place: &Place, plan: Option<&Plan>, status: Status, why: Option<Failure>) -> Self {
        Self {
            owner: owner.clone(),
            place: place.clone(),
            skipped: plan.map_or(0, |plan| plan.steps.len()),
            summary: plan.map(Plan::summary),
            label: plan.map(super::text::label).unwrap_or_default(),
            plan: None,
            status,
            destroyed: false,
            done: 0,
            failed: Vec::new(),
            outputs: Vec::new(),
            begun: false,
            interrupted: status == Status::NotBegun,
            why,
        }
    }

    /// With its plan, for programs.
    #[must_use]
    pub fn with_plan(self, plan: Option<PlanJson>) -> Self {
        Self { plan, ..self }
    }

    /// How it ended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether the user ended it, half-way or before it was begun, or did not want it.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    fn is_whole(&self) -> bool {
        matches!(self.status, Status::Done | Status::NoChanges)
    }

    /// Where the gateways answer.
    fn urls(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().filter_map(|(_, outputs)| outputs.get("url"))
    }

    /// The line of the summary.
    fn in_short(&self) -> (Tone, String) {
        let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        match self.status {
            Status::Done => {
                let Summary { add, change, destroy } = self.summary.unwrap_or_default();
                (Tone::Added, format!("done ({add} added, {change} changed, {destroy} destroyed)"))
            }
            Status::NoChanges => (Tone::Plain, "no changes".to_owned()),
            Status::Failed => {
                let reason = match (&self.why, self.failed.first()) {
                    (Some(why), _) => why.to_string(),
                    (None, Some((address, why))) => format!("{address}: {why}"),
                    (None, None) => String::new(),
                };
                let counts = format!("{} done, {} failed, {} not begun", self.done, self.failed.len(), self.skipped);
                let counts = if self.begun { counts } else { "nothing was changed".to_owned() };
                (Tone::Error, format!("failed ({counts}): {}", first_line(&reason)))
            }
            Status::Interrupted => {
                (Tone::Changed, format!("interrupted ({} done, {} not begun)", self.done, self.skipped))
            }
            Status::NotBegun => (Tone::Changed, "not begun; nothing was changed".to_owned()),
        }
    }
}

/// Writes an outcome for people: what was done, and where the gateway answers. Of an environment that was never begun there
/// is nothing to say.
pub fn outcome_text(outcome: &Outcome, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let told = outcome.begun || outcome.is_whole();
    let Some(Summary { add, change, destroy }) = outcome.summary.filter(|_| told) else {
        return Ok(());
    };
    let owner = &outcome.label;
    let changes = outcome.status != Status::NoChanges;
    if !outcome.is_whole() {
        let text = format!("{} done, {} failed, {} not begun.", outcome.done, outcome.failed.len(), outcome.skipped);
        writeln!(out)?;
        return page.paragraph(&Text::of(Tone::Error, &format!("{owner} is not finished: {text}")), out);
    }
    if !changes && outcome.destroyed {
        return page
            .paragraph(&Text::of(Tone::Strong, "Nothing to destroy.").plain(&format!(" {owner} holds nothing.")), out);
    }
    if changes {
        writeln!(out)?;
        let text = if outcome.destroyed {
            format!("Destroyed {owner}: {destroy} resources are gone.")
        } else {
            format!("Applied {owner}: {add} added, {change} changed, {destroy} destroyed.")
        };
        page.paragraph(&Text::of(Tone::Strong, &text), out)?;
    }
    for url in outcome.urls() {
        writeln!(out, "Endpoint: {url}")?;
    }
    Ok(())
}

/// Writes what became of each environment of several, a line each.
pub fn summary_text(outcomes: &[Outcome], out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    writeln!(out)?;
    page.paragraph(&Text::of(Tone::Strong, "Summary"), out)?;
    for outcome in outcomes {
        let (tone, text) = outcome.in_short();
        let several = outcomes.iter().filter(|other| other.owner == outcome.owner).count() > 1;
        let region = if several { format!(" {}", outcome.place.region) } else { String::new() };
        let name = format!("  {}{region}: ", outcome.owner);
        page.paragraph(&Text::new().plain(&name).push(tone, &style::visible(&text)).hanging(4), out)?;
    }
    Ok(())
}

/// Outcomes as one JSON object: for each its plan, as [`PlanJson`], if it was kept, and what came of it.
pub fn outcomes_json(outcomes: &[Outcome]) -> impl Serialize {
    OutcomesJson { gwctl_version: env!("CARGO_PKG_VERSION"), outcomes: outcomes.iter().map(OutcomeJson::of).collect() }
}

#[derive(Serialize)]
struct OutcomesJson<'a> {
    gwctl_version: &'static str,
    outcomes: Vec<OutcomeJson<'a>>,
}

/// An outcome for programs, with its members in the order of their names, as in every other object.
#[derive(Serialize)]
struct OutcomeJson<'a> {
    account: &'a str,
    complete: bool,
    done: usize,
    environment: &'a str,
    failed: Vec<Value>,
    failure: Option<Value>,
    not_begun: usize,
    outputs: BTreeMap<&'a str, &'a Outputs>,
    plan: Option<&'a PlanJson>,
    product: &'a str,
    region: &'a str,
    status: &'static str,
    urls: Vec<&'a str>,
}

impl<'a> OutcomeJson<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let failed = outcome.failed.iter().map(|(address, why)| json!({"address": address, "failure": why}));
        Self {
            account: &outcome.place.account,
            complete: outcome.is_whole(),
            done: outcome.done,
            environment: &outcome.owner.environment,
            failed: failed.collect(),
            failure: outcome.why.as_ref().map(failure_json),
            not_begun: outcome.skipped,
            outputs: outcome.outputs.iter().map(|(address, outputs)| (address.as_str(), outputs)).collect(),
            plan: outcome.plan.as_ref(),
            product: &outcome.owner.product,
            region: &outcome.place.region,
            status: outcome.status.name(),
            urls: outcome.urls().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Ended;

    fn outcome(done: usize, ended: Vec<Ended>, ended_by: Option<Failure>) -> Outcome {
        outcome_of(&Applied { ended_by, ..applied(done, ended) })
    }

    fn applied(done: usize, ended: Vec<Ended>) -> Applied {
        let skipped = ended.iter().filter(|ended| matches!(ended, Ended::NotBegun)).count();
        let (outputs, failed) = (BTreeMap::new(), Vec::new());
        Applied { outputs, failed, ended, done, skipped, interrupted: false, ended_by: None }
    }

    fn outcome_of(applied: &Applied) -> Outcome {
        let plan = Plan {
            owner: Owner { product: "shop".into(), environment: "prod".into() },
            place: Place { account: "111122223333".into(), region: "eu-west-1".into(), partition: "aws".into() },
            steps: Vec::new(),
            unchanged: Vec::new(),
            warnings: Vec::new(),
        };
        Outcome::new(&plan, applied)
    }

    #[test]
    fn what_is_left_undone_is_no_success_though_nothing_failed() {
        let left = outcome(1, vec![Ended::Done(None), Ended::NotBegun], None);
        assert_eq!((left.status(), left.is_whole()), (Status::Failed, false));
        assert!(left.in_short().1.contains("1 done, 0 failed, 1 not begun"), "{:?}", left.in_short());
    }

    #[test]
    fn what_the_user_ended_is_ended_by_the_user_whatever_failed_before() {
        let failure = Failure::new(FailureKind::Aws, "refused");
        let failed = vec![(crate::model::Address::new("gate", "stage", "gateway"), failure.clone())];
        for interrupted in [false, true] {
            let half = applied(0, vec![Ended::Failed(failure.clone()), Ended::NotBegun]);
            let half = outcome_of(&Applied { failed: failed.clone(), interrupted, ..half });
            assert_eq!((half.status(), half.is_interrupted()), (Status::Failed, interrupted));
        }
    }

    #[test]
    fn a_lock_that_was_lost_half_way_is_not_told_as_if_nothing_was_changed() {
        let lost = || Some(Failure::new(FailureKind::Refused, "the lock was taken away"));
        let half = outcome(1, vec![Ended::Done(None), Ended::NotBegun], lost());
        assert!(half.in_short().1.starts_with("failed (1 done, 0 failed, 1 not begun): the lock"));
        let none = outcome(0, vec![Ended::NotBegun], lost());
        assert!(none.in_short().1.starts_with("failed (nothing was changed): the lock"));
    }
}

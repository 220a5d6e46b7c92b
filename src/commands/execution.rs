//! What `apply` and `destroy` share: environment after environment, plan, ask, carry out, tell.
//!
//! Whatever ends the work, what was done until then is told: with `--output json`, stdout holds one object at the end, also
//! when a later environment was refused.

use std::io::IsTerminal as _;

use tokio::sync::watch;

use super::output::{self, data, notice, text_options};
use super::work::Work;
use crate::apply::{self, Applied};
use crate::cli::Global;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::plan::{Plan, safety};
use crate::report::{self, Format, Outcome, Reporter, progress};

/// What is to be done to each environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Make AWS what the configuration says.
    Apply {
        /// Carry out plans that remove an API or a large share of what exists.
        allow_deletes: bool,
    },
    /// Remove everything.
    Destroy,
}

impl Verb {
    async fn plan(self, work: &Work) -> Result<Plan> {
        match self {
            Self::Apply { .. } => work.plan().await,
            Self::Destroy => work.plan_destroy().await,
        }
    }

    fn question(self) -> &'static str {
        match self {
            Self::Apply { .. } => "Apply this plan",
            Self::Destroy => "Destroy all of this",
        }
    }
}

/// Does it to all, one after the other. The number is the exit code.
pub(super) async fn all(global: &Global, works: &[Work], verb: Verb, yes: bool) -> Result<u8> {
    let mut outcomes = Vec::new();
    let ended = each(global, works, verb, yes, &mut outcomes).await;
    if global.output == Format::Json {
        output::json(global, &report::outcomes_json(&outcomes))?;
    }
    ended.map(|()| exit::DONE)
}

async fn each(global: &Global, works: &[Work], verb: Verb, yes: bool, outcomes: &mut Vec<Outcome>) -> Result<()> {
    for work in works {
        let plan = verb.plan(work).await?;
        if verb != Verb::Destroy || !plan.is_empty() {
            show(global, &plan)?;
        }
        if let Verb::Apply { allow_deletes } = verb {
            safety::refuse_dangerous(&plan, allow_deletes)?;
        }
        if !plan.is_empty() && !yes {
            confirm(global, work, verb.question())?;
            still_fits(&plan, &verb.plan(work).await?)?;
        }
        let applied = carry_out(global, &plan, work).await;
        let outcome = if verb == Verb::Destroy { Outcome::destroyed } else { Outcome::new };
        outcomes.push(outcome(&plan, &applied));
        show_outcome(global, outcomes)?;
        if let Some(failure) = applied.into_failure() {
            return Err(failure);
        }
    }
    Ok(())
}

fn show(global: &Global, plan: &Plan) -> Result<()> {
    if global.output == Format::Json {
        return Ok(());
    }
    data(global, |out| report::plans(std::slice::from_ref(plan), global.output, out, &text_options(global)))
}

fn show_outcome(global: &Global, outcomes: &[Outcome]) -> Result<()> {
    match (global.output, outcomes.last()) {
        (Format::Json, _) | (_, None) => Ok(()),
        (_, Some(outcome)) => data(global, |out| report::outcome_text(outcome, out, &text_options(global))),
    }
}

/// Carries a plan out, with progress on stderr. Only while it runs does Ctrl-C mean "finish what is in flight"; before and
/// after, it ends the process.
async fn carry_out(global: &Global, plan: &Plan, work: &Work) -> Applied {
    let mut reporter = Reporter::new(progress::Mode::choose(global.no_progress));
    let mut emit = |event: apply::Event| {
        // An empty plan has nothing to tell.
        if !plan.is_empty() {
            reporter.event(&event);
        }
    };
    apply::apply(plan, &work.registry, &work.aws, watch_interrupt(plan), &mut emit).await
}

/// Turns true at the first Ctrl-C; the second ends the process at once.
fn watch_interrupt(plan: &Plan) -> watch::Receiver<bool> {
    let (send, receive) = watch::channel(false);
    if plan.is_empty() {
        return receive;
    }
    tokio::spawn(async move {
        let mut interrupted = false;
        while tokio::signal::ctrl_c().await.is_ok() {
            // With nobody listening, the apply is over, and Ctrl-C means what it always means.
            if interrupted || send.send(true).is_err() {
                std::process::exit(i32::from(exit::INTERRUPTED));
            }
            interrupted = true;
        }
    });
    receive
}

/// Asks on stderr, answers from a terminal only: what is piped in was not meant as an answer.
fn confirm(global: &Global, work: &Work, question: &str) -> Result<()> {
    let refused = |message: &str| Failure::new(FailureKind::Refused, message);
    if !std::io::stdin().is_terminal() {
        return Err(
            refused("nobody can be asked: stdin is no terminal").hint("look at the plan, then run this with --yes")
        );
    }
    let wanted = if work.protected { work.owner.environment.as_str() } else { "yes" };
    notice(global, |out| {
        write!(
            out,
            "\n{question} to {} in {} {}? Type `{wanted}`: ",
            work.owner, work.place.account, work.place.region
        )?;
        out.flush()
    })?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| Failure::io("failed to read the answer", &error))?;
    if answer.trim() == wanted { Ok(()) } else { Err(refused("not confirmed; nothing was changed")) }
}

/// A plan is carried out as it was shown or not at all.
fn still_fits(shown: &Plan, now: &Plan) -> Result<()> {
    if shown.steps == now.steps {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Refused, "AWS changed while you were asked, so the plan you saw no longer fits")
        .hint("nothing was changed; run this again to see the new plan"))
}

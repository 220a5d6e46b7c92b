//! `gwctl apply`: makes AWS what the configuration says.

use std::io::IsTerminal as _;

use tokio::sync::watch;

use super::output::{data, notice, text_options};
use super::work::{Code, Work, begin_all, load};
use crate::apply::{self, Applied};
use crate::cli::{ApplyOptions, Global};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::plan::{Plan, safety};
use crate::report::{self, Format, Outcome, Reporter, progress};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ApplyOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::at_hand(global, &configuration).await?;
    let interrupt = watch_interrupt();
    let mut outcomes = Vec::new();
    let mut failure = None;
    for mut work in begin_all(global, &configuration, &code).await? {
        work.aws.tolerant = options.no_verify;
        let plan = work.plan().await?;
        show(global, &plan)?;
        safety::refuse_dangerous(&plan, options.allow_deletes)?;
        if !plan.is_empty() && !options.yes {
            confirm(global, &work, "Apply this plan")?;
            still_fits(&plan, &work.plan().await?)?;
        }
        let applied = carry_out(global, &plan, &work, &interrupt).await;
        outcomes.push(Outcome::new(&plan, &applied));
        show_outcome(global, &outcomes)?;
        failure = applied.into_failure();
        if failure.is_some() {
            break;
        }
    }
    if global.output == Format::Json {
        data(global, |out| {
            serde_json::to_writer_pretty(&mut *out, &report::outcomes_json(&outcomes))?;
            writeln!(out)
        })?;
    }
    failure.map_or(Ok(exit::DONE), Err)
}

/// With JSON, stdout holds one object, at the end; the plan is part of it.
pub(super) fn show(global: &Global, plan: &Plan) -> Result<()> {
    if global.output == Format::Json {
        return Ok(());
    }
    data(global, |out| report::plans(std::slice::from_ref(plan), global.output, out, &text_options(global)))
}

pub(super) fn show_outcome(global: &Global, outcomes: &[Outcome]) -> Result<()> {
    match (global.output, outcomes.last()) {
        (Format::Json, _) | (_, None) => Ok(()),
        (_, Some(outcome)) => data(global, |out| report::outcome_text(outcome, out, &text_options(global))),
    }
}

/// Carries a plan out, with progress on stderr.
pub(super) async fn carry_out(global: &Global, plan: &Plan, work: &Work, interrupt: &watch::Receiver<bool>) -> Applied {
    let mut reporter = Reporter::new(progress::Mode::choose(global.no_progress));
    let mut emit = |event: apply::Event| {
        // An empty plan has nothing to tell.
        if !plan.is_empty() {
            reporter.event(&event);
        }
    };
    apply::apply(plan, &work.registry, &work.aws, interrupt.clone(), &mut emit).await
}

/// Turns true at the first Ctrl-C; the second ends the process at once.
pub(super) fn watch_interrupt() -> watch::Receiver<bool> {
    let (send, receive) = watch::channel(false);
    tokio::spawn(async move {
        let mut times = 0;
        while tokio::signal::ctrl_c().await.is_ok() {
            times += 1;
            if times > 1 {
                std::process::exit(i32::from(exit::INTERRUPTED));
            }
            // Nobody listens any more once the apply is over.
            let _ = send.send(true);
        }
    });
    receive
}

/// Asks on stderr, answers from a terminal only: what is piped in was not meant as an answer.
pub(super) fn confirm(global: &Global, work: &Work, question: &str) -> Result<()> {
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
pub(super) fn still_fits(shown: &Plan, now: &Plan) -> Result<()> {
    if shown.steps == now.steps {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Refused, "AWS changed while you were asked, so the plan you saw no longer fits")
        .hint("nothing was changed; run this again to see the new plan"))
}

//! `gwctl canary`: how a canary stands, and how it ends.

use super::code::Code;
use super::execution::{Order, all};
use super::output::{self, data, text_options};
use super::question::Consent;
use super::verb::Verb;
use super::work::{Lookups, Member, begin_all, load_rest, select, side_by_side};
use crate::cli::{CanaryAction, CanaryEnd, CanaryOptions, Global, Selection};
use crate::config::GatewayStack;
use crate::error::{Failure, Result, exit};
use crate::report::{self, Format, Stages};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &CanaryOptions) -> Result<u8> {
    match &options.action {
        CanaryAction::Status(selection) => status(global, selection).await,
        CanaryAction::Promote(end) => finish(global, end, |stack| Verb::Promote { stack }).await,
        CanaryAction::Abort(end) => finish(global, end, |stack| Verb::Abort { stack }).await,
    }
}

async fn finish(global: &Global, end: &CanaryEnd, verb: fn(Option<&'static str>) -> Verb) -> Result<u8> {
    let configuration = load_rest(global, &end.selection)?;
    let selected = select(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let order = Order {
        verb: verb(end.stack.map(|stack| GatewayStack::from(stack).name())),
        consent: Consent { yes: end.yes, confirmed: end.confirm.clone() },
        settle: None,
        saved: None,
        patience: end.lock.patience(),
        tolerant: false,
    };
    all(global, selected, &order).await
}

async fn status(global: &Global, selection: &Selection) -> Result<u8> {
    let configuration = load_rest(global, selection)?;
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let several = members.len() > 1;
    let read = members.into_iter().map(async |Member { label, owner, place, work }| {
        let stages = async {
            let (live, _) = work?.observe().await?;
            Ok::<_, Failure>(Stages::new(&owner, &place, &live))
        };
        let stages = stages.await;
        (label, stages)
    });
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for (label, stages) in side_by_side(read).await {
        match stages {
            Ok(stages) => found.push(stages),
            Err(failure) => failures.push((label, failure)),
        }
    }
    if global.output == Format::Json {
        output::json(global, &report::stages_json(&found))?;
    } else {
        data(global, |out| found.iter().try_for_each(|one| report::stages_text(one, out, &text_options(global))))?;
    }
    Ok(if output::failures(global, failures, several)? { exit::FAILED } else { exit::DONE })
}

//! `gwctl plan`: what an apply would do.

use super::code::Code;
use super::output::{self, data, text_options};
use super::work::{Lookups, Member, Work, begin_all, load, side_by_side};
use crate::cli::{Global, PlanOptions};
use crate::error::{Result, exit};
use crate::report::{self, Planned};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &PlanOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::of_each(global, &configuration).await;
    let members = begin_all(global, &configuration, code, Lookups::Required).await?;
    let planned: Vec<(String, Planned)> =
        side_by_side(members.into_iter().map(async |Member { label, owner, place, work }| {
            let plan = async { Work::plan(&work?).await };
            (label, Planned { owner, place, plan: plan.await })
        }))
        .await;
    let (labels, planned): (Vec<String>, Vec<Planned>) = planned.into_iter().unzip();
    data(global, |out| report::plans(&planned, global.output, out, &text_options(global)))?;
    let pending = planned.iter().any(|one| one.plan.as_ref().is_ok_and(|plan| !plan.is_empty()));
    let several = planned.len() > 1;
    let failures = labels.into_iter().zip(planned).filter_map(|(label, one)| Some((label, one.plan.err()?))).collect();
    if output::failures(global, failures, several)? {
        return Ok(exit::FAILED);
    }
    Ok(if pending && options.detailed_exitcode { exit::CHANGES } else { exit::DONE })
}

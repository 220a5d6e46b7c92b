//! `gwctl plan`: what an apply would do.

use futures::future::try_join_all;

use super::code::Code;
use super::output::{data, text_options};
use super::work::{Work, begin_all, load};
use crate::cli::{Global, PlanOptions};
use crate::error::{Result, exit};
use crate::plan::Plan;
use crate::report;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &PlanOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::at_hand(global, &configuration).await?;
    let all = begin_all(global, &configuration, &code).await?;
    let plans: Vec<Plan> = try_join_all(all.iter().map(Work::plan)).await?;
    data(global, |out| report::plans(&plans, global.output, out, &text_options(global)))?;
    let pending = plans.iter().any(|plan| !plan.is_empty());
    Ok(if pending && options.detailed_exitcode { exit::CHANGES } else { exit::DONE })
}

//! `gwctl destroy`: removes everything that carries the environment's tags, and nothing else.

use super::apply::{carry_out, confirm, show, show_outcome, still_fits, watch_interrupt};
use super::output::data;
use super::work::{Code, begin_all, load};
use crate::cli::{DestroyOptions, Global};
use crate::error::{Result, exit};
use crate::report::{self, Format, Outcome};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &DestroyOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let interrupt = watch_interrupt();
    let mut outcomes = Vec::new();
    let mut failure = None;
    // Only names are looked at, so nothing has to be built.
    for work in begin_all(global, &configuration, &Code::default()).await? {
        let plan = work.plan_destroy().await?;
        if !plan.is_empty() {
            show(global, &plan)?;
            if !options.yes {
                confirm(global, &work, "Destroy all of this")?;
                still_fits(&plan, &work.plan_destroy().await?)?;
            }
        }
        let applied = carry_out(global, &plan, &work, &interrupt).await;
        outcomes.push(Outcome::destroyed(&plan, &applied));
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

//! `gwctl show-plan`: what a saved plan would do.

use std::path::Path;

use super::files;
use super::output::{data, text_options};
use crate::cli::{Global, ShowPlanOptions};
use crate::error::{Result, exit};
use crate::plan::saved::SavedPlan;
use crate::report::{self, Manner, Planned};

/// Files larger than this, in bytes, are not read: no plan comes near it.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Runs the command.
pub(super) fn run(global: &Global, options: &ShowPlanOptions) -> Result<u8> {
    let saved = read(&options.plan)?;
    let several = saved.shown().count() > 1;
    let manner = Manner { format: global.output, options: text_options(global), several };
    let planned: Vec<Planned> = saved.shown().map(|plan| Planned::of(plan, manner)).collect();
    data(global, |out| report::plans(&planned, global.output, out))?;
    Ok(exit::DONE)
}

/// Reads a saved plan from its file.
pub(super) fn read(path: &Path) -> Result<SavedPlan> {
    let text = files::text(path, "the plan", LARGEST)?;
    SavedPlan::read(&text).map_err(|failure| failure.context(format!("failed to read the plan {}", path.display())))
}

//! `gwctl plan`: what an apply would do.

use super::code::Code;
use super::output::{self, data, text_options};
use super::show_plan;
use super::verb::Verb;
use super::work::{Lookups, Member, load, select, side_by_side, world};
use crate::cli::{Global, PlanOptions, Selection};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::plan::Plan;
use crate::plan::saved::{Asked, SavedPlan};
use crate::report::{self, Manner, Planned};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &PlanOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::of_each(global, &configuration).await;
    let selected = select(global, &configuration, code, Lookups::Required).await?;
    let verb = Verb::Apply { allow_deletes: false, canary: options.canary };
    let several = selected.len() > 1;
    let manner = Manner { format: global.output, options: text_options(global), several };
    let turns = side_by_side(selected.into_iter().map(async |one| {
        let Member { label, owner, place, work } = one.begin().await;
        let plan = async { verb.plan(&work?).await }.await;
        let planned = Planned::new(&owner, &place, plan.as_ref(), manner);
        let pending = plan.as_ref().is_ok_and(|plan| !plan.is_empty());
        // Laid out, nobody needs it any more but a file.
        Turn { label, planned, pending, plan: plan.map(|plan| options.out.as_ref().map(|_| plan)) }
    }))
    .await;
    let pending = turns.iter().any(|turn| turn.pending);
    let (mut planned, mut plans, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for turn in turns {
        planned.push(turn.planned);
        match turn.plan {
            Ok(plan) => plans.extend(plan),
            Err(failure) => failures.push((turn.label, failure)),
        }
    }
    data(global, |out| report::plans(&planned, global.output, out))?;
    if output::failures(global, failures, several)? {
        return Ok(exit::FAILED);
    }
    save(global, options, &plans)?;
    Ok(if pending && options.detailed_exitcode { exit::CHANGES } else { exit::DONE })
}

/// One environment that was planned.
struct Turn {
    label: String,
    planned: Planned,
    /// There is something to do.
    pending: bool,
    /// The plan, where it is to be saved; or why there is none.
    plan: Result<Option<Plan>>,
}

/// Saves the plans, if that was asked for. Where one of them failed there is nothing to save: half of what was asked for is
/// not what was asked for.
fn save(global: &Global, options: &PlanOptions, plans: &[Plan]) -> Result<()> {
    let Some(path) = &options.out else { return Ok(()) };
    // Which environments are in it says the plan itself.
    let Selection { environments, products, all, shard: _ } = options.selection.clone();
    let asked = Asked {
        products,
        environments,
        all,
        region: global.region.clone(),
        canary: options.canary,
        world: world(global),
    };
    // A slip of the pen, `--out` before the name of an environment's file, would cost that file.
    if std::fs::metadata(path).is_ok_and(|found| found.len() > 0) {
        show_plan::read(path).map_err(|_| {
            let message = format!("{} is there already, and is no saved plan", path.display());
            Failure::new(FailureKind::Usage, message).hint("nothing was written; choose another name")
        })?;
    }
    let text = SavedPlan::new(asked, plans, &report::masked).to_text()?;
    std::fs::write(path, text).map_err(|error| Failure::io(format!("failed to write {}", path.display()), &error))?;
    output::notice(global, |out| writeln!(out, "saved; carry it out with: gwctl apply {}", path.display()))
}

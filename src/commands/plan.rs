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
use crate::report::{self, Planned};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &PlanOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::of_each(global, &configuration).await;
    let selected = select(global, &configuration, code, Lookups::Required)?;
    let verb = Verb::Apply { allow_deletes: false, canary: options.canary };
    let planned: Vec<(String, Planned)> = side_by_side(selected.into_iter().map(async |one| {
        let Member { label, owner, place, work } = one.begin().await;
        let plan = async { verb.plan(&work?).await };
        (label, Planned { owner, place, plan: plan.await })
    }))
    .await;
    let (labels, planned): (Vec<String>, Vec<Planned>) = planned.into_iter().unzip();
    data(global, |out| report::plans(&planned, global.output, out, &text_options(global)))?;
    let pending = planned.iter().any(|one| one.plan.as_ref().is_ok_and(|plan| !plan.is_empty()));
    let several = planned.len() > 1;
    let (plans, failures) = apart(labels, planned);
    if output::failures(global, failures, several)? {
        return Ok(exit::FAILED);
    }
    save(global, options, &plans)?;
    Ok(if pending && options.detailed_exitcode { exit::CHANGES } else { exit::DONE })
}

fn apart(labels: Vec<String>, planned: Vec<Planned>) -> (Vec<Plan>, Vec<(String, Failure)>) {
    let (mut plans, mut failures) = (Vec::new(), Vec::new());
    for (label, one) in labels.into_iter().zip(planned) {
        match one.plan {
            Ok(plan) => plans.push(plan),
            Err(failure) => failures.push((label, failure)),
        }
    }
    (plans, failures)
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

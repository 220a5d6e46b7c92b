//! `gwctl apply`: makes AWS what the configuration says, or what a saved plan says.

use std::path::Path;
use std::time::Duration;

use super::code::Code;
use super::execution::{Order, all};
use super::question::Consent;
use super::show_plan;
use super::verb::Verb;
use super::work::{Lookups, load, select, world};
use crate::cli::{ApplyOptions, Global, Selection};
use crate::config::Configuration;
use crate::error::{Failure, FailureKind, Result};
use crate::plan::saved::{Asked, SavedPlan};
use crate::stack;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ApplyOptions) -> Result<u8> {
    let saved = options.plan.as_deref().map(show_plan::read).transpose()?;
    let asked = saved.as_ref().map(|saved| saved.asked.clone());
    let (global, selection, canary) = match asked {
        Some(asked) => as_asked(global, asked)?,
        None => (global.clone(), options.selection.clone(), options.canary),
    };
    let mut configuration = load(&global, &selection)?;
    if let (Some(saved), Some(path)) = (&saved, &options.plan) {
        keep_planned(&mut configuration, saved, path)?;
    }
    let code = Code::of_each(&global, &configuration).await;
    let selected = select(&global, &configuration, code, Lookups::Required).await?;
    let order = Order {
        verb: Verb::Apply { allow_deletes: options.allow_deletes, canary },
        consent: Consent { yes: options.yes || saved.is_some(), confirmed: options.confirm.clone() },
        settle: options.settle.map(Duration::from_secs),
        saved,
        patience: options.lock.patience(),
        tolerant: options.no_verify,
    };
    all(&global, selected, &order).await
}

/// What was asked for when a plan was saved.
fn as_asked(global: &Global, asked: Asked) -> Result<(Global, Selection, Option<f64>)> {
    let Asked { products, environments, all, region, canary, world } = asked;
    if self::world(global) != world {
        let name = |world: Option<String>| world.unwrap_or_else(|| "AWS".to_owned());
        let message =
            format!("the plan was saved for {}, and this would go to {}", name(world), name(self::world(global)));
        return Err(Failure::new(FailureKind::Refused, message)
            .hint("use the options --sandbox and --endpoint-url as for the plan"));
    }
    if global.region.is_some() && global.region != region {
        let planned = region.as_deref().unwrap_or("the configuration's");
        return Err(Failure::new(FailureKind::Usage, format!("the plan was saved for another Region: {planned}"))
            .hint("leave --region out"));
    }
    Ok((Global { region, ..global.clone() }, Selection { environments, products, all, shard: None }, canary))
}

/// Leaves only what the plan is for, and refuses it if some of that is gone.
fn keep_planned(configuration: &mut Configuration, saved: &SavedPlan, path: &Path) -> Result<()> {
    let environments = &mut configuration.environments;
    environments.retain(|one| saved.has(&stack::owner(one), &stack::place(&one.target)));
    let stands = |plan: &&crate::plan::Plan| {
        environments.iter().any(|one| stack::owner(one) == plan.owner && stack::place(&one.target) == plan.place)
    };
    match saved.shown().find(|plan| !stands(plan)) {
        None => Ok(()),
        Some(plan) => {
            let place = &plan.place;
            let message = format!("{} is for {} in {} {}", path.display(), plan.owner, place.account, place.region);
            Err(Failure::new(FailureKind::Refused, message)
                .cause("the configuration no longer puts it there")
                .hint("nothing was changed; save the plan again: gwctl plan --out FILE"))
        }
    }
}

//! `gwctl rollback`: moves a stage back to an earlier deployment, at once.

use super::code::Code;
use super::execution::{Order, all};
use super::question::Consent;
use super::verb::Verb;
use super::work::{Lookups, load_rest, select};
use crate::cli::{Global, RollbackOptions};
use crate::config::GatewayStack;
use crate::error::Result;
use crate::plan::serving::Target;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &RollbackOptions) -> Result<u8> {
    let configuration = load_rest(global, &options.selection)?;
    // Nothing has to be built, and what the configuration names may be gone: a rollback has to work on a bad day.
    let selected = select(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let order = Order {
        verb: Verb::RollBack {
            stack: options.stack.map(|stack| GatewayStack::from(stack).name()),
            target: Target { deployment: options.to.clone(), functions: options.functions },
        },
        consent: Consent { yes: options.yes, confirmed: options.confirm.clone() },
        settle: None,
        saved: None,
        patience: options.lock.patience(),
        tolerant: false,
    };
    all(global, selected, &order).await
}

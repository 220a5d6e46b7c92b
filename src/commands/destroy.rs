//! `gwctl destroy`: removes everything that carries the environment's tags, and nothing else.

use super::code::Code;
use super::execution::{Order, all};
use super::question::Consent;
use super::verb::Verb;
use super::work::{Lookups, load, select};
use crate::cli::{DestroyOptions, Global};
use crate::error::Result;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &DestroyOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    // Only names are looked at, so nothing has to be built.
    let selected = select(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let consent = Consent { yes: options.yes, confirmed: options.confirm.clone() };
    let patience = options.lock.patience();
    let order = Order { verb: Verb::Destroy, consent, settle: None, saved: None, patience, tolerant: false };
    all(global, selected, &order).await
}

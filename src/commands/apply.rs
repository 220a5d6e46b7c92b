//! `gwctl apply`: makes AWS what the configuration says.

use std::time::Duration;

use super::code::Code;
use super::execution::{Verb, all};
use super::question::Consent;
use super::work::{Lookups, begin_all, load};
use crate::cli::{ApplyOptions, Global};
use crate::error::Result;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ApplyOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::of_each(global, &configuration).await;
    let mut members = begin_all(global, &configuration, code, Lookups::Required).await?;
    for member in members.iter_mut().filter(|_| options.no_verify) {
        if let Ok(work) = &mut member.work
            && let Err(failure) = work.aws.tolerate_differences()
        {
            member.work = Err(failure);
        }
    }
    let consent = Consent { yes: options.yes, confirmed: options.confirm.clone() };
    all(
        global,
        members,
        Verb::Apply { allow_deletes: options.allow_deletes },
        &consent,
        options.settle.map(Duration::from_secs),
    )
    .await
}

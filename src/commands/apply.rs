//! `gwctl apply`: makes AWS what the configuration says.

use super::code::Code;
use super::execution::{Verb, all};
use super::work::{begin_all, load};
use crate::cli::{ApplyOptions, Global};
use crate::error::Result;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ApplyOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let code = Code::at_hand(global, &configuration).await?;
    let mut works = begin_all(global, &configuration, &code).await?;
    for work in &mut works {
        work.aws.tolerate_differences(options.no_verify);
    }
    all(global, &works, Verb::Apply { allow_deletes: options.allow_deletes }, options.yes).await
}

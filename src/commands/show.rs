//! `gwctl show`: what AWS holds.

use futures::future::try_join_all;

use super::code::Code;
use super::output::{self, data, text_options};
use super::work::{Work, begin_all, load};
use crate::cli::{Global, ShowOptions};
use crate::error::{Failure, Result, exit};
use crate::report::{self, Format, Inventory};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ShowOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let all = begin_all(global, &configuration, &Code::default()).await?;
    let found = try_join_all(all.iter().map(|work: &Work| async move {
        let (live, _) = work.observe().await?;
        Ok::<_, Failure>(Inventory::new(&work.owner, &work.place, live))
    }))
    .await?;
    if global.output == Format::Json {
        output::json(global, &report::inventories_json(&found))?;
        return Ok(exit::DONE);
    }
    data(global, |out| {
        for (index, inventory) in found.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            report::inventory_text(inventory, out, &text_options(global))?;
        }
        Ok(())
    })?;
    Ok(exit::DONE)
}

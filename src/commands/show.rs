//! `gwctl show`: what AWS holds.

use super::code::Code;
use super::output::{self, data, text_options};
use super::work::{Lookups, Member, begin_all, load, side_by_side};
use crate::cli::{Global, ShowOptions};
use crate::error::{Failure, Result, exit};
use crate::report::{self, Format, Inventory};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ShowOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let several = members.len() > 1;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    let read = members.into_iter().map(async |Member { owner, place, work }| {
        let inventory = async {
            let (live, _) = work?.observe().await?;
            Ok::<_, Failure>(Inventory::new(&owner, &place, live))
        };
        let inventory = inventory.await;
        (owner, inventory)
    });
    for (owner, inventory) in side_by_side(read).await {
        match inventory {
            Ok(inventory) => found.push(inventory),
            Err(failure) => failures.push((owner, failure)),
        }
    }
    if global.output == Format::Json {
        output::json(global, &report::inventories_json(&found))?;
    } else {
        data(global, |out| {
            for (index, inventory) in found.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                report::inventory_text(inventory, out, &text_options(global))?;
            }
            Ok(())
        })?;
    }
    Ok(if output::failures(global, failures, several)? { exit::FAILED } else { exit::DONE })
}

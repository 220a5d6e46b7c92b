//! `gwctl show`: what AWS holds, and how it stands to what was applied and to the configuration.
//!
//! One environment is shown in full, several as a table.

mod details;
mod serving;

use std::time::Duration;

use self::details::Depth;
use super::code::Code;
use super::output::{self, data, text_options};
use super::reading::Reading;
use super::sandbox::interrupted;
use super::work::{Lookups, Member, begin_all, load, side_by_side};
use crate::aws::Lists;
use crate::cli::{Global, ShowOptions};
use crate::config::Configuration;
use crate::error::{Failure, Result, exit};
use crate::report::{self, FleetRow, Format, Inventory};

/// What one look came to: for each member its label and its inventory, or why there is none.
type Look = Vec<(String, Result<Inventory>)>;

/// Runs the command: once, or until Ctrl-C.
pub(super) async fn run(global: &Global, options: &ShowOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let Some(seconds) = options.watch else {
        return show(global, &members, look(&configuration, &members).await);
    };
    let watching = async {
        loop {
            let seen = look(&configuration, &members).await;
            if !output::fresh_page(global)? {
                return Ok(exit::DONE);
            }
            // What fails now may be there at the next look.
            if let Err(failure) = show(global, &members, seen) {
                output::notice(global, |out| report::failure_text(&failure, out, true))?;
            }
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    };
    tokio::select! {
        ended = watching => ended,
        () = interrupted() => Ok(exit::DONE),
    }
}

/// Environments of several owners are a table; the Regions of one are not.
fn is_fleet(members: &[Member]) -> bool {
    members.iter().any(|member| member.owner != members[0].owner)
}

async fn look(configuration: &Configuration, members: &[Member]) -> Look {
    let lists = Lists::default();
    let depth = if is_fleet(members) { Depth::Standing } else { Depth::Full };
    let reads = configuration.environments.iter().zip(members).map(async |(environment, member)| {
        let work = member.work.as_ref().map_err(Failure::clone);
        let inventory = async {
            let reading = Reading { configuration, environment, work: work?, lists: &lists };
            Box::pin(details::inventory(&reading, depth)).await
        };
        (member.label.clone(), inventory.await)
    });
    side_by_side(reads).await
}

fn show(global: &Global, members: &[Member], seen: Look) -> Result<u8> {
    let several = members.len() > 1;
    let (mut found, mut rows, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for (member, (label, inventory)) in members.iter().zip(seen) {
        rows.push(FleetRow::new(&member.owner, &member.place, inventory.as_ref()));
        match inventory {
            Ok(inventory) => found.push(inventory),
            Err(failure) => failures.push((label, failure)),
        }
    }
    if global.output == Format::Json {
        output::json(global, &report::inventories_json(&found, &rows))?;
    } else if is_fleet(members) {
        data(global, |out| report::fleet(&rows, global.output, out, &text_options(global)))?;
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

//! `gwctl history`: what was done to an environment, by whom, and what came of it.

use super::code::Code;
use super::journal;
use super::output::{self, data, text_options};
use super::work::{Lookups, Member, begin_all, load, side_by_side};
use crate::cli::{Global, HistoryOptions};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::history::Record;
use crate::report::{self, Chronicle, Format};

/// How far back a record is looked for that is asked for by its name.
const SEARCHED: usize = 10_000;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &HistoryOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let several = members.len() > 1;
    let most = if options.record.is_some() { SEARCHED } else { options.last };
    let read = members.into_iter().map(async |Member { label, owner, place, work }| {
        let records = async {
            let work = work?;
            work.aws.read.check_account().await?;
            journal::read(&work, most).await
        };
        (label, owner, place, records.await)
    });
    let (mut chronicles, mut failures) = (Vec::new(), Vec::new());
    for (label, owner, place, records) in side_by_side(read).await {
        match records {
            Ok((records, unread)) => {
                failures.extend(unread.into_iter().map(|failure| (label.clone(), failure)));
                chronicles.push(Chronicle { owner, place, records });
            }
            Err(failure) => failures.push((label, failure)),
        }
    }
    if let Some(wanted) = &options.record {
        let found = chronicles.iter().flat_map(|one| &one.records).find(|record| is_meant(record, wanted));
        let found = match found {
            Some(found) => found,
            None if failures.is_empty() => return Err(unknown(wanted)),
            None => return output::failures(global, failures, several).map(|_| exit::FAILED),
        };
        return show(global, found);
    }
    if global.output == Format::Json {
        output::json(global, &report::chronicles_json(&chronicles))?;
    } else {
        data(global, |out| report::chronicles(&chronicles, global.output, out, &text_options(global)))?;
    }
    Ok(if output::failures(global, failures, several)? { exit::FAILED } else { exit::DONE })
}

/// A record is named by its id, or by the letters at its end.
fn is_meant(record: &Record, wanted: &str) -> bool {
    record.id == wanted || record.id.strip_suffix(wanted).is_some_and(|before| before.ends_with('-'))
}

fn unknown(wanted: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("no record is named `{wanted}`"))
        .hint("`gwctl history` lists them; they are as old as the retention of the access log group lets them be")
}

fn show(global: &Global, record: &Record) -> Result<u8> {
    if global.output == Format::Json {
        output::json(global, &report::record_json(record))?;
    } else {
        data(global, |out| report::record(record, global.output, out, &text_options(global)))?;
    }
    Ok(exit::DONE)
}

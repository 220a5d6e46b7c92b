//! Leaves records of what was done in AWS, and reads them.

use super::work::Work;
use crate::apply::Applied;
use crate::aws::log_events;
use crate::error::{Failure, Result};
use crate::history::{self, Circumstances, Deed, Record};
use crate::origin::Origin;
use crate::plan::Plan;
use crate::report;

/// Begins the record of what is done now.
pub(super) async fn begin(work: &Work, deed: Deed) -> Circumstances {
    let began = jiff::Timestamp::now();
    // Whoever may not ask who they are may still act.
    let caller = work.aws.read.caller().await.unwrap_or_default();
    Circumstances { deed, began, by: Origin::here(caller) }
}

/// Writes the record of a plan that was carried out. Where no log group stands that could hold it (nothing was made yet, or
/// everything is gone), there is none.
pub(super) async fn keep(work: &Work, plan: &Plan, applied: &Applied, circumstances: &Circumstances) -> Result<()> {
    let hide = |text: &str| report::without_secrets(plan, text);
    let record = Record::of(plan, applied, circumstances, &hide);
    let Some(group) = history::group_of(&record, plan, applied) else { return Ok(()) };
    let failed = |failure: Failure| {
        failure
            .context(format!("no record of this was left in {}", work.owner))
            .hint("what was done is done; `gwctl history` does not tell of it")
    };
    log_events::append(&work.aws, &group, history::STREAM, &record.line()?).await.map_err(failed)
}

/// The last records of an environment, the newest first, and what could not be read of them.
pub(super) async fn read(work: &Work, most: usize) -> Result<(Vec<Record>, Vec<Failure>)> {
    let named = work.desired.iter().map(|one| (&one.address, one.name()));
    let reads = history::groups(named)
        .into_iter()
        .map(async |group| log_events::last(&work.aws.read, &group, history::STREAM, most, &is_record).await);
    let lines = futures::future::try_join_all(reads).await?;
    let (mut records, failures) = history::newest_first(lines.into_iter().flatten());
    // Anybody who may write to the log may write a record of something else.
    records.retain(|record| record.owner == work.owner && record.place == work.place);
    records.truncate(most);
    Ok((records, failures))
}

/// Whether a line is a record, of a gwctl that is too new perhaps.
fn is_record(line: &str) -> bool {
    !matches!(Record::read(line), Ok(None))
}

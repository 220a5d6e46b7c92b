//! What an operator asks about one environment besides its resources.

use futures::future::try_join_all;

use super::super::journal;
use super::super::reading::{Compared, Reading};
use super::serving::serving;
use crate::aws::{ReadAws, log_lines, stage_state};
use crate::error::{Failure, Result};
use crate::inspection::standing::{DeploymentView, StageView, stage_settings};
use crate::kinds::Kind as _;
use crate::kinds::http_stage::HttpStage;
use crate::kinds::stage::Stage;
use crate::model::{Live, Observed};
use crate::report::{Inventory, LogGroupView};

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// How it stands, for a table of many.
    Standing,
    /// All there is to say.
    Full,
}

/// Reads an environment.
pub(super) async fn inventory(reading: &Reading<'_>, depth: Depth) -> Result<Inventory> {
    let (read, work) = (reading.session(), reading.work);
    let Compared { live, desired: _, standing } = reading.compared(&read).await?;
    let inventory = Inventory::new(&work.owner, &work.place, live.clone()).standing(standing);
    if depth == Depth::Standing {
        return Ok(inventory);
    }
    let (serving, stages, groups, journal) = futures::join!(
        Box::pin(serving(work, &live)),
        stages(&read, &live),
        log_groups(&read, &live),
        journal::read(work, 1),
    );
    let mut notes = Vec::new();
    let (stages, groups) = (or_note(stages, &mut notes), or_note(groups, &mut notes));
    let (records, unread) = or_note(journal, &mut notes);
    notes.extend(unread.iter().map(ToString::to_string));
    let inventory = inventory.serving(serving?).stages(stages).log_groups(groups);
    Ok(inventory.last_deed(records.into_iter().next()).noted(notes))
}

/// What could be read, or a note of why it could not: whoever may not see the logs may see the rest.
fn or_note<T: Default>(read: Result<T>, notes: &mut Vec<String>) -> T {
    read.unwrap_or_else(|failure| {
        notes.push(failure.to_string());
        T::default()
    })
}

/// What an operator asks about the stages.
async fn stages(read: &ReadAws, live: &Live) -> Result<Vec<StageView>> {
    let own = |kind: &str| live.get(kind).into_iter().flatten().filter(|one| one.address().is_some());
    let rest = own(Stage::NAME).map(|one| async move {
        let mut view = view(one)?;
        let text = |name: &str| one.spec.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let (api, id) = (text("rest_api"), text("deployment"));
        let (cache, note) =
            futures::try_join!(stage_state::cache(read, api, &one.name), stage_state::deployment(read, api, id))?;
        let cache = cache.map_or_else(
            || "off".to_owned(),
            |cache| format!("{} GB, {}", cache.size.unwrap_or_default(), cache.status.unwrap_or_default()),
        );
        view.settings.insert("cache", cache);
        let (created, description) = note.map_or((None, None), |note| (note.created, note.description));
        view.deployment = Some(DeploymentView { id: id.to_owned(), created, description });
        Ok::<_, Failure>(view)
    });
    let mut all = try_join_all(rest).await?;
    for one in own(HttpStage::NAME) {
        let id = one.outputs.get("deployment").map(str::to_owned);
        let deployment = id.map(|id| DeploymentView { id, created: None, description: None });
        all.push(StageView { deployment, ..view(one)? });
    }
    all.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(all)
}

fn view(one: &Observed) -> Result<StageView> {
    let address = one.address().cloned().ok_or_else(|| Failure::internal("a stage that is not ours was looked at"))?;
    let url = one.outputs.get("url").map(str::to_owned);
    Ok(StageView { address, name: one.name.clone(), url, settings: stage_settings(&one.spec), deployment: None })
}

async fn log_groups(read: &ReadAws, live: &Live) -> Result<Vec<LogGroupView>> {
    let kinds = ["log-group", "execution-log-group"];
    let own = kinds.iter().filter_map(|kind| live.get(kind)).flatten().filter(|one| one.address().is_some());
    try_join_all(own.map(|one| async move {
        let days = one.spec.get("retention_in_days").and_then(serde_json::Value::as_i64);
        Ok(LogGroupView { name: one.name.clone(), days, bytes: log_lines::stored_bytes(read, &one.name).await? })
    }))
    .await
}

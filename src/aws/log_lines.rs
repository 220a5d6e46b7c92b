//! What is in a log group: its events a page at a time, and how large it is.

use super::{ReadAws, failed, failure};
use crate::error::Result;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// What tells it from all others.
    pub id: String,
    /// Milliseconds since the epoch.
    pub time: i64,
    /// The stream it is in.
    pub stream: String,
    /// The line.
    pub message: String,
}

/// What reading them asks.
pub const CALLS: &[&str] = &["logs:DescribeLogGroups", "logs:FilterLogEvents"];

/// Events from a time on, in the order of their times, and where the next ones are. A page may be empty and not be the last (API
/// reference, `FilterLogEvents`: "This operation can return empty results while there are more log events available through the
/// token").
pub async fn page(
    aws: &ReadAws,
    group: &str,
    from: i64,
    next: Option<String>,
) -> Result<(Vec<LogEvent>, Option<String>)> {
    let call = aws.clients.logs.filter_log_events().log_group_name(group).start_time(from).set_next_token(next);
    let answer = call.send().await.map_err(|error| {
        let gone = failure::is_not_found(&error);
        let failure = failed(&format!("read the log group `{group}`"), error);
        if gone { failure.hint("it does not exist (any more): look at `gwctl plan`") } else { failure }
    })?;
    let events = answer.events.unwrap_or_default().into_iter().map(|event| LogEvent {
        id: event.event_id.unwrap_or_default(),
        time: event.timestamp.unwrap_or_default(),
        stream: event.log_stream_name.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    });
    Ok((events.collect(), answer.next_token))
}

/// How many bytes a log group holds; nothing where there is none. The figure may be hours old (API reference, `LogGroup`).
pub async fn stored_bytes(aws: &ReadAws, group: &str) -> Result<Option<i64>> {
    let answer = aws.clients.logs.describe_log_groups().log_group_name_prefix(group).send().await;
    let groups = answer.map_err(|error| failed(&format!("describe log group `{group}`"), error))?.log_groups;
    let found = groups.unwrap_or_default().into_iter().find(|one| one.log_group_name() == Some(group));
    Ok(found.and_then(|one| one.stored_bytes()))
}

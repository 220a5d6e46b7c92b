//! Log streams and what clients write into them. Unlike what stages log, it is part of the sandbox's state: a client that
//! wrote something expects to find it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{State, invalid};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::world::View;

/// What an event counts besides its message (API reference of `PutLogEvents`).
const OVERHEAD: usize = 26;

/// The most that one call may bring, in bytes (the same).
const BATCH: usize = 1_048_576;

/// The most events of one call (the same).
const EVENTS: usize = 10_000;

/// How far in the future a time may lie, in milliseconds: two hours (the same).
const FUTURE: i64 = 2 * 3_600_000;
/// How far in the past a time may lie, in milliseconds: two weeks (the same).
const PAST: i64 = 14 * 86_400_000;

/// A log stream.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Stream {
    /// Milliseconds since the epoch.
    pub(super) created: i64,
    pub(super) events: Vec<Line>,
}

/// An event that a client wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    /// Milliseconds since the epoch, as the client says.
    pub(super) time: i64,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(super) struct Batch {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
    log_events: Option<Vec<Event>>,
}

#[derive(Debug, Deserialize)]
struct Event {
    timestamp: Option<i64>,
    message: Option<String>,
}

pub(super) fn create(view: &mut View<'_>, asked: &Named) -> Answer<Value> {
    let created = view.millis();
    let name = name(asked.log_stream_name.as_deref())?.to_owned();
    let streams = streams(&mut view.region.logs, asked.log_group_name.as_deref())?;
    if streams.contains_key(&name) {
        return Err(Fault::new(400, "ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    streams.insert(name, Stream { created, events: Vec::new() });
    Ok(Value::Null)
}

pub(super) fn delete(state: &mut State, asked: &Named) -> Answer<Value> {
    let name = name(asked.log_stream_name.as_deref())?;
    streams(state, asked.log_group_name.as_deref())?.remove(name).ok_or_else(no_stream)?;
    Ok(Value::Null)
}

pub(super) fn put(view: &mut View<'_>, asked: Batch) -> Answer<Value> {
    let now = view.millis();
    let name = name(asked.log_stream_name.as_deref())?.to_owned();
    let events = asked.log_events.ok_or_else(|| invalid("logEvents is required"))?;
    if events.is_empty() || events.len() > EVENTS {
        return Err(invalid(format!("Member must have length between 1 and {EVENTS}, inclusive: logEvents")));
    }
    let mut lines = Vec::new();
    for event in events {
        let time = event.timestamp.ok_or_else(|| invalid("Member must not be null: timestamp"))?;
        let message = event.message.filter(|message| !message.is_empty());
        lines.push(Line { time, message: message.ok_or_else(|| invalid("Member must not be null: message"))? });
    }
    if lines.iter().map(|line| line.message.len() + OVERHEAD).sum::<usize>() > BATCH {
        return Err(invalid(format!("Upload too large: the maximum is {BATCH} bytes")));
    }
    if !lines.is_sorted_by_key(|line| line.time) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let stream = streams(&mut view.region.logs, asked.log_group_name.as_deref())?.get_mut(&name);
    let stream = stream.ok_or_else(no_stream)?;
    let old = lines.iter().take_while(|line| line.time < now - PAST).count();
    let new = lines.iter().position(|line| line.time > now + FUTURE);
    let mut rejected = serde_json::Map::new();
    if old > 0 {
        rejected.insert("tooOldLogEventEndIndex".into(), json!(old));
    }
    if let Some(new) = new {
        rejected.insert("tooNewLogEventStartIndex".into(), json!(new));
    }
    let end = new.unwrap_or(lines.len());
    stream.events.extend(lines.drain(old.min(end)..end));
    let mut answer = json!({ "nextSequenceToken": format!("{:056}", stream.events.len()) });
    if !rejected.is_empty() {
        answer["rejectedLogEventsInfo"] = rejected.into();
    }
    Ok(answer)
}

fn streams<'s>(state: &'s mut State, group: Option<&str>) -> Answer<&'s mut BTreeMap<String, Stream>> {
    let group = group.ok_or_else(|| invalid("Member must not be null: logGroupName"))?;
    Ok(&mut state.group_mut(group)?.streams)
}

fn name(name: Option<&str>) -> Answer<&str> {
    let name = name.ok_or_else(|| invalid("Member must not be null: logStreamName"))?;
    if !(1..=512).contains(&name.len()) || name.contains([':', '*']) {
        return Err(invalid("Member must satisfy regular expression pattern: [^:*]*: logStreamName"));
    }
    Ok(name)
}

pub(super) fn no_stream() -> Fault {
    Fault::new(400, "ResourceNotFoundException", "The specified log stream does not exist.")
}

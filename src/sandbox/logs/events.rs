//! What is logged: the access logs of the stages that this process serves, and what clients wrote. What stages log is kept in
//! memory, the last events of each group, and gone with the process; written to the state of the sandbox, each request would
//! change it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Value, json};

use super::streams::no_stream;
use super::{State, arn, invalid, no_group, parse, respond};
use crate::sandbox::fault::Answer;
use crate::sandbox::wire::{Request, Response};

/// Events that are kept of one group.
const KEPT: usize = 10_000;

/// The events of all log groups; clones share them.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Events(Arc<Mutex<BTreeMap<Place, VecDeque<Event>>>>);

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sandbox) struct Place {
    account: String,
    region: String,
    group: String,
}

/// Numbers the lines that stages log, so that each has an id of its own whichever way it is asked for.
static NUMBER: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone)]
struct Event {
    /// Its time in twenty digits, and what tells it from others of that time.
    id: String,
    /// Milliseconds since the epoch.
    time: i64,
    stream: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    filter_pattern: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    limit: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    start_from_head: bool,
}

impl Place {
    /// Reads the ARN of a log group; none if it is of something else.
    pub(in crate::sandbox) fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        let ["arn", _, "logs", region, account, "log-group", group] = parts[..] else { return None };
        let group = group.trim_end_matches(":*");
        Some(Self { account: account.to_owned(), region: region.to_owned(), group: group.to_owned() })
    }
}

impl Events {
    /// Keeps a line. Whether the group is there is asked when it is read.
    pub(in crate::sandbox) fn write(&self, place: &Place, stream: &str, message: String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let time = i64::try_from(now).unwrap_or(i64::MAX);
        let id = format!("{time:020}{:016}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let event = Event { id, time, stream: stream.to_owned(), message };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let events = match all.get_mut(place) {
            Some(events) => events,
            None => all.entry(place.clone()).or_default(),
        };
        if events.len() == KEPT {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Answers a request for events; none if it is for something else.
    pub(in crate::sandbox) fn answer(&self, state: &State, request: &Request) -> Option<Response> {
        let target = request.header("x-amz-target").unwrap_or_default();
        let act: Act = match target.strip_prefix("Logs_20140328.")? {
            "DescribeLogStreams" => streams,
            "GetLogEvents" => get,
            "FilterLogEvents" => filter,
            _ => return None,
        };
        Some(respond(self.found(state, request, act)))
    }

    fn found(&self, state: &State, request: &Request, act: Act) -> Answer<Value> {
        let query: Query = parse(request)?;
        let name = query.log_group_name.clone().ok_or_else(|| invalid("logGroupName is required here"))?;
        let group = state.groups.get(&name).ok_or_else(no_group)?;
        let caller = &request.caller;
        let place = Place { account: caller.account.clone(), region: caller.region.clone(), group: name.clone() };
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What went to a group of that name before it was made anew is not this one's.
        let logged = all.get(&place).into_iter().flatten().filter(|event| event.time >= group.created).cloned();
        let written = group.streams.iter().flat_map(|(stream, held)| {
            held.events.iter().enumerate().map(move |(at, line)| Event {
                id: format!("{:020}{stream}#{at}", line.time),
                time: line.time,
                stream: stream.clone(),
                message: line.message.clone(),
            })
        });
        let mut events: Vec<Event> = logged.chain(written).collect();
        events.sort_by_key(|event| event.time);
        let made = group.streams.iter().map(|(stream, held)| (stream.as_str(), held.created)).collect();
        act(&query, &Held { events: &events, made, arn: arn(&name, caller) })
    }
}

/// What a log group holds.
struct Held<'e> {
    /// In the order of their times.
    events: &'e [Event],
    /// The streams that clients made, and when.
    made: BTreeMap<&'e str, i64>,
    arn: String,
}

type Act = fn(&Query, &Held<'_>) -> Answer<Value>;

// One of several answers of one type.
#[allow(clippy::unnecessary_wraps)]
fn streams(query: &Query, held: &Held<'_>) -> Answer<Value> {
    let Held { events, made, arn } = held;
    let prefix = query.log_stream_name_prefix.as_deref().unwrap_or_default();
    let names: BTreeSet<&str> = events.iter().map(|event| event.stream.as_str()).chain(made.keys().copied()).collect();
    let streams = names.into_iter().filter(|name| name.starts_with(prefix)).map(|name| {
        let mut times = events.iter().filter(|event| event.stream == name).map(|event| event.time);
        let first = times.next();
        let created = made.get(name).copied().or(first);
        let mut shown = json!({
            "arn": format!("{arn}:log-stream:{name}"), "logStreamName": name, "creationTime": created, "storedBytes": 0,
        });
        if let Some(first) = first {
            let last = times.next_back().unwrap_or(first);
            shown["firstEventTimestamp"] = first.into();
            shown["lastEventTimestamp"] = last.into();
            shown["lastIngestionTime"] = last.into();
        }
        shown
    });
    Ok(json!({ "logStreams": streams.collect::<Vec<_>>() }))
}

fn get(query: &Query, held: &Held<'_>) -> Answer<Value> {
    let stream = query.log_stream_name.as_deref().ok_or_else(|| invalid("logStreamName is required"))?;
    if !held.made.contains_key(stream) && !held.events.iter().any(|event| event.stream == stream) {
        return Err(no_stream());
    }
    let found: Vec<&Event> = within(query, held.events).filter(|event| event.stream == stream).collect();
    let most = query.limit.unwrap_or(KEPT).min(KEPT);
    // A token says where it goes on, and which way. At an end, asking on gives the same token again, which is how AWS says so.
    let place = |token: &str, way: &str| token.strip_prefix(way)?.parse::<usize>().ok().map(|at| at.min(found.len()));
    let (start, end) = match query.next_token.as_deref() {
        None if query.start_from_head => (0, most.min(found.len())),
        None => (found.len().saturating_sub(most), found.len()),
        Some(token) => match (place(token, "f/"), place(token, "b/")) {
            (Some(at), _) => (at, (at + most).min(found.len())),
            (_, Some(at)) => (at.saturating_sub(most), at),
            _ => return Err(invalid("The specified nextToken is invalid.")),
        },
    };
    let shown = found[start..end]
        .iter()
        .map(|one| json!({ "timestamp": one.time, "ingestionTime": one.time, "message": one.message }));
    Ok(json!({
        "events": shown.collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{end}"),
        "nextBackwardToken": format!("b/{start}"),
    }))
}

fn filter(query: &Query, held: &Held<'_>) -> Answer<Value> {
    let pattern = query.filter_pattern.as_deref().unwrap_or_default();
    if pattern.contains(['{', '[', '?', '%', '-']) {
        return Err(invalid(format!("The sandbox knows filter patterns of plain terms only, not {pattern}")));
    }
    let terms: Vec<&str> = pattern.split_whitespace().map(|term| term.trim_matches('"')).collect();
    let prefix = query.log_stream_name_prefix.as_deref().unwrap_or_default();
    let of_stream = |name: &String| {
        name.starts_with(prefix) && query.log_stream_names.as_ref().is_none_or(|names| names.contains(name))
    };
    let found = within(query, held.events).filter(|event| of_stream(&event.stream));
    let found = found.filter(|event| terms.iter().all(|term| event.message.contains(term)));
    let limit = query.limit.unwrap_or(KEPT);
    if !(1..=KEPT).contains(&limit) {
        return Err(invalid(format!("limit is from 1 to {KEPT}")));
    }
    let mut found: Vec<&Event> = found.collect();
    // The token names the first event of the next page, so that what comes in between moves nothing. One that was dropped
    // meanwhile leaves its time.
    if let Some(token) = &query.next_token {
        let time: i64 = token
            .get(..20)
            .and_then(|time| time.parse().ok())
            .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
        let at = found.iter().position(|one| one.id == *token);
        let at = at.or_else(|| found.iter().position(|one| one.time >= time));
        found.drain(..at.unwrap_or(found.len()));
    }
    let shown: Vec<Value> = found
        .iter()
        .take(limit)
        .map(|one| {
            json!({
                "eventId": one.id, "logStreamName": one.stream, "timestamp": one.time, "ingestionTime": one.time,
                "message": one.message,
            })
        })
        .collect();
    let mut answer = json!({ "events": shown, "searchedLogStreams": [] });
    if let Some(next) = found.get(limit) {
        answer["nextToken"] = next.id.as_str().into();
    }
    Ok(answer)
}

fn within<'e>(query: &'e Query, events: &'e [Event]) -> impl Iterator<Item = &'e Event> {
    let (start, end) = (query.start_time.unwrap_or(i64::MIN), query.end_time.unwrap_or(i64::MAX));
    events.iter().filter(move |event| (start..=end).contains(&event.time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_log_group_is_read() {
        let place = Place::of("arn:aws-cn:logs:cn-north-1:1:log-group:/a/b:*").unwrap();
        assert_eq!((place.region.as_str(), place.account.as_str(), place.group.as_str()), ("cn-north-1", "1", "/a/b"));
        assert_eq!(Place::of("arn:aws:firehose:eu-west-1:1:deliverystream/amazon-apigateway-x"), None);
    }

    #[test]
    fn pages_have_each_event_once_and_ids_that_stay() {
        let events: Vec<Event> = (0..7)
            .map(|at| Event {
                id: format!("{:020}{at}", 1000),
                time: 1000,
                stream: if at == 3 { "b" } else { "a" }.to_owned(),
                message: at.to_string(),
            })
            .collect();
        let held = Held { events: &events, made: BTreeMap::new(), arn: String::new() };
        let page = |query: &Value| filter(&serde_json::from_value(query.clone()).unwrap(), &held).unwrap();
        let ids = |page: &Value| {
            let events = page["events"].as_array().unwrap().iter();
            events.map(|one| one["eventId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let whole = page(&json!({ "logStreamNames": ["a"] }));
        assert!(whole.get("nextToken").is_none());
        let mut paged = Vec::new();
        let mut query = json!({ "logStreamNames": ["a"], "limit": 2 });
        loop {
            let page = page(&query);
            paged.extend(ids(&page));
            match page.get("nextToken") {
                Some(token) => query["nextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!((paged.len(), paged), (6, ids(&whole)));
        let wrong: Query = serde_json::from_value(json!({ "nextToken": "x" })).unwrap();
        assert!(filter(&wrong, &held).is_err());
    }

    #[test]
    fn the_last_events_are_kept() {
        let (events, place) = (Events::default(), Place::of("arn:aws:logs:eu-west-1:1:log-group:g").unwrap());
        for number in 0..KEPT + 5 {
            events.write(&place, "s", number.to_string());
        }
        let held = events.0.lock().unwrap();
        assert_eq!((held[&place].len(), held[&place][0].message.as_str()), (KEPT, "5"));
    }
}

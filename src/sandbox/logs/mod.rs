//! The Logs service in the sandbox: log groups, their retention and tags, over JSON 1.1; what clients write into their
//! streams, and what stages log ([`events`]).

pub(in crate::sandbox) mod events;
mod filters;
mod groups;
mod streams;
mod tags;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::{Answer, Fault};
use super::wire::{Caller, Request, Response};
use super::world::View;

/// Log groups of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    groups: BTreeMap<String, Group>,
}

/// One log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Group {
    /// Milliseconds since the epoch.
    created: i64,
    retention: Option<u32>,
    class: String,
    key: Option<String>,
    protected: bool,
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    streams: BTreeMap<String, streams::Stream>,
    #[serde(default, skip_serializing_if = "filters::Filters::is_empty")]
    filters: filters::Filters,
}

impl State {
    /// Whether there is a log group of a name.
    #[must_use]
    pub fn has_group(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    /// The ARNs of all log groups that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self, caller: &Caller) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.groups.iter().filter(|(_, group)| !group.tags.is_empty());
        tagged.map(|(name, group)| (arn(name, caller), group.tags.clone())).collect()
    }

    fn group_mut(&mut self, name: &str) -> Answer<&mut Group> {
        self.groups.get_mut(name).ok_or_else(no_group)
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    respond(act(view, request))
}

fn respond(answer: Answer<Value>) -> Response {
    match answer {
        Ok(body) => {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            Response {
                status: 200,
                headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
                body: body.into_bytes().into(),
            }
        }
        Err(fault) => fault.json("message"),
    }
}

/// Whether a request only looks.
pub(super) fn is_read(request: &Request) -> bool {
    ["Describe", "List", "Get", "Filter"].iter().any(|verb| request.operation().starts_with(verb))
}

/// Whether a text may name a log group.
pub(super) fn is_group_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
    (1..=512).contains(&name.len()) && name.bytes().all(allowed)
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let caller = &request.caller;
    match target.strip_prefix("Logs_20140328.").unwrap_or_default() {
        "CreateLogGroup" => groups::create(view, &parse(request)?),
        "DeleteLogGroup" => groups::delete(&mut view.region.logs, &parse(request)?),
        "DescribeLogGroups" => groups::describe(&view.region.logs, caller, &parse(request)?),
        "CreateLogStream" => streams::create(view, &parse(request)?),
        "DeleteLogStream" => streams::delete(&mut view.region.logs, &parse(request)?),
        "PutLogEvents" => streams::put(view, parse(request)?),
        "PutRetentionPolicy" => groups::put_retention(&mut view.region.logs, &parse(request)?),
        "DeleteRetentionPolicy" => groups::delete_retention(&mut view.region.logs, &parse(request)?),
        "PutSubscriptionFilter" => filters::put_subscription(view, parse(request)?),
        "DescribeSubscriptionFilters" => filters::subscriptions(&view.region.logs, &parse(request)?),
        "DeleteSubscriptionFilter" => filters::delete_subscription(&mut view.region.logs, &parse(request)?),
        "PutMetricFilter" => filters::put_metric(view, parse(request)?),
        "DescribeMetricFilters" => filters::metrics(&view.region.logs, &parse(request)?),
        "DeleteMetricFilter" => filters::delete_metric(&mut view.region.logs, &parse(request)?),
        "PutLogGroupDeletionProtection" => groups::protect(&mut view.region.logs, caller, &parse(request)?),
        "TagResource" => tags::tag(&mut view.region.logs, caller, parse(request)?),
        "UntagResource" => tags::untag(&mut view.region.logs, caller, &parse(request)?),
        "ListTagsForResource" => tags::list(&view.region.logs, caller, &parse(request)?),
        "TagLogGroup" => tags::tag_by_name(&mut view.region.logs, parse(request)?),
        "UntagLogGroup" => tags::untag_by_name(&mut view.region.logs, &parse(request)?),
        "ListTagsLogGroup" => tags::list_by_name(&view.region.logs, &parse(request)?),
        _ => Err(Fault::new(
            400,
            "UnknownOperationException",
            format!("The sandbox's CloudWatch Logs has no operation {target}"),
        )),
    }
}

fn parse<T: DeserializeOwned>(request: &Request) -> Answer<T> {
    serde_json::from_slice(&request.body).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
}

/// The ARN of a log group, without the `:*` that stands for its streams.
fn arn(name: &str, caller: &Caller) -> String {
    format!("arn:{}:logs:{}:{}:log-group:{name}", caller.partition(), caller.region, caller.account)
}

fn no_group() -> Fault {
    Fault::new(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameterException", message)
}

#[cfg(test)]
mod tests;

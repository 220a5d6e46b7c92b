//! Amazon Data Firehose in the sandbox: delivery streams to S3 that take direct puts, their encryption and tags, over
//! JSON 1.1, version 2015-08-04.
//!
//! Nothing is delivered: there are no records. Of the destinations there is Extended S3 alone. A stream is `ACTIVE` at
//! once, unless `conditions` say otherwise. Its role is asked for its trust policy, as on AWS; what the role may do, and
//! whether the bucket exists, is found out at the first delivery, as on AWS.

mod destination;
mod encryption;
mod streams;
mod tags;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::streams::Stream;
use super::fault::{Answer, Fault, missing, violation};
use super::wire::{Caller, Request, Response};
use super::world::View;

/// Firehose of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    streams: BTreeMap<String, Stream>,
}

impl State {
    /// Whether there is a stream of a name that takes direct puts.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.streams.contains_key(name)
    }

    /// The ARNs of the streams that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.streams.values().filter(|one| !one.tags.is_empty());
        tagged.map(|one| (one.arn.clone(), one.tags.clone())).collect()
    }

    fn stream(&mut self, name: Option<&str>, caller: &Caller) -> Answer<&mut Stream> {
        let name = named(name)?;
        self.streams.get_mut(name).ok_or_else(|| {
            // Reported.
            let message = format!("Firehose {name} under account {} not found.", caller.account);
            Fault::new(400, "ResourceNotFoundException", message)
        })
    }
}

/// The name of a stream, which has to have the form of one (service model, `DeliveryStreamName`).
fn named(name: Option<&str>) -> Answer<&str> {
    let name = name.ok_or_else(|| invalid(missing("deliveryStreamName")))?;
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let constraint = if !(1..=64).contains(&name.len()) {
        "Member must have length less than or equal to 64"
    } else if !name.bytes().all(sign) {
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    } else {
        return Ok(name);
    };
    Err(invalid(violation(name, "deliveryStreamName", constraint)))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationException", message)
}

fn argument(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidArgumentException", message)
}

/// Refuses a value that is none of a set, in the words that AWS generates from its models.
fn one_of(value: &str, member: &str, set: &[&str]) -> Answer<()> {
    if set.contains(&value) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", set.join(", "));
    Err(invalid(violation(value, member, &constraint)))
}

/// What streams are asked by their name alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByName {
    delivery_stream_name: Option<String>,
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    match act(view, request) {
        Ok(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            body: body.to_string().into_bytes().into(),
        },
        Err(fault) => fault.json("message"),
    }
}

/// Whether a request only looks.
pub(super) fn is_read(request: &Request) -> bool {
    ["Describe", "List"].iter().any(|verb| request.operation().starts_with(verb))
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let caller = &request.caller;
    match target.strip_prefix("Firehose_20150804.").unwrap_or_default() {
        "CreateDeliveryStream" => streams::create(view, caller, input(request)?),
        "DescribeDeliveryStream" => streams::describe(view, caller, &input(request)?),
        "ListDeliveryStreams" => streams::list(&view.region.firehose, &input(request)?),
        "DeleteDeliveryStream" => streams::delete(view, caller, &input(request)?),
        "UpdateDestination" => streams::update(view, caller, input(request)?),
        "StartDeliveryStreamEncryption" => encryption::start(&mut view.region.firehose, caller, input(request)?),
        "StopDeliveryStreamEncryption" => encryption::stop(&mut view.region.firehose, caller, &input(request)?),
        "TagDeliveryStream" => tags::tag(&mut view.region.firehose, caller, &input(request)?),
        "UntagDeliveryStream" => tags::untag(&mut view.region.firehose, caller, &input(request)?),
        "ListTagsForDeliveryStream" => tags::list(&mut view.region.firehose, caller, &input(request)?),
        _ => {
            let message = format!("The sandbox's Firehose has no operation {target}");
            Err(Fault::new(400, "UnknownOperationException", message))
        }
    }
}

fn input<T: DeserializeOwned>(request: &Request) -> Answer<T> {
    serde_json::from_slice(&request.body).map_err(|error| {
        let text = error.to_string();
        if text.contains("unknown field") {
            // AWS ignores what it does not know. What the sandbox does not know may be something that AWS does.
            let name = text.split('`').nth(1).unwrap_or_default();
            return invalid(format!("The sandbox's Firehose does not support {name}"));
        }
        Fault::new(400, "SerializationException", text)
    })
}

#[cfg(test)]
mod tests;

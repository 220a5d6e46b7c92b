//! `CloudTrail` in the sandbox: the event history of each account and Region, and `LookupEvents`, over JSON 1.1.
//!
//! Every call that changed something and succeeded is an event: who called, what, when, and the names that the call was about.
//! Which names a service writes into an event is its own business on AWS; here they are the ids in the path, the members of
//! the request that name something, and the ids in the answer. The last [`KEPT`] events of an account and Region are kept; on
//! AWS it is 90 days. IAM and Route 53 have their events in one Region of the partition, as on AWS. Trails, event data stores
//! and Insights are not here.

mod names;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::{Answer, Fault};
use super::sts;
use super::wire::{Caller, Request, Response};
use super::world::date;

/// Events of an account and Region that are kept: the state is written as a whole with every change.
const KEPT: usize = 200;

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.";

/// What is no management event: data that goes in and out.
const DATA: [&str; 5] = ["PutLogEvents", "PutMetricData", "PutObject", "DeleteObject", "Publish"];

/// The keys that a lookup may have (API reference of `LookupAttribute`).
const KEYS: [&str; 8] =
    ["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];

/// All events, by account and Region, the oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Trail {
    #[serde(default)]
    accounts: BTreeMap<String, BTreeMap<String, Vec<Event>>>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Event {
    id: String,
    /// Seconds since the epoch.
    time: f64,
    name: String,
    source: String,
    user: String,
    access_key: String,
    agent: String,
    names: Vec<String>,
}

impl Trail {
    /// Keeps an event, if the call changed something.
    pub(super) fn record(&mut self, request: &Request, response: &Response, operation: &str, now: f64) {
        if response.status >= 300 || DATA.contains(&operation) {
            return;
        }
        let caller = &request.caller;
        let region = home(caller).unwrap_or(&caller.region).to_owned();
        let all = self.accounts.entry(caller.account.clone()).or_default().entry(region).or_default();
        all.push(Event {
            id: request.id().to_owned(),
            // CloudTrail tells whole seconds.
            time: now.floor(),
            name: operation.to_owned(),
            source: format!("{}.amazonaws.com", caller.service),
            user: sts::arn(request),
            access_key: caller.access_key.clone(),
            agent: request.header("user-agent").unwrap_or_default().to_owned(),
            names: names::of(request, response),
        });
        let over = all.len().saturating_sub(KEPT);
        all.drain(..over);
    }
}

/// The Region whose event history has the calls of a global service.
fn home(caller: &Caller) -> Option<&'static str> {
    if !["iam", "route53"].contains(&caller.service.as_str()) {
        return None;
    }
    Some(match caller.partition() {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

/// Answers one request.
pub(super) fn handle(trail: &Trail, request: &Request) -> Response {
    match act(trail, request) {
        Ok(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            body: body.to_string().into_bytes().into(),
        },
        Err(fault) => fault.json("Message"),
    }
}

fn act(trail: &Trail, request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    // The short form is what older SDKs send.
    let operation = target.strip_prefix(TARGET).or_else(|| target.strip_prefix("CloudTrail_20131101."));
    if operation != Some("LookupEvents") {
        let message = format!("The sandbox's CloudTrail has no operation {target}");
        return Err(Fault::new(400, "UnknownOperationException", message));
    }
    let query: Query = serde_json::from_slice(&request.body)
        .map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?;
    let attribute = check(&query)?;
    let size = match query.max_results {
        None => 50,
        Some(size @ 1..=50) => usize::try_from(size).unwrap_or(50),
        Some(_) => return Err(refuse("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")),
    };
    let skipped = query.next_token.as_deref().map(skipped).transpose()?.unwrap_or(0);
    let caller = &request.caller;
    let all = trail.accounts.get(&caller.account).and_then(|regions| regions.get(&caller.region));
    let wanted = |event: &&Event| {
        let time = query.start_time.is_none_or(|start| event.time >= start)
            && query.end_time.is_none_or(|end| event.time <= end);
        time && attribute.is_none_or(|attribute| event.is(attribute))
    };
    let mut newest = all.into_iter().flatten().rev().filter(wanted).skip(skipped);
    let page: Vec<Value> = newest.by_ref().take(size).map(|event| event.shown(caller)).collect();
    let mut answer = json!({});
    if newest.next().is_some() {
        answer["NextToken"] = BASE64.encode((skipped + page.len()).to_string()).into();
    }
    answer["Events"] = page.into();
    Ok(answer)
}

fn check(query: &Query) -> Answer<Option<&Attribute>> {
    if query.event_category.is_some() {
        return Err(refuse("InvalidEventCategoryException", "The sandbox's CloudTrail has no Insights events."));
    }
    if let (Some(start), Some(end)) = (query.start_time, query.end_time)
        && start > end
    {
        return Err(refuse("InvalidTimeRangeException", "Time range is invalid. Start time must be before end time."));
    }
    match query.lookup_attributes.as_slice() {
        [] => Ok(None),
        [one] if KEYS.contains(&one.attribute_key.as_str()) && !one.attribute_value.is_empty() => Ok(Some(one)),
        [_] => Err(refuse("InvalidLookupAttributesException", "The lookup attribute is not valid.")),
        _ => Err(refuse("InvalidLookupAttributesException", "You can use at most one lookup attribute.")),
    }
}

fn skipped(token: &str) -> Answer<usize> {
    let number = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    number.ok_or_else(|| refuse("InvalidNextTokenException", "The token is not valid."))
}

fn refuse(code: &str, message: &str) -> Fault {
    Fault::new(400, code, message)
}

impl Event {
    fn username(&self) -> &str {
        self.user.rsplit('/').next().unwrap_or(&self.user)
    }

    fn is(&self, attribute: &Attribute) -> bool {
        let value = &attribute.attribute_value;
        match attribute.attribute_key.as_str() {
            "EventId" => self.id == *value,
            "EventName" => self.name == *value,
            "ReadOnly" => value == "false",
            "Username" => self.username() == value,
            "ResourceName" => self.names.contains(value),
            "EventSource" => self.source == *value,
            "AccessKeyId" => self.access_key == *value,
            // Types of resources are not told here.
            _ => false,
        }
    }

    fn shown(&self, caller: &Caller) -> Value {
        let kind = if self.user.contains(":assumed-role/") { "AssumedRole" } else { "IAMUser" };
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit an i64 for ages to come")]
        let time = date((self.time * 1000.0) as i64, "%Y-%m-%dT%H:%M:%SZ");
        let whole = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": kind, "arn": self.user, "accountId": caller.account, "accessKeyId": self.access_key,
                "userName": self.username(),
            },
            "eventTime": time,
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": caller.region,
            "userAgent": self.agent,
            "eventID": self.id,
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": caller.account,
            "eventCategory": "Management",
        });
        json!({
            "EventId": self.id,
            "EventName": self.name,
            "ReadOnly": "false",
            "AccessKeyId": self.access_key,
            "EventTime": self.time,
            "EventSource": self.source,
            "Username": self.username(),
            "Resources": self.names.iter().map(|name| json!({ "ResourceName": name })).collect::<Vec<_>>(),
            "CloudTrailEvent": whole.to_string(),
        })
    }
}

#[cfg(test)]
mod tests;

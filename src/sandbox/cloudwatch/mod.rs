//! CloudWatch in the sandbox: metric alarms, their state and tags, and data points of metrics, in the three protocols that its
//! clients speak.
//!
//! Alarms are kept, and never go off by themselves: no alarm looks at the metrics that are put here. `SetAlarmState` sets what
//! an alarm shows. Composite alarms, dashboards and metric math are refused, never ignored. Sources: API reference and service
//! model (2010-08-01).

mod alarms;
mod check;
mod data;
mod tags;
mod wire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::{Answer, Fault};
use super::wire::{Caller, Request, Response};
use super::world::View;
use alarms::Alarm;

/// CloudWatch of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    alarms: BTreeMap<String, Alarm>,
    /// Metrics, in the order in which they were first put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<data::Series>,
}

impl State {
    /// The ARNs of all alarms that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self, caller: &Caller) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.alarms.iter().filter(|(_, alarm)| !alarm.tags.is_empty());
        tagged.map(|(name, alarm)| (arn(name, caller), alarm.tags.clone())).collect()
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let asked = match wire::read(request) {
        Ok(asked) => asked,
        Err(fault) => return wire::refuse(request, &fault),
    };
    match act(view, &request.caller, &asked.operation, asked.input) {
        Ok(output) => wire::answer(request, &asked.operation, &output),
        Err(fault) => wire::refuse(request, &fault),
    }
}

/// Whether a request only looks.
pub(super) fn is_read(request: &Request) -> bool {
    ["Describe", "List", "Get"].iter().any(|verb| request.operation().starts_with(verb))
}

/// The input of a request, in whatever protocol it came; nothing where it can't be read.
pub(super) fn input(request: &Request) -> Value {
    wire::read(request).map(|asked| asked.input).unwrap_or_default()
}

/// The refusal of a call that never came to the service, in the protocol that the request speaks.
pub(super) fn refusal(request: &Request, fault: &Fault) -> Response {
    wire::refuse(request, fault)
}

fn act(view: &mut View<'_>, caller: &Caller, operation: &str, input: Value) -> Answer<Value> {
    let now = view.now;
    let state = &mut view.region.cloudwatch;
    match operation {
        "PutMetricAlarm" => alarms::put(state, caller, now, input),
        "DescribeAlarms" => alarms::describe(state, caller, &parse(input)?),
        "DescribeAlarmsForMetric" => alarms::describe_for_metric(state, caller, &parse(input)?),
        "DeleteAlarms" => alarms::delete(state, &parse(input)?),
        "SetAlarmState" => alarms::set_state(state, now, parse(input)?),
        "EnableAlarmActions" => alarms::switch(state, &parse(input)?, true),
        "DisableAlarmActions" => alarms::switch(state, &parse(input)?, false),
        "PutMetricData" => data::put(state, now, input),
        "ListMetrics" => data::list(state, input),
        "GetMetricStatistics" => data::statistics(state, input),
        "GetMetricData" => data::data(state, input),
        "TagResource" => tags::tag(state, caller, parse(input)?),
        "UntagResource" => tags::untag(state, caller, &parse(input)?),
        "ListTagsForResource" => tags::list(state, caller, &parse(input)?),
        _ => Err(Fault::new(
            400,
            "InvalidAction",
            format!("Could not find operation {operation} for version 2010-08-01 in the sandbox"),
        )),
    }
}

fn parse<T: serde::de::DeserializeOwned>(input: Value) -> Answer<T> {
    serde_json::from_value(input).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
}

fn arn(name: &str, caller: &Caller) -> String {
    format!("arn:{}:cloudwatch:{}:{}:alarm:{name}", caller.partition(), caller.region, caller.account)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationError", message)
}

#[cfg(test)]
mod tests;

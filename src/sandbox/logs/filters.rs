//! Subscription and metric filters of log groups. They are kept and shown; nothing is sent on and nothing is counted. Sources:
//! API reference of the operations below. That a destination exists, and takes events, is not checked here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::groups::{limit, name, untoken};
use super::{Group, State, invalid};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::world::View;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// As many subscription filters may a log group have ("CloudWatch Logs quotas").
const SUBSCRIPTIONS: usize = 2;

/// As many metric filters may a log group have (the same).
const METRICS: usize = 100;

/// The services that events can be sent to (API reference of `PutSubscriptionFilter`).
const DESTINATIONS: [&str; 4] = ["firehose", "kinesis", "lambda", "logs"];

/// The filters of one log group, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filters {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    subscriptions: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metrics: BTreeMap<String, Value>,
}

impl Filters {
    pub(super) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.metrics.is_empty()
    }

    /// How many of them count events.
    pub(super) fn counting(&self) -> usize {
        self.metrics.len()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    log_group_name: Option<String>,
    filter_name: Option<String>,
    filter_pattern: Option<String>,
    destination_arn: Option<String>,
    role_arn: Option<String>,
    distribution: Option<String>,
    #[serde(default)]
    apply_on_transformed_logs: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(super) struct Metric {
    log_group_name: Option<String>,
    filter_name: Option<String>,
    filter_pattern: Option<String>,
    metric_transformations: Option<Vec<Transformation>>,
    #[serde(default)]
    apply_on_transformed_logs: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transformation {
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    metric_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: Option<String>,
    filter_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    log_group_name: Option<String>,
    filter_name_prefix: Option<String>,
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn put_subscription(view: &mut View<'_>, asked: Subscription) -> Answer<Value> {
    let now = view.millis();
    let filter = filter_name(asked.filter_name.as_deref())?.to_owned();
    let pattern = needed(asked.filter_pattern, "filterPattern")?;
    let destination = needed(asked.destination_arn, "destinationArn")?;
    let parts: Vec<&str> = destination.splitn(6, ':').collect();
    if !matches!(parts.as_slice(), ["arn", _, service, ..] if DESTINATIONS.contains(service)) {
        return Err(invalid("destinationArn for vendor logs is not valid"));
    }
    let distribution = asked.distribution.unwrap_or_else(|| "ByLogStream".to_owned());
    if !["ByLogStream", "Random"].contains(&distribution.as_str()) {
        let constraint = "Member must satisfy enum value set: [Random, ByLogStream]";
        return Err(invalid(violation(&distribution, "distribution", constraint)));
    }
    let (group_name, group) = group(&mut view.region.logs, asked.log_group_name.as_deref())?;
    let known = &mut group.filters.subscriptions;
    if !known.contains_key(&filter) && known.len() >= SUBSCRIPTIONS {
        return Err(Fault::new(400, "LimitExceededException", "Resource limit exceeded."));
    }
    let mut shown = json!({
        "filterName": filter,
        "logGroupName": group_name,
        "filterPattern": pattern,
        "destinationArn": destination,
        "distribution": distribution,
        "applyOnTransformedLogs": asked.apply_on_transformed_logs,
        "creationTime": now,
    });
    if let Some(role) = asked.role_arn {
        shown["roleArn"] = role.into();
    }
    known.insert(filter, shown);
    Ok(Value::Null)
}

pub(super) fn put_metric(view: &mut View<'_>, asked: Metric) -> Answer<Value> {
    let now = view.millis();
    let filter = filter_name(asked.filter_name.as_deref())?.to_owned();
    let pattern = needed(asked.filter_pattern, "filterPattern")?;
    let counted = asked.metric_transformations.ok_or_else(|| invalid(missing("metricTransformations")))?;
    let [one] = counted.as_slice() else {
        let (value, constraint) = match counted.len() {
            0 => ("[]", "Member must have length greater than or equal to 1"),
            _ => ("[…]", "Member must have length less than or equal to 1"),
        };
        return Err(invalid(violation(value, "metricTransformations", constraint)));
    };
    for (value, member) in [
        (&one.metric_name, "metricName"),
        (&one.metric_namespace, "metricNamespace"),
        (&one.metric_value, "metricValue"),
    ] {
        if value.is_none() {
            return Err(invalid(missing(&format!("metricTransformations.1.member.{member}"))));
        }
    }
    if one.default_value.is_some() && !one.dimensions.is_empty() {
        return Err(invalid("metricTransformations: dimensions and defaultValue are mutually exclusive properties."));
    }
    let (group_name, group) = group(&mut view.region.logs, asked.log_group_name.as_deref())?;
    let known = &mut group.filters.metrics;
    if !known.contains_key(&filter) && known.len() >= METRICS {
        return Err(Fault::new(400, "LimitExceededException", "Resource limit exceeded."));
    }
    let shown = json!({
        "filterName": filter,
        "logGroupName": group_name,
        "filterPattern": pattern,
        "metricTransformations": counted,
        "applyOnTransformedLogs": asked.apply_on_transformed_logs,
        "creationTime": now,
    });
    known.insert(filter, shown);
    Ok(Value::Null)
}

pub(super) fn delete_subscription(state: &mut State, asked: &Named) -> Answer<Value> {
    let filter = filter_name(asked.filter_name.as_deref())?;
    let (_, group) = group(state, asked.log_group_name.as_deref())?;
    group.filters.subscriptions.remove(filter).map(|_| Value::Null).ok_or_else(no_filter)
}

pub(super) fn delete_metric(state: &mut State, asked: &Named) -> Answer<Value> {
    let filter = filter_name(asked.filter_name.as_deref())?;
    let (_, group) = group(state, asked.log_group_name.as_deref())?;
    group.filters.metrics.remove(filter).map(|_| Value::Null).ok_or_else(no_filter)
}

pub(super) fn subscriptions(state: &State, asked: &Query) -> Answer<Value> {
    let group = name(asked.log_group_name.as_deref())?;
    let group = state.groups.get(group).ok_or_else(super::no_group)?;
    page("subscriptionFilters", group.filters.subscriptions.iter().map(|(name, one)| (name.clone(), one)), asked)
}

pub(super) fn metrics(state: &State, asked: &Query) -> Answer<Value> {
    if asked.metric_name.is_some() != asked.metric_namespace.is_some() {
        return Err(invalid("metricName and metricNamespace must be specified together."));
    }
    let groups: Vec<(&String, &Group)> = match asked.log_group_name.as_deref() {
        Some(text) => vec![state.groups.get_key_value(name(Some(text))?).ok_or_else(super::no_group)?],
        None => state.groups.iter().collect(),
    };
    let all = groups
        .iter()
        .flat_map(|(group, one)| one.filters.metrics.iter().map(move |(name, one)| (format!("{group}\n{name}"), one)));
    let wanted = |one: &Value| {
        let text = |member: &str| one["metricTransformations"][0][member].as_str().map(str::to_owned);
        asked.metric_name.is_none()
            || (text("metricName"), text("metricNamespace"))
                == (asked.metric_name.clone(), asked.metric_namespace.clone())
    };
    page("metricFilters", all.filter(|(_, one)| wanted(one)), asked)
}

/// The page of filters that a query asks for, sorted by their keys, of which the name is the last line.
fn page<'a>(member: &str, all: impl Iterator<Item = (String, &'a Value)>, asked: &Query) -> Answer<Value> {
    let size = limit(asked.limit)?;
    let after = asked.next_token.as_deref().map(untoken).transpose()?;
    let prefix = asked.filter_name_prefix.as_deref().unwrap_or_default();
    let mut rest = all.filter(|(key, _)| {
        let name = key.rsplit('\n').next().unwrap_or(key);
        name.starts_with(prefix) && after.as_ref().is_none_or(|after| key > after)
    });
    let (keys, page): (Vec<String>, Vec<&Value>) = rest.by_ref().take(size).unzip();
    let mut answer = json!({ member: page });
    if let (Some(last), Some(_)) = (keys.last(), rest.next()) {
        answer["nextToken"] = BASE64.encode(last).into();
    }
    Ok(answer)
}

fn group<'a>(state: &'a mut State, text: Option<&str>) -> Answer<(String, &'a mut Group)> {
    let name = name(text)?.to_owned();
    let group = state.group_mut(&name)?;
    Ok((name, group))
}

fn needed(text: Option<String>, member: &str) -> Answer<String> {
    text.ok_or_else(|| invalid(missing(member)))
}

fn filter_name(text: Option<&str>) -> Answer<&str> {
    let text = text.ok_or_else(|| invalid(missing("filterName")))?;
    let constraint = if text.is_empty() {
        "Member must have length greater than or equal to 1"
    } else if text.len() > 512 {
        "Member must have length less than or equal to 512"
    } else if text.contains([':', '*']) {
        "Member must satisfy regular expression pattern: [^:*]*"
    } else {
        return Ok(text);
    };
    Err(invalid(violation(text, "filterName", constraint)))
}

fn no_filter() -> Fault {
    Fault::new(400, "ResourceNotFoundException", "The specified filter does not exist.")
}

//! Metric alarms: put, described, switched, deleted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::{self, Settings};
use super::{State, arn, invalid, parse};
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::wire::Caller;

/// One alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Alarm {
    settings: Settings,
    state: AlarmState,
    /// Seconds since the epoch.
    configured: f64,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AlarmState {
    value: String,
    reason: String,
    data: Option<String>,
    /// Seconds since the epoch.
    updated: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Description {
    #[serde(default)]
    alarm_names: Vec<String>,
    alarm_name_prefix: Option<String>,
    #[serde(default)]
    alarm_types: Vec<String>,
    state_value: Option<String>,
    action_prefix: Option<String>,
    max_records: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ForMetric {
    metric_name: String,
    namespace: String,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    dimensions: Option<Vec<check::Dimension>>,
    period: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Names {
    alarm_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NewState {
    alarm_name: String,
    state_value: String,
    state_reason: String,
    state_reason_data: Option<String>,
}

/// Makes an alarm, or replaces the whole of one. Tags count for a new one only (API reference).
pub(super) fn put(state: &mut State, caller: &Caller, now: f64, mut input: Value) -> Answer<Value> {
    let tags = input.as_object_mut().and_then(|members| members.remove("Tags"));
    check::refuse_unsupported(&input)?;
    let settings: Settings = parse(input)?;
    settings.check(caller)?;
    let tags = super::tags::from_list(tags)?;
    let name = settings.alarm_name.clone();
    let alarm = match state.alarms.remove(&name) {
        Some(old) => Alarm { settings, configured: now, ..old },
        None => Alarm { settings, configured: now, tags, state: AlarmState::new(now) },
    };
    state.alarms.insert(name, alarm);
    Ok(json!({}))
}

impl AlarmState {
    fn new(now: f64) -> Self {
        let reason = "Unchecked: Initial alarm creation".to_owned();
        Self { value: "INSUFFICIENT_DATA".to_owned(), reason, data: None, updated: now }
    }
}

impl Alarm {
    fn json(&self, name: &str, caller: &Caller) -> Value {
        let mut shown = self.settings.json();
        for (member, value) in [
            ("AlarmArn", json!(arn(name, caller))),
            ("AlarmConfigurationUpdatedTimestamp", json!(self.configured)),
            ("StateValue", json!(self.state.value)),
            ("StateReason", json!(self.state.reason)),
            ("StateUpdatedTimestamp", json!(self.state.updated)),
            ("StateTransitionedTimestamp", json!(self.state.updated)),
        ] {
            shown.insert(member.to_owned(), value);
        }
        if let Some(data) = &self.state.data {
            shown.insert("StateReasonData".to_owned(), json!(data));
        }
        shown.into()
    }
}

pub(super) fn describe(state: &State, caller: &Caller, asked: &Description) -> Answer<Value> {
    if !asked.alarm_names.is_empty() && asked.alarm_name_prefix.is_some() {
        // A guess at the words; the reference forbids it.
        return Err(Fault::new(
            400,
            "InvalidParameterCombination",
            "AlarmNames and AlarmNamePrefix can not be specified together",
        ));
    }
    if asked.alarm_names.len() > 100 {
        let constraint = "Member must have length less than or equal to 100";
        return Err(invalid(violation(&format!("[{}]", asked.alarm_names.join(", ")), "alarmNames", constraint)));
    }
    let size = match asked.max_records {
        None => 50,
        Some(number @ 1..=100) => usize::try_from(number).unwrap_or(100),
        Some(number) => {
            let bound = if number < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
            let constraint = format!("Member must have value {bound}");
            return Err(invalid(violation(&number.to_string(), "maxRecords", &constraint)));
        }
    };
    let metric = asked.alarm_types.is_empty() || asked.alarm_types.iter().any(|kind| kind == "MetricAlarm");
    let wanted = |name: &String, alarm: &Alarm| {
        metric
            && (asked.alarm_names.is_empty() || asked.alarm_names.contains(name))
            && asked.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
            && asked.state_value.as_ref().is_none_or(|value| *value == alarm.state.value)
            && asked.action_prefix.as_ref().is_none_or(|prefix| alarm.settings.acts_on(prefix))
            && asked.next_token.as_ref().is_none_or(|after| name > after)
    };
    let mut rest = state.alarms.iter().filter(|(name, alarm)| wanted(name, alarm));
    let page: Vec<(&String, &Alarm)> = rest.by_ref().take(size).collect();
    let shown: Vec<Value> = page.iter().map(|(name, alarm)| alarm.json(name, caller)).collect();
    let mut answer = json!({ "MetricAlarms": shown, "CompositeAlarms": [] });
    if let (Some((last, _)), Some(_)) = (page.last(), rest.next()) {
        answer["NextToken"] = json!(last);
    }
    Ok(answer)
}

/// Alarms on one metric; those on an expression are not found by it (API reference).
#[expect(clippy::unnecessary_wraps, reason = "an operation, like those beside it")]
pub(super) fn describe_for_metric(state: &State, caller: &Caller, asked: &ForMetric) -> Answer<Value> {
    let wanted = |alarm: &Alarm| {
        let own = &alarm.settings;
        own.metric_name.as_ref() == Some(&asked.metric_name)
            && own.namespace.as_ref() == Some(&asked.namespace)
            && (asked.statistic.is_none() || own.statistic == asked.statistic)
            && (asked.extended_statistic.is_none() || own.extended_statistic == asked.extended_statistic)
            && (asked.period.is_none() || own.period == asked.period)
            && own.has_dimensions(asked.dimensions.as_deref().unwrap_or_default())
    };
    let found = state.alarms.iter().filter(|(_, alarm)| wanted(alarm));
    let shown: Vec<Value> = found.map(|(name, alarm)| alarm.json(name, caller)).collect();
    Ok(json!({ "MetricAlarms": shown }))
}

/// All of the names, or none if one of them is unknown: that nothing happens then is a guess.
pub(super) fn delete(state: &mut State, asked: &Names) -> Answer<Value> {
    if let Some(unknown) = asked.alarm_names.iter().find(|name| !state.alarms.contains_key(*name)) {
        return Err(no_alarm(unknown));
    }
    state.alarms.retain(|name, _| !asked.alarm_names.contains(name));
    Ok(json!({}))
}

pub(super) fn set_state(state: &mut State, now: f64, asked: NewState) -> Answer<Value> {
    if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&asked.state_value.as_str()) {
        let constraint = "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]";
        return Err(invalid(violation(&asked.state_value, "stateValue", constraint)));
    }
    if asked.state_reason_data.as_ref().is_some_and(|data| serde_json::from_str::<Map<String, Value>>(data).is_err()) {
        return Err(Fault::new(400, "InvalidFormat", "StateReasonData is not valid JSON"));
    }
    let alarm = state.alarms.get_mut(&asked.alarm_name).ok_or_else(|| no_alarm(&asked.alarm_name))?;
    alarm.state = AlarmState {
        value: asked.state_value,
        reason: asked.state_reason,
        data: asked.state_reason_data,
        updated: now,
    };
    Ok(json!({}))
}

/// Names that no alarm has are passed over: the model names no error.
#[expect(clippy::unnecessary_wraps, reason = "an operation, like those beside it")]
pub(super) fn switch(state: &mut State, asked: &Names, on: bool) -> Answer<Value> {
    for name in &asked.alarm_names {
        if let Some(alarm) = state.alarms.get_mut(name) {
            alarm.settings.actions_enabled = on;
        }
    }
    Ok(json!({}))
}

fn no_alarm(name: &str) -> Fault {
    Fault::new(404, "ResourceNotFound", format!("Alarm not found: {name}"))
}

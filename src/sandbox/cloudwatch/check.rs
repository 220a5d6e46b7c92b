//! The settings of a metric alarm, and what CloudWatch refuses of them.
//!
//! Bounds and sets are of the service model; combinations are of the API reference. The words of combinations are reported
//! where AWS's are known, and guesses like them elsewhere.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::invalid;
use crate::sandbox::fault::{Answer, missing, violation};
use crate::sandbox::wire::Caller;

const OPERATORS: [&str; 4] =
    ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];

const STATISTICS: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// What `PutMetricAlarm` takes and the sandbox lacks: anomaly detection and `PromQL`.
const UNSUPPORTED: [&str; 3] = ["ThresholdMetricId", "EvaluationCriteria", "EvaluationInterval"];

/// Everything an alarm was put with, but its tags.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) alarm_name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    alarm_description: Option<String>,
    #[serde(default = "yes")]
    pub(super) actions_enabled: bool,
    #[serde(rename = "OKActions", default)]
    ok_actions: Vec<String>,
    #[serde(default)]
    alarm_actions: Vec<String>,
    #[serde(default)]
    insufficient_data_actions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) metric_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) extended_statistic: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    unit: Option<String>,
    evaluation_periods: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    datapoints_to_alarm: Option<i64>,
    threshold: Option<f64>,
    comparison_operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    treat_missing_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    evaluate_low_sample_count_percentile: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    metrics: Vec<Query>,
}

const fn yes() -> bool {
    true
}

/// A name and a value that narrow a metric down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Dimension {
    name: String,
    value: String,
}

impl Dimension {
    /// Whether it is the one of a name, and of a value where one is given.
    pub(super) fn is(&self, name: &str, value: Option<&str>) -> bool {
        self.name == name && value.is_none_or(|value| self.value == value)
    }
}

/// One line of metric math: a metric, or an expression over others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    metric_stat: Option<MetricStat>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    label: Option<String>,
    #[serde(default = "yes")]
    return_data: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    period: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MetricStat {
    metric: Metric,
    period: i64,
    stat: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    unit: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
struct Metric {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

/// Refuses what would be silently lost.
pub(super) fn refuse_unsupported(input: &Value) -> Answer<()> {
    match UNSUPPORTED.iter().find(|member| input.get(**member).is_some_and(|value| !value.is_null())) {
        Some(member) => Err(invalid(format!("The sandbox's CloudWatch does not support {member}"))),
        None => Ok(()),
    }
}

impl Settings {
    /// The settings as `DescribeAlarms` shows them.
    pub(super) fn json(&self) -> Map<String, Value> {
        match json!(self) {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// Whether an action begins with a prefix.
    pub(super) fn acts_on(&self, prefix: &str) -> bool {
        self.actions().any(|action| action.starts_with(prefix))
    }

    pub(super) fn has_dimensions(&self, asked: &[Dimension]) -> bool {
        self.dimensions.iter().collect::<BTreeSet<_>>() == asked.iter().collect::<BTreeSet<_>>()
    }

    fn actions(&self) -> impl Iterator<Item = &String> {
        self.ok_actions.iter().chain(&self.alarm_actions).chain(&self.insufficient_data_actions)
    }

    pub(super) fn check(&self, caller: &Caller) -> Answer<()> {
        length(&self.alarm_name, "alarmName", 1, 255)?;
        length(self.alarm_description.as_deref().unwrap_or_default(), "alarmDescription", 0, 1024)?;
        let operator = self.comparison_operator.as_ref().ok_or_else(|| invalid(missing("comparisonOperator")))?;
        one_of(operator, "comparisonOperator", &OPERATORS)?;
        let periods = self.evaluation_periods.ok_or_else(|| invalid(missing("evaluationPeriods")))?;
        at_least_one(periods, "evaluationPeriods")?;
        if let Some(points) = self.datapoints_to_alarm {
            at_least_one(points, "datapointsToAlarm")?;
            if points > periods {
                return Err(invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods"));
            }
        }
        if self.threshold.is_none() {
            return Err(invalid("The parameter Threshold is required"));
        }
        if let Some(missing) = &self.treat_missing_data
            && !["breaching", "notBreaching", "ignore", "missing"].contains(&missing.as_str())
        {
            let allowed = "breaching, notBreaching, ignore, missing";
            return Err(invalid(format!("The value {missing} for TreatMissingData is not one of [{allowed}]")));
        }
        self.check_actions(caller)?;
        let longest = self.check_measure()?;
        check_range(longest, periods)
    }

    fn check_actions(&self, caller: &Caller) -> Answer<()> {
        for (list, member) in [
            (&self.ok_actions, "oKActions"),
            (&self.alarm_actions, "alarmActions"),
            (&self.insufficient_data_actions, "insufficientDataActions"),
        ] {
            if list.len() > 5 {
                let constraint = "Member must have length less than or equal to 5";
                return Err(invalid(violation(&format!("[{}]", list.join(", ")), member, constraint)));
            }
        }
        let here = format!("arn:{}:", caller.partition());
        match self.actions().find(|action| !action.starts_with(&here) || action.splitn(6, ':').count() < 6) {
            Some(action) => Err(invalid(format!("Invalid arn syntax: {action}"))),
            None => Ok(()),
        }
    }

    /// Checks what is watched: one metric or an expression. Gives the longest period.
    fn check_measure(&self) -> Answer<i64> {
        let single = self.metric_name.is_some() || self.namespace.is_some() || self.period.is_some();
        if !self.metrics.is_empty() {
            let more = !self.dimensions.is_empty() || self.statistic.is_some() || self.extended_statistic.is_some();
            if single || more {
                return Err(invalid(
                    "Metrics must not be specified together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic",
                ));
            }
            return self.check_queries();
        }
        let (Some(name), Some(space), Some(period)) = (&self.metric_name, &self.namespace, self.period) else {
            return Err(invalid(
                "The parameters MetricName, Namespace and Period are required where Metrics is not given",
            ));
        };
        length(name, "metricName", 1, 255)?;
        length(space, "namespace", 1, 255)?;
        match (&self.statistic, &self.extended_statistic) {
            (Some(statistic), None) => one_of(statistic, "statistic", &STATISTICS)?,
            (None, Some(statistic)) => check_extended(statistic)?,
            _ => return Err(invalid("Must specify either Statistic or ExtendedStatistic")),
        }
        check_dimensions(&self.dimensions)?;
        check_period(period)?;
        Ok(period)
    }

    fn check_queries(&self) -> Answer<i64> {
        if self.metrics.iter().filter(|query| query.metric_stat.is_some()).count() > 10 {
            // "CloudWatch service quotas".
            return Err(invalid("Alarms based on metric math expressions can have up to 10 metrics"));
        }
        let mut ids = BTreeSet::new();
        let mut longest = 60;
        for query in &self.metrics {
            let letters = query.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !letters || !query.id.starts_with(|first: char| first.is_ascii_lowercase()) {
                return Err(invalid(format!("The ID {} does not begin with a lowercase letter", query.id)));
            }
            if !ids.insert(&query.id) {
                return Err(invalid(format!("The ID {} is not unique", query.id)));
            }
            match (&query.metric_stat, &query.expression) {
                (Some(stat), None) => {
                    check_period(stat.period)?;
                    check_dimensions(&stat.metric.dimensions)?;
                    if !STATISTICS.contains(&stat.stat.as_str()) {
                        check_extended(&stat.stat)?;
                    }
                    longest = longest.max(stat.period);
                }
                (None, Some(expression)) => length(expression, "expression", 1, 2048)?,
                _ => return Err(invalid("Each metric must have either MetricStat or Expression")),
            }
        }
        if self.metrics.iter().filter(|query| query.return_data).count() != 1 {
            return Err(invalid("Exactly one element of the metrics list should return data."));
        }
        Ok(longest)
    }
}

/// An alarm looks back a day, or a week if its period is an hour or more (API reference).
fn check_range(period: i64, periods: i64) -> Answer<()> {
    let (most, words) = if period >= 3600 { (604_800, "seven days") } else { (86_400, "a day") };
    if period.saturating_mul(periods) > most {
        return Err(invalid(format!(
            "Metrics cannot be checked across more than {words} (EvaluationPeriods * Period must be <= {most})."
        )));
    }
    Ok(())
}

fn check_period(period: i64) -> Answer<()> {
    at_least_one(period, "period")?;
    if [10, 20, 30].contains(&period) || period % 60 == 0 {
        return Ok(());
    }
    Err(invalid("Period must be 10, 20, 30 or a multiple of 60"))
}

/// `p99`, `p99.9`, and the other kinds of the reference: `tm90`, `tc`, `ts`, `wm`, `PR(1:2)`, `TM(…)`, `IQM`.
fn check_extended(statistic: &str) -> Answer<()> {
    let number = |text: &str| text.parse::<f64>().is_ok_and(|value| (0.0..=100.0).contains(&value));
    let kinds = ["p", "tm", "tc", "ts", "wm"];
    let short = kinds.iter().any(|kind| statistic.strip_prefix(kind).is_some_and(number));
    let long = statistic.ends_with(')')
        && ["PR(", "TM(", "TC(", "TS(", "WM("].iter().any(|begin| statistic.starts_with(begin))
        && statistic.contains(':');
    if short || long || statistic == "IQM" {
        return Ok(());
    }
    Err(invalid(format!("The value {statistic} for parameter ExtendedStatistic is not supported.")))
}

fn check_dimensions(dimensions: &[Dimension]) -> Answer<()> {
    if dimensions.len() > 30 {
        let constraint = "Member must have length less than or equal to 30";
        return Err(invalid(violation("[…]", "dimensions", constraint)));
    }
    for dimension in dimensions {
        length(&dimension.name, "dimensions.1.member.name", 1, 255)?;
        length(&dimension.value, "dimensions.1.member.value", 1, 1024)?;
    }
    Ok(())
}

fn one_of(value: &str, member: &str, allowed: &[&str]) -> Answer<()> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
    Err(invalid(violation(value, member, &constraint)))
}

fn at_least_one(number: i64, member: &str) -> Answer<()> {
    if number >= 1 {
        return Ok(());
    }
    let constraint = "Member must have value greater than or equal to 1";
    Err(invalid(violation(&number.to_string(), member, constraint)))
}

pub(super) fn length(text: &str, member: &str, low: usize, high: usize) -> Answer<()> {
    let count = text.chars().count();
    let constraint = if count < low {
        format!("Member must have length greater than or equal to {low}")
    } else if count > high {
        format!("Member must have length less than or equal to {high}")
    } else {
        return Ok(());
    };
    Err(invalid(violation(text, member, &constraint)))
}

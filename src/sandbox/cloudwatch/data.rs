//! Data points of metrics: put, listed, and read back as statistics. Sources: API reference of the operations below.
//!
//! A series keeps its last [`KEPT`] points. Metric math, search and percentiles are refused; nothing is aggregated over
//! dimensions, as CloudWatch does not either for metrics of one's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::Dimension;
use super::{State, invalid, parse};
use crate::sandbox::fault::{Answer, Fault};

/// Points of one series that are kept.
const KEPT: usize = 500;

/// Series that one account and Region keeps.
const SERIES: usize = 1000;

const STATISTICS: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// One metric with one set of dimensions, and its points.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Series {
    namespace: String,
    name: String,
    dimensions: Vec<Dimension>,
    /// Of the first point.
    unit: String,
    points: Vec<Point>,
}

/// One point, or what several came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Point {
    /// Seconds since the epoch.
    time: f64,
    sum: f64,
    count: f64,
    minimum: f64,
    maximum: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    namespace: Option<String>,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Datum {
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<Value>,
    value: Option<Value>,
    statistic_values: Option<Statistics>,
    #[serde(default)]
    values: Vec<Value>,
    #[serde(default)]
    counts: Vec<Value>,
    unit: Option<String>,
    storage_resolution: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statistics {
    sample_count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

/// Puts data points.
pub(super) fn put(state: &mut State, now: f64, input: Value) -> Answer<Value> {
    let Put { namespace, metric_data } = parse(input)?;
    let namespace = needed(namespace, "Namespace")?;
    if namespace.is_empty() || namespace.len() > 255 || namespace.starts_with("AWS/") {
        let message = format!("The value {namespace} for parameter Namespace is invalid.");
        return Err(Fault::new(400, "InvalidParameterValue", message));
    }
    if metric_data.is_empty() {
        return Err(Fault::new(400, "MissingParameter", "The parameter MetricData is required."));
    }
    if metric_data.len() > 1000 {
        return Err(invalid("The collection MetricData must not have a size greater than 1000."));
    }
    let mut points = Vec::new();
    for datum in metric_data {
        points.push(point(datum, now)?);
    }
    for (name, dimensions, unit, point) in points {
        let same = |one: &&mut Series| one.namespace == namespace && one.name == name && one.dimensions == dimensions;
        if let Some(series) = state.metrics.iter_mut().find(same) {
            series.points.push(point);
            let over = series.points.len().saturating_sub(KEPT);
            series.points.drain(..over);
        } else if state.metrics.len() < SERIES {
            state.metrics.push(Series { namespace: namespace.clone(), name, dimensions, unit, points: vec![point] });
        } else {
            return Err(Fault::new(400, "LimitExceeded", "The sandbox keeps no more metrics"));
        }
    }
    Ok(json!({}))
}

fn point(datum: Datum, now: f64) -> Answer<(String, Vec<Dimension>, String, Point)> {
    let Datum {
        metric_name,
        mut dimensions,
        timestamp,
        value,
        statistic_values,
        values,
        counts,
        unit,
        storage_resolution,
    } = datum;
    let name = needed(metric_name, "MetricData.member.1.MetricName")?;
    if dimensions.len() > 30 {
        return Err(invalid("The collection Dimensions must not have a size greater than 30."));
    }
    if storage_resolution.is_some_and(|seconds| ![1, 60].contains(&seconds)) {
        return Err(invalid("The parameter StorageResolution must be 1 or 60."));
    }
    dimensions.sort();
    let time = timestamp.as_ref().map(seconds).transpose()?.unwrap_or(now);
    let value = value.as_ref().map(number).transpose()?;
    let values = values.iter().map(number).collect::<Answer<Vec<f64>>>()?;
    let counts = counts.iter().map(number).collect::<Answer<Vec<f64>>>()?;
    let point = match (value, statistic_values, values.as_slice()) {
        (Some(value), None, []) => Point { time, sum: value, count: 1.0, minimum: value, maximum: value },
        (None, Some(all), []) => {
            let Statistics { sample_count, sum, minimum, maximum } = all;
            Point { time, sum, count: sample_count, minimum, maximum }
        }
        (None, None, [_, ..]) if counts.is_empty() || counts.len() == values.len() => {
            let each = values.iter().enumerate().map(|(at, value)| (*value, counts.get(at).copied().unwrap_or(1.0)));
            each.fold(Point { time, ..NOTHING }, |point, (value, count)| {
                point.with(Point { time, sum: value * count, count, minimum: value, maximum: value })
            })
        }
        (None, None, []) => {
            let message = "At least one of the parameters must be specified.";
            return Err(Fault::new(400, "MissingParameter", message));
        }
        _ => {
            let message =
                "The parameters MetricData.member.1.Value, StatisticValues and Values are mutually exclusive.";
            return Err(Fault::new(400, "InvalidParameterCombination", message));
        }
    };
    if [point.sum, point.minimum, point.maximum].iter().all(|number| number.is_finite()) {
        Ok((name, dimensions, unit.unwrap_or_else(|| "None".to_owned()), point))
    } else {
        Err(Fault::new(400, "InvalidParameterValue", "The value for parameter MetricData.member.1.Value is invalid."))
    }
}

const NOTHING: Point = Point { time: 0.0, sum: 0.0, count: 0.0, minimum: f64::INFINITY, maximum: f64::NEG_INFINITY };

impl Point {
    fn with(self, other: Self) -> Self {
        Self {
            time: self.time,
            sum: self.sum + other.sum,
            count: self.count + other.count,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    fn statistic(&self, name: &str) -> f64 {
        match name {
            "SampleCount" => self.count,
            "Average" => self.sum / self.count,
            "Sum" => self.sum,
            "Minimum" => self.minimum,
            _ => self.maximum,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Filter>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    name: String,
    value: Option<String>,
}

/// Lists metrics.
pub(super) fn list(state: &State, input: Value) -> Answer<Value> {
    let List { namespace, metric_name, dimensions, next_token } = parse(input)?;
    if next_token.is_some() {
        return Err(invalid("The sandbox lists all metrics on one page"));
    }
    let wanted = |one: &&Series| {
        let has = |filter: &Filter| {
            let same = |own: &Dimension| own.is(&filter.name, filter.value.as_deref());
            one.dimensions.iter().any(same)
        };
        namespace.as_ref().is_none_or(|namespace| *namespace == one.namespace)
            && metric_name.as_ref().is_none_or(|name| *name == one.name)
            && dimensions.iter().all(has)
    };
    let shown =
        |one: &Series| json!({ "Namespace": one.namespace, "MetricName": one.name, "Dimensions": one.dimensions });
    Ok(json!({ "Metrics": state.metrics.iter().filter(wanted).map(shown).collect::<Vec<_>>() }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Ask {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: Option<Value>,
    end_time: Option<Value>,
    period: Option<i64>,
    #[serde(default)]
    statistics: Vec<String>,
    unit: Option<String>,
}

/// The statistics of one metric.
pub(super) fn statistics(state: &State, input: Value) -> Answer<Value> {
    let ask: Ask = parse(input)?;
    let (start, end) = span(ask.start_time.as_ref(), ask.end_time.as_ref())?;
    let (namespace, name) = (needed(ask.namespace, "Namespace")?, needed(ask.metric_name, "MetricName")?);
    if ask.statistics.is_empty() || ask.unit.is_some() {
        return Err(Fault::new(400, "InvalidParameterCombination", "The sandbox wants Statistics, and no Unit"));
    }
    for statistic in &ask.statistics {
        known(statistic)?;
    }
    let same = |one: &&Series| one.namespace == namespace && one.name == name;
    let unit = state.metrics.iter().find(same).map_or("None", |series| series.unit.as_str());
    let periods = periods(state, (&namespace, &name), ask.dimensions, (start, end), ask.period)?;
    let shown = periods.iter().map(|point| {
        let mut members =
            Map::from_iter([("Timestamp".to_owned(), json!(point.time)), ("Unit".to_owned(), json!(unit))]);
        members.extend(ask.statistics.iter().map(|one| (one.clone(), json!(point.statistic(one)))));
        Value::Object(members)
    });
    Ok(json!({ "Label": name, "Datapoints": shown.collect::<Vec<_>>() }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
struct Queries {
    #[serde(default)]
    metric_data_queries: Vec<Query>,
    start_time: Option<Value>,
    end_time: Option<Value>,
    scan_by: Option<String>,
    max_datapoints: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    id: String,
    metric_stat: Option<Stat>,
    label: Option<String>,
    return_data: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
struct Stat {
    metric: Metric,
    period: i64,
    stat: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
struct Metric {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

/// The values of several metrics, the newest first unless asked otherwise.
pub(super) fn data(state: &State, input: Value) -> Answer<Value> {
    let Queries { metric_data_queries, start_time, end_time, scan_by, max_datapoints } = parse(input)?;
    let span = span(start_time.as_ref(), end_time.as_ref())?;
    if max_datapoints.is_some() {
        return Err(invalid("The sandbox gives all data points at once"));
    }
    let ascending = scan_by.as_deref() == Some("TimestampAscending");
    let mut results = Vec::new();
    for query in metric_data_queries {
        let Some(Stat { metric, period, stat }) = query.metric_stat else {
            return Err(invalid("The sandbox's CloudWatch does no metric math"));
        };
        known(&stat)?;
        let mut points =
            periods(state, (&metric.namespace, &metric.metric_name), metric.dimensions, span, Some(period))?;
        if !ascending {
            points.reverse();
        }
        if query.return_data != Some(false) {
            results.push(json!({
                "Id": query.id,
                "Label": query.label.unwrap_or(metric.metric_name),
                "Timestamps": points.iter().map(|point| point.time).collect::<Vec<_>>(),
                "Values": points.iter().map(|point| point.statistic(&stat)).collect::<Vec<_>>(),
                "StatusCode": "Complete",
            }));
        }
    }
    Ok(json!({ "MetricDataResults": results, "Messages": [] }))
}

/// What the points of a series come to in each period that has some, the oldest first.
fn periods(
    state: &State,
    (namespace, name): (&str, &str),
    mut dimensions: Vec<Dimension>,
    (start, end): (f64, f64),
    period: Option<i64>,
) -> Answer<Vec<Point>> {
    let period = period.ok_or_else(|| Fault::new(400, "MissingParameter", "The parameter Period is required."))?;
    let length = i32::try_from(period)
        .ok()
        .filter(|period| *period > 0 && (*period % 60 == 0 || [1, 5, 10, 20, 30].contains(period)));
    let Some(length) = length.map(f64::from) else {
        return Err(Fault::new(400, "InvalidParameterValue", "The value for parameter Period is invalid."));
    };
    dimensions.sort();
    let same = |one: &&Series| one.namespace == namespace && one.name == name && one.dimensions == dimensions;
    let mut all: BTreeMap<String, Point> = BTreeMap::new();
    let points = state.metrics.iter().find(same).map(|series| series.points.as_slice()).unwrap_or_default();
    for point in points.iter().filter(|point| point.time >= start && point.time < end) {
        let time = (point.time / length).floor() * length;
        let whole = all.entry(format!("{time:020.0}")).or_insert(Point { time, ..NOTHING });
        *whole = whole.with(*point);
    }
    Ok(all.into_values().collect())
}

fn span(start: Option<&Value>, end: Option<&Value>) -> Answer<(f64, f64)> {
    let needed = |time: Option<&Value>, name: &str| {
        let missing = || Fault::new(400, "MissingParameter", format!("The parameter {name} is required."));
        seconds(time.ok_or_else(missing)?)
    };
    let (start, end) = (needed(start, "StartTime")?, needed(end, "EndTime")?);
    if start < end {
        return Ok((start, end));
    }
    Err(Fault::new(400, "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."))
}

/// A number, which the query protocol writes as text.
fn number(value: &Value) -> Answer<f64> {
    let parsed = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    parsed.ok_or_else(|| Fault::new(400, "InvalidParameterValue", "The value for a number is invalid."))
}

/// A time: a number of seconds, or in ISO 8601 in the query protocol.
fn seconds(time: &Value) -> Answer<f64> {
    let parsed = match time {
        Value::Number(number) => number.as_f64(),
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch fit")]
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond() as f64 / 1000.0),
        _ => None,
    };
    parsed.ok_or_else(|| Fault::new(400, "InvalidParameterValue", "The value for a time is invalid."))
}

fn known(statistic: &str) -> Answer<()> {
    if STATISTICS.contains(&statistic) {
        return Ok(());
    }
    Err(Fault::new(400, "InvalidParameterValue", format!("The sandbox's CloudWatch knows no statistic {statistic}")))
}

fn needed(text: Option<String>, name: &str) -> Answer<String> {
    text.ok_or_else(|| Fault::new(400, "MissingParameter", format!("The parameter {name} is required.")))
}

//! `alarm`: a CloudWatch alarm on a metric, or on an expression over several.
//!
//! `PutMetricAlarm` makes an alarm or replaces the whole of one, whoever's it is: so a create looks for the name first.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::operation::delete_alarms::DeleteAlarmsError;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric as LiveMetric, MetricAlarm, MetricDataQuery, MetricStat,
    Statistic, Tag,
};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given};
use crate::error::Result;
use crate::model::{Identity, Input, Observed, Outputs, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct Alarm;

/// What gwctl decides about an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmSpec {
    /// `product-a-gateway-dev-5xx`
    pub name: String,
    /// What it means and what to do.
    pub description: Option<String>,
    /// What it watches.
    pub watches: Watched,
    /// How it compares: `GreaterThanThreshold`, `LessThanOrEqualToThreshold`, …
    pub comparison: String,
    /// With what it compares.
    pub threshold: f64,
    /// How many periods it looks back.
    pub evaluation_periods: i32,
    /// In how many of them the threshold has to be crossed.
    pub datapoints_to_alarm: i32,
    /// What a period without data counts as: `notBreaching`, `breaching`, `ignore` or `missing`.
    pub treat_missing_data: String,
    /// Whether it acts at all.
    pub actions_enabled: bool,
    /// The ARNs of what is told when it goes off: SNS topics. At most five.
    pub alarm_actions: BTreeSet<Input>,
    /// The ARNs of what is told when it is over.
    pub ok_actions: BTreeSet<Input>,
    /// The ARNs of what is told when there is too little data.
    pub insufficient_data_actions: BTreeSet<Input>,
    /// The user's tags.
    pub tags: Tags,
}

/// What an alarm watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// One metric.
    Metric(Metric),
    /// An expression over metrics: an error rate.
    Math {
        /// `100 * errors / requests`
        expression: String,
        /// What the expression is called in graphs.
        label: Option<String>,
        /// The metrics by the names they have in the expression, which begin with a lower-case letter.
        metrics: BTreeMap<String, Metric>,
    },
}

/// One metric, and how it is summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// `AWS/ApiGateway`
    pub namespace: String,
    /// `5XXError`
    pub metric: String,
    /// What narrows it down: `ApiName`, `Stage`.
    pub dimensions: BTreeMap<String, Input>,
    /// `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99`.
    pub statistic: String,
    /// Seconds: 10, 20, 30 or a multiple of 60.
    pub period_seconds: i32,
}

/// The id of the expression among the metrics of an alarm. Metrics can't be called so.
const RESULT: &str = "result";

/// `DescribeAlarms` takes as many names at once.
const NAMES_AT_ONCE: usize = 100;

fn arn(place: &Place, name: &str) -> String {
    place.arn("cloudwatch", &place.region, &format!("alarm:{name}"))
}

fn outputs(place: &Place, name: &str) -> Outputs {
    Outputs::from_iter([("name", name.to_owned()), ("arn", arn(place, name))])
}

/// The names to look at: those the stack gives, and those the tagging service knows as the owner's.
async fn names(aws: &ReadAws, scope: &Scope) -> Vec<String> {
    let start = arn(&aws.place, "");
    let tagged = aws.tagged(&scope.owner).await;
    let tagged = tagged.keys().filter_map(|arn| arn.strip_prefix(&start));
    let names: BTreeSet<&str> = scope.names().chain(tagged).collect();
    names.into_iter().map(str::to_owned).collect()
}

async fn read(aws: &ReadAws, scope: &Scope, names: &[String]) -> Result<Vec<Observed<AlarmSpec>>> {
    let call = aws.clients.cloudwatch.describe_alarms().alarm_types(AlarmType::MetricAlarm);
    let pages = call.set_alarm_names(Some(names.to_vec())).max_records(100).into_paginator().send();
    let pages: Vec<_> = pages.try_collect().await.map_err(|error| failed("describe the alarms", error))?;
    let alarms = pages.into_iter().flat_map(|page| page.metric_alarms.unwrap_or_default());
    try_join_all(alarms.map(|alarm| observed(aws, scope, alarm))).await
}

async fn tags_of(cloudwatch: &aws_sdk_cloudwatch::Client, arn: &str) -> Result<Tags> {
    match cloudwatch.list_tags_for_resource().resource_arn(arn).send().await {
        Ok(answer) => Ok(answer
            .tags
            .unwrap_or_default()
            .into_iter()
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect()),
        // Deleted since it was described.
        Err(error) if is_not_found(&error) => Ok(Tags::new()),
        Err(error) => Err(failed(&format!("list the tags of {arn}"), error)),
    }
}

async fn observed(aws: &ReadAws, scope: &Scope, live: MetricAlarm) -> Result<Observed<AlarmSpec>> {
    let name = given("name of an alarm", live.alarm_name.clone())?;
    let all = tags_of(&aws.clients.cloudwatch, &arn(&aws.place, &name)).await?;
    Ok(Observed {
        within: None,
        spec: spec(&name, live, tags::of_user(&all)),
        outputs: outputs(&aws.place, &name),
        ownership: tags::ownership(&all, &scope.owner),
        created: None,
        in_use_by: None,
        name,
    })
}

fn spec(name: &str, live: MetricAlarm, user: Tags) -> AlarmSpec {
    let actions = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().map(Input::from).collect();
    let evaluation_periods = live.evaluation_periods.unwrap_or(1);
    AlarmSpec {
        name: name.to_owned(),
        description: live.alarm_description.clone().filter(|text| !text.is_empty()),
        comparison: live.comparison_operator.as_ref().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        threshold: live.threshold.unwrap_or_default(),
        evaluation_periods,
        // Without a number, CloudWatch wants all of them.
        datapoints_to_alarm: live.datapoints_to_alarm.unwrap_or(evaluation_periods),
        treat_missing_data: live.treat_missing_data.clone().unwrap_or_else(|| "missing".to_owned()),
        actions_enabled: live.actions_enabled.unwrap_or(true),
        alarm_actions: actions(live.alarm_actions.clone()),
        ok_actions: actions(live.ok_actions.clone()),
        insufficient_data_actions: actions(live.insufficient_data_actions.clone()),
        watches: watched(live),
        tags: user,
    }
}

/// What a live alarm watches. An alarm that was changed to something a spec can't say shows as an expression that is not
/// ours, so that the difference is seen.
fn watched(live: MetricAlarm) -> Watched {
    let statistic = live.statistic.map(|one| one.as_str().to_owned()).or(live.extended_statistic);
    let queries = live.metrics.unwrap_or_default();
    if queries.is_empty() {
        return Watched::Metric(Metric {
            namespace: live.namespace.unwrap_or_default(),
            metric: live.metric_name.unwrap_or_default(),
            dimensions: dimensions(live.dimensions),
            statistic: statistic.unwrap_or_default(),
            period_seconds: live.period.unwrap_or_default(),
        });
    }
    let (mut expression, mut label, mut metrics) = (String::new(), None, BTreeMap::new());
    for query in queries {
        if let Some(text) = query.expression {
            if expression.is_empty() || query.return_data == Some(true) {
                (expression, label) = (text, query.label.filter(|text| !text.is_empty()));
            }
            continue;
        }
        let Some(stat) = query.metric_stat else { continue };
        let metric = stat.metric.unwrap_or_else(|| LiveMetric::builder().build());
        metrics.insert(
            query.id.unwrap_or_default(),
            Metric {
                namespace: metric.namespace.unwrap_or_default(),
                metric: metric.metric_name.unwrap_or_default(),
                dimensions: dimensions(metric.dimensions),
                statistic: stat.stat.unwrap_or_default(),
                period_seconds: stat.period.unwrap_or_default(),
            },
        );
    }
    Watched::Math { expression, label, metrics }
}

fn dimensions(live: Option<Vec<Dimension>>) -> BTreeMap<String, Input> {
    let pairs = live.unwrap_or_default().into_iter();
    pairs.filter_map(|one| Some((one.name?, Input::from(one.value.unwrap_or_default())))).collect()
}

impl Kind for Alarm {
    type Spec = AlarmSpec;
    const NAME: &'static str = "alarm";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"],
        writes: &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &AlarmSpec) -> Outputs {
        outputs(place, &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<AlarmSpec>>> {
        let names = names(aws, scope).await;
        // Without names, CloudWatch would give every alarm of the account.
        let found = try_join_all(names.chunks(NAMES_AT_ONCE).map(|names| read(aws, scope, names))).await?;
        let wanted: BTreeSet<&str> = scope.names().collect();
        let found = found.into_iter().flatten();
        Ok(found.filter(|one| wanted.contains(one.name.as_str()) || one.address().is_some()).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &AlarmSpec) -> Result<Outputs> {
        refuse_somebody_elses(aws, identity, &spec.name).await?;
        put(aws, spec, &tags::at_birth(identity, &spec.tags)).await?;
        Ok(outputs(&aws.place, &spec.name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<AlarmSpec>, spec: &AlarmSpec) -> Result<Outputs> {
        put(aws, spec, &Tags::new()).await?;
        self.retag(aws, &live.outputs, &live.spec.tags, &spec.tags).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<AlarmSpec>) -> Result<()> {
        match aws.write.cloudwatch.delete_alarms().alarm_names(&live.name).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(DeleteAlarmsError::is_resource_not_found) => Ok(()),
            Err(error) => Err(failed(&format!("delete alarm `{}`", live.name), error)),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.cloudwatch.tag_resource().resource_arn(arn).set_tags(Some(sdk_tags(&tags)));
        call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.cloudwatch.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
    }
}

/// An alarm of this name that the plan did not see is left alone, unless an earlier try of this create made it.
async fn refuse_somebody_elses(aws: &Aws, identity: &Identity, name: &str) -> Result<()> {
    let cloudwatch = &aws.write.cloudwatch;
    let answer = cloudwatch.describe_alarms().alarm_names(name).send().await;
    let answer = answer.map_err(|error| failed(&format!("look for alarm `{name}`"), error))?;
    if answer.metric_alarms().is_empty() && answer.composite_alarms().is_empty() {
        return Ok(());
    }
    let all = tags_of(cloudwatch, &arn(&aws.place, name)).await?;
    super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Puts the whole alarm. Tags count only if it is new.
async fn put(aws: &Aws, spec: &AlarmSpec, all: &Tags) -> Result<()> {
    let AlarmSpec {
        name,
        description,
        watches,
        comparison,
        threshold,
        evaluation_periods,
        datapoints_to_alarm,
        treat_missing_data,
        actions_enabled,
        alarm_actions,
        ok_actions,
        insufficient_data_actions,
        tags: _, // `all` has them, or a call of their own
    } = spec;
    let call = aws
        .write
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(name)
        .set_alarm_description(description.clone())
        .comparison_operator(ComparisonOperator::from(comparison.as_str()))
        .threshold(*threshold)
        .evaluation_periods(*evaluation_periods)
        .datapoints_to_alarm(*datapoints_to_alarm)
        .treat_missing_data(treat_missing_data)
        .actions_enabled(*actions_enabled)
        .set_alarm_actions(Some(known(alarm_actions)?))
        .set_ok_actions(Some(known(ok_actions)?))
        .set_insufficient_data_actions(Some(known(insufficient_data_actions)?))
        .set_tags((!all.is_empty()).then(|| sdk_tags(all)));
    let call = watching(call, watches)?;
    call.send().await.map_err(|error| failed(&format!("put alarm `{name}`"), error)).map(drop)
}

/// The call with what the alarm watches.
fn watching(call: PutMetricAlarmFluentBuilder, watches: &Watched) -> Result<PutMetricAlarmFluentBuilder> {
    Ok(match watches {
        Watched::Metric(Metric { namespace, metric, dimensions, statistic, period_seconds }) => {
            let call = call
                .namespace(namespace)
                .metric_name(metric)
                .set_dimensions(Some(sdk_dimensions(dimensions)?))
                .period(*period_seconds);
            match Statistic::try_parse(statistic) {
                Ok(simple) => call.statistic(simple),
                Err(_) => call.extended_statistic(statistic),
            }
        }
        Watched::Math { expression, label, metrics } => {
            let mut queries = metrics.iter().map(|(id, metric)| query(id, metric)).collect::<Result<Vec<_>>>()?;
            let result = MetricDataQuery::builder().id(RESULT).expression(expression).set_label(label.clone());
            queries.push(result.return_data(true).build());
            call.set_metrics(Some(queries))
        }
    })
}

fn query(id: &str, metric: &Metric) -> Result<MetricDataQuery> {
    let Metric { namespace, metric, dimensions, statistic, period_seconds } = metric;
    let metric = LiveMetric::builder().namespace(namespace).metric_name(metric);
    let metric = metric.set_dimensions(Some(sdk_dimensions(dimensions)?)).build();
    let stat = MetricStat::builder().metric(metric).period(*period_seconds).stat(statistic).build();
    Ok(MetricDataQuery::builder().id(id).metric_stat(stat).return_data(false).build())
}

fn known(inputs: &BTreeSet<Input>) -> Result<Vec<String>> {
    inputs.iter().map(|input| input.known().map(str::to_owned)).collect()
}

fn sdk_dimensions(dimensions: &BTreeMap<String, Input>) -> Result<Vec<Dimension>> {
    let one = |(name, value): (&String, &Input)| Ok(Dimension::builder().name(name).value(value.known()?).build());
    dimensions.iter().map(one).collect()
}

//! Filters that somebody put on a log group by hand, and no stack ever wants: where its events go, and what is counted of
//! them. They are read so that they are seen, and removed by an apply.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::failure::is_not_found;
use crate::aws::{Aws, ReadAws, failed};
use crate::error::Result;

/// The filters of a log group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogFilters {
    /// Filters that send events on, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscription_filters: BTreeMap<String, SubscriptionFilter>,
    /// Filters that count events, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metric_filters: BTreeMap<String, MetricFilter>,
}

/// A filter that sends events on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionFilter {
    /// Which events.
    pub pattern: String,
    /// The ARN of where they go.
    pub destination: String,
}

/// A filter that counts events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricFilter {
    /// Which events.
    pub pattern: String,
    /// The metrics, each as `NAMESPACE/NAME`.
    pub metrics: Vec<String>,
}

/// The subscription filters of a group; none where there is no such group.
pub(super) async fn subscriptions(aws: &ReadAws, group: &str) -> Result<BTreeMap<String, SubscriptionFilter>> {
    let pages = aws.clients.logs.describe_subscription_filters().log_group_name(group).into_paginator().items();
    let found: Vec<sdk::SubscriptionFilter> = match pages.send().try_collect().await {
        Ok(found) => found,
        Err(error) if is_not_found(&error) => Vec::new(),
        Err(error) => return Err(failed(&format!("read the subscription filters of log group `{group}`"), error)),
    };
    let named = found.into_iter().filter_map(|one| {
        let filter = SubscriptionFilter {
            pattern: one.filter_pattern.unwrap_or_default(),
            destination: one.destination_arn.unwrap_or_default(),
        };
        Some((one.filter_name?, filter))
    });
    Ok(named.collect())
}

/// The metric filters of a group, of which its description said that there are some.
pub(super) async fn metrics(aws: &ReadAws, group: &str) -> Result<BTreeMap<String, MetricFilter>> {
    let pages = aws.clients.logs.describe_metric_filters().log_group_name(group).into_paginator().items();
    let found: Vec<sdk::MetricFilter> = match pages.send().try_collect().await {
        Ok(found) => found,
        Err(error) if is_not_found(&error) => Vec::new(),
        Err(error) => return Err(failed(&format!("read the metric filters of log group `{group}`"), error)),
    };
    let named = found.into_iter().filter_map(|one| {
        let counted = one.metric_transformations.unwrap_or_default();
        let metrics =
            counted.iter().map(|metric| format!("{}/{}", metric.metric_namespace(), metric.metric_name())).collect();
        Some((one.filter_name?, MetricFilter { pattern: one.filter_pattern.unwrap_or_default(), metrics }))
    });
    Ok(named.collect())
}

/// Removes them.
pub(super) async fn remove(aws: &Aws, group: &str, live: &LogFilters) -> Result<()> {
    let LogFilters { subscription_filters, metric_filters } = live;
    let logs = &aws.write.logs;
    for name in subscription_filters.keys() {
        match logs.delete_subscription_filter().log_group_name(group).filter_name(name).send().await {
            Err(error) if !is_not_found(&error) => {
                return Err(failed(&format!("delete the subscription filter `{name}` of log group `{group}`"), error));
            }
            _ => {}
        }
    }
    for name in metric_filters.keys() {
        match logs.delete_metric_filter().log_group_name(group).filter_name(name).send().await {
            Err(error) if !is_not_found(&error) => {
                return Err(failed(&format!("delete the metric filter `{name}` of log group `{group}`"), error));
            }
            _ => {}
        }
    }
    Ok(())
}

//! What gwctl tells others through AWS: a message to a topic, a metric.

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

use super::{Aws, failed};
use crate::error::Result;
use crate::model::Owner;

/// The longest message that SNS takes, in bytes (API reference of Publish: 256 KB).
pub const LONGEST_MESSAGE: usize = 256 * 1024;

/// The namespace of metrics.
const NAMESPACE: &str = "gwctl";

/// What a message asks.
pub const PUBLISH: &[&str] = &["sns:Publish"];

/// Publishes to a topic, in the Region that its ARN names.
pub async fn publish(aws: &Aws, topic: &str, subject: &str, message: &str) -> Result<()> {
    let mut call = aws.write.sns.publish().topic_arn(topic).subject(subject).message(message).customize();
    if let Some(region) = topic.split(':').nth(3) {
        let region = aws_config::Region::new(region.to_owned());
        call = call.config_override(aws_sdk_sns::config::Builder::new().region(region));
    }
    call.send().await.map_err(|error| failed(&format!("publish to {topic}"), error)).map(drop)
}

/// What a metric asks.
pub const METRIC: &[&str] = &["cloudwatch:PutMetricData"];

/// Says how many resources of an environment drifted.
pub async fn put_drift(aws: &Aws, owner: &Owner, count: usize) -> Result<()> {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let value = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let datum = MetricDatum::builder()
        .metric_name("Drift")
        .dimensions(dimension("Product", &owner.product))
        .dimensions(dimension("Environment", &owner.environment))
        .value(value)
        .unit(StandardUnit::Count)
        .build();
    let call = aws.write.cloudwatch.put_metric_data().namespace(NAMESPACE).metric_data(datum);
    call.send().await.map_err(|error| failed(&format!("put the metric of {owner}"), error)).map(drop)
}

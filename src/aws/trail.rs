//! What `CloudTrail` tells of who changed a resource.
//!
//! Its event history goes back 90 days, knows management events of one account and Region, and is some minutes behind (user
//! guide, "Working with `CloudTrail` event history"). `LookupEvents` may be called twice a second in an account and Region
//! (API reference), so nothing here goes side by side.

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use serde_json::Value;

use super::{ReadAws, failed};
use crate::error::{Failure, Result};

/// One writing event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEvent {
    /// When, in seconds since the epoch.
    pub time: i64,
    /// `UpdateStage`
    pub name: String,
    /// The ARN of who called, or the name where there is no ARN.
    pub user: String,
}

/// As many events tell enough.
const SHOWN: usize = 3;

/// gwctl's own calls carry its name in their user agent, and are no drift.
const OURS: &str = "app/gwctl-";

/// What it asks.
pub const CALLS: &[&str] = &["cloudtrail:LookupEvents"];

/// The last writing events of a resource that were not gwctl's, the newest first. It is asked for by each of `names` (a name,
/// an id, an ARN: services differ in what they write into an event) until one is known. `global`: the resource is of a
/// service whose events are in one Region of the partition.
pub async fn writers(aws: &ReadAws, names: &[&str], global: bool) -> Result<Vec<TrailEvent>> {
    for name in names {
        let events = ask(aws, name, global).await?;
        if !events.is_empty() {
            return Ok(events);
        }
    }
    Ok(Vec::new())
}

/// The Region that a partition's global events are in. User guide, "Global service events", says so of `aws`; the others are a
/// guess by where their global services sign.
fn home(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

async fn ask(aws: &ReadAws, name: &str, global: bool) -> Result<Vec<TrailEvent>> {
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ResourceName)
        .attribute_value(name)
        .build()
        .map_err(|error| Failure::internal("an attribute of CloudTrail can't be built").because(&error))?;
    let mut call = aws.clients.cloudtrail.lookup_events().lookup_attributes(attribute).max_results(50).customize();
    if global {
        let region = aws_config::Region::new(home(&aws.place.partition));
        call = call.config_override(aws_sdk_cloudtrail::config::Builder::new().region(region));
    }
    let answer = call.send().await.map_err(|error| failed("ask CloudTrail who it was", error))?;
    let events = answer.events.unwrap_or_default();
    let writing = events.iter().filter(|event| event.read_only() != Some("true"));
    Ok(writing.filter_map(told).take(SHOWN).collect())
}

/// The event, unless it is one of ours.
fn told(event: &Event) -> Option<TrailEvent> {
    let whole: Value = event.cloud_trail_event().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if whole.get("userAgent").and_then(Value::as_str).is_some_and(|agent| agent.contains(OURS)) {
        return None;
    }
    let arn = whole.pointer("/userIdentity/arn").and_then(Value::as_str);
    let service = whole.pointer("/userIdentity/invokedBy").and_then(Value::as_str);
    let user = arn.or(service).or(event.username()).unwrap_or("somebody that CloudTrail does not name");
    Some(TrailEvent { time: event.event_time()?.secs(), name: event.event_name()?.to_owned(), user: user.to_owned() })
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    fn event(text: &str) -> Event {
        let event = Event::builder().event_name("UpdateStage").event_time(DateTime::from_secs(7)).username("anna");
        event.cloud_trail_event(text).build()
    }

    #[test]
    fn who_called_is_named_by_arn_and_gwctl_is_not_told_of() {
        let arn = r#"{"userAgent":"aws-cli/2","userIdentity":{"arn":"arn:aws:iam::1:user/anna"}}"#;
        assert_eq!(told(&event(arn)).unwrap().user, "arn:aws:iam::1:user/anna");
        assert_eq!(told(&event("{}")).unwrap().user, "anna");
        assert!(told(&event(r#"{"userAgent":"aws-sdk-rust/1.3 app/gwctl-0.1.0"}"#)).is_none());
    }
}

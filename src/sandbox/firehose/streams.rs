//! Delivery streams themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::destination::Destination;
use super::encryption::{self, Encryption};
use super::tags::{self, Tag};
use super::{ByName, State, argument, invalid, named, one_of};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

/// A delivery stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stream {
    name: String,
    pub(super) arn: String,
    /// Counts the changes of the destination; an update has to name it.
    version: u64,
    /// Seconds since the epoch.
    created: f64,
    updated: Option<f64>,
    destination: Destination,
    pub(super) encryption: Option<Encryption>,
    pub(super) tags: BTreeMap<String, String>,
}

/// Streams of an account in a Region ("Amazon Data Firehose Quota": 5,000 where it is largest).
const MOST: usize = 5000;

/// The id of the only destination that a stream has.
const DESTINATION: &str = "destinationId-000000000001";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Creating {
    delivery_stream_name: Option<String>,
    delivery_stream_type: Option<String>,
    extended_s3_destination_configuration: Option<Value>,
    delivery_stream_encryption_configuration_input: Option<encryption::Input>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Updating {
    delivery_stream_name: Option<String>,
    current_delivery_stream_version_id: Option<String>,
    destination_id: Option<String>,
    extended_s3_destination_update: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    limit: Option<i64>,
    delivery_stream_type: Option<String>,
    exclusive_start_delivery_stream_name: Option<String>,
}

pub(super) fn create(view: &mut View<'_>, caller: &Caller, asked: Creating) -> Answer<Value> {
    let name = named(asked.delivery_stream_name.as_deref())?.to_owned();
    let kind = asked.delivery_stream_type.as_deref().unwrap_or("DirectPut");
    one_of(kind, "deliveryStreamType", &["DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"])?;
    if kind != "DirectPut" {
        return Err(argument(format!("The sandbox's Firehose has no streams of type {kind}")));
    }
    let configuration = asked.extended_s3_destination_configuration;
    let configuration =
        configuration.ok_or_else(|| argument("One and only one destination configuration must be specified."))?;
    let destination = Destination::new(configuration)?;
    check_role(view, &destination.role_arn)?;
    let encryption = asked.delivery_stream_encryption_configuration_input.map(Encryption::new).transpose()?;
    let tags = tags::merged(&BTreeMap::new(), &asked.tags)?;
    if view.region.firehose.streams.contains_key(&name) {
        // Reported.
        let message = format!("Firehose {name} under accountId {} already exists", caller.account);
        return Err(Fault::new(400, "ResourceInUseException", message));
    }
    if view.region.firehose.streams.len() >= MOST {
        let message = format!("You have already consumed your firehose quota of {MOST} hoses.");
        return Err(Fault::new(400, "LimitExceededException", message));
    }
    let place = format!("arn:{}:firehose:{}:{}", caller.partition(), caller.region, caller.account);
    let arn = format!("{place}:deliverystream/{name}");
    let created = view.now;
    let stream = Stream {
        name: name.clone(),
        arn: arn.clone(),
        version: 1,
        created,
        updated: None,
        destination,
        encryption,
        tags,
    };
    view.region.firehose.streams.insert(name, stream);
    Ok(json!({ "DeliveryStreamARN": arn }))
}

/// "Firehose assumes the IAM role": one that does not let it, or is not there, is refused in these words, which clients
/// wait on (hashicorp/terraform-provider-aws, `internal/service/firehose/delivery_stream.go`).
fn check_role(view: &View<'_>, arn: &str) -> Answer<()> {
    if view.iam.role_with_arn(arn).is_some_and(|role| role.trusts("firehose.amazonaws.com")) {
        return Ok(());
    }
    Err(argument(format!("Firehose is unable to assume role {arn}. Please check the role provided.")))
}

pub(super) fn update(view: &mut View<'_>, caller: &Caller, asked: Updating) -> Answer<Value> {
    let stream = view.region.firehose.stream(asked.delivery_stream_name.as_deref(), caller)?;
    let version = asked.current_delivery_stream_version_id;
    let version = version.ok_or_else(|| invalid(missing("currentDeliveryStreamVersionId")))?;
    let id = asked.destination_id.ok_or_else(|| invalid(missing("destinationId")))?;
    if version != stream.version.to_string() {
        // Reported.
        let message = format!(
            "Cannot update firehose: {} since the current version id: {} and specified version id: {version} do not match",
            stream.name, stream.version
        );
        return Err(Fault::new(400, "ConcurrentModificationException", message));
    }
    if id != DESTINATION {
        return Err(argument(format!("Destination Id {id} not found")));
    }
    let update = asked.extended_s3_destination_update;
    let update = update.ok_or_else(|| argument("One and only one destination update must be specified."))?;
    let destination = stream.destination.updated(update)?;
    let name = stream.name.clone();
    check_role(view, &destination.role_arn)?;
    let now = view.now;
    let stream = view.region.firehose.stream(Some(&name), caller)?;
    (stream.destination, stream.updated) = (destination, Some(now));
    stream.version += 1;
    Ok(json!({}))
}

pub(super) fn describe(view: &mut View<'_>, caller: &Caller, asked: &ByName) -> Answer<Value> {
    let stream = view.region.firehose.stream(asked.delivery_stream_name.as_deref(), caller)?;
    let encryption = stream.encryption.as_ref().map_or_else(|| json!({ "Status": "DISABLED" }), Encryption::shown);
    let mut shown = json!({
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": stream.arn,
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "DirectPut",
        "DeliveryStreamEncryptionConfiguration": encryption,
        "VersionId": stream.version.to_string(),
        "CreateTimestamp": stream.created,
        "Destinations": [stream.destination.shown(DESTINATION)],
        "HasMoreDestinations": false,
    });
    if let Some(updated) = stream.updated {
        shown["LastUpdateTimestamp"] = json!(updated);
    }
    Ok(json!({ "DeliveryStreamDescription": shown }))
}

pub(super) fn list(state: &State, asked: &Listing) -> Answer<Value> {
    // "The default value is 10" (API reference); the model allows up to 10,000.
    let limit = match asked.limit {
        None => 10,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| (1..=10_000).contains(limit)).ok_or_else(|| {
            invalid(violation(&limit.to_string(), "limit", "Member must have value between 1 and 10000"))
        })?,
    };
    if let Some(kind) = &asked.delivery_stream_type {
        one_of(kind, "deliveryStreamType", &["DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"])?;
    }
    let after = asked.exclusive_start_delivery_stream_name.as_deref().unwrap_or_default();
    let direct = asked.delivery_stream_type.as_deref().is_none_or(|kind| kind == "DirectPut");
    let left: Vec<&String> = state.streams.keys().filter(|name| direct && name.as_str() > after).collect();
    let page = &left[..left.len().min(limit)];
    Ok(json!({ "DeliveryStreamNames": page, "HasMoreDeliveryStreams": left.len() > page.len() }))
}

/// It goes at once; on AWS it is `DELETING` for a while.
pub(super) fn delete(view: &mut View<'_>, caller: &Caller, asked: &ByName) -> Answer<Value> {
    let name = view.region.firehose.stream(asked.delivery_stream_name.as_deref(), caller)?.name.clone();
    view.region.firehose.streams.remove(&name);
    Ok(json!({}))
}

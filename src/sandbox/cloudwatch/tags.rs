//! The tags of alarms.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::alarms::Alarm;
use super::check::length;
use super::{State, arn, invalid, parse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::wire::Caller;

const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tagging {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tags: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Untagging {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tag_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Listing {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

/// Tags as the wire has them: a list of keys and values.
pub(super) fn from_list(list: Option<Value>) -> Answer<BTreeMap<String, String>> {
    let Some(list) = list.filter(|list| !list.is_null()) else { return Ok(BTreeMap::new()) };
    let tags: Vec<Tag> = parse(list)?;
    for tag in &tags {
        length(&tag.key, "tags.1.member.key", 1, 128)?;
        length(&tag.value, "tags.1.member.value", 0, 256)?;
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    let tags: BTreeMap<String, String> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    limit(&tags)?;
    Ok(tags)
}

fn limit(tags: &BTreeMap<String, String>) -> Answer<()> {
    if tags.len() > LIMIT {
        return Err(invalid(format!("The maximum number of tags per resource is {LIMIT}")));
    }
    Ok(())
}

pub(super) fn tag(state: &mut State, caller: &Caller, asked: Tagging) -> Answer<Value> {
    let new = from_list(Some(asked.tags))?;
    let alarm = alarm_mut(state, caller, &asked.arn)?;
    let mut tags = alarm.tags.clone();
    tags.extend(new);
    limit(&tags)?;
    alarm.tags = tags;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, caller: &Caller, asked: &Untagging) -> Answer<Value> {
    alarm_mut(state, caller, &asked.arn)?.tags.retain(|key, _| !asked.tag_keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, caller: &Caller, asked: &Listing) -> Answer<Value> {
    let tags = &alarm_mut(state, caller, &asked.arn)?.tags;
    let list: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": list }))
}

fn alarm_mut<'a>(state: &'a mut State, caller: &Caller, wanted: &str) -> Answer<&'a mut Alarm> {
    let start = arn("", caller);
    let Some(name) = wanted.strip_prefix(&start) else {
        return Err(Fault::new(400, "InvalidParameterValue", format!("The ARN {wanted} is no ARN of an alarm here")));
    };
    // The model's exception has no message, only a type and an id of the resource.
    state.alarms.get_mut(name).ok_or_else(|| Fault::new(404, "ResourceNotFoundException", format!("Unknown: {name}")))
}

//! The tags of log groups, by ARN and, as it once was, by name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::groups::name;
use super::{State, arn, invalid, no_group};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::Caller;

const LIMIT: usize = 50;

type Tags = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tagging {
    resource_arn: Option<String>,
    tags: Option<Tags>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Untagging {
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    resource_arn: Option<String>,
}

/// The older operations: a name instead of an ARN, and one word less for the keys.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ByName<T> {
    log_group_name: Option<String>,
    tags: Option<T>,
}

pub(super) fn tag(logs: &mut State, caller: &Caller, asked: Tagging) -> Answer<Value> {
    let name = named(asked.resource_arn.as_deref(), caller)?;
    add(logs, &name, asked.tags)
}

pub(super) fn untag(logs: &mut State, caller: &Caller, asked: &Untagging) -> Answer<Value> {
    let name = named(asked.resource_arn.as_deref(), caller)?;
    remove(logs, &name, asked.tag_keys.as_deref(), "tagKeys")
}

pub(super) fn list(logs: &State, caller: &Caller, asked: &Resource) -> Answer<Value> {
    show(logs, &named(asked.resource_arn.as_deref(), caller)?)
}

pub(super) fn tag_by_name(logs: &mut State, asked: ByName<Tags>) -> Answer<Value> {
    let name = name(asked.log_group_name.as_deref())?.to_owned();
    add(logs, &name, asked.tags)
}

pub(super) fn untag_by_name(logs: &mut State, asked: &ByName<Vec<String>>) -> Answer<Value> {
    remove(logs, name(asked.log_group_name.as_deref())?, asked.tags.as_deref(), "tags")
}

pub(super) fn list_by_name(logs: &State, asked: &ByName<Tags>) -> Answer<Value> {
    show(logs, name(asked.log_group_name.as_deref())?)
}

/// Tags with others added, or why they can't be.
pub(super) fn merged(tags: &Tags, new: Tags, resource: &str) -> Answer<Tags> {
    for (key, value) in &new {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("User-defined tag keys can't begin with aws:, which is reserved."));
        }
        for (text, member, low, high) in [(key, "tags.key", 1, 128), (value, "tags.value", 0, 256)] {
            let length = text.chars().count();
            let sign = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
            let constraint = if length < low || length > high {
                format!("Member must have length between {low} and {high}")
            } else if !text.chars().all(sign) {
                "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*".to_owned()
            } else {
                continue;
            };
            return Err(invalid(violation(text, member, &constraint)));
        }
    }
    let mut merged = tags.clone();
    merged.extend(new);
    if merged.len() > LIMIT {
        let message = format!("The resource {resource} can have no more than {LIMIT} tags.");
        return Err(Fault::new(400, "TooManyTagsException", message));
    }
    Ok(merged)
}

fn add(logs: &mut State, name: &str, tags: Option<Tags>) -> Answer<Value> {
    let tags = tags.filter(|tags| !tags.is_empty()).ok_or_else(|| invalid(missing("tags")))?;
    let group = logs.group_mut(name)?;
    group.tags = merged(&group.tags, tags, name)?;
    Ok(Value::Null)
}

fn remove(logs: &mut State, name: &str, keys: Option<&[String]>, member: &str) -> Answer<Value> {
    let keys = keys.ok_or_else(|| invalid(missing(member)))?;
    logs.group_mut(name)?.tags.retain(|key, _| !keys.contains(key));
    Ok(Value::Null)
}

fn show(logs: &State, name: &str) -> Answer<Value> {
    let group = logs.groups.get(name).ok_or_else(no_group)?;
    Ok(json!({ "tags": group.tags }))
}

/// The name in an ARN. The tagging operations want it without the `:*` that `DescribeLogGroups` puts behind `arn`.
fn named(resource: Option<&str>, caller: &Caller) -> Answer<String> {
    let resource = resource.ok_or_else(|| invalid(missing("resourceArn")))?;
    if resource.ends_with(":*") {
        return Err(invalid(format!("The specified resource ARN is not valid: {resource}")));
    }
    match resource.strip_prefix(&arn("", caller)) {
        Some(name) => Ok(name.to_owned()),
        None if resource.starts_with("arn:") && resource.contains(":logs:") => Err(no_group()),
        None => Err(invalid(format!("The specified resource ARN is not valid: {resource}"))),
    }
}

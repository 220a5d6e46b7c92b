//! The tags of delivery streams.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{State, argument, invalid};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::Caller;

/// Tags that one stream may have.
const LIMIT: usize = 50;

type Tags = BTreeMap<String, String>;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tagging {
    delivery_stream_name: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Untagging {
    delivery_stream_name: Option<String>,
    tag_keys: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Listing {
    delivery_stream_name: Option<String>,
    exclusive_start_tag_key: Option<String>,
    limit: Option<i64>,
}

pub(super) fn tag(state: &mut State, caller: &Caller, asked: &Tagging) -> Answer<Value> {
    let stream = state.stream(asked.delivery_stream_name.as_deref(), caller)?;
    let new = asked.tags.as_deref().filter(|tags| !tags.is_empty()).ok_or_else(|| invalid(missing("tags")))?;
    stream.tags = merged(&stream.tags, new)?;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, caller: &Caller, asked: &Untagging) -> Answer<Value> {
    let stream = state.stream(asked.delivery_stream_name.as_deref(), caller)?;
    let keys = asked.tag_keys.as_deref().filter(|keys| !keys.is_empty()).ok_or_else(|| invalid(missing("tagKeys")))?;
    stream.tags.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, caller: &Caller, asked: &Listing) -> Answer<Value> {
    let stream = state.stream(asked.delivery_stream_name.as_deref(), caller)?;
    let limit = match asked.limit {
        None => LIMIT,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| (1..=LIMIT).contains(limit)).ok_or_else(|| {
            invalid(violation(&limit.to_string(), "limit", "Member must have value between 1 and 50"))
        })?,
    };
    let after = asked.exclusive_start_tag_key.as_deref().unwrap_or_default();
    let left: Vec<_> = stream.tags.iter().filter(|(key, _)| key.as_str() > after).collect();
    let page: Vec<Value> = left.iter().take(limit).map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "HasMoreTags": left.len() > page.len(), "Tags": page }))
}

/// Tags with others added, or why they can't be.
pub(super) fn merged(tags: &Tags, new: &[Tag]) -> Answer<Tags> {
    let mut merged = tags.clone();
    for Tag { key, value } in new {
        let value = value.clone().unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(argument("Tag keys that begin with aws: are reserved."));
        }
        for (text, member, low, high) in [(key, "tags.key", 1, 128), (&value, "tags.value", 0, 256)] {
            let sign = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@%".contains(letter);
            if !(low..=high).contains(&text.chars().count()) {
                let constraint = format!("Member must have length between {low} and {high}");
                return Err(invalid(violation(text, member, &constraint)));
            }
            if !text.chars().all(sign) {
                let constraint =
                    r"Member must satisfy regular expression pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$";
                return Err(invalid(violation(text, member, constraint)));
            }
        }
        merged.insert(key.clone(), value);
    }
    if merged.len() > LIMIT {
        let message = format!("A delivery stream can have at most {LIMIT} tags.");
        return Err(Fault::new(400, "LimitExceededException", message));
    }
    Ok(merged)
}

//! The tags of certificates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{State, invalid};
use crate::sandbox::fault::{Answer, Fault, missing, violation};

/// Tags that one certificate may have.
const LIMIT: usize = 50;

type Tags = BTreeMap<String, String>;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tagging {
    certificate_arn: Option<String>,
    tags: Option<Vec<Tag>>,
}

pub(super) fn add(state: &mut State, input: &Tagging) -> Answer<Value> {
    let certificate = state.certificate_mut(input.certificate_arn.as_deref())?;
    certificate.tags = merged(&certificate.tags, input.tags()?)?;
    Ok(Value::Null)
}

/// A tag with a value goes only if it has that value (API reference).
pub(super) fn remove(state: &mut State, input: &Tagging) -> Answer<Value> {
    let certificate = state.certificate_mut(input.certificate_arn.as_deref())?;
    let named = |key: &String, value: &String| {
        input.tags.iter().flatten().any(|tag| tag.key == *key && tag.value.as_ref().is_none_or(|one| one == value))
    };
    input.tags()?;
    certificate.tags.retain(|key, value| !named(key, value));
    Ok(Value::Null)
}

pub(super) fn list(state: &State, arn: Option<&str>) -> Answer<Value> {
    let tags = &state.certificate(arn)?.tags;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

impl Tagging {
    fn tags(&self) -> Answer<&[Tag]> {
        self.tags.as_deref().filter(|tags| !tags.is_empty()).ok_or_else(|| invalid(missing("tags")))
    }
}

/// Tags with others added, or why they can't be.
pub(super) fn merged(tags: &Tags, new: &[Tag]) -> Answer<Tags> {
    let mut merged = tags.clone();
    for Tag { key, value } in new {
        let value = value.clone().unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = "Tag keys and values that begin with aws: are reserved.";
            return Err(Fault::new(400, "InvalidTagException", message));
        }
        for (text, member, low, high) in [(key, "tags.key", 1, 128), (&value, "tags.value", 0, 256)] {
            let length = text.chars().count();
            let sign = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
            if !(low..=high).contains(&length) {
                let constraint = format!("Member must have length between {low} and {high}");
                return Err(invalid(violation(text, member, &constraint)));
            }
            if !text.chars().all(sign) {
                let constraint = r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:\/=+\-@]*";
                return Err(invalid(violation(text, member, constraint)));
            }
        }
        merged.insert(key.clone(), value);
    }
    if merged.len() > LIMIT {
        let message = format!("A certificate can have at most {LIMIT} tags.");
        return Err(Fault::new(400, "TooManyTagsException", message));
    }
    Ok(merged)
}

//! The tags of functions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::settings::validation;
use super::{State, invalid, names, requests};
use crate::sandbox::fault::{Answer, missing, violation};
use crate::sandbox::wire::Request;

const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tagging {
    tags: Option<BTreeMap<String, String>>,
}

pub(super) fn list(lambda: &State, request: &Request, arn: &str) -> Answer<(u16, Value)> {
    let function = lambda.function(&name(request, arn)?, &request.caller)?;
    Ok((200, json!({ "Tags": function.tags })))
}

pub(super) fn tag(lambda: &mut State, request: &Request, arn: &str) -> Answer<(u16, Value)> {
    let asked: Tagging = requests::parse(&requests::body(request)?)?;
    let new = asked.tags.ok_or_else(|| validation(missing("tags")))?;
    let function = lambda.function_mut(&name(request, arn)?, &request.caller)?;
    function.tags = merged(&function.tags, new)?;
    Ok((204, Value::Null))
}

pub(super) fn untag(lambda: &mut State, request: &Request, arn: &str) -> Answer<(u16, Value)> {
    let keys: Vec<&str> =
        request.query.iter().filter(|(name, _)| name == "tagKeys").map(|(_, value)| value.as_str()).collect();
    if keys.is_empty() {
        return Err(validation(missing("tagKeys")));
    }
    let function = lambda.function_mut(&name(request, arn)?, &request.caller)?;
    function.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok((204, Value::Null))
}

/// Tags with others added, or why Lambda would not add them.
pub(super) fn merged(
    tags: &BTreeMap<String, String>,
    new: BTreeMap<String, String>,
) -> Answer<BTreeMap<String, String>> {
    for (key, value) in &new {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        for (text, member, low, high) in [(key, "tags.key", 1, 128), (value, "tags.value", 0, 256)] {
            let length = text.chars().count();
            if length < low || length > high {
                let constraint = format!("Member must have length between {low} and {high}");
                return Err(validation(violation(text, member, &constraint)));
            }
        }
    }
    let mut merged = tags.clone();
    merged.extend(new);
    if merged.len() > LIMIT {
        return Err(invalid(format!("Number of tags exceeds resource tag limit of {LIMIT}")));
    }
    Ok(merged)
}

/// Tags belong to functions, so only the whole ARN of one without a qualifier will do.
fn name(request: &Request, arn: &str) -> Answer<String> {
    if arn.starts_with("arn:") && arn.matches(':').count() == 6 {
        return names::function(arn, request);
    }
    let pattern = "arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}(-gov)?-[a-z]+-\\d{1}:\\d{12}:function:[a-zA-Z0-9-_]+";
    let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
    Err(validation(violation(arn, "resource", &constraint)))
}

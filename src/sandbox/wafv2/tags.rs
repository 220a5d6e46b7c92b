//! Tags of web ACLs, sets and rule groups.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use super::entities::Page;
use super::faults::{self, Answer};

/// Tags that one resource may have (aws-facts A).
const LIMIT: usize = 50;

type Tags = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tagging {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Untagging {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tag_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn tag(state: &mut State, asked: Tagging) -> Answer<Value> {
    let tags = tags_of(state, &asked.arn)?;
    *tags = read(asked.tags, tags.clone())?;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, asked: &Untagging) -> Answer<Value> {
    tags_of(state, &asked.arn)?.retain(|key, _| !asked.tag_keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, asked: &Listing) -> Answer<Value> {
    let tags = tags_of(state, &asked.arn)?.iter();
    let items = tags.map(|(key, value)| (key.clone(), json!({ "Key": key, "Value": value }))).collect();
    let mut page = asked.page.of("TagList", items)?;
    let mut answer = json!({ "TagInfoForResource": { "ResourceARN": asked.arn, "TagList": page["TagList"].take() } });
    if page["NextMarker"].is_string() {
        answer["NextMarker"] = page["NextMarker"].take();
    }
    Ok(answer)
}

/// Tags with others added, or why they can't be.
pub(super) fn read(new: Vec<Tag>, mut tags: Tags) -> Answer<Tags> {
    for Tag { key, value } in new {
        let sign = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
        for (text, member, low, high) in [(&key, "key", 1, 128), (&value, "value", 0, 256)] {
            if !(low..=high).contains(&text.chars().count()) || !text.chars().all(sign) {
                let wanted = format!("have length between {low} and {high} and only letters, digits and _.:/=+-@");
                return Err(faults::violations(text, member, &[wanted]));
            }
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(faults::tags("aws: prefixed tag key names are not allowed for external use."));
        }
        tags.insert(key, value);
    }
    if tags.len() > LIMIT {
        return Err(faults::limit("TAGS"));
    }
    Ok(tags)
}

fn tags_of<'s>(state: &'s mut State, arn: &str) -> Answer<&'s mut Tags> {
    if !arn.starts_with("arn:") {
        return Err(faults::arn("RESOURCE_ARN", arn));
    }
    let State { web_acls, ip_sets, regex_pattern_sets, rule_groups, logging: _, balancers: _ } = state;
    let found = web_acls.iter_mut().map(|one| (&one.arn, &mut one.tags));
    let found = found.chain(ip_sets.iter_mut().map(|one| (&one.arn, &mut one.tags)));
    let found = found.chain(regex_pattern_sets.iter_mut().map(|one| (&one.arn, &mut one.tags)));
    let mut found = found.chain(rule_groups.iter_mut().map(|one| (&one.arn, &mut one.tags)));
    found.find(|(own, _)| *own == arn).map(|(_, tags)| tags).ok_or_else(faults::nonexistent)
}

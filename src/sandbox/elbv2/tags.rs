//! Tags of load balancers.

use std::collections::BTreeMap;

use super::{State, no_balancer, refuse};
use crate::sandbox::fault::Answer;
use crate::sandbox::query::{Call, invalid};
use crate::sandbox::xml::Xml;

/// "Maximum number of tags per resource" ("Quotas for your Network Load Balancers").
const LIMIT: usize = 50;

/// Tags as the service takes them.
pub(super) fn checked(pairs: Vec<(String, String)>) -> Answer<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("Tag '{key}' is too long or has no key")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that begin with 'aws:' are reserved".to_owned()));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(refuse("DuplicateTagKeys", format!("Tag key '{key}' was specified more than once")));
        }
    }
    limited(tags)
}

fn limited(tags: BTreeMap<String, String>) -> Answer<BTreeMap<String, String>> {
    if tags.len() > LIMIT {
        return Err(refuse("TooManyTags", "The maximum number of tags has been reached"));
    }
    Ok(tags)
}

fn arns(state: &State, call: &Call) -> Answer<Vec<String>> {
    let arns = call.strings("ResourceArns");
    if arns.is_empty() {
        call.need("ResourceArns")?;
    }
    match arns.iter().find(|arn| !state.balancers.contains_key(*arn)) {
        None => Ok(arns),
        Some(arn) => Err(no_balancer(arn)),
    }
}

pub(super) fn add(state: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let arns = arns(state, call)?;
    let new = checked(call.tags("Tags"))?;
    let mut after = Vec::new();
    for arn in arns {
        let mut tags = state.balancers[&arn].tags.clone();
        tags.extend(new.clone());
        after.push((arn, limited(tags)?));
    }
    for (arn, tags) in after {
        if let Some(one) = state.balancers.get_mut(&arn) {
            one.tags = tags;
        }
    }
    Ok(Some(Xml::new()))
}

pub(super) fn remove(state: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let keys = call.strings("TagKeys");
    for arn in arns(state, call)? {
        if let Some(one) = state.balancers.get_mut(&arn) {
            one.tags.retain(|key, _| !keys.contains(key));
        }
    }
    Ok(Some(Xml::new()))
}

pub(super) fn describe(state: &State, call: &Call) -> Answer<Option<Xml>> {
    let arns = arns(state, call)?;
    if arns.len() > 20 {
        return Err(invalid("Cannot have more than 20 resources described".to_owned()));
    }
    let mut xml = Xml::new();
    xml.node("TagDescriptions", |xml| {
        for arn in arns {
            xml.node("member", |xml| {
                xml.leaf("ResourceArn", &arn);
                xml.node("Tags", |xml| {
                    for (key, value) in &state.balancers[&arn].tags {
                        xml.node("member", |xml| {
                            xml.leaf("Key", key);
                            xml.leaf("Value", value);
                        });
                    }
                });
            });
        }
    });
    Ok(Some(xml))
}

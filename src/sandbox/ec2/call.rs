//! Reads parameters as EC2 flattens them: lists without `member`, numbered from 1.

use std::collections::BTreeSet;

use super::{Tags, refuse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::Call;
use crate::sandbox::world::View;

/// A parameter that has to be there.
pub(super) fn need<'c>(call: &'c Call, name: &str) -> Answer<&'c str> {
    call.get(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
}

pub(super) fn missing(name: &str) -> Fault {
    refuse("MissingParameter", format!("The request must contain the parameter {name}"))
}

/// `VALUE` of `LIST.1`, `LIST.2`, …
pub(super) fn strings(call: &Call, list: &str) -> Vec<String> {
    (1_usize..).map_while(|at| call.get(&format!("{list}.{at}")).map(str::to_owned)).collect()
}

/// How many entries a list has, whose members begin with one of `members`.
pub(super) fn count(call: &Call, list: &str, members: &[&str]) -> usize {
    let there = |at: &usize| members.iter().any(|member| call.get(&format!("{list}.{at}.{member}")).is_some());
    // The body that the parameters came in has an end.
    (1..usize::MAX).take_while(there).count()
}

/// The pairs of a list of tags. Those without a value have none, which only `DeleteTags` tells from an empty one.
pub(super) fn pairs(call: &Call, list: &str) -> Vec<(String, Option<String>)> {
    (1..=count(call, list, &["Key", "Value"]))
        .map(|at| {
            let key = call.get(&format!("{list}.{at}.Key")).unwrap_or_default().to_owned();
            (key, call.get(&format!("{list}.{at}.Value")).map(str::to_owned))
        })
        .collect()
}

/// The tags that a resource is to be made with.
pub(super) fn tag_specification(call: &Call, resource: &str) -> Answer<Tags> {
    let Some(kind) = call.get("TagSpecification.1.ResourceType") else { return Ok(Tags::new()) };
    if kind != resource || call.get("TagSpecification.2.ResourceType").is_some() {
        return Err(refuse(
            "InvalidParameterValue",
            format!("'{kind}' is not a valid taggable resource type for this operation."),
        ));
    }
    let pairs = pairs(call, "TagSpecification.1.Tag");
    if pairs.is_empty() {
        return Err(refuse("InvalidParameterValue", "Tag specification must have at least one tag"));
    }
    checked(pairs)
}

/// Tags as EC2 takes them: "Tag keys … up to 127 Unicode characters. May not begin with `aws:`", values up to 256 (API
/// reference, `Tag`).
pub(super) fn checked(pairs: Vec<(String, Option<String>)>) -> Answer<Tags> {
    let mut seen = BTreeSet::new();
    for (key, value) in &pairs {
        if key.is_empty() || key.chars().count() > 127 {
            return Err(refuse("InvalidParameterValue", format!("Tag key length must be between 1 and 127: '{key}'")));
        }
        if value.as_ref().is_some_and(|value| value.chars().count() > 256) {
            return Err(refuse("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters."));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"));
        }
        if !seen.insert(key) {
            return Err(refuse("InvalidParameterValue", format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(pairs.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// Tags with others set, or why EC2 would not set them.
pub(super) fn merged(tags: &Tags, new: Tags) -> Answer<Tags> {
    let mut all = tags.clone();
    all.extend(new);
    if all.len() > 50 {
        return Err(refuse(
            "TagLimitExceeded",
            "You have reached the maximum number of tags that can be added to the specified resource.",
        ));
    }
    Ok(all)
}

/// Refuses what is no id of the kind that begins so. EC2's ids have 8 or 17 hexadecimal digits.
pub(super) fn check_id(kind: &str, prefix: &str, id: &str) -> Answer<()> {
    if is_id(prefix, id) {
        return Ok(());
    }
    // The words are those for security groups, which the other kinds have much like them.
    Err(refuse(&format!("Invalid{kind}.Malformed"), format!("Invalid id: \"{id}\" (expecting \"{prefix}...\")")))
}

/// `vpc-xxxxxxxxx` passes too: it is how documents write an id that they keep to themselves, and what they show should run.
pub(super) fn is_id(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|digits| {
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        (8..=17).contains(&digits.len()) && (hexadecimal || digits.bytes().all(|digit| digit == b'x'))
    })
}

/// A new id: `sg-0` and 16 hexadecimal digits.
pub(super) fn new_id(view: &mut View<'_>, prefix: &str) -> String {
    let uuid: String = view.new_uuid().chars().filter(char::is_ascii_hexdigit).collect();
    format!("{prefix}0{}", &uuid[..16])
}

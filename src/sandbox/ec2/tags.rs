//! Tags of everything that EC2 has.

use super::call::{checked, merged, missing, pairs, strings};
use super::listing::{self, Entry, Listing};
use super::{State, Tags, done, groups, refuse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::Call;
use crate::sandbox::xml::Xml;

fn not_here(id: &str) -> Fault {
    if id.starts_with("sg-") {
        return groups::no_group(id);
    }
    // `InvalidID`: "The specified ID for the resource you are trying to tag is not valid" (error reference).
    refuse("InvalidID", format!("The ID '{id}' is not valid"))
}

/// The tags of a resource.
fn of<'s>(state: &'s mut State, id: &str) -> Answer<&'s mut Tags> {
    let found = match id.split_once('-').map_or("", |(prefix, _)| prefix) {
        "vpc" => state.vpcs.get_mut(id).map(|one| &mut one.tags),
        "subnet" => state.subnets.get_mut(id).map(|one| &mut one.tags),
        "sg" => state.groups.get_mut(id).map(|one| &mut one.tags),
        "vpce" => state.endpoints.get_mut(id).map(|one| &mut one.tags),
        _ => None,
    };
    found.ok_or_else(|| not_here(id))
}

/// All or none are tagged.
pub(super) fn create(state: &mut State, call: &Call) -> Answer<Xml> {
    let ids = ids(call)?;
    let pairs = pairs(call, "Tag");
    if pairs.is_empty() {
        return Err(missing("Tag"));
    }
    let new = checked(pairs)?;
    let mut after = Vec::new();
    for id in &ids {
        after.push(merged(of(state, id)?, new.clone())?);
    }
    for (id, tags) in ids.iter().zip(after) {
        *of(state, id)? = tags;
    }
    Ok(done())
}

/// "If you specify a tag key without a tag value, we delete any tag with this key regardless of its value. … with an empty
/// string as the tag value, we delete the tag only if its value is an empty string" (API reference, `DeleteTags`). No tags at
/// all are all tags.
pub(super) fn delete(state: &mut State, call: &Call) -> Answer<Xml> {
    let (ids, gone) = (ids(call)?, pairs(call, "Tag"));
    for id in &ids {
        of(state, id)?;
    }
    for id in &ids {
        let tags = of(state, id)?;
        tags.retain(|key, value| {
            let matches = |(name, wanted): &(String, Option<String>)| {
                name == key && wanted.as_ref().is_none_or(|wanted| wanted == value)
            };
            !(gone.is_empty() || gone.iter().any(matches))
        });
    }
    Ok(done())
}

fn ids(call: &Call) -> Answer<Vec<String>> {
    let ids = strings(call, "ResourceId");
    if ids.is_empty() { Err(missing("ResourceId")) } else { Ok(ids) }
}

const TAGS: Listing = Listing {
    set: "tagSet",
    // Tags are named by filters alone.
    ids: "none",
    not_found: not_here,
    filters: &["key", "resource-id", "resource-type", "value"],
};

pub(super) fn describe(state: &State, call: &Call) -> Answer<Xml> {
    let vpcs = state.vpcs.iter().map(|(id, one)| ("vpc", id, &one.tags));
    let subnets = state.subnets.iter().map(|(id, one)| ("subnet", id, &one.tags));
    let groups = state.groups.iter().map(|(id, one)| ("security-group", id, &one.tags));
    let endpoints = state.endpoints.iter().map(|(id, one)| ("vpc-endpoint", id, &one.tags));
    let mut entries = Vec::new();
    for (kind, id, tags) in vpcs.chain(subnets).chain(groups).chain(endpoints) {
        for (key, value) in tags {
            let mut xml = Xml::new();
            xml.leaf("resourceId", id);
            xml.leaf("resourceType", kind);
            xml.leaf("key", key);
            xml.leaf("value", value);
            let field = |name, value: &str| (name, vec![value.to_owned()]);
            entries.push(Entry {
                id: format!("{id} {key}"),
                fields: vec![
                    field("resource-id", id),
                    field("resource-type", kind),
                    field("key", key),
                    field("value", value),
                ],
                tags: Tags::new(),
                shown: xml,
            });
        }
    }
    listing::answer(call, &TAGS, entries)
}

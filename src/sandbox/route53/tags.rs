//! The tags of hosted zones and health checks.

use std::collections::BTreeMap;

use super::faults::{Answer, invalid_input};
use super::health::no_check;
use super::{State, answer};
use crate::sandbox::wire::Response;
use crate::sandbox::xml::Xml;
use crate::sandbox::xml_reader::Element;

/// Tags that one of them may have (API reference: ten to add in one call, fifty in all).
const LIMIT: usize = 50;

/// Tags that one call may add, or remove.
const AT_ONCE: usize = 10;

type Tags = BTreeMap<String, String>;

pub(super) fn list(state: &State, kind: &str, id: &str) -> Answer<Response> {
    let tags = tags(state, kind, id)?;
    let mut xml = Xml::new();
    write(&mut xml, kind, id, tags);
    Ok(answer("ListTagsForResourceResponse", &xml))
}

pub(super) fn list_several(state: &State, kind: &str, body: &Element) -> Answer<Response> {
    let ids: Vec<&str> = children(body, "ResourceIds").iter().map(|one| one.text.trim()).collect();
    if ids.is_empty() || ids.len() > 10 {
        return Err(invalid_input("A request can ask for the tags of 1 to 10 resources"));
    }
    let mut inside = Xml::new();
    for id in ids {
        write(&mut inside, kind, id, tags(state, kind, id)?);
    }
    let mut xml = Xml::new();
    xml.node("ResourceTagSets", |xml| xml.append(&inside));
    Ok(answer("ListTagsForResourcesResponse", &xml))
}

pub(super) fn change(state: &mut State, kind: &str, id: &str, body: &Element) -> Answer<Response> {
    let mut changed = tags(state, kind, id)?.clone();
    let (add, remove) = (children(body, "AddTags"), children(body, "RemoveTagKeys"));
    if add.is_empty() && remove.is_empty() || add.len() > AT_ONCE || remove.len() > AT_ONCE {
        return Err(invalid_input(format!("A request can add and remove 1 to {AT_ONCE} tags")));
    }
    for key in remove {
        changed.remove(key.text.trim());
    }
    for tag in add {
        let (key, value) = (tag.text_of("Key").unwrap_or_default(), tag.text_of("Value").unwrap_or_default());
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 || key.starts_with("aws:") {
            return Err(invalid_input(format!("The tag with the key '{key}' is not valid")));
        }
        changed.insert(key.to_owned(), value.to_owned());
    }
    if changed.len() > LIMIT {
        return Err(invalid_input(format!("A resource can have at most {LIMIT} tags")));
    }
    match kind {
        "healthcheck" => state.health_checks.get_mut(id).ok_or_else(|| no_check(id))?.tags = changed,
        _ => state.zone_mut(id)?.tags = changed,
    }
    Ok(answer("ChangeTagsForResourceResponse", &Xml::new()))
}

fn tags<'s>(state: &'s State, kind: &str, id: &str) -> Answer<&'s Tags> {
    match kind {
        "hostedzone" => state.zone(id).map(|zone| &zone.tags),
        "healthcheck" => state.health_check(id).map(|check| &check.tags),
        _ => Err(invalid_input(format!("Value '{kind}' is not one of the types [healthcheck, hostedzone]"))),
    }
}

fn children<'e>(body: &'e Element, list: &str) -> &'e [Element] {
    body.child(list).map(|list| list.children.as_slice()).unwrap_or_default()
}

fn write(xml: &mut Xml, kind: &str, id: &str, tags: &Tags) {
    xml.node("ResourceTagSet", |xml| {
        xml.leaf("ResourceType", kind);
        xml.leaf("ResourceId", id);
        xml.node("Tags", |xml| {
            for (key, value) in tags {
                xml.node("Tag", |xml| {
                    xml.leaf("Key", key);
                    xml.leaf("Value", value);
                });
            }
        });
    });
}

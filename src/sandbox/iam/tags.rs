//! The tags of roles. IAM compares their keys without regard to case.

use super::State;
use super::roles::role_name;
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::query::{Call, check, end_page, invalid};
use crate::sandbox::xml::Xml;

const LIMIT: usize = 50;

pub(super) fn tag(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let role = iam.role_mut(role_name(call)?)?;
    role.tags = merged(role.tags.clone(), call.tags("Tags"))?;
    Ok(None)
}

pub(super) fn untag(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let role = iam.role_mut(role_name(call)?)?;
    let keys = call.strings("TagKeys");
    role.tags.retain(|(key, _)| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
    Ok(None)
}

pub(super) fn list(iam: &State, call: &Call) -> Answer<Option<Xml>> {
    let role = iam.role(role_name(call)?)?;
    let mut tags: Vec<(String, &(String, String))> = role.tags.iter().map(|tag| (tag.0.clone(), tag)).collect();
    tags.sort();
    let (page, marker) = call.page(tags)?;
    let mut xml = Xml::new();
    end_page(&mut xml, marker.as_deref());
    xml.node("Tags", |xml| page.into_iter().for_each(|tag| member(xml, tag)));
    Ok(Some(xml))
}

/// Tags with others added, or why IAM would not add them.
pub(super) fn merged(mut tags: Vec<(String, String)>, new: Vec<(String, String)>) -> Answer<Vec<(String, String)>> {
    if new.len() > LIMIT {
        let constraint = format!("Member must have length less than or equal to {LIMIT}");
        return Err(invalid(violation(&format!("{} tags", new.len()), "tags", &constraint)));
    }
    for (at, (key, value)) in new.iter().enumerate() {
        let name = |member: &str| format!("tags.{}.member.{member}", at + 1);
        let pattern = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]";
        check(&name("key"), key, (1, 128), &format!("{pattern}+"), is_tag)?;
        check(&name("value"), value, (0, 256), &format!("{pattern}*"), is_tag)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Fault::new(400, "InvalidInput", "Tag keys beginning with aws: are reserved for system use."));
        }
        if new[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            return Err(Fault::new(
                400,
                "InvalidInput",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    for (key, value) in new {
        match tags.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(&key)) {
            Some(tag) => *tag = (key, value),
            None => tags.push((key, value)),
        }
    }
    if tags.len() > LIMIT {
        return Err(Fault::new(
            409,
            "LimitExceeded",
            format!("The number of tags has reached the maximum limit: {LIMIT}"),
        ));
    }
    Ok(tags)
}

/// Writes the list of tags into an answer about a role; a role without tags has no list.
pub(super) fn write(xml: &mut Xml, tags: &[(String, String)]) {
    if !tags.is_empty() {
        xml.node("Tags", |xml| tags.iter().for_each(|tag| member(xml, tag)));
    }
}

fn member(xml: &mut Xml, (key, value): &(String, String)) {
    xml.node("member", |xml| {
        xml.leaf("Key", key);
        xml.leaf("Value", value);
    });
}

/// Letters, separators and digits of all scripts, and a few signs.
fn is_tag(character: char) -> bool {
    character.is_alphanumeric()
        || "_.:/=+-@".contains(character)
        || (character.is_whitespace() && !character.is_control())
}

//! What all `Describe…` operations have in common: ids, filters, pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::call::{count, strings};
use super::{Tags, refuse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::Call;
use crate::sandbox::xml::Xml;

/// A kind of list.
pub(super) struct Listing {
    /// The element of the list: `securityGroupInfo`.
    pub(super) set: &'static str,
    /// The parameter that names entries: `GroupId`.
    pub(super) ids: &'static str,
    /// The fault for an id that is not there.
    pub(super) not_found: fn(&str) -> Fault,
    /// The filters beside tags.
    pub(super) filters: &'static [&'static str],
}

/// One entry of a list.
pub(super) struct Entry {
    /// Its id.
    pub(super) id: String,
    /// What filters look at.
    pub(super) fields: Vec<(&'static str, Vec<String>)>,
    /// Its tags.
    pub(super) tags: Tags,
    /// What is shown of it.
    pub(super) shown: Xml,
}

/// The answer of a list.
pub(super) fn answer(call: &Call, listing: &Listing, mut entries: Vec<Entry>) -> Answer<Xml> {
    let ids = strings(call, listing.ids);
    if let Some(unknown) = ids.iter().find(|id| !entries.iter().any(|entry| entry.id == **id)) {
        return Err((listing.not_found)(unknown));
    }
    if !ids.is_empty() {
        entries.retain(|entry| ids.contains(&entry.id));
    }
    for at in 1..=count(call, "Filter", &["Name", "Value.1"]) {
        let name = call.get(&format!("Filter.{at}.Name")).unwrap_or_default();
        let values = strings(call, &format!("Filter.{at}.Value"));
        if !(name.starts_with("tag:") || name == "tag-key" || listing.filters.contains(&name)) {
            return Err(refuse("InvalidParameterValue", format!("The filter '{name}' is invalid")));
        }
        if values.is_empty() {
            return Err(refuse("InvalidParameterValue", format!("The filter '{name}' has no values")));
        }
        entries.retain(|entry| entry.passes(name, &values));
    }
    entries.sort_by(|one, two| one.id.cmp(&two.id));
    page(call, listing.set, entries)
}

fn page(call: &Call, set: &str, mut entries: Vec<Entry>) -> Answer<Xml> {
    let after = call.get("NextToken").filter(|token| !token.is_empty()).map(unmark).transpose()?;
    entries.retain(|entry| after.as_ref().is_none_or(|after| entry.id > *after));
    let size = call.get("MaxResults").map(size).transpose()?.unwrap_or(usize::MAX);
    let more = entries.len() > size;
    entries.truncate(size);
    let mut xml = Xml::new();
    xml.node(set, |xml| entries.iter().for_each(|entry| xml.node("item", |xml| xml.append(&entry.shown))));
    if let (true, Some(last)) = (more, entries.last()) {
        xml.leaf("nextToken", BASE64.encode(&last.id));
    }
    Ok(xml)
}

fn size(text: &str) -> Answer<usize> {
    let why = match text.parse::<usize>() {
        Ok(number) if (5..=1000).contains(&number) => return Ok(number),
        Ok(number) if number < 5 => "Expecting a value greater than 5",
        _ => "Expecting a value less than 1000",
    };
    Err(refuse("InvalidParameterValue", format!("Value ( {text} ) for parameter maxResults is invalid. {why}.")))
}

fn unmark(token: &str) -> Answer<String> {
    let read = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.ok_or_else(|| refuse("InvalidNextToken", format!("The token '{token}' is invalid")))
}

impl Entry {
    fn passes(&self, name: &str, values: &[String]) -> bool {
        let any = |text: &str| values.iter().any(|pattern| matches(pattern, text));
        if let Some(key) = name.strip_prefix("tag:") {
            return self.tags.get(key).is_some_and(|value| any(value));
        }
        if name == "tag-key" {
            return self.tags.keys().any(|key| any(key));
        }
        self.fields.iter().filter(|(field, _)| *field == name).any(|(_, own)| own.iter().any(|value| any(value)))
    }
}

/// A sign of a filter's value.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    /// `*`: any text.
    Any,
    /// `?`: any letter.
    One,
    /// The letter itself; behind `\` every sign is one.
    Letter(char),
}

fn signs(pattern: &str) -> Vec<Sign> {
    let mut letters = pattern.chars();
    let mut signs = Vec::new();
    while let Some(letter) = letters.next() {
        signs.push(match letter {
            '*' => Sign::Any,
            '?' => Sign::One,
            '\\' => Sign::Letter(letters.next().unwrap_or('\\')),
            letter => Sign::Letter(letter),
        });
    }
    signs
}

/// Whether a filter's value is met. On a mismatch the last `*` takes one letter more, so that a value of many stars costs no
/// more than its length times the text's.
fn matches(pattern: &str, text: &str) -> bool {
    let (signs, text): (Vec<Sign>, Vec<char>) = (signs(pattern), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        match signs.get(at) {
            Some(Sign::Any) => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some(Sign::One) => {}
            Some(Sign::Letter(letter)) if *letter == text[read] => {}
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, read) = (place + 1, taken + 1);
                continue;
            }
        }
        (at, read) = (at + 1, read + 1);
    }
    signs[at..].iter().all(|sign| *sign == Sign::Any)
}

/// Writes the tags of an entry.
pub(super) fn write_tags(xml: &mut Xml, tags: &Tags) {
    xml.node("tagSet", |xml| {
        for (key, value) in tags {
            xml.node("item", |xml| {
                xml.leaf("key", key);
                xml.leaf("value", value);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_know_their_signs() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("**", "", true),
            ("*b*c", "abcbc", true),
            ("*b*d", "abcbc", false),
            (&"*a".repeat(200), &"a".repeat(199), false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}

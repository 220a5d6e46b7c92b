//! Patch operations, the form of every update.

use serde::Deserialize;

use super::Call;
use super::errors::{Answer, bad_request, not_found, not_in_set, validation};

/// The operations of the service model, in the order its messages name them.
const OPERATIONS: [&str; 6] = ["add", "remove", "move", "test", "replace", "copy"];

/// One patch operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Patch {
    /// `add`, `remove`, `replace`, `copy`, `move` or `test`.
    pub(super) op: String,
    /// The path as it was sent, still escaped.
    pub(super) path: String,
    /// The value; always text.
    pub(super) value: Option<String>,
    /// Where `copy` takes its value from.
    pub(super) from: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    patch_operations: Option<Vec<RawPatch>>,
}

#[derive(Deserialize)]
struct RawPatch {
    op: Option<String>,
    path: Option<String>,
    value: Option<String>,
    from: Option<String>,
}

/// Reads the patch operations of a request; `input` is the name of its shape in the service model.
pub(super) fn read(call: &Call<'_, '_>, input: &str) -> Answer<Vec<Patch>> {
    let Input { patch_operations } = call.body()?;
    let raw = patch_operations.unwrap_or_default();
    let mut faults = Vec::new();
    for (index, patch) in raw.iter().enumerate() {
        let at = format!("{input}.patchOperations.{}.member.op", index + 1);
        match patch.op.as_deref() {
            Some(op) if OPERATIONS.contains(&op) => {}
            Some(op) => faults.push(not_in_set(op, &at, &OPERATIONS)),
            None => faults.push(super::errors::missing(&at)),
        }
    }
    if !faults.is_empty() {
        return Err(validation(&faults));
    }
    raw.into_iter()
        .map(|RawPatch { op, path, value, from }| {
            let path = path.ok_or_else(|| super::errors::patch_path("null"))?;
            Ok(Patch { op: op.unwrap_or_default(), path, value, from })
        })
        .collect()
}

impl Patch {
    /// The segments of the path, unescaped: `/binaryMediaTypes/image~1png` is `binaryMediaTypes`, `image/png`.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path
            .strip_prefix('/')
            .unwrap_or(&self.path)
            .split('/')
            .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
            .collect()
    }

    /// The value, empty if there is none.
    pub(super) fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// The value, none if it is empty: how a patch clears a member.
    pub(super) fn text_or_none(&self) -> Option<String> {
        self.value.clone().filter(|value| !value.is_empty())
    }

    /// The value as a truth value; whatever is not `true` is false, as the real service has it.
    pub(super) fn flag(&self) -> bool {
        self.text().eq_ignore_ascii_case("true")
    }

    /// Refuses any operation but `replace`.
    pub(super) fn only_replace(&self) -> Answer<()> {
        self.only(&["replace"])
    }

    /// Refuses any operation but these.
    pub(super) fn only(&self, allowed: &[&str]) -> Answer<()> {
        if allowed.contains(&self.op.as_str()) {
            return Ok(());
        }
        Err(bad_request(format!("Invalid patch operation specified. Must be one of: [{}]", allowed.join(", "))))
    }

    /// Applies the operation to one entry of a map; `absent` is what the service says when there is none.
    pub(super) fn entry<V>(
        &self,
        map: &mut std::collections::BTreeMap<String, V>,
        key: &str,
        value: V,
        absent: &str,
    ) -> Answer<()> {
        match self.op.as_str() {
            "add" => drop(map.insert(key.to_owned(), value)),
            "replace" => *map.get_mut(key).ok_or_else(|| not_found(absent))? = value,
            "remove" => drop(map.remove(key).ok_or_else(|| not_found(absent))?),
            _ => self.only(&["add", "remove", "replace"])?,
        }
        Ok(())
    }

    /// Applies the operation to one entry of a map that is shown only when it holds something.
    pub(super) fn optional_entry<V>(
        &self,
        map: &mut Option<std::collections::BTreeMap<String, V>>,
        key: &str,
        value: V,
        absent: &str,
    ) -> Answer<()> {
        let inner = map.get_or_insert_default();
        self.entry(inner, key, value, absent)?;
        if inner.is_empty() {
            *map = None;
        }
        Ok(())
    }

    /// Applies the operation to one item of a list; the item stands in the path.
    pub(super) fn item(&self, list: &mut Vec<String>, item: &str) -> Answer<()> {
        let place = list.iter().position(|each| each == item);
        match (self.op.as_str(), place) {
            ("add", Some(_)) => {}
            ("add", None) => list.push(item.to_owned()),
            ("remove", Some(place)) => drop(list.remove(place)),
            // The replaced item goes and the new one comes last (recorded).
            ("replace", Some(place)) => {
                list.remove(place);
                list.push(self.text().to_owned());
            }
            ("remove" | "replace", None) => return Err(super::errors::patch_path(&self.path)),
            _ => self.only(&["add", "remove", "replace"])?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(op: &str, path: &str, value: &str) -> Patch {
        Patch { op: op.into(), path: path.into(), value: Some(value.into()), from: None }
    }

    #[test]
    fn segments_are_unescaped() {
        assert_eq!(patch("add", "/a/x~1y~0z", "").segments(), ["a", "x/y~z"]);
    }

    #[test]
    fn an_emptied_map_is_no_longer_shown() {
        let mut map = None;
        patch("add", "/m/k", "v").optional_entry(&mut map, "k", 1, "absent").expect("added");
        assert!(map.is_some());
        patch("remove", "/m/k", "").optional_entry(&mut map, "k", 1, "absent").expect("removed");
        assert_eq!(map, None);
        let refusal =
            patch("replace", "/m/k", "").optional_entry(&mut map, "k", 1, "absent").expect_err("nothing there");
        assert_eq!(refusal.message, "absent");
    }

    #[test]
    fn a_replaced_item_comes_last() {
        let mut list = vec!["image/png".to_owned(), "image/jpeg".to_owned()];
        patch("replace", "/l/image~1png", "image/gif").item(&mut list, "image/png").expect("replaced");
        assert_eq!(list, ["image/jpeg", "image/gif"]);
    }
}

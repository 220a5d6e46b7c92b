//! Files of expectations.

use std::fs;

use gwctl::expectation;
use proptest::prelude::*;
use proptest::sample::select;

use super::check;
use super::strategies::{edits, nested, spoil, text};

#[test]
fn any_file_is_read_or_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let good = serde_json::json!({ "request": [{ "name": "n", "send": "GET /a?b=c", "headers": { "h": "v" },
        "source_ip": "192.0.2.1", "environments": ["dev"], "products": [],
        "expect": { "outcome": "refused", "status": 403, "headers": { "a": "" }, "no_headers": ["b"], "cached": true } }] });
    let spoilt = (edits(4), select(&["json", "yaml", "toml"][..])).prop_map(move |(edits, ending)| {
        let value = spoil(good.clone(), &edits);
        let text = match ending {
            "json" => value.to_string(),
            "yaml" => serde_saphyr::to_string(&value).unwrap_or_default(),
            _ => toml_edit::ser::to_string(&value).unwrap_or_default(),
        };
        (text.into_bytes(), ending)
    });
    let endings = || select(&["json", "yaml", "yml", "toml", "txt", ""][..]);
    let send = |text: String| format!("[[request]]\nsend = {}\nexpect = {{}}\n", serde_json::json!(text)).into_bytes();
    let file = prop_oneof![
        3 => spoilt,
        1 => (text().prop_map(String::into_bytes), endings()),
        1 => (nested(20_000).prop_map(String::into_bytes), endings()),
        1 => (proptest::collection::vec(any::<u8>(), 0..200), endings()),
        1 => text().prop_map(move |text| (send(text), "toml")),
        1 => (1_usize..20_000).prop_map(|depth| (format!("a = {}", "[".repeat(depth)).into_bytes(), "toml")),
        1 => (1_usize..20_000).prop_map(|depth| (format!("{} = 1", vec!["a"; depth].join(".")).into_bytes(), "toml")),
    ];
    check(200, &file, |(bytes, ending)| {
        let path = folder.path().join(format!("requests.{ending}"));
        fs::write(&path, bytes).unwrap();
        if let Err(failure) = expectation::read(&path) {
            prop_assert!(!failure.to_string().is_empty());
        }
        Ok(())
    });
}

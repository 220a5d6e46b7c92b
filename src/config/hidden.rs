//! Keeps secrets out of what faults show: a fault points at a line, and in that line may stand the password of a function.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::fault::{Fault, Faults};
use super::node::{Node, NodeValue};
use super::parse::{parse_json, parse_toml};
use super::source::{SourceFile, Span};
use crate::secrets::{SENSITIVE, looks_secret, sounds_secret};

/// Values shorter than this are too likely to be a part of other words.
const SHORTEST: usize = 4;

/// A file without its secrets, every other character in its place, and the secrets.
struct Masked {
    file: Arc<SourceFile>,
    secrets: Vec<String>,
}

/// The faults, fit to be shown.
pub(super) fn masked(faults: &Faults) -> Vec<Fault> {
    let mut files: BTreeMap<&Path, Masked> = BTreeMap::new();
    for span in faults.iter().flat_map(|fault| fault.span.iter().chain(fault.related.iter().map(|(span, _)| span))) {
        files.entry(span.path()).or_insert_with(|| mask(&span.file));
    }
    faults.iter().map(|fault| without(fault, &files)).collect()
}

fn without(fault: &Fault, files: &BTreeMap<&Path, Masked>) -> Fault {
    let text = |text: &str| {
        let all = files.values().flat_map(|file| &file.secrets);
        all.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), SENSITIVE))
    };
    let moved = |span: &Span| match files.get(span.path()) {
        Some(masked) => Span::new(&masked.file, span.start..span.end),
        None => span.clone(),
    };
    Fault {
        span: fault.span.as_ref().map(moved),
        message: text(&fault.message),
        hint: fault.hint.as_deref().map(text),
        related: fault.related.as_ref().map(|(span, label)| (moved(span), text(label))),
        ..fault.clone()
    }
}

fn mask(file: &Arc<SourceFile>) -> Masked {
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    let mut nothing = Faults::default();
    let is_toml = file.path.extension().is_some_and(|extension| extension == "toml");
    let node = if is_toml { parse_toml(file, &mut nothing) } else { parse_json(file, &mut nothing) };
    match node {
        Some(node) => in_node(&node, false, &mut found),
        None => in_lines(&file.text, &mut found),
    }
    let mut text = file.text.clone();
    for (range, _) in &found {
        // Byte for byte, so that every span of the file is one of this text too.
        text.replace_range(range.clone(), &"*".repeat(range.len()));
    }
    let mut secrets: Vec<String> =
        found.into_iter().map(|(_, secret)| secret).filter(|secret| secret.len() >= SHORTEST).collect();
    // The longest first, so that what is left of one that holds another tells nothing.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    Masked { file: SourceFile::new(&*file.path, text), secrets }
}

/// The variables of functions and stages whose names sound secret, and whatever looks it. `variables`: the node holds such.
fn in_node(node: &Node, variables: bool, found: &mut Vec<(Range<usize>, String)>) {
    match &node.value {
        NodeValue::Object(members) => {
            for member in members {
                if let NodeValue::String(text) = &member.value.value
                    && variables
                    && sounds_secret(&member.key)
                {
                    found.push((inner(&member.value.span), text.clone()));
                    continue;
                }
                in_node(&member.value, matches!(member.key.as_str(), "environment" | "stage_variables"), found);
            }
        }
        NodeValue::Array(items) => items.iter().for_each(|item| in_node(item, false, found)),
        NodeValue::String(text) if looks_secret(text) => found.push((inner(&node.span), text.clone())),
        _ => {}
    }
}

/// A string without its quotes.
fn inner(span: &Span) -> Range<usize> {
    let quote = usize::from(span.text().starts_with(['"', '\'']) && span.end - span.start >= 2);
    span.start + quote..span.end - quote
}

/// The same of a text that can't be parsed: strings behind a name that sounds secret, and strings that look it.
fn in_lines(text: &str, found: &mut Vec<(Range<usize>, String)>) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let quotes: Vec<usize> = line.match_indices('"').map(|(index, _)| index).collect();
        let mut before = "";
        for pair in quotes.windows(2) {
            let value = &line[pair[0] + 1..pair[1]];
            let assigned = line[..pair[0]].trim_end().ends_with([':', '=']);
            if !value.is_empty() && ((assigned && sounds_secret(before)) || looks_secret(value)) {
                found.push((at + pair[0] + 1..at + pair[1], value.to_owned()));
            }
            if !assigned && !value.trim().starts_with([':', '=']) {
                before = value;
            }
        }
        at += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, at: &str, message: &str) -> String {
        let file = SourceFile::new("environments/p/dev.json", text);
        let start = text.find(at).expect("it is there");
        let mut faults = Faults::default();
        faults.error(&Span::new(&file, start..start + at.len()), message, "mend it");
        faults.render(false) + &faults.to_json().to_string()
    }

    #[test]
    fn a_fault_beside_a_secret_does_not_show_it() {
        let text = r#"{"stage_variables": {"db_password": "hunter 22", "color": "blue"}, "token": "plain"}"#;
        let shown = shown(text, "\"hunter 22\"", "`hunter 22` can't be the value of a stage variable");
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("`(sensitive)` can't be") && shown.contains("\"color\": \"blue\""), "{shown}");
        // A setting that is called so is none.
        assert!(shown.contains("\"token\": \"plain\""), "{shown}");
    }

    #[test]
    fn what_looks_secret_is_hidden_wherever_it_stands() {
        let text = "{\"a\": [\"https://u:hunter22@h/\"], \"b\": 7}";
        let shown = shown(text, "7", "`b` is wrong");
        assert!(!shown.contains("hunter22") && shown.contains("\"b\": 7"), "{shown}");
    }

    #[test]
    fn a_file_that_is_no_json_shows_none_either() {
        let text = "{\"environment\": {\"API_KEY\": \"hunter22\" \"B\": \"https://u:hunter33@h/\"}}";
        let shown = shown(text, "\"B\"", "no comma");
        assert!(!shown.contains("hunter22") && !shown.contains("hunter33"), "{shown}");
    }
}

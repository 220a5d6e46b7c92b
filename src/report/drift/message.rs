//! Drift in a message of limited length.

use super::super::layout::Page;
use super::{counts, entry, total};
use crate::drift::Looked;

/// The subject, in ASCII and at most 100 characters (SNS API reference, Publish), and the text, at most `limit` bytes.
#[must_use]
pub fn drift_message(all: &[Looked], limit: usize) -> (String, String) {
    let failed = all.iter().filter(|one| one.drift.is_err()).count();
    let count = total(all).drift();
    let whose = match all {
        [one] => one.label.clone(),
        _ => format!("{} environments", all.len()),
    };
    let failed_note = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let resources = if count == 1 { "resource" } else { "resources" };
    let subject = format!("gwctl drift: {count} {resources} in {whose}{failed_note}");
    let subject: String =
        subject.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(100).collect();
    let mut text = Vec::new();
    for one in all {
        // Memory takes every write.
        let line = match &one.drift {
            Ok(drift) => {
                format!("{} in {} {}: {}\n", one.label, one.place.account, one.place.region, counts(drift.summary()))
            }
            Err(failure) => format!("{}: {failure}\n", one.label),
        };
        text.extend(line.into_bytes());
        let found: Vec<_> =
            one.drift.iter().flat_map(crate::drift::Drift::found).map(|one| entry(one, false)).collect();
        let _ = Page { width: 100, color: false, verbose: false }.entries(&found, "  ", &mut text);
    }
    (subject, cut(&String::from_utf8_lossy(&text), limit))
}

/// At most so many bytes, and a word that there was more.
fn cut(text: &str, limit: usize) -> String {
    const MORE: &str = "\n… cut: `gwctl drift` shows all of it\n";
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit.saturating_sub(MORE.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_letters_and_says_so() {
        assert_eq!(cut("short", 10), "short");
        let text = cut(&"é".repeat(200), 101);
        assert!(text.len() <= 101 && text.starts_with('é') && text.contains("cut:"), "{text}");
    }
}

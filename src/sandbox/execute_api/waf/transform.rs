//! Text transformations: what is done to a part of a request before it is looked at.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::sandbox::wafv2::rules::Transformation;

/// One transformation that can be done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Lowercase,
    Uppercase,
    UrlDecode,
    CompressWhiteSpace,
    HtmlEntityDecode,
    Base64Decode,
    HexDecode,
    RemoveNulls,
    ReplaceNulls,
    RemoveWhitespace,
    Trim,
    NormalizePath,
}

/// The steps in their order; the name of the first that can't be done here is an error.
pub(super) fn steps(list: &[Transformation]) -> Result<Vec<Step>, &str> {
    let mut list: Vec<&Transformation> = list.iter().collect();
    list.sort_by_key(|one| one.priority);
    let step = |one: &Transformation| {
        Some(match one.kind.as_str() {
            "LOWERCASE" => Step::Lowercase,
            "UPPERCASE" => Step::Uppercase,
            "URL_DECODE" => Step::UrlDecode,
            "COMPRESS_WHITE_SPACE" => Step::CompressWhiteSpace,
            "HTML_ENTITY_DECODE" => Step::HtmlEntityDecode,
            "BASE64_DECODE" => Step::Base64Decode,
            "HEX_DECODE" => Step::HexDecode,
            "REMOVE_NULLS" => Step::RemoveNulls,
            "REPLACE_NULLS" => Step::ReplaceNulls,
            "REMOVE_WHITESPACE" => Step::RemoveWhitespace,
            "TRIM" => Step::Trim,
            "NORMALIZE_PATH" => Step::NormalizePath,
            _ => return None,
        })
    };
    list.into_iter().filter(|one| one.kind != "NONE").map(|one| step(one).ok_or(one.kind.as_str())).collect()
}

/// Does the steps; text that they do not change is not copied.
pub(super) fn apply<'a>(steps: &[Step], text: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    steps.iter().fold(text, |text, step| match changed(*step, &text) {
        Some(new) => Cow::Owned(new),
        None => text,
    })
}

/// What a step makes of a text, if it is another.
fn changed(step: Step, text: &[u8]) -> Option<Vec<u8>> {
    match step {
        Step::Lowercase => text.iter().any(u8::is_ascii_uppercase).then(|| text.to_ascii_lowercase()),
        Step::Uppercase => text.iter().any(u8::is_ascii_lowercase).then(|| text.to_ascii_uppercase()),
        Step::UrlDecode => text.iter().any(|byte| b"%+".contains(byte)).then(|| url_decode(text)),
        Step::CompressWhiteSpace => text.iter().any(|byte| is_white(*byte)).then(|| compress(text)),
        Step::HtmlEntityDecode => text.contains(&b'&').then(|| html_decode(text)),
        // "Does not decode" what is no base64, so the text stays.
        Step::Base64Decode => STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok(),
        Step::HexDecode => hex_decode(text),
        Step::RemoveNulls => text.contains(&0).then(|| text.iter().copied().filter(|byte| *byte != 0).collect()),
        Step::ReplaceNulls => {
            text.contains(&0).then(|| text.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect())
        }
        Step::RemoveWhitespace => text
            .iter()
            .any(|byte| is_white(*byte))
            .then(|| text.iter().copied().filter(|byte| !is_white(*byte)).collect()),
        Step::Trim => {
            let inner = text.trim_ascii();
            (inner.len() < text.len()).then(|| inner.to_vec())
        }
        Step::NormalizePath => {
            let new = normalize(text);
            (new != text).then_some(new)
        }
    }
}

/// The characters that the developer guide lists for `COMPRESS_WHITE_SPACE`: tab, newlines, feeds, space, and the
/// non-breaking space of Latin-1.
const fn is_white(byte: u8) -> bool {
    matches!(byte, 9..=13 | 32 | 160)
}

fn compress(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match (is_white(*byte), out.last()) {
            (true, Some(b' ')) => {}
            (true, _) => out.push(b' '),
            (false, _) => out.push(*byte),
        }
    }
    out
}

fn url_decode(text: &[u8]) -> Vec<u8> {
    let plus: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&plus).collect()
}

/// "Remove multiple slashes, directory self-references, and directory back-references that are not at the beginning"
/// (developer guide). That a path from the root can't go back beyond it is a guess.
fn normalize(text: &[u8]) -> Vec<u8> {
    let absolute = text.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut folder = false;
    for part in text.split(|byte| *byte == b'/') {
        folder = matches!(part, b"" | b"." | b"..");
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => drop(parts.pop()),
            b".." if absolute => {}
            _ => parts.push(part),
        }
    }
    let mut out = if absolute { b"/".to_vec() } else { Vec::new() };
    out.extend(parts.join(&b'/'));
    if folder && !parts.is_empty() {
        out.push(b'/');
    }
    out
}

fn hex_decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.chunks_exact(2);
    if text.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?)).collect()
}

/// The entities that the developer guide lists: `&quot;`, `&nbsp;`, `&lt;`, `&gt;`, `&amp;`, and numbers.
fn html_decode(text: &[u8]) -> Vec<u8> {
    const NAMED: [(&[u8], u8); 5] = [(b"quot", b'"'), (b"nbsp", 160), (b"lt", b'<'), (b"gt", b'>'), (b"amp", b'&')];
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let end = tail.iter().take(10).position(|byte| *byte == b';').filter(|_| *first == b'&');
        let name = end.map(|end| &tail[..end]);
        let named = name.and_then(|name| NAMED.iter().find(|(known, _)| *known == name)).map(|(_, byte)| vec![*byte]);
        let numbered = name.and_then(|name| std::str::from_utf8(name.strip_prefix(b"#")?).ok()).and_then(numbered);
        if let (Some(bytes), Some(end)) = (named.or(numbered), end) {
            out.extend(bytes);
            rest = &tail[end + 1..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

fn numbered(text: &str) -> Option<Vec<u8>> {
    let code = match text.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    match u8::try_from(code) {
        Ok(byte) => Some(vec![byte]),
        Err(_) => char::from_u32(code).map(|letter| letter.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_does_what_the_guide_says() {
        for (kind, text, expected) in [
            ("NONE", "A%20", "A%20"),
            ("LOWERCASE", "AbC", "abc"),
            ("UPPERCASE", "AbC", "ABC"),
            ("URL_DECODE", "a%2Fb+c%zz", "a/b c%zz"),
            ("COMPRESS_WHITE_SPACE", "a \t\r\n b  c", "a b c"),
            ("HTML_ENTITY_DECODE", "&lt;a&gt;&#x41;&#66;&amp;lt;&no;&", "<a>AB&lt;&no;&"),
            ("BASE64_DECODE", "L2FkbWlu", "/admin"),
            ("BASE64_DECODE", "/admin?", "/admin?"),
            ("HEX_DECODE", "2f61", "/a"),
            ("REMOVE_NULLS", "a\0b", "ab"),
            ("REPLACE_NULLS", "a\0b", "a b"),
            ("REMOVE_WHITESPACE", " a b ", "ab"),
            ("TRIM", " a b ", "a b"),
            ("NORMALIZE_PATH", "//dev/./x/..//orders/", "/dev/orders/"),
            ("NORMALIZE_PATH", "/../dev", "/dev"),
            ("NORMALIZE_PATH", "../dev/..", "../"),
            ("NORMALIZE_PATH", "/", "/"),
            ("NORMALIZE_PATH", "", ""),
        ] {
            let list = [Transformation { priority: 0, kind: kind.into() }];
            let out = apply(&steps(&list).unwrap(), Cow::Borrowed(text.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&out), expected, "{kind}");
        }
    }

    #[test]
    fn steps_go_by_priority_and_unknown_ones_are_named() {
        let one = |priority: u32, kind: &str| Transformation { priority, kind: kind.into() };
        let list = [one(2, "LOWERCASE"), one(1, "BASE64_DECODE")];
        assert_eq!(steps(&list), Ok(vec![Step::Base64Decode, Step::Lowercase]));
        assert_eq!(steps(&[one(0, "JS_DECODE")]), Err("JS_DECODE"));
    }

    #[test]
    fn what_does_not_change_is_not_copied() {
        let list =
            [Step::Lowercase, Step::UrlDecode, Step::CompressWhiteSpace, Step::HtmlEntityDecode, Step::NormalizePath];
        assert!(matches!(apply(&list, Cow::Borrowed(b"/orders/42")), Cow::Borrowed(_)));
    }
}

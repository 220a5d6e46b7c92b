//! Patterns with `*`, `?` and policy variables, compiled once and matched without allocating.
//!
//! In an ARN the wildcards stay inside their segment (the parts between colons), but a `*` that ends a segment goes on
//! beyond the colon (IAM user guide, "Resource": "If a * wildcard is the last character of a resource ARN segment, it
//! can expand to match beyond the colon boundaries"). The last of the six parts is one segment, colons and slashes
//! included. An ARN with a wildcard in its service segment matches nothing: the guide forbids it.

use std::borrow::Cow;

use super::keys::Keys;

/// How a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Wildcards match everything.
    Text,
    /// As [`Reading::Text`], whatever the case of ASCII letters.
    AnyCase,
    /// A resource: segments count, and a `*` at the end of one goes beyond it.
    Resource,
    /// An ARN in a condition: each of the six parts is compared on its own (IAM user guide, "ARN condition operators").
    Parts,
    /// No wildcards at all; variables still count.
    Plain,
    /// As [`Reading::Plain`], whatever the case of ASCII letters.
    PlainAnyCase,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    source: String,
    tokens: Vec<Token>,
    any_case: bool,
    variable: bool,
    impossible: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(Vec<u8>),
    /// `?`; `true` stops at a colon.
    One(bool),
    /// `*`; `true` stops at a colon.
    Many(bool),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        key: String,
        default: Option<String>,
    },
}

impl Glob {
    /// Compiles a pattern; `variables` says whether `${…}` is a variable, as in policies of version 2012-10-17.
    pub(super) fn new(source: &str, reading: Reading, variables: bool) -> Result<Self, String> {
        // What is no ARN has no segments.
        let reading = if reading == Reading::Resource && !source.starts_with("arn:") { Reading::Text } else { reading };
        let mut compiler = Compiler { tokens: Vec::new(), literal: Vec::new(), reading, colons: 0 };
        compiler.read(source, variables)?;
        let tokens = compiler.tokens;
        Ok(Self {
            source: source.to_owned(),
            variable: tokens.iter().any(|token| matches!(token, Token::Variable { .. })),
            tokens,
            any_case: matches!(reading, Reading::AnyCase | Reading::PlainAnyCase),
            impossible: matches!(reading, Reading::Resource | Reading::Parts) && wild_service(source),
        })
    }

    /// The pattern as it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Whether a text matches. A variable without a value and without a default matches nothing.
    pub(super) fn matches(&self, text: &str, keys: &dyn Keys) -> bool {
        if self.impossible {
            return false;
        }
        if !self.variable {
            return matches(&self.tokens, text.as_bytes(), self.any_case);
        }
        self.resolved(keys).is_some_and(|tokens| matches(&tokens, text.as_bytes(), self.any_case))
    }

    /// The tokens with the values of variables in their place; what a value contains is never a wildcard.
    fn resolved(&self, keys: &dyn Keys) -> Option<Vec<Token>> {
        let value = |token: &Token| match token {
            Token::Variable { key, default } => {
                let values = keys.values(key);
                let value = match values.as_slice() {
                    // A variable stands for one value; a set of several is none.
                    [one] => Cow::Borrowed(one.as_ref()),
                    _ => Cow::Borrowed(default.as_deref()?),
                };
                Some(Token::Literal(value.as_bytes().to_vec()))
            }
            other => Some(other.clone()),
        };
        self.tokens.iter().map(value).collect()
    }
}

/// Whether the third segment of an ARN has a wildcard that is not the whole rest of the pattern.
fn wild_service(source: &str) -> bool {
    let mut parts = source.splitn(6, ':');
    if parts.next() != Some("arn") {
        return false;
    }
    let service = parts.nth(1).unwrap_or_default();
    parts.next().is_some() && service.contains(['*', '?'])
}

struct Compiler {
    tokens: Vec<Token>,
    literal: Vec<u8>,
    reading: Reading,
    colons: usize,
}

impl Compiler {
    fn read(&mut self, source: &str, variables: bool) -> Result<(), String> {
        let mut rest = source;
        while let Some(letter) = rest.chars().next() {
            if variables && let Some(inner) = rest.strip_prefix("${") {
                let end = inner.find('}').ok_or_else(|| format!("`{source}` has a variable without an end"))?;
                self.variable(&inner[..end])?;
                rest = &inner[end + 1..];
                continue;
            }
            rest = &rest[letter.len_utf8()..];
            match letter {
                '*' if self.wild() => {
                    let narrow = match self.reading {
                        Reading::Resource => self.segmented() && !(rest.is_empty() || rest.starts_with(':')),
                        Reading::Parts => self.segmented(),
                        _ => false,
                    };
                    self.push(Token::Many(narrow));
                }
                '?' if self.wild() => {
                    let narrow = self.segmented();
                    self.push(Token::One(narrow));
                }
                _ => {
                    self.colons += usize::from(letter == ':');
                    self.literal.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        self.flush();
        Ok(())
    }

    fn wild(&self) -> bool {
        !matches!(self.reading, Reading::Plain | Reading::PlainAnyCase)
    }

    /// Whether the place is in one of the first five parts of an ARN.
    fn segmented(&self) -> bool {
        matches!(self.reading, Reading::Resource | Reading::Parts) && self.colons < 5
    }

    fn variable(&mut self, inner: &str) -> Result<(), String> {
        // `${*}`, `${?}` and `${$}` are how a policy writes these signs themselves.
        if matches!(inner, "*" | "?" | "$") {
            self.literal.extend_from_slice(inner.as_bytes());
            return Ok(());
        }
        let (key, default) = match inner.split_once(',') {
            None => (inner, None),
            Some((key, default)) => {
                let text = default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
                (key, Some(text.ok_or_else(|| format!("the default of `${{{inner}}}` is not in single quotes"))?))
            }
        };
        let key = key.trim().to_ascii_lowercase();
        if key.is_empty() {
            return Err(format!("`${{{inner}}}` names no key"));
        }
        self.push(Token::Variable { key, default: default.map(str::to_owned) });
        Ok(())
    }

    fn push(&mut self, token: Token) {
        self.flush();
        // Two stars in a row are one.
        if !(matches!(token, Token::Many(_)) && self.tokens.last() == Some(&token)) {
            self.tokens.push(token);
        }
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.tokens.push(Token::Literal(std::mem::take(&mut self.literal)));
        }
    }
}

/// Where matching goes on when it fails: behind which token, and from where in the text.
type Retry = Option<(usize, usize)>;

/// Matches in time `tokens × text` at worst. A wide star makes every retry before it needless, as in any glob; a narrow
/// one does so up to its colon, and colons behind the last wide star stand one to one.
fn matches(tokens: &[Token], text: &[u8], any_case: bool) -> bool {
    let (mut at, mut from) = (0, 0);
    let (mut wide, mut narrow): (Retry, Retry) = (None, None);
    loop {
        let step = match tokens.get(at) {
            None if from == text.len() => return true,
            Some(Token::Many(false)) if at + 1 == tokens.len() => return true,
            Some(Token::Many(stops)) => {
                if *stops {
                    narrow = Some((at + 1, from));
                } else {
                    (wide, narrow) = (Some((at + 1, from)), None);
                }
                Some(from)
            }
            Some(Token::Literal(literal)) => {
                let part = text.get(from..from + literal.len());
                let same = part.is_some_and(|part| {
                    if any_case { part.eq_ignore_ascii_case(literal) } else { part == literal.as_slice() }
                });
                same.then_some(from + literal.len())
            }
            Some(Token::One(stops)) => {
                let letter = text.get(from).filter(|byte| !(is_inside(**byte) || (*stops && **byte == b':')));
                letter.map(|_| from + 1 + text[from + 1..].iter().take_while(|byte| is_inside(**byte)).count())
            }
            // Resolved before matching, so a variable never gets here; one that did would match nothing.
            None | Some(Token::Variable { .. }) => None,
        };
        if let Some(next) = step {
            (at, from) = (at + 1, next);
            continue;
        }
        if let Some((token, start)) = narrow.filter(|(_, start)| text.get(*start).is_some_and(|byte| *byte != b':')) {
            narrow = Some((token, start + 1));
            (at, from) = (token, start + 1);
        } else if let Some((token, start)) = wide.filter(|(_, start)| *start < text.len()) {
            (wide, narrow) = (Some((token, start + 1)), None);
            (at, from) = (token, start + 1);
        } else {
            return false;
        }
    }
}

/// Whether a byte continues a character of UTF-8.
const fn is_inside(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::keys::{NoKeys, Pairs};
    use super::*;

    fn glob(pattern: &str, reading: Reading) -> Glob {
        Glob::new(pattern, reading, true).unwrap()
    }

    #[test]
    fn stars_cross_slashes_and_the_colons_behind_their_segment() {
        let arn = "arn:aws:execute-api:eu-central-1:123456789012:abc/dev/GET/orders/42:pay";
        for (pattern, expected) in [
            ("*", true),
            ("arn:aws:execute-api:*", true),
            ("arn:aws:execute-api:*:*:abc/*", true),
            ("arn:aws:execute-api:eu-central-1:123456789012:abc/*/GET/*", true),
            ("arn:aws:execute-api:eu-central-1:123456789012:abc/dev/GET/*pay", true),
            ("arn:aws:execute-api:eu-central-1:123456789012:abc/???/GET/orders/4?:pay", true),
            ("arn:aws:execute-api:eu-central-1:123456789012:ABC/*", false),
            ("arn:aws:execute-api:eu*/GET/orders/42:pay", false),
            ("arn:aws:execute-api:eu-*:abc/dev/*", true),
            ("arn:aws:execute-api:eu?central-1:123456789012:abc/dev/*", true),
            ("arn:aws:execute-api:eu-central-1?123456789012:abc/dev/*", false),
            ("arn:aws:*:eu-central-1:123456789012:abc/*", false),
            ("arn:aws:execute-api:eu-central-1:123456789012:abc", false),
        ] {
            assert_eq!(glob(pattern, Reading::Resource).matches(arn, &NoKeys), expected, "{pattern}");
        }
        assert!(!glob("arn:aws:execute-api:*:abc/*", Reading::Parts).matches(arn, &NoKeys));
    }

    #[test]
    fn a_character_is_one_whatever_its_bytes() {
        assert!(glob("a?c", Reading::Text).matches("aüc", &NoKeys));
        assert!(glob("*?", Reading::Text).matches("ü", &NoKeys));
        assert!(!glob("a??c", Reading::Text).matches("aüc", &NoKeys));
    }

    #[test]
    fn variables_are_values_and_never_wildcards() {
        let keys = Pairs(vec![("aws:username", "an*a"), ("aws:two", "x"), ("aws:two", "y")]);
        let matches = |pattern: &str, text: &str| glob(pattern, Reading::Text).matches(text, &keys);
        assert!(matches("home/${aws:UserName}/*", "home/an*a/x"));
        assert!(!matches("home/${aws:username}/*", "home/anna/x"));
        assert!(matches("${aws:none, 'all'}-?", "all-1"));
        assert!(!matches("${aws:none}", ""), "no value matches nothing, not the empty text");
        assert!(matches("${aws:two,'z'}", "z"), "a set is no value");
        assert!(matches("${*}${?}${$}", "*?$") && !matches("${*}", "a"));
        let old = Glob::new("${aws:username}", Reading::Text, false).unwrap();
        assert!(old.matches("${aws:username}", &keys), "a policy of 2008 knows no variables");
        for wrong in ["${aws:x", "${aws:x, y}", "${}"] {
            assert!(Glob::new(wrong, Reading::Text, true).is_err(), "{wrong}");
        }
    }

    /// The definition, without any cleverness.
    fn slow(tokens: &[Token], text: &[u8]) -> bool {
        match tokens.split_first() {
            None => text.is_empty(),
            Some((Token::Literal(literal), rest)) => {
                text.strip_prefix(literal.as_slice()).is_some_and(|text| slow(rest, text))
            }
            Some((Token::One(stops), rest)) => {
                text.split_first().is_some_and(|(byte, text)| !(*stops && *byte == b':') && slow(rest, text))
            }
            Some((Token::Many(stops), rest)) => {
                let end = if *stops { text.iter().position(|byte| *byte == b':') } else { None }.unwrap_or(text.len());
                (0..=end).any(|skip| slow(rest, &text[skip..]))
            }
            Some((Token::Variable { .. }, _)) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn matching_is_what_its_definition_says(pattern in "[ab:/*?]{0,12}", text in "[ab:/]{0,14}") {
            for reading in [Reading::Text, Reading::Resource, Reading::Parts] {
                let glob = glob(&pattern, reading);
                prop_assert_eq!(
                    matches(&glob.tokens, text.as_bytes(), false), slow(&glob.tokens, text.as_bytes()), "{:?}", reading
                );
            }
        }
    }
}

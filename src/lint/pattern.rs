//! The resources of a policy as patterns: what one of them covers, and whether it can meet a request at all.
//!
//! `*` stands for any characters, slashes included, and `?` for one (aws-facts E).

use crate::config::Route;
use crate::config::path::{SegmentKind, parse_path};

/// What follows the API in a pattern, `STAGE/METHOD/path`; what names no stage holds for all of them.
pub(super) fn below_api(pattern: &str) -> &str {
    pattern.split_once('/').map_or("*", |(_, rest)| rest)
}

/// Whether everything that `inner` matches is matched by `outer`: a star of the inner pattern is one character that only
/// a star of the outer one takes.
pub(super) fn covers(outer: &str, inner: &str) -> bool {
    let inner: Vec<char> = inner.chars().collect();
    // Which beginnings of the inner pattern are matched by what has been read of the outer one.
    let mut matched = vec![false; inner.len() + 1];
    matched[0] = true;
    for character in outer.chars() {
        let mut next = vec![false; inner.len() + 1];
        match character {
            '*' => {
                let first = matched.iter().position(|at| *at).unwrap_or(next.len());
                next[first..].fill(true);
            }
            _ => {
                for (at, other) in inner.iter().enumerate() {
                    let same = *other == character || character == '?' && *other != '*';
                    next[at + 1] = matched[at] && same;
                }
            }
        }
        matched = next;
    }
    matched.last().copied().unwrap_or_default()
}

/// Some characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    One(char),
    Capital,
    NoSlash,
    Any,
}

impl Class {
    /// Whether a character is in both.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => one == other,
            (Self::One(one), Self::Capital) | (Self::Capital, Self::One(one)) => one.is_ascii_uppercase(),
            (Self::One(one), Self::NoSlash) | (Self::NoSlash, Self::One(one)) => one != '/',
            _ => true,
        }
    }
}

/// One character of a class, or as many as one likes.
#[derive(Debug, Clone, Copy)]
struct Token {
    class: Class,
    repeats: bool,
}

/// The requests that a route takes on a stage, in the form that policies match: `dev/GET/orders/1`.
pub(super) struct Requests(Vec<Token>);

impl Requests {
    /// Those of a route, with any method.
    pub(super) fn of(stage: &str, route: &Route) -> Self {
        let mut tokens = Vec::new();
        push_text(&mut tokens, stage);
        push_text(&mut tokens, "/");
        push_some(&mut tokens, Class::Capital);
        let segments = parse_path(&route.path).unwrap_or_default();
        for segment in &segments {
            push_text(&mut tokens, "/");
            match segment.kind {
                SegmentKind::Literal => push_text(&mut tokens, segment.text),
                SegmentKind::Parameter(_) => push_some(&mut tokens, Class::NoSlash),
                SegmentKind::Greedy(_) => push_some(&mut tokens, Class::Any),
            }
        }
        if segments.is_empty() {
            push_text(&mut tokens, "/");
        }
        Self(tokens)
    }

    /// Whether a pattern matches one of them.
    pub(super) fn meet(&self, pattern: &str) -> bool {
        let pattern: Vec<Token> = pattern
            .chars()
            .map(|character| match character {
                '*' => Token { class: Class::Any, repeats: true },
                '?' => Token { class: Class::Any, repeats: false },
                other => Token { class: Class::One(other), repeats: false },
            })
            .collect();
        meet(&pattern, &self.0)
    }
}

fn push_text(tokens: &mut Vec<Token>, text: &str) {
    tokens.extend(text.chars().map(|character| Token { class: Class::One(character), repeats: false }));
}

/// At least one character of the class.
fn push_some(tokens: &mut Vec<Token>, class: Class) {
    tokens.extend([Token { class, repeats: false }, Token { class, repeats: true }]);
}

/// Whether a text is in both languages: a walk over the pairs of places.
fn meet(one: &[Token], other: &[Token]) -> bool {
    let width = other.len() + 1;
    let mut seen = vec![false; (one.len() + 1) * width];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if i == one.len() && j == other.len() {
            return true;
        }
        if std::mem::replace(&mut seen[i * width + j], true) {
            continue;
        }
        let (a, b) = (one.get(i), other.get(j));
        if a.is_some_and(|token| token.repeats) {
            open.push((i + 1, j));
        }
        if b.is_some_and(|token| token.repeats) {
            open.push((i, j + 1));
        }
        if let (Some(a), Some(b)) = (a, b)
            && a.class.meets(b.class)
        {
            open.push((if a.repeats { i } else { i + 1 }, if b.repeats { j } else { j + 1 }));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, Span};

    #[test]
    fn a_pattern_covers_what_it_matches_whatever_the_other_stands_for() {
        for (outer, inner, expected) in [
            ("*/*/actuator/*", "*/*/actuator/*", true),
            ("*", "dev/GET/x", true),
            ("*/x*", "*/*/x/*", true),
            ("*/*/x", "*/*/x/*", false),
            ("dev/*/x", "*/*/x", false),
            ("*/?/x", "*/*/x", false),
            ("de?/GET/x", "dev/GET/x", true),
            ("dev/GET/x", "dev/GET/x/", false),
            ("", "", true),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} over {inner}");
        }
    }

    #[test]
    fn a_pattern_meets_the_requests_of_a_route_or_none() {
        let route = |path: &str| {
            let span = Span::new(&SourceFile::new("x.json", "x"), 0..1);
            let (kind, values) = ("normal_path".to_owned(), std::collections::BTreeMap::new());
            let (path_span, target, target_span, allow) = (span.clone(), None, None, Vec::new());
            Route { kind, path: path.to_owned(), path_span, target, target_span, values, allow, span }
        };
        for (pattern, path, expected) in [
            ("*/*/actuator", "/order/{proxy+}", true),
            ("*/*/order", "/order/{proxy+}", true),
            ("dev/GET/order", "/order/{proxy+}", false),
            ("*/order/*", "/order/{proxy+}", true),
            ("order/*", "/order/{proxy+}", false),
            ("dev/get/order/*", "/order/{proxy+}", false),
            ("dev/GET/orders/*/x", "/orders/{id}/x", true),
            ("dev/GET/orders/*/x/y", "/orders/{id}/x", false),
            ("dev/GET/orders/a/b", "/orders/{id}", false),
            ("dev/*/", "/", true),
            ("prod/*/order/*", "/order/{proxy+}", false),
        ] {
            assert_eq!(Requests::of("dev", &route(path)).meet(pattern), expected, "{pattern} and {path}");
        }
    }
}

//! The grammar of a route's path, as API Gateway has it.
//!
//! A path is a list of parts; a part is either text or one parameter in braces, never both; a greedy parameter,
//! `{proxy+}`, takes all that follows and so stands last.

use std::ops::Range;

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The part as written: `orders`, `{id}`, `{proxy+}`.
    pub text: &'a str,
    /// Its place in the path, in bytes.
    pub range: Range<usize>,
    /// What it is.
    pub kind: SegmentKind<'a>,
}

/// What a part of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind<'a> {
    /// Text that must be there as it is.
    Literal,
    /// `{id}`: any one part; its name.
    Parameter(&'a str),
    /// `{proxy+}`: everything that follows; its name.
    Greedy(&'a str),
}

impl<'a> Segment<'a> {
    /// The name of the parameter, if it is one.
    #[must_use]
    pub fn parameter(&self) -> Option<&'a str> {
        match self.kind {
            SegmentKind::Literal => None,
            SegmentKind::Parameter(name) | SegmentKind::Greedy(name) => Some(name),
        }
    }
}

/// What is wrong with a path, and in which of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFault {
    /// The bytes that are wrong.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Splits a path into its parts; `/` has none.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of the path.
pub fn parse_path(path: &str) -> Result<Vec<Segment<'_>>, Vec<PathFault>> {
    let mut faults = Vec::new();
    if let Some(at) = path.find(['?', '#']) {
        faults.push(PathFault {
            range: at..path.len(),
            message: format!("the path `{path}` has a query string or fragment"),
            hint: format!("write `{}`; API Gateway passes the query string on by itself", &path[..at]),
        });
        return Err(faults);
    }
    if !path.starts_with('/') {
        faults.push(PathFault {
            range: 0..path.len(),
            message: format!("the path `{path}` has no leading slash"),
            hint: format!("write `/{path}`"),
        });
    }
    let rest = path.strip_prefix('/').unwrap_or(path);
    if rest.is_empty() {
        return if faults.is_empty() { Ok(Vec::new()) } else { Err(faults) };
    }
    let mut at = path.len() - rest.len();
    let mut segments = Vec::new();
    for text in rest.split('/') {
        let range = at..at + text.len();
        at = range.end + 1;
        if text.is_empty() {
            faults.push(empty_part(path, &range));
            continue;
        }
        match segment_kind(text) {
            Ok(kind) => segments.push(Segment { text, range, kind }),
            Err((message, hint)) => faults.push(PathFault { range, message, hint }),
        }
    }
    check_parameters(path, &segments, &mut faults);
    faults.dedup_by(|b, a| a.message == b.message);
    if faults.is_empty() { Ok(segments) } else { Err(faults) }
}

fn empty_part(path: &str, range: &Range<usize>) -> PathFault {
    let tidy: String = path.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect();
    let hint = format!("write `{}`", if tidy.is_empty() { "/" } else { &tidy });
    let (range, what) = if range.end >= path.len() {
        (path.len() - 1..path.len(), "ends in a slash")
    } else {
        (range.start.saturating_sub(1)..range.end + 1, "has an empty part")
    };
    PathFault { range, message: format!("the path `{path}` {what}"), hint }
}

fn segment_kind(text: &str) -> Result<SegmentKind<'_>, (String, String)> {
    if text.contains(['{', '}']) {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let (name, greedy) = match inner {
            Some(inner) => inner.strip_suffix('+').map_or((inner, false), |name| (name, true)),
            None => ("", false),
        };
        if !name.is_empty() && name.chars().all(literal_character) {
            return Ok(if greedy { SegmentKind::Greedy(name) } else { SegmentKind::Parameter(name) });
        }
        let message = format!("`{text}` is no path parameter");
        return Err((
            message,
            "a parameter is a whole path part: `{id}`, or `{proxy+}` for all that follows".to_owned(),
        ));
    }
    match text.chars().find(|&character| !literal_character(character)) {
        None => Ok(SegmentKind::Literal),
        Some('*') => {
            let message = format!("`{text}` is no wildcard to API Gateway");
            Err((message, "write `{id}` for one part, or `{proxy+}` for all that follows".to_owned()))
        }
        Some(character) => {
            let message = format!("API Gateway refuses {character:?} in a path part");
            Err((message, "letters, digits and `.` `_` `-` `:` are allowed".to_owned()))
        }
    }
}

/// "Resource's path part only allow a-zA-Z0-9._-:" is what API Gateway answers to others. Its important notes allow commas
/// besides; what is certain to be taken is what both agree on.
fn literal_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-' | ':')
}

fn check_parameters(path: &str, segments: &[Segment<'_>], faults: &mut Vec<PathFault>) {
    for (index, segment) in segments.iter().enumerate() {
        let Some(name) = segment.parameter() else { continue };
        if matches!(segment.kind, SegmentKind::Greedy(_)) && segment.range.end < path.len() {
            faults.push(PathFault {
                range: segment.range.clone(),
                message: format!("`{}` is not the last part of `{path}`", segment.text),
                hint: format!("end the path with it: `{}`", &path[..segment.range.end]),
            });
        }
        if segments[..index].iter().any(|earlier| earlier.parameter() == Some(name)) {
            faults.push(PathFault {
                range: segment.range.clone(),
                message: format!("the path `{path}` has two parameters `{name}`"),
                hint: "give them different names".to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_fault(path: &str) -> PathFault {
        parse_path(path).expect_err(path).remove(0)
    }

    #[test]
    fn a_path_falls_into_its_parts() {
        let parts = parse_path("/orders/{id}/{proxy+}").expect("a good path");
        let kinds: Vec<SegmentKind<'_>> = parts.iter().map(|part| part.kind).collect();
        assert_eq!(kinds, [SegmentKind::Literal, SegmentKind::Parameter("id"), SegmentKind::Greedy("proxy")]);
        assert_eq!(parts[1].range, 8..12);
        assert_eq!(parse_path("/"), Ok(Vec::new()));
        assert!(parse_path("/v1.2/events:batch/a_b-c").is_ok());
    }

    #[test]
    fn every_fault_names_its_bytes_and_the_way_out() {
        let cases = [
            ("orders/x", 0..8, "no leading slash", "write `/orders/x`"),
            ("/orders/", 7..8, "ends in a slash", "write `/orders`"),
            ("/a//b", 2..4, "has an empty part", "write `/a/b`"),
            ("//", 0..2, "has an empty part", "write `/`"),
            ("/{proxy+}/x", 1..9, "not the last part", "`/{proxy+}`"),
            ("/a/{id}/b/{id}", 10..14, "two parameters `id`", "different names"),
            ("/a/{id", 3..6, "no path parameter", "whole path part"),
            ("/a/{}", 3..5, "no path parameter", "whole path part"),
            ("/a/{id}.html", 3..12, "no path parameter", "whole path part"),
            ("/a/{+}", 3..6, "no path parameter", "whole path part"),
            ("/a/*", 3..4, "no wildcard", "{proxy+}"),
            ("/a/b c", 3..6, "refuses ' '", "letters"),
            ("/网关", 1..7, "refuses '网'", "letters"),
            ("/a?b=c", 2..6, "query string", "write `/a`"),
        ];
        for (path, range, message, hint) in cases {
            let fault = first_fault(path);
            assert_eq!(fault.range, range, "{path}");
            assert!(fault.message.contains(message), "{path}: {}", fault.message);
            assert!(fault.hint.contains(hint), "{path}: {}", fault.hint);
        }
    }

    #[test]
    fn all_faults_of_a_path_come_at_once() {
        assert_eq!(parse_path("a b/{x+}/{x}/").expect_err("a bad path").len(), 5);
    }
}

//! Lints of two routes that match the same request: who gets it, and who was meant to.
//!
//! API Gateway decides at each part of the path: text goes before `{x}`, `{x}` before `{x+}`, and it falls back where a
//! branch leads nowhere (the sandbox's `execute_api::route` has the sources). So of two paths that match one request, the first
//! part in which they differ decides. Every template is taken to answer every method.

use super::catalogue::{PROTECTED_IN_OPEN, SHADOWED_ROUTE};
use super::{Access, Findings, Subject};
use crate::config::Route;
use crate::config::path::{Segment, SegmentKind, parse_path};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let routes: Vec<(&Route, Vec<Segment<'_>>, Access)> = subject
        .gateway
        .routes
        .iter()
        .filter_map(|route| Some((route, parse_path(&route.path).ok()?, subject.access(route))))
        .collect();
    for (index, (one, one_path, one_access)) in routes.iter().enumerate() {
        for (other, other_path, other_access) in &routes[index + 1..] {
            if one_access == other_access {
                continue;
            }
            match overlap(one_path, other_path) {
                Some(Overlap::Inside) => inside(one, (*other, *other_access), findings),
                Some(Overlap::Around) => inside(other, (*one, *one_access), findings),
                Some(Overlap::Wins(request)) => shadowed(one, other, &request, findings),
                Some(Overlap::Loses(request)) => shadowed(other, one, &request, findings),
                None => {}
            }
        }
    }
}

fn inside(inner: &Route, (outer, access): (&Route, Access), findings: &mut Findings) {
    // A path that is open below one with authentication is what open paths are for. What stands for all services
    // goes to the default host.
    let same_service = inner.target.is_none() && outer.target.is_none() && !outer.path.starts_with("/{");
    if access != Access::Open || !same_service {
        return;
    }
    let lint = &PROTECTED_IN_OPEN;
    let message = format!("`{}` asks the authorizer, and `{}` around it is open to everybody", inner.path, outer.path);
    let found = findings.add_for(lint, &[inner, outer], &inner.path_span, message, lint.remedy.to_owned());
    if let Some(fault) = found {
        fault.relate(&outer.path_span, "open around it");
    }
}

fn shadowed(winner: &Route, loser: &Route, request: &str, findings: &mut Findings) {
    let message = format!(
        "requests such as `{request}` go to `{}` (`{}`) and not to `{}` (`{}`)",
        winner.path, winner.kind, loser.path, loser.kind
    );
    let hint = format!("give both the same type, or list `{request}` as a route of its own");
    let found = findings.add_for(&SHADOWED_ROUTE, &[winner, loser], &loser.path_span, message, hint);
    if let Some(fault) = found {
        fault.relate(&winner.path_span, "takes them");
    }
}

/// How two paths that match a common request stand to each other.
#[derive(Debug, PartialEq, Eq)]
enum Overlap {
    /// All requests of the first are requests of the second.
    Inside,
    /// All requests of the second are requests of the first.
    Around,
    /// Each has requests of its own, and the first gets this common one.
    Wins(String),
    /// Each has requests of its own, and the second gets this common one.
    Loses(String),
}

fn overlap(one: &[Segment<'_>], other: &[Segment<'_>]) -> Option<Overlap> {
    // Who was the narrower one, part by part.
    let mut narrower = Vec::new();
    let mut request = String::new();
    let mut at = 0;
    loop {
        let (a, b) = match (one.get(at), other.get(at)) {
            (None, None) => break,
            (Some(a), Some(b)) => (a, b),
            // A greedy parameter takes one part at least, and has been met before.
            _ => return None,
        };
        at += 1;
        let (rank_a, rank_b) = (rank(a), rank(b));
        if rank_a == 0 && rank_b == 0 && a.text != b.text {
            return None;
        }
        narrower.extend((rank_a != rank_b).then_some(rank_a < rank_b));
        if rank_a.max(rank_b) == GREEDY {
            // The rest of the other path is the common request's.
            let rest = if rank_a == GREEDY { &other[at - 1..] } else { &one[at - 1..] };
            for segment in rest {
                push(&mut request, segment);
            }
            break;
        }
        push(&mut request, if rank_a == 0 { a } else { b });
    }
    match narrower.first()? {
        true if narrower.iter().all(|first| *first) => Some(Overlap::Inside),
        false if narrower.iter().all(|first| !*first) => Some(Overlap::Around),
        true => Some(Overlap::Wins(request)),
        false => Some(Overlap::Loses(request)),
    }
}

const GREEDY: u8 = 2;

/// Text goes first.
fn rank(segment: &Segment<'_>) -> u8 {
    match segment.kind {
        SegmentKind::Literal => 0,
        SegmentKind::Parameter(_) => 1,
        SegmentKind::Greedy(_) => GREEDY,
    }
}

fn push(request: &mut String, segment: &Segment<'_>) {
    request.push('/');
    request.push_str(segment.parameter().unwrap_or(segment.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_paths_are_apart_or_inside_or_cross() {
        let cross = |request: &str| request.to_owned();
        for (one, other, expected) in [
            ("/a/b", "/a/c", None),
            ("/a", "/a/b", None),
            ("/a", "/a/{x+}", None),
            ("/a/{x+}", "/b/{x+}", None),
            ("/a/b/c", "/a/{x+}", Some(Overlap::Inside)),
            ("/{x+}", "/a/{y}", Some(Overlap::Around)),
            ("/a/{id}/x", "/a/{id}/{y}", Some(Overlap::Inside)),
            ("/a/{id}/x", "/a/b/{y+}", Some(Overlap::Loses(cross("/a/b/x")))),
            ("/a/b/{y+}", "/a/{id}/x", Some(Overlap::Wins(cross("/a/b/x")))),
            ("/a/{id}/x/z", "/a/b/{y+}", Some(Overlap::Loses(cross("/a/b/x/z")))),
            ("/a/b/{y}", "/a/{id}/c", Some(Overlap::Wins(cross("/a/b/c")))),
        ] {
            assert_eq!(overlap(&parse_path(one).unwrap(), &parse_path(other).unwrap()), expected, "{one} and {other}");
        }
    }
}

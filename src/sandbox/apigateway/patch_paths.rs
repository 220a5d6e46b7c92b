//! The paths that the patches of an entity may name, and what is said of others.
//!
//! The words are recorded for models, request validators, documentation parts and API keys; their two blanks are the
//! service's own.

use super::errors::{Answer, bad_request};
use super::patch::Patch;

/// For each operation the paths it may have, in the order that messages name them. `<…>` stands for one segment or more.
pub(super) type Paths = [(&'static str, &'static [&'static str])];

/// Refuses an operation or a path that the entity does not have.
pub(super) fn check(patch: &Patch, paths: &Paths) -> Answer<()> {
    let fault = match paths.iter().find(|(op, _)| *op == patch.op) {
        None => "Please choose supported operations".to_owned(),
        Some((_, allowed)) if allowed.iter().any(|pattern| fits(pattern, &patch.path)) => return Ok(()),
        Some((_, allowed)) => format!("Must be one of: [{}]", allowed.join(", ")),
    };
    Err(bad_request(format!("Invalid patch path  '{}' specified for op '{}'. {fault}", patch.path, patch.op)))
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut literals = pattern.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, after)| after));
    let (Some(first), Some(last)) = (literals.next(), literals.next_back()) else { return pattern == path };
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    // The first place that fits is as good as any later one, so that a long path takes no longer than its length.
    for literal in literals {
        match after_one(rest).and_then(|rest| rest.split_once(literal)) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    after_one(rest).is_some_and(|rest| rest.ends_with(last))
}

/// What follows the first character.
fn after_one(text: &str) -> Option<&str> {
    let mut letters = text.chars();
    letters.next().map(|_| letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_read_once() {
        // Trying every place for every blank would take a path of this length for hours.
        let pattern = "/apiStages/<id>/throttle/<path>/<method>/rateLimit";
        let long = format!("/apiStages/{}", "a/throttle/".repeat(20_000));
        assert!(!fits(pattern, &long));
        assert!(fits(pattern, &format!("{long}x/GET/rateLimit")));
        assert!(!fits(pattern, "/apiStages/a/throttle/x/rateLimit"));
        assert!(!fits("/a/<b>", "/a/"));
    }

    #[test]
    fn operations_and_paths_are_told_apart() {
        let paths: &Paths = &[("replace", &["/name", "/stages/<id>/throttle"]), ("remove", &["/name"])];
        let patch = |op: &str, path: &str| Patch { op: op.into(), path: path.into(), ..Patch::default() };
        for (op, path) in [("replace", "/name"), ("remove", "/name"), ("replace", "/stages/a:b/throttle")] {
            assert!(check(&patch(op, path), paths).is_ok(), "{op} {path}");
        }
        let words = |op: &str, path: &str| check(&patch(op, path), paths).expect_err("refused").message;
        assert_eq!(
            words("add", "/name"),
            "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations"
        );
        let listed = "Must be one of: [/name, /stages/<id>/throttle]";
        for path in ["/id", "/stages//throttle", "/stages/a:b/throttle/x"] {
            assert_eq!(
                words("replace", path),
                format!("Invalid patch path  '{path}' specified for op 'replace'. {listed}")
            );
        }
    }
}

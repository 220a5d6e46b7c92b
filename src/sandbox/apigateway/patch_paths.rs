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
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == path };
    let Some((_, after)) = rest.split_once('>') else { return pattern == path };
    let Some(path) = path.strip_prefix(before) else { return false };
    let ends = path.char_indices().map(|(at, _)| at).chain([path.len()]).skip(1);
    ends.into_iter().any(|end| fits(after, &path[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

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

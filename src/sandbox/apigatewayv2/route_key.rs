//! Route keys: `$default`, or a method and a path such as `GET /pets/{id}`.

use super::errors::{Answer, bad_request, conflict};

/// The key of the route that takes what no other does.
pub(super) const DEFAULT: &str = "$default";

/// The methods of routes and integrations.
pub(super) const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Refuses what is no route key of an HTTP API. The words are a guess.
pub(super) fn check(key: &str) -> Answer<()> {
    let valid = key == DEFAULT || split(key).is_some_and(|(method, path)| METHODS.contains(&method) && is_path(path));
    if valid && key.len() <= 1024 {
        return Ok(());
    }
    Err(bad_request(format!("The provided route key \"{key}\" is not formatted properly for HTTP protocol")))
}

/// Refuses a key that another route has, or whose path has another variable where a route of the same method has one. The
/// words about variables are reported, those about equal keys are not.
pub(super) fn check_against<'r>(key: &str, others: impl Iterator<Item = &'r str>) -> Answer<()> {
    for other in others {
        if other == key {
            return Err(conflict(format!("Route with key {key} already exists for this API")));
        }
        if variables_differ(key, other) {
            return Err(conflict(format!(
                "The provided route key \"{key}\" has a conflicting variable on the same hierarchical level as \"{other}\""
            )));
        }
    }
    Ok(())
}

/// The method and the path of a key that is not `$default`.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    key.split_once(' ')
}

fn is_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    if rest.is_empty() {
        return true;
    }
    let segments: Vec<&str> = rest.split('/').collect();
    let last = segments.len() - 1;
    let names: Vec<&str> = segments.iter().filter_map(|segment| variable(segment)).collect();
    let distinct = names.iter().enumerate().all(|(at, name)| !names[..at].contains(name));
    let valid = segments.iter().enumerate().all(|(at, segment)| match variable(segment) {
        Some(name) => {
            let plain = name.strip_suffix('+');
            // A greedy variable is the last one.
            (plain.is_none() || at == last) && is_name(plain.unwrap_or(name))
        }
        None => is_literal(segment) && (!segment.is_empty() || at == last),
    });
    valid && distinct
}

/// The name of a segment that is a variable, with its `+`.
fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_literal(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte))
}

/// Whether two paths of one method are the same up to a place where they have different variables. Greedy ones may stand
/// beside others.
fn variables_differ(one: &str, other: &str) -> bool {
    let (Some((method, one)), Some((other_method, other))) = (split(one), split(other)) else { return false };
    if method != other_method {
        return false;
    }
    for (one, other) in one.split('/').zip(other.split('/')) {
        match (variable(one), variable(other)) {
            (Some(one), Some(other)) if one.ends_with('+') || other.ends_with('+') => return false,
            (Some(one), Some(other)) if one != other => return true,
            _ if one != other => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_default_or_a_method_and_a_path() {
        for key in ["$default", "GET /", "ANY /{proxy+}", "POST /pets/{petId}/toys", "GET /a/", "PUT /%7Ex/~y/(z)"] {
            assert!(check(key).is_ok(), "{key}");
        }
        for key in [
            "",
            "$connect",
            "GET",
            "GET pets",
            "get /pets",
            "GET  /pets",
            "TRACE /pets",
            "GET /a//b",
            "GET /{proxy+}/a",
            "GET /{}",
            "GET /{id",
            "GET /a{id}",
            "GET /{id}/{id}",
            "GET /a?b=c",
            "GET /a b",
        ] {
            assert_eq!(check(key).unwrap_err().code, "BadRequestException", "{key}");
        }
    }

    #[test]
    fn variables_of_one_level_have_one_name() {
        let against = |key: &str, other: &str| check_against(key, [other].into_iter()).map_err(|fault| fault.message);
        for (key, other, conflicts) in [
            ("GET /a/{id}", "GET /a/{id}", true),
            ("GET /a/{id}", "GET /a/{name}", true),
            ("GET /a/{id}/x", "GET /a/{name}/y", true),
            ("GET /a/{id}", "POST /a/{name}", false),
            ("GET /a/{id}", "GET /b/{name}", false),
            ("GET /a/{id}", "GET /a/{rest+}", false),
            ("GET /a/{id}", "GET /a/b", false),
            ("$default", "GET /a/{id}", false),
        ] {
            assert_eq!(against(key, other).is_err(), conflicts, "{key} and {other}");
        }
        assert!(against("GET /a/{id}/x", "GET /a/{name}").unwrap_err().contains("conflicting variable"));
    }
}

//! Which route serves a request.
//!
//! "API Gateway selects the route with the most-specific match, using the following priority: full match for a route and
//! method; match for a route and method with a greedy path variable (`{proxy+}`); the `$default` route. If no routes match a
//! request, API Gateway returns `{"message":"Not Found"}`" (API Gateway Developer Guide, "Create routes for HTTP APIs"). Of
//! two full matches the one is more specific that has a literal where the other first has a variable, as the guide's example
//! shows; that the method goes before `ANY` only where the paths are equally specific is a guess. Another guess: slashes
//! count, at the end too, and a greedy variable is never empty.

use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

/// The key of the route that takes what no other does.
const DEFAULT: &str = "$default";

/// What a route key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `$default`.
    Default,
    /// A method, or `ANY`, and a path.
    Path(String, Vec<Segment>),
}

/// A segment of a route's path. They are ordered by how specific they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

/// The parameters of a path, decoded: "API Gateway decodes URL-encoded request parameters before passing them to your backend
/// integration" (as above).
pub(super) type Parameters = Vec<(String, String)>;

impl Pattern {
    pub(super) fn parse(key: &str) -> Option<Self> {
        if key == DEFAULT {
            return Some(Self::Default);
        }
        let (method, path) = key.split_once(' ')?;
        let segments = path.strip_prefix('/')?.split('/').map(Segment::parse);
        Some(Self::Path(method.to_owned(), segments.collect()))
    }

    /// The parameters, if a request is one of this pattern.
    fn matches(&self, method: &str, path: &[String]) -> Option<Parameters> {
        let Self::Path(own, segments) = self else { return Some(Parameters::new()) };
        if own != "ANY" && own != method {
            return None;
        }
        let mut parameters = Parameters::new();
        let mut rest = path;
        for segment in segments {
            let (first, deeper) = rest.split_first()?;
            match segment {
                Segment::Literal(text) if text == first => {}
                Segment::Literal(_) => return None,
                Segment::Variable(_) if first.is_empty() => return None,
                Segment::Variable(name) => parameters.push((name.clone(), first.clone())),
                Segment::Greedy(_) if first.is_empty() && deeper.is_empty() => return None,
                Segment::Greedy(name) => {
                    parameters.push((name.clone(), rest.join("/")));
                    return Some(parameters);
                }
            }
            rest = deeper;
        }
        rest.is_empty().then_some(parameters)
    }

    /// The more specific of two patterns that match the same request is the greater one.
    fn specificity(&self, other: &Self) -> Ordering {
        let (Self::Path(method, one), Self::Path(_, two)) = (self, other) else {
            return matches!(other, Self::Default).cmp(&matches!(self, Self::Default));
        };
        let greedy = |segments: &[Segment]| matches!(segments.last(), Some(Segment::Greedy(_)));
        greedy(two)
            .cmp(&greedy(one))
            .then_with(|| {
                let pairs = one.iter().zip(two).map(|(one, two)| two.rank().cmp(&one.rank()));
                pairs.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            })
            .then_with(|| (method != "ANY").cmp(&!matches!(other, Self::Path(method, _) if method == "ANY")))
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None => Self::Literal(decoded(text)),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Variable(name.to_owned()),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Variable(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

/// The route that serves a request, and the parameters of its path. `path` is as it was sent.
pub(super) fn find<'r, T>(
    routes: &'r [T],
    pattern: impl Fn(&'r T) -> &'r Pattern,
    method: &str,
    path: &str,
) -> Option<(&'r T, Parameters)> {
    let segments: Vec<String> = path.strip_prefix('/').unwrap_or(path).split('/').map(decoded).collect();
    let matching = routes.iter().filter_map(|route| Some((route, pattern(route).matches(method, &segments)?)));
    matching.max_by(|(one, _), (two, _)| pattern(one).specificity(pattern(two)))
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(keys: &[&str], method: &str, path: &str) -> Option<(String, Parameters)> {
        let routes: Vec<(String, Pattern)> =
            keys.iter().map(|key| ((*key).to_owned(), Pattern::parse(key).unwrap())).collect();
        let found = find(&routes, |route| &route.1, method, path);
        found.map(|((key, _), parameters)| (key.clone(), parameters))
    }

    fn key(keys: &[&str], method: &str, path: &str) -> Option<String> {
        let (forwards, _) = served(keys, method, path)?;
        let backwards: Vec<&str> = keys.iter().rev().copied().collect();
        assert_eq!(served(&backwards, method, path).unwrap().0, forwards, "whatever order routes were made in");
        Some(forwards)
    }

    /// The developer guide's own table.
    #[test]
    fn the_most_specific_route_serves() {
        let keys = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"];
        for (method, path, expected) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1"),
            ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
            ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
            ("POST", "/test/5", "ANY /{proxy+}"),
            ("GET", "/", "$default"),
        ] {
            assert_eq!(key(&keys, method, path).as_deref(), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn full_matches_go_before_greedy_ones_and_methods_before_any() {
        let keys = ["GET /a/{p+}", "ANY /{x}/b", "ANY /m", "POST /m", "GET /{y}"];
        assert_eq!(key(&keys, "GET", "/a/b").unwrap(), "ANY /{x}/b");
        assert_eq!(key(&keys, "GET", "/a/c").unwrap(), "GET /a/{p+}");
        assert_eq!(key(&keys, "POST", "/m").unwrap(), "POST /m");
        assert_eq!(key(&keys, "PUT", "/m").unwrap(), "ANY /m");
        assert_eq!(key(&keys, "GET", "/m").unwrap(), "ANY /m");
        assert_eq!(key(&keys, "PUT", "/a/c"), None, "no route of the method, and no default");
    }

    #[test]
    fn parameters_are_decoded_and_slashes_count() {
        let keys = ["GET /pets/{id}", "GET /g/{rest+}"];
        assert_eq!(served(&keys, "GET", "/pets/a%20b").unwrap().1, [("id".to_owned(), "a b".to_owned())]);
        assert_eq!(served(&keys, "GET", "/g/x/y%2Fz/").unwrap().1, [("rest".to_owned(), "x/y/z/".to_owned())]);
        for path in ["/pets", "/pets/", "/pets/1/", "//pets/1", "/g/", "/g", "/PETS/1"] {
            assert_eq!(served(&keys, "GET", path), None, "{path}");
        }
    }
}

//! Which method of which resource serves a request.
//!
//! API Gateway decides on the pair of resource and method: at each level a literal segment goes before a parameter, a
//! parameter before a greedy one, and a resource that lacks the method is passed over as if it were not there. Documented
//! is the precedence ("a method request against a specific resource takes precedence over a method request against a
//! generic resource at the same level"); that it falls back was measured on the real service and reported in
//! ministackorg/ministack#1423 and floci-io/floci#3399. A trailing slash and doubled leading slashes don't count (recorded,
//! aws-facts E). Not known is what the service makes of empty segments inside a path (here: no literal and no parameter
//! matches one) and of escapes (here: `%6F` matches `o`).

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

/// A tree of paths; `T` is what stands at a method of a resource.
#[derive(Debug)]
pub(super) struct Routes<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    /// The methods here, by HTTP method or `ANY`.
    methods: HashMap<String, T>,
    literals: HashMap<String, Node<T>>,
    parameter: Option<(String, Box<Node<T>>)>,
    greedy: Option<(String, Box<Node<T>>)>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { methods: HashMap::new(), literals: HashMap::new(), parameter: None, greedy: None }
    }
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

/// A method that serves a request, and the parameters of its path as sent, percent-encoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'r, T> {
    pub(super) method: &'r T,
    pub(super) parameters: Vec<(&'r str, String)>,
}

impl<T> Routes<T> {
    /// Adds a method of a resource: `GET`, … or `ANY`.
    pub(super) fn add(&mut self, path: &str, method: &str, entry: T) {
        let mut node = &mut self.root;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            node = match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                None => node.literals.entry(segment.to_owned()).or_default(),
                Some(name) => {
                    let (place, name) = match name.strip_suffix('+') {
                        Some(name) => (&mut node.greedy, name),
                        None => (&mut node.parameter, name),
                    };
                    &mut place.get_or_insert_with(|| (name.to_owned(), Box::default())).1
                }
            };
        }
        node.methods.insert(method.to_owned(), entry);
    }

    /// The method for a request, if there is one.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Found<'_, T>> {
        let path = path.trim_start_matches('/');
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        let mut parameters = Vec::new();
        let method = self.root.find(method, &segments, &mut parameters)?;
        Some(Found { method, parameters })
    }
}

impl<T> Node<T> {
    fn find<'r>(&'r self, method: &str, rest: &[&str], parameters: &mut Vec<(&'r str, String)>) -> Option<&'r T> {
        let Some((segment, deeper)) = rest.split_first() else {
            return self.methods.get(method).or_else(|| self.methods.get("ANY"));
        };
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        if let Some(found) = self.literals.get(decoded.as_ref()).and_then(|node| node.find(method, deeper, parameters))
        {
            return Some(found);
        }
        if let Some((name, node)) = self.parameter.as_ref().filter(|_| !segment.is_empty()) {
            let before = parameters.len();
            parameters.push((name, (*segment).to_owned()));
            if let Some(found) = node.find(method, deeper, parameters) {
                return Some(found);
            }
            parameters.truncate(before);
        }
        let (name, node) = self.greedy.as_ref()?;
        let found = node.find(method, &[], parameters)?;
        parameters.push((name, rest.join("/")));
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(table: &[(&str, &str)]) -> Routes<String> {
        let mut routes = Routes::default();
        for (method, path) in table {
            routes.add(path, method, (*path).to_owned());
        }
        routes
    }

    fn served(routes: &Routes<String>, method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let found = routes.find(method, path)?;
        let parameters = found.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Some((found.method.clone(), parameters))
    }

    /// The table measured in floci-io/floci#3399.
    #[test]
    fn a_resource_without_the_method_is_passed_over() {
        let routes = routes(&[
            ("GET", "/users/{userId}"),
            ("PATCH", "/users/me"),
            ("POST", "/roles/provision"),
            ("GET", "/roles/{roleId}"),
            ("GET", "/things/real"),
            ("ANY", "/things/{proxy+}"),
        ]);
        for (method, path, expected) in [
            ("GET", "/users/me", Some("/users/{userId}")),
            ("PATCH", "/users/me", Some("/users/me")),
            ("GET", "/users/abc123", Some("/users/{userId}")),
            ("POST", "/users/me", None),
            ("POST", "/roles/provision", Some("/roles/provision")),
            ("GET", "/roles/provision", Some("/roles/{roleId}")),
            ("GET", "/things/real", Some("/things/real")),
            ("POST", "/things/real", Some("/things/{proxy+}")),
        ] {
            let served = served(&routes, method, path).map(|(path, _)| path);
            assert_eq!(served.as_deref(), expected, "{method} {path}");
        }
    }

    /// The tree measured in ministackorg/ministack#1423.
    #[test]
    fn a_greedy_resource_above_serves_what_nothing_below_does() {
        let routes = routes(&[("ANY", "/{proxy+}"), ("GET", "/jobs/{operation_type}"), ("OPTIONS", "/cors_only")]);
        for (method, path, expected, proxy) in [
            ("GET", "/jobs/reboot", "/jobs/{operation_type}", None),
            ("GET", "/jobs", "/{proxy+}", Some("jobs")),
            ("POST", "/jobs/reboot", "/{proxy+}", Some("jobs/reboot")),
            ("GET", "/cors_only", "/{proxy+}", Some("cors_only")),
        ] {
            let (path_served, parameters) = served(&routes, method, path).unwrap();
            assert_eq!(path_served, expected, "{method} {path}");
            if let Some(proxy) = proxy {
                assert_eq!(parameters, [("proxy".to_owned(), proxy.to_owned())]);
            }
        }
        assert!(served(&routes, "GET", "/").is_none(), "a greedy parameter is never empty");
    }

    #[test]
    fn slashes_at_the_ends_do_not_count_and_those_inside_do() {
        let routes = routes(&[("GET", "/"), ("GET", "/a/{b}"), ("GET", "/g/{rest+}")]);
        for path in ["/a/x", "/a/x/", "//a/x"] {
            assert_eq!(served(&routes, "GET", path).unwrap().0, "/a/{b}", "{path}");
        }
        assert!(served(&routes, "GET", "/a//x").is_none());
        assert!(served(&routes, "GET", "/a/").is_none());
        assert_eq!(served(&routes, "GET", "/").unwrap().0, "/");
        let (_, parameters) = served(&routes, "GET", "/g/x//y%2Fz/").unwrap();
        assert_eq!(parameters, [("rest".to_owned(), "x//y%2Fz".to_owned())]);
    }

    #[test]
    fn the_deepest_literal_wins_and_dead_ends_are_left() {
        let routes = routes(&[("GET", "/a/b/d"), ("GET", "/{x}/b/c"), ("GET", "/a/{p+}")]);
        assert_eq!(served(&routes, "GET", "/a/b/d").unwrap().0, "/a/b/d");
        let (path, parameters) = served(&routes, "GET", "/a/b/c").unwrap();
        assert_eq!((path.as_str(), parameters[0].1.as_str()), ("/a/{p+}", "b/c"));
        assert_eq!(parameters.len(), 1, "nothing is left of the ways that led nowhere");
        assert_eq!(served(&routes, "GET", "/z/b/c").unwrap().0, "/{x}/b/c");
    }
}

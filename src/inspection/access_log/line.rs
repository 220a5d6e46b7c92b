//! One line of an access log, decoded.

use std::collections::BTreeMap;

/// The values of a line by the names of their variables without `$context.`; those that are missing are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    fields: BTreeMap<String, String>,
}

impl Line {
    pub(super) fn new(fields: BTreeMap<String, String>) -> Self {
        Self { fields }
    }

    /// All values.
    #[must_use]
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The status that the client got.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.get("status")?.parse().ok()
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.get("httpMethod").or_else(|| self.route_key().map(|(method, _)| method))
    }

    /// The path that was asked for, with the stage in front; of a format that has none, the path of the route.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.first(&["path", "resourcePath"]).or_else(|| self.route_key().map(|(_, path)| path))
    }

    /// Each way in which the line says its path: as it was asked for, without the stage, and as the route has it.
    pub fn paths(&self, stage: &str) -> impl Iterator<Item = &str> {
        let asked = self.get("path");
        let below = asked.and_then(|path| path.strip_prefix('/')?.strip_prefix(stage));
        let below = below.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let route = self.get("resourcePath").or_else(|| self.route_key().map(|(_, path)| path));
        [asked, below, route].into_iter().flatten()
    }

    /// Milliseconds until the client had its answer; of a format that has none, until the backend had answered.
    #[must_use]
    pub fn latency_ms(&self) -> Option<f64> {
        self.first(&["responseLatency", "integration.latency", "integrationLatency"])?.parse().ok()
    }

    /// The ids by which a client, or AWS's support, may ask for the request.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        ["requestId", "extendedRequestId"].into_iter().filter_map(|name| self.get(name))
    }

    /// What went wrong, where something did.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.first(&[
            "error.message",
            "error.messageString",
            "integration.error",
            "integrationErrorMessage",
            "authorizer.error",
            "authorize.error",
            "waf.error",
        ])
    }

    fn route_key(&self) -> Option<(&str, &str)> {
        self.get("routeKey")?.split_once(' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &[(&str, &str)]) -> Line {
        Line::new(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_path_is_told_with_and_without_its_stage() {
        let rest = line(&[("path", "/dev/orders/1"), ("resourcePath", "/orders/{id}")]);
        assert_eq!(rest.paths("dev").collect::<Vec<_>>(), ["/dev/orders/1", "/orders/1", "/orders/{id}"]);
        assert_eq!(rest.paths("de").collect::<Vec<_>>(), ["/dev/orders/1", "/orders/{id}"]);
        let http = line(&[("routeKey", "GET /orders")]);
        assert_eq!((http.method(), http.path()), (Some("GET"), Some("/orders")));
        assert_eq!(line(&[("routeKey", "$default")]).path(), None);
    }
}

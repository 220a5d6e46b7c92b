//! What a template sets below `$context.requestOverride` and `$context.responseOverride`.

/// Parameters, headers and the status that a template overrides. Names are as written; a list sets several values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `$context.requestOverride.header.NAME`.
    pub request_headers: Vec<(String, Vec<String>)>,
    /// `$context.requestOverride.path.NAME`.
    pub request_path: Vec<(String, Vec<String>)>,
    /// `$context.requestOverride.querystring.NAME`.
    pub request_query: Vec<(String, Vec<String>)>,
    /// `$context.responseOverride.header.NAME`.
    pub response_headers: Vec<(String, Vec<String>)>,
    /// `$context.responseOverride.status`, a status that HTTP has.
    pub response_status: Option<u16>,
}

impl Overrides {
    /// Whether nothing is overridden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn list_mut(&mut self, path: &str) -> Option<&mut Vec<(String, Vec<String>)>> {
        match path {
            "requestOverride.header" => Some(&mut self.request_headers),
            "requestOverride.path" => Some(&mut self.request_path),
            "requestOverride.querystring" => Some(&mut self.request_query),
            "responseOverride.header" => Some(&mut self.response_headers),
            _ => None,
        }
    }

    /// Sets one. A second time is a fault: "An override may only be applied to each parameter once. Trying to override the
    /// same parameter multiple times will result in 5XX responses" (the developer guide, on overrides). What lies elsewhere
    /// below `$context` can't be set; Velocity ignores that without a word.
    pub(super) fn set(&mut self, path: &str, name: &str, values: Vec<String>) -> Result<(), String> {
        let again = || format!("`$context.{path}.{name}` is overridden twice");
        if (path, name) == ("responseOverride", "status") {
            let text = values.first().map(String::as_str).unwrap_or_default();
            let status = text.trim().parse().ok().filter(|status| (100..=599).contains(status));
            let status = status.ok_or_else(|| format!("`{text}` is no status code"))?;
            return if self.response_status.replace(status).is_some() { Err(again()) } else { Ok(()) };
        }
        let headers = path.ends_with(".header");
        let Some(list) = self.list_mut(path) else { return Ok(()) };
        if list.iter().any(|(key, _)| key == name || (headers && key.eq_ignore_ascii_case(name))) {
            return Err(again());
        }
        list.push((name.to_owned(), values));
        Ok(())
    }

    /// What was set, by its name below `$context`.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        if name == "responseOverride.status" {
            return self.response_status.map(|status| status.to_string());
        }
        let (side, rest) = name.split_once('.')?;
        let (place, key) = rest.split_once('.')?;
        let list = match (side, place) {
            ("requestOverride", "header") => &self.request_headers,
            ("requestOverride", "path") => &self.request_path,
            ("requestOverride", "querystring") => &self.request_query,
            ("responseOverride", "header") => &self.response_headers,
            _ => return None,
        };
        list.iter().find(|(name, _)| name == key).map(|(_, values)| values.join(","))
    }
}

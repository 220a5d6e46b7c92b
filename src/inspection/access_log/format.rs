//! The format of a stage's access log, and how a line is read by it.
//!
//! A format whose text is a JSON object is read as one: each of its members names the variables of a member of the line. Any other
//! is a text, and a line is matched against it. So is a line of a JSON format that is no JSON itself: a variable without quotes
//! around it that has no value is written as a bare `-`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::line::Line;
use super::template::{Template, variable_length};

/// What stands for a value that is missing.
const MISSING: &str = "-";

/// The variable that brings its own quotes.
const QUOTED: &str = "error.messageString";

/// The format of a stage's access log.
#[derive(Debug, Clone)]
pub struct Format {
    whole: Template,
    /// Of a JSON format: where each text with variables stands, and the text.
    members: Vec<(Vec<String>, Template)>,
}

impl Format {
    /// Reads a format as it stands in a stage.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_end_matches(['\n', '\r']).replace(['\n', '\r'], " ");
        let mut members = Vec::new();
        if let Ok(value @ Value::Object(_)) = serde_json::from_str(&quoted(&text)) {
            collect(&value, &mut Vec::new(), &mut members);
        }
        Self { whole: Template::new(&text), members }
    }

    /// The variables of the format without their `$context.`, in order.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        self.whole.variables().collect()
    }

    /// Reads a line; nothing if it can't have been written by this format: one from before the format was changed.
    #[must_use]
    pub fn decode(&self, line: &str) -> Option<Line> {
        let line = line.trim_end_matches(['\n', '\r']);
        self.by_member(line).or_else(|| self.by_text(line)).map(Line::new)
    }

    fn by_member(&self, line: &str) -> Option<BTreeMap<String, String>> {
        if self.members.is_empty() {
            return None;
        }
        let value: Value = serde_json::from_str(line).ok()?;
        let mut fields = BTreeMap::new();
        for (path, template) in &self.members {
            let member = path.iter().try_fold(&value, |value, name| match value {
                Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                other => other.get(name),
            })?;
            let text = match member {
                Value::String(text) => text.clone(),
                Value::Null => continue,
                other => other.to_string(),
            };
            for (name, value) in template.read(&text)? {
                put(&mut fields, name, value.to_owned());
            }
        }
        Some(fields)
    }

    fn by_text(&self, line: &str) -> Option<BTreeMap<String, String>> {
        let found = self.whole.read(line)?;
        // A format without any variable would fit nothing but itself, and tell nothing.
        if found.is_empty() {
            return None;
        }
        let mut fields = BTreeMap::new();
        for (name, value) in found {
            let plain = if name == QUOTED && value.starts_with('"') {
                serde_json::from_str(value).ok()
            } else if value.contains('\\') {
                serde_json::from_str(&format!("\"{value}\"")).ok()
            } else {
                None
            };
            put(&mut fields, name, plain.unwrap_or_else(|| value.to_owned()));
        }
        Some(fields)
    }
}

/// A variable that stands in the format twice has one value.
fn put(fields: &mut BTreeMap<String, String>, name: &str, value: String) {
    if value != MISSING && !value.is_empty() {
        fields.entry(name.to_owned()).or_insert(value);
    }
}

/// The format with quotes around the variables that stand without: then it is JSON, if it was meant to be.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut inside, mut rest) = (false, text);
    while let Some(first) = rest.chars().next() {
        let length = if inside { 0 } else { variable_length(rest) };
        if length > 0 {
            out.push('"');
            out.push_str(&rest[..length]);
            out.push('"');
            rest = &rest[length..];
            continue;
        }
        let escape = inside && first == '\\';
        let mut taken = first.len_utf8();
        if escape {
            taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
        } else if first == '"' {
            inside = !inside;
        }
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

fn collect(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Template)>) {
    let mut below = |name: String, value: &Value| {
        path.push(name);
        collect(value, path, found);
        path.pop();
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value)),
        Value::String(text) => {
            let template = Template::new(text);
            if template.variables().next().is_some() {
                found.push((path.clone(), template));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(format: &str, line: &str) -> Vec<(String, String)> {
        let line = Format::parse(format).decode(line).unwrap_or_else(|| panic!("`{line}` by `{format}`"));
        line.fields().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn members_of_json_are_variables_whatever_they_are_called() {
        let format = r#"{"id":"$context.requestId","at":{"code":"$context.status","what":"$context.httpMethod $context.path"},"fixed":"v1","agent":"$context.identity.userAgent","none":"$context.error.message"}"#;
        let line =
            r#"{"none":"-","id":"r-1","fixed":"v1","at":{"code":"200","what":"GET /dev/a b"},"agent":"say \"no\" {}"}"#;
        assert_eq!(
            decoded(format, line),
            pairs(&[
                ("httpMethod", "GET"),
                ("identity.userAgent", "say \"no\" {}"),
                ("path", "/dev/a b"),
                ("requestId", "r-1"),
                ("status", "200"),
            ])
        );
    }

    #[test]
    fn variables_without_quotes_may_be_numbers_or_nothing() {
        let format = r#"{"status":$context.status,"took":$context.responseLatency,"error":$context.error.messageString,"id":"$context.requestId"}"#;
        let full = r#"{"status":502,"took":31,"error":"say \"no\"","id":"r"}"#;
        let all =
            [("error.messageString", "say \"no\""), ("requestId", "r"), ("responseLatency", "31"), ("status", "502")];
        assert_eq!(decoded(format, full), pairs(&all));
        // No JSON: the text is matched instead.
        let bare = r#"{"status":502,"took":-,"error":-,"id":"r"}"#;
        assert_eq!(decoded(format, bare), pairs(&[("requestId", "r"), ("status", "502")]));
    }

    #[test]
    fn the_common_log_format_is_matched() {
        let format = r#"$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength $context.requestId"#;
        let line = r#"203.0.113.7 - - [14/Nov/2023:22:13:20 +0000] "GET /orders/{id} HTTP/1.1" 200 - r-1"#;
        assert_eq!(
            decoded(format, line),
            pairs(&[
                ("httpMethod", "GET"),
                ("identity.sourceIp", "203.0.113.7"),
                ("protocol", "HTTP/1.1"),
                ("requestId", "r-1"),
                ("requestTime", "14/Nov/2023:22:13:20 +0000"),
                ("resourcePath", "/orders/{id}"),
                ("status", "200"),
            ])
        );
    }

    #[test]
    fn lines_of_another_format_are_not_decoded() {
        let format = Format::parse(r#"{"id":"$context.requestId","status":"$context.status"}"#);
        assert!(format.decode(r#"{"id":"r"}"#).is_none());
        assert!(format.decode("Execution log for request r").is_none());
        assert!(Format::parse("no variables").decode("no variables").is_none());
        assert_eq!(format.variables(), ["requestId", "status"]);
    }

    proptest! {
        /// What a stage writes by a JSON format is read back, whatever the values are.
        #[test]
        fn json_lines_come_back(agent in ".{0,40}", message in ".{0,40}", status in 100_u16..600) {
            let format = r#"{"agent":"$context.identity.userAgent","message":"$context.error.message","status":"$context.status"}"#;
            let value = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
            let line = serde_json::json!({"agent": value(&agent), "message": value(&message), "status": status.to_string()}).to_string();
            let read = Format::parse(format).decode(&line).expect("decoded");
            let expected = |text: &str| (!matches!(text, "" | "-")).then(|| text.to_owned());
            prop_assert_eq!(read.get("identity.userAgent").map(str::to_owned), expected(&agent));
            prop_assert_eq!(read.get("error.message").map(str::to_owned), expected(&message));
            prop_assert_eq!(read.status(), Some(status));
        }

        #[test]
        fn any_format_and_any_line_are_read_or_not(format in "(\\$context\\.(a|status)|[\"{}:,\\\\]|.){0,20}", line in ".{0,60}") {
            let _ = Format::parse(&format).decode(&line);
        }
    }
}

//! A text with `$context.…` variables in it, matched against what became of it.

use regex::Regex;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// A variable without its `$context.`.
    Variable(String),
}

/// A template, ready to be matched.
#[derive(Debug, Clone)]
pub(super) struct Template {
    parts: Vec<Part>,
    /// With what is known of the variables' values: a status has no space in it.
    strict: Option<Regex>,
    /// Anything goes, for values that nobody thought of.
    loose: Option<Regex>,
}

const ROOT: &str = "$context.";

/// How long the variable is that a text begins with, `$context.` included; 0 if it begins with none. Of signs only underscores and
/// full stops belong to a name (developer guide, variables for access logging), and a full stop at the end to the text around.
pub(super) fn variable_length(text: &str) -> usize {
    let Some(name) = text.strip_prefix(ROOT) else { return 0 };
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(name.len());
    match name[..end].trim_end_matches('.').len() {
        0 => 0,
        length => ROOT.len() + length,
    }
}

pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = variable_length(rest);
        if length == 0 {
            literal.push('$');
            rest = &rest[1..];
            continue;
        }
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        parts.push(Part::Variable(rest[ROOT.len()..length].to_owned()));
        rest = &rest[length..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}

/// What the value of a variable looks like, as a regular expression; `-` is always a value: it stands for none.
fn shape(name: &str) -> &'static str {
    let last = name.rsplit('.').next().unwrap_or(name);
    match name {
        "httpMethod" => "-|[A-Za-z]+",
        "status" => "-|[0-9]{3}",
        "requestTime" => r"-|\S+ [+-][0-9]{4}",
        "requestId" | "extendedRequestId" | "apiId" | "accountId" | "stage" | "protocol" | "path" | "resourcePath"
        | "resourceId" | "deploymentId" | "domainName" | "domainPrefix" | "identity.sourceIp" | "xrayTraceId"
        | "webaclArn" | "wafResponseCode" | "endpointType" | "isCanaryRequest" => r#"-|[^\s"]*?"#,
        "error.messageString" => r#"-|"(?:[^"\\]|\\.)*""#,
        _ if last.to_ascii_lowercase().ends_with("latency") => "-|[0-9]+(?:\\.[0-9]+)?",
        _ if last == "responseLength" || last == "requestTimeEpoch" => "-|[0-9]+",
        _ if last.to_ascii_lowercase().ends_with("status") => r#"-|[^\s"]*?"#,
        _ => ".*?",
    }
}

impl Template {
    pub(super) fn new(text: &str) -> Self {
        let parts = parts(text);
        let regex = |shape: &dyn Fn(&str) -> &'static str| {
            let pattern: String = parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => regex::escape(text),
                    Part::Variable(name) => format!("({})", shape(name)),
                })
                .collect();
            // One that is too large is one that matches nothing.
            Regex::new(&format!("(?s)^{pattern}$")).ok()
        };
        let (strict, loose) = (regex(&shape), regex(&|_| ".*?"));
        Self { parts, strict, loose }
    }

    /// The variables, in order.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The variables and their values, if the text is what can have become of the template.
    pub(super) fn read<'t>(&'t self, text: &'t str) -> Option<Vec<(&'t str, &'t str)>> {
        if let [Part::Variable(name)] = self.parts.as_slice() {
            return Some(vec![(name, text)]);
        }
        let found = [&self.strict, &self.loose].into_iter().flatten().find_map(|regex| regex.captures(text))?;
        let values = found.iter().skip(1).map(|value| value.map_or("", |value| value.as_str()));
        Some(self.variables().zip(values).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_the_service_ends_them() {
        let variables = |text: &str| Template::new(text).variables().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            variables("$context.requestId. ${context.requestId} $stageVariables.a $5 $context. $ $context.a.x-y"),
            ["requestId", "a.x"]
        );
    }

    #[test]
    fn what_is_known_of_values_tells_them_apart() {
        let template = Template::new("$context.identity.userAgent $context.status $context.requestId");
        let read = template.read("Mozilla/5.0 (X11; Linux) like 404 kinds 200 r-1").unwrap();
        assert_eq!(
            read,
            [
                ("identity.userAgent", "Mozilla/5.0 (X11; Linux) like 404 kinds"),
                ("status", "200"),
                ("requestId", "r-1")
            ]
        );
        assert_eq!(template.read("nothing"), None);
        // A status that is none: better told apart badly than not at all.
        assert_eq!(template.read("agent odd r").unwrap()[1], ("status", "odd"));
    }
}

//! Access logs: one line a request, in the format of its stage.
//!
//! A format is a text with `$context.NAME` in it; everything else stands as it is, `${…}` and stage variables too. A value
//! that is missing is `-`. Values are escaped as in a JSON string, so that a user agent with a quote in it does not break
//! the line (seen in 2024; until then API Gateway wrote quotes as they came). `$context.error.messageString` brings its
//! own quotes.

mod known;
mod sink;

use std::borrow::Cow;

pub use self::known::{KNOWN, is_known};
pub use self::sink::Sink;

use super::gateway_response::quoted;
use super::json;
use super::substitution::{Names, Substitution};
use super::variables::Variables;

/// What stands for a value that is missing.
const MISSING: &str = "-";

/// The format of a stage's access log, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    line: Substitution,
}

impl Format {
    /// Compiles a format. A newline at its end is no part of the line; one within, which the control plane refuses, becomes
    /// a space.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_end_matches(['\n', '\r']).replace(['\n', '\r'], " ");
        Self { line: Substitution::parse(&text, Names::OfLogs) }
    }

    /// The line of a request, without a newline.
    pub fn line(&self, variables: &dyn Variables) -> String {
        self.line.text(|name| value(variables, name.strip_prefix("context.").unwrap_or(name)))
    }

    /// The variables of the format that AWS does not document, without their `$context.`: most likely misspelt.
    #[must_use]
    pub fn unknown(&self) -> Vec<&str> {
        let names = self.line.variables().filter_map(|name| name.strip_prefix("context."));
        names.filter(|name| !is_known(name)).collect()
    }
}

fn value<'v>(variables: &'v dyn Variables, name: &'v str) -> Cow<'v, str> {
    if name == "error.messageString" {
        let message = variables.context("error.message").map(|message| Cow::Owned(quoted(&message)));
        // Without a message the variable may still be there, with the quotes it comes with.
        let given = || variables.context(name).map(|given| Cow::Owned(given.replace(['\n', '\r'], " ")));
        return message.or_else(given).unwrap_or(Cow::Borrowed(MISSING));
    }
    match variables.context(name) {
        None => Cow::Borrowed(MISSING),
        Some(text) if text.is_empty() => Cow::Borrowed(MISSING),
        Some(text) if text.chars().all(is_plain) => text,
        Some(text) => {
            let mut escaped = String::with_capacity(text.len() + 8);
            // Writing to a string does not fail.
            let _ = json::escape(&mut escaped, &text);
            Cow::Owned(escaped)
        }
    }
}

fn is_plain(c: char) -> bool {
    c != '"' && c != '\\' && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Fake;
    use super::*;

    #[test]
    fn variables_are_replaced_and_missing_ones_marked() {
        let fake = Fake::default()
            .context("requestId", "r-1")
            .context("identity.sourceIp", "203.0.113.7")
            .context("requestTime", "14/Nov/2023:22:13:20 +0000")
            .context("httpMethod", "GET")
            .context("resourcePath", "/orders/{id}")
            .context("protocol", "HTTP/1.1")
            .context("status", "200")
            .context("authorizer.user_id", "u-7");
        // The developer guide's format for the common log format.
        let format = Format::parse(
            "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] \
             \"$context.httpMethod $context.resourcePath $context.protocol\" $context.status $context.responseLength $context.requestId\n",
        );
        assert_eq!(
            format.line(&fake),
            "203.0.113.7 - - [14/Nov/2023:22:13:20 +0000] \"GET /orders/{id} HTTP/1.1\" 200 - r-1"
        );
        let format = Format::parse(
            "$context.requestId. ${context.requestId} $stageVariables.a $5 $context. $ $context.authorizer.user_id",
        );
        assert_eq!(format.line(&fake), "r-1. ${context.requestId} $stageVariables.a $5 $context. $ u-7");
    }

    #[test]
    fn a_line_in_json_stays_json() {
        let fake = Fake::default()
            .context("requestId", "r")
            .context("identity.userAgent", "\"This is a special\\user-agent\"\u{7}\n")
            .context("error.message", "say \"no\"");
        let format = Format::parse(
            r#"{"id":"$context.requestId","agent":"$context.identity.userAgent","error":$context.error.messageString,"user":"$context.identity.user"}"#,
        );
        let line: serde_json::Value = serde_json::from_str(&format.line(&fake)).expect("JSON");
        assert_eq!(line["agent"], "\"This is a special\\user-agent\"\u{7}\n");
        assert_eq!(line["error"], "say \"no\"");
        assert_eq!(line["user"], "-");
        assert_eq!(Format::parse("$context.error.messageString").line(&Fake::default()), "-");
        let given = Fake::default().context("error.messageString", "\"given\"");
        assert_eq!(Format::parse("$context.error.messageString").line(&given), "\"given\"");
    }

    #[test]
    fn unknown_names_are_found() {
        let format = Format::parse(
            "$context.requestId $context.requestid $context.authorizer.claims.sub $context.authorizer.anything \
             $context.identity.clientCert.validity.notAfter $context.identity.ip $context.waf.latency $context.authorizer",
        );
        assert_eq!(format.unknown(), ["requestid", "identity.ip", "authorizer"]);
        // Only the underscore is allowed in the name of a property: what follows is text.
        let fake = Fake::default().context("authorizer.x-user-id", "u").context("authorizer.x", "x");
        assert_eq!(Format::parse("$context.authorizer.x-user-id").line(&fake), "x-user-id");
    }

    proptest! {
        #[test]
        fn a_line_is_always_one_line(format in "(\\$context\\.(a|b|error\\.messageString)|[^$]|\\$){0,12}", a in ".{0,20}|[\\n\\r\u{85}]{0,4}", b in any::<String>()) {
            let fake = Fake::default().context("a", &a).context("b", &b).context("error.messageString", &a);
            let line = Format::parse(&format).line(&fake);
            prop_assert!(!line.contains(['\n', '\r']), "{:?}", line);
            prop_assert_eq!(line.lines().count().max(1), 1);
        }

        #[test]
        fn a_value_in_quotes_is_a_json_string(value in any::<String>()) {
            let fake = Fake::default().context("a", &value);
            let line = Format::parse("\"$context.a\"").line(&fake);
            let read: String = serde_json::from_str(&line).expect("JSON");
            prop_assert_eq!(read, if value.is_empty() { "-".to_owned() } else { value });
        }
    }
}

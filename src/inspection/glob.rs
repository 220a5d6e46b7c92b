//! Patterns of paths on the command line: `*` stands for any text, slashes included, `?` for one character.

use std::fmt;
use std::str::FromStr;

use regex::Regex;

/// A pattern that a whole text has to match.
#[derive(Debug, Clone)]
pub struct Glob {
    source: String,
    regex: Regex,
}

impl Glob {
    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        let parts = source.chars().map(|c| match c {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            other => regex::escape(other.encode_utf8(&mut [0; 4])),
        });
        let text = format!("(?s)^{}$", parts.collect::<String>());
        let regex = Regex::new(&text).map_err(|_| format!("`{source}` is too long for a pattern"))?;
        Ok(Self { source: source.to_owned(), regex })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_goes_beyond_slashes_and_all_else_is_itself() {
        let glob = |text: &str| text.parse::<Glob>().unwrap();
        assert!(glob("/orders/*").matches("/orders/1/items"));
        assert!(glob("*actuator*").matches("/a/actuator/health"));
        assert!(glob("/orders/{proxy+}").matches("/orders/{proxy+}"));
        assert!(glob("/orders/?").matches("/orders/1") && !glob("/orders/?").matches("/orders/12"));
        assert!(!glob("/orders").matches("/orders/1") && !glob("/orders").matches("/v1/orders"));
        assert!(!glob("/a.b").matches("/axb"), "a full stop is no wildcard");
    }
}

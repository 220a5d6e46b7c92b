//! What sounds secret, and what looks it: the words by which values are kept out of everything that is shown.
//!
//! `report` keeps them out of plans and what is like them, `config` out of the lines of a file that a fault points at.

/// Stands for a value that is not shown.
pub const SENSITIVE: &str = "(sensitive)";

/// What sounds secret, in capitals.
const SECRET: [&str; 9] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PWD", "KEY", "CREDENTIAL", "PRIVATE", "SIGNATURE"];

/// Headers that carry credentials, in capitals.
const HEADERS: [&str; 2] = ["AUTHORIZATION", "COOKIE"];

/// Whether the name of a variable sounds secret.
#[must_use]
pub fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET.iter().any(|word| name.contains(word))
}

/// Whether a value is secret whatever its name: a private key, a URL with a password in it, a connection string or a query
/// with one (`Password=…;`, `?sig=…`), the credentials of a header.
#[must_use]
pub fn looks_secret(text: &str) -> bool {
    let password = text.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    password || (text.contains("-----BEGIN") && text.contains("PRIVATE KEY")) || has_pair(text) || has_credentials(text)
}

/// `NAME=VALUE` among others, with a name that sounds secret.
fn has_pair(text: &str) -> bool {
    text.split([';', '&', '?', '#', ',', ' ', '\n']).filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let name = name.trim();
        !value.trim().is_empty() && (sounds_secret(name) || name.eq_ignore_ascii_case("sig"))
    })
}

/// `Bearer …` or `Basic …`.
fn has_credentials(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace().map(|word| word.trim_matches(['\'', '"']));
    let mut before = "";
    words.any(|word| {
        let scheme = before.eq_ignore_ascii_case("bearer") || before.eq_ignore_ascii_case("basic");
        before = word;
        // No token is shorter, and "basic auth" is none.
        scheme && word.len() >= 8
    })
}

/// Whether a parameter that an API sends to its backend is a secret: a fixed text under a name that sounds so, or one that
/// looks so. What is taken over from the request (`method.request.header.Authorization`, `$request.header.token`) is none.
#[must_use]
pub fn is_secret_parameter(name: &str, value: &str) -> bool {
    let fixed = value.starts_with('\'') || !(value.starts_with('$') || value.contains(".request.") || is_path(value));
    let upper = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
    fixed && (sounds_secret(&upper) || HEADERS.iter().any(|header| upper.contains(header)) || looks_secret(value))
}

/// `context.authorizer.principalId`, `stageVariables.host`.
fn is_path(value: &str) -> bool {
    value.starts_with("context.") || value.starts_with("stageVariables.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_secrets_from_what_is_none() {
        for secret in [
            "https://user:pass@db.example.com/x",
            "-----BEGIN RSA PRIVATE KEY-----\nx",
            "Server=db;User=u;Password=hunter22;",
            "https://up.example.com/x?sv=1&sig=abc",
            "Authorization: Bearer abcdefgh1",
            "'Basic dXNlcjpwYXNz'",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for plain in ["https://up.example.com/x?page=2", "eu-west-1", "a=b", "key=", "bearer", "basic auth", "x@y:z"] {
            assert!(!looks_secret(plain), "{plain}");
        }
    }

    #[test]
    fn what_comes_from_the_request_is_no_secret() {
        assert!(is_secret_parameter("integration.request.header.X-Api-Key", "'abc'"));
        assert!(is_secret_parameter("integration.request.header.Authorization", "'abc'"));
        assert!(is_secret_parameter("overwrite:header.x-api-key", "abc"));
        for value in ["method.request.header.Authorization", "$request.header.authorization", "context.requestId"] {
            assert!(!is_secret_parameter("integration.request.header.Authorization", value), "{value}");
        }
        assert!(!is_secret_parameter("integration.request.header.X-Team", "'edge'"));
    }
}

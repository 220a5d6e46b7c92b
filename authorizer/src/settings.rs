//! What an environment sets, from the function's environment variables.

use std::fmt;
use std::time::Duration;

const DEFAULT_PATH: &str = "/auth-service/api/v1/validate-token";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Under the function's own 15 s: a function that Lambda kills leaves neither a decision nor a log line.
const TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=14_000;

/// One kind of token and the part of the auth service that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The value of `x-auth-channel` that asks for it.
    pub name: &'static str,
    /// Path of the auth service, below its host.
    pub path: String,
    /// `x-auth-type` for the back end.
    pub auth_type: &'static str,
    /// `x-user-scope` for the back end.
    pub scope: &'static str,
}

/// The settings of a function, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `AUTH_HOST`: host, optional port, optional path in front of every channel's: `abc.example.com/dev`.
    pub auth_host: String,
    /// `AUTH_TIMEOUT_MS`: for the whole exchange with the auth service, a retry included.
    pub timeout: Duration,
    /// `RESULT_CACHED`: whether API Gateway caches this function's answers.
    pub result_cached: bool,
    /// `AUTH_CA_PEM`: certificates to trust beside the public ones, for an auth service under a private CA.
    pub ca_pem: Option<String>,
    /// The channel of a request that names none, or `default`.
    pub default_channel: Channel,
}

/// Everything that is wrong with the environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFaults(Vec<String>);

impl Settings {
    /// Reads the settings from `variable`, usually the process environment, and reports all faults together. An empty
    /// variable is an unset one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsFaults> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut faults = Vec::new();
        let mut keep = |fault: String| faults.push(fault);

        let auth_host = match variable("AUTH_HOST").as_deref().map(host) {
            Some(Some(host)) => host,
            Some(None) => {
                keep(
                    "AUTH_HOST must be a host with an optional port and path, such as auth.example.com/dev".to_owned(),
                );
                String::new()
            }
            None => {
                keep("AUTH_HOST is not set".to_owned());
                String::new()
            }
        };
        let path = variable("AUTH_PATH").unwrap_or_else(|| DEFAULT_PATH.to_owned());
        if !path.starts_with('/') || !path.bytes().all(is_path_byte) {
            keep("AUTH_PATH must be a path that begins with / and has no query".to_owned());
        }
        let timeout = variable("AUTH_TIMEOUT_MS").map(|text| text.parse().ok().filter(|ms| TIMEOUT_MS.contains(ms)));
        if timeout == Some(None) {
            let (least, most) = (TIMEOUT_MS.start(), TIMEOUT_MS.end());
            keep(format!("AUTH_TIMEOUT_MS must be a number of milliseconds from {least} to {most}"));
        }
        let result_cached = match variable("RESULT_CACHED").as_deref() {
            Some("true") => true,
            // Without the variable the narrower policy: under a cache it answers 403 too often, never too seldom.
            Some("false") | None => false,
            Some(_) => {
                keep("RESULT_CACHED must be true or false".to_owned());
                false
            }
        };
        if !faults.is_empty() {
            return Err(SettingsFaults(faults));
        }
        Ok(Self {
            auth_host,
            timeout: timeout.flatten().map_or(DEFAULT_TIMEOUT, Duration::from_millis),
            result_cached,
            ca_pem: variable("AUTH_CA_PEM"),
            default_channel: Channel { name: "default", path, auth_type: "standard", scope: "customer" },
        })
    }

    /// The channel that a request asks for; `None` when there is no such channel. An unknown channel is never taken for
    /// the default one: a token of one kind must not be checked by the rules of another.
    pub(crate) fn channel(&self, names: &[&str]) -> Option<&Channel> {
        match names {
            [] | [""] => Some(&self.default_channel),
            [name] if *name == self.default_channel.name => Some(&self.default_channel),
            _ => None,
        }
    }
}

/// `host[:port][/path]`, without a trailing slash; `None` when it is something else.
fn host(text: &str) -> Option<String> {
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let (name, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let valid = named && port.parse::<u16>().is_ok_and(|port| port > 0) && path.bytes().all(is_path_byte);
    valid.then(|| format!("{authority}{}", path.trim_end_matches('/')))
}

/// RFC 3986's `pchar` and the slash.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/".contains(&byte)
}

impl fmt::Display for SettingsFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for SettingsFaults {}

#[cfg(test)]
mod tests {
    use super::{Settings, host};
    use std::time::Duration;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::read(find).map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_host_alone_is_enough() {
        let settings =
            read(&[("AUTH_HOST", "abc.execute-api.eu-west-1.amazonaws.com/dev"), ("AUTH_PATH", "")]).unwrap();
        assert_eq!(settings.auth_host, "abc.execute-api.eu-west-1.amazonaws.com/dev");
        assert_eq!(settings.default_channel.path, "/auth-service/api/v1/validate-token");
        assert_eq!(settings.timeout, Duration::from_secs(5));
        assert!(!settings.result_cached);
    }

    #[test]
    fn everything_can_be_set() {
        let variables = [
            ("AUTH_HOST", "localhost:8443/"),
            ("AUTH_PATH", "/check"),
            ("AUTH_TIMEOUT_MS", "250"),
            ("RESULT_CACHED", "true"),
        ];
        let settings = read(&variables).unwrap();
        assert_eq!(settings.auth_host, "localhost:8443");
        assert_eq!(settings.default_channel.path, "/check");
        assert_eq!(settings.timeout, Duration::from_millis(250));
        assert!(settings.result_cached);
    }

    #[test]
    fn all_faults_are_said_at_once() {
        let variables = [("AUTH_PATH", "check?x"), ("AUTH_TIMEOUT_MS", "99"), ("RESULT_CACHED", "yes")];
        let faults = read(&variables).unwrap_err();
        for word in ["AUTH_HOST is not set", "AUTH_PATH must", "from 100 to 14000", "RESULT_CACHED must"] {
            assert!(faults.contains(word), "{faults}");
        }
        for timeout in ["0", "14001", "-1", "1s", "9999999999999999999999"] {
            assert!(read(&[("AUTH_HOST", "a"), ("AUTH_TIMEOUT_MS", timeout)]).is_err(), "{timeout}");
        }
    }

    #[test]
    fn hosts_that_could_lead_elsewhere_are_refused() {
        for text in
            ["https://a", "user@a", "a b", "a?x", "a#x", "a:0", "a:x", "a:70000", ":443", "/a", "ä", "a/b?c", "a\\b"]
        {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_default_channel_exists() {
        let settings = read(&[("AUTH_HOST", "a")]).unwrap();
        for names in [&[][..], &[""], &["default"]] {
            assert_eq!(settings.channel(names).map(|channel| channel.name), Some("default"), "{names:?}");
        }
        for names in [&["wechat-mini"][..], &["Default "], &["default", "default"], &["default", "mobile-app"]] {
            assert_eq!(settings.channel(names), None, "{names:?}");
        }
    }
}

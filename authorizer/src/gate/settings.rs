//! What an environment sets, from the function's environment variables.

use std::time::Duration;

use super::channel::{Channels, DEFAULT_CHANNEL, UnknownChannel, VARIABLE as CHANNELS};
use crate::fault::{Fault, Faults};

const DEFAULT_PATH: &str = "/auth-service/api/v1/validate-token";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Under the function's own 15 s: a function that Lambda kills leaves neither a decision nor a log line.
const TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=14_000;

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
    /// `AUTH_CHANNELS`, `AUTH_UNKNOWN_CHANNEL` and `AUTH_CHANNEL_REQUIRED`; `AUTH_PATH` is the path of a channel that has
    /// none of its own.
    pub channels: Channels,
}

impl Settings {
    /// Reads the settings from `variable`, usually the process environment, and reports all faults together. An empty
    /// variable is an unset one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader { variable: &variable, faults: Vec::new() };
        let settings = Self {
            auth_host: reader.auth_host(),
            timeout: reader.timeout(),
            // Without the variable the narrower policy: under a cache it answers 403 too often, never too seldom.
            result_cached: reader.truth("RESULT_CACHED"),
            ca_pem: reader.get("AUTH_CA_PEM"),
            channels: reader.channels(),
        };
        if reader.faults.is_empty() { Ok(settings) } else { Err(Faults(reader.faults)) }
    }
}

struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn fault(&mut self, variable: &'static str, message: &str, hint: &str) {
        self.faults.push(Fault::of(variable, message, hint));
    }

    fn auth_host(&mut self) -> String {
        let hint = "write a host with an optional port and path, such as auth.example.com/dev";
        let text = self.get("AUTH_HOST");
        let host = text.as_deref().and_then(host);
        if host.is_none() {
            self.fault("AUTH_HOST", if text.is_none() { "is not set" } else { "is no host" }, hint);
        }
        host.unwrap_or_default()
    }

    fn timeout(&mut self) -> Duration {
        let Some(text) = self.get("AUTH_TIMEOUT_MS") else { return DEFAULT_TIMEOUT };
        let milliseconds = text.parse().ok().filter(|milliseconds| TIMEOUT_MS.contains(milliseconds));
        if milliseconds.is_none() {
            let (least, most) = (TIMEOUT_MS.start(), TIMEOUT_MS.end());
            let hint = format!("write a number of milliseconds from {least} to {most}");
            self.fault("AUTH_TIMEOUT_MS", "is no time-out", &hint);
        }
        milliseconds.map_or(DEFAULT_TIMEOUT, Duration::from_millis)
    }

    /// `true` or `false`, which it is without the variable.
    fn truth(&mut self, name: &'static str) -> bool {
        match self.get(name).as_deref() {
            Some("true") => true,
            Some("false") | None => false,
            Some(_) => {
                self.fault(name, "is neither true nor false", "write `true` or `false`");
                false
            }
        }
    }

    fn channels(&mut self) -> Channels {
        let path = self.get("AUTH_PATH").unwrap_or_else(|| DEFAULT_PATH.to_owned());
        if !is_path(&path) {
            self.fault("AUTH_PATH", "is no path", "write a path that begins with / and has no query");
        }
        let mut channels = match self.get(CHANNELS) {
            None => Channels::only_default(&path),
            Some(text) => match serde_json::from_str(&text) {
                Ok(object) => Channels::read(&object, &path, &mut self.faults),
                Err(error) => {
                    // The parser's words, without the text: channels hold nothing secret, but who knows what is in there.
                    let place = format!("is no JSON at line {}, column {}", error.line(), error.column());
                    self.fault(CHANNELS, &place, "write one JSON object, by the names of the channels");
                    Channels::only_default(&path)
                }
            },
        };
        channels.required = self.truth("AUTH_CHANNEL_REQUIRED");
        channels.unknown = self.unknown();
        self.check_default(&channels);
        channels
    }

    fn unknown(&mut self) -> UnknownChannel {
        match self.get("AUTH_UNKNOWN_CHANNEL").as_deref() {
            None | Some("refuse") => UnknownChannel::Refuse,
            Some("default") => UnknownChannel::Default,
            Some(_) => {
                let hint = "write `refuse`, or `default` to take it for the default channel";
                self.fault("AUTH_UNKNOWN_CHANNEL", "says what nobody knows", hint);
                UnknownChannel::Refuse
            }
        }
    }

    /// A request without a channel, or with one that is taken for the default one, needs a default one.
    fn check_default(&mut self, channels: &Channels) {
        let missing = channels.get(DEFAULT_CHANNEL).is_none() && channels.iter().next().is_some();
        if missing && channels.unknown == UnknownChannel::Default {
            let hint = "add the channel `default`, or let AUTH_UNKNOWN_CHANNEL be `refuse`";
            self.fault(CHANNELS, "has no default channel to take unknown ones for", hint);
        } else if missing && !channels.required {
            let hint = "add the channel `default`, or let AUTH_CHANNEL_REQUIRED be `true`";
            self.fault(CHANNELS, "has no default channel, for requests that name none", hint);
        }
    }
}

/// `host[:port][/path]`, without a trailing slash; `None` when it is something else.
pub(super) fn host(text: &str) -> Option<String> {
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let (name, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    // The digits alone: Rust takes a sign too, and a URL does not.
    let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten();
    let valid = named && port.is_some_and(|port: u16| port > 0) && path.bytes().all(is_path_byte);
    valid.then(|| format!("{authority}{}", path.trim_end_matches('/')))
}

/// A path with a leading slash, and without a query.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(is_path_byte)
}

/// RFC 3986's `pchar` and the slash.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::channel::UnknownChannel;
    use super::{Settings, host};

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::read(find).map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_host_alone_is_enough() {
        let settings =
            read(&[("AUTH_HOST", "abc.execute-api.eu-west-1.amazonaws.com/dev"), ("AUTH_PATH", "")]).unwrap();
        assert_eq!(settings.auth_host, "abc.execute-api.eu-west-1.amazonaws.com/dev");
        assert_eq!(settings.channels.get("default").unwrap().path, "/auth-service/api/v1/validate-token");
        assert_eq!(settings.channels.iter().count(), 1);
        assert_eq!(settings.timeout, Duration::from_secs(5));
        assert!(!settings.result_cached && !settings.channels.required);
        assert_eq!(settings.channels.unknown, UnknownChannel::Refuse);
    }

    #[test]
    fn everything_can_be_set() {
        let variables = [
            ("AUTH_HOST", "localhost:8443/"),
            ("AUTH_PATH", "/check"),
            ("AUTH_TIMEOUT_MS", "250"),
            ("RESULT_CACHED", "true"),
            ("AUTH_CHANNELS", r#"{"default": {"scope": "/s"}, "b": {"path": "/b", "context": {"x-user-scope": "x"}}}"#),
            ("AUTH_UNKNOWN_CHANNEL", "default"),
            ("AUTH_CHANNEL_REQUIRED", "true"),
        ];
        let settings = read(&variables).unwrap();
        assert_eq!(settings.auth_host, "localhost:8443");
        let paths: Vec<_> = settings.channels.iter().map(|channel| (&*channel.name, &*channel.path)).collect();
        assert_eq!(paths, [("b", "/b"), ("default", "/check")]);
        assert_eq!(settings.timeout, Duration::from_millis(250));
        assert!(settings.result_cached && settings.channels.required);
        assert_eq!(settings.channels.unknown, UnknownChannel::Default);
    }

    #[test]
    fn all_faults_are_said_at_once() {
        let variables = [
            ("AUTH_PATH", "check?x"),
            ("AUTH_TIMEOUT_MS", "99"),
            ("RESULT_CACHED", "yes"),
            ("AUTH_CHANNELS", r#"{"default": {"path": "x", "scope": "/s", "x": 1}, "Big": []}"#),
            ("AUTH_UNKNOWN_CHANNEL", "maybe"),
            ("AUTH_CHANNEL_REQUIRED", "1"),
        ];
        let faults = read(&variables).unwrap_err();
        for word in [
            "AUTH_HOST is not set",
            "AUTH_PATH is no path",
            "from 100 to 14000",
            "RESULT_CACHED is neither",
            "AUTH_CHANNELS/default/path is \"x\"",
            "AUTH_CHANNELS/default/x is unknown",
            "AUTH_CHANNELS/Big can't name a channel",
            "AUTH_CHANNELS/Big is no object",
            "AUTH_UNKNOWN_CHANNEL says",
            "AUTH_CHANNEL_REQUIRED is neither",
        ] {
            assert!(faults.contains(word), "{word}: {faults}");
        }
        for timeout in ["0", "14001", "-1", "1s", "9999999999999999999999"] {
            assert!(read(&[("AUTH_HOST", "a"), ("AUTH_TIMEOUT_MS", timeout)]).is_err(), "{timeout}");
        }
    }

    #[test]
    fn hosts_that_could_lead_elsewhere_are_refused() {
        for text in [
            "https://a",
            "user@a",
            "a b",
            "a?x",
            "a#x",
            "a:0",
            "a:x",
            "a:70000",
            "a:+443",
            ":443",
            "/a",
            "ä",
            "a/b?c",
            "a\\b",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn a_request_without_a_channel_needs_a_default_one() {
        let read = |unknown: &str, required: &str| {
            let channels = r#"{"mobile-app": {"context": {"x-user-scope": "customer"}}}"#;
            read(&[
                ("AUTH_HOST", "a"),
                ("AUTH_CHANNELS", channels),
                ("AUTH_UNKNOWN_CHANNEL", unknown),
                ("AUTH_CHANNEL_REQUIRED", required),
            ])
        };
        assert!(read("", "").unwrap_err().contains("has no default channel, for requests that name none"));
        assert!(read("default", "true").unwrap_err().contains("to take unknown ones for"));
        assert!(read("refuse", "true").is_ok());
    }

    #[test]
    fn channels_that_make_no_sense_are_refused_with_their_place() {
        for (channel, said) in [
            (r#"{"host": "https://a", "scope": "/s"}"#, r#"/default/host is "https://a""#),
            (r#"{"path": "/a?b", "scope": "/s"}"#, "/default/path is"),
            (r#"{"path": 1, "scope": "/s"}"#, "/default/path is 1"),
            (r#"{"token_in": "cookie:x", "scope": "/s"}"#, "/default/token_in is"),
            (r#"{"token_in": "header:host", "scope": "/s"}"#, "/default/token_in is"),
            (r#"{"token_in": "query:a&b", "scope": "/s"}"#, "/default/token_in is"),
            (r#"{"yes_when": {"pointer": "code", "equals": "0"}, "scope": "/s"}"#, "/default/yes_when is no pointer"),
            (r#"{"yes_when": {"pointer": "/code", "equals": null}, "scope": "/s"}"#, "/default/yes_when"),
            (r#"{"yes_when": {"pointer": "/code"}, "scope": "/s"}"#, "/default/yes_when"),
            (r#"{"user_id": "", "scope": "/s"}"#, r#"/default/user_id is """#),
            (r#"{"user_id": "/a~2", "scope": "/s"}"#, "/default/user_id is"),
            (r"{}", "/default gives no scope"),
            (r#"{"context": {"x-user-scope": ""}}"#, "/default/context/x-user-scope can't stand in a header"),
            (r#"{"context": {"x-user-scope": 1}}"#, "/default/context/x-user-scope can't"),
            (r#"{"context": {"X-User-Id": "me"}, "scope": "/s"}"#, "/default/context/X-User-Id is set by"),
            (r#"{"context": {"a/b": "me"}, "scope": "/s"}"#, "/default/context/a~1b can't name"),
            (r#"{"context": [], "scope": "/s"}"#, "/default/context is no object"),
        ] {
            let channels = format!(r#"{{"default": {channel}}}"#);
            let faults = read(&[("AUTH_HOST", "a"), ("AUTH_CHANNELS", &channels)]).unwrap_err();
            assert!(faults.contains(&format!("AUTH_CHANNELS{said}")), "{channel}: {faults}");
            assert!(!faults.contains("; "), "one fault each: {faults}");
        }
        for (channels, said) in
            [("{", "is no JSON at line 1"), ("[]", "is no object"), ("{}", "is empty"), ("null", "is no object")]
        {
            let faults = read(&[("AUTH_HOST", "a"), ("AUTH_CHANNELS", channels)]).unwrap_err();
            assert!(faults.starts_with(&format!("AUTH_CHANNELS {said}")), "{faults}");
        }
    }
}

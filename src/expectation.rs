//! What the users of a gateway expect of it: a file of requests and what each shall come to, held against what the layers
//! decide. `gwctl test` runs it, in CI and before anything ships.
//!
//! Only what a request's expectation names is compared. Nothing is sent; see [`crate::sandbox::execute_api::explain`].

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Failure, FailureKind, Result};
use crate::sandbox::execute_api::explain::{Explanation, Outcome};

/// A file of expectations.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// The requests, in order.
    #[serde(rename = "request")]
    pub requests: Vec<Expectation>,
}

/// One request, and what it shall come to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What is being said by it, for the reader of a failure.
    #[serde(default)]
    pub name: Option<String>,
    /// Method and path with query string: `GET /orders?limit=5`.
    pub send: String,
    /// Headers to send.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The client's address.
    #[serde(default)]
    pub source_ip: Option<IpAddr>,
    /// The environments it is true of; all, if none is named.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The products it is true of; all, if none is named.
    #[serde(default)]
    pub products: Vec<String>,
    /// Whether it goes to the HTTP APIs of `edge`, below their domain name, though there is a REST API.
    #[serde(default)]
    pub edge: bool,
    /// What it shall come to.
    pub expect: Expected,
}

/// What a request shall come to. What is left out is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// `backend`, `mock`, `preflight` or `refused`.
    #[serde(default)]
    pub outcome: Option<ExpectedOutcome>,
    /// The status of a refusal.
    #[serde(default)]
    pub status: Option<u16>,
    /// The gateway response of a refusal: `ACCESS_DENIED`.
    #[serde(default)]
    pub response: Option<String>,
    /// The `Sid` of the statement of the resource policy that decides.
    #[serde(default)]
    pub statement: Option<String>,
    /// The rule of the web ACL that decides.
    #[serde(default)]
    pub rule: Option<String>,
    /// The path of the resource that serves: `/orders/{proxy+}`; of an HTTP API also the key of the route, `GET /orders`.
    #[serde(default)]
    pub route: Option<String>,
    /// The route's list in the environment file: `normal_path`.
    #[serde(default)]
    pub route_type: Option<String>,
    /// The authorizer's name; `none` for an open route.
    #[serde(default)]
    pub authorizer: Option<String>,
    /// Whether the authorizer's answer is kept.
    #[serde(default)]
    pub cached: Option<bool>,
    /// The URL that the backend is called with.
    #[serde(default)]
    pub url: Option<String>,
    /// Headers that the backend gets. The empty text is a header that is sent empty.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers that the backend does not get.
    #[serde(default)]
    pub no_headers: Vec<String>,
}

/// What a request comes to, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedOutcome {
    /// A backend is called.
    Backend,
    /// The gateway answers from a mock integration.
    Mock,
    /// The gateway answers a browser's preflight.
    Preflight,
    /// The gateway refuses.
    Refused,
}

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mismatch {
    /// What was looked at: `status`, `header x-user-id`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

/// Reads a file of expectations: TOML, JSON or YAML, by its ending.
pub fn read(path: &Path) -> Result<Expectations> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::io(format!("failed to read {shown}"), &error)
            .hint("name the file with --file; the guide says what stands in it")
    })?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let parsed: Result<Expectations, String> = match ending {
        "toml" => toml_edit::de::from_str(&text).map_err(|error| error.to_string()),
        "json" => serde_json::from_str(&text).map_err(|error| error.to_string()),
        "yaml" | "yml" => serde_saphyr::from_str(&text).map_err(|error| error.to_string()),
        _ => {
            return Err(Failure::new(FailureKind::Usage, format!("{shown} has no ending that says what it is"))
                .hint("call it .toml, .json or .yaml"));
        }
    };
    let expectations = parsed.map_err(|why| {
        Failure::new(FailureKind::Configuration, format!("{shown} can't be read as expectations"))
            .cause(why)
            .hint("each has `send = \"GET /path\"` and a table `expect`; the guide lists what may stand there")
    })?;
    for expectation in &expectations.requests {
        if expectation.expect == Expected::default() {
            let text = format!("{shown}: `{}` expects nothing, so it could never fail", expectation.title());
            return Err(Failure::new(FailureKind::Configuration, text).hint("say in `expect` what it shall come to"));
        }
        expectation.request_line().map_err(|why| {
            let text = format!("{shown}: `{}` is no request", expectation.send);
            Failure::new(FailureKind::Configuration, text).cause(why).hint("write `GET /path?query`")
        })?;
    }
    Ok(expectations)
}

impl Expectation {
    /// What it is called in a report.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.send)
    }

    /// Whether it is true of a product and an environment.
    #[must_use]
    pub fn is_about(&self, product: &str, environment: &str) -> bool {
        let named = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        named(&self.products, product) && named(&self.environments, environment)
    }

    /// Method and path with query string.
    pub fn request_line(&self) -> Result<(&str, &str), String> {
        let (method, target) = self.send.split_once(' ').ok_or("it has no path")?;
        if !method.bytes().all(|byte| byte.is_ascii_uppercase()) || method.is_empty() {
            return Err(format!("`{method}` is no HTTP method"));
        }
        if !target.starts_with('/') {
            return Err(format!("the path `{target}` does not begin with `/`"));
        }
        Ok((method, target))
    }
}

impl Expected {
    /// Everything in which an explanation is not as expected.
    #[must_use]
    pub fn compare(&self, actual: &Explanation) -> Vec<Mismatch> {
        // Destructured, so that a new field can't be forgotten here.
        let Self {
            outcome,
            status,
            response,
            statement,
            rule,
            route,
            route_type,
            authorizer,
            cached,
            url,
            headers,
            no_headers,
        } = self;
        let mut found = Differences::default();
        let (is, is_status, is_response) = match &actual.outcome {
            Outcome::Backend => (ExpectedOutcome::Backend, None, None),
            Outcome::Mock => (ExpectedOutcome::Mock, None, None),
            Outcome::Preflight { status } => (ExpectedOutcome::Preflight, Some(*status), None),
            Outcome::Refused { status, response, message: _, body: _ } => {
                (ExpectedOutcome::Refused, Some(*status), response.map(str::to_owned))
            }
        };
        found.compare("outcome", outcome.map(word), Some(word(is)));
        found.compare("status", status.map(|status| status.to_string()), is_status.map(|status| status.to_string()));
        found.compare("response", response.clone(), is_response);
        found.compare("statement", statement.clone(), fact(actual, "resource-policy", "statement"));
        found.compare("rule", rule.clone(), fact(actual, "web-acl", "rule"));
        let key = fact(actual, "route", "key").filter(|key| route.as_ref() == Some(key));
        found.compare("route", route.clone(), key.or_else(|| fact(actual, "route", "path")));
        found.compare("route_type", route_type.clone(), fact(actual, "route", "type"));
        let asked = fact(actual, "authorizer", "authorizer");
        let open = actual.layers.iter().any(|layer| layer.name == "authorizer").then(|| "none".to_owned());
        found.compare("authorizer", authorizer.clone(), asked.or(open));
        found.compare("cached", cached.map(|cached| cached.to_string()), fact(actual, "authorizer", "cached"));
        found.compare("url", url.clone(), actual.backend.as_ref().map(|backend| backend.url.clone()));
        for (name, value) in headers {
            found.compare(&format!("header {name}"), Some(value.clone()), header(actual, name));
        }
        for name in no_headers {
            if let Some(value) = header(actual, name) {
                found.0.push(Mismatch {
                    what: format!("header {name}"),
                    expected: "not sent".to_owned(),
                    actual: format!("`{value}`"),
                });
            }
        }
        found.0
    }
}

#[derive(Default)]
struct Differences(Vec<Mismatch>);

impl Differences {
    fn compare(&mut self, what: &str, expected: Option<String>, actual: Option<String>) {
        let Some(expected) = expected else { return };
        if actual.as_ref() == Some(&expected) {
            return;
        }
        let actual = actual.map_or("there is none".to_owned(), |actual| format!("`{actual}`"));
        self.0.push(Mismatch { what: what.to_owned(), expected: format!("`{expected}`"), actual });
    }
}

fn word(outcome: ExpectedOutcome) -> String {
    match outcome {
        ExpectedOutcome::Backend => "backend",
        ExpectedOutcome::Mock => "mock",
        ExpectedOutcome::Preflight => "preflight",
        ExpectedOutcome::Refused => "refused",
    }
    .to_owned()
}

fn fact(explanation: &Explanation, layer: &str, name: &str) -> Option<String> {
    let layer = explanation.layers.iter().find(|known| known.name == layer)?;
    Some(match layer.facts.get(name)? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// A header of the backend's request; values of the same name joined as HTTP joins them.
fn header(explanation: &Explanation, name: &str) -> Option<String> {
    let headers = &explanation.backend.as_ref()?.headers;
    let values: Vec<&str> =
        headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::execute_api::explain::{Backend, Layer};

    fn served() -> Explanation {
        let layer = |name, facts: &[(&'static str, Value)]| Layer {
            name,
            passes: true,
            why: String::new(),
            facts: facts.iter().cloned().collect(),
            notes: Vec::new(),
        };
        Explanation {
            layers: vec![
                layer("resource-policy", &[("statement", "allow-all".into())]),
                layer("route", &[("path", "/a/{proxy+}".into()), ("type", "normal_path".into())]),
                layer("authorizer", &[("authorizer", "auth".into()), ("cached", true.into())]),
            ],
            outcome: Outcome::Backend,
            backend: Some(Backend {
                integration: "HTTP_PROXY",
                method: "GET".into(),
                url: "http://a/".into(),
                vpc_link: None,
                timeout_ms: 29_000,
                headers: vec![("x-user-id".into(), String::new()), ("accept".into(), "a".into())],
                mapped: BTreeMap::new(),
            }),
        }
    }

    fn expected(toml: &str) -> Expected {
        toml_edit::de::from_str(toml).unwrap()
    }

    #[test]
    fn what_is_as_expected_says_nothing() {
        let expected = expected(
            r#"
            outcome = "backend"
            statement = "allow-all"
            route = "/a/{proxy+}"
            route_type = "normal_path"
            authorizer = "auth"
            cached = true
            url = "http://a/"
            headers = { X-User-Id = "", accept = "a" }
            no_headers = ["x-other"]
            "#,
        );
        assert_eq!(expected.compare(&served()), []);
    }

    #[test]
    fn every_field_can_be_wrong() {
        let all = [
            "outcome = \"mock\"",
            "status = 403",
            "response = \"THROTTLED\"",
            "statement = \"x\"",
            "rule = \"x\"",
            "route = \"x\"",
            "route_type = \"white_path\"",
            "authorizer = \"none\"",
            "cached = false",
            "url = \"x\"",
            "headers = { accept = \"b\" }",
            "headers = { x-none = \"b\" }",
            "no_headers = [\"Accept\"]",
        ];
        for text in all {
            let found = expected(text).compare(&served());
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
    }

    #[test]
    fn an_open_route_has_no_authorizer() {
        let mut open = served();
        open.layers[2].facts.clear();
        assert_eq!(expected("authorizer = \"none\"").compare(&open), []);
    }

    #[test]
    fn files_with_faults_say_what_and_where() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, words) in [
            ("a.toml", "[[request]]\nsend = \"GET /x\"\nexpct = {}\n", "expct"),
            ("b.toml", "[[request]]\nsend = \"get /x\"\nexpect.status = 1\n", "no HTTP method"),
            ("c.json", "{\"request\": [{\"send\": \"GET x\", \"expect\": {\"status\": 1}}]}", "does not begin"),
            ("d.yaml", "request: 5\n", "request"),
            ("e.ini", "", "ending"),
            ("f.toml", "[[request]]\nsend = \"GET /x\"\nexpect = {}\n", "expects nothing"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let failure = read(&path).unwrap_err();
            let whole = format!("{failure} {:?}", failure.hints());
            assert!(whole.contains(words), "{name}: {whole}");
        }
        assert!(read(&folder.path().join("none.toml")).is_err());
    }

    #[test]
    fn an_expectation_is_about_what_it_names() {
        let file = folder_with("[[request]]\nsend = \"GET /x\"\nenvironments = [\"dev\"]\nexpect.status = 401\n");
        let one = &file.requests[0];
        assert!(one.is_about("any", "dev") && !one.is_about("any", "prod"));
        assert_eq!((one.title(), one.request_line()), ("GET /x", Ok(("GET", "/x"))));
    }

    fn folder_with(toml: &str) -> Expectations {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.toml");
        std::fs::write(&path, toml).unwrap();
        read(&path).unwrap()
    }
}

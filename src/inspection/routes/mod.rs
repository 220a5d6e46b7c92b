//! The table of routes: those that the configuration wants beside those that AWS holds and those that a stage serves.
//!
//! Of a REST API there are three: what is wanted, what is edited (the API as the console shows it), and what is served, the
//! snapshot of the stage's deployment. Wanted and edited are compared as wholes. An export of what is served has another form
//! (aws-facts B), so that of it only what [`Facts`] name is compared. An HTTP API serves what is edited.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Glob;
use crate::model::Address;

pub use read::{of_export, of_http_api, of_rest_api};

/// Path and method of a route: the method is `ANY` where it takes all, and the path `$default` where it takes what no other does.
pub type Key = (String, String);

/// What can be told of a route wherever it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// `HTTP_PROXY`, `HTTP`, `AWS_PROXY`, `AWS` or `MOCK`.
    pub integration: String,
    /// The method that the backend is called with.
    pub backend_method: Option<String>,
    /// Where requests go.
    pub target: Option<String>,
    /// The VPC link.
    pub link: Option<String>,
    /// The authorizer's name, or `AWS_IAM`.
    pub authorizer: Option<String>,
    /// Whether an API key is asked for.
    pub api_key: bool,
    /// Milliseconds that the backend has.
    pub timeout_ms: i64,
}

/// A route where it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// What can be told of it anywhere.
    pub facts: Facts,
    /// All of it; nothing of an export.
    pub whole: Option<Value>,
}

/// The routes of an API in one place.
pub type Routes = BTreeMap<Key, Route>;

/// One API, wherever its routes were read.
#[derive(Debug, Clone)]
pub struct Api {
    /// Its address.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// What the configuration wants; nothing where it wants no such API.
    pub wanted: Option<Routes>,
    /// What AWS holds; nothing where it is not there, or was not looked at.
    pub edited: Option<Routes>,
    /// What the stage serves.
    pub served: Option<Routes>,
    /// Whether AWS was looked at at all.
    pub looked: bool,
    /// The list of the environment file that each path is in.
    pub types: BTreeMap<String, String>,
    /// The spec of the stage, for limits and caches of single routes.
    pub stage: Option<Value>,
}

/// How a route stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is served as it is wanted.
    Live,
    /// It is wanted, and no stage serves it.
    NotDeployed,
    /// Nobody wants it, and AWS has it.
    OnlyInAws,
    /// It is served or edited otherwise than wanted.
    Differs,
    /// AWS was not looked at.
    Wanted,
}

impl State {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::NotDeployed => "not deployed yet",
            Self::OnlyInAws => "only in AWS",
            Self::Differs => "differs",
            Self::Wanted => "wanted",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The API's address.
    pub api: Address,
    /// The API's name.
    pub api_name: String,
    /// `GET`, or `ANY`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The list of the environment file that it is in.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The service: the first part of the path, or that of an HTTP API.
    pub service: String,
    /// What it does, as wanted; of one that nobody wants, as it is.
    #[serde(flatten)]
    pub facts: Facts,
    /// Limits of its own.
    pub throttling: Option<String>,
    /// Whether answers are cached.
    pub cached: bool,
    /// How it stands.
    pub state: State,
    /// What is otherwise, in words.
    pub differences: Vec<String>,
    /// Whether a stage serves it.
    pub served: bool,
}

impl Api {
    /// The lines of the API, by path.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let all = [&self.wanted, &self.edited, &self.served];
        let keys: BTreeSet<&Key> = all.into_iter().flatten().flat_map(BTreeMap::keys).collect();
        keys.into_iter().filter_map(|key| self.line(key)).collect()
    }

    fn line(&self, key: &Key) -> Option<Line> {
        let of = |routes: &'_ Option<Routes>| routes.as_ref().and_then(|routes| routes.get(key)).cloned();
        let (wanted, edited, served) = (of(&self.wanted), of(&self.edited), of(&self.served));
        let (state, differences) = self.state(wanted.as_ref(), edited.as_ref(), served.as_ref());
        let is_served = served.is_some();
        let shown = wanted.or(served).or(edited)?;
        let (path, method) = key;
        let (throttling, cached) = self.settings(path, method);
        let first = path.split('/').find(|part| !part.is_empty()).unwrap_or("/");
        let service = if self.address.kind() == "http-api" { self.address.name() } else { first };
        Some(Line {
            api: self.address.clone(),
            api_name: self.name.clone(),
            method: method.clone(),
            path: path.clone(),
            kind: self.types.get(path).cloned(),
            service: service.to_owned(),
            facts: shown.facts,
            throttling,
            cached,
            state,
            differences,
            served: is_served,
        })
    }

    fn state(&self, wanted: Option<&Route>, edited: Option<&Route>, served: Option<&Route>) -> (State, Vec<String>) {
        if !self.looked {
            return (State::Wanted, Vec::new());
        }
        let Some(wanted) = wanted else {
            let note = if served.is_none() { vec!["not deployed".to_owned()] } else { Vec::new() };
            return (State::OnlyInAws, note);
        };
        let Some(served) = served else {
            let note = match edited {
                Some(edited) if differs(wanted, edited) => vec!["edited otherwise".to_owned()],
                _ => Vec::new(),
            };
            return (State::NotDeployed, note);
        };
        let mut notes = differences(&wanted.facts, &served.facts);
        if notes.is_empty() && served.whole.is_some() && differs(wanted, served) {
            notes.push("settings of the route".to_owned());
        }
        match edited {
            Some(edited) if differs(wanted, edited) => {
                let edits = differences(&wanted.facts, &edited.facts);
                let edits = if edits.is_empty() { "settings of the method".to_owned() } else { edits.join(", ") };
                // What is served in the same way was deployed.
                if served.whole.is_none() && edited.facts != served.facts {
                    notes.push(format!("edited, and not deployed: {edits}"));
                }
            }
            None => notes.push("deleted, and still served".to_owned()),
            Some(_) => {}
        }
        (if notes.is_empty() { State::Live } else { State::Differs }, notes)
    }

    /// Limits and cache of the route itself.
    fn settings(&self, path: &str, method: &str) -> (Option<String>, bool) {
        let Some(stage) = &self.stage else { return (None, false) };
        let limits = |settings: &Value, rate: &str, burst: &str| {
            let number = |name: &str| Some(settings.get(name)?.as_f64()?.to_string());
            Some(format!("{}/s, {} at once", number(rate)?, number(burst)?))
        };
        let key = format!("{}/{method}", path.replace('~', "~0").replace('/', "~1"));
        if let Some(own) = stage.get("method_settings").and_then(|all| all.get(&key)) {
            let cached = own.get("caching").and_then(Value::as_bool).unwrap_or_default();
            return (limits(own, "throttling_rate_limit", "throttling_burst_limit"), cached);
        }
        let name = if path == read::DEFAULT { path.to_owned() } else { format!("{method} {path}") };
        let own = stage.get("route_settings").and_then(|all| all.get(&name)?.get("throttling"));
        let all = stage.pointer("/method_settings/*~1*/caching").and_then(Value::as_bool).unwrap_or_default();
        (own.and_then(|own| limits(own, "rate_limit", "burst_limit")), all)
    }
}

fn differs(one: &Route, other: &Route) -> bool {
    match (&one.whole, &other.whole) {
        (Some(one), Some(other)) => crate::model::without_nulls(one) != crate::model::without_nulls(other),
        _ => one.facts != other.facts,
    }
}

/// What is otherwise in AWS, each with what is wanted and what is there.
fn differences(wanted: &Facts, there: &Facts) -> Vec<String> {
    let Facts { integration, backend_method, target, link, authorizer, api_key, timeout_ms } = wanted;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let pairs = [
        ("integration", integration.clone(), there.integration.clone()),
        ("method", text(backend_method), text(&there.backend_method)),
        ("target", text(target), text(&there.target)),
        ("VPC link", text(link), text(&there.link)),
        ("authorizer", text(authorizer), text(&there.authorizer)),
        ("API key", api_key.to_string(), there.api_key.to_string()),
        ("timeout", format!("{timeout_ms} ms"), format!("{} ms", there.timeout_ms)),
    ];
    let other = pairs.into_iter().filter(|(_, wanted, there)| wanted != there);
    other.map(|(name, wanted, there)| format!("{name} {there} instead of {wanted}")).collect()
}

/// Which lines somebody wants to see.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that are served.
    pub served: bool,
    /// The path.
    pub path: Option<Glob>,
    /// The types; none: all.
    pub types: Vec<String>,
    /// The service, or the host of the backend.
    pub service: Option<Glob>,
    /// The methods; none: all. Routes that take any are wanted with each.
    pub methods: Vec<String>,
}

impl Filter {
    /// Whether a line is wanted.
    #[must_use]
    pub fn wants(&self, line: &Line) -> bool {
        let Self { served, path, types, service, methods } = self;
        let host = line.facts.target.as_deref().and_then(|target| target.split("://").nth(1));
        let host = host.and_then(|rest| rest.split(['/', ':']).next());
        (!served || line.served)
            && path.as_ref().is_none_or(|glob| glob.matches(&line.path))
            && (types.is_empty() || line.kind.as_ref().is_some_and(|kind| types.contains(kind)))
            && service
                .as_ref()
                .is_none_or(|glob| glob.matches(&line.service) || host.is_some_and(|host| glob.matches(host)))
            && (methods.is_empty()
                || line.method == read::ANY
                || methods.iter().any(|method| method.eq_ignore_ascii_case(&line.method)))
    }
}

#[cfg(test)]
mod tests;

//! What an environment file would have to say for a gateway to become what is there.
//!
//! Settings are read off the live resources one by one; what the file does not say comes from the stack's defaults, so only
//! what differs from them is written ([`over`]). Whether the outcome fits is not judged here: the file is expanded and
//! planned like any other, and what the plan would change is what does not fit ([`misfits`]).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::matching::Settled;
use crate::config::{CHANNEL_SOURCE, LogFormat};
use crate::kinds::lambda_function::LambdaFunctionSpec;
use crate::kinds::rest_api::RestApiSpec;
use crate::kinds::stage::StageSpec;
use crate::model::{Address, Input};

/// What was found of a gateway.
#[derive(Debug, Clone)]
pub struct Found {
    /// The environment that the file is for.
    pub environment: String,
    /// The first part of names, where none can be told.
    pub product: String,
    /// The API.
    pub api: RestApiSpec,
    /// The stage.
    pub stage: StageSpec,
    /// The function behind the authorizers that keep answers, or the only one.
    pub function: Option<LambdaFunctionSpec>,
    /// Days that the access log keeps, where it has a group with an end.
    pub retention_in_days: Option<i64>,
}

/// Something of a live gateway that no environment file makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where it is: an address, or a part of the API.
    pub place: String,
    /// What is the matter.
    pub why: String,
    /// The file that would have to change, or what else to do.
    pub hint: String,
    /// The fields or names that it is about.
    pub fields: Vec<String>,
}

/// The settings of the file, its routes and names aside.
#[must_use]
pub fn settings(found: &Found) -> Map<String, Value> {
    let Found { api, stage, .. } = found;
    let mut file = Map::new();
    let mut set = |key: &str, value: Value| file.insert(key.to_owned(), value);
    set("app_group", app_group(found).into());
    set("gateway_stage_name", stage.name.clone().into());
    set("vpc_link_id", vpc_link(api).unwrap_or_else(|| "none".to_owned()).into());
    if let Some(all) = stage.method_settings.get("*/*") {
        set("throttling_rate_limit", number(all.throttling_rate_limit));
        set("throttling_burst_limit", all.throttling_burst_limit.into());
        set("logging_level", all.logging_level.clone().into());
        set("data_trace", all.data_trace.into());
        set("metrics", all.metrics.into());
    }
    let ttl = api.authorizers.values().map(|one| one.ttl_seconds).max().unwrap_or_default();
    set("authorizer_result_ttl", ttl.into());
    if let Some(log) = &stage.access_log {
        set("log_format", log_format(&log.format));
    }
    if let Some(days) = found.retention_in_days {
        set("retention_in_days", days.into());
    }
    set("binary_media_types", json!(api.binary_media_types));
    if let Some(description) = &api.description {
        set("description", description.clone().into());
    }
    set("tags", json!(api.tags));
    let variables: BTreeMap<&String, &str> =
        stage.variables.iter().filter_map(|(name, value)| Some((name, value.known().ok()?))).collect();
    set("stage_variables", json!(variables));
    set("xray_tracing", stage.xray.into());
    if let Some(bytes) = api.minimum_compression_size {
        set("minimum_compression_size", bytes.into());
    }
    set("endpoint_type", api.endpoint_type.clone().into());
    set("vpc_endpoint_ids", json!(api.vpc_endpoint_ids));
    if let Some(function) = &found.function {
        if let Some(vpc) = &function.vpc {
            let groups: Vec<&str> = vpc.security_group_ids.iter().filter_map(|group| group.known().ok()).collect();
            set("private_subnet", json!(vpc.subnet_ids));
            set("security_group_ids", json!(groups));
        }
        set("authorizer", authorizer(api, function));
    }
    file
}

/// The first part of the names, told by the API's, or by those of its authorizers.
fn app_group(found: &Found) -> String {
    let environment = &found.environment;
    let of_api = found.api.name.strip_suffix(&format!("-gateway-{environment}"));
    let mut of_authorizers =
        found.api.authorizers.keys().filter_map(|name| name.strip_suffix(&format!("-api-authorizer-{environment}")));
    let is_name = |text: &&str| {
        !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-'))
    };
    of_api.filter(is_name).or(of_authorizers.next()).filter(is_name).unwrap_or(&found.product).to_owned()
}

/// The link that most of the API's requests take.
fn vpc_link(api: &RestApiSpec) -> Option<String> {
    let mut links: BTreeMap<&str, usize> = BTreeMap::new();
    for integration in api.routes.values().flat_map(BTreeMap::values).filter_map(|method| method.integration.as_ref()) {
        if let Some(id) = integration.connection_id.as_deref().filter(|id| !id.contains("${")) {
            *links.entry(id).or_default() += 1;
        }
    }
    links.into_iter().max_by_key(|(_, uses)| *uses).map(|(id, _)| id.to_owned())
}

/// A number as people write it: `50`, not `50.0`.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked in the same line")]
    let whole = (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64);
    whole.map_or_else(|| json!(value), Value::from)
}

/// The fields of the line, if they make the very same line again.
fn log_format(line: &str) -> Value {
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) if LogFormat::Json(fields.clone()).to_line() == line => Value::Object(fields),
        _ => line.into(),
    }
}

/// How the functions are made, and what their variables say.
fn authorizer(api: &RestApiSpec, function: &LambdaFunctionSpec) -> Value {
    let mut settings = Map::new();
    if let Some(one) = api.authorizers.values().next() {
        let sources: Vec<&String> = one.identity_source.iter().filter(|source| *source != CHANNEL_SOURCE).collect();
        settings.insert("identity_source".to_owned(), json!(sources));
        settings.insert("channel_required".to_owned(), (sources.len() < one.identity_source.len()).into());
    }
    let mut set = |key: &str, value: Value| settings.insert(key.to_owned(), value);
    set("architecture", function.architecture.clone().into());
    set("memory_size", function.memory_mb.into());
    set("timeout", function.timeout_seconds.into());
    set("runtime", function.runtime.clone().into());
    set("handler", function.handler.clone().into());
    if let Some(reserved) = function.reserved_concurrency {
        set("reserved_concurrency", reserved.into());
    }
    let mut others = Map::new();
    for (name, value) in &function.environment {
        let Input::Known(text) = value else { continue };
        let parsed = || serde_json::from_str::<Value>(text).ok();
        match (name.as_str(), parsed()) {
            ("RESULT_CACHED" | "AUTH_CHANNEL_REQUIRED", _) => {}
            ("AUTH_HOST", _) => drop(set("auth_host", text.clone().into())),
            ("AUTH_PATH", _) => drop(set("auth_path", text.clone().into())),
            ("AUTH_UNKNOWN_CHANNEL", _) => drop(set("unknown_channel", text.clone().into())),
            ("AUTH_TIMEOUT_MS", Some(Value::Number(number))) => drop(set("auth_timeout_ms", number.into())),
            ("AUTH_CHANNELS", Some(Value::Object(channels))) => drop(set("channels", channels.into())),
            ("METRICS", Some(Value::Bool(metrics))) => drop(set("metrics", metrics.into())),
            _ => drop(others.insert(name.clone(), text.clone().into())),
        }
    }
    if !others.is_empty() {
        set("environment", others.into());
    }
    settings.into()
}

/// How many variables of functions a file holds: each may be a secret.
#[must_use]
pub fn variables(file: &Value) -> usize {
    file.pointer("/authorizer/environment").and_then(Value::as_object).map_or(0, Map::len)
}

/// The host behind the link, as the setting `ingress` writes it: told by the first path that leads to one of a service.
#[must_use]
pub fn ingress(api: &RestApiSpec, environment: &str) -> Option<Value> {
    for (path, methods) in &api.routes {
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let (Some(service), Some(_)) = (parts.next(), parts.next()) else { continue };
        for integration in methods.values().filter_map(|method| method.integration.as_ref()) {
            let linked = integration.connection_type.as_deref() == Some("VPC_LINK");
            let Some((scheme, rest)) =
                integration.uri.as_deref().filter(|_| linked).and_then(|uri| uri.split_once("://"))
            else {
                continue;
            };
            let host = rest.split('/').next().unwrap_or_default();
            if service.starts_with('{') || !host.contains(service) {
                continue;
            }
            let host = host.replacen(service, "${service}", 1).replace(&format!("-{environment}."), "-${env}.");
            return Some(json!({"service_host": host, "scheme": scheme}));
        }
    }
    None
}

/// What has to be laid on `under` to make it `wanted`: what is there already is left out, `null` takes a key away.
#[must_use]
pub fn over(under: &Value, wanted: &Value) -> Option<Value> {
    let (Value::Object(below), Value::Object(above)) = (under, wanted) else {
        return (under != wanted).then(|| wanted.clone());
    };
    let mut laid = Map::new();
    for (key, value) in above {
        let under = below.get(key);
        // A log format is one value, though it is written as an object.
        let value = match under {
            Some(under) if key == "log_format" => (under != value).then(|| value.clone()),
            Some(under) => over(under, value),
            None => Some(value.clone()),
        };
        laid.extend(value.map(|value| (key.clone(), value)));
    }
    laid.extend(below.keys().filter(|key| !above.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
    (!laid.is_empty()).then_some(laid.into())
}

/// The settings of a file that the defaults do not make. A setting that was not read off is left to the defaults.
#[must_use]
pub fn beside_defaults(defaults: &Value, mut settings: Map<String, Value>) -> Map<String, Value> {
    let none = Map::new();
    let below = defaults.as_object().unwrap_or(&none);
    for (key, under) in below {
        let (Value::Object(under), Some(Value::Object(wanted))) = (under, settings.get_mut(key)) else { continue };
        if key == "log_format" {
            continue;
        }
        // Members that say nothing of what is there: not every setting leaves a trace in AWS.
        for (name, value) in under {
            if !wanted.contains_key(name) && name != "channels" {
                wanted.insert(name.clone(), value.clone());
            }
        }
    }
    let mut file = Map::new();
    for (key, value) in settings {
        let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        let kept = match below.get(&key) {
            Some(under) => over(under, &value).filter(|_| key != "log_format" || *under != value),
            None if empty => None,
            None => Some(value.clone()),
        };
        let kept = if key == "log_format" { kept.map(|_| value) } else { kept };
        file.extend(kept.map(|kept| (key, kept)));
    }
    file
}

/// What a change says that the plan of the gateway's own file would make; nothing for what follows from the rest: the
/// deployment, AWS's own log group, and code, which can't be compared with anything.
#[must_use]
pub fn misfit_of_change(address: &Address, path: &[String]) -> Option<Misfit> {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let stack = address.stack();
    let (place, why, hint, fields) = match (address.kind(), words.as_slice()) {
        ("deployment" | "execution-log-group" | "function-version", _)
        | ("lambda-function", ["code_sha256"])
        | ("stage", ["deployment"]) => return None,
        ("rest-api", ["policy", ..]) => (
            "resource policy".to_owned(),
            "it is not the stack's",
            format!("write it into stacks/{stack}/policy.json"),
            &words[words.len()..],
        ),
        ("rest-api", ["gateway_responses", name, ..]) => (
            "gateway responses".to_owned(),
            "they are not the stack's",
            format!("write them into stacks/{stack}/gateway_responses.json"),
            &[*name][..],
        ),
        ("rest-api", ["routes", route, rest @ ..]) => (
            format!("route {route}"),
            "no template makes it, and the nearest one differs",
            format!("write a template into stacks/{stack}/routes/, or let the plan change it"),
            rest,
        ),
        ("rest-api", ["authorizers", name, ..]) => (
            "authorizers".to_owned(),
            "they are not the stack's",
            "the plan makes the stack's, and takes others away".to_owned(),
            &[*name][..],
        ),
        _ => (address.to_string(), "the stack makes it otherwise", "the plan changes it".to_owned(), words.as_slice()),
    };
    let fields = if fields.is_empty() { Vec::new() } else { vec![fields.join(".")] };
    Some(Misfit { place, why: why.to_owned(), hint, fields })
}

/// One misfit for each place, with all of its fields.
#[must_use]
pub fn grouped(all: Vec<Misfit>) -> Vec<Misfit> {
    let mut groups: BTreeMap<(String, String), Misfit> = BTreeMap::new();
    for one in all {
        let group = groups
            .entry((one.place.clone(), one.why.clone()))
            .or_insert_with(|| Misfit { fields: Vec::new(), ..one.clone() });
        group.fields.extend(one.fields);
    }
    let mut groups: Vec<Misfit> = groups.into_values().collect();
    for group in &mut groups {
        group.fields.sort();
        group.fields.dedup();
    }
    groups
}

/// What stands beside the gateway that the file would make, and is not in the file.
#[must_use]
pub fn misfits_of(settled: &Settled) -> Vec<Misfit> {
    let kinds = |kind: &str| matches!(kind, "deployment" | "execution-log-group" | "function-version");
    let left = settled.left.iter().filter(|left| !kinds(left.address.kind())).map(|left| Misfit {
        place: left.address.to_string(),
        why: left.why.clone(),
        hint: left.hint.clone().unwrap_or_else(|| "the next plan makes what is missing".to_owned()),
        fields: Vec::new(),
    });
    left.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn only_what_differs_from_the_defaults_is_written() {
        let defaults = json!({
            "rate": 1, "list": ["a"], "log_format": {"a": 1, "b": 2},
            "authorizer": {"memory_size": 128, "timeout": 15, "channels": {"x": {}, "y": {}}}
        });
        let settings = json!({
            "rate": 1, "list": [], "log_format": {"a": 1}, "tags": {}, "description": "d",
            "authorizer": {"memory_size": 256, "channels": {"x": {"z": 1}}}
        });
        assert_eq!(
            Value::Object(beside_defaults(&defaults, object(settings))),
            json!({
                "list": [], "log_format": {"a": 1}, "description": "d",
                "authorizer": {"memory_size": 256, "channels": {"x": {"z": 1}, "y": null}}
            })
        );
    }

    #[test]
    fn a_log_format_is_fields_where_they_make_the_same_line() {
        assert_eq!(log_format(r#"{"a":"x","b":"y"}"#), json!({"a": "x", "b": "y"}));
        for line in [r#"{"b":"y","a":"x"}"#, r#"{"a": "x"}"#, "$context.requestId", ""] {
            assert_eq!(log_format(line), json!(line), "{line}");
        }
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!((number(50.0), number(0.5), number(-1.0)), (json!(50), json!(0.5), json!(-1)));
    }

    #[test]
    fn one_place_is_told_once() {
        let change = |field: &str| {
            let path = ["routes", "/a", "ANY", field].map(str::to_owned);
            misfit_of_change(&Address::parse("gate/rest-api/gateway").unwrap(), &path).unwrap()
        };
        let grouped = grouped(vec![change("z"), change("a"), change("z")]);
        assert_eq!((grouped.len(), grouped[0].fields.as_slice()), (1, &["ANY.a".to_owned(), "ANY.z".to_owned()][..]));
    }

    #[test]
    fn what_follows_from_the_rest_is_no_misfit() {
        let change = |address: &str, path: &[&str]| {
            let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
            misfit_of_change(&Address::parse(address).unwrap(), &path).map(|misfit| misfit.place)
        };
        assert_eq!(change("gate/stage/gateway", &["deployment"]), None);
        assert_eq!(change("gate/lambda-function/authorizer", &["code_sha256"]), None);
        assert_eq!(change("gate/rest-api/gateway", &["policy"]), Some("resource policy".to_owned()));
        assert_eq!(change("gate/rest-api/gateway", &["routes", "/a", "ANY"]), Some("route /a".to_owned()));
        assert_eq!(change("gate/stage/gateway", &["xray"]), Some("gate/stage/gateway".to_owned()));
    }
}

//! The services behind the edge: an HTTP API each, its routes, and where its requests go.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fields::{Fields, Text};
use super::super::network::is_domain;
use super::super::node::{Member, Node, NodeValue};
use super::super::read_settings::{is_name, narrow};

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What it is for.
    pub description: Option<String>,
    /// The host name that the load balancer knows it by; the certificate of the listener has it.
    pub host: String,
    /// The path it is asked under: a parameter mapping's value, such as `$request.path` or `/v1/$request.path.proxy`.
    pub path: Option<String>,
    /// The first part of the path below the domain name; empty: the whole domain.
    pub mapping: String,
    /// Its routes.
    pub routes: Vec<EdgeRoute>,
    /// Milliseconds that it may take to answer.
    pub timeout_ms: i32,
    /// The method that the service is asked with; `ANY`: the client's own.
    pub method: String,
    /// Whether it can be reached under the domain name only.
    pub disable_execute_api_endpoint: bool,
    /// Seconds that a CNAME record from `host` to the load balancer is kept; none: no such record.
    pub cname_ttl: Option<i64>,
    /// Further parameter mappings, as API Gateway writes them.
    pub parameters: BTreeMap<String, String>,
}

/// A route of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeRoute {
    /// `GET /courses`, `ANY /{proxy+}` or `$default`
    pub key: String,
    /// Scopes of which a token must have one.
    pub scopes: BTreeSet<String>,
    /// Whether anybody may call it, though there is an authorizer.
    pub open: bool,
}

/// What browsers of other origins may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Origins.
    pub allow_origins: BTreeSet<String>,
    /// Methods.
    pub allow_methods: BTreeSet<String>,
    /// Headers of requests.
    pub allow_headers: BTreeSet<String>,
    /// Headers of answers that a page may read.
    pub expose_headers: BTreeSet<String>,
    /// Seconds that a browser keeps the answer.
    pub max_age_seconds: Option<i32>,
    /// Whether requests may carry credentials.
    pub allow_credentials: bool,
}

/// The methods of HTTP APIs (API Gateway's guide, "Create routes for HTTP APIs").
const METHODS: [&str; 8] = ["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Headers whose mappings are gwctl's own.
const OWN_HEADERS: [&str; 2] = [":header.client-ip", ":header.host"];

/// Routes of an API (aws-facts A).
const ROUTES_PER_API: usize = 300;

pub(super) fn read<'a>(fields: &mut Fields<'a, '_>) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    let mut mappings: BTreeMap<String, &'a Member> = BTreeMap::new();
    let Some(member) = fields.required_here("services") else { return services };
    let Some(mut inner) = fields.inside("`services`", member) else { return services };
    for entry in member.value.members().unwrap_or_default() {
        let Some(named) = inner.get(&entry.key) else { continue };
        if !is_name(&entry.key) {
            let message = format!("`{}` can't name a service", entry.key);
            inner.faults.error(&entry.key_span, message, "use letters, digits, `_` and `-`");
        }
        let Some(service) = read_service(named, &mut inner) else { continue };
        if let Some(first) = mappings.insert(service.mapping.clone(), entry) {
            let message = format!("`{}` and `{}` are mapped to the same path", first.key, entry.key);
            inner.faults.error(&entry.key_span, message, "give one of them another `mapping`");
        }
        services.insert(entry.key.clone(), service);
    }
    if member.value.members().is_some_and(<[Member]>::is_empty) {
        inner.faults.error(&member.key_span, "`services` names no service", "add one with `host` and `routes`");
    }
    inner.finish();
    services
}

fn read_service<'a>(member: &'a Member, fields: &mut Fields<'a, '_>) -> Option<Service> {
    let mut inner = fields.inside("this service", member)?;
    let host = inner.required_here("host");
    let host = inner.text(host);
    if let Some(text) = host.filter(|text| !is_domain(text.value)) {
        let message = format!("`{}` is no host name", text.value);
        inner.faults.error(
            &text.node.span,
            message,
            "write the host alone in lower case, without scheme, port or path",
        );
    }
    let mapping = mapping(&member.key, &mut inner);
    let routes = inner.required_here("routes");
    let routes = routes.map(|list| read_routes(list, &mut inner)).unwrap_or_default();
    let timeout = inner.get("timeout_ms");
    // HTTP APIs wait for 30 s at most (API Gateway's quotas).
    let timeout = inner.whole(timeout, &(50..=30_000), " milliseconds", "write at most 30000");
    let method = inner.get("method");
    let method = inner.choice(method, &METHODS).unwrap_or("ANY").to_owned();
    let ttl = inner.get("cname_ttl_seconds");
    let cname_ttl = inner.whole(ttl, &(0..=3600), " seconds", "write how long resolvers keep it: 60");
    let disabled = inner.get("disable_execute_api_endpoint");
    let disable_execute_api_endpoint = inner.flag(disabled).unwrap_or_default();
    let mut text = |key| {
        let member = inner.get(key);
        inner.text(member).map(|text| text.value.to_owned())
    };
    let (description, path) = (text("description"), text("path"));
    let parameters = inner.get("parameters");
    let parameters = inner.text_map(parameters).into_iter().map(|(key, value)| (key.key.clone(), value.to_owned()));
    let parameters: BTreeMap<String, String> = parameters.collect();
    // What a client writes there must never be taken for its address.
    if let Some(key) = parameters.keys().find(|key| OWN_HEADERS.iter().any(|own| key.ends_with(own))) {
        let message = format!("`{key}` is set by gwctl: services and the allow list rely on it");
        inner.faults.error(&member.key_span, message, "take it out of `parameters`");
    }
    inner.finish();
    Some(Service {
        description,
        host: host?.value.to_owned(),
        path,
        mapping,
        routes,
        timeout_ms: timeout.map_or(30_000, narrow),
        method,
        disable_execute_api_endpoint,
        cname_ttl,
        parameters,
    })
}

/// The key of the mapping: the service's name, if nothing else is said.
fn mapping(name: &str, fields: &mut Fields<'_, '_>) -> String {
    let Some(member) = fields.get("mapping") else { return name.to_owned() };
    let Some(key) = member.value.as_str() else {
        fields.text(Some(member));
        return String::new();
    };
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&b));
    if !key.is_empty() && !key.split('/').all(part) {
        let message = format!("`{key}` can't be the path of a mapping");
        fields.faults.error(&member.value.span, message, "write it without slashes at its ends, such as `shop/v1`");
    }
    key.to_owned()
}

fn read_routes<'a>(member: &'a Member, fields: &mut Fields<'a, '_>) -> Vec<EdgeRoute> {
    let mut routes: Vec<(EdgeRoute, &'a Node)> = Vec::new();
    let Some(items) = member.value.items() else {
        fields.texts(Some(member));
        return Vec::new();
    };
    for item in items {
        let Some(route) = read_route(item, fields) else { continue };
        if let Some(message) = key_fault(&route.key) {
            let hint = "write `GET /courses/{id}`, `ANY /{proxy+}` or `$default`";
            fields.faults.error(&item.span, message, hint);
        }
        if let Some((_, first)) = routes.iter().find(|(known, _)| known.key == route.key) {
            let message = format!("`{}` is listed twice", route.key);
            fields.faults.error(&item.span, message, "keep one of the two").relate(&first.span, "first listed here");
            continue;
        }
        if route.open && !route.scopes.is_empty() {
            let message = "a route that anybody may call has no scopes";
            fields.faults.error(&item.span, message, "take away `scopes`, or `\"authorizer\": \"none\"`");
        }
        routes.push((route, item));
    }
    if routes.is_empty() || routes.len() > ROUTES_PER_API {
        let message = format!("there are {} routes; an API has 1 to {ROUTES_PER_API}", routes.len());
        fields.faults.error(&member.key_span, message, "let `ANY /{proxy+}` stand for many");
    }
    routes.into_iter().map(|(route, _)| route).collect()
}

/// `"GET /courses"`, or an object with more to say.
fn read_route(item: &Node, fields: &mut Fields<'_, '_>) -> Option<EdgeRoute> {
    if let NodeValue::String(key) = &item.value {
        return Some(EdgeRoute { key: key.clone(), scopes: BTreeSet::new(), open: false });
    }
    let mut inner = Fields::of("routes", "this route", item, fields.faults)?;
    let key = inner.required_here("route");
    let key = inner.text(key).map(|text| text.value.to_owned());
    let scopes = inner.get("scopes");
    let scopes = inner.texts(scopes).into_iter().map(|text| text.value.to_owned()).collect();
    let open = inner.get("authorizer");
    let open = inner.choice(open, &["none", "jwt"]) == Some("none");
    inner.finish();
    Some(EdgeRoute { key: key?, scopes, open })
}

/// What is wrong with a route key.
fn key_fault(key: &str) -> Option<String> {
    if key == "$default" {
        return None;
    }
    let Some((method, path)) = key.split_once(' ') else { return Some(format!("`{key}` is no route")) };
    if !METHODS.contains(&method) {
        return Some(format!("`{method}` is no method of an HTTP API"));
    }
    if !path.starts_with('/') || path.contains(' ') || (path.len() > 1 && path.ends_with('/')) {
        return Some(format!("`{path}` is no path of a route"));
    }
    let parts: Vec<&str> = path[1..].split('/').collect();
    let broken = |(index, part): (usize, &&str)| match part.strip_prefix('{') {
        Some(rest) => match rest.strip_suffix('}') {
            None | Some("" | "+") => true,
            Some(name) => name.ends_with('+') && index + 1 < parts.len(),
        },
        None => part.contains(['{', '}']) || (part.is_empty() && path != "/"),
    };
    parts.iter().enumerate().any(broken).then(|| format!("`{path}` is no path of a route"))
}

pub(super) fn cors(fields: &mut Fields<'_, '_>) -> Option<Cors> {
    let member = fields.get("cors")?;
    let mut inner = fields.inside("`cors`", member)?;
    let credentials = inner.get("allow_credentials");
    let allow_credentials = inner.flag(credentials).unwrap_or_default();
    let age = inner.get("max_age_seconds");
    let max_age_seconds = inner.whole(age, &(-1..=86_400), " seconds", "write at most a day").map(narrow);
    let mut set = |key| {
        let member = inner.get(key);
        inner.texts(member).into_iter().map(|text: Text<'_>| text.value.to_owned()).collect::<BTreeSet<_>>()
    };
    let cors = Cors {
        allow_origins: set("allow_origins"),
        allow_methods: set("allow_methods"),
        allow_headers: set("allow_headers"),
        expose_headers: set("expose_headers"),
        max_age_seconds,
        allow_credentials,
    };
    inner.finish();
    if cors.allow_credentials && cors.allow_origins.contains("*") {
        let message = "browsers refuse credentials where every origin is allowed";
        fields.faults.error(&member.key_span, message, "name the origins, or leave `allow_credentials` out");
    }
    Some(cors)
}

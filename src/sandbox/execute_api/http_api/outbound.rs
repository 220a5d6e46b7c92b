//! The request that a backend gets.
//!
//! Documented is: several values of a header are joined by commas; behind a VPC link the stage stands in the path, unless it
//! is `$default` or the path is overwritten (aws-facts I); a `$default` route sends the whole path to a URL, any other only
//! what the URL's variables take. Guesses: `forwarded` and `via`, the client's
//! `x-forwarded-…` end here, as the load balancer sets its own; without a mapping, a private backend's `Host` is the API's;
//! a mapping whose source is missing changes nothing, which is told of.

use hyper::Uri;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::context::Context;
use super::mapping::{Action, Mapping, Place, Source};
use super::routes::Pattern;
use super::served::{Integration, Target};
use crate::sandbox::execute_api::variables::{Location, Variables};

/// Headers that don't reach a backend: of the connection, or set anew.
const DROPPED: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// What can't stand in a path. Escapes stay what they are.
const IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// The same of a text that is decoded. Slashes stay: the value of a greedy variable has some.
const DECODED_IN_PATH: &AsciiSet = &IN_PATH.add(b'%');

/// A request to a backend, without its body and without where that is.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    pub(super) method: hyper::Method,
    /// Scheme and authority of a URL; none behind a VPC link.
    pub(super) base: Option<String>,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
}

impl Mapped {
    /// What a backend gets. The error says why there is none.
    pub(super) fn build(integration: &Integration, context: &Context<'_>) -> Result<Self, String> {
        let request = context.request;
        let mut headers = passed_on(&request.headers)?;
        let client_query = request.query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned);
        let (base, mut path, mut query) = match &integration.target {
            Target::Private(_) => (None, context.full_path(), Vec::new()),
            Target::Url(url) => {
                let parameter = |name: &str| {
                    let value = context.parameter(Location::Path, name)?;
                    Some(utf8_percent_encode(&value, DECODED_IN_PATH).to_string().into())
                };
                parts(&url.render(context, parameter), context)?
            }
        };
        query.extend(client_query);
        headers.insert(header::HOST, text(base_host(base.as_deref()).unwrap_or(&request.host))?);
        add_own(&mut headers, context)?;
        for mapping in &integration.requests {
            match &mapping.place {
                Place::Path => overwrite_path(&mut path, mapping, context),
                Place::Header(name) => change_header(&mut headers, name, mapping, context)?,
                Place::Query(name) => change_query(&mut query, name, mapping, context),
                Place::Status => {}
            }
        }
        let method = integration.method.clone().unwrap_or_else(|| request.method.clone());
        Ok(Self { method, base, path, query: query.join("&"), headers })
    }

    /// The URL, below scheme and authority.
    pub(super) fn url(&self, base: &str) -> String {
        let sign = if self.query.is_empty() { "" } else { "?" };
        format!("{base}{}{sign}{}", self.path, self.query)
    }

    pub(super) fn host(&self) -> &str {
        self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
    }
}

fn base_host(base: Option<&str>) -> Option<&str> {
    base?.split_once("://").map(|(_, authority)| authority)
}

/// Scheme and authority, path and query of the URL of an integration.
fn parts(url: &str, context: &Context<'_>) -> Result<(Option<String>, String, Vec<String>), String> {
    let parsed: Uri = url.parse().map_err(|error| format!("the integration's URL `{url}` is none: {error}"))?;
    let (scheme, authority) = (parsed.scheme_str(), parsed.authority());
    let (Some(scheme), Some(authority)) = (scheme, authority) else {
        return Err(format!("the integration's URL `{url}` has no host"));
    };
    let mut path = parsed.path().to_owned();
    if context.route.is_some_and(|route| route.pattern == Pattern::Default) {
        path = format!("{}{}", path.trim_end_matches('/'), context.request.path);
    }
    let query = parsed.query().map(str::to_owned).into_iter().collect();
    Ok((Some(format!("{scheme}://{authority}")), path, query))
}

/// The client's headers without those that stop here, each name once.
fn passed_on(headers: &HeaderMap) -> Result<HeaderMap, String> {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut passed = HeaderMap::with_capacity(headers.len() + 8);
    for name in headers.keys() {
        let of_connection = named.iter().any(|named| named.eq_ignore_ascii_case(name.as_str()));
        if of_connection || DROPPED.contains(&name.as_str()) || name.as_str().starts_with("x-gwctl-") {
            continue;
        }
        let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        let comma = if *name == header::COOKIE { "; " } else { "," };
        passed.insert(name.clone(), text(&values.join(comma))?);
    }
    Ok(passed)
}

fn add_own(headers: &mut HeaderMap, context: &Context<'_>) -> Result<(), String> {
    let (client, host) = (context.request.source_ip, &context.request.host);
    headers.insert("forwarded", text(&format!("for={client};host={host};proto=https"))?);
    headers.insert(header::VIA, HeaderValue::from_static("HTTP/1.1 AmazonAPIGateway"));
    Ok(())
}

fn value(mapping: &Mapping, context: &Context<'_>) -> Option<String> {
    let value = mapping.value.text(|source| context.source(source));
    if value.is_none() {
        tracing::warn!("a mapping of {:?} has no value, so nothing is changed: its source is missing", mapping.place);
    }
    value
}

fn overwrite_path(path: &mut String, mapping: &Mapping, context: &Context<'_>) {
    let encoded = |source: &Source| {
        let value = context.source(source)?;
        // What stands in a path already is encoded as it was sent; everything else is decoded.
        let set = if matches!(source, Source::Path) { IN_PATH } else { DECODED_IN_PATH };
        Some(utf8_percent_encode(&value, set).to_string())
    };
    let Some(value) = mapping.value.text(encoded) else {
        tracing::warn!("the path is not overwritten: the source of its mapping is missing");
        return;
    };
    let value = utf8_percent_encode(&value, IN_PATH).to_string();
    *path = if value.starts_with('/') { value } else { format!("/{value}") };
}

fn change_header(headers: &mut HeaderMap, name: &str, mapping: &Mapping, context: &Context<'_>) -> Result<(), String> {
    let parsed: HeaderName = name.parse().map_err(|_| format!("`{name}` is no name of a header"))?;
    if mapping.action == Action::Remove {
        headers.remove(parsed);
        return Ok(());
    }
    let Some(value) = value(mapping, context) else { return Ok(()) };
    put(headers, parsed, mapping.action, &value)
}

/// Sets a header, or adds to what it has.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, action: Action, value: &str) -> Result<(), String> {
    let before = headers.get(&name).and_then(|before| before.to_str().ok()).filter(|_| action == Action::Append);
    let value = before.map_or_else(|| value.to_owned(), |before| format!("{before},{value}"));
    headers.insert(name, text(&value)?);
    Ok(())
}

fn change_query(query: &mut Vec<String>, name: &str, mapping: &Mapping, context: &Context<'_>) {
    let value = match mapping.action {
        Action::Remove => None,
        _ => match value(mapping, context) {
            Some(value) => Some(value),
            None => return,
        },
    };
    if mapping.action != Action::Append {
        let own = |pair: &String| form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(key, _)| key == name);
        query.retain(|pair| !own(pair));
    }
    if let Some(value) = value {
        query.push(form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish());
    }
}

fn text(value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| format!("`{value}` is no value of a header"))
}

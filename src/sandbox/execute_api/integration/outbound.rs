//! The request that a backend gets.
//!
//! What is recorded (`http-proxy-mapping`): the URI's own query string comes first, then the client's for a proxy, then the
//! mapped parameters, which are added and replace nothing; a mapped header replaces the client's; a query parameter whose
//! source is missing is not sent. A header whose source is missing leaves the client's own as it is: a guess, and the
//! dangerous one of two, so it is told of. `Host` is the backend's. Headers that the service takes off a request are the ones
//! the API Gateway Developer Guide lists under "Important notes".

use std::borrow::Cow;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Http, Mapping};
use crate::sandbox::execute_api::context::Context;
use crate::sandbox::execute_api::variables::Location;

/// Headers that don't reach a backend: they belong to the connection, or the service drops them.
const DROPPED: [&str; 14] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "proxy-connection",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// Headers that the control plane lets be mapped, whereupon every request fails with 500 (recorded in localstack's
/// `test_apigateway_header_remapping_http`).
const UNMAPPABLE: [&str; 2] = ["content-length", "transfer-encoding"];

/// A request to a backend, without its body.
#[derive(Debug, Clone)]
pub(in crate::sandbox::execute_api) struct Outbound {
    pub(in crate::sandbox::execute_api) method: Method,
    /// The whole URL.
    pub(in crate::sandbox::execute_api) url: String,
    pub(in crate::sandbox::execute_api) headers: HeaderMap,
}

impl Outbound {
    /// The request for a backend. With `proxied`, the client's headers and query string go along.
    pub(in crate::sandbox::execute_api) fn build(
        http: &Http,
        context: &Context<'_>,
        proxied: bool,
    ) -> Result<Self, String> {
        let mut headers = if proxied { passed_on(&context.request.headers) } else { HeaderMap::new() };
        let mut query = Vec::new();
        if proxied && !context.request.query.is_empty() {
            query.push(context.request.query.clone());
        }
        let mut path = Vec::new();
        for mapping in &http.mappings {
            match mapping.location {
                Location::Path => {
                    if let Some(value) = mapping.source.value(context) {
                        path.push((mapping.name.as_str(), in_a_path(mapping, value)));
                    }
                }
                Location::QueryString => {
                    for value in mapping.source.values(context) {
                        let mut pair = form_urlencoded::Serializer::new(String::new());
                        query.push(pair.append_pair(&mapping.name, &value).finish());
                    }
                }
                Location::Header => {
                    let values = mapping.source.values(context);
                    let name = mapping.name.to_ascii_lowercase();
                    if UNMAPPABLE.contains(&name.as_str()) && !values.is_empty() {
                        return Err(format!("the header `{name}` can't be mapped: it belongs to the connection"));
                    }
                    set(&mut headers, &name, &values)?;
                }
            }
        }
        let placeholder = |name: &str| path.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let mut url = http.uri.render(context, placeholder);
        for part in query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&part);
        }
        let parsed: Uri = url.parse().map_err(|error| format!("the integration's URL `{url}` is none: {error}"))?;
        let host = parsed.authority().ok_or_else(|| format!("the integration's URL `{url}` has no host"))?;
        for (name, value) in &context.inserted {
            set(&mut headers, name, &[value.as_str().into()])?;
        }
        add_own(&mut headers, context, host.as_str())?;
        let method = http.method.clone().unwrap_or_else(|| context.request.method.clone());
        Ok(Self { method, url, headers })
    }
}

/// A value in its placeholder of the URL. Parts of the client's path stand there as the client sent them; everything else is
/// escaped, so that it stays in its place.
fn in_a_path<'v>(mapping: &Mapping, value: Cow<'v, str>) -> Cow<'v, str> {
    if mapping.written.starts_with("method.request.path.") {
        return value;
    }
    utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string().into()
}

/// The client's headers without those that stop here: of the connection, and those by which a test speaks to the gateway.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let mut passed = HeaderMap::with_capacity(headers.len() + 8);
    for (name, value) in headers {
        let ours = name.as_str().starts_with("x-gwctl-");
        if !ours && !DROPPED.contains(&name.as_str()) && !named.contains(name) {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// Puts mapped values in the place of whatever the client sent. A missing source leaves the client's header alone.
fn set(headers: &mut HeaderMap, name: &str, values: &[Cow<'_, str>]) -> Result<(), String> {
    if values.is_empty() {
        if headers.contains_key(name) {
            tracing::warn!(
                "the header {name} is mapped, and its source is missing: the backend gets the one that the client sent"
            );
        }
        return Ok(());
    }
    let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is no name of a header"))?;
    headers.remove(&name);
    for value in values {
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value mapped to the header `{name}` has characters that no header may have"))?;
        headers.append(name.clone(), value);
    }
    Ok(())
}

/// The headers that the service adds.
fn add_own(headers: &mut HeaderMap, context: &Context<'_>, host: &str) -> Result<(), String> {
    let text = |value: &str| HeaderValue::from_str(value).map_err(|_| format!("`{value}` is no value of a header"));
    headers.insert(header::HOST, text(host)?);
    let client = context.request.source_ip.to_string();
    let before = context.request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let forwarded = before.chain([client.as_str()]).collect::<Vec<_>>().join(", ");
    headers.insert("x-forwarded-for", text(&forwarded)?);
    headers.insert("x-forwarded-port", HeaderValue::from_static("443"));
    headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    headers.insert("x-amzn-trace-id", text(&context.ids.trace)?);
    headers.insert("x-amzn-apigateway-api-id", text(&context.served.api_id)?);
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, text(&format!("AmazonAPIGateway_{}", context.served.api_id))?);
    }
    Ok(())
}

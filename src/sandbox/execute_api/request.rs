//! A request as it reached the gateway, once its body is here.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::{HeaderMap, Method, Version};

/// What a client sent. The path is the one below the stage.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    /// `GET`, `POST`, …
    pub method: Method,
    /// The path below the stage as sent, percent-encoded, `/` at least.
    pub path: String,
    /// The query string as sent, without its `?`; empty if there is none.
    pub query: String,
    /// All headers, as sent.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The host name that was asked, without its port.
    pub host: String,
    /// Who sent it.
    pub source_ip: IpAddr,
    /// The HTTP version it came in.
    pub version: Version,
    /// When it came.
    pub received: SystemTime,
}

impl ClientRequest {
    /// The last value of a header that is text, by its name in any case. API Gateway takes the last where only one counts.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).next_back()
    }

    /// The parameters of the query string, decoded, in order.
    pub fn query_parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes())
    }
}

#[cfg(test)]
impl ClientRequest {
    /// A request without headers and body, for tests.
    pub(crate) fn bare(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            host: "abc123.execute-api.us-east-1.amazonaws.com".to_owned(),
            source_ip: IpAddr::from([203, 0, 113, 7]),
            version: Version::HTTP_11,
            received: SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_123),
        }
    }
}

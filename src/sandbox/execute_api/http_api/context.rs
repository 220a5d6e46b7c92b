//! What is known of one request on its way, and how `$context` shows it.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::DEFAULT_STAGE;
use super::jwt::Claims;
use super::mapping::{Source, in_body};
use super::routes::Parameters;
use super::served::{Route, Served};
use crate::sandbox::execute_api::context::{Call, Ids, Sent};
use crate::sandbox::execute_api::request::ClientRequest;
use crate::sandbox::execute_api::variables::{Location, Variables};

/// The variables that HTTP APIs have and REST APIs have not (API Gateway Developer Guide, "Customize HTTP API access logs"),
/// without their `$context.`.
pub(super) const OF_HTTP_APIS: [&str; 3] = ["awsEndpointRequestId2", "dataProcessed", "routeKey"];

/// One request, from its arrival to its answer.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) served: &'a Served,
    /// With the headers that API Gateway adds on its arrival.
    pub(super) request: &'a ClientRequest,
    pub(super) ids: &'a Ids,
    /// The key of the API mapping that it came by.
    pub(super) mapping_key: Option<&'a str>,
    /// The route that serves it, once it is known.
    pub(super) route: Option<&'a Route>,
    pub(super) parameters: Parameters,
    pub(super) claims: Option<Claims>,
    /// A good token is supposed where there is none to be read: what it says stands as `<token's NAME>`.
    pub(super) supposed: bool,
    pub(super) authorizer_error: Option<String>,
    pub(super) integration: Call,
    /// The message of an answer of the gateway's own.
    pub(super) error: Option<&'static str>,
    pub(super) sent: Sent,
}

/// A request with what API Gateway adds when it comes: mappings that published configurations use (`client-ip` from
/// `$request.header.X-Forwarded-For`) see the client's address there.
pub(super) fn arrived(mut request: ClientRequest, ids: &Ids) -> ClientRequest {
    let before = request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let client = request.source_ip.to_string();
    let forwarded = before.chain([client.as_str()]).collect::<Vec<_>>().join(", ");
    for (name, value) in [
        ("x-forwarded-for", forwarded.as_str()),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
        ("x-amzn-trace-id", &ids.trace),
    ] {
        // A trace of the client's may have characters that no header may have; it then stays as it came.
        if let Ok(value) = HeaderValue::from_str(value) {
            request.headers.insert(HeaderName::from_static(name), value);
        }
    }
    request
}

impl<'a> Context<'a> {
    pub(super) fn new(
        served: &'a Served,
        request: &'a ClientRequest,
        ids: &'a Ids,
        mapping_key: Option<&'a str>,
    ) -> Self {
        Self {
            served,
            request,
            ids,
            mapping_key,
            route: None,
            parameters: Parameters::new(),
            claims: None,
            supposed: false,
            authorizer_error: None,
            integration: Call::default(),
            error: None,
            sent: Sent::default(),
        }
    }

    /// What a mapping of the request finds. Several values are joined by commas (developer guide, on parameter mappings).
    pub(super) fn source(&self, source: &Source) -> Option<String> {
        let joined = |location, name: &str| {
            let values = self.values(location, name);
            (!values.is_empty()).then(|| values.join(","))
        };
        match source {
            Source::Header(name) => joined(Location::Header, name),
            Source::Query(name) => joined(Location::QueryString, name),
            Source::Path => Some(self.request.path.clone()),
            Source::PathParameter(name) => joined(Location::Path, name),
            Source::Body => Some(String::from_utf8_lossy(&self.request.body).into_owned()),
            Source::BodyPart(path) => in_body(path, &self.request.body),
            Source::Context(name) => self.context(name).map(Cow::into_owned),
            Source::StageVariable(name) => self.stage_variable(name).map(str::to_owned),
        }
    }

    /// The path with the stage, if that is in it.
    pub(super) fn full_path(&self) -> String {
        if self.served.stage_name == DEFAULT_STAGE {
            return self.request.path.clone();
        }
        format!("/{}{}", self.served.stage_name, self.request.path)
    }

    fn received(&self, format: &str) -> String {
        jiff::Timestamp::try_from(self.request.received).unwrap_or_default().strftime(format).to_string()
    }

    fn authorizer(&self, name: &str) -> Option<Cow<'_, str>> {
        if name == "error" {
            return self.authorizer_error.as_deref().map(Cow::from);
        }
        let claim = name.strip_prefix("claims.")?;
        if self.supposed {
            return Some(format!("<token's {claim}>").into());
        }
        self.claims.as_ref()?.get(claim).map(shown)
    }

    fn integration(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "error" => self.integration.error.as_deref().map(Cow::from),
            "latency" => self.integration.latency.map(millis),
            "status" | "integrationStatus" => self.integration.status.map(|status| status.to_string().into()),
            _ => None,
        }
    }
}

/// A claim as a text: lists in brackets, as functions are said to get them in `authorizer.claims`. A guess: it is not documented.
fn shown(claim: &Value) -> Cow<'_, str> {
    match claim {
        Value::String(text) => text.into(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| shown(item).into_owned()).collect::<Vec<_>>().join(" ")).into()
        }
        other => other.to_string().into(),
    }
}

impl Variables for Context<'_> {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some((group, name)) = name.split_once('.') {
            return match (group, name) {
                ("authorizer", name) => self.authorizer(name),
                ("customDomain", "basePathMatched") => self.mapping_key.map(Cow::from),
                ("error", "message") => self.error.map(Cow::from),
                ("identity", "sourceIp") => Some(self.request.source_ip.to_string().into()),
                ("identity", "userAgent") => self.request.header("user-agent").map(Cow::from),
                ("integration", name) => self.integration(name),
                _ => None,
            };
        }
        let request = self.request;
        Some(match name {
            "accountId" => self.served.place.account.as_str().into(),
            "apiId" => self.served.api_id.as_str().into(),
            "dataProcessed" => (request.body.len() + self.sent.length).to_string().into(),
            "domainName" => request.host.as_str().into(),
            "domainPrefix" => request.host.split('.').next().unwrap_or_default().into(),
            // "Equivalent to $context.requestId" (as above).
            "extendedRequestId" | "requestId" => self.ids.extended.as_str().into(),
            "httpMethod" => request.method.as_str().into(),
            "integrationErrorMessage" => return self.integration("error"),
            "integrationLatency" => return self.integration("latency"),
            "integrationStatus" => return self.integration("status"),
            "path" => self.full_path().into(),
            "protocol" => format!("{:?}", request.version).into(),
            "requestTime" => self.received("%d/%b/%Y:%H:%M:%S %z").into(),
            "requestTimeEpoch" => {
                request.received.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis()).to_string().into()
            }
            "responseLatency" => millis(self.sent.latency),
            "responseLength" => self.sent.length.to_string().into(),
            "routeKey" => self.route?.key.as_str().into(),
            "stage" => self.served.stage_name.as_str().into(),
            "status" => self.sent.status?.to_string().into(),
            _ => return None,
        })
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.served.variables.get(name).map(String::as_str)
    }

    fn parameter(&self, location: Location, name: &str) -> Option<Cow<'_, str>> {
        self.values(location, name).pop()
    }

    fn values(&self, location: Location, name: &str) -> Vec<Cow<'_, str>> {
        match location {
            Location::Header => {
                let values = self.request.headers.get_all(name).iter();
                values.filter_map(|value| value.to_str().ok()).map(Cow::from).collect()
            }
            Location::QueryString => {
                self.request.query_parameters().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
            }
            Location::Path => {
                let found = self.parameters.iter().find(|(key, _)| key == name);
                found.map(|(_, value)| value.as_str().into()).into_iter().collect()
            }
        }
    }

    fn parameters(&self, location: Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        match location {
            Location::Header => {
                let headers = self.request.headers.iter();
                headers.filter_map(|(name, value)| Some((name.as_str().into(), value.to_str().ok()?.into()))).collect()
            }
            Location::QueryString => self.request.query_parameters().collect(),
            Location::Path => {
                self.parameters.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect()
            }
        }
    }

    fn body(&self) -> &[u8] {
        &self.request.body
    }
}

fn millis(duration: Duration) -> Cow<'static, str> {
    duration.as_millis().to_string().into()
}

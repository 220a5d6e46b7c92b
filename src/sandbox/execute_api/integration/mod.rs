//! What stands behind a method: compiled when a stage is deployed, called for each request.
//!
//! - [`outbound`]: the request that a backend gets (pure)
//! - [`http`]: sends it, within its time-out
//! - [`inbound`]: what a backend's headers become on their way to the client (pure)
//! - [`mapped`]: templates and integration responses, for `MOCK` and `HTTP`
//!
//! `HTTP_PROXY`, `HTTP` and `MOCK` are served. `AWS` and `AWS_PROXY` are not: a request to one is answered as a configuration
//! error, and the log says why.

pub(super) mod http;
mod inbound;
mod mapped;
mod outbound;

use std::time::Duration;

use super::expression::{Expression, Interpolation};
use crate::sandbox::apigateway::state;

pub(super) use mapped::Mapped;
pub(super) use outbound::Outbound;

/// One integration.
#[derive(Debug)]
pub(super) enum Integration {
    /// A backend that gets the request as it is, and whose answer goes back as it is.
    HttpProxy(Http),
    /// A backend between templates.
    Http(Http, Mapped),
    /// No backend: templates alone.
    Mock(Mapped),
}

/// An HTTP backend.
#[derive(Debug)]
pub(super) struct Http {
    /// The method towards the backend; none passes the client's on.
    pub(super) method: Option<hyper::Method>,
    /// The URL, with stage variables and path parameters in it.
    pub(super) uri: Interpolation,
    /// The VPC link, for the log and for `gwctl explain`.
    pub(super) vpc_link: Option<Interpolation>,
    /// Mapped parameters.
    pub(super) mappings: Vec<Mapping>,
    /// From the first byte sent to the last one received.
    pub(super) timeout: Duration,
    /// Whether the answer is passed on as it comes.
    pub(super) streamed: bool,
    /// Whether the backend's certificate goes unchecked.
    pub(super) insecure: bool,
}

/// A mapped parameter of the request to the backend.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) location: super::variables::Location,
    pub(super) name: String,
    pub(super) source: Expression,
    /// The source as it is written, for `gwctl explain`.
    pub(super) written: String,
}

impl Integration {
    /// Makes an integration ready. The error says why requests to it can't be served.
    pub(super) fn compile(integration: Option<&state::Integration>) -> Result<Self, String> {
        let integration = integration.ok_or("the method has no integration")?;
        match integration.r#type.as_str() {
            "HTTP_PROXY" => Ok(Self::HttpProxy(Http::compile(integration)?)),
            "HTTP" => Ok(Self::Http(Http::compile(integration)?, Mapped::compile(integration)?)),
            "MOCK" => Ok(Self::Mock(Mapped::compile(integration)?)),
            other => Err(format!("the sandbox serves no integrations of type {other}")),
        }
    }

    /// What AWS calls its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::HttpProxy(_) => "HTTP_PROXY",
            Self::Http(..) => "HTTP",
            Self::Mock(_) => "MOCK",
        }
    }
}

impl Http {
    fn compile(integration: &state::Integration) -> Result<Self, String> {
        let method = match integration.http_method.as_deref() {
            None | Some("ANY") => None,
            Some(name) => Some(name.parse().map_err(|_| format!("`{name}` is no HTTP method"))?),
        };
        let uri = integration.uri.as_deref().ok_or("the integration has no URI")?;
        let vpc_link = integration.connection_type.as_deref() == Some("VPC_LINK");
        let connection = integration.connection_id.as_deref().filter(|_| vpc_link);
        let mappings = integration.request_parameters.iter().flatten();
        Ok(Self {
            method,
            uri: Interpolation::of_uri(uri),
            vpc_link: connection.map(Interpolation::of_stage_variables),
            mappings: mappings.map(|(target, source)| Mapping::compile(target, source)).collect::<Result<_, _>>()?,
            timeout: Duration::from_millis(u64::try_from(integration.timeout_in_millis).unwrap_or(29_000)),
            streamed: integration.response_transfer_mode == "STREAM",
            insecure: integration.tls_config.as_ref().is_some_and(|tls| tls.insecure_skip_verification),
        })
    }
}

impl Mapping {
    fn compile(target: &str, source: &str) -> Result<Self, String> {
        use super::variables::Location;
        let wrong = || format!("the mapping of `{target}` to `{source}` can't be read");
        let (location, name) =
            target.strip_prefix("integration.request.").and_then(|rest| rest.split_once('.')).ok_or_else(wrong)?;
        let location = match location {
            "header" => Location::Header,
            "querystring" => Location::QueryString,
            "path" => Location::Path,
            _ => return Err(wrong()),
        };
        let expression = Expression::parse(source).ok_or_else(wrong)?;
        Ok(Self { location, name: name.to_owned(), source: expression, written: source.to_owned() })
    }
}

//! `gwctl explain`: what every layer decides about one request, and why. Nothing is sent.

use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Version};

use super::local::{Gateways, Local, LocalEdge, Programs};
use super::output::{self, data, text_options};
use crate::cli::{ExplainOptions, Global};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::report::{self, Format};
use crate::sandbox::execute_api::explain::{Explanation, explain};
use crate::sandbox::execute_api::request::ClientRequest;
use crate::sandbox::execute_api::{StageAddress, explain_domain};

/// A public address that belongs to nobody (RFC 5737), for requests that name none.
const SOMEBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ExplainOptions) -> Result<u8> {
    let mut headers = Vec::new();
    for header in &options.headers {
        headers.push(header.split_once(':').map(|(name, value)| (name.trim(), value.trim())).ok_or_else(|| {
            Failure::new(FailureKind::Usage, format!("`{header}` is no header")).hint("write `Name: value`")
        })?);
    }
    let request = request(&options.method.to_ascii_uppercase(), &options.path, headers, options.source_ip)?;
    let local = Box::pin(Local::begin(global, &options.selection, &Programs::StandIn)).await?;
    let explanation = local.explain(&request, options.edge)?;
    if global.output == Format::Json {
        output::json(global, &serde_json::json!(explanation))?;
    } else {
        let title = format!("{} {} to {}", request.method, options.path, local.owner);
        data(global, |out| report::explanation_text(&title, &explanation, out, &text_options(global)))?;
    }
    Ok(exit::DONE)
}

impl Local {
    /// Explains a request: to the stage of the REST API, or below the domain name of the HTTP APIs where `edge` says so or there
    /// is nothing else.
    pub(super) fn explain(&self, request: &ClientRequest, edge: bool) -> Result<Explanation> {
        let usage = |message: String, hint: &str| Failure::new(FailureKind::Usage, message).hint(hint);
        match &self.gateways {
            Gateways { stage: Some(stage), .. } if !edge => self.explain_rest(stage, request),
            Gateways { edge: Some(LocalEdge { domain: Some(domain), region, .. }), .. } => {
                explain_domain(&self.sandbox, domain, region, request)
            }
            Gateways { edge: Some(_), .. } => {
                let message = format!("the HTTP APIs of {} have no domain name that a path could be below", self.owner);
                Err(usage(message, "add `domain` to `edge`"))
            }
            Gateways { .. } => Err(usage(format!("{} has no HTTP APIs", self.owner), "ask about its REST API")),
        }
    }

    /// The route's type is the configuration's.
    fn explain_rest(&self, stage: &StageAddress, request: &ClientRequest) -> Result<Explanation> {
        let mut explanation = explain(&self.sandbox, &stage.api, &stage.stage, request)?;
        for layer in explanation.layers.iter_mut().filter(|layer| layer.name == "route") {
            let path = layer.facts.get("path").and_then(serde_json::Value::as_str).unwrap_or_default();
            if !layer.passes && request.path.starts_with(&format!("/{}/", stage.stage)) {
                layer.notes.push(format!("`{}` is the stage, which the path does not begin with here", stage.stage));
            }
            if let Some(kind) = self.route_types.get(path) {
                layer.why = format!("{}, in {kind}", layer.why);
                layer.facts.insert("type", kind.as_str().into());
            }
        }
        Ok(explanation)
    }
}

/// A request as a client would send it.
pub(super) fn request<'h>(
    method: &str,
    target: &str,
    headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    source_ip: Option<IpAddr>,
) -> Result<ClientRequest> {
    let usage = |text: String, hint: &str| Failure::new(FailureKind::Usage, text).hint(hint);
    let method: Method =
        method.parse().map_err(|_| usage(format!("`{method}` is no HTTP method"), "write for example `GET`"))?;
    if !target.starts_with('/') {
        return Err(usage(format!("the path `{target}` does not begin with `/`"), "leave the stage out: `/orders/1`"));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let parsed = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = parsed.ok_or_else(|| {
            usage(
                format!("`{name}: {value}` is no header"),
                "names are letters, digits and hyphens; values are one line",
            )
        })?;
        map.append(name, value);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(ClientRequest {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: map,
        body: Bytes::new(),
        host: "localhost".to_owned(),
        source_ip: source_ip.unwrap_or(SOMEBODY),
        version: Version::HTTP_11,
        received: SystemTime::now(),
    })
}

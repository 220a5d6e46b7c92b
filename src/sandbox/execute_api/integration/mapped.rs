//! Templates and integration responses: what stands between a client and a `MOCK` or `HTTP` integration.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use regex::Regex;
use serde_json::Value;

use super::http::{Answered, Body};
use super::{Http, Outbound, inbound};
use crate::sandbox::apigateway::state;
use crate::sandbox::execute_api::Gateway;
use crate::sandbox::execute_api::context::{Context, Problem};
use crate::sandbox::execute_api::expression::Expression;
use crate::sandbox::execute_api::gateway_response::ResponseType;
use crate::sandbox::execute_api::pipeline::{misconfigured, out_of_order, request_body};
use crate::sandbox::execute_api::template::{Overrides, Template, TemplateError};
use crate::sandbox::execute_api::variables::{Location, Variables};

/// The media type that is taken where none is named.
const JSON: &str = "application/json";

/// Templates and integration responses, compiled.
#[derive(Debug)]
pub(in crate::sandbox::execute_api) struct Mapped {
    /// What happens to a body for which there is no template.
    passthrough: Passthrough,
    requests: Templates,
    responses: Vec<Reply>,
}

/// `passthroughBehavior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passthrough {
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

/// Templates by media type.
#[derive(Debug, Default)]
struct Templates(Vec<(String, Template)>);

/// One integration response.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    /// What the backend's status has to match as a whole; none for the default.
    pattern: Option<Regex>,
    headers: Vec<(HeaderName, Expression)>,
    templates: Templates,
}

impl Mapped {
    /// Makes the templates and responses of an integration ready.
    pub(super) fn compile(integration: &state::Integration) -> Result<Self, String> {
        let passthrough = match integration.passthrough_behavior.as_str() {
            "NEVER" => Passthrough::Never,
            "WHEN_NO_TEMPLATES" => Passthrough::WhenNoTemplates,
            _ => Passthrough::WhenNoMatch,
        };
        let replies = integration.integration_responses.values().map(Reply::compile);
        Ok(Self {
            passthrough,
            requests: Templates::compile(integration.request_templates.as_ref())?,
            responses: replies.collect::<Result<_, _>>()?,
        })
    }

    /// Answers without a backend: the request template says with which status.
    pub(in crate::sandbox::execute_api) fn mock(&self, context: &Context<'_>) -> Result<Answered, Problem> {
        let (rendered, _) = self.request(context)?;
        let status = serde_json::from_slice::<Value>(&rendered).ok().and_then(|body| {
            let status = body.get("statusCode")?;
            status.as_u64().or_else(|| status.as_str()?.parse().ok())
        });
        let status = status.ok_or_else(|| {
            server_error("the request template of a mock integration has to give an integer as `statusCode`")
        })?;
        self.reply(context, &status.to_string(), &HeaderMap::new(), &Bytes::new())
    }

    /// The body for the backend, and what the template overrides.
    fn request(&self, context: &Context<'_>) -> Result<(Bytes, Overrides), Problem> {
        let kind = context.request.header(CONTENT_TYPE.as_str()).unwrap_or(JSON);
        if let Some(template) = self.requests.of(kind) {
            let rendered = template.render(context).map_err(|error| broken(&error))?;
            return Ok((rendered.body.into(), rendered.overrides));
        }
        let passes = match self.passthrough {
            Passthrough::WhenNoMatch => true,
            Passthrough::WhenNoTemplates => self.requests.0.is_empty(),
            Passthrough::Never => false,
        };
        if passes {
            return Ok((request_body(context), Overrides::default()));
        }
        Err(Problem::new(ResponseType::UnsupportedMediaType).because(format!("there is no template for {kind}")))
    }

    /// The client's answer from the backend's.
    fn reply(
        &self,
        context: &Context<'_>,
        status: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Answered, Problem> {
        let fits = |reply: &&Reply| reply.pattern.as_ref().is_some_and(|pattern| pattern.is_match(status));
        let default = || self.responses.iter().find(|reply| reply.pattern.is_none());
        let reply = self.responses.iter().find(fits).or_else(default).ok_or_else(|| {
            server_error(format!("no integration response fits the status {status}, and none is the default"))
        })?;
        let source = Answer { context, headers, body };
        let mut answered =
            Answered { status: reply.status, headers: HeaderMap::new(), body: Body::Whole(body.clone()) };
        let accepted = context.request.header(ACCEPT.as_str()).unwrap_or(JSON);
        let kind = headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static(JSON));
        answered.headers.insert(CONTENT_TYPE, kind);
        if let Some((kind, template)) = reply.templates.for_client(accepted) {
            let rendered = template.render(&source).map_err(|error| broken(&error))?;
            answered.body = Body::Whole(rendered.body.into());
            set(&mut answered.headers, CONTENT_TYPE, kind)?;
            override_answer(&mut answered, &rendered.overrides)?;
        }
        for (name, expression) in &reply.headers {
            for (index, value) in expression.values(&source).into_iter().enumerate() {
                if index == 0 {
                    answered.headers.remove(name);
                }
                append(&mut answered.headers, name.clone(), &value)?;
            }
        }
        Ok(answered)
    }
}

impl Gateway {
    /// Calls a backend between templates.
    pub(in crate::sandbox::execute_api) async fn mapped(
        &self,
        context: &Context<'_>,
        http: &Http,
        mapped: &Mapped,
    ) -> Result<Answered, Problem> {
        let (body, overrides) = mapped.request(context)?;
        let mut outbound = Outbound::build(http, context, false).map_err(misconfigured)?;
        for name in [CONTENT_TYPE, ACCEPT] {
            if !outbound.headers.contains_key(&name) {
                let value = context.request.headers.get(&name).cloned();
                outbound.headers.insert(name, value.unwrap_or(HeaderValue::from_static(JSON)));
            }
        }
        for (name, values) in &overrides.request_headers {
            let name = parsed(name)?;
            outbound.headers.remove(&name);
            for value in values {
                append(&mut outbound.headers, name.clone(), value)?;
            }
        }
        for (name, values) in &overrides.request_query {
            for value in values {
                let mut pair = form_urlencoded::Serializer::new(String::new());
                outbound.url.push(if outbound.url.contains('?') { '&' } else { '?' });
                outbound.url.push_str(&pair.append_pair(name, value).finish());
            }
        }
        let answered = self.backends.call(http, outbound, body).await.map_err(out_of_order)?;
        let Body::Whole(body) = answered.body else {
            return Err(server_error("an answer between templates can't be streamed"));
        };
        mapped.reply(context, answered.status.as_str(), &answered.headers, &body)
    }
}

impl Templates {
    fn compile(templates: Option<&state::Strings>) -> Result<Self, String> {
        let templates = templates.into_iter().flatten().map(|(kind, text)| {
            let template = Template::parse(text).map_err(|error| format!("the template for {kind}: {error}"))?;
            Ok((kind.to_ascii_lowercase(), template))
        });
        templates.collect::<Result<_, String>>().map(Self)
    }

    /// The template for a media type, without its parameters.
    fn of(&self, kind: &str) -> Option<&Template> {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind)).map(|(_, template)| template)
    }

    /// The template that suits a client: the one it accepts first, else JSON, else the first there is.
    fn for_client(&self, accepted: &str) -> Option<(&str, &Template)> {
        let named = |kind: &str| self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
        let first = accepted.split([',', ';']).next().unwrap_or_default().trim();
        let (kind, template) = named(first).or_else(|| named(JSON)).or_else(|| self.0.first())?;
        Some((kind, template))
    }
}

impl Reply {
    fn compile(response: &state::IntegrationResponse) -> Result<Self, String> {
        let status = response.status_code.parse().map_err(|_| format!("`{}` is no status", response.status_code))?;
        let pattern = match response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty()) {
            None => None,
            Some(pattern) => Some(
                Regex::new(&format!("^(?:{pattern})$"))
                    .map_err(|error| format!("the selection pattern `{pattern}`: {error}"))?,
            ),
        };
        let headers = response.response_parameters.iter().flatten().map(|(target, source)| {
            let name: Option<HeaderName> =
                target.strip_prefix("method.response.header.").and_then(|name| name.parse().ok());
            let name = name.map(|name| inbound::as_sent(&name));
            let expression = Expression::parse(source);
            name.zip(expression).ok_or_else(|| format!("the mapping of `{target}` to `{source}` can't be read"))
        });
        Ok(Self {
            status,
            pattern,
            headers: headers.collect::<Result<_, _>>()?,
            templates: Templates::compile(response.response_templates.as_ref())?,
        })
    }
}

/// What response mappings and templates see: the backend's headers and body, and everything else of the request.
struct Answer<'a> {
    context: &'a Context<'a>,
    headers: &'a HeaderMap,
    body: &'a Bytes,
}

impl Variables for Answer<'_> {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        self.context.context(name)
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.context.stage_variable(name)
    }

    fn stage_variables(&self) -> Vec<(&str, &str)> {
        self.context.stage_variables()
    }

    fn context_members(&self, prefix: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        self.context.context_members(prefix)
    }

    fn parameter(&self, location: Location, name: &str) -> Option<Cow<'_, str>> {
        self.values(location, name).pop()
    }

    fn values(&self, location: Location, name: &str) -> Vec<Cow<'_, str>> {
        match location {
            Location::Header => {
                let values = self.headers.get_all(name).iter();
                values.filter_map(|value| value.to_str().ok()).map(Cow::from).collect()
            }
            Location::QueryString | Location::Path => self.context.values(location, name),
        }
    }

    fn parameters(&self, location: Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        self.context.parameters(location)
    }

    fn body(&self) -> &[u8] {
        self.body
    }
}

fn override_answer(answered: &mut Answered, overrides: &Overrides) -> Result<(), Problem> {
    if let Some(status) = overrides.response_status {
        answered.status = StatusCode::from_u16(status).map_err(|error| server_error(error.to_string()))?;
    }
    for (name, values) in &overrides.response_headers {
        let name = parsed(name)?;
        answered.headers.remove(&name);
        for value in values {
            append(&mut answered.headers, name.clone(), value)?;
        }
    }
    Ok(())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Problem> {
    headers.remove(&name);
    append(headers, name, value)
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Problem> {
    let value = HeaderValue::from_str(value).map_err(|_| {
        server_error(format!("the value of the header `{name}` has characters that no header may have"))
    })?;
    headers.append(name, value);
    Ok(())
}

fn parsed(name: &str) -> Result<HeaderName, Problem> {
    name.parse().map_err(|_| server_error(format!("`{name}` is no name of a header")))
}

/// A template that can't be rendered: the client's fault where its body is.
fn broken(error: &TemplateError) -> Problem {
    let kind = if error.of_body { ResponseType::BadRequestBody } else { ResponseType::ApiConfigurationError };
    Problem::new(kind).because(format!("the template failed: {error}"))
}

fn server_error(why: impl Into<String>) -> Problem {
    Problem::new(ResponseType::ApiConfigurationError).because(why)
}

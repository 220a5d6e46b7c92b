//! One request through the layers: route, throttle, authorizer, CORS, integration.
//!
//! The bodies of refusals are those that the service is seen to give: `{"message":"Not Found"}` and the like. That a request
//! is throttled before it is authorized is a guess.

use std::time::{Instant, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use super::context::{Context, arrived};
use super::jwt::{self, Claims, IdentitySource, Refusal as TokenRefusal, Token};
use super::outbound::Mapped;
use super::served::{Access, Integration, Private, Route, Served, Target};
use super::{balancer, cors, inbound, routes};
use crate::sandbox::execute_api::Gateway;
use crate::sandbox::execute_api::context::{Call, Ids, Problem, Sent};
use crate::sandbox::execute_api::gateway::{Answer, AnswerBody};
use crate::sandbox::execute_api::gateway_response::ResponseType;
use crate::sandbox::execute_api::integration::Outbound;
use crate::sandbox::execute_api::integration::http::{Answered, Body, Manner, Outage};
use crate::sandbox::execute_api::request::ClientRequest;
use crate::sandbox::execute_api::variables::{Location, Variables as _};

/// Why the gateway answers itself.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: &'static str,
    /// The value of `www-authenticate`.
    challenge: Option<String>,
    /// What only the log is told.
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: &'static str, detail: impl Into<String>) -> Self {
        Self { status, message, challenge: None, detail: detail.into() }
    }

    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", detail)
    }

    fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", detail)
    }

    /// A request that did not come as a whole.
    fn unread(problem: Problem) -> Self {
        let detail = problem.detail.unwrap_or_default();
        if problem.kind == ResponseType::RequestTooLarge {
            return Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large", detail);
        }
        Self::new(StatusCode::BAD_REQUEST, "Bad Request", detail)
    }
}

/// The answer where there is no API, no stage or no route.
pub(in crate::sandbox::execute_api) fn not_found() -> Answer {
    refused(&Refusal::new(StatusCode::NOT_FOUND, "Not Found", ""))
}

impl Gateway {
    /// Serves a request for a stage of an HTTP API. `mapping_key` is the key of the API mapping that it came by.
    pub(in crate::sandbox::execute_api) async fn serve_http_api(
        &self,
        served: &Served,
        mapping_key: Option<&str>,
        request: ClientRequest,
        unread: Option<Problem>,
        started: Instant,
    ) -> Answer {
        let ids = Ids::draw(&request);
        let request = arrived(request, &ids);
        let mut context = Context::new(served, &request, &ids, mapping_key);
        let outcome = match unread {
            Some(problem) => Err(Refusal::unread(problem)),
            None => self.pass_http_api(&mut context).await,
        };
        let mut answer = match outcome {
            Ok(answered) => Answer { status: answered.status, headers: answered.headers, body: whole(answered.body) },
            Err(refusal) => {
                tell(&context, &refusal);
                context.error = Some(refusal.message);
                refused(&refusal)
            }
        };
        if let Ok(id) = HeaderValue::from_str(&ids.extended) {
            answer.headers.insert(HeaderName::from_static("apigw-requestid"), id);
        }
        let length = if let AnswerBody::Whole(body) = &answer.body { body.len() } else { 0 };
        context.sent = Sent { status: Some(answer.status.as_u16()), length, latency: started.elapsed() };
        if let Some(log) = &served.access_log {
            self.log_line(log, &context);
        }
        answer
    }

    async fn pass_http_api(&self, context: &mut Context<'_>) -> Result<Answered, Refusal> {
        let (served, request) = (context.served, context.request);
        let asked_before = served.cors.as_ref().filter(|_| cors::is_preflight(request));
        let found = routes::find(&served.routes, |route| &route.pattern, request.method.as_str(), &request.path);
        let Some((route, parameters)) = found else {
            if let Some(cors) = asked_before {
                return Ok(cors::preflight(cors, request));
            }
            let detail = format!("no route fits {} {}", request.method, request.path);
            return Err(Refusal::new(StatusCode::NOT_FOUND, "Not Found", detail));
        };
        (context.route, context.parameters) = (Some(route), parameters);
        self.throttle_route(served, route)?;
        self.admit(context, route).await?;
        if let Some(cors) = asked_before {
            return Ok(cors::preflight(cors, request));
        }
        let integration = route.integration.as_ref().map_err(|why| Refusal::internal(why.clone()))?;
        let mut answered = self.integrate_route(context, integration).await?;
        inbound::map(&mut answered, integration, context).map_err(Refusal::internal)?;
        if let Some(cors) = &served.cors {
            cors::replace(&mut answered.headers, cors, request);
        }
        Ok(answered)
    }

    fn throttle_route(&self, served: &Served, route: &Route) -> Result<(), Refusal> {
        let Some(limits) = route.limits else { return Ok(()) };
        let throttles = self.throttles_of(&served.api_id, &served.stage_name);
        if throttles.take(&route.key, limits, tokio::time::Instant::now()) {
            return Ok(());
        }
        let detail = format!("the limits of {} are used up", route.key);
        Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", detail))
    }

    async fn admit(&self, context: &mut Context<'_>, route: &Route) -> Result<(), Refusal> {
        match &route.access {
            Access::Open => Ok(()),
            Access::Function => Err(Refusal::internal("the sandbox asks no functions about requests to HTTP APIs")),
            Access::Iam if context.request.headers.contains_key(AUTHORIZATION) => Ok(()),
            Access::Iam => Err(Refusal::new(StatusCode::FORBIDDEN, "Forbidden", "the route asks for a signature")),
            Access::Jwt { authorizer, scopes } => {
                let refused = match self.verified(context, authorizer).await? {
                    Ok(claims) if jwt::has_scope(&claims, scopes) => {
                        context.claims = Some(claims);
                        return Ok(());
                    }
                    Ok(_) => TokenRefusal::Scope,
                    Err(refused) => refused,
                };
                let refusal = challenge(&refused, scopes);
                context.authorizer_error = Some(refusal.detail.clone());
                Err(refusal)
            }
        }
    }

    /// What the token of a request says, or why it is refused. The outer error is the gateway's own.
    async fn verified(&self, context: &Context<'_>, id: &str) -> Result<Result<Claims, TokenRefusal>, Refusal> {
        let authorizer = context.served.authorizers.get(id).ok_or_else(|| format!("there is no authorizer {id}"));
        let authorizer =
            authorizer.and_then(|found| found.as_ref().map_err(Clone::clone)).map_err(Refusal::internal)?;
        let (location, name) = match &authorizer.source {
            IdentitySource::Header(name) => (Location::Header, name),
            IdentitySource::Query(name) => (Location::QueryString, name),
        };
        let Some(identity) = context.parameter(location, name).filter(|identity| !identity.trim().is_empty()) else {
            return Ok(Err(TokenRefusal::Missing));
        };
        let token = match Token::read(jwt::bare(&identity)) {
            Ok(token) => token,
            Err(refused) => return Ok(Err(refused)),
        };
        let key = match self.keys.find(&authorizer.issuer, &token.kid, &self.backends).await {
            Ok(key) => key,
            Err(refused) => return Ok(Err(refused)),
        };
        let now = context.request.received.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        Ok(token.verify(&key, authorizer, now))
    }

    async fn integrate_route(&self, context: &mut Context<'_>, integration: &Integration) -> Result<Answered, Refusal> {
        let started = Instant::now();
        let answered = self.call_backend(context, integration).await;
        let latency = Some(started.elapsed());
        context.integration = match &answered {
            Ok(answered) => Call { status: Some(answered.status.as_u16()), latency, error: None },
            Err(refusal) => Call { status: None, latency, error: Some(refusal.detail.clone()) },
        };
        answered
    }

    async fn call_backend(&self, context: &Context<'_>, integration: &Integration) -> Result<Answered, Refusal> {
        let mut mapped = Mapped::build(integration, context).map_err(Refusal::internal)?;
        let body = context.request.body.clone();
        let base = match (&integration.target, &mapped.base) {
            (Target::Private(private), _) => {
                check_link(private, context)?;
                let received = context.request.received;
                if let Some(answered) = balancer::pass(private, &mut mapped, &body, &self.counters, received) {
                    return Ok(answered);
                }
                self.base_of(private, &mapped)?
            }
            (Target::Url(_), base) => base.clone().unwrap_or_default(),
        };
        // A backend behind a VPC link is reached through a rule of this machine: its certificate is not the one that the
        // integration names, so it is not looked at.
        let insecure = matches!(integration.target, Target::Private(_));
        let manner = Manner { timeout: integration.timeout, streamed: false, insecure };
        let outbound = Outbound { method: mapped.method.clone(), url: mapped.url(&base), headers: mapped.headers };
        self.backends.send(&manner, outbound, body).await.map_err(|outage| match outage {
            Outage::Timeout(after) => {
                Refusal::unavailable(format!("the backend gave no answer in {} ms", after.as_millis()))
            }
            Outage::Network(why) => Refusal::unavailable(why),
            Outage::TooLarge => Refusal::internal("the backend's answer is larger than the 10 MB that are passed on"),
        })
    }

    /// Where a backend behind a VPC link is reached on this machine: by the ARN of its listener, the name of its load
    /// balancer, the `Host` that it is sent or the name in its certificate; the first that a rule knows.
    fn base_of(&self, private: &Private, mapped: &Mapped) -> Result<String, Refusal> {
        let host = mapped.host().split(':').next().unwrap_or_default();
        let names =
            [Some(private.listener.as_str()), private.dns_name.as_deref(), Some(host), private.server_name.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
        let found = names.iter().find_map(|name| self.backends.reached(name));
        if let Some(name) = &private.server_name {
            tracing::debug!("the backend's certificate would have to be for {name}, which is not verified here");
        }
        found.ok_or_else(|| {
            // The host is what people know it by; the load balancer of a Region is told apart by its own names.
            let best = [Some(host), private.server_name.as_deref(), private.dns_name.as_deref()];
            let best = best.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or(&private.listener);
            let others: Vec<&str> = names.iter().copied().filter(|name| *name != best).collect();
            Refusal::unavailable(format!(
                "nothing says where `{best}` really is; start with `--upstream {best}=127.0.0.1:PORT` (rules for {} count, too)",
                others.join(" and ")
            ))
        })
    }
}

/// What becomes of requests to a link that is not there, or not yet: the words of the answer are a guess.
fn check_link(private: &Private, context: &Context<'_>) -> Result<(), Refusal> {
    let now = context.request.received.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    match private.available_from {
        None => Err(Refusal::unavailable(format!("there is no VPC link {}", private.link))),
        Some(from) if now < from => {
            Err(Refusal::unavailable(format!("the VPC link {} is still pending", private.link)))
        }
        Some(_) => Ok(()),
    }
}

/// The answer to a token that is not taken. Documented is that to a wrong audience, `scope` and all ("Troubleshooting issues
/// with HTTP API JWT authorizers"); the header of a 403 is made like it.
pub(super) fn challenge(refused: &TokenRefusal, scopes: &[String]) -> Refusal {
    let scopes = scopes.join(" ");
    let unauthorized = |detail: String| Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail);
    match refused {
        TokenRefusal::Missing => {
            Refusal { challenge: Some("Bearer".to_owned()), ..unauthorized("missing: token not provided".to_owned()) }
        }
        TokenRefusal::Invalid(words) => {
            let challenge = format!(r#"Bearer scope="{scopes}" error="invalid_token" error_description="{words}""#);
            Refusal { challenge: Some(challenge), ..unauthorized(format!("invalid_token: {words}")) }
        }
        TokenRefusal::Scope => {
            let detail = format!("insufficient_scope: the token has none of {scopes}");
            let challenge = Some(format!(r#"Bearer scope="{scopes}" error="insufficient_scope""#));
            Refusal { challenge, ..Refusal::new(StatusCode::FORBIDDEN, "Forbidden", detail) }
        }
    }
}

fn refused(refusal: &Refusal) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(challenge) = refusal.challenge.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    let body = Bytes::from(json!({ "message": refusal.message }).to_string());
    Answer { status: refusal.status, headers, body: AnswerBody::Whole(body) }
}

/// What the client did is told to who wants to know; what is wrong here, to everybody.
fn tell(context: &Context<'_>, refusal: &Refusal) {
    let (request, status, detail) = (context.request, refusal.status.as_u16(), &refusal.detail);
    if refusal.status.is_server_error() {
        tracing::warn!("{} {} gets {status}: {detail}", request.method, request.path);
    } else {
        tracing::info!("{} {} gets {status}: {detail}", request.method, request.path);
    }
}

fn whole(body: Body) -> AnswerBody {
    match body {
        Body::Whole(bytes) => AnswerBody::Whole(bytes),
        Body::Stream(stream) => AnswerBody::Stream(stream),
    }
}

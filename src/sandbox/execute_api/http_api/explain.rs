//! What each layer decides about a request to an HTTP API that is not sent: the same functions that serve requests, asked one
//! after the other.
//!
//! Nothing leaves the process: no issuer is asked for its keys, so that a token counts whoever signed it, and nothing is
//! counted. A text that is no token at all stands for a good one with every scope.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use hyper::StatusCode;
use serde_json::json;

use super::context::{Context, arrived};
use super::jwt::{self, Authorizer, IdentitySource, Refusal as TokenRefusal, Token};
use super::mapping::Place;
use super::outbound::Mapped;
use super::pipeline::{Refusal, challenge};
use super::routes;
use super::served::{Access, Integration, Private, Route, Served, Target};
use super::{balancer, cors};
use crate::error::{Failure, FailureKind, Result};
use crate::sandbox::Sandbox;
use crate::sandbox::execute_api::context::Ids;
use crate::sandbox::execute_api::directory::{Directory, Goal};
use crate::sandbox::execute_api::domain::Reached;
use crate::sandbox::execute_api::explain::{Backend, Explanation, Layer, Outcome};
use crate::sandbox::execute_api::request::ClientRequest;
use crate::sandbox::execute_api::variables::{Location, Variables as _};
use crate::sandbox::execute_api::waf;

/// Explains what becomes of a request below a custom domain name, in a Region of a sandbox.
///
/// # Errors
///
/// Fails when the sandbox can't be read, and where the path leads to a REST API.
pub fn explain_domain(sandbox: &Sandbox, domain: &str, region: &str, request: &ClientRequest) -> Result<Explanation> {
    let mut walk = Walk::default();
    let found = sandbox.look(|world| {
        let reached = Reached { account: None, region: Some(region) };
        match Directory::of(world).mapped(domain, &request.path, reached) {
            Some(Goal::Http { api, stage, path, key, .. }) => Some((Served::find(world, &api, &stage), path, key)),
            goal => goal.map(|_| (None, String::new(), None)),
        }
    })?;
    let Some((served, path, key)) = found else {
        let why = format!("no mapping of {domain} fits {}", request.path);
        let outcome = walk.stop("mapping", &Refusal::new(StatusCode::FORBIDDEN, "Forbidden", why));
        return Ok(Explanation { layers: walk.layers, outcome, backend: None });
    };
    let served = served.ok_or_else(|| {
        let message = format!("{} leads to no HTTP API that serves", request.path);
        Failure::new(FailureKind::Usage, message).hint("ask about a path of an HTTP API")
    })?;
    let key = key.unwrap_or_default();
    walk.pass("mapping", format!("`/{key}` of {domain}")).facts.insert("key", key.clone().into());
    let ids = Ids {
        request: "<request id>".to_owned(),
        extended: "<extended request id>".to_owned(),
        trace: "<trace id>".to_owned(),
    };
    let request = ClientRequest { path, host: domain.to_owned(), ..request.clone() };
    let request = arrived(request, &ids);
    let mut context = Context::new(&served, &request, &ids, Some(&key));
    let (outcome, backend) = match walk.through(&mut context) {
        Ok(backend) => (Outcome::Backend, Some(backend)),
        Err(outcome) => (outcome, None),
    };
    Ok(Explanation { layers: walk.layers, outcome, backend })
}

/// The layers that were reached.
#[derive(Default)]
struct Walk {
    layers: Vec<Layer>,
}

/// Something, or what the request came to before.
type Walked<T> = std::result::Result<T, Outcome>;

impl Walk {
    fn layer(&mut self, name: &'static str, passes: bool, why: impl Into<String>) -> &mut Layer {
        let layer = Layer { name, passes, why: why.into(), facts: BTreeMap::new(), notes: Vec::new() };
        let at = self.layers.len();
        self.layers.push(layer);
        &mut self.layers[at]
    }

    fn pass(&mut self, name: &'static str, why: impl Into<String>) -> &mut Layer {
        self.layer(name, true, why)
    }

    fn stop(&mut self, name: &'static str, refusal: &Refusal) -> Outcome {
        self.layer(name, false, &refusal.detail);
        refused(refusal)
    }

    fn through(&mut self, context: &mut Context<'_>) -> Walked<Backend> {
        let route = self.route(context)?;
        self.throttle(route);
        self.authorizer(context, route)?;
        if let Some(cors) = context.served.cors.as_ref().filter(|_| cors::is_preflight(context.request)) {
            return Err(self.preflight(cors, context));
        }
        let integration = match &route.integration {
            Ok(integration) => integration,
            Err(why) => return Err(self.stop("integration", &Refusal::internal(why.clone()))),
        };
        self.integration(context, integration)
    }

    fn route<'a>(&mut self, context: &mut Context<'a>) -> Walked<&'a Route> {
        let (served, request) = (context.served, context.request);
        let found = routes::find(&served.routes, |route| &route.pattern, request.method.as_str(), &request.path);
        let Some((route, parameters)) = found else {
            if let Some(cors) = served.cors.as_ref().filter(|_| cors::is_preflight(request)) {
                return Err(self.preflight(cors, context));
            }
            let why = format!("no route fits {} {}", request.method, request.path);
            return Err(self.stop("route", &Refusal::new(StatusCode::NOT_FOUND, "Not Found", why)));
        };
        let layer = self.pass("route", &route.key);
        let (method, path) = route.key.split_once(' ').unwrap_or(("ANY", &route.key));
        layer.facts.insert("path", path.into());
        layer.facts.insert("method", method.into());
        layer.facts.insert("key", route.key.as_str().into());
        if !parameters.is_empty() {
            let shown = parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            layer.facts.insert("parameters", serde_json::Value::Object(shown));
        }
        (context.route, context.parameters) = (Some(route), parameters);
        Ok(route)
    }

    fn preflight(&mut self, cors: &crate::sandbox::apigatewayv2::state::Cors, context: &Context<'_>) -> Outcome {
        let answered = cors::preflight(cors, context.request);
        let allowed = answered.headers.contains_key("access-control-allow-origin");
        let verb = if allowed { "may ask" } else { "may not ask: the answer allows it nothing" };
        let origin = context.request.header("origin").unwrap_or_default();
        self.pass("cors", format!("{origin} {verb}")).facts.insert("allowed", allowed.into());
        Outcome::Preflight { status: answered.status.as_u16() }
    }

    fn throttle(&mut self, route: &Route) {
        let why = route.limits.map_or("no limit of the stage's own".to_owned(), |limits| {
            format!("{} requests a second, {} at once", limits.rate, limits.burst)
        });
        self.pass("throttle", why);
    }

    fn authorizer(&mut self, context: &mut Context<'_>, route: &Route) -> Walked<()> {
        let (id, scopes) = match &route.access {
            Access::Open => {
                self.pass("authorizer", "open to everybody");
                return Ok(());
            }
            Access::Iam => {
                self.pass("authorizer", "open to signed requests; who signed is not checked here");
                return Ok(());
            }
            Access::Function => {
                let why = "the sandbox asks no functions about requests to HTTP APIs";
                return Err(self.stop("authorizer", &Refusal::internal(why)));
            }
            Access::Jwt { authorizer, scopes } => (authorizer, scopes),
        };
        let authorizer = match context.served.authorizers.get(id) {
            Some(Ok(authorizer)) => authorizer,
            Some(Err(why)) => return Err(self.stop("authorizer", &Refusal::internal(why.clone()))),
            None => return Err(self.stop("authorizer", &Refusal::internal(format!("there is no authorizer {id}")))),
        };
        let taken = taken(context, authorizer, scopes);
        let wanted = if scopes.is_empty() { String::new() } else { format!(", with one of {}", scopes.join(" ")) };
        let layer = match &taken {
            Ok(Taken { supposed, .. }) => {
                let why = format!("`{}` takes tokens of {}{wanted}", authorizer.name, authorizer.issuer);
                let layer = self.pass("authorizer", why);
                layer.notes.push(if *supposed {
                    "what was sent is no token, and stands for a good one".to_owned()
                } else {
                    "who signed the token is not looked at here".to_owned()
                });
                layer
            }
            Err(refused) => {
                let detail = challenge(refused, scopes).detail;
                self.layer("authorizer", false, format!("`{}` refuses: {detail}", authorizer.name))
            }
        };
        layer.facts.insert("authorizer", authorizer.name.as_str().into());
        let Taken { claims, supposed } = taken.map_err(|refusal| refused(&challenge(&refusal, scopes)))?;
        (context.claims, context.supposed) = (claims, supposed);
        Ok(())
    }

    fn integration(&mut self, context: &Context<'_>, integration: &Integration) -> Walked<Backend> {
        let mut mapped = match Mapped::build(integration, context) {
            Ok(mapped) => mapped,
            Err(why) => return Err(self.stop("integration", &Refusal::internal(why))),
        };
        let (base, vpc_link) = match &integration.target {
            Target::Private(private) => {
                self.web_acl(context, private, &mut mapped)?;
                let scheme = if private.server_name.is_some() { "https" } else { "http" };
                (format!("{scheme}://{}", mapped.host()), Some(private.link.clone()))
            }
            Target::Url(_) => (mapped.base.clone().unwrap_or_default(), None),
        };
        let url = mapped.url(&base);
        let way = vpc_link.as_ref().map_or(String::new(), |link| format!(" through the VPC link `{link}`"));
        self.pass("integration", format!("HTTP_PROXY {} {url}{way}", mapped.method));
        let sources = integration.requests.iter().map(|mapping| {
            let name = match &mapping.place {
                Place::Header(name) => name.clone(),
                Place::Query(name) => format!("querystring.{name}"),
                Place::Path => "path".to_owned(),
                Place::Status => "statuscode".to_owned(),
            };
            (name, mapping.written.clone())
        });
        let mut headers: Vec<(String, String)> = mapped
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.sort();
        Ok(Backend {
            integration: "HTTP_PROXY",
            method: mapped.method.to_string(),
            url,
            vpc_link,
            timeout_ms: integration.timeout.as_millis(),
            headers,
            mapped: sources.collect(),
        })
    }

    /// The web ACL before the load balancer, which sees the request as it is mapped.
    fn web_acl(&mut self, context: &Context<'_>, private: &Private, mapped: &mut Mapped) -> Walked<()> {
        let request = context.request;
        let Some(outcome) = balancer::judge(private, mapped, &request.body, None, request.received) else {
            self.pass("web-acl", "the load balancer has no web ACL");
            balancer::forward(private, mapped, &[]);
            return Ok(());
        };
        let by = outcome.rule.as_deref().map_or("its default action".to_owned(), |rule| format!("the rule `{rule}`"));
        let status = match outcome.action {
            waf::Action::Pass => None,
            waf::Action::Block { status, .. } => Some(status),
        };
        let verb = if status.is_some() { "blocks it" } else { "lets it pass" };
        let layer = self.layer("web-acl", status.is_none(), format!("{by} {verb}"));
        layer.notes = outcome.notes;
        if let Some(rule) = outcome.rule {
            layer.facts.insert("rule", rule.into());
        }
        if let Some(status) = status {
            let message = "the answer of the load balancer's web ACL".to_owned();
            return Err(Outcome::Refused { status, response: None, message, body: String::new() });
        }
        balancer::forward(private, mapped, &outcome.inserted);
        Ok(())
    }
}

/// A token that is good, as far as it was looked at.
struct Taken {
    claims: Option<jwt::Claims>,
    /// There is none to be read.
    supposed: bool,
}

fn taken(
    context: &Context<'_>,
    authorizer: &Authorizer,
    scopes: &[String],
) -> std::result::Result<Taken, TokenRefusal> {
    let (location, name) = match &authorizer.source {
        IdentitySource::Header(name) => (Location::Header, name),
        IdentitySource::Query(name) => (Location::QueryString, name),
    };
    let identity = context.parameter(location, name).filter(|identity| !identity.trim().is_empty());
    let identity = identity.ok_or(TokenRefusal::Missing)?;
    let token = jwt::bare(&identity);
    if !token.contains('.') {
        return Ok(Taken { claims: None, supposed: true });
    }
    let now = context.request.received.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let claims = Token::read(token)?.admitted(authorizer, now)?;
    if jwt::has_scope(&claims, scopes) {
        Ok(Taken { claims: Some(claims), supposed: false })
    } else {
        Err(TokenRefusal::Scope)
    }
}

fn refused(refusal: &Refusal) -> Outcome {
    Outcome::Refused {
        status: refusal.status.as_u16(),
        response: None,
        message: refusal.message.to_owned(),
        body: json!({ "message": refusal.message }).to_string(),
    }
}

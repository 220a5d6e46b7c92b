//! What each layer decides about a request that is not sent: the same functions that serve requests, asked one after the
//! other, with their reasons written down.
//!
//! Nothing leaves the process: no authorizer is asked, nothing is counted, no backend is called. Where an authorizer would
//! be asked, it is taken for one that says yes; what it would add stands as `<authorizer's NAME>`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Value, json};

use super::authorizer::Identity;
use super::context::{Caller, Context, Ids, Problem};
use super::integration::{Http, Integration, Outbound};
use super::pipeline::{self, Standing};
use super::policy::{Policy, Verdict};
use super::request::ClientRequest;
use super::stage::{Authorization, Method, Served};
use super::waf;
use crate::error::{Failure, FailureKind, Result};
use crate::sandbox::Sandbox;

/// What becomes of a request, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The layers that are reached, in order.
    pub layers: Vec<Layer>,
    /// What the request comes to.
    pub outcome: Outcome,
    /// What the backend gets, where one is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<Backend>,
}

/// One layer's decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// `web-acl`, `resource-policy`, `route`, `authorizer`, `api-key`, `throttle`, `parameters` or `integration`; of HTTP APIs
    /// also `mapping` and `cors`.
    pub name: &'static str,
    /// Whether the request goes on.
    pub passes: bool,
    /// Why, in words.
    pub why: String,
    /// The same in parts, for scripts.
    #[serde(flatten)]
    pub facts: BTreeMap<&'static str, Value>,
    /// What can't be told here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// A backend is called.
    Backend,
    /// The gateway answers from a mock integration.
    Mock,
    /// An HTTP API answers a browser that asks before it asks.
    Preflight {
        /// The status of the answer.
        status: u16,
    },
    /// The gateway refuses.
    Refused {
        /// The status of the answer.
        status: u16,
        /// The gateway response, `ACCESS_DENIED`; none where the web ACL has an answer of its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        response: Option<&'static str>,
        /// What the client is told.
        message: String,
        /// The body of the answer, as the gateway response's template makes it.
        body: String,
    },
}

/// What the backend gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backend {
    /// `HTTP_PROXY` or `HTTP`.
    pub integration: &'static str,
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The VPC link, if one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_link: Option<String>,
    /// Milliseconds.
    pub timeout_ms: u128,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The headers that the integration maps, and their sources.
    pub mapped: BTreeMap<String, String>,
}

/// Explains what becomes of a request to a stage of a sandbox.
pub fn explain(sandbox: &Sandbox, api: &str, stage: &str, request: &ClientRequest) -> Result<Explanation> {
    let served = sandbox.look(|world| Served::find(world, api, stage))?.ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("the API `{api}` has no stage `{stage}` that serves"))
    })?;
    let mut context = Context::new(&served, &served.primary, false, request);
    context.ids = Ids {
        request: "<request id>".to_owned(),
        extended: "<extended request id>".to_owned(),
        trace: "<trace id>".to_owned(),
    };
    let mut layers = Vec::new();
    let ended = walk(&mut context, &mut layers);
    Ok(match ended {
        Ok((outcome, backend)) => Explanation { layers, outcome, backend },
        Err(stop) => {
            let outcome = stop.outcome(&mut context);
            Explanation { layers, outcome, backend: None }
        }
    })
}

/// Why a request goes no further.
enum Stop {
    Problem(Box<Problem>),
    /// The web ACL's own answer.
    Blocked(u16),
}

impl Stop {
    fn outcome(self, context: &mut Context<'_>) -> Outcome {
        match self {
            Self::Blocked(status) => {
                let message = "the web ACL's own answer".to_owned();
                Outcome::Refused { status, response: None, message, body: String::new() }
            }
            Self::Problem(problem) => {
                let own_status = problem.status;
                let (kind, message) = (problem.kind, problem.message.as_deref().unwrap_or_default().to_owned());
                context.problem = Some(*problem);
                let (status, _, body) = context.snapshot.responses.answer(kind, own_status, &*context, None);
                let body = String::from_utf8_lossy(&body).into_owned();
                Outcome::Refused { status, response: Some(kind.name()), message, body }
            }
        }
    }
}

type Walked<T> = std::result::Result<T, Stop>;

fn walk(context: &mut Context<'_>, layers: &mut Vec<Layer>) -> Walked<(Outcome, Option<Backend>)> {
    web_acl(context, layers)?;
    let standing = resource_policy(context, layers)?;
    let method = route(context, layers)?;
    authorizer(context, method, standing, layers)?;
    api_key(context, method, layers)?;
    throttle(method, layers);
    parameters(context, method, layers)?;
    integration(context, method, layers)
}

fn web_acl(context: &mut Context<'_>, layers: &mut Vec<Layer>) -> Walked<()> {
    let Some(outcome) = pipeline::firewall(context, None) else {
        layers.push(Layer::passing("web-acl", "the stage has no web ACL"));
        return Ok(());
    };
    let by = outcome.rule.as_deref().map_or("its default action".to_owned(), |rule| format!("the rule `{rule}`"));
    let (passes, verb) = match outcome.action {
        waf::Action::Pass => (true, "lets it pass"),
        waf::Action::Block { .. } => (false, "blocks it"),
    };
    let mut layer = Layer { passes, ..Layer::passing("web-acl", format!("{by} {verb}")) };
    layer.notes = outcome.notes;
    context.inserted = outcome.inserted;
    if let Some(rule) = outcome.rule {
        layer.facts.insert("rule", rule.into());
    }
    layers.push(layer);
    match outcome.action {
        waf::Action::Block { status, custom: true, .. } => Err(Stop::Blocked(status)),
        waf::Action::Block { status, .. } => Err(problem(pipeline::filtered(status, &by))),
        waf::Action::Pass => Ok(()),
    }
}

fn resource_policy(context: &Context<'_>, layers: &mut Vec<Layer>) -> Walked<Standing> {
    let arn = context.arn();
    let policy = context.snapshot.policy.as_ref();
    let verdict = policy.and_then(|policy| policy.as_ref().ok()).map(|policy| judge(policy, &arn, context));
    let standing = pipeline::resource_policy(context);
    let why = match &verdict {
        None => match &standing {
            Ok(_) => "the API has no resource policy".to_owned(),
            Err(refusal) => refusal.detail.clone().unwrap_or_default(),
        },
        Some(Verdict::Silent) => format!("no statement says anything about {arn}"),
        Some(Verdict::Allowed(by)) => format!("allowed by {by}"),
        Some(Verdict::Denied(by)) => format!("denied by {by}"),
    };
    let mut layer = Layer { passes: standing.is_ok(), ..Layer::passing("resource-policy", why) };
    layer.facts.insert("arn", arn.clone().into());
    if let Some(Verdict::Allowed(by) | Verdict::Denied(by)) = &verdict {
        layer.facts.insert("statement", by.sid.map_or_else(|| json!(by.index), |sid| json!(sid)));
    }
    if let (Some(Ok(policy)), true) = (policy, layer.passes) {
        layer.notes.extend(walked_around(policy, context));
    }
    layers.push(layer);
    standing.map_err(problem)
}

fn judge<'p>(policy: &'p Policy, arn: &str, context: &Context<'_>) -> Verdict<'p> {
    policy.evaluate(&pipeline::question(arn, context))
}

/// Says so where the policy denies the path in another form of it: which form AWS takes is not known (aws-facts E), and a
/// backend may take more of them for the same.
fn walked_around(policy: &Policy, context: &Context<'_>) -> Option<String> {
    let path = &context.request.path;
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let plain: Vec<&str> = decoded
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default())
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .collect();
    let forms = [decoded.clone().into_owned(), format!("/{}", plain.join("/"))];
    let lower = forms.iter().map(|form| form.to_lowercase()).collect::<Vec<_>>();
    forms.iter().chain(&lower).filter(|form| *form != path).find_map(|form| {
        let request = ClientRequest { path: form.clone(), ..context.request.clone() };
        let other = Context::new(context.served, context.snapshot, false, &request);
        match judge(policy, &other.arn(), &other) {
            Verdict::Denied(by) => Some(format!(
                "written as `{form}`, the path is denied by {by}: which form AWS asks its policy about is not known, so do \
                 not rely on the policy alone"
            )),
            _ => None,
        }
    })
}

fn route<'a>(context: &mut Context<'a>, layers: &mut Vec<Layer>) -> Walked<&'a Method> {
    match pipeline::route(context) {
        Err(refusal) => {
            let why = refusal.detail.clone().unwrap_or_default();
            layers.push(Layer { passes: false, ..Layer::passing("route", why) });
            Err(problem(refusal))
        }
        Ok(method) => {
            let why = format!("{} {}", method.verb, method.resource_path);
            let mut layer = Layer::passing("route", why);
            layer.facts.insert("path", method.resource_path.as_str().into());
            layer.facts.insert("method", method.verb.as_str().into());
            if !context.path_parameters.is_empty() {
                let parameters = context.path_parameters.iter();
                let parameters = parameters.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                layer.facts.insert("parameters", Value::Object(parameters));
            }
            layers.push(layer);
            Ok(method)
        }
    }
}

fn authorizer(context: &mut Context<'_>, method: &Method, standing: Standing, layers: &mut Vec<Layer>) -> Walked<()> {
    let Authorization::Custom(id) = &method.authorization else {
        let admitted = pipeline::admit(context, method, standing);
        let why = match (&method.authorization, &admitted) {
            (Authorization::Iam, Ok(())) => "open to signed requests; who signed is not checked here".to_owned(),
            (_, Ok(())) => "open to everybody".to_owned(),
            (_, Err(refusal)) => refusal.detail.clone().unwrap_or_default(),
        };
        layers.push(Layer { passes: admitted.is_ok(), ..Layer::passing("authorizer", why) });
        return admitted.map_err(problem);
    };
    let identity = pipeline::identify(context, id).map_err(|refusal| {
        let why = refusal.detail.clone().unwrap_or_default();
        layers.push(Layer { passes: false, ..Layer::passing("authorizer", why) });
        problem(refusal)
    })?;
    let Some(authorizer) = context.snapshot.authorizers.get(id) else { return Ok(()) };
    let (name, ttl) = (authorizer.name(), authorizer.ttl().as_secs());
    let cached = if ttl > 0 { format!("its answer is kept for {ttl} s") } else { "it is asked every time".to_owned() };
    let (passes, why) = match &identity {
        Identity::Present(_) => (true, format!("`{name}` would be asked; {cached}")),
        Identity::Missing { expression } => {
            (false, format!("`{name}` is not asked: the request has no `{expression}`"))
        }
        Identity::NotValid => (false, format!("`{name}` is not asked: the token does not fit its pattern")),
    };
    let mut layer = Layer { passes, ..Layer::passing("authorizer", why) };
    layer.facts.insert("authorizer", name.into());
    layer.facts.insert("ttl_seconds", ttl.into());
    layer.facts.insert("cached", (ttl > 0).into());
    layers.push(layer);
    if !passes {
        return Err(problem(Problem::new(super::gateway_response::ResponseType::Unauthorized)));
    }
    context.caller = Caller::Supposed;
    Ok(())
}

/// Whether the request has an API key, where the method asks for one.
fn api_key(context: &Context<'_>, method: &Method, layers: &mut Vec<Layer>) -> Walked<()> {
    if !method.api_key_required {
        return Ok(());
    }
    if context.snapshot.keys_by_authorizer {
        layers.push(Layer::passing("api-key", "the authorizer would give it"));
        return Ok(());
    }
    checked("api-key", "a usage plan of the stage has the request's key", pipeline::check_key(context, method), layers)
}

/// Whether the request has the parameters that the method's validator asks for.
fn parameters(context: &Context<'_>, method: &Method, layers: &mut Vec<Layer>) -> Walked<()> {
    if method.required.is_empty() {
        return Ok(());
    }
    checked("parameters", "all that are required are there", pipeline::check_parameters(context, method), layers)
}

fn checked(
    name: &'static str,
    good: &str,
    result: std::result::Result<(), Problem>,
    layers: &mut Vec<Layer>,
) -> Walked<()> {
    let why = match &result {
        Ok(()) => good.to_owned(),
        Err(refusal) => {
            let message = refusal.message.as_deref().unwrap_or_default();
            refusal.detail.clone().unwrap_or_else(|| message.to_owned())
        }
    };
    layers.push(Layer { passes: result.is_ok(), ..Layer::passing(name, why) });
    result.map_err(problem)
}

fn throttle(method: &Method, layers: &mut Vec<Layer>) {
    let why = match method.limits {
        Some(limits) if limits.rate >= 0.0 => {
            format!("{} requests a second, {} at once", limits.rate, limits.burst)
        }
        _ => "no limit of the stage's own".to_owned(),
    };
    layers.push(Layer::passing("throttle", why));
}

fn integration(context: &Context<'_>, method: &Method, layers: &mut Vec<Layer>) -> Walked<(Outcome, Option<Backend>)> {
    let built = match &method.integration {
        Ok(Integration::Mock(_)) => {
            layers.push(Layer::passing("integration", "MOCK: the gateway answers itself"));
            return Ok((Outcome::Mock, None));
        }
        Ok(integration @ Integration::HttpProxy(http)) => backend(context, integration, http, true),
        Ok(integration @ Integration::Http(http, _)) => backend(context, integration, http, false),
        Err(why) => Err(why.clone()),
    };
    match built {
        Ok(backend) => {
            let way = backend.vpc_link.as_ref().map_or(String::new(), |link| format!(" through the VPC link `{link}`"));
            let why = format!("{} {} {}{way}", backend.integration, backend.method, backend.url);
            layers.push(Layer::passing("integration", why));
            Ok((Outcome::Backend, Some(backend)))
        }
        Err(why) => {
            layers.push(Layer { passes: false, ..Layer::passing("integration", why.clone()) });
            Err(problem(pipeline::misconfigured(why)))
        }
    }
}

fn backend(
    context: &Context<'_>,
    integration: &Integration,
    http: &Http,
    proxied: bool,
) -> std::result::Result<Backend, String> {
    let Outbound { method, url, headers } = Outbound::build(http, context, proxied)?;
    let mapped = http.mappings.iter().map(|mapping| (mapping.name.clone(), mapping.written.clone()));
    let mut headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    // Two explanations of one request are to be the same.
    headers.sort();
    Ok(Backend {
        integration: integration.kind(),
        method: method.to_string(),
        url,
        vpc_link: http.vpc_link.as_ref().map(|link| link.render(context, |_| None)),
        timeout_ms: http.timeout.as_millis(),
        headers,
        mapped: mapped.collect(),
    })
}

impl Layer {
    fn passing(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, passes: true, why: why.into(), facts: BTreeMap::new(), notes: Vec::new() }
    }
}

fn problem(problem: Problem) -> Stop {
    Stop::Problem(Box::new(problem))
}

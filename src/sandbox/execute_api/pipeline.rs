//! One request through the layers, in AWS's order: web ACL, resource policy, route, authorizer, both policies together,
//! throttle, integration.
//!
//! Each layer is a function that lets the request pass or gives a [`Problem`]; those that only decide are pure, so that
//! `gwctl explain` asks the same ones without sending anything.

use std::borrow::Cow;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tokio::time::Instant;

use super::authorizer::{Authorization as Authorized, Identity};
use super::context::{Call, Caller, Context, Problem};
use super::gateway_response::{
    DENIED_BY_AUTHORIZER, DENIED_EXPLICITLY_BY_AUTHORIZER, ResponseType, denied_by_policy, missing_parameters,
};
use super::integration::http::{Answered, Body, Outage};
use super::integration::{Http, Integration, Outbound};
use super::policy::{Keys, Principal, Question, Values, Verdict};
use super::request::ClientRequest;
use super::stage::{Authorization, Method, Snapshot};
use super::variables::{Location, Variables};
use super::{Gateway, waf};

/// The headers by which a test says through which VPC endpoint, and from which VPC, a request to a private API comes.
const SOURCE_VPCE: &str = "x-gwctl-source-vpce";
const SOURCE_VPC: &str = "x-gwctl-source-vpc";

/// The action that every request to a stage is.
const INVOKE: &str = "execute-api:Invoke";

impl Gateway {
    /// Takes a request through the layers. What it learns on the way stands in the context.
    pub(super) async fn pass(&self, context: &mut Context<'_>) -> Result<Answered, Problem> {
        if let Some(outcome) = firewall(context, Some(&self.counters)) {
            if outcome.action != waf::Action::Pass {
                return blocked(outcome);
            }
            context.inserted = outcome.inserted;
        }
        let policy = resource_policy(context)?;
        let method = route(context)?;
        self.authorize(context, method, policy).await?;
        check_key(context, method)?;
        self.throttle(context, method)?;
        check_parameters(context, method)?;
        self.integrate(context, method).await
    }

    async fn authorize(&self, context: &mut Context<'_>, method: &Method, policy: Standing) -> Result<(), Problem> {
        let Authorization::Custom(id) = &method.authorization else { return admit(context, method, policy) };
        let authorizer = context.snapshot.authorizers.get(id).ok_or_else(|| {
            Problem::new(ResponseType::AuthorizerConfigurationError).because(format!("there is no authorizer {id}"))
        })?;
        let identity = identify(context, id)?;
        match self.authorizers.ask(authorizer, &identity, context).await {
            Ok(Authorized { answer, cached: _, latency }) => {
                context.authorizer = Call { status: Some(200), latency, error: None };
                context.caller = Caller::Known(answer);
                together(context, policy)
            }
            Err(refusal) => {
                let kind = ResponseType::named(refusal.response_type).unwrap_or(ResponseType::AuthorizerFailure);
                let error = Some(refusal.message.clone());
                context.authorizer = Call { status: refusal.status, latency: refusal.latency, error };
                Err(Problem::new(kind).because(refusal.message))
            }
        }
    }

    fn throttle(&self, context: &Context<'_>, method: &Method) -> Result<(), Problem> {
        let Some(limits) = method.limits else { return Ok(()) };
        let throttles = self.throttles_of(&context.served.api_id, &context.served.stage_name);
        if throttles.take(&method.key(), limits, Instant::now()) {
            return Ok(());
        }
        Err(Problem::new(ResponseType::Throttled))
    }

    async fn integrate(&self, context: &mut Context<'_>, method: &Method) -> Result<Answered, Problem> {
        let started = Instant::now();
        let answered = match &method.integration {
            Ok(Integration::HttpProxy(http)) => self.proxy(context, http).await,
            Ok(Integration::Http(http, mapped)) => self.mapped(context, http, mapped).await,
            Ok(Integration::Mock(mapped)) => mapped.mock(context),
            Err(why) => Err(Problem::new(ResponseType::ApiConfigurationError).because(why.clone())),
        };
        context.integration.latency = Some(started.elapsed());
        match &answered {
            Ok(answered) => context.integration.status = Some(answered.status.as_u16()),
            Err(problem) => context.integration.error.clone_from(&problem.detail),
        }
        answered
    }

    async fn proxy(&self, context: &Context<'_>, http: &Http) -> Result<Answered, Problem> {
        let outbound = Outbound::build(http, context, true).map_err(misconfigured)?;
        let mut answered = self.backends.call(http, outbound, request_body(context)).await.map_err(out_of_order)?;
        if let Body::Whole(body) = &mut answered.body {
            let binary = &context.snapshot.binary;
            let kind = answered.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let accepted = context.request.header(ACCEPT.as_str()).unwrap_or_default();
            if !binary.contains(kind) && !binary.contains(accepted) {
                *body = as_text(std::mem::take(body), "answer", kind);
            }
        }
        Ok(answered)
    }
}

/// What the web ACL says, if the stage has one. Without counters nothing is counted, and rate-based rules let everything
/// pass.
pub(super) fn firewall(context: &Context<'_>, counters: Option<&waf::Counters>) -> Option<waf::Outcome> {
    let acl = context.served.web_acl.as_ref()?;
    let request = context.request;
    let subject = waf::Subject {
        method: request.method.as_str(),
        path: &request.path,
        query: &request.query,
        headers: &request.headers,
        source_ip: request.source_ip,
        body: &request.body,
    };
    let now = request.received.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(acl.rules.evaluate(&subject, counters, now))
}

/// The answer to a request that a web ACL blocks: the ACL's own, or the gateway's.
fn blocked(outcome: waf::Outcome) -> Result<Answered, Problem> {
    let rule = outcome.rule.unwrap_or_else(|| "the default action".to_owned());
    match outcome.action {
        waf::Action::Block { status, headers, body, custom: true } => {
            let pairs =
                headers.iter().filter_map(|(name, value)| name.parse().ok().zip(HeaderValue::from_str(value).ok()));
            Ok(Answered {
                status: StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN),
                headers: pairs.collect(),
                body: Body::Whole(body.into()),
            })
        }
        waf::Action::Block { status, .. } => Err(filtered(status, &rule)),
        waf::Action::Pass => Err(Problem::new(ResponseType::WafFiltered)),
    }
}

/// A web ACL's no, in the gateway's words; a CAPTCHA and a challenge have a status of their own.
pub(super) fn filtered(status: u16, rule: &str) -> Problem {
    let problem = Problem::new(ResponseType::WafFiltered).because(format!("the web ACL blocks it: {rule}"));
    if status == 403 { problem } else { problem.with_status(status) }
}

/// What the resource policy says of a request, before anybody is asked who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is no policy.
    NoPolicy,
    /// It allows.
    Allowed,
    /// It says nothing.
    Silent,
}

/// Asks the resource policy: an explicit deny ends the request (aws-facts E).
pub(super) fn resource_policy(context: &Context<'_>) -> Result<Standing, Problem> {
    let Some(policy) = &context.snapshot.policy else {
        if context.snapshot.private {
            let why = "a private API answers nobody without a resource policy";
            return Err(denied(&context.arn(), false).because(why));
        }
        return Ok(Standing::NoPolicy);
    };
    let arn = context.arn();
    let policy = policy.as_ref().map_err(|why| {
        // A policy that nobody can read must not open what it may have been made to close.
        denied(&arn, true).because(format!("the resource policy can't be read, so it lets nobody pass: {why}"))
    })?;
    match policy.evaluate(&question(&arn, context)) {
        Verdict::Allowed(_) => Ok(Standing::Allowed),
        Verdict::Silent => Ok(Standing::Silent),
        Verdict::Denied(by) => Err(denied(&arn, true).because(format!("the resource policy's {by} denies {arn}"))),
    }
}

/// The question that the policies are asked.
pub(super) fn question<'q>(arn: &'q str, keys: &'q dyn Keys) -> Question<'q> {
    Question { action: INVOKE, resource: arn, principal: Principal::Anonymous, keys }
}

/// Finds the method.
pub(super) fn route<'a>(context: &mut Context<'a>) -> Result<&'a Method, Problem> {
    let snapshot: &'a Snapshot = context.snapshot;
    let request: &'a ClientRequest = context.request;
    let found = snapshot.routes.find(request.method.as_str(), &request.path).ok_or_else(|| {
        Problem::new(ResponseType::MissingAuthenticationToken)
            .because(format!("no route fits {} {}", request.method, request.path))
    })?;
    context.method = Some(found.method);
    context.path_parameters = found.parameters;
    Ok(found.method)
}

/// What the authorizer of a method needs of a request, before it is asked.
pub(super) fn identify(context: &Context<'_>, id: &str) -> Result<Identity, Problem> {
    let authorizer = context.snapshot.authorizers.get(id).ok_or_else(|| {
        Problem::new(ResponseType::AuthorizerConfigurationError).because(format!("there is no authorizer {id}"))
    })?;
    Ok(authorizer.identity(context))
}

/// Lets a request pass that no Lambda authorizer is asked about: the policy has to allow it, if there is one.
pub(super) fn admit(context: &Context<'_>, method: &Method, policy: Standing) -> Result<(), Problem> {
    if method.authorization == Authorization::Iam && !context.request.headers.contains_key(AUTHORIZATION) {
        return Err(Problem::new(ResponseType::MissingAuthenticationToken).because("the method asks for a signature"));
    }
    if policy == Standing::Silent {
        let arn = context.arn();
        return Err(denied(&arn, false).because(format!("the resource policy does not allow {arn}")));
    }
    Ok(())
}

/// Adds the authorizer's policy and the resource policy up: a deny in either ends the request, an allow in either lets it
/// pass (aws-facts E).
pub(super) fn together(context: &Context<'_>, policy: Standing) -> Result<(), Problem> {
    let Caller::Known(authorization) = &context.caller else { return Ok(()) };
    let arn = context.arn();
    let refused = |how: &'static str| Problem::saying(ResponseType::AccessDenied, how);
    match authorization.policy.evaluate(&question(&arn, context)) {
        Verdict::Denied(by) => {
            Err(refused(DENIED_EXPLICITLY_BY_AUTHORIZER).because(format!("the authorizer's {by} denies {arn}")))
        }
        Verdict::Silent if policy != Standing::Allowed => {
            Err(refused(DENIED_BY_AUTHORIZER).because(format!("the authorizer's policy does not allow {arn}")))
        }
        Verdict::Silent | Verdict::Allowed(_) => Ok(()),
    }
}

/// Asks for an API key where the method wants one.
pub(super) fn check_key(context: &Context<'_>, method: &Method) -> Result<(), Problem> {
    if !method.api_key_required {
        return Ok(());
    }
    let key = match &context.caller {
        Caller::Known(authorization) if context.snapshot.keys_by_authorizer => {
            authorization.usage_identifier_key.as_deref()
        }
        _ if context.snapshot.keys_by_authorizer => None,
        _ => context.request.header("x-api-key"),
    };
    if key.is_some_and(|key| context.served.keys.contains(key)) {
        return Ok(());
    }
    Err(Problem::new(ResponseType::InvalidApiKey).because("no usage plan of the stage has the request's API key"))
}

/// Asks for the parameters that the method's validator wants.
pub(super) fn check_parameters(context: &Context<'_>, method: &Method) -> Result<(), Problem> {
    let missing: Vec<&str> = method
        .required
        .iter()
        .filter_map(|parameter| {
            let (location, name) = parameter.strip_prefix("method.request.")?.split_once('.')?;
            let location = match location {
                "header" | "multivalueheader" => Location::Header,
                "querystring" | "multivaluequerystring" => Location::QueryString,
                _ => Location::Path,
            };
            context.parameter(location, name).is_none_or(|value| value.is_empty()).then_some(name)
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = missing_parameters(&missing);
    let mut problem = Problem::saying(ResponseType::BadRequestParameters, message.clone());
    problem.validation = Some(message);
    Err(problem)
}

/// A resource policy's no.
fn denied(arn: &str, explicitly: bool) -> Problem {
    Problem::saying(ResponseType::AccessDenied, denied_by_policy(arn, explicitly))
}

/// The body towards a backend: as bytes if its media type is a binary one, else as the text that API Gateway takes it for.
pub(super) fn request_body(context: &Context<'_>) -> Bytes {
    let kind = context.request.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let body = context.request.body.clone();
    if context.snapshot.binary.contains(kind) { body } else { as_text(body, "request", kind) }
}

/// What is left of a body that API Gateway takes for text: bytes that are no UTF-8 are replaced, which spoils images and
/// archives (API Gateway Developer Guide, "Working with binary media types").
fn as_text(body: Bytes, whose: &str, kind: &str) -> Bytes {
    match String::from_utf8_lossy(&body) {
        Cow::Borrowed(_) => body,
        Cow::Owned(text) => {
            tracing::warn!(
                media_type = kind,
                "the {whose}'s body is no UTF-8 and its type is none of the API's binary media types: it was spoilt, as it is on AWS"
            );
            text.into()
        }
    }
}

pub(super) fn misconfigured(why: String) -> Problem {
    Problem::new(ResponseType::ApiConfigurationError).because(why)
}

pub(super) fn out_of_order(outage: Outage) -> Problem {
    match outage {
        Outage::Timeout(after) => Problem::new(ResponseType::IntegrationTimeout)
            .because(format!("the backend gave no answer in {} ms", after.as_millis())),
        Outage::Network(why) => Problem::new(ResponseType::IntegrationFailure).because(why),
        Outage::TooLarge => Problem::saying(ResponseType::IntegrationFailure, "Internal server error")
            .with_status(500)
            .because("the backend's answer is larger than the 10485760 bytes that API Gateway passes on"),
    }
}

/// The condition keys that a policy may ask a request for (API Gateway Developer Guide, "AWS condition keys that can be used
/// in API Gateway resource policies"). Requests come in over TLS at AWS, whatever they come in over here.
impl Keys for Context<'_> {
    fn values(&self, name: &str) -> Values<'_> {
        let header = |name: &str| Values::from(self.request.header(name));
        let received = || jiff::Timestamp::try_from(self.request.received).unwrap_or_default();
        match name {
            "aws:sourceip" => Values::One(self.request.source_ip.to_string().into()),
            "aws:useragent" => header("user-agent"),
            "aws:referer" => header("referer"),
            "aws:securetransport" => Values::One("true".into()),
            "aws:currenttime" => Values::One(received().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
            "aws:epochtime" => Values::One(received().as_second().to_string().into()),
            "aws:sourcevpce" => header(SOURCE_VPCE),
            "aws:sourcevpc" => header(SOURCE_VPC),
            "aws:vpcsourceip" => {
                let private = self.request.headers.contains_key(SOURCE_VPCE);
                Values::from(private.then(|| self.request.source_ip.to_string()))
            }
            _ => Values::Absent,
        }
    }
}

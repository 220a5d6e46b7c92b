//! What is known of one request on its way, and how expressions see it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use serde_json::Value;

use super::authorizer::Answer;
use super::gateway_response::{ResponseType, default_message};
use super::request::ClientRequest;
use super::stage::{Method, Served, Snapshot};
use super::variables::{Location, Variables};

/// One request, from its arrival to its answer.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) served: &'a Served,
    pub(super) snapshot: &'a Snapshot,
    pub(super) request: &'a ClientRequest,
    pub(super) ids: Ids,
    /// Whether the canary serves it.
    pub(super) canary: bool,
    /// The method that serves it, once it is known.
    pub(super) method: Option<&'a Method>,
    /// The parameters of its path, percent-encoded as sent.
    pub(super) path_parameters: Vec<(&'a str, String)>,
    pub(super) caller: Caller,
    pub(super) authorizer: Call,
    pub(super) integration: Call,
    /// Headers that the web ACL adds to the request.
    pub(super) inserted: Vec<(String, String)>,
    /// What went wrong, once something did.
    pub(super) problem: Option<Problem>,
    pub(super) sent: Sent,
}

/// The ids of one request.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    /// A UUID, `$context.requestId`.
    pub(super) request: String,
    /// `$context.extendedRequestId`, the header `x-amz-apigw-id`.
    pub(super) extended: String,
    /// The X-Ray header: the client's, or a new one.
    pub(super) trace: String,
}

/// Who calls, as the authorizer said.
#[derive(Debug, Clone, Default)]
pub(super) enum Caller {
    /// Nobody asked.
    #[default]
    Unasked,
    /// The authorizer's answer.
    Known(Arc<Answer>),
    /// Nothing is sent (`gwctl explain`): the authorizer's values stand as their names in angle brackets.
    Supposed,
}

/// One call that the gateway made.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) status: Option<u16>,
    pub(super) latency: Option<Duration>,
    pub(super) error: Option<String>,
}

/// Why the gateway answers itself.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) kind: ResponseType,
    /// The status that the case has by itself, where it is not its kind's.
    pub(super) status: Option<u16>,
    /// What the client is told, `$context.error.message`; for some kinds nothing.
    pub(super) message: Option<Cow<'static, str>>,
    /// What only the log is told.
    pub(super) detail: Option<String>,
    /// `$context.error.validationErrorString`.
    pub(super) validation: Option<String>,
}

/// What was answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) status: Option<u16>,
    pub(super) length: usize,
    pub(super) latency: Duration,
}

impl Problem {
    /// A problem with the message that the service has for its kind.
    pub(super) fn new(kind: ResponseType) -> Self {
        Self { kind, status: None, message: default_message(kind).map(Cow::from), detail: None, validation: None }
    }

    /// A problem with a message of its own.
    pub(super) fn saying(kind: ResponseType, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message.into()), ..Self::new(kind) }
    }

    /// Sets the status that the case has by itself.
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds what the log is told.
    pub(super) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Ids {
    /// New ids; a trace that the client began is kept.
    pub(super) fn draw(request: &ClientRequest) -> Self {
        let random = || fastrand::u128(..);
        let uuid = (random() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{uuid:032x}");
        let request_id = [&hex[..8], "-", &hex[8..12], "-", &hex[12..16], "-", &hex[16..20], "-", &hex[20..]].concat();
        let trace = request.header("x-amzn-trace-id").map_or_else(
            || {
                let seconds = request.received.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                format!("Root=1-{:08x}-{:024x}", seconds & 0xffff_ffff, random() >> 32)
            },
            str::to_owned,
        );
        Self { request: request_id, extended: URL_SAFE.encode(&random().to_be_bytes()[..11]), trace }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(served: &'a Served, snapshot: &'a Snapshot, canary: bool, request: &'a ClientRequest) -> Self {
        Self {
            served,
            snapshot,
            request,
            ids: Ids::draw(request),
            canary,
            method: None,
            path_parameters: Vec::new(),
            caller: Caller::default(),
            authorizer: Call::default(),
            integration: Call::default(),
            inserted: Vec::new(),
            problem: None,
            sent: Sent::default(),
        }
    }

    /// The ARN of what is called, with the path as sent. Which form of the path the service takes here is not known for
    /// doubled slashes and escapes (aws-facts E).
    pub(super) fn arn(&self) -> String {
        let path = self.request.path.trim_start_matches('/');
        let place = &self.served.place;
        let (partition, region, account) = (&place.partition, &place.region, &place.account);
        let (api, stage, method) = (&self.served.api_id, &self.served.stage_name, self.request.method.as_str());
        format!("arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/{method}/{path}")
    }

    /// The path with the stage, as `$context.path` shows it.
    fn full_path(&self) -> String {
        format!("/{}{}", self.served.stage_name, self.request.path)
    }

    fn error(&self, name: &str) -> Option<Cow<'_, str>> {
        let problem = self.problem.as_ref()?;
        match name {
            "message" => problem.message.as_deref().map(Cow::from),
            "messageString" => problem.message.as_deref().map(|message| Value::from(message).to_string().into()),
            "responseType" => Some(problem.kind.name().into()),
            "validationErrorString" => problem.validation.as_deref().map(Cow::from),
            _ => None,
        }
    }

    fn caller(&self, name: &str) -> Option<Cow<'_, str>> {
        match &self.caller {
            Caller::Unasked => None,
            Caller::Known(authorization) if name == "principalId" => Some(authorization.principal_id.as_str().into()),
            Caller::Known(authorization) => authorization.context.get(name).map(|value| value.as_str().into()),
            Caller::Supposed => Some(format!("<authorizer's {name}>").into()),
        }
    }

    /// What the log may ask of the authorizer's call besides its context.
    fn authorizer(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "error" => self.authorizer.error.as_deref().map(Cow::from),
            "latency" | "integrationLatency" => self.authorizer.latency.map(millis),
            "status" | "integrationStatus" => self.authorizer.status.map(|status| status.to_string().into()),
            _ => self.caller(name),
        }
    }

    fn integration(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "error" => self.integration.error.as_deref().map(Cow::from),
            "latency" => self.integration.latency.map(millis),
            "status" | "integrationStatus" => self.integration.status.map(|status| status.to_string().into()),
            _ => None,
        }
    }

    fn identity(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "sourceIp" => Some(self.request.source_ip.to_string().into()),
            "userAgent" => self.request.header("user-agent").map(Cow::from),
            "apiKey" => self.request.header("x-api-key").map(Cow::from),
            _ => None,
        }
    }

    fn received(&self, format: &str) -> String {
        let received = jiff::Timestamp::try_from(self.request.received).unwrap_or_default();
        received.strftime(format).to_string()
    }
}

impl Variables for Context<'_> {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        let served = self.served;
        if let Some((group, name)) = name.split_once('.') {
            return match group {
                "authorizer" => self.authorizer(name),
                "error" => self.error(name),
                "identity" => self.identity(name),
                "integration" => self.integration(name),
                _ => None,
            };
        }
        Some(match name {
            "accountId" => served.place.account.as_str().into(),
            "apiId" => served.api_id.as_str().into(),
            "deploymentId" => self.snapshot.deployment_id.as_str().into(),
            "domainName" => self.request.host.as_str().into(),
            "domainPrefix" => self.request.host.split('.').next().unwrap_or_default().into(),
            "extendedRequestId" => self.ids.extended.as_str().into(),
            "httpMethod" => self.request.method.as_str().into(),
            "integrationLatency" => return self.integration("latency"),
            "integrationStatus" => return self.integration("status"),
            "isCanaryRequest" => if self.canary { "true" } else { "false" }.into(),
            "path" => self.full_path().into(),
            "protocol" => format!("{:?}", self.request.version).into(),
            "requestId" => self.ids.request.as_str().into(),
            "requestTime" => self.received("%d/%b/%Y:%H:%M:%S %z").into(),
            "requestTimeEpoch" => epoch_millis(self.request.received).to_string().into(),
            "resourceId" => self.method?.resource_id.as_str().into(),
            "resourcePath" => self.method?.resource_path.as_str().into(),
            "responseLatency" => millis(self.sent.latency),
            "responseLength" => self.sent.length.to_string().into(),
            "stage" => served.stage_name.as_str().into(),
            "status" => self.sent.status?.to_string().into(),
            "webaclArn" => served.web_acl.as_ref()?.arn.as_str().into(),
            "wafResponseCode" => {
                served.web_acl.as_ref()?;
                let blocked = self.problem.as_ref().is_some_and(|problem| problem.kind == ResponseType::WafFiltered);
                if blocked { "WAF_BLOCK" } else { "WAF_ALLOW" }.into()
            }
            "xrayTraceId" => self.ids.trace.as_str().into(),
            _ => return None,
        })
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.snapshot.variables.get(name).map(String::as_str)
    }

    fn stage_variables(&self) -> Vec<(&str, &str)> {
        self.snapshot.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn context_members(&self, prefix: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        match (prefix, &self.caller) {
            ("authorizer", Caller::Known(authorization)) => {
                let given = authorization.context.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let principal = ("principalId", authorization.principal_id.as_str());
                given.chain([principal]).map(|(name, value)| (name.into(), value.into())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn parameter(&self, location: Location, name: &str) -> Option<Cow<'_, str>> {
        match location {
            Location::Header => self.request.header(name).map(Cow::from),
            Location::QueryString => {
                self.request.query_parameters().filter(|(key, _)| key == name).map(|(_, value)| value).last()
            }
            Location::Path => {
                self.path_parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str().into())
            }
        }
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
            Location::Path => self.parameter(location, name).into_iter().collect(),
        }
    }

    fn parameters(&self, location: Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        match location {
            Location::Header => {
                let names = self.request.headers.keys();
                names
                    .filter_map(|name| Some((name.as_str().into(), self.request.header(name.as_str())?.into())))
                    .collect()
            }
            Location::QueryString => {
                let mut last: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
                for (name, value) in self.request.query_parameters() {
                    match last.iter_mut().find(|(known, _)| *known == name) {
                        Some(entry) => entry.1 = value,
                        None => last.push((name, value)),
                    }
                }
                last
            }
            Location::Path => {
                self.path_parameters.iter().map(|(name, value)| ((*name).into(), value.as_str().into())).collect()
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

fn epoch_millis(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

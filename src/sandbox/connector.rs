//! The sandbox behind the SDK's HTTP client: requests are serialised, signed and parsed as for the real AWS, and never
//! leave the process.
//!
//! It counts the calls, and can write down what was asked. What the sandbox's [conditions](super::conditions) do to a call
//! is done here as the SDK would see it of AWS: a lost connection is an error of input and output, and after a crash nothing
//! is answered any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::Sandbox;
use super::conditions::{Latency, Loss};
use super::transport::Outcome;
use super::wire::{Incoming, Response};

/// A way for the SDK's requests.
pub type Client = SharedHttpClient;

/// An HTTP client for the SDK that ends in a sandbox; clones share the counters.
#[derive(Debug, Clone)]
pub struct Connector {
    sandbox: Sandbox,
    recording: bool,
    journal: Arc<Mutex<Journal>>,
}

/// What was asked.
#[derive(Debug, Default)]
struct Journal {
    counts: BTreeMap<String, u64>,
    calls: Vec<String>,
}

impl Connector {
    /// A connector to a sandbox, under the sandbox's conditions.
    #[must_use]
    pub fn new(sandbox: Sandbox) -> Self {
        Self { sandbox, recording: false, journal: Arc::default() }
    }

    /// Lets every call of this connector take this long, for benchmarks that care for dependent rounds of calls.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        let conditions = self.sandbox.conditions().clone().latency(Latency::fixed(latency));
        self.sandbox = self.sandbox.under(conditions);
        self
    }

    /// Writes every call down; see [`Connector::calls`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.recording = true;
        self
    }

    /// The connector as the SDK's configuration takes it.
    #[must_use]
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The calls in the order in which they came in: `apigateway GET /restapis`, `iam CreateRole`. Empty unless
    /// [`Connector::recording`].
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.journal().calls.clone()
    }

    /// How many calls each service got, by signing name.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.journal().counts.clone()
    }

    /// How many calls there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.journal().counts.values().sum()
    }

    /// Forgets all calls so far.
    pub fn reset(&self) {
        *self.journal() = Journal::default();
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        // Counters stay usable whatever happened to a thread that held them.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self, incoming: Incoming) -> Result<HttpResponse, ConnectorError> {
        let conditions = self.sandbox.conditions();
        if conditions.has_crashed() {
            return never().await;
        }
        let request = match self.sandbox.authenticate(incoming) {
            Ok(request) => request,
            Err(refusal) => return to_sdk(refusal),
        };
        {
            let mut journal = self.journal();
            *journal.counts.entry(request.caller.service.clone()).or_default() += 1;
            if self.recording {
                journal.calls.push(format!("{} {}", request.caller.service, request.operation()));
            }
        }
        // The disk, and the lock of another process, may take a while.
        let outcome = self.sandbox.answer(request, self.sandbox.is_persistent()).await;
        let outcome = outcome.map_err(|error| ConnectorError::other(error.into(), None))?;
        if let Outcome::Lost(Loss::Crash) = outcome {
            conditions.crash();
        }
        if conditions.has_crashed() {
            return never().await;
        }
        match outcome {
            Outcome::Answer(response) => to_sdk(response),
            // What the SDK makes of a reset connection, so that it retries this one as it would that one.
            Outcome::Lost(_) => Err(ConnectorError::io("the connection was cut on purpose".into())),
        }
    }
}

/// The answer to a client that is dead.
async fn never() -> Result<HttpResponse, ConnectorError> {
    std::future::pending().await
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("gwctl-sandbox", None))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.answer(from_sdk(&request)?).await })
    }
}

fn from_sdk(request: &HttpRequest) -> Result<Incoming, ConnectorError> {
    let (host, target) = split(request.uri());
    let mut headers: Vec<(String, String)> =
        request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    if !headers.iter().any(|(name, _)| name == "host") {
        headers.push(("host".to_owned(), host.to_owned()));
    }
    let Some(body) = request.body().bytes() else {
        return Err(ConnectorError::user("the sandbox takes no streamed request bodies".into()));
    };
    let body = Bytes::copy_from_slice(body);
    Ok(Incoming { method: request.method().to_owned(), target: target.to_owned(), headers, body })
}

/// The host, and the path with the query string, of a URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    }
}

fn to_sdk(response: Response) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(response.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body));
    for (name, value) in response.headers {
        let set = answer.headers_mut().try_append(name, value);
        set.map_err(|error| ConnectorError::other(error.into(), None))?;
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::conditions::Conditions;

    #[test]
    fn a_url_splits_into_host_and_target() {
        assert_eq!(split("https://iam.amazonaws.com"), ("iam.amazonaws.com", "/"));
        assert_eq!(split("https://x.eu-central-1.amazonaws.com/a?b=c"), ("x.eu-central-1.amazonaws.com", "/a?b=c"));
    }

    fn request(uri: &str, service: &str) -> HttpRequest {
        let mut request = HttpRequest::empty();
        request.set_uri(uri).unwrap();
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=1/2/eu-central-1/{service}/aws4_request, SignedHeaders=h, Signature=s"
        );
        request.headers_mut().insert("authorization", scope);
        request.headers_mut().insert("x-amz-date", "20261122T000000Z");
        request
    }

    #[tokio::test]
    async fn calls_are_counted_recorded_and_as_slow_as_told() {
        let connector = Connector::new(Sandbox::in_memory()).with_latency(Duration::from_millis(20)).recording();
        let before = std::time::Instant::now();
        let answer = connector.call(request("https://h/2015-03-31/functions/", "lambda")).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert!(before.elapsed() >= Duration::from_millis(20));
        let answer = connector.call(request("https://h/", "sqs")).await.unwrap();
        assert_eq!(answer.status().as_u16(), 501);
        assert!(answer.headers().get("x-amzn-requestid").is_some());
        assert_eq!(connector.calls(), ["lambda GET /2015-03-31/functions/", "sqs GET /"]);
        assert_eq!((connector.total(), connector.counts()["lambda"]), (2, 1));
        connector.reset();
        assert_eq!(connector.total(), 0);
    }

    fn under(fault: &str) -> Connector {
        Connector::new(Sandbox::in_memory().under(Conditions::none().fault(fault.parse().unwrap())))
    }

    fn list() -> HttpRequest {
        request("https://h/2015-03-31/functions/", "lambda")
    }

    fn create_group() -> HttpRequest {
        let mut request = request("https://h/", "logs");
        request.set_method("POST").unwrap();
        request.headers_mut().insert("x-amz-target", "Logs_20140328.CreateLogGroup");
        *request.body_mut() = SdkBody::from(r#"{"logGroupName":"a"}"#);
        request
    }

    #[tokio::test]
    async fn a_cut_is_an_error_of_the_connection_on_either_side_of_the_effect() {
        for (fault, status) in [("cut-before:write#1", 200), ("cut-after:write#1", 400)] {
            let connector = under(fault);
            let error = connector.call(create_group()).await.unwrap_err();
            assert!(error.is_io(), "{error:?}");
            // Made a second time, it is there already if the first call took effect.
            let again = connector.call(create_group()).await.unwrap();
            assert_eq!(again.status().as_u16(), status, "{fault}");
        }
    }

    #[tokio::test]
    async fn refusals_carry_an_id_and_leave_the_world_alone() {
        let connector = under("error:CreateLogGroup:1");
        let answer = connector.call(create_group()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 500);
        assert!(answer.headers().get("x-amzn-requestid").is_some());
        assert_eq!(connector.call(create_group()).await.unwrap().status().as_u16(), 200);
        let tally = connector.sandbox.counters().services["logs"]["CreateLogGroup"];
        assert_eq!((tally.calls, tally.writes, tally.faults), (2, 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_crash_nothing_is_answered_and_who_waits_for_it_is_told() {
        let connector = under("crash-after:write#1");
        let conditions = connector.sandbox.conditions().clone();
        tokio::select! {
            answer = connector.call(create_group()) => panic!("the dead were answered: {answer:?}"),
            () = conditions.crashed() => {}
        }
        let later = tokio::time::timeout(Duration::from_secs(1000), connector.call(list())).await;
        assert!(later.is_err(), "the dead were answered");
        // It took effect.
        let other = Connector::new(connector.sandbox.clone().under(Conditions::none()));
        assert_eq!(other.call(create_group()).await.unwrap().status().as_u16(), 400);
    }

    #[tokio::test(start_paused = true)]
    async fn latency_is_of_one_connector_and_costs_a_paused_clock_nothing() {
        let sandbox = Sandbox::in_memory();
        let (near, far) =
            (Connector::new(sandbox.clone()), Connector::new(sandbox).with_latency(Duration::from_secs(9)));
        let start = tokio::time::Instant::now();
        near.call(list()).await.unwrap();
        assert!(start.elapsed().is_zero());
        far.call(list()).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 9);
    }
}

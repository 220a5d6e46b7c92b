//! A transport between the SDK and the sandbox that changes one answer on its way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use gwctl::sandbox::connector::Connector;

/// Which answer: the name of the call, and the how manieth of that name, from 0. A retry of a call is another one.
pub(crate) type Which = (String, usize);

/// An answer as it came from the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) which: Which,
    pub(crate) body: Vec<u8>,
}

/// Which answers are changed.
type Choice = dyn Fn(&Which, usize) -> bool + Send + Sync;

/// What becomes of an answer.
pub(crate) type Change = Arc<dyn Fn(HttpResponse) -> HttpResponse + Send + Sync>;

/// A client that hands answers through, all but those that it changes, and keeps what it has seen.
#[derive(Clone)]
pub(crate) struct Spoiling {
    inner: Connector,
    spoilt: Arc<Choice>,
    change: Change,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    counts: BTreeMap<String, usize>,
    answers: Vec<Answer>,
}

impl std::fmt::Debug for Spoiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spoiling")
    }
}

impl Spoiling {
    /// Changes nothing.
    pub(crate) fn nothing(inner: Connector) -> Self {
        Self::new(inner, |_, _| false, Arc::new(|answer| answer))
    }

    /// Changes the answers for which `spoilt` holds: it is told which it is, and the how manieth of all, from 0.
    pub(crate) fn new(
        inner: Connector,
        spoilt: impl Fn(&Which, usize) -> bool + Send + Sync + 'static,
        change: Change,
    ) -> Self {
        Self { inner, spoilt: Arc::new(spoilt), change, seen: Arc::default() }
    }

    /// The client as the SDK takes it.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// The answers so far, as the sandbox gave them.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.seen.lock().unwrap().answers.clone()
    }
}

impl HttpClient for Spoiling {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Spoiling {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        let name = name(&request);
        let (which, number) = {
            let mut seen = this.seen.lock().unwrap();
            let count = seen.counts.entry(name.clone()).or_default();
            let which = (name, *count);
            *count += 1;
            (which, seen.counts.values().sum::<usize>() - 1)
        };
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let body = answer.body().bytes().unwrap_or_default().to_vec();
            let spoilt = (this.spoilt)(&which, number);
            let mut seen = this.seen.lock().unwrap();
            seen.answers.push(Answer { which, body });
            drop(seen);
            Ok(if spoilt { (this.change)(answer) } else { answer })
        })
    }
}

/// The name of a call: its service, and its operation or else its method and path.
fn name(request: &HttpRequest) -> String {
    let headers = request.headers();
    let service = headers.get("authorization").and_then(|scope| scope.split('/').nth(3)).unwrap_or("?");
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    let operation = headers.get("x-amz-target").and_then(|target| target.rsplit('.').next());
    let operation = operation.or_else(|| body.strip_prefix("Action=")?.split('&').next());
    if let Some(operation) = operation {
        return format!("{service} {operation}");
    }
    let uri = request.uri();
    let path = uri.split_once("://").map_or(uri, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    format!("{service} {} {path}", request.method())
}

/// An answer with another body, and what its headers say of the old one left out.
pub(crate) fn with_body(mut answer: HttpResponse, body: impl Into<SdkBody>) -> HttpResponse {
    *answer.body_mut() = body.into();
    answer.headers_mut().remove("content-length");
    answer
}

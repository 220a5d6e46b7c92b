//! A transport that fails on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// What goes wrong. Calls are counted that may write: what AWS holds when an apply dies at a call that reads is what it
/// holds when it dies at the next that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// From the n-th write on, nothing is sent any more.
    Cut,
    /// The n-th write takes effect and its answer is lost; nothing is sent any more after it.
    CutAfterEffect,
    /// The n-th write takes effect and its answer is lost; all others work.
    LostAnswer,
}

impl Mode {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Cut, Self::CutAfterEffect, Self::LostAnswer];

    /// Those that a call before [`Mode::Cut`] does not come to already.
    pub(crate) const AFTER_EFFECT: [Self; 2] = [Self::CutAfterEffect, Self::LostAnswer];
}

/// A client that counts writes, the first being 1, and fails as told.
#[derive(Debug, Clone)]
pub(crate) struct Failing<C> {
    inner: C,
    mode: Mode,
    at: u64,
    writes: Arc<AtomicU64>,
}

impl<C: HttpConnector + Clone + 'static> Failing<C> {
    /// Fails at the write `at`; 0 fails never.
    pub(crate) fn new(inner: C, mode: Mode, at: u64) -> Self {
        Self { inner, mode, at, writes: Arc::default() }
    }

    /// How many writes were asked for so far, lost ones included.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// The client as the SDK takes it.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl<C: HttpConnector + Clone + 'static> HttpClient for Failing<C> {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl<C: HttpConnector + Clone + 'static> HttpConnector for Failing<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let writes = writes(&request);
        let before = self.writes.fetch_add(u64::from(writes), Ordering::Relaxed);
        let past = self.at > 0 && before >= self.at;
        let hit = writes && before + 1 == self.at;
        let lost = || Err(ConnectorError::io("the connection was cut on purpose".into()));
        let (sent, answered) = match self.mode {
            Mode::Cut => (!hit && !past, !hit && !past),
            Mode::CutAfterEffect => (!past, !hit && !past),
            Mode::LostAnswer => (true, !hit),
        };
        if !sent {
            return HttpConnectorFuture::ready(lost());
        }
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            if answered { answer } else { lost() }
        })
    }
}

/// Whether a call may change something. Its name stands in the target of JSON services and in the body of IAM's and STS's.
pub(crate) fn writes(request: &HttpRequest) -> bool {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    let operation = match request.headers().get("x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap_or_default(),
        None => body.strip_prefix("Action=").unwrap_or_default(),
    };
    request.method() != "GET" && !["Get", "List", "Describe"].iter().any(|verb| operation.starts_with(verb))
}

//! Posts a message to a URL that counts as a secret.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::cli::Webhook;
use crate::error::{Failure, FailureKind, Result};

/// How long the other end may take for its answer. Chats answer in a second; whoever has not after so long is down.
const PATIENCE: Duration = Duration::from_secs(15);

/// Posts JSON. Nothing that fails names more of the URL than its host; a redirection is not followed, because where it leads
/// was not agreed to.
pub(super) async fn post(webhook: &Webhook, body: String) -> Result<()> {
    let failed = || Failure::new(FailureKind::Io, format!("failed to post to {}", webhook.shown()));
    // Named, because a program with two providers has no default one.
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(provider)
        .map_err(|error| failed().because(&error).hint("install the certificates of authorities on this machine"))?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::post(webhook.url())
        .header("content-type", "application/json")
        .header("user-agent", concat!("gwctl/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| failed().cause("the URL can't be used as one of HTTP"))?;
    let answer = match tokio::time::timeout(PATIENCE, client.request(request)).await {
        Err(_) => return Err(failed().cause(format!("no answer after {} seconds", PATIENCE.as_secs()))),
        Ok(Err(error)) => {
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            return Err(failed().cause(cause).hint("check the network, and whether the other end is up"));
        }
        Ok(Ok(answer)) => answer,
    };
    if answer.status().is_success() {
        return Ok(());
    }
    Err(failed().cause(format!("it answered {}", answer.status())))
}

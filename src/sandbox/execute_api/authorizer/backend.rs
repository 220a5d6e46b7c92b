//! The call of an authorizer's function: one of the sandbox's, or a URL that stands in for it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::sandbox::Sandbox;
use crate::sandbox::lambda::runtime::{FunctionError, Functions, InvokeError, PAYLOAD_LIMIT, Program};

/// How long API Gateway waits for an authorizer. Not documented for REST APIs; taken from integrations (aws-facts A).
const PATIENCE: Duration = Duration::from_secs(29);

/// Where an authorizer's function is.
#[derive(Debug, Clone)]
pub enum Backend {
    /// In the sandbox, by its ARN.
    Sandbox {
        /// The processes.
        functions: Functions,
        /// The sandbox that holds the function.
        sandbox: Sandbox,
    },
    /// Anywhere: a container, a program in a debugger.
    Url(Box<Endpoint>),
}

/// A URL that takes an event as the body of a POST and answers as the function would. An answer with an `errorMessage` is
/// a failure of the function, as the Lambda Runtime Interface Emulator answers one.
#[derive(Debug, Clone)]
pub struct Endpoint {
    address: Uri,
    timeout: Duration,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What a call came to.
#[derive(Debug)]
pub(super) enum Called {
    /// The function answered.
    Answered(Bytes),
    /// The function failed.
    Failed(FunctionError),
    /// The function was not reached, for a reason that is its own: it can't be started, or did not answer in time.
    Lost(String),
    /// There is nothing to call.
    Nowhere(String),
}

impl Endpoint {
    /// A URL, `http://` or `https://`, and how long its answer may take.
    ///
    /// # Errors
    ///
    /// One sentence that says what is wrong with the URL, or with the certificates of this machine.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let address: Uri = url.parse().map_err(|error| format!("`{url}` is no URL: {error}"))?;
        if !matches!(address.scheme_str(), Some("http" | "https")) || address.host().is_none() {
            return Err(format!("`{url}` is no URL of a function: it begins with http:// or https:// and a host"));
        }
        // Named, because a program with two providers has no default one.
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|error| format!("failed to read the certificates of this machine: {error}"))?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self { address, timeout, client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    async fn post(&self, event: Bytes) -> Result<Bytes, String> {
        let request = Request::post(self.address.clone())
            .header("content-type", "application/json")
            .body(Full::new(event))
            .map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await.map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("it answered {status}"));
        }
        let body = Limited::new(answer.into_body(), PAYLOAD_LIMIT).collect().await;
        Ok(body.map_err(|error| error.to_string())?.to_bytes())
    }
}

impl Backend {
    /// Sends an event. `function` is the ARN of the function.
    pub(super) async fn call(&self, function: &str, event: Bytes, trace_id: Option<&str>) -> Called {
        let (limit, called) = match self {
            Self::Sandbox { functions, sandbox } => {
                (PATIENCE, tokio::time::timeout(PATIENCE, run(functions, sandbox, function, event, trace_id)).await)
            }
            Self::Url(endpoint) => {
                let limit = endpoint.timeout.min(PATIENCE);
                (limit, tokio::time::timeout(limit, ask(endpoint, event)).await)
            }
        };
        let late = |_| Called::Lost(format!("no answer of {function} after {:.2} seconds", limit.as_secs_f64()));
        called.unwrap_or_else(late)
    }
}

async fn run(functions: &Functions, sandbox: &Sandbox, function: &str, event: Bytes, trace_id: Option<&str>) -> Called {
    let program = if sandbox.is_persistent() {
        let (sandbox, function) = (sandbox.clone(), function.to_owned());
        let read = tokio::task::spawn_blocking(move || Program::of(&sandbox, &function)).await;
        read.unwrap_or(Err(InvokeError::ShutDown))
    } else {
        Program::of(sandbox, function)
    };
    let invoked = match program {
        Ok(program) => functions.invoke(&program, event, trace_id).await,
        Err(error) => Err(error),
    };
    match invoked {
        Ok(invoked) => match invoked.error() {
            Some(error) => Called::Failed(error),
            None => Called::Answered(invoked.payload),
        },
        Err(error @ InvokeError::NotFound(_)) => Called::Nowhere(error.to_string()),
        Err(error) => Called::Lost(error.to_string()),
    }
}

async fn ask(endpoint: &Endpoint, event: Bytes) -> Called {
    let payload = match endpoint.post(event).await {
        Ok(payload) => payload,
        Err(why) => return Called::Lost(format!("failed to call {}: {why}", endpoint.address)),
    };
    let failure = serde_json::from_slice::<serde_json::Value>(&payload).ok();
    match failure.filter(|answer| answer.get("errorMessage").is_some_and(serde_json::Value::is_string)) {
        Some(failure) => Called::Failed(serde_json::from_value(failure).unwrap_or_default()),
        None => Called::Answered(payload),
    }
}

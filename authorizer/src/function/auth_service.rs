//! The HTTPS client for the auth service: bounded in time and size, no redirects, connections kept.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use super::log::Trail;
use crate::denial::{Cause, Denial};
use crate::gate::{Question, Reply, Settings};

/// An answer is a code and a JWT. Whatever is longer than this is something else.
const MAX_BODY: usize = 64 * 1024;
/// Below the 60 s after which load balancers and API Gateway cut an idle connection, so that ours ends first.
const KEEP_IDLE: Duration = Duration::from_secs(50);

/// The auth service, as seen from here.
pub(super) struct AuthService {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    timeout: Duration,
}

/// Why there is no answer. The texts are ours: those of the libraries may quote the URL, and with it the token.
enum Outage {
    Connection(&'static str),
    TooLarge,
}

impl AuthService {
    /// A client that trusts the public roots and the private ones of the settings.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(pem) = &settings.ca_pem {
            let added = add_roots(&mut roots, pem);
            added.ok_or("AUTH_CA_PEM must hold one or more certificates in PEM form")?;
        }
        // The provider is named: with two of them in one build the library would refuse to choose.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS can't be set up: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Half of the time, so that a lost SYN leaves room for the retry.
        tcp.set_connect_timeout(Some(settings.timeout / 2));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().wrap_connector(tcp);
        let client =
            Client::builder(TokioExecutor::new()).pool_idle_timeout(KEEP_IDLE).pool_max_idle_per_host(1).build(https);
        Ok(Self { client, timeout: settings.timeout })
    }

    /// One GET, tried again once when the connection fails. The X-Ray header goes with it, so that the trace does not
    /// end here.
    pub(super) async fn get(
        &self,
        question: &Question,
        trace: Option<&str>,
        trail: &mut Trail,
    ) -> Result<Answer, Denial> {
        let request = request(question, trace)
            .ok_or(Denial::failed(Cause::Settings, "the host and the path of the auth service make no valid URL"))?;
        let exchange = async {
            match self.once(request.clone()).await {
                // Asking twice whether a token is valid changes nothing, so this is safe wherever the first one died.
                Err(Outage::Connection(_)) => {
                    trail.retried = true;
                    self.once(request).await
                }
                result => result,
            }
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Outage::Connection(what))) => {
                Err(Denial::failed(Cause::Unreachable, format!("the auth service {what}, twice")))
            }
            Ok(Err(Outage::TooLarge)) => {
                Err(Denial::failed(Cause::Nonsense, format!("the auth service's answer is over {MAX_BODY} bytes")))
            }
            Err(_) => {
                let waited = self.timeout.as_millis();
                Err(Denial::failed(Cause::Timeout, format!("the auth service gave no answer in {waited} ms")))
            }
        }
    }

    async fn once(&self, request: Request<Empty<Bytes>>) -> Result<Answer, Outage> {
        let response = self.client.request(request).await.map_err(|error| {
            Outage::Connection(if error.is_connect() { "can't be reached" } else { "cut the connection" })
        })?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_BODY).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { Outage::TooLarge } else { Outage::Connection("cut its answer short") }
        })?;
        Ok(Answer { status, body: body.to_bytes() })
    }
}

/// What came back.
pub(super) struct Answer {
    status: u16,
    body: Bytes,
}

impl Answer {
    pub(super) fn as_reply(&self) -> Reply<'_> {
        Reply { status: self.status, body: &self.body }
    }
}

/// The question as a request; `None` when the settings make no URL.
fn request(question: &Question, trace: Option<&str>) -> Option<Request<Empty<Bytes>>> {
    let uri: Uri = question.url().parse().ok()?;
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri;
    if let Some((name, value)) = question.header() {
        let mut value = HeaderValue::from_str(value).ok()?;
        // Keeps the token out of whatever writes the request down.
        value.set_sensitive(true);
        request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    // A trace that can't be passed on is no reason to refuse a login.
    if let Some(trace) = trace.and_then(|trace| HeaderValue::from_str(trace).ok()) {
        request.headers_mut().insert("x-amzn-trace-id", trace);
    }
    Some(request)
}

/// Adds the certificates of a PEM text; `None` when it holds none or a broken one.
fn add_roots(roots: &mut RootCertStore, pem: &str) -> Option<()> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.ok()?).ok()?;
    }
    (roots.len() > before).then_some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::request;
    use crate::gate::{Settings, ask};

    #[test]
    fn a_trace_goes_along_where_it_can() {
        let settings = Settings::read(|name| (name == "AUTH_HOST").then(|| "localhost".to_owned())).unwrap();
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/orders";
        let event = json!({"type": "REQUEST", "methodArn": arn, "headers": {"authorization": "Bearer a"}});
        let question = ask(&settings, &event).unwrap();
        for (trace, sent) in [(Some("Root=1-a-b"), Some("Root=1-a-b")), (Some("Root=\u{fffd}\r\n"), None), (None, None)]
        {
            let request = request(&question, trace).unwrap();
            let header = request.headers().get("x-amzn-trace-id").map(|value| value.to_str().unwrap());
            assert_eq!(header, sent);
        }
    }
}

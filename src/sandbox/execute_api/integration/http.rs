//! Calls backends.
//!
//! Connections are kept and shared by all stages. A host may be sent elsewhere ([`Upstreams`]): what stands behind a VPC link
//! is not reachable from a developer's machine, and its name does not resolve there.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};

use super::{Http, Outbound, inbound};
use crate::error::{Failure, FailureKind, Result};

/// The largest body that API Gateway passes on, 10 MB (API Gateway quotas: "Payload size").
pub(in crate::sandbox::execute_api) const PAYLOAD_LIMIT: usize = 10 * 1024 * 1024;

/// Below the 60 s after which load balancers cut an idle connection, so that ours ends first and no request meets a cut.
const KEEP_IDLE: Duration = Duration::from_secs(50);

/// Where hosts of integrations really are: patterns of host names and what to call instead.
#[derive(Debug, Clone, Default)]
pub struct Upstreams(Vec<(String, Target)>);

/// What to call instead of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    scheme: &'static str,
    authority: String,
}

/// The client for all backends.
#[derive(Debug, Clone)]
pub(in crate::sandbox::execute_api) struct Backends {
    checked: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// For integrations with `insecureSkipVerification`.
    unchecked: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    upstreams: Upstreams,
}

/// How a backend is called.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::execute_api) struct Manner {
    /// It covers everything up to the last byte, or up to the first of a streamed answer.
    pub(in crate::sandbox::execute_api) timeout: Duration,
    /// Whether the answer is passed on as it comes.
    pub(in crate::sandbox::execute_api) streamed: bool,
    /// Whether the backend's certificate goes unchecked.
    pub(in crate::sandbox::execute_api) insecure: bool,
}

/// A backend's answer.
#[derive(Debug)]
pub(in crate::sandbox::execute_api) struct Answered {
    pub(in crate::sandbox::execute_api) status: StatusCode,
    pub(in crate::sandbox::execute_api) headers: HeaderMap,
    pub(in crate::sandbox::execute_api) body: Body,
}

/// A body, here or still to come.
#[derive(Debug)]
pub(in crate::sandbox::execute_api) enum Body {
    Whole(Bytes),
    Stream(Incoming),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::execute_api) enum Outage {
    /// It took too long.
    Timeout(Duration),
    /// It can't be reached, or broke off.
    Network(String),
    /// It is larger than API Gateway passes on.
    TooLarge,
}

impl Upstreams {
    /// Reads `PATTERN=[SCHEME://]HOST[:PORT]`, and adds it. A pattern is a host name, or `*.` and the end of one. Without a
    /// scheme the other host is called by plain HTTP.
    pub fn add(&mut self, rule: &str) -> Result<()> {
        let wrong = |why: &str| {
            Failure::new(FailureKind::Usage, format!("`{rule}` does not say where a host is: {why}"))
                .hint("write for example `*.k8s-internal.example.com=127.0.0.1:9001`")
        };
        let (pattern, target) = rule.split_once('=').ok_or_else(|| wrong("it has no `=`"))?;
        let (scheme, authority) = match target.split_once("://") {
            None => ("http", target),
            Some(("http", authority)) => ("http", authority),
            Some(("https", authority)) => ("https", authority),
            Some(_) => return Err(wrong("the scheme is `http` or `https`")),
        };
        let pattern = pattern.trim().to_ascii_lowercase();
        if pattern.is_empty() || pattern.trim_start_matches("*.").contains('*') {
            return Err(wrong("the pattern is a host name, or `*.` and the end of one, or `*.` in front alone"));
        }
        let parsed: hyper::http::uri::Authority =
            authority.trim().trim_end_matches('/').parse().map_err(|_| wrong("what follows the `=` is no host"))?;
        self.0.push((pattern, Target { scheme, authority: parsed.to_string() }));
        Ok(())
    }

    /// What is called instead of a host; the first rule that fits.
    fn target(&self, host: &str) -> Option<&Target> {
        let fits = |pattern: &str| match pattern.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.to_ascii_lowercase().ends_with(end),
            None => host.eq_ignore_ascii_case(pattern),
        };
        self.0.iter().find(|(pattern, _)| fits(pattern)).map(|(_, target)| target)
    }

    /// The URL that is called in place of another one.
    fn redirect(&self, url: &Uri) -> Option<Uri> {
        let target = self.target(url.host()?)?;
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        Uri::builder().scheme(target.scheme).authority(target.authority.as_str()).path_and_query(path).build().ok()
    }
}

impl Backends {
    /// A client that trusts what the machine trusts.
    pub(in crate::sandbox::execute_api) fn new(upstreams: Upstreams) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let unchecked = builder(&provider)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(unchecked::Trusting(provider.signature_verification_algorithms)))
            .with_no_client_auth();
        Ok(Self { checked: client(checked(&provider)?), unchecked: client(unchecked), upstreams })
    }

    /// Calls the backend of a REST API; the headers of the answer are as the client gets them.
    pub(in crate::sandbox::execute_api) async fn call(
        &self,
        http: &Http,
        outbound: Outbound,
        body: Bytes,
    ) -> Result<Answered, Outage> {
        let manner = Manner { timeout: http.timeout, streamed: http.streamed, insecure: http.insecure };
        let answered = self.send(&manner, outbound, body).await?;
        Ok(Answered { headers: inbound::passed_back(&answered.headers), ..answered })
    }

    /// Calls a backend; the headers of the answer are as they came.
    pub(in crate::sandbox::execute_api) async fn send(
        &self,
        manner: &Manner,
        outbound: Outbound,
        body: Bytes,
    ) -> Result<Answered, Outage> {
        let exchange = self.exchange(manner, outbound, body);
        tokio::time::timeout(manner.timeout, exchange).await.unwrap_or(Err(Outage::Timeout(manner.timeout)))
    }

    /// Where a host or an ARN really is, as scheme and authority, if a rule says so.
    pub(in crate::sandbox::execute_api) fn reached(&self, name: &str) -> Option<String> {
        self.upstreams.target(name).map(|target| format!("{}://{}", target.scheme, target.authority))
    }

    /// Gets a document of at most `limit` bytes.
    pub(in crate::sandbox::execute_api) async fn get(
        &self,
        url: &str,
        timeout: Duration,
        limit: usize,
    ) -> Result<Bytes, String> {
        let parsed: Uri = url.parse().map_err(|error| format!("it is no URL: {error}"))?;
        let called = self.upstreams.redirect(&parsed).unwrap_or(parsed);
        let exchange = async {
            let answer = self.checked.get(called.clone()).await.map_err(|error| described(&called, &error))?;
            if !answer.status().is_success() {
                return Err(format!("the answer is {}", answer.status()));
            }
            let body = Limited::new(answer.into_body(), limit).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(|error| format!("the answer broke off: {error}"))
        };
        let late = || format!("no answer in {} ms", timeout.as_millis());
        tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| Err(late()))
    }

    async fn exchange(&self, manner: &Manner, outbound: Outbound, body: Bytes) -> Result<Answered, Outage> {
        let url: Uri = outbound.url.parse().map_err(|error| Outage::Network(format!("{}: {error}", outbound.url)))?;
        let url = self.upstreams.redirect(&url).unwrap_or(url);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = outbound.method;
        *request.uri_mut() = url;
        *request.headers_mut() = outbound.headers;
        let client = if manner.insecure { &self.unchecked } else { &self.checked };
        let called = request.uri().clone();
        let response = client.request(request).await.map_err(|error| {
            let hint = if error.is_connect() { "; --upstream says where a host really is" } else { "" };
            Outage::Network(described(&called, &error) + hint)
        })?;
        let (head, body) = Response::into_parts(response);
        let body = if manner.streamed {
            Body::Stream(body)
        } else {
            match Limited::new(body, PAYLOAD_LIMIT).collect().await {
                Ok(body) => Body::Whole(body.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => return Err(Outage::TooLarge),
                Err(error) => return Err(Outage::Network(format!("{called}: the answer broke off: {error}"))),
            }
        };
        Ok(Answered { status: head.status, headers: head.headers, body })
    }
}

fn builder(provider: &Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::internal("failed to set up TLS towards backends").because(&error))
}

/// What trusts what the machine trusts. That is a hundred files or more, and read once.
fn checked(provider: &Arc<CryptoProvider>) -> Result<ClientConfig> {
    static CHECKED: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(known) = CHECKED.get() {
        return Ok(known.clone());
    }
    // A machine without any roots can still reach backends by plain HTTP.
    let config = match builder(provider)?.with_native_roots() {
        Ok(config) => config.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no trusted roots were found: no backend can be reached by https");
            builder(provider)?.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        }
    };
    Ok(CHECKED.get_or_init(|| config).clone())
}

fn client(tls: ClientConfig) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    Client::builder(TokioExecutor::new()).pool_idle_timeout(KEEP_IDLE).pool_timer(TokioTimer::new()).build(https)
}

/// The whole chain of causes: the top one alone says only "client error (Connect)".
fn described(url: &Uri, error: &dyn std::error::Error) -> String {
    let mut text = format!("{}: {error}", url.authority().map_or("", |authority| authority.as_str()));
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// TLS for integrations whose backend's certificate is not to be checked.
mod unchecked {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    /// Takes every certificate, as an integration with `insecureSkipVerification` asks for. The API Gateway Developer Guide
    /// says that the service then still checks expiry, host name and chain of trust up to a private authority; this one
    /// checks that the peer has the certificate's key, and nothing else.
    #[derive(Debug)]
    pub(super) struct Trusting(pub(super) WebPkiSupportedAlgorithms);

    impl ServerCertVerifier for Trusting {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, signature, &self.0)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, signature, &self.0)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.supported_schemes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_sent_elsewhere_by_the_first_rule_that_fits() {
        let mut upstreams = Upstreams::default();
        for rule in ["api.example.com=https://127.0.0.1:9443", "*.example.com=127.0.0.1:9001"] {
            upstreams.add(rule).unwrap();
        }
        for (from, to) in [
            ("http://orders.example.com/a?b=c", Some("http://127.0.0.1:9001/a?b=c")),
            ("https://a.b.EXAMPLE.com", Some("http://127.0.0.1:9001/")),
            ("http://api.example.com:8080/x", Some("https://127.0.0.1:9443/x")),
            ("http://example.com/", None),
            ("http://badexample.com/", None),
        ] {
            let redirected = upstreams.redirect(&from.parse().unwrap()).map(|url| url.to_string());
            assert_eq!(redirected.as_deref(), to, "{from}");
        }
    }

    #[test]
    fn rules_that_say_nothing_are_refused() {
        for rule in ["", "a", "=b", "a=", "a=ftp://b", "a.*.b=c", "a=b c"] {
            let failure = Upstreams::default().add(rule).unwrap_err();
            assert!(failure.hints().iter().any(|hint| hint.contains("9001")), "{rule}");
        }
    }
}

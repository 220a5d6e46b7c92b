//! The gateway: from a request on a socket to the answer, and the line in the access log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};

use super::access_log::Sink;
use super::address::{self, Address};
use super::asking::Asking;
use super::context::{Context, Ids, Problem, Sent};
use super::domain::{Domains, Mapped};
use super::gateway_response::ResponseType;
use super::integration::http::{Answered, Backends, Body, PAYLOAD_LIMIT, Upstreams};
use super::request::ClientRequest;
use super::stage::{Served, Snapshot};
use super::throttle::Throttles;
use super::waf;
use crate::error::{Failure, Result};
use crate::sandbox::Sandbox;

/// The header by which a test says from which address a request comes: here all come from this machine.
const SOURCE_IP: &str = "x-gwctl-source-ip";

/// How long a request's body may take to come: as long as an integration may (aws-facts A).
const BODY_COMES: Duration = Duration::from_secs(29);

/// How a gateway serves.
#[derive(Debug, Default)]
pub struct Options {
    /// Where hosts of integrations really are.
    pub upstreams: Upstreams,
    /// URLs that are asked instead of functions, by the authorizer's name.
    pub authorizers: HashMap<String, String>,
    /// Where access logs go.
    pub access_log: Option<Sink>,
}

/// Serves the stages of a sandbox.
#[derive(Debug)]
pub struct Gateway {
    sandbox: Sandbox,
    pub(super) backends: Backends,
    pub(super) authorizers: Asking,
    pub(super) counters: waf::Counters,
    access_log: Option<Sink>,
    /// The API that every request is for whose host says nothing else.
    only: RwLock<Option<String>>,
    /// Custom domain names, and the sandbox's generation they were read at.
    domains: RwLock<(Option<u64>, Arc<Domains>)>,
    /// Stages that are ready, by API and name, and the sandbox's generation they were made ready at.
    ready: RwLock<HashMap<(String, String), Ready>>,
    /// Buckets by API and stage.
    throttles: RwLock<HashMap<(String, String), Arc<Throttles>>>,
}

#[derive(Debug, Clone)]
struct Ready {
    generation: u64,
    served: Arc<Served>,
}

/// What a request is for.
struct Aim {
    api: String,
    stage: String,
    path: String,
    /// Whether it came by the API's own host name.
    own_host: bool,
}

/// The answer to a client.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The body, here or still to come.
    pub body: AnswerBody,
}

/// The body of an answer.
#[derive(Debug)]
pub enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// From the backend, as it comes.
    Stream(Incoming),
}

impl Gateway {
    /// A gateway in front of a sandbox.
    pub fn new(sandbox: Sandbox, options: Options) -> Result<Self> {
        let Options { upstreams, authorizers, access_log } = options;
        Ok(Self {
            backends: Backends::new(upstreams)?,
            authorizers: Asking::new(&sandbox, authorizers)?,
            sandbox,
            counters: waf::Counters::default(),
            access_log,
            only: RwLock::default(),
            domains: RwLock::default(),
            ready: RwLock::default(),
            throttles: RwLock::default(),
        })
    }

    /// From now on takes every request whose host says nothing else for one of this API, its path for `/STAGE/…`.
    pub fn answer_for(&self, api: &str) {
        *self.only.write().unwrap_or_else(PoisonError::into_inner) = Some(api.to_owned());
    }

    /// Answers a request that is for a stage; gives back one that is for the control plane.
    pub async fn answer(&self, request: Request<Incoming>, client: IpAddr) -> Result<Answer, Box<Request<Incoming>>> {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().host()).unwrap_or_default().to_owned();
        let path = request.uri().path().to_owned();
        let Some(aim) = self.aim(&host, &path) else { return Err(Box::new(request)) };
        Ok(match self.served(&aim.api, &aim.stage) {
            Some(served) if !(served.host_closed && aim.own_host) => {
                self.exchange(&served, aim.path, &host, request, client).await
            }
            _ => forbidden(),
        })
    }

    /// The stage that a host and a path mean; none if they mean the control plane.
    fn aim(&self, host: &str, path: &str) -> Option<Aim> {
        if let Some(Address { api, stage, path }) = address::read(host, path) {
            let own_host = host.contains(".execute-api.");
            return Some(Aim { api: api.to_owned(), stage: stage.to_owned(), path: path.to_owned(), own_host });
        }
        if let Some(Mapped { api, stage, path }) = self.domains().find(host, path) {
            return Some(Aim { api, stage, path, own_host: false });
        }
        let api = self.only.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let Address { api, stage, path } = address::staged(&api, path.trim_start_matches('/'));
        Some(Aim { api: api.to_owned(), stage: stage.to_owned(), path: path.to_owned(), own_host: false })
    }

    async fn exchange(
        &self,
        served: &Served,
        path: String,
        host: &str,
        request: Request<Incoming>,
        client: IpAddr,
    ) -> Answer {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let (body, unread) = read(body).await;
        let unread = unread.or_else(|| unreadable(&head.headers));
        let named = head.headers.get(SOURCE_IP).and_then(|address| address.to_str().ok()?.parse().ok());
        let request = ClientRequest {
            method: head.method,
            path,
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
            host: host.split(':').next().unwrap_or(host).to_owned(),
            source_ip: named.unwrap_or(client),
            version: head.version,
            received: SystemTime::now(),
        };
        let (snapshot, canary) = choose(served);
        let mut context = Context::new(served, snapshot, canary, &request);
        let outcome = match unread {
            Some(problem) => Err(problem),
            None => self.pass(&mut context).await,
        };
        let answer = finish(&mut context, outcome);
        context.sent.latency = started.elapsed();
        self.log(&context);
        answer
    }

    fn log(&self, context: &Context<'_>) {
        if let (Some(sink), Some(format)) = (&self.access_log, &context.served.access_log) {
            sink.send(&format.line(context));
        }
    }

    /// The stage, made ready anew if the sandbox changed since.
    fn served(&self, api: &str, stage: &str) -> Option<Arc<Served>> {
        let generation = self.sandbox.generation();
        let key = (api.to_owned(), stage.to_owned());
        {
            let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(ready) = ready.get(&key).filter(|ready| ready.generation == generation) {
                return Some(Arc::clone(&ready.served));
            }
        }
        let served =
            self.sandbox.look(|world| Served::find(world, api, stage)).unwrap_or_else(|failure| unread(&failure));
        let mut all = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        let Some(served) = served.map(Arc::new) else {
            all.remove(&key);
            return None;
        };
        let before = all.insert(key, Ready { generation, served: Arc::clone(&served) });
        if before.is_some_and(|before| before.served.flushes != served.flushes) {
            self.authorizers.forget(api, stage);
        }
        Some(served)
    }

    /// The custom domain names.
    fn domains(&self) -> Arc<Domains> {
        let generation = self.sandbox.generation();
        {
            let (known, domains) = &*self.domains.read().unwrap_or_else(PoisonError::into_inner);
            if *known == Some(generation) {
                return Arc::clone(domains);
            }
        }
        let domains = Arc::new(self.sandbox.look(Domains::of).unwrap_or_else(|failure| unread(&failure)));
        *self.domains.write().unwrap_or_else(PoisonError::into_inner) = (Some(generation), Arc::clone(&domains));
        domains
    }

    /// The buckets of a stage.
    pub(super) fn throttles_of(&self, served: &Served) -> Arc<Throttles> {
        let key = (served.api_id.clone(), served.stage_name.clone());
        if let Some(found) = self.throttles.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(found);
        }
        let mut all = self.throttles.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(key).or_default())
    }
}

/// Goes on as if there were nothing where the sandbox's state can't be read: the client gets what it gets for an API that is
/// not there, so whoever looks for it has to be told here.
fn unread<T: Default>(failure: &Failure) -> T {
    tracing::warn!("the sandbox can't be read, so nothing in it is served: {failure}");
    T::default()
}

/// Reads a body, or says why it is not there as a whole: no backend may take a part of a request for all of it.
async fn read(mut body: Incoming) -> (Bytes, Option<Problem>) {
    let whole = tokio::time::timeout(BODY_COMES, Limited::new(&mut body, PAYLOAD_LIMIT).collect()).await;
    let why = match whole {
        Ok(Ok(whole)) => return (whole.to_bytes(), None),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // A client that is cut off while it sends never reads the answer, so the rest is let come; within reason.
            let mut rest = 10 * PAYLOAD_LIMIT;
            while let Ok(Some(Ok(frame))) = tokio::time::timeout(BODY_COMES, body.frame()).await {
                rest = rest.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if rest == 0 {
                    break;
                }
            }
            let message = format!("HTTP content length exceeded {PAYLOAD_LIMIT} bytes.");
            return (Bytes::new(), Some(Problem::saying(ResponseType::RequestTooLarge, message)));
        }
        Ok(Err(error)) => format!("the request broke off: {error}"),
        Err(_) => format!("the request's body did not come within {} s", BODY_COMES.as_secs()),
    };
    (Bytes::new(), Some(Problem::new(ResponseType::Default4xx).because(why)))
}

/// Refuses headers that the layers would read in different ways. What AWS makes of bytes beyond ASCII is not known; a layer
/// that does not see them, in front of a backend that does, would be a way around it.
fn unreadable(headers: &HeaderMap) -> Option<Problem> {
    let (name, _) = headers.iter().find(|(_, value)| value.to_str().is_err())?;
    let why = format!("the header {name} has characters that are not ASCII, which this gateway does not judge");
    Some(Problem::new(ResponseType::Default4xx).because(why))
}

/// The stage's deployment, or its canary's for the canary's share of the requests.
fn choose(served: &Served) -> (&Snapshot, bool) {
    match &served.canary {
        Some(canary) if fastrand::f64() * 100.0 < canary.percent => (&canary.snapshot, true),
        _ => (&served.primary, false),
    }
}

/// The answer of a backend, or the gateway's own where there is a problem.
fn finish(context: &mut Context<'_>, outcome: Result<Answered, Problem>) -> Answer {
    let mut answer = match outcome {
        Ok(answered) => {
            let body = match answered.body {
                Body::Whole(bytes) => AnswerBody::Whole(bytes),
                Body::Stream(stream) => AnswerBody::Stream(stream),
            };
            Answer { status: answered.status, headers: answered.headers, body }
        }
        Err(problem) => {
            let (kind, own_status) = (problem.kind, problem.status);
            let detail = problem.detail.clone().unwrap_or_default();
            context.problem = Some(problem);
            let accept = context.request.header(ACCEPT.as_str());
            let (status, headers, body) = context.snapshot.responses.answer(kind, own_status, &*context, accept);
            let (request, name) = (context.request, kind.name());
            // What the client did is told to who wants to know; what is wrong here, to everybody.
            if kind.is_server_error() {
                tracing::warn!("{} {} gets {status} {name}: {detail}", request.method, request.path);
            } else {
                tracing::info!("{} {} gets {status} {name}: {detail}", request.method, request.path);
            }
            Answer {
                status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                headers: headers.into_iter().collect(),
                body: AnswerBody::Whole(body),
            }
        }
    };
    let length = if let AnswerBody::Whole(body) = &answer.body { body.len() } else { 0 };
    context.sent = Sent { status: Some(answer.status.as_u16()), length, ..context.sent };
    add_ids(&mut answer.headers, &context.ids);
    answer
}

/// The headers that tell a request apart (recorded).
fn add_ids(headers: &mut HeaderMap, ids: &Ids) {
    for (name, value) in
        [("x-amzn-requestid", &ids.request), ("x-amz-apigw-id", &ids.extended), ("x-amzn-trace-id", &ids.trace)]
    {
        // A trace of the client's may have characters that no header may have; then there is none.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// What the service answers for an API or a stage that does not exist.
fn forbidden() -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static("ForbiddenException"));
    Answer {
        status: StatusCode::FORBIDDEN,
        headers,
        body: AnswerBody::Whole(Bytes::from_static(b"{\"message\":\"Forbidden\"}")),
    }
}

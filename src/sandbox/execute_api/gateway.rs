//! The gateway: from a request on a socket to the answer, and the line in the access log.

use std::collections::HashMap;
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::{Body as HttpBody, Incoming};
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};

use super::access_log::Sink;
use super::address::{self, Address, StageAddress};
use super::arrival::{Arrived, arrive};
use super::asking::Asking;
use super::context::{Context, Ids, Problem, Sent};
use super::directory::{Directory, Goal};
use super::domain::Reached;
use super::http_api::jwt::keys::{Issuers, Keys};
use super::http_api::{self, Served as HttpServed};
use super::integration::http::{Answered, Backends, Body, Upstreams};
use super::stage::{AccessLog, Served, Snapshot};
use super::throttle::Throttles;
use super::variables::Variables;
use super::waf;
use crate::error::{Failure, Result};
use crate::sandbox::Sandbox;

/// The header by which a test says which Region a request to a custom domain name reaches that is in several.
const REGION: &str = "x-gwctl-region";

/// How a gateway serves.
#[derive(Debug, Default)]
pub struct Options {
    /// Where hosts of integrations really are.
    pub upstreams: Upstreams,
    /// URLs that are asked instead of functions, by the authorizer's name.
    pub authorizers: HashMap<String, String>,
    /// Where the issuers of tokens really are.
    pub issuers: Issuers,
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
    /// Keys of the issuers of tokens.
    pub(super) keys: Keys,
    access_log: Option<Sink>,
    /// What every request is for whose host says nothing else.
    fallback: RwLock<Fallback>,
    /// What hosts and paths mean, and the sandbox's generation that was read at.
    directory: RwLock<(Option<u64>, Arc<Directory>)>,
    /// Stages that are ready, by API and name, and the sandbox's generation they were made ready at.
    ready: RwLock<HashMap<(String, String), Ready<Served>>>,
    ready_http: RwLock<HashMap<(String, String), Ready<HttpServed>>>,
    /// Buckets by API and stage.
    throttles: RwLock<HashMap<(String, String), Arc<Throttles>>>,
}

#[derive(Debug)]
struct Ready<T> {
    generation: u64,
    served: Arc<T>,
}

/// What requests are for whose host says nothing else. Where both are set, the stage's name tells: a path that begins with it
/// is for the stage, every other for the domain name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fallback {
    /// A stage, the path `/STAGE/…`.
    pub stage: Option<StageAddress>,
    /// A custom domain name, the path as its mappings have it; and the Region in which it is reached.
    pub domain: Option<(String, String)>,
}

/// Where a request arrives: what a name leads to that is in several Regions is known only so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The account, twelve digits.
    pub account: String,
    /// The Region.
    pub region: String,
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
        let Options { upstreams, authorizers, issuers, access_log } = options;
        Ok(Self {
            backends: Backends::new(upstreams)?,
            authorizers: Asking::new(&sandbox, authorizers)?,
            sandbox,
            counters: waf::Counters::default(),
            keys: Keys::new(issuers),
            access_log,
            fallback: RwLock::default(),
            directory: RwLock::default(),
            ready: RwLock::default(),
            ready_http: RwLock::default(),
            throttles: RwLock::default(),
        })
    }

    /// From now on takes every request whose host says nothing else for one of these.
    pub fn answer_for(&self, fallback: Fallback) {
        *self.fallback.write().unwrap_or_else(PoisonError::into_inner) = fallback;
    }

    /// Answers a request that is for a stage; gives back one that is for the control plane.
    pub async fn answer<B>(&self, request: Request<B>, client: IpAddr) -> Result<Answer, Box<Request<B>>>
    where
        B: HttpBody<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.answer_at(None, request, client).await
    }

    /// As [`answer`](Self::answer), for a request that arrives in one Region of one account. Without a site, a request to a
    /// custom domain name that is in several Regions may name one in the header `x-gwctl-region`.
    pub async fn answer_at<B>(
        &self,
        site: Option<&Site>,
        request: Request<B>,
        client: IpAddr,
    ) -> Result<Answer, Box<Request<B>>>
    where
        B: HttpBody<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().host()).unwrap_or_default().to_owned();
        let path = request.uri().path().to_owned();
        let named = request.headers().get(REGION).and_then(|region| region.to_str().ok());
        let reached = Reached {
            account: site.map(|site| site.account.as_str()),
            region: site.map(|site| site.region.as_str()).or(named),
        };
        let Some((goal, host)) = self.goal(host, &path, reached) else { return Err(Box::new(request)) };
        Ok(match goal {
            Goal::Rest { api, stage, path, own_host } => match self.served(&api, &stage) {
                Some(served) if !(served.host_closed && own_host) => {
                    let arrived = arrive(path, &host, request, client).await;
                    self.exchange(&served, arrived).await
                }
                _ => forbidden(),
            },
            Goal::Http { api, stage, path, own_host, key } => match self.served_http(&api, &stage) {
                Some(served) if !(served.host_closed && own_host) => {
                    let Arrived { request, unread, started } = arrive(path, &host, request, client).await;
                    self.serve_http_api(&served, key.as_deref(), request, unread, started).await
                }
                _ => http_api::not_found(),
            },
            Goal::NotFound => http_api::not_found(),
            Goal::Forbidden => forbidden(),
        })
    }

    /// Sends a request to a Region of an account as a client does that resolved its host to there, and waits for the whole
    /// answer. None where its host means no API: nothing listens there.
    pub async fn send(&self, site: &Site, request: Request<Bytes>, client: IpAddr) -> Option<hyper::Response<Bytes>> {
        let answer = self.answer_at(Some(site), request.map(Full::new), client).await.ok()?;
        let body = match answer.body {
            AnswerBody::Whole(bytes) => bytes,
            // A backend that breaks off leaves its client with what came until then.
            AnswerBody::Stream(stream) => stream.collect().await.map(Collected::to_bytes).unwrap_or_default(),
        };
        let mut response = hyper::Response::new(body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Some(response)
    }

    /// What a host and a path mean, and the host that is meant; none if they mean the control plane.
    fn goal(&self, host: String, path: &str, reached: Reached<'_>) -> Option<(Goal, String)> {
        let directory = self.directory();
        if let Some((api, whole)) = address::whole(&host, path) {
            let own_host = host.contains(".execute-api.");
            if let Some(goal) = directory.http_api(api, whole, own_host) {
                return Some((goal, host));
            }
            let Address { api, stage, path } = address::read(&host, path)?;
            let goal = Goal::Rest { api: api.to_owned(), stage: stage.to_owned(), path: path.to_owned(), own_host };
            return Some((goal, host));
        }
        if let Some(goal) = directory.mapped(&host, path, reached) {
            return Some((goal, host));
        }
        let fallback = self.fallback.read().unwrap_or_else(PoisonError::into_inner).clone();
        if directory.domains.know(&host) && fallback.stage.is_none() {
            return Some((Goal::Forbidden, host));
        }
        let staged =
            |stage: &StageAddress| address::staged(&stage.api, path.trim_start_matches('/')).stage == stage.stage;
        match fallback {
            Fallback { stage: Some(stage), domain } if domain.is_none() || staged(&stage) => {
                if let Some(goal) = directory.http_api(&stage.api, path, false) {
                    return Some((goal, host));
                }
                let Address { api, stage, path } = address::staged(&stage.api, path.trim_start_matches('/'));
                let (api, stage, path) = (api.to_owned(), stage.to_owned(), path.to_owned());
                Some((Goal::Rest { api, stage, path, own_host: false }, host))
            }
            Fallback { domain: Some((domain, region)), .. } => {
                let reached = Reached { region: reached.region.or(Some(&region)), ..reached };
                Some((directory.mapped(&domain, path, reached).unwrap_or(Goal::Forbidden), domain))
            }
            Fallback { .. } => None,
        }
    }

    async fn exchange(&self, served: &Served, arrived: Arrived) -> Answer {
        let Arrived { request, unread, started } = arrived;
        let (snapshot, canary) = choose(served);
        let mut context = Context::new(served, snapshot, canary, &request);
        let outcome = match unread {
            Some(problem) => Err(problem),
            None => self.pass(&mut context).await,
        };
        let answer = finish(&mut context, outcome);
        context.sent.latency = started.elapsed();
        if let Some(log) = &served.access_log {
            self.log_line(log, &context);
        }
        answer
    }

    /// Writes the line of a request to the access log, and to the log group of the stage.
    pub(super) fn log_line(&self, log: &AccessLog, variables: &dyn Variables) {
        let line = log.format.line(variables);
        if let Some(sink) = &self.access_log {
            sink.send(&line);
        }
        if let Some(group) = &log.group {
            self.sandbox.events().write(group, &log.stream, line);
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

    /// The stage of an HTTP API, made ready anew if the sandbox changed since.
    fn served_http(&self, api: &str, stage: &str) -> Option<Arc<HttpServed>> {
        let generation = self.sandbox.generation();
        let key = (api.to_owned(), stage.to_owned());
        {
            let ready = self.ready_http.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(ready) = ready.get(&key).filter(|ready| ready.generation == generation) {
                return Some(Arc::clone(&ready.served));
            }
        }
        let served =
            self.sandbox.look(|world| HttpServed::find(world, api, stage)).unwrap_or_else(|failure| unread(&failure));
        let mut all = self.ready_http.write().unwrap_or_else(PoisonError::into_inner);
        let Some(served) = served.map(Arc::new) else {
            all.remove(&key);
            return None;
        };
        all.insert(key, Ready { generation, served: Arc::clone(&served) });
        Some(served)
    }

    /// What hosts and paths mean.
    fn directory(&self) -> Arc<Directory> {
        let generation = self.sandbox.generation();
        {
            let (known, directory) = &*self.directory.read().unwrap_or_else(PoisonError::into_inner);
            if *known == Some(generation) {
                return Arc::clone(directory);
            }
        }
        let directory = Arc::new(self.sandbox.look(Directory::of).unwrap_or_else(|failure| unread(&failure)));
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = (Some(generation), Arc::clone(&directory));
        directory
    }

    /// The buckets of a stage.
    pub(super) fn throttles_of(&self, api: &str, stage: &str) -> Arc<Throttles> {
        let key = (api.to_owned(), stage.to_owned());
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

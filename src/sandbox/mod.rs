//! An AWS inside the process: the newcomer's default, and the back end of the fast tests.
//!
//! A [`Sandbox`] answers requests as AWS does, in AWS's own wire format: accounts, Regions and partitions, API Gateway with
//! REST and HTTP APIs, Lambda, IAM, CloudTrail, CloudWatch, Logs, SNS, AWS WAF, EC2, load balancers, Certificate Manager, Route 53, S3,
//! Firehose, Service Quotas, STS and the tagging API. It stands behind the SDK's HTTP client ([`connector`]), so that the same SDK calls are serialised and
//! parsed as on the real one, or behind a socket ([`listener`]) for any other AWS client. Its state is kept in a folder between
//! commands, or in memory.
//!
//! It can be told to be as slow, as limited, as unreliable and as eventual as AWS can be ([`conditions`]).
//!
//! What it does not do: verify signatures, or authorise calls by IAM policy. What it does not know it refuses loudly; it
//! never answers 200 to a request it did not carry out.

pub mod acm;
pub mod apigateway;
pub mod apigatewayv2;
pub mod authorization;
mod cbor;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod conditions;
pub mod connector;
pub mod ec2;
pub mod elbv2;
pub mod execute_api;
mod fault;
pub mod firehose;
pub mod iam;
pub mod lambda;
pub mod listener;
pub mod logs;
mod query;
pub mod route53;
pub mod s3;
pub mod servicequotas;
mod signature;
pub mod sns;
mod stand_ins;
mod store;
pub mod sts;
pub mod tagging;
mod transport;
pub mod wafv2;
pub mod wire;
pub mod world;
mod xml;
mod xml_reader;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::Result;
use conditions::Conditions;
use fault::{Fault, Protocol};
pub use signature::DEFAULT_ACCOUNT;
pub use stand_ins::StandIn;
use store::Store;
use transport::COUNTERS;
use wire::{Incoming, REQUEST_ID, Request, Response};
use world::{View, World};

/// The path below which the sandbox hands out the code of functions, to whoever has the link, as S3 does.
const CODE: &str = "/_sandbox/code/";

/// How long the data plane may serve what another process has changed: short for a person, long for ten thousand requests a
/// second that would each read a file.
const POLL: Duration = Duration::from_millis(50);

/// A handle on one sandbox; clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    held: Arc<Mutex<Held>>,
    persistent: bool,
    /// The counter in [`Held`], to be read without its lock.
    generation: Arc<AtomicU64>,
    /// When the folder was last looked at for what other processes wrote.
    looked: Arc<Mutex<Instant>>,
    conditions: Conditions,
    requests: Arc<AtomicU64>,
    /// Tells the request ids of this process from those of others.
    born: u128,
    /// The processes of functions that run.
    functions: lambda::runtime::Functions,
    /// What stages logged.
    events: logs::events::Events,
}

/// The world, and where it is kept.
#[derive(Debug)]
struct Held {
    world: World,
    store: Option<Store>,
    /// Counts the times that the world may have become another one.
    generation: Arc<AtomicU64>,
}

impl Sandbox {
    /// The sandbox whose state is kept in `dir`, which is made if it does not exist. Several processes may have it open.
    ///
    /// Fails when the state there is damaged or of a newer version; it is then left as it is.
    pub fn open(dir: &Path) -> Result<Self> {
        let (store, world) = Store::open(dir)?;
        Ok(Self::over(world, Some(store)))
    }

    /// An empty sandbox that is gone with its last handle.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::holding(World::default())
    }

    /// A sandbox that begins with what another one held, and is gone with its last handle.
    #[must_use]
    pub fn holding(world: World) -> Self {
        Self::over(world, None)
    }

    fn over(world: World, store: Option<Store>) -> Self {
        let born = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let persistent = store.is_some();
        let generation = Arc::<AtomicU64>::default();
        Self {
            held: Arc::new(Mutex::new(Held { world, store, generation: Arc::clone(&generation) })),
            persistent,
            generation,
            looked: Arc::new(Mutex::new(Instant::now())),
            conditions: Conditions::none(),
            requests: Arc::default(),
            born,
            functions: lambda::runtime::Functions::default(),
            events: logs::events::Events::default(),
        }
    }

    /// Whether the state is kept in a folder; a call then may wait for the disk.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// Answers a request: finds out who calls, then does what [`Sandbox::handle`] does.
    pub fn receive(&self, incoming: Incoming) -> Response {
        match self.authenticate(incoming) {
            Ok(request) => self.handle(request),
            Err(response) => response,
        }
    }

    /// Answers a request whose caller is known, at once, whatever latency, quotas and faults this handle has: those are the
    /// transports' business.
    pub fn handle(&self, mut request: Request) -> Response {
        let id = self.identify(&mut request);
        self.carry_out(&request, id)
    }

    fn identify(&self, request: &mut Request) -> String {
        let id = self.next_request_id();
        request.headers.push((REQUEST_ID.to_owned(), id.clone()));
        id
    }

    fn carry_out(&self, request: &Request, id: String) -> Response {
        let response = match Service::signed_as(&request.caller.service) {
            Some(service) => self.serve(service, request),
            None => fault::unknown_service(request, &Service::ALL.map(Service::signing_name)),
        };
        with_id(response, id)
    }

    /// Runs functions with these processes, and not with its own.
    #[must_use]
    pub fn running(mut self, functions: lambda::runtime::Functions) -> Self {
        self.functions = functions;
        self
    }

    /// The processes of its functions.
    #[must_use]
    pub fn functions(&self) -> &lambda::runtime::Functions {
        &self.functions
    }

    /// What stages logged.
    pub(in crate::sandbox) fn events(&self) -> &logs::events::Events {
        &self.events
    }

    /// A copy of everything it holds, for tests that look behind the wire. Code that lies in a folder is not in it.
    pub fn world(&self) -> Result<World> {
        self.look(World::clone)
    }

    /// Looks at the world as it is now.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> Result<T> {
        let mut held = self.hold();
        held.refresh()?;
        Ok(look(&held.world))
    }

    /// A number that is another one once the world changed. What this process changes counts at once, what another one
    /// does within [`POLL`].
    pub(crate) fn generation(&self) -> u64 {
        if self.persistent {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.elapsed() >= POLL {
                *looked = Instant::now();
                drop(looked);
                // A folder that can't be read now leaves things as they are; the next call to the control plane says so.
                let _ = self.look(|_| ());
            }
        }
        self.generation.load(Ordering::Acquire)
    }

    /// What clients in a Region are answered for a name by the public hosted zones of an account; nothing where there is no such
    /// record. A model, without caches: see [`route53::resolve`].
    pub fn resolve(
        &self,
        account: &str,
        name: &str,
        kind: &str,
        client_region: &str,
    ) -> Result<Option<route53::resolve::DnsAnswer>> {
        self.look(|world| route53::resolve::resolve(world, account, name, kind, client_region))
    }

    /// Tells a health check of Route 53 what its checkers see. Gives whether there is such a check.
    pub fn set_health(&self, id: &str, healthy: bool) -> Result<bool> {
        self.hold().turn(false, |world| {
            let mut states = world.accounts.values_mut().flat_map(|account| account.route53.values_mut());
            let check = states.find_map(|state| state.health_checks.get_mut(id));
            check.map(|check| check.see(healthy)).is_some()
        })
    }

    /// The zip of a function's code, by the hexadecimal SHA-256 of the zip.
    pub fn code(&self, digest: &str) -> Result<Option<Bytes>> {
        let held = self.hold();
        match (held.world.blobs.get(digest), &held.store) {
            (Some(code), _) => Ok(Some(code.clone())),
            (None, Some(store)) => store.code(digest),
            (None, None) => Ok(None),
        }
    }

    /// Reads who calls. A refusal, or what needs no signature, is an answer already: the code of a function, and the
    /// counters.
    fn authenticate(&self, incoming: Incoming) -> Result<Request, Response> {
        let id = self.next_request_id();
        if incoming.target == COUNTERS {
            return Err(with_id(self.counters_response(&incoming.method), id));
        }
        if let ("GET", Some(digest)) = (incoming.method.as_str(), incoming.target.strip_prefix(CODE)) {
            return Err(with_id(self.code_response(digest), id));
        }
        signature::authenticate(incoming, &id).map_err(|response| with_id(response, id))
    }

    fn code_response(&self, digest: &str) -> Response {
        match self.code(digest) {
            Ok(Some(code)) => {
                Response { status: 200, headers: vec![("content-type".into(), "application/zip".into())], body: code }
            }
            Ok(None) => {
                Fault::new(404, "NoSuchKey", "The sandbox has no such code").wrapped(Protocol::RestJson, None, "")
            }
            Err(failure) => Fault::internal(failure.to_string()).wrapped(Protocol::RestJson, None, ""),
        }
    }

    fn serve(&self, service: Service, request: &Request) -> Response {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let caller = &request.caller;
        let read = service.is_read(request);
        let answer = self.hold().turn(read, |world| {
            if let Some(refusal) = self.conditions.too_early(request) {
                return refusal;
            }
            if service == Service::CloudTrail {
                return cloudtrail::handle(&world.trail, request);
            }
            let view = &mut world.view(&caller.account, &caller.region, now);
            let logged = (service == Service::Logs).then(|| self.events.answer(&view.region.logs, request)).flatten();
            let mut response = logged.unwrap_or_else(|| service.handle(view, request));
            self.conditions.settle(request, &mut response);
            if !read {
                world.trail.record(request, &response, &conditions::operation_name(request), now);
            }
            response
        });

        answer.unwrap_or_else(|failure| {
            let text = failure.hints().iter().fold(failure.to_string(), |text, hint| format!("{text}; {hint}"));
            Fault::internal(text).wrapped(Protocol::of(&request.headers), None, request.id())
        })
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(|poisoned: PoisonError<MutexGuard<'_, Held>>| {
            let mut held = poisoned.into_inner();
            // A handler died half-way: what is on disk is whole, what is in memory may not be.
            if let Some(store) = &mut held.store {
                store.distrust();
            }
            self.held.clear_poison();
            held
        })
    }

    fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::digest(format!("{} {} {number}", self.born, std::process::id()));
        let hex = hex(&digest);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }
}

impl Held {
    /// Runs one call against the world as it is now, and keeps what the call changed.
    fn turn<T>(&mut self, read: bool, call: impl FnOnce(&mut World) -> T) -> Result<T> {
        // Readers take no lock: the state is replaced as a whole, so they see the old or the new one.
        let _lock = match &self.store {
            Some(store) if !read => Some(store.lock()?),
            _ => None,
        };
        self.refresh()?;
        let answer = call(&mut self.world);
        if !read {
            self.generation.fetch_add(1, Ordering::Release);
            if let Some(store) = &mut self.store {
                store.commit(&mut self.world)?;
            }
        }
        Ok(answer)
    }

    /// Takes in what other processes wrote.
    fn refresh(&mut self) -> Result<()> {
        if let Some(store) = &mut self.store
            && store.refresh(&mut self.world)?
        {
            self.generation.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }
}

/// The services of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Acm,
    ApiGateway,
    CloudTrail,
    CloudWatch,
    Ec2,
    Elbv2,
    Firehose,
    Iam,
    Lambda,
    Logs,
    Route53,
    S3,
    Sns,
    Quotas,
    Sts,
    Tagging,
    Wafv2,
}

impl Service {
    const ALL: [Self; 17] = [
        Self::Acm,
        Self::ApiGateway,
        Self::CloudTrail,
        Self::CloudWatch,
        Self::Ec2,
        Self::Elbv2,
        Self::Firehose,
        Self::Iam,
        Self::Lambda,
        Self::Logs,
        Self::Route53,
        Self::S3,
        Self::Sns,
        Self::Quotas,
        Self::Sts,
        Self::Tagging,
        Self::Wafv2,
    ];

    /// The name in the credential scope.
    const fn signing_name(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::ApiGateway => "apigateway",
            Self::CloudTrail => "cloudtrail",
            Self::CloudWatch => "monitoring",
            Self::Ec2 => "ec2",
            Self::Elbv2 => "elasticloadbalancing",
            Self::Firehose => "firehose",
            Self::Iam => "iam",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::Route53 => "route53",
            Self::S3 => "s3",
            Self::Sns => "sns",
            Self::Quotas => "servicequotas",
            Self::Sts => "sts",
            Self::Tagging => "tagging",
            Self::Wafv2 => "wafv2",
        }
    }

    fn signed_as(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.signing_name() == name)
    }

    /// Whether a request only looks: then nothing is written to disk.
    fn is_read(self, request: &Request) -> bool {
        match self {
            Self::Acm => acm::is_read(request),
            Self::ApiGateway => apigateway::is_read(request),
            Self::CloudWatch => cloudwatch::is_read(request),
            Self::Ec2 => ec2::is_read(request),
            Self::Elbv2 => request.operation().starts_with("Describe"),
            Self::Firehose => firehose::is_read(request),
            Self::Iam => ["Get", "List", "Simulate"].iter().any(|verb| request.operation().starts_with(verb)),
            Self::Lambda | Self::Route53 => request.method == "GET",
            Self::Logs => logs::is_read(request),
            Self::S3 => ["GET", "HEAD"].contains(&request.method.as_str()),
            Self::Sns => request.operation().starts_with("Get") || request.operation().starts_with("List"),
            Self::CloudTrail | Self::Quotas | Self::Sts | Self::Tagging => true,
            Self::Wafv2 => wafv2::is_read(request),
        }
    }

    fn handle(self, view: &mut View<'_>, request: &Request) -> Response {
        match self {
            Self::Acm => acm::handle(view, request),
            Self::ApiGateway if apigatewayv2::serves(request) => apigatewayv2::handle(view, request),
            Self::ApiGateway => apigateway::handle(view, request),
            // It is not of one Region's services, and answered before it comes to them.
            Self::CloudTrail => fault::unknown_service(request, &[]),
            Self::CloudWatch => cloudwatch::handle(view, request),
            Self::Ec2 => ec2::handle(view, request),
            Self::Elbv2 => elbv2::handle(view, request),
            Self::Firehose => firehose::handle(view, request),
            Self::Iam => iam::handle(view, request),
            Self::Lambda => lambda::handle(view, request),
            Self::Logs => logs::handle(view, request),
            Self::Route53 => route53::handle(view, request),
            Self::S3 => s3::handle(view, request),
            Self::Sns => sns::handle(view, request),
            Self::Quotas => servicequotas::handle(request),
            Self::Sts => sts::handle(view, request),
            Self::Tagging => tagging::handle(view, request),
            Self::Wafv2 => wafv2::handle(view, request),
        }
    }
}

fn with_id(mut response: Response, id: String) -> Response {
    if response.header(REQUEST_ID).is_none() {
        response.headers.push((REQUEST_ID.to_owned(), id));
    }
    response
}

/// Bytes as hexadecimal digits in lower case.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;

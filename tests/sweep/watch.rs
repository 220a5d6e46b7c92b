//! Looks at the world after every call that may have changed it: what is served, and to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use futures::poll;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::state::{Definition, RestApi};
use gwctl::sandbox::conditions::Counters;
use gwctl::sandbox::connector::Connector;
use gwctl::sandbox::execute_api::{Gateway, Options, Site};
use gwctl::sandbox::world::{Region, World};
use tokio::sync::watch;

use crate::deed::By;
use crate::support::failing::writes;

/// A request that clients send all the time.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    /// Of several that share one, a client needs one that is served.
    pub(crate) either: Option<&'static str>,
    pub(crate) to: To,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) from: [u8; 4],
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum To {
    /// To a stage of the API that has one of these names.
    Stage { apis: &'static [&'static str], stage: &'static str },
    /// To a name, by whatever DNS says near a Region.
    Name { host: &'static str, account: &'static str, near: &'static str },
}

/// Where no backend listens.
const NOBODY: &str = "127.0.0.1:1";

/// What a probe was answered in the course of a run, without repetitions.
pub(crate) type Course = BTreeMap<&'static str, Vec<u16>>;

/// One call of a run, and which of the worlds it left.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) operation: String,
    /// Which of the calls of its operation, the first being 1.
    pub(crate) number: u64,
    /// The place of the world in [`Trace::worlds`].
    pub(crate) leaves: usize,
}

/// An undisturbed run, call by call.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) calls: Vec<Call>,
    /// Every state in which the run could have died. The first is the one before it.
    pub(crate) worlds: Vec<World>,
}

#[derive(Debug, Default)]
struct Seen {
    wrong: BTreeSet<String>,
    /// What each probe was answered last.
    last: BTreeMap<&'static str, u16>,
    course: Course,
    /// Where in the course that is allowed each probe has got to.
    reached: BTreeMap<&'static str, usize>,
    trace: Option<Trace>,
}

/// Watches one world.
#[derive(Debug)]
pub(crate) struct Watch {
    sandbox: Sandbox,
    gateway: Gateway,
    probes: Vec<Probe>,
    /// What an undisturbed run may answer; without it, everything.
    allowed: Option<Course>,
    seen: Mutex<Seen>,
}

impl Watch {
    /// Watches a sandbox, whatever its conditions.
    pub(crate) fn new(sandbox: &Sandbox, probes: &[Probe], allowed: Option<Course>) -> Arc<Self> {
        let mut options = Options::default();
        for pattern in ["*.example.com", "*.example.org"] {
            options.upstreams.add(&format!("{pattern}={NOBODY}")).unwrap();
        }
        let gateway = Gateway::new(sandbox.clone(), options).unwrap();
        Arc::new(Self { gateway, sandbox: sandbox.clone(), probes: probes.to_vec(), allowed, seen: Mutex::default() })
    }

    /// Writes down every call from now on.
    pub(crate) fn record(&self) {
        let worlds = vec![self.sandbox.world().unwrap()];
        self.seen.lock().unwrap().trace = Some(Trace { calls: Vec::new(), worlds });
    }

    fn records(&self) -> bool {
        self.seen.lock().unwrap().trace.is_some()
    }

    /// What was written down.
    pub(crate) fn trace(&self) -> Trace {
        self.seen.lock().unwrap().trace.take().expect("it was recorded")
    }

    /// What the probes were answered.
    pub(crate) fn course(&self) -> Course {
        self.seen.lock().unwrap().course.clone()
    }

    /// What was wrong at any moment.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.seen.lock().unwrap().wrong.iter().cloned().collect()
    }

    /// Somebody whose calls are watched, and who presses Ctrl-C while these are in flight.
    pub(crate) fn by(self: &Arc<Self>, sandbox: &Sandbox, interrupts: Vec<Call>) -> By {
        let (user, interrupt) = watch::channel(false);
        let client = SharedHttpClient::new(Watched {
            inner: Connector::new(sandbox.clone()),
            sandbox: sandbox.clone(),
            watch: self.clone(),
            interrupts: Arc::new(interrupts),
            user,
        });
        By { client, interrupt }
    }

    /// Looks now.
    pub(crate) async fn look(&self) {
        let world = self.sandbox.world().unwrap();
        let mut wrong = Vec::new();
        for region in world.accounts.values().flat_map(|account| account.regions.values()) {
            stages(region, &mut wrong);
        }
        let mut answers = BTreeMap::new();
        for probe in &self.probes {
            let status = self.ask(&world, probe).await;
            answers.insert(probe.name, status);
            if let Some(either) = probe.either {
                let served = u16::from((200..400).contains(&status));
                let best: &mut u16 = answers.entry(either).or_default();
                *best = served.max(*best);
            }
        }
        self.judge(&answers, wrong);
    }

    fn judge(&self, answers: &BTreeMap<&'static str, u16>, mut wrong: Vec<String>) {
        let mut seen = self.seen.lock().unwrap();
        for (&name, &status) in answers {
            let course = seen.course.entry(name).or_default();
            if course.last() != Some(&status) {
                course.push(status);
            }
            let before = seen.last.insert(name, status);
            let Some(allowed) = &self.allowed else { continue };
            let reached = seen.reached.entry(name).or_default();
            let next = allowed[name].iter().skip(*reached).position(|one| *one == status);
            match next {
                Some(further) => *reached += further,
                None => wrong.push(format!("{name}: {status} after {before:?}, where {:?} is expected", allowed[name])),
            }
        }
        seen.wrong.extend(wrong);
    }

    async fn ask(&self, world: &World, probe: &Probe) -> u16 {
        let (host, site, path) = match &probe.to {
            To::Stage { apis, stage } => {
                let Some((account, region, id)) = api_named(world, apis, stage) else { return 0 };
                let host = format!("{id}.execute-api.{region}.amazonaws.com");
                (host, Site { account, region }, format!("/{stage}{}", probe.path))
            }
            To::Name { host, account, near } => {
                let Some(answer) = self.sandbox.resolve(account, host, "A", near).unwrap() else { return 0 };
                let region = answer.set_identifier.unwrap_or_else(|| (*near).to_owned());
                ((*host).to_owned(), Site { account: (*account).to_owned(), region }, probe.path.to_owned())
            }
        };
        let request = http::Request::builder()
            .method(probe.method)
            .uri(path)
            .header("host", host)
            .header("origin", "https://www.shop.example.com")
            .header("access-control-request-method", "GET")
            .body(Bytes::new())
            .unwrap();
        let answer = self.gateway.send(&site, request, probe.from.into()).await;
        // What gets as far as the backend, where nobody listens, is served.
        answer.map_or(0, |answer| match answer.status().as_u16() {
            502 | 504 => 200,
            status => status,
        })
    }

    fn note(&self, before: &Counters, after: &Counters, changed: bool) {
        let mut seen = self.seen.lock().unwrap();
        let Some(trace) = &mut seen.trace else { return };
        if changed {
            trace.worlds.push(self.sandbox.world().unwrap());
        }
        let leaves = trace.worlds.len() - 1;
        for (service, operations) in &after.services {
            for (operation, tally) in operations {
                let known = before.services.get(service).and_then(|all| all.get(operation));
                let known = known.map_or(0, |tally| tally.calls);
                for number in known + 1..=tally.calls {
                    let (service, operation) = (service.clone(), operation.clone());
                    trace.calls.push(Call { service, operation, number, leaves });
                }
            }
        }
    }
}

/// Account, Region and id of an API of one of these names, that with the stage first.
fn api_named(world: &World, names: &[&str], stage: &str) -> Option<(String, String, String)> {
    let regions = world.accounts.iter().flat_map(|(account, held)| held.regions.iter().map(move |one| (account, one)));
    let apis = regions.flat_map(|(account, (region, services))| {
        services.apigateway.apis.iter().map(move |api| (account, region, api))
    });
    let ours = apis.filter(|(_, _, api)| names.contains(&api.definition.name.as_str()));
    let (account, region, api) = ours.max_by_key(|(_, _, api)| api.stages.contains_key(stage))?;
    Some((account.clone(), region.clone(), api.id.clone()))
}

/// No stage is ever without its deployment, and what a deployment asks to authorize requests is there. No API is ever there twice.
fn stages(region: &Region, wrong: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for api in &region.apigateway.apis {
        if !names.insert(api.definition.name.clone()) {
            wrong.push(format!("two REST APIs are named {}", api.definition.name));
        }
        for (name, stage) in &api.stages {
            let canary = stage.canary_settings.iter().map(|canary| &canary.deployment_id);
            for id in canary.chain([&stage.deployment_id]) {
                match api.deployment(id) {
                    None => wrong.push(format!("the stage {name} of {} has no deployment", api.definition.name)),
                    Some(deployment) => functions(region, api, &deployment.snapshot, wrong),
                }
            }
        }
    }
    names.clear();
    for api in &region.apigatewayv2.apis {
        if !names.insert(api.name.clone()) {
            wrong.push(format!("two HTTP APIs are named {}", api.name));
        }
        for (name, stage) in &api.stages {
            let served = stage.deployment_id.as_deref().map(|id| api.deployment(id).is_some());
            if served == Some(false) {
                wrong.push(format!("the stage {name} of {} has no deployment", api.name));
            }
        }
    }
}

/// The functions and aliases that authorizers name have to be there.
fn functions(region: &Region, api: &RestApi, served: &Definition, wrong: &mut Vec<String>) {
    if served.authorizers.is_empty() {
        return;
    }
    let lambda = serde_json::to_value(&region.lambda).unwrap();
    for authorizer in &served.authorizers {
        let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
        let Some((_, name)) = uri.trim_end_matches("/invocations").rsplit_once(":function:") else { continue };
        let (name, alias) = name.split_once(':').map_or((name, None), |(name, alias)| (name, Some(alias)));
        let function = &lambda["functions"][name];
        if function.is_null() || alias.is_some_and(|alias| function["aliases"][alias].is_null()) {
            wrong.push(format!("{} asks {name} {alias:?}, which is not there", api.definition.name));
        }
    }
}

/// The SDK's way to a sandbox, with somebody watching.
#[derive(Debug, Clone)]
struct Watched {
    inner: Connector,
    sandbox: Sandbox,
    watch: Arc<Watch>,
    interrupts: Arc<Vec<Call>>,
    user: watch::Sender<bool>,
}

impl Watched {
    /// Whether one of the calls that the user interrupts has come to AWS.
    fn is_time(&self) -> bool {
        let counters = || self.sandbox.counters();
        !self.interrupts.is_empty()
            && counters().services.iter().any(|(service, operations)| {
                self.interrupts.iter().any(|call| {
                    let tally = operations.get(&call.operation).filter(|_| call.service == *service);
                    tally.is_some_and(|tally| tally.calls >= call.number)
                })
            })
    }
}

impl HttpClient for Watched {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let watched = self.clone();
        let changes = writes(&request);
        HttpConnectorFuture::new(async move {
            let Self { inner, sandbox, watch, user, .. } = &watched;
            let before = watch.records().then(|| sandbox.counters());
            let mut call = pin!(inner.call(request));
            let answer = poll!(call.as_mut());
            // It has come to AWS, and is in flight for as long as AWS takes.
            if watched.is_time() {
                user.send_replace(true);
            }
            let answer = match answer {
                Poll::Ready(answer) => answer,
                Poll::Pending => call.await,
            };
            if let Some(before) = before {
                watch.note(&before, &sandbox.counters(), changes);
            }
            if changes {
                watch.look().await;
            }
            answer
        })
    }
}

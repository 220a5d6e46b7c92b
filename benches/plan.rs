//! What a plan with nothing to do asks of AWS: how many calls, and how many of them wait for the answer of another.
//!
//! ```text
//! cargo bench --bench plan
//! ```
//!
//! AWS is far away: a call takes tens of milliseconds, and a plan is a few dozen calls. How long it takes is decided by the
//! *rounds*, the longest chain of calls of which each needs the answer of the one before; the aim is 3. They are counted,
//! not timed: no call is answered before nothing can go on without an answer, then all that wait are. The wall time with
//! 50 ms a call, and with none, says how much gwctl itself adds.
//!
//! Everything runs against the sandbox in memory, behind the SDK's HTTP client: building, signing, sending and reading of
//! every call are in the figures. A further benchmark of the same kind is a function here with a row of its own.

mod fixture;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use gwctl::aws::{Aws, Connection};
use gwctl::error::{Failure, Result};
use gwctl::kinds::{Artifacts, Registry};
use gwctl::model::{Desired, Found};
use gwctl::package::read_zip;
use gwctl::plan::Plan;
use gwctl::plan::build::{Input, build};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use gwctl::stack::{self, Zips};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};

use fixture::tree::ZIP;
use fixture::{Fixture, SIZES};

/// How far away AWS is.
const LATENCY: Duration = Duration::from_millis(50);

/// The most rounds a plan with nothing to do should take.
const MOST_ROUNDS: usize = 3;

/// Plans per wall time; the median counts.
const REPEATS: usize = 9;

fn main() -> Result<()> {
    println!("plan with nothing to do, product-a dev, sandbox in memory; aim: at most {MOST_ROUNDS} rounds\n");
    println!("routes  calls  rounds (calls in each)  wall, 50 ms a call  wall, 0 ms a call  calls by service");
    for count in SIZES {
        let fixture = Fixture::with_routes(count)?;
        let sandbox = Sandbox::in_memory();
        several_threads()?.block_on(apply(&fixture, &sandbox))?;
        let (counts, rounds) = count_calls(&fixture, &sandbox)?;
        let slow = wall_time(&fixture, &Connector::new(sandbox.clone()).with_latency(LATENCY))?;
        let fast = wall_time(&fixture, &Connector::new(sandbox))?;
        let services: Vec<String> = counts.iter().map(|(service, calls)| format!("{service} {calls}")).collect();
        println!(
            "{count:>6}  {:>5}  {:<22}  {:>16.1} ms  {:>14.1} ms  {}",
            counts.values().sum::<u64>(),
            format!("{} ({})", rounds.len(), rounds.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ")),
            slow.as_secs_f64() * 1e3,
            fast.as_secs_f64() * 1e3,
            services.join(", "),
        );
    }
    Ok(())
}

/// Threads as the binary has them.
fn several_threads() -> Result<Runtime> {
    started(&mut Builder::new_multi_thread())
}

fn started(builder: &mut Builder) -> Result<Runtime> {
    builder.enable_all().build().map_err(|error| Failure::io("failed to start", &error))
}

/// One environment at work, as `gwctl plan` has it between loading the configuration and printing the plan.
struct Work {
    desired: Vec<Desired>,
    registry: Registry,
    aws: Aws,
}

impl Work {
    async fn begin(fixture: &Fixture, http: SharedHttpClient) -> Result<Self> {
        let target = &fixture.environment().target;
        let zip = fixture.root.path().join(ZIP);
        let sha256 = read_zip(&zip)?.sha256_base64;
        let expansion = stack::expand(
            &fixture.configuration,
            fixture.environment(),
            &Zips { gate: &sha256, system: &sha256 },
            &Found::nothing(),
        )?;
        let desired = expansion.map_err(|faults| faults.to_failure())?.desired;
        let credentials = Credentials::new(&target.account, "sandbox", None, None, "sandbox");
        let connection =
            Connection { region: target.region.clone(), transport: Some((http, credentials)), ..Connection::default() };
        let aws = connection.open(&stack::place(target)).await?;
        Ok(Self { desired, registry: Registry::new(Artifacts::from([(sha256, zip)])), aws })
    }

    /// The reads of `gwctl plan`, side by side as there, and the plan.
    async fn plan(&self, fixture: &Fixture) -> Result<Plan> {
        let read = self.aws.read.anew();
        let owner = stack::owner(fixture.environment());
        let (account, live, _) = futures::join!(
            read.check_account(),
            self.registry.observe(&read, &owner, &self.desired),
            self.aws.read.logging_role(),
        );
        account?;
        build(&Input {
            owner: &owner,
            place: &self.aws.place,
            desired: &self.desired,
            predicted: &self.registry.predict(&self.aws.place, &self.desired)?,
            live: &live?,
            rules: &self.registry.rules(),
        })
    }
}

/// Makes the sandbox what the configuration says, so that there is nothing left to do.
async fn apply(fixture: &Fixture, sandbox: &Sandbox) -> Result<()> {
    let work = Work::begin(fixture, Connector::new(sandbox.clone()).client()).await?;
    let plan = work.plan(fixture).await?;
    let (_keep, interrupt) = watch::channel(false);
    let applied = gwctl::apply::apply(&plan, &work.registry, &work.aws, interrupt, &mut |_| ()).await;
    applied.into_failure().map_or(Ok(()), Err)
}

/// What is measured: everything from the configuration to the plan. A plan with a step in it is not what is measured.
async fn plan_nothing(fixture: &Fixture, http: SharedHttpClient) -> Result<()> {
    let plan = Work::begin(fixture, http).await?.plan(fixture).await?;
    match plan.steps.first() {
        None => Ok(()),
        Some(step) => Err(Failure::internal(format!("{} is to change right after an apply", step.address))),
    }
}

/// The median of a few plans.
fn wall_time(fixture: &Fixture, connector: &Connector) -> Result<Duration> {
    let runtime = several_threads()?;
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let started = Instant::now();
        runtime.block_on(plan_nothing(fixture, connector.client()))?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times[REPEATS / 2])
}

/// Calls by service, and how many of them travelled in each round.
fn count_calls(fixture: &Fixture, sandbox: &Sandbox) -> Result<(BTreeMap<String, u64>, Vec<usize>)> {
    let connector = Connector::new(sandbox.clone()).recording();
    let lockstep = Lockstep { connector: connector.clone(), held: Arc::default() };
    let releasing = lockstep.clone();
    // With one thread, it parks exactly when everything waits for an answer.
    let runtime = started(Builder::new_current_thread().on_thread_park(move || releasing.release()))?;
    runtime.block_on(plan_nothing(fixture, SharedHttpClient::new(lockstep.clone())))?;
    let rounds = lockstep.held().rounds.clone();
    if rounds.iter().sum::<usize>() != connector.calls().len() {
        return Err(Failure::internal("a call belongs to no round"));
    }
    Ok((connector.counts(), rounds))
}

/// Lets calls through in rounds: all that wait, once nothing else is left to do.
#[derive(Debug, Clone)]
struct Lockstep {
    connector: Connector,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    waiting: Vec<oneshot::Sender<()>>,
    rounds: Vec<usize>,
}

impl Lockstep {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let mut held = self.held();
        let waiting = std::mem::take(&mut held.waiting);
        if !waiting.is_empty() {
            held.rounds.push(waiting.len());
        }
        for call in waiting {
            // Whoever gave up waiting does not want to know.
            let _ = call.send(());
        }
    }
}

impl HttpClient for Lockstep {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("gwctl-sandbox", None))
    }
}

impl HttpConnector for Lockstep {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (go, wait) = oneshot::channel();
        self.held().waiting.push(go);
        let connector = self.connector.clone();
        HttpConnectorFuture::new(async move {
            wait.await.map_err(|error| ConnectorError::other(error.into(), None))?;
            connector.call(request).await
        })
    }
}

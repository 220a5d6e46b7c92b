//! Runs functions of the sandbox for real: `bootstrap` of the zip behind a Lambda Runtime API, as Lambda does for
//! `provided.al2023`.
//!
//! [`Functions`] keeps the processes of all functions. A process works on one event at a time, as in Lambda; events that
//! come together get processes side by side up to a limit, and then wait. The process that was used last is used first,
//! so that the surplus of a busy minute gets old and is stopped. New code or settings get new processes; the old ones
//! finish what they work on. No process outlives the last handle, nor anything it started in its process group. Only if
//! this process is killed by force can nobody kill them; a runtime then ends by itself, because its next request fails.
//!
//! What differs from Lambda: memory is not limited, the disk is this machine's, and a start that takes longer than ten
//! seconds is an error instead of being tried once more on the function's own time.

mod desk;
mod environment;
mod error;
mod log;
mod pool;
mod program;
mod unpack;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

pub use error::InvokeError;
pub use log::{LogSink, TracingLog};
pub use program::{Code, Program};

use crate::sandbox::hex;
use environment::{Environment, Served, Start};
use pool::Pools;

/// 6 MB and a little: what Lambda takes and gives in one event (its emulator's `MaxPayloadSize`).
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// How functions are run.
#[derive(Clone)]
pub struct Options {
    /// Processes that one function may have at once; events beyond it wait.
    pub concurrency: usize,
    /// How long a process may have nothing to do before it is stopped.
    pub idle: Duration,
    /// How long a process may take until it asks for its first event. Lambda gives ten seconds.
    pub init: Duration,
    /// Where the lines go that functions print.
    pub log: Arc<dyn LogSink>,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrency: 8, idle: Duration::from_mins(5), init: Duration::from_secs(10), log: Arc::new(TracingLog) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { concurrency, idle, init, log: _ } = self;
        f.debug_struct("Options").field("concurrency", concurrency).field("idle", idle).field("init", init).finish()
    }
}

/// What else an event comes with.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The X-Ray trace header, `Root=1-…`; one is made up if there is none, as Lambda does.
    pub trace_id: Option<String>,
    /// The client context as JSON.
    pub client_context: Option<String>,
    /// Whether the end of what the function printed is wanted. It costs the answer a moment.
    pub tail: bool,
}

/// How an event ended that reached the function.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The id that the function was given.
    pub request_id: String,
    /// What it answered: any bytes, JSON as a rule; with `failed` an object with `errorType` and `errorMessage`.
    pub payload: Bytes,
    /// Whether the function failed: it said so, died, or ran out of time. Lambda's `X-Amz-Function-Error: Unhandled`.
    pub failed: bool,
    /// How long the function worked.
    pub duration: Duration,
    /// How long its process took to start, if it was started for this event.
    pub init: Option<Duration>,
    /// The last 4 KB of what it printed, if they were asked for.
    pub tail: Vec<u8>,
}

/// What a function says of its failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FunctionError {
    /// `Sandbox.Timedout`, or what the function chose.
    pub error_type: String,
    /// The message.
    pub error_message: String,
}

impl Invoked {
    /// What the function says of its failure, if it failed.
    #[must_use]
    pub fn error(&self) -> Option<FunctionError> {
        self.failed.then(|| serde_json::from_slice(&self.payload).unwrap_or_default())
    }
}

/// A handle on the processes of all functions; clones share them. When the last one goes, so do the processes.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    house: Arc<House>,
    /// Dropped with the last handle; work under way holds the house, but not this.
    keeper: Arc<Keeper>,
}

/// What is shared by the handles and the work under way.
#[derive(Debug, Default)]
struct House {
    options: Options,
    pools: Pools,
    ids: Ids,
}

/// Tells everything under way that nobody is left.
#[derive(Debug)]
struct Keeper {
    closed: watch::Sender<bool>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self { closed: watch::Sender::new(false) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.closed.send_replace(true);
    }
}

impl Functions {
    /// No process yet; they come with the first events.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { house: Arc::new(House { options, ..House::default() }), keeper: Arc::default() }
    }

    /// Runs a function on one event and waits for its answer.
    ///
    /// The function goes on when the caller stops waiting, as in Lambda. What the function did wrong is an answer too
    /// ([`Invoked::failed`]); an error is a call that did not reach it.
    pub async fn invoke(
        &self,
        function: &Program,
        payload: Bytes,
        trace_id: Option<&str>,
    ) -> Result<Invoked, InvokeError> {
        let invocation = Invocation { trace_id: trace_id.map(str::to_owned), ..Invocation::default() };
        self.invoke_with(function, payload, invocation).await
    }

    /// [`Functions::invoke`] with everything an event can come with.
    pub async fn invoke_with(
        &self,
        function: &Program,
        payload: Bytes,
        invocation: Invocation,
    ) -> Result<Invoked, InvokeError> {
        if payload.len() > PAYLOAD_LIMIT {
            return Err(InvokeError::TooLarge(payload.len()));
        }
        let (house, function) = (Arc::clone(&self.house), function.clone());
        let mut closed = self.keeper.closed.subscribe();
        self.house.pools.watch(&self.house, closed.clone());
        let work = tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => Err(InvokeError::ShutDown),
                result = house.run(&function, payload, invocation) => result,
            }
        });
        work.await.unwrap_or(Err(InvokeError::ShutDown))
    }

    /// Stops every process now; events under way fail, and so do later ones.
    pub fn shut_down(&self) {
        self.keeper.closed.send_replace(true);
        self.house.pools.clear();
    }

    /// How many processes have nothing to do.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.house.pools.idle()
    }
}

impl House {
    async fn run(&self, program: &Program, payload: Bytes, invocation: Invocation) -> Result<Invoked, InvokeError> {
        let request_id = self.ids.request();
        let fingerprint = program.fingerprint();
        let _turn = self.pools.turn(&program.arn, fingerprint, self.options.concurrency).await;
        let mut environment = match self.pools.take(&program.arn, fingerprint) {
            Some(environment) => environment,
            None => match self.start(program, &request_id).await? {
                Start::Ready(environment) => *environment,
                Start::Failed(answer) => {
                    let (payload, failed) = (answer.payload, answer.failed);
                    report(program, &request_id, Duration::ZERO, None);
                    return Ok(Invoked {
                        request_id,
                        payload,
                        failed,
                        duration: Duration::ZERO,
                        init: None,
                        tail: Vec::new(),
                    });
                }
            },
        };
        let call = environment::Call {
            id: request_id.clone(),
            function: program.arn.clone(),
            trace: invocation.trace_id.unwrap_or_else(|| self.ids.trace()),
            client_context: invocation.client_context,
            payload,
        };
        let begun = Instant::now();
        let Served { answer, alive } = environment.serve(call, program.timeout).await;
        let duration = begun.elapsed();
        let init = environment.init.take();
        report(program, &request_id, duration, init);
        if invocation.tail {
            // What was printed last comes through a pipe of its own, a little after the answer.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let tail = if invocation.tail { environment.tail.read() } else { Vec::new() };
        if alive {
            environment.idle_since = Instant::now();
            self.pools.give_back(&program.arn, environment);
        }
        Ok(Invoked { request_id, payload: answer.payload, failed: answer.failed, duration, init, tail })
    }

    async fn start(&self, program: &Program, id: &str) -> Result<Start, InvokeError> {
        let code = self.pools.unpacked(&program.code).await?;
        Environment::start(program, code, Arc::clone(&self.options.log), self.options.init, id).await
    }
}

/// The line that Lambda writes after every event.
fn report(program: &Program, id: &str, duration: Duration, init: Option<Duration>) {
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let init = init.map(|init| format!("\tInit Duration: {:.2} ms", millis(init))).unwrap_or_default();
    tracing::debug!(
        target: "gwctl::function",
        "{}: REPORT RequestId: {id}\tDuration: {:.2} ms{init}",
        program.name,
        millis(duration)
    );
}

/// Ids of requests and traces, different in every process.
#[derive(Debug)]
struct Ids {
    born: u128,
    given: AtomicU64,
}

impl Default for Ids {
    fn default() -> Self {
        let born = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        Self { born, given: AtomicU64::new(0) }
    }
}

impl Ids {
    fn draw(&self) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        hex(&Sha256::digest(format!("function {} {} {number}", self.born, std::process::id())))
    }

    fn request(&self) -> String {
        let hex = self.draw();
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// A trace header for a request that came without one; not sampled.
    fn trace(&self) -> String {
        let hex = self.draw();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        format!("Root=1-{now:08x}-{};Parent={};Sampled=0", &hex[..24], &hex[24..40])
    }
}

#[cfg(test)]
pub(in crate::sandbox) mod tests;

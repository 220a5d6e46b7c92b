//! The Lambda functions: take events from the Runtime API, decide, and hand the decision back. One JSON line a request goes
//! to the log, and CloudWatch reads its metrics out of that line.
//!
//! The decisions are the rest of the crate; here is what touches the world: the environment, the clock, the network, stdout.

mod auth_service;
mod log;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use self::auth_service::AuthService;
use self::log::{Log, Trail};
use crate::allow::Allow;
use crate::denial::{Cause, Denial};
use crate::gate::{Settings, ask};
use crate::system::Callers;

/// What a function does with an event.
trait Decide {
    async fn decide(&self, event: &LambdaEvent<Value>, trail: &mut Trail) -> Result<Allow, Denial>;
}

/// Runs the authorizer of a public gateway until Lambda ends the process.
#[must_use]
pub fn gate() -> ExitCode {
    let log = Log::of_this_function();
    let gate = Settings::read(variable).map_err(|faults| faults.to_string()).and_then(|settings| {
        let auth_service = AuthService::new(&settings)?;
        log.gate_started(&settings);
        Ok(Gate { settings, auth_service })
    });
    run(&log, &gate)
}

/// Runs the authorizer of an internal gateway until Lambda ends the process.
#[must_use]
pub fn system() -> ExitCode {
    let log = Log::of_this_function();
    let callers = Callers::read(variable).map_err(|faults| faults.to_string());
    if let Ok(callers) = &callers {
        log.system_started(callers);
    }
    run(&log, &callers)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// With wrong settings the function starts all the same and answers every request with what is wrong: a process that
/// exits would be started again and again, and the reason would drown.
fn run(log: &Log, function: &Result<impl Decide, String>) -> ExitCode {
    // One request at a time, so one thread: a second one would only cost memory and start-up time.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return log.fatal(&error),
    };
    if let Err(faults) = function {
        log.misconfigured(faults);
    }
    let handler = service_fn(|event: LambdaEvent<Value>| handle(log, function, event));
    match runtime.block_on(Runtime::new(handler).run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => log.fatal(&*error),
    }
}

async fn handle(
    log: &Log,
    function: &Result<impl Decide, String>,
    event: LambdaEvent<Value>,
) -> Result<Value, Diagnostic> {
    let started = Instant::now();
    let mut trail = Trail::default();
    let decision = match function {
        Ok(function) => function.decide(&event, &mut trail).await,
        Err(faults) => Err(Denial::failed(Cause::Settings, format!("the function's environment is wrong: {faults}"))),
    };
    log.decided(&event.context.request_id, &trail, decision.as_ref().err(), started.elapsed());
    let diagnostic =
        |denial: Denial| Diagnostic { error_type: denial.name().to_owned(), error_message: denial.to_string() };
    decision.map(|allow| allow.response()).map_err(diagnostic)
}

/// The authorizer of a public gateway, ready to decide.
struct Gate {
    settings: Settings,
    auth_service: AuthService,
}

impl Decide for Gate {
    async fn decide(&self, event: &LambdaEvent<Value>, trail: &mut Trail) -> Result<Allow, Denial> {
        let question = ask(&self.settings, &event.payload)?;
        trail.channel = Some(question.channel().to_owned());
        let asked = Instant::now();
        let answer = self.auth_service.get(&question, event.context.xray_trace_id.as_deref(), trail).await;
        trail.auth_service = Some(asked.elapsed());
        question.judge(&answer?.as_reply())
    }
}

impl Decide for Callers {
    async fn decide(&self, event: &LambdaEvent<Value>, _: &mut Trail) -> Result<Allow, Denial> {
        Callers::decide(self, &event.payload)
    }
}

fn milliseconds(duration: Duration) -> f64 {
    // To the microsecond: an answer takes a few milliseconds, of which whole ones say little.
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(microseconds) / 1000.0
}

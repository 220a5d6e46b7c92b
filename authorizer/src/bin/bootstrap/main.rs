//! The Lambda function: takes events from the Runtime API, carries the library's question to the auth service, and hands
//! the decision back. One JSON line a request goes to the log.

mod auth_service;
mod log;

use std::process::ExitCode;
use std::time::Instant;

use authorizer::{Allow, Denial, Reply, Settings, ask};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use auth_service::AuthService;

/// A function that is ready to decide.
struct Authorizer {
    settings: Settings,
    auth_service: AuthService,
}

/// A request on its way, as the log will tell it.
#[derive(Default)]
struct Trail {
    channel: Option<&'static str>,
    retried: bool,
}

fn main() -> ExitCode {
    // One request at a time, so one thread: a second one would only cost memory and start-up time.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return log::fatal(&error),
    };
    let authorizer = start();
    let handler = service_fn(|event: LambdaEvent<Value>| handle(&authorizer, event));
    match runtime.block_on(Runtime::new(handler).run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => log::fatal(&*error),
    }
}

/// Reads the settings. With wrong ones the function starts all the same and answers every request with what is wrong: a
/// process that exits would be started again and again, and the reason would drown.
fn start() -> Result<Authorizer, String> {
    let authorizer = Settings::read(|name| std::env::var(name).ok())
        .map_err(|faults| faults.to_string())
        .and_then(|settings| Ok(Authorizer { auth_service: AuthService::new(&settings)?, settings }));
    match &authorizer {
        Ok(authorizer) => log::started(&authorizer.settings),
        Err(faults) => log::misconfigured(faults),
    }
    authorizer
}

async fn handle(authorizer: &Result<Authorizer, String>, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let started = Instant::now();
    let mut trail = Trail::default();
    let decision = match authorizer {
        Ok(authorizer) => decide(authorizer, &event.payload, &mut trail).await,
        Err(faults) => Err(Denial::failed(format!("the function's environment is wrong: {faults}"))),
    };
    log::decided(&event.context.request_id, &trail, decision.as_ref().err(), started.elapsed());
    let diagnostic =
        |denial: Denial| Diagnostic { error_type: denial.name().to_owned(), error_message: denial.to_string() };
    decision.map(|allow| allow.response()).map_err(diagnostic)
}

async fn decide(authorizer: &Authorizer, payload: &Value, trail: &mut Trail) -> Result<Allow, Denial> {
    let question = ask(&authorizer.settings, payload)?;
    trail.channel = Some(question.channel());
    let (status, body) =
        authorizer.auth_service.get(question.url(), &mut trail.retried).await.map_err(Denial::failed)?;
    question.judge(&Reply { status, body: &body })
}

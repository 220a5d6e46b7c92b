//! `gwctl lambda`: the same binary as an AWS Lambda function, for what runs on a schedule.
//!
//! An event says what is run, `{"arguments": ["drift", "--all", "--metric"]}`, and each runs in a process of its own, exactly as it
//! would on a terminal: so nothing of one run is left for the next, and there is no second way through the program. Only verbs
//! that read are run: whoever may send an event must not be able to change a gateway with it.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use clap::Parser as _;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};
use tokio::process::Command;

use super::output::notice;
use crate::cli::{Cli, Global};
use crate::error::{Failure, FailureKind, Result, exit};

/// The variable with the arguments for events that have none, as EventBridge's own events.
const ARGUMENTS: &str = "GWCTL_ARGUMENTS";

/// How long before Lambda ends the process a run is ended, so that somebody is told.
const RESERVE: Duration = Duration::from_secs(2);

/// The longest output that goes back, in bytes. Lambda refuses answers beyond 6 MB, and JSON makes the text longer.
const LONGEST: usize = 2 * 1024 * 1024;

/// Runs until Lambda ends the process.
pub(super) async fn run(global: &Global) -> Result<u8> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(Failure::new(FailureKind::Usage, "`gwctl lambda` runs as an AWS Lambda function only").hint(
            "put the binary into a zip as `bootstrap`, beside stacks/ and environments/; see docs/schedules.md",
        ));
    }
    let root = match std::env::var_os("LAMBDA_TASK_ROOT") {
        Some(folder) => PathBuf::from(folder).join(&global.root),
        None => global.root.clone(),
    };
    let handler = service_fn(async |event: LambdaEvent<Value>| answer(global, &root, event).await);
    Runtime::new(handler)
        .run()
        .await
        .map_err(|error| Failure::new(FailureKind::Aws, "Lambda's Runtime API ended the process").because(&*error))?;
    Ok(exit::DONE)
}

async fn answer(global: &Global, root: &std::path::Path, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let answered = async {
        let arguments = arguments(&event.payload)?;
        check(&arguments)?;
        perform(root, &arguments, left.saturating_sub(RESERVE)).await
    };
    let failed =
        |failure: &Failure| Diagnostic { error_type: "GwctlFailed".to_owned(), error_message: failure.to_string() };
    let output = answered.await.map_err(|failure| failed(&failure))?;
    // What it told goes to the function's log.
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    notice(global, |out| write!(out, "{told}")).map_err(|failure| failed(&failure))?;
    let code = output.status.code().map(u8::try_from).and_then(Result::ok);
    if let Some(code @ (exit::DONE | exit::CHANGES)) = code {
        return Ok(json!({ "exit_code": code, "output": said(&output.stdout) }));
    }
    // The answer is an error and has no room for it; whoever looks for what failed finds it in the log.
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    notice(global, |out| write!(out, "{printed}")).map_err(|failure| failed(&failure))?;
    let last = told.lines().find(|line| line.starts_with("error:")).unwrap_or("it was ended");
    Err(failed(&Failure::new(FailureKind::Aws, last.trim_start_matches("error: "))))
}

/// What the event asks for.
fn arguments(event: &Value) -> Result<Vec<String>> {
    let given: Vec<String> = if let Some(given) = event.get("arguments") {
        serde_json::from_value(given.clone()).map_err(|error| {
            Failure::new(FailureKind::Usage, "`arguments` of the event is no list of texts").because(&error)
        })?
    } else {
        let text = std::env::var(ARGUMENTS).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    };
    if given.is_empty() {
        return Err(Failure::new(FailureKind::Usage, "the event does not say what to run")
            .hint(format!("send {{\"arguments\": [\"drift\", \"--all\"]}}, or set {ARGUMENTS}")));
    }
    Ok(given)
}

/// Refuses what is no command line of gwctl, and what would change something.
fn check(arguments: &[String]) -> Result<()> {
    let line = std::iter::once("gwctl").chain(arguments.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line).map_err(|error| {
        let first = error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Failure::new(FailureKind::Usage, format!("`gwctl {}` is no command: {first}", arguments.join(" ")))
    })?;
    if cli.command.only_reads() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Refused,
        format!("`gwctl {}` is not run here: it may change something", arguments.join(" ")),
    )
    .hint("a function runs verbs that read; change gateways from a pipeline that somebody approves"))
}

async fn perform(root: &std::path::Path, arguments: &[String], time: Duration) -> Result<Output> {
    let program = std::env::current_exe().map_err(|error| Failure::io("failed to find gwctl's own binary", &error))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).stdin(Stdio::null()).kill_on_drop(true);
    // The child is no function, and the folder is all that it may write to.
    command.env_remove("AWS_LAMBDA_RUNTIME_API").env("HOME", "/tmp");
    match tokio::time::timeout(time, command.output()).await {
        Ok(output) => output.map_err(|error| Failure::io("failed to run gwctl's own binary", &error)),
        Err(_) => Err(Failure::new(
            FailureKind::Aws,
            format!(
                "`gwctl {}` was ended after {} s: the function has no more time",
                arguments.join(" "),
                time.as_secs()
            ),
        )
        .hint("give the function more time, or divide the fleet with --shard")),
    }
}

/// What was printed: as JSON where it is JSON, else as text, its end if it is too long.
fn said(stdout: &[u8]) -> Value {
    if stdout.len() <= LONGEST
        && let Ok(value) = serde_json::from_slice(stdout)
    {
        return value;
    }
    let start = stdout.len().saturating_sub(LONGEST);
    let text = String::from_utf8_lossy(&stdout[start..]).into_owned();
    if start == 0 { text.into() } else { format!("({start} bytes left out)\n{text}").into() }
}

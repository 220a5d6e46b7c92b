//! One process of a function, from its start to its end: Lambda's execution environment.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::desk::{Answer, Desk, Event, Stage};
use super::log::{LogSink, Tail, follow};
use super::unpack::{Unpacked, this_machine};
use super::{InvokeError, Program};

/// A running process, alone in its process group. Dropping it kills the group.
#[derive(Debug)]
pub(super) struct Environment {
    child: Child,
    group: Option<rustix::process::Pid>,
    desk: Arc<Desk>,
    server: AbortHandle,
    code: Arc<Unpacked>,
    /// What it printed since the last event began.
    pub(super) tail: Tail,
    /// What the process was started from.
    pub(super) fingerprint: u64,
    /// When it last had nothing to do.
    pub(super) idle_since: Instant,
    /// The time it took to start, until it is told to a caller.
    pub(super) init: Option<Duration>,
}

/// How the start of a process ended.
pub(super) enum Start {
    /// It waits for events.
    Ready(Box<Environment>),
    /// It failed, in a way that Lambda reports as the function's error.
    Failed(Answer),
}

/// How an event ended.
pub(super) struct Served {
    pub(super) answer: Answer,
    /// Whether the process can take another event.
    pub(super) alive: bool,
}

impl Environment {
    /// Starts a process and waits until it asks for its first event, at most `limit`.
    pub(super) async fn start(
        program: &Program,
        code: Arc<Unpacked>,
        sink: Arc<dyn LogSink>,
        limit: Duration,
        id: &str,
    ) -> Result<Start, InvokeError> {
        let begun = Instant::now();
        let failed = |error: &io::Error| InvokeError::machine("failed to open a port for the Runtime API", error);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(&error))?;
        let api = listener.local_addr().map_err(|error| failed(&error))?.to_string();
        let desk = Arc::new(Desk::new());
        let mut child = spawn(program, &code, &api).await?;
        let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        let tail = Tail::default();
        let name: Arc<str> = program.name.as_str().into();
        if let Some(out) = child.stdout.take() {
            tokio::spawn(follow(out, Arc::clone(&name), Arc::clone(&sink), tail.clone()));
        }
        if let Some(err) = child.stderr.take() {
            tokio::spawn(follow(err, name, sink, tail.clone()));
        }
        let server = tokio::spawn(Arc::clone(&desk).serve(listener)).abort_handle();
        let fingerprint = program.fingerprint();
        let mut environment =
            Self { child, group, desk, server, code, tail, fingerprint, idle_since: begun, init: None };
        let answer = environment.wait_until_ready(limit, id).await?;
        environment.init = Some(begun.elapsed());
        Ok(answer.map_or_else(|| Start::Ready(Box::new(environment)), Start::Failed))
    }

    /// None when it is ready; otherwise why it never will be.
    async fn wait_until_ready(&mut self, limit: Duration, id: &str) -> Result<Option<Answer>, InvokeError> {
        let mut stage = self.desk.stage();
        tokio::select! {
            biased;
            reached = stage.wait_for(|stage| *stage != Stage::Starting) => {
                let failed = reached.is_ok_and(|stage| *stage == Stage::Failed);
                Ok(failed.then(|| Answer { payload: self.desk.init_error().unwrap_or_default(), failed: true }))
            }
            ended = self.child.wait() => match foreign(&self.code) {
                // Some shells and loaders take over what the kernel refused, and fail in words that mislead.
                Some(error) => Err(error),
                None => Ok(Some(exit_answer(id, ended.as_ref().ok().copied()))),
            },
            () = tokio::time::sleep(limit) => Ok(Some(timeout_answer(id, limit))),
        }
    }

    /// Whether the process still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets the process work on an event until `limit` is over.
    pub(super) async fn serve(&mut self, call: Call, limit: Duration) -> Served {
        self.tail.clear();
        let id = call.id.clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let answered = self.desk.hand_out(Event {
            id: call.id,
            deadline: (now + limit).as_millis(),
            function: call.function,
            trace: call.trace,
            client_context: call.client_context,
            payload: call.payload,
        });
        let dead = |answer| Served { answer, alive: false };
        tokio::select! {
            // An answer counts even if the process ends right after it, or the time does.
            biased;
            Ok(answer) = answered => Served { answer, alive: true },
            ended = self.child.wait() => dead(exit_answer(&id, ended.ok())),
            () = tokio::time::sleep(limit) => dead(timeout_answer(&id, limit)),
        }
    }
}

/// One event, before it has a deadline.
pub(super) struct Call {
    pub(super) id: String,
    pub(super) function: String,
    pub(super) trace: String,
    pub(super) client_context: Option<String>,
    pub(super) payload: Bytes,
}

impl Drop for Environment {
    fn drop(&mut self) {
        // The group, not the process alone: what the function started must not outlive it. An id of a group is not
        // given out anew while the group has members, and with none there is nothing to kill.
        if let Some(group) = self.group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        self.server.abort();
    }
}

async fn spawn(program: &Program, code: &Unpacked, api: &str) -> Result<Child, InvokeError> {
    let mut command = Command::new(code.bootstrap());
    command
        .current_dir(code.root())
        // Nothing of this process, its AWS credentials least of all.
        .env_clear()
        .envs(variables(program, code.root(), api))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut tries = 0;
    loop {
        match command.spawn() {
            Ok(child) => return Ok(child),
            // A child that another thread just forked holds the freshly written file open until it runs its own
            // program; a moment later it does not.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => return Err(not_started(&error, code)),
        }
    }
}

fn not_started(error: &io::Error, code: &Unpacked) -> InvokeError {
    // ENOEXEC, and macOS's EBADARCH.
    if let Some(8 | 86) = error.raw_os_error() {
        return foreign(code).unwrap_or_else(|| {
            InvokeError::entrypoint(
                "`bootstrap` of the function is no program that this machine can run (exec format error)",
                "a script begins with `#!` and its interpreter",
            )
        });
    }
    if error.kind() == io::ErrorKind::NotFound {
        return InvokeError::entrypoint(
            "the interpreter or loader that `bootstrap` of the function asks for is not on this machine",
            "link it statically (`gwctl package` does), or install the interpreter in its `#!` line",
        );
    }
    InvokeError::entrypoint(format!("failed to start `bootstrap` of the function: {error}"), "see the cause")
}

/// The explanation for code that was built for another machine.
fn foreign(code: &Unpacked) -> Option<InvokeError> {
    let here = this_machine();
    let machine = code.machine().filter(|machine| *machine != here)?;
    Some(InvokeError::entrypoint(
        format!("the function is for {machine}, this machine is {here}"),
        format!("build it for this machine: `gwctl package --arch {here}`, or install QEMU's user mode with binfmt"),
    ))
}

/// The environment variables that Lambda sets (Lambda's developer guide, "defined runtime environment variables"), under
/// those of the user. `AWS_EXECUTION_ENV` is not among them for OS-only runtimes.
fn variables(program: &Program, root: &Path, api: &str) -> Vec<(OsString, OsString)> {
    let task = root.to_string_lossy();
    let memory = program.memory_mb.to_string();
    let libraries = format!("/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:{task}:{task}/lib:/opt/lib");
    let stream = format!("sandbox/[{}]{}", program.version, program.code.digest());
    let set = [
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("LD_LIBRARY_PATH", &libraries),
    ];
    let reserved = [
        ("_HANDLER", program.handler.as_str()),
        ("AWS_REGION", &program.region),
        ("AWS_DEFAULT_REGION", &program.region),
        ("AWS_LAMBDA_FUNCTION_NAME", &program.name),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_FUNCTION_VERSION", &program.version),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &program.log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", &stream),
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("LAMBDA_TASK_ROOT", &task),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        // The sandbox takes an access key of twelve digits for its account; AWS takes it for nothing.
        ("AWS_ACCESS_KEY_ID", &program.account),
        ("AWS_SECRET_ACCESS_KEY", "sandbox"),
        ("AWS_SESSION_TOKEN", "sandbox"),
    ];
    let own = |(name, value): (&str, &str)| (OsString::from(name), OsString::from(value));
    let users = program.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // The last one wins: a user may extend the first ones, and not touch the reserved.
    set.into_iter().chain(users).chain(reserved).map(own).collect()
}

fn exit_answer(id: &str, status: Option<ExitStatus>) -> Answer {
    use std::os::unix::process::ExitStatusExt as _;
    let how = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(0), _)) | None => "without providing a reason".to_owned(),
        Some((Some(code), _)) => format!("with error: exit status {code}"),
        Some((None, signal)) => format!("with error: signal: {}", signal.map_or("unknown", signal_name)),
    };
    error_answer("Runtime.ExitError", id, &format!("Runtime exited {how}"))
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        9 => "killed",
        11 => "segmentation fault",
        15 => "terminated",
        _ => "unknown",
    }
}

fn timeout_answer(id: &str, limit: Duration) -> Answer {
    error_answer("Sandbox.Timedout", id, &format!("Task timed out after {:.2} seconds", limit.as_secs_f64()))
}

/// An error in the form in which Lambda reports what it saw from outside.
pub(super) fn error_answer(kind: &str, id: &str, text: &str) -> Answer {
    let body = json!({ "errorType": kind, "errorMessage": format!("RequestId: {id} Error: {text}") });
    Answer { payload: body.to_string().into(), failed: true }
}

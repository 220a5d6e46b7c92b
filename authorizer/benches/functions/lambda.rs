//! Lambda, as far as a function sees it: a process with an environment, and the Runtime API.
//!
//! Times are taken by the thread that talks to the function: from handing an event out to having read its outcome.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{self, Request};
use super::{Result, wrong};

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The trace of every event.
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";

/// What came of one event.
#[derive(Debug)]
pub(crate) struct Done {
    /// When the event was handed out.
    pub(crate) given: Instant,
    /// When the outcome had arrived.
    pub(crate) arrived: Instant,
    /// The answer, or the error.
    pub(crate) outcome: Result<Vec<u8>, Vec<u8>>,
}

/// A running function; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Function {
    process: Child,
    /// When it was about to be started.
    pub(crate) started: Instant,
    board: Arc<Board>,
    log: Option<JoinHandle<String>>,
}

/// What the threads of the Runtime API and the benchmark tell each other.
#[derive(Debug, Default)]
struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Arc<[u8]>>,
    given: Vec<Instant>,
    done: Vec<Done>,
    /// How many have to be done before the benchmark is woken.
    wanted: usize,
    broken: Option<String>,
    over: bool,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Function {
    /// Starts a function with events that are waiting for it already. `command` has a cleared environment but for what
    /// the function itself needs.
    pub(crate) fn start(command: &mut Command, stdout: Stdio, events: &[Arc<[u8]>]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let board = Arc::new(Board::default());
        board.state().events.extend(events.iter().cloned());
        let shared = Arc::clone(&board);
        thread::Builder::new().name("runtime api".to_owned()).spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if shared.state().over {
                    return;
                }
                let board = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &board));
            }
        })?;
        command
            .env("AWS_LAMBDA_RUNTIME_API", &address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdout(stdout)
            // Where Go logs every error once more; its reasons are in stdout.
            .stderr(Stdio::null());
        let started = Instant::now();
        let mut process = command.spawn().map_err(|error| wrong(&format!("failed to start {command:?}: {error}")))?;
        // Read while it runs: a pipe that is full would stop it.
        let log = process.stdout.take().map(|mut stdout| {
            thread::spawn(move || {
                let mut written = String::new();
                // What was read before it failed is there; a missing line is found by whoever looks for it.
                let _ = stdout.read_to_string(&mut written);
                written
            })
        });
        Ok(Self { process, started, board, log })
    }

    /// What came of the events that were waiting at the start.
    pub(crate) fn finish(&self, count: usize) -> Result<Vec<Done>> {
        let mut state = self.board.state();
        state.wanted = count;
        let done = |state: &mut State| state.done.len() < state.wanted && state.broken.is_none();
        let waited = self.board.changed.wait_timeout_while(state, PATIENCE, done);
        let (mut state, time_out) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.broken.take() {
            Some(why) => Err(wrong(&why)),
            None if time_out.timed_out() => Err(wrong("the function does not answer")),
            None => Ok(std::mem::take(&mut state.done)),
        }
    }

    /// Has the function handle these events, one after the other.
    pub(crate) fn invoke(&self, events: &[Arc<[u8]>]) -> Result<Vec<Done>> {
        self.board.state().events.extend(events.iter().cloned());
        self.board.changed.notify_all();
        self.finish(events.len())
    }

    /// The most memory that was resident at once, in MiB.
    pub(crate) fn peak_memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or_else(|| wrong("no VmHWM"))?;
        let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kib) / 1024.0)
    }

    /// The processor time of all its threads so far. `stat` counts it in steps of 10 ms, of which a start takes less.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Ends the function, and gives all that it wrote to a stdout that was piped.
    pub(crate) fn end(mut self) -> Result<Vec<Value>> {
        self.process.kill()?;
        let log = self.log.take().and_then(|log| log.join().ok());
        let written = log.ok_or_else(|| wrong("its stdout was not read"))?;
        // Errors that the runtime of a language adds in a form of its own are left out.
        Ok(written.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.board.state().over = true;
        self.board.changed.notify_all();
    }
}

/// One connection of the function, until it ends.
fn serve(stream: TcpStream, board: &Board) {
    if let Err(why) = talk(stream, board) {
        board.state().broken = Some(why.to_string());
        board.changed.notify_all();
    }
}

fn talk(stream: TcpStream, board: &Board) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(32 * 1024, stream);
    let mut request = Request::default();
    while request.read(&mut stream).is_some() {
        let body = std::mem::take(&mut request.body);
        let path = request.target();
        let call = path.strip_prefix("/2018-06-01/runtime/invocation/");
        let call = call.ok_or_else(|| wrong(&format!("{path}: {}", String::from_utf8_lossy(&body))))?;
        let answer = if call == "next" {
            let Some(answer) = next(board) else { return Ok(()) };
            answer
        } else {
            take(board, call, body)?;
            http::response(202, "content-type: application/json\r\n", br#"{"status":"OK"}"#)
        };
        stream.get_mut().write_all(&answer)?;
    }
    Ok(())
}

/// Waits for the next event; `None` when there will be none.
fn next(board: &Board) -> Option<Vec<u8>> {
    let waiting = |state: &mut State| state.events.is_empty() && !state.over;
    let mut state = board.changed.wait_while(board.state(), waiting).unwrap_or_else(PoisonError::into_inner);
    let event = state.events.pop_front()?;
    let number = state.given.len();
    let fields = format!(
        "content-type: application/json\r\nlambda-runtime-aws-request-id: request-{number}\r\n\
         lambda-runtime-deadline-ms: 9999999999999\r\nlambda-runtime-trace-id: {TRACE}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:authorizer\r\n"
    );
    let answer = http::response(200, &fields, &event);
    state.given.push(Instant::now());
    Some(answer)
}

/// Takes the outcome of an invocation.
fn take(board: &Board, call: &str, body: Vec<u8>) -> Result<()> {
    let arrived = Instant::now();
    let (request, kind) = call.split_once('/').ok_or_else(|| wrong(call))?;
    let number: usize = request.strip_prefix("request-").ok_or_else(|| wrong(call))?.parse()?;
    let mut state = board.state();
    let given = *state.given.get(number).ok_or_else(|| wrong(call))?;
    let outcome = if kind == "response" { Ok(body) } else { Err(body) };
    state.done.push(Done { given, arrived, outcome });
    if state.done.len() >= state.wanted {
        board.changed.notify_all();
    }
    Ok(())
}

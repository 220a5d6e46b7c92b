//! What a command costs the machine: processor time and memory of a process that does nothing else.
//!
//! The sandbox is in another process, behind a socket, answers at once and has no quotas. Each environment has an account
//! of its own, so that no rate that gwctl keeps by itself makes it wait: it works as fast as it can.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use gwctl::commands;
use gwctl::sandbox::{Sandbox, listener};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::estate::{Estate, Shape};
use super::run::{self, Phase};
use super::{Result, succeeded};

/// Clock ticks a second in `/proc`, on every Linux that is around.
const TICKS: f64 = 100.0;

/// The commands, one after the other, each in a process of its own; as JSON by the name of the phase.
pub(crate) fn measure(shape: &Shape) -> Result<Value> {
    let runtime = Runtime::new()?;
    let sandbox = Sandbox::in_memory();
    let socket = runtime.block_on(listener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", socket.local_addr()?);
    runtime.spawn(listener::serve(sandbox, socket, std::future::pending()));
    let estate = Estate::write(shape)?;
    let mut all = serde_json::Map::new();
    for (number, phase) in Phase::ALL.into_iter().enumerate() {
        if phase == Phase::OneRoute {
            estate.open_a_route()?;
        }
        let file = tempfile::NamedTempFile::new()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--command", &number.to_string(), "--endpoint", &url, "--root"]).arg(estate.root());
        command.arg("--single").arg(file.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("AWS_CONFIG_FILE", estate.profiles()).env("AWS_EC2_METADATA_DISABLED", "true");
        succeeded(&format!("{shape}, {}", phase.name()), &mut command)?;
        all.insert(phase.name().to_owned(), serde_json::from_str(&fs::read_to_string(file.path())?)?);
    }
    Ok(all.into())
}

/// In that process: one command, and what it took.
pub(crate) fn single(number: usize, endpoint: &str, root: &Path) -> Result<Value> {
    let phase = Phase::ALL[number];
    let cli = run::command(phase, root, &["--endpoint-url", endpoint])?;
    // As the binary does it.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    run::well(phase, runtime.block_on(commands::run(cli)))?;
    Ok(json!({"processor_seconds": processor(), "memory_mib": peak()}))
}

/// Seconds of processor time so far, where there is a `/proc`.
fn processor() -> Option<f64> {
    let used = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name in brackets, which may have anything in it: state is field 3, utime and stime are 14 and 15.
    let (_, fields) = used.rsplit_once(") ")?;
    let ticks: Option<Vec<u32>> = fields.split(' ').skip(11).take(2).map(|field| field.parse().ok()).collect();
    Some(ticks?.into_iter().map(f64::from).sum::<f64>() / TICKS)
}

/// Resident memory at its highest, in MiB.
fn peak() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u32 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(f64::from(kibibytes) / 1024.0)
}

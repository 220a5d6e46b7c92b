//! A function behind the Runtime API of the crate `lambda-simulator`.
//!
//! Starting the process is ours: `Simulator::spawn_process` hands our own environment on to the function, and keeps nothing of
//! what it writes.

use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lambda_simulator::{Invocation, Simulator};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::lambda::{Failure, Lambda, Log, NAME, Outcome, Program, TRACE};

/// Longer than anything that should happen, so that only a fault waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The simulator, and the function in it.
pub(crate) struct Simulated {
    /// One thread, in which the simulator moves only while a test waits for it: so no change of a state is missed between the
    /// look at it and the waiting for the next.
    runtime: Option<Runtime>,
    simulator: Simulator,
    child: Child,
    output: Option<[JoinHandle<String>; 2]>,
    request_ids: Vec<String>,
}

impl Lambda for Simulated {
    const TRACE: Option<&'static str> = Some(TRACE);

    fn start(program: Program, variables: &[(&str, &str)]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let simulator = runtime.block_on(Simulator::builder().function_name(NAME).build()).unwrap();
        assert!(simulator.addr().ip().is_loopback());
        let mut child = Command::new(program.path())
            .env_clear()
            .envs(simulator.lambda_env_vars())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = [collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap())];
        Self { runtime: Some(runtime), simulator, child, output: Some(output), request_ids: Vec::new() }
    }

    fn invoke(&mut self, event: &Value) -> Outcome {
        let mut invocation = Invocation::new(event.clone(), 15_000);
        TRACE.clone_into(&mut invocation.trace_id);
        let simulator = &self.simulator;
        let done = self.runtime.as_ref().unwrap().block_on(async {
            let id = simulator.enqueue(invocation).await;
            simulator.wait_for_invocation_complete(&id, PATIENCE).await.expect("the function answers")
        });
        self.request_ids.push(done.invocation.request_id);
        match (done.response, done.error) {
            (Some(response), None) => Ok(response.payload),
            (None, Some(error)) => Err(Failure { kind: error.error_type, message: error.error_message }),
            both => panic!("neither an answer nor an error: {both:?}"),
        }
    }

    fn end(mut self) -> Log {
        drop(self.runtime.take());
        let [stdout, stderr] = self.output.take().unwrap().map(|output| output.join().unwrap());
        assert_eq!(stderr, "", "whatever is said is said in the log");
        assert_eq!(self.child.wait().unwrap().code(), Some(1));
        Log::read(&stdout, &self.request_ids)
    }
}

#[cfg(target_os = "linux")]
impl Simulated {
    /// The ports at the other end of all sockets that the function has open.
    pub(crate) fn peers(&self) -> Vec<u16> {
        // A connection that opens or closes between two looks at the system is no socket of another kind.
        let looks = std::iter::repeat_with(|| self.peers_now()).take(100);
        looks.flatten().next().expect("no socket but those of TCP over IPv4")
    }

    fn peers_now(&self) -> Option<Vec<u16>> {
        let process = format!("/proc/{}", self.child.id());
        let links = std::fs::read_dir(format!("{process}/fd")).unwrap().map(|entry| entry.unwrap().path());
        let links = links.filter_map(|path| std::fs::read_link(path).ok()?.to_str().map(ToOwned::to_owned));
        let sockets = links.filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()));
        let table = std::fs::read_to_string(format!("{process}/net/tcp")).unwrap();
        // The runtime of a build with signals talks to itself through a pair of Unix sockets, which lead nowhere else.
        let unix = std::fs::read_to_string(format!("{process}/net/unix")).unwrap();
        let inside = |inode: &str| unix.lines().any(|line| line.split_whitespace().nth(6) == Some(inode));
        sockets
            .filter(|inode| !inside(inode))
            .map(|inode| {
                let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
                let row = rows.find(|row| row[9] == inode)?;
                Some(u16::from_str_radix(row[2].split_once(':').unwrap().1, 16).unwrap())
            })
            .collect()
    }

    /// The port of the Runtime API.
    pub(crate) fn runtime_api(&self) -> u16 {
        self.simulator.addr().port()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // One that has ended is as gone as one that is killed here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads it to its end.
fn collect(mut output: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        text
    })
}

//! Runs the binary as a user does, and reads what it says.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::process::{Command, Output};

use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::{Sandbox, listener};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::project::Project;

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// What a process that was not killed left.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word) || self.stdout.contains(word), "`{word}` in {self:#?}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Product, environment and status of each outcome.
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let json = self.json();
        let all = json["outcomes"].as_array().unwrap().iter();
        all.map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (format!("{}/{}", text("product"), text("environment")), text("status"))
        })
        .collect()
    }
}

/// The binary in a project with a line of arguments, and with the variables that every user has and no others.
pub(crate) fn gwctl(project: &Project, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.current_dir(project.root()).env_clear().env("HOME", project.root()).env("USER", "anna");
    command.args(line.split_whitespace());
    command
}

/// Runs a line of arguments, with these variables besides.
pub(crate) fn run_with(project: &Project, line: &str, variables: &[(&str, &str)]) -> Run {
    Run::of(gwctl(project, line).envs(variables.iter().copied()).output().unwrap())
}

/// Runs a line of arguments.
pub(crate) fn run(project: &Project, line: &str) -> Run {
    run_with(project, line, &[])
}

/// A sandbox on a socket, for runs that get their credentials as they do on AWS.
pub(crate) struct Served {
    pub(crate) sandbox: Sandbox,
    pub(crate) url: String,
    _runtime: Runtime,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::under(Conditions::none())
    }

    pub(crate) fn under(conditions: Conditions) -> Self {
        let sandbox = Sandbox::in_memory().under(conditions);
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(listener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(listener::serve(sandbox.clone(), listener, std::future::pending()));
        Self { sandbox, url, _runtime: runtime }
    }

    /// Calls and writes that it got.
    pub(crate) fn calls(&self) -> (u64, u64) {
        let total = self.sandbox.counters().total;
        (total.calls, total.writes)
    }

    pub(crate) fn asked(&self, service: &str, operation: &str) -> u64 {
        let counters = self.sandbox.counters();
        counters.services.get(service).and_then(|all| all.get(operation)).map_or(0, |tally| tally.calls)
    }
}

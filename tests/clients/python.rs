//! Somebody with AWS's client for Python.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub(crate) use super::environment::Python;
use super::{Server, credentials, foreign_settings};

impl Python {
    /// Python with a script of `tests/`, which may import what lies in `tests/clients/`.
    pub(crate) fn script(&self, path: &str, server: &Server, region: &str) -> Command {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut command = self.program("python");
        for name in foreign_settings() {
            command.env_remove(name);
        }
        command.arg(tests.join(path)).envs(credentials()).env("PYTHONPATH", tests.join("clients"));
        command
            .env("PYTHONPYCACHEPREFIX", self.folder.join("pycache"))
            .env("AWS_ENDPOINT_URL", &server.url)
            .env("AWS_DEFAULT_REGION", region);
        command
    }

    /// Somebody with boto3 at the server.
    pub(crate) fn hand(&self, server: &Server, region: &str) -> Hand {
        Hand::new(&mut self.script("clients/hand.py", server, region))
    }
}

/// Somebody who works on AWS with boto3, told what to do one thing at a time (`tests/clients/hand.py`).
pub(crate) struct Hand {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Hand {
    fn new(command: &mut Command) -> Self {
        // What goes wrong is printed to stderr, next to the panic that follows from it.
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, orders, answers }
    }

    /// Has a function of `hand.py` called, and gives what it returns.
    #[track_caller]
    pub(crate) fn does(&mut self, function: &str, arguments: &[&str]) -> Value {
        writeln!(self.orders, "{}", json!([function, arguments])).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "`{function}` failed; its reason stands above");
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        // One that died before is as gone as one that is killed here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

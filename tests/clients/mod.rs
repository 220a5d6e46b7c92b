//! What the tests with other people's AWS software have in common: a copy of the configuration, the binary, a server
//! that says where it listens, and Python with boto3.

#[path = "../support/python.rs"]
mod environment;
pub(crate) mod python;

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use gwctl::model::diff::diff;
use serde_json::Value;
use tempfile::TempDir;

/// A server that has not said where it listens by then never will. Only a bound: nothing waits for it to pass.
const STARTS: Duration = Duration::from_mins(2);

/// The account of both back ends for callers that name none.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A copy of product-a's dev environment that a test may change, and the way to its AWS.
pub(crate) struct Project {
    root: TempDir,
    reach: Vec<String>,
}

impl Project {
    /// The copy, which goes to a Region and names a ready-made zip, so that nothing is compiled.
    pub(crate) fn copy(region: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&repository.join("stacks"), &root.path().join("stacks"));
        let environments = root.path().join("environments");
        fs::create_dir_all(environments.join("product-a")).unwrap();
        let target = format!("[dev]\naccount = \"{ACCOUNT}\"\nregion = \"{region}\"\n");
        fs::write(environments.join("targets.toml"), target).unwrap();
        fs::write(root.path().join("authorizer.zip"), authorizer_zip()).unwrap();
        let project = Self { root, reach: Vec::new() };
        fs::copy(repository.join("environments/product-a/dev.json"), project.environment_file()).unwrap();
        // The gate alone: the system gateway is more of the same kinds.
        project.edit(|environment| {
            environment["authorizer"]["zip"] = "authorizer.zip".into();
            environment.as_object_mut().unwrap().retain(|key, _| !["system", "gateway_system"].contains(&key.as_str()));
        });
        project
    }

    /// Adds an option to every later call: where AWS is.
    pub(crate) fn reach(mut self, option: String) -> Self {
        self.reach.push(option);
        self
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    fn environment_file(&self) -> PathBuf {
        self.root.path().join("environments/product-a/dev.json")
    }

    /// Changes the environment's file.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut environment = serde_json::from_str(&fs::read_to_string(self.environment_file()).unwrap()).unwrap();
        change(&mut environment);
        fs::write(self.environment_file(), environment.to_string()).unwrap();
    }

    /// Runs the binary on the environment.
    pub(crate) fn gwctl(&self, arguments: &[&str]) -> Run {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gwctl"));
        for name in foreign_settings() {
            command.env_remove(name);
        }
        command.args(arguments).args(["--product", "product-a", "--env", "dev"]).args(&self.reach);
        let output = command.arg("--root").arg(self.root()).envs(credentials()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The plan, which has to exit with `code`.
    pub(crate) fn plan(&self, code: i32) -> Vec<Change> {
        let run = self.gwctl(&["plan", "--detailed-exitcode", "--output", "json"]).exits(code);
        changes(&serde_json::from_str(&run.stdout).unwrap())
    }
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Run {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Fails unless it ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { code: found, stdout, stderr } = &self;
        assert_eq!(*found, Some(code), "stdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }
}

/// A resource that a plan changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) address: String,
    pub(crate) reason: String,
    /// The fields that differ, as the members that lead to each.
    pub(crate) fields: Vec<Vec<String>>,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// What a plan, as JSON, changes.
fn changes(plan: &Value) -> Vec<Change> {
    let all = plan["resource_changes"].as_array().unwrap();
    all.iter()
        .filter(|one| one["change"]["actions"] != serde_json::json!(["no-op"]))
        .map(|one| {
            let (before, after) = (one["change"]["before"].clone(), one["change"]["after"].clone());
            Change {
                address: one["address"].as_str().unwrap().to_owned(),
                reason: one["gwctl"]["reason"].as_str().unwrap().to_owned(),
                fields: diff(&before, &after).into_iter().map(|change| change.path).collect(),
                before,
                after,
            }
        })
        .collect()
}

/// A server in a process of its own, which ends with the test.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
}

impl Server {
    /// Starts it, and waits until it has said where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        for name in foreign_settings() {
            command.env_remove(name);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let (send, receive) = channel();
        follow(child.stdout.take().unwrap(), send.clone());
        follow(child.stderr.take().unwrap(), send);
        match address(&receive) {
            Ok(url) => Self { child, url },
            Err(said) => {
                // It may be dead already; what it said is what matters.
                let _ = child.kill();
                panic!("{command:?} did not say where it listens; it said:\n{said}");
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that died before is as gone as one that is killed here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on every line until the stream ends: a server whose pipe nobody empties stops.
fn follow(stream: impl Read + Send + 'static, send: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // Nobody listens once the address is known.
            let _ = send.send(line);
        }
    });
}

/// The first address in what a server says, or what it said instead.
fn address(lines: &Receiver<String>) -> Result<String, String> {
    let mut said = String::new();
    while let Ok(line) = lines.recv_timeout(STARTS) {
        if let Some((_, rest)) = line.split_once("http://127.0.0.1:") {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            return Ok(format!("http://127.0.0.1:{port}"));
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

/// The environment variables that tell AWS clients who they are and where to go: this machine's own must not be heard.
fn foreign_settings() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("AWS_"))
        .collect()
}

/// What they are told instead.
pub(crate) fn credentials() -> [(&'static str, &'static str); 6] {
    [
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "none"),
        ("AWS_SHARED_CREDENTIALS_FILE", "none"),
        ("NO_PROXY", "127.0.0.1"),
    ]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(path, copied).unwrap();
        }
    }
}

fn authorizer_zip() -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("bootstrap", options).unwrap();
    writer.write_all(b"#!/bin/sh\n").unwrap();
    writer.finish().unwrap().into_inner()
}

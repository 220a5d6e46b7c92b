//! `gwctl` as a server in a process of its own, and what it serves with: the real authorizer, backends, an auth service.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ACCESS_LOG;
use crate::auth_service::AuthService;
use crate::client::Answer;
use crate::project::{DEFAULTS, DEV, Project};
use crate::upstream::Upstream;

/// What has not come by then never will. Only a bound: nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often is looked for what has to come.
const ROUND: Duration = Duration::from_millis(20);

/// A server that ends with the test, at the latest with the whole run.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Closed, it ends the server.
    stop: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// Starts `gwctl` with these arguments in a project, and waits until it has said where it listens.
    pub(crate) fn start(project: &Project, arguments: &[&str]) -> Self {
        // A server that all tests share belongs to none whose end could stop it. The pipe to the shell is closed by the
        // end of the process, however it comes, and that ends the server.
        let mut command = Command::new("sh");
        command.args(["-c", "\"$@\" & server=$!; cat >/dev/null; kill $server; wait $server", "sh"]);
        command.arg(env!("CARGO_BIN_EXE_gwctl")).args(arguments).current_dir(project.root());
        command.env_clear().env("HOME", project.root()).env("PATH", std::env::var_os("PATH").unwrap());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take().unwrap(), &said);
        follow(child.stderr.take().unwrap(), &said);
        let stop = child.stdin.take();
        let heard = Arc::clone(&said);
        let address = until("the server's address", move || {
            let said = heard.lock().unwrap();
            assert!(!said.starts_with("error"), "{said}");
            let (_, rest) = said.split_once("http://127.0.0.1:")?;
            let port = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            format!("127.0.0.1:{port}").parse().ok()
        });
        Self { address, child, stop, said }
    }

    /// What it wrote to stdout and stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Server {
    /// Asks it to end, as a service manager does, and waits until it has; gives its exit code.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        drop(self.stop.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends();
    }
}

fn follow(stream: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    });
}

/// Looks until it is there.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "it never came: {what}");
        thread::sleep(ROUND);
    }
}

/// `gwctl serve` on product-a's `dev`, with the real authorizer, an auth service and two backends.
pub(crate) struct Served {
    pub(crate) project: Project,
    pub(crate) server: Server,
    pub(crate) auth: AuthService,
    pub(crate) orders: Upstream,
    pub(crate) users: Upstream,
}

impl Served {
    /// With the configuration changed, and more options. What begins with `@` in an option is a file of the project. The auth
    /// service's CA is in the project's `ca.pem`; a configuration that does not name it is given it as a variable.
    pub(crate) fn new(change: impl FnOnce(&Project), options: &[&str]) -> Self {
        let project = Project::new();
        put_authorizer(&project);
        let (auth, orders, users) = (AuthService::start(), Upstream::start("orders"), Upstream::start("users"));
        fs::write(project.root().join("ca.pem"), &auth.ca_pem).unwrap();
        change(&project);
        let host = format!("AUTH_HOST={}", auth.host());
        let rules = [
            // The first that fits counts.
            format!("order-service-dev.k8s-internal.example.com={}", orders.address),
            format!("payment-service-dev.k8s-internal.example.com={}", closed_port()),
            format!("*.k8s-internal.example.com=http://{}", users.address),
            format!("internal-api.example.com={}", users.address),
        ];
        let mut arguments = vec!["serve", "--product", "product-a", "--env", "dev", "--listen", "127.0.0.1:0"];
        arguments.extend(rules.iter().flat_map(|rule| ["--upstream", rule]));
        if project.read(DEV)["authorizer"].get("auth_ca").is_none() {
            arguments.extend(["--function-env", "AUTH_CA_PEM=@ca.pem"]);
        }
        if !options.iter().any(|option| option.starts_with("AUTH_HOST=")) {
            arguments.extend(["--function-env", &host]);
        }
        arguments.extend(options);
        let server = Server::start(&project, &arguments);
        Self { project, server, auth, orders, users }
    }

    /// The line about an answer in the access log, where one is written to [`ACCESS_LOG`].
    pub(crate) fn logged(&self, answer: &Answer) -> Value {
        let id = answer.header("x-amzn-requestid").unwrap();
        let path = self.project.root().join(ACCESS_LOG);
        until("the line in the access log", || {
            let log = fs::read_to_string(&path).ok()?;
            let line = log.lines().find(|line| line.contains(id))?;
            // The line may not be there as a whole yet.
            serde_json::from_str(line).ok()
        })
    }
}

/// The address of a port of this machine on which nobody listens.
pub(crate) fn closed_port() -> SocketAddr {
    // Bound and closed again: the system does not give it to the next who asks for any.
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Puts the real authorizer in the place of the project's ready-made zip: a script that becomes it. A debug build is so
/// large that reading it takes each server seconds.
fn put_authorizer(project: &Project) {
    static BOOTSTRAP: OnceLock<PathBuf> = OnceLock::new();
    let path = BOOTSTRAP.get_or_init(bootstrap).display();
    project.zip("authorizer.zip", &format!("#!/bin/sh\nexec '{path}'\n"));
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    project.edit(DEFAULTS, |defaults| defaults["authorizer"]["architecture"] = json!(architecture));
}

/// The authorizer's binary, which `cargo test --workspace` builds beside gwctl's; built here where it is not there.
fn bootstrap() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_gwctl")).parent().unwrap();
    let path = folder.join("gate-authorizer");
    if !path.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "authorizer", "--bin", "gate-authorizer", "--target-dir"]);
        cargo.arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the authorizer was not built");
    }
    path
}

/// Changes product-a's `dev`, whose routes most tests call.
pub(crate) fn edit_dev(project: &Project, name: &str, value: impl Into<serde_json::Value>) {
    project.edit(DEV, |environment| environment[name] = value.into());
}

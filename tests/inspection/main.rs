//! `gwctl show`, `routes`, `logs` and `graph` from end to end: the binary against a sandbox that others change too, and whose stages
//! serve requests.

#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "../serve/client.rs"]
mod client;
#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "../support/edge.rs"]
mod edge;
mod edges;
mod graphs;
mod logs;
#[path = "../support/project.rs"]
mod project;
mod routes;
mod show;
#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "../serve/upstream.rs"]
mod upstream;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use client::Ask;
use project::Project;
use serde_json::{Value, json};

/// The environment that the tests look at.
const DEV: &str = "--product product-a --env dev";

/// Its account, which is the access key too: that is how a sandbox tells accounts apart.
const ACCOUNT: &str = "123456789012";

const REGION: &str = "ap-southeast-1";

/// What one run came to.
#[derive(Debug)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stdout.contains(word), "`{word}` in {self:#?}");
        }
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The values that its lines are.
    #[track_caller]
    fn lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

fn gwctl(project: &Project, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.current_dir(project.root()).env_clear().env("HOME", project.root()).args(line.split_whitespace());
    command
}

fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("it was not killed");
    Run { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a line of arguments on a sandbox in the project.
fn run(project: &Project, line: &str) -> Run {
    finish(&mut gwctl(project, line))
}

/// `gwctl sandbox --listen`: a control plane that others reach too, and a data plane.
struct Served {
    project: Project,
    address: SocketAddr,
    child: Child,
}

impl Served {
    /// With the environment applied; what its backends are sent goes to `upstream`.
    fn applied(upstream: Option<SocketAddr>) -> Self {
        let project = Project::new();
        let rule =
            upstream.map(|address| format!(" --upstream *.k8s-internal.example.com={address}")).unwrap_or_default();
        let mut command = gwctl(&project, &format!("sandbox --sandbox --listen 127.0.0.1:0{rule}"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let address = address.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no address in {line}"));
        // It says one more line, and would die of a pipe that nobody reads.
        said.read_line(&mut line).unwrap();
        let served = Self { project, address, child };
        served.run(&format!("apply {DEV} --yes")).exits(0);
        served
    }

    fn command(&self, line: &str) -> Command {
        let mut command = gwctl(&self.project, &format!("{line} --endpoint-url http://{}", self.address));
        command.env("AWS_ACCESS_KEY_ID", ACCOUNT).env("AWS_SECRET_ACCESS_KEY", "sandbox");
        command
    }

    fn run(&self, line: &str) -> Run {
        finish(&mut self.command(line))
    }

    /// A call of the control plane by somebody else, signed in form.
    #[track_caller]
    fn call(&self, ask: Ask) -> Value {
        let scope = format!("{ACCOUNT}/20260101/{REGION}/apigateway/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let answer = ask.header("authorization", &signed).header("x-amz-date", "20260101T000000Z").to(self.address);
        assert!(answer.status < 300, "{} {}", answer.status, answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    #[track_caller]
    fn patch(&self, path: &str, place: &str, value: &str) {
        let operations = json!({ "patchOperations": [{ "op": "replace", "path": place, "value": value }] });
        let mut ask = Ask::post(path, "application/json", operations.to_string());
        ask.set_method("PATCH");
        self.call(ask);
    }

    /// The id of the environment's API.
    #[track_caller]
    fn api(&self) -> String {
        let all = self.call(Ask::get("/restapis"));
        all["item"][0]["id"].as_str().unwrap_or_else(|| panic!("no API in {all}")).to_owned()
    }

    /// Sends the requests of a path elsewhere, in the API as it is edited.
    fn send_to(&self, path: &str, uri: &str) {
        let api = self.api();
        let resources = self.call(Ask::get(&format!("/restapis/{api}/resources?limit=500")));
        let found = resources["item"].as_array().unwrap().iter().find(|resource| resource["path"] == path);
        let id = found.unwrap_or_else(|| panic!("no {path} in {resources}"))["id"].as_str().unwrap();
        self.patch(&format!("/restapis/{api}/resources/{id}/methods/ANY/integration"), "/uri", uri);
    }

    /// A request to the stage.
    fn get(&self, path: &str) -> u16 {
        Ask::get(&format!("/_sandbox/execute-api/{}/dev{path}", self.api())).to(self.address).status
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! gwctl beside other deployers that call AWS themselves: calls and time for a first deployment, and for one more after
//! which nothing may have changed.
//!
//! One emulator, the sandbox on a socket, each answer 50 ms away: it is the one that all of them work on. A fresh one for each
//! deployer and round; they take turns, and a round's ratios are of that round. What they deploy is as near to the same
//! as each can: a REST API of N routes, five of six behind a Lambda authorizer.
//!
//! - gwctl passes requests on to hosts, and makes more than the others: two functions with aliases, their log groups, logs and
//!   settings of the stage, a record of the apply;
//! - Chalice routes everything to one function, and has the authorizer in another; one OpenAPI document;
//! - Claudia does, too, and makes the API resource by resource. Its SDK knows no variable for the endpoint, and the
//!   sandbox no `Publish`: a few lines in front of it set the one and leave the other out. The authorizer's function
//!   is deployed first, which is in its figures.
//!
//! Deployers on `CloudFormation` (SAM, CDK, Serverless) leave the calls to a service that no emulator here has whole.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use gwctl::sandbox::conditions::{Conditions, Latency};
use gwctl::sandbox::connector::Connector;
use gwctl::sandbox::{Sandbox, listener};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::estate::{ACCOUNT, Estate, REGIONS, Shape, Spread};
use super::python::Python;
use super::{Result, tree, wrong};

/// How far away AWS is.
const LATENCY: Duration = Duration::from_millis(50);

/// What is installed from `PyPI`.
const CHALICE: &str = "chalice==1.34.0";

/// What is installed from npm.
const CLAUDIA: [&str; 2] = ["claudia@5.14.1", "claudia-api-builder@4.1.2"];

/// What Claudia's SDK has to be told.
const PRELOAD: &str = r"
const Module = require('module'), load = Module._load;
let told = false;
Module._load = function (name, ...rest) {
  const it = load.call(this, name, ...rest);
  if (name === 'aws-sdk' && !told) {
    told = true;
    it.config.update({ endpoint: process.env.AWS_ENDPOINT_URL });
    it.events.on('validate', request => { delete request.params.Publish; });
  }
  return it;
};
";

/// Who deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    Gwctl,
    Chalice,
    Claudia,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Gwctl => "gwctl",
            Self::Chalice => "chalice",
            Self::Claudia => "claudia",
        }
    }
}

/// What one deployment was.
#[derive(Debug, Clone, Copy)]
struct Deployed {
    calls: u64,
    writes: u64,
    seconds: f64,
}

/// Where the deployers are.
struct Tools {
    chalice: Python,
    claudia: Option<PathBuf>,
}

/// All rounds.
pub(crate) fn compare(routes: usize, rounds: usize) -> Result<Value> {
    let tools = Tools { chalice: Python::with("chalice", &[CHALICE]), claudia: claudia()? };
    let mut peers = vec![Peer::Gwctl, Peer::Chalice];
    peers.extend(tools.claudia.is_some().then_some(Peer::Claudia));
    let mut all: Vec<(Peer, [Deployed; 2])> = Vec::new();
    for round in 0..rounds {
        for &peer in &peers {
            let both = deploy_twice(peer, &tools, routes)?;
            eprintln!("round {}: {} {both:?}", round + 1, peer.name());
            all.push((peer, both));
        }
        peers.reverse();
    }
    peers.sort();
    let (mut text, mut rows) = (String::new(), Vec::new());
    for peer in peers {
        for (index, what) in ["first", "nothing changed"].into_iter().enumerate() {
            let of = |who| {
                let mine = all.iter().filter(move |(one, _)| *one == who).map(move |(_, both)| both[index]);
                mine.collect::<Vec<_>>()
            };
            let (mine, ours) = (of(peer), of(Peer::Gwctl));
            let ratios = mine.iter().zip(&ours).map(|(mine, ours)| mine.seconds / ours.seconds);
            let [least, median, most] = spread(ratios);
            let [_, seconds, _] = spread(mine.iter().map(|one| one.seconds));
            let Some(Deployed { calls, writes, .. }) = mine.first() else { continue };
            let _ = writeln!(
                text,
                "{:<8} {what:<16} {calls:>5} calls {writes:>5} writes {seconds:>7.2} s, {median:.1} times gwctl's ({least:.1} to {most:.1})",
                peer.name()
            );
            rows.push(json!({
                "deployer": peer.name(),
                "what": what,
                "calls": mine.iter().map(|one| one.calls).collect::<Vec<_>>(),
                "writes": mine.iter().map(|one| one.writes).collect::<Vec<_>>(),
                "seconds": mine.iter().map(|one| one.seconds).collect::<Vec<_>>(),
                "times_gwctl": {"median": median, "least": least, "most": most},
            }));
        }
    }
    eprintln!("\n{routes} routes, {} ms a call\n{text}", LATENCY.as_millis());
    Ok(json!({"routes": routes, "rounds": rounds, "rows": rows}))
}

/// Least, median and most.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    [at(0), at(values.len() / 2), at(values.len().saturating_sub(1))]
}

fn deploy_twice(peer: Peer, tools: &Tools, routes: usize) -> Result<[Deployed; 2]> {
    let runtime = Runtime::new()?;
    let sandbox = Sandbox::in_memory().under(Conditions::none().latency(Latency::fixed(LATENCY)));
    let socket = runtime.block_on(listener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", socket.local_addr()?);
    runtime.spawn(listener::serve(sandbox.clone(), socket, std::future::pending()));
    let work = Work::prepare(peer, tools, routes, &url)?;
    let first = work.deploy(&sandbox, false)?;
    let made = runtime.block_on(methods(&sandbox))?;
    if made < routes {
        return Err(wrong(&format!("{} made {made} methods for {routes} routes", peer.name())));
    }
    Ok([first, work.deploy(&sandbox, true)?])
}

/// How many methods the API has: nothing is measured that did not do what it should.
async fn methods(sandbox: &Sandbox) -> Result<usize> {
    let config = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(REGIONS[0]))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
            ACCOUNT.to_string(),
            "sandbox",
            None,
            None,
            "bench",
        )))
        // What is asked here is not counted, and nobody waits for it.
        .http_client(Connector::new(sandbox.clone().under(Conditions::none())).client())
        .build();
    let client = aws_sdk_apigateway::Client::new(&config);
    let apis = client.get_rest_apis().send().await?;
    let api = apis.items().first().and_then(|api| api.id()).ok_or_else(|| wrong("there is no API"))?;
    let resources = client.get_resources().rest_api_id(api).limit(500).embed("methods").send().await?;
    Ok(resources.items().iter().map(|one| one.resource_methods().map_or(0, std::collections::HashMap::len)).sum())
}

/// What one deployer is given to deploy, and how it is told to.
struct Work {
    peer: Peer,
    url: String,
    program: PathBuf,
    folder: PathBuf,
    /// gwctl's own configuration, or the folder of another deployer.
    _estate: Option<Estate>,
    _folder: Option<tempfile::TempDir>,
}

impl Work {
    fn prepare(peer: Peer, tools: &Tools, routes: usize, url: &str) -> Result<Self> {
        let url = url.to_owned();
        if peer == Peer::Gwctl {
            let estate = Estate::write(&Shape { environments: 1, routes, spread: Spread::ONE, gateways: 1 })?;
            let (program, folder) = (env!("CARGO_BIN_EXE_gwctl").into(), estate.root().to_owned());
            return Ok(Self { peer, url, program, folder, _estate: Some(estate), _folder: None });
        }
        let own = tempfile::tempdir()?;
        let folder = own.path().to_owned();
        let program = if peer == Peer::Chalice {
            write_chalice(&folder, routes)?;
            tools.chalice.program("chalice").get_program().into()
        } else {
            let installed = tools.claudia.as_ref().ok_or_else(|| wrong("claudia is not here"))?;
            write_claudia(&folder, installed, routes)?;
            installed.join("node_modules/.bin/claudia")
        };
        Ok(Self { peer, url, program, folder, _estate: None, _folder: Some(own) })
    }

    /// What users type: for the first time, and again.
    fn lines(&self, again: bool) -> Vec<(&'static str, Vec<&'static str>)> {
        match (self.peer, again) {
            (Peer::Gwctl, _) => vec![("", vec!["apply", "--all", "--yes", "--no-progress"])],
            (Peer::Chalice, _) => vec![("", vec!["deploy", "--stage", "dev"])],
            (Peer::Claudia, false) => vec![
                ("gate", vec!["create", "--handler", "index.handler", "--name", "bench-gate", "--region", REGIONS[0]]),
                ("api", vec!["create", "--api-module", "index", "--name", "bench", "--region", REGIONS[0]]),
            ],
            (Peer::Claudia, true) => vec![("gate", vec!["update"]), ("api", vec!["update"])],
        }
    }

    fn deploy(&self, sandbox: &Sandbox, again: bool) -> Result<Deployed> {
        sandbox.conditions().reset_counters();
        let begun = Instant::now();
        for (below, line) in self.lines(again) {
            let mut command = Command::new(&self.program);
            command.current_dir(self.folder.join(below)).args(&line).env_clear();
            if self.peer == Peer::Gwctl {
                command.args(["--endpoint-url", &self.url]);
            }
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.folder);
            command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", REGIONS[0]);
            command.env("AWS_DEFAULT_REGION", REGIONS[0]).env("AWS_ACCESS_KEY_ID", ACCOUNT.to_string());
            command.env("AWS_SECRET_ACCESS_KEY", "sandbox");
            command.env("NODE_OPTIONS", format!("--require {}", self.folder.join("preload.js").display()));
            let output = command.stdin(Stdio::null()).output()?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(wrong(&format!("{} {line:?} ended with {}: {said}", self.peer.name(), output.status)));
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let total = sandbox.counters().total;
        Ok(Deployed { calls: total.calls, writes: total.writes, seconds })
    }
}

/// Paths, and whether each is behind the authorizer: five of six are.
fn paths(routes: usize) -> impl Iterator<Item = (String, bool)> {
    tree::paths().take(routes).enumerate().map(|(number, path)| (path, number % 6 != 4))
}

fn write_chalice(folder: &Path, routes: usize) -> Result<()> {
    let mut app = String::from(
        "from chalice import Chalice, AuthResponse\n\napp = Chalice(app_name='bench')\n\n\n@app.authorizer()\n\
         def gate(request):\n    return AuthResponse(routes=['*'], principal_id='user')\n",
    );
    for (number, (path, closed)) in paths(routes).enumerate() {
        // It knows no greedy parameters.
        let path = path.replace("+}", "}");
        let parameter = path.split(['{', '}']).nth(1).unwrap_or_default();
        let authorizer = if closed { ", authorizer=gate" } else { "" };
        write!(app, "\n\n@app.route('{path}'{authorizer})\ndef route_{number}({parameter}):\n    return {{}}\n")?;
    }
    fs::create_dir(folder.join(".chalice"))?;
    fs::write(folder.join("app.py"), app)?;
    fs::write(folder.join("requirements.txt"), "")?;
    let config = json!({"version": "2.0", "app_name": "bench", "stages": {"dev": {"api_gateway_stage": "dev"}}});
    Ok(fs::write(folder.join(".chalice/config.json"), config.to_string())?)
}

/// Installs Claudia below `target/`, unless there is no npm.
fn claudia() -> Result<Option<PathBuf>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fleet-bench").join("claudia");
    if folder.join("node_modules/.bin/claudia").exists() {
        return Ok(Some(folder));
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{\"name\": \"bench-tools\", \"version\": \"1.0.0\"}")?;
    let mut npm = Command::new("npm");
    npm.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).args(CLAUDIA);
    match npm.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(Some(folder)),
        Ok(status) => Err(wrong(&format!("npm ended with {status}"))),
        Err(_) => {
            eprintln!("npm is not here: going on without Claudia");
            Ok(None)
        }
    }
}

fn write_claudia(folder: &Path, installed: &Path, routes: usize) -> Result<()> {
    let package = |name: &str, dependencies: Value| {
        let package = json!({
            "name": name,
            "version": "1.0.0",
            "main": "index.js",
            "files": ["*.js"],
            "dependencies": dependencies,
        });
        package.to_string()
    };
    let (gate, api) = (folder.join("gate"), folder.join("api"));
    fs::create_dir(&gate)?;
    fs::create_dir(&api)?;
    fs::write(folder.join("preload.js"), PRELOAD)?;
    fs::write(gate.join("index.js"), "exports.handler = async () => ({});\n")?;
    fs::write(gate.join("package.json"), package("bench-gate", json!({})))?;
    let builder = installed.join("node_modules/claudia-api-builder");
    let dependencies = json!({"claudia-api-builder": format!("file:{}", builder.display())});
    fs::write(api.join("package.json"), package("bench", dependencies))?;
    fs::create_dir(api.join("node_modules"))?;
    std::os::unix::fs::symlink(&builder, api.join("node_modules/claudia-api-builder"))?;
    let mut app = String::from(
        "const Api = require('claudia-api-builder'), api = new Api();\nmodule.exports = api;\napi.corsOrigin(false);\n\
         api.registerAuthorizer('gate', { lambdaName: 'bench-gate', headerName: 'Authorization' });\n",
    );
    for (path, closed) in paths(routes) {
        let authorizer = if closed { ", { customAuthorizer: 'gate' }" } else { "" };
        writeln!(app, "api.get('{path}', () => ({{}}){authorizer});")?;
    }
    Ok(fs::write(api.join("index.js"), app)?)
}

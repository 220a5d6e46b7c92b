//! Secrets reach no output: distinct words stand wherever a secret can, and every verb is run in every format, as chatty as it
//! can be, and read for them: streams, saved plans, reports.

#[path = "support/project.rs"]
mod project;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use project::{DEV, Project};
use serde_json::{Value, json};

/// What is not to be seen, by where it stands.
const CANARIES: [(&str, &str); 15] = [
    ("a variable of a function, by its name", "canary-zq01"),
    ("a URL with a password", "canary-zq02"),
    ("a private key", "canary-zq03"),
    ("a connection string", "canary-zq04"),
    ("credentials of a header in a variable", "canary-zq05"),
    ("a stage variable, by its name", "canary-zq06"),
    ("a signed URL in a stage variable", "canary-zq07"),
    ("a fixed header of an integration", "canary-zq08"),
    ("fixed credentials of an integration", "canary-zq09"),
    ("a fixed parameter of an integration", "canary-zq10"),
    ("the session's key", "canary-zq11"),
    ("the session's token", "canary-zq12"),
    ("the path of a webhook", "canary-zq13"),
    ("an attribute of a state", "canary-zq14"),
    ("the key of a profile", "canary-zq15"),
];

fn canary(place: &str) -> &'static str {
    CANARIES.iter().find(|(of, _)| *of == place).unwrap_or_else(|| panic!("no {place}")).1
}

/// Verbs whose purpose is to show it, and what they may show: what is imported, and what a backend is sent, as both are.
const SHOWN_ON_PURPOSE: [(&str, &[&str]); 2] = [
    ("render document", &["canary-zq08", "canary-zq09", "canary-zq10"]),
    ("explain", &["canary-zq08", "canary-zq09", "canary-zq10"]),
];

/// The configuration with all of them.
fn project() -> Project {
    let project = Project::whole();
    project.edit(DEV, |env| {
        env["authorizer"]["environment"] = json!({
            "API_KEY": canary("a variable of a function, by its name"),
            "UPSTREAM": format!("https://user:{}@db.example.com/x", canary("a URL with a password")),
            "PEM": format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END", canary("a private key")),
            "DSN": format!("Server=db;User=u;Password={};", canary("a connection string")),
            "HEADER": format!("Authorization: Bearer {}", canary("credentials of a header in a variable")),
        });
        env["stage_variables"] = json!({
            "db_password": canary("a stage variable, by its name"),
            "upstream": format!("https://up.example.com/x?sig={}", canary("a signed URL in a stage variable")),
        });
    });
    project.edit("stacks/gate/routes/white_path.json", |template| {
        integrations(template, &|integration| {
            let header = "integration.request.header";
            let fixed = |word: &str| format!("'{word}'");
            let parameters = &mut integration["requestParameters"];
            parameters[format!("{header}.X-Api-Key")] = fixed(canary("a fixed header of an integration")).into();
            let basic = format!("Basic {}", canary("fixed credentials of an integration"));
            parameters[format!("{header}.Authorization")] = fixed(&basic).into();
            let token = fixed(canary("a fixed parameter of an integration"));
            parameters["integration.request.querystring.token"] = token.into();
        });
    });
    project
}

fn integrations(value: &mut Value, change: &dyn Fn(&mut Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "x-amazon-apigateway-integration" {
                    change(member);
                } else {
                    integrations(member, change);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| integrations(item, change)),
        _ => {}
    }
}

/// Runs and what was seen in them.
struct Watch {
    project: Project,
    seen: Vec<String>,
    runs: usize,
}

impl Watch {
    fn new() -> Self {
        let project = project();
        fs::create_dir_all(project.root().join(".aws")).unwrap();
        let keys = canary("the key of a profile");
        let profile = format!("[dev_admin]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = {keys}\n");
        fs::write(project.root().join(".aws/credentials"), profile).unwrap();
        Self { project, seen: Vec::new(), runs: 0 }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.current_dir(self.project.root()).env_clear().env("HOME", self.project.root());
        command.env("RUST_BACKTRACE", "1");
        command.env("AWS_SECRET_ACCESS_KEY", canary("the session's key"));
        command.env("AWS_SESSION_TOKEN", canary("the session's token"));
        command.env("AWS_ACCESS_KEY_ID", "123456789012");
        command
    }

    /// Runs a line of arguments; gives the exit code.
    fn run(&mut self, line: &str, log: Option<&str>) -> Option<i32> {
        let mut command = self.command();
        if let Some(log) = log {
            command.env("GWCTL_LOG", log);
        }
        let output = command.args(line.split_whitespace()).output().unwrap();
        self.runs += 1;
        self.read(line, "stdout", &output.stdout);
        self.read(line, "stderr", &output.stderr);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked at"), "{line}: {stderr}");
        output.status.code()
    }

    /// Runs a line that has to work.
    fn must(&mut self, line: &str, log: Option<&str>) {
        let code = self.run(line, log);
        assert_eq!(code, Some(0), "{line}");
    }

    /// Looks for secrets in what a run wrote.
    fn read(&mut self, line: &str, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let excused = SHOWN_ON_PURPOSE.iter().filter(|(verb, _)| line.starts_with(verb)).flat_map(|(_, words)| *words);
        let excused: Vec<&&str> = excused.collect();
        for (what, word) in CANARIES {
            if text.contains(word) && !excused.contains(&&word) {
                self.seen.push(format!("`gwctl {line}` shows {what} on {place}"));
            }
        }
    }

    fn file(&mut self, line: &str, name: &str) {
        let bytes = fs::read(self.project.root().join(name)).unwrap();
        self.read(line, name, &bytes);
    }

    fn done(self) {
        println!("{} runs", self.runs);
        assert!(self.seen.is_empty(), "{}", self.seen.join("\n"));
    }
}

const DEV_IN_SANDBOX: &str = "--product product-a --env dev --sandbox";
const FORMATS: [&str; 3] = ["text", "json", "markdown"];

/// What is run on an environment that stands.
const LOOKS: [&str; 14] = [
    "plan",
    "show",
    "history",
    "routes",
    "drift",
    "doctor",
    "graph",
    "graph --live",
    "graph --format html",
    "logs --since 1h",
    "explain GET /auth-service/api/v1/oauth/x",
    "render document",
    "render policy",
    "render resources",
];

#[test]
fn no_verb_shows_a_secret_in_any_format() {
    let mut watch = Watch::new();
    watch.must("check", None);
    for format in FORMATS {
        watch.must(&format!("plan {DEV_IN_SANDBOX} --output {format}"), None);
    }
    watch.must(&format!("plan {DEV_IN_SANDBOX} -vv --out first.plan"), None);
    watch.file("plan --out", "first.plan");
    for format in FORMATS {
        watch.must(&format!("show-plan first.plan --output {format}"), None);
    }
    watch.must(&format!("apply {DEV_IN_SANDBOX} --yes -vv"), None);
    for format in FORMATS {
        for look in LOOKS {
            watch.run(&format!("{look} {DEV_IN_SANDBOX} --output {format}"), None);
        }
    }
    watch.must(&format!("drift {DEV_IN_SANDBOX} --junit drift.xml"), None);
    watch.file("drift --junit", "drift.xml");
    let hook = format!("http://127.0.0.1:9/services/{}", canary("the path of a webhook"));
    // Nobody listens there.
    assert_eq!(watch.run(&format!("drift {DEV_IN_SANDBOX} --notify always -vv --webhook {hook}"), None), Some(1));
    // Each secret has changed: what was and what is are both in a plan.
    watch.project.edit(DEV, |env| {
        for map in ["/authorizer/environment", "/stage_variables"] {
            for value in env.pointer_mut(map).unwrap().as_object_mut().unwrap().values_mut() {
                *value = format!("{}2", value.as_str().unwrap()).into();
            }
        }
    });
    for format in FORMATS {
        watch.must(&format!("plan {DEV_IN_SANDBOX} --output {format}"), None);
    }
    let failing = "--yes -vv --output json --sandbox-fault error:UpdateFunctionConfiguration:99";
    assert_eq!(watch.run(&format!("apply {DEV_IN_SANDBOX} {failing}"), None), Some(1));
    watch.must(&format!("apply {DEV_IN_SANDBOX} --yes --output json"), None);
    watch.must(&format!("history {DEV_IN_SANDBOX} --output json"), None);
    watch.must(&format!("destroy {DEV_IN_SANDBOX} --yes -vv"), None);
    watch.done();
}

/// A fault points at the line that a secret stands in.
#[test]
fn no_fault_shows_a_secret_of_its_line() {
    let mut watch = Watch::new();
    watch.project.edit(DEV, |env| {
        let password = canary("a URL with a password");
        env["stage_variables"]["upstream"] = json!(format!("https://user:{password}@up.example.com"));
        let named = canary("a stage variable, by its name");
        env["stage_variables"]["db_password"] = json!(format!("{named} with spaces"));
    });
    for format in ["text", "json"] {
        assert_eq!(watch.run(&format!("check --output {format}"), None), Some(1));
    }
    // What can't be parsed either.
    let path = watch.project.root().join(DEV);
    let text = fs::read_to_string(&path).unwrap().replace("\"db_password\"", "oops \"db_password\"");
    fs::write(&path, text).unwrap();
    assert_eq!(watch.run("check", None), Some(1));
    watch.done();
}

/// A state that is read for what stands, and has more in it.
#[test]
fn no_import_shows_a_secret_of_a_state() {
    let mut watch = Watch::new();
    let secret = canary("an attribute of a state");
    let state = json!({ "version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "x",
        "outputs": { "password": { "value": secret, "type": "string", "sensitive": true } },
        "resources": [{ "mode": "managed", "type": "aws_lambda_function", "name": "authorizer",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{ "schema_version": 0, "attributes": { "id": "authorizer", "function_name": "authorizer",
                "environment": [{ "variables": { "API_KEY": secret } }] } }] }] });
    fs::write(watch.project.root().join("terraform.tfstate"), state.to_string()).unwrap();
    for format in FORMATS {
        watch.run(&format!("import {DEV_IN_SANDBOX} --tfstate terraform.tfstate -vv --output {format}"), None);
    }
    watch.done();
}

/// A sandbox that is called as AWS is: over a socket, with signatures.
struct Server(Child, String);

impl Server {
    fn start(watch: &Watch) -> Self {
        let mut command = watch.command();
        command.args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("it says where it listens: {line}")).trim().to_owned();
        Self(child, url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// However much is asked of the logs: the SDK would write down whole requests and answers.
#[test]
fn no_log_shows_a_secret() {
    let mut watch = Watch::new();
    let server = Server::start(&watch);
    let at = format!("--product product-a --env dev --endpoint-url {}", server.1);
    for log in ["trace", "debug,aws_smithy_runtime=trace,aws_sigv4=trace,hyper=trace,aws_config=trace"] {
        watch.must(&format!("apply {at} --yes"), Some(log));
        watch.must(&format!("plan {at}"), Some(log));
        watch.must(&format!("destroy {at} --yes"), Some(log));
    }
    watch.done();
}

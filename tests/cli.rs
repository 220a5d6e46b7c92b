//! What a user sees of the binary: exit codes, streams and words.

#[path = "support/project.rs"]
mod project;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use project::{DEV, ENVIRONMENTS, Project};
use serde_json::{Value, json};

/// What one run came to.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    /// Stdout as one JSON value and nothing else.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Fails the test unless the run ended with that code.
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

fn gwctl(project: &Project) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.current_dir(project.root()).env_clear().env("HOME", project.root());
    command
}

fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("it was not killed");
    Run { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a line of arguments.
fn run(project: &Project, line: &str) -> Run {
    finish(gwctl(project).args(line.split_whitespace()))
}

/// Runs a verb on product-a's `dev` in the sandbox.
fn dev(project: &Project, line: &str) -> Run {
    run(project, &format!("{line} --sandbox --product product-a --env dev"))
}

/// Every file of the sandbox, with its content.
fn sandbox_files(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let folder = project.root().join(".gwctl/sandbox");
    let Ok(entries) = fs::read_dir(&folder) else { return BTreeMap::new() };
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

/// The last deployment id of the state file, and the one the stage serves.
fn deployments(project: &Project) -> (Vec<String>, String) {
    let state = fs::read_to_string(project.root().join(".gwctl/sandbox/state.json")).unwrap();
    let world: Value = serde_json::from_str(state.lines().nth(1).unwrap()).unwrap();
    let api = &world["accounts"]["123456789012"]["regions"]["ap-southeast-1"]["apigateway"]["apis"][0];
    let all = api["deployments"].as_array().unwrap().iter();
    let all = all.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    (all, api["stages"]["dev"]["deploymentId"].as_str().unwrap().to_owned())
}

#[test]
fn the_first_run_from_nothing_to_a_new_route() {
    let project = Project::new();
    let first = dev(&project, "apply --yes").exits(0);
    assert!(first.stdout.contains("Plan: 11 to add, 0 to change, 0 to destroy."), "{}", first.stdout);
    let url = first.stdout.lines().rfind(|line| !line.is_empty()).unwrap();
    assert!(url.contains("https://") && url.contains(".execute-api.ap-southeast-1.amazonaws.com/dev"), "{url}");
    let (before, _) = deployments(&project);

    let again = dev(&project, "plan --detailed-exitcode").exits(0);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);

    project.add_route("normal_path", "/refund-service/{proxy+}");
    let plan = dev(&project, "plan --detailed-exitcode").exits(2);
    assert!(plan.stdout.contains("+ ANY /refund-service/{proxy+}"), "{}", plan.stdout);
    for old in ["/order-service/{proxy+}", "iam-role/", "lambda-function/", "log-group/"] {
        assert!(!plan.stdout.contains(old), "{old} in {}", plan.stdout);
    }
    let shown = dev(&project, "plan --output json").exits(0).json();
    let changes = shown["resource_changes"].as_array().unwrap().iter();
    let changes = changes.filter(|one| one["change"]["actions"] != json!(["no-op"]));
    let mut kinds: Vec<&str> = changes.map(|one| one["type"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["deployment", "rest-api", "stage"]);

    dev(&project, "apply --yes").exits(0);
    dev(&project, "plan --detailed-exitcode").exits(0);
    let (after, served) = deployments(&project);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(Some(&served), after.last(), "the stage serves the new one");

    dev(&project, "destroy --yes").exits(0);
    let gone = dev(&project, "destroy --yes --output json").exits(0);
    gone.json();
    dev(&project, "plan --detailed-exitcode").exits(2);
}

#[test]
fn json_is_one_value_and_nothing_else() {
    let project = Project::new();
    for (line, code) in [
        ("plan --output json --detailed-exitcode", 2),
        ("apply --yes --output json", 0),
        ("apply --yes --output json", 0),
        ("plan --output json --detailed-exitcode", 0),
        ("show --output json", 0),
        ("routes --output json", 0),
        ("graph --output json", 0),
        ("render --output json", 0),
        ("render policy --output json", 0),
        ("render resources --output json", 0),
        ("destroy --yes --output json", 0),
        ("show --output json", 0),
        ("destroy --yes --output json", 0),
    ] {
        let run = dev(&project, line).exits(code);
        let value = run.json();
        assert!(value.is_object() || value.is_array(), "{line}: {value}");
    }
    assert_eq!(run(&project, &format!("check --output json {MEANT}")).exits(0).json(), json!([]));
    run(&project, "check --lints --output json").exits(0).json();
    run(&project, "check --compare dev,prod --output json").exits(0).json();
    fs::write(project.root().join(DEV), "{").unwrap();
    let broken = run(&project, "check --output json").exits(1).json();
    assert_eq!(broken[0]["file"], DEV, "{broken}");
}

/// Several environments are one value too.
#[test]
fn several_plans_are_one_json_value() {
    let project = Project::new();
    let all = run(&project, "plan --sandbox --all --output json").exits(0).json();
    assert_eq!(all["gwctl"]["plans"].as_array().map(Vec::len), Some(ENVIRONMENTS.len()));
    assert!(all["format_version"].is_string());
}

#[test]
fn every_environment_of_the_repository_converges() {
    let project = Project::new();
    run(&project, "apply --sandbox --all --yes --confirm prod").exits(0);
    let plan = run(&project, "plan --sandbox --all --detailed-exitcode").exits(0);
    assert_eq!(plan.stdout.matches("No changes.").count(), ENVIRONMENTS.len(), "{}", plan.stdout);
}

#[test]
fn an_unknown_name_leads_to_the_known_ones() {
    let project = Project::new();
    let product = run(&project, "plan --sandbox --product product-c --env dev").exits(1);
    assert!(product.stderr.contains("product-c") && product.stderr.contains("product-a"), "{}", product.stderr);
    let env = run(&project, "plan --sandbox --product product-a --env stagin").exits(1);
    for name in ["stagin", "staging", "preprod"] {
        assert!(env.stderr.contains(name), "{name} in {}", env.stderr);
    }
    assert_eq!(product.stdout + &env.stdout, "");
}

#[test]
fn check_names_every_fault_with_its_place() {
    let project = Project::new();
    let text = r#"{
  "app_group": "product-a",
  "gateway_stage_name": "dev",
  "vpc_link_id": "xxxxxx",
  "authorizer_result_tll": 10,
  "throttling_rate_limit": -1,
  "gateway_api": {
    "normal_path": [
      {"service_path": "order-service/{proxy+}"},
      {"service_path": "/a/{proxy+}/b"}
    ]
  }
}
"#;
    fs::write(project.root().join(DEV), text).unwrap();
    let run = run(&project, "check").exits(1);
    assert_eq!(run.stdout, "");
    for (line, words) in
        [(5, "authorizer_result_ttl"), (6, "throttling_rate_limit"), (9, "leading slash"), (10, "{proxy+}")]
    {
        let place = format!("{DEV}:{line}:");
        let fault = run.stderr.find(&place).unwrap_or_else(|| panic!("no fault at {place}: {}", run.stderr));
        let column = run.stderr[fault + place.len()..].chars().next();
        assert!(column.is_some_and(|digit| digit.is_ascii_digit()), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{words} in {}", run.stderr);
    }
    // What is wrong in one environment is told by the others' commands only if it matters there.
    self::run(&project, "render --product product-b --env dev").exits(0);
    let applied = dev(&project, "apply --yes").exits(1);
    assert!(applied.stderr.contains(&format!("{DEV}:9:")), "{}", applied.stderr);
    assert_eq!(sandbox_files(&project), BTreeMap::new(), "nothing was applied");
}

/// API Gateway deploys no API without a method, so that an apply would fail half-way.
#[test]
fn an_api_without_routes_is_a_fault() {
    let project = Project::new();
    project.edit(DEV, |env| env["gateway_api"] = json!({"normal_path": []}));
    let checked = run(&project, "check").exits(1);
    assert!(checked.stderr.contains(DEV) && checked.stderr.contains("no route"), "{}", checked.stderr);
    dev(&project, "apply --yes").exits(1);
    assert_eq!(sandbox_files(&project), BTreeMap::new(), "nothing was applied");
}

/// A slip of the pen in the defaults of a stack would be lost to all environments.
#[test]
fn the_defaults_of_an_edge_are_checked() {
    let project = Project::new();
    project.edit("stacks/edge/defaults.json", |defaults| {
        defaults["retention_in_dais"] = json!(7);
        defaults["regions"] = json!({"eu-west-1": {}});
    });
    let checked = run(&project, "check").exits(1);
    for words in
        ["`retention_in_dais` is not a key of the defaults of `edge`", "`regions` is not a key of the defaults"]
    {
        assert!(checked.stderr.contains(words), "{words} in {}", checked.stderr);
    }
}

/// The link's id goes through a stage variable, which the user's own of that name would be lost to.
#[test]
fn a_stage_variable_that_gwctl_needs_is_a_fault() {
    let project = Project::new();
    let link = json!({"nlb_arn": "arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:loadbalancer/net/in/0123456789abcdef"});
    project.edit(DEV, |env| {
        env.as_object_mut().unwrap().remove("vpc_link_id");
        env["vpc_link"] = link;
        env["stage_variables"] = json!({"vpcLinkId": "mine"});
    });
    let checked = run(&project, "check").exits(1);
    assert!(checked.stderr.contains("the stage variable `vpcLinkId` is gwctl's own"), "{}", checked.stderr);
}

#[test]
fn check_is_offline_and_right_on_the_repository() {
    let project = Project::whole();
    let meant = run(&project, &format!("check --deny warnings {MEANT}")).exits(0);
    assert_eq!((meant.stdout.as_str(), meant.stderr.as_str()), ("8 environments checked, no faults.\n", ""));
    // What is true of the repository, and meant there.
    let found = run(&project, "check --output json").exits(0).json();
    let mut lints: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in found.as_array().unwrap() {
        assert_eq!(fault["severity"], "warning", "{fault}");
        *lints.entry(fault["lint"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(lints, BTreeMap::from([("route-in-some-environments", 6), ("unauthenticated-through", 11)]));
}

/// The two lints that speak of the repository's environments.
const MEANT: &str = "--allow unauthenticated-through --allow route-in-some-environments";

#[test]
fn warnings_are_faults_where_they_are_denied() {
    let project = Project::new();
    let shown = run(&project, "check").exits(0);
    assert_eq!(shown.stdout, "8 environments checked, no faults, 17 warnings.\n");
    assert!(shown.stderr.contains("warning[unauthenticated-through]: "), "{}", shown.stderr);
    let denied = run(&project, "check --deny warnings").exits(1);
    assert!(denied.stderr.contains("17 faults in the configuration"), "{}", denied.stderr);
    assert_eq!(denied.stdout, "");
    let one = run(&project, "check --deny unauthenticated-through").exits(1);
    assert!(one.stderr.contains("11 faults in the configuration"), "{}", one.stderr);
    assert!(one.stderr.contains("warning[route-in-some-environments]: "), "{}", one.stderr);
    run(&project, "check --deny plain-http-target").exits(0);
    let unknown = run(&project, "check --deny plain-http-targets").exits(1);
    assert!(unknown.stderr.contains("'plain-http-target'"), "{}", unknown.stderr);
}

#[test]
fn an_entry_allows_a_warning_for_itself() {
    let project = Project::new();
    project.edit(DEV, |env| {
        env["gateway_api"]["through_path"][0]["allow"] = json!(["unauthenticated-through"]);
    });
    let found = run(&project, "check --output json").exits(0).json();
    let of_dev = |fault: &&Value| fault["file"] == DEV && fault["lint"] == "unauthenticated-through";
    assert_eq!(found.as_array().unwrap().iter().filter(of_dev).count(), 0, "{found}");
    dev(&project, "plan").exits(0);
}

#[test]
fn every_lint_is_listed() {
    let list = run(&Project::new(), "check --lints").exits(0);
    for line in ["unauthenticated-through: a route passes", "  why: ", "  what to do: "] {
        assert!(list.stdout.contains(line), "{line} in {}", list.stdout);
    }
}

#[test]
fn environments_are_compared_as_tables() {
    let project = Project::new();
    let line = "check --compare dev,prod --product product-a";
    let text = run(&project, line).exits(0).stdout;
    assert!(text.starts_with("product-a: dev, prod\n\nsetting "), "{text}");
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("authorizer.memory_size"), ["authorizer.memory_size", "128", "256"]);
    assert_eq!(row("target.account"), ["target.account", "123456789012", "444455556666"]);
    let assets = "through_path to https://static.example.com/prod…";
    assert_eq!(row("gate /assets").join(" "), format!("gate /assets/{{proxy+}} - {assets}"));
    assert!(!text.contains("throttling_rate_limit"), "it is the same: {text}");
    let page = run(&project, &format!("{line} --output markdown")).exits(0).stdout;
    assert!(page.contains("| `authorizer.memory_size` | `128` | `256` |"), "{page}");
    let all = run(&project, "check --compare dev,prod --output json").exits(0).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    let unknown = run(&project, "check --compare dev,prd").exits(1);
    assert!(unknown.stderr.contains("did you mean `prod`?"), "{}", unknown.stderr);
    run(&project, "check --compare dev").exits(1);
    run(&project, "check --product product-a").exits(1);
}

#[test]
fn nothing_is_changed_unasked() {
    let project = Project::new();
    for verb in ["apply", "destroy"] {
        let before = sandbox_files(&project);
        // What is piped in is no answer.
        let refused = finish(
            gwctl(&project).args([verb, "--sandbox", "--product", "product-a", "--env", "dev"]).write_stdin("yes\n"),
        )
        .exits(1);
        assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
        assert_eq!(sandbox_files(&project), before, "{verb}");
        dev(&project, "apply --yes").exits(0);
    }
    dev(&project, "plan --detailed-exitcode").exits(0);
}

/// Escape sequences begin with this.
const ESCAPE: char = '\u{1b}';

#[test]
fn colour_is_asked_for() {
    let project = Project::new();
    let plain = dev(&project, "plan").exits(0);
    assert!(!plain.stdout.contains(ESCAPE), "no terminal, no colour");
    let colored = dev(&project, "plan --color always").exits(0);
    assert!(colored.stdout.contains(ESCAPE));
    assert_eq!(dev(&project, "plan --color never").exits(0).stdout, plain.stdout);
    let forced = |name: &str| {
        let mut command = gwctl(&project);
        command.args(["plan", "--sandbox", "--product", "product-a", "--env", "dev"]).env("CLICOLOR_FORCE", "1");
        finish(command.env(name, "1")).exits(0).stdout
    };
    assert!(forced("UNRELATED").contains(ESCAPE), "else the next line shows nothing");
    assert_eq!(forced("NO_COLOR"), plain.stdout);
}

#[test]
fn a_plan_fits_80_columns() {
    let project = Project::new();
    let fits = |when: &str, run: &Run| {
        assert!(run.stdout.lines().count() > 5, "{when}: {}", run.stdout);
        for line in run.stdout.lines() {
            assert!(line.chars().count() <= 80, "{when}, {} columns: {line}", line.chars().count());
        }
    };
    fits("first", &run(&project, "plan --sandbox --all"));
    dev(&project, "apply --yes").exits(0);
    project
        .add_route("normal_non_ttl_path", "/a-service-with-a-rather-long-name/api/v1/things/{thingId}/parts/{partId}");
    project.edit(DEV, |env| {
        env["throttling_rate_limit"] = json!(5);
        env["log_format"] = json!({"requestId": "$context.requestId", "text": "x".repeat(200)});
        env["description"] = json!("y".repeat(300));
        env["gateway_api"]["white_path"].as_array_mut().unwrap().remove(0);
        env["authorizer"]["memory_size"] = json!(1024);
    });
    project.edit("stacks/gate/policy.json", |policy| {
        policy["Statement"][1]["Resource"].as_array_mut().unwrap().push(json!("execute-api:/*/*/metrics"));
    });
    fits("changed", &dev(&project, "plan").exits(0));
    fits("destroyed", &dev(&project, "destroy --yes").exits(0));
}

#[test]
fn a_usage_error_is_1_and_says_what_is_meant() {
    let project = Project::new();
    for (line, words) in [
        ("plna", "plan"),
        ("plan --prodcut x", "--product"),
        ("plan --output yaml", "json"),
        ("plan --sandbox --endpoint-url http://127.0.0.1:1", "cannot be used with"),
        ("apply --sandbox", "--all"),
        ("plan --all --sandbox-seed 1", "add --sandbox"),
        ("plan --all --sandbox --sandbox-fault throtle:*", "`throtle` is none of throttle"),
        ("render --all", "one"),
    ] {
        let run = run(&project, line).exits(1);
        assert_eq!(run.stdout, "", "{line}");
        assert!(run.stderr.contains(words), "{line}: {}", run.stderr);
    }
}

#[test]
fn every_verb_has_help() {
    let project = Project::new();
    let top = run(&project, "--help").exits(0);
    for verb in ["check", "render", "package", "plan", "apply", "destroy", "show", "routes", "logs", "graph", "sandbox"]
    {
        assert!(top.stdout.lines().any(|line| line.trim_start().starts_with(verb)), "{verb} in {}", top.stdout);
        let help = run(&project, &format!("{verb} --help")).exits(0);
        assert!(help.stdout.contains(&format!("Usage: gwctl {verb}")), "{}", help.stdout);
        assert!(help.stdout.contains("--output"), "{verb} has the global options");
        assert_eq!(help.stderr, "", "{verb}");
    }
    let version = run(&project, "--version").exits(0);
    assert_eq!(version.stdout, concat!("gwctl ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn render_gives_the_same_bytes_each_time() {
    let (one, two) = (Project::new(), Project::new());
    for what in ["document", "policy", "resources"] {
        let line = format!("render {what} --product product-b --env prod");
        let first = run(&one, &line).exits(0);
        assert_eq!(first, run(&one, &line), "{what}");
        assert_eq!(first, run(&two, &line), "{what}, from another folder");
        first.json();
    }
    assert!(!one.root().join(".gwctl").exists(), "rendering leaves nothing behind");
}

#[test]
fn a_zip_that_is_not_there_is_named() {
    let project = Project::new();
    fs::remove_file(project.root().join("authorizer.zip")).unwrap();
    let run = dev(&project, "plan").exits(1);
    assert!(run.stderr.contains("authorizer.zip") && run.stderr.contains("hint"), "{}", run.stderr);
    assert!(!Path::new(&project.root().join(".gwctl/sandbox/state.json")).exists());
}

#[test]
fn a_crash_on_purpose_is_137_and_the_next_apply_goes_on() {
    let project = Project::new();
    let crashed = dev(&project, "apply --yes -v --sandbox-fault crash-after:CreateRestApi#1").exits(137);
    assert!(crashed.stderr.contains("apigateway CreateRestApi: 1 call, 1 write, 1 failed on purpose"), "{crashed:#?}");
    dev(&project, "apply --yes").exits(0);
    dev(&project, "plan --detailed-exitcode").exits(0);
}

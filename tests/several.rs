//! Several environments in one run, and what guards them: the account, protection, emulators.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/edge.rs"]
mod edge;
#[path = "support/project.rs"]
mod project;

use std::fs;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use binary::{Run, Served, run, run_with};
use clap::Parser as _;
use gwctl::cli::Cli;
use gwctl::commands;
use gwctl::host::{Host, Page};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::connector::{Client, Connector};
use project::{ENVIRONMENTS, Project};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Profiles whose keys are of these accounts, which is how the sandbox tells accounts apart.
fn profiles(project: &Project, accounts: &[(&str, &str)]) {
    let profile = |(name, account): &(&str, &str)| {
        format!("[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = sandbox\n")
    };
    config(project, &accounts.iter().map(profile).collect::<String>());
}

fn config(project: &Project, text: &str) {
    fs::create_dir_all(project.root().join(".aws")).unwrap();
    fs::write(project.root().join(".aws/config"), text).unwrap();
}

fn targets(project: &Project, change: impl FnOnce(String) -> String) {
    let file = project.root().join("environments/targets.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, change(text)).unwrap();
}

#[test]
fn a_wrong_account_is_named_and_nothing_of_it_is_touched() {
    let (project, aws) = (Project::new(), Served::new());
    profiles(&project, &[("dev_admin", "123456789012"), ("prod_admin", "999988887777")]);
    let prod = format!("--yes --confirm prod --endpoint-url {} --product product-a --env prod", aws.url);
    for line in ["plan", "show", "apply --yes --confirm prod", "destroy --yes --confirm prod"] {
        let line = format!("{line} --endpoint-url {} --product product-a --env prod", aws.url);
        let refused = run(&project, &line).exits(1);
        assert_eq!(refused.stdout, "", "no plan is shown");
        refused.says(&["999988887777", "444455556666", "--profile"]);
    }
    let (calls, writes) = aws.calls();
    assert!(calls >= 4 && writes == 0, "{calls} calls, {writes} of them writes");
    assert_eq!(aws.asked("sts", "GetCallerIdentity"), 4);

    // Its neighbour in the same run has the right ones.
    let both = run(&project, &format!("apply {prod} --env dev --output json")).exits(1);
    let expected = [("product-a/dev", "done"), ("product-a/prod", "failed")];
    assert_eq!(both.outcomes(), expected.map(|(name, status)| (name.to_owned(), status.to_owned())));
    let failed = &both.json()["outcomes"][1];
    assert!(failed["plan"].is_null() && failed["failure"]["message"].as_str().unwrap().contains("999988887777"));
    let world = serde_json::to_value(aws.sandbox.world().unwrap().accounts).unwrap();
    assert!(!world.to_string().contains(r#""gwctl:environment":"prod""#));
    assert!(world.to_string().contains(r#""gwctl:environment":"dev""#));
}

#[test]
fn a_role_is_assumed_and_a_code_for_one_is_not_guessed() {
    let (project, aws) = (Project::new(), Served::new());
    profiles(&project, &[("dev_admin", "111122223333")]);
    let role = r#"role = "arn:aws:iam::123456789012:role/deployer""#;
    targets(&project, |text| {
        // What lies on [dev] would take its role along, into another account.
        let (text, _) = text.split_once("[products.").unwrap();
        text.replacen(
            "profile = \"dev_admin\"",
            &format!("profile = \"dev_admin\"\n{role}\nsession_name = \"night\""),
            1,
        )
    });
    let line = |verb: &str| format!("{verb} --endpoint-url {} --product product-a --env dev", aws.url);
    run(&project, &line("apply --yes")).exits(0);
    assert!(aws.asked("sts", "AssumeRole") >= 1);
    targets(&project, |text| {
        text.replace("session_name = \"night\"", "mfa_serial = \"arn:aws:iam::111122223333:mfa/a\"")
    });
    let before = aws.calls();
    run(&project, &line("plan")).exits(1).says(&["arn:aws:iam::111122223333:mfa/a", "no terminal"]);
    assert_eq!(aws.calls(), before, "nothing is sent without a code");
}

/// A profile's `mfa_serial` is asked for too, though the SDK reads over it.
#[test]
fn a_profile_that_wants_a_code_is_not_used_without_one() {
    let (project, aws) = (Project::new(), Served::new());
    config(
        &project,
        "[profile anna]\naws_access_key_id = 111122223333\naws_secret_access_key = x\n\
         [profile dev_admin]\nrole_arn = arn:aws:iam::123456789012:role/deployer\nsource_profile = anna\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/anna\n",
    );
    let line = format!("plan --endpoint-url {} --product product-a --env dev", aws.url);
    run(&project, &line).exits(1).says(&["arn:aws:iam::111122223333:mfa/anna", "no terminal"]);
    assert_eq!(aws.calls(), (0, 0));
}

/// `credential_process` is how many companies hand out credentials.
#[test]
fn a_program_may_give_the_credentials() {
    let (project, aws) = (Project::new(), Served::new());
    let said = r#"{"Version": 1, "AccessKeyId": "123456789012", "SecretAccessKey": "x"}"#;
    fs::write(project.root().join("said.json"), said).unwrap();
    let program = format!("/bin/cat {}", project.root().join("said.json").display());
    config(&project, &format!("[profile dev_admin]\ncredential_process = {program}\n"));
    let line = format!("plan --endpoint-url {} --product product-a --env dev", aws.url);
    run_with(&project, &line, &[("PATH", "/usr/bin:/bin")]).exits(0).says(&["11 to add"]);
}

#[test]
fn no_verify_is_refused_where_the_other_end_is_aws() {
    let (project, aws) = (Project::new(), Served::new());
    let keys = [("AWS_ACCESS_KEY_ID", "123456789012"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let line = "apply --yes --no-verify --product product-a --env dev";
    let with = |name: &'static str, url: &'static str| [keys[0], keys[1], (name, url)];
    let of_aws = "https://apigateway.ap-southeast-1.amazonaws.com";
    for variables in [
        &keys[..],
        &with("AWS_ENDPOINT_URL", of_aws),
        &with("AWS_ENDPOINT_URL_API_GATEWAY", of_aws),
        // An endpoint of another service is none of API Gateway.
        &with("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1"),
    ] {
        run_with(&project, line, variables).exits(1).says(&["--no-verify is for emulators", "--endpoint-url"]);
    }
    let here: [(&str, &str); 3] = [keys[0], keys[1], ("AWS_ENDPOINT_URL", &aws.url)];
    run_with(&project, line, &here).exits(0);
    run(&project, &format!("{line} --sandbox")).exits(0);
    run_with(&project, &format!("{line} --endpoint-url {}", aws.url), &keys).exits(0);
}

#[test]
fn a_protected_environment_wants_its_name() {
    let project = Project::new();
    let prod = |line: &str| run(&project, &format!("{line} --sandbox --product product-a --env prod"));
    let none = |when: &str| {
        let shown = prod("show --output json").exits(0).json();
        assert_eq!(shown["environments"][0]["resources"], json!({}), "{when}");
    };
    prod("apply --yes").exits(1).says(&["product-a/prod is protected", "--confirm prod"]);
    prod("apply --yes --confirm prd").exits(1).says(&["--confirm names `prd`", "product-a/prod"]);
    prod("apply --confirm prod").exits(1).says(&["--yes"]);
    none("nobody said yes");
    prod("apply --yes --confirm prod").exits(0);
    // Nothing to do needs nobody's yes.
    prod("apply --yes").exits(0);
    prod("destroy --yes").exits(1).says(&["product-a/prod is protected"]);
    assert_eq!(prod("destroy --yes --output json").exits(1).outcomes()[0].1, "failed");
    prod("plan --detailed-exitcode").exits(0);
    prod("destroy --yes --confirm product-a/prod").exits(0);
    none("destroyed");
}

#[test]
fn all_are_carried_out_in_one_run_and_told_in_order() {
    let project = Project::new();
    let names: Vec<String> = ENVIRONMENTS.iter().map(|(product, env)| format!("{product}/{env}")).collect();
    let mut sorted = names.clone();
    sorted.sort();
    let statuses = |run: &Run| {
        let outcomes = run.outcomes();
        assert_eq!(outcomes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), sorted);
        outcomes.into_iter().map(|(name, status)| (name.ends_with("/prod"), status)).collect::<Vec<_>>()
    };
    // Without the name of what is protected, the others are carried out.
    let first = run(&project, "apply --sandbox --all --yes --output json").exits(1);
    for (protected, status) in statuses(&first) {
        assert_eq!(status, if protected { "failed" } else { "done" });
    }
    assert!(first.stderr.contains("product-a/dev: gate/rest-api/gateway: creating…"), "{}", first.stderr);
    let second = run(&project, "apply --sandbox --all --yes --confirm prod --output json").exits(0);
    for (protected, status) in statuses(&second) {
        assert_eq!(status, if protected { "done" } else { "no_changes" });
    }
    project.add_route("normal_path", "/refund-service/{proxy+}");
    // One of eight changes, and it is not protected: nobody has to name the others.
    let third = run(&project, "apply --sandbox --all --yes --output json").exits(0);
    let changed: Vec<String> =
        third.outcomes().into_iter().filter(|(_, status)| status == "done").map(|(name, _)| name).collect();
    assert_eq!(changed, ["product-a/dev"]);
    let last = run(&project, "destroy --sandbox --all --yes --confirm prod").exits(0);
    let summary = last.stdout.split("Summary\n").nth(1).expect("there is a summary");
    let lines: Vec<&str> = summary.lines().map(str::trim).collect();
    // The one that was changed has a deployment more.
    let gone = |name: &str| if name == "product-a/dev" { 12 } else { 11 };
    let expected: Vec<String> =
        sorted.iter().map(|name| format!("{name}: done (0 added, 0 changed, {} destroyed)", gone(name))).collect();
    assert_eq!(lines, expected);
}

/// A resource of somebody else's under the name of ours stops its environment, and no other.
#[test]
fn what_fails_for_one_stops_no_other() {
    let project = Project::new();
    let dev = "--sandbox --product product-a --env dev";
    fs::write(project.root().join("stolen.zip"), "no zip").unwrap();
    project.edit(project::DEV, |env| env["authorizer"]["zip"] = json!("stolen.zip"));
    let plan = run(&project, "plan --sandbox --product product-a --all --detailed-exitcode").exits(1);
    assert_eq!(plan.stdout.matches("Plan: 11 to add").count(), 3, "{}", plan.stdout);
    plan.says(&["error: product-a/dev: ", "stolen.zip"]);
    let plan = run(&project, "plan --sandbox --product product-a --all --output json").exits(1).json();
    let all = plan["gwctl"]["plans"].as_array().unwrap().iter();
    let all: Vec<&str> = all.map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(all, ["failed", "changes", "changes", "changes"]);
    let applied = run(&project, "apply --sandbox --product product-a --env dev --env staging --yes").exits(1);
    applied.says(&["product-a/dev: failed (nothing was changed)", "product-a/staging: done (11 added"]);
    run(&project, "plan --sandbox --product product-a --env staging --detailed-exitcode").exits(0);
    let shown = run(&project, &format!("show {dev}")).exits(0);
    assert!(shown.stdout.contains("Nothing here carries its tags."), "{}", shown.stdout);
}

/// Nobody can be asked for all, so nothing is done for any.
#[test]
fn without_an_answer_none_is_begun() {
    let project = Project::new();
    let asked = run(&project, "apply --sandbox --all --output json").exits(1);
    assert!(asked.outcomes().iter().all(|(_, status)| status == "not_begun"), "{asked:#?}");
    asked.says(&["stdin is no terminal", "--confirm ENV"]);
    let shown = run(&project, "show --sandbox --all").exits(0).stdout;
    assert_eq!(shown.matches("not deployed").count(), ENVIRONMENTS.len(), "{shown}");
}

/// What a configuration names in AWS has to be there for an apply. Whoever looks at the rest, or removes it, needs it no
/// longer.
#[test]
fn what_was_looked_up_may_be_gone_when_the_rest_goes() {
    let project = Project::whole();
    // Both products in one account and Region.
    targets(&project, |text| text.split("[products.").next().unwrap().to_owned());
    project.edit("environments/product-b/dev.json", |env| {
        env["authorizer"]["auth_host"] = json!({"gateway": "system", "product": "product-a"});
    });
    let at = |verb: &str, product: &str| run(&project, &format!("{verb} --sandbox --product {product} --env dev"));
    at("plan", "product-b").exits(1).says(&["product-a/dev has no system gateway", "apply it first"]);
    at("apply --yes", "product-a").exits(0);
    at("apply --yes", "product-b").exits(0);
    at("plan --detailed-exitcode", "product-b").exits(0);
    at("destroy --yes", "product-a").exits(0);
    at("show", "product-b").exits(0).says(&["gate/rest-api/gateway"]);
    at("destroy --yes", "product-b").exits(0);
    let shown = at("show", "product-b").exits(0);
    assert!(shown.stdout.contains("Nothing here carries its tags."), "{}", shown.stdout);
}

/// The example of two Regions, applied in a sandbox that the command line finds.
fn two_regions() -> (Project, Runtime, Sandbox) {
    let project = edge::example();
    let runtime = Runtime::new().unwrap();
    let sandbox = Sandbox::open(&project.root().join(".gwctl/sandbox")).unwrap();
    runtime.block_on(edge::furnish(&sandbox));
    (project, runtime, sandbox)
}

/// A change that breaks a Region stays in it, however often it is applied, until the Region is well or the other is named.
#[test]
fn regions_are_changed_one_after_the_other() {
    const SHOP: &str = "--sandbox --product shop --env prod";
    let apply = format!("apply {SHOP} --yes --confirm prod --settle 0");
    let (project, _runtime, sandbox) = two_regions();
    let applied = run(&project, &apply).exits(0);
    applied.says(&["shop/prod eu-west-1: done (20 added", "shop/prod us-east-1: done (20 added"]);
    run(&project, &format!("plan {SHOP} --detailed-exitcode")).exits(0);
    let shown = run(&project, &format!("show {SHOP} --output json")).exits(0).json();
    let region = |index: usize| &shown["environments"][index];
    assert_eq!((&region(0)["region"], &region(0)["serving"]["in_service"]), (&json!("eu-west-1"), &json!(true)));
    let check = &region(0)["resources"]["eu-west-1/edge/health-check/region"]["outputs"]["id"];
    let check = check.as_str().unwrap();

    project.edit(edge::FILE, |file| file["edge"]["services"]["learn"]["description"] = json!("All courses"));
    assert!(sandbox.set_health(check, false).unwrap());
    let left = "us-east-1 was left as it is";
    run(&project, &apply).exits(1).says(&["shop/prod eu-west-1: done (0 added, 1 changed", left, "does not serve"]);
    run(&project, &apply).exits(1).says(&[left, "eu-west-1 is not healthy"]);
    let drained = run(&project, &format!("edge drain us-east-1 {SHOP} --yes --confirm prod")).exits(1);
    drained.says(&["us-east-1 is the last Region that serves", "unhealthy: eu-west-1", "--force"]);
    let again = run(&project, &format!("edge restore eu-west-1 {SHOP} --yes --confirm prod")).exits(0);
    again.says(&["eu-west-1 is in service already"]);
    // Whoever names a Region means it.
    run(&project, &format!("{apply} --region us-east-1")).exits(0).says(&["1 changed"]);
    run(&project, &format!("plan {SHOP} --detailed-exitcode")).exits(0);
    run(&project, &format!("plan {SHOP} --region sa-east-1")).exits(1).says(&["shop/prod is not in sa-east-1"]);
}

/// A REST API beside an edge stays in its own Region.
#[test]
fn a_region_that_is_named_moves_nothing() {
    let (project, _runtime, _sandbox) = two_regions();
    project.edit(edge::FILE, |file| {
        let gate: Value = serde_json::from_str(
            &fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(project::DEV)).unwrap(),
        )
        .unwrap();
        for (key, value) in gate.as_object().unwrap() {
            if !["app_group", "tags", "system", "gateway_system"].contains(&key.as_str()) {
                file[key] = value.clone();
            }
        }
    });
    let plan = |region: &str| {
        let plan = run(&project, &format!("plan --sandbox --product shop --env prod --region {region} --output json"));
        let plan = plan.exits(0).json();
        let changes = plan["resource_changes"].as_array().unwrap().clone();
        changes.into_iter().map(|one| one["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (home, other) = (plan("eu-west-1"), plan("us-east-1"));
    assert!(home.iter().any(|address| address.starts_with("gate/")), "{home:?}");
    assert!(other.iter().all(|address| address.starts_with("us-east-1/edge/")), "{other:?}");
}

/// Requests to the second product's Region wait at a gate.
#[derive(Debug, Clone)]
struct Gate {
    inner: Connector,
    open: watch::Sender<bool>,
    /// Turns true when the first product makes the call.
    made: watch::Sender<bool>,
    /// Which it is.
    call: fn(&HttpRequest) -> bool,
}

impl HttpClient for Gate {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Gate {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { inner, open, made, call } = self.clone();
        HttpConnectorFuture::new(async move {
            if request.uri().contains("cn-north-1") {
                open.subscribe().wait_for(|open| *open).await.expect("the gate is there");
            } else if call(&request) {
                made.send_replace(true);
            }
            inner.call(request).await
        })
    }
}

fn makes_a_deployment(request: &HttpRequest) -> bool {
    request.method() == "POST" && request.uri().ends_with("/deployments")
}

/// The first log group that is made is the lock.
fn takes_the_lock(request: &HttpRequest) -> bool {
    request.headers().get("x-amz-target").is_some_and(|target| target.ends_with(".CreateLogGroup"))
}

/// What happens when the first product makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The second may be planned.
    Opens,
    /// The user presses Ctrl-C, and the second is planned still.
    Interrupts,
    /// Nothing: the gate was open all the time.
    Nothing,
}

/// `apply --yes` of two products' `dev`. The exit code, and what was printed.
fn apply_both(sandbox: &Sandbox, call: fn(&HttpRequest) -> bool, then: Then) -> (u8, Value, String) {
    let project = Project::new();
    let root = project.root().display().to_string();
    let line = ["gwctl", "apply", "--yes", "--no-progress", "--output", "json", "--sandbox", "--root", &root];
    let both = ["--product", "product-a", "--product", "product-b", "--env", "dev"];
    let mut cli = Cli::try_parse_from(line.iter().chain(&both)).unwrap();
    let [open, user] = [(); 2].map(|()| watch::channel(false).0);
    open.send_replace(then == Then::Nothing);
    let made = if then == Then::Interrupts { user.clone() } else { open.clone() };
    let client = Client::new(Gate { inner: Connector::new(sandbox.clone()), open, made, call });
    let pages = [Page::default(), Page::default()];
    let interrupt = user.subscribe();
    cli.global.host = Some(Host { sandbox: sandbox.clone(), client, pages: Some(pages.clone()), interrupt });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let code = runtime.block_on(commands::run(cli));
    let [out, err] = pages.map(|page| page.text());
    let printed = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    (code.unwrap_or_else(|failure| panic!("{failure}: {err}")), printed, err)
}

fn statuses(printed: &Value) -> Vec<&str> {
    printed["outcomes"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect()
}

/// If all were planned before the first is changed, this would end with a call that nobody answers.
#[test]
fn where_nobody_is_asked_one_is_changed_while_the_other_is_planned() {
    let sandbox = Sandbox::in_memory();
    let (code, printed, err) = apply_both(&sandbox, makes_a_deployment, Then::Opens);
    assert_eq!((code, statuses(&printed)), (0, vec!["done"; 2]), "{err}");
}

#[test]
fn ctrl_c_ends_one_that_is_changed_and_one_that_is_planned() {
    // What takes no time can't be interrupted.
    let sandbox = Sandbox::in_memory().under(Conditions::none().latency("10ms".parse().unwrap()));
    let (code, printed, err) = apply_both(&sandbox, makes_a_deployment, Then::Interrupts);
    assert_eq!((code, statuses(&printed)), (130, vec!["interrupted", "not_begun"]), "{err}");
    assert!(printed["outcomes"][1]["plan"].is_null(), "{printed:#}");
    assert!(!err.contains("product-b/dev"), "the summary says it: {err}");
    let world = serde_json::to_value(sandbox.world().unwrap().accounts).unwrap().to_string();
    assert!(!world.contains("gwctl/lock/") && world.contains("product-a-gateway-dev"), "the lock is given back");
    // The next one finishes both.
    let (code, printed, err) = apply_both(&sandbox, makes_a_deployment, Then::Nothing);
    assert_eq!((code, statuses(&printed)), (0, vec!["done"; 2]), "{err}");
}

#[test]
fn a_lock_that_stays_is_told_where_nothing_was_begun() {
    let conditions = Conditions::none().latency("10ms".parse().unwrap());
    let sandbox = Sandbox::in_memory().under(conditions.fault("deny:logs.DeleteLogGroup#1..".parse().unwrap()));
    let (code, printed, err) = apply_both(&sandbox, takes_the_lock, Then::Interrupts);
    assert_eq!((code, statuses(&printed)), (130, vec!["not_begun"; 2]), "{err}");
    assert!(err.contains("the lock `gwctl/lock/product-a/dev` was not given back"), "{err}");
    assert!(err.contains("`gwctl unlock` takes it away"), "{err}");
}

//! Versions of a function and the alias that points at one: published, moved, pruned, in this order and whatever happens.

use gwctl::kinds::desired;
use gwctl::kinds::function_alias::{FunctionAlias, FunctionAliasSpec};
use gwctl::kinds::function_version::{FunctionVersion, FunctionVersionSpec, address_of, snapshot_of};
use gwctl::kinds::iam_role::{IamRole, IamRoleSpec};
use gwctl::kinds::lambda_function::{LambdaFunction, LambdaFunctionSpec};
use gwctl::model::policy::Policy;
use gwctl::model::{Address, Desired, Input};
use gwctl::plan::{Action, Plan};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use serde_json::{Value, json};

use crate::support::Session;
use crate::support::failing::{Failing, Mode};
use crate::support::project::Project;
use crate::support::world::{accounts, counts};

const NAME: &str = "product-a-versioned-dev";

/// A function with so much memory, its version, and an alias with so much concurrency.
fn wanted(session: &Session, memory_mb: i32, warm: Option<i32>) -> Vec<Desired> {
    let address = |kind: &str| Address::new("gate", kind, "versioned");
    let trust = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
    }]});
    let role = IamRoleSpec {
        name: format!("{NAME}-role"),
        path: "/gwctl/product-a/dev/ap-southeast-1/".into(),
        description: None,
        assume_role_policy: Policy::parse(&trust).unwrap(),
        inline_policies: [].into(),
        managed_policies: [].into(),
        max_session_seconds: None,
        tags: [].into(),
    };
    let mut function: LambdaFunctionSpec = {
        let ours = session.desired.iter().find(|one| one.address.kind() == "lambda-function").unwrap();
        serde_json::from_value(ours.spec.clone()).unwrap()
    };
    function.name = NAME.into();
    function.memory_mb = memory_mb;
    function.role = session.place.arn("iam", "", &format!("role{}{}", role.path, role.name)).into();
    let snapshot = snapshot_of(&function).unwrap();
    function.role = Input::output(&address("iam-role"), "arn");
    let version = FunctionVersionSpec {
        name: NAME.into(),
        function: Input::output(&address("lambda-function"), "name"),
        code_sha256: function.code_sha256.clone(),
        snapshot: snapshot.as_str().to_owned(),
    };
    let at = address_of(&address("lambda-function"), &snapshot);
    let alias = FunctionAliasSpec {
        provisioned_concurrency: warm,
        ..FunctionAliasSpec::new(NAME, "live", Input::output(&at, "version"))
    };
    vec![
        desired::<IamRole>("gate", "versioned", &role).unwrap(),
        desired::<LambdaFunction>("gate", "versioned", &function).unwrap(),
        desired::<FunctionVersion>("gate", at.name(), &version).unwrap(),
        desired::<FunctionAlias>("gate", "versioned", &alias).unwrap(),
    ]
}

async fn open(project: &Project, sandbox: &Sandbox, memory_mb: i32, warm: Option<i32>) -> Session {
    through(project, Connector::new(sandbox.clone()).client(), memory_mb, warm).await
}

async fn through(
    project: &Project,
    client: aws_smithy_runtime_api::client::http::SharedHttpClient,
    memory_mb: i32,
    warm: Option<i32>,
) -> Session {
    let mut session = Session::through(project.root(), "product-a", "dev", client).await;
    session.desired = wanted(&session, memory_mb, warm);
    session
}

/// What the only function holds.
fn function(sandbox: &Sandbox) -> Value {
    let accounts = accounts(sandbox);
    let account = accounts.as_object().unwrap().values().next().unwrap();
    account["regions"]["ap-southeast-1"]["lambda"]["functions"][NAME].clone()
}

fn pointed_at(sandbox: &Sandbox) -> Value {
    function(sandbox)["aliases"]["live"]["FunctionVersion"].clone()
}

fn steps(plan: &Plan) -> Vec<(Action, &str)> {
    plan.steps.iter().map(|step| (step.action, step.address.kind())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_version_is_published_then_the_alias_moves_then_old_ones_go() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    for (index, memory) in [128, 256, 384, 512].into_iter().enumerate() {
        let session = open(&project, &sandbox, memory, Some(2)).await;
        let plan = session.apply().await;
        session.assert_converged(&format!("with {memory} MB")).await;
        assert_eq!(pointed_at(&sandbox), (index + 1).to_string());
        let mut expected = match index {
            0 => vec![(Action::Create, "iam-role"), (Action::Create, "lambda-function")],
            _ => vec![(Action::Update, "lambda-function")],
        };
        expected.push((Action::Create, "function-version"));
        expected.push((if index == 0 { Action::Create } else { Action::Update }, "function-alias"));
        if index == 3 {
            expected.push((Action::Delete, "function-version"));
            let waits = &plan.steps[3].after_steps;
            assert!(waits.iter().any(|address| address.kind() == "function-alias"), "{waits:?}");
        }
        assert_eq!(steps(&plan), expected, "with {memory} MB");
    }
    let kept: Vec<String> = function(&sandbox)["versions"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(kept, ["2", "3", "4"]);
    // A state that was published before is not published again.
    let plan = open(&project, &sandbox, 384, Some(2)).await.apply().await;
    assert_eq!(steps(&plan), [(Action::Update, "lambda-function"), (Action::Update, "function-alias")]);
    assert_eq!(pointed_at(&sandbox), "3");
    // Concurrency alone moves nothing else.
    let session = open(&project, &sandbox, 384, None).await;
    assert_eq!(steps(&session.apply().await), [(Action::Update, "function-alias")]);
    assert_eq!(function(&sandbox)["provisioned"], json!({}));
    session.assert_converged("without concurrency").await;
    session.destroy().await;
    assert!(counts(&sandbox).values().all(|count| *count == 0), "{:?}", counts(&sandbox));
}

#[tokio::test(start_paused = true)]
async fn without_versions_a_function_stays_and_they_go() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    let mut session = open(&project, &sandbox, 128, Some(1)).await;
    session.apply().await;
    session.desired.truncate(2);
    let plan = session.apply().await;
    assert_eq!(steps(&plan)[0], (Action::Delete, "function-alias"));
    assert_eq!(function(&sandbox)["aliases"], json!({}));
    session.assert_converged("without an alias").await;
}

/// Whatever call an update dies at, the alias points at a version that is whole, and the next apply finishes.
#[tokio::test(start_paused = true)]
async fn an_update_may_die_anywhere() {
    let project = Project::new();
    let made = || async {
        let sandbox = Sandbox::in_memory();
        for memory in [128, 256, 384] {
            open(&project, &sandbox, memory, Some(2)).await.apply().await;
        }
        sandbox
    };
    let apply = |sandbox: Sandbox, mode: Mode, at: u64| {
        let project = &project;
        async move {
            let transport = Failing::new(Connector::new(sandbox), mode, at);
            let session = through(project, transport.client(), 512, Some(3)).await;
            let done = match session.plan().await {
                Ok(plan) => session.carry_out(&plan).await.into_failure().is_none(),
                Err(_) => false,
            };
            (done, transport.writes())
        }
    };
    let (done, writes) = apply(made().await, Mode::Cut, 0).await;
    assert!(done && writes >= 6, "{writes}");
    for mode in Mode::ALL {
        for at in 1..=writes {
            let (sandbox, when) = (made().await, format!("{mode:?} at write {at} of {writes}"));
            let (done, _) = apply(sandbox.clone(), mode, at).await;
            assert!(done || mode != Mode::LostAnswer, "{when}");
            let number = pointed_at(&sandbox);
            let version = &function(&sandbox)["versions"][number.as_str().unwrap()]["configuration"];
            let expected = if number == "4" { 512 } else { 384 };
            assert_eq!(version["MemorySize"], expected, "{when}");
            let session = open(&project, &sandbox, 512, Some(3)).await;
            session.apply().await;
            session.assert_converged(&when).await;
            assert_eq!((pointed_at(&sandbox), counts(&sandbox)["function-version"]), (json!("4"), 3), "{when}");
        }
    }
}

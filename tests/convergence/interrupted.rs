//! An apply may die at any call, that call carried out or not: the next one finishes the work, and makes nothing twice.

use std::path::Path;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use serde_json::json;

use crate::support::Session;
use crate::support::failing::{Failing, Mode};
use crate::support::project::{DEV, Project};
use crate::support::world::{counts, effective, only_api, served};

/// Applies through a transport that fails at one write. Whether the apply got to its end.
async fn apply_failing(root: &Path, transport: &Failing<Connector>) -> bool {
    let session = Session::through(root, "product-a", "dev", transport.client()).await;
    match session.plan().await {
        Ok(plan) => session.carry_out(&plan).await.into_failure().is_none(),
        Err(_) => false,
    }
}

/// The next apply, undisturbed: it converges, and what there is is what there should be.
async fn finish(root: &Path, sandbox: &Sandbox, deployments: usize, when: &str) {
    let session = Session::open(root, "product-a", "dev", sandbox).await;
    session.apply().await;
    session.assert_converged(when).await;
    let expected = [
        ("deployment", deployments),
        ("iam-role", 2),
        ("ip-set", 0),
        ("lambda-function", 2),
        ("log-group", 4),
        ("rest-api", 1),
        ("security-group", 0),
        ("stage", 1),
        ("vpc-link", 0),
        ("web-acl", 0),
    ];
    assert_eq!(counts(sandbox).into_iter().collect::<Vec<_>>(), expected, "{when}");
    let api = only_api(sandbox);
    assert_eq!(effective(&served(&api).snapshot), effective(&api.definition), "{when}");
}

/// How many writes an apply makes that nothing disturbs.
async fn writes_of(root: &Path, sandbox: &Sandbox) -> u64 {
    let transport = Failing::new(Connector::new(sandbox.clone()), Mode::Cut, 0);
    assert!(apply_failing(root, &transport).await);
    transport.writes()
}

#[tokio::test(start_paused = true)]
async fn a_first_apply_may_die_anywhere() {
    let project = Project::new();
    let writes = writes_of(project.root(), &Sandbox::in_memory()).await;
    assert!(writes > 20, "{writes}");
    for mode in Mode::ALL {
        for at in 1..=writes {
            let sandbox = Sandbox::in_memory();
            let transport = Failing::new(Connector::new(sandbox.clone()), mode, at);
            let done = apply_failing(project.root(), &transport).await;
            let when = format!("{mode:?} at write {at} of {writes}");
            // One lost answer is no reason to give up.
            assert!(done || mode != Mode::LostAnswer, "{when}");
            finish(project.root(), &sandbox, 1, &when).await;
        }
    }
}

/// Dies at every write of the apply of a change, one sandbox each.
async fn change_may_die(edit: impl Fn(&Project), deployments: usize) {
    let (before, after) = (Project::new(), Project::new());
    edit(&after);
    let sandbox = Sandbox::in_memory();
    Session::open(before.root(), "product-a", "dev", &sandbox).await.apply().await;
    let applied = || Sandbox::holding(sandbox.world().unwrap());
    let writes = writes_of(after.root(), &applied()).await;
    for mode in Mode::AFTER_EFFECT {
        for at in 1..=writes {
            let sandbox = applied();
            let transport = Failing::new(Connector::new(sandbox.clone()), mode, at);
            let done = apply_failing(after.root(), &transport).await;
            let when = format!("{mode:?} at write {at} of {writes}");
            assert!(done || mode != Mode::LostAnswer, "{when}");
            finish(after.root(), &sandbox, deployments, &when).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_redeployment_may_die_anywhere() {
    change_may_die(|project| project.add_route("normal_path", "/refund-service/{proxy+}"), 2).await;
}

/// While names change, the old and the new of one resource live side by side, under one address.
#[tokio::test(start_paused = true)]
async fn a_renaming_may_die_anywhere() {
    let rename = |project: &Project| {
        project.edit(DEV, |env| env["app_group"] = json!("shop"));
        project.edit(DEV, |env| env["gateway_stage_name"] = json!("v1"));
    };
    change_may_die(rename, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_destroy_may_die_anywhere() {
    let project = Project::new();
    let applied = Sandbox::in_memory();
    Session::open(project.root(), "product-a", "dev", &applied).await.apply().await;
    for mode in Mode::AFTER_EFFECT {
        for at in 1.. {
            let sandbox = Sandbox::holding(applied.world().unwrap());
            let transport = Failing::new(Connector::new(sandbox.clone()), mode, at);
            let session = Session::through(project.root(), "product-a", "dev", transport.client()).await;
            if let Ok(plan) = session.plan_destroy().await {
                // Whatever it answers: it was cut off.
                session.carry_out(&plan).await;
            }
            Session::open(project.root(), "product-a", "dev", &sandbox).await.destroy().await;
            assert!(counts(&sandbox).values().all(|count| *count == 0), "{mode:?} at {at}: {:?}", counts(&sandbox));
            if transport.writes() < at {
                break;
            }
        }
    }
}

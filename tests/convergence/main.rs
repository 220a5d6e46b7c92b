//! An apply leads to where a plan finds nothing to do: from nothing, after any change, and after any interruption.

mod changes;
mod conditions;
mod deployments;
mod destroy;
mod edge;
mod fleet;
mod isolation;
mod privileges;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod versions;

use gwctl::sandbox::Sandbox;
use support::project::{ENVIRONMENTS, Project};
use support::world::{counts, effective, only_api, served};
use support::{Session, addresses};

/// The first apply of every product and environment of the repository, side by side in one sandbox.
#[tokio::test(start_paused = true)]
async fn every_environment_converges() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    for (product, env) in ENVIRONMENTS {
        let session = Session::open(project.root(), product, env, &sandbox).await;
        let plan = session.apply().await;
        assert_eq!(plan.summary().add, 11, "{product}/{env}: {:?}", addresses(&plan));
        assert_eq!(plan.steps.len(), 11, "{product}/{env}");
    }
    for (product, env) in ENVIRONMENTS {
        let session = Session::open(project.root(), product, env, &sandbox).await;
        session.assert_converged(&format!("{product}/{env}")).await;
    }
    let expected = [
        ("deployment", 8),
        ("iam-role", 16),
        ("ip-set", 0),
        ("lambda-function", 16),
        ("log-group", 32),
        ("rest-api", 8),
        ("security-group", 0),
        ("stage", 8),
        ("vpc-link", 0),
        ("web-acl", 0),
    ];
    assert_eq!(counts(&sandbox).into_iter().collect::<Vec<_>>(), expected);
}

/// The list above is the repository's.
#[test]
fn every_environment_is_tested() {
    let mut found = Vec::new();
    for product in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/environments")).unwrap() {
        let product = product.unwrap();
        if !product.file_type().unwrap().is_dir() {
            continue;
        }
        for env in std::fs::read_dir(product.path()).unwrap() {
            let env = env.unwrap().path();
            let stem = env.file_stem().unwrap().to_str().unwrap().to_owned();
            found.push((product.file_name().into_string().unwrap(), stem));
        }
    }
    found.sort();
    let mut listed = ENVIRONMENTS.map(|(product, env)| (product.to_owned(), env.to_owned()));
    listed.sort();
    assert_eq!(found, listed);
}

/// What is deployed is what was imported.
#[tokio::test(start_paused = true)]
async fn the_first_deployment_holds_the_document() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let session = Session::open(project.root(), "product-a", "preprod", &sandbox).await;
    session.apply().await;
    let api = only_api(&sandbox);
    let snapshot = effective(&served(&api).snapshot);
    assert_eq!(snapshot, effective(&api.definition));
    let methods = snapshot["methods"].as_object().unwrap();
    assert_eq!(methods.len(), 2 * 12, "OPTIONS and ANY of each of the routes: {:?}", methods.keys());
    assert!(methods.contains_key("ANY /payment-service/api/v1/payout/{payoutId}/confirm"));
}

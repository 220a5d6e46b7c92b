//! AWS as it can be: limited, eventual, unreliable. An apply waits for what only takes a while, and what it could not do
//! the next one does.

use std::time::Duration;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::{Conditions, Quotas};
use serde_json::json;

use crate::support::Session;
use crate::support::project::{DEV, ENVIRONMENTS, Project};
use crate::support::world::counts;

/// The call by which an apply waits for a function.
const WAITS: &str = "GetFunctionConfiguration";

async fn session(project: &Project, sandbox: &Sandbox) -> Session {
    Session::open(project.root(), "product-a", "dev", sandbox).await
}

#[tokio::test(start_paused = true)]
async fn what_is_new_may_take_a_few_tries() {
    for tries in [1, 3, 6] {
        let project = Project::new();
        let sandbox = Sandbox::in_memory().under(Conditions::none().eventual(tries));
        session(&project, &sandbox).await.apply().await;
        assert!(sandbox.counters().total.not_yet > 0, "nothing was ever not ready");
        // A change of everything that may not be ready: code and settings.
        project.zip("authorizer.zip", "the next authorizer");
        project.edit(DEV, |env| env["authorizer"]["auth_host"] = json!("other.example.com"));
        session(&project, &sandbox).await.apply().await;
        session(&project, &sandbox).await.assert_converged(&format!("{tries} tries")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_not_ready_yet_is_waited_for() {
    let project = Project::new();
    let slow = Conditions::none().eventual(12).latency("50ms".parse().unwrap());
    let sandbox = Sandbox::in_memory().under(slow);
    // An apply reads a function's configuration to wait for it; so it has been made then.
    let waits = || sandbox.counters().services.get("lambda").is_some_and(|lambda| lambda.contains_key(WAITS));
    let made = async {
        while !waits() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let first = session(&project, &sandbox).await;
    let plan = first.plan().await.unwrap();
    tokio::select! {
        applied = first.carry_out(&plan) => panic!("the apply got to its end: {:?}", applied.into_failure()),
        () = made => {}
    }
    drop(first);
    project.zip("authorizer.zip", "the next authorizer");
    session(&project, &sandbox).await.apply().await;
    session(&project, &sandbox).await.assert_converged("after the crash").await;
}

#[tokio::test(start_paused = true)]
async fn every_environment_of_an_account_fits_into_its_quotas() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory().under(Conditions::none().quotas(Quotas::Aws));
    let all = ENVIRONMENTS.iter().filter(|(product, env)| *product == "product-a" && *env != "prod");
    for (product, env) in all.clone() {
        Session::open(project.root(), product, env, &sandbox).await.apply().await;
    }
    for (product, env) in all {
        let session = Session::open(project.root(), product, env, &sandbox).await;
        session.assert_converged(env).await;
        session.destroy().await;
    }
    assert!(sandbox.counters().total.throttles > 0, "the quotas were never felt");
    assert!(counts(&sandbox).values().all(|count| *count == 0), "{:?}", counts(&sandbox));
}

#[tokio::test(start_paused = true)]
async fn a_bad_day_costs_tries_and_nothing_else() {
    for seed in 0..12 {
        let project = Project::new();
        let faults =
            ["throttle:*:5%", "error:*:5%", "cut-before:*:5%", "cut-after:*:5%"].map(|fault| fault.parse().unwrap());
        let bad = faults.into_iter().fold(Conditions::none().seed(seed), Conditions::fault);
        let sandbox = Sandbox::in_memory();
        let shaken = sandbox.clone().under(bad);
        // However it ends, nothing is left behind that the next apply does not know.
        let first = session(&project, &shaken).await;
        if let Ok(plan) = first.plan().await {
            first.carry_out(&plan).await;
        }
        assert!(shaken.counters().total.faults > 0, "seed {seed}: nothing went wrong");
        session(&project, &sandbox).await.apply().await;
        session(&project, &sandbox).await.assert_converged(&format!("seed {seed}")).await;
        assert_eq!(counts(&sandbox)["rest-api"], 1, "seed {seed}");
        assert_eq!(counts(&sandbox)["deployment"], 1, "seed {seed}");
    }
}

//! What `gwctl policy` prints is enough, and no more than enough: enforced by the sandbox, which reads from requests what AWS
//! asks of policies, and knows nothing of gwctl's own list. The tables of `settings` and the example of `edge` run under the
//! printed policies, too.

use std::collections::BTreeSet;

use gwctl::aws::guard::is_read;
use gwctl::kinds::Registry;
use gwctl::permissions::{self, Purpose};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::authorization::Enforced;
use serde_json::{Value, json};

use crate::settings::lay;
use crate::support::Session;
use crate::support::policy::{documents, enforced, granted, under};
use crate::support::project::{DEV, ENVIRONMENTS, Project};
use crate::support::world::counts;

/// From nothing to nothing, with what is printed for each environment of the repository.
#[tokio::test(start_paused = true)]
async fn every_environment_lives_and_goes_on_the_printed_policy() {
    let project = Project::whole();
    let sandbox = Sandbox::in_memory();
    for (product, env) in ENVIRONMENTS {
        let may = |purpose| under(&sandbox, &granted(project.root(), product, env, purpose));
        let changing = may(Purpose::Change);
        let session = Session::open(project.root(), product, env, &changing).await;
        session.apply().await;
        let looking = Session::open(project.root(), product, env, &may(Purpose::Look)).await;
        looking.assert_converged(&format!("{product}/{env}, looked at")).await;
        let plan = looking.plan_destroy().await.unwrap();
        let failure = looking.carry_out(&plan).await.into_failure().expect("who may only look changes nothing");
        assert!(format!("{failure:?}").contains("not authorized to perform"), "{failure:?}");
        session.destroy().await;
        // What could be done without would be no failure.
        assert_eq!(changing.counters().total.denied, 0, "{product}/{env}: {:#?}", changing.counters());
    }
    assert!(counts(&sandbox).values().all(|count| *count == 0), "{:?}", counts(&sandbox));
}

/// The actions of documents.
fn actions(documents: &[Value]) -> BTreeSet<String> {
    let statements = documents.iter().flat_map(|document| document["Statement"].as_array().unwrap());
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn who_only_looks_may_change_nothing() {
    let project = Project::whole();
    for (product, env) in ENVIRONMENTS {
        let looking = actions(&documents(project.root(), product, env, Purpose::Look));
        assert!(looking.len() > 10, "{looking:?}");
        for action in &looking {
            let name = action.split_once(':').unwrap().1;
            assert!(is_read(name) || action == "apigateway:GET", "{action}");
        }
        let changing = actions(&documents(project.root(), product, env, Purpose::Change));
        assert!(looking.is_subset(&changing) && looking.len() < changing.len(), "{looking:?}");
    }
}

/// The read-only guard and the declarations agree on what reads, and every call is known to IAM's side.
#[test]
fn declared_calls_are_told_apart_as_the_guard_does() {
    for kind in Registry::new([].into()).kinds() {
        let calls = kind.calls();
        for read in calls.looks() {
            let name = read.split_once(':').unwrap().1;
            assert!(is_read(name), "{}: {read}", kind.name());
        }
        for write in calls.writes {
            assert!(!is_read(write.split_once(':').unwrap().1), "{}: {write}", kind.name());
        }
        let distinct: BTreeSet<&str> = calls.all().collect();
        assert_eq!(distinct.len(), calls.all().count(), "{}: each once", kind.name());
        for call in calls.all() {
            assert!(permissions::is_known(call), "{}: {call}", kind.name());
        }
    }
}

/// An environment with most of what a gate can have.
fn rich() -> Project {
    let project = Project::new();
    project.edit(DEV, |env| {
        let much = json!({
            "waf": {},
            "alarms": {"error_rate_percent": 1, "authorizer_errors": 5},
            "authorizer": {"provisioned_concurrency": 3},
        });
        lay(&much, env);
    });
    project
}

/// Actions that the life below misses, of every service that it needs most: a sample of what is printed.
const MISSED: [&str; 6] = [
    "apigateway:DELETE",
    "apigateway:PATCH",
    "apigateway:UpdateRestApiPolicy",
    "iam:CreateRole",
    "iam:CreateServiceLinkedRole",
    "iam:DeleteRolePolicy",
];

/// A life under policies: made, looked at, changed, and gone.
async fn life(policies: &Enforced) -> Result<(), String> {
    let (project, sandbox) = (rich(), Sandbox::in_memory());
    let sandbox = under(&sandbox, policies);
    let whole = project.read(DEV);
    for change in
        [json!({}), json!({"tags": {"team": "edge"}, "retention_in_days": 90, "data_trace": false}), json!({})]
    {
        let mut now = whole.clone();
        lay(&change, &mut now);
        project.edit(DEV, |env| *env = now);
        let client = gwctl::sandbox::connector::Connector::new(sandbox.clone()).client();
        let session = Session::found(project.root(), "product-a", "dev", client).await;
        let session = session.map_err(|failure| failure.to_string())?;
        let plan = session.plan().await.map_err(|failure| failure.to_string())?;
        let failure = session.carry_out(&plan).await.into_failure();
        failure.map_or(Ok(()), |failure| Err(failure.to_string()))?;
        let again = session.plan().await.map_err(|failure| failure.to_string())?;
        if !again.is_empty() || !again.warnings.is_empty() {
            return Err(format!("{:?}", again.warnings));
        }
    }
    let client = gwctl::sandbox::connector::Connector::new(sandbox).client();
    let session = Session::found(project.root(), "product-a", "dev", client).await.map_err(|why| why.to_string())?;
    let plan = session.plan_destroy().await.map_err(|failure| failure.to_string())?;
    session.carry_out(&plan).await.into_failure().map_or(Ok(()), |failure| Err(failure.to_string()))
}

/// The documents without one action.
fn without(documents: &[Value], action: &str) -> Vec<Value> {
    let mut all = documents.to_vec();
    for document in &mut all {
        let statements = document["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut() {
            statement["Action"].as_array_mut().unwrap().retain(|one| one != action);
        }
        statements.retain(|statement| !statement["Action"].as_array().unwrap().is_empty());
    }
    all.retain(|document| !document["Statement"].as_array().unwrap().is_empty());
    all
}

/// Without one of them, something fails: the sandbox asks for each, and the life above does all that it is for.
#[tokio::test(start_paused = true)]
async fn what_is_printed_is_needed() {
    let all = documents(rich().root(), "product-a", "dev", Purpose::Change);
    life(&enforced(&all)).await.expect("what is printed is enough");
    for action in MISSED {
        assert!(actions(&all).contains(action), "{action} is printed");
        let failure = life(&enforced(&without(&all, action))).await.expect_err(action);
        assert!(failure.contains(action), "{action}: {failure}");
    }
}

//! Which deployments stay, and which is served.

use gwctl::plan::{self, Action, Reason};
use gwctl::sandbox::Sandbox;

use crate::support::project::{DEV, Project};
use crate::support::world::{effective, only_api, served};
use crate::support::{Session, addresses};

async fn session(project: &Project, sandbox: &Sandbox) -> Session {
    Session::open(project.root(), "product-a", "dev", sandbox).await
}

#[tokio::test(start_paused = true)]
async fn five_deployments_stay_and_the_newest_is_served() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    session(&project, &sandbox).await.apply().await;
    for number in 1..=6 {
        project.add_route("normal_path", &format!("/route-{number}/{{proxy+}}"));
        session(&project, &sandbox).await.apply().await;
        let api = only_api(&sandbox);
        let newest = api.deployments.last().unwrap();
        assert_eq!(served(&api).id, newest.id, "after change {number}");
        assert!(newest.snapshot.at_path(&format!("/route-{number}/{{proxy+}}")).is_some(), "after change {number}");
        session(&project, &sandbox).await.assert_converged(&format!("after change {number}")).await;
    }
    assert_eq!(only_api(&sandbox).deployments.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_state_is_served_by_the_deployment_it_had() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    session(&project, &sandbox).await.apply().await;
    let first = served(&only_api(&sandbox)).id.clone();
    let before = project.read(DEV);
    project.add_route("white_path", "/new-service/{proxy+}");
    session(&project, &sandbox).await.apply().await;
    assert_ne!(served(&only_api(&sandbox)).id, first);

    project.edit(DEV, |env| *env = before);
    let session = session(&project, &sandbox).await;
    let plan = session.apply().await;
    let expected = ["gate/rest-api/gateway", "gate/stage/gateway"];
    assert_eq!(addresses(&plan).into_iter().collect::<Vec<_>>(), expected);
    let api = only_api(&sandbox);
    assert_eq!(served(&api).id, first);
    assert_eq!(api.deployments.len(), 2);
    assert_eq!(effective(&served(&api).snapshot), effective(&api.definition));
    session.assert_converged("back").await;
}

/// The oldest goes, and only once the stage has moved. The time is made up: the test is faster than AWS's clock of whole
/// seconds.
#[tokio::test(start_paused = true)]
async fn the_oldest_is_pruned_after_the_stage_moved() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    session(&project, &sandbox).await.apply().await;
    for number in 1..=4 {
        project.add_route("normal_path", &format!("/route-{number}/{{proxy+}}"));
        session(&project, &sandbox).await.apply().await;
    }
    project.add_route("normal_path", "/last/{proxy+}");
    let session = session(&project, &sandbox).await;
    let mut live = session.observe().await.unwrap();
    let ids: Vec<String> = only_api(&sandbox).deployments.into_iter().map(|deployment| deployment.id).collect();
    for one in live.get_mut("deployment").unwrap() {
        one.created = ids.iter().position(|id| id == &one.name).map(|age| i64::try_from(age).unwrap());
    }
    let plan = session.plan_from(&live, plan::build).unwrap();
    let pruned: Vec<_> = plan.steps.iter().filter(|step| step.action == Action::Delete).collect();
    let [pruned] = pruned.as_slice() else { panic!("one deployment goes: {:#?}", plan.steps) };
    assert_eq!((pruned.address.kind(), pruned.reason), ("deployment", Reason::Superseded));
    assert_eq!(pruned.name.as_ref(), ids.first());
    let waits_for: Vec<&str> = pruned.after_steps.iter().map(gwctl::model::Address::as_str).collect();
    assert!(waits_for.contains(&"gate/stage/gateway"), "{waits_for:?}");
}

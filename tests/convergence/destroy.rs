//! What a destroy removes, and what gwctl never touches.

use gwctl::aws::tags;
use gwctl::error::FailureKind;
use gwctl::plan::Action;
use gwctl::sandbox::Sandbox;
use serde_json::json;

use crate::support::Session;
use crate::support::project::{DEV, Project};
use crate::support::world::{accounts, counts};

const OURS: [&str; 4] = [tags::PRODUCT, tags::ENVIRONMENT, tags::ADDRESS, tags::DIGEST];

#[tokio::test(start_paused = true)]
async fn nothing_of_ours_is_left_and_the_neighbour_is_untouched() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    let neighbour = Session::open(project.root(), "product-a", "staging", &sandbox).await;
    neighbour.apply().await;
    let before = accounts(&sandbox).to_string();

    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    session.apply().await;
    let tag = r#""gwctl:environment":"dev""#;
    let path = "/gwctl/product-a/dev/ap-southeast-1/";
    assert!(accounts(&sandbox).to_string().contains(tag) && accounts(&sandbox).to_string().contains(path));
    let plan = session.destroy().await;
    assert!(plan.steps.iter().all(|step| step.action == Action::Delete), "{:#?}", plan.steps);
    assert_eq!(accounts(&sandbox).to_string(), before, "byte for byte as before");
    assert!(session.plan_destroy().await.unwrap().is_empty());
    neighbour.assert_converged("the neighbour").await;
}

/// What an older configuration made is ours too, though the new one has no name for it.
#[tokio::test(start_paused = true)]
async fn what_is_no_longer_named_goes_too() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    Session::open(project.root(), "product-a", "dev", &sandbox).await.apply().await;
    project.edit(DEV, |env| env["app_group"] = json!("shop"));
    project.edit(DEV, |env| env["gateway_stage_name"] = json!("v1"));
    Session::open(project.root(), "product-a", "dev", &sandbox).await.destroy().await;
    assert!(counts(&sandbox).values().all(|count| *count == 0), "{:?}", counts(&sandbox));
}

/// Takes gwctl's tags off one resource.
async fn disown(session: &Session, kind: &str, name: &str) {
    let live = session.observe().await.unwrap();
    let resource = live[kind].iter().find(|one| one.name == name).expect("it exists");
    let arn = resource.outputs.get("arn").unwrap_or_default();
    let keys: Vec<String> = OURS.map(str::to_owned).into();
    let clients = &session.aws.write;
    match kind {
        "iam-role" => drop(clients.iam.untag_role().role_name(name).set_tag_keys(Some(keys)).send().await.unwrap()),
        "lambda-function" => {
            drop(clients.lambda.untag_resource().resource(arn).set_tag_keys(Some(keys)).send().await.unwrap());
        }
        "log-group" => {
            drop(clients.logs.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await.unwrap());
        }
        _ => {
            drop(clients.apigateway.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await.unwrap());
        }
    }
}

/// The kinds that have names of their own in AWS, and one resource of each.
const NAMED: [(&str, &str); 5] = [
    ("log-group", "/aws/apigateway/product-a-gateway-dev"),
    ("iam-role", "product-a-authorizer-dev-ap-southeast-1"),
    ("lambda-function", "product-a-api-authorizer-dev"),
    ("rest-api", "product-a-gateway-dev"),
    ("stage", "dev"),
];

#[tokio::test(start_paused = true)]
async fn a_resource_under_our_name_without_our_tags_stops_an_apply() {
    for (kind, name) in NAMED {
        let (project, sandbox) = (Project::new(), Sandbox::in_memory());
        let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
        session.apply().await;
        disown(&session, kind, name).await;
        let failure = session.plan().await.expect_err(kind);
        assert_eq!(failure.kind(), FailureKind::Ownership, "{failure}");
        let text = failure.to_string();
        assert!(text.contains(kind) && text.contains(&format!("`{name}`")), "{text}");
        assert!(!failure.hints().is_empty(), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroy_leaves_what_is_not_ours() {
    // Neither a stage, which goes with its API, nor an API, which would be left without its authorizers.
    for (kind, name) in &NAMED[..3] {
        let (project, sandbox) = (Project::new(), Sandbox::in_memory());
        let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
        session.apply().await;
        let before = counts(&sandbox);
        disown(&session, kind, name).await;
        session.destroy().await;
        let left: Vec<(&str, usize)> = counts(&sandbox).into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(left, [(*kind, 1)], "{kind} of {before:?}");
    }
}

/// An API that has lost its tags goes on serving; its authorizers must not be taken from under it.
#[tokio::test(start_paused = true)]
async fn a_destroy_does_not_break_an_api_that_lost_its_tags() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    session.apply().await;
    let before = counts(&sandbox);
    disown(&session, "rest-api", "product-a-gateway-dev").await;
    let failure = session.plan_destroy().await.expect_err("a destroy would break it");
    assert_eq!(failure.kind(), FailureKind::Ownership, "{failure}");
    assert_eq!(counts(&sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_stage_keeps_its_api() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    session.apply().await;
    disown(&session, "stage", "dev").await;
    let failure = session.plan_destroy().await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Ownership);
    assert!(failure.to_string().contains("stage `dev`"), "{failure}");
}

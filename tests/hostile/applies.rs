//! Answers of AWS, spoilt on their way to an apply: whatever that comes to, the next apply, undisturbed, finishes the work,
//! with exactly one of each.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;

use crate::spoil::{Way, ways};
use crate::support::Session;
use crate::support::project::Project;
use crate::support::world::counts;
use crate::transport::{Change, Spoiling, with_body};
use crate::{chosen, words};

async fn apply_through(project: &Project, transport: &Spoiling, when: &str) {
    let session = Session::found(project.root(), "product-a", "dev", transport.client()).await;
    let failure = match session {
        Err(failure) => Some(failure),
        Ok(session) => match session.plan().await {
            Err(failure) => Some(failure),
            Ok(plan) => session.carry_out(&plan).await.into_failure(),
        },
    };
    if let Some(failure) = failure {
        assert_eq!(words(&failure), None, "{when}: {failure}");
    }
}

async fn finish(project: &Project, sandbox: &Sandbox, when: &str) {
    let session = Session::open(project.root(), "product-a", "dev", sandbox).await;
    session.apply().await;
    session.assert_converged(when).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_apply_may_be_answered_anything() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let undisturbed = Spoiling::nothing(Connector::new(sandbox.clone()));
    apply_through(&project, &undisturbed, "undisturbed").await;
    finish(&project, &sandbox, "undisturbed").await;
    let expected = counts(&sandbox);
    let answers = undisturbed.answers().into_iter().enumerate();
    let cases: Vec<(usize, String, Way)> = answers
        .flat_map(|(at, answer)| {
            ways(&answer, "123456789012").into_iter().map(move |way| (at, answer.which.0.clone(), way))
        })
        .collect();
    for (at, name, way) in chosen(cases, 40) {
        let sandbox = Sandbox::in_memory();
        let inner = Connector::new(sandbox.clone());
        // Ids are new in each sandbox, so that calls are known by their order.
        let transport = Spoiling::new(inner, move |_, number| number == at, Arc::clone(&way.change));
        let when = format!("answer {at}, {name}: {}", way.label);
        apply_through(&project, &transport, &when).await;
        finish(&project, &sandbox, &when).await;
        assert_eq!(counts(&sandbox), expected, "{when}");
    }
}

/// A list that repeats its token, or never ends, ends in an error that says so.
#[tokio::test(start_paused = true)]
async fn pages_without_end_are_given_up() {
    let project = Project::new();
    let turned = Arc::new(std::sync::atomic::AtomicU64::new(0));
    for repeats in [true, false] {
        let sandbox = Sandbox::in_memory();
        let turned = Arc::clone(&turned);
        let change: Change = Arc::new(move |answer| {
            let number = turned.fetch_add(u64::from(!repeats), std::sync::atomic::Ordering::Relaxed);
            let body = format!(r#"{{"item":[],"position":"next {number}"}}"#);
            // The sandbox does not know the tokens, and refuses them.
            let mut whole = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body));
            *whole.headers_mut() = with_body(answer, SdkBody::empty()).headers().clone();
            whole.headers_mut().remove("x-amzn-errortype");
            whole
        });
        let spoilt = |which: &crate::transport::Which, _| which.0.starts_with("apigateway GET /restapis?");
        let transport = Spoiling::new(Connector::new(sandbox), spoilt, change);
        let session = Session::through(project.root(), "product-a", "dev", transport.client()).await;
        let said = session.plan().await.unwrap_err().to_string();
        assert!(said.contains("failed to list the REST APIs") && said.contains("page"), "{said}");
    }
}

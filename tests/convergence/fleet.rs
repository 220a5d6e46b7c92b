//! Many environments in one account and Region: one process works on all of them, keeps to AWS's request rates so well that AWS
//! never refuses a call, and is nearly as quick as these rates allow.
//!
//! Time is virtual: what the sandbox's quotas and latency make long takes no time here.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use aws_smithy_types::retry::RetryConfig;
use futures::StreamExt as _;
use gwctl::aws::{Lists, Pace};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::{Conditions, Counters, Quotas};
use gwctl::sandbox::connector::Connector;
use serde_json::json;
use tokio::time::Instant;

use crate::support::Session;
use crate::support::project::{DEV, Project};

/// So many environments of product-a, `e0` and on, each with a gate of its own.
fn fleet(count: usize) -> (Project, Vec<String>) {
    let project = Project::new();
    let dev = project.read(DEV);
    let names: Vec<String> = (0..count).map(|index| format!("e{index}")).collect();
    let targets = project.root().join("environments/targets.toml");
    let mut text = fs::read_to_string(&targets).unwrap();
    for name in &names {
        let mut env = dev.clone();
        env["gateway_stage_name"] = json!(name);
        fs::write(project.root().join(format!("environments/product-a/{name}.json")), env.to_string()).unwrap();
        text.extend(["\n[", name, "]\naccount = \"123456789012\"\nregion = \"ap-southeast-1\"\n"]);
    }
    fs::write(targets, text).unwrap();
    (project, names)
}

/// AWS as it is at its best: answers take a while, and not always the same.
fn limited() -> Sandbox {
    let latency = "50ms..100ms".parse().unwrap();
    Sandbox::in_memory().under(Conditions::none().quotas(Quotas::Aws).latency(latency))
}

/// The sessions of one process.
async fn sessions(project: &Project, names: &[String], sandbox: &Sandbox) -> Vec<Session> {
    let pace = Pace::default();
    let open =
        names.iter().map(|name| Session::keeping_rates(project.root(), "product-a", name, sandbox, pace.clone()));
    futures::future::join_all(open).await
}

/// Applies all, so many at a time, as a run does.
async fn apply_all(sessions: &[Session], at_once: usize) {
    let applies = futures::stream::iter(sessions).map(Session::apply).buffered(at_once);
    applies.collect::<Vec<_>>().await;
}

/// The least time that AWS's rates leave for calls: that of the scarcest bucket. Reckoned from AWS's tables, and not by the
/// code that is tested: calls in so many seconds, and how many at once.
fn bound(counters: &Counters) -> Duration {
    let gateway = &counters.services["apigateway"];
    let calls = |operation: &str| gateway.get(operation).map_or(0, |tally| tally.calls);
    let rows = [
        (calls("CreateDeployment"), 5.0, 1.0),
        (calls("CreateRestApi"), 3.0, 1.0),
        (calls("PutRestApi"), 1.0, 1.0),
        (calls("DeleteRestApi"), 30.0, 1.0),
        (calls("GetResources"), 0.4, 5.0),
        (gateway.values().map(|tally| tally.calls).sum(), 0.1, 40.0),
    ];
    let seconds =
        rows.map(|(calls, period, burst)| (f64::from(u32::try_from(calls).unwrap()) - burst).max(0.0) * period);
    Duration::from_secs_f64(seconds.into_iter().fold(0.0, f64::max))
}

#[tokio::test(start_paused = true)]
async fn a_fleet_is_never_refused_and_as_quick_as_the_quotas_allow() {
    // What an apply takes that no quota is to blame for: roles, functions and APIs are made before the first deployment, and
    // stages after the last.
    let alone = Duration::from_secs(8);
    for count in [1, 10, 40] {
        let (project, names) = fleet(count);
        let sandbox = limited();
        let sessions = sessions(&project, &names, &sandbox).await;
        let begun = Instant::now();
        apply_all(&sessions, 16).await;
        let (took, counters) = (begun.elapsed(), sandbox.counters());
        let bound = bound(&counters);
        println!("first apply of {count}: {took:?}, bound {bound:?}, {} calls", counters.total.calls);
        assert_eq!(counters.total.throttles, 0, "{count}: {:#?}", counters.services);
        assert!(took.mul_f64(0.9) <= bound + alone, "{count}: {took:?} for {bound:?}");
    }
}

/// The calls of a plan of an environment with nothing to do, one of a fleet.
#[tokio::test(start_paused = true)]
async fn what_a_region_holds_is_listed_once_for_all_of_a_fleet() {
    let (project, names) = fleet(8);
    let sandbox = limited();
    let sessions = sessions(&project, &names, &sandbox).await;
    apply_all(&sessions, 16).await;
    for count in [1, 8] {
        sandbox.conditions().reset_counters();
        let (lists, begun) = (Lists::default(), Instant::now());
        let plans = sessions.iter().take(count).map(|session| session.plan_beside(&lists));
        assert!(futures::future::join_all(plans).await.iter().all(gwctl::plan::Plan::is_empty));
        let (took, counters) = (begun.elapsed(), sandbox.counters());
        let calls = |operation: &str| counters.services["apigateway"].get(operation).map_or(0, |tally| tally.calls);
        println!("nothing to do for {count}: {took:?}, {} calls: {:?}", counters.total.calls, counters.services);
        for shared in ["GetRestApis", "GetDomainNames", "GetAccount"] {
            assert!(calls(shared) <= 1, "{count}: {shared} {}", calls(shared));
        }
        assert_eq!((calls("GetResources"), counters.total.throttles), (count as u64, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_and_a_destroy_of_a_fleet_keep_to_the_rates_too() {
    let (project, names) = fleet(12);
    let sandbox = limited();
    let sessions = sessions(&project, &names, &sandbox).await;
    apply_all(&sessions, 16).await;
    let begun = Instant::now();
    let plans = futures::future::join_all(sessions.iter().map(Session::plan)).await;
    assert!(plans.iter().all(|plan| plan.as_ref().is_ok_and(gwctl::plan::Plan::is_empty)));
    println!("nothing to do for 12: {:?}", begun.elapsed());
    sandbox.conditions().reset_counters();
    let begun = Instant::now();
    futures::future::join_all(sessions.iter().map(Session::destroy)).await;
    let (took, bound) = (begun.elapsed(), bound(&sandbox.counters()));
    println!("destroy of 12: {took:?}, bound {bound:?}");
    assert_eq!(sandbox.counters().total.throttles, 0, "{:#?}", sandbox.counters().services);
    assert!(took.mul_f64(0.9) <= bound + Duration::from_secs(35), "{took:?} for {bound:?}");
}

/// Somebody else who makes deployments and asks for stages, each as often as takes half of what AWS grants, and asks again at once
/// where AWS refuses. Counts the calls that AWS let through.
async fn somebody_else(sandbox: Sandbox, deployments: &AtomicU64) {
    let keys = Credentials::new("123456789012", "s", None, None, "test");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("ap-southeast-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(Connector::new(sandbox).client())
        .retry_config(RetryConfig::disabled())
        .build();
    let gateway = aws_sdk_apigateway::Client::new(&config);
    let refused = |code: Option<&str>| code == Some("TooManyRequestsException");
    let deploys = async {
        loop {
            let call = gateway.create_deployment().rest_api_id("nothing");
            if call.send().await.is_err_and(|error| refused(error.code())) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            } else {
                deployments.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        }
    };
    let asks = async {
        loop {
            let call = gateway.get_stages().rest_api_id("nothing");
            let refused = call.send().await.is_err_and(|error| refused(error.code()));
            tokio::time::sleep(Duration::from_millis(if refused { 10 } else { 200 })).await;
        }
    };
    futures::join!(deploys, asks);
}

#[tokio::test(start_paused = true)]
async fn where_others_use_up_half_of_it_nothing_fails() {
    let (project, names) = fleet(10);
    let sandbox = limited();
    let sessions = sessions(&project, &names, &sandbox).await;
    let (begun, deployments) = (Instant::now(), AtomicU64::new(0));
    tokio::select! {
        () = apply_all(&sessions, 16) => {}
        () = somebody_else(sandbox.clone(), &deployments) => {}
    }
    let (took, deployments) = (begun.elapsed(), deployments.into_inner());
    println!("first apply of 10: {took:?}, beside {deployments} deployments of others");
    let share =
        f64::from(u32::try_from(deployments).unwrap()) / (10.0 + f64::from(u32::try_from(deployments).unwrap()));
    assert!((0.4..0.75).contains(&share), "the others had {deployments} of all deployments");
    // Alone, nine more deployments take 46 s; with half of them 92; and finding out what is left takes time as well.
    assert!(took < Duration::from_secs(200), "{took:?}");
    for session in &sessions {
        session.assert_converged("beside others").await;
    }
}

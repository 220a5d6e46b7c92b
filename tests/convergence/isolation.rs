//! What happens to one product touches no byte of another's, in the same account and Region.

use gwctl::aws::Pace;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::{Conditions, Quotas};
use gwctl::sandbox::connector::Connector;
use serde_json::{Value, json};
use std::fs;

use crate::support::failing::{Failing, Mode};
use crate::support::project::Project;
use crate::support::world::{accounts, counts};
use crate::support::{Session, addresses};

/// The repository's configuration, with product-b where product-a is.
fn neighbours() -> Project {
    let project = Project::new();
    let file = project.root().join("environments/targets.toml");
    let text = fs::read_to_string(&file).unwrap();
    let (shared, own) = text.split_once("[products.").expect("product-b has targets of its own");
    assert!(own.contains("product-b"));
    fs::write(file, shared).unwrap();
    project
}

/// Everything that carries a product's tags, with all that is in it, by where it stands in the world.
fn of_product(value: &Value, product: &str) -> Vec<(String, String)> {
    fn walk(value: &Value, path: &str, product: &str, found: &mut Vec<(String, String)>) {
        let name = |tags: &Value| match tags {
            // IAM keeps the order in which tags came.
            Value::Array(pairs) => pairs.contains(&json!(["gwctl:product", product])),
            map => map.get("gwctl:product").is_some_and(|name| name == product),
        };
        if value.get("tags").is_some_and(name) {
            found.push((path.to_owned(), value.to_string()));
            return;
        }
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, member)| walk(member, &format!("{path}/{name}"), product, found));
            }
            // A place in a list moves when a neighbour goes.
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}/*"), product, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", product, &mut found);
    found
}

#[tokio::test(start_paused = true)]
async fn a_destroy_of_one_product_changes_no_byte_of_another() {
    let (project, sandbox) = (neighbours(), Sandbox::in_memory());
    let b = Session::open(project.root(), "product-b", "dev", &sandbox).await;
    b.apply().await;
    let alone = accounts(&sandbox).to_string();
    let a = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    assert_eq!(a.place, b.place, "else they could not meet");
    a.apply().await;
    a.destroy().await;
    assert_eq!(accounts(&sandbox).to_string(), alone, "byte for byte as before");
    b.assert_converged("the neighbour").await;
}

/// Every write of the apply fails in turn, and what it leaves behind is destroyed.
#[tokio::test(start_paused = true)]
async fn a_failing_apply_of_one_product_changes_no_byte_of_another() {
    let project = neighbours();
    let counting = Failing::new(Connector::new(Sandbox::in_memory()), Mode::Cut, 0);
    Session::through(project.root(), "product-a", "dev", counting.client()).await.apply().await;
    for at in (1..=counting.writes()).step_by(3) {
        let sandbox = Sandbox::in_memory();
        let b = Session::open(project.root(), "product-b", "dev", &sandbox).await;
        b.apply().await;
        let (alone, its_own) = (accounts(&sandbox).to_string(), of_product(&accounts(&sandbox), "product-b"));
        // One API with all that is in it, two roles, two functions, four log groups.
        assert_eq!(its_own.len(), 9, "{its_own:?}");
        let failing = Failing::new(Connector::new(sandbox.clone()), Mode::CutAfterEffect, at);
        let a = Session::through(project.root(), "product-a", "dev", failing.client()).await;
        let plan = a.plan().await.unwrap();
        assert!(!a.carry_out(&plan).await.failed.is_empty(), "write {at}");
        assert_eq!(of_product(&accounts(&sandbox), "product-b"), its_own, "write {at}");
        Session::open(project.root(), "product-a", "dev", &sandbox).await.destroy().await;
        assert_eq!(accounts(&sandbox).to_string(), alone, "write {at}");
    }
}

/// Eight environments at once in one account share its rates: `CreateDeployment` goes once in 5 s, `DeleteRestApi` once in
/// 30 s. All get their turn.
#[tokio::test(start_paused = true)]
async fn environments_side_by_side_share_the_rates_of_their_account() {
    const ENVS: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    let project = neighbours();
    let targets = project.root().join("environments/targets.toml");
    let mut text = fs::read_to_string(&targets).unwrap();
    for env in ENVS {
        text = format!("{text}[{env}]\naccount = \"123456789012\"\nregion = \"ap-southeast-1\"\n");
        let file = |name: &str| project.root().join(format!("environments/product-a/{name}.json"));
        fs::copy(file("dev"), file(env)).unwrap();
    }
    fs::write(targets, text).unwrap();
    let sandbox = Sandbox::in_memory().under(Conditions::none().quotas(Quotas::Aws));
    let pace = Pace::default();
    let open = || ENVS.map(|env| Session::beside(project.root(), "product-a", env, &sandbox, pace.clone()));
    let sessions = futures::future::join_all(open()).await;
    let plans = futures::future::join_all(sessions.iter().map(Session::apply)).await;
    assert!(plans.iter().all(|plan| plan.steps.len() == 11), "{:?}", plans.iter().map(addresses).collect::<Vec<_>>());
    assert!(sandbox.counters().total.throttles > 0, "the rates were never met");
    for session in &sessions {
        session.assert_converged(&session.owner.to_string()).await;
    }
    futures::future::join_all(sessions.iter().map(Session::destroy)).await;
    assert!(counts(&sandbox).values().all(|count| *count == 0), "{:?}", counts(&sandbox));
}

//! What else people hand to gwctl: saved plans, Terraform states, a sandbox's folder, zips.

use std::collections::BTreeMap;
use std::fs;

use gwctl::plan::saved::{Asked, SavedPlan};
use gwctl::sandbox::Sandbox;
use gwctl::takeover::tfstate;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};

use crate::check;
use crate::strategies::{edits, nested, spoil, text};
use crate::support::Session;
use crate::support::project::Project;
use crate::support::world::accounts;

/// A text that is cut, or has something else in it.
fn bitten(text: &str, at: Index, word: Option<&str>) -> String {
    let at = text.floor_char_boundary(at.index(text.len().max(1)));
    match word {
        None => text[..at].to_owned(),
        Some(word) => format!("{}{word}{}", &text[..at], &text[at..]),
    }
}

/// A saved plan is taken as it was saved, or refused: whatever a change of the file says, nothing else than what was shown is
/// done.
#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_taken_as_it_was_or_not_at_all() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    let plan = session.plan().await.unwrap();
    let saved = SavedPlan::new(Asked::default(), std::slice::from_ref(&plan), &Clone::clone).to_text().unwrap();
    SavedPlan::read(&saved).unwrap().fits(&plan, &plan).unwrap();
    let value: Value = serde_json::from_str(&saved).unwrap();
    let steps = |plan: &gwctl::plan::Plan| serde_json::to_value(&plan.steps).unwrap();
    let held = |text: &str| -> TestCaseResult {
        match SavedPlan::read(text) {
            Err(failure) => prop_assert!(!failure.hints().is_empty(), "{failure}"),
            Ok(read) if read.fits(&plan, &plan).is_ok() => {
                prop_assert!(read.shown().any(|shown| steps(shown) == steps(&plan)), "it shows something else");
            }
            Ok(_) => {}
        }
        Ok(())
    };
    check(60, &edits(3), |edits| held(&spoil(value.clone(), &edits).to_string()));
    check(60, &(any::<Index>(), proptest::option::of(text())), |(at, word)| held(&bitten(&saved, at, word.as_deref())));
    check(20, &prop_oneof![text(), nested(20_000)], |text| held(&text));
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_with_other_digests_owners_or_versions_is_refused() {
    let project = Project::new();
    let session = Session::open(project.root(), "product-a", "dev", &Sandbox::in_memory()).await;
    let plan = session.plan().await.unwrap();
    let saved = SavedPlan::new(Asked::default(), std::slice::from_ref(&plan), &Clone::clone).to_text().unwrap();
    let refused = |at: &str, to: Value| {
        let mut value: Value = serde_json::from_str(&saved).unwrap();
        *value.pointer_mut(at).unwrap_or_else(|| panic!("no {at}")) = to;
        match SavedPlan::read(&value.to_string()) {
            Err(failure) => failure.to_string(),
            Ok(read) => read.fits(&plan, &plan).unwrap_err().to_string(),
        }
    };
    for (at, to, said) in [
        ("/format", json!("gwctl-plan/99"), "the plan was saved by gwctl"),
        ("/gwctl", json!("99.0.0"), "the plan was saved by gwctl 99.0.0"),
        ("/environments", json!([]), "the saved plan was changed"),
        ("/environments/0/steps/0/action", json!("delete"), "the saved plan was changed"),
        ("/environments/0/steps/0/address", json!("gate/iam-role/other"), "the saved plan was changed"),
        ("/environments/0/steps/0/after", json!(format!("sha256:{}", "0".repeat(64))), "no"),
        ("/environments/0/shown/owner/product", json!("product-z"), "the saved plan is not for"),
        ("/environments/0/shown/place/account", json!("999988887777"), "the saved plan is not for"),
        ("/environments/0/shown/steps/0/after", json!({"name": "harmless"}), "shows something else"),
        ("/salt", json!("other"), "no longer fits"),
    ] {
        let shown = refused(at, to);
        assert!(shown.contains(said), "{at}: {shown}");
    }
}

#[test]
fn any_state_is_read_or_refused_with_a_reason() {
    let good = json!({ "version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [{ "mode": "managed", "type": "aws_api_gateway_rest_api", "name": "a",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{ "schema_version": 0, "index_key": "k", "attributes": { "id": "abc", "name": "n",
                "arn": "arn:aws:apigateway:eu-west-1::/restapis/abc", "tags": {} } }] }] });
    tfstate::parse(&good.to_string()).unwrap();
    let held = |text: &str| -> TestCaseResult {
        if let Err(failure) = tfstate::parse(text) {
            prop_assert!(!failure.to_string().is_empty());
            prop_assert!(!failure.hints().is_empty() || !failure.causes().is_empty(), "{failure}");
        }
        Ok(())
    };
    check(200, &edits(5), |edits| held(&spoil(good.clone(), &edits).to_string()));
    let whole = good.to_string();
    check(60, &(any::<Index>(), proptest::option::of(text())), |(at, word)| held(&bitten(&whole, at, word.as_deref())));
    check(40, &prop_oneof![text(), nested(60_000)], |text| held(&text));
}

/// A damaged state of a sandbox is refused by name, and left as it is.
#[tokio::test(start_paused = true)]
async fn a_damaged_sandbox_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new();
    let sandbox = Sandbox::open(folder.path()).unwrap();
    Session::open(project.root(), "product-a", "dev", &sandbox).await.apply().await;
    drop(sandbox);
    let path = folder.path().join("state.json");
    let whole = fs::read_to_string(&path).unwrap();
    let (head, body) = whole.split_once('\n').unwrap();
    let value: Value = serde_json::from_str(body).unwrap();
    let refused = |text: String| -> TestCaseResult {
        fs::write(&path, &text).unwrap();
        if let Err(failure) = Sandbox::open(folder.path()).and_then(|sandbox| sandbox.world()) {
            let said = failure.to_string();
            prop_assert!(said.contains("state.json"), "{said}");
            prop_assert_eq!(fs::read_to_string(&path).unwrap(), text, "it was written to");
        }
        Ok(())
    };
    check(30, &edits(3), |edits| refused(format!("{head}\n{}\n", spoil(value.clone(), &edits))));
    check(30, &(any::<Index>(), proptest::option::of(text())), |(at, word)| {
        refused(bitten(&whole, at, word.as_deref()))
    });
    check(20, &prop_oneof![text(), nested(60_000)], |text| refused(format!("{head}\n{text}")));
}

/// What was planned is what is uploaded.
#[tokio::test(start_paused = true)]
async fn a_zip_that_changed_since_the_plan_is_not_uploaded() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    let plan = session.plan().await.unwrap();
    project.zip("authorizer.zip", "something else");
    let said = session.carry_out(&plan).await.into_failure().unwrap().to_string();
    assert!(said.contains("authorizer.zip is not the zip that was planned"), "{said}");
    let regions = &accounts(&sandbox);
    let functions: BTreeMap<String, Value> = regions
        .as_object()
        .unwrap()
        .values()
        .flat_map(|account| account["regions"].as_object().unwrap().values())
        .flat_map(|region| region["lambda"]["functions"].as_object().unwrap().clone())
        .collect();
    assert_eq!(functions, BTreeMap::new());
    Session::open(project.root(), "product-a", "dev", &sandbox).await.apply().await;
}

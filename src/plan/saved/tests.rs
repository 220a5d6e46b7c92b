//! What a saved plan holds, and what it refuses.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::model::{Observed, Outputs, Ownership};
use crate::plan::Reason;

fn place() -> Place {
    Place { account: "111122223333".into(), region: "eu-central-1".into(), partition: "aws".into() }
}

fn step(name: &str, before: Option<Value>, after: Option<Value>) -> Step {
    let address = Address::new("gate", "lambda-function", name);
    let live = before.map(|spec| Observed {
        name: name.into(),
        within: None,
        spec,
        outputs: Outputs::default(),
        ownership: Ownership::Ours { address: address.clone(), digest: None },
        created: None,
        in_use_by: None,
    });
    Step {
        action: match (&live, &after) {
            (None, _) => Action::Create,
            (_, None) => Action::Delete,
            _ => Action::Update,
        },
        address,
        name: None,
        reason: Reason::ConfigurationChanged,
        forced_by: Vec::new(),
        changes: Vec::new(),
        after,
        live,
        after_steps: Vec::new(),
        retires_after: Vec::new(),
        old_ones_first: Vec::new(),
        labels: BTreeMap::new(),
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    let owner = Owner { product: "product-a".into(), environment: "prod".into() };
    Plan { owner, place: place(), steps, unchanged: Vec::new(), warnings: Vec::new() }
}

/// What a reporter leaves of a plan, here: no specs at all.
fn bare(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for step in &mut plan.steps {
        step.after = None;
        step.live = None;
    }
    plan
}

fn saved(steps: Vec<Step>) -> SavedPlan {
    let saved = SavedPlan::new(Asked::default(), &[plan(steps)], &bare);
    SavedPlan::read(&saved.to_text().unwrap()).unwrap()
}

fn secret() -> Vec<Step> {
    vec![step("authorizer", Some(json!({"memory": 1})), Some(json!({"environment": {"API_KEY": "hunter2"}})))]
}

#[test]
fn the_same_plan_fits_and_no_secret_is_in_the_file() {
    let saved = saved(secret());
    saved.fits(&plan(secret()), &bare(&plan(secret()))).unwrap();
    let text = saved.to_text().unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    // Nor the digest that the resource's tag has.
    let plain = Digest::of(&json!({"environment": {"API_KEY": "hunter2"}}));
    assert!(!text.contains(plain.as_str()), "{text}");
}

#[test]
fn what_moved_is_said() {
    let (before, after) = (|| Some(json!({"memory": 1})), || Some(json!({"memory": 2})));
    let saved = saved(vec![step("a", before(), after())]);
    let says = |now: Vec<Step>| {
        let failure = saved.fits(&plan(now.clone()), &bare(&plan(now))).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Refused);
        failure.causes().join("; ")
    };
    let a = "gate/lambda-function/a";
    assert_eq!(says(vec![step("a", Some(json!({"memory": 9})), after())]), format!("{a} changed in AWS since"));
    assert_eq!(
        says(vec![step("a", before(), Some(json!({"memory": 9})))]),
        format!("the configuration of {a} changed since")
    );
    assert_eq!(
        says(vec![step("a", Some(json!({})), Some(json!({})))]),
        format!("{a} changed since, in the configuration and in AWS")
    );
    assert_eq!(says(Vec::new()), format!("{a} is as wanted now, and was not then"));
    assert_eq!(
        says(vec![step("a", before(), after()), step("b", before(), after())]),
        "gate/lambda-function/b is to be changed now, and was not then: the configuration changed"
    );
    // The same resource is to go instead.
    assert!(says(vec![step("a", before(), None)]).contains(a));
}

#[test]
fn it_is_bound_to_its_environment_and_place() {
    let saved = saved(secret());
    let mut elsewhere = plan(secret());
    elsewhere.place.account = "999988887777".into();
    assert!(
        saved
            .fits(&elsewhere, &bare(&elsewhere))
            .unwrap_err()
            .to_string()
            .contains("not for product-a/prod in 999988887777")
    );
    let mut other = plan(secret());
    other.owner.product = "product-b".into();
    assert!(saved.fits(&other, &bare(&other)).is_err());
    assert!(saved.has(&plan(Vec::new()).owner, &place()));
}

#[test]
fn what_is_shown_is_what_is_done() {
    let text = saved(secret()).to_text().unwrap();
    let mut edited: Value = serde_json::from_str(&text).unwrap();
    let refused = |edited: &Value| SavedPlan::read(&edited.to_string()).unwrap_err().to_string();
    let shown = edited["environments"][0]["shown"]["steps"].take();
    edited["environments"][0]["shown"]["steps"] = json!([]);
    assert!(refused(&edited).contains("was changed"));
    edited["environments"][0]["shown"]["steps"] = shown;
    // A word that only the reader sees.
    edited["environments"][0]["shown"]["steps"][0]["reason"] = json!("record_only");
    let other = SavedPlan::read(&edited.to_string()).unwrap();
    let now = plan(secret());
    assert!(other.fits(&now, &bare(&now)).unwrap_err().to_string().contains("shows something else"));
    edited["environments"] = json!([]);
    assert!(refused(&edited).contains("was changed"));
}

#[test]
fn what_is_no_plan_of_this_version_is_refused() {
    let text = saved(secret()).to_text().unwrap();
    let version = format!("\"gwctl\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    let says = |text: &str| SavedPlan::read(text).unwrap_err().to_string();
    assert!(says(&text.replace(&version, "\"gwctl\": \"9.9.9\"")).contains("saved by gwctl 9.9.9"));
    assert!(says(&text.replace(FORMAT, "gwctl-plan/99")).contains("saved by gwctl"));
    for wrong in ["", "[]", "{}", "null", r#"{"format": 1}"#, r#"{"format": "terraform"}"#, &text[..text.len() / 2]] {
        assert!(says(wrong).contains("no saved plan of gwctl"), "{wrong}");
    }
    assert!(says(&text.replace("\"salt\"", "\"pepper\"")).contains("pepper"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(says(&deep).contains("no saved plan of gwctl"));
}

//! Records as they are made and read.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::model::{Digest, Outputs};
use crate::plan::Unchanged;

fn owner() -> Owner {
    Owner { product: "product-a".into(), environment: "dev".into() }
}

fn live(address: &Address, digest: Option<&str>, spec: Value) -> Observed {
    Observed {
        name: "x".into(),
        within: None,
        spec,
        outputs: Outputs::default(),
        ownership: Ownership::Ours { address: address.clone(), digest: digest.map(str::to_owned) },
        created: None,
        in_use_by: None,
    }
}

fn step(address: &str, action: Action, live: Option<Observed>, after: Option<Value>) -> Step {
    Step {
        address: Address::parse(address).unwrap(),
        name: None,
        action,
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

fn plan(steps: Vec<Step>, unchanged: &[(&str, &str)]) -> Plan {
    let unchanged = unchanged.iter().map(|(address, digest)| {
        let address = Address::parse(address).unwrap();
        Unchanged { live: live(&address, Some(digest), json!({})), address }
    });
    Plan {
        owner: owner(),
        place: Place { account: "111122223333".into(), region: "eu-central-1".into(), partition: "aws".into() },
        unchanged: unchanged.collect(),
        steps,
        warnings: Vec::new(),
    }
}

fn applied(ended: Vec<Ended>) -> Applied {
    let failed = ended.iter().filter(|one| matches!(one, Ended::Failed(_))).count();
    let done = ended.iter().filter(|one| matches!(one, Ended::Done(_))).count();
    let address = Address::new("gate", "x", "x");
    Applied {
        outputs: BTreeMap::from([(Address::new("gate", "deployment", "abc"), Outputs::from_iter([("id", "dep2")]))]),
        failed: (0..failed).map(|_| (address.clone(), Failure::new(FailureKind::Aws, "no"))).collect(),
        skipped: ended.len() - done - failed,
        ended,
        done,
        interrupted: false,
        ended_by: None,
    }
}

fn record(plan: &Plan, applied: &Applied) -> Record {
    let by = Origin { caller: "arn:aws:iam::111122223333:user/anna".into(), host: "h".into(), ..Origin::default() };
    let circumstances = Circumstances { deed: Deed::Apply, began: jiff::Timestamp::now(), by };
    Record::of(plan, applied, &circumstances, &|text| text.replace("hunter2", "(sensitive)"))
}

fn digest(text: &str) -> Digest {
    Digest::of(&json!(text))
}

#[test]
fn a_record_says_what_stands_whatever_became_of_the_steps() {
    let known = |address: &str| live(&Address::parse(address).unwrap(), Some("old"), json!({}));
    let steps = vec![
        step("gate/iam-role/made", Action::Create, None, Some(json!({}))),
        step("gate/iam-role/changed", Action::Update, Some(known("gate/iam-role/changed")), Some(json!({}))),
        step("gate/iam-role/not-changed", Action::Update, Some(known("gate/iam-role/not-changed")), Some(json!({}))),
        step("gate/iam-role/not-made", Action::Create, None, Some(json!({}))),
        step(
            "gate/iam-role/replaced",
            Action::ReplaceCreateFirst,
            Some(known("gate/iam-role/replaced")),
            Some(json!({})),
        ),
        step("gate/iam-role/cut", Action::ReplaceDeleteFirst, Some(known("gate/iam-role/cut")), Some(json!({}))),
        step("gate/iam-role/gone", Action::Delete, Some(known("gate/iam-role/gone")), None),
        step("gate/iam-role/stays", Action::Delete, Some(known("gate/iam-role/stays")), None),
        // The old one of an address whose new one stands.
        step("gate/iam-role/changed", Action::Delete, Some(known("gate/iam-role/changed")), None),
    ];
    let failed = || Ended::Failed(Failure::new(FailureKind::Aws, "the password hunter2 was refused"));
    let ended = vec![
        Ended::Done(Some(digest("made"))),
        Ended::Done(Some(digest("changed"))),
        failed(),
        failed(),
        Ended::Done(Some(digest("replaced"))),
        failed(),
        Ended::Done(None),
        Ended::NotBegun,
        Ended::Done(None),
    ];
    let record = record(&plan(steps, &[("gate/iam-role/same", "same")]), &applied(ended));
    let stands: Vec<(String, String)> =
        record.applied.iter().map(|(address, digest)| (address.name().to_owned(), digest.clone())).collect();
    let hex = |text: &str| digest(text).as_str().to_owned();
    let wanted = [
        ("changed", hex("changed")),
        ("made", hex("made")),
        ("not-changed", "old".to_owned()),
        ("replaced", hex("replaced")),
        ("same", "same".to_owned()),
        ("stays", "old".to_owned()),
    ];
    assert_eq!(stands, wanted.map(|(name, digest)| (name.to_owned(), digest)));
    assert_eq!(record.result, Ending::Failed);
    assert_eq!(record.steps[2].failure.as_deref(), Some("the password (sensitive) was refused"));
    assert_eq!(record.steps.iter().filter(|step| step.done).count(), 5);
}

#[test]
fn a_record_says_what_the_stages_serve() {
    let address = Address::new("gate", "stage", "gateway");
    let before = live(&address, Some("old"), json!({ "deployment": "dep1" }));
    let after = json!({ "deployment": { "$output": "gate/deployment/abc#id" }, "canary": { "deployment": "dep3", "percent": 5.0 } });
    let steps = vec![step("gate/stage/gateway", Action::Update, Some(before), Some(after))];
    let plan = plan(steps, &[]);
    let done = record(&plan, &applied(vec![Ended::Done(Some(digest("new")))]));
    let served = &done.serves[&address];
    assert_eq!((served.deployment.as_str(), served.before.as_deref()), ("dep2", Some("dep1")));
    assert_eq!(served.canary, Some(("dep3".to_owned(), 5.0)));
    let failed = record(&plan, &applied(vec![Ended::Failed(Failure::new(FailureKind::Aws, "no"))]));
    assert_eq!(failed.serves[&address].deployment, "dep1", "it serves what it served");
}

#[test]
fn a_record_is_read_as_it_was_written_and_strangers_are_passed_over() {
    let steps = vec![step("gate/iam-role/made", Action::Create, None, Some(json!({})))];
    let record = record(&plan(steps, &[]), &applied(vec![Ended::Done(Some(digest("made")))]));
    let line = record.line().unwrap();
    assert!(!line.contains('\n'), "{line}");
    assert_eq!(Record::read(&line).unwrap().as_ref(), Some(&record));
    for stranger in ["", "no json", "[]", "{}", r#"{"format":1}"#, r#"{"format":"1"}"#] {
        assert_eq!(Record::read(stranger).unwrap(), None, "{stranger}");
    }
    let newer = Record::read(r#"{"format":99}"#).unwrap_err();
    assert_eq!(newer.hints(), ["update gwctl"]);

    let (records, failures) = newest_first([line.clone(), "x".into(), line, r#"{"format":99}"#.into()]);
    assert_eq!((records.len(), failures.len()), (1, 1));
}

#[test]
fn a_record_fits_into_an_event() {
    let many: Vec<Step> = (0..5000)
        .map(|number| step(&format!("gate/iam-role/r{number}"), Action::Create, None, Some(json!({}))))
        .collect();
    let long = "x".repeat(200);
    let ended = many.iter().map(|_| Ended::Failed(Failure::new(FailureKind::Aws, long.clone()))).collect();
    let line = record(&plan(many, &[("gate/iam-role/same", "same")]), &applied(ended)).line().unwrap();
    assert!(line.len() <= LARGEST);
    let read = Record::read(&line).unwrap().unwrap();
    assert_eq!((read.steps.len(), read.applied.len()), (0, 1));
}

#[test]
fn records_stand_in_the_access_logs_groups() {
    let addresses =
        ["system/log-group/access", "gate/log-group/access", "gate/log-group/waf", "eu-west-1/edge/log-group/access"];
    let addresses = addresses.map(|address| Address::parse(address).unwrap());
    let names = ["/s", "/g", "/w", "/e"];
    let found = groups(addresses.iter().zip(names).map(|(address, name)| (address, Some(name))));
    assert_eq!(found, ["/e", "/g", "/s"]);
}

#[test]
fn callers_are_known_by_what_follows_the_account() {
    let who = |arn: &str| Origin { caller: arn.into(), ..Origin::default() }.who().to_owned();
    assert_eq!(who("arn:aws:iam::111122223333:user/anna"), "user/anna");
    assert_eq!(who("arn:aws:sts::111122223333:assumed-role/deploy/ci-4711"), "assumed-role/deploy/ci-4711");
    assert_eq!(who(""), "somebody");
}

#[test]
fn a_record_goes_where_the_log_group_stands_now() {
    let address = Address::new("gate", "log-group", "access");
    let named = |name: &str| Outputs::from_iter([("name", name)]);
    let mut old = live(&address, Some("old"), json!({}));
    old.outputs = named("/aws/apigateway/before");
    let made = step("gate/log-group/access", Action::Create, None, Some(json!({})));
    let goes = step("gate/log-group/access", Action::Delete, Some(old), None);
    let renamed = plan(vec![made, goes], &[]);
    let mut done = applied(vec![Ended::Done(Some(digest("new"))), Ended::Done(None)]);
    done.outputs.insert(address.clone(), named("/aws/apigateway/since"));
    let to = |ended: &Applied| group_of(&record(&renamed, ended), &renamed, ended);
    assert_eq!(to(&done).as_deref(), Some("/aws/apigateway/since"));
    // Nothing was begun: the old one stands.
    assert_eq!(to(&applied(vec![Ended::NotBegun, Ended::NotBegun])).as_deref(), Some("/aws/apigateway/before"));
}

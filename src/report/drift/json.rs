//! Drift as one JSON object: `resource_drift` as `terraform show -json` has it, and what is ours alone beside it.

use serde_json::{Value, json};

use super::super::json::{FORMAT_VERSION, change, resource};
use super::super::planned::failure_json;
use super::{step, total};
use crate::drift::{Deed, Finding, Looked, Standing, Who};

/// Every environment in one object. With more than one, addresses begin with product and environment,
/// `product-a/dev/gate/rest-api/gateway`, and with the Region as well where an environment has several.
///
/// `before` is what was last applied, `after` what AWS holds; where the configuration changed as well, `before` is null and
/// `gwctl.fields` go from the configuration to AWS. What is unmanaged has the action `create`.
#[must_use]
pub fn drift_json(all: &[Looked]) -> Value {
    let several = all.len() > 1;
    let (mut found, mut environments) = (Vec::new(), Vec::new());
    for one in all {
        let prefix = if several { format!("{}/", one.owner) } else { String::new() };
        let mut about = json!({
            "product": one.owner.product,
            "environment": one.owner.environment,
            "account": one.place.account,
            "region": one.place.region,
            "partition": one.place.partition,
        });
        match &one.drift {
            Err(failure) => {
                about["status"] = "failed".into();
                about["failure"] = failure_json(failure);
            }
            Ok(drift) => {
                found.extend(drift.found().filter(|one| one.standing.is_drift()).map(|one| drifted(one, &prefix)));
                let summary = drift.summary();
                about["status"] = match (summary.unknown, summary.drift()) {
                    (0, 0) => "in_sync",
                    (0, _) => "drift",
                    _ => "incomplete",
                }
                .into();
                about["summary"] = json!(summary);
                about["quick"] = drift.quick.into();
                about["pending"] = drift
                    .pending
                    .iter()
                    .map(|one| {
                        json!({
                            "address": format!("{prefix}{}", one.address),
                            "reason": one.reason,
                            "fields": one.changes.iter().map(|change| &change.path).collect::<Vec<_>>(),
                        })
                    })
                    .collect();
                let unknown = drift.found().filter(|one| one.standing == Standing::Unknown);
                about["unknown"] = unknown
                    .map(|one| {
                        json!({
                            "address": format!("{prefix}{}", one.address), "why": one.notes,
                        })
                    })
                    .collect();
                about["warnings"] = json!(drift.warnings);
            }
        }
        environments.push(about);
    }
    let complete = all.iter().all(|one| one.drift.as_ref().is_ok_and(|drift| drift.summary().unknown == 0));
    json!({
        "format_version": FORMAT_VERSION,
        "gwctl_version": env!("CARGO_PKG_VERSION"),
        "resource_drift": found,
        "complete": complete,
        "errored": !complete,
        "drift": { "summary": total(all), "environments": environments },
    })
}

fn drifted(finding: &Finding, prefix: &str) -> Value {
    let step = step(finding);
    let (actions, before): (&[&str], _) = match finding.standing {
        Standing::Missing => (&["delete"], step.before()),
        Standing::Unmanaged => (&["create"], None),
        _ if finding.both_moved => (&["update"], None),
        _ => (&["update"], step.before()),
    };
    let mut members = resource(&finding.address, prefix);
    members.insert("change".to_owned(), change(actions, before, step.after.as_ref()));
    let fields: Vec<Value> = step
        .changes
        .iter()
        .map(|change| json!({ "path": change.path, "before": change.before, "after": change.after }))
        .collect();
    let mut about = json!({
        "standing": finding.standing,
        "name_in_aws": finding.name,
        "configuration_changed": finding.both_moved,
        "fields": fields,
        "notes": finding.notes,
        "settle": finding.settle,
    });
    match &finding.who {
        Who::NotAsked => {}
        Who::CannotSay(why) => about["who"] = json!({ "cannot_say": why }),
        Who::Known(deeds) => about["who"] = json!({ "events": deeds.iter().map(deed).collect::<Vec<_>>() }),
    }
    members.insert("gwctl".to_owned(), about);
    members.into()
}

fn deed(deed: &Deed) -> Value {
    json!({ "time": super::time(deed.time), "event": deed.event, "user": deed.user })
}

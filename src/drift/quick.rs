//! Drift by tags alone: one list of the Resource Groups Tagging API, held against the digests of what is wanted.
//!
//! It sees tags that were removed or changed, resources that are gone, and configuration that was not applied. A change of a
//! setting leaves the tags as they were, so it is not seen here.

use std::collections::BTreeMap;

use super::classify::judged;
use super::{Drift, Finding, Pending, Standing, settle};
use crate::error::Result;
use crate::model::{Address, Desired, Digest, Outputs, Owner, Place, Reference, Rules, references, resolve};
use crate::plan::{Reason, Warning};

/// Kinds whose resources the tagging service lists in their own Region. Roles it does not know; deployments, versions,
/// aliases, records and mappings take no tags; what is global it lists in another Region (aws-facts A).
const LISTED: [&str; 16] = [
    "alarm",
    "domain-name",
    "execution-log-group",
    "firehose-stream",
    "http-api",
    "http-stage",
    "http-vpc-link",
    "ip-set",
    "lambda-function",
    "log-group",
    "rest-api",
    "security-group",
    "stage",
    "vpc-link",
    "wafv2-rule-group",
    "web-acl",
];

/// Everything that is judged from.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose.
    pub owner: &'a Owner,
    /// Where.
    pub place: &'a Place,
    /// What the configuration wants.
    pub desired: &'a [Desired],
    /// Outputs that follow from names alone.
    pub predicted: &'a BTreeMap<Address, Outputs>,
    /// The kinds' rules.
    pub rules: &'a Rules,
    /// What is tagged as the owner's: address, ARN and digest.
    pub tagged: &'a [(Address, String, Option<String>)],
    /// The digests of the last apply, where it is on record.
    pub applied: Option<&'a BTreeMap<Address, String>>,
}

/// Judges every resource that has tags to judge by.
pub fn judge(input: &Input<'_>) -> Result<Drift> {
    let (mut findings, mut pending) = (Vec::new(), Vec::new());
    let mut unseen = 0_usize;
    for one in input.desired {
        if !LISTED.contains(&one.address.kind()) {
            unseen += 1;
            continue;
        }
        let tagged = input.tagged.iter().find(|(address, ..)| *address == one.address);
        match tagged {
            None => missing(input, one, &mut findings, &mut pending),
            Some((_, _, digest)) => compare(input, one, digest.as_deref(), &mut findings, &mut pending)?,
        }
    }
    for finding in &mut findings {
        finding.settle = settle::of(finding, input.owner);
    }
    findings.sort_by(|a, b| a.address.cmp(&b.address));
    let message = format!(
        "only tags were looked at: a setting that somebody changed is not seen, nor are {unseen} resources that have no \
         tags there (roles, deployments, versions, aliases, records, mappings)"
    );
    let hint = Some("run `gwctl drift` without --quick to read them".to_owned());
    let warnings = vec![Warning { message, hint }];
    let (owner, place) = (input.owner.clone(), input.place.clone());
    Ok(Drift { owner, place, findings, pending, warnings, quick: true })
}

fn missing(input: &Input<'_>, one: &Desired, findings: &mut Vec<Finding>, pending: &mut Vec<Pending>) {
    let name = one.name().map(str::to_owned);
    let applied = input.applied.map_or(!input.tagged.is_empty(), |applied| applied.contains_key(&one.address));
    if applied {
        let note = "nothing carries its tags: it is gone, or lost them".to_owned();
        findings.push(judged(&one.address, name, Standing::Missing, Some(note)));
    } else {
        pending.push(Pending { address: one.address.clone(), name, reason: Reason::Missing, changes: Vec::new() });
    }
}

fn compare(
    input: &Input<'_>,
    one: &Desired,
    digest: Option<&str>,
    findings: &mut Vec<Finding>,
    pending: &mut Vec<Pending>,
) -> Result<()> {
    let name = one.name().map(str::to_owned);
    let recorded = input.applied.and_then(|applied| applied.get(&one.address)).map(String::as_str);
    let wanted = wanted(input, one)?;
    let (standing, note) = match (digest, recorded) {
        (None, _) => (Standing::Drifted, Some("it lost its tag gwctl:digest, or its apply did not finish")),
        (Some(tag), Some(recorded))
            if tag != recorded && wanted.as_ref().is_none_or(|wanted| wanted.as_str() != tag) =>
        {
            (Standing::Drifted, Some("its tag gwctl:digest is not what the last apply wrote"))
        }
        _ => (Standing::InSync, None),
    };
    if standing == Standing::InSync && wanted.is_some_and(|wanted| Some(wanted.as_str()) != digest) {
        let reason = Reason::ConfigurationChanged;
        pending.push(Pending { address: one.address.clone(), name: name.clone(), reason, changes: Vec::new() });
    }
    findings.push(judged(&one.address, name, standing, note.map(str::to_owned)));
    Ok(())
}

/// The digest of what is wanted, unless it takes more than names and tags to know it.
fn wanted(input: &Input<'_>, one: &Desired) -> Result<Option<Digest>> {
    let spec = resolve(&one.spec, &|Reference { address, output }| {
        let known = input.predicted.get(address).and_then(|outputs| outputs.get(output)).map(str::to_owned);
        known.or_else(|| {
            let (_, arn, _) = input.tagged.iter().find(|(tagged, ..)| tagged == address)?;
            match (address.kind(), output.as_str()) {
                ("rest-api" | "http-api" | "vpc-link" | "http-vpc-link", "id") => {
                    arn.rsplit('/').next().map(str::to_owned)
                }
                ("rest-api" | "stage", "arn") => Some(arn.clone()),
                _ => None,
            }
        })
    });
    if !references(&spec).is_empty() {
        return Ok(None);
    }
    let spec = match input.rules.get(one.address.kind()) {
        Some(rules) if spec != one.spec => (rules.canonical)(spec)?,
        _ => spec,
    };
    Ok(Some(Digest::of(&spec)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Input as Text;
    use serde_json::json;

    const API: &str = "gate/rest-api/gateway";
    const STAGE: &str = "gate/stage/gateway";

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn judge(tags: &[(&str, &str, Option<&str>)], applied: Option<&BTreeMap<Address, String>>) -> Drift {
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let place = Place { account: "1".repeat(12), region: "eu-central-1".into(), partition: "aws".into() };
        let desired = [
            Desired { address: address(API), spec: json!({"name": "g"}), labels: BTreeMap::new() },
            Desired {
                address: address(STAGE),
                spec: json!({"name": "dev", "rest_api": Text::output(&address(API), "id")}),
                labels: BTreeMap::new(),
            },
            Desired { address: address("gate/iam-role/r"), spec: json!({"name": "r"}), labels: BTreeMap::new() },
        ];
        let tagged: Vec<_> =
            tags.iter().map(|(at, arn, digest)| (address(at), (*arn).to_owned(), digest.map(str::to_owned))).collect();
        let (predicted, rules) = (BTreeMap::new(), Rules::new());
        super::judge(&Input {
            owner: &owner,
            place: &place,
            desired: &desired,
            predicted: &predicted,
            rules: &rules,
            tagged: &tagged,
            applied,
        })
        .unwrap()
    }

    fn standings(drift: &Drift) -> Vec<(&str, Standing)> {
        drift.findings.iter().map(|one| (one.address.as_str(), one.standing)).collect()
    }

    #[test]
    fn tags_tell_what_is_gone_what_lost_them_and_what_was_not_applied() {
        let api = Digest::of(&json!({"name": "g"}));
        let stage = Digest::of(&json!({"name": "dev", "rest_api": "abc"}));
        let (api_arn, stage_arn) =
            ("arn:aws:apigateway:r::/restapis/abc", "arn:aws:apigateway:r::/restapis/abc/stages/dev");
        let all = judge(&[(API, api_arn, Some(api.as_str())), (STAGE, stage_arn, Some(stage.as_str()))], None);
        assert_eq!(standings(&all), [(API, Standing::InSync), (STAGE, Standing::InSync)]);
        assert!(all.pending.is_empty() && all.warnings[0].message.contains("nor are 1 resources"));
        let lost = judge(&[(API, api_arn, None)], None);
        assert_eq!(standings(&lost), [(API, Standing::Drifted), (STAGE, Standing::Missing)]);
        let changed = judge(&[(API, api_arn, Some("old")), (STAGE, stage_arn, Some(stage.as_str()))], None);
        assert_eq!(changed.pending[0].address.as_str(), API);
        assert_eq!(standings(&changed)[0], (API, Standing::InSync));
        let record = BTreeMap::from([(address(API), "older".to_owned())]);
        let touched = judge(&[(API, api_arn, Some("old"))], Some(&record));
        assert_eq!(standings(&touched), [(API, Standing::Drifted)]);
        assert_eq!(touched.pending[0].address.as_str(), STAGE, "no apply made it");
        assert!(judge(&[], None).findings.is_empty(), "nothing was ever applied");
    }
}

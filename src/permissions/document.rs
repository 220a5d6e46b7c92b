//! IAM policy documents, and how many of them it takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Characters of a managed policy, white space not counted (IAM's guide, "IAM and STS quotas").
pub const LIMIT: usize = 6144;

/// One thing that is to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    /// What it is on, in a word: the `Sid` of its statement begins so.
    pub(super) topic: &'static str,
    /// The service that a role may be passed to.
    pub(super) passed_to: Option<&'static str>,
    /// `lambda:GetFunction`
    pub(super) action: &'static str,
    /// ARNs, or `*`.
    pub(super) resources: Vec<String>,
}

/// What the actions of one statement have in common: topic, the service that a role is passed to, resources.
type Group<'a> = (&'a str, Option<&'a str>, BTreeSet<String>);

/// The statements that allow all of it, each action on its resources and no others, in an order of their own.
pub(super) fn statements(grants: impl IntoIterator<Item = Grant>) -> Vec<Value> {
    let mut resources: BTreeMap<(&str, Option<&str>, &str), BTreeSet<String>> = BTreeMap::new();
    for Grant { topic, passed_to, action, resources: of } in grants {
        resources.entry((topic, passed_to, action)).or_default().extend(of);
    }
    let mut actions: BTreeMap<Group<'_>, BTreeSet<&str>> = BTreeMap::new();
    for ((topic, passed_to, action), resources) in resources {
        actions.entry((topic, passed_to, resources)).or_default().insert(action);
    }
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let statement = |((topic, passed_to, resources), actions): ((_, Option<&str>, _), BTreeSet<&str>)| {
        let number = numbers.entry(topic).or_default();
        *number += 1;
        let sid = if *number == 1 { topic.to_owned() } else { format!("{topic}{number}") };
        let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources });
        if let Some(service) = passed_to {
            statement["Condition"] = json!({ "StringEquals": { "iam:PassedToService": service } });
        }
        statement
    };
    actions.into_iter().map(statement).collect()
}

/// The characters that IAM counts. Nothing in what is written here has white space.
fn size(value: &Value) -> usize {
    value.to_string().chars().count()
}

/// The statements in as few documents as their order allows, each within [`LIMIT`].
pub(super) fn documents(statements: Vec<Value>) -> Vec<Value> {
    let document = |statements: &[Value]| json!({ "Version": "2012-10-17", "Statement": statements });
    let mut all: Vec<Vec<Value>> = vec![Vec::new()];
    for piece in statements.into_iter().flat_map(pieces) {
        let last = all.last_mut().filter(|last| {
            let with = [last.as_slice(), std::slice::from_ref(&piece)].concat();
            last.is_empty() || size(&document(&with)) <= LIMIT
        });
        match last {
            Some(last) => last.push(piece),
            None => all.push(vec![piece]),
        }
    }
    all.retain(|statements| !statements.is_empty());
    all.iter().map(|statements| document(statements)).collect()
}

/// A statement that would fill more than half a document by itself, cut in two by its resources, and so on.
fn pieces(statement: Value) -> Vec<Value> {
    let many = statement["Resource"].as_array().cloned().unwrap_or_default();
    if size(&statement) <= LIMIT / 2 || many.len() < 2 {
        return vec![statement];
    }
    let (first, second) = many.split_at(many.len() / 2);
    let part = |resources: &[Value], letter: &str| {
        let mut part = statement.clone();
        part["Resource"] = json!(resources);
        part["Sid"] = json!(format!("{}{letter}", statement["Sid"].as_str().unwrap_or_default()));
        pieces(part)
    };
    [part(first, "A"), part(second, "B")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(topic: &'static str, action: &'static str, resources: &[&str]) -> Grant {
        Grant { topic, passed_to: None, action, resources: resources.iter().map(|one| (*one).to_owned()).collect() }
    }

    #[test]
    fn actions_on_the_same_resources_share_a_statement() {
        let grants = [
            grant("Functions", "lambda:GetFunction", &["f:b", "f:a"]),
            grant("Everything", "tag:GetResources", &["*"]),
            grant("Functions", "lambda:DeleteFunction", &["f:a"]),
            grant("Functions", "lambda:CreateFunction", &["f:a", "f:b"]),
            grant("Functions", "lambda:DeleteFunction", &["f:b", "f:c"]),
        ];
        let expected = json!([
            {"Sid": "Everything", "Effect": "Allow", "Action": ["tag:GetResources"], "Resource": ["*"]},
            {"Sid": "Functions", "Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:GetFunction"],
             "Resource": ["f:a", "f:b"]},
            {"Sid": "Functions2", "Effect": "Allow", "Action": ["lambda:DeleteFunction"],
             "Resource": ["f:a", "f:b", "f:c"]},
        ]);
        assert_eq!(json!(statements(grants.clone())), expected);
        let turned: Vec<Grant> = grants.into_iter().rev().collect();
        assert_eq!(json!(statements(turned)), expected, "whatever the order");
    }

    #[test]
    fn a_role_is_passed_to_one_service() {
        let passed = Grant { passed_to: Some("lambda.amazonaws.com"), ..grant("Pass", "iam:PassRole", &["r"]) };
        let other = Grant { passed_to: Some("firehose.amazonaws.com"), ..passed.clone() };
        let all = statements([passed, other]);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0]["Condition"], json!({"StringEquals": {"iam:PassedToService": "firehose.amazonaws.com"}}));
        assert_eq!((&all[0]["Sid"], &all[1]["Sid"]), (&json!("Pass"), &json!("Pass2")));
    }

    #[test]
    fn what_is_too_long_for_one_document_takes_several() {
        let names: Vec<String> =
            (0..300).map(|number| format!("arn:aws:logs:eu-central-1:123456789012:x:{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = documents(statements([grant("Logs", "logs:A", &names), grant("Other", "x:B", &["*"])]));
        assert!(all.len() > 1, "{}", all.len());
        let mut seen = BTreeSet::new();
        for document in &all {
            assert!(size(document) <= LIMIT, "{}", size(document));
            let mut sids = BTreeSet::new();
            for statement in document["Statement"].as_array().unwrap() {
                assert!(sids.insert(statement["Sid"].to_string()), "{document}");
                seen.extend(statement["Resource"].as_array().unwrap().iter().map(Value::to_string));
            }
        }
        assert_eq!(seen.len(), 301, "nothing is lost");
        assert_eq!(documents(statements([grant("Other", "x:B", &["*"])])).len(), 1);
        assert!(documents(Vec::new()).is_empty());
    }
}

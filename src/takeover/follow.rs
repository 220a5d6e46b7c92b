//! What uses what: from an API to the functions and roles behind its authorizers, from a function to its role and its
//! security group, from a stage to its log group and its web ACL. So most of a gateway is found by its API alone.

use serde_json::Value;

use super::ids::candidate;
use super::{Candidate, Source};
use crate::kinds::execution_log_group;
use crate::model::{Address, Desired, Observed};

/// What a resource that is taken over says of others: candidates for the desired ones of its stack.
#[must_use]
pub fn candidates(address: &Address, live: &Observed, desired: &[Desired]) -> Vec<Candidate> {
    let execution_log = text(&live.spec, "/rest_api").map(|api| execution_log_group::name(api, &live.name));
    let said = match address.kind() {
        "rest-api" => behind_authorizers(&live.spec, address, desired),
        "lambda-function" => vec![
            ("iam-role", "authorizer", text(&live.spec, "/role")),
            ("security-group", "authorizer", only_group(&live.spec)),
        ],
        "stage" => vec![
            ("execution-log-group", address.name(), execution_log.as_deref()),
            ("log-group", "access", text(&live.spec, "/access_log/destination")),
            ("web-acl", "gateway", text(&live.spec, "/web_acl")),
        ],
        _ => Vec::new(),
    };
    let mut found: Vec<Candidate> = Vec::new();
    for (kind, name, text) in said {
        let to = Address::new(address.stack(), kind, name);
        if let Some(text) = text.filter(|_| desired.iter().any(|one| one.address == to)) {
            found.push(candidate(&to, Source::Used(address.clone()), text));
        }
    }
    found
}

/// A kind, a name in addresses, and what the resource is called, if it is told.
type Said<'a> = (&'static str, &'a str, Option<&'a str>);

fn text<'a>(spec: &'a Value, pointer: &str) -> Option<&'a str> {
    spec.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The security group of a function that has but one: of several, nobody knows which was made for it.
fn only_group(spec: &Value) -> Option<&str> {
    match spec.pointer("/vpc/security_group_ids").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => one.as_str(),
        _ => None,
    }
}

fn behind_authorizers<'a>(spec: &'a Value, address: &Address, desired: &'a [Desired]) -> Vec<Said<'a>> {
    let all: Vec<(&String, &Value)> =
        spec.get("authorizers").and_then(Value::as_object).into_iter().flatten().collect();
    let wanted = |name: &str| {
        let to = Address::new(address.stack(), "lambda-function", name);
        desired.iter().find(|one| one.address == to).map(|one| one.address.name())
    };
    let mut said: Vec<Said<'a>> = Vec::new();
    for (name, authorizer) in &all {
        if let Some(role) = text(authorizer, "/credentials") {
            said.push(("iam-role", "authorizer-invocation", Some(role)));
        }
        // An answer that is not kept is the other function's, where there are two.
        let kept = authorizer.get("ttl_seconds").and_then(Value::as_i64) != Some(0);
        let other = name.contains("non-ttl") || name.contains("non_ttl") || (!kept && all.len() > 1);
        let function = wanted("non-ttl-authorizer").filter(|_| other).or(wanted("authorizer").filter(|_| !other));
        if let (Some(function), Some(called)) = (function, text(authorizer, "/uri").and_then(function_of)) {
            said.push(("lambda-function", function, Some(called)));
        }
    }
    said.dedup();
    said
}

/// `…:lambda:path/2015-03-31/functions/arn:aws:lambda:REGION:ACCOUNT:function:NAME/invocations`, without what is around the name.
fn function_of(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once(":function:")?;
    let name = rest.split(['/', ':']).next()?;
    // A name that a stage variable decides is no name.
    (!name.is_empty() && !name.contains('$')).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::model::{Outputs, Ownership};

    fn live(spec: Value) -> Observed {
        Observed {
            name: String::new(),
            within: None,
            spec,
            outputs: Outputs::default(),
            ownership: Ownership::Nobody,
            created: None,
            in_use_by: None,
        }
    }

    fn followed(address: &str, spec: Value) -> Vec<String> {
        let desired: Vec<Desired> = [
            "gate/lambda-function/authorizer",
            "gate/lambda-function/non-ttl-authorizer",
            "gate/iam-role/authorizer",
            "gate/iam-role/authorizer-invocation",
            "gate/log-group/access",
            "gate/security-group/authorizer",
        ]
        .iter()
        .map(|address| Desired { address: Address::parse(address).unwrap(), spec: json!({}), labels: BTreeMap::new() })
        .collect();
        let found = candidates(&Address::parse(address).unwrap(), &live(spec), &desired);
        found.iter().map(|one| format!("{} {}", one.address, one.said())).collect()
    }

    #[test]
    fn an_api_leads_to_functions_and_roles() {
        let uri = |name: &str| {
            format!(
                "arn:aws:apigateway:r:lambda:path/2015-03-31/functions/arn:aws:lambda:r:1:function:{name}/invocations"
            )
        };
        let spec = json!({"authorizers": {
            "a": {"uri": uri("one"), "credentials": "arn:aws:iam::1:role/x/call", "ttl_seconds": 300},
            "b": {"uri": uri("two:live"), "credentials": "arn:aws:iam::1:role/x/call", "ttl_seconds": 0},
            "c": {"uri": uri("${stageVariables.f}"), "ttl_seconds": 300},
        }});
        assert_eq!(
            followed("gate/rest-api/gateway", spec),
            [
                "gate/iam-role/authorizer-invocation call",
                "gate/lambda-function/authorizer one",
                "gate/iam-role/authorizer-invocation call",
                "gate/lambda-function/non-ttl-authorizer two",
            ]
        );
        assert_eq!(followed("system/rest-api/gateway", json!({"authorizers": {"a": {"uri": uri("one")}}})), [""; 0]);
    }

    #[test]
    fn a_function_leads_to_its_role_and_a_stage_to_its_log() {
        let spec = json!({"role": "arn:aws:iam::1:role/run", "vpc": {"security_group_ids": ["sg-1"]}});
        assert_eq!(
            followed("gate/lambda-function/authorizer", spec),
            ["gate/iam-role/authorizer run", "gate/security-group/authorizer sg-1"]
        );
        let spec = json!({"role": "arn:aws:iam::1:role/run", "vpc": {"security_group_ids": ["sg-1", "sg-2"]}});
        assert_eq!(followed("gate/lambda-function/authorizer", spec), ["gate/iam-role/authorizer run"]);
        let spec = json!({"access_log": {"destination": "arn:aws:logs:r:1:log-group:/a/b"}, "web_acl": "arn:x"});
        assert_eq!(followed("gate/stage/gateway", spec), ["gate/log-group/access /a/b"]);
    }
}

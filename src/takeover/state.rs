//! Which resource of a Terraform state belongs to which address: by its name in AWS, and by what the article's modules
//! `gate` and `system` call it.

use crate::kinds::base_path_mapping;
use crate::model::Desired;

use super::ids::candidate;
use super::tfstate::{State, StateResource};
use super::{Candidate, Source};

/// The stack that a resource of the modules is of. The article's second module is called `system-gateway`.
fn stack_of(resource: &StateResource) -> &'static str {
    let is_system = |text: &str| text.to_ascii_lowercase().contains("system");
    if is_system(&resource.module) || is_system(&resource.name) { "system" } else { "gate" }
}

/// What the state says of the desired resources.
#[must_use]
pub fn candidates(state: &State, desired: &[Desired]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for one in desired {
        for resource in &state.resources {
            if let Some(text) = matches(resource, one, desired, state) {
                found.push(candidate(&one.address, Source::State(resource.address.clone()), text));
            }
        }
    }
    found
}

/// The id by which AWS knows the resource, if it is the desired one.
fn matches<'a>(resource: &'a StateResource, one: &'a Desired, desired: &[Desired], state: &State) -> Option<&'a str> {
    let name = one.name().unwrap_or_default();
    let (kind, stack) = (resource.kind.as_str(), one.address.stack());
    let same_stack = stack == stack_of(resource);
    let is = |attribute: &str| resource.get(attribute) == Some(name) && !name.is_empty();
    let alone = || state.resources.iter().filter(|other| other.kind == kind && stack_of(other) == stack).count() == 1;
    let yes = match (one.address.kind(), kind) {
        ("rest-api", "aws_api_gateway_rest_api") => same_stack,
        ("stage", "aws_api_gateway_stage") => same_stack && is("stage_name"),
        ("lambda-function", "aws_lambda_function") => {
            is("function_name")
                || (same_stack && !is_named(resource, "function_name", desired) && called(resource, one))
        }
        ("iam-role", "aws_iam_role") => {
            is("name") || (same_stack && role_of(resource, state) == Some(one.address.name()))
        }
        ("log-group", "aws_cloudwatch_log_group") => {
            is("name") || (same_stack && one.address.name() == "access" && resource.name.contains("execution_logs"))
        }
        ("security-group", "aws_security_group") => same_stack && (is("name") || alone()),
        ("web-acl", "aws_wafv2_web_acl") => is("name") || (same_stack && alone()),
        ("ip-set", "aws_wafv2_ip_set")
        | ("wafv2-rule-group", "aws_wafv2_rule_group")
        | ("firehose-stream", "aws_kinesis_firehose_delivery_stream")
        | ("http-stage", "aws_apigatewayv2_stage")
        | ("http-api", "aws_apigatewayv2_api") => is("name"),
        ("alarm", "aws_cloudwatch_metric_alarm") => is("alarm_name"),
        ("domain-name", "aws_api_gateway_domain_name" | "aws_apigatewayv2_domain_name") => is("domain_name"),
        ("base-path-mapping", "aws_api_gateway_base_path_mapping") => {
            let path = resource.get("base_path").filter(|path| *path != "(none)").unwrap_or_default();
            // Its name is made of both.
            let domain = resource.get("domain_name").unwrap_or_default();
            return (base_path_mapping::name_of(domain, path) == name).then_some(one.name()).flatten();
        }
        ("dns-record", "aws_route53_record") => {
            let fqdn = resource.get("fqdn").or(resource.get("name")).unwrap_or_default();
            fqdn.trim_end_matches('.').eq_ignore_ascii_case(name) && matches!(resource.get("type"), Some("A" | "AAAA"))
        }
        ("s3-bucket", "aws_s3_bucket") => is("bucket"),
        _ => false,
    };
    let id = match kind {
        "aws_api_gateway_rest_api" | "aws_apigatewayv2_api" | "aws_security_group" => "id",
        "aws_api_gateway_stage" => "stage_name",
        "aws_lambda_function" => "function_name",
        "aws_cloudwatch_metric_alarm" => "alarm_name",
        "aws_api_gateway_domain_name" | "aws_apigatewayv2_domain_name" => "domain_name",
        "aws_s3_bucket" => "bucket",
        _ => "name",
    };
    if yes { resource.get(id) } else { None }
}

/// Whether the resource has the very name of a desired one: then it is that one, whatever Terraform calls it.
fn is_named(resource: &StateResource, attribute: &str, desired: &[Desired]) -> bool {
    desired.iter().any(|one| one.address.kind() == "lambda-function" && one.name() == resource.get(attribute))
}

/// Whether Terraform's code calls a resource what its address calls it: `non_ttl_authorizer`.
fn called(resource: &StateResource, one: &Desired) -> bool {
    resource.name.replace('_', "-") == one.address.name()
}

/// The role's name in addresses: a role that functions run under is theirs, the article's `authorizer_execution_role` is the
/// one that API Gateway calls them with.
fn role_of(resource: &StateResource, state: &State) -> Option<&'static str> {
    let arn = resource.get("arn")?;
    let runs = |other: &StateResource| other.kind == "aws_lambda_function" && other.get("role") == Some(arn);
    if state.resources.iter().any(runs) {
        return Some("authorizer");
    }
    let invokes = resource.name == "authorizer_execution_role" || resource.name.contains("invocation");
    invokes.then_some("authorizer-invocation")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::model::Address;
    use crate::takeover::tfstate;

    fn desired(address: &str, name: &str) -> Desired {
        let address = Address::parse(address).unwrap();
        Desired { address, spec: json!({"name": name}), labels: BTreeMap::new() }
    }

    fn state(resources: &[(&str, &str, &str, Value)]) -> State {
        let resources: Vec<Value> = resources
            .iter()
            .map(|(module, kind, name, attributes)| {
                json!({"module": module, "mode": "managed", "type": kind, "name": name,
                    "instances": [{"attributes": attributes}]})
            })
            .collect();
        tfstate::parse(&json!({"version": 4, "resources": resources}).to_string()).unwrap()
    }

    #[test]
    fn the_articles_modules_are_known() {
        let (gate, system) = ("module.api-gateway", "module.system-gateway");
        let arn = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
        let state = state(&[
            (gate, "aws_api_gateway_rest_api", "main_gateway", json!({"id": "aaa"})),
            (system, "aws_api_gateway_rest_api", "main_gateway", json!({"id": "bbb"})),
            (gate, "aws_api_gateway_stage", "main_gateway_stage", json!({"stage_name": "dev", "rest_api_id": "aaa"})),
            (gate, "aws_lambda_function", "authorizer", json!({"function_name": "token-a", "role": arn("run")})),
            (
                gate,
                "aws_lambda_function",
                "non_ttl_authorizer",
                json!({"function_name": "p-api-non-ttl-authorizer-dev", "role": arn("run")}),
            ),
            (gate, "aws_iam_role", "lambda_role", json!({"name": "run", "arn": arn("run")})),
            (gate, "aws_iam_role", "authorizer_execution_role", json!({"name": "call", "arn": arn("call")})),
            (gate, "aws_cloudwatch_log_group", "execution_logs", json!({"name": "/logs"})),
            (gate, "aws_security_group", "lambda_sg", json!({"id": "sg-1", "name": "sg"})),
        ]);
        let desired = [
            desired("gate/rest-api/gateway", "p-gateway-dev"),
            desired("system/rest-api/gateway", "p-system-gateway-dev"),
            desired("gate/stage/gateway", "dev"),
            desired("gate/lambda-function/authorizer", "p-api-authorizer-dev"),
            desired("gate/lambda-function/non-ttl-authorizer", "p-api-non-ttl-authorizer-dev"),
            desired("gate/iam-role/authorizer", "x"),
            desired("gate/iam-role/authorizer-invocation", "y"),
            desired("gate/log-group/access", "/aws/apigateway/p-gateway-dev"),
            desired("gate/log-group/authorizer", "/aws/lambda/p-api-authorizer-dev"),
            desired("gate/security-group/authorizer", "p"),
        ];
        let found = candidates(&state, &desired);
        let found: Vec<(&str, &str)> = found.iter().map(|one| (one.address.as_str(), one.said())).collect();
        assert_eq!(
            found,
            [
                ("gate/rest-api/gateway", "aaa"),
                ("system/rest-api/gateway", "bbb"),
                ("gate/stage/gateway", "dev"),
                ("gate/lambda-function/authorizer", "token-a"),
                ("gate/lambda-function/non-ttl-authorizer", "p-api-non-ttl-authorizer-dev"),
                ("gate/iam-role/authorizer", "run"),
                ("gate/iam-role/authorizer-invocation", "call"),
                ("gate/log-group/access", "/logs"),
                ("gate/security-group/authorizer", "sg-1"),
            ]
        );
    }
}

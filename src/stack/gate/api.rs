//! The parts of the API that are read from the stack's own files, and what of the API a deployment is a snapshot of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::{Faults, Node, suggestion};
use crate::error::{Failure, Result};
use crate::kinds::rest_api::RestApiSpec;
use crate::kinds::rest_api::spec::{DEFAULT_TEMPLATE, GATEWAY_RESPONSES, GatewayResponse};
use crate::model::policy::Policy;
use crate::model::{Digest, references};
use crate::stack::openapi::texts;
use crate::stack::template::{Values, fill};

/// The digest of everything that is in effect only after a redeployment. Names, descriptions, tags and the endpoint type
/// take effect at once.
pub(super) fn snapshot(api: &RestApiSpec) -> Result<Digest> {
    let RestApiSpec {
        name: _,
        description: _,
        endpoint_type: _,
        disable_execute_api_endpoint: _,
        tags: _,
        api_key_source,
        binary_media_types,
        minimum_compression_size,
        policy,
        authorizers,
        gateway_responses,
        routes,
    } = api;
    let parts = json!({
        "api_key_source": api_key_source,
        "binary_media_types": binary_media_types,
        "minimum_compression_size": minimum_compression_size,
        "policy": policy,
        "authorizers": authorizers,
        "gateway_responses": gateway_responses,
        "routes": routes,
    });
    match references(&parts).into_iter().next() {
        None => Ok(Digest::of(&parts)),
        Some(open) => Err(Failure::internal(format!("a deployment can't be told before `{open}` is known"))),
    }
}

/// The resource policy; none where the file holds an empty object.
pub(super) fn policy(node: &Node, values: &Values, faults: &mut Faults) -> Option<Policy> {
    let filled = fill(node, values, faults);
    if filled.members().is_some_and(<[_]>::is_empty) {
        return None;
    }
    let statements = filled.get("Statement").and_then(|member| member.value.items()).unwrap_or_default();
    for statement in statements {
        // API Gateway refuses a resource policy without them; a role's policy has no principal, so that this is said here.
        for (one, other) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")] {
            if statement.get(one).is_none() && statement.get(other).is_none() {
                let hint = format!("add `{one}`: every statement of a resource policy has one");
                faults.error(&statement.span.first(), format!("the statement has no `{one}`"), hint);
            }
        }
    }
    match Policy::parse(&filled.to_json()) {
        Ok(policy) if policy.statements.is_empty() => {
            faults.error(&node.span.first(), "the policy has no statement", "add one, or write `{}` for no policy");
            None
        }
        Ok(policy) => Some(policy),
        Err(why) => {
            faults.error(&node.span.first(), why, "see the grammar of IAM policies in AWS's documentation");
            None
        }
    }
}

/// The gateway responses by type.
pub(super) fn gateway_responses(
    node: &Node,
    values: &Values,
    faults: &mut Faults,
) -> BTreeMap<String, GatewayResponse> {
    let filled = fill(node, values, faults);
    let mut responses = BTreeMap::new();
    for member in filled.members().unwrap_or_default() {
        let Some((_, status)) = GATEWAY_RESPONSES.iter().find(|(kind, _)| *kind == member.key) else {
            let known: Vec<&str> = GATEWAY_RESPONSES.iter().map(|(kind, _)| *kind).collect();
            let message = format!("API Gateway has no response `{}`", member.key);
            faults.error(&member.key_span, message, suggestion(&member.key, &known));
            continue;
        };
        responses.insert(member.key.clone(), gateway_response(&member.value, *status, faults));
    }
    responses
}

/// What is left out is what API Gateway fills in, so that it reads back the same.
fn gateway_response(node: &Node, status: Option<&str>, faults: &mut Faults) -> GatewayResponse {
    let mut response = GatewayResponse {
        status_code: status.map(str::to_owned),
        parameters: BTreeMap::new(),
        templates: BTreeMap::from([("application/json".to_owned(), DEFAULT_TEMPLATE.to_owned())]),
    };
    for member in node.members().unwrap_or_default() {
        match (member.key.as_str(), member.value.to_json()) {
            ("statusCode", Value::String(code)) => response.status_code = Some(code),
            ("statusCode", Value::Number(code)) => response.status_code = Some(code.to_string()),
            ("statusCode", _) => {
                let message = format!("`statusCode` is {}", member.value.type_name());
                faults.error(&member.value.span, message, "write a number: 403");
            }
            ("responseParameters", _) => response.parameters = texts(&member.value, "`responseParameters`", faults),
            ("responseTemplates", _) => response.templates = texts(&member.value, "`responseTemplates`", faults),
            (key, _) => {
                let known = ["statusCode", "responseParameters", "responseTemplates"];
                let message = format!("a gateway response has no `{key}`");
                faults.error(&member.key_span, message, suggestion(key, &known));
            }
        }
    }
    response
}

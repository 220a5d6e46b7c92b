//! The parts of the API that are read from the stack's own files, and what of the API a deployment is a snapshot of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::{Faults, Node, suggestion};
use crate::error::{Failure, Result};
use crate::kinds::rest_api::RestApiSpec;
use crate::kinds::rest_api::spec::{DEFAULT_TEMPLATE, GATEWAY_RESPONSES, GatewayResponse};
use crate::model::policy::Policy;
use crate::model::{Digest, references};
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
    match Policy::parse(&filled.to_json()) {
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
    let texts = |node: &Node| -> BTreeMap<String, String> {
        let members = node.members().unwrap_or_default();
        members.iter().map(|one| (one.key.clone(), one.value.as_str().unwrap_or_default().to_owned())).collect()
    };
    for member in node.members().unwrap_or_default() {
        match (member.key.as_str(), member.value.to_json()) {
            ("statusCode", Value::String(code)) => response.status_code = Some(code),
            ("statusCode", Value::Number(code)) => response.status_code = Some(code.to_string()),
            ("responseParameters", Value::Object(_)) => response.parameters = texts(&member.value),
            ("responseTemplates", Value::Object(_)) => response.templates = texts(&member.value),
            (key @ ("statusCode" | "responseParameters" | "responseTemplates"), _) => {
                let message = format!("`{key}` is {}", member.value.type_name());
                faults.error(&member.value.span, message, "a status is a number; parameters and templates are objects");
            }
            (key, _) => {
                let known = ["statusCode", "responseParameters", "responseTemplates"];
                let message = format!("a gateway response has no `{key}`");
                faults.error(&member.key_span, message, suggestion(key, &known));
            }
        }
    }
    response
}

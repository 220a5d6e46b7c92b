//! The parts of the API that are read from the stack's own files, and what of the API a deployment is a snapshot of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::{Faults, Node, suggestion};
use crate::error::{Failure, Result};
use crate::kinds::rest_api::spec::{Authorizer, DEFAULT_TEMPLATE, GATEWAY_RESPONSES, GatewayResponse};
use crate::model::policy::Policy;
use crate::model::{Digest, references};
use crate::stack::openapi::texts;
use crate::stack::template::{Values, fill};

/// What takes effect at once: names, descriptions, tags and the endpoint type.
const AT_ONCE: [&str; 5] = ["name", "description", "endpoint_type", "vpc_endpoint_ids", "tags"];

/// Takes effect with a stage's next change (API Gateway's guide, "Disable the default endpoint for REST APIs"). An open
/// endpoint is what deployments from before there was this setting have.
const OPEN_ENDPOINT: (&str, &Value) = ("disable_execute_api_endpoint", &Value::Bool(false));

/// The digest of everything that is in effect only after a redeployment: the API's spec but for [`AT_ONCE`], so that a new
/// field is taken to need one until somebody knows better. The authorizers come with the ARNs of what they refer to.
pub(super) fn snapshot(api: &Value, authorizers: &BTreeMap<String, Authorizer>) -> Result<Digest> {
    let authorizers = serde_json::to_value(authorizers)
        .map_err(|error| Failure::internal("the authorizers are no JSON").because(&error))?;
    let members = api.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    let mut parts: BTreeMap<&str, &Value> =
        members.filter(|(name, value)| !AT_ONCE.contains(name) && (*name, *value) != OPEN_ENDPOINT).collect();
    parts.insert("authorizers", &authorizers);
    match parts.values().flat_map(|part| references(part)).next() {
        None => Ok(Digest::of_members(&parts)),
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

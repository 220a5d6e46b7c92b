//! Reads a filled route template, an OpenAPI path item with API Gateway's extensions, into the methods of a REST API.
//!
//! Strict: a member that gwctl could not read back from AWS later is a fault, because a plan could not tell the truth about
//! it. Path parameters need not be spelled out in a template: every one is declared, and passed on where the backend's
//! URL uses it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ingress::parameters;
use crate::config::{Faults, Member, Node, suggestion};
use crate::kinds::rest_api::spec::{DEFAULT_TIMEOUT_MS, Integration, IntegrationResponse, Method, MethodResponse};

/// What a template may refer to.
pub(super) struct Context<'a> {
    /// The path of the route.
    pub(super) path: &'a str,
    /// The names of the authorizers.
    pub(super) authorizers: &'a BTreeSet<String>,
}

const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// The methods of a path item, by HTTP method.
pub(super) fn methods(item: &Node, context: &Context<'_>, faults: &mut Faults) -> BTreeMap<String, Method> {
    let mut found = BTreeMap::new();
    for member in members(item, "a path item", faults) {
        let Some((_, name)) = METHODS.iter().find(|(key, _)| *key == member.key) else {
            unknown(member, METHODS.map(|(key, _)| key).as_slice(), "a path item", faults);
            continue;
        };
        found.insert((*name).to_owned(), method(&member.value, context, faults));
    }
    found
}

fn members<'a>(node: &'a Node, what: &str, faults: &mut Faults) -> &'a [Member] {
    node.members().unwrap_or_else(|| {
        faults.error(&node.span, format!("{what} is {}, not an object", node.type_name()), "write an object: `{…}`");
        &[]
    })
}

fn unknown(member: &Member, known: &[&str], what: &str, faults: &mut Faults) {
    let message = format!("{what} can't have `{}`: gwctl could not tell whether AWS holds it", member.key);
    faults.error(&member.key_span, message, suggestion(&member.key, known));
}

fn text(node: &Node, faults: &mut Faults) -> String {
    match node.to_json() {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => {
            faults.error(&node.span, format!("this is {}, not a string", node.type_name()), "write a string");
            String::new()
        }
    }
}

/// Strings by name.
pub(super) fn texts(node: &Node, what: &str, faults: &mut Faults) -> BTreeMap<String, String> {
    members(node, what, faults).iter().map(|member| (member.key.clone(), text(&member.value, faults))).collect()
}

/// One of a few words, in API Gateway's upper case.
fn word(node: &Node, known: &[&str], faults: &mut Faults) -> String {
    let found = text(node, faults).to_uppercase();
    if !known.contains(&found.as_str()) {
        let message = format!("there is no `{}` here", text(node, &mut Faults::default()));
        faults.error(&node.span, message, format!("one of {}", known.join(", ").to_lowercase()));
    }
    found
}

fn method(node: &Node, context: &Context<'_>, faults: &mut Faults) -> Method {
    let declared = parameters(context.path);
    let mut method = Method {
        authorization: "NONE".to_owned(),
        authorizer: None,
        api_key_required: false,
        request_parameters: declared.iter().map(|name| (format!("method.request.path.{name}"), true)).collect(),
        request_models: BTreeMap::new(),
        request_validator: None,
        integration: None,
        responses: BTreeMap::new(),
    };
    for member in members(node, "an operation", faults) {
        match member.key.as_str() {
            "security" => security(&member.value, context, &mut method, faults),
            "parameters" => declare(&member.value, &mut method, faults),
            "responses" => {
                for response in members(&member.value, "`responses`", faults) {
                    method.responses.insert(response.key.clone(), method_response(&response.value, faults));
                }
            }
            "x-amazon-apigateway-integration" => {
                method.integration = Some(integration(&member.value, &declared, faults));
            }
            _ => unknown(
                member,
                &["security", "parameters", "responses", "x-amazon-apigateway-integration"],
                "an operation",
                faults,
            ),
        }
    }
    if method.integration.is_none() {
        let hint = "add `x-amazon-apigateway-integration`: API Gateway deploys no method that leads nowhere";
        faults.error(&node.span, "an operation has no integration", hint);
    }
    method
}

fn security(node: &Node, context: &Context<'_>, method: &mut Method, faults: &mut Faults) {
    let Some(items) = node.items() else {
        faults.error(&node.span, format!("`security` is {}, not a list", node.type_name()), "write a list: `[…]`");
        return;
    };
    let mut schemes = Vec::new();
    for item in items {
        schemes.extend(members(item, "a security requirement", faults));
    }
    for scheme in schemes {
        if scheme.key == "api_key" {
            method.api_key_required = true;
        } else if !context.authorizers.contains(&scheme.key) {
            let message = format!("there is no authorizer `{}`", scheme.key);
            let hint = "use `${authorizer}` or `${non_ttl_authorizer}`";
            faults.error(&scheme.key_span, message, hint);
        } else if method.authorizer.is_some() {
            faults.error(&scheme.key_span, "a method has one authorizer", "leave one of them out");
        } else {
            "CUSTOM".clone_into(&mut method.authorization);
            method.authorizer = Some(scheme.key.clone());
        }
    }
}

/// Header and query parameters that a template declares.
fn declare(node: &Node, method: &mut Method, faults: &mut Faults) {
    let Some(items) = node.items() else {
        faults.error(&node.span, format!("`parameters` is {}, not a list", node.type_name()), "write a list: `[…]`");
        return;
    };
    for item in items {
        let name = item.get("name").map(|member| text(&member.value, faults));
        let place = item.get("in").and_then(|member| member.value.as_str());
        let place = match place {
            Some("header") => "header",
            Some("query") => "querystring",
            Some("path") => continue, // declared from the path itself
            _ => {
                faults.error(&item.span, "a parameter has `in`", "one of header, query, path");
                continue;
            }
        };
        let required = item.get("required").is_some_and(|member| member.value.to_json() == Value::Bool(true));
        match name {
            Some(name) => {
                method.request_parameters.insert(format!("method.request.{place}.{name}"), required);
            }
            None => {
                faults.error(&item.span, "a parameter has no `name`", "add `name`");
            }
        }
    }
}

fn method_response(node: &Node, faults: &mut Faults) -> MethodResponse {
    let mut response = MethodResponse::default();
    for member in members(node, "a response", faults) {
        match member.key.as_str() {
            // Required by OpenAPI, not kept by API Gateway.
            "description" => {}
            "headers" => {
                for header in members(&member.value, "`headers`", faults) {
                    response.parameters.insert(format!("method.response.header.{}", header.key), false);
                }
            }
            _ => unknown(member, &["description", "headers"], "a response", faults),
        }
    }
    response
}

fn integration(node: &Node, declared: &[&str], faults: &mut Faults) -> Integration {
    const KNOWN: [&str; 14] = [
        "type",
        "httpMethod",
        "uri",
        "connectionType",
        "connectionId",
        "credentials",
        "passthroughBehavior",
        "timeoutInMillis",
        "requestParameters",
        "requestTemplates",
        "contentHandling",
        "cacheKeyParameters",
        "tlsConfig",
        "responses",
    ];
    let mut found = Integration {
        kind: String::new(),
        http_method: None,
        uri: None,
        connection_type: None,
        connection_id: None,
        credentials: None,
        passthrough_behavior: "WHEN_NO_MATCH".to_owned(),
        timeout_ms: DEFAULT_TIMEOUT_MS,
        request_parameters: BTreeMap::new(),
        request_templates: BTreeMap::new(),
        content_handling: None,
        cache_key_parameters: BTreeSet::new(),
        insecure_skip_verification: false,
        responses: BTreeMap::new(),
    };
    for member in members(node, "an integration", faults) {
        let value = &member.value;
        match member.key.as_str() {
            "type" => found.kind = word(value, &["HTTP_PROXY", "HTTP", "AWS_PROXY", "AWS", "MOCK"], faults),
            "httpMethod" => found.http_method = Some(text(value, faults).to_uppercase()),
            "uri" => found.uri = Some(text(value, faults)),
            "connectionType" => found.connection_type = Some(word(value, &["INTERNET", "VPC_LINK"], faults)),
            "connectionId" => found.connection_id = Some(text(value, faults)),
            "credentials" => found.credentials = Some(text(value, faults)),
            "passthroughBehavior" => {
                found.passthrough_behavior = word(value, &["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"], faults);
            }
            "timeoutInMillis" => found.timeout_ms = timeout(value, faults),
            "requestParameters" => found.request_parameters = texts(value, "`requestParameters`", faults),
            "requestTemplates" => found.request_templates = texts(value, "`requestTemplates`", faults),
            "contentHandling" => {
                found.content_handling = Some(word(value, &["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"], faults));
            }
            "cacheKeyParameters" => found.cache_key_parameters = list(value, "`cacheKeyParameters`", faults),
            "tlsConfig" => found.insecure_skip_verification = skips_verification(value, faults),
            "responses" => {
                for response in members(value, "`responses`", faults) {
                    let (status, one) = integration_response(response, faults);
                    if found.responses.insert(status.clone(), one).is_some() {
                        let message = format!("a second response leads to the status {status}");
                        let hint = "API Gateway keeps one integration response a status: join their patterns with `|`";
                        faults.error(&response.key_span, message, hint);
                    }
                }
            }
            _ => unknown(member, &KNOWN, "an integration", faults),
        }
    }
    complete(&mut found, node, declared, faults);
    found
}

/// What API Gateway would fill in or refuse.
fn complete(found: &mut Integration, node: &Node, declared: &[&str], faults: &mut Faults) {
    if found.kind.is_empty() && node.get("type").is_none() {
        faults.error(&node.span, "an integration has a `type`", "one of http_proxy, http, aws_proxy, aws, mock");
    }
    if found.kind != "MOCK" && found.uri.is_none() {
        faults.error(&node.span, "an integration has a `uri`", "only a mock integration can do without");
    }
    if found.kind.starts_with("HTTP") {
        found.connection_type.get_or_insert_with(|| "INTERNET".to_owned());
        found.http_method.get_or_insert_with(|| "ANY".to_owned());
    }
    if found.connection_type.as_deref() == Some("VPC_LINK") && found.connection_id.is_none() {
        faults.error(
            &node.span,
            "a VPC link integration has a `connectionId`",
            "add `\"connectionId\": \"${vpc_link_id}\"`",
        );
    }
    let span = node.get("uri").map_or(&node.span, |member| &member.value.span);
    for name in uri_parameters(found.uri.as_deref().unwrap_or_default()) {
        let target = format!("integration.request.path.{name}");
        if found.request_parameters.contains_key(&target) {
            continue;
        }
        if declared.contains(&name.as_str()) {
            found.request_parameters.insert(target, format!("method.request.path.{name}"));
        } else {
            let message = format!("the URL uses `{{{name}}}`, which the path does not have");
            faults.error(span, message, "use a parameter of the path, or map it in `requestParameters`");
        }
    }
}

fn list(node: &Node, what: &str, faults: &mut Faults) -> BTreeSet<String> {
    let Some(items) = node.items() else {
        faults.error(&node.span, format!("{what} is {}, not a list", node.type_name()), "write a list: `[…]`");
        return BTreeSet::new();
    };
    items.iter().map(|item| text(item, faults)).collect()
}

fn skips_verification(node: &Node, faults: &mut Faults) -> bool {
    let mut skips = false;
    for member in members(node, "`tlsConfig`", faults) {
        match (member.key.as_str(), member.value.to_json()) {
            ("insecureSkipVerification", Value::Bool(skip)) => skips = skip,
            ("insecureSkipVerification", _) => {
                let message = format!("this is {}, not a boolean", member.value.type_name());
                faults.error(&member.value.span, message, "write true or false");
            }
            _ => unknown(member, &["insecureSkipVerification"], "`tlsConfig`", faults),
        }
    }
    skips
}

/// The `{names}` of a URL; `${stageVariables.x}` is none.
fn uri_parameters(uri: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = uri;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else { break };
        if !rest[..start].ends_with('$') {
            found.push(rest[start + 1..start + length].to_owned());
        }
        rest = &rest[start + length + 1..];
    }
    found
}

/// 50 ms to 29 s (aws-facts A).
fn timeout(node: &Node, faults: &mut Faults) -> i32 {
    let value = node.to_json().as_i64().unwrap_or_default();
    match i32::try_from(value) {
        Ok(milliseconds) if (50..=DEFAULT_TIMEOUT_MS).contains(&milliseconds) => milliseconds,
        _ => {
            faults.error(&node.span, "a time-out is 50 to 29000 milliseconds", "write a whole number in that range");
            DEFAULT_TIMEOUT_MS
        }
    }
}

fn integration_response(member: &Member, faults: &mut Faults) -> (String, IntegrationResponse) {
    let mut status = "200".to_owned();
    let mut response = IntegrationResponse {
        selection_pattern: (member.key != "default").then(|| member.key.clone()),
        ..IntegrationResponse::default()
    };
    for part in members(&member.value, "an integration response", faults) {
        match part.key.as_str() {
            "statusCode" => status = text(&part.value, faults),
            "responseParameters" => response.parameters = texts(&part.value, "`responseParameters`", faults),
            "responseTemplates" => response.templates = texts(&part.value, "`responseTemplates`", faults),
            "contentHandling" => {
                response.content_handling = Some(word(&part.value, &["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"], faults));
            }
            _ => unknown(
                part,
                &["statusCode", "responseParameters", "responseTemplates", "contentHandling"],
                "an integration response",
                faults,
            ),
        }
    }
    (status, response)
}

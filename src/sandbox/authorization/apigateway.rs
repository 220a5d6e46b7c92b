//! What API Gateway asks for: actions are HTTP methods, resources are paths (Service Authorization Reference, "Amazon API
//! Gateway Management" and "… Management V2"), and some contents take an action of their own on top.

use serde_json::Value;

use super::{Asked, body, has};
use crate::sandbox::wire::Request;

/// What the service reaches load balancers and streams with (developer guide, "Using service-linked roles for API Gateway").
const ROLE: [&str; 2] = ["ops.apigateway.amazonaws.com", "AWSServiceRoleForAPIGateway"];

pub(super) fn asked(request: &Request) -> Vec<Asked> {
    let second = request.path.strip_prefix("/v2/");
    let path = second.unwrap_or(&request.path).trim_matches('/');
    let resource = resource(request, path);
    let method = request.method.as_str();
    let body = body(request);
    let mut all = vec![Asked::new(format!("apigateway:{method}"), resource.clone())];
    if method == "POST" && has(&body, "/tags") && !path.starts_with("tags/") {
        // Not in the reference; users are denied it (cloudtools/awacs#254, aws-amplify/amplify-cli#12316).
        all.push(Asked::new("apigateway:TagResource", resource.clone()));
    }
    let segments: Vec<&str> = path.split('/').collect();
    if method == "POST" && matches!(segments.as_slice(), ["restapis" | "apis" | "domainnames" | "vpclinks"]) {
        all.push(Asked::linked(request, ROLE[0], ROLE[1]));
    }
    match segments.as_slice() {
        ["restapis"] | ["restapis", _] if writes_policy(method, &body) => {
            all.push(Asked::new("apigateway:UpdateRestApiPolicy", resource));
        }
        ["domainnames"] | ["domainnames", _] => all.extend(certificate(method, &body, &resource)),
        ["account"] => all.extend(logging_role(&body)),
        ["vpclinks"] | ["vpclinks", _] if second.is_none() && method != "GET" => all.extend(endpoint_services(method)),
        ["apis", _, "stages"] | ["apis", _, "stages", _] if has(&body, "/accessLogSettings") => {
            all.extend(delivers());
        }
        _ => {}
    }
    if method == "PUT" && segments.len() == 2 {
        all.extend(roles_in(&body));
    }
    all
}

/// API Gateway's ARNs carry no account.
fn resource(request: &Request, path: &str) -> String {
    let caller = &request.caller;
    format!("arn:{}:apigateway:{}::/{path}", caller.partition(), caller.region)
}

fn operations(body: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    body.get("patchOperations").and_then(Value::as_array).into_iter().flatten().map(|one| {
        let of = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        (of("op"), of("path"), of("value"))
    })
}

/// "An additional authorization control for managing the resource policies".
fn writes_policy(method: &str, body: &Value) -> bool {
    match method {
        "POST" => has(body, "/policy"),
        "PUT" => has(body, "/x-amazon-apigateway-policy"),
        "PATCH" => operations(body).any(|(_, path, _)| path == "/policy"),
        _ => false,
    }
}

/// "… for managing the `DomainName` resource due to the sensitive nature of mTLS".
fn certificate(method: &str, body: &Value, resource: &str) -> Vec<Asked> {
    let add = || Asked::new("apigateway:AddCertificateToDomain", resource);
    if method == "POST" && has(body, "/mutualTlsAuthentication/truststoreUri") {
        return vec![add()];
    }
    let touched: Vec<_> =
        operations(body).filter(|(_, path, _)| path.starts_with("/mutualTlsAuthentication")).collect();
    let removed = touched
        .iter()
        .any(|(op, path, value)| *op == "remove" || (path.ends_with("truststoreUri") && value.is_empty()));
    match (touched.is_empty(), removed) {
        (true, _) => Vec::new(),
        (false, true) => vec![Asked::new("apigateway:RemoveCertificateFromDomain", resource)],
        (false, false) => vec![add()],
    }
}

/// Handing a role to a service takes the permission to (IAM's guide, "Grant a user permissions to pass a role").
fn logging_role(body: &Value) -> Vec<Asked> {
    let role = operations(body).find(|(_, path, value)| *path == "/cloudwatchRoleArn" && !value.is_empty());
    role.map(|(_, _, role)| Asked::pass(role, "apigateway.amazonaws.com")).into_iter().collect()
}

/// The roles in an imported document: of integrations and authorizers.
fn roles_in(document: &Value) -> Vec<Asked> {
    let mut found = Vec::new();
    visit(document, &mut found);
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|role| Asked::pass(role, "apigateway.amazonaws.com")).collect()
}

fn visit<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(role) if ["credentials", "authorizerCredentials"].contains(&name.as_str()) => {
                        // That of the caller, for `arn:aws:iam::*:user/*`, is nobody's to pass.
                        found.extend(role.contains(":role/").then_some(role));
                    }
                    _ => visit(member, found),
                }
            }
        }
        _ => {}
    }
}

/// A link of REST APIs is an endpoint service of the caller's (developer guide, "Grant permissions for API Gateway to create a
/// VPC link").
fn endpoint_services(method: &str) -> Vec<Asked> {
    let names: &[&str] = match method {
        "POST" => &[
            "elasticloadbalancing:DescribeLoadBalancers",
            "ec2:CreateVpcEndpointServiceConfiguration",
            "ec2:DescribeVpcEndpointServiceConfigurations",
            "ec2:ModifyVpcEndpointServicePermissions",
        ],
        "DELETE" => &["ec2:DeleteVpcEndpointServiceConfigurations", "ec2:DescribeVpcEndpointServiceConfigurations"],
        _ => &[],
    };
    names.iter().map(|name| Asked::new(*name, "*")).collect()
}

/// Access logs of an HTTP API are delivered (developer guide, "Configure logging for HTTP APIs").
fn delivers() -> Vec<Asked> {
    [
        "CreateLogDelivery",
        "DeleteLogDelivery",
        "DescribeLogGroups",
        "DescribeResourcePolicies",
        "GetLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "UpdateLogDelivery",
    ]
    .iter()
    .map(|name| Asked::new(format!("logs:{name}"), "*"))
    .collect()
}

//! What a web ACL protects. A stage knows its web ACL (`Stage.web_acl_arn`), which is written and read here; that of a load
//! balancer is kept by its ARN ([`State::balancers`]).

use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use super::entities;
use super::faults::{self, Answer};
use crate::sandbox::apigateway::state::Stage;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Association {
    #[serde(rename = "WebACLArn")]
    web_acl: String,
    #[serde(rename = "ResourceArn")]
    resource: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    #[serde(rename = "ResourceArn")]
    arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Protected {
    #[serde(rename = "WebACLArn")]
    web_acl: String,
    #[serde(rename = "ResourceType", default)]
    kind: Option<String>,
}

const KINDS: [&str; 8] = [
    "APPLICATION_LOAD_BALANCER",
    "API_GATEWAY",
    "APPSYNC",
    "COGNITO_USER_POOL",
    "APP_RUNNER_SERVICE",
    "VERIFIED_ACCESS_INSTANCE",
    "AMPLIFY",
    "AGENTCORE_GATEWAY",
];

pub(super) fn associate(view: &mut View<'_>, caller: &Caller, asked: Association) -> Answer<Value> {
    regional(&asked.web_acl)?;
    view.region.wafv2.web_acl(&asked.web_acl).ok_or_else(faults::nonexistent)?;
    if is_balancer(view, caller, &asked.resource)? {
        view.region.wafv2.balancers.insert(asked.resource, asked.web_acl);
    } else {
        stage(view, caller, &asked.resource)?.web_acl_arn = Some(asked.web_acl);
    }
    Ok(json!({}))
}

pub(super) fn disassociate(view: &mut View<'_>, caller: &Caller, asked: &Resource) -> Answer<Value> {
    if is_balancer(view, caller, &asked.arn)? {
        view.region.wafv2.balancers.remove(&asked.arn);
    } else {
        stage(view, caller, &asked.arn)?.web_acl_arn = None;
    }
    Ok(json!({}))
}

pub(super) fn web_acl_of(view: &mut View<'_>, caller: &Caller, asked: &Resource) -> Answer<Value> {
    let found = if is_balancer(view, caller, &asked.arn)? {
        view.region.wafv2.balancers.get(&asked.arn).cloned()
    } else {
        stage(view, caller, &asked.arn)?.web_acl_arn.clone()
    };
    let Some(arn) = found else { return Ok(json!({})) };
    let state = &view.region.wafv2;
    let acl = state.web_acl(&arn).ok_or_else(faults::nonexistent)?;
    Ok(json!({ "WebACL": entities::shown(acl, caller, state) }))
}

pub(super) fn resources_of(view: &View<'_>, caller: &Caller, asked: &Protected) -> Answer<Value> {
    regional(&asked.web_acl)?;
    view.region.wafv2.web_acl(&asked.web_acl).ok_or_else(faults::nonexistent)?;
    // "If you don't provide a resource type, the call uses APPLICATION_LOAD_BALANCER" (API reference).
    let kind = asked.kind.as_deref().unwrap_or("APPLICATION_LOAD_BALANCER");
    if !KINDS.contains(&kind) {
        let allowed = format!("satisfy enum value set: [{}]", KINDS.join(", "));
        return Err(faults::violations(kind, "resourceType", &[allowed]));
    }
    let mut found = Vec::new();
    if kind == "APPLICATION_LOAD_BALANCER" {
        found.extend(balancers(view, &asked.web_acl).cloned());
    }
    for api in view.region.apigateway.apis.iter().filter(|_| kind == "API_GATEWAY") {
        for stage in api.stages.values().filter(|stage| stage.web_acl_arn.as_deref() == Some(&asked.web_acl)) {
            found.push(format!("{}{}/stages/{}", prefix(caller), api.id, stage.stage_name));
        }
    }
    Ok(json!({ "ResourceArns": found }))
}

/// The load balancers that a web ACL protects, of those that are there.
pub(super) fn balancers<'v>(view: &'v View<'_>, acl: &'v str) -> impl Iterator<Item = &'v String> {
    let State { balancers, .. } = &view.region.wafv2;
    let there = |arn: &&String| view.region.elbv2.has_application(arn);
    balancers.iter().filter(move |(_, other)| other.as_str() == acl).map(|(arn, _)| arn).filter(there)
}

/// Whether an ARN is that of an application load balancer, which then has to be there.
fn is_balancer(view: &View<'_>, caller: &Caller, arn: &str) -> Answer<bool> {
    let (partition, region, account) = (caller.partition(), &caller.region, &caller.account);
    if !arn.starts_with(&format!("arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/")) {
        return Ok(false);
    }
    if view.region.elbv2.has_application(arn) { Ok(true) } else { Err(faults::nonexistent()) }
}

/// What stands before the id of an API in the ARN of its stage.
fn prefix(caller: &Caller) -> String {
    format!("arn:{}:apigateway:{}::/restapis/", caller.partition(), caller.region)
}

/// Refuses a web ACL for `CloudFront`: it is associated through the distribution.
fn regional(arn: &str) -> Answer<()> {
    if arn.starts_with("arn:") && arn.contains(":wafv2:") && arn.contains(":regional/webacl/") {
        return Ok(());
    }
    Err(faults::arn("RESOURCE_ARN", arn))
}

/// The stage with an ARN.
fn stage<'v>(view: &'v mut View<'_>, caller: &Caller, arn: &str) -> Answer<&'v mut Stage> {
    let Some((api, stage)) = arn.strip_prefix(&prefix(caller)).and_then(|rest| rest.split_once("/stages/")) else {
        // A resource of another kind may be real on AWS; here it does not exist.
        let other = ["elasticloadbalancing", "appsync", "cognito-idp", "apprunner", "ec2", "amplify"];
        let service = arn.split(':').nth(2).unwrap_or_default();
        let known = arn.starts_with("arn:") && other.contains(&service);
        return Err(if known { faults::nonexistent() } else { faults::arn("RESOURCE_ARN", arn) });
    };
    let api = view.region.apigateway.apis.iter_mut().find(|one| one.id == api);
    api.and_then(|api| api.stages.get_mut(stage)).ok_or_else(faults::nonexistent)
}

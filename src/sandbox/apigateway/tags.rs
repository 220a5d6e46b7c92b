//! Tags: one store for each taggable thing, whichever call writes or reads it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Answer, bad_request, limit_exceeded, no_api, not_found, required};
use super::state::{State, Strings};
use super::{Call, no_content, ok};
use crate::sandbox::wire::Caller;

/// Tags that one resource may have (aws-facts A).
const LIMIT: usize = 50;

#[derive(Deserialize)]
struct TagInput {
    tags: Option<Strings>,
}

/// `TagResource`, `UntagResource`, `GetTags`.
pub(super) fn route(call: &mut Call<'_, '_>, arn: &str) -> Answer {
    match call.verb() {
        "GET" => {
            let tags = target(call, arn)?.clone();
            Ok(ok(&json!({ "tags": tags })))
        }
        "PUT" => {
            let TagInput { tags } = call.body()?;
            let added = required(tags, "tagResourceInput.tags")?;
            let mut tags = target(call, arn)?.clone();
            tags.extend(added);
            check(&tags)?;
            *target(call, arn)? = tags;
            Ok(no_content())
        }
        "DELETE" => {
            let query = call.request.query.iter();
            let keys: Vec<String> = query.filter(|(name, _)| name == "tagKeys").map(|(_, key)| key.clone()).collect();
            let tags = target(call, arn)?;
            tags.retain(|key, _| !keys.contains(key));
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

/// Refuses tags that break a limit.
pub(in crate::sandbox) fn check(tags: &Strings) -> Answer<()> {
    if tags.len() > LIMIT {
        return Err(limit_exceeded(format!("The maximum number of tags per resource is {LIMIT}")));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(bad_request("Tag keys must be between 1 and 128 characters long"));
        }
        if value.chars().count() > 256 {
            return Err(bad_request("Tag values can be at most 256 characters long"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(bad_request("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    Ok(())
}

/// An entity as `Get…` and `Update…` show it: with its tags even if there are none (recorded). The answers to creation
/// and lists leave out what is empty.
pub(super) fn shown(mut entity: Value, tags: &Strings) -> Value {
    entity["tags"] = json!(tags);
    entity
}

/// The ARN of what stands at a path of the API: `/vpclinks/abc`.
pub(super) fn arn(caller: &Caller, path: &str) -> String {
    format!("arn:{}:apigateway:{}::{path}", caller.partition(), caller.region)
}

/// The ARN of a REST API.
pub(super) fn api_arn(caller: &Caller, api: &str) -> String {
    format!("arn:{}:apigateway:{}::/restapis/{api}", caller.partition(), caller.region)
}

/// The ARN of a stage.
pub(super) fn stage_arn(caller: &Caller, api: &str, stage: &str) -> String {
    format!("{}/stages/{stage}", api_arn(caller, api))
}

fn target<'c>(call: &'c mut Call<'_, '_>, arn: &str) -> Answer<&'c mut Strings> {
    let caller = call.caller();
    let account = caller.account.clone();
    let prefix = format!("arn:{}:apigateway:{}::", caller.partition(), caller.region);
    let path = arn.strip_prefix(&prefix).ok_or_else(|| bad_request(format!("Invalid ARN specified: {arn}")))?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["restapis", api] => {
            let found = call.state_mut().apis.iter_mut().find(|each| each.id == *api);
            Ok(&mut found.ok_or_else(|| no_api(&account, api))?.tags)
        }
        ["restapis", api, "stages", stage] => {
            let found = call.state_mut().apis.iter_mut().find(|each| each.id == *api);
            let found = found.ok_or_else(|| no_api(&account, api))?.stages.get_mut(*stage);
            Ok(&mut found.ok_or_else(super::stages::no_stage)?.tags)
        }
        [collection, id] => of_other(call.state_mut(), collection, id)
            .unwrap_or_else(|| Err(not_found(format!("Invalid resource specified: {arn}")))),
        _ => Err(not_found(format!("Invalid resource specified: {arn}"))),
    }
}

/// The tags of what is not below an API; none if the collection has no tags.
fn of_other<'s>(state: &'s mut State, collection: &str, id: &str) -> Option<Answer<&'s mut Strings>> {
    let found = match collection {
        "vpclinks" => {
            let link = state.vpc_links.iter_mut().find(|link| link.id == id);
            link.map(|link| &mut link.tags).ok_or_else(super::vpc_links::no_link)
        }
        "domainnames" => {
            let domain = state.domain_names.get_mut(id);
            domain.map(|domain| &mut domain.tags).ok_or_else(super::domain_names::no_domain)
        }
        "clientcertificates" => {
            let certificate = state.client_certificates.iter_mut().find(|each| each.client_certificate_id == id);
            certificate.map(|each| &mut each.tags).ok_or_else(super::client_certificates::no_certificate)
        }
        "apikeys" => {
            let key = state.api_keys.iter_mut().find(|key| key.id == id);
            key.map(|key| &mut key.tags).ok_or_else(super::api_keys::no_key)
        }
        "usageplans" => {
            let plan = state.usage_plans.iter_mut().find(|plan| plan.id == id);
            plan.map(|plan| &mut plan.tags).ok_or_else(super::usage_plans::no_plan)
        }
        _ => return None,
    };
    Some(found)
}

/// The ARNs and tags of everything that is not below an API.
pub(super) fn of_others<'s>(state: &'s State, caller: &Caller) -> impl Iterator<Item = (String, &'s Strings)> {
    let links = state.vpc_links.iter().map(|link| ("vpclinks", &link.id, &link.tags));
    let domains = state.domain_names.iter().map(|(name, domain)| ("domainnames", name, &domain.tags));
    let certificates = state.client_certificates.iter();
    let certificates = certificates.map(|each| ("clientcertificates", &each.client_certificate_id, &each.tags));
    let keys = state.api_keys.iter().map(|key| ("apikeys", &key.id, &key.tags));
    let plans = state.usage_plans.iter().map(|plan| ("usageplans", &plan.id, &plan.tags));
    let all = links.chain(domains).chain(certificates).chain(keys).chain(plans);
    all.map(move |(collection, id, tags)| (arn(caller, &format!("/{collection}/{id}")), tags))
}

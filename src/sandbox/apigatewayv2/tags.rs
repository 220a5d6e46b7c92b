//! Tags of APIs, stages, VPC links and custom domain names: one store, whichever call writes or reads it.

use serde::Deserialize;
use serde_json::json;

use super::call::{Call, created, no_api, no_content, ok};
use super::errors::{Answer, bad_request, not_found, required};
use super::integration_rules::no_link;
use super::state::{State, Strings};
use super::{domain_names, stages};
use crate::sandbox::apigateway;
use crate::sandbox::wire::Caller;

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
        "POST" => {
            let TagInput { tags } = call.body()?;
            let added = required(tags, "tags")?;
            let mut tags = target(call, arn)?.clone();
            tags.extend(added);
            check(&tags)?;
            *target(call, arn)? = tags;
            Ok(created(&json!({})))
        }
        "DELETE" => {
            let query = call.request.query.iter();
            let keys: Vec<String> = query.filter(|(name, _)| name == "tagKeys").map(|(_, key)| key.clone()).collect();
            target(call, arn)?.retain(|key, _| !keys.contains(key));
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

/// Refuses tags that break a limit.
pub(super) fn check(tags: &Strings) -> Answer<()> {
    Ok(apigateway::tags::check(tags)?)
}

/// The ARNs of everything that has tags, with the tags. Custom domain names are the first version's to tell.
pub(in crate::sandbox) fn tagged(state: &State, caller: &Caller) -> Vec<(String, Strings)> {
    let prefix = prefix(caller);
    let mut found: Vec<(String, Strings)> = Vec::new();
    for api in &state.apis {
        let own = format!("{prefix}/apis/{}", api.id);
        found.extend(api.stages.values().map(|stage| (format!("{own}/stages/{}", stage.name), stage.tags.clone())));
        found.push((own, api.tags.clone()));
    }
    let links =
        state.vpc_links.iter().map(|link| (format!("{prefix}/vpclinks/{}", link.vpc_link_id), link.tags.clone()));
    found.extend(links);
    found.retain(|(_, tags)| !tags.is_empty());
    found
}

fn prefix(caller: &Caller) -> String {
    format!("arn:{}:apigateway:{}::", caller.partition(), caller.region)
}

fn target<'c>(call: &'c mut Call<'_, '_>, arn: &str) -> Answer<&'c mut Strings> {
    let path = arn.strip_prefix(&prefix(call.caller()));
    let path = path.ok_or_else(|| bad_request(format!("Invalid ARN specified: {arn}")))?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        ["apis", api] => Ok(&mut call.api_mut(api)?.tags),
        ["apis", api, "stages", stage] => {
            let held = call.state_mut().apis.iter_mut().find(|each| each.id == api).ok_or_else(|| no_api(api))?;
            Ok(&mut held.stages.get_mut(stage).ok_or_else(stages::no_stage)?.tags)
        }
        ["vpclinks", id] => {
            let link = call.state_mut().vpc_links.iter_mut().find(|link| link.vpc_link_id == id);
            Ok(&mut link.ok_or_else(|| no_link(id))?.tags)
        }
        ["domainnames", name] => {
            let domain = call.view.region.apigateway.domain_names.get_mut(name);
            Ok(&mut domain.ok_or_else(domain_names::no_domain)?.tags)
        }
        _ => Err(not_found(format!("Invalid resource specified: {arn}"))),
    }
}

//! Tags of REST APIs and stages: one store, whichever call writes or reads it.

use serde::Deserialize;
use serde_json::json;

use super::errors::{Answer, bad_request, limit_exceeded, no_api, not_found, required};
use super::state::Strings;
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
pub(super) fn check(tags: &Strings) -> Answer<()> {
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
        _ => Err(not_found(format!("Invalid resource specified: {arn}"))),
    }
}

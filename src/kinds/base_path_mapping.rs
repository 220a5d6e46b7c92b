//! `base-path-mapping`: what a base path of a custom domain name leads to.
//!
//! A mapping can't be tagged (aws-facts A). Its domain name carries a tag for it, `gwctl:mapping:/v1`, with its address and
//! digest. A mapping of our domain name without such a tag was made by somebody else: it is shown, and left alone.

use std::collections::BTreeSet;

use aws_sdk_apigateway::types::{BasePathMapping as LiveMapping, Op, PatchOperation};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::domain_name::{self, OwnName, own_names};
use super::{Kind, Scope, rest_api};
use crate::aws::failure::is_not_found;
use crate::aws::tags::Tags;
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct BasePathMapping;

/// What gwctl decides about a base path mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BasePathMappingSpec {
    /// Domain name and base path, as [`name_of`] puts them together: `api.example.com/v1`, or `api.example.com/` for all paths.
    pub name: String,
    /// The domain name: its output `name`, so that it is there first.
    pub domain: Input,
    /// The id of the API.
    pub rest_api: Input,
    /// The name of its stage.
    pub stage: Input,
}

/// The name of a mapping. An empty base path takes all requests.
#[must_use]
pub fn name_of(domain: &str, base_path: &str) -> String {
    format!("{domain}/{base_path}")
}

/// How API Gateway writes an empty base path.
pub(super) const NO_PATH: &str = "(none)";

/// How long a new domain name or stage may be unknown to mappings. Terraform tries for as long
/// (hashicorp/terraform-provider-aws, `base_path_mapping.go`).
pub(super) const SPREADS: std::time::Duration = std::time::Duration::from_secs(30);

/// The texts that mean "not yet".
const NOT_YET: [retry::NotYet; 2] =
    [retry::CONCURRENT_MODIFICATION, ("NotFoundException", "Invalid domain name identifier specified")];

/// The base path in a mapping's name, or the key of one to an HTTP API.
pub(super) fn base_path(name: &str) -> Result<&str> {
    name.split_once('/').map(|(_, path)| path).ok_or_else(|| Failure::internal(format!("`{name}` names no base path")))
}

/// The base path as API Gateway's paths have it.
fn segment(path: &str) -> &str {
    if path.is_empty() { NO_PATH } else { path }
}

/// The key of the tag for a mapping. Base paths may have characters that tags may not.
fn key(path: &str) -> String {
    let mut key = "gwctl:mapping:/".to_owned();
    for character in path.chars() {
        if character.is_ascii_alphanumeric() || "._+-".contains(character) {
            key.push(character);
        } else {
            key = format!("{key}={:02x}", u32::from(character));
        }
    }
    key
}

/// The tag of a mapping: its address, and its digest once it is whole.
pub(super) fn mark(address: &Address, digest: Option<&Digest>) -> String {
    format!("{address}:{}", digest.map(Digest::as_str).unwrap_or_default())
}

pub(super) fn ownership(tags: &Tags, path: &str) -> Ownership {
    let read = || {
        let (address, digest) = tags.get(&key(path))?.rsplit_once(':')?;
        Some((Address::parse(address)?, (!digest.is_empty()).then(|| digest.to_owned())))
    };
    read().map_or(Ownership::Nobody, |(address, digest)| Ownership::Ours { address, digest })
}

/// The paths of a domain name that only a mark of the kind stands for, which no mapping has and nobody wants: whoever died between the
/// end of a mapping and that of its mark left it. A mapping that somebody else made there would pass for ours.
pub(super) fn forsaken(
    scope: &Scope,
    domain: &OwnName,
    kind: &str,
    there: &BTreeSet<String>,
) -> Vec<(String, Ownership)> {
    let path = |key: &String| key.strip_prefix("gwctl:mapping:/").map(plain);
    let of_kind = |whose: &Ownership| matches!(whose, Ownership::Ours { address, .. } if address.kind() == kind);
    let left = domain.tags.keys().filter_map(path).filter(|path| {
        let name = name_of(&domain.name, path);
        !there.contains(path) && scope.names().all(|wanted| wanted != name)
    });
    left.map(|path| (path.clone(), ownership(&domain.tags, &path))).filter(|(_, whose)| of_kind(whose)).collect()
}

/// The path that a key of a mark is for.
fn plain(key: &str) -> String {
    let mut parts = key.split('=');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(part.len().min(2));
        path.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
        path.push_str(rest);
    }
    path
}

/// What helps where a path leads somewhere else already. `instead` is what to choose another path with.
pub(super) fn way_out(live: &Observed<Value>, address: &Address, instead: &str) -> Vec<String> {
    let (domain, path) = live.name.split_once('/').unwrap_or((&live.name, ""));
    let taken = format!("{instead}, or remove the mapping that is there if nobody needs it");
    match &live.ownership {
        Ownership::Nobody => {
            let tag = format!("{}={}", key(path), mark(address, None));
            vec![format!("to hand it over to gwctl, tag the domain name `{domain}` with {tag}"), taken]
        }
        _ => vec![taken],
    }
}

pub(super) fn outputs(place: &Place, domain: &str, path: &str) -> Outputs {
    let url = if path.is_empty() { format!("https://{domain}") } else { format!("https://{domain}/{path}") };
    Outputs::from_iter([("name", name_of(domain, path)), ("domain_arn", domain_name::arn(place, domain)), ("url", url)])
}

fn observed(aws: &ReadAws, domain: &OwnName, live: &LiveMapping) -> Result<Observed<BasePathMappingSpec>> {
    let path = live.base_path().filter(|path| *path != NO_PATH).unwrap_or_default();
    let name = name_of(&domain.name, path);
    Ok(Observed {
        name: name.clone(),
        within: Some(domain.address.clone()),
        spec: BasePathMappingSpec {
            name,
            domain: Input::from(domain.name.as_str()),
            rest_api: Input::from(given("API of a base path mapping", live.rest_api_id())?),
            stage: Input::from(live.stage().unwrap_or_default()),
        },
        outputs: outputs(&aws.place, &domain.name, path),
        ownership: ownership(&domain.tags, path),
        created: None,
        in_use_by: None,
    })
}

/// A mark whose mapping is gone, to be taken away.
fn mark_alone(aws: &ReadAws, domain: &OwnName, path: &str, whose: Ownership) -> Observed<BasePathMappingSpec> {
    let name = name_of(&domain.name, path);
    Observed {
        name: name.clone(),
        within: Some(domain.address.clone()),
        spec: BasePathMappingSpec {
            name,
            domain: Input::from(domain.name.as_str()),
            rest_api: Input::from(""),
            stage: Input::from(""),
        },
        outputs: outputs(&aws.place, &domain.name, path),
        ownership: whose,
        created: None,
        in_use_by: None,
    }
}

impl Kind for BasePathMapping {
    type Spec = BasePathMappingSpec;
    const NAME: &'static str = "base-path-mapping";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetDomainNames"],
        with: &["domain-name"],
        reads: &["apigateway:GetBasePathMapping", "apigateway:GetBasePathMappings"],
        writes: &[
            "apigateway:CreateBasePathMapping",
            "apigateway:DeleteBasePathMapping",
            "apigateway:TagResource",
            "apigateway:UntagResource",
            "apigateway:UpdateBasePathMapping",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "domain"];

    fn way_out(live: &Observed<Value>, address: &Address, _: &Owner) -> Vec<String> {
        way_out(live, address, "choose another base path")
    }

    fn predict(&self, place: &Place, spec: &BasePathMappingSpec) -> Outputs {
        spec.name.split_once('/').map(|(domain, path)| outputs(place, domain, path)).unwrap_or_default()
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<BasePathMappingSpec>>> {
        let domains = own_names(aws, &scope.owner).await?;
        let reads = domains.iter().map(|domain| async move {
            let call = aws.clients.apigateway.get_base_path_mappings().domain_name(&domain.name).limit(500);
            let items: Result<Vec<_>, _> = call.into_paginator().items().send().try_collect().await;
            let items = items.map_err(|error| failed(&format!("read the mappings of `{}`", domain.name), error))?;
            let mut all = items.iter().map(|live| observed(aws, domain, live)).collect::<Result<Vec<_>>>()?;
            let there = items.iter().map(|live| live.base_path().filter(|path| *path != NO_PATH).unwrap_or_default());
            let left = forsaken(scope, domain, Self::NAME, &there.map(str::to_owned).collect());
            all.extend(left.into_iter().map(|(path, whose)| mark_alone(aws, domain, &path, whose)));
            Ok::<_, Failure>(all)
        });
        // What is marked as another kind's is that kind's to tell of, on a domain name that HTTP APIs share.
        let own =
            |one: &Observed<BasePathMappingSpec>| one.address().is_none_or(|address| address.kind() == Self::NAME);
        Ok(try_join_all(reads).await?.into_iter().flatten().filter(own).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &BasePathMappingSpec) -> Result<Outputs> {
        let BasePathMappingSpec { name, domain, rest_api: api, stage } = spec;
        let (domain, api, stage, path) = (domain.known()?, api.known()?, stage.known()?, base_path(name)?);
        let outputs = outputs(&aws.place, domain, path);
        // First, so that a mapping whose answer is lost is known as ours.
        set_mark(aws, &outputs, path, mark(&identity.address, None)).await?;
        let call = || {
            let create = aws.write.apigateway.create_base_path_mapping().domain_name(domain);
            let create = create.rest_api_id(api).stage(stage);
            create.set_base_path((!path.is_empty()).then(|| path.to_owned())).send()
        };
        match retry::until_ready(SPREADS, &NOT_YET, call).await {
            Ok(_) => {}
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_apigateway::operation::create_base_path_mapping::CreateBasePathMappingError::is_conflict_exception,
                ) =>
            {
                let adopted = adopt_same(aws, spec).await;
                if adopted.is_err() {
                    // It is not ours, and the next plan must not think so.
                    remove_mark(aws, outputs.required("domain_arn")?, path).await?;
                }
                adopted?;
            }
            Err(error) => return Err(failed(&format!("map `{name}`"), error)),
        }
        Ok(outputs)
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Observed<BasePathMappingSpec>,
        spec: &BasePathMappingSpec,
    ) -> Result<Outputs> {
        let BasePathMappingSpec { name, domain, rest_api: api, stage } = spec;
        let (domain, path) = (domain.known()?, segment(base_path(name)?));
        let mut patches = Vec::new();
        // API and stage go in one call: between two, the mapping would lead to a stage that the other API does not have.
        for (path, before, after) in [("/restapiId", &live.spec.rest_api, api), ("/stage", &live.spec.stage, stage)] {
            if before != after {
                patches.push(PatchOperation::builder().op(Op::Replace).path(path).value(after.known()?).build());
            }
        }
        if !patches.is_empty() {
            let call = || {
                let update = aws.write.apigateway.update_base_path_mapping().domain_name(domain).base_path(path);
                update.set_patch_operations(Some(patches.clone())).send()
            };
            let answer = retry::until_ready(SPREADS, &NOT_YET, call).await;
            answer.map_err(|error| failed(&format!("change where `{name}` leads"), error))?;
        }
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<BasePathMappingSpec>) -> Result<()> {
        let path = base_path(&live.name)?;
        let domain = live.spec.domain.known()?;
        let call = aws.write.apigateway.delete_base_path_mapping().domain_name(domain).base_path(segment(path));
        match call.send().await {
            Err(error) if !is_not_found(&error) => return Err(failed(&format!("unmap `{}`", live.name), error)),
            _ => {}
        }
        remove_mark(aws, live.outputs.required("domain_arn")?, path).await
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("a base path mapping was to be tagged, but a mapping takes no tags"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("a base path mapping was to be untagged, but a mapping takes no tags"))
    }

    /// Into the tags of its domain name.
    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        let path = base_path(outputs.required("name")?)?;
        set_mark(aws, outputs, path, mark(&identity.address, Some(digest))).await
    }
}

pub(super) async fn set_mark(aws: &Aws, outputs: &Outputs, path: &str, mark: String) -> Result<()> {
    let domain = Outputs::from_iter([("arn", outputs.required("domain_arn")?)]);
    rest_api::tag(aws, &domain, Tags::from([(key(path), mark)])).await
}

/// Takes the tag of a mapping from its domain name.
pub(super) async fn remove_mark(aws: &Aws, arn: &str, path: &str) -> Result<()> {
    match aws.write.apigateway.untag_resource().resource_arn(arn).tag_keys(key(path)).send().await {
        // The domain name is gone, too.
        Err(error) if !is_not_found(&error) => Err(failed(&format!("untag {arn}"), error)),
        _ => Ok(()),
    }
}

/// A mapping that is there although the plan did not see it: fine if it leads where ours is to lead, else somebody's.
async fn adopt_same(aws: &Aws, spec: &BasePathMappingSpec) -> Result<()> {
    let call = aws.write.apigateway.get_base_path_mapping().domain_name(spec.domain.known()?);
    let answer = call.base_path(segment(base_path(&spec.name)?)).send().await;
    let answer = answer.map_err(|error| failed(&format!("read where `{}` leads", spec.name), error))?;
    if answer.rest_api_id() == Some(spec.rest_api.known()?) && answer.stage() == Some(spec.stage.known()?) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Ownership,
        format!("base-path-mapping `{}` was made by somebody else while this apply ran", spec.name),
    )
    .hint("look at who made it; then plan again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_path_has_a_tag_of_its_own() {
        for (path, expected) in
            [("", "gwctl:mapping:/"), ("v1.0_a", "gwctl:mapping:/v1.0_a"), ("a$(b)", "gwctl:mapping:/a=24=28b=29")]
        {
            assert_eq!(key(path), expected);
            assert_eq!(plain(expected.strip_prefix("gwctl:mapping:/").unwrap()), path);
        }
    }

    #[test]
    fn a_mark_tells_address_and_digest() {
        let address = Address::new("gate", "base-path-mapping", "gateway");
        let digest = Digest::of_bytes(b"x");
        for given in [None, Some(&digest)] {
            let tags = Tags::from([(key("v1"), mark(&address, given))]);
            let digest = given.map(|digest| digest.as_str().to_owned());
            assert_eq!(ownership(&tags, "v1"), Ownership::Ours { address: address.clone(), digest });
            assert_eq!(ownership(&tags, "v2"), Ownership::Nobody);
        }
        assert_eq!(ownership(&Tags::from([(key(""), "by hand".into())]), ""), Ownership::Nobody);
    }
}

//! What the kinds of Route 53 have in common: tags, and references that make a create safe to send again.
//!
//! Hosted zones and health checks get their tags in a call after the create. A process that dies between the two leaves one
//! without tags, which is known by its caller reference: it begins with a digest of owner and address.

use std::collections::BTreeMap;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{Tag, TagResourceType};

use super::domain_name::own_names;
use super::{Scope, tags};
use crate::aws::tags::Tags;
use crate::aws::{ReadAws, failed};
use crate::error::{Failure, Result};
use crate::model::{Address, Digest, Owner, Ownership};

/// Resources whose tags one call can ask for, and tags that one call can set or remove (API reference).
const AT_ONCE: usize = 10;

/// How often a create goes on to the next reference. Route 53 takes no reference a second time while it remembers it, though what
/// it stood for is deleted; each deletion in those days costs one more try.
pub(super) const REFERENCES: usize = 30;

/// What the caller references of a resource begin with, whatever its settings.
pub(super) fn stem(owner: &Owner, address: &Address) -> String {
    let digest = Digest::of_bytes(format!("{owner} {address}").as_bytes());
    format!("gwctl-{}-", &digest.as_str()[..16])
}

/// The n-th caller reference for a resource whose settings that can't change have this digest. At most 64 characters.
pub(super) fn reference(stem: &str, immutable: &Digest, n: usize) -> String {
    format!("{stem}{}-{n}", &immutable.as_str()[..24])
}

/// Whose a resource is: by its tags, or, without any, by the reference it was made with.
pub(super) fn ownership(tags: &Tags, reference: &str, scope: &Scope) -> Ownership {
    let by_tags = tags::ownership(tags, &scope.owner);
    if by_tags != Ownership::Nobody || !tags.is_empty() {
        return by_tags;
    }
    let addresses = scope.wanted.iter().map(|wanted| &wanted.address);
    let made_for = addresses.into_iter().find(|address| reference.starts_with(&stem(&scope.owner, address)));
    made_for.map_or(by_tags, |address| Ownership::Ours { address: address.clone(), digest: None })
}

/// Whether an owner can have anything in Route 53: Route 53 is nothing to those who neither want anything there nor have a
/// domain name.
pub(super) async fn concerns(aws: &ReadAws, scope: &Scope) -> Result<bool> {
    Ok(!scope.wanted.is_empty() || !own_names(aws, &scope.owner).await?.is_empty())
}

/// The tags of several resources, by id. One that is gone meanwhile has none.
pub(super) async fn read_tags(
    client: &Client,
    kind: &TagResourceType,
    ids: &[String],
) -> Result<BTreeMap<String, Tags>> {
    let mut found = BTreeMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let call = client.list_tags_for_resources().resource_type(kind.clone()).set_resource_ids(Some(ids.to_vec()));
        let sets = match call.send().await {
            Ok(answer) => answer.resource_tag_sets,
            // One of them is gone, and Route 53 does not say which.
            Err(error) if crate::aws::failure::is_not_found(&error) => read_singly(client, kind, ids).await?,
            Err(error) => return Err(failed(&format!("read the tags of {}", ids.join(", ")), error)),
        };
        for set in sets {
            let tags = set.tags.unwrap_or_default().into_iter();
            let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
            found.insert(set.resource_id.unwrap_or_default(), tags);
        }
    }
    Ok(found)
}

async fn read_singly(
    client: &Client,
    kind: &TagResourceType,
    ids: &[String],
) -> Result<Vec<aws_sdk_route53::types::ResourceTagSet>> {
    let mut sets = Vec::new();
    for id in ids {
        match client.list_tags_for_resource().resource_type(kind.clone()).resource_id(id).send().await {
            Ok(answer) => sets.extend(answer.resource_tag_set),
            Err(error) if crate::aws::failure::is_not_found(&error) => {}
            Err(error) => return Err(failed(&format!("read the tags of {id}"), error)),
        }
    }
    Ok(sets)
}

/// Sets and removes tags of one resource.
pub(super) async fn change_tags(
    client: &Client,
    kind: &TagResourceType,
    id: &str,
    set: Tags,
    remove: &[String],
) -> Result<()> {
    let doing = format!("tag {id}");
    let incomplete = |error: Failure| error.context(doing.clone());
    let set: Vec<Tag> = set.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let call = || client.change_tags_for_resource().resource_type(kind.clone()).resource_id(id);
    for some in set.chunks(AT_ONCE) {
        let answer = call().set_add_tags(Some(some.to_vec())).send().await;
        answer.map_err(|error| incomplete(failed("set its tags", error)))?;
    }
    for some in remove.chunks(AT_ONCE) {
        let answer = call().set_remove_tag_keys(Some(some.to_vec())).send().await;
        answer.map_err(|error| incomplete(failed("remove tags", error)))?;
    }
    Ok(())
}

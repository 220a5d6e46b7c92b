//! `web-acl-association`: the web ACL before an application load balancer. (That of a stage is the stage's own,
//! [`super::stage`]; an HTTP API can have none, aws-facts I.)
//!
//! An association can't be tagged. Its web ACL carries a tag for it, `gwctl:association:app/orders/50dc6c495c0c9188`, with
//! its address and digest, so that what is no longer wanted is found and what somebody else put behind our web ACL is left
//! alone. Whose the web ACL before a load balancer is decides whose the association is: our own is ours, with or without
//! that tag; another one is theirs and is never taken away or replaced.

use std::collections::BTreeMap;

use aws_sdk_wafv2::types::WebAcl as LiveAcl;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wafv2::{self, Named};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct WebAclAssociation;

/// What gwctl decides about the web ACL before a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebAclAssociationSpec {
    /// The ARN of the application load balancer, which is what names an association: it has one at most.
    pub name: String,
    /// The ARN of the web ACL: the output `arn` of a `web-acl`.
    pub web_acl: Input,
}

/// What Elastic Load Balancing asks of the caller (service authorization reference).
const PERMISSION: &str = "elasticloadbalancing:SetWebACL";

/// What the keys of the tags begin with.
const MARK: &str = "gwctl:association:";

/// What stands before the name in the ARN of a load balancer of the place.
fn start(place: &Place) -> String {
    place.arn("elasticloadbalancing", &place.region, "loadbalancer/")
}

/// The key of the tag for a load balancer: 64 of a tag's 128 characters at most.
fn key(balancer: &str) -> Result<String> {
    let name = balancer.split_once(":loadbalancer/").map(|(_, name)| name).filter(|name| name.starts_with("app/"));
    let name = name.ok_or_else(|| {
        Failure::new(FailureKind::Configuration, format!("`{balancer}` is not the ARN of an application load balancer"))
            .hint("AWS WAF stands before no other load balancer")
    })?;
    Ok(format!("{MARK}{name}"))
}

/// The tag of an association: its address, and its digest once it is whole.
fn mark(address: &Address, digest: Option<&Digest>) -> String {
    format!("{address}:{}", digest.map(Digest::as_str).unwrap_or_default())
}

fn marked(tags: &Tags, balancer: &str) -> Option<(Address, Option<String>)> {
    let (address, digest) = tags.get(&key(balancer).ok()?)?.rsplit_once(':')?;
    Some((Address::parse(address)?, (!digest.is_empty()).then(|| digest.to_owned())))
}

/// Whether the tags of a web ACL say that it was put before a load balancer by an apply.
pub(super) fn is_marked(tags: &Tags, balancer: &str) -> bool {
    marked(tags, balancer).is_some()
}

/// The web ACL before a load balancer; nothing if there is none, or no such load balancer.
async fn web_acl_of(clients: &Clients, balancer: &str) -> Result<Option<LiveAcl>> {
    match clients.wafv2.get_web_acl_for_resource().resource_arn(balancer).send().await {
        Ok(answer) => Ok(answer.web_acl),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("ask which web ACL stands before {balancer}"), error)),
    }
}

/// The tags of a web ACL; none if they can't be read: it is one of another account then (AWS Firewall Manager's), and not
/// ours whatever they say.
async fn tags_of(clients: &Clients, acl: &str) -> Tags {
    match wafv2::tags_of(clients, acl).await {
        Ok(all) => all.unwrap_or_default(),
        Err(failure) => {
            tracing::warn!("{failure}");
            Tags::new()
        }
    }
}

/// Whose an association is, by its web ACL's tags. `wanted` is the address under which the configuration names it.
fn ownership(tags: &Tags, balancer: &str, owner: &Owner, wanted: Option<&Address>) -> Ownership {
    match tags::ownership(tags, owner) {
        Ownership::Ours { .. } => match (marked(tags, balancer), wanted) {
            (Some((address, digest)), _) => Ownership::Ours { address, digest },
            (None, Some(address)) => Ownership::Ours { address: address.clone(), digest: None },
            (None, None) => Ownership::Nobody,
        },
        other => other,
    }
}

fn outputs(balancer: &str, acl: &str) -> Outputs {
    Outputs::from_iter([("name", balancer), ("web_acl", acl)])
}

async fn read(
    aws: &ReadAws,
    scope: &Scope,
    balancer: &str,
    wanted: &Address,
) -> Result<Option<Observed<WebAclAssociationSpec>>> {
    let Some(acl) = web_acl_of(&aws.clients, balancer).await? else { return Ok(None) };
    let all = tags_of(&aws.clients, &acl.arn).await;
    let ownership = ownership(&all, balancer, &scope.owner, Some(wanted));
    Ok(Some(Observed {
        name: balancer.to_owned(),
        within: None,
        spec: WebAclAssociationSpec { name: balancer.to_owned(), web_acl: Input::from(acl.arn.as_str()) },
        outputs: outputs(balancer, &acl.arn),
        ownership,
        created: None,
        in_use_by: None,
    }))
}

/// The load balancers that the owner's web ACLs have tags for, each once, with the web ACLs: more than one where a change from one to
/// another was cut off.
async fn known(aws: &ReadAws, owner: &Owner) -> BTreeMap<String, Vec<String>> {
    let tagged = aws.tagged(owner).await;
    let acls = tagged.iter().filter(|(arn, _)| Named::parse(&aws.place, "webacl", arn).is_some());
    let marks = acls.flat_map(|(acl, tags)| tags.keys().filter_map(move |key| Some((key.strip_prefix(MARK)?, acl))));
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, acl) in marks {
        known.entry(format!("{}{name}", start(&aws.place))).or_default().push(acl.clone());
    }
    known
}

/// Stands for the web ACL of an association of which nothing but the tag is left: whoever reads all of the plan (`-v`, JSON) sees that no
/// firewall is taken down.
const ONLY_ITS_MARK: &str = "none: only the tag of the association is left";

/// An association with a load balancer that nobody wants any more, or its mark alone: whoever died between the end of an association and
/// that of its mark left that, and the same web ACL, put there again by somebody else, would pass for ours.
async fn unwanted(
    aws: &ReadAws,
    scope: &Scope,
    (balancer, acls): (String, Vec<String>),
) -> Result<Option<Observed<WebAclAssociationSpec>>> {
    // The list of what is tagged may be behind.
    let marks = acls.into_iter().map(async |acl| {
        let tags = wafv2::tags_of(&aws.clients, &acl).await?.unwrap_or_default();
        Ok::<_, Failure>((acl, ownership(&tags, &balancer, &scope.owner, None)))
    });
    let mut marks = try_join_all(marks).await?;
    marks.retain(|(_, ownership)| matches!(ownership, Ownership::Ours { .. }));
    if marks.is_empty() {
        return Ok(None);
    }
    let now = web_acl_of(&aws.clients, &balancer).await?.map(|acl| acl.arn);
    let stands = marks.iter().position(|(acl, _)| now.as_ref() == Some(acl));
    let (acl, ownership) = marks.swap_remove(stands.unwrap_or(0));
    let web_acl = if stands.is_some() { &acl } else { ONLY_ITS_MARK };
    let others: Vec<&str> = marks.iter().map(|(acl, _)| acl.as_str()).collect();
    Ok(Some(Observed {
        within: None,
        outputs: outputs(&balancer, &acl).iter().chain([(OTHER_MARKS, others.join(" ").as_str())]).collect(),
        spec: WebAclAssociationSpec { name: balancer.clone(), web_acl: Input::from(web_acl) },
        name: balancer,
        ownership,
        created: None,
        in_use_by: None,
    }))
}

/// The output of an association that is not wanted with the other web ACLs, apart by spaces, that have a tag for its load balancer.
const OTHER_MARKS: &str = "other_marks";

impl Kind for WebAclAssociation {
    type Spec = WebAclAssociationSpec;
    const NAME: &'static str = "web-acl-association";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &["web-acl"],
        reads: &["wafv2:GetWebACLForResource", "wafv2:ListTagsForResource"],
        writes: &["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:TagResource", "wafv2:UntagResource"],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn way_out(live: &Observed, _: &Address, _: &Owner) -> Vec<String> {
        let one_at_most = "a load balancer has one web ACL at most";
        vec![match &live.ownership {
            Ownership::Others { owner } => format!(
                "{one_at_most}: leave `waf` and `allow_list` out here or in {owner}, or give each a load balancer of its own"
            ),
            _ => format!(
                "{one_at_most}, and this one is never replaced: leave `waf` and `allow_list` out, or, if nobody needs it, \
                 take it from the load balancer yourself"
            ),
        }]
    }

    fn predict(&self, _: &Place, spec: &WebAclAssociationSpec) -> Outputs {
        Outputs::from_iter([("name", &spec.name)])
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<WebAclAssociationSpec>>> {
        // Whoever removes what there is has not looked up what the load balancer is: the marks say it.
        let named = |one: &&crate::kinds::Wanted| one.name.as_ref().is_some_and(|name| name.starts_with("arn:"));
        let wanted = scope.wanted.iter().filter(named).filter_map(|one| Some((one.name.as_deref()?, &one.address)));
        let wanted = try_join_all(wanted.map(|(name, address)| read(aws, scope, name, address))).await?;
        let mut others = known(aws, &scope.owner).await;
        others.retain(|balancer, _| scope.names().all(|name| name != balancer));
        let others = try_join_all(others.into_iter().map(|mark| unwanted(aws, scope, mark))).await?;
        Ok(wanted.into_iter().chain(others).flatten().collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &WebAclAssociationSpec) -> Result<Outputs> {
        let WebAclAssociationSpec { name, web_acl } = spec;
        let acl = web_acl.known()?;
        refuse_anothers(aws, &identity.owner, name, acl).await?;
        // First, so that an association whose answer is lost is known as ours.
        set_mark(aws, acl, name, mark(&identity.address, None)).await?;
        wafv2::associate(aws, &what(name), name, acl, PERMISSION).await?;
        Ok(outputs(name, acl))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Observed<WebAclAssociationSpec>,
        spec: &WebAclAssociationSpec,
    ) -> Result<Outputs> {
        let WebAclAssociationSpec { name, web_acl } = spec;
        let (before, acl) = (live.spec.web_acl.known()?, web_acl.known()?);
        if before != acl
            && let Ownership::Ours { address, .. } = &live.ownership
        {
            refuse_changed(aws, name, [before, acl]).await?;
            set_mark(aws, acl, name, mark(address, None)).await?;
            // AWS WAF puts the one in the place of the other: the load balancer is never without.
            wafv2::associate(aws, &what(name), name, acl, PERMISSION).await?;
            remove_mark(aws, before, name).await?;
        }
        Ok(outputs(name, acl))
    }

    async fn delete(&self, aws: &Aws, live: &Observed<WebAclAssociationSpec>) -> Result<()> {
        let (name, acl) = (&live.spec.name, live.outputs.required("web_acl")?);
        // Another one that was put there since the plan was made stays.
        if live.spec.web_acl.known()? == acl && web_acl_of(&aws.write, name).await?.is_some_and(|now| now.arn == acl) {
            wafv2::disassociate(aws, &what(name), name, PERMISSION).await?;
        }
        for other in live.outputs.get(OTHER_MARKS).unwrap_or_default().split_whitespace() {
            remove_mark(aws, other, name).await?;
        }
        remove_mark(aws, acl, name).await
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("an association was to be tagged, but an association takes no tags"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("an association was to be untagged, but an association takes no tags"))
    }

    /// Into the tags of its web ACL.
    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        let (name, acl) = (outputs.required("name")?, outputs.required("web_acl")?);
        set_mark(aws, acl, name, mark(&identity.address, Some(digest))).await
    }
}

fn what(balancer: &str) -> String {
    let name = balancer.split_once(":loadbalancer/app/").map_or(balancer, |(_, name)| name);
    format!("load balancer `{}`", name.split('/').next().unwrap_or(name))
}

/// A web ACL that stands before the load balancer although the plan did not see it: fine if it is the wanted one, whose
/// answer was lost, or another one of the same owner. Else it is a firewall that somebody put up.
async fn refuse_anothers(aws: &Aws, owner: &Owner, balancer: &str, wanted: &str) -> Result<()> {
    let Some(now) = web_acl_of(&aws.write, balancer).await? else { return Ok(()) };
    if now.arn == wanted {
        return Ok(());
    }
    match tags::ownership(&tags_of(&aws.write, &now.arn).await, owner) {
        Ownership::Ours { .. } => Ok(()),
        _ => Err(anothers(balancer, &now.arn)),
    }
}

/// Fails if the load balancer has another web ACL than those now.
async fn refuse_changed(aws: &Aws, balancer: &str, expected: [&str; 2]) -> Result<()> {
    match web_acl_of(&aws.write, balancer).await? {
        Some(now) if !expected.contains(&now.arn.as_str()) => Err(anothers(balancer, &now.arn)),
        _ => Ok(()),
    }
}

fn anothers(balancer: &str, acl: &str) -> Failure {
    let message = format!("{} has the web ACL {acl}, which is not this environment's", what(balancer));
    Failure::new(FailureKind::Ownership, message).hint(
        "it is never replaced: leave the web ACL out of the configuration, or, if nobody needs that one, take it from the \
         load balancer yourself",
    )
}

async fn set_mark(aws: &Aws, acl: &str, balancer: &str, mark: String) -> Result<()> {
    wafv2::tag(aws, &Outputs::from_iter([("arn", acl)]), Tags::from([(key(balancer)?, mark)])).await
}

/// The tag goes with its web ACL, if that is gone already.
async fn remove_mark(aws: &Aws, acl: &str, balancer: &str) -> Result<()> {
    match aws.write.wafv2.untag_resource().resource_arn(acl).tag_keys(key(balancer)?).send().await {
        Err(error) if !is_not_found(&error) => Err(failed(&format!("untag {acl}"), error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALANCER: &str =
        "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/app/orders/50dc6c495c0c9188";

    #[test]
    fn a_web_acls_tags_tell_whose_its_associations_are() {
        let owner = Owner { product: "shop".into(), environment: "dev".into() };
        let address = Address::new("edge", "web-acl-association", "orders");
        let mut all = Tags::from([
            (tags::PRODUCT.to_owned(), "shop".to_owned()),
            (tags::ENVIRONMENT.to_owned(), "dev".to_owned()),
            (tags::ADDRESS.to_owned(), "edge/web-acl/gateway".to_owned()),
        ]);
        let ours =
            |digest: Option<&str>| Ownership::Ours { address: address.clone(), digest: digest.map(str::to_owned) };
        // Without a tag of its own, it is ours only where the configuration names it.
        assert_eq!(ownership(&all, BALANCER, &owner, None), Ownership::Nobody);
        assert_eq!(ownership(&all, BALANCER, &owner, Some(&address)), ours(None));
        let digest = Digest::of(&serde_json::json!({}));
        all.insert(key(BALANCER).unwrap(), mark(&address, Some(&digest)));
        assert_eq!(ownership(&all, BALANCER, &owner, None), ours(Some(digest.as_str())));
        assert!(is_marked(&all, BALANCER) && tags::of_user(&all).is_empty());
        let other = Owner { product: "other".into(), ..owner };
        assert!(matches!(ownership(&all, BALANCER, &other, Some(&address)), Ownership::Others { .. }));
        assert_eq!(ownership(&Tags::new(), BALANCER, &other, Some(&address)), Ownership::Nobody);
    }

    #[test]
    fn only_application_load_balancers_have_a_key() {
        assert_eq!(key(BALANCER).unwrap(), "gwctl:association:app/orders/50dc6c495c0c9188");
        assert_eq!(what(BALANCER), "load balancer `orders`");
        assert!(key(&BALANCER.replace("/app/", "/net/")).is_err());
        assert!(key("orders").is_err());
    }
}

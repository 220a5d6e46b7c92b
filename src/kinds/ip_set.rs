//! `ip-set`: ranges of addresses that rules of a web ACL refer to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use aws_sdk_wafv2::operation::create_ip_set::CreateIPSetError;
use aws_sdk_wafv2::operation::delete_ip_set::DeleteIPSetError;
use aws_sdk_wafv2::operation::update_ip_set::UpdateIPSetError;
use aws_sdk_wafv2::types::{IpAddressVersion, IpSet as LiveSet, Scope as WafScope};
use futures::future::try_join_all;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wafv2::{self, Named};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, given, retry};
use crate::error::Result;
use crate::model::{Identity, Observed, Outputs, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct IpSet;

/// What gwctl decides about an IP set. It is one for regional resources: stages can have no others.
///
/// A set can't change its version, and one in use can't be deleted: a name that has the version in it (`…-ipv6`) lets
/// the new set be made before the old one goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IpSetSpec {
    /// `product-a-office-dev`: at most 128 letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for: 3 to 256 letters, digits, spaces and `_+=:#@/-,.`.
    pub description: Option<String>,
    /// Whether it has IPv4 or IPv6 ranges; a set has only one of them.
    pub ip_version: IpVersion,
    /// Ranges in the form of [`range`]: at most [`MOST_ADDRESSES`], and none with the prefix 0. None at all match nobody.
    pub addresses: BTreeSet<String>,
    /// The user's tags.
    pub tags: Tags,
}

/// A version of the Internet Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpVersion {
    /// `192.0.2.0/24`
    Ipv4,
    /// `2001:db8::/32`
    Ipv6,
}

/// Ranges that one set may have (developer guide, "AWS WAF quotas").
pub const MOST_ADDRESSES: usize = 10_000;

/// A range in the form in which specs have it, and its version: the shortest way to write its first address, and the
/// prefix. AWS WAF answers with IPv6 addresses in another form than they were sent in (hashicorp/terraform-provider-aws,
/// `internal/service/wafv2/ip_set.go`, compares them by meaning too). A lone address is the range that has only it.
/// Nothing for what is no range, and for the prefix 0, which AWS WAF does not take (API reference, `CreateIPSet`).
#[must_use]
pub fn range(text: &str) -> Option<(IpVersion, String)> {
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let version = if net.addr().is_ipv4() { IpVersion::Ipv4 } else { IpVersion::Ipv6 };
    (net.prefix_len() > 0).then(|| (version, net.trunc().to_string()))
}

/// What AWS WAF refuses of a set although its type can say it, each a sentence without a full stop.
#[must_use]
pub fn faults(set: &IpSetSpec) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(wafv2::name_fault("the IP set", &set.name));
    found.extend(set.description.as_deref().and_then(wafv2::description_fault));
    if set.addresses.len() > MOST_ADDRESSES {
        found.push(format!("the IP set `{}` has more than {MOST_ADDRESSES} addresses", set.name));
    }
    for text in &set.addresses {
        if range(text).as_ref() != Some(&(set.ip_version, text.clone())) {
            found.push(format!("the IP set `{}` has `{text}`, which is no range of its version", set.name));
        }
    }
    found
}

impl IpVersion {
    fn sdk(self) -> IpAddressVersion {
        match self {
            Self::Ipv4 => IpAddressVersion::Ipv4,
            Self::Ipv6 => IpAddressVersion::Ipv6,
        }
    }
}

fn spec(live: &LiveSet, user: Tags) -> IpSetSpec {
    let canonical = |text: &String| range(text).map_or_else(|| text.clone(), |(_, text)| text);
    IpSetSpec {
        name: live.name.clone(),
        description: live.description.clone().filter(|text| !text.is_empty()),
        ip_version: match live.ip_address_version {
            IpAddressVersion::Ipv6 => IpVersion::Ipv6,
            _ => IpVersion::Ipv4,
        },
        addresses: live.addresses.iter().map(canonical).collect(),
        tags: user,
    }
}

/// The set and its lock token; nothing if it is gone.
async fn get(clients: &Clients, named: &Named) -> Result<Option<(LiveSet, String)>> {
    let call = clients.wafv2.get_ip_set().name(&named.name).id(&named.id).scope(WafScope::Regional);
    match call.send().await {
        Ok(answer) => {
            let set = given("IP set where one was asked for", answer.ip_set)?;
            Ok(Some((set, given("lock token of an IP set", answer.lock_token)?)))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read IP set `{}`", named.name), error)),
    }
}

/// All IP sets of the Region.
async fn list(clients: &Clients) -> Result<Vec<Named>> {
    wafv2::all_pages(|limit, marker| async move {
        let call = clients.wafv2.list_ip_sets().scope(WafScope::Regional).limit(limit).set_next_marker(marker);
        let answer = call.send().await.map_err(|error| failed("list the IP sets", error))?;
        let sets = answer.ip_sets.unwrap_or_default().into_iter();
        Ok((sets.filter_map(|one| Named::of(one.name, one.id, one.arn)).collect(), answer.next_marker))
    })
    .await
}

async fn read(aws: &ReadAws, scope: &Scope, named: &Named) -> Result<Option<Observed<IpSetSpec>>> {
    let (found, all) = futures::try_join!(get(&aws.clients, named), wafv2::tags_of(&aws.clients, &named.arn))?;
    let (Some((live, _)), Some(all)) = (found, all) else { return Ok(None) };
    let ownership = tags::ownership(&all, &scope.owner);
    Ok(Some(Observed {
        name: named.name.clone(),
        within: None,
        spec: spec(&live, tags::of_user(&all)),
        outputs: named.outputs(),
        ownership,
        created: None,
        in_use_by: None,
    }))
}

impl Kind for IpSet {
    type Spec = IpSetSpec;
    const NAME: &'static str = "ip-set";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &["wafv2:GetIPSet", "wafv2:ListIPSets", "wafv2:ListTagsForResource"],
        writes: &[
            "wafv2:CreateIPSet",
            "wafv2:DeleteIPSet",
            "wafv2:TagResource",
            "wafv2:UntagResource",
            "wafv2:UpdateIPSet",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "ip_version"];

    fn predict(&self, _: &Place, spec: &IpSetSpec) -> Outputs {
        Outputs::from_iter([("name", &spec.name)])
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<IpSetSpec>>> {
        let all = wafv2::candidates(aws, scope, "ipset", list(&aws.clients)).await?;
        let found = try_join_all(all.iter().map(|named| read(aws, scope, named))).await?;
        let asked = |one: &Observed<IpSetSpec>| one.address().is_some() || scope.names().any(|name| name == one.name);
        Ok(found.into_iter().flatten().filter(asked).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &IpSetSpec) -> Result<Outputs> {
        let IpSetSpec { name, description, ip_version, addresses, tags: user } = spec;
        let doing = format!("create IP set `{name}`");
        let call = aws
            .write
            .wafv2
            .create_ip_set()
            .name(name)
            .scope(WafScope::Regional)
            .set_description(description.clone())
            .ip_address_version(ip_version.sdk())
            .set_addresses(Some(addresses.iter().cloned().collect()))
            .set_tags(Some(wafv2::tag_list(tags::at_birth(identity, user))?));
        match call.send().await {
            Ok(answer) => {
                let made = answer.summary.and_then(|one| Named::of(one.name, one.id, one.arn));
                Ok(given("summary of the new IP set", made)?.outputs())
            }
            Err(error) => {
                let twice = error.as_service_error().is_some_and(CreateIPSetError::is_waf_duplicate_item_exception);
                let found = if twice { list(&aws.write).await? } else { Vec::new() };
                let Some(found) = found.into_iter().find(|one| one.name == *name) else {
                    return Err(failed(&doing, error));
                };
                let all = wafv2::tags_of(&aws.write, &found.arn).await?.unwrap_or_default();
                super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)?;
                Ok(found.outputs())
            }
        }
    }

    async fn update(&self, aws: &Aws, live: &Observed<IpSetSpec>, spec: &IpSetSpec) -> Result<Outputs> {
        let IpSetSpec { name: _, ip_version: _, description, addresses, tags: user } = spec;
        if live.spec.description != *description || live.spec.addresses != *addresses {
            change(aws, live, spec).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<IpSetSpec>) -> Result<()> {
        let named = Named::from_outputs(&live.outputs)?;
        for _ in 0..wafv2::TRIES {
            let Some((_, token)) = get(&aws.write, &named).await? else { return Ok(()) };
            let call = || {
                let call = aws.write.wafv2.delete_ip_set().name(&named.name).id(&named.id);
                call.scope(WafScope::Regional).lock_token(&token).send()
            };
            match retry::until_ready(wafv2::USE_ENDS, &wafv2::STILL_USED, call).await {
                Err(error) if is_not_found(&error) => return Ok(()),
                Err(error)
                    if error.as_service_error().is_some_and(DeleteIPSetError::is_waf_optimistic_lock_exception) => {}
                Err(error) => {
                    let used = error.as_service_error().is_some_and(DeleteIPSetError::is_waf_associated_item_exception);
                    let failure = failed(&format!("delete IP set `{}`", live.name), error);
                    return Err(if used { failure.hint(wafv2::IN_USE_HINT) } else { failure });
                }
                Ok(_) => return Ok(()),
            }
        }
        Err(wafv2::never_ours(Self::NAME, &live.name))
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        wafv2::tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        wafv2::untag(aws, outputs, keys).await
    }
}

/// Changes the set with the newest lock token, as long as it still is what the plan was made from. An update whose answer
/// was lost leaves the set as wanted, under a token that we do not know.
async fn change(aws: &Aws, live: &Observed<IpSetSpec>, wanted: &IpSetSpec) -> Result<()> {
    let named = Named::from_outputs(&live.outputs)?;
    for _ in 0..wafv2::TRIES {
        let found = get(&aws.write, &named).await?;
        let (now, token) = given("IP set that was there a moment ago", found)?;
        // Tags have calls of their own and no part in the token.
        if spec(&now, wanted.tags.clone()) == *wanted {
            return Ok(());
        }
        if spec(&now, live.spec.tags.clone()) != live.spec {
            return Err(wafv2::changed_meanwhile(IpSet::NAME, &live.name));
        }
        let call = aws
            .write
            .wafv2
            .update_ip_set()
            .name(&named.name)
            .id(&named.id)
            .scope(WafScope::Regional)
            .set_description(wanted.description.clone())
            .set_addresses(Some(wanted.addresses.iter().cloned().collect()))
            .lock_token(token);
        match call.send().await {
            Ok(_) => return Ok(()),
            Err(error) if error.as_service_error().is_some_and(UpdateIPSetError::is_waf_optimistic_lock_exception) => {}
            Err(error) => return Err(failed(&format!("update IP set `{}`", live.name), error)),
        }
    }
    Err(wafv2::never_ours(IpSet::NAME, &live.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_one_form() {
        let form = |text: &str| range(text).map(|(_, text)| text);
        assert_eq!(range("192.0.2.7"), Some((IpVersion::Ipv4, "192.0.2.7/32".to_owned())));
        assert_eq!(form("192.0.2.7/24"), Some("192.0.2.0/24".to_owned()));
        assert_eq!(range("2001:0DB8:0000::/32"), Some((IpVersion::Ipv6, "2001:db8::/32".to_owned())));
        assert_eq!(form("::1"), Some("::1/128".to_owned()));
        for wrong in ["0.0.0.0/0", "::/0", "192.0.2.0/33", "192.0.2", "office", ""] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn faults_are_told() {
        let set = IpSetSpec {
            name: "office".into(),
            description: None,
            ip_version: IpVersion::Ipv4,
            addresses: ["192.0.2.0/24".to_owned()].into(),
            tags: Tags::new(),
        };
        assert_eq!(faults(&set), Vec::<String>::new());
        let with = |addresses: BTreeSet<String>| IpSetSpec { addresses, ..set.clone() };
        let many = (0..=MOST_ADDRESSES).map(|n| format!("10.0.{}.{}/32", n / 256, n % 256)).collect();
        for (wrong, words) in [
            (IpSetSpec { name: "a b".into(), ..set.clone() }, "name `a b`"),
            (IpSetSpec { description: Some("no".into()), ..set.clone() }, "description `no`"),
            (with(["2001:db8::/32".to_owned()].into()), "no range of its version"),
            (with(["192.0.2.7/24".to_owned()].into()), "no range of its version"),
            (with(many), "more than 10000"),
        ] {
            let found = faults(&wrong);
            assert!(matches!(found.as_slice(), [one] if one.contains(words)), "{words}: {found:?}");
        }
    }
}

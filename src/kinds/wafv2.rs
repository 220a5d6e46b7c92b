//! What the kinds of AWS WAF v2 share: how their resources are found, tagged and kept from each other's changes.
//!
//! Names are unique for a kind and a Region, but calls go by id, and the ARN has the id in it: a name is looked up in the
//! service's list, and an ARN that the tagging service knows says everything.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use aws_sdk_wafv2::types::Tag;

use super::Scope;
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Outputs, Place};

/// Something new is not known everywhere yet (aws-facts F): an IP set that a web ACL refers to, a web ACL that a stage is
/// to have.
pub(super) const NOT_YET: [retry::NotYet; 1] = [("WAFUnavailableEntityException", "")];

/// How long that may last: Terraform waits as long (hashicorp/terraform-provider-aws, `internal/service/wafv2/web_acl.go`).
pub(super) const SPREADS: Duration = Duration::from_mins(5);

/// A use that ended just now is still seen for a while, so that a delete is refused (the same source, `ip_set.go`).
pub(super) const STILL_USED: [retry::NotYet; 1] = [("WAFAssociatedItemException", "")];

/// How long that may last. Who else uses a web ACL was asked when the plan was made, so this is rarely waited for in vain.
pub(super) const USE_ENDS: Duration = Duration::from_mins(2);

/// Tries of a change or a delete that meets other writers. Each reads the lock token again.
pub(super) const TRIES: usize = 5;

/// The most that one page of a list or of tags may hold (service model).
const PAGE: i32 = 100;

/// What names a resource in calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Its name.
    pub(super) name: String,
    /// Its id.
    pub(super) id: String,
    /// Its ARN.
    pub(super) arn: String,
}

impl Named {
    /// From the parts of a summary; nothing if AWS left one out.
    pub(super) fn of(name: Option<String>, id: Option<String>, arn: Option<String>) -> Option<Self> {
        Some(Self { name: name?, id: id?, arn: arn? })
    }

    /// From the ARN of a regional resource of the place; `word` is `webacl`, `ipset` or `rulegroup`.
    pub(super) fn parse(place: &Place, word: &str, arn: &str) -> Option<Self> {
        let start = place.arn("wafv2", &place.region, &format!("regional/{word}/"));
        let (name, id) = arn.strip_prefix(&start)?.split_once('/')?;
        Some(Self { name: name.to_owned(), id: id.to_owned(), arn: arn.to_owned() })
    }

    /// From what a live resource gave.
    pub(super) fn from_outputs(outputs: &Outputs) -> Result<Self> {
        let required = |name: &str| outputs.required(name).map(str::to_owned);
        Ok(Self { name: required("name")?, id: required("id")?, arn: required("arn")? })
    }

    /// The outputs of such a resource. The id is AWS's, so that only the name can be foretold.
    pub(super) fn outputs(&self) -> Outputs {
        Outputs::from_iter([("name", &self.name), ("id", &self.id), ("arn", &self.arn)])
    }
}

/// The resources to look at: those with a wanted name, and those the tagging service knows as the owner's. The service's
/// list is read only where a name is wanted, so that an environment without AWS WAF needs no permission for it.
pub(super) async fn candidates(
    aws: &ReadAws,
    scope: &Scope,
    word: &str,
    list: impl Future<Output = Result<Vec<Named>>>,
) -> Result<Vec<Named>> {
    let wanted = async {
        if scope.wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = list.await?;
        all.retain(|one| scope.names().any(|name| name == one.name));
        Ok::<_, Failure>(all)
    };
    let (wanted, tagged) = futures::join!(wanted, aws.tagged(&scope.owner));
    let tagged = tagged.keys().filter_map(|arn| Named::parse(&aws.place, word, arn));
    let all: BTreeMap<String, Named> = tagged.chain(wanted?).map(|one| (one.arn.clone(), one)).collect();
    Ok(all.into_values().collect())
}

/// All pages of a list. `page` gives one from its marker on, and the marker of the next.
pub(super) async fn all_pages<T, F, Fut>(mut page: F) -> Result<Vec<T>>
where
    F: FnMut(i32, Option<String>) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, Option<String>)>>,
{
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let (items, next) = page(PAGE, marker).await?;
        // A marker that leads to nothing more would be asked for again and again.
        let more = !items.is_empty() && next.as_ref().is_some_and(|next| !next.is_empty());
        all.extend(items);
        if !more {
            return Ok(all);
        }
        marker = next;
    }
}

/// All tags of a resource; nothing if it is gone.
pub(super) async fn tags_of(clients: &Clients, arn: &str) -> Result<Option<Tags>> {
    let mut all = Tags::new();
    let mut marker = None;
    loop {
        let call = clients.wafv2.list_tags_for_resource().resource_arn(arn).limit(PAGE).set_next_marker(marker);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(failed(&format!("list the tags of {arn}"), error)),
        };
        let page = answer.tag_info_for_resource.and_then(|info| info.tag_list).unwrap_or_default();
        marker = answer.next_marker.filter(|next| !next.is_empty() && !page.is_empty());
        all.extend(page.into_iter().map(|tag| (tag.key, tag.value)));
        if marker.is_none() {
            return Ok(Some(all));
        }
    }
}

/// Tags as the service takes them.
pub(super) fn tag_list(tags: Tags) -> Result<Vec<Tag>> {
    tags.into_iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

/// Sets tags.
pub(super) async fn tag(aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
    let arn = outputs.required("arn")?;
    let call = aws.write.wafv2.tag_resource().resource_arn(arn).set_tags(Some(tag_list(tags)?));
    call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
}

/// Removes tags.
pub(super) async fn untag(aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
    let arn = outputs.required("arn")?;
    let call = aws.write.wafv2.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
    call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
}

/// Puts a web ACL before a resource; one that stood there goes. `what` names the resource, and `permission` is what its own
/// service asks of the caller beside AWS WAF's.
pub(super) async fn associate(aws: &Aws, what: &str, resource: &str, acl: &str, permission: &str) -> Result<()> {
    let call = || aws.write.wafv2.associate_web_acl().web_acl_arn(acl).resource_arn(resource).send();
    let answer = retry::until_ready(SPREADS, &NOT_YET, call).await;
    answer.map(drop).map_err(|error| {
        failed(&format!("put a web ACL before {what}"), error)
            .hint(format!("this takes the permissions wafv2:AssociateWebACL and {permission}"))
    })
}

/// Takes the web ACL from a resource, if there is one, and if there is the resource.
pub(super) async fn disassociate(aws: &Aws, what: &str, resource: &str, permission: &str) -> Result<()> {
    match aws.write.wafv2.disassociate_web_acl().resource_arn(resource).send().await {
        Err(error) if !is_not_found(&error) => Err(failed(&format!("take the web ACL from {what}"), error)
            .hint(format!("this takes the permissions wafv2:DisassociateWebACL and {permission}"))),
        _ => Ok(()),
    }
}

/// Whether two resources are of the same product and environment, by their tags.
pub(super) fn same_owner(one: &Tags, other: &Tags) -> bool {
    [tags::PRODUCT, tags::ENVIRONMENT].iter().all(|key| one.contains_key(*key) && one.get(*key) == other.get(*key))
}

/// The outcome of a builder of the SDK. It fails where a required member is missing, and the kinds set them all.
pub(super) fn built<T>(result: std::result::Result<T, aws_smithy_types::error::operation::BuildError>) -> Result<T> {
    result.map_err(|error| Failure::internal("a request to AWS WAF was left incomplete").because(&error))
}

/// Somebody else changed a resource between plan and apply.
pub(super) fn changed_meanwhile(kind: &str, name: &str) -> Failure {
    Failure::new(FailureKind::Refused, format!("{kind} `{name}` was changed by somebody else while this apply ran"))
        .hint("look at who changed it; then plan again")
}

/// The lock token was never the newest one.
pub(super) fn never_ours(kind: &str, name: &str) -> Failure {
    Failure::new(FailureKind::Aws, format!("{kind} `{name}` is being changed by somebody else all the time"))
        .cause(format!("WAFOptimisticLockException, {TRIES} times in a row"))
        .hint("wait until nobody else edits it, then run this again")
}

/// What is wrong with a name (service model, `EntityName`).
pub(super) fn name_fault(whose: &str, name: &str) -> Option<String> {
    let fits = (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (!fits).then(|| format!("{whose} has the name `{name}`, which is not 1 to 128 letters, digits, _ and -"))
}

/// What is wrong with a description (service model, `EntityDescription`).
pub(super) fn description_fault(text: &str) -> Option<String> {
    let sign = |letter: char| letter.is_ascii_alphanumeric() || "_+=:#@/-,.".contains(letter);
    let fits = (3..=256).contains(&text.chars().count())
        && text.chars().all(|letter| sign(letter) || letter.is_ascii_whitespace())
        && text.starts_with(sign)
        && text.ends_with(sign);
    (!fits).then(|| format!("the description `{text}` is not 3 to 256 letters, digits, spaces and _+=:#@/-,."))
}

/// What to do where AWS says that a resource is in use.
pub(super) const IN_USE_HINT: &str = "find what uses it in the console of AWS WAF, move that to another one, then run \
                                      this again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_everything() {
        let place = Place { account: "123456789012".into(), region: "cn-north-1".into(), partition: "aws-cn".into() };
        let arn = "arn:aws-cn:wafv2:cn-north-1:123456789012:regional/webacl/shop/0-1";
        let named = Named::parse(&place, "webacl", arn).unwrap();
        assert_eq!((named.name.as_str(), named.id.as_str(), named.arn.as_str()), ("shop", "0-1", arn));
        assert_eq!(Named::from_outputs(&named.outputs()).unwrap(), named);
        assert_eq!(Named::parse(&place, "ipset", arn), None);
        assert_eq!(Named::parse(&place, "webacl", &arn.replace("regional", "global")), None);
    }

    #[tokio::test]
    async fn pages_end_with_an_empty_one_too() {
        let mut asked = Vec::new();
        let all = all_pages(|_, marker| {
            let page = match marker.as_deref() {
                None => (vec![1, 2], Some("b".to_owned())),
                Some("b") => (vec![3], Some("c".to_owned())),
                _ => (Vec::new(), Some("c".to_owned())),
            };
            asked.push(marker);
            async { Ok(page) }
        });
        assert_eq!(all.await.unwrap(), [1, 2, 3]);
        assert_eq!(asked, [None, Some("b".to_owned()), Some("c".to_owned())]);
    }

    #[test]
    fn an_owner_is_a_product_and_an_environment() {
        let tags = |environment: &str| {
            Tags::from([
                (tags::PRODUCT.to_owned(), "a".to_owned()),
                (tags::ENVIRONMENT.to_owned(), environment.to_owned()),
            ])
        };
        assert!(same_owner(&tags("dev"), &tags("dev")));
        assert!(!same_owner(&tags("dev"), &tags("prod")));
        assert!(!same_owner(&Tags::new(), &Tags::new()));
    }
}

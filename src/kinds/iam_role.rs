//! `iam-role`: a role with its trust policy, inline policies and attached managed policies.
//!
//! Roles are made under the path `/gwctl/PRODUCT/ENVIRONMENT/REGION/`. IAM is global in an account, so the Region is what
//! keeps the roles of one Region's gateway from being taken for those of another's. And the tagging service does not cover IAM (aws-facts A), and a
//! path is what lets one `ListRoles` call find all of an environment's roles, those no longer wanted included.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::types::{Role, Tag};
use futures::future::try_join_all;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::policy::Policy;
use crate::model::{Identity, Observed, Outputs, Owner, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct IamRole;

/// What gwctl decides about a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IamRoleSpec {
    /// `product-a-authorizer-dev-ap-southeast-1`
    pub name: String,
    /// `/gwctl/product-a/dev/ap-southeast-1/`
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who may assume it.
    pub assume_role_policy: Policy,
    /// What it may do, by policy name.
    pub inline_policies: BTreeMap<String, Policy>,
    /// ARNs of attached managed policies.
    pub managed_policies: BTreeSet<String>,
    /// How long a session may last, in seconds; absent: an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_session_seconds: Option<i32>,
    /// The user's tags.
    pub tags: Tags,
}

/// The path of an owner's roles for a place.
#[must_use]
pub fn path(owner: &Owner, place: &Place) -> String {
    format!("/gwctl/{}/{}/{}/", owner.product, owner.environment, place.region)
}

/// What IAM takes for a session where nobody says: an hour (API reference of `CreateRole`).
const SESSION: i32 = 3600;

fn outputs(arn: &str, name: &str) -> Outputs {
    Outputs::from_iter([("arn", arn), ("name", name)])
}

fn user_tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| Failure::internal("a tag has no key").because(&error))
        })
        .collect()
}

/// IAM answers documents percent-encoded (RFC 3986).
fn parse_policy(what: &str, encoded: &str) -> Result<Policy> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    let document: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(FailureKind::Aws, format!("{what} is no JSON")).because(&error))?;
    Policy::parse(&document).map_err(|why| Failure::new(FailureKind::Aws, format!("{what} can't be read")).cause(why))
}

impl IamRole {
    async fn read(&self, aws: &ReadAws, scope: &Scope, name: &str) -> Result<Option<Observed<IamRoleSpec>>> {
        let iam = &aws.clients.iam;
        let role = async {
            match iam.get_role().role_name(name).send().await {
                Ok(answer) => Ok(Some(given(&format!("role `{name}`"), answer.role)?)),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(failed(&format!("read role `{name}`"), error)),
            }
        };
        let inline = async {
            let names = iam.list_role_policies().role_name(name).into_paginator().items().send();
            match names.try_collect().await {
                Ok(names) => {
                    let read = names.iter().map(|policy| read_inline(aws, name, policy));
                    Ok(try_join_all(read).await?.into_iter().collect())
                }
                Err(error) if is_not_found(&error) => Ok(BTreeMap::new()),
                Err(error) => Err(failed(&format!("list the policies of role `{name}`"), error)),
            }
        };
        let managed = async {
            let attached = iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
            match attached.try_collect().await {
                Ok(list) => Ok(list.into_iter().filter_map(|policy| policy.policy_arn).collect()),
                Err(error) if is_not_found(&error) => Ok(BTreeSet::new()),
                Err(error) => Err(failed(&format!("list the managed policies of role `{name}`"), error)),
            }
        };
        let (role, inline, managed) = futures::try_join!(role, inline, managed)?;
        role.map(|role| observed(scope, &role, inline, managed)).transpose()
    }
}

async fn read_inline(aws: &ReadAws, role: &str, policy: &str) -> Result<(String, Policy)> {
    let answer = aws.clients.iam.get_role_policy().role_name(role).policy_name(policy).send().await;
    let answer = answer.map_err(|error| failed(&format!("read policy `{policy}` of role `{role}`"), error))?;
    Ok((policy.to_owned(), parse_policy(&format!("policy `{policy}` of role `{role}`"), &answer.policy_document)?))
}

fn observed(
    scope: &Scope,
    role: &Role,
    inline_policies: BTreeMap<String, Policy>,
    managed_policies: BTreeSet<String>,
) -> Result<Observed<IamRoleSpec>> {
    let all = user_tags(role.tags());
    // The SDK makes nothing of what is missing; a role without its path would be replaced.
    let whole = |what: &str, text: &str| given(what, (!text.is_empty()).then(|| text.to_owned()));
    let name = whole("name of a role", role.role_name())?;
    let path = whole(&format!("path of role `{name}`"), role.path())?;
    let arn = whole(&format!("ARN of role `{name}`"), role.arn())?;
    let trust = given(&format!("trust policy of role `{name}`"), role.assume_role_policy_document())?;
    Ok(Observed {
        within: None,
        spec: IamRoleSpec {
            name: name.clone(),
            path,
            description: role.description().filter(|text| !text.is_empty()).map(str::to_owned),
            assume_role_policy: parse_policy(&format!("the trust policy of role `{name}`"), trust)?,
            inline_policies,
            managed_policies,
            max_session_seconds: role.max_session_duration().filter(|seconds| *seconds != SESSION),
            tags: tags::of_user(&all),
        },
        outputs: outputs(&arn, &name),
        ownership: tags::ownership(&all, &scope.owner),
        created: Some(role.create_date().secs()),
        in_use_by: None,
        name,
    })
}

async fn names_under_path(aws: &ReadAws, owner: &Owner) -> Result<Vec<String>> {
    let roles = aws.clients.iam.list_roles().path_prefix(path(owner, &aws.place)).into_paginator().items().send();
    let roles: Vec<Role> = roles.try_collect().await.map_err(|error| failed("list the roles", error))?;
    Ok(roles.into_iter().map(|role| role.role_name).collect())
}

impl Kind for IamRole {
    type Spec = IamRoleSpec;
    const NAME: &'static str = "iam-role";
    const CALLS: Calls = Calls {
        seeks: &["iam:ListRoles"],
        with: &[],
        reads: &["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
        writes: &[
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "path"];

    fn predict(&self, place: &Place, spec: &IamRoleSpec) -> Outputs {
        outputs(&place.arn("iam", "", &format!("role{}{}", spec.path, spec.name)), &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<IamRoleSpec>>> {
        let wanted = try_join_all(scope.names().map(|name| self.read(aws, scope, name)));
        let (wanted, under_path) = futures::try_join!(wanted, names_under_path(aws, &scope.owner))?;
        let mut found: Vec<_> = wanted.into_iter().flatten().collect();
        let others = under_path.iter().filter(|name| !scope.names().any(|wanted| wanted == *name));
        let others = try_join_all(others.map(|name| self.read(aws, scope, name))).await?;
        found.extend(others.into_iter().flatten().filter(|one| one.address().is_some()));
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &IamRoleSpec) -> Result<Outputs> {
        let IamRoleSpec {
            name,
            path,
            description,
            assume_role_policy,
            inline_policies,
            managed_policies,
            max_session_seconds,
            tags: user,
        } = spec;
        let call = aws
            .write
            .iam
            .create_role()
            .role_name(name)
            .path(path)
            .set_description(description.clone())
            .set_max_session_duration(*max_session_seconds)
            .assume_role_policy_document(assume_role_policy.to_document().to_string())
            .set_tags(Some(sdk_tags(&tags::at_birth(identity, user))?));
        let arn = match call.send().await {
            Ok(answer) => given(&format!("answer to creating role `{name}`"), answer.role)?.arn,
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_iam::operation::create_role::CreateRoleError::is_entity_already_exists_exception,
                ) =>
            {
                adopt_own(aws, identity, name).await?
            }
            Err(error) => return Err(failed(&format!("create role `{name}`"), error)),
        };
        for (policy, document) in inline_policies {
            put_inline(aws, name, policy, document).await?;
        }
        for policy in managed_policies {
            attach(aws, name, policy).await?;
        }
        Ok(outputs(&arn, name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<IamRoleSpec>, spec: &IamRoleSpec) -> Result<Outputs> {
        // `name` and `path` can't change in place; the plan replaces the role for them.
        let IamRoleSpec {
            name,
            path: _,
            description,
            assume_role_policy,
            inline_policies,
            managed_policies,
            max_session_seconds,
            tags: user,
        } = spec;
        let iam = &aws.write.iam;
        let differs = (&live.spec.description, live.spec.max_session_seconds) != (description, *max_session_seconds);
        if differs {
            let call = iam.update_role().role_name(name).description(description.clone().unwrap_or_default());
            let call = call.max_session_duration(max_session_seconds.unwrap_or(SESSION));
            call.send().await.map_err(|error| failed(&format!("update role `{name}`"), error))?;
        }
        if live.spec.assume_role_policy != *assume_role_policy {
            let document = assume_role_policy.to_document().to_string();
            let call = iam.update_assume_role_policy().role_name(name).policy_document(document);
            call.send().await.map_err(|error| failed(&format!("update the trust policy of role `{name}`"), error))?;
        }
        for (policy, document) in inline_policies {
            if live.spec.inline_policies.get(policy) != Some(document) {
                put_inline(aws, name, policy, document).await?;
            }
        }
        for policy in live.spec.inline_policies.keys().filter(|policy| !inline_policies.contains_key(*policy)) {
            delete_inline(aws, name, policy).await?;
        }
        for policy in managed_policies.difference(&live.spec.managed_policies) {
            attach(aws, name, policy).await?;
        }
        for policy in live.spec.managed_policies.difference(managed_policies) {
            detach(aws, name, policy).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<IamRoleSpec>) -> Result<()> {
        let name = &live.name;
        for policy in live.spec.inline_policies.keys() {
            delete_inline(aws, name, policy).await?;
        }
        for policy in &live.spec.managed_policies {
            detach(aws, name, policy).await?;
        }
        match aws.write.iam.delete_role().role_name(name).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete role `{name}`"), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let name = outputs.required("name")?;
        let call = aws.write.iam.tag_role().role_name(name).set_tags(Some(sdk_tags(&tags)?));
        call.send().await.map_err(|error| failed(&format!("tag role `{name}`"), error)).map(drop)
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let name = outputs.required("name")?;
        let call = aws.write.iam.untag_role().role_name(name).set_tag_keys(Some(keys));
        call.send().await.map_err(|error| failed(&format!("untag role `{name}`"), error)).map(drop)
    }
}

/// The ARN of a role that exists although the plan did not see it, if its tags say that it is ours.
async fn adopt_own(aws: &Aws, identity: &Identity, name: &str) -> Result<String> {
    let answer = aws.write.iam.get_role().role_name(name).send().await;
    let answer = answer.map_err(|error| failed(&format!("read role `{name}`"), error))?;
    let role = given(&format!("role `{name}`"), answer.role)?;
    super::own_after_conflict(&tags::ownership(&user_tags(role.tags()), &identity.owner), identity, name)?;
    Ok(role.arn)
}

/// A principal in a policy that was made seconds ago may not be known yet.
const PRINCIPAL_SPREADS: [retry::NotYet; 1] = [("MalformedPolicyDocument", "Invalid principal")];

/// IAM reaches all of its hosts in about ten seconds (aws-facts G); half a minute is a wide margin.
const SPREADING: Duration = Duration::from_secs(30);

async fn put_inline(aws: &Aws, role: &str, policy: &str, document: &Policy) -> Result<()> {
    let text = document.to_document().to_string();
    let call = || aws.write.iam.put_role_policy().role_name(role).policy_name(policy).policy_document(&text).send();
    let answer = retry::until_ready(SPREADING, &PRINCIPAL_SPREADS, call).await;
    answer.map_err(|error| failed(&format!("put policy `{policy}` on role `{role}`"), error))?;
    Ok(())
}

async fn delete_inline(aws: &Aws, role: &str, policy: &str) -> Result<()> {
    match aws.write.iam.delete_role_policy().role_name(role).policy_name(policy).send().await {
        Err(error) if !is_not_found(&error) => {
            Err(failed(&format!("delete policy `{policy}` of role `{role}`"), error))
        }
        _ => Ok(()),
    }
}

async fn attach(aws: &Aws, role: &str, policy: &str) -> Result<()> {
    let call = aws.write.iam.attach_role_policy().role_name(role).policy_arn(policy);
    call.send().await.map_err(|error| failed(&format!("attach `{policy}` to role `{role}`"), error))?;
    Ok(())
}

async fn detach(aws: &Aws, role: &str, policy: &str) -> Result<()> {
    match aws.write.iam.detach_role_policy().role_name(role).policy_arn(policy).send().await {
        Err(error) if !is_not_found(&error) => Err(failed(&format!("detach `{policy}` from role `{role}`"), error)),
        _ => Ok(()),
    }
}

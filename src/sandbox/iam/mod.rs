//! IAM in the sandbox: roles with their policies and tags, over the query protocol, version 2010-05-08.
//!
//! Other services ask it what they ask the real one: whether a service may assume a role, and whether a role may do
//! something. Customer-managed policies, users and groups are not here.

mod documents;
mod managed;
mod policies;
mod roles;
mod simulate;
mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(in crate::sandbox) use documents::glob;

use super::fault::{Answer, Fault};
use super::query::{Call, Dialect};
use super::wire::{Caller, Request, Response};
use super::world::View;
use super::xml::Xml;

const DIALECT: Dialect = Dialect { namespace: "https://iam.amazonaws.com/doc/2010-05-08/", version: "2010-05-08" };

/// The role that API Gateway writes the logs of a fresh Region with. It is not kept: it can be read by its name, and is in no
/// list.
pub(in crate::sandbox) const PREPARED_LOGS_ROLE: &str = "sandbox-apigateway-logs";

/// IAM of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    roles: BTreeMap<String, Role>,
}

/// One role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    name: String,
    path: String,
    id: String,
    arn: String,
    /// Milliseconds since the epoch.
    created: i64,
    /// The trust policy.
    trust: String,
    description: Option<String>,
    max_session_duration: u32,
    boundary: Option<String>,
    tags: Vec<(String, String)>,
    /// Inline policies by name.
    inline: BTreeMap<String, String>,
    /// The ARNs of attached policies.
    attached: Vec<String>,
}

impl State {
    /// The role with an ARN.
    #[must_use]
    pub fn role_with_arn(&self, arn: &str) -> Option<&Role> {
        let name = arn.rsplit('/').next()?;
        self.roles.get(name).filter(|role| role.arn == arn)
    }

    /// The ARN of the role of that name, if there is one.
    #[must_use]
    pub fn arn_of(&self, name: &str) -> Option<&str> {
        self.roles.get(name).map(|role| role.arn.as_str())
    }

    fn role(&self, name: &str) -> Answer<&Role> {
        self.roles.get(name).ok_or_else(|| no_role(name))
    }

    fn role_mut(&mut self, name: &str) -> Answer<&mut Role> {
        self.roles.get_mut(name).ok_or_else(|| no_role(name))
    }
}

impl Role {
    /// Whether the trust policy lets a service assume the role, `lambda.amazonaws.com`. Conditions are taken as met.
    #[must_use]
    pub fn trusts(&self, service: &str) -> bool {
        documents::trusts(&self.trust, service)
    }

    /// Whether the inline and attached policies let the role do something, `ec2:CreateNetworkInterface`. Conditions are
    /// taken as met, resources as matching: the question is whether somebody thought of the permission at all.
    #[must_use]
    pub fn allows(&self, action: &str) -> bool {
        let verdicts: Vec<Option<bool>> = self.inline.values().map(|text| documents::verdict(text, action)).collect();
        let denied = verdicts.contains(&Some(false));
        let attached = || self.attached.iter().any(|arn| managed::allows(arn, action));
        !denied && (verdicts.contains(&Some(true)) || attached())
    }

    /// [`Role::allows`] for one resource, an ARN. Attached policies of AWS are taken to be for every resource.
    #[must_use]
    pub fn allows_on(&self, action: &str, resource: &str) -> bool {
        let verdict = |text: &String| documents::verdict_on(text, action, resource);
        let verdicts: Vec<Option<bool>> = self.inline.values().map(verdict).collect();
        let attached = || self.attached.iter().any(|arn| managed::allows(arn, action));
        !verdicts.contains(&Some(false)) && (verdicts.contains(&Some(true)) || attached())
    }

    /// Whether the role has this AWS-managed policy, `service-role/AmazonAPIGatewayPushToCloudWatchLogs`, in any
    /// partition.
    #[must_use]
    pub fn has_managed_policy(&self, name: &str) -> bool {
        self.attached.iter().any(|arn| managed::name(arn) == Some(name))
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let call = Call::of(request);
    let answer = call.check_version(&DIALECT).and_then(|()| act(view, &request.caller, &call));
    call.respond(&DIALECT, request, answer)
}

fn act(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    match call.action() {
        "CreateRole" => roles::create(view, caller, call),
        "GetRole" => roles::get(view.iam, caller, call),
        "ListRoles" => roles::list(view.iam, call),
        "DeleteRole" => roles::delete(view.iam, call),
        "UpdateRole" => roles::update(view.iam, call),
        "UpdateAssumeRolePolicy" => roles::update_trust(view.iam, caller, call),
        "PutRolePermissionsBoundary" => roles::put_boundary(view.iam, caller, call),
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(view.iam, call),
        "PutRolePolicy" => policies::put(view.iam, caller, call),
        "GetRolePolicy" => policies::get(view.iam, call),
        "ListRolePolicies" => policies::list(view.iam, call),
        "DeleteRolePolicy" => policies::delete(view.iam, call),
        "AttachRolePolicy" => policies::attach(view.iam, caller, call),
        "DetachRolePolicy" => policies::detach(view.iam, call),
        "ListAttachedRolePolicies" => policies::list_attached(view.iam, call),
        "TagRole" => tags::tag(view.iam, call),
        "UntagRole" => tags::untag(view.iam, call),
        "ListRoleTags" => tags::list(view.iam, call),
        "SimulatePrincipalPolicy" => simulate::simulate(view.iam, call),
        _ => Err(call.unknown(DIALECT.version)),
    }
}

fn no_role(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

/// The characters of names of roles and policies: `[\w+=,.@-]`.
fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

#[cfg(test)]
mod tests;

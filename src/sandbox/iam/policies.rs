//! The policies of roles: inline ones, and attached ones that AWS manages.

use super::documents;
use super::managed;
use super::roles::role_name;
use super::{State, is_name};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::{Call, check, end_page};
use crate::sandbox::wire::Caller;
use crate::sandbox::xml::Xml;

/// All inline policies of a role together; white space does not count.
const INLINE_LIMIT: usize = 10_240;

/// IAM's default quota.
const ATTACHED_LIMIT: usize = 10;

pub(super) fn put(iam: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let name = role_name(call)?;
    let policy = policy_name(call)?;
    let document = call.need("PolicyDocument")?;
    let role = iam.role_mut(name)?;
    documents::check_permissions(document, caller.partition())?;
    let others = role.inline.iter().filter(|(other, _)| *other != policy).map(|(_, text)| text.as_str());
    let size: usize = others.chain([document]).map(|text| documents::compact(text).chars().count()).sum();
    if size > INLINE_LIMIT {
        return Err(Fault::new(
            409,
            "LimitExceeded",
            format!("Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {name}"),
        ));
    }
    role.inline.insert(policy.to_owned(), document.to_owned());
    Ok(None)
}

pub(super) fn get(iam: &State, call: &Call) -> Answer<Option<Xml>> {
    let policy = policy_name(call)?;
    let role = iam.role(role_name(call)?)?;
    let document = role.inline.get(policy).ok_or_else(|| no_policy(policy))?;
    let mut xml = Xml::new();
    xml.leaf("RoleName", &role.name);
    xml.leaf("PolicyName", policy);
    xml.leaf("PolicyDocument", documents::encode(document));
    Ok(Some(xml))
}

pub(super) fn list(iam: &State, call: &Call) -> Answer<Option<Xml>> {
    let role = iam.role(role_name(call)?)?;
    let (page, marker) = call.page(role.inline.keys().map(|name| (name.clone(), name)).collect())?;
    let mut xml = Xml::new();
    end_page(&mut xml, marker.as_deref());
    xml.node("PolicyNames", |xml| page.into_iter().for_each(|name| xml.leaf("member", name)));
    Ok(Some(xml))
}

pub(super) fn delete(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let policy = policy_name(call)?;
    let role = iam.role_mut(role_name(call)?)?;
    role.inline.remove(policy).map(|_| None).ok_or_else(|| no_policy(policy))
}

pub(super) fn attach(iam: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let arn = policy_arn(call)?;
    let role = iam.role_mut(role_name(call)?)?;
    if !managed::exists(arn, caller.partition()) {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(Fault::new(404, "NoSuchEntity", message));
    }
    if role.attached.iter().any(|other| other == arn) {
        return Ok(None);
    }
    if role.attached.len() >= ATTACHED_LIMIT {
        let message = format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_LIMIT}");
        return Err(Fault::new(409, "LimitExceeded", message));
    }
    role.attached.push(arn.to_owned());
    Ok(None)
}

pub(super) fn detach(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let arn = policy_arn(call)?;
    let role = iam.role_mut(role_name(call)?)?;
    let Some(at) = role.attached.iter().position(|other| other == arn) else {
        return Err(Fault::new(404, "NoSuchEntity", format!("Policy {arn} was not found.")));
    };
    role.attached.remove(at);
    Ok(None)
}

pub(super) fn list_attached(iam: &State, call: &Call) -> Answer<Option<Xml>> {
    let role = iam.role(role_name(call)?)?;
    let prefix = call.get("PathPrefix").unwrap_or("/");
    let mut attached: Vec<(String, &str)> = role
        .attached
        .iter()
        .filter(|arn| managed::name(arn).is_some_and(|name| format!("/{name}").starts_with(prefix)))
        .map(|arn| (arn.clone(), arn.as_str()))
        .collect();
    attached.sort();
    let (page, marker) = call.page(attached)?;
    let mut xml = Xml::new();
    end_page(&mut xml, marker.as_deref());
    xml.node("AttachedPolicies", |xml| {
        for arn in page {
            xml.node("member", |xml| {
                xml.leaf("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
                xml.leaf("PolicyArn", arn);
            });
        }
    });
    Ok(Some(xml))
}

fn policy_name(call: &Call) -> Answer<&str> {
    let name = call.need("PolicyName")?;
    check("PolicyName", name, (1, 128), "[\\w+=,.@-]+", is_name)?;
    Ok(name)
}

fn policy_arn(call: &Call) -> Answer<&str> {
    let arn = call.need("PolicyArn")?;
    check("PolicyArn", arn, (20, 2048), "", |_| true)?;
    if arn.starts_with("arn:") && arn.split(':').count() >= 6 {
        return Ok(arn);
    }
    Err(Fault::new(400, "InvalidInput", format!("ARN {arn} is not valid.")))
}

fn no_policy(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role policy with name {name} cannot be found."))
}

//! `SimulatePrincipalPolicy`: what a role's policies would say to actions. Conditions are taken as met, and there is no other
//! principal: users and groups are not here.

use super::documents;
use super::managed;
use super::{Role, State, is_name};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::{Call, end_page, invalid};
use crate::sandbox::xml::Xml;

/// Parameters that would change the outcome, and are not modelled.
const UNSUPPORTED: [&str; 6] = [
    "PolicyInputList.member.1",
    "PermissionsBoundaryPolicyInputList.member.1",
    "ContextEntries.member.1.ContextKeyName",
    "ResourcePolicy",
    "CallerArn",
    "ResourceHandlingOption",
];

pub(super) fn simulate(iam: &State, call: &Call) -> Answer<Option<Xml>> {
    let source = call.need("PolicySourceArn")?;
    if let Some(parameter) = UNSUPPORTED.iter().find(|parameter| call.get(parameter).is_some()) {
        return Err(invalid(format!("The sandbox's IAM does not support {parameter}")));
    }
    let role = iam.role_with_arn(source).ok_or_else(|| {
        let name = source.rsplit('/').next().unwrap_or_default();
        let what = if source.contains(":user/") { "user" } else { "role" };
        Fault::new(404, "NoSuchEntity", format!("The {what} with name {name} cannot be found."))
    })?;
    let actions = call.strings("ActionNames");
    if actions.is_empty() {
        call.need("ActionNames")?;
    }
    for action in &actions {
        let is_action = |(service, name): (&str, &str)| {
            !service.is_empty() && !name.is_empty() && name.chars().all(is_name) && service.chars().all(is_name)
        };
        if !action.split_once(':').is_some_and(is_action) {
            return Err(Fault::new(400, "InvalidInput", format!("Invalid Entity Action: {action}")));
        }
    }
    let mut resources = call.strings("ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let asked = actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
    let numbered: Vec<(String, _)> = asked.enumerate().map(|(at, pair)| (format!("{at:08}"), pair)).collect();
    let (page, marker) = call.page(numbered)?;
    let mut xml = Xml::new();
    end_page(&mut xml, marker.as_deref());
    xml.node("EvaluationResults", |xml| {
        for (action, resource) in page {
            xml.node("member", |xml| {
                xml.leaf("EvalActionName", action);
                xml.leaf("EvalResourceName", resource);
                xml.leaf("EvalDecision", decision(role, action, resource));
                xml.node("MatchedStatements", |_| {});
                xml.node("MissingContextValues", |_| {});
            });
        }
    });
    Ok(Some(xml))
}

/// What the role's policies come to. On `*`, only a statement for every resource allows.
fn decision(role: &Role, action: &str, resource: &str) -> &'static str {
    let verdicts: Vec<Option<bool>> =
        role.inline.values().map(|text| documents::verdict_on(text, action, resource)).collect();
    if verdicts.contains(&Some(false)) {
        return "explicitDeny";
    }
    let attached = role.attached.iter().any(|arn| managed::allows(arn, action));
    if verdicts.contains(&Some(true)) || attached { "allowed" } else { "implicitDeny" }
}

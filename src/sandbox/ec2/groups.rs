//! Security groups and their rules.

use serde::{Deserialize, Serialize};

use super::call::{check_id, merged, need, new_id, tag_specification};
use super::listing::{self, Entry, Listing, write_tags};
use super::permissions::{self, Peer, Rule, is_text};
use super::{State, Tags, arn, done, interfaces, networks, refuse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::Call;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;
use crate::sandbox::xml::Xml;

/// A security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) vpc_id: String,
    pub(super) ingress: Vec<Rule>,
    pub(super) egress: Vec<Rule>,
    pub(super) tags: Tags,
}

/// Rules of one direction that a group may have ("Amazon VPC quotas", adjustable).
const RULES: usize = 60;

const GROUPS: Listing = Listing {
    set: "securityGroupInfo",
    ids: "GroupId",
    not_found: no_group,
    filters: &["description", "group-id", "group-name", "owner-id", "vpc-id"],
};

const RULE_SET: Listing = Listing {
    set: "securityGroupRuleSet",
    ids: "SecurityGroupRuleId",
    not_found: |id| {
        refuse("InvalidSecurityGroupRuleId.NotFound", format!("The security group rule ID '{id}' does not exist"))
    },
    filters: &["group-id", "security-group-rule-id"],
};

pub(super) fn no_group(id: &str) -> Fault {
    match check_id("GroupId", "sg-", id) {
        Err(malformed) => malformed,
        Ok(()) => refuse("InvalidGroup.NotFound", format!("The security group '{id}' does not exist")),
    }
}

pub(super) fn find<'s>(state: &'s State, id: &str) -> Answer<&'s Group> {
    state.groups.get(id).ok_or_else(|| no_group(id))
}

pub(super) fn create(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let name = need(call, "GroupName")?;
    let description = need(call, "GroupDescription")?;
    if name.starts_with("sg-") {
        return Err(refuse("InvalidParameterValue", "Group names may not be in the format sg-*."));
    }
    for (text, member, what) in [(name, "GroupName", "names"), (description, "GroupDescription", "descriptions")] {
        if !is_text(text) {
            let words = format!(
                "Value ({text}) for parameter {member} is invalid. Valid {what} are strings less than 256 characters \
                 from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
            );
            return Err(refuse("InvalidParameterValue", words));
        }
    }
    let tags = merged(&Tags::new(), tag_specification(call, "security-group")?)?;
    let Some(vpc_id) = call.get("VpcId") else {
        return Err(refuse("VPCIdNotSpecified", "No default VPC for this user"));
    };
    networks::check_vpc(vpc_id)?;
    if name == "default" {
        return Err(refuse("InvalidParameterValue", "Cannot use reserved security group name: default"));
    }
    if view.region.ec2.groups.values().any(|group| group.vpc_id == vpc_id && group.name == name) {
        return Err(refuse(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{vpc_id}'"),
        ));
    }
    let id = add(view, name, description, vpc_id, tags);
    let mut xml = done();
    xml.leaf("groupId", &id);
    write_tags(&mut xml, &view.region.ec2.groups[&id].tags);
    xml.leaf("securityGroupArn", arn(caller, "security-group", &id));
    Ok(xml)
}

/// A new group with the rule that every one is born with: everything out.
pub(super) fn add(view: &mut View<'_>, name: &str, description: &str, vpc_id: &str, tags: Tags) -> String {
    let id = new_id(view, "sg-");
    let out = Rule {
        id: new_id(view, "sgr-"),
        protocol: "-1".into(),
        ports: None,
        peer: Peer::Ipv4("0.0.0.0/0".into()),
        description: None,
    };
    let group = Group {
        name: name.to_owned(),
        description: description.to_owned(),
        vpc_id: vpc_id.to_owned(),
        ingress: Vec::new(),
        egress: vec![out],
        tags,
    };
    view.region.ec2.groups.insert(id.clone(), group);
    id
}

pub(super) fn describe(view: &View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let entries = view.region.ec2.groups.iter().map(|(id, group)| entry(id, group, caller)).collect();
    listing::answer(call, &GROUPS, entries)
}

fn entry(id: &str, group: &Group, caller: &Caller) -> Entry {
    let mut xml = Xml::new();
    xml.leaf("ownerId", &caller.account);
    xml.leaf("groupId", id);
    xml.leaf("securityGroupArn", arn(caller, "security-group", id));
    xml.leaf("groupName", &group.name);
    xml.leaf("groupDescription", &group.description);
    xml.leaf("vpcId", &group.vpc_id);
    permissions::write(&mut xml, "ipPermissions", &group.ingress, &caller.account);
    permissions::write(&mut xml, "ipPermissionsEgress", &group.egress, &caller.account);
    write_tags(&mut xml, &group.tags);
    let field = |name, value: &str| (name, vec![value.to_owned()]);
    Entry {
        id: id.to_owned(),
        fields: vec![
            field("group-id", id),
            field("group-name", &group.name),
            field("description", &group.description),
            field("vpc-id", &group.vpc_id),
            field("owner-id", &caller.account),
        ],
        tags: group.tags.clone(),
        shown: xml,
    }
}

pub(super) fn describe_rules(view: &View<'_>, caller: &Caller, call: &Call) -> Answer<Xml> {
    let mut entries = Vec::new();
    for (id, group) in &view.region.ec2.groups {
        for (egress, rules) in [(false, &group.ingress), (true, &group.egress)] {
            entries.extend(rules.iter().map(|rule| Entry {
                id: rule.id.clone(),
                fields: vec![("group-id", vec![id.clone()]), ("security-group-rule-id", vec![rule.id.clone()])],
                tags: Tags::new(),
                shown: permissions::shown(rule, id, egress, &caller.account),
            }));
        }
    }
    listing::answer(call, &RULE_SET, entries)
}

pub(super) fn delete(view: &mut View<'_>, call: &Call) -> Answer<Xml> {
    let id = need(call, "GroupId")?.to_owned();
    let group = find(&view.region.ec2, &id)?;
    if group.name == "default" {
        return Err(refuse(
            "CannotDelete",
            format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"),
        ));
    }
    if in_use(view, &id) {
        return Err(refuse("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    view.region.ec2.groups.remove(&id);
    let mut xml = done();
    xml.leaf("groupId", id);
    Ok(xml)
}

/// Whether network interfaces, load balancers, VPC links or rules of other groups use a group.
fn in_use(view: &mut View<'_>, id: &str) -> bool {
    let referred = view.region.ec2.groups.iter().filter(|(other, _)| *other != id).any(|(_, group)| {
        group.ingress.iter().chain(&group.egress).any(|rule| matches!(&rule.peer, Peer::Group(peer) if peer == id))
    });
    let balancers = view.region.elbv2.uses_group(id) || view.region.apigatewayv2.uses_group(id);
    let endpoints = view.region.ec2.endpoints.values().any(|endpoint| endpoint.groups.iter().any(|group| group == id));
    referred
        || balancers
        || endpoints
        || interfaces::looked_at(view).iter().any(|one| one.groups.iter().any(|group| group == id))
}

fn rules_of(group: &mut Group, egress: bool) -> &mut Vec<Rule> {
    if egress { &mut group.egress } else { &mut group.ingress }
}

pub(super) fn authorize(view: &mut View<'_>, caller: &Caller, call: &Call, egress: bool) -> Answer<Xml> {
    let id = need(call, "GroupId")?.to_owned();
    let mut group = find(&view.region.ec2, &id)?.clone();
    let new = permissions::read(call, &view.region.ec2)?;
    let mut xml = done();
    let mut shown = Vec::new();
    for mut rule in new {
        let rules = rules_of(&mut group, egress);
        if rules.iter().any(|other| other.is(&rule)) {
            return Err(refuse(
                "InvalidPermission.Duplicate",
                format!("the specified rule \"{}\" already exists", rule.words()),
            ));
        }
        if rules.len() >= RULES {
            return Err(refuse(
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.",
            ));
        }
        rule.id = new_id(view, "sgr-");
        shown.push(permissions::shown(&rule, &id, egress, &caller.account));
        rules.push(rule);
    }
    view.region.ec2.groups.insert(id, group);
    xml.node("securityGroupRuleSet", |xml| shown.iter().for_each(|rule| xml.node("item", |xml| xml.append(rule))));
    Ok(xml)
}

/// "If the values you specify do not match the existing rule's values, … an `InvalidPermission.NotFound` client error is
/// returned, and no rules are revoked" (API reference, of VPCs that are no default ones).
pub(super) fn revoke(view: &mut View<'_>, call: &Call, egress: bool) -> Answer<Xml> {
    let id = need(call, "GroupId")?.to_owned();
    let mut group = find(&view.region.ec2, &id)?.clone();
    for rule in permissions::read(call, &view.region.ec2)? {
        let rules = rules_of(&mut group, egress);
        let Some(at) = rules.iter().position(|other| other.is(&rule)) else { return Err(no_rule()) };
        rules.remove(at);
    }
    view.region.ec2.groups.insert(id, group);
    Ok(done())
}

pub(super) fn update_descriptions(view: &mut View<'_>, call: &Call, egress: bool) -> Answer<Xml> {
    let id = need(call, "GroupId")?.to_owned();
    let mut group = find(&view.region.ec2, &id)?.clone();
    for rule in permissions::read(call, &view.region.ec2)? {
        let old = rules_of(&mut group, egress).iter_mut().find(|other| other.is(&rule)).ok_or_else(no_rule)?;
        old.description = rule.description;
    }
    view.region.ec2.groups.insert(id, group);
    Ok(done())
}

fn no_rule() -> Fault {
    refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
}

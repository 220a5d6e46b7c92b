//! `ChangeResourceRecordSets`: all changes of a batch, in order, or none of them.

use super::faults::{Answer, invalid_batch, invalid_input};
use super::names;
use super::record::{Alias, RecordSet, Routing};
use super::{State, Zone, change_info};
use crate::sandbox::apigateway::hosted_zones;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;
use crate::sandbox::xml::Xml;
use crate::sandbox::xml_reader::Element;

/// How many changes one batch may have (Route 53's quotas).
const MOST: usize = 1000;

/// One change of a batch.
struct Change {
    action: Action,
    set: RecordSet,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    Upsert,
    Delete,
}

/// Carries out a batch.
pub(super) fn change(view: &mut View<'_>, caller: &Caller, zone: &str, body: &Element) -> Answer<Xml> {
    let batch = body.child("ChangeBatch");
    let comment = batch.and_then(|batch| batch.text_of("Comment")).unwrap_or_default().to_owned();
    let list = batch.and_then(|batch| batch.child("Changes")).map(|list| list.children.as_slice()).unwrap_or_default();
    let changes = list.iter().map(read).collect::<Answer<Vec<_>>>()?;
    if changes.is_empty() {
        return Err(invalid_input("Invalid XML ; a ChangeBatch needs at least one Change"));
    }
    if changes.len() > MOST {
        return Err(invalid_batch(&[format!("Number of records limit of {MOST} exceeded.")]));
    }
    for id in changes.iter().filter(|one| one.action != Action::Delete).filter_map(|one| one.set.health_check.as_ref())
    {
        view.route53.health_check(id)?;
    }
    let held = view.route53.zone(zone)?;
    let mut draft = held.clone();
    let mut problems = Vec::new();
    for change in changes {
        carry_out(&mut draft, change, caller, &mut problems);
    }
    problems.extend(whole(&draft));
    if !problems.is_empty() {
        return Err(invalid_batch(&problems));
    }
    draft.sort();
    let id = view.new_change(comment);
    *view.route53.zone_mut(zone)? = draft;
    let mut xml = Xml::new();
    change_info(&mut xml, view.route53.changes.get(&id), "PENDING");
    Ok(xml)
}

fn read(element: &Element) -> Answer<Change> {
    let name = element.text_of("Action").unwrap_or_default();
    let action = match name {
        "CREATE" => Action::Create,
        "UPSERT" => Action::Upsert,
        "DELETE" => Action::Delete,
        _ => {
            return Err(invalid_input(format!(
                "Invalid XML ; Value '{name}' is not one of the actions [CREATE, DELETE, UPSERT]"
            )));
        }
    };
    let set = element.child("ResourceRecordSet");
    let set = set.ok_or_else(|| invalid_input("Invalid XML ; a Change needs a ResourceRecordSet"))?;
    Ok(Change { action, set: RecordSet::read(set, name)? })
}

/// Makes one change in a draft, or says why not.
fn carry_out(zone: &mut Zone, Change { action, set }: Change, caller: &Caller, problems: &mut Vec<String>) {
    if !names::lies_within(&set.name, &zone.name) {
        problems.push(format!("RRSet with DNS name {} is not permitted in zone {}", set.name, zone.name));
        return;
    }
    let at = zone.records.iter().position(|one| one.same_place(&set));
    if action == Action::Delete {
        match at {
            None => problems.push(format!("Tried to delete resource record set {} but it was not found", set.place())),
            Some(at) if !zone.records[at].same_content(&set) => problems.push(format!(
                "Tried to delete resource record set {} but the values provided do not match the current values",
                set.place()
            )),
            Some(at) => drop(zone.records.remove(at)),
        }
        return;
    }
    if action == Action::Create && at.is_some() {
        problems.push(format!("Tried to create resource record set {} but it already exists", set.place()));
        return;
    }
    let own = refused(zone, &set, caller);
    if !own.is_empty() {
        problems.extend(own);
        return;
    }
    match at {
        Some(at) => zone.records[at] = set,
        None => zone.records.push(set),
    }
}

/// Why a record set can't stand in the zone, whatever stands in its own place.
fn refused(zone: &Zone, set: &RecordSet, caller: &Caller) -> Vec<String> {
    let RecordSet { name, kind, .. } = set;
    let mut problems = set.problems();
    if kind == "CNAME" && *name == zone.name {
        problems
            .push(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}", zone.name));
    }
    let beside = || zone.records.iter().filter(|other| other.name == *name && !other.same_place(set));
    if kind == "CNAME" && beside().any(|other| other.kind != "CNAME") {
        problems.push(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same \
             DNS name in zone {}",
            zone.name
        ));
    }
    if kind != "CNAME" && beside().any(|other| other.kind == "CNAME") {
        problems.push(format!(
            "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME with \
             the same DNS name already exists in zone {}",
            zone.name
        ));
    }
    if let Some(other) = beside().find(|other| other.kind == *kind && !same_policy(other, set)) {
        // Known from reports in several forms; which one stands for which pair of policies is a guess.
        let own = set.set_identifier.as_ref().map(|id| format!(", SetIdentifier {id}")).unwrap_or_default();
        let theirs = if other.set_identifier.is_some() { "a multi-answer rrset" } else { "a non multi-answer rrset" };
        problems.push(format!(
            "RRSet with DNS name {name}, type {kind}{own} cannot be created because {theirs} exists with the same name \
             and type."
        ));
    }
    problems.extend(beside().find_map(|other| same_choice(other, set)));
    if let Some(alias) = &set.alias {
        problems.extend(unreachable_alias(zone, kind, alias, caller));
    }
    problems
}

/// Whether two record sets of one name and type may stand beside each other: both chosen from in the same way.
fn same_policy(one: &RecordSet, other: &RecordSet) -> bool {
    use std::mem::discriminant;
    match (&one.routing, &other.routing) {
        (Some(one), Some(other)) => discriminant(one) == discriminant(other),
        _ => false,
    }
}

/// Why two record sets of one name and type can't be told apart when one is chosen: a Region has one latency record, and a
/// failover has one of each role (API reference, `ResourceRecordSet`). The words are a guess.
fn same_choice(one: &RecordSet, other: &RecordSet) -> Option<String> {
    let what = match (&one.routing, &other.routing) {
        (Some(Routing::Region(one)), Some(Routing::Region(other))) if one == other => format!("region {one}"),
        (Some(Routing::Failover(one)), Some(Routing::Failover(other))) if one == other => format!("failover {one}"),
        _ => return None,
    };
    (one.kind == other.kind).then(|| {
        let RecordSet { name, kind, set_identifier, .. } = other;
        let own = set_identifier.as_deref().unwrap_or_default();
        let theirs = one.set_identifier.as_deref().unwrap_or_default();
        format!(
            "RRSet with DNS name {name}, type {kind}, SetIdentifier {own} cannot be created because SetIdentifier {theirs} \
             has the same {what}."
        )
    })
}

/// Why an alias leads nowhere. Of the zones of AWS's services, the sandbox knows those of API Gateway.
fn unreachable_alias(zone: &Zone, kind: &str, alias: &Alias, caller: &Caller) -> Option<String> {
    let what = format!("Tried to create an alias that targets {}, type {kind} in zone {}, but", alias.name, alias.zone);
    let outside = format!("{what} the alias target name does not lie within the target zone");
    if alias.zone == zone.id {
        if !names::lies_within(&alias.name, &zone.name) {
            return Some(outside);
        }
        let found = zone.records.iter().any(|other| other.name == alias.name && other.kind == kind);
        return (!found).then(|| format!("{what} that target was not found"));
    }
    if let Some(region) = hosted_zones::region(&alias.zone) {
        let home = format!(".execute-api.{region}.{}.", caller.dns_suffix());
        return (!alias.name.ends_with(&home)).then_some(outside);
    }
    // No alias leads out of China, or into it (aws-facts H). The words are a guess.
    let chinese = alias.name.ends_with(".amazonaws.com.cn.");
    let abroad = alias.name.ends_with(".amazonaws.com.") || alias.name.ends_with(".cloudfront.net.");
    (if caller.partition() == "aws-cn" { abroad } else { chinese }).then_some(outside)
}

/// What a zone can't be without.
fn whole(zone: &Zone) -> Vec<String> {
    let apex = |kind: &str| zone.records.iter().any(|set| set.name == zone.name && set.kind == kind);
    let mut problems = Vec::new();
    if !apex("SOA") {
        problems.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if !apex("NS") {
        problems.push("A HostedZone must contain at least one NS record for the zone itself.".to_owned());
    }
    problems
}

impl View<'_> {
    /// Notes a change of Route 53, and gives its id.
    pub(super) fn new_change(&mut self, comment: String) -> String {
        let id = self.new_iam_id("C", 20);
        let submitted = self.millis();
        State::note(self.route53, id.clone(), submitted, comment);
        id
    }
}

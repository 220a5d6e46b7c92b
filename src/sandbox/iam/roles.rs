//! Roles themselves.

use std::collections::BTreeMap;

use super::documents;
use super::managed;
use super::tags;
use super::{PREPARED_LOGS_ROLE, Role, State, is_name};
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::query::{Call, check, end_page, invalid};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::{View, date};
use crate::sandbox::xml::Xml;

/// IAM's default quota; white space does not count.
const TRUST_LIMIT: usize = 2048;

pub(super) fn create(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let name = role_name(call)?.to_owned();
    if !name.chars().all(is_name) {
        return Err(invalid(
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-"
                .to_owned(),
        ));
    }
    let path = path(call)?;
    let trust = trust(call, "AssumeRolePolicyDocument", caller)?;
    let description = description(call)?;
    let max_session_duration = call.number("MaxSessionDuration", 3600, 43200)?.unwrap_or(3600);
    let boundary = call.get("PermissionsBoundary").map(|arn| boundary(arn, caller)).transpose()?;
    let tags = tags::merged(Vec::new(), call.tags("Tags"))?;
    // Names that differ in case only can't both exist.
    if view.iam.roles.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
        return Err(Fault::new(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
    }
    let arn = format!("arn:{}:iam::{}:role{path}{name}", caller.partition(), caller.account);
    let role = Role {
        id: view.new_iam_id("AROA", 17),
        arn,
        created: view.millis(),
        path,
        trust,
        description,
        max_session_duration,
        boundary,
        tags,
        inline: std::collections::BTreeMap::default(),
        attached: Vec::new(),
        name: name.clone(),
    };
    let mut xml = Xml::new();
    xml.node("Role", |xml| {
        identity(xml, &role);
        tags::write(xml, &role.tags);
        write_boundary(xml, &role);
    });
    view.iam.roles.insert(name, role);
    Ok(Some(xml))
}

pub(super) fn get(iam: &State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let name = role_name(call)?;
    let prepared = (name == PREPARED_LOGS_ROLE && !iam.roles.contains_key(name)).then(|| prepared(caller));
    let role = match &prepared {
        Some(role) => role,
        None => iam.role(name)?,
    };
    let mut xml = Xml::new();
    xml.node("Role", |xml| {
        identity(xml, role);
        settings(xml, role);
        write_boundary(xml, role);
        tags::write(xml, &role.tags);
        // Nothing assumes roles here, so they were never used.
        xml.node("RoleLastUsed", |_| {});
    });
    Ok(Some(xml))
}

/// The role that a fresh Region's logs are written with.
fn prepared(caller: &Caller) -> Role {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let policy = "iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    Role {
        name: PREPARED_LOGS_ROLE.to_owned(),
        path: "/".to_owned(),
        id: "AROASANDBOXAPIGATEWAY".to_owned(),
        arn: format!("arn:{}:iam::{}:role/{PREPARED_LOGS_ROLE}", caller.partition(), caller.account),
        created: 0,
        trust: trust.to_owned(),
        description: None,
        max_session_duration: 3600,
        boundary: None,
        tags: Vec::new(),
        inline: BTreeMap::new(),
        attached: vec![format!("arn:{}:{policy}", caller.partition())],
    }
}

pub(super) fn list(iam: &State, call: &Call) -> Answer<Option<Xml>> {
    let prefix = call.get("PathPrefix").unwrap_or("/");
    if !prefix.starts_with('/') {
        let pattern = "Member must satisfy regular expression pattern: \\u002F[\\u0021-\\u007F]*";
        return Err(invalid(violation(prefix, "pathPrefix", pattern)));
    }
    let roles = iam.roles.iter().filter(|(_, role)| role.path.starts_with(prefix));
    let (page, marker) = call.page(roles.map(|(name, role)| (name.clone(), role)).collect())?;
    let mut xml = Xml::new();
    end_page(&mut xml, marker.as_deref());
    xml.node("Roles", |xml| {
        for role in page {
            // Neither tags nor boundary: IAM leaves them out of lists.
            xml.node("member", |xml| {
                identity(xml, role);
                settings(xml, role);
            });
        }
    });
    Ok(Some(xml))
}

pub(super) fn delete(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let name = role_name(call)?;
    let role = iam.role(name)?;
    let conflict = |message: &str| Err(Fault::new(409, "DeleteConflict", message));
    if !role.attached.is_empty() {
        return conflict("Cannot delete entity, must detach all policies first.");
    }
    if !role.inline.is_empty() {
        return conflict("Cannot delete entity, must delete policies first.");
    }
    iam.roles.remove(name);
    Ok(None)
}

pub(super) fn update(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let description = description(call)?;
    let duration = call.number("MaxSessionDuration", 3600, 43200)?;
    let role = iam.role_mut(role_name(call)?)?;
    if description.is_some() {
        role.description = description;
    }
    role.max_session_duration = duration.unwrap_or(role.max_session_duration);
    Ok(Some(Xml::new()))
}

pub(super) fn update_trust(iam: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let name = role_name(call)?;
    iam.role(name)?;
    let trust = trust(call, "PolicyDocument", caller)?;
    iam.role_mut(name)?.trust = trust;
    Ok(None)
}

pub(super) fn put_boundary(iam: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let role = iam.role_mut(role_name(call)?)?;
    role.boundary = Some(boundary(call.need("PermissionsBoundary")?, caller)?);
    Ok(None)
}

pub(super) fn delete_boundary(iam: &mut State, call: &Call) -> Answer<Option<Xml>> {
    let name = role_name(call)?;
    match iam.role_mut(name)?.boundary.take() {
        Some(_) => Ok(None),
        None => Err(Fault::new(
            404,
            "NoSuchEntity",
            format!("The permissions boundary of the role with name {name} cannot be found."),
        )),
    }
}

/// The name of the role that a call is about.
pub(super) fn role_name(call: &Call) -> Answer<&str> {
    let name = call.need("RoleName")?;
    check("RoleName", name, (1, 64), "[\\w+=,.@-]+", |_| true)?;
    Ok(name)
}

fn path(call: &Call) -> Answer<String> {
    let path = call.get("Path").unwrap_or("/");
    check("Path", path, (1, 512), "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", |_| true)?;
    if path.starts_with('/') && path.ends_with('/') && path.chars().all(|character| character.is_ascii_graphic()) {
        return Ok(path.to_owned());
    }
    Err(invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
         characters and/or / characters."
            .to_owned(),
    ))
}

fn description(call: &Call) -> Answer<Option<String>> {
    let Some(text) = call.get("Description") else { return Ok(None) };
    let pattern = "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*";
    check(
        "Description",
        text,
        (0, 1000),
        pattern,
        |character| matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'),
    )?;
    Ok(Some(text.to_owned()))
}

fn trust(call: &Call, member: &str, caller: &Caller) -> Answer<String> {
    let text = call.need(member)?;
    documents::check_trust(text, caller.partition())?;
    let compact = documents::compact(text);
    if compact.chars().count() > TRUST_LIMIT {
        return Err(Fault::new(409, "LimitExceeded", format!("Cannot exceed quota for ACLSizePerRole: {TRUST_LIMIT}")));
    }
    Ok(compact)
}

/// A boundary may be a policy of the account, which the sandbox can't know: only its form is checked.
fn boundary(arn: &str, caller: &Caller) -> Answer<String> {
    let own = format!("arn:{}:iam::{}:policy/", caller.partition(), caller.account);
    if arn.starts_with(&own) || managed::exists(arn, caller.partition()) {
        return Ok(arn.to_owned());
    }
    Err(Fault::new(404, "NoSuchEntity", format!("Scope ARN: {arn} does not exist or is not attachable.")))
}

/// What every answer about a role says.
fn identity(xml: &mut Xml, role: &Role) {
    xml.leaf("Path", &role.path);
    xml.leaf("RoleName", &role.name);
    xml.leaf("RoleId", &role.id);
    xml.leaf("Arn", &role.arn);
    xml.leaf("CreateDate", date(role.created, "%Y-%m-%dT%H:%M:%SZ"));
    xml.leaf("AssumeRolePolicyDocument", documents::encode(&role.trust));
}

fn settings(xml: &mut Xml, role: &Role) {
    if let Some(description) = &role.description {
        xml.leaf("Description", description);
    }
    xml.leaf("MaxSessionDuration", role.max_session_duration.to_string());
}

fn write_boundary(xml: &mut Xml, role: &Role) {
    if let Some(arn) = &role.boundary {
        xml.node("PermissionsBoundary", |xml| {
            xml.leaf("PermissionsBoundaryType", "Policy");
            xml.leaf("PermissionsBoundaryArn", arn);
        });
    }
}

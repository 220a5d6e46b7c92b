//! Log groups and how long they keep events.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Group, State, arn, invalid, is_group_name, no_group, tags};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

/// The only numbers of days that the service takes.
const RETENTIONS: &[u32] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creation {
    log_group_name: Option<String>,
    kms_key_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    log_group_class: Option<String>,
    #[serde(default)]
    deletion_protection_enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retention {
    log_group_name: Option<String>,
    retention_in_days: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protection {
    log_group_identifier: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    account_identifiers: Option<Vec<String>>,
    limit: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn create(view: &mut View<'_>, asked: &Creation) -> Answer<Value> {
    let name = name(asked.log_group_name.as_deref())?;
    let class = asked.log_group_class.as_deref().unwrap_or("STANDARD");
    check_class(class)?;
    let tags = tags::merged(&BTreeMap::new(), asked.tags.clone().unwrap_or_default(), name)?;
    if view.region.logs.has_group(name) {
        return Err(Fault::new(400, "ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let group = Group {
        created: view.millis(),
        // Groups that only pass logs on keep them for two days, and nobody can change that.
        retention: (class == "DELIVERY").then_some(2),
        class: class.to_owned(),
        key: asked.kms_key_id.clone(),
        protected: asked.deletion_protection_enabled,
        tags,
        streams: BTreeMap::new(),
        filters: super::filters::Filters::default(),
    };
    view.region.logs.groups.insert(name.to_owned(), group);
    Ok(Value::Null)
}

pub(super) fn delete(logs: &mut State, asked: &Named) -> Answer<Value> {
    let name = name(asked.log_group_name.as_deref())?;
    if logs.group_mut(name)?.protected {
        let message = "The specified log group has deletion protection enabled and cannot be deleted.";
        return Err(Fault::new(400, "ValidationException", message));
    }
    logs.groups.remove(name);
    Ok(Value::Null)
}

pub(super) fn describe(logs: &State, caller: &Caller, asked: &Query) -> Answer<Value> {
    if asked.log_group_name_prefix.is_some() && asked.log_group_name_pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    if let Some(prefix) = &asked.log_group_name_prefix {
        name(Some(prefix))?;
    }
    if let Some(class) = &asked.log_group_class {
        check_class(class)?;
    }
    if asked.account_identifiers.as_ref().is_some_and(|accounts| accounts.iter().any(|one| *one != caller.account)) {
        return Err(invalid("The sandbox's CloudWatch Logs does not look into other accounts"));
    }
    let size = limit(asked.limit)?;
    let after = asked.next_token.as_deref().map(untoken).transpose()?;
    let wanted = |name: &str, group: &Group| {
        let prefix = asked.log_group_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()));
        let pattern = asked.log_group_name_pattern.as_ref().is_none_or(|pattern| name.contains(pattern.as_str()));
        let class = asked.log_group_class.as_ref().is_none_or(|class| group.class == *class);
        let own = arn(name, caller);
        let listed = asked
            .log_group_identifiers
            .as_ref()
            .is_none_or(|all| all.iter().any(|one| one == name || one.trim_end_matches(":*") == own));
        prefix && pattern && class && listed && after.as_ref().is_none_or(|after| name > after.as_str())
    };
    let mut rest = logs.groups.iter().filter(|(name, group)| wanted(name, group));
    let page: Vec<(&String, &Group)> = rest.by_ref().take(size).collect();
    let groups: Vec<Value> = page.iter().map(|(name, group)| shown(name, group, caller)).collect();
    let mut answer = json!({ "logGroups": groups });
    if let (Some((last, _)), Some(_)) = (page.last(), rest.next()) {
        answer["nextToken"] = json!(BASE64.encode(last));
    }
    Ok(answer)
}

pub(super) fn put_retention(logs: &mut State, asked: &Retention) -> Answer<Value> {
    let name = name(asked.log_group_name.as_deref())?;
    let days = asked.retention_in_days.ok_or_else(|| invalid(missing("retentionInDays")))?;
    let Some(days) = u32::try_from(days).ok().filter(|days| RETENTIONS.contains(days)) else {
        let set: Vec<String> = RETENTIONS.iter().map(ToString::to_string).collect();
        let constraint = format!("Member must satisfy enum value set: [{}]", set.join(", "));
        return Err(invalid(violation(&days.to_string(), "retentionInDays", &constraint)));
    };
    *retention_of(logs, name)? = Some(days);
    Ok(Value::Null)
}

pub(super) fn delete_retention(logs: &mut State, asked: &Named) -> Answer<Value> {
    *retention_of(logs, name(asked.log_group_name.as_deref())?)? = None;
    Ok(Value::Null)
}

pub(super) fn protect(logs: &mut State, caller: &Caller, asked: &Protection) -> Answer<Value> {
    let identifier = asked.log_group_identifier.as_deref().ok_or_else(|| invalid(missing("logGroupIdentifier")))?;
    let prefix = arn("", caller);
    let group = logs.group_mut(identifier.strip_prefix(&prefix).unwrap_or(identifier))?;
    group.protected = asked.deletion_protection_enabled.ok_or_else(|| invalid(missing("deletionProtectionEnabled")))?;
    Ok(Value::Null)
}

/// The name of a log group that a call is about.
pub(super) fn name(name: Option<&str>) -> Answer<&str> {
    let name = name.ok_or_else(|| invalid(missing("logGroupName")))?;
    let constraint = if name.is_empty() {
        "Member must have length greater than or equal to 1"
    } else if name.len() > 512 {
        "Member must have length less than or equal to 512"
    } else if is_group_name(name) {
        return Ok(name);
    } else {
        "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
    };
    Err(invalid(violation(name, "logGroupName", constraint)))
}

fn retention_of<'a>(logs: &'a mut State, name: &str) -> Answer<&'a mut Option<u32>> {
    let group = logs.groups.get_mut(name).ok_or_else(no_group)?;
    if group.class == "DELIVERY" {
        return Err(invalid("The retention of a log group of the class DELIVERY cannot be changed."));
    }
    Ok(&mut group.retention)
}

fn check_class(class: &str) -> Answer<()> {
    if CLASSES.contains(&class) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", CLASSES.join(", "));
    Err(invalid(violation(class, "logGroupClass", &constraint)))
}

pub(super) fn limit(limit: Option<i64>) -> Answer<usize> {
    let Some(limit) = limit else { return Ok(50) };
    let refused = |constraint: &str| invalid(violation(&limit.to_string(), "limit", constraint));
    match usize::try_from(limit) {
        Ok(size @ 1..=50) => Ok(size),
        Ok(0) | Err(_) => Err(refused("Member must have value greater than or equal to 1")),
        Ok(_) => Err(refused("Member must have value less than or equal to 50")),
    }
}

pub(super) fn untoken(token: &str) -> Answer<String> {
    let name = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| invalid("The specified nextToken is invalid."))
}

fn shown(name: &str, group: &Group, caller: &Caller) -> Value {
    let arn = arn(name, caller);
    let mut shown = json!({
        "logGroupName": name,
        "creationTime": group.created,
        "metricFilterCount": group.filters.counting(),
        // The ARN that policies want, which covers the streams, and the one that everything else wants.
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": group.class,
        "deletionProtectionEnabled": group.protected,
    });
    if let Some(days) = group.retention {
        shown["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.key {
        shown["kmsKeyId"] = json!(key);
    }
    shown
}

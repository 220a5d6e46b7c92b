//! Where a web ACL's logs would go. No logs are written here.

use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use super::entities::{self, Page};
use super::faults::{self, Answer};
use super::rules::FieldToMatch;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Put {
    logging_configuration: Value,
}

/// The members that are checked; the configuration is kept as it came.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Configuration {
    resource_arn: String,
    log_destination_configs: Vec<String>,
    #[serde(default)]
    redacted_fields: Vec<FieldToMatch>,
    #[serde(default, rename = "ManagedByFirewallManager")]
    _managed: bool,
    #[serde(default)]
    logging_filter: Option<Value>,
    #[serde(default)]
    log_type: Option<String>,
    #[serde(default)]
    log_scope: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Resource {
    #[serde(rename = "ResourceArn")]
    arn: String,
    #[serde(default)]
    log_type: Option<String>,
    #[serde(default)]
    log_scope: Option<String>,
}

pub(super) fn put(view: &mut View<'_>, caller: &Caller, asked: Put) -> Answer<Value> {
    let mut kept = asked.logging_configuration;
    let read: Configuration = serde_json::from_value(kept.clone()).map_err(|error| faults::unreadable(&error))?;
    scoped(read.log_type.as_deref(), read.log_scope.as_deref())?;
    view.region.wafv2.web_acl(&read.resource_arn).ok_or_else(faults::nonexistent)?;
    let [destination] = read.log_destination_configs.as_slice() else {
        // One destination for a web ACL (aws-facts I).
        return Err(faults::limit("LOG_DESTINATION"));
    };
    check_destination(view, caller, destination)?;
    if read.redacted_fields.iter().any(|field| field.members() != 1) {
        return Err(faults::one_value("FIELD_TO_MATCH", "FieldToMatch"));
    }
    let filters = read.logging_filter.as_ref().map(|filter| &filter["Filters"]);
    if filters.is_some_and(|filters| filters.as_array().is_none_or(Vec::is_empty)) {
        return Err(faults::invalid("A required field is missing from the parameter.", "LOGGING_FILTER", "Filters"));
    }
    kept["ManagedByFirewallManager"] = json!(false);
    kept["LogType"] = json!("WAF_LOGS");
    kept["LogScope"] = json!("CUSTOMER");
    view.region.wafv2.logging.insert(read.resource_arn, kept.clone());
    Ok(json!({ "LoggingConfiguration": kept }))
}

pub(super) fn get(state: &State, asked: &Resource) -> Answer<Value> {
    scoped(asked.log_type.as_deref(), asked.log_scope.as_deref())?;
    let found = state.logging.get(&asked.arn).ok_or_else(faults::nonexistent)?;
    Ok(json!({ "LoggingConfiguration": found }))
}

pub(super) fn delete(state: &mut State, asked: &Resource) -> Answer<Value> {
    scoped(asked.log_type.as_deref(), asked.log_scope.as_deref())?;
    state.logging.remove(&asked.arn).ok_or_else(faults::nonexistent)?;
    Ok(json!({}))
}

pub(super) fn list(state: &State, caller: &Caller, asked: &Listing) -> Answer<Value> {
    let scope = entities::scope(&asked.scope, caller)?;
    scoped(None, asked.log_scope.as_deref())?;
    let of_scope = state.logging.iter().filter(|(arn, _)| arn.contains(&format!(":{scope}/")));
    let items = of_scope.map(|(arn, value)| (arn.clone(), value.clone())).collect();
    asked.page.of("LoggingConfigurations", items)
}

/// A page of the configurations of one scope.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    scope: String,
    #[serde(default)]
    log_scope: Option<String>,
    #[serde(flatten)]
    page: Page,
}

/// Only a customer's own logs are kept here.
fn scoped(kind: Option<&str>, scope: Option<&str>) -> Answer<()> {
    if kind.is_none_or(|kind| kind == "WAF_LOGS") && scope.is_none_or(|scope| scope == "CUSTOMER") {
        return Ok(());
    }
    Err(faults::operation("The sandbox's AWS WAF knows only logs of type WAF_LOGS in the scope CUSTOMER"))
}

/// A log group, a Firehose or a bucket whose name begins with `aws-waf-logs-` (aws-facts I).
fn check_destination(view: &View<'_>, caller: &Caller, arn: &str) -> Answer<()> {
    let own = |service: &str| format!("arn:{}:{service}:{}:{}:", caller.partition(), caller.region, caller.account);
    let named = |prefix: String| arn.strip_prefix(&prefix).filter(|name| name.starts_with("aws-waf-logs-"));
    if let Some(name) = named(own("logs") + "log-group:") {
        let name = name.strip_suffix(":*").unwrap_or(name);
        // Which exception a missing log group leads to is a guess.
        return if view.region.logs.has_group(name) { Ok(()) } else { Err(faults::log_destination()) };
    }
    let bucket = named(format!("arn:{}:s3:::", caller.partition()));
    if let Some(name) = named(own("firehose") + "deliverystream/") {
        // A guess, as that of a log group.
        return if view.region.firehose.has(name) { Ok(()) } else { Err(faults::log_destination()) };
    }
    if bucket.is_some() { Ok(()) } else { Err(faults::arn("LOG_DESTINATION", arn)) }
}

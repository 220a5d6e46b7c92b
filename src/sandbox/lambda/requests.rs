//! The bodies of requests: parsed, and checked for what the sandbox does not have.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::configuration::{DeadLetterConfig, Environment, EphemeralStorage, TracingConfig};
use super::invalid;
use super::settings::validation;
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::wire::Request;

/// What `CreateFunction` and `UpdateFunctionConfiguration` can set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    pub(super) role: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) description: Option<String>,
    pub(super) timeout: Option<i64>,
    pub(super) memory_size: Option<i64>,
    pub(super) vpc_config: Option<Vpc>,
    pub(super) environment: Option<Environment>,
    pub(super) dead_letter_config: Option<DeadLetterConfig>,
    #[serde(rename = "KMSKeyArn")]
    pub(super) kms_key_arn: Option<String>,
    pub(super) tracing_config: Option<TracingConfig>,
    pub(super) ephemeral_storage: Option<EphemeralStorage>,
    pub(super) logging_config: Option<Logging>,
    pub(super) revision_id: Option<String>,
}

/// What only `CreateFunction` can set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Creation {
    pub(super) function_name: Option<String>,
    pub(super) code: Option<Code>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) package_type: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// What `UpdateFunctionCode` takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeUpdate {
    pub(super) zip_file: Option<String>,
    pub(super) architectures: Option<Vec<String>>,
    #[serde(default)]
    pub(super) dry_run: bool,
    pub(super) revision_id: Option<String>,
}

/// What `AddPermission` takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Permission {
    pub(super) statement_id: Option<String>,
    pub(super) action: Option<String>,
    pub(super) principal: Option<String>,
    pub(super) source_arn: Option<String>,
    pub(super) source_account: Option<String>,
    pub(super) event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    pub(super) principal_org_id: Option<String>,
    pub(super) revision_id: Option<String>,
}

/// The code of a new function.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Code {
    pub(super) zip_file: Option<String>,
}

/// The network, as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Vpc {
    pub(super) subnet_ids: Option<Vec<String>>,
    pub(super) security_group_ids: Option<Vec<String>>,
    pub(super) ipv6_allowed_for_dual_stack: Option<bool>,
}

/// Logging, as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Logging {
    pub(super) log_format: Option<String>,
    pub(super) application_log_level: Option<String>,
    pub(super) system_log_level: Option<String>,
    pub(super) log_group: Option<String>,
}

/// The body of a request as JSON.
pub(super) fn body(request: &Request) -> Answer<Value> {
    serde_json::from_slice(&request.body).map_err(|error| not_json(&error))
}

/// The same, where a request may have none.
pub(super) fn optional_body(request: &Request) -> Answer<Value> {
    if request.body.is_empty() { Ok(Value::Object(serde_json::Map::new())) } else { body(request) }
}

/// The page of a sorted list that `Marker` and `MaxItems` ask for, and the marker of the next: the key of its last item.
/// Lambda sends at most `most` a page, whatever is asked for.
pub(super) fn page(request: &Request, all: Vec<(String, Value)>, most: usize) -> Answer<(Vec<Value>, Option<String>)> {
    let size = match request.parameter("MaxItems") {
        None => most,
        Some(text) => match text.parse::<usize>() {
            Ok(number) if (1..=10_000).contains(&number) => number.min(most),
            _ => {
                let constraint = "Member must have value between 1 and 10000";
                return Err(validation(violation(text, "maxItems", constraint)));
            }
        },
    };
    let after = request.parameter("Marker").unwrap_or_default();
    let mut rest = all.into_iter().filter(|(key, _)| after.is_empty() || key.as_str() > after);
    let (keys, page): (Vec<String>, Vec<Value>) = rest.by_ref().take(size).unzip();
    let next = rest.next().and_then(|_| keys.into_iter().last());
    Ok((page, next))
}

/// A body, or its part that one type knows.
pub(super) fn parse<T: DeserializeOwned>(body: &Value) -> Answer<T> {
    T::deserialize(body).map_err(|error| not_json(&error))
}

/// Refuses what would be silently lost. `members` are paths such as `Code.S3Bucket`.
pub(super) fn refuse_unsupported(body: &Value, members: &[&str]) -> Answer<()> {
    for path in members {
        let value = path.split('.').try_fold(body, |value, key| value.get(key));
        // What says "nothing of it" asks for nothing.
        let nothing = match value {
            None | Some(Value::Null | Value::Bool(false)) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(object)) => object.is_empty() || object.get("ApplyOn").is_some_and(|on| on == "None"),
            Some(Value::String(text)) => text.is_empty(),
            Some(_) => false,
        };
        if !nothing {
            return Err(invalid(format!("The sandbox's Lambda does not support {path}")));
        }
    }
    Ok(())
}

fn not_json(error: &serde_json::Error) -> Fault {
    Fault::new(400, "SerializationException", format!("Could not parse request body into json: {error}"))
}

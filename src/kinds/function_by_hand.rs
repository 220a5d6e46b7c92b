//! What somebody can set on a function by hand and no stack ever wants. It is read so that it is seen, and removed by an
//! apply.

use std::collections::BTreeMap;

use aws_sdk_lambda::types::{DeadLetterConfig, EphemeralStorage, FunctionConfiguration, LogFormat, LoggingConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lambda_function::wait_until_usable;
use crate::aws::failure::is_not_found;
use crate::aws::{Aws, ReadAws, failed};
use crate::error::Result;

/// Settings that are never wanted; each absent where it is as Lambda makes it by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByHand {
    /// MiB in `/tmp`; absent: 512.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage_mb: Option<i32>,
    /// ARNs of layers, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// Where events go that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<String>,
    /// The key that the environment is encrypted with; absent: Lambda's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The form of its logs; absent: text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
    /// The group that it logs to; absent: the one of its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
    /// Statements of its resource policy, by their ids: who else may call it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, Value>,
}

/// What Lambda gives a function in `/tmp` (developer guide, "Configure ephemeral storage").
const STORAGE_MB: i32 = 512;

/// Reads them from a function's configuration and its resource policy.
pub(super) fn of(name: &str, live: &FunctionConfiguration, permissions: BTreeMap<String, Value>) -> ByHand {
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let logging = live.logging_config();
    let storage = live.ephemeral_storage().map(EphemeralStorage::size);
    ByHand {
        ephemeral_storage_mb: storage.filter(|size| *size != STORAGE_MB),
        layers: live.layers().iter().filter_map(|layer| layer.arn().map(str::to_owned)).collect(),
        dead_letters: filled(live.dead_letter_config().and_then(DeadLetterConfig::target_arn)),
        kms_key: filled(live.kms_key_arn()),
        log_format: logging
            .and_then(LoggingConfig::log_format)
            .filter(|format| **format != LogFormat::Text)
            .map(|format| format.as_str().to_owned()),
        log_group: filled(logging.and_then(LoggingConfig::log_group))
            .filter(|group| *group != format!("/aws/lambda/{name}")),
        permissions,
    }
}

/// The statements of the resource policy of a function, or of a version or an alias of it; none where there is no policy.
pub(super) async fn permissions(aws: &ReadAws, name: &str, qualifier: Option<&str>) -> Result<BTreeMap<String, Value>> {
    let call = aws.clients.lambda.get_policy().function_name(name).set_qualifier(qualifier.map(str::to_owned));
    let policy = match call.send().await {
        Ok(answer) => answer.policy.unwrap_or_default(),
        // No policy, or no such function any more. An emulator without this operation says 404, too.
        Err(error) if error.raw_response().is_some_and(|answer| answer.status().as_u16() == 404) => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(failed(&format!("read the resource policy of function `{name}`"), error)),
    };
    let document: Value = serde_json::from_str(&policy).unwrap_or_default();
    let statements = document.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = statements.into_iter().filter_map(|mut statement| {
        let sid = statement.get("Sid")?.as_str()?.to_owned();
        let members = statement.as_object_mut()?;
        members.remove("Sid");
        // It names the function itself, which says nothing.
        members.remove("Resource");
        Some((sid, statement))
    });
    Ok(named.collect())
}

/// Makes a function what it is without them.
pub(super) async fn remove(aws: &Aws, name: &str, live: &ByHand) -> Result<()> {
    // What stands here has to be looked for above, and removed here.
    let ByHand { ephemeral_storage_mb, layers, dead_letters, kms_key, log_format, log_group, permissions } = live;
    revoke(aws, name, None, permissions.keys()).await?;
    let settings = ByHand { permissions: BTreeMap::new(), ..live.clone() };
    if settings == ByHand::default() {
        return Ok(());
    }
    let mut call = aws.write.lambda.update_function_configuration().function_name(name);
    if ephemeral_storage_mb.is_some() {
        let storage = EphemeralStorage::builder().size(STORAGE_MB).build();
        let storage = storage.map_err(|error| {
            crate::error::Failure::internal("the size of a function's storage is missing").because(&error)
        })?;
        call = call.ephemeral_storage(storage);
    }
    if !layers.is_empty() {
        call = call.set_layers(Some(Vec::new()));
    }
    if dead_letters.is_some() {
        call = call.dead_letter_config(DeadLetterConfig::builder().target_arn("").build());
    }
    if kms_key.is_some() {
        call = call.kms_key_arn("");
    }
    if log_format.is_some() || log_group.is_some() {
        let own = format!("/aws/lambda/{name}");
        call = call.logging_config(LoggingConfig::builder().log_format(LogFormat::Text).log_group(own).build());
    }
    call.send().await.map_err(|error| failed(&format!("reset what was set on function `{name}` by hand"), error))?;
    wait_until_usable(aws, name).await
}

/// Takes statements out of a resource policy.
pub(super) async fn revoke(
    aws: &Aws,
    name: &str,
    qualifier: Option<&str>,
    ids: impl Iterator<Item = &String>,
) -> Result<()> {
    for id in ids {
        let call = aws.write.lambda.remove_permission().function_name(name).statement_id(id);
        match call.set_qualifier(qualifier.map(str::to_owned)).send().await {
            Err(error) if !is_not_found(&error) => {
                return Err(failed(&format!("remove the permission `{id}` of function `{name}`"), error));
            }
            _ => {}
        }
    }
    Ok(())
}

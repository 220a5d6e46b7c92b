//! The account settings: above all the role that lets API Gateway write logs (aws-facts F).

use serde_json::{Value, json};

use super::errors::{Answer, bad_request, patch_path};
use super::state::{LogsRole, State};
use super::{Call, ok, patch};
use crate::sandbox::iam::PREPARED_LOGS_ROLE;
use crate::sandbox::wire::Caller;

/// `GetAccount`, `UpdateAccount`.
pub(super) fn route(call: &mut Call<'_, '_>) -> Answer {
    match call.verb() {
        "GET" => Ok(ok(&describe(call))),
        "PATCH" => update(call),
        _ => Err(call.unknown()),
    }
}

/// The role, if there is one.
pub(super) fn logs_role(state: &State, caller: &Caller) -> Option<String> {
    match &state.logs_role {
        LogsRole::Prepared => {
            Some(format!("arn:{}:iam::{}:role/{PREPARED_LOGS_ROLE}", caller.partition(), caller.account))
        }
        LogsRole::Set(role) => Some(role.clone()),
        LogsRole::Unset => None,
    }
}

fn update(call: &mut Call<'_, '_>) -> Answer {
    let mut role = call.state().logs_role.clone();
    for patch in patch::read(call, "updateAccountInput")? {
        if patch.path != "/cloudwatchRoleArn" {
            return Err(patch_path(&patch.path));
        }
        patch.only(&["add", "replace", "remove"])?;
        role = match patch.text_or_none() {
            Some(arn) if patch.op != "remove" => {
                if !super::integrations::is_role_arn(&arn, call.caller().partition()) {
                    return Err(bad_request("Role ARN is not well formed"));
                }
                check_role(call, &arn)?;
                LogsRole::Set(arn)
            }
            _ => LogsRole::Unset,
        };
    }
    call.state_mut().logs_role = role;
    Ok(ok(&describe(call)))
}

/// Refuses a role that could write nothing: the service tries it at once (reported).
fn check_role(call: &Call<'_, '_>, arn: &str) -> Answer<()> {
    let writes = call.view.iam.role_with_arn(arn).is_some_and(|role| {
        role.trusts("apigateway.amazonaws.com")
            && (role.allows("logs:PutLogEvents")
                || role.has_managed_policy("service-role/AmazonAPIGatewayPushToCloudWatchLogs"))
    });
    if writes {
        return Ok(());
    }
    Err(bad_request(
        "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and \
         add the required role policy.",
    ))
}

fn describe(call: &Call<'_, '_>) -> Value {
    let mut account = json!({
        "throttleSettings": { "burstLimit": 5000, "rateLimit": 10000.0 },
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    });
    if let Some(role) = logs_role(call.state(), call.caller()) {
        account["cloudwatchRoleArn"] = role.into();
    }
    account
}

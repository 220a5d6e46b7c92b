//! Whether API Gateway may call the function of an authorizer (aws-facts D).

use crate::sandbox::{iam, lambda};

/// The service that calls.
const API_GATEWAY: &str = "apigateway.amazonaws.com";

/// Checks the permission to call a function: through the role in `credentials` if the authorizer has one, by the
/// function's own policy otherwise. `iam` is that of the API's account, `lambda` that of the function's account and
/// Region; `source` is the ARN of the authorizer, `arn:…:execute-api:REGION:ACCOUNT:API-ID/authorizers/ID`.
///
/// # Errors
///
/// One sentence that says what is missing.
pub fn may_invoke(
    iam: &iam::State,
    lambda: &lambda::State,
    credentials: Option<&str>,
    function: &str,
    source: &str,
) -> Result<(), String> {
    let Some(by_policy) = lambda.lets_invoke(function, API_GATEWAY, source) else {
        return Err(format!("the sandbox has no function {function}"));
    };
    let Some(role) = credentials.filter(|role| !role.is_empty()) else {
        return if by_policy {
            Ok(())
        } else {
            Err(format!("no statement of the policy of {function} lets {API_GATEWAY} invoke it for {source}"))
        };
    };
    let Some(found) = iam.role_with_arn(role) else {
        return Err(format!("there is no role {role}"));
    };
    if !found.trusts(API_GATEWAY) {
        return Err(format!("the role {role} does not trust {API_GATEWAY}"));
    }
    if !found.allows_on("lambda:InvokeFunction", function) {
        return Err(format!("the role {role} does not allow lambda:InvokeFunction on {function}"));
    }
    Ok(())
}

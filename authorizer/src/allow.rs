//! What API Gateway is told when a request passes.

use std::fmt;

use serde_json::{Value, json};

/// A request that passes: the policy and the context for the back end. Made only by
/// [`Question::judge`](crate::Question::judge).
pub struct Allow {
    pub(crate) resource: String,
    pub(crate) token: String,
    pub(crate) user_id: String,
    pub(crate) auth_type: &'static str,
    pub(crate) scope: &'static str,
}

impl Allow {
    /// The authorizer's answer in API Gateway's form.
    #[must_use]
    pub fn response(&self) -> Value {
        json!({
            // The principal appears in access logs, so it names the kind of caller and not the user's JWT.
            "principalId": self.auth_type,
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": self.resource}],
            },
            "context": {
                "x-user-token": self.token,
                "x-auth-type": self.auth_type,
                "x-user-scope": self.scope,
                "x-user-id": self.user_id,
            },
        })
    }

    /// What the policy covers.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

/// Without the token and the user's JWT.
impl fmt::Debug for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allow")
            .field("resource", &self.resource)
            .field("auth_type", &self.auth_type)
            .finish_non_exhaustive()
    }
}

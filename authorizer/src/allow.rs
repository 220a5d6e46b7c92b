//! What API Gateway is told when a request passes.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

/// The most that all values of a context may take together. They become headers of the request to the back end, where
/// API Gateway takes 10,240 bytes of headers (its quotas for REST APIs); a request with more would end in an error that
/// says nothing of the authorizer.
pub const MAX_CONTEXT_BYTES: usize = 10_240;

/// A request that passes: the policy and the context for the back end. Made only by
/// [`gate::Question::judge`](crate::gate::Question::judge) and [`system::Callers::decide`](crate::system::Callers::decide).
#[derive(Clone)]
pub struct Allow {
    /// Appears in access logs, so it names the kind of caller and never a user's token.
    principal: String,
    resource: String,
    context: BTreeMap<String, String>,
}

impl Allow {
    /// `None` when the context is larger than API Gateway passes on.
    pub(crate) fn new(principal: String, resource: String, context: BTreeMap<String, String>) -> Option<Self> {
        let bytes: usize = context.iter().map(|(name, value)| name.len() + value.len()).sum();
        (bytes <= MAX_CONTEXT_BYTES).then_some(Self { principal, resource, context })
    }

    /// The authorizer's answer in API Gateway's form. Values of the context are strings, which it takes as they are.
    #[must_use]
    pub fn response(&self) -> Value {
        json!({
            "principalId": self.principal,
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": self.resource}],
            },
            "context": self.context,
        })
    }

    /// What the policy covers.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

/// Without the context, which holds the token.
impl fmt::Debug for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allow")
            .field("principal", &self.principal)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

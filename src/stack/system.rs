//! The system stack: an internal REST API between services, whose callers are known by keys. Its authorizer asks nobody, so
//! that it needs no VPC.

use std::collections::BTreeMap;

use serde_json::json;

use super::Zips;
use super::rest::{Authorizer, Blueprint, Function};
use crate::config::{Environment, GatewayStack};

/// Two authorizers over one function: it keeps nothing and asks nobody, so that its answer is the same whether API Gateway
/// keeps it or not.
const AUTHORIZERS: [Authorizer; 2] = [
    Authorizer { name: "authorizer", function: "authorizer", cached: true },
    Authorizer { name: "non-ttl-authorizer", function: "authorizer", cached: false },
];

/// What is particular to the system gateway.
pub(super) fn blueprint<'a>(environment: &Environment, zips: &Zips<'a>) -> Blueprint<'a> {
    let callers = environment.system.as_ref().map(|gateway| &gateway.settings.authorizer.callers);
    let variables = BTreeMap::from([
        ("CALLERS".to_owned(), json!(callers).to_string().into()),
        // The answer has to hold for every route, because one of the two authorizers keeps it (aws-facts D).
        ("RESULT_CACHED".to_owned(), "true".into()),
    ]);
    Blueprint {
        stack: GatewayStack::System,
        gateway: "system-gateway",
        function_prefix: "system-",
        role_prefix: "system-",
        authorizers: &AUTHORIZERS,
        functions: vec![Function { name: "authorizer", code_sha256: zips.system, environment: variables }],
    }
}

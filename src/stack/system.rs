//! The system stack: an internal REST API between services, whose callers are known by keys. Its authorizer asks nobody, so
//! that it needs no VPC.

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
    let authorizer = environment.system.as_ref().map(|gateway| &gateway.settings.authorizer);
    // The answer has to hold for every route, because one of the two authorizers keeps it (aws-facts D).
    let variables = authorizer.map(|authorizer| authorizer.variables(true)).unwrap_or_default();
    Blueprint {
        stack: GatewayStack::System,
        gateway: "system-gateway",
        function_prefix: "system-",
        role_prefix: "system-",
        authorizers: &AUTHORIZERS,
        functions: vec![Function {
            name: "authorizer",
            code_sha256: zips.system,
            environment: variables.into_iter().map(|(name, value)| (name, value.into())).collect(),
        }],
    }
}

//! The gate stack: a public REST API behind Lambda authorizers with and without result cache, which ask the company's auth
//! service.

use std::collections::BTreeMap;

use super::Zips;
use super::rest::{Authorizer, Blueprint, Function};
use crate::config::{AuthorizerSettings, Environment, GatewayStack};
use crate::model::Input;

/// The two authorizers: same code, each in a function of its own, so that what API Gateway keeps and what it asks for each
/// time can be watched and throttled apart.
const AUTHORIZERS: [Authorizer; 2] = [
    Authorizer { name: "authorizer", function: "authorizer", cached: true },
    Authorizer { name: "non-ttl-authorizer", function: "non-ttl-authorizer", cached: false },
];

/// What is particular to the gate.
pub(super) fn blueprint<'a>(environment: &Environment, zips: &Zips<'a>) -> Blueprint<'a> {
    let authorizer = &environment.gate.settings.authorizer;
    let function = |name, cached| Function { name, code_sha256: zips.gate, environment: variables(authorizer, cached) };
    Blueprint {
        stack: GatewayStack::Gate,
        gateway: "gateway",
        function_prefix: "api-",
        role_prefix: "",
        authorizers: &AUTHORIZERS,
        functions: vec![function("authorizer", true), function("non-ttl-authorizer", false)],
    }
}

/// The functions' settings, as `authorizer::gate::Settings` reads them.
fn variables(settings: &AuthorizerSettings, cached: bool) -> BTreeMap<String, Input> {
    let known = [
        ("AUTH_HOST", settings.auth_host.clone()),
        ("AUTH_PATH", settings.auth_path.clone()),
        ("AUTH_TIMEOUT_MS", settings.auth_timeout_ms.map(|milliseconds| milliseconds.to_string())),
        // Tells the function whether its answer is kept, and so has to hold for every route (aws-facts D).
        ("RESULT_CACHED", Some(cached.to_string())),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

//! The gate stack: a public REST API behind Lambda authorizers with and without result cache, which ask the company's auth
//! service.

use std::collections::BTreeMap;

use super::rest::{Authorizer, Blueprint, Function};
use super::{Zips, stage_address};
use crate::config::{Environment, GatewayStack};
use crate::model::{Found, Input, Lookup};

/// The two authorizers: same code, each in a function of its own, so that what API Gateway keeps and what it asks for each
/// time can be watched and throttled apart.
const AUTHORIZERS: [Authorizer; 2] = [
    Authorizer { name: "authorizer", function: "authorizer", cached: true },
    Authorizer { name: "non-ttl-authorizer", function: "non-ttl-authorizer", cached: false },
];

/// What is particular to the gate.
pub(super) fn blueprint<'a>(environment: &Environment, zips: &Zips<'a>, found: &Found) -> Blueprint<'a> {
    let function = |name, cached| {
        let variables = variables(environment, cached, found);
        Function { name, code_sha256: zips.gate, environment: variables }
    };
    Blueprint {
        stack: GatewayStack::Gate,
        gateway: "gateway",
        function_prefix: "api-",
        role_prefix: "",
        authorizers: &AUTHORIZERS,
        functions: vec![function("authorizer", true), function("non-ttl-authorizer", false)],
    }
}

/// What has to be looked up in AWS for the gate alone.
pub(super) fn lookups(environment: &Environment) -> Option<Lookup> {
    let product = environment.gate.as_ref()?.settings.authorizer.auth_gateway.as_ref()?.product.as_ref()?;
    let other = *product != environment.product;
    other.then(|| Lookup::SystemGateway { product: product.clone(), environment: environment.name.clone() })
}

/// The functions' settings, as `authorizer::gate::Settings` reads them.
fn variables(environment: &Environment, cached: bool, found: &Found) -> BTreeMap<String, Input> {
    let Some(gate) = &environment.gate else { return BTreeMap::new() };
    let authorizer = &gate.settings.authorizer;
    let known = authorizer.variables(cached).into_iter().map(|(name, value)| (name, Input::from(value)));
    let mut variables: BTreeMap<String, Input> = known.collect();
    if authorizer.auth_gateway.is_some() {
        let host = match lookups(environment) {
            Some(lookup) => Input::from(found.get(&lookup)),
            None => Input::output(&stage_address(GatewayStack::System), "endpoint"),
        };
        variables.insert("AUTH_HOST".to_owned(), host);
    }
    variables
}

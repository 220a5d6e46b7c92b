//! What resources are called: by a rule of the environment's and the stack's names, or as the environment's `names` say.

use std::collections::BTreeMap;

use super::{GATEWAY, RestGateway};
use crate::config::names::{self, KEY};
use crate::config::{Environment, Faults, suggestion};
use crate::kinds::Kind as _;
use crate::kinds::lambda_function::LambdaFunction;
use crate::kinds::rest_api::RestApi;
use crate::kinds::vpc_link::VpcLink;
use crate::model::Desired;

impl RestGateway<'_> {
    /// The name that the environment gives to a resource of the stack.
    pub(super) fn given_name(&self, kind: &str, name: &str) -> Option<&str> {
        self.environment.names.get(self.address(kind, name).as_str()).map(|given| given.name.as_str())
    }

    /// The name of a resource of the stack: given, or made.
    pub(super) fn name_of(&self, kind: &str, name: &str, made: impl FnOnce() -> String) -> String {
        self.given_name(kind, name).map_or_else(made, str::to_owned)
    }

    /// `product-a-gateway-dev`, whatever the API is called: what else is named after the gateway keeps its name.
    pub(super) fn gateway_name(&self) -> String {
        self.named(self.blueprint.gateway)
    }

    /// The name of the API.
    pub(super) fn api_name(&self) -> String {
        self.name_of(RestApi::NAME, GATEWAY, || self.gateway_name())
    }

    /// The name of an authorizer in the API, which is a part of the document and no resource of its own.
    pub(super) fn authorizer_name(&self, authorizer: &str) -> String {
        self.named(&format!("{}{authorizer}", self.blueprint.function_prefix))
    }

    /// The name of a function.
    pub(super) fn function_name(&self, function: &str) -> String {
        self.name_of(LambdaFunction::NAME, function, || self.authorizer_name(function))
    }

    /// The name of the link to the ingress.
    pub(super) fn vpc_link_name(&self) -> String {
        self.name_of(VpcLink::NAME, "ingress", || self.named(&format!("{}ingress", self.blueprint.role_prefix)))
    }
}

/// Adds a fault for every name that is given to nothing, and for two resources of one kind that are to have the same.
pub(in crate::stack) fn check_names(environment: &Environment, desired: &[Desired], faults: &mut Faults) {
    let mut taken: BTreeMap<(&str, &str), &Desired> = BTreeMap::new();
    for one in desired {
        let Some(name) = one.name() else { continue };
        if names::MAY_BE_ALIKE.contains(&one.address.kind()) {
            continue;
        }
        let Some(first) = taken.insert((one.address.kind(), name), one) else { continue };
        let given = |one: &Desired| environment.names.get(one.address.as_str());
        if let Some(given) = given(one).or_else(|| given(first)) {
            let message = format!("{} and {} would have the same name, `{name}`", first.address, one.address);
            faults.error(&given.span, message, "give each its own: one resource can't be two");
        }
    }
    for (address, given) in &environment.names {
        if !desired.iter().any(|one| one.address.as_str() == address) {
            let kind = names::parts(address).map(|parts| parts[1]);
            let alike = desired.iter().filter(|one| Some(one.address.kind()) == kind);
            let known: Vec<&str> = alike.map(|one| one.address.as_str()).collect();
            let message = format!("`{KEY}` names {address}, which this environment does not have");
            faults.error(&given.span, message, suggestion(address, &known));
        }
    }
}

//! Expands stacks and environment into desired resources.
//!
//! Stage 3 of the pipeline in [`crate`], and pure. What a team edits (templates, defaults, policy, gateway responses) is
//! data in `stacks/`; which resources there are and how they refer to each other is one typed function a stack: [`gate`]
//! and
//! [`system`] say what is particular to theirs, [`rest`] what every REST API has, [`edge`] all of the HTTP APIs.

pub mod edge;
pub mod gate;
mod ingress;
mod openapi;
pub mod rest;
pub mod system;
mod template;
mod web_acl;

pub use self::rest::resource_count as rest_resources;

use serde_json::Value;

use crate::config::{Configuration, Environment, Faults, GatewayStack, Target};
use crate::error::Result;
use crate::kinds::check_references;
use crate::model::{Address, Desired, Found, Lookup, Owner, Place};

/// What an environment's stacks become.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// Every resource of every stack, with references between them.
    pub desired: Vec<Desired>,
    /// The gateways among them.
    pub gateways: Vec<Gateway>,
    /// What is legal but worth a look.
    pub warnings: Faults,
}

/// One gateway of an environment, as documents.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The stack it is made by.
    pub stack: GatewayStack,
    /// The OpenAPI document, with every ARN that follows from names filled in.
    pub document: Value,
    /// The resource policy in it.
    pub policy: Value,
}

impl Expansion {
    /// The gateway of that stack.
    #[must_use]
    pub fn gateway(&self, stack: GatewayStack) -> Option<&Gateway> {
        self.gateways.iter().find(|gateway| gateway.stack == stack)
    }
}

/// Lambda's `CodeSha256` of the zips that the functions get, by the stack that they belong to.
#[derive(Debug, Clone, Copy)]
pub struct Zips<'a> {
    /// Of the gate's authorizer.
    pub gate: &'a str,
    /// Of the system's.
    pub system: &'a str,
}

impl Zips<'static> {
    /// For whoever looks only at names and documents: nothing is built, and no spec may be compared.
    pub const UNBUILT: Self = Self { gate: "unbuilt", system: "unbuilt" };
}

/// All stacks for one environment, or what is wrong with the files they are made from. `found` answers what the
/// configuration leaves to be looked up in AWS ([`lookups`]).
pub fn expand(
    configuration: &Configuration,
    environment: &Environment,
    zips: &Zips<'_>,
    found: &Found,
) -> Result<std::result::Result<Expansion, Faults>> {
    let mut faults = Faults::default();
    let mut desired = Vec::new();
    let mut gateways = Vec::new();
    for gateway in environment.gateways() {
        // The configuration has checked that the files are there.
        let Some(files) = configuration.stacks.of(gateway.stack) else { continue };
        let blueprint = match gateway.stack {
            GatewayStack::Gate => gate::blueprint(environment, zips, found),
            GatewayStack::System => system::blueprint(environment, zips),
        };
        let rest = rest::RestGateway::new(environment, gateway, files, &blueprint, found);
        let (resources, documents) = rest.expand(&mut faults)?;
        desired.extend(resources);
        gateways.push(documents);
    }
    if let Some(settings) = &environment.edge {
        desired.extend(edge::Edge::new(environment, settings, found).expand(&mut faults)?);
    }
    rest::check_names(environment, &desired, &mut faults);
    faults.sort();
    if faults.has_errors() {
        return Ok(Err(faults));
    }
    check_references(&desired)?;
    Ok(Ok(Expansion { desired, gateways, warnings: faults }))
}

/// What has to be looked up in AWS before an environment can be expanded.
#[must_use]
pub fn lookups(environment: &Environment) -> Vec<Lookup> {
    let rest = environment.gateways().flat_map(rest::lookups);
    let edge = edge::lookups(environment);
    let mut all: Vec<Lookup> = rest.chain(gate::lookups(environment)).chain(edge).collect();
    all.sort();
    all.dedup();
    all
}

/// The address of a gateway's stage: where the endpoint's URL is.
#[must_use]
pub fn stage_address(stack: GatewayStack) -> Address {
    Address::new(stack.name(), "stage", rest::GATEWAY)
}

/// The address of a gateway's API.
#[must_use]
pub fn api_address(stack: GatewayStack) -> Address {
    Address::new(stack.name(), "rest-api", rest::GATEWAY)
}

/// Whose the resources of an environment are.
#[must_use]
pub fn owner(environment: &Environment) -> Owner {
    Owner { product: environment.product.clone(), environment: environment.name.clone() }
}

/// Where an environment goes.
#[must_use]
pub fn place(target: &Target) -> Place {
    Place { account: target.account.clone(), region: target.region.clone(), partition: target.partition.clone() }
}

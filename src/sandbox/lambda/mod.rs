//! Lambda in the sandbox: functions, their code, configuration, tags and resource policies, over REST-JSON.
//!
//! Functions are ready at once (`State: Active`), and really run ([`runtime`]). Versions, aliases, layers,
//! container images, code in S3 and the other ways to make a function are refused, never ignored.

mod code;
mod configuration;
mod function;
pub(crate) mod invoke;
mod names;
pub(crate) mod operations;
mod permissions;
mod requests;
pub mod runtime;
mod settings;
mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ec2;
use super::fault::{Answer, Fault};
use super::wire::{Caller, Request, Response};
use super::world::View;
use configuration::Configuration;
use permissions::Statement;

/// Lambda of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    functions: BTreeMap<String, Function>,
}

/// One function.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Function {
    configuration: Configuration,
    /// The hexadecimal SHA-256 of its zip.
    code: String,
    tags: BTreeMap<String, String>,
    /// The statements of its resource policy.
    policy: Vec<Statement>,
    policy_revision: String,
}

impl State {
    /// The hexadecimal SHA-256 digests of the zips of all functions.
    pub(crate) fn code_in_use(&self) -> impl Iterator<Item = &str> {
        self.functions.values().map(|function| function.code.as_str())
    }

    /// The digest of the zip of the function with an ARN or a name; [`Sandbox::code`](super::Sandbox::code) has the zip.
    #[must_use]
    pub fn code_of(&self, function: &str) -> Option<&str> {
        let name = function.rsplit(":function:").next()?;
        self.functions.get(name).map(|function| function.code.as_str())
    }

    /// The ARNs of all functions that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.functions.values().filter(|function| !function.tags.is_empty());
        tagged.map(|function| (function.configuration.function_arn.clone(), function.tags.clone())).collect()
    }

    /// Whether the policy of the function with an ARN lets a service invoke it on behalf of a resource; none if there is no
    /// such function.
    #[must_use]
    pub fn lets_invoke(&self, function: &str, service: &str, source: &str) -> Option<bool> {
        let found = self.functions.values().find(|found| found.configuration.function_arn == function)?;
        Some(permissions::lets_invoke(found, service, source))
    }

    /// The functions that are in a VPC, by name, with the VPC, their subnets and their security groups.
    pub(in crate::sandbox) fn networks(&self) -> impl Iterator<Item = (&str, &str, &[String], &[String])> {
        self.functions.iter().filter_map(|(name, function)| {
            let network = function.configuration.vpc_config.as_ref()?;
            let (subnets, groups) = (network.subnet_ids.as_slice(), network.security_group_ids.as_slice());
            Some((name.as_str(), network.vpc_id.as_str(), subnets, groups))
        })
    }

    fn function(&self, name: &str, caller: &Caller) -> Answer<&Function> {
        self.functions.get(name).ok_or_else(|| no_function(name, caller))
    }

    fn function_mut(&mut self, name: &str, caller: &Caller) -> Answer<&mut Function> {
        self.functions.get_mut(name).ok_or_else(|| no_function(name, caller))
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    match act(view, request) {
        Ok((204, _)) => Response::empty(204),
        Ok((status, body)) => Response::json(status, &body),
        Err(fault) => refuse(&fault),
    }
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<(u16, Value)> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let name = |text: &str| names::function(text, request);
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["2015-03-31", "functions"]) => ec2::settle(view, |view| function::create(view, request)),
        ("GET", ["2015-03-31", "functions"]) => function::list(&view.region.lambda, request),
        ("GET", ["2015-03-31", "functions", text]) => function::get(&view.region.lambda, request, &name(text)?),
        ("DELETE", ["2015-03-31", "functions", text]) => {
            let name = name(text)?;
            ec2::settle(view, |view| function::delete(&mut view.region.lambda, request, &name))
        }
        ("GET", ["2015-03-31", "functions", text, "configuration"]) => {
            function::get_configuration(&view.region.lambda, request, &name(text)?)
        }
        ("PUT", ["2015-03-31", "functions", text, "configuration"]) => {
            let name = name(text)?;
            ec2::settle(view, |view| function::update_configuration(view, request, &name))
        }
        ("PUT", ["2015-03-31", "functions", text, "code"]) => function::update_code(view, request, &name(text)?),
        ("GET", ["2015-03-31", "functions", text, "policy"]) => {
            permissions::get(&view.region.lambda, request, &name(text)?)
        }
        ("POST", ["2015-03-31", "functions", text, "policy"]) => permissions::add(view, request, &name(text)?),
        ("DELETE", ["2015-03-31", "functions", text, "policy", id]) => {
            permissions::remove(view, request, &name(text)?, id)
        }
        ("POST", ["2015-03-31", "functions", text, "invocations"]) => {
            view.region.lambda.function(&name(text)?, &request.caller)?;
            let message =
                "The sandbox runs functions for clients that come through its listener or the SDK's connector";
            Err(Fault::new(501, "ServiceException", message))
        }
        ("GET", ["2017-03-31", "tags", arn]) => tags::list(&view.region.lambda, request, arn),
        ("POST", ["2017-03-31", "tags", arn]) => tags::tag(&mut view.region.lambda, request, arn),
        ("DELETE", ["2017-03-31", "tags", arn]) => tags::untag(&mut view.region.lambda, request, arn),
        (method, _) => Err(Fault::new(
            404,
            "UnknownOperationException",
            format!("The sandbox's Lambda has no operation {method} {}", request.path),
        )),
    }
}

/// Lambda's envelope: `Type` beside a message whose spelling depends on the exception, as its service model says.
fn refuse(fault: &Fault) -> Response {
    let kind = if fault.status >= 500 { "Service" } else { "User" };
    let body = match fault.code.as_str() {
        "ResourceNotFoundException" | "ServiceException" => json!({ "Type": kind, "Message": fault.message }),
        // These come from the front end, before Lambda's own code, and have no type.
        "ValidationException" | "AccessDeniedException" => json!({ "message": fault.message }),
        _ => json!({ "Type": kind, "message": fault.message }),
    };
    fault.typed(&body, "application/json")
}

fn no_function(name: &str, caller: &Caller) -> Fault {
    let arn = names::arn(name, caller);
    Fault::new(404, "ResourceNotFoundException", format!("Function not found: {arn}"))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameterValueException", message)
}

#[cfg(test)]
pub(in crate::sandbox) mod tests;

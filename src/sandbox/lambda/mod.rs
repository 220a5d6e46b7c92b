//! Lambda in the sandbox: functions, their code, configuration, tags and resource policies, over REST-JSON.
//!
//! Functions are ready at once (`State: Active`), and really run ([`runtime`]); so do their published versions, by number or
//! by alias. Layers, container images, code in S3 and the other ways to make a function are refused, never ignored.

mod aliases;
mod code;
mod concurrency;
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
mod versions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ec2;
use super::fault::{Answer, Fault};
use super::wire::{Caller, Request, Response};
use super::world::View;
use aliases::Alias;
use concurrency::Provisioned;
use configuration::Configuration;
use names::Named;
use permissions::{Policy, Statement};
use versions::Version;

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
    /// The resource policies of its versions and aliases.
    #[serde(default)]
    policies: BTreeMap<String, Policy>,
    /// Published versions by number.
    #[serde(default)]
    versions: BTreeMap<u64, Version>,
    /// The highest number that was ever given out: none is given out twice.
    #[serde(default)]
    last_version: u64,
    /// The version that `$LATEST` was published as, until it changes.
    #[serde(default)]
    latest_is: Option<u64>,
    #[serde(default)]
    aliases: BTreeMap<String, Alias>,
    /// What is reserved of the account's concurrency.
    #[serde(default)]
    reserved: Option<u32>,
    /// What is provisioned, by version or alias.
    #[serde(default)]
    provisioned: BTreeMap<String, Provisioned>,
}

impl Function {
    /// Forgets what hangs on a version or an alias that goes.
    fn forget(&mut self, qualifier: &str) {
        self.policies.remove(qualifier);
        self.provisioned.remove(qualifier);
    }
}

impl State {
    /// The hexadecimal SHA-256 digests of the zips of all functions.
    pub(crate) fn code_in_use(&self) -> impl Iterator<Item = &str> {
        self.functions.values().flat_map(|function| {
            let versions = function.versions.values().map(|version| version.code.as_str());
            versions.chain(std::iter::once(function.code.as_str()))
        })
    }

    /// The digest of the zip of the function with an ARN or a name, qualified or not;
    /// [`Sandbox::code`](super::Sandbox::code) has the zip.
    #[must_use]
    pub fn code_of(&self, function: &str) -> Option<&str> {
        let (name, qualifier) = split(function.rsplit(":function:").next()?);
        self.functions.get(name)?.resolve(qualifier).map(|(_, code)| code)
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
        let (name, qualifier) = split(function.rsplit(":function:").next()?);
        let found = self.functions.get(name)?;
        found.resolve(qualifier)?;
        let own = &found.configuration.function_arn;
        let of_this_place = function.strip_prefix(own.as_str())?;
        debug_assert!(of_this_place.is_empty() || of_this_place.starts_with(':'));
        Some(permissions::lets_invoke(found, qualifier, service, source))
    }

    /// The configuration and the code digest of the function with a name and a qualifier; the configuration has the ARN it
    /// was asked for by.
    fn program(&self, name: &str, qualifier: Option<&str>) -> Option<(Configuration, String, Option<u32>)> {
        let function = self.functions.get(name)?;
        let (found, code) = function.resolve(qualifier)?;
        let mut configuration = found.clone();
        configuration.function_arn.clone_from(&function.configuration.function_arn);
        if let Some(qualifier) = qualifier.filter(|text| *text != versions::LATEST) {
            configuration.function_arn = format!("{}:{qualifier}", configuration.function_arn);
        }
        Some((configuration, code.to_owned(), function.reserved))
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

/// A name and its qualifier.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, qualifier)| (name, Some(qualifier)))
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
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["2015-03-31", "functions"]) => ec2::settle(view, |view| function::create(view, request)),
        ("GET", ["2015-03-31", "functions"]) => function::list(&view.region.lambda, request),
        (method, ["2015-03-31", "functions", text, rest @ ..]) => {
            of_function(view, request, method, &names::named(text, request)?, rest)
        }
        (method, ["2017-10-31" | "2019-09-30", "functions", text, rest @ ..]) => {
            of_concurrency(view, request, method, &names::named(text, request)?, rest)
        }
        ("GET", ["2016-08-19", "account-settings"]) => Ok(concurrency::account(&view.region.lambda)),
        ("GET", ["2017-03-31", "tags", arn]) => tags::list(&view.region.lambda, request, arn),
        ("POST", ["2017-03-31", "tags", arn]) => tags::tag(&mut view.region.lambda, request, arn),
        ("DELETE", ["2017-03-31", "tags", arn]) => tags::untag(&mut view.region.lambda, request, arn),
        _ => Err(unknown(request)),
    }
}

/// The operations on one function, or on a version or an alias of it.
fn of_function(
    view: &mut View<'_>,
    request: &Request,
    method: &str,
    named: &Named,
    path: &[&str],
) -> Answer<(u16, Value)> {
    let whole = || named.whole(&request.caller);
    match (method, path) {
        ("GET", []) => function::get(&view.region.lambda, request, named),
        ("DELETE", []) => ec2::settle(view, |view| function::delete(&mut view.region.lambda, request, named)),
        ("GET", ["configuration"]) => function::get_configuration(&view.region.lambda, request, named),
        ("PUT", ["configuration"]) => {
            let name = whole()?;
            ec2::settle(view, |view| function::update_configuration(view, request, name))
        }
        ("PUT", ["code"]) => function::update_code(view, request, whole()?),
        ("GET", ["policy"]) => permissions::get(&view.region.lambda, request, named),
        ("POST", ["policy"]) => permissions::add(view, request, named),
        ("DELETE", ["policy", id]) => permissions::remove(view, request, named, id),
        ("GET", ["versions"]) => versions::list(&view.region.lambda, request, whole()?),
        ("POST", ["versions"]) => versions::publish(view, request, whole()?),
        ("GET", ["aliases"]) => aliases::list(&view.region.lambda, request, whole()?),
        ("POST", ["aliases"]) => aliases::create(view, request, whole()?),
        ("GET", ["aliases", alias]) => aliases::get(&view.region.lambda, request, whole()?, alias),
        ("PUT", ["aliases", alias]) => aliases::update(view, request, whole()?, alias),
        ("DELETE", ["aliases", alias]) => aliases::delete(&mut view.region.lambda, request, whole()?, alias),
        ("POST", ["invocations"]) => {
            view.region.lambda.function(&named.name, &request.caller)?;
            let message =
                "The sandbox runs functions for clients that come through its listener or the SDK's connector";
            Err(Fault::new(501, "ServiceException", message))
        }
        _ => Err(unknown(request)),
    }
}

/// The operations on concurrency. The dates in their paths tell reserving (2017, reads 2019) from provisioning (2019).
fn of_concurrency(
    view: &mut View<'_>,
    request: &Request,
    method: &str,
    named: &Named,
    path: &[&str],
) -> Answer<(u16, Value)> {
    let old = request.path.trim_start_matches('/').starts_with("2017");
    let whole = || named.whole(&request.caller);
    match (method, path) {
        ("PUT", ["concurrency"]) if old => concurrency::reserve(&mut view.region.lambda, request, whole()?),
        ("DELETE", ["concurrency"]) if old => concurrency::unreserve(&mut view.region.lambda, request, whole()?),
        ("GET", ["concurrency"]) if !old => concurrency::reservation(&view.region.lambda, request, whole()?),
        ("PUT", ["provisioned-concurrency"]) if !old => concurrency::provision(view, request, named),
        ("GET", ["provisioned-concurrency"]) if !old && request.parameter("List") == Some("ALL") => {
            concurrency::provisioned_all(&view.region.lambda, request, named)
        }
        ("GET", ["provisioned-concurrency"]) if !old => concurrency::provisioned(&view.region.lambda, request, named),
        ("DELETE", ["provisioned-concurrency"]) if !old => {
            concurrency::unprovision(&mut view.region.lambda, request, named)
        }
        _ => Err(unknown(request)),
    }
}

fn unknown(request: &Request) -> Fault {
    let message = format!("The sandbox's Lambda has no operation {} {}", request.method, request.path);
    Fault::new(404, "UnknownOperationException", message)
}

/// Lambda's envelope: `Type` beside a message whose spelling depends on the exception, as its service model says.
fn refuse(fault: &Fault) -> Response {
    let kind = if fault.status >= 500 { "Service" } else { "User" };
    let body = match fault.code.as_str() {
        "ResourceNotFoundException" | "ServiceException" => json!({ "Type": kind, "Message": fault.message }),
        // These come from the front end, before Lambda's own code, and have no type.
        "ValidationException" | "AccessDeniedException" => json!({ "message": fault.message }),
        // The only one that is told here: a function whose reservation is nought.
        "TooManyRequestsException" => json!({
            "Type": kind, "message": fault.message, "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        }),
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

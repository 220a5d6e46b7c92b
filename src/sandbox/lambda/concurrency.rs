//! Concurrency: what is reserved for a function, and what is provisioned for a version or an alias.
//!
//! Sources: API reference, "Lambda quotas" (1,000 concurrent executions an account and Region, of which 100 stay
//! unreserved); words of refusals as emulators recorded them from the live service and as people report them. What is
//! provisioned here costs no process: the sandbox keeps the books and starts processes when events come.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::names::Named;
use super::requests;
use super::settings::validation;
use super::versions::{LATEST, is_number};
use super::{Function, State, invalid, names, no_function};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::{Caller, Request};
use crate::sandbox::world::{View, date};

/// Concurrent executions of an account in a Region.
const ACCOUNT_LIMIT: u32 = 1000;

/// Of these, as many stay for functions without a reservation.
const UNRESERVED: u32 = 100;

/// What is provisioned for one qualifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Provisioned {
    requested: u32,
    modified: String,
}

impl Provisioned {
    fn json(&self) -> Value {
        json!({
            "RequestedProvisionedConcurrentExecutions": self.requested,
            "AvailableProvisionedConcurrentExecutions": self.requested,
            "AllocatedProvisionedConcurrentExecutions": self.requested,
            "Status": "READY",
            "LastModified": self.modified,
        })
    }
}

impl Function {
    fn provisioned_sum(&self) -> u32 {
        self.provisioned.values().map(|one| one.requested).sum()
    }

    /// What the function takes from the account: its reservation, or what is provisioned for it.
    fn taken(&self) -> u32 {
        self.reserved.unwrap_or_else(|| self.provisioned_sum())
    }

    /// Refuses to provision the same version twice, by its number and by an alias.
    pub(super) fn check_provisionable(&self, alias: &str, version: &str) -> Answer<()> {
        if !self.provisioned.contains_key(alias) {
            return Ok(());
        }
        if version == LATEST {
            return Err(unpublished());
        }
        if self.provisioned.contains_key(version) {
            return Err(conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
            ));
        }
        Ok(())
    }
}

impl State {
    fn unreserved(&self) -> u32 {
        ACCOUNT_LIMIT.saturating_sub(self.functions.values().map(Function::taken).sum())
    }
}

fn unpublished() -> Fault {
    invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
}

fn conflict(message: &str) -> Fault {
    Fault::new(409, "ResourceConflictException", message)
}

fn below_minimum(what: &str) -> Fault {
    invalid(format!(
        "Specified {what} for function decreases account's UnreservedConcurrentExecution below its minimum value of \
         [{UNRESERVED}]."
    ))
}

/// A whole number that has to be there, and not below `low`.
fn number(body: &Value, member: &str, shown: &str, low: i64) -> Answer<u32> {
    let Some(value) = body.get(member).filter(|value| !value.is_null()) else {
        return Err(validation(missing(shown)));
    };
    let number = value
        .as_i64()
        .ok_or_else(|| Fault::new(400, "SerializationException", format!("{member} is no whole number: {value}")))?;
    if number < low {
        let constraint = format!("Member must have value greater than or equal to {low}");
        return Err(validation(violation(&number.to_string(), shown, &constraint)));
    }
    // More than any account has; the check against the account's limit refuses it.
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

pub(super) fn reserve(lambda: &mut State, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    let wanted = number(&body, "ReservedConcurrentExecutions", "reservedConcurrentExecutions", 0)?;
    let function = lambda.function(name, &request.caller)?;
    let (provisioned, free) = (function.provisioned_sum(), lambda.unreserved() + function.taken());
    if wanted > 0 && free.saturating_sub(wanted) < UNRESERVED {
        return Err(below_minimum("ReservedConcurrentExecutions"));
    }
    if wanted < provisioned {
        return Err(invalid(format!(
            " ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned concurrency \
             [{provisioned}]."
        )));
    }
    lambda.function_mut(name, &request.caller)?.reserved = Some(wanted);
    Ok((200, json!({ "ReservedConcurrentExecutions": wanted })))
}

pub(super) fn reservation(lambda: &State, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let reserved = lambda.function(name, &request.caller)?.reserved;
    Ok((200, reserved.map_or_else(|| json!({}), |number| json!({ "ReservedConcurrentExecutions": number }))))
}

pub(super) fn unreserve(lambda: &mut State, request: &Request, name: &str) -> Answer<(u16, Value)> {
    lambda.function_mut(name, &request.caller)?.reserved = None;
    Ok((204, Value::Null))
}

pub(super) fn provision(view: &mut View<'_>, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    let wanted = number(&body, "ProvisionedConcurrentExecutions", "provisionedConcurrentExecutions", 1)?;
    let modified = date(view.millis(), "%Y-%m-%dT%H:%M:%S+0000");
    let lambda = &mut view.region.lambda;
    let qualifier = published(lambda, named, &request.caller)?.to_owned();
    let free = lambda.unreserved();
    let function = lambda.function_mut(&named.name, &request.caller)?;
    check_pointing(function, &qualifier)?;
    let own = function.provisioned.get(&qualifier).map_or(0, |one| one.requested);
    let sum = (function.provisioned_sum() - own).saturating_add(wanted);
    match function.reserved {
        Some(reserved) if reserved < sum => {
            return Err(invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for \
                 function",
            ));
        }
        None if wanted > ACCOUNT_LIMIT => {
            return Err(invalid(format!(
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency \
                 [{ACCOUNT_LIMIT}]."
            )));
        }
        None if (free + own).saturating_sub(wanted) < UNRESERVED => return Err(below_minimum("ConcurrentExecutions")),
        _ => {}
    }
    let one = Provisioned { requested: wanted, modified };
    // Nothing stands yet when Lambda answers; the next look finds it ready, unless the sandbox is told to be slow.
    let mut answer = one.json();
    answer["Status"] = "IN_PROGRESS".into();
    answer["AvailableProvisionedConcurrentExecutions"] = 0.into();
    answer["AllocatedProvisionedConcurrentExecutions"] = 0.into();
    function.provisioned.insert(qualifier, one);
    Ok((202, answer))
}

pub(super) fn provisioned(lambda: &State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let qualifier = published(lambda, named, &request.caller)?;
    let found = lambda.function(&named.name, &request.caller)?.provisioned.get(qualifier);
    found.map(|one| (200, one.json())).ok_or_else(|| {
        let message = "No Provisioned Concurrency Config found for this function";
        Fault::new(404, "ProvisionedConcurrencyConfigNotFoundException", message)
    })
}

pub(super) fn provisioned_all(lambda: &State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let function = lambda.function(&named.name, &request.caller)?;
    let all = function.provisioned.iter().map(|(qualifier, one)| {
        let mut shown = one.json();
        shown["FunctionArn"] = names::arn(&format!("{}:{qualifier}", named.name), &request.caller).into();
        (qualifier.clone(), shown)
    });
    let (page, next) = requests::page(request, all.collect(), 50)?;
    let mut answer = json!({ "ProvisionedConcurrencyConfigs": page });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok((200, answer))
}

/// What is not provisioned can be taken away too: the reference names no exception for it.
pub(super) fn unprovision(lambda: &mut State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let qualifier = published(lambda, named, &request.caller)?.to_owned();
    lambda.function_mut(&named.name, &request.caller)?.provisioned.remove(&qualifier);
    Ok((204, Value::Null))
}

/// The limits of the account, and what it uses.
pub(super) fn account(lambda: &State) -> (u16, Value) {
    let size = |function: &Function| {
        let versions = function.versions.values().map(|version| version.configuration.code_size);
        function.configuration.code_size + versions.sum::<usize>()
    };
    let answer = json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": ACCOUNT_LIMIT, "UnreservedConcurrentExecutions": lambda.unreserved(),
        },
        "AccountUsage": {
            "TotalCodeSize": lambda.functions.values().map(size).sum::<usize>(),
            "FunctionCount": lambda.functions.len(),
        },
    });
    (200, answer)
}

/// The qualifier of a request, which has to be a version's or an alias's.
fn published<'a>(lambda: &State, named: &'a Named, caller: &Caller) -> Answer<&'a str> {
    let qualifier = named.qualifier.as_deref().ok_or_else(|| validation(missing("qualifier")))?;
    if qualifier == LATEST {
        return Err(unpublished());
    }
    let function = lambda.function(&named.name, caller)?;
    match function.resolve(Some(qualifier)) {
        Some(_) => Ok(qualifier),
        None if is_number(qualifier) => Err(no_function(&named.qualified(), caller)),
        None => Err(super::aliases::no_alias(&named.qualified(), caller)),
    }
}

/// A version is provisioned by its number or by an alias, and never by both.
fn check_pointing(function: &Function, qualifier: &str) -> Answer<()> {
    if let Some(alias) = function.aliases.get(qualifier) {
        if alias.function_version == LATEST {
            return Err(unpublished());
        }
        if function.provisioned.contains_key(&alias.function_version) {
            return Err(conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
            ));
        }
        return Ok(());
    }
    let mut pointing = function.aliases.values().filter(|alias| alias.function_version == qualifier);
    if pointing.any(|alias| function.provisioned.contains_key(&alias.name)) {
        return Err(conflict("Version is pointed by a Provisioned Concurrency alias"));
    }
    Ok(())
}

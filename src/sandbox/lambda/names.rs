//! What a function may be called by: its name, a part of its ARN, or all of it.

use super::no_function;
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::wire::{Caller, Request};

const PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?\
                       ([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

/// The ARN of a function of the caller's account and Region.
pub(super) fn arn(name: &str, caller: &Caller) -> String {
    format!("arn:{}:lambda:{}:{}:function:{name}", caller.partition(), caller.region, caller.account)
}

/// A function, and what of it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Its bare name.
    pub(super) name: String,
    /// A version's number, an alias, or `$LATEST`, if one was given.
    pub(super) qualifier: Option<String>,
}

impl Named {
    /// Name and qualifier as they stand in an ARN.
    pub(super) fn qualified(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.name),
            None => self.name.clone(),
        }
    }

    /// The bare name, if no version or alias is meant.
    pub(super) fn whole(&self, caller: &Caller) -> Answer<&str> {
        match self.qualifier.as_deref() {
            None | Some("$LATEST") => Ok(&self.name),
            Some(_) => Err(no_function(&self.qualified(), caller)),
        }
    }
}

/// The bare name of a function, for operations that work on functions as a whole.
pub(super) fn function(text: &str, request: &Request) -> Answer<String> {
    named(text, request)?.whole(&request.caller).map(str::to_owned)
}

/// The function and the qualifier that a text and the request's `Qualifier` mean.
pub(super) fn named(text: &str, request: &Request) -> Answer<Named> {
    let caller = &request.caller;
    let parts: Vec<&str> = text.split(':').collect();
    let (region, account, rest) = match parts.as_slice() {
        ["arn", _, "lambda", region, account, "function", rest @ ..] => (Some(*region), Some(*account), rest),
        [account, "function", rest @ ..] => (None, Some(*account), rest),
        ["function", rest @ ..] | rest => (None, None, rest),
    };
    let (name, qualifier) = match rest {
        [name] => (*name, request.parameter("Qualifier")),
        [name, qualifier] => (*name, Some(*qualifier)),
        _ => return Err(malformed(text)),
    };
    check(name, text)?;
    if account.is_some_and(|account| account != caller.account) {
        let message = format!("User is not authorized to perform this operation on resource: {text}");
        return Err(Fault::new(403, "AccessDeniedException", message));
    }
    if let Some(region) = region.filter(|region| *region != caller.region) {
        let message = format!("Functions from '{region}' are not reachable in this region ('{}')", caller.region);
        return Err(Fault::new(404, "ResourceNotFoundException", message));
    }
    let qualifier = qualifier.filter(|text| !text.is_empty());
    check_qualifier(qualifier)?;
    Ok(Named { name: name.to_owned(), qualifier: qualifier.map(str::to_owned) })
}

fn check_qualifier(qualifier: Option<&str>) -> Answer<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"$_-".contains(&byte);
    let Some(text) = qualifier.filter(|text| text.len() > 128 || !text.bytes().all(allowed)) else { return Ok(()) };
    let constraint = "Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";
    Err(Fault::new(400, "ValidationException", violation(text, "qualifier", constraint)))
}

fn check(name: &str, text: &str) -> Answer<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(malformed(text));
    }
    if name.len() > 64 {
        let constraint = "Member must have length less than or equal to 64";
        return Err(Fault::new(400, "ValidationException", violation(text, "functionName", constraint)));
    }
    Ok(())
}

fn malformed(text: &str) -> Fault {
    let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
    Fault::new(400, "ValidationException", violation(text, "functionName", &constraint))
}

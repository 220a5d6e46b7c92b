//! How the second version of API Gateway says no: `{"message": …}`, with the exception's name in a header.

use super::operations::operation;
use crate::sandbox::fault::{Fault, Protocol};
use crate::sandbox::wire::Response;

/// What an operation gives back.
pub(super) type Answer<T = Response> = crate::sandbox::fault::Answer<T>;

/// The fault on the wire.
pub(super) fn response(fault: &Fault) -> Response {
    fault.wrapped(Protocol::RestJson, None, "")
}

/// `BadRequestException`.
pub(super) fn bad_request(message: impl Into<String>) -> Fault {
    Fault::new(400, "BadRequestException", message)
}

/// `ConflictException`.
pub(super) fn conflict(message: impl Into<String>) -> Fault {
    Fault::new(409, "ConflictException", message)
}

/// `NotFoundException`.
pub(super) fn not_found(message: impl Into<String>) -> Fault {
    Fault::new(404, "NotFoundException", message)
}

/// A hard quota. The service model has no other exception with a `limitType`; the words follow those of REST APIs.
pub(super) fn limit_exceeded(what: &str) -> Fault {
    let message =
        format!("Maximum number of {what} has been reached. Please contact AWS if you need additional {what}.");
    Fault::new(429, "TooManyRequestsException", message)
}

/// A member that must be there. The words are a guess.
pub(super) fn required<T>(value: Option<T>, member: &str) -> Answer<T> {
    value.ok_or_else(|| bad_request(format!("{member} is a required parameter")))
}

/// A member that must be one of a set. The words are a guess, after those for the protocol.
pub(super) fn one_of(value: &str, what: &str, set: &[&str]) -> Answer<()> {
    if set.contains(&value) {
        return Ok(());
    }
    Err(bad_request(format!("Invalid {what} specified. Must be one of [{}]", set.join(", "))))
}

/// A text whose length the service model limits. The words are a guess.
pub(super) fn length(text: &str, what: &str, least: usize, most: usize) -> Answer<()> {
    if (least..=most).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(bad_request(format!("Invalid {what}: its length must be between {least} and {most}")))
}

/// An operation that this sandbox does not have. Saying so is better than a wrong answer.
pub(super) fn not_implemented(method: &str, path: &str) -> Fault {
    let message = match operation(method, path) {
        Some(name) => format!("the sandbox's API Gateway has no operation {name} ({method} {path})"),
        None => format!("API Gateway has no operation {method} {path}"),
    };
    Fault::new(501, "NotImplementedException", message)
}

/// A part of an operation that this sandbox does not have.
pub(super) fn not_here(what: &str) -> Fault {
    Fault::new(501, "NotImplementedException", format!("the sandbox's API Gateway has no {what}"))
}

/// A member that only WebSocket APIs have (service model). The words are a guess.
pub(super) fn only_websocket(member: &str) -> Fault {
    bad_request(format!("{member} is not supported on protocolType HTTP"))
}

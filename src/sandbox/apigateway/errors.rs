//! How API Gateway says no: an exception's name, its status and its words.
//!
//! Where the words are known from recordings or from reports of the real service they are used as they are; they
//! don't follow the project's own style, because a client may match on them.

use serde_json::json;

use super::operations::operation;
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::Response;

/// What an operation gives back.
pub(in crate::sandbox) type Answer<T = Response> = Result<T, Refusal>;

/// One refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Refusal {
    /// The exception's name.
    pub(super) code: &'static str,
    /// The HTTP status.
    pub(super) status: u16,
    /// What it says.
    pub(super) message: String,
}

impl Refusal {
    /// The answer on the wire.
    pub(super) fn into_response(self) -> Response {
        let mut response = Response::json(self.status, &json!({ "message": self.message }));
        response.headers.push(("x-amzn-errortype".into(), self.code.into()));
        response
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status, refusal.code, refusal.message)
    }
}

/// `BadRequestException`.
pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal { code: "BadRequestException", status: 400, message: message.into() }
}

/// `NotFoundException`.
pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal { code: "NotFoundException", status: 404, message: message.into() }
}

/// `ConflictException`.
pub(super) fn conflict(message: impl Into<String>) -> Refusal {
    Refusal { code: "ConflictException", status: 409, message: message.into() }
}

/// `LimitExceededException`: a hard quota. Its status is that of throttling (aws-facts A).
pub(super) fn limit_exceeded(message: impl Into<String>) -> Refusal {
    Refusal { code: "LimitExceededException", status: 429, message: message.into() }
}

/// `InternalFailure`: what the sandbox itself could not do.
pub(super) fn internal(message: impl Into<String>) -> Refusal {
    Refusal { code: "InternalFailure", status: 500, message: message.into() }
}

/// `SerializationException`: a member of the body has the wrong JSON type.
pub(super) fn serialization(message: impl Into<String>) -> Refusal {
    Refusal { code: "SerializationException", status: 400, message: message.into() }
}

/// An operation that this sandbox does not have. Saying so is better than a wrong answer.
pub(super) fn not_implemented(method: &str, path: &str) -> Refusal {
    Refusal {
        code: "NotImplementedException",
        status: 501,
        message: match operation(method, path) {
            Some(name) => format!("the sandbox's API Gateway has no operation {name} ({method} {path})"),
            None => format!("API Gateway has no operation {method} {path}"),
        },
    }
}

/// A part of an operation that this sandbox does not have.
pub(super) fn not_here(what: &str) -> Refusal {
    let message = format!("the sandbox's API Gateway has no {what}");
    Refusal { code: "NotImplementedException", status: 501, message }
}

/// `ValidationException`: the front end's check of the request against the service model, all faults in one message.
pub(super) fn validation(faults: &[String]) -> Refusal {
    let noun = if faults.len() == 1 { "error" } else { "errors" };
    let message = format!("{} validation {noun} detected: {}", faults.len(), faults.join("; "));
    Refusal { code: "ValidationException", status: 400, message }
}

/// The fault of a member that is not one of a set.
pub(super) fn not_in_set(value: &str, at: &str, set: &[&str]) -> String {
    format!(
        "Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
        set.join(", ")
    )
}

/// The fault of a member that is missing.
pub(super) fn missing(at: &str) -> String {
    format!("Value null at '{at}' failed to satisfy constraint: Member must not be null")
}

/// Checks one member against a set.
pub(super) fn one_of(value: &str, at: &str, set: &[&str]) -> Answer<()> {
    if set.contains(&value) { Ok(()) } else { Err(validation(&[not_in_set(value, at, set)])) }
}

/// Takes a member that must be there.
pub(super) fn required<T>(value: Option<T>, at: &str) -> Answer<T> {
    value.ok_or_else(|| validation(&[missing(at)]))
}

/// Checks a status code.
pub(super) fn status_code(value: &str, at: &str) -> Answer<()> {
    let valid = matches!(value.as_bytes(), [b'1'..=b'5', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit());
    if valid {
        return Ok(());
    }
    let fault = format!(
        "Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"
    );
    Err(validation(&[fault]))
}

/// No such API.
pub(super) fn no_api(account: &str, id: &str) -> Refusal {
    not_found(format!("Invalid API identifier specified {account}:{id}"))
}

/// No such resource. Operations below a resource answer this for a missing API too.
pub(super) fn no_resource() -> Refusal {
    not_found("Invalid Resource identifier specified")
}

/// No such method.
pub(super) fn no_method() -> Refusal {
    not_found("Invalid Method identifier specified")
}

/// No such method response or integration response.
pub(super) fn no_status() -> Refusal {
    not_found("Invalid Response status code specified")
}

/// A patch path that the entity does not have.
pub(super) fn patch_path(path: &str) -> Refusal {
    bad_request(format!("Invalid patch path {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_and_joined() {
        let refusal = validation(&[not_in_set("x", "in.a", &["p", "q"]), missing("in.b")]);
        assert_eq!(
            refusal.message,
            "2 validation errors detected: Value 'x' at 'in.a' failed to satisfy constraint: Member must satisfy enum \
             value set: [p, q]; Value null at 'in.b' failed to satisfy constraint: Member must not be null"
        );
        let response = refusal.into_response();
        assert_eq!(response.status, 400);
        assert!(response.headers.contains(&("x-amzn-errortype".into(), "ValidationException".into())));
    }

    #[test]
    fn status_codes_have_three_digits() {
        assert!(status_code("200", "statusCode").is_ok());
        for wrong in ["", "20", "600", "2xx", "2000"] {
            assert!(status_code(wrong, "statusCode").is_err(), "{wrong}");
        }
    }
}

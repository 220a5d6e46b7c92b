//! AWS WAF's refusals, in its words.
//!
//! The texts of the exceptions are those that clients of the real service report; where nobody reported one, it is the
//! exception's description in the API reference.

use serde_json::{Value, json};

use crate::sandbox::fault::{Fault, missing};
use crate::sandbox::wire::Response;

/// A refusal, with the members that AWS puts beside the message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    fault: Fault,
    members: Value,
}

/// The result of an operation.
pub(super) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { fault: Fault::new(400, code, message), members: json!({}) }
    }

    /// The refusal on the wire. Its message has a capital letter but for one exception (service model).
    pub(super) fn into_response(self) -> Response {
        let Self { fault, members } = self;
        let capital = fault.code.starts_with("WAF") && fault.code != "WAFInvalidParameterException";
        let mut body = members;
        body["__type"] = json!(fault.code);
        body[if capital { "Message" } else { "message" }] = json!(fault.message);
        fault.typed(&body, "application/x-amz-json-1.1")
    }
}

/// No such thing.
pub(super) fn nonexistent() -> Refusal {
    let text = "AWS WAF couldn’t perform the operation because your resource doesn’t exist.";
    Refusal::new("WAFNonexistentItemException", text)
}

/// The name is taken.
pub(super) fn duplicate() -> Refusal {
    let text = "AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an \
                existing one.";
    Refusal::new("WAFDuplicateItemException", text)
}

/// The lock token is an old one.
pub(super) fn stale() -> Refusal {
    let text = "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. \
                Reapply your changes.";
    Refusal::new("WAFOptimisticLockException", text)
}

/// Something uses the resource.
pub(super) fn associated() -> Refusal {
    let text = "AWS WAF couldn’t perform the operation because your resource is being used by another resource or it’s \
                associated with another resource.";
    Refusal::new("WAFAssociatedItemException", text)
}

/// A quota is reached.
pub(super) fn limit(source: &str) -> Refusal {
    let text = "AWS WAF couldn’t perform the operation because you exceeded your resource limit.";
    let mut refusal = Refusal::new("WAFLimitsExceededException", text);
    refusal.members = json!({ "SourceType": source });
    refusal
}

/// Log deliveries would fail.
pub(super) fn log_destination() -> Refusal {
    let text = "The operation failed because you don't have the permissions that your logging configuration requires.";
    Refusal::new("WAFLogDestinationPermissionIssueException", text)
}

/// The tags are not acceptable.
pub(super) fn tags(text: &str) -> Refusal {
    Refusal::new("WAFTagOperationException", text)
}

/// A parameter is wrong.
pub(super) fn invalid(reason: &str, field: &str, parameter: &str) -> Refusal {
    let text = format!("Error reason: {reason}, field: {field}, parameter: {parameter}");
    let mut refusal = Refusal::new("WAFInvalidParameterException", text);
    refusal.members = json!({ "Field": field, "Parameter": parameter, "Reason": reason });
    refusal
}

/// A value has the wrong form.
pub(super) fn format(field: &str, parameter: &str) -> Refusal {
    invalid("The parameter contains formatting that is not valid.", field, parameter)
}

/// Not exactly one of several members is set.
pub(super) fn one_value(field: &str, parameter: &str) -> Refusal {
    let reason = "You have used none or multiple values for a field that requires exactly one value.";
    invalid(reason, field, parameter)
}

/// A text is no ARN that could stand there.
pub(super) fn arn(field: &str, parameter: &str) -> Refusal {
    let reason = "The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons \
                  or slashes.";
    invalid(reason, field, parameter)
}

/// The operation does not work here.
pub(super) fn operation(message: impl Into<String>) -> Refusal {
    Refusal::new("WAFInvalidOperationException", message)
}

/// The sandbox does not have the operation.
pub(super) fn unknown_operation(target: &str) -> Refusal {
    Refusal::new("UnknownOperationException", format!("The sandbox's AWS WAF has no operation {target}"))
}

/// Constraints that a member violates, all in one message.
pub(super) fn violations(value: &str, member: &str, constraints: &[String]) -> Refusal {
    let each = |constraint: &String| {
        format!("Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}")
    };
    let list = constraints.iter().map(each).collect::<Vec<_>>().join("; ");
    let plural = if constraints.len() == 1 { "error" } else { "errors" };
    let text = format!("{} validation {plural} detected: {list}", constraints.len());
    Refusal::new("ValidationException", text)
}

/// A member that has to be there is not.
pub(super) fn required(member: &str) -> Refusal {
    Refusal::new("ValidationException", missing(member))
}

/// The body can't be read as the input of the operation.
pub(super) fn unreadable(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if text.contains("missing field") {
        let name = quoted(&text);
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        return required(&first.into_iter().chain(letters).collect::<String>());
    }
    if let Some((value, allowed)) =
        text.strip_prefix("unknown variant ").and_then(|text| text.split_once(", expected "))
    {
        let names: Vec<&str> = allowed.split('`').skip(1).step_by(2).collect();
        let text = format!(
            "1 validation error detected: Value '{}' failed to satisfy constraint: Member must satisfy enum value set: \
             [{}]",
            quoted(value),
            names.join(", ")
        );
        return Refusal::new("ValidationException", text);
    }
    if text.contains("unknown field") {
        // AWS ignores what it does not know. What the sandbox does not know may be something that AWS does.
        return Refusal::new(
            "ValidationException",
            format!("The sandbox's AWS WAF does not support {}", quoted(&text)),
        );
    }
    Refusal::new("SerializationException", text)
}

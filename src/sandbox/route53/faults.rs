//! How Route 53 says no.

use crate::sandbox::fault::{Fault, Protocol};
use crate::sandbox::wire::{Request, Response};

/// The XML namespace of requests and answers.
pub(in crate::sandbox) const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

pub(super) use crate::sandbox::fault::Answer;

/// A refusal in Route 53's envelope.
pub(super) fn refusal(fault: &Fault, request: &Request) -> Response {
    fault.wrapped(Protocol::Query, Some(NAMESPACE), request.id())
}

/// A request that does not have the form it has to have.
pub(super) fn invalid_input(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidInput", message)
}

/// A batch of changes with everything that is wrong with it, in brackets as clients show it (reported).
pub(super) fn invalid_batch(problems: &[String]) -> Fault {
    Fault::new(400, "InvalidChangeBatch", format!("[{}]", problems.join(", ")))
}

/// No such zone (reported words).
pub(super) fn no_zone(id: &str) -> Fault {
    Fault::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
}

/// Something of AWS's that the sandbox does not have. 501 and not 500: SDKs retry a 500.
pub(super) fn not_here(what: &str) -> Fault {
    Fault::new(501, "NotImplemented", format!("The sandbox's Route 53 has no {what}"))
}

//! How S3 says no: an envelope of its own, and its words, which the API reference lists ("Error responses") or clients have
//! reported.

use crate::sandbox::fault::Fault;
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::xml::Xml;

/// A refusal in S3's envelope. The answer to a `HEAD` has no body.
pub(super) fn refusal(fault: &Fault, request: &Request) -> Response {
    if request.method == "HEAD" {
        return Response::empty(fault.status);
    }
    response(fault, request)
}

/// The envelope with its body.
pub(in crate::sandbox) fn response(fault: &Fault, request: &Request) -> Response {
    let mut xml = Xml::new();
    xml.node("Error", |xml| {
        xml.leaf("Code", &fault.code);
        xml.leaf("Message", &fault.message);
        xml.leaf("Resource", &request.path);
        xml.leaf("RequestId", request.id());
        xml.leaf("HostId", "sandbox");
    });
    let mut response = xml.response(fault.status);
    response.headers = vec![("content-type".into(), "application/xml".into())];
    response
}

pub(super) fn no_bucket() -> Fault {
    Fault::new(404, "NoSuchBucket", "The specified bucket does not exist")
}

pub(super) fn access_denied() -> Fault {
    Fault::new(403, "AccessDenied", "Access Denied")
}

/// The bucket is in another Region.
pub(super) fn elsewhere() -> Fault {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send \
                   all future requests to this endpoint.";
    Fault::new(301, "PermanentRedirect", message)
}

pub(super) fn malformed() -> Fault {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    Fault::new(400, "MalformedXML", message)
}

pub(super) fn invalid_argument(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidArgument", message)
}

/// Something of S3's that the sandbox does not have.
pub(super) fn not_here(what: &str) -> Fault {
    Fault::new(501, "NotImplemented", format!("The sandbox's S3 has no {what}"))
}

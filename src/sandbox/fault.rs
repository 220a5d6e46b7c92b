//! How AWS says no: one fault, and the envelopes of the protocols it travels in.

use serde_json::json;

use super::wire::{Request, Response};
use super::xml::Xml;

/// The result of an operation of a sandbox service.
pub(crate) type Answer<T> = std::result::Result<T, Fault>;

/// A refusal, before a protocol has wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The HTTP status.
    pub(crate) status: u16,
    /// AWS's code, `NoSuchEntity`.
    pub(crate) code: String,
    /// AWS's message.
    pub(crate) message: String,
}

/// The protocols that AWS's services speak here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Form in, XML out: IAM and STS. Route 53 says no in the same envelope.
    Query,
    /// JSON 1.1 with the operation in `x-amz-target`: Logs and tagging.
    Json,
    /// The operation in method and path: API Gateway and Lambda.
    RestJson,
}

impl Protocol {
    /// The protocol a request is written in, told from its form alone: an unsigned request names no service.
    pub(crate) fn of(headers: &[(String, String)]) -> Self {
        let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if value("x-amz-target").is_some() {
            Self::Json
        } else if value("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            Self::Query
        } else {
            Self::RestJson
        }
    }
}

impl Fault {
    /// A fault with its status, code and message.
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// What the sandbox itself could not do, such as write its state: AWS's own words for "our fault, not yours".
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalFailure", message)
    }

    /// The fault in the envelope of a protocol. `id` is the id of the request, which XML repeats in the body.
    pub(crate) fn wrapped(&self, protocol: Protocol, namespace: Option<&str>, id: &str) -> Response {
        match protocol {
            Protocol::Query => self.query(namespace, id),
            Protocol::Json => self.json("message"),
            Protocol::RestJson => self.rest_json(),
        }
    }

    fn query(&self, namespace: Option<&str>, id: &str) -> Response {
        let mut xml = Xml::new();
        xml.root("ErrorResponse", namespace, |xml| {
            xml.node("Error", |xml| {
                xml.leaf("Type", if self.status >= 500 { "Receiver" } else { "Sender" });
                xml.leaf("Code", &self.code);
                xml.leaf("Message", &self.message);
            });
            xml.leaf("RequestId", id);
        });
        xml.response(self.status)
    }

    /// The JSON 1.1 envelope. `member` is how the service spells its message: `message` or `Message`.
    pub(crate) fn json(&self, member: &str) -> Response {
        self.typed(&json!({ "__type": self.code, member: self.message }), "application/x-amz-json-1.1")
    }

    fn rest_json(&self) -> Response {
        self.typed(&json!({ "message": self.message }), "application/json")
    }

    /// A JSON body with the code in the header that every SDK reads first.
    pub(crate) fn typed(&self, body: &serde_json::Value, content_type: &str) -> Response {
        Response {
            status: self.status,
            headers: vec![("content-type".into(), content_type.into()), ("x-amzn-errortype".into(), self.code.clone())],
            body: body.to_string().into_bytes().into(),
        }
    }
}

/// The answer to a request for a service that the sandbox does not have.
pub(crate) fn unknown_service(request: &Request, known: &[&str]) -> Response {
    let message = format!(
        "The sandbox has no service `{}`; it has {}. Call real AWS for this one.",
        request.caller.service,
        known.join(", ")
    );
    // 501 and not 500: SDKs retry a 500, and asking again would not help.
    let fault = Fault::new(501, "NotImplemented", message);
    match request.caller.service.as_str() {
        // It speaks XML without a sign of it in its requests.
        "cloudfront" => fault.query(None, request.id()),
        _ => fault.wrapped(Protocol::of(&request.headers), None, request.id()),
    }
}

/// AWS's words for one violated constraint, the same in every service that generates its checks from its model.
pub(crate) fn violation(value: &str, member: &str, constraint: &str) -> String {
    format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")
}

/// AWS's words for a missing member.
pub(crate) fn missing(member: &str) -> String {
    format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    )
}

//! A request to the sandbox and its answer, as they travel: what is left of HTTP once the transport is gone.
//!
//! The SDK's connector and the listener both speak these two types, so a service can't tell who calls it.

use bytes::Bytes;

/// The header that carries the id of a request, here and at AWS.
pub(crate) const REQUEST_ID: &str = "x-amzn-requestid";

/// The content type of the query protocol.
const FORM: &str = "application/x-www-form-urlencoded";

/// Who calls, read from the Signature Version 4 credential scope of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The twelve digits of the account. An access key of twelve digits names its account.
    pub account: String,
    /// The Region of the credential scope, `eu-central-1`.
    pub region: String,
    /// The signing name of the service, `apigateway`.
    pub service: String,
    /// The access key id that signed.
    pub access_key: String,
}

impl Caller {
    /// The partition that the Region belongs to: `aws` or `aws-cn` (aws-facts H), `aws-us-gov` for `GovCloud`.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        partition(&self.region)
    }

    /// The suffix of AWS host names in the partition.
    #[must_use]
    pub fn dns_suffix(&self) -> &'static str {
        if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }
}

/// The partition of a Region.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// A request as a transport hands it in, before anybody asked who signed it.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path and the query string as sent: `/restapis?limit=5`.
    pub target: String,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The body, empty if there is none.
    pub body: Bytes,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as sent, still percent-encoded: `/tags/arn%3Aaws%3A…`.
    pub path: String,
    /// The decoded parameters of the query string, in order.
    pub query: Vec<(String, String)>,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The body, empty if there is none.
    pub body: Bytes,
    /// Who calls.
    pub caller: Caller,
}

impl Request {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The id that the sandbox gave the request, empty before it did. It travels as a header, as it does in the answer.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header(REQUEST_ID).unwrap_or_default()
    }

    /// The operation, as far as the wire tells: `CreateRole`, `CreateLogGroup`, `GET /restapis/abc/stages`.
    #[must_use]
    pub fn operation(&self) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or(target).to_owned();
        }
        // RPC v2: `/service/NAME/operation/OPERATION`.
        if let Some((_, operation)) =
            self.path.split_once("/operation/").filter(|_| self.header("smithy-protocol").is_some())
        {
            return operation.to_owned();
        }
        let form = self.header("content-type").is_some_and(|kind| kind.starts_with(FORM));
        let action = form.then(|| form_urlencoded::parse(&self.body).find(|(name, _)| name == "Action")).flatten();
        match action {
            Some((_, action)) => action.into_owned(),
            None => format!("{} {}", self.method, self.path),
        }
    }

    /// The first value of a parameter of the query string.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The segments of the path, percent-decoded after splitting, so that an encoded slash stays inside its segment.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect()
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside `content-length`, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes().into(),
        }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }
}

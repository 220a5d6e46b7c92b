//! `Invoke`: runs a function for a client of the sandbox.
//!
//! It stands apart from the other operations because it takes as long as the function does: the world must not be held
//! meanwhile, and other calls, the function's own included, go on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Value, json};

use super::runtime::{Functions, Invocation, InvokeError, Invoked, Program};
use super::{names, refuse};
use crate::sandbox::Sandbox;
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::wire::{Request, Response};

/// What Lambda's message states as the limit of an event; the Runtime API takes a little more.
const REQUEST_LIMIT: usize = 6_291_456;

/// The end of the path of an `Invoke`.
const PATH: [&str; 2] = ["2015-03-31", "functions"];

/// Whether a request is an `Invoke`.
pub(crate) fn is_invoke(request: &Request) -> bool {
    request.caller.service == "lambda" && request.method == "POST" && function(request).is_some()
}

/// Runs the function that a request names.
pub(crate) async fn run(sandbox: &Sandbox, functions: &Functions, request: &Request) -> Response {
    act(sandbox, functions, request).await.unwrap_or_else(|fault| refuse(&fault))
}

async fn act(sandbox: &Sandbox, functions: &Functions, request: &Request) -> Answer<Response> {
    let named = function(request).unwrap_or_default();
    let named = names::named(&named, request)?;
    let arn = names::arn(&named.qualified(), &request.caller);
    let kind = request.header("x-amz-invocation-type").unwrap_or("RequestResponse");
    if !["RequestResponse", "Event", "DryRun"].contains(&kind) {
        let constraint = "Member must satisfy enum value set: [Event, RequestResponse, DryRun]";
        return Err(Fault::new(400, "ValidationException", violation(kind, "invocationType", constraint)));
    }
    let payload = payload(request)?;
    let program = find(sandbox, arn).await.map_err(|error| match error {
        InvokeError::NotFound(_) => super::no_function(&named.qualified(), &request.caller),
        error @ InvokeError::Throttled => Fault::new(429, "TooManyRequestsException", error.to_string()),
        other => Fault::new(500, "ServiceException", other.to_string()),
    })?;
    let client_context = request.header("x-amz-client-context").map(client_context).transpose()?;
    let invocation = Invocation {
        trace_id: request.header("x-amzn-trace-id").map(str::to_owned),
        client_context,
        tail: request.header("x-amz-log-type") == Some("Tail"),
    };
    match kind {
        "DryRun" => Ok(Response::empty(204)),
        "Event" => {
            tokio::spawn(in_background(functions.clone(), program, payload, invocation));
            Ok(Response::empty(202))
        }
        _ => {
            let version = program.version.clone();
            match functions.invoke_with(&program, payload, invocation.clone()).await {
                Ok(invoked) => Ok(answer(invoked, &version, invocation.tail)),
                Err(InvokeError::CannotStart { kind, reason, hint }) => {
                    let body = json!({ "errorType": kind, "errorMessage": format!("{reason}; {hint}") });
                    Ok(with_version(Bytes::from(body.to_string()), true, &version))
                }
                Err(error @ InvokeError::TooLarge(_)) => {
                    Err(Fault::new(413, "RequestTooLargeException", error.to_string()))
                }
                Err(error) => Err(Fault::new(500, "ServiceException", error.to_string())),
            }
        }
    }
}

/// Works on an event that nobody waits for. Lambda would try twice more, and then use the dead-letter queue; here the log
/// has to do.
async fn in_background(functions: Functions, program: Program, payload: Bytes, invocation: Invocation) {
    let name = program.name.clone();
    match functions.invoke_with(&program, payload, invocation).await {
        Ok(invoked) => {
            if let Some(error) = invoked.error() {
                tracing::warn!(function = name, kind = error.error_type, "{}", error.error_message);
            }
        }
        Err(error) => tracing::warn!(function = name, %error, "an event did not reach its function"),
    }
}

/// The function in the path, as it was written.
fn function(request: &Request) -> Option<String> {
    match request.segments().as_slice() {
        [version, functions, name, last] if [version, functions] == PATH && last == "invocations" => Some(name.clone()),
        _ => None,
    }
}

fn payload(request: &Request) -> Answer<Bytes> {
    if request.body.len() > REQUEST_LIMIT {
        let message = format!("Request must be smaller than {REQUEST_LIMIT} bytes for the InvokeFunction operation");
        return Err(Fault::new(413, "RequestEntityTooLargeException", message));
    }
    if request.body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    serde_json::from_slice::<Value>(&request.body).map_err(|error| {
        let message = format!("Could not parse request body into json: {error}");
        Fault::new(400, "InvalidRequestContentException", message)
    })?;
    Ok(request.body.clone())
}

fn client_context(encoded: &str) -> Answer<String> {
    let decoded = BASE64.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| {
        Fault::new(400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
    })
}

async fn find(sandbox: &Sandbox, arn: String) -> Result<Program, InvokeError> {
    let sandbox = sandbox.clone();
    let found = tokio::task::spawn_blocking(move || Program::of(&sandbox, &arn)).await;
    found.unwrap_or(Err(InvokeError::ShutDown))
}

fn answer(invoked: Invoked, version: &str, tail: bool) -> Response {
    let mut response = with_version(invoked.payload, invoked.failed, version);
    if tail {
        response.headers.push(("x-amz-log-result".into(), BASE64.encode(&invoked.tail)));
    }
    response.headers.push(("x-amzn-requestid".into(), invoked.request_id));
    response
}

fn with_version(body: Bytes, failed: bool, version: &str) -> Response {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-amz-executed-version".to_owned(), version.to_owned()),
    ];
    if failed {
        // `Handled` is of the first runtimes of Lambda; whatever goes through the Runtime API is `Unhandled`.
        headers.push(("x-amz-function-error".to_owned(), "Unhandled".to_owned()));
    }
    Response { status: 200, headers, body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::lambda::runtime::tests::{SCRIPT, zip_of};
    use crate::sandbox::lambda::tests::{Aws, creation_of, request};
    use crate::sandbox::transport::Outcome;

    const PLACE: &str = "/2015-03-31/functions/auth/invocations";

    fn deployed() -> Aws {
        let aws = Aws::with_role();
        let zip = zip_of(&[("bootstrap", 0o755, SCRIPT.as_bytes())]);
        let mut creation = creation_of(&zip);
        creation["Timeout"] = json!(20);
        aws.done("POST", "/2015-03-31/functions", &creation);
        aws
    }

    async fn invoke(aws: &Aws, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let asked = Request { headers, body, ..request("lambda", "POST", path) };
        match aws.0.answer(asked, true).await.unwrap() {
            Outcome::Answer(response) => response,
            Outcome::Lost(loss) => panic!("{loss:?}"),
        }
    }

    #[tokio::test]
    async fn a_client_gets_what_the_function_answers() {
        let aws = deployed();
        let good = invoke(&aws, PLACE, &[("x-amz-log-type", "Tail")], "{\"n\":5}").await;
        assert_eq!((good.status, good.body.as_ref()), (200, b"{\"n\": 5}".as_slice()));
        assert_eq!(good.header("x-amz-executed-version"), Some("$LATEST"));
        assert_eq!(good.header("x-amz-function-error"), None);
        let tail = BASE64.decode(good.header("x-amz-log-result").unwrap()).unwrap();
        assert_eq!(String::from_utf8(tail).unwrap(), "event 5\n");
        assert!(good.header("x-amzn-requestid").is_some());
        let failed = invoke(&aws, PLACE, &[], "{\"do\":\"error\"}").await;
        assert_eq!((failed.status, failed.header("x-amz-function-error")), (200, Some("Unhandled")));
        assert!(failed.header("x-amz-log-result").is_none());
        let by_arn = PLACE.replace("auth", "arn%3Aaws%3Alambda%3Aeu-central-1%3A123456789012%3Afunction%3Aauth");
        assert_eq!(invoke(&aws, &by_arn, &[], "").await.body.as_ref(), b"{}");
    }

    #[tokio::test]
    async fn types_and_refusals_are_lambdas() {
        let aws = deployed();
        assert_eq!(invoke(&aws, PLACE, &[("x-amz-invocation-type", "DryRun")], "{}").await.status, 204);
        assert_eq!(aws.0.functions().idle(), 0, "a dry run starts nothing");
        assert_eq!(invoke(&aws, PLACE, &[("x-amz-invocation-type", "Event")], "{}").await.status, 202);
        let begun = std::time::Instant::now();
        while aws.0.functions().idle() == 0 && begun.elapsed().as_secs() < 10 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(aws.0.functions().idle(), 1, "the event was worked on");
        let none = PLACE.replace("auth", "none");
        for (path, headers, body, status, code) in [
            (none.as_str(), [("", "")], "{}", 404, "ResourceNotFoundException"),
            (PLACE, [("x-amz-invocation-type", "Later")], "{}", 400, "ValidationException"),
            (PLACE, [("", "")], "{", 400, "InvalidRequestContentException"),
            (PLACE, [("x-amz-client-context", "?")], "{}", 400, "InvalidRequestContentException"),
        ] {
            let refused = invoke(&aws, path, &headers, body).await;
            assert_eq!((refused.status, refused.header("x-amzn-errortype")), (status, Some(code)));
        }
        let large = " ".repeat(REQUEST_LIMIT) + "{}";
        assert_eq!(invoke(&aws, PLACE, &[], &large).await.status, 413);
    }

    #[tokio::test]
    async fn code_that_does_not_start_says_why() {
        let aws = Aws::with_role();
        let creation = creation_of(&zip_of(&[("main", 0o755, b"")]));
        aws.done("POST", "/2015-03-31/functions", &creation);
        let failed = invoke(&aws, PLACE, &[], "{}").await;
        assert_eq!((failed.status, failed.header("x-amz-function-error")), (200, Some("Unhandled")));
        let body: Value = serde_json::from_slice(&failed.body).unwrap();
        assert_eq!(body["errorType"], "Runtime.InvalidEntrypoint");
        assert!(body["errorMessage"].as_str().unwrap().contains("gwctl package"), "{body}");
    }
}

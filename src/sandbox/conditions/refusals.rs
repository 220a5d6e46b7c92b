//! How each service says that it is too busy, broken, or that the caller may not.

use serde_json::json;

use crate::sandbox::fault::{Fault, Protocol};
use crate::sandbox::route53;
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::{ec2, elbv2, s3, sts};

/// Why a call is refused that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Too many requests; one more may come after so many seconds.
    Throttled {
        /// Whole seconds, at least 1.
        after: u64,
    },
    /// The service is broken.
    Broken,
    /// The caller lacks a permission.
    Denied,
}

/// The refusal in the service's own words and envelope. `operation` is its name, for who is denied it.
pub(super) fn response(why: Why, request: &Request, operation: &str) -> Response {
    let service = request.caller.service.as_str();
    let fault = fault(why, request, operation);
    let mut response = enveloped(&fault, why, request);
    if let (Why::Throttled { after }, "apigateway" | "lambda") = (why, service) {
        // Both models bind `retryAfterSeconds` to this header.
        response.headers.push(("retry-after".into(), after.to_string()));
    }
    response
}

/// The refusal of a call whose caller has no permission for `action` on `resource`, an ARN or `*`.
pub(super) fn forbidden(request: &Request, action: &str, resource: &str) -> Response {
    enveloped(&not_authorized(request, action, Some(resource)), Why::Denied, request)
}

fn enveloped(fault: &Fault, why: Why, request: &Request) -> Response {
    match request.caller.service.as_str() {
        "apigateway" => apigateway(fault, why),
        "lambda" => lambda(fault, why),
        "iam" => fault.wrapped(Protocol::Query, Some("https://iam.amazonaws.com/doc/2010-05-08/"), request.id()),
        "monitoring" => crate::sandbox::cloudwatch::refusal(request, fault),
        "ec2" => ec2::refusal(fault, request.id()),
        "elasticloadbalancing" => fault.wrapped(Protocol::Query, Some(elbv2::NAMESPACE), request.id()),
        "sts" => fault.wrapped(Protocol::Query, Some("https://sts.amazonaws.com/doc/2011-06-15/"), request.id()),
        "route53" => fault.wrapped(Protocol::Query, Some(route53::NAMESPACE), request.id()),
        "s3" => s3::refused(fault, request),
        _ => fault.wrapped(Protocol::of(&request.headers), None, request.id()),
    }
}

/// API Gateway's `TooManyRequestsException` (API reference); `retryAfterSeconds` is a text.
fn apigateway(fault: &Fault, why: Why) -> Response {
    let body = match why {
        Why::Throttled { after } => json!({ "message": fault.message, "retryAfterSeconds": after.to_string() }),
        Why::Denied => json!({ "Message": fault.message }),
        Why::Broken => json!({ "message": fault.message }),
    };
    fault.typed(&body, "application/json")
}

/// Lambda's envelope; `Reason` as seen in reports of the live service.
fn lambda(fault: &Fault, why: Why) -> Response {
    let body = match why {
        Why::Throttled { .. } => {
            json!({ "Reason": "CallerRateLimitExceeded", "Type": "User", "message": fault.message })
        }
        Why::Broken => json!({ "Type": "Service", "Message": fault.message }),
        Why::Denied => json!({ "Message": fault.message }),
    };
    fault.typed(&body, "application/json")
}

/// Codes and words: of the services' models and references where they have them; those of [`Why::Broken`] are the codes
/// of the models with words like AWS's.
fn fault(why: Why, request: &Request, operation: &str) -> Fault {
    let service = request.caller.service.as_str();
    match (why, service) {
        (Why::Throttled { .. }, "apigateway") => Fault::new(429, "TooManyRequestsException", "Too Many Requests"),
        (Why::Throttled { .. }, "lambda") => Fault::new(429, "TooManyRequestsException", "Rate exceeded"),
        // EC2 error reference, "Common client error codes"; the status as reported.
        (Why::Throttled { .. }, "ec2") => Fault::new(503, "RequestLimitExceeded", "Request limit exceeded."),
        (Why::Throttled { .. }, "iam" | "route53" | "sts" | "monitoring" | "elasticloadbalancing") => {
            Fault::new(400, "Throttling", "Rate exceeded")
        }
        // API reference, "Error responses".
        (Why::Throttled { .. }, "s3") => Fault::new(503, "SlowDown", "Please reduce your request rate."),
        (Why::Throttled { .. }, "tagging") => Fault::new(400, "ThrottledException", "Rate exceeded"),
        (Why::Throttled { .. }, _) => Fault::new(400, "ThrottlingException", "Rate exceeded"),
        (Why::Broken, "lambda") => {
            Fault::new(500, "ServiceException", "An error occurred and the request cannot be processed.")
        }
        (Why::Broken, "iam") => Fault::new(
            500,
            "ServiceFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
        (Why::Broken, "ec2") => Fault::new(500, "InternalError", "An internal error has occurred"),
        (Why::Broken, "s3") => Fault::new(500, "InternalError", "We encountered an internal error. Please try again."),
        (Why::Broken, "logs") => {
            Fault::new(500, "ServiceUnavailableException", "The service cannot complete the request.")
        }
        (Why::Broken, "tagging") => Fault::new(500, "InternalServiceException", "The request processing failed."),
        (Why::Broken, "monitoring") => Fault::new(500, "InternalServiceError", "Request processing has failed."),
        (Why::Broken, "wafv2") => Fault::new(
            500,
            "WAFInternalErrorException",
            "AWS WAF couldn’t perform the operation because of a system problem. Retry your request.",
        ),
        (Why::Broken, _) => Fault::internal("The request processing has failed because of an unknown error."),
        (Why::Denied, _) => denied(request, operation),
    }
}

/// A denial that is made up: it names no resource.
fn denied(request: &Request, operation: &str) -> Fault {
    let caller = &request.caller;
    // API Gateway's actions are verbs (aws-facts G).
    let action = if caller.service == "apigateway" { request.method.as_str() } else { operation };
    not_authorized(request, &format!("{}:{action}", caller.service), None)
}

/// The sentence that every service makes of IAM's verdict (IAM's guide, "Troubleshoot access denied error messages"). IAM
/// itself names a role, and no ARN.
fn not_authorized(request: &Request, action: &str, resource: Option<&str>) -> Fault {
    let caller = &request.caller;
    let named = |arn: &str| match (caller.service.as_str(), arn.split_once(":role/")) {
        ("iam", Some((_, path))) => format!("role {}", path.rsplit('/').next().unwrap_or(path)),
        _ => arn.to_owned(),
    };
    let on = resource.map(|arn| format!(" on resource: {}", named(arn))).unwrap_or_default();
    let message = format!(
        "User: {} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} action",
        sts::arn(request)
    );
    match caller.service.as_str() {
        "iam" | "route53" | "s3" | "sts" | "monitoring" | "elasticloadbalancing" => {
            Fault::new(403, "AccessDenied", message)
        }
        "ec2" => {
            let message = format!("You are not authorized to perform this operation. {message}");
            Fault::new(403, "UnauthorizedOperation", message)
        }
        "apigateway" | "lambda" => Fault::new(403, "AccessDeniedException", message),
        // JSON 1.1 has 400 for everything that is the client's fault.
        _ => Fault::new(400, "AccessDeniedException", message),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::request;
    use super::*;

    fn text(response: &Response) -> String {
        String::from_utf8_lossy(&response.body).into_owned()
    }

    #[test]
    fn every_service_throttles_in_its_own_words() {
        let why = Why::Throttled { after: 3 };
        let answer = response(why, &request("apigateway", "POST", "/restapis", ""), "CreateRestApi");
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("3")));
        assert_eq!(answer.header("x-amzn-errortype"), Some("TooManyRequestsException"));
        assert_eq!(text(&answer), r#"{"message":"Too Many Requests","retryAfterSeconds":"3"}"#);
        let answer = response(why, &request("lambda", "GET", "/2015-03-31/functions/", ""), "ListFunctions");
        assert_eq!(answer.status, 429);
        assert_eq!(text(&answer), r#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate exceeded"}"#);
        let answer = response(why, &request("iam", "POST", "/", "Action=CreateRole"), "CreateRole");
        assert_eq!(answer.status, 400);
        assert!(text(&answer).contains("<Code>Throttling</Code><Message>Rate exceeded</Message>"), "{}", text(&answer));
        let answer = response(why, &request("logs", "POST", "Logs_20140328.CreateLogGroup", "{}"), "CreateLogGroup");
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, Some("ThrottlingException")));
    }

    #[test]
    fn the_denied_are_told_what_they_may_not() {
        let answer = response(Why::Denied, &request("iam", "POST", "/", "Action=CreateRole"), "CreateRole");
        assert_eq!(answer.status, 403);
        assert!(text(&answer).contains("is not authorized to perform: iam:CreateRole"), "{}", text(&answer));
        let answer = response(Why::Denied, &request("apigateway", "PUT", "/restapis/a", ""), "PutRestApi");
        assert!(text(&answer).contains("perform: apigateway:PUT"), "{}", text(&answer));
    }

    #[test]
    fn what_is_broken_is_broken_on_the_service_s_side() {
        for service in [
            "apigateway",
            "ec2",
            "elasticloadbalancing",
            "lambda",
            "iam",
            "sts",
            "logs",
            "s3",
            "tagging",
            "wafv2",
            "other",
        ] {
            let answer = response(Why::Broken, &request(service, "POST", "/", ""), "X");
            assert_eq!(answer.status, 500, "{service}");
        }
    }
}

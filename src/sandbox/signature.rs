//! Who calls: the credential scope of Signature Version 4.
//!
//! The sandbox does not verify signatures: it knows no secrets, and whoever reaches it may do everything. It reads who
//! signed, for which Region and service, and refuses what AWS would refuse for its form.

use super::fault::{Fault, Protocol};
use super::wire::{Caller, Incoming, Request, Response};

/// The account of callers whose access key is not an account's twelve digits.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Turns a request as it came in into one whose caller is known, or into AWS's refusal.
pub(crate) fn authenticate(incoming: Incoming, id: &str) -> Result<Request, Response> {
    let Incoming { method, target, headers, body } = incoming;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let protocol = Protocol::of(&headers);
    match caller(&headers, &query) {
        Ok(caller) => Ok(Request { method, path: path.to_owned(), query, headers, body, caller }),
        Err(refusal) => Err(refusal.fault(protocol).wrapped(protocol, None, id)),
    }
}

/// Why nobody could be told to have signed.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Unsigned,
    Incomplete(String),
}

impl Refusal {
    /// The codes and statuses differ between the protocols, as AWS's front ends do.
    fn fault(self, protocol: Protocol) -> Fault {
        let suffix = if protocol == Protocol::Query { "" } else { "Exception" };
        match self {
            Self::Unsigned => {
                let message = match protocol {
                    Protocol::Query => "Request is missing Authentication Token",
                    Protocol::Json | Protocol::RestJson => "Missing Authentication Token",
                };
                Fault::new(403, format!("MissingAuthenticationToken{suffix}"), message)
            }
            Self::Incomplete(message) => {
                let status = if protocol == Protocol::RestJson { 403 } else { 400 };
                Fault::new(status, format!("IncompleteSignature{suffix}"), message)
            }
        }
    }
}

fn caller(headers: &[(String, String)], query: &[(String, String)]) -> Result<Caller, Refusal> {
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let parameter = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if let Some(authorization) = header("authorization") {
        let dated = header("x-amz-date").or(header("date")).is_some();
        return scope(credential(authorization, dated)?);
    }
    // A presigned URL carries its credential in the query string.
    match parameter("X-Amz-Credential") {
        Some(credential) => scope(credential),
        None => Err(Refusal::Unsigned),
    }
}

fn credential(authorization: &str, dated: bool) -> Result<&str, Refusal> {
    let Some(fields) = authorization.strip_prefix(ALGORITHM) else {
        return Err(Refusal::Incomplete(format!(
            "Authorization header requires the algorithm '{ALGORITHM}'. Authorization={authorization}"
        )));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    };
    let mut missing: Vec<String> = ["Credential", "Signature", "SignedHeaders"]
        .into_iter()
        .filter(|name| field(name).is_none())
        .map(|name| format!("Authorization header requires '{name}' parameter."))
        .collect();
    if !dated {
        missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned());
    }
    match field("Credential") {
        Some(credential) if missing.is_empty() => Ok(credential),
        _ => Err(Refusal::Incomplete(format!("{} Authorization={authorization}", missing.join(" ")))),
    }
}

fn scope(credential: &str) -> Result<Caller, Refusal> {
    // An access key has no slash, but splitting from the right keeps this true whatever somebody invents.
    let parts: Vec<&str> = credential.rsplitn(5, '/').collect();
    match parts[..] {
        [terminator, service, region, _date, access_key]
            if terminator == "aws4_request" && !service.is_empty() && !region.is_empty() && !access_key.is_empty() =>
        {
            Ok(Caller {
                account: account(access_key),
                region: region.to_owned(),
                service: service.to_owned(),
                access_key: access_key.to_owned(),
            })
        }
        _ => Err(Refusal::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             '{credential}'"
        ))),
    }
}

fn account(access_key: &str) -> String {
    let names_account = access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit());
    if names_account { access_key.to_owned() } else { DEFAULT_ACCOUNT.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(headers: &[(&str, &str)]) -> Incoming {
        Incoming {
            method: "GET".into(),
            target: "/restapis?limit=5".into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: bytes::Bytes::new(),
        }
    }

    fn signed(access_key: &str, scope: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders=host;x-amz-date, Signature=00")
    }

    #[test]
    fn account_and_region_come_from_the_scope() {
        let authorization = signed("210987654321", "20261122/cn-north-1/apigateway/aws4_request");
        let headers = [("authorization", authorization.as_str()), ("x-amz-date", "20261122T000000Z")];
        let request = authenticate(incoming(&headers), "id").unwrap();
        assert_eq!(request.caller.account, "210987654321");
        assert_eq!((request.caller.region.as_str(), request.caller.partition()), ("cn-north-1", "aws-cn"));
        assert_eq!((request.path.as_str(), request.parameter("limit")), ("/restapis", Some("5")));

        let authorization = signed("AKIAEXAMPLE", "20261122/eu-central-1/lambda/aws4_request");
        let headers = [("authorization", authorization.as_str()), ("x-amz-date", "20261122T000000Z")];
        assert_eq!(authenticate(incoming(&headers), "id").unwrap().caller.account, DEFAULT_ACCOUNT);
    }

    #[test]
    fn unsigned_and_half_signed_requests_are_refused_as_aws_does() {
        let refused = authenticate(incoming(&[]), "id").unwrap_err();
        assert_eq!(refused.status, 403);
        assert_eq!(refused.body, r#"{"message":"Missing Authentication Token"}"#);
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let refused = authenticate(incoming(&[form]), "id").unwrap_err();
        assert!(String::from_utf8_lossy(&refused.body).contains("<Code>MissingAuthenticationToken</Code>"));

        let half = "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Signature=00";
        let refused = authenticate(incoming(&[("authorization", half), form]), "id").unwrap_err();
        let body = String::from_utf8_lossy(&refused.body).into_owned();
        assert_eq!(refused.status, 400);
        assert!(body.contains("<Code>IncompleteSignature</Code>"), "{body}");
        assert!(body.contains("SignedHeaders") && body.contains("X-Amz-Date"), "{body}");
        assert!(!body.contains("requires &apos;Signature&apos;"), "{body}");
    }

    #[test]
    fn a_scope_with_too_few_parts_is_incomplete() {
        let authorization = signed("AKIA", "20261122/eu-central-1/aws4_request");
        let headers = [("authorization", authorization.as_str()), ("x-amz-date", "20261122T000000Z")];
        let refused = authenticate(incoming(&headers), "id").unwrap_err();
        assert!(String::from_utf8_lossy(&refused.body).contains("exactly 5 slash-delimited elements"));
    }
}

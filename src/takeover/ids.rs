//! Ids and ARNs as people and Terraform write them, as what gwctl tells resources of a kind apart by.

use crate::error::{Failure, FailureKind, Result};
use crate::model::Address;

use super::{Candidate, Source};

/// Kinds that can't be taken over, and why.
#[must_use]
pub fn why_not(kind: &str) -> Option<&'static str> {
    match kind {
        "deployment" => Some("a deployment belongs to its API: the next plan makes one of what is wanted"),
        "function-version" => Some("a version belongs to its function: the next plan publishes one"),
        "account-logging" => Some("the Region's role for logs is nobody's, and is left as it is"),
        "vpc-link" => Some("a link is used without being owned: name it in `vpc_link_id`"),
        "http-vpc-link" | "hosted-zone" | "health-check" => Some("the next plan makes one of its own"),
        _ => None,
    }
}

/// Kinds whose names do not tell their resources apart: AWS's own id does.
fn is_known_by_id(kind: &str) -> bool {
    matches!(kind, "rest-api" | "http-api" | "security-group")
}

/// What stands behind the last of `mark` in an ARN.
fn behind<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.starts_with("arn:").then(|| text.split_once(mark).map(|(_, rest)| rest)).flatten()
}

/// A word on a resource, from the id, ARN or name that `text` is for its kind.
#[must_use]
pub fn candidate(address: &Address, source: Source, text: &str) -> Candidate {
    let kind = address.kind();
    if is_known_by_id(kind) {
        let id = text.rsplit('/').next().unwrap_or(text);
        return Candidate { address: address.clone(), source, name: None, id: Some(id.to_owned()) };
    }
    let name = match kind {
        "lambda-function" => behind(text, ":function:").map(|rest| rest.split(':').next().unwrap_or(rest)),
        "iam-role" => behind(text, ":role/").or(Some(text)).and_then(|rest| rest.rsplit('/').next()),
        "log-group" => behind(text, ":log-group:").map(|rest| rest.trim_end_matches(":*")),
        "alarm" => behind(text, ":alarm:"),
        "s3-bucket" => behind(text, ":::"),
        "firehose-stream" => behind(text, ":deliverystream/"),
        "stage" | "http-stage" => behind(text, "/stages/").or_else(|| text.rsplit('/').next()),
        "domain-name" => behind(text, "/domainnames/"),
        "web-acl" => behind(text, "/webacl/").and_then(|rest| rest.split('/').next()),
        "ip-set" => behind(text, "/ipset/").and_then(|rest| rest.split('/').next()),
        "dns-record" => Some(text.trim_end_matches('.')),
        _ => None,
    };
    Candidate { address: address.clone(), source, name: Some(name.unwrap_or(text).to_owned()), id: None }
}

/// Reads `ADDRESS=ID` of the command line. Names may have `=` in them, addresses not.
pub fn given(text: &str) -> Result<(Address, String)> {
    let read = || {
        let (address, id) = text.split_once('=')?;
        Some((Address::parse(address)?, id)).filter(|(_, id)| !id.is_empty())
    };
    let usage = |message: String| Failure::new(FailureKind::Usage, message);
    let Some((address, id)) = read() else {
        return Err(
            usage(format!("`--id {text}` is no ADDRESS=ID")).hint("write it as --id gate/rest-api/gateway=abc123def4")
        );
    };
    if let Some(why) = why_not(address.kind()) {
        return Err(usage(format!("{address} can't be taken over by --id")).cause(why));
    }
    Ok((address, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_arns_and_names_say_the_same() {
        for (address, text, expected) in [
            ("gate/lambda-function/authorizer", "arn:aws:lambda:eu-west-1:1:function:f-1:live", "f-1"),
            ("gate/lambda-function/authorizer", "f-1", "f-1"),
            ("gate/iam-role/authorizer", "arn:aws:iam::1:role/service/x/R", "R"),
            ("gate/iam-role/authorizer", "R", "R"),
            ("gate/log-group/access", "arn:aws:logs:eu-west-1:1:log-group:/a/b:*", "/a/b"),
            ("gate/log-group/access", "/a/b", "/a/b"),
            ("gate/stage/gateway", "abc123/dev", "dev"),
            ("gate/stage/gateway", "arn:aws:apigateway:eu-west-1::/restapis/abc/stages/dev", "dev"),
            ("gate/web-acl/gateway", "arn:aws:wafv2:eu-west-1:1:regional/webacl/acl/1-2-3", "acl"),
            ("gate/domain-name/gateway", "api.example.com", "api.example.com"),
            ("gate/dns-record/gateway", "api.example.com.", "api.example.com"),
        ] {
            let found = candidate(&Address::parse(address).unwrap(), Source::Given, text);
            assert_eq!((found.name.as_deref(), found.id), (Some(expected), None), "{address} {text}");
        }
        for (address, text, expected) in [
            ("gate/rest-api/gateway", "abc123", "abc123"),
            ("gate/rest-api/gateway", "arn:aws:apigateway:eu-west-1::/restapis/abc123", "abc123"),
            ("gate/security-group/authorizer", "sg-1", "sg-1"),
        ] {
            let found = candidate(&Address::parse(address).unwrap(), Source::Given, text);
            assert_eq!((found.name, found.id.as_deref()), (None, Some(expected)), "{address} {text}");
        }
    }

    #[test]
    fn what_is_given_has_an_address_and_an_id() {
        let (address, id) = given("gate/log-group/access=/a=b").unwrap();
        assert_eq!((address.as_str(), id.as_str()), ("gate/log-group/access", "/a=b"));
        for wrong in ["", "abc", "gate/rest-api=abc", "gate/rest-api/gateway=", "gate/deployment/x=abc"] {
            assert_eq!(given(wrong).unwrap_err().kind(), FailureKind::Usage, "{wrong}");
        }
    }
}

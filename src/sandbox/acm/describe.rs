//! `ListCertificates` and `DescribeCertificate`.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::request::ALGORITHMS;
use super::{Certificate, Origin, invalid, one_of, users};
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::world::View;

/// The statuses of the service model.
const STATUSES: [&str; 7] =
    ["PENDING_VALIDATION", "ISSUED", "INACTIVE", "EXPIRED", "VALIDATION_TIMED_OUT", "REVOKED", "FAILED"];

/// What a list without a filter of key types has (API reference, `Filters`).
const LISTED_UNASKED: [&str; 2] = ["RSA_1024", "RSA_2048"];

/// Names that a summary shows (API reference, `CertificateSummary`).
const SUMMARY_NAMES: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    #[serde(default)]
    certificate_statuses: Vec<String>,
    includes: Option<Includes>,
    next_token: Option<String>,
    max_items: Option<i64>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Includes {
    #[serde(default)]
    key_types: Vec<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

pub(super) fn list(view: &View<'_>, query: &Query) -> Answer<Value> {
    let size = query.check()?;
    let types: Vec<&str> = match &query.includes {
        Some(includes) if !includes.key_types.is_empty() => includes.key_types.iter().map(String::as_str).collect(),
        _ => LISTED_UNASKED.to_vec(),
    };
    let statuses = &query.certificate_statuses;
    let mut found: Vec<&Certificate> = view
        .region
        .acm
        .certificates
        .values()
        .filter(|one| types.contains(&one.key_algorithm.as_str()))
        .filter(|one| statuses.is_empty() || statuses.iter().any(|status| status == one.status(view.now)))
        .collect();
    if query.sort_by.is_some() {
        found.sort_by(|one, other| one.created.total_cmp(&other.created));
        if query.sort_order.as_deref() == Some("DESCENDING") {
            found.reverse();
        }
    }
    let start = match &query.next_token {
        None => 0,
        Some(token) => {
            let at = found.iter().position(|one| one.arn == *token);
            at.ok_or_else(|| Fault::new(400, "InvalidArgsException", "The NextToken is not valid"))?
        }
    };
    let rest = &found[start..];
    let (page, rest) = rest.split_at(size.min(rest.len()));
    let list: Vec<Value> = page.iter().map(|one| summary(view, one)).collect();
    let mut answer = json!({ "CertificateSummaryList": list });
    if let Some(next) = rest.first() {
        answer["NextToken"] = next.arn.clone().into();
    }
    Ok(answer)
}

impl Query {
    /// The size of a page.
    fn check(&self) -> Answer<usize> {
        for status in &self.certificate_statuses {
            one_of(status, "certificateStatuses", &STATUSES)?;
        }
        if let Some(Includes { key_types, others }) = &self.includes {
            for kind in key_types {
                one_of(kind, "includes.keyTypes", &ALGORITHMS)?;
            }
            if let Some(name) = others.keys().next() {
                return Err(invalid(format!("The sandbox's Certificate Manager has no filter {name}")));
            }
        }
        if let Some(order) = &self.sort_order {
            one_of(order, "sortOrder", &["ASCENDING", "DESCENDING"])?;
        }
        if let Some(by) = &self.sort_by {
            one_of(by, "sortBy", &["CREATED_AT"])?;
        }
        if self.sort_by.is_some() != self.sort_order.is_some() {
            // Each needs the other (API reference). The words are a guess.
            return Err(invalid("SortBy and SortOrder must be specified together"));
        }
        let size = self.max_items.unwrap_or(1000);
        usize::try_from(size).ok().filter(|size| (1..=1000).contains(size)).ok_or_else(|| {
            invalid(violation(&size.to_string(), "maxItems", "Member must have value between 1 and 1000"))
        })
    }
}

fn summary(view: &View<'_>, one: &Certificate) -> Value {
    let names: Vec<&String> = one.names.iter().take(SUMMARY_NAMES).collect();
    let mut shown = json!({
        "CertificateArn": one.arn,
        "DomainName": one.domain_name,
        "SubjectAlternativeNameSummaries": names,
        "HasAdditionalSubjectAlternativeNames": one.names.len() > SUMMARY_NAMES,
        "Status": one.status(view.now),
        "Type": kind(one),
        "KeyAlgorithm": one.key_algorithm,
        "KeyUsages": ["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"],
        "ExtendedKeyUsages": ["TLS_WEB_SERVER_AUTHENTICATION"],
        "ExportOption": "DISABLED",
        "InUse": !users(&view.region.apigateway, &one.arn).is_empty(),
        "RenewalEligibility": "INELIGIBLE",
        "NotBefore": one.not_before,
        "NotAfter": one.not_after,
        "CreatedAt": one.created,
    });
    shown[born(one)] = one.created.into();
    shown
}

fn kind(one: &Certificate) -> &'static str {
    match one.origin {
        Origin::Requested { .. } => "AMAZON_ISSUED",
        Origin::Imported { .. } => "IMPORTED",
    }
}

/// The member that tells when a certificate came to be.
fn born(one: &Certificate) -> &'static str {
    match one.origin {
        Origin::Requested { .. } => "IssuedAt",
        Origin::Imported { .. } => "ImportedAt",
    }
}

pub(super) fn describe(view: &View<'_>, arn: Option<&str>) -> Answer<Value> {
    let one = view.region.acm.certificate(arn)?;
    // AWS names who uses a certificate by what stands before API Gateway, in accounts of its own. The domain name's ARN tells
    // more here.
    let mut parts = one.arn.splitn(5, ':');
    let (partition, region) = (parts.nth(1).unwrap_or_default(), parts.nth(1).unwrap_or_default());
    let users: Vec<String> = users(&view.region.apigateway, &one.arn)
        .iter()
        .map(|name| format!("arn:{partition}:apigateway:{region}::/domainnames/{name}"))
        .collect();
    let mut shown = json!({
        "CertificateArn": one.arn,
        "DomainName": one.domain_name,
        "SubjectAlternativeNames": one.names,
        "Serial": one.serial,
        "Subject": format!("CN={}", one.domain_name),
        "CreatedAt": one.created,
        "Status": one.status(view.now),
        "NotBefore": one.not_before,
        "NotAfter": one.not_after,
        // Described with hyphens and listed with underscores, as on AWS (reported).
        "KeyAlgorithm": one.key_algorithm.replacen("RSA_", "RSA-", 1),
        "SignatureAlgorithm": "SHA256WITHRSA",
        "InUseBy": users,
        "Type": kind(one),
        "KeyUsages": [{ "Name": "DIGITAL_SIGNATURE" }, { "Name": "KEY_ENCIPHERMENT" }],
        "ExtendedKeyUsages": [{ "Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1" }],
        "RenewalEligibility": "INELIGIBLE",
        "Options": { "CertificateTransparencyLoggingPreference": "DISABLED", "Export": "DISABLED" },
    });
    shown[born(one)] = one.created.into();
    match &one.origin {
        Origin::Requested { validation, transparency, .. } => {
            shown["Issuer"] = "Amazon".into();
            shown["Options"]["CertificateTransparencyLoggingPreference"] = transparency.clone().into();
            shown["DomainValidationOptions"] =
                one.names.iter().map(|name| validated(name, validation, &one.arn)).collect();
        }
        Origin::Imported { issuer, .. } => shown["Issuer"] = issuer.clone().into(),
    }
    Ok(json!({ "Certificate": shown }))
}

/// How a name was validated. The record that proves it is the same for a name and its wildcard.
fn validated(name: &str, method: &str, arn: &str) -> Value {
    let bare = name.strip_prefix("*.").unwrap_or(name);
    let mut shown = json!({
        "DomainName": name, "ValidationDomain": name, "ValidationStatus": "SUCCESS", "ValidationMethod": method,
    });
    if method == "DNS" {
        let account = arn.split(':').nth(4).unwrap_or_default();
        let hex = crate::sandbox::hex(&Sha256::digest(format!("{account} {bare}")));
        shown["ResourceRecord"] = json!({
            "Name": format!("_{}.{bare}.", &hex[..32]),
            "Type": "CNAME",
            "Value": format!("_{}.sandbox.invalid.", &hex[32..]),
        });
    }
    shown
}

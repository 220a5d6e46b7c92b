//! Finds the certificate for a domain name among those that Certificate Manager holds in the Region.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};

use super::{ReadAws, failed, given};
use crate::error::{Failure, FailureKind, Result};

/// The keys to look for. A list that is asked for no key types leaves out all but RSA up to 2048 bits (API reference,
/// `Filters`). Weaker ones, and the curve that few clients know, are left out on purpose.
const KEYS: [KeyAlgorithm; 5] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
];

/// A certificate as the choice sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    arn: String,
    names: Vec<String>,
    status: CertificateStatus,
    /// Seconds since the epoch; unknown while it is not issued.
    not_after: i64,
}

/// What finding a certificate asks.
pub const CALLS: &[&str] = &["acm:DescribeCertificate", "acm:ListCertificates"];

/// The ARN of the certificate for a domain name: issued, valid now, for this name or its wildcard. Of several, the one that
/// is valid longest.
///
/// Fails if there is none, and says what is wrong with those that would do but for their status.
pub async fn certificate_for(aws: &ReadAws, domain: &str) -> Result<String> {
    let filters = Filters::builder().set_key_types(Some(KEYS.to_vec())).build();
    let pages = aws.clients.acm.list_certificates().includes(filters).into_paginator().items().send();
    let list: Vec<CertificateSummary> =
        pages.try_collect().await.map_err(|error| failed("list the certificates", error))?;
    let mut candidates = Vec::with_capacity(list.len());
    for summary in &list {
        candidates.push(candidate(aws, summary).await?);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    choose(&candidates, domain, &aws.place.region, i64::try_from(now).unwrap_or(i64::MAX))
}

async fn candidate(aws: &ReadAws, summary: &CertificateSummary) -> Result<Candidate> {
    let arn = given("ARN of a certificate", summary.certificate_arn())?.to_owned();
    let mut names: Vec<String> = summary.domain_name().map(str::to_owned).into_iter().collect();
    if summary.has_additional_subject_alternative_names() == Some(true) {
        // A summary has the first hundred names only.
        let answer = aws.clients.acm.describe_certificate().certificate_arn(&arn).send().await;
        let answer = answer.map_err(|error| failed(&format!("describe certificate {arn}"), error))?;
        names.extend(answer.certificate.and_then(|one| one.subject_alternative_names).unwrap_or_default());
    } else {
        names.extend(summary.subject_alternative_name_summaries().iter().cloned());
    }
    let status = given("status of a certificate", summary.status())?.clone();
    Ok(Candidate { arn, names, status, not_after: summary.not_after().map_or(0, aws_smithy_types::DateTime::secs) })
}

/// Whether a name of a certificate stands for a host. A wildcard stands for one label (RFC 6125).
fn stands_for(name: &str, host: &str) -> bool {
    let wild = || {
        let parent = name.strip_prefix("*.")?;
        let (_, above) = host.split_once('.')?;
        Some(above.eq_ignore_ascii_case(parent))
    };
    name.eq_ignore_ascii_case(host) || wild().unwrap_or(false)
}

fn choose(candidates: &[Candidate], domain: &str, region: &str, now: i64) -> Result<String> {
    let fitting: Vec<&Candidate> =
        candidates.iter().filter(|one| one.names.iter().any(|name| stands_for(name, domain))).collect();
    let usable = fitting.iter().filter(|one| one.status == CertificateStatus::Issued && one.not_after > now);
    if let Some(best) = usable.max_by_key(|one| (one.not_after, &one.arn)) {
        return Ok(best.arn.clone());
    }
    let failure = Failure::new(FailureKind::Configuration, format!("no usable certificate for `{domain}` in {region}"));
    if fitting.is_empty() {
        return Err(failure
            .cause(format!("none of the {} certificates there has that name or its wildcard", candidates.len()))
            .hint(format!(
                "request one: aws acm request-certificate --region {region} --domain-name {domain} --validation-method DNS"
            ))
            .hint("a certificate has to be in the Region of the gateway; its ARN can also be set in the configuration"));
    }
    let list: Vec<String> = fitting
        .iter()
        .map(|one| match one.status {
            CertificateStatus::Issued => format!("{} has expired", one.arn),
            _ => format!("{} is {}", one.arn, one.status.as_str()),
        })
        .collect();
    let pending = fitting.iter().any(|one| one.status == CertificateStatus::PendingValidation);
    Err(failure.cause(list.join("; ")).hint(if pending {
        "finish its validation: aws acm describe-certificate shows the DNS record that it waits for"
    } else {
        "renew it, or request or import another one"
    }))
}

/// When a certificate expires, in seconds since the epoch, where AWS tells.
pub async fn expires(aws: &ReadAws, arn: &str) -> Result<Option<i64>> {
    let answer = aws.clients.acm.describe_certificate().certificate_arn(arn).send().await;
    let answer = answer.map_err(|error| failed(&format!("describe certificate {arn}"), error))?;
    Ok(answer.certificate().and_then(|one| one.not_after()).map(aws_smithy_types::DateTime::secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(arn: &str, names: &[&str], status: CertificateStatus, not_after: i64) -> Candidate {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Candidate { arn: arn.to_owned(), names, status, not_after }
    }

    fn text(failure: &Failure) -> String {
        format!("{failure} {:?} {:?}", failure.causes(), failure.hints())
    }

    #[test]
    fn the_one_that_is_valid_longest_is_chosen() {
        let issued = CertificateStatus::Issued;
        let all = [
            candidate("short", &["api.example.com"], issued.clone(), 200),
            candidate("long", &["example.com", "*.example.com"], issued.clone(), 300),
            candidate("other", &["*.other.com"], issued.clone(), 900),
            candidate("deep", &["*.a.example.com"], issued, 900),
            candidate("revoked", &["api.example.com"], CertificateStatus::Revoked, 900),
        ];
        assert_eq!(choose(&all, "api.example.com", "r", 100).unwrap(), "long");
        assert_eq!(choose(&all, "API.example.com", "r", 100).unwrap(), "long");
        assert_eq!(choose(&all, "example.com", "r", 100).unwrap(), "long");
        assert_eq!(choose(&all, "x.a.example.com", "r", 100).unwrap(), "deep");
        // A domain name may be a wildcard itself.
        assert_eq!(choose(&all, "*.example.com", "r", 100).unwrap(), "long");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let none = choose(&[candidate("a", &["x.com"], CertificateStatus::Issued, 9)], "api.example.com", "r", 1);
        let none = text(&none.unwrap_err());
        assert!(
            none.contains("none of the 1 certificates") && none.contains("request-certificate --region r"),
            "{none}"
        );
        let pending = [candidate("a", &["api.example.com"], CertificateStatus::PendingValidation, 0)];
        let pending = text(&choose(&pending, "api.example.com", "r", 1).unwrap_err());
        assert!(pending.contains("a is PENDING_VALIDATION") && pending.contains("finish its validation"), "{pending}");
        let expired = [candidate("a", &["*.example.com"], CertificateStatus::Issued, 1)];
        let expired = text(&choose(&expired, "api.example.com", "r", 1).unwrap_err());
        assert!(expired.contains("a has expired") && expired.contains("renew it"), "{expired}");
    }
}

//! What a custom domain name must hold to be one.

use super::errors::{Answer, bad_request};
use super::state::DomainName;
use crate::sandbox::acm;
use crate::sandbox::wire::Caller;

/// The TLS policies of the service model.
pub(super) const POLICIES: [&str; 14] = [
    "TLS_1_0",
    "TLS_1_2",
    "SecurityPolicy_TLS13_1_3_2025_09",
    "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
    "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_2021_06",
    "SecurityPolicy_TLS13_2025_EDGE",
    "SecurityPolicy_TLS12_PFS_2025_EDGE",
    "SecurityPolicy_TLS12_2018_EDGE",
];

/// The endpoint access modes of the service model.
pub(super) const ACCESS_MODES: [&str; 2] = ["BASIC", "STRICT"];

/// The routing modes of the service model.
pub(super) const ROUTING: [&str; 3] =
    ["BASE_PATH_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"];

/// Refuses what is no DNS name; the first label may be `*`. The words are a guess.
pub(in crate::sandbox) fn name(name: &str) -> Answer<()> {
    let labels: Vec<&str> = name.strip_prefix("*.").unwrap_or(name).split('.').collect();
    let valid = |label: &&str| {
        let inner = label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() <= 253 && labels.len() > 1 && labels.iter().all(valid) {
        return Ok(());
    }
    Err(bad_request(format!("Invalid domain name specified: {name}")))
}

/// Checks a domain name as a whole. `held` are the certificates of the Region. The words about certificates are reported, the
/// others are guesses.
pub(in crate::sandbox) fn check(domain: &DomainName, caller: &Caller, held: &acm::State) -> Answer<()> {
    types(domain, caller)?;
    let edge = domain.certificate_arn.as_deref().or(domain.certificate_name.as_deref());
    let regional = domain.regional_certificate_arn.as_deref().or(domain.regional_certificate_name.as_deref());
    for (kind, other, certificate) in [("EDGE", "REGIONAL", edge), ("REGIONAL", "EDGE", regional)] {
        if certificate.is_some() && !domain.is_type(kind) {
            return Err(bad_request(format!("Cannot import certificates for {kind} while {other} is active.")));
        }
    }
    for (kind, certificate) in [("EDGE", edge), ("REGIONAL", regional)] {
        if certificate.is_none() && domain.is_type(kind) {
            return Err(bad_request(format!("A certificate was not provided for the endpoint type {kind}.")));
        }
    }
    // CloudFront takes its certificates from one Region.
    for (arn, region) in [
        (&domain.certificate_arn, "us-east-1"),
        (&domain.regional_certificate_arn, caller.region.as_str()),
        (&domain.ownership_verification_certificate_arn, caller.region.as_str()),
    ] {
        if let Some(arn) = arn {
            certificate(arn, region, caller)?;
            // What another Region holds can't be seen from here.
            if region == caller.region {
                exists(arn, &domain.domain_name, held)?;
            }
        }
    }
    mutual_tls(domain)
}

fn types(domain: &DomainName, caller: &Caller) -> Answer<()> {
    if domain.endpoint_configuration.types.is_empty() {
        return Err(bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."));
    }
    if domain.is_type("EDGE") && caller.partition() != "aws" {
        return Err(bad_request("Endpoint type EDGE is not supported in this region"));
    }
    Ok(())
}

fn certificate(arn: &str, region: &str, caller: &Caller) -> Answer<()> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "acm", place, account, resource] = parts.as_slice() else {
        return Err(bad_request(format!("Invalid certificate ARN: {arn}")));
    };
    let id = resource.strip_prefix("certificate/").unwrap_or_default();
    if *partition != caller.partition() || id.is_empty() {
        return Err(bad_request(format!("Invalid certificate ARN: {arn}")));
    }
    if *place != region {
        return Err(bad_request(format!("Invalid certificate ARN: {arn}. Certificate must be in '{region}'.")));
    }
    if *account != caller.account {
        return Err(bad_request("The certificate provided must be owned by the account creating the domain."));
    }
    Ok(())
}

/// A certificate has to be there and to hold for the name. One that has expired is taken; what AWS makes of it is not known.
fn exists(arn: &str, name: &str, held: &acm::State) -> Answer<()> {
    match held.certificates.get(arn) {
        None => Err(bad_request("The provided certificate does not exist.")),
        Some(certificate) if !certificate.covers(name) => {
            Err(bad_request("The domain name to be created is not covered by the provided certificate."))
        }
        Some(_) => Ok(()),
    }
}

/// Mutual TLS is for regional names and TLS 1.2 (developer guide).
fn mutual_tls(domain: &DomainName) -> Answer<()> {
    let Some(tls) = &domain.mutual_tls_authentication else { return Ok(()) };
    let uri = tls.truststore_uri.as_deref().unwrap_or_default();
    let object = uri.strip_prefix("s3://").and_then(|path| path.split_once('/'));
    if !object.is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) {
        return Err(bad_request(format!(
            "Invalid truststore URI: {uri}. It must have the form s3://bucket-name/key-name."
        )));
    }
    if domain.is_type("EDGE") {
        return Err(bad_request("Mutual TLS authentication is supported for REGIONAL endpoint type only."));
    }
    if domain.security_policy == "TLS_1_0" {
        return Err(bad_request("Mutual TLS authentication requires a minimum TLS version of 1.2."));
    }
    Ok(())
}

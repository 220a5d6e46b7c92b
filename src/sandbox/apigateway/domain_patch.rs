//! The patch paths of a custom domain name, from the service's table of patch operations.

use super::domain_checks::{ACCESS_MODES, POLICIES, ROUTING};
use super::errors::{Answer, bad_request};
use super::patch::Patch;
use super::patch_paths::{self, Paths};
use super::state::DomainName;

const PATHS: &Paths = &[
    (
        "add",
        &[
            "/certificateName",
            "/certificateArn",
            "/endpointConfiguration/types",
            "/mutualTlsAuthentication/truststoreUri",
            "/mutualTlsAuthentication/truststoreVersion",
            "/regionalCertificateName",
            "/regionalCertificateArn",
            "/ownershipVerificationCertificateArn",
        ],
    ),
    (
        "replace",
        &[
            "/certificateName",
            "/certificateArn",
            "/endpointConfiguration/ipAddressType",
            "/endpointAccessMode",
            "/mutualTlsAuthentication/truststoreUri",
            "/mutualTlsAuthentication/truststoreVersion",
            "/regionalCertificateName",
            "/regionalCertificateArn",
            "/routingMode",
            "/securityPolicy",
            "/ownershipVerificationCertificateArn",
        ],
    ),
    (
        "remove",
        &[
            "/certificateName",
            "/certificateArn",
            "/endpointConfiguration/types",
            "/mutualTlsAuthentication/truststoreUri",
            "/mutualTlsAuthentication/truststoreVersion",
            "/regionalCertificateName",
            "/regionalCertificateArn",
            "/ownershipVerificationCertificateArn",
        ],
    ),
];

/// The paths that can't be added and removed in one request: a domain name moves in two steps.
const IN_STEPS: [&str; 5] = [
    "/certificateName",
    "/certificateArn",
    "/endpointConfiguration/types",
    "/regionalCertificateName",
    "/regionalCertificateArn",
];

/// Applies the patches of one request.
pub(super) fn apply(domain: &mut DomainName, patches: &[Patch]) -> Answer<()> {
    let has = |op: &str| patches.iter().any(|patch| patch.op == op && IN_STEPS.contains(&patch.path.as_str()));
    if has("add") && has("remove") {
        // The words are a guess.
        return Err(bad_request("Operations 'add' and 'remove' cannot be included in the same request"));
    }
    patches.iter().try_for_each(|patch| one(domain, patch))
}

fn one(domain: &mut DomainName, patch: &Patch) -> Answer<()> {
    if patch.path.starts_with("/endpointConfiguration/types/") {
        // Reported.
        return Err(bad_request(format!("{} Invalid request input", patch.path)));
    }
    patch_paths::check(patch, PATHS)?;
    let value = patch.text_or_none().filter(|_| patch.op != "remove");
    match patch.path.as_str() {
        "/certificateName" => domain.certificate_name = value,
        "/certificateArn" => domain.certificate_arn = value,
        "/regionalCertificateName" => domain.regional_certificate_name = value,
        "/regionalCertificateArn" => domain.regional_certificate_arn = value,
        "/ownershipVerificationCertificateArn" => domain.ownership_verification_certificate_arn = value,
        "/endpointConfiguration/types" => types(domain, patch)?,
        "/endpointConfiguration/ipAddressType" => {
            domain.endpoint_configuration.ip_address_type = chosen(patch, &["ipv4", "dualstack"])?;
        }
        "/endpointAccessMode" => domain.endpoint_access_mode = Some(chosen(patch, &ACCESS_MODES)?),
        "/securityPolicy" => domain.security_policy = chosen(patch, &POLICIES)?,
        "/routingMode" => domain.routing_mode = chosen(patch, &ROUTING)?,
        trust => {
            let tls = domain.mutual_tls_authentication.get_or_insert_default();
            let uri = trust.ends_with("/truststoreUri");
            *(if uri { &mut tls.truststore_uri } else { &mut tls.truststore_version }) = value;
            // Without a trust store there is no mutual TLS, and its version means nothing.
            if uri && tls.truststore_uri.is_none() {
                domain.mutual_tls_authentication = None;
            }
        }
    }
    Ok(())
}

fn types(domain: &mut DomainName, patch: &Patch) -> Answer<()> {
    let name = chosen(patch, &["REGIONAL", "EDGE"])?;
    let types = &mut domain.endpoint_configuration.types;
    if patch.op == "add" && !types.contains(&name) {
        types.push(name);
    } else if patch.op == "remove" {
        types.retain(|each| *each != name);
        // Its certificate goes with it.
        if name == "EDGE" {
            (domain.certificate_arn, domain.certificate_name) = (None, None);
        } else {
            (domain.regional_certificate_arn, domain.regional_certificate_name) = (None, None);
        }
    }
    Ok(())
}

/// The value as one of a set. The words follow those of a REST API's patches.
fn chosen(patch: &Patch, set: &[&str]) -> Answer<String> {
    if set.contains(&patch.text()) {
        return Ok(patch.text().to_owned());
    }
    let member = patch.path.rsplit('/').next().unwrap_or_default();
    Err(bad_request(format!("Invalid {member} specified. Valid options are {}", set.join(","))))
}

//! Client certificates: what API Gateway shows to backends, so that they know it.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use serde::Deserialize;
use serde_json::Value;

use super::errors::{Answer, Refusal, bad_request, internal, limit_exceeded, not_found};
use super::patch_paths::{self, Paths};
use super::state::{ClientCertificate, State, Strings};
use super::{Call, accepted, created, ok, patch, tags, to_json};

/// Client certificates that one Region of an account may have (API Gateway's quotas).
const LIMIT: usize = 60;

/// How long a certificate is valid: 365 days (developer guide, client-side certificates).
const LIFETIME: u32 = 365 * 24 * 60 * 60;

const PATHS: &Paths = &[("replace", &["/description"])];

#[derive(Deserialize)]
struct GenerateInput {
    description: Option<String>,
    tags: Option<Strings>,
}

/// `/clientcertificates…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.state().client_certificates.iter().map(describe)),
        ("POST", []) => generate(call),
        ("GET", [id]) => {
            let certificate = find(call.state(), id)?;
            Ok(ok(&tags::shown(describe(certificate), &certificate.tags)))
        }
        ("PATCH", [id]) => update(call, id),
        ("DELETE", [id]) => delete(call, id),
        _ => Err(call.unknown()),
    }
}

/// No such client certificate.
pub(super) fn no_certificate() -> Refusal {
    not_found("Invalid Client Certificate identifier specified")
}

fn find<'s>(state: &'s State, id: &str) -> Answer<&'s ClientCertificate> {
    state.client_certificates.iter().find(|each| each.client_certificate_id == id).ok_or_else(no_certificate)
}

fn describe(certificate: &ClientCertificate) -> Value {
    let mut shown = to_json(certificate);
    if let Some(members) = shown.as_object_mut() {
        members.remove("privateKey");
    }
    shown
}

fn generate(call: &mut Call<'_, '_>) -> Answer {
    let GenerateInput { description, tags } = call.body()?;
    let tags = tags.unwrap_or_default();
    tags::check(&tags)?;
    if call.state().client_certificates.len() >= LIMIT {
        return Err(limit_exceeded("Maximum number of Client Certificates has been reached."));
    }
    let now = call.now();
    let (pem_encoded_certificate, private_key) =
        key_and_certificate(now).map_err(|error| internal(error.to_string()))?;
    let certificate = ClientCertificate {
        client_certificate_id: call.new_id(),
        description: description.filter(|text| !text.is_empty()),
        pem_encoded_certificate,
        private_key,
        created_date: now,
        expiration_date: now + f64::from(LIFETIME),
        tags,
    };
    let answer = created(&describe(&certificate));
    call.state_mut().client_certificates.push(certificate);
    Ok(answer)
}

/// A self-signed certificate of the service's form and its RSA key, both PEM.
fn key_and_certificate(now: f64) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs_f64(now.max(0.0));
    params.not_after = params.not_before + std::time::Duration::from_secs(LIFETIME.into());
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "Washington"),
        (DnType::LocalityName, "Seattle"),
        (DnType::OrganizationName, "Amazon.com"),
        (DnType::CommonName, "ApiGateway"),
    ] {
        params.distinguished_name.push(kind, value);
    }
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let patches = patch::read(call, "updateClientCertificateInput")?;
    let mut draft = find(call.state(), id)?.clone();
    for patch in &patches {
        patch_paths::check(patch, PATHS)?;
        draft.description = patch.text_or_none();
    }
    let shown = tags::shown(describe(&draft), &draft.tags);
    let certificates = &mut call.state_mut().client_certificates;
    if let Some(certificate) = certificates.iter_mut().find(|each| each.client_certificate_id == id) {
        *certificate = draft;
    }
    Ok(ok(&shown))
}

fn delete(call: &mut Call<'_, '_>, id: &str) -> Answer {
    find(call.state(), id)?;
    for api in &call.state().apis {
        for stage in api.stages.values() {
            if stage.client_certificate_id.as_deref() == Some(id) {
                // That a certificate in use stays is documented; the words are a guess.
                return Err(bad_request(format!(
                    "Cannot delete client certificate '{id}', is referenced in stage: {}:{}",
                    api.id, stage.stage_name
                )));
            }
        }
    }
    call.state_mut().client_certificates.retain(|each| each.client_certificate_id != id);
    Ok(accepted())
}

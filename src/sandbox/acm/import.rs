//! `ImportCertificate` and `GetCertificate`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::LIMIT;
use super::tags::{Tag, merged};
use super::{Certificate, Origin, State, invalid, x509};
use crate::sandbox::fault::{Answer, Fault, missing};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

/// The members are blobs: base64 of PEM.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    certificate_arn: Option<String>,
    certificate: Option<String>,
    private_key: Option<String>,
    certificate_chain: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn import(view: &mut View<'_>, caller: &Caller, input: Input) -> Answer<Value> {
    let pem = text(input.certificate, "certificate")?.ok_or_else(|| invalid(missing("certificate")))?;
    let key = text(input.private_key, "privateKey")?.ok_or_else(|| invalid(missing("privateKey")))?;
    let chain = text(input.certificate_chain, "certificateChain")?;
    // The beginnings of AWS's words are reported, the rest is a guess.
    let der =
        x509::pem(&pem, "CERTIFICATE").ok_or_else(|| invalid("The certificate is not a valid PEM certificate."))?;
    let read = x509::read(&der).ok_or_else(|| invalid("The certificate can't be parsed."))?;
    if !key.contains("PRIVATE KEY-----") || key.contains("ENCRYPTED") {
        return Err(invalid("The private key is not supported. It must be an unencrypted PEM key."));
    }
    if view.now < read.not_before || view.now > read.not_after {
        return Err(invalid("The certificate is not valid now: it is not valid yet, or has expired."));
    }
    let Some(domain) = read.names.first().cloned() else {
        return Err(invalid("The certificate has no domain name."));
    };
    let arn = if let Some(arn) = input.certificate_arn {
        // Imported again, under the same ARN; tags are for new certificates (API reference).
        if !input.tags.is_empty() {
            return Err(invalid("Tagging is not permitted on re-import."));
        }
        let old = view.region.acm.certificate(Some(&arn))?;
        if !matches!(old.origin, Origin::Imported { .. }) {
            return Err(invalid(format!("Certificate {arn} was not imported.")));
        }
        arn
    } else {
        if view.region.acm.certificates.len() >= LIMIT {
            let message = "Error: you have reached your limit of certificates.";
            return Err(Fault::new(400, "LimitExceededException", message));
        }
        let id = view.new_uuid();
        format!("arn:{}:acm:{}:{}:certificate/{id}", caller.partition(), caller.region, caller.account)
    };
    let tags = match view.region.acm.certificates.get(&arn) {
        Some(old) => old.tags.clone(),
        None => merged(&BTreeMap::new(), &input.tags)?,
    };
    let certificate = Certificate {
        arn: arn.clone(),
        domain_name: domain,
        names: read.names,
        not_before: read.not_before,
        not_after: read.not_after,
        created: view.now,
        serial: read.serial,
        key_algorithm: read.key_algorithm.to_owned(),
        origin: Origin::Imported { issuer: read.issuer, certificate: pem, chain },
        tags,
    };
    view.region.acm.certificates.insert(arn.clone(), certificate);
    Ok(json!({ "CertificateArn": arn }))
}

/// The certificate in PEM. Of a requested one there is nothing to show, because nobody signed it.
pub(super) fn get(state: &State, arn: Option<&str>) -> Answer<Value> {
    match &state.certificate(arn)?.origin {
        Origin::Imported { certificate, chain, .. } => {
            let mut shown = json!({ "Certificate": certificate });
            if let Some(chain) = chain {
                shown["CertificateChain"] = chain.clone().into();
            }
            Ok(shown)
        }
        Origin::Requested { .. } => {
            let message = "The sandbox signs no certificates: what was requested has no PEM to show";
            Err(Fault::new(400, "UnknownOperationException", message))
        }
    }
}

fn text(blob: Option<String>, member: &str) -> Answer<Option<String>> {
    let Some(blob) = blob else { return Ok(None) };
    let decoded = BASE64.decode(blob).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .map(Some)
        .ok_or_else(|| Fault::new(400, "SerializationException", format!("{member} is not base64 of text")))
}

//! `RequestCertificate`: a certificate that is issued at once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{Tag, merged};
use super::{Certificate, Origin, invalid, one_of};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

/// How long a public certificate is valid: 198 days (Certificate Manager's FAQ).
const VALID_SECONDS: f64 = 198.0 * 86_400.0;

/// How long an idempotency token stands for the same request (API reference).
const TOKEN_SECONDS: f64 = 3_600.0;

/// Names of one certificate (Certificate Manager's quotas; raisable).
const NAMES: usize = 10;

/// Certificates of one Region of an account (Certificate Manager's quotas; raisable).
pub(super) const LIMIT: usize = 2_500;

/// The algorithms of the service model.
pub(super) const ALGORITHMS: [&str; 7] =
    ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    domain_name: Option<String>,
    validation_method: Option<String>,
    #[serde(default)]
    subject_alternative_names: Vec<String>,
    idempotency_token: Option<String>,
    key_algorithm: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    options: Option<Options>,
    certificate_authority_arn: Option<Value>,
    managed_by: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Options {
    certificate_transparency_logging_preference: Option<String>,
    export: Option<String>,
}

pub(super) fn request(view: &mut View<'_>, caller: &Caller, input: Input) -> Answer<Value> {
    let domain = input.domain_name.clone().ok_or_else(|| invalid(missing("domainName")))?;
    let mut names = vec![domain.clone()];
    for name in &input.subject_alternative_names {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names.iter().try_for_each(|name| check_name(name))?;
    let Choices { validation, algorithm, transparency } = choices(&input)?;
    if names.len() > NAMES {
        let message = format!("Error: the number of SANs has exceeded the limit of {NAMES}.");
        return Err(Fault::new(400, "LimitExceededException", message));
    }
    if let Some(arn) = again(view, &input, &names) {
        return Ok(json!({ "CertificateArn": arn }));
    }
    let tags = merged(&std::collections::BTreeMap::new(), &input.tags)?;
    if view.region.acm.certificates.len() >= LIMIT {
        return Err(Fault::new(400, "LimitExceededException", "Error: you have reached your limit of certificates."));
    }
    let arn = new_arn(view, caller);
    let certificate = Certificate {
        arn: arn.clone(),
        domain_name: domain,
        names,
        not_before: view.now,
        not_after: view.now + VALID_SECONDS,
        created: view.now,
        serial: serial(&arn),
        key_algorithm: algorithm,
        origin: Origin::Requested { validation, token: input.idempotency_token, transparency },
        tags,
    };
    view.region.acm.certificates.insert(arn.clone(), certificate);
    Ok(json!({ "CertificateArn": arn }))
}

fn new_arn(view: &mut View<'_>, caller: &Caller) -> String {
    let id = view.new_uuid();
    format!("arn:{}:acm:{}:{}:certificate/{id}", caller.partition(), caller.region, caller.account)
}

/// An issued certificate for a name, or under an ARN, where there is none.
pub(in crate::sandbox) fn stand_in(view: &mut View<'_>, caller: &Caller, domain: &str, arn: Option<&str>) {
    let held = &view.region.acm.certificates;
    let there = arn.map_or_else(|| held.values().any(|one| one.covers(domain)), |arn| held.contains_key(arn));
    if there {
        return;
    }
    let arn = arn.map_or_else(|| new_arn(view, caller), str::to_owned);
    let certificate = Certificate {
        arn: arn.clone(),
        domain_name: domain.to_owned(),
        names: vec![domain.to_owned()],
        not_before: view.now,
        not_after: view.now + VALID_SECONDS,
        created: view.now,
        serial: serial(&arn),
        key_algorithm: "RSA_2048".to_owned(),
        origin: Origin::Requested { validation: "DNS".to_owned(), token: None, transparency: "ENABLED".to_owned() },
        tags: std::collections::BTreeMap::new(),
    };
    view.region.acm.certificates.insert(arn, certificate);
}

struct Choices {
    validation: String,
    algorithm: String,
    transparency: String,
}

fn choices(input: &Input) -> Answer<Choices> {
    if input.certificate_authority_arn.is_some() || input.managed_by.is_some() {
        return Err(invalid("The sandbox's Certificate Manager has public certificates of its own only"));
    }
    let validation = input.validation_method.clone().unwrap_or_else(|| "EMAIL".to_owned());
    one_of(&validation, "validationMethod", &["EMAIL", "DNS", "HTTP"])?;
    let algorithm = input.key_algorithm.clone().unwrap_or_else(|| "RSA_2048".to_owned());
    one_of(&algorithm, "keyAlgorithm", &ALGORITHMS)?;
    let options = input.options.as_ref();
    let transparency = options.and_then(|options| options.certificate_transparency_logging_preference.clone());
    let transparency = transparency.unwrap_or_else(|| "ENABLED".to_owned());
    one_of(&transparency, "options.certificateTransparencyLoggingPreference", &["ENABLED", "DISABLED"])?;
    if options.and_then(|options| options.export.as_deref()).is_some_and(|export| export != "DISABLED") {
        return Err(invalid("The sandbox's Certificate Manager has no certificates that can be exported"));
    }
    Ok(Choices { validation, algorithm, transparency })
}

/// The certificate that the same request with the same token made within the hour.
fn again(view: &View<'_>, input: &Input, names: &[String]) -> Option<String> {
    let token = input.idempotency_token.as_ref()?;
    let same = |one: &&Certificate| {
        let Origin::Requested { token: theirs, .. } = &one.origin else { return false };
        theirs.as_ref() == Some(token) && one.names == names && view.now - one.created < TOKEN_SECONDS
    };
    view.region.acm.certificates.values().find(same).map(|one| one.arn.clone())
}

/// Refuses what is no domain name, with the pattern of the service model.
fn check_name(name: &str) -> Answer<()> {
    let labels: Vec<&str> = name.strip_prefix("*.").unwrap_or(name).split('.').collect();
    let valid = |label: &&str| {
        let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() <= 253 && labels.len() > 1 && labels.iter().all(valid) {
        return Ok(());
    }
    let pattern = r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])";
    let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
    Err(invalid(violation(name, "domainName", &constraint)))
}

/// A serial number as it is shown, from the id at the end of an ARN: pairs of digits.
fn serial(arn: &str) -> String {
    let id = arn.rsplit('/').next().unwrap_or_default();
    let digits: Vec<char> = id.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}

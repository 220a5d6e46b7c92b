//! Certificate Manager in the sandbox: public certificates that are issued the moment they are requested, imported ones,
//! and tags, over JSON 1.1.
//!
//! Nobody validates domains here and nothing is signed: a requested certificate is a record of what was asked for, valid from
//! then on. An imported one is read, so that its names and dates are its own. Private authorities, exports and ACME are not
//! here.

mod describe;
mod import;
mod request;
mod tags;
mod x509;

pub(in crate::sandbox) use request::stand_in;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::apigateway;
use super::fault::{Answer, Fault, missing, violation};
use super::wire::{Request, Response};
use super::world::View;

/// Certificates of one Region of one account, by ARN.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The certificates.
    pub certificates: BTreeMap<String, Certificate>,
}

/// A certificate. Times are in seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The first of its names.
    pub domain_name: String,
    /// All its names, wildcards among them.
    pub names: Vec<String>,
    /// From when on it is valid.
    pub not_before: f64,
    /// Until when it is valid.
    pub not_after: f64,
    created: f64,
    serial: String,
    key_algorithm: String,
    origin: Origin,
    tags: BTreeMap<String, String>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Origin {
    /// It was requested.
    Requested {
        /// `DNS`, `EMAIL` or `HTTP`
        validation: String,
        token: Option<String>,
        /// The preference for certificate transparency logs.
        transparency: String,
    },
    /// It was imported, in PEM.
    Imported { issuer: String, certificate: String, chain: Option<String> },
}

impl Certificate {
    /// Whether it holds for a host name. A wildcard stands for one label.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| {
            name.eq_ignore_ascii_case(host)
                || name.strip_prefix("*.").is_some_and(|parent| {
                    host.split_once('.').is_some_and(|(_, above)| above.eq_ignore_ascii_case(parent))
                })
        })
    }

    /// A certificate for some names, for the tests of other services.
    #[cfg(test)]
    pub(in crate::sandbox) fn of(arn: &str, names: &[&str]) -> Self {
        Self {
            arn: arn.to_owned(),
            domain_name: names[0].to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            not_before: 0.0,
            not_after: f64::MAX,
            created: 0.0,
            serial: String::new(),
            key_algorithm: "RSA_2048".to_owned(),
            origin: Origin::Requested { validation: "DNS".to_owned(), token: None, transparency: "ENABLED".to_owned() },
            tags: BTreeMap::new(),
        }
    }

    fn status(&self, now: f64) -> &'static str {
        if now > self.not_after { "EXPIRED" } else { "ISSUED" }
    }
}

impl State {
    fn certificate(&self, arn: Option<&str>) -> Answer<&Certificate> {
        let arn = named(arn)?;
        self.certificates.get(arn).ok_or_else(|| not_found(arn))
    }

    fn certificate_mut(&mut self, arn: Option<&str>) -> Answer<&mut Certificate> {
        let arn = named(arn)?;
        self.certificates.get_mut(arn).ok_or_else(|| not_found(arn))
    }

    /// Whether there is a certificate with an ARN.
    #[must_use]
    pub fn has(&self, arn: &str) -> bool {
        self.certificates.contains_key(arn)
    }

    /// The ARNs of the certificates that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.certificates.values().filter(|one| !one.tags.is_empty());
        tagged.map(|one| (one.arn.clone(), one.tags.clone())).collect()
    }
}

/// The ARN of a certificate, which has to look like one.
fn named(arn: Option<&str>) -> Answer<&str> {
    let arn = arn.ok_or_else(|| invalid(missing("certificateArn")))?;
    if arn.starts_with("arn:") && arn.contains(":acm:") && arn.contains(":certificate/") {
        return Ok(arn);
    }
    // The code is AWS's, the words are a guess.
    Err(Fault::new(400, "InvalidArnException", format!("The certificate ARN {arn} is not valid.")))
}

fn not_found(arn: &str) -> Fault {
    let account = arn.split(':').nth(4).unwrap_or_default();
    // Reported.
    Fault::new(400, "ResourceNotFoundException", format!("Could not find certificate {arn} in account {account}."))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationException", message)
}

/// Refuses a value that is none of a set, in the words that AWS generates from its models.
fn one_of(value: &str, member: &str, set: &[&str]) -> Answer<()> {
    if set.contains(&value) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", set.join(", "));
    Err(invalid(violation(value, member, &constraint)))
}

/// What certificates are asked by one ARN alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByArn {
    certificate_arn: Option<String>,
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    match act(view, request) {
        Ok(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            // Operations without an output answer nothing at all.
            body: if body.is_null() { bytes::Bytes::new() } else { body.to_string().into_bytes().into() },
        },
        Err(fault) => fault.json("message"),
    }
}

/// Whether a request only looks.
pub(super) fn is_read(request: &Request) -> bool {
    ["Describe", "Get", "List"].iter().any(|verb| request.operation().starts_with(verb))
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    match target.strip_prefix("CertificateManager.").unwrap_or_default() {
        "RequestCertificate" => request::request(view, &request.caller, input(request)?),
        "ImportCertificate" => import::import(view, &request.caller, input(request)?),
        "ListCertificates" => describe::list(view, &input(request)?),
        "DescribeCertificate" => {
            let ByArn { certificate_arn } = input(request)?;
            describe::describe(view, certificate_arn.as_deref())
        }
        "GetCertificate" => {
            let ByArn { certificate_arn } = input(request)?;
            import::get(&view.region.acm, certificate_arn.as_deref())
        }
        "DeleteCertificate" => {
            let ByArn { certificate_arn } = input(request)?;
            delete(view, certificate_arn.as_deref())
        }
        "AddTagsToCertificate" => tags::add(&mut view.region.acm, &input(request)?),
        "RemoveTagsFromCertificate" => tags::remove(&mut view.region.acm, &input(request)?),
        "ListTagsForCertificate" => {
            let ByArn { certificate_arn } = input(request)?;
            tags::list(&view.region.acm, certificate_arn.as_deref())
        }
        _ => {
            let message = format!("The sandbox's Certificate Manager has no operation {target}");
            Err(Fault::new(400, "UnknownOperationException", message))
        }
    }
}

fn input<T: DeserializeOwned>(request: &Request) -> Answer<T> {
    serde_json::from_slice(&request.body).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
}

fn delete(view: &mut View<'_>, arn: Option<&str>) -> Answer<Value> {
    let arn = view.region.acm.certificate(arn)?.arn.clone();
    if !users(&view.region.apigateway, &arn).is_empty() {
        let account = arn.split(':').nth(4).unwrap_or_default();
        // Reported.
        let message = format!("Certificate {arn} in account {account} is in use.");
        return Err(Fault::new(400, "ResourceInUseException", message));
    }
    view.region.acm.certificates.remove(&arn);
    Ok(Value::Null)
}

/// The domain names that use a certificate. Those of the same Region: edge-optimised ones of other Regions are not looked at.
fn users<'s>(apigateway: &'s apigateway::State, arn: &str) -> Vec<&'s str> {
    let uses = |one: &&apigateway::state::DomainName| {
        [&one.certificate_arn, &one.regional_certificate_arn, &one.ownership_verification_certificate_arn]
            .contains(&&Some(arn.to_owned()))
    };
    apigateway.domain_names.values().filter(uses).map(|one| one.domain_name.as_str()).collect()
}

#[cfg(test)]
mod tests;

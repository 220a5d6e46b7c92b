//! `domain-name`: a custom domain name of API Gateway with a regional endpoint.
//!
//! Its base path mappings are a kind of their own. They can't be tagged, so the domain name carries a tag for each that is
//! gwctl's: see [`super::base_path_mapping`].

use std::time::Duration;

use aws_sdk_apigateway::types::{
    DomainName as LiveName, DomainNameStatus, EndpointConfiguration, EndpointType, IpAddressType,
    MutualTlsAuthentication, MutualTlsAuthenticationInput, Op, PatchOperation, SecurityPolicy,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Kind, Scope, rest_api};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct DomainName;

/// What gwctl decides about a custom domain name. Its endpoint is regional.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainNameSpec {
    /// `api.example.com`, in lower case, or `*.example.com`.
    pub name: String,
    /// The ARN of a certificate for the name, in the Region of the gateway.
    pub certificate: Input,
    /// The oldest TLS that clients may speak: `TLS_1_2`, or `TLS_1_0`. The policies named `SecurityPolicy_…` want an endpoint access
    /// mode, too, which is not here.
    pub security_policy: String,
    /// `ipv4`, or `dualstack` for clients with IPv6 as well.
    pub ip_address_type: String,
    /// Asks clients for certificates, with TLS 1.2 only. The default `execute-api` host of an API does not.
    pub mutual_tls: Option<MutualTls>,
    /// The user's tags.
    pub tags: Tags,
}

/// Whose certificates clients may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MutualTls {
    /// Where the authorities' certificates are: `s3://bucket/truststore.pem`.
    pub truststore_uri: String,
    /// The version of that object. Without one, what is put there later is not taken over.
    pub truststore_version: Option<String>,
}

/// How long to go on when somebody else modifies the name at the same time. Updates and deletes go once in 30 s (aws-facts A), so
/// that a second try takes that long.
const OTHERS_WRITE: Duration = Duration::from_mins(5);

/// Answers that had no effect: come back.
const NOT_YET: [retry::NotYet; 1] = [retry::CONCURRENT_MODIFICATION];

/// How long a name may take to be available. A regional one takes seconds, some of them a minute; Terraform waits for up to an
/// hour (hashicorp/terraform-provider-aws, `domain_name.go`).
const BECOMES_AVAILABLE: Duration = Duration::from_mins(10);

/// The pause between two looks.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// A domain name of the owner: the parent of base path mappings, and what DNS records point at.
pub(super) struct OwnName {
    /// The name.
    pub(super) name: String,
    /// Its address.
    pub(super) address: Address,
    /// All its tags.
    pub(super) tags: Tags,
}

/// The owner's domain names.
pub(super) async fn own_names(aws: &ReadAws, owner: &Owner) -> Result<Vec<OwnName>> {
    let mut found = Vec::new();
    for live in aws.domain_names().await?.iter() {
        let tags = all_tags(live);
        if let Ownership::Ours { address, .. } = tags::ownership(&tags, owner) {
            found.push(OwnName { name: given("name of a domain name", live.domain_name())?.to_owned(), address, tags });
        }
    }
    Ok(found)
}

/// The tags of a domain name.
fn all_tags(live: &LiveName) -> Tags {
    live.tags().map(|tags| tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()).unwrap_or_default()
}

/// The ARN of a domain name.
pub(super) fn arn(place: &Place, name: &str) -> String {
    format!("arn:{}:apigateway:{}::/domainnames/{name}", place.partition, place.region)
}

fn foretold(place: &Place, name: &str) -> [(&'static str, String); 3] {
    [("name", name.to_owned()), ("arn", arn(place, name)), ("url", format!("https://{name}"))]
}

/// What DNS has to point at is AWS's to say.
fn outputs(place: &Place, name: &str, host: Option<&str>, zone: Option<&str>) -> Result<Outputs> {
    let host = host.ok_or_else(|| {
        Failure::new(FailureKind::Refused, format!("domain name `{name}` has no regional endpoint"))
            .hint("somebody made it edge-optimised: give it a regional endpoint again, or delete it")
    })?;
    let own = [("regional_domain_name", host.to_owned())];
    let zone = zone.map(|zone| ("regional_hosted_zone_id", zone.to_owned()));
    Ok(foretold(place, name).into_iter().chain(own).chain(zone).collect())
}

fn observed(aws: &ReadAws, scope: &Scope, live: &LiveName) -> Result<Observed<DomainNameSpec>> {
    let name = given("name of a domain name", live.domain_name())?;
    let all = all_tags(live);
    let ownership = tags::ownership(&all, &scope.owner);
    let regional = outputs(&aws.place, name, live.regional_domain_name(), live.regional_hosted_zone_id());
    let outputs = match (regional, &ownership) {
        // Somebody else's may be of any type.
        (Err(_), Ownership::Nobody | Ownership::Others { .. }) => foretold(&aws.place, name).into_iter().collect(),
        (regional, _) => regional?,
    };
    let ip = live.endpoint_configuration().and_then(EndpointConfiguration::ip_address_type);
    Ok(Observed {
        name: name.to_owned(),
        within: None,
        spec: DomainNameSpec {
            name: name.to_owned(),
            certificate: Input::from(live.regional_certificate_arn().unwrap_or_default()),
            security_policy: live.security_policy().unwrap_or(&SecurityPolicy::Tls12).as_str().to_owned(),
            ip_address_type: ip.unwrap_or(&IpAddressType::Ipv4).as_str().to_owned(),
            mutual_tls: live.mutual_tls_authentication().and_then(mutual_tls),
            tags: tags::of_user(&all),
        },
        outputs,
        ownership,
        created: None,
        in_use_by: None,
    })
}

fn mutual_tls(live: &MutualTlsAuthentication) -> Option<MutualTls> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let truststore_uri = text(live.truststore_uri())?;
    Some(MutualTls { truststore_uri, truststore_version: text(live.truststore_version()) })
}

fn mutual_tls_input(wanted: &MutualTls) -> MutualTlsAuthenticationInput {
    let MutualTls { truststore_uri, truststore_version } = wanted;
    let input = MutualTlsAuthenticationInput::builder().truststore_uri(truststore_uri);
    input.set_truststore_version(truststore_version.clone()).build()
}

impl Kind for DomainName {
    type Spec = DomainNameSpec;
    const NAME: &'static str = "domain-name";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetDomainNames"],
        with: &[],
        reads: &["apigateway:GetDomainName"],
        writes: &[
            "apigateway:CreateDomainName",
            "apigateway:DeleteDomainName",
            "apigateway:TagResource",
            "apigateway:UntagResource",
            "apigateway:UpdateDomainName",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &DomainNameSpec) -> Outputs {
        foretold(place, &spec.name).into_iter().collect()
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<DomainNameSpec>>> {
        let all = aws.domain_names().await?;
        let ours = |live: &LiveName| matches!(tags::ownership(&all_tags(live), &scope.owner), Ownership::Ours { .. });
        let wanted = |live: &LiveName| scope.names().any(|name| live.domain_name() == Some(name));
        all.iter().filter(|live| ours(live) || wanted(live)).map(|live| observed(aws, scope, live)).collect()
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &DomainNameSpec) -> Result<Outputs> {
        let DomainNameSpec { name, certificate, security_policy, ip_address_type, mutual_tls, tags: user } = spec;
        let certificate = certificate.known()?;
        let endpoint = EndpointConfiguration::builder()
            .types(EndpointType::Regional)
            .ip_address_type(IpAddressType::from(ip_address_type.as_str()))
            .build();
        let all = tags::at_birth(identity, user);
        let create = || {
            let call = aws
                .write
                .apigateway
                .create_domain_name()
                .domain_name(name)
                .regional_certificate_arn(certificate)
                .endpoint_configuration(endpoint.clone())
                .security_policy(SecurityPolicy::from(security_policy.as_str()))
                .set_mutual_tls_authentication(mutual_tls.as_ref().map(mutual_tls_input))
                .set_tags(Some(all.clone().into_iter().collect()));
            async move { call.customize().config_override(retry::once_apigateway()).send().await.map(drop) }
        };
        let find = || async {
            let found = aws.read.anew().domain_names().await?;
            let Some(live) = found.iter().find(|live| live.domain_name() == Some(name)) else { return Ok(None) };
            super::own_after_conflict(&tags::ownership(&all_tags(live), &identity.owner), identity, name).map(Some)
        };
        retry::create_once(&format!("create domain name `{name}`"), create, find).await?;
        available(aws, name).await
    }

    async fn update(&self, aws: &Aws, live: &Observed<DomainNameSpec>, spec: &DomainNameSpec) -> Result<Outputs> {
        let list = patches(&live.spec, spec)?;
        if !list.is_empty() {
            let call = || {
                let update = aws.write.apigateway.update_domain_name().domain_name(&spec.name);
                update.set_patch_operations(Some(list.clone())).send()
            };
            let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await;
            answer.map_err(|error| failed(&format!("update domain name `{}`", spec.name), error))?;
            available(aws, &spec.name).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, &spec.tags).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<DomainNameSpec>) -> Result<()> {
        let call = || aws.write.apigateway.delete_domain_name().domain_name(&live.name).send();
        match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete domain name `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        rest_api::tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        rest_api::untag(aws, outputs, keys).await
    }

    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        // There are emulators that take no tags for a domain name after it was made.
        let recorded = self.tag(aws, outputs, tags::record(identity, digest)).await;
        aws.tolerate(recorded.map_err(|failure| failure.context("failed to record the digest of a domain name")))
    }
}

/// Waits until a name is available. One that waits for a person (a certificate to import again, an ownership to prove) is not
/// waited for.
async fn available(aws: &Aws, name: &str) -> Result<Outputs> {
    let deadline = Instant::now() + BECOMES_AVAILABLE;
    loop {
        let live = aws.write.apigateway.get_domain_name().domain_name(name).send().await;
        let live = live.map_err(|error| failed(&format!("read domain name `{name}`"), error))?;
        let outputs = || outputs(&aws.place, name, live.regional_domain_name(), live.regional_hosted_zone_id());
        let message = live.domain_name_status_message().unwrap_or_default();
        match live.domain_name_status() {
            // Emulators tell no status.
            None | Some(DomainNameStatus::Available) => return outputs(),
            Some(DomainNameStatus::Updating | DomainNameStatus::Pending) if Instant::now() < deadline => {}
            Some(status) => {
                let what = format!("domain name `{name}` is {}", status.as_str());
                return Err(Failure::new(FailureKind::Aws, what)
                    .cause(if message.is_empty() { "AWS gave no message" } else { message })
                    .hint("look at it in the console of API Gateway; then run this again"));
            }
        }
        wait::pause(LOOKS_EVERY).await?;
    }
}

/// The patch operations that turn one state into another (API reference, `UpdateDomainName`).
fn patches(live: &DomainNameSpec, wanted: &DomainNameSpec) -> Result<Vec<PatchOperation>> {
    let DomainNameSpec {
        name: _, // can't change in place
        certificate,
        security_policy,
        ip_address_type,
        mutual_tls,
        tags: _, // have calls of their own
    } = wanted;
    let mut list = truststore_patches(live.mutual_tls.as_ref(), mutual_tls.as_ref());
    let mut replace = |path: &str, value: &str| {
        list.push(PatchOperation::builder().op(Op::Replace).path(path).value(value).build());
    };
    if live.certificate != *certificate {
        replace("/regionalCertificateArn", certificate.known()?);
    }
    if live.security_policy != *security_policy {
        replace("/securityPolicy", security_policy);
    }
    if live.ip_address_type != *ip_address_type {
        replace("/endpointConfiguration/ipAddressType", ip_address_type);
    }
    Ok(list)
}

/// Without a truststore there is no mutual TLS (developer guide, "Disable mutual TLS").
fn truststore_patches(live: Option<&MutualTls>, wanted: Option<&MutualTls>) -> Vec<PatchOperation> {
    const URI: &str = "/mutualTlsAuthentication/truststoreUri";
    const VERSION: &str = "/mutualTlsAuthentication/truststoreVersion";
    let patch = |op: Op, path: &str, value: Option<&str>| {
        PatchOperation::builder().op(op).path(path).set_value(value.map(str::to_owned)).build()
    };
    let Some(wanted) = wanted else {
        return live.map(|_| patch(Op::Replace, URI, Some(""))).into_iter().collect();
    };
    let mut list = Vec::new();
    if live.map(|live| &live.truststore_uri) != Some(&wanted.truststore_uri) {
        list.push(patch(Op::Replace, URI, Some(&wanted.truststore_uri)));
    }
    match (live.and_then(|live| live.truststore_version.as_ref()), &wanted.truststore_version) {
        (before, Some(after)) if before != Some(after) => list.push(patch(Op::Replace, VERSION, Some(after))),
        (Some(_), None) => list.push(patch(Op::Remove, VERSION, None)),
        _ => {}
    }
    list
}

//! Custom domain names, regional and edge-optimised. Names of private APIs are not here.

use serde::Deserialize;
use serde_json::{Value, json};

use super::domain_checks::{self, ACCESS_MODES, POLICIES, ROUTING};
use super::errors::{Answer, Refusal, bad_request, limit_exceeded, not_found, not_here, one_of, required};
use super::state::{DomainName, EndpointConfiguration, MutualTls, State, Strings};
use super::{Call, accepted, base_path_mappings, created, domain_patch, hosted_zones, ok, patch, tags, to_json};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

/// Public domain names that one Region of an account may have (API Gateway's quotas).
const LIMIT: usize = 120;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    domain_name: Option<String>,
    certificate_name: Option<String>,
    certificate_arn: Option<String>,
    regional_certificate_name: Option<String>,
    regional_certificate_arn: Option<String>,
    endpoint_configuration: Option<EndpointInput>,
    tags: Option<Strings>,
    security_policy: Option<String>,
    endpoint_access_mode: Option<String>,
    mutual_tls_authentication: Option<MutualTls>,
    ownership_verification_certificate_arn: Option<String>,
    routing_mode: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointInput {
    types: Option<Vec<String>>,
    ip_address_type: Option<String>,
}

/// `/domainnames…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => {
            let caller = call.caller();
            // Only private domain names are ever shared between accounts.
            let own = call.request.parameter("resourceOwner") != Some("OTHER_ACCOUNTS");
            call.page(call.state().domain_names.values().filter(|_| own).map(|domain| describe(domain, caller)))
        }
        ("POST", []) => create(call),
        ("GET", [name]) => {
            let domain = find(call.state(), name)?;
            Ok(ok(&tags::shown(describe(domain, call.caller()), &domain.tags)))
        }
        ("PATCH", [name]) => update(call, name),
        ("DELETE", [name]) => {
            // Its mappings go with it.
            call.state_mut().domain_names.remove(*name).ok_or_else(no_domain)?;
            Ok(accepted())
        }
        (_, [name, "basepathmappings", rest @ ..]) => base_path_mappings::route(call, name, rest),
        _ => Err(call.unknown()),
    }
}

/// No such domain name.
pub(super) fn no_domain() -> Refusal {
    not_found("Invalid domain name identifier specified")
}

/// A domain name by its name.
pub(super) fn find<'s>(state: &'s State, name: &str) -> Answer<&'s DomainName> {
    state.domain_names.get(name).ok_or_else(no_domain)
}

fn describe(domain: &DomainName, caller: &Caller) -> Value {
    let mut shown = to_json(domain);
    shown["domainNameArn"] = tags::arn(caller, &format!("/domainnames/{}", domain.domain_name)).into();
    // What is made here is there at once.
    shown["domainNameStatus"] = "AVAILABLE".into();
    if domain.distribution_domain_name.is_some() {
        shown["distributionHostedZoneId"] = hosted_zones::EDGE.into();
    }
    let zone = domain.regional_domain_name.as_ref().and_then(|_| hosted_zones::regional(&caller.region));
    if let Some(zone) = zone {
        shown["regionalHostedZoneId"] = zone.into();
    }
    if let Some(members) = shown.as_object_mut() {
        members.remove("mappings");
        members.retain(|name, value| name != "tags" || value != &json!({}));
    }
    shown
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let input: CreateInput = call.body()?;
    let name = required(input.domain_name, "createDomainNameInput.domainName")?;
    for (value, member, set) in [
        (&input.security_policy, "securityPolicy", &POLICIES[..]),
        (&input.endpoint_access_mode, "endpointAccessMode", &ACCESS_MODES[..]),
        (&input.routing_mode, "routingMode", &ROUTING[..]),
    ] {
        if let Some(value) = value {
            one_of(value, &format!("createDomainNameInput.{member}"), set)?;
        }
    }
    domain_checks::name(&name)?;
    let endpoint = endpoint(input.endpoint_configuration.unwrap_or_default(), call.caller())?;
    let given_tags = input.tags.unwrap_or_default();
    tags::check(&given_tags)?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let domain = DomainName {
        domain_name: name,
        certificate_arn: some(input.certificate_arn),
        certificate_name: some(input.certificate_name),
        regional_certificate_arn: some(input.regional_certificate_arn),
        regional_certificate_name: some(input.regional_certificate_name),
        endpoint_configuration: endpoint,
        security_policy: input.security_policy.unwrap_or_else(|| "TLS_1_2".into()),
        endpoint_access_mode: input.endpoint_access_mode,
        mutual_tls_authentication: input.mutual_tls_authentication.filter(|tls| tls.truststore_uri.is_some()),
        ownership_verification_certificate_arn: some(input.ownership_verification_certificate_arn),
        routing_mode: input.routing_mode.unwrap_or_else(|| "BASE_PATH_MAPPING_ONLY".into()),
        tags: given_tags,
        ..DomainName::default()
    };
    domain_checks::check(&domain, call.caller(), &call.view.region.acm)?;
    let domain = add(call.view, &call.request.caller, domain)?;
    Ok(created(&describe(&domain, call.caller())))
}

/// Adds a domain name that was checked, with the hosts that it gets.
pub(in crate::sandbox) fn add(view: &mut View<'_>, caller: &Caller, mut domain: DomainName) -> Answer<DomainName> {
    let held = &view.region.apigateway.domain_names;
    if held.contains_key(&domain.domain_name) {
        return Err(bad_request("The domain name you provided already exists."));
    }
    if held.len() >= LIMIT {
        return Err(limit_exceeded("Maximum number of Domain Names has been reached."));
    }
    place(view, caller, &mut domain);
    view.region.apigateway.domain_names.insert(domain.domain_name.clone(), domain.clone());
    Ok(domain)
}

/// The endpoint of a new name: one type, edge-optimised where the partition has that (aws-facts H).
fn endpoint(input: EndpointInput, caller: &Caller) -> Answer<EndpointConfiguration> {
    let default = if caller.partition() == "aws" { "EDGE" } else { "REGIONAL" };
    let types = input.types.unwrap_or_else(|| vec![default.to_owned()]);
    for name in &types {
        one_of(name, "createDomainNameInput.endpointConfiguration.types", &["PRIVATE", "EDGE", "REGIONAL"])?;
    }
    if types.iter().any(|name| name == "PRIVATE") {
        return Err(not_here("domain names of private APIs"));
    }
    let ip_address_type = input.ip_address_type.unwrap_or_else(|| "ipv4".into());
    one_of(&ip_address_type, "createDomainNameInput.endpointConfiguration.ipAddressType", &["ipv4", "dualstack"])?;
    Ok(EndpointConfiguration { types, ip_address_type, vpc_endpoint_ids: Vec::new() })
}

/// Gives a name the hosts that its endpoint types have, and takes those away that they don't.
fn place(view: &mut View<'_>, caller: &Caller, domain: &mut DomainName) {
    let host = format!("execute-api.{}.{}", caller.region, caller.dns_suffix());
    let now = view.now.floor();
    if !domain.is_type("REGIONAL") {
        domain.regional_domain_name = None;
    } else if domain.regional_domain_name.is_none() {
        domain.regional_domain_name = Some(format!("d-{}.{host}", view.new_id(10)));
    }
    if !domain.is_type("EDGE") {
        domain.distribution_domain_name = None;
        domain.certificate_upload_date = None;
    } else if domain.distribution_domain_name.is_none() {
        domain.distribution_domain_name = Some(format!("d{}.cloudfront.net", view.new_id(13)));
        domain.certificate_upload_date = Some(now);
    }
}

fn update(call: &mut Call<'_, '_>, name: &str) -> Answer {
    let patches = patch::read(call, "updateDomainNameInput")?;
    let before = find(call.state(), name)?.clone();
    let mut draft = before.clone();
    domain_patch::apply(&mut draft, &patches)?;
    domain_checks::check(&draft, call.caller(), &call.view.region.acm)?;
    place(call.view, &call.request.caller, &mut draft);
    let edge = |domain: &DomainName| (domain.certificate_arn.clone(), domain.certificate_name.clone());
    if draft.certificate_upload_date.is_some() && edge(&draft) != edge(&before) {
        draft.certificate_upload_date = Some(call.now());
    }
    let shown = tags::shown(describe(&draft, call.caller()), &draft.tags);
    call.state_mut().domain_names.insert(name.to_owned(), draft);
    Ok(ok(&shown))
}

//! Regional custom domain names, as the second version shows them. They are the first version's objects: one that was made by
//! either is seen and changed by both.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::{Call, created, no_content, ok};
use super::errors::{Answer, bad_request, not_found, not_here, one_of, required};
use super::state::Strings;
use super::tags;
use crate::sandbox::apigateway::state::{DomainName, EndpointConfiguration, MutualTls};
use crate::sandbox::apigateway::{domain_checks, domain_names, hosted_zones};
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::Caller;

/// Routing modes, as this version and as the first one names them.
const ROUTING: [(&str, &str); 3] = [
    ("API_MAPPING_ONLY", "BASE_PATH_MAPPING_ONLY"),
    ("ROUTING_RULE_ONLY", "ROUTING_RULE_ONLY"),
    ("ROUTING_RULE_THEN_API_MAPPING", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    domain_name: Option<String>,
    domain_name_configurations: Option<Vec<Configuration>>,
    mutual_tls_authentication: Option<MutualTls>,
    routing_mode: Option<String>,
    tags: Option<Strings>,
}

/// A configuration as a client gives it; what only the service sets is not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    certificate_arn: Option<String>,
    certificate_name: Option<String>,
    endpoint_type: Option<String>,
    ip_address_type: Option<String>,
    ownership_verification_certificate_arn: Option<String>,
    security_policy: Option<String>,
}

/// `/v2/domainnames…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => {
            let domains = call.view.region.apigateway.domain_names.values();
            call.page(domains.map(|domain| describe(domain, call.caller())))
        }
        ("POST", []) => create(call),
        ("GET", [name]) => Ok(ok(&describe(find(call, name)?, call.caller()))),
        ("PATCH", [name]) => update(call, name),
        ("DELETE", [name]) => {
            // Its mappings go with it.
            call.view.region.apigateway.domain_names.remove(*name).ok_or_else(no_domain)?;
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

/// No such domain name; the words are those of both versions (reported).
pub(super) fn no_domain() -> Fault {
    not_found("Invalid domain name identifier specified")
}

/// A domain name by its name.
pub(super) fn find<'c>(call: &'c Call<'_, '_>, name: &str) -> Answer<&'c DomainName> {
    call.view.region.apigateway.domain_names.get(name).ok_or_else(no_domain)
}

fn describe(domain: &DomainName, caller: &Caller) -> Value {
    let mode =
        ROUTING.iter().find(|(_, first)| *first == domain.routing_mode).map_or("API_MAPPING_ONLY", |(own, _)| own);
    let mut shown = json!({
        "apiMappingSelectionExpression": "$request.basepath",
        "domainName": domain.domain_name,
        "domainNameArn": format!(
            "arn:{}:apigateway:{}::/domainnames/{}", caller.partition(), caller.region, domain.domain_name
        ),
        "domainNameConfigurations": configurations(domain, caller),
        "routingMode": mode,
        "tags": domain.tags,
    });
    if let Some(tls) = &domain.mutual_tls_authentication {
        shown["mutualTlsAuthentication"] = json!(tls);
    }
    shown
}

/// One configuration for each endpoint type.
fn configurations(domain: &DomainName, caller: &Caller) -> Vec<Value> {
    let regional = hosted_zones::regional(&caller.region);
    let ends = [
        (
            "REGIONAL",
            &domain.regional_certificate_arn,
            &domain.regional_certificate_name,
            &domain.regional_domain_name,
            regional,
        ),
        (
            "EDGE",
            &domain.certificate_arn,
            &domain.certificate_name,
            &domain.distribution_domain_name,
            Some(hosted_zones::EDGE),
        ),
    ];
    let ends = ends.into_iter().filter(|(kind, ..)| domain.is_type(kind));
    ends.map(|(kind, certificate, name, host, zone)| {
        let members = [
            ("apiGatewayDomainName", host.as_deref()),
            ("certificateArn", certificate.as_deref()),
            ("certificateName", name.as_deref()),
            ("domainNameStatus", Some("AVAILABLE")),
            ("endpointType", Some(kind)),
            ("hostedZoneId", zone),
            ("ipAddressType", Some(domain.endpoint_configuration.ip_address_type.as_str())),
            ("ownershipVerificationCertificateArn", domain.ownership_verification_certificate_arn.as_deref()),
            ("securityPolicy", Some(domain.security_policy.as_str())),
        ];
        let given = members.into_iter().filter_map(|(member, text)| Some((member.to_owned(), text?.into())));
        Value::Object(given.collect::<Map<_, _>>())
    })
    .collect()
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let Input { domain_name, domain_name_configurations, mutual_tls_authentication, routing_mode, tags } =
        call.body()?;
    let name = required(domain_name, "domainName")?;
    domain_checks::name(&name)?;
    let given_tags = tags.unwrap_or_default();
    tags::check(&given_tags)?;
    let mut domain = DomainName {
        domain_name: name,
        endpoint_configuration: EndpointConfiguration {
            types: vec!["REGIONAL".into()],
            ip_address_type: "ipv4".into(),
            vpc_endpoint_ids: Vec::new(),
        },
        security_policy: "TLS_1_2".into(),
        routing_mode: "BASE_PATH_MAPPING_ONLY".into(),
        tags: given_tags,
        ..DomainName::default()
    };
    configure(&mut domain, one_configuration(domain_name_configurations.unwrap_or_default())?)?;
    apply(&mut domain, mutual_tls_authentication, routing_mode)?;
    domain_checks::check(&domain, &call.request.caller, &call.view.region.acm)?;
    let domain = domain_names::add(call.view, &call.request.caller, domain)?;
    Ok(created(&describe(&domain, call.caller())))
}

fn update(call: &mut Call<'_, '_>, name: &str) -> Answer {
    let Input { domain_name: _, domain_name_configurations, mutual_tls_authentication, routing_mode, tags: _ } =
        call.body()?;
    let mut draft = find(call, name)?.clone();
    if draft.is_type("EDGE") {
        return Err(only_regional());
    }
    if let Some(given) = domain_name_configurations {
        configure(&mut draft, one_configuration(given)?)?;
    }
    apply(&mut draft, mutual_tls_authentication, routing_mode)?;
    domain_checks::check(&draft, call.caller(), &call.view.region.acm)?;
    let answer = ok(&describe(&draft, call.caller()));
    call.view.region.apigateway.domain_names.insert(name.to_owned(), draft);
    Ok(answer)
}

/// There is one configuration, no less and no more (reported).
fn one_configuration(given: Vec<Configuration>) -> Answer<Configuration> {
    let [one] = <[Configuration; 1]>::try_from(given)
        .map_err(|_| bad_request("Invalid input. Expected one domain name configuration"))?;
    Ok(one)
}

/// Edge-optimised names are the first version's alone (developer guide). The words are a guess.
fn only_regional() -> Fault {
    bad_request("Only REGIONAL domain names can be managed through the API Gateway V2 API")
}

fn configure(domain: &mut DomainName, given: Configuration) -> Answer<()> {
    let Configuration {
        certificate_arn,
        certificate_name,
        endpoint_type,
        ip_address_type,
        ownership_verification_certificate_arn,
        security_policy,
    } = given;
    if let Some(kind) = endpoint_type {
        one_of(&kind, "endpointType", &["REGIONAL", "EDGE"])?;
        if kind == "EDGE" {
            return Err(only_regional());
        }
    }
    for (held, given) in [
        (&mut domain.regional_certificate_arn, certificate_arn),
        (&mut domain.regional_certificate_name, certificate_name),
        (&mut domain.ownership_verification_certificate_arn, ownership_verification_certificate_arn),
    ] {
        super::call::put(held, given);
    }
    if let Some(kind) = ip_address_type {
        one_of(&kind, "ipAddressType", &["ipv4", "dualstack"])?;
        domain.endpoint_configuration.ip_address_type = kind;
    }
    if let Some(policy) = security_policy {
        one_of(&policy, "securityPolicy", &["TLS_1_0", "TLS_1_2"])?;
        domain.security_policy = policy;
    }
    Ok(())
}

fn apply(domain: &mut DomainName, tls: Option<MutualTls>, routing: Option<String>) -> Answer<()> {
    if let Some(tls) = tls {
        // An empty URI takes mutual TLS away (developer guide); without one the version has nothing to be of.
        let uri = tls.truststore_uri.filter(|uri| !uri.is_empty());
        let version = tls.truststore_version.filter(|version| !version.is_empty());
        domain.mutual_tls_authentication =
            uri.map(|uri| MutualTls { truststore_uri: Some(uri), truststore_version: version });
    }
    if let Some(mode) = routing {
        one_of(&mode, "routingMode", &ROUTING.map(|(own, _)| own))?;
        if mode != "API_MAPPING_ONLY" {
            return Err(not_here("routing rules"));
        }
        domain.routing_mode = "BASE_PATH_MAPPING_ONLY".into();
    }
    Ok(())
}

//! `edge`: one HTTP API per service, the same in every Region of the environment, behind one domain name.
//!
//! A key of an environment file. What Regions share stands in it once, and `regions` names the Regions with the little that
//! may differ between them, so that they can't grow apart. An environment with Regions becomes one [`super::Environment`] for
//! each: every stage of the pipeline after this one knows a single Region.

mod front;
mod services;

use std::collections::{BTreeMap, BTreeSet};

pub use front::{AllowList, EdgeDomain, FirehoseLogs, HealthCheck, MutualTls, ZoneSetting};
pub use services::{Cors, EdgeRoute, Service};

use super::fault::Faults;
use super::fields::Fields;
use super::network::LoadBalancer;
use super::node::{Member, Node};
use super::operation;
use super::read_settings::{self, narrow};
use super::settings::LogFormat;
use super::targets::{is_region, partition_of};
use super::web_acl::{self, WebAclSettings};

/// The key of an environment file.
pub(super) const KEY: &str = "edge";

/// The defaults of the stack, relative to the root.
pub const DEFAULTS: &str = "stacks/edge/defaults.json";

/// The keys that may have a default. Which Regions and services there are, and under what name, each environment says itself.
const DEFAULTED: [&str; 14] = [
    "$schema",
    "load_balancer",
    "health_check",
    "authorizer",
    "cors",
    "throttling_rate_limit",
    "throttling_burst_limit",
    "detailed_metrics",
    "log_format",
    "retention_in_days",
    "account_logging_role",
    "waf",
    "allow_list",
    "waf_logs",
];

/// Checks the names in the defaults: what they hold is checked where an environment lies on them.
pub(super) fn check_defaults(defaults: &Node, faults: &mut Faults) {
    let Some(mut fields) = Fields::of(DEFAULTS, "the defaults of `edge`", defaults, faults) else { return };
    for key in DEFAULTED {
        fields.get(key);
    }
    fields.finish();
}

/// What an environment sets for its HTTP APIs, as it holds in one Region.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeSettings {
    /// Stands in front of names: `product-c`.
    pub app_group: String,
    /// All Regions, in the order in which they are changed.
    pub regions: Vec<String>,
    /// The load balancer of this Region that the services stand behind.
    pub load_balancer: LoadBalancer,
    /// The port of its listener.
    pub port: i32,
    /// The domain name in front of all Regions.
    pub domain: Option<EdgeDomain>,
    /// How Route 53 knows that the Region serves.
    pub health_check: Option<HealthCheck>,
    /// Who may call, unless a route says that anybody may.
    pub authorizer: Option<JwtAuthorizer>,
    /// The services, by name: an HTTP API each.
    pub services: BTreeMap<String, Service>,
    /// What browsers of other origins may do.
    pub cors: Option<Cors>,
    /// Requests a second and at once. Both or none: a limit that is not set must not become 0.
    pub throttling: Option<(f64, i32)>,
    /// Metrics for each route.
    pub detailed_metrics: bool,
    /// What a line of the access log has.
    pub log_format: LogFormat,
    /// Days that logs are kept.
    pub retention_in_days: i32,
    /// Whether gwctl makes the Region's role for API Gateway's logs where there is none.
    pub makes_logging_role: bool,
    /// The web ACL on the load balancer. There is none for HTTP APIs (aws-facts I).
    pub web_acl: Option<WebAclSettings>,
    /// The only addresses that may come through the APIs.
    pub allow_list: Option<AllowList>,
    /// Where the web ACL logs to.
    pub waf_logs: Option<FirehoseLogs>,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
}

/// Who is let in by a JSON Web Token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtAuthorizer {
    /// The issuer: its keys are at `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// The audiences of which a token must have one.
    pub audience: BTreeSet<String>,
    /// Where the token is: `$request.header.Authorization`.
    pub identity_sources: Vec<String>,
}

/// What a Region has of its own, not yet laid on what all share.
struct Region<'a> {
    name: &'a str,
    load_balancer: Option<(LoadBalancer, i32)>,
    certificate_arn: Option<String>,
    truststore_version: Option<String>,
    health_check_host: Option<String>,
}

/// Reads `edge` for each of its Regions, in their order.
pub(super) fn read<'a>(
    node: &'a Node,
    app_group: &str,
    tags: &BTreeMap<String, String>,
    fields: &mut Fields<'a, '_>,
) -> Vec<(String, EdgeSettings)> {
    let regions = fields.required_here("regions");
    let regions = regions.map(|member| read_regions(member, fields)).unwrap_or_default();
    let shared = read_balancer(fields);
    let services = services::read(fields);
    let health_check = front::health_check(fields);
    if let Some(check) = &health_check {
        front::check_checked_service(check, &services, node.get("authorizer").is_some(), node, fields);
    }
    let throttling = throttling(fields);
    let metrics = fields.required("detailed_metrics");
    let base = EdgeSettings {
        app_group: app_group.to_owned(),
        regions: regions.iter().map(|region| region.name.to_owned()).collect(),
        load_balancer: LoadBalancer::Name(String::new()),
        port: 443,
        domain: front::domain(fields),
        health_check,
        authorizer: authorizer(fields),
        cors: services::cors(fields),
        throttling,
        detailed_metrics: fields.flag(metrics).unwrap_or_default(),
        log_format: read_settings::log_format(fields),
        retention_in_days: read_settings::retention(fields),
        makes_logging_role: operation::makes_logging_role(fields),
        web_acl: web_acl::read(fields),
        allow_list: front::allow_list(fields),
        waf_logs: front::firehose_logs(fields),
        services,
        tags: tags.clone(),
    };
    check_together(&base, node, fields);
    regions.into_iter().filter_map(|region| in_region(&base, region, shared.as_ref(), node, fields)).collect()
}

/// What all share, with what the Region has of its own on it.
fn in_region(
    base: &EdgeSettings,
    region: Region<'_>,
    shared: Option<&(LoadBalancer, i32)>,
    node: &Node,
    fields: &mut Fields<'_, '_>,
) -> Option<(String, EdgeSettings)> {
    let Some((load_balancer, port)) = region.load_balancer.or_else(|| shared.cloned()) else {
        let message = format!("there is no load balancer for {}", region.name);
        let hint = "add `\"load_balancer\": {\"name\": …}` to `edge`, or to the Region";
        fields.faults.error(&node.span.first(), message, hint);
        return None;
    };
    if matches!(&load_balancer, LoadBalancer::Arn(arn) if arn.split(':').nth(3) != Some(region.name)) {
        let message = format!("the load balancer of {} is in another Region", region.name);
        fields.faults.error(&node.span.first(), message, "name it by `name`, or give each Region its own ARN");
    }
    let mut settings = EdgeSettings { load_balancer, port, ..base.clone() };
    if let Some(domain) = &mut settings.domain {
        domain.certificate_arn = region.certificate_arn;
        if let (Some(tls), Some(version)) = (&mut domain.mutual_tls, region.truststore_version) {
            tls.truststore_version = Some(version);
        }
    }
    if let (Some(check), Some(host)) = (&mut settings.health_check, region.health_check_host) {
        check.host = Some(host);
    }
    Some((region.name.to_owned(), settings))
}

fn read_regions<'a>(member: &'a Member, fields: &mut Fields<'a, '_>) -> Vec<Region<'a>> {
    let Some(mut inner) = fields.inside("`regions`", member) else { return Vec::new() };
    let mut regions: Vec<Region<'a>> = Vec::new();
    for entry in member.value.members().unwrap_or_default() {
        let named = inner.get(&entry.key);
        if !is_region(&entry.key) {
            let message = format!("`{}` is no Region", entry.key);
            inner.faults.error(&entry.key_span, message, "write it like `eu-west-1`");
            continue;
        }
        if let Some(first) = regions.first().filter(|first| partition_of(first.name) != partition_of(&entry.key)) {
            let message = format!("{} and {} are in different partitions of AWS", first.name, entry.key);
            let hint = "no account, certificate or DNS record spans two: make two environments";
            inner.faults.error(&entry.key_span, message, hint);
        }
        let Some(mut own) = named.and_then(|named| inner.inside("this Region", named)) else { continue };
        let load_balancer = read_balancer(&mut own);
        let mut text = |key| {
            let member = own.get(key);
            own.text(member).map(|text| text.value.to_owned())
        };
        let region = Region {
            name: &entry.key,
            load_balancer,
            certificate_arn: text("certificate_arn"),
            truststore_version: text("truststore_version"),
            health_check_host: text("health_check_host"),
        };
        own.finish();
        regions.push(region);
    }
    if regions.is_empty() {
        inner.faults.error(&member.key_span, "`regions` names no Region", "write `\"regions\": {\"eu-west-1\": {}}`");
    }
    inner.finish();
    regions
}

fn read_balancer(fields: &mut Fields<'_, '_>) -> Option<(LoadBalancer, i32)> {
    let member = fields.get("load_balancer")?;
    let mut inner = fields.inside("`load_balancer`", member)?;
    let port = inner.get("port");
    let port = inner.whole(port, &(1..=65_535), "", "write the port of its listener, such as 443").unwrap_or(443);
    let (name, arn) = (inner.get("name"), inner.get("arn"));
    let balancer = match (inner.text(name), inner.text(arn)) {
        (Some(name), None) => Some(LoadBalancer::Name(name.value.to_owned())),
        (None, Some(arn)) if arn.value.contains(":loadbalancer/") => Some(LoadBalancer::Arn(arn.value.to_owned())),
        (None, Some(arn)) => {
            let message = format!("`{}` is no load balancer", arn.value);
            inner.faults.error(&arn.node.span, message, "write its ARN, `arn:aws:elasticloadbalancing:…`, or its name");
            None
        }
        _ => {
            let message = "a load balancer has a name or an ARN";
            inner.faults.error(&member.key_span, message, "write `{\"name\": \"ingress\", \"port\": 443}`");
            None
        }
    };
    inner.finish();
    Some((balancer?, narrow(port)))
}

fn authorizer(fields: &mut Fields<'_, '_>) -> Option<JwtAuthorizer> {
    let member = fields.get("authorizer")?;
    let mut inner = fields.inside("`authorizer`", member)?;
    let issuer = inner.required("issuer");
    let issuer = inner.text(issuer);
    if let Some(text) = issuer.filter(|text| !text.value.starts_with("https://")) {
        let message = format!("`{}` can't be an issuer", text.value);
        inner.faults.error(
            &text.node.span,
            message,
            "API Gateway fetches its keys by HTTPS: `https://login.example.com`",
        );
    }
    let audience = inner.required("audience");
    let audience_at = audience;
    let audience: BTreeSet<String> = inner.texts(audience).into_iter().map(|text| text.value.to_owned()).collect();
    if let (Some(member), true) = (audience_at, audience.is_empty()) {
        let message = "`audience` names nobody, and API Gateway takes no authorizer without one";
        inner.faults.error(&member.key_span, message, "write the audiences or client ids that tokens are for");
    }
    let sources = inner.required("identity_sources");
    let sources = inner.texts(sources);
    for text in &sources {
        if !["$request.header.", "$request.querystring."].iter().any(|start| text.value.starts_with(start)) {
            let message = format!("`{}` is no place for a token", text.value);
            inner.faults.error(&text.node.span, message, "write `$request.header.Authorization`");
        }
    }
    let identity_sources = sources.into_iter().map(|text| text.value.to_owned()).collect();
    inner.finish();
    Some(JwtAuthorizer { issuer: issuer?.value.to_owned(), audience, identity_sources })
}

/// Both limits or none: one that is left out would be sent as nothing, and nothing is a limit of 0 to some APIs of AWS.
fn throttling(fields: &mut Fields<'_, '_>) -> Option<(f64, i32)> {
    let (rate, burst) = (fields.get("throttling_rate_limit"), fields.get("throttling_burst_limit"));
    let hint = "write the requests to let through at once";
    match (rate, burst) {
        (Some(rate), Some(burst)) => {
            let value = fields.number(Some(rate))?;
            if value <= 0.0 {
                let message = "`throttling_rate_limit` must be more than 0: it would refuse every request";
                fields.faults.error(&rate.value.span, message, "write the requests per second to let through");
            }
            Some((value, narrow(fields.whole(Some(burst), &(1..=i64::from(i32::MAX)), "", hint)?)))
        }
        (Some(one), None) | (None, Some(one)) => {
            let message = "`throttling_rate_limit` and `throttling_burst_limit` belong together";
            fields.faults.error(&one.key_span, message, "write both, or neither for the limits of the account");
            None
        }
        (None, None) => None,
    }
}

/// What is right alone and not together.
fn check_together(base: &EdgeSettings, node: &Node, fields: &mut Fields<'_, '_>) {
    let at = |key: &str| node.get(key).map_or_else(|| node.span.first(), |member| member.key_span.clone());
    if base.regions.len() > 1 && base.domain.is_none() {
        let message = "several Regions, and no domain name that leads to them";
        fields.faults.error(&at("regions"), message, "add `domain`, or leave one Region");
    }
    if base.regions.len() > 1 && base.domain.is_some() && base.health_check.is_none() {
        let message = "without `health_check`, Route 53 sends clients to a Region whose services are down";
        let hint = "add `\"health_check\": {\"service\": …, \"path\": …}`: it asks the real service";
        fields.faults.warning(&at("regions"), message, hint);
    }
    if base.waf_logs.is_some() && base.web_acl.is_none() && base.allow_list.is_none() {
        fields.faults.error(&at("waf_logs"), "there is no web ACL to log", "add `waf`, or take `waf_logs` away");
    }
    let mut hosts: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in base.services.iter().filter(|(_, service)| service.cname_ttl.is_some()) {
        if let Some(first) = hosts.insert(&service.host, name) {
            let message = format!("`{first}` and `{name}` want a record of the same host, `{}`", service.host);
            fields.faults.error(&at("services"), message, "leave `cname_ttl_seconds` out of one of them");
        }
        if base.domain.as_ref().is_some_and(|domain| domain.name == service.host) {
            let message = format!("`{name}` wants a record of the domain name itself, which leads to the Regions");
            fields.faults.error(
                &at("services"),
                message,
                "give its `host` another name, or leave `cname_ttl_seconds` out",
            );
        }
    }
    for (name, service) in &base.services {
        if base.authorizer.is_none() && service.routes.iter().any(|route| !route.scopes.is_empty()) {
            let message = format!("`{name}` asks for scopes, and there is no authorizer to find them");
            fields.faults.error(&at("services"), message, "add `authorizer`, or take the scopes away");
        }
        let shows_certificates = base.domain.as_ref().is_some_and(|domain| domain.mutual_tls.is_some());
        if shows_certificates && !service.disable_execute_api_endpoint {
            let message = format!("who has no certificate gets to `{name}` by the endpoint of its API");
            fields.faults.warning(&at("services"), message, "add `\"disable_execute_api_endpoint\": true` to it");
        }
        if base.domain.is_none() && service.disable_execute_api_endpoint {
            let message = format!("nothing leads to `{name}`: its own endpoint is off, and there is no domain name");
            fields.faults.error(&at("services"), message, "add `domain`, or turn the endpoint on");
        }
    }
}

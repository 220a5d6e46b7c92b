//! What stands in front of the services: domain name and its records, health check, allow list and the log of the web ACL.

use std::collections::BTreeMap;

use super::super::fields::{Fields, Text};
use super::super::network::is_domain;
use super::super::node::Node;
use super::super::read_settings::{is_host, narrow};
use super::super::web_acl;
use super::services::Service;

/// The domain name of all Regions, as it is in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeDomain {
    /// `api.example.com`
    pub name: String,
    /// The domain that the certificate is for, to look it up by; none: the name.
    pub certificate_domain: Option<String>,
    /// The ARN of the Region's certificate; none: it is looked up.
    pub certificate_arn: Option<String>,
    /// Clients show a certificate.
    pub mutual_tls: Option<MutualTls>,
    /// Where the records stand.
    pub zone: ZoneSetting,
    /// Whether there are records for clients with IPv6, too.
    pub ipv6: bool,
}

impl EdgeDomain {
    /// The name of its zone, where it is known.
    #[must_use]
    pub fn zone_name(&self) -> Option<&str> {
        match &self.zone {
            ZoneSetting::Made(zone) => Some(zone),
            ZoneSetting::Found | ZoneSetting::None => None,
        }
    }
}

/// Clients that show a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualTls {
    /// `s3://bucket/key` of the certificates that are trusted.
    pub truststore_uri: String,
    /// The version of that object.
    pub truststore_version: Option<String>,
}

/// The hosted zone of the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneSetting {
    /// The public one that covers the name.
    Found,
    /// The one of this name, which gwctl makes.
    Made(String),
    /// No records: somebody else keeps them.
    None,
}

/// How Route 53 knows that a Region serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The service that is asked, through its API's own endpoint in the Region.
    pub service: Option<String>,
    /// The host that is asked instead.
    pub host: Option<String>,
    /// The path below the API's own endpoint, or the host: `/health`
    pub path: String,
    /// Seconds between two questions of a checker: 10 or 30.
    pub interval_seconds: i32,
    /// How many answers in a row change the verdict.
    pub failure_threshold: i32,
}

impl HealthCheck {
    /// The path without its query.
    #[must_use]
    pub fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Whether it asks through the route of that key.
    #[must_use]
    pub fn asks(&self, route_key: &str) -> bool {
        let path = self.path_alone();
        matches!(route_key.split_once(' '), Some(("GET" | "ANY", of)) if of == path)
    }
}

/// The only addresses that may come through the APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList {
    /// Ranges.
    pub addresses: Vec<String>,
}

/// A Firehose and a bucket for the log of the web ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirehoseLogs {
    /// The bucket of a Region: its name, with `${region}` in it.
    pub bucket: String,
    /// What the keys of its objects begin with.
    pub prefix: Option<String>,
    /// Whether old versions of objects are kept.
    pub versioning: bool,
    /// The bucket that tells who read the logs, with `${region}` in it.
    pub access_log_bucket: Option<String>,
    /// Days until objects go.
    pub expire_days: Option<i32>,
    /// Whether only refused requests are logged.
    pub only_blocked: bool,
}

fn text<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> Option<Text<'a>> {
    let member = fields.get(key);
    fields.text(member)
}

pub(super) fn domain(fields: &mut Fields<'_, '_>) -> Option<EdgeDomain> {
    let member = fields.get("domain")?;
    let mut inner = fields.inside("`domain`", member)?;
    let name = inner.required("name");
    let name = inner.text(name);
    if let Some(text) = name.filter(|text| !is_domain(text.value)) {
        let message = format!("`{}` is no domain name", text.value);
        let hint = "write it in lower case, without scheme or port: `api.example.com`";
        inner.faults.error(&text.node.span, message, hint);
    }
    let certificate_domain = text(&mut inner, "certificate_domain").map(|text| text.value.to_owned());
    let mutual_tls = mutual_tls(&mut inner);
    let zone = zone(name, &mut inner);
    let ipv6 = inner.get("ipv6");
    let ipv6 = inner.flag(ipv6).unwrap_or_default();
    inner.finish();
    let name = name?.value.to_owned();
    Some(EdgeDomain { name, certificate_domain, certificate_arn: None, mutual_tls, zone, ipv6 })
}

fn mutual_tls(fields: &mut Fields<'_, '_>) -> Option<MutualTls> {
    let member = fields.get("mutual_tls")?;
    let mut inner = fields.inside("`mutual_tls`", member)?;
    let uri = inner.required("truststore_uri");
    let uri = inner.text(uri);
    if let Some(text) = uri.filter(|text| !text.value.starts_with("s3://")) {
        let message = format!("`{}` is no object of S3", text.value);
        inner.faults.error(&text.node.span, message, "write `s3://bucket/key` of a file of certificates in PEM");
    }
    let version = text(&mut inner, "truststore_version").map(|text| text.value.to_owned());
    inner.finish();
    Some(MutualTls { truststore_uri: uri?.value.to_owned(), truststore_version: version })
}

/// `"hosted_zone": "find"`, `"none"`, or `{"make": "example.com"}`.
fn zone(name: Option<Text<'_>>, fields: &mut Fields<'_, '_>) -> ZoneSetting {
    let Some(member) = fields.get("hosted_zone") else { return ZoneSetting::Found };
    if member.value.members().is_none() {
        return match fields.choice(Some(member), &["find", "none"]) {
            Some("none") => ZoneSetting::None,
            _ => ZoneSetting::Found,
        };
    }
    let Some(mut inner) = fields.inside("`hosted_zone`", member) else { return ZoneSetting::Found };
    let zone = inner.required("make");
    let zone = inner.text(zone);
    if let (Some(zone), Some(name)) = (zone, name) {
        let inside = name.value == zone.value || name.value.ends_with(&format!(".{}", zone.value));
        if !is_domain(zone.value) || !inside {
            let message = format!("the zone `{}` does not hold `{}`", zone.value, name.value);
            inner.faults.error(&zone.node.span, message, "name a domain that the name ends with");
        }
    }
    inner.finish();
    zone.map_or(ZoneSetting::Found, |zone| ZoneSetting::Made(zone.value.to_owned()))
}

pub(super) fn health_check(fields: &mut Fields<'_, '_>) -> Option<HealthCheck> {
    let member = fields.get("health_check")?;
    let mut inner = fields.inside("`health_check`", member)?;
    let service = text(&mut inner, "service");
    let host = text(&mut inner, "host");
    if let Some(text) = host.filter(|text| !is_host(text.value) || text.value.contains(':')) {
        inner.faults.error(&text.node.span, format!("`{}` is no host name", text.value), "write the host alone");
    }
    if service.is_some() == host.is_some() {
        let message = "a health check asks one service, or one host";
        inner.faults.error(&member.key_span, message, "write `service` with the name of a service, or `host`");
    }
    let path = inner.required("path");
    let path = inner.text(path);
    if let Some(text) = path.filter(|text| !text.value.starts_with('/')) {
        inner.faults.error(&text.node.span, format!("`{}` is no path", text.value), "begin it with `/`");
    }
    let interval = inner.get("interval_seconds");
    let seconds = inner.whole(interval, &(10..=30), " seconds", "Route 53 asks every 10 or every 30 seconds");
    if let (Some(member), Some(11..=29)) = (interval, seconds) {
        inner.faults.error(&member.value.span, "Route 53 asks every 10 or every 30 seconds", "write 10 or 30");
    }
    let threshold = inner.get("failure_threshold");
    let threshold = inner.whole(threshold, &(1..=10), "", "write how many answers in a row change the verdict");
    inner.finish();
    Some(HealthCheck {
        service: service.map(|text| text.value.to_owned()),
        host: host.map(|text| text.value.to_owned()),
        path: path?.value.to_owned(),
        interval_seconds: seconds.map_or(30, narrow),
        failure_threshold: threshold.map_or(3, narrow),
    })
}

/// A service that is asked can be reached without the domain name, which leads to any Region, and answers those who have no
/// token.
pub(super) fn check_checked_service(
    check: &HealthCheck,
    services: &BTreeMap<String, Service>,
    guarded: bool,
    node: &Node,
    fields: &mut Fields<'_, '_>,
) {
    let Some(name) = &check.service else { return };
    let at = node.at("/health_check").map_or_else(|| node.span.first(), |check| check.span.first());
    match services.get(name) {
        None => {
            let known: Vec<&str> = services.keys().map(String::as_str).collect();
            let message = format!("`health_check` asks `{name}`, which is no service");
            fields.faults.error(&at, message, super::super::suggestion(name, &known));
        }
        Some(service) if service.disable_execute_api_endpoint => {
            let message = format!("`health_check` can't reach `{name}`: the endpoint of its API is off");
            fields.faults.error(&at, message, "turn the endpoint on, or ask a `host` instead of the service");
        }
        Some(service) => {
            let asked = service.routes.iter().find(|route| check.asks(&route.key));
            if !asked.is_some_and(|route| route.open || !guarded) {
                let message = format!("`{name}` has no route `GET {}` that anybody may call", check.path_alone());
                let hint = format!("add {{\"route\": \"GET {}\", \"authorizer\": \"none\"}} to it", check.path_alone());
                fields.faults.error(&at, message, hint);
            }
        }
    }
}

pub(super) fn allow_list(fields: &mut Fields<'_, '_>) -> Option<AllowList> {
    let member = fields.get("allow_list")?;
    let mut inner = fields.inside("`allow_list`", member)?;
    let addresses = web_acl::addresses(&mut inner, "addresses");
    inner.finish();
    if addresses.is_empty() {
        let message = "`allow_list` has no address: it would refuse everybody";
        fields.faults.error(&member.key_span, message, "add `addresses`, or take `allow_list` away");
    }
    Some(AllowList { addresses })
}

pub(super) fn firehose_logs(fields: &mut Fields<'_, '_>) -> Option<FirehoseLogs> {
    let member = fields.get("waf_logs")?;
    let mut inner = fields.inside("`waf_logs`", member)?;
    let bucket = inner.required("bucket");
    let bucket = inner.text(bucket);
    let access = text(&mut inner, "access_log_bucket");
    for text in [bucket, access].into_iter().flatten() {
        let name = text.value.replace("${region}", "eu-west-1");
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !(3..=63).contains(&name.len()) || !name.bytes().all(letter) {
            let message = format!("`{}` can't name a bucket", text.value);
            inner.faults.error(&text.node.span, message, "use 3 to 63 lower-case letters, digits, `-` and `.`");
        }
    }
    if let Some(text) = bucket.filter(|text| !text.value.contains("${region}")) {
        let message = "a bucket is in one Region, and every Region needs one";
        inner.faults.error(&text.node.span, message, "put `${region}` into its name");
    }
    let prefix = text(&mut inner, "prefix").map(|text| text.value.to_owned());
    let expire = inner.get("expire_days");
    let expire_days = inner.whole(expire, &(1..=36_500), " days", "write a number of days").map(narrow);
    let mut flag = |key| {
        let member = inner.get(key);
        inner.flag(member).unwrap_or_default()
    };
    let (versioning, only_blocked) = (flag("versioning"), flag("only_blocked"));
    inner.finish();
    Some(FirehoseLogs {
        bucket: bucket?.value.to_owned(),
        prefix,
        versioning,
        access_log_bucket: access.map(|text| text.value.to_owned()),
        expire_days,
        only_blocked,
    })
}

//! How a gateway is reached and what it reaches: VPC link, endpoint, custom domain.

use super::fields::Fields;
use super::read_settings::is_host;

/// The VPC link that leads to the ingress.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum VpcLink {
    /// An existing one, by its id.
    Id(String),
    /// An existing one, by its name.
    Name(String),
    /// One that gwctl makes, to this Network Load Balancer.
    Made {
        /// Its ARN, or its name.
        load_balancer: LoadBalancer,
    },
}

/// A Network Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadBalancer {
    /// By its ARN.
    Arn(String),
    /// By its name.
    Name(String),
}

/// A custom domain name of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSettings {
    /// `api.example.com`
    pub name: String,
    /// The certificate's ARN; none: the one that covers the name is looked up.
    pub certificate_arn: Option<String>,
    /// The first part of the path that leads here; empty: every path.
    pub base_path: String,
    /// The oldest TLS that clients may speak.
    pub security_policy: String,
    /// Whether a DNS record is made, in the hosted zone that the name belongs to.
    pub dns_record: bool,
    /// Whether the API's own host name stays open beside the domain's.
    pub keep_default_endpoint: bool,
}

/// Reads `vpc_link_id` or `vpc_link`: exactly one of them leads to the ingress.
pub(super) fn vpc_link(fields: &mut Fields<'_, '_>) -> VpcLink {
    let nothing = VpcLink::Id(String::new());
    let Some(member) = fields.get("vpc_link") else {
        let id = fields.required_here("vpc_link_id");
        return fields.text(id).map_or(nothing, |text| VpcLink::Id(text.value.to_owned()));
    };
    if let Some(id) = fields.get("vpc_link_id") {
        let message = "`vpc_link_id` and `vpc_link` name two links";
        fields.faults.error(&id.key_span, message, "keep the one that leads to the ingress");
    }
    let Some(mut inner) = fields.inside("`vpc_link`", member) else { return nothing };
    let mut given = Vec::new();
    for key in ["name", "nlb_arn", "nlb_name"] {
        let text = inner.get(key);
        given.extend(inner.text(text).map(|text| (key, text.value.to_owned())));
    }
    inner.finish();
    match given.as_slice() {
        [("name", name)] => VpcLink::Name(name.clone()),
        [("nlb_arn", arn)] => VpcLink::Made { load_balancer: LoadBalancer::Arn(arn.clone()) },
        [("nlb_name", name)] => VpcLink::Made { load_balancer: LoadBalancer::Name(name.clone()) },
        _ => {
            let message = format!("`vpc_link` has {} of `name`, `nlb_arn` and `nlb_name`", given.len());
            let hint = "write `name` for a link that is there, or `nlb_arn` or `nlb_name` for one to be made";
            fields.faults.error(&member.key_span, message, hint);
            nothing
        }
    }
}

/// Reads `endpoint_type` and `vpc_endpoint_ids`, which a private API has and no other.
pub(super) fn endpoint(fields: &mut Fields<'_, '_>) -> (String, Vec<String>) {
    let member = fields.get("endpoint_type");
    // Edge-optimised APIs do not exist in every partition (aws-facts H).
    let kind = fields.choice(member, &["REGIONAL", "PRIVATE"]).unwrap_or("REGIONAL").to_owned();
    let ids = fields.get("vpc_endpoint_ids");
    let texts = fields.texts(ids);
    for text in &texts {
        if !text.value.starts_with("vpce-") {
            let message = format!("`{}` is no VPC endpoint", text.value);
            fields.faults.error(&text.node.span, message, "write ids of interface endpoints: `vpce-0123456789abcdef0`");
        }
    }
    match (kind.as_str(), ids, member) {
        ("REGIONAL", Some(ids), _) if !texts.is_empty() => {
            let hint = "write `\"endpoint_type\": \"PRIVATE\"`, or take them away";
            fields.faults.error(&ids.key_span, "only a private API has VPC endpoints", hint);
        }
        ("PRIVATE", _, Some(member)) if texts.is_empty() => {
            let hint = "add `vpc_endpoint_ids`: a private API is reached through nothing else";
            fields.faults.error(&member.value.span, "the API is private, and no VPC endpoint leads to it", hint);
        }
        _ => {}
    }
    (kind, texts.into_iter().map(|text| text.value.to_owned()).collect())
}

/// Whether a text is a domain name, in lower case; a wildcard counts.
pub(super) fn is_domain(text: &str) -> bool {
    let host = text.strip_prefix("*.").unwrap_or(text);
    is_host(host) && !host.contains([':', '_']) && text == text.to_lowercase()
}

/// Reads `domain`, if it is there.
pub(super) fn domain(fields: &mut Fields<'_, '_>) -> Option<DomainSettings> {
    let member = fields.get("domain")?;
    let mut inner = fields.inside("`domain`", member)?;
    let name = inner.required("name");
    let name = inner.text(name);
    if let Some(text) = name.filter(|text| !is_domain(text.value)) {
        let message = format!("`{}` is no domain name", text.value);
        inner.faults.error(
            &text.node.span,
            message,
            "write it in lower case, without scheme or port: `api.example.com`",
        );
    }
    let certificate = inner.get("certificate_arn");
    let certificate = inner.text(certificate);
    if let Some(text) = certificate.filter(|text| !text.value.starts_with("arn:") || !text.value.contains(":acm:")) {
        let message = format!("`{}` is no certificate of ACM", text.value);
        inner.faults.error(&text.node.span, message, "write its ARN, or leave it out to have it looked up by the name");
    }
    let base_path = inner.get("base_path");
    let base_path = inner.text(base_path);
    if let Some(text) = base_path.filter(|text| text.value.starts_with('/') || text.value.ends_with('/')) {
        inner.faults.error(&text.node.span, "a base path has no slash at its ends", "write it like `v1` or `shop/v1`");
    }
    let policy = inner.get("security_policy");
    let security_policy = inner.choice(policy, &["TLS_1_2", "TLS_1_0"]).unwrap_or("TLS_1_2").to_owned();
    let mut flag = |key| {
        let member = inner.get(key);
        inner.flag(member)
    };
    let (dns_record, keep) = (flag("dns_record"), flag("keep_default_endpoint"));
    inner.finish();
    Some(DomainSettings {
        name: name?.value.to_owned(),
        certificate_arn: certificate.map(|text| text.value.to_owned()),
        base_path: base_path.map(|text| text.value.to_owned()).unwrap_or_default(),
        security_policy,
        dns_record: dns_record.unwrap_or(true),
        keep_default_endpoint: keep.unwrap_or(true),
    })
}

//! Listeners: what integrations of HTTP APIs point at. Target groups are refused, so that a listener answers by itself.

use serde::{Deserialize, Serialize};

use super::{no_balancer, refuse};
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::query::{Call, invalid};
use crate::sandbox::world::View;
use crate::sandbox::xml::Xml;

/// A listener of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listener {
    pub(super) balancer: String,
    port: u16,
    protocol: String,
    certificate: Option<String>,
    ssl_policy: Option<String>,
    /// `fixed-response` or `redirect`, and its settings as they came.
    action: (String, Vec<(String, String)>),
}

/// What application load balancers get when nothing is said (user guide, "Security policies for your Application Load
/// Balancer"; the default of the API).
const SSL_POLICY: &str = "ELBSecurityPolicy-2016-08";

pub(super) fn create(view: &mut View<'_>, call: &Call) -> Answer<Option<Xml>> {
    let balancer = call.need("LoadBalancerArn")?.to_owned();
    if !view.region.elbv2.balancers.contains_key(&balancer) {
        return Err(no_balancer(&balancer));
    }
    let port = call.number("Port", 1, 65_535)?.ok_or_else(|| invalid("A port must be specified".to_owned()))?;
    let port = u16::try_from(port).unwrap_or(u16::MAX);
    let protocol = protocol(call, &balancer)?;
    let secure = ["HTTPS", "TLS"].contains(&protocol.as_str());
    let certificate = call.get("Certificates.member.1.CertificateArn").map(str::to_owned);
    match &certificate {
        None if secure => {
            let message = format!("A certificate must be specified for {protocol} listeners");
            return Err(refuse("CertificateNotFound", message));
        }
        Some(arn) if secure && !view.region.acm.has(arn) => {
            return Err(refuse("CertificateNotFound", format!("Certificate ARN '{arn}' is not valid")));
        }
        _ => {}
    }
    let action = action(call)?;
    let taken = |one: &&Listener| one.balancer == balancer && one.port == port;
    if view.region.elbv2.listeners.values().any(|one| taken(&one)) {
        return Err(refuse("DuplicateListener", "A listener already exists on this port for this load balancer"));
    }
    let arn = new_arn(view, &balancer);
    let ssl_policy = secure.then(|| call.get("SslPolicy").unwrap_or(SSL_POLICY).to_owned());
    let listener = Listener { balancer, port, protocol, certificate, ssl_policy, action };
    let xml = members(&[(&arn, &listener)]);
    view.region.elbv2.listeners.insert(arn, listener);
    Ok(Some(xml))
}

fn new_arn(view: &mut View<'_>, balancer: &str) -> String {
    let id: String = view.new_uuid().chars().filter(char::is_ascii_hexdigit).take(16).collect();
    format!("{}/{id}", balancer.replacen(":loadbalancer/", ":listener/", 1))
}

/// A TLS listener of a load balancer, where there is none at the port. It has no certificate that could be looked at.
pub(super) fn stand_in(view: &mut View<'_>, balancer: &str, port: u16) {
    if view.region.elbv2.listeners.values().any(|one| one.balancer == balancer && one.port == port) {
        return;
    }
    let application = balancer.contains(":loadbalancer/app/");
    let listener = Listener {
        balancer: balancer.to_owned(),
        port,
        protocol: if application { "HTTPS" } else { "TLS" }.to_owned(),
        certificate: None,
        ssl_policy: Some(SSL_POLICY.to_owned()),
        action: ("fixed-response".to_owned(), vec![("StatusCode".to_owned(), "404".to_owned())]),
    };
    let arn = new_arn(view, balancer);
    view.region.elbv2.listeners.insert(arn, listener);
}

fn protocol(call: &Call, balancer: &str) -> Answer<String> {
    let application = balancer.contains(":loadbalancer/app/");
    let allowed: &[&str] = if application { &["HTTP", "HTTPS"] } else { &["TCP", "TLS", "UDP", "TCP_UDP"] };
    let protocol = call.need("Protocol")?;
    if allowed.contains(&protocol) {
        return Ok(protocol.to_owned());
    }
    Err(invalid(format!("Listener protocol '{protocol}' must be one of '{}'", allowed.join(", "))))
}

/// The default action. A target group would be looked up, and there are none.
fn action(call: &Call) -> Answer<(String, Vec<(String, String)>)> {
    let prefix = "DefaultActions.member.1";
    let kind = call.need(&format!("{prefix}.Type"))?.to_owned();
    let read = |config: &str, names: &[&str]| {
        let all = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), call.get(&format!("{prefix}.{config}.{name}"))?.to_owned())));
        all.collect::<Vec<_>>()
    };
    match kind.as_str() {
        "fixed-response" => Ok((kind, read("FixedResponseConfig", &["StatusCode", "ContentType", "MessageBody"]))),
        "redirect" => Ok((kind, read("RedirectConfig", &["StatusCode", "Protocol", "Port", "Host", "Path", "Query"]))),
        other => Err(invalid(format!("The sandbox's listeners answer or redirect; they have no action '{other}'"))),
    }
}

pub(super) fn describe(view: &View<'_>, call: &Call) -> Answer<Option<Xml>> {
    let state = &view.region.elbv2;
    let arns = call.strings("ListenerArns");
    let balancer = call.get("LoadBalancerArn");
    if let Some(arn) = balancer.filter(|arn| !state.balancers.contains_key(*arn)) {
        return Err(no_balancer(arn));
    }
    if balancer.is_none() && arns.is_empty() {
        return Err(invalid("You must specify either listener ARNs or a load balancer ARN".to_owned()));
    }
    if let Some(arn) = arns.iter().find(|arn| !state.listeners.contains_key(*arn)) {
        return Err(no_listener(arn));
    }
    let wanted = |(arn, one): &(&String, &Listener)| {
        (arns.is_empty() || arns.contains(arn)) && balancer.is_none_or(|balancer| one.balancer == balancer)
    };
    let found: Vec<_> = state.listeners.iter().filter(wanted).collect();
    let size = call.number("PageSize", 1, 400)?.unwrap_or(400) as usize;
    let after = call.get("Marker").unwrap_or_default();
    let rest: Vec<_> = found.into_iter().filter(|(arn, _)| arn.as_str() > after).collect();
    let page = &rest[..rest.len().min(size)];
    let mut xml = members(page);
    if let (Some((last, _)), true) = (page.last(), rest.len() > page.len()) {
        xml.leaf("NextMarker", last);
    }
    Ok(Some(xml))
}

pub(super) fn delete(view: &mut View<'_>, call: &Call) -> Answer<Option<Xml>> {
    let arn = call.need("ListenerArn")?;
    match view.region.elbv2.listeners.remove(arn) {
        Some(_) => Ok(Some(Xml::new())),
        None => Err(no_listener(arn)),
    }
}

fn no_listener(arn: &str) -> Fault {
    refuse("ListenerNotFound", format!("One or more listeners not found: '{arn}'"))
}

fn members(list: &[(&String, &Listener)]) -> Xml {
    let mut xml = Xml::new();
    xml.node("Listeners", |xml| {
        for (arn, one) in list {
            xml.node("member", |xml| write(xml, arn, one));
        }
    });
    xml
}

fn write(xml: &mut Xml, arn: &str, one: &Listener) {
    xml.leaf("ListenerArn", arn);
    xml.leaf("LoadBalancerArn", &one.balancer);
    xml.leaf("Port", one.port.to_string());
    xml.leaf("Protocol", &one.protocol);
    if let Some(certificate) = &one.certificate {
        xml.node("Certificates", |xml| xml.node("member", |xml| xml.leaf("CertificateArn", certificate)));
    }
    if let Some(policy) = &one.ssl_policy {
        xml.leaf("SslPolicy", policy);
    }
    let (kind, settings) = &one.action;
    let config = if kind == "redirect" { "RedirectConfig" } else { "FixedResponseConfig" };
    xml.node("DefaultActions", |xml| {
        xml.node("member", |xml| {
            xml.leaf("Type", kind);
            xml.node(config, |xml| settings.iter().for_each(|(name, value)| xml.leaf(name, value)));
        });
    });
}

//! The load balancer behind a VPC link, as far as it answers itself: a web ACL can't stand before an HTTP API, so it stands
//! before the load balancer (aws-facts I) and sees the request as API Gateway mapped it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::outbound::Mapped;
use super::served::Private;
use crate::sandbox::execute_api::integration::http::{Answered, Body};
use crate::sandbox::execute_api::waf;

/// The address that the load balancer sees requests come from: that of a network interface of the VPC link, in the VPC. Here
/// it is always this one.
const LINK: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 10));

/// What the web ACL before the load balancer decides, if there is one. Without `counters`, nothing is counted.
pub(super) fn judge(
    private: &Private,
    mapped: &Mapped,
    body: &Bytes,
    counters: Option<&waf::Counters>,
    received: SystemTime,
) -> Option<waf::Outcome> {
    let acl = private.web_acl.as_ref()?;
    let subject = waf::Subject {
        method: mapped.method.as_str(),
        path: &mapped.path,
        query: &mapped.query,
        headers: &mapped.headers,
        source_ip: LINK,
        body,
    };
    Some(acl.rules.evaluate(&subject, counters, received.duration_since(UNIX_EPOCH).unwrap_or_default()))
}

/// Asks the web ACL, which may answer itself. Otherwise the request has the headers that the backend gets.
pub(super) fn pass(
    private: &Private,
    mapped: &mut Mapped,
    body: &Bytes,
    counters: &waf::Counters,
    received: SystemTime,
) -> Option<Answered> {
    let mut inserted = Vec::new();
    if let Some(outcome) = judge(private, mapped, body, Some(counters), received) {
        let rule = outcome.rule.as_deref().unwrap_or("the default action");
        if let waf::Action::Block { status, headers, body, custom } = outcome.action {
            let acl = private.web_acl.as_ref().map_or("", |acl| acl.arn.as_str());
            tracing::info!("the web ACL {acl} before the load balancer answers {status}: {rule}");
            return Some(blocked(status, &headers, body, custom));
        }
        inserted = outcome.inserted;
    }
    forward(private, mapped, &inserted);
    None
}

/// Adds the headers of the web ACL and of the load balancer.
pub(super) fn forward(private: &Private, mapped: &mut Mapped, inserted: &[(String, String)]) {
    add(&mut mapped.headers, inserted);
    let port = if private.server_name.is_some() { ("443", "https") } else { ("80", "http") };
    let own = [
        ("x-forwarded-for", LINK.to_string()),
        ("x-forwarded-port", port.0.into()),
        ("x-forwarded-proto", port.1.into()),
    ];
    add(&mut mapped.headers, &own.map(|(name, value)| (name.to_owned(), value)));
}

fn add(headers: &mut HeaderMap, pairs: &[(String, String)]) {
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

/// The answer of the load balancer to what its web ACL blocks: the ACL's own, or a page.
fn blocked(status: u16, custom_headers: &[(String, String)], body: String, custom: bool) -> Answered {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let mut headers = HeaderMap::new();
    headers.insert("server", HeaderValue::from_static("awselb/2.0"));
    let body = if custom {
        add(&mut headers, custom_headers);
        body
    } else {
        headers.insert("content-type", HeaderValue::from_static("text/html"));
        let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        )
    };
    Answered { status, headers, body: Body::Whole(body.into()) }
}

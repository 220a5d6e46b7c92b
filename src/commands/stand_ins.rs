//! What HTTP APIs find in their Region and did not make, where they are served from the working tree: what has to stand in for
//! it on the sandbox follows from what an apply would look up, and from the ARNs that the configuration names.

use crate::config::Environment;
use crate::config::edge::{EdgeSettings, ZoneSetting};
use crate::model::{LoadBalancerPart, Lookup};
use crate::sandbox::StandIn;
use crate::stack;

/// What has to be in the Region of an environment that has HTTP APIs alone.
pub(super) fn of(environment: &Environment) -> Vec<StandIn> {
    let looked_up = stack::lookups(environment).into_iter().filter_map(|lookup| match lookup {
        Lookup::LoadBalancerPart { load_balancer, part: LoadBalancerPart::Listener(port) } => {
            Some(StandIn::LoadBalancer { which: load_balancer, port: u16::try_from(port).ok()? })
        }
        Lookup::Certificate { domain } => Some(StandIn::Certificate { domain, arn: None }),
        _ => None,
    });
    let edge = environment.edge.as_ref();
    let domain = edge.and_then(|edge| edge.domain.as_ref());
    let certificate = domain.and_then(|domain| {
        let arn = domain.certificate_arn.clone()?;
        Some(StandIn::Certificate { domain: domain.name.clone(), arn: Some(arn) })
    });
    let bucket = edge.and_then(|edge| edge.waf_logs.as_ref()?.access_log_bucket.as_ref());
    let bucket = bucket.map(|name| StandIn::Bucket { name: name.replace("${region}", &environment.target.region) });
    looked_up.chain(certificate).chain(bucket).collect()
}

/// Takes away what would be written to Route 53.
pub(super) fn leave_dns_out(edge: &mut EdgeSettings) {
    if let Some(domain) = &mut edge.domain {
        domain.zone = ZoneSetting::None;
    }
    for service in edge.services.values_mut() {
        service.cname_ttl = None;
    }
}

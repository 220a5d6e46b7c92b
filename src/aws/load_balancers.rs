//! Load balancers as HTTP APIs need them: a VPC link takes their subnets and security groups, an integration a listener, and
//! DNS their host name. Nothing here writes.

use std::sync::Arc;

use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{ReadAws, failed, given, lookup};
use crate::error::{Failure, FailureKind, Result};
use crate::model::LoadBalancerPart;

/// The ARN of the load balancer of that name.
pub(super) async fn arn(aws: &ReadAws, name: &str) -> Result<String> {
    let found = described(aws, name).await?;
    given(&format!("ARN of load balancer `{name}`"), found.load_balancer_arn().map(str::to_owned))
}

/// Something of the load balancer of that name, or ARN.
pub(super) async fn part(aws: &ReadAws, which: &str, wanted: LoadBalancerPart) -> Result<Vec<String>> {
    let found = described(aws, which).await?;
    match wanted {
        LoadBalancerPart::Subnets => {
            let what = format!("subnet of load balancer `{which}`");
            let zones = found.availability_zones().iter();
            let subnets: Result<Vec<_>> = zones.map(|zone| Ok(given(&what, zone.subnet_id())?.to_owned())).collect();
            some(&what, subnets?)
        }
        // One that has none says so with an empty list.
        LoadBalancerPart::SecurityGroups => {
            given(&format!("security groups of load balancer `{which}`"), found.security_groups.clone())
        }
        LoadBalancerPart::DnsName => {
            let name = given(&format!("host name of load balancer `{which}`"), found.dns_name())?;
            Ok(vec![name.to_lowercase()])
        }
        LoadBalancerPart::Listener(port) => listener(aws, which, &found, port).await.map(|arn| vec![arn]),
    }
}

/// What a load balancer has at least one of.
fn some(what: &str, all: Vec<String>) -> Result<Vec<String>> {
    given(what, (!all.is_empty()).then_some(all))
}

async fn listener(aws: &ReadAws, which: &str, found: &LoadBalancer, port: i32) -> Result<String> {
    let arn = given(&format!("ARN of load balancer `{which}`"), found.load_balancer_arn())?;
    let pages = aws.clients.elbv2.describe_listeners().load_balancer_arn(arn).into_paginator().items().send();
    let all = pages.try_collect().await.map_err(|error| failed(&format!("list the listeners of `{which}`"), error))?;
    let wanted = all.iter().find(|listener| listener.port() == Some(port));
    let Some(listener) = wanted else {
        let ports: Vec<String> = all.iter().filter_map(Listener::port).map(|port| port.to_string()).collect();
        let failure = Failure::new(
            FailureKind::Configuration,
            format!("load balancer `{which}` has no listener at port {port} in {}", aws.place.region),
        );
        return Err(match ports.as_slice() {
            [] => failure.hint("it has none at all: make one first"),
            ports => failure.hint(format!("it has listeners at {}", ports.join(", "))),
        });
    };
    given(&format!("ARN of a listener of `{which}`"), listener.listener_arn().map(str::to_owned))
}

/// The load balancer of that name or ARN, read once.
async fn described(aws: &ReadAws, which: &str) -> Result<Arc<LoadBalancer>> {
    let cell = Arc::clone(aws.load_balancers.lock().await.entry(which.to_owned()).or_default());
    cell.get_or_try_init(|| read(aws, which)).await.cloned()
}

async fn read(aws: &ReadAws, which: &str) -> Result<Arc<LoadBalancer>> {
    let call = aws.clients.elbv2.describe_load_balancers();
    let call = if which.starts_with("arn:") { call.load_balancer_arns(which) } else { call.names(which) };
    let found = match call.send().await {
        Ok(answer) => answer.load_balancers.unwrap_or_default().into_iter().next(),
        Err(error) if matches!(error.code(), Some("LoadBalancerNotFound" | "LoadBalancerNotFoundException")) => None,
        Err(error) => return Err(failed(&format!("look for load balancer `{which}`"), error)),
    };
    if let Some(found) = found {
        return Ok(Arc::new(found));
    }
    let pages = aws.clients.elbv2.describe_load_balancers().into_paginator().items().send();
    let all = pages.try_collect().await.map_err(|error| failed("list the load balancers", error))?;
    let names = all.into_iter().filter_map(|one| one.load_balancer_name).collect();
    Err(lookup::none(aws, &format!("load balancer `{which}`"), names))
}

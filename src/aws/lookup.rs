//! Looks things up for the configuration, by the names that people know them by. Nothing here writes.
//!
//! Each answers one question, and says what there is where the answer is none, and which where there are several.

use aws_sdk_apigateway::types::RestApi;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::try_join_all;

use super::{ReadAws, certificates, failed, given, load_balancers, tags, zones};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Found, Lookup, Owner, Ownership};

/// Names in a hint: enough to see a slip of the pen, not a page.
const MOST_NAMES: usize = 20;

impl ReadAws {
    /// Looks up what a configuration names, side by side.
    pub async fn find(&self, lookups: &[Lookup]) -> Result<Found> {
        let answers = lookups
            .iter()
            .map(|lookup| async move { Ok::<_, Failure>((lookup.clone(), self.find_one(lookup).await?)) });
        Ok(try_join_all(answers).await?.into_iter().collect())
    }

    /// The calls that a lookup makes. Names of what there is are listed where a wanted one is not there.
    #[must_use]
    pub const fn calls_of(wanted: &Lookup) -> &'static [&'static str] {
        match wanted {
            Lookup::SystemGateway { .. } => &["apigateway:GetRestApis", "apigateway:GetStages"],
            Lookup::VpcLink { .. } => &["apigateway:GetVpcLinks"],
            Lookup::LoadBalancer { .. } | Lookup::AnyLoadBalancer { .. } => {
                &["elasticloadbalancing:DescribeLoadBalancers"]
            }
            Lookup::LoadBalancerPart { .. } => {
                &["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers"]
            }
            Lookup::Certificate { .. } => certificates::CALLS,
            Lookup::HostedZone { .. } => zones::CALLS,
        }
    }

    async fn find_one(&self, wanted: &Lookup) -> Result<Vec<String>> {
        if let Lookup::LoadBalancerPart { load_balancer, part } = wanted {
            return load_balancers::part(self, load_balancer, *part).await;
        }
        let one = match wanted {
            Lookup::SystemGateway { product, environment } => self.system_gateway(product, environment).await,
            Lookup::VpcLink { name } => vpc_link(self, name).await,
            Lookup::LoadBalancer { name } => network_load_balancer(self, name).await,
            Lookup::Certificate { domain } => certificates::certificate_for(self, domain).await,
            Lookup::HostedZone { domain } => zones::zone_for(self, domain).await.map(|zone| zone.id),
            Lookup::AnyLoadBalancer { name } => load_balancers::arn(self, name).await,
            Lookup::LoadBalancerPart { .. } => Err(Failure::internal("a part of a load balancer has several answers")),
        };
        one.map(|one| vec![one])
    }

    /// Where the system gateway of another product answers.
    async fn system_gateway(&self, product: &str, environment: &str) -> Result<String> {
        let owner = Owner { product: product.to_owned(), environment: environment.to_owned() };
        let address = Address::new("system", "rest-api", "gateway");
        let none = || {
            let message = format!("{owner} has no system gateway in {} {}", self.place.account, self.place.region);
            Failure::new(FailureKind::Configuration, message)
                .hint(format!("apply it first: gwctl apply --product {product} --env {environment}"))
        };
        let is_it = |api: &&RestApi| {
            let all = api.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
            matches!(tags::ownership(&all, &owner), Ownership::Ours { address: of, .. } if of == address)
        };
        let apis = self.rest_apis().await?;
        let id = given("id of a REST API", apis.iter().find(is_it).ok_or_else(none)?.id())?;
        let stages = self.stages(id).await?;
        // An apply that died before the stage: the gateway is not there yet either.
        let stage = given("name of a stage", stages.first().ok_or_else(none)?.stage_name())?;
        Ok(format!("{id}.execute-api.{}.{}/{stage}", self.place.region, self.place.dns_suffix()))
    }
}

/// The id of the VPC link (of REST APIs) that has this name. Names of links are not unique.
pub async fn vpc_link(aws: &ReadAws, name: &str) -> Result<String> {
    let all = aws.vpc_links().await?;
    let mut ids = Vec::new();
    for link in all.iter().filter(|link| link.name() == Some(name)) {
        ids.push(given("id of a VPC link", link.id())?);
    }
    match ids[..] {
        [id] => Ok(id.to_owned()),
        [] => {
            let names = all.iter().filter_map(|link| link.name()).map(str::to_owned);
            Err(none(aws, &format!("VPC link named `{name}`"), names.collect()))
        }
        _ => Err(Failure::new(FailureKind::Configuration, format!("{} VPC links are named `{name}`", ids.len()))
            .cause(format!("their ids are {}", ids.join(", ")))
            .hint("name the one you mean by its id")),
    }
}

/// The ARN of the Network Load Balancer that has this name.
pub async fn network_load_balancer(aws: &ReadAws, name: &str) -> Result<String> {
    let what = format!("Network Load Balancer named `{name}`");
    let found = match aws.clients.elbv2.describe_load_balancers().names(name).send().await {
        Ok(answer) => {
            answer.load_balancers.unwrap_or_default().into_iter().find(|one| one.load_balancer_name() == Some(name))
        }
        Err(error) if matches!(error.code(), Some("LoadBalancerNotFound" | "LoadBalancerNotFoundException")) => None,
        Err(error) => return Err(failed(&format!("look for load balancer `{name}`"), error)),
    };
    let Some(found) = found else {
        let pages = aws.clients.elbv2.describe_load_balancers().into_paginator().items().send();
        let all = pages.try_collect().await.map_err(|error| failed("list the load balancers", error))?;
        let network = all.into_iter().filter(|one| is_network(one.r#type()));
        return Err(none(aws, &what, network.filter_map(|one| one.load_balancer_name).collect()));
    };
    if !is_network(found.r#type()) {
        let kind = found.r#type().map_or("of no type", |kind| kind.as_str());
        let message = format!("load balancer `{name}` is no Network Load Balancer");
        return Err(Failure::new(FailureKind::Configuration, message)
            .cause(format!("its type is {kind}"))
            .hint("the VPC links of REST APIs take Network Load Balancers only: put one in front of it"));
    }
    given(&format!("ARN of load balancer `{name}`"), found.load_balancer_arn)
}

fn is_network(kind: Option<&aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum>) -> bool {
    kind == Some(&aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum::Network)
}

/// Checks that VPC endpoints exist and are for API Gateway, as those of a private API have to be. Gives the VPC of each, in
/// the order of the ids.
pub async fn execute_api_endpoints(aws: &ReadAws, ids: &[String]) -> Result<Vec<String>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = match aws.clients.ec2.vpc_endpoints(ids).await {
        Ok(found) => found,
        // The codes have had both spellings.
        Err(error)
            if error.code().is_some_and(|code| code.to_ascii_lowercase().starts_with("invalidvpcendpointid")) =>
        {
            return Err(no_endpoint(aws, error.message().unwrap_or_default()).await);
        }
        Err(error) => return Err(failed("describe the VPC endpoints", error)),
    };
    let mut vpcs = Vec::new();
    for id in ids {
        let Some(endpoint) = found.iter().find(|endpoint| endpoint.id == *id) else {
            return Err(no_endpoint(aws, &format!("{id} is not in the answer")).await);
        };
        if !is_for_apis(&endpoint.service_name) {
            let message = format!("VPC endpoint {id} does not lead to API Gateway");
            return Err(Failure::new(FailureKind::Configuration, message)
                .cause(format!("it leads to {}", endpoint.service_name))
                .hint("name an interface endpoint of the service `execute-api`"));
        }
        vpcs.push(endpoint.vpc_id.clone());
    }
    Ok(vpcs)
}

/// `com.amazonaws.REGION.execute-api`; in China some services have `cn.` in front.
fn is_for_apis(service: &str) -> bool {
    service.rsplit('.').next() == Some("execute-api")
}

/// A VPC endpoint is not there; these are.
async fn no_endpoint(aws: &ReadAws, cause: &str) -> Failure {
    // What there is helps; that it can't be listed would hide what matters.
    let all = aws.clients.ec2.describe_vpc_endpoints(&[]).await.unwrap_or_default();
    let apis = all.into_iter().filter(|endpoint| is_for_apis(&endpoint.service_name));
    none(aws, "such VPC endpoint", apis.map(|endpoint| endpoint.id).collect()).cause(cause.to_owned())
}

/// There is none of that name; here are those that there are.
pub(super) fn none(aws: &ReadAws, what: &str, mut names: Vec<String>) -> Failure {
    let failure = Failure::new(
        FailureKind::Configuration,
        format!("there is no {what} in account {} and Region {}", aws.place.account, aws.place.region),
    );
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    match (names.as_slice(), more) {
        ([], _) => failure.hint("there are none at all: are account and Region right?"),
        (names, 0) => failure.hint(format!("there are {}", names.join(", "))),
        (names, more) => failure.hint(format!("there are {} and {more} more", names.join(", "))),
    }
}

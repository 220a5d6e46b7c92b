//! The network interfaces of functions in a VPC, which outlive their functions.
//!
//! Lambda removes them up to 20 minutes after the last function that uses them, and needs that function's execution role
//! for it (aws-facts G). So the deletion of a function in a VPC ends when they are gone: what is deleted after it, the
//! security group and the role, can't pull the ground from under them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::lambda_function::Vpc;
use crate::aws::ec2::{Filter, NetworkInterface};
use crate::aws::{Aws, failed, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::Input;

/// How long Lambda may take to remove the interfaces of a function that is gone: up to 20 minutes (aws-facts G).
pub(super) const INTERFACES_LEAVE: Duration = Duration::from_mins(25);

/// The network interfaces in a security group, in these subnets or in any.
pub(super) async fn interfaces(aws: &Aws, group: &str, subnets: &[String]) -> Result<Vec<NetworkInterface>> {
    let mut filters = vec![Filter::new("group-id", [group])];
    if !subnets.is_empty() {
        filters.push(Filter::new("subnet-id", subnets.iter().cloned()));
    }
    let answer = aws.write.ec2.describe_network_interfaces(&filters).await;
    answer.map_err(|error| failed(&format!("describe the network interfaces of {group}"), error))
}

/// Waits until no interface is left that only this function, which is deleted, had in use.
pub(super) async fn wait_until_left(aws: &Aws, function: &str, vpc: &Vpc) -> Result<()> {
    let Some(group) = vpc.security_group_ids.first().map(Input::known).transpose()? else { return Ok(()) };
    let own = vpc.security_group_ids.iter().map(Input::known).collect::<Result<BTreeSet<&str>>>()?;
    let shared = shared_subnets(aws, function, &own).await?;
    let subnets: Vec<String> = vpc.subnet_ids.iter().filter(|id| !shared.contains(*id)).cloned().collect();
    if subnets.is_empty() {
        return Ok(());
    }
    let deadline = Instant::now() + INTERFACES_LEAVE;
    loop {
        let mut left = interfaces(aws, group, &subnets).await?;
        left.retain(|one| one.is_of_lambda() && one.groups.iter().map(String::as_str).collect::<BTreeSet<_>>() == own);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(still_there(function, &left));
        }
        tracing::debug!("waiting for {} network interfaces of function `{function}`", left.len());
        wait::pause(Duration::from_secs(10)).await?;
    }
}

fn still_there(function: &str, left: &[NetworkInterface]) -> Failure {
    let ids: Vec<&str> = left.iter().map(|one| one.id.as_str()).collect();
    let minutes = INTERFACES_LEAVE.as_secs() / 60;
    let message =
        format!("function `{function}` is deleted, but its network interfaces are left after {minutes} minutes");
    Failure::new(FailureKind::Aws, message)
        .cause(format!("Lambda has not removed {}", ids.join(", ")))
        .hint("its role stays until then, because Lambda removes them with it: run this again later")
}

/// The subnets in which other functions have the same security groups: all functions of a pair of subnet and groups share
/// one interface (Lambda developer guide, "Hyperplane elastic network interfaces"), which then stays, and needs the role of
/// none in particular.
async fn shared_subnets(aws: &Aws, function: &str, own: &BTreeSet<&str>) -> Result<BTreeSet<String>> {
    let mut shared = BTreeSet::new();
    let mut pages = aws.write.lambda.list_functions().into_paginator().items().send();
    while let Some(other) = pages.try_next().await.map_err(|error| failed("list the functions", error))? {
        let Some(vpc) = other.vpc_config().filter(|_| other.function_name() != Some(function)) else { continue };
        let groups: BTreeSet<&str> = vpc.security_group_ids().iter().map(String::as_str).collect();
        if groups == *own {
            shared.extend(vpc.subnet_ids().iter().cloned());
        }
    }
    Ok(shared)
}

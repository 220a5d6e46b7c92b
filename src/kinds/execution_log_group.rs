//! `execution-log-group`: the log group that API Gateway writes a stage's execution logs to.
//!
//! Its name is AWS's choice and holds the API's id. AWS makes the group itself when the first line is written, without a
//! retention and without tags (aws-facts F). So a group of that name which is nobody's is taken over: it can't have been made
//! for anything but our API.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::operation::create_log_group::CreateLogGroupError;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::log_group::{self, LogFilters, LogGroup};
use super::rest_api::own_apis;
use super::{Kind, Scope, log_filters};
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed};
use crate::error::Result;
use crate::model::{Address, Identity, Input, Observed, Outputs, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct ExecutionLogGroup;

/// What gwctl decides about the log group of a stage's execution logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecutionLogGroupSpec {
    /// The id of the API.
    pub rest_api: Input,
    /// The name of the stage.
    pub stage: String,
    /// Days that events are kept; absent: for ever.
    pub retention_in_days: Option<i32>,
    /// The user's tags.
    pub tags: Tags,
    /// Filters. Never wanted; read so that they are seen.
    #[serde(flatten)]
    pub filters: LogFilters,
}

const PREFIX: &str = "API-Gateway-Execution-Logs_";

/// The name that API Gateway gives to the group of a stage.
#[must_use]
pub fn name(api: &str, stage: &str) -> String {
    format!("{PREFIX}{api}/{stage}")
}

/// Whether an address is one of this kind.
fn is_own(address: &Address) -> bool {
    address.kind() == ExecutionLogGroup::NAME
}

/// The names to look at: the groups of the owner's APIs, and those that the tagging service knows as the owner's.
async fn names(aws: &ReadAws, scope: &Scope) -> Result<BTreeSet<String>> {
    let apis = own_apis(aws, &scope.owner).await?;
    let lists = apis.iter().map(|api| async move {
        let prefix = name(&api.id, "");
        let pages = aws.clients.logs.describe_log_groups().log_group_name_prefix(&prefix).into_paginator().items();
        let groups: Vec<_> = pages
            .send()
            .try_collect()
            .await
            .map_err(|error| failed(&format!("describe the log groups of API {}", api.id), error))?;
        Ok::<_, crate::error::Failure>(groups.into_iter().filter_map(|group| group.log_group_name))
    });
    let mut names: BTreeSet<String> = try_join_all(lists).await?.into_iter().flatten().collect();
    let start = log_group::arn(&aws.place, PREFIX);
    for arn in aws.tagged(&scope.owner).await.keys() {
        if let Some(rest) = arn.strip_prefix(&start) {
            names.insert(format!("{PREFIX}{}", rest.trim_end_matches(":*")));
        }
    }
    Ok(names)
}

impl Kind for ExecutionLogGroup {
    type Spec = ExecutionLogGroupSpec;
    const NAME: &'static str = "execution-log-group";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetRestApis", "tag:GetResources"],
        with: &["rest-api"],
        reads: &[
            "logs:DescribeLogGroups",
            "logs:DescribeMetricFilters",
            "logs:DescribeSubscriptionFilters",
            "logs:ListTagsForResource",
        ],
        writes: &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DeleteMetricFilter",
            "logs:DeleteRetentionPolicy",
            "logs:DeleteSubscriptionFilter",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["rest_api", "stage"];

    fn predict(&self, place: &Place, spec: &ExecutionLogGroupSpec) -> Outputs {
        spec.rest_api.known().map(|api| log_group::outputs(place, &name(api, &spec.stage))).unwrap_or_default()
    }

    /// Those with our tags, and those of our APIs that nobody has tagged: to a plan, these are not there yet, because no name
    /// leads to them, and creating one takes it over.
    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<ExecutionLogGroupSpec>>> {
        let names = names(aws, scope).await?;
        let all = try_join_all(names.iter().map(|name| LogGroup.read(aws, scope, name))).await?;
        let ours = all.into_iter().flatten().filter(|one| match &one.ownership {
            Ownership::Ours { address, .. } => is_own(address),
            Ownership::Nobody => true,
            Ownership::Others { .. } => false,
        });
        let observed = ours.filter_map(|one| {
            let (api, stage) = one.name.strip_prefix(PREFIX)?.split_once('/')?;
            let (rest_api, stage) = (Input::from(api), stage.to_owned());
            Some(one.map(|group| ExecutionLogGroupSpec {
                rest_api,
                stage,
                retention_in_days: group.retention_in_days,
                tags: group.tags,
                filters: group.filters,
            }))
        });
        Ok(observed.collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &ExecutionLogGroupSpec) -> Result<Outputs> {
        let ExecutionLogGroupSpec { rest_api, stage, retention_in_days, tags: user, filters: _ } = spec;
        let name = name(rest_api.known()?, stage);
        let all = tags::at_birth(identity, user);
        let call = aws.write.logs.create_log_group().log_group_name(&name);
        match call.set_tags(Some(all.clone().into_iter().collect())).send().await {
            Ok(_) => {}
            Err(error)
                if error.as_service_error().is_some_and(CreateLogGroupError::is_resource_already_exists_exception) =>
            {
                take_over(aws, identity, &name, all).await?;
            }
            Err(error) => return Err(failed(&format!("create log group `{name}`"), error)),
        }
        log_group::set_retention(aws, &name, *retention_in_days).await?;
        Ok(log_group::outputs(&aws.place, &name))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Observed<ExecutionLogGroupSpec>,
        spec: &ExecutionLogGroupSpec,
    ) -> Result<Outputs> {
        let ExecutionLogGroupSpec {
            rest_api: _, // is in its name
            stage: _,    // is in its name
            retention_in_days,
            tags: user,
            filters,
        } = spec;
        if live.spec.filters != *filters {
            log_filters::remove(aws, &live.name, &live.spec.filters).await?;
        }
        if live.spec.retention_in_days != *retention_in_days {
            log_group::set_retention(aws, &live.name, *retention_in_days).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<ExecutionLogGroupSpec>) -> Result<()> {
        log_group::delete(aws, &live.name).await
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        LogGroup.tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        LogGroup.untag(aws, outputs, keys).await
    }
}

/// A group that is there already: AWS made it, or an earlier try of this very create did. One with somebody else's tags is
/// left alone all the same.
async fn take_over(aws: &Aws, identity: &Identity, name: &str, all: Tags) -> Result<()> {
    match log_group::ownership(aws, &identity.owner, name).await? {
        Ownership::Nobody => LogGroup.tag(aws, &log_group::outputs(&aws.place, name), all).await,
        other => super::own_after_conflict(&other, identity, name),
    }
}

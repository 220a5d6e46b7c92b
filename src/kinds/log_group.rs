//! `log-group`: a CloudWatch Logs log group with its retention.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::LogGroup as LiveGroup;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::log_filters::LogFilters;
use super::{Kind, Scope, log_filters};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed};
use crate::error::{Failure, Result};
use crate::model::{Identity, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct LogGroup;

/// What gwctl decides about a log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogGroupSpec {
    /// `/aws/lambda/product-a-api-authorizer-dev`
    pub name: String,
    /// Days that events are kept; absent: for ever.
    pub retention_in_days: Option<i32>,
    /// The user's tags.
    pub tags: Tags,
    /// Filters. Never wanted; read so that they are seen.
    #[serde(flatten)]
    pub filters: LogFilters,
}

pub(super) fn arn(place: &Place, name: &str) -> String {
    place.arn("logs", &place.region, &format!("log-group:{name}"))
}

/// `arn` has no trailing `:*`, as access logs and tags want it; `streams_arn` has it, as IAM policies want it
/// (aws-facts F).
pub(super) fn outputs(place: &Place, name: &str) -> Outputs {
    let arn = arn(place, name);
    let streams = format!("{arn}:*");
    Outputs::from_iter([("name", name.to_owned()), ("streams_arn", streams), ("arn", arn)])
}

impl LogGroup {
    pub(super) async fn read(
        &self,
        aws: &ReadAws,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<Observed<LogGroupSpec>>> {
        let describe = async {
            let answer = aws.clients.logs.describe_log_groups().log_group_name_prefix(name).send().await;
            let groups = answer.map_err(|error| failed(&format!("describe log group `{name}`"), error))?.log_groups;
            let found = groups.unwrap_or_default().into_iter().find(|group| group.log_group_name() == Some(name));
            Ok::<_, Failure>(found)
        };
        // The ARN follows from the name, so that both questions travel at once.
        let list_tags = async {
            match aws.clients.logs.list_tags_for_resource().resource_arn(arn(&aws.place, name)).send().await {
                Ok(answer) => Ok(answer.tags.unwrap_or_default().into_iter().collect::<Tags>()),
                Err(error) if is_not_found(&error) => Ok(Tags::new()),
                Err(error) => Err(failed(&format!("list the tags of log group `{name}`"), error)),
            }
        };
        let (group, all_tags, subscription_filters) =
            futures::try_join!(describe, list_tags, log_filters::subscriptions(aws, name))?;
        let Some(group) = group else { return Ok(None) };
        let metric_filters = match group.metric_filter_count() {
            None | Some(0) => BTreeMap::new(),
            Some(_) => log_filters::metrics(aws, name).await?,
        };
        let filters = LogFilters { subscription_filters, metric_filters };
        Ok(Some(observed(aws, scope, name, &group, &all_tags, filters)))
    }
}

fn observed(
    aws: &ReadAws,
    scope: &Scope,
    name: &str,
    group: &LiveGroup,
    all: &Tags,
    filters: LogFilters,
) -> Observed<LogGroupSpec> {
    Observed {
        name: name.to_owned(),
        within: None,
        spec: LogGroupSpec {
            name: name.to_owned(),
            retention_in_days: group.retention_in_days(),
            tags: tags::of_user(all),
            filters,
        },
        outputs: outputs(&aws.place, name),
        ownership: tags::ownership(all, &scope.owner),
        created: group.creation_time().map(|millis| millis / 1000),
        in_use_by: None,
    }
}

/// The names to look at: those the stack gives, and those the tagging service knows as the owner's.
async fn names(aws: &ReadAws, scope: &Scope) -> Vec<String> {
    let mut names: Vec<String> = scope.names().map(str::to_owned).collect();
    let start = arn(&aws.place, "");
    for found in aws.tagged(&scope.owner).await.keys() {
        if let Some(name) = found.strip_prefix(&start) {
            names.push(name.trim_end_matches(":*").to_owned());
        }
    }
    names.sort();
    names.dedup();
    names
}

impl Kind for LogGroup {
    type Spec = LogGroupSpec;
    const NAME: &'static str = "log-group";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
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
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &LogGroupSpec) -> Outputs {
        outputs(place, &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<LogGroupSpec>>> {
        let wanted = try_join_all(scope.names().map(|name| self.read(aws, scope, name)));
        let (wanted, all) = futures::join!(wanted, names(aws, scope));
        let mut found: Vec<_> = wanted?.into_iter().flatten().collect();
        let others = all.iter().filter(|name| !scope.names().any(|wanted| wanted == *name));
        let others = try_join_all(others.map(|name| self.read(aws, scope, name))).await?;
        // Log groups of other kinds are theirs to read.
        let ours = |one: &Observed<LogGroupSpec>| one.address().is_some_and(|address| address.kind() == Self::NAME);
        found.extend(others.into_iter().flatten().filter(ours));
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &LogGroupSpec) -> Result<Outputs> {
        let LogGroupSpec { name, retention_in_days, tags: user, filters: _ } = spec;
        let all = tags::at_birth(identity, user);
        let answer = aws
            .write
            .logs
            .create_log_group()
            .log_group_name(name)
            .set_tags(Some(all.into_iter().collect()))
            .send()
            .await;
        match answer {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(aws_sdk_cloudwatchlogs::operation::create_log_group::CreateLogGroupError::is_resource_already_exists_exception) => {
                adopt_own(aws, identity, name).await?;
            }
            Err(error) => return Err(failed(&format!("create log group `{name}`"), error)),
        }
        set_retention(aws, name, *retention_in_days).await?;
        Ok(outputs(&aws.place, name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<LogGroupSpec>, spec: &LogGroupSpec) -> Result<Outputs> {
        let LogGroupSpec { name, retention_in_days, tags: user, filters } = spec;
        if live.spec.filters != *filters {
            log_filters::remove(aws, name, &live.spec.filters).await?;
        }
        if live.spec.retention_in_days != *retention_in_days {
            set_retention(aws, name, *retention_in_days).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(outputs(&aws.place, name))
    }

    async fn delete(&self, aws: &Aws, live: &Observed<LogGroupSpec>) -> Result<()> {
        delete(aws, &live.name).await
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.logs.tag_resource().resource_arn(arn).set_tags(Some(tags.into_iter().collect()));
        call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.logs.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
    }
}

/// A group that exists although the plan did not see it: ours if its tags say so, else an error.
async fn adopt_own(aws: &Aws, identity: &Identity, name: &str) -> Result<()> {
    super::own_after_conflict(&ownership(aws, &identity.owner, name).await?, identity, name)
}

/// Whose a group is, by its tags as they are now.
pub(super) async fn ownership(aws: &Aws, owner: &Owner, name: &str) -> Result<Ownership> {
    let answer = aws.write.logs.list_tags_for_resource().resource_arn(arn(&aws.place, name)).send().await;
    let all: Tags = answer
        .map_err(|error| failed(&format!("list the tags of log group `{name}`"), error))?
        .tags
        .unwrap_or_default()
        .into_iter()
        .collect();
    Ok(tags::ownership(&all, owner))
}

/// Deletes a group; one that is gone is no error.
pub(super) async fn delete(aws: &Aws, name: &str) -> Result<()> {
    match aws.write.logs.delete_log_group().log_group_name(name).send().await {
        Err(error) if !is_not_found(&error) => Err(failed(&format!("delete log group `{name}`"), error)),
        _ => Ok(()),
    }
}

pub(super) async fn set_retention(aws: &Aws, name: &str, days: Option<i32>) -> Result<()> {
    let logs = &aws.write.logs;
    let doing = format!("set the retention of log group `{name}`");
    if let Some(days) = days {
        let call = logs.put_retention_policy().log_group_name(name).retention_in_days(days);
        call.send().await.map_err(|error| failed(&doing, error))?;
    } else {
        let call = logs.delete_retention_policy().log_group_name(name);
        call.send().await.map_err(|error| failed(&doing, error))?;
    }
    Ok(())
}

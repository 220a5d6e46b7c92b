//! `account-logging`: the role that API Gateway writes its logs with, of one account and Region.
//!
//! It is everybody's: each API of the Region logs through it, whoever owns the API. So it is made only where it is missing
//! ([`Kind::ONLY_IF_MISSING`]), and never changed or deleted, not even by a destroy (aws-facts F). For the same reason the
//! role is made here and is no `iam-role`: one of those belongs to an environment and would go with it. Two environments that
//! both want it made find one role under one name.
//!
//! A role that is set counts as there unless IAM says that it does not exist. Whether it may write all that it should is
//! its owner's business.

use std::time::Duration;

use aws_sdk_apigateway::types::{Op, PatchOperation};
use aws_sdk_iam::types::Tag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::Tags;
use crate::aws::{Aws, ReadAws, failed, given, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Digest, Identity, Observed, Outputs, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct AccountLogging;

/// What gwctl decides about it, where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountLoggingSpec {
    /// The name of the role: [`name_of`] the Region.
    pub name: String,
}

/// The name of the role that gwctl makes for a Region. Role names are unique in an account, and a Region has one such role.
#[must_use]
pub fn name_of(region: &str) -> String {
    format!("gwctl-api-gateway-logs-{region}")
}

/// Where the role stands: beside the paths of environments, in none of them.
const PATH: &str = "/gwctl/";

/// The tag that tells the role from somebody else's of the same name.
const SHARED: (&str, &str) = ("gwctl:shared", "api-gateway-logs");

/// `UpdateAccount` goes once in 20 s for the whole account (aws-facts A).
const PAUSE: Duration = Duration::from_secs(20);

/// A new role is known within seconds, a minute at most (aws-facts F): more tries than that needs.
const TRIES: u32 = 6;

/// The texts of aws-facts F that mean "come back".
const NOT_YET: [&str; 2] = ["does not have required permissions", "could not successfully write to CloudWatch Logs"];

fn outputs(arn: &str) -> Outputs {
    Outputs::from_iter([("role", arn)])
}

fn arn(place: &Place, name: &str) -> String {
    place.arn("iam", "", &format!("role{PATH}{name}"))
}

/// Whether a role exists. One that can't be asked after counts as there: better none too many than one overwritten.
async fn exists(aws: &ReadAws, arn: &str) -> bool {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match aws.clients.iam.get_role().role_name(name).send().await {
        Ok(answer) => answer.role.is_some_and(|role| role.arn == arn),
        Err(error) if is_not_found(&error) => false,
        Err(error) => {
            tracing::warn!(
                "{}",
                failed(&format!("read role `{name}`, which API Gateway's logs are written with"), error)
            );
            true
        }
    }
}

impl Kind for AccountLogging {
    type Spec = AccountLoggingSpec;
    const NAME: &'static str = "account-logging";
    const CALLS: Calls = Calls {
        seeks: &[],
        with: &[],
        reads: &["apigateway:GetAccount", "iam:GetRole"],
        writes: &["apigateway:UpdateAccount", "iam:AttachRolePolicy", "iam:CreateRole"],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];
    const ONLY_IF_MISSING: bool = true;

    fn predict(&self, place: &Place, spec: &AccountLoggingSpec) -> Outputs {
        outputs(&arn(place, &spec.name))
    }

    /// Asks only where it is wanted: nobody else has to be allowed to.
    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<AccountLoggingSpec>>> {
        if scope.wanted.is_empty() {
            return Ok(Vec::new());
        }
        let answer = aws.clients.apigateway.get_account().send().await;
        let account = answer.map_err(|error| failed("read API Gateway's account settings", error))?;
        let Some(role) = account.cloudwatch_role_arn.filter(|arn| !arn.is_empty()) else { return Ok(Vec::new()) };
        if !exists(aws, &role).await {
            return Ok(Vec::new());
        }
        let name = role.rsplit('/').next().unwrap_or(&role).to_owned();
        Ok(vec![Observed {
            name: name.clone(),
            within: None,
            spec: AccountLoggingSpec { name },
            outputs: outputs(&role),
            ownership: Ownership::Nobody,
            created: None,
            in_use_by: None,
        }])
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &AccountLoggingSpec) -> Result<Outputs> {
        let AccountLoggingSpec { name } = spec;
        let arn = make_role(aws, identity, name).await?;
        let policy = format!(
            "arn:{}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            identity.place.partition
        );
        let attach = aws.write.iam.attach_role_policy().role_name(name).policy_arn(policy);
        attach.send().await.map_err(|error| failed(&format!("give role `{name}` its policy"), error))?;
        set(aws, &arn).await?;
        Ok(outputs(&arn))
    }

    async fn update(&self, _: &Aws, _: &Observed<AccountLoggingSpec>, spec: &AccountLoggingSpec) -> Result<Outputs> {
        let AccountLoggingSpec { name } = spec;
        Err(Failure::internal(format!("the Region's logging role was to become `{name}`, but it is everybody's")))
    }

    async fn delete(&self, _: &Aws, live: &Observed<AccountLoggingSpec>) -> Result<()> {
        Err(Failure::internal(format!(
            "the Region's logging role `{}` was to be deleted, but it is everybody's",
            live.name
        )))
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("the Region's logging role was to be tagged as an environment's, but it is everybody's"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("the Region's logging role was to be untagged, but it is everybody's"))
    }

    /// What can't change needs no digest.
    async fn record(&self, _: &Aws, _: &Identity, _: &Outputs, _: &Digest) -> Result<()> {
        Ok(())
    }
}

/// Makes the role, or takes the one that an earlier apply or another environment made.
async fn make_role(aws: &Aws, identity: &Identity, name: &str) -> Result<String> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "apigateway.amazonaws.com" }, "Action": "sts:AssumeRole",
        }],
    });
    let tag = Tag::builder().key(SHARED.0).value(SHARED.1).build();
    let tag = tag.map_err(|error| Failure::internal("a tag has no key").because(&error))?;
    let description = format!("API Gateway writes the logs of all APIs in {} with it", identity.place.region);
    let call = aws.write.iam.create_role().role_name(name).path(PATH).description(description).tags(tag);
    match call.assume_role_policy_document(trust.to_string()).send().await {
        Ok(answer) => Ok(given(&format!("answer to creating role `{name}`"), answer.role)?.arn),
        Err(error)
            if error.as_service_error().is_some_and(
                aws_sdk_iam::operation::create_role::CreateRoleError::is_entity_already_exists_exception,
            ) =>
        {
            let answer = aws.write.iam.get_role().role_name(name).send().await;
            let answer = answer.map_err(|error| failed(&format!("read role `{name}`"), error))?;
            let role = given(&format!("role `{name}`"), answer.role)?;
            if role.tags().iter().any(|tag| (tag.key(), tag.value()) == SHARED) {
                return Ok(role.arn);
            }
            let message = format!("role `{name}` exists already and was not made for API Gateway's logs by gwctl");
            Err(Failure::new(FailureKind::Ownership, message)
                .hint(format!("rename or delete it; or hand it over with the tag {}={}", SHARED.0, SHARED.1)))
        }
        Err(error) => Err(failed(&format!("create role `{name}`"), error)),
    }
}

async fn set(aws: &Aws, arn: &str) -> Result<()> {
    let patch = PatchOperation::builder().op(Op::Replace).path("/cloudwatchRoleArn").value(arn).build();
    for attempt in 1.. {
        let Err(error) = aws.write.apigateway.update_account().patch_operations(patch.clone()).send().await else {
            return Ok(());
        };
        let text = error.message().unwrap_or_default();
        let too_early = NOT_YET.iter().any(|one| text.contains(one));
        if attempt == TRIES || !too_early {
            return Err(failed("set the role of API Gateway's logs", error));
        }
        wait::pause(PAUSE).await?;
    }
    Err(Failure::internal("a loop without end ended"))
}

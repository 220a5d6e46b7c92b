//! `deployment`: a snapshot of a REST API for a stage to serve.
//!
//! A deployment can't change and can't be tagged (aws-facts A). It belongs to its tagged API, and its description says what
//! it is a snapshot of: the digest of everything that is in effect only after a redeployment. Its address carries the same
//! digest, so that each state of the API has one deployment: a state that was deployed before is not deployed again, and a
//! state that was not yet is simply missing.

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rest_api::{OwnApi, own_apis};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Ownership};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct Deployment;

/// What gwctl decides about a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentSpec {
    /// The id of the API it is a snapshot of.
    pub rest_api: Input,
    /// The digest of what it holds.
    pub snapshot: String,
}

/// How many deployments stay: the one served and four to go back to.
const KEPT: usize = 5;

/// The words before the digest in a description. A deployment without them is not gwctl's.
const MARK: &str = "gwctl snapshot ";

/// The name in the address of the deployment of a state.
#[must_use]
pub fn name_of(snapshot: &Digest) -> &str {
    snapshot.short()
}

fn outputs(id: &str) -> Outputs {
    Outputs::from_iter([("id", id)])
}

async fn observe_api(aws: &ReadAws, scope: &Scope, api: &OwnApi) -> Result<Vec<Observed<DeploymentSpec>>> {
    let deployments = async {
        let pages = aws.clients.apigateway.get_deployments().rest_api_id(&api.id).limit(500).into_paginator();
        let items: Result<Vec<_>, _> = pages.items().send().try_collect().await;
        items.map_err(|error| failed(&format!("read the deployments of API {}", api.id), error))
    };
    let (deployments, stages) = futures::try_join!(deployments, aws.stages(&api.id))?;
    let mut found = Vec::new();
    for deployment in deployments {
        let id = given("id of a deployment", deployment.id())?;
        let Some(snapshot) = deployment.description().and_then(|text| text.strip_prefix(MARK)) else { continue };
        let Some(short) = snapshot.get(..12) else { continue };
        let spec = DeploymentSpec { rest_api: Input::from(api.id.as_str()), snapshot: snapshot.to_owned() };
        let user = stages.iter().find_map(|stage| {
            let name = stage.stage_name()?;
            let ours = matches!(tags::ownership(&super::stage::all_tags(stage), &scope.owner), Ownership::Ours { .. });
            let canary = stage.canary_settings().and_then(|canary| canary.deployment_id());
            match (stage.deployment_id() == Some(id), canary == Some(id)) {
                (_, true) => Some(format!("the canary of stage `{name}`")),
                (true, _) if !ours => Some(format!("stage `{name}`, which is not gwctl's,")),
                _ => None,
            }
        });
        let digest = super::json::<Deployment>(&spec).map(|spec| Digest::of(&spec))?;
        found.push(Observed {
            name: id.to_owned(),
            within: Some(api.address.clone()),
            spec,
            outputs: outputs(id),
            ownership: Ownership::Ours {
                address: Address::new(api.address.stack(), Deployment::NAME, short),
                // It can't have changed since it was made.
                digest: Some(digest.as_str().to_owned()),
            },
            created: deployment.created_date().map(aws_smithy_types::DateTime::secs),
            in_use_by: user,
        });
    }
    Ok(found)
}

impl Kind for Deployment {
    type Spec = DeploymentSpec;
    const NAME: &'static str = "deployment";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetRestApis"],
        with: &["rest-api"],
        reads: &["apigateway:GetDeployments", "apigateway:GetStages"],
        writes: &["apigateway:CreateDeployment", "apigateway:DeleteDeployment"],
    };
    const REPLACE_ON: &'static [&'static str] = &["rest_api", "snapshot"];
    const KEEP: usize = KEPT;

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<DeploymentSpec>>> {
        let apis = own_apis(aws, &scope.owner).await?;
        let all = try_join_all(apis.iter().map(|api| observe_api(aws, scope, api))).await?;
        Ok(all.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, _identity: &Identity, spec: &DeploymentSpec) -> Result<Outputs> {
        let api = spec.rest_api.known()?;
        let description = format!("{MARK}{}", spec.snapshot);
        let create = || {
            let call = aws.write.apigateway.create_deployment().rest_api_id(api).description(&description);
            async move { call.customize().config_override(retry::once_apigateway()).send().await.map(|made| made.id) }
        };
        let find = || async {
            let pages = aws.write.apigateway.get_deployments().rest_api_id(api).limit(500).into_paginator();
            let all: Vec<_> = pages
                .items()
                .send()
                .try_collect()
                .await
                .map_err(|error| failed(&format!("read the deployments of API {api}"), error))?;
            Ok(all.into_iter().find(|one| one.description() == Some(&description)).map(|one| one.id))
        };
        let id = retry::create_once(&format!("deploy API {api}"), create, find).await?;
        Ok(outputs(&given("id of the new deployment", id)?))
    }

    async fn update(&self, _: &Aws, _: &Observed<DeploymentSpec>, spec: &DeploymentSpec) -> Result<Outputs> {
        let DeploymentSpec { rest_api: _, snapshot } = spec;
        Err(Failure::internal(format!("deployment {snapshot} was to be changed, but a deployment can't change")))
    }

    async fn delete(&self, aws: &Aws, live: &Observed<DeploymentSpec>) -> Result<()> {
        let api = live.spec.rest_api.known()?;
        match aws.write.apigateway.delete_deployment().rest_api_id(api).deployment_id(&live.name).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete deployment {}", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("a deployment was to be tagged, but a deployment takes no tags"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("a deployment was to be untagged, but a deployment takes no tags"))
    }

    /// The description, written when the deployment is made, is the record.
    async fn record(&self, _: &Aws, _: &Identity, _: &Outputs, _: &Digest) -> Result<()> {
        Ok(())
    }
}

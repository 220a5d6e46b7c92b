//! What of a stage of a REST API is no setting of gwctl's, and worth knowing to an operator: its cache, what its deployment is, and
//! what it serves.

use serde_json::Value;

use super::{ReadAws, failed, failure};
use crate::error::{Failure, FailureKind, Result};

/// The cache of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageCache {
    /// `0.5`: gigabytes, as API Gateway writes them.
    pub size: Option<String>,
    /// `AVAILABLE`, `CREATE_IN_PROGRESS`, …
    pub status: Option<String>,
}

/// What is asked of a stage and what it serves.
pub const CALLS: &[&str] = &["apigateway:GetDeployment", "apigateway:GetExport", "apigateway:GetStages"];

/// The cache of a stage, if it has one.
pub async fn cache(aws: &ReadAws, api: &str, stage: &str) -> Result<Option<StageCache>> {
    let stages = aws.stages(api).await?;
    let found = stages.iter().find(|one| one.stage_name() == Some(stage)).filter(|one| one.cache_cluster_enabled());
    Ok(found.map(|one| StageCache {
        size: one.cache_cluster_size().map(|size| size.as_str().to_owned()),
        status: one.cache_cluster_status().map(|status| status.as_str().to_owned()),
    }))
}

/// A deployment as its maker described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentNote {
    /// When it was made, in seconds since the epoch.
    pub created: Option<i64>,
    /// Its description.
    pub description: Option<String>,
}

/// What is known of a deployment, whoever made it; nothing where there is none of that id.
pub async fn deployment(aws: &ReadAws, api: &str, id: &str) -> Result<Option<DeploymentNote>> {
    match aws.clients.apigateway.get_deployment().rest_api_id(api).deployment_id(id).send().await {
        Err(error) if failure::is_not_found(&error) => Ok(None),
        answer => {
            let answer = answer.map_err(|error| failed(&format!("read deployment {id} of API {api}"), error))?;
            Ok(Some(DeploymentNote {
                created: answer.created_date().map(aws_smithy_types::DateTime::secs),
                description: answer.description().filter(|text| !text.is_empty()).map(str::to_owned),
            }))
        }
    }
}

/// What a stage serves: the snapshot of its deployment as an `OpenAPI` document with integrations and authorizers (aws-facts B:
/// an export shows the deployment and not the API as it is edited).
pub async fn export(aws: &ReadAws, api: &str, stage: &str) -> Result<Value> {
    let call = aws.clients.apigateway.get_export().rest_api_id(api).stage_name(stage).export_type("oas30");
    let answer = call.parameters("extensions", "apigateway").accepts("application/json").send().await;
    let doing = format!("export stage `{stage}` of API {api}");
    let body = answer.map_err(|error| failed(&doing, error))?.body.unwrap_or_else(|| Vec::new().into());
    serde_json::from_slice(body.as_ref())
        .map_err(|error| Failure::new(FailureKind::Aws, format!("failed to {doing}")).because(&error))
}

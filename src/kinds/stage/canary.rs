//! Canaries: a share of a stage's requests on another deployment.

use aws_sdk_apigateway::types::{Op, PatchOperation};

use super::{Canary, StageSpec, operation, patch, replace};
use crate::aws::{Aws, failed};
use crate::error::{Failure, FailureKind, Result};

/// Whether an update gives the canary's deployment all requests.
pub(super) fn is_promoted(live: &StageSpec, wanted: &StageSpec) -> bool {
    let promoted = live.canary.as_ref().is_some_and(|canary| canary.deployment == wanted.deployment);
    promoted && wanted.canary.is_none() && live.deployment != wanted.deployment
}

/// What has to be done before the rest of an update. A canary's deployment becomes the stage's by a copy (aws-facts F), in a
/// call of its own: until it is done, the canary stays.
pub(super) async fn before(aws: &Aws, api: &str, live: &StageSpec, wanted: &StageSpec) -> Result<()> {
    let name = &wanted.name;
    let Some(canary) = &live.canary else { return Ok(()) };
    if is_promoted(live, wanted) {
        let copy = PatchOperation::builder().op(Op::Copy).path("/deploymentId").from("/canarySettings/deploymentId");
        return patch(aws, api, name, vec![copy.build()]).await;
    }
    if live.deployment != wanted.deployment {
        let message = format!("stage `{name}` has a canary with {} % of the requests", canary.percent);
        return Err(Failure::new(FailureKind::Refused, message)
            .hint("end it first: `gwctl canary promote` gives it all requests, `gwctl canary abort` none"));
    }
    Ok(())
}

/// The patch operations that turn one canary into another. One that is no longer wanted goes as a whole.
pub(super) fn patches(live: Option<&Canary>, wanted: Option<&Canary>) -> Result<Vec<PatchOperation>> {
    let Some(wanted) = wanted else {
        return Ok(live.map(|_| operation(Op::Remove, "/canarySettings", None)).into_iter().collect());
    };
    let Canary { percent, deployment, variables: _, use_stage_cache } = wanted;
    let mut list = Vec::new();
    // The deployment first: any member that is set begins a canary, and one without a deployment of its own would get the
    // stage's.
    if live.map(|canary| &canary.deployment) != Some(deployment) {
        list.push(replace("/canarySettings/deploymentId", deployment.known()?));
    }
    if live.is_some_and(|canary| canary.use_stage_cache) != *use_stage_cache {
        list.push(replace("/canarySettings/useStageCache", use_stage_cache));
    }
    if live.is_none_or(|canary| (canary.percent - percent).abs() > f64::EPSILON) {
        list.push(replace("/canarySettings/percentTraffic", percent));
    }
    Ok(list)
}

/// Reads back who gets how many of the requests. A canary that gets all of them unasked is an outage for everybody.
pub(super) async fn verify(aws: &Aws, api: &str, live: &StageSpec, wanted: &StageSpec) -> Result<()> {
    let name = &wanted.name;
    if live.canary == wanted.canary {
        return Ok(());
    }
    let stage = aws.write.apigateway.get_stage().rest_api_id(api).stage_name(name).send().await;
    let stage = stage.map_err(|error| failed(&format!("read stage `{name}`"), error))?;
    let now =
        stage.canary_settings().map(|canary| (canary.percent_traffic(), canary.deployment_id().unwrap_or_default()));
    let asked = wanted.canary.as_ref().map(|canary| Ok::<_, Failure>((canary.percent, canary.deployment.known()?)));
    let asked = asked.transpose()?;
    let same = match (now, asked) {
        (None, None) => true,
        (Some((percent, deployment)), Some((wanted, to))) => (percent - wanted).abs() < 0.01 && deployment == to,
        _ => false,
    };
    if same && stage.deployment_id() == Some(wanted.deployment.known()?) {
        return Ok(());
    }
    let share = now.map_or_else(
        || "no canary".to_owned(),
        |(percent, to)| format!("a canary {to} with {percent} % of the requests"),
    );
    let message = format!(
        "stage `{name}` serves {} with {share}, which is not what was asked for",
        stage.deployment_id().unwrap_or_default()
    );
    Err(Failure::new(FailureKind::Aws, message)
        .hint("look at it with `gwctl canary status`; `gwctl canary abort` ends it"))
}

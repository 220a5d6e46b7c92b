//! Canaries: a share of a stage's requests on another deployment.

use aws_sdk_apigateway::types::{Op, PatchOperation};

use super::{Canary, StageSpec, escaped, operation, patch, replace};
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
    let Canary { percent, deployment, variables, use_stage_cache } = wanted;
    let mut list = Vec::new();
    // The deployment first: any member that is set begins a canary, and one without a deployment of its own would get the
    // stage's.
    if live.map(|canary| &canary.deployment) != Some(deployment) {
        list.push(replace("/canarySettings/deploymentId", deployment.known()?));
    }
    if live.is_some_and(|canary| canary.use_stage_cache) != *use_stage_cache {
        list.push(replace("/canarySettings/useStageCache", use_stage_cache));
    }
    let overridden = live.map(|canary| &canary.variables);
    for (name, value) in variables {
        if overridden.and_then(|all| all.get(name)) != Some(value) {
            list.push(replace(format!("/canarySettings/stageVariableOverrides/{}", escaped(name)), value));
        }
    }
    for name in overridden.into_iter().flatten().map(|(name, _)| name).filter(|name| !variables.contains_key(*name)) {
        list.push(operation(Op::Remove, format!("/canarySettings/stageVariableOverrides/{}", escaped(name)), None));
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
    let now = stage.canary_settings().map(super::canary_of);
    let same = match (&now, &wanted.canary) {
        (None, None) => true,
        (Some(now), Some(wanted)) => {
            // AWS may round the share.
            let rounded = Canary { percent: wanted.percent, ..now.clone() };
            (now.percent - wanted.percent).abs() < 0.01 && rounded == *wanted
        }
        _ => false,
    };
    let served = stage.deployment_id().unwrap_or_default();
    if same && served == wanted.deployment.known()? {
        return Ok(());
    }
    let share = match &now {
        None => "no canary".to_owned(),
        Some(now) => format!("a canary {} with {} % of the requests", now.deployment.known()?, now.percent),
    };
    let message = format!("stage `{name}` serves {served} with {share}, which is not what was asked for");
    Err(Failure::new(FailureKind::Aws, message)
        .hint("look at it with `gwctl canary status`; `gwctl canary abort` ends it"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn canary(percent: f64, variables: &[(&str, &str)]) -> Canary {
        let variables: BTreeMap<_, _> =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Canary { percent, deployment: "d2".into(), variables, use_stage_cache: false }
    }

    fn shown(live: Option<&Canary>, wanted: Option<&Canary>) -> Vec<String> {
        let list = patches(live, wanted).unwrap();
        let words = |one: &PatchOperation| {
            let op = one.op().map(Op::as_str).unwrap_or_default();
            format!("{op} {} {}", one.path().unwrap_or_default(), one.value().unwrap_or_default()).trim_end().to_owned()
        };
        list.iter().map(words).collect()
    }

    #[test]
    fn the_deployment_is_set_before_anybody_is_sent_there() {
        let list = shown(None, Some(&canary(10.0, &[])));
        assert_eq!(list, ["replace /canarySettings/deploymentId d2", "replace /canarySettings/percentTraffic 10"]);
    }

    #[test]
    fn only_what_differs_is_sent_and_what_is_not_wanted_goes() {
        let ten = canary(10.0, &[]);
        assert!(shown(Some(&ten), Some(&ten)).is_empty());
        assert_eq!(shown(Some(&ten), Some(&canary(50.0, &[]))), ["replace /canarySettings/percentTraffic 50"]);
        assert_eq!(
            shown(Some(&canary(10.0, &[("a/b", "1")])), Some(&ten)),
            ["remove /canarySettings/stageVariableOverrides/a~1b"]
        );
        assert_eq!(shown(Some(&ten), None), ["remove /canarySettings"]);
        assert!(shown(None, None).is_empty());
    }
}

//! The patch paths of a usage plan, from the service's table of patch operations.

use super::errors::{Answer, Refusal, bad_request, not_found};
use super::patch::Patch;
use super::patch_paths::{self, Paths};
use super::state::{ApiStage, State, ThrottleSettings, UsagePlan};

/// For `remove` the paths stand in the order of the service's message (reported).
const PATHS: &Paths = &[
    (
        "add",
        &[
            "/apiStages",
            "/productCode",
            "/quota/limit",
            "/quota/offset",
            "/quota/period",
            "/throttle/burstLimit",
            "/throttle/rateLimit",
            "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit",
            "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit",
        ],
    ),
    (
        "replace",
        &[
            "/name",
            "/description",
            "/productCode",
            "/quota/limit",
            "/quota/offset",
            "/quota/period",
            "/throttle/burstLimit",
            "/throttle/rateLimit",
            "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit",
            "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit",
        ],
    ),
    (
        "remove",
        &[
            "/apiStages",
            "/quota",
            "/throttle",
            "/productCode",
            "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>",
            "/apiStages/<apidId:stageName>/throttle",
        ],
    ),
];

/// Applies one patch operation.
pub(super) fn apply(plan: &mut UsagePlan, patch: &Patch, state: &State) -> Answer<()> {
    patch_paths::check(patch, PATHS)?;
    if let Some(rest) = patch.path.strip_prefix("/apiStages/") {
        return method_throttle(plan, patch, rest);
    }
    let removed = patch.op == "remove";
    match patch.path.as_str() {
        "/apiStages" => api_stage(plan, patch, state)?,
        "/name" => patch.text().clone_into(&mut plan.name),
        "/description" => plan.description = patch.text_or_none(),
        "/productCode" => plan.product_code = patch.text_or_none().filter(|_| !removed),
        "/quota" => plan.quota = None,
        "/quota/limit" => plan.quota.get_or_insert_default().limit = number(patch)?,
        "/quota/offset" => plan.quota.get_or_insert_default().offset = number(patch)?,
        "/quota/period" => plan.quota.get_or_insert_default().period = patch.text_or_none(),
        "/throttle" => plan.throttle = None,
        _ => limit(plan.throttle.get_or_insert_default(), patch)?,
    }
    Ok(())
}

/// Adds or removes the stage that the value names: `api:stage`.
fn api_stage(plan: &mut UsagePlan, patch: &Patch, state: &State) -> Answer<()> {
    let (api, name) = parts(patch.text())?;
    let place = plan.api_stages.iter().position(|each| each.is(api, name));
    match (patch.op.as_str(), place) {
        ("add", None) if super::usage_plans::exists(state, api, name) => {
            plan.api_stages.push(ApiStage { api_id: api.into(), stage: name.into(), ..ApiStage::default() });
        }
        ("add", Some(_)) => {}
        ("remove", Some(place)) => drop(plan.api_stages.remove(place)),
        _ => return Err(no_stage(api, name, &plan.id)),
    }
    Ok(())
}

fn parts(text: &str) -> Answer<(&str, &str)> {
    text.split_once(':').ok_or_else(|| bad_request("Invalid API Stage specified"))
}

fn no_stage(api: &str, name: &str, plan: &str) -> Refusal {
    not_found(format!("Invalid API Stage {{api: {api}, stage: {name}}} specified for usageplan {plan}"))
}

/// `API:STAGE/throttle`, `API:STAGE/throttle/PATH/METHOD` or one limit of the latter. Clients write the path `/pets` with
/// its slash, so that two stand side by side, or escape it.
fn method_throttle(plan: &mut UsagePlan, patch: &Patch, rest: &str) -> Answer<()> {
    let (stage, rest) = rest.split_once("/throttle").unwrap_or((rest, ""));
    let (api, name) = parts(stage)?;
    let refusal = no_stage(api, name, &plan.id);
    let stage = plan.api_stages.iter_mut().find(|each| each.is(api, name)).ok_or(refusal)?;
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let method = rest.strip_suffix("/rateLimit").or_else(|| rest.strip_suffix("/burstLimit")).unwrap_or(rest);
    let method = method.replace("~1", "/").replace("~0", "~");
    match patch.op.as_str() {
        "remove" if method.is_empty() => stage.throttle.clear(),
        "remove" => {
            let removed = stage.throttle.remove(&method);
            removed.ok_or_else(|| bad_request(format!("Invalid patch path {}", patch.path)))?;
        }
        _ => limit(stage.throttle.entry(method).or_default(), patch)?,
    }
    Ok(())
}

fn limit(throttle: &mut ThrottleSettings, patch: &Patch) -> Answer<()> {
    if patch.path.ends_with("/burstLimit") {
        throttle.burst_limit = number(patch)?;
    } else {
        let rate = patch.text().parse().ok().filter(|rate: &f64| rate.is_finite());
        throttle.rate_limit = rate.ok_or_else(|| invalid(patch))?;
    }
    Ok(())
}

fn number(patch: &Patch) -> Answer<i64> {
    patch.text().parse().map_err(|_| invalid(patch))
}

/// The words are a guess.
fn invalid(patch: &Patch) -> Refusal {
    bad_request(format!("Invalid value '{}' for path {}", patch.text(), patch.path))
}

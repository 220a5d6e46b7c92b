//! Stages: names under which deployments serve (aws-facts F).

use serde::Deserialize;

use super::errors::{Answer, Refusal, bad_request, conflict, limit_exceeded, not_found, one_of, required};
use super::state::{CanarySettings, RestApi, Stage, Strings};
use super::{
    Call, Response, accepted, account, base_path_mappings, created, deployments, ok, patch, stage_patch, tags, to_json,
    usage_plans,
};

/// Stages that one API may have (aws-facts A).
const LIMIT: usize = 10;

const CACHE_SIZES: [&str; 8] = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    stage_name: Option<String>,
    deployment_id: Option<String>,
    description: Option<String>,
    cache_cluster_enabled: Option<bool>,
    cache_cluster_size: Option<String>,
    variables: Option<Strings>,
    documentation_version: Option<String>,
    canary_settings: Option<CanaryInput>,
    tracing_enabled: Option<bool>,
    tags: Option<Strings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CanaryInput {
    percent_traffic: Option<f64>,
    deployment_id: Option<String>,
    stage_variable_overrides: Option<Strings>,
    use_stage_cache: Option<bool>,
}

/// `/restapis/{api}/stages…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => list(call, api),
        ("GET", [name]) => Ok(ok(call.api(api)?.stages.get(*name).ok_or_else(no_stage)?)),
        ("POST", []) => create(call, api),
        ("PATCH", [name]) => update(call, api, name),
        ("DELETE", [name]) => {
            call.api(api)?.stages.get(*name).ok_or_else(no_stage)?;
            base_path_mappings::check_stage_unmapped(call.state(), api, name)?;
            call.api_mut(api)?.stages.remove(*name);
            usage_plans::forget_stage(call.state_mut(), api, Some(name));
            Ok(accepted())
        }
        // Integrations' answers are not cached here, so there is nothing to flush; the stage has to exist all the same.
        ("DELETE", [name, "cache", "data"]) => {
            call.api(api)?.stages.get(*name).ok_or_else(no_stage)?;
            Ok(accepted())
        }
        // The answers of authorizers are kept by whoever serves the stage, which may be another process: it looks for a
        // number that has changed.
        ("DELETE", [name, "cache", "authorizers"]) => {
            let api = call.api_mut(api)?;
            api.stages.get(*name).ok_or_else(no_stage)?;
            *api.authorizer_flushes.entry((*name).to_owned()).or_default() += 1;
            Ok(accepted())
        }
        _ => Err(call.unknown()),
    }
}

/// No such stage.
pub(super) fn no_stage() -> Refusal {
    not_found("Invalid stage identifier specified")
}

/// A new stage with the service's defaults, if the API has room for it.
pub(super) fn blank(api: &RestApi, name: &str, deployment: &str, now: f64) -> Answer<Stage> {
    let valid = (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !valid {
        // The words name no hyphen, but the service takes it (API reference).
        return Err(bad_request("Stage name only allows a-zA-Z0-9_"));
    }
    if api.stages.contains_key(name) {
        return Err(conflict("Stage already exists"));
    }
    if api.stages.len() >= LIMIT {
        return Err(limit_exceeded(
            "Maximum number of Stages for this API has been reached.  Please contact AWS if you need additional Stages.",
        ));
    }
    Ok(Stage {
        stage_name: name.to_owned(),
        deployment_id: deployment.to_owned(),
        cache_cluster_status: "NOT_AVAILABLE".into(),
        created_date: now,
        last_updated_date: now,
        ..Stage::default()
    })
}

/// Sets the cache cluster. The sandbox has no caches to wait for, so one is available at once.
pub(super) fn set_cache(stage: &mut Stage, enabled: Option<bool>, size: Option<&str>) -> Answer<()> {
    if let Some(size) = size.filter(|size| !size.is_empty()) {
        one_of(size, "createStageInput.cacheClusterSize", &CACHE_SIZES)?;
        stage.cache_cluster_size = Some(size.to_owned());
    }
    if let Some(enabled) = enabled {
        stage.cache_cluster_enabled = enabled;
        let status = if enabled { "AVAILABLE" } else { "NOT_AVAILABLE" };
        status.clone_into(&mut stage.cache_cluster_status);
    }
    if stage.cache_cluster_enabled {
        stage.cache_cluster_size.get_or_insert_with(|| "0.5".into());
    }
    Ok(())
}

/// Refuses stage variables with characters the service does not take (aws-facts A).
pub(super) fn check_variables(variables: &Strings) -> Answer<()> {
    for (name, value) in variables {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(bad_request(format!(
                "Invalid stage variable name: {name}. Please use names with only word characters."
            )));
        }
        if value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c)) {
            return Err(bad_request(format!(
                "Invalid stage variable value of key {name}.  Please use values with alphanumeric characters and the \
                 symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
            )));
        }
    }
    Ok(())
}

/// Refuses a share of the traffic that is none.
pub(super) fn check_percent(percent: f64) -> Answer<()> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(());
    }
    Err(bad_request("Invalid canary percent traffic. The value must be between 0.0 and 100.0"))
}

fn list(call: &Call<'_, '_>, api: &str) -> Answer {
    let wanted = call.request.parameter("deploymentId");
    let stages = call.api(api)?.stages.values();
    let shown: Vec<_> = stages.filter(|stage| wanted.is_none_or(|id| stage.deployment_id == id)).map(to_json).collect();
    // The one list without pages.
    Ok(Response::json(200, &serde_json::json!({ "item": shown })))
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let input: CreateInput = call.body()?;
    let name = required(input.stage_name, "createStageInput.stageName")?;
    let deployment = required(input.deployment_id, "createStageInput.deploymentId")?;
    let now = call.now();
    let api = call.api_mut(api)?;
    let mut stage = blank(api, &name, &deployment, now)?;
    api.deployment(&deployment).ok_or_else(deployments::no_deployment)?;
    if let Some(version) = &input.documentation_version
        && !api.documentation_versions.contains_key(version)
    {
        return Err(not_found("Invalid Documentation version specified"));
    }
    stage.variables = input.variables.unwrap_or_default();
    check_variables(&stage.variables)?;
    stage.tags = input.tags.unwrap_or_default();
    tags::check(&stage.tags)?;
    if let Some(canary) = input.canary_settings {
        let CanaryInput { percent_traffic, deployment_id, stage_variable_overrides, use_stage_cache } = canary;
        let deployment_id = deployment_id.unwrap_or(deployment);
        api.deployment(&deployment_id).ok_or_else(|| bad_request("Deployment id does not exist"))?;
        let percent_traffic = percent_traffic.unwrap_or_default();
        check_percent(percent_traffic)?;
        stage.canary_settings = Some(CanarySettings {
            percent_traffic,
            deployment_id,
            stage_variable_overrides: stage_variable_overrides.unwrap_or_default(),
            use_stage_cache: use_stage_cache.unwrap_or_default(),
        });
    }
    stage.description = input.description.filter(|text| !text.is_empty());
    stage.documentation_version = input.documentation_version;
    stage.tracing_enabled = input.tracing_enabled.unwrap_or_default();
    set_cache(&mut stage, input.cache_cluster_enabled, input.cache_cluster_size.as_deref())?;
    let answer = created(&stage);
    api.stages.insert(name, stage);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, name: &str) -> Answer {
    let patches = patch::read(call, "updateStageInput")?;
    let now = call.now();
    let can_log = account::logs_role(call.state(), call.caller()).is_some();
    let caller = call.caller().clone();
    let certificates = call.state().client_certificates.iter();
    let certificates = certificates.map(|certificate| certificate.client_certificate_id.clone()).collect();
    let api = call.api_mut(api)?;
    let mut draft = api.stages.get(name).ok_or_else(no_stage)?.clone();
    let around = stage_patch::Around { api, caller: &caller, can_log, certificates };
    for patch in &patches {
        stage_patch::apply(&mut draft, patch, &around)?;
    }
    draft.last_updated_date = now;
    let answer = ok(&draft);
    api.stages.insert(name.to_owned(), draft);
    Ok(answer)
}

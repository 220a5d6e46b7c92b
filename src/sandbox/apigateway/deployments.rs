//! Deployments: frozen copies of a definition.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{Answer, Refusal, bad_request, not_found, patch_path};
use super::patch::Patch;
use super::state::{CanarySettings, Definition, Deployment, RestApi, Stage, Strings};
use super::{Call, accepted, created, ok, patch, stages};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    cache_cluster_enabled: Option<bool>,
    cache_cluster_size: Option<String>,
    variables: Option<Strings>,
    canary_settings: Option<CanaryInput>,
    tracing_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CanaryInput {
    percent_traffic: Option<f64>,
    stage_variable_overrides: Option<Strings>,
    use_stage_cache: Option<bool>,
}

/// `/restapis/{api}/deployments…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.api(api)?.deployments.iter().map(|deployment| describe(deployment, false))),
        ("GET", [id]) => {
            let embed = call.request.query.iter().any(|(name, value)| name == "embed" && value == "apisummary");
            Ok(ok(&describe(call.api(api)?.deployment(id).ok_or_else(no_deployment)?, embed)))
        }
        ("POST", []) => create(call, api),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => delete(call, api, id),
        _ => Err(call.unknown()),
    }
}

/// No such deployment.
pub(super) fn no_deployment() -> Refusal {
    not_found("Invalid Deployment identifier specified")
}

fn describe(deployment: &Deployment, summary: bool) -> Value {
    let mut shown = json!({ "id": deployment.id, "createdDate": deployment.created });
    if let Some(description) = &deployment.description {
        shown["description"] = description.as_str().into();
    }
    if summary {
        let mut paths = Map::new();
        for resource in deployment.snapshot.resources.values().filter(|resource| !resource.resource_methods.is_empty())
        {
            let methods: Map<String, Value> = resource
                .resource_methods
                .iter()
                .map(|(name, method)| {
                    let summary = json!({
                        "authorizationType": method.authorization_type,
                        "apiKeyRequired": method.api_key_required,
                    });
                    (name.clone(), summary)
                })
                .collect();
            paths.insert(resource.path.clone(), methods.into());
        }
        shown["apiSummary"] = paths.into();
    }
    shown
}

fn create(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let input: CreateInput = call.body()?;
    let new_id = call.new_id();
    let now = call.now();
    let api = call.api_mut(id)?;
    check_deployable(&api.definition)?;
    check_stage(api, &input)?;
    let deployment = Deployment {
        id: new_id,
        description: input.description.clone().filter(|text| !text.is_empty()),
        created: now,
        snapshot: api.definition.clone(),
    };
    if let Some(stage) = stage_after(api, &input, &deployment.id, now)? {
        api.stages.insert(stage.stage_name.clone(), stage);
    }
    let answer = created(&describe(&deployment, false));
    api.deployments.push(deployment);
    Ok(answer)
}

/// Refuses a definition that can't be served.
fn check_deployable(definition: &Definition) -> Answer<()> {
    let mut methods = definition.resources.values().flat_map(|resource| resource.resource_methods.values()).peekable();
    if methods.peek().is_none() {
        return Err(bad_request("The REST API doesn't contain any methods"));
    }
    if methods.any(|method| method.method_integration.is_none()) {
        return Err(bad_request("No integration defined for method"));
    }
    let private = definition.endpoint.types.iter().any(|name| name == "PRIVATE");
    if private && definition.policy.is_none() {
        return Err(bad_request("Private REST API doesn't have a resource policy attached to it"));
    }
    Ok(())
}

/// Refuses a stage that the deployment can't go to. A canary takes a canary deployment and nothing else.
fn check_stage(api: &RestApi, input: &CreateInput) -> Answer<()> {
    let name = input.stage_name.as_deref();
    let stage = name.and_then(|name| api.stages.get(name));
    if input.canary_settings.is_some() {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(bad_request(format!(
                "Invalid deployment content specified.Non null and non empty stageName must be provided for canary \
                 deployment. Provided value is {}",
                name.unwrap_or("null")
            )));
        };
        if stage.is_none() {
            return Err(bad_request(format!(
                "Invalid deployment content specified.Stage {name} must already be created before making a canary \
                 release deployment"
            )));
        }
    } else if let Some(stage) = stage.filter(|stage| stage.canary_settings.is_some()) {
        return Err(bad_request(format!(
            "Invalid deployment content specified.Non canary deployment not supported on stage {} because Canary is \
             enabled. Provide CanarySettings in deploymentInput.",
            stage.stage_name
        )));
    }
    Ok(())
}

/// The stage as it is once the deployment went to it, new or moved.
fn stage_after(api: &RestApi, input: &CreateInput, deployment: &str, now: f64) -> Answer<Option<Stage>> {
    let Some(name) = input.stage_name.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let mut stage = match api.stages.get(name) {
        Some(stage) => stage.clone(),
        None => stages::blank(api, name, deployment, now)?,
    };
    if let Some(canary) = &input.canary_settings {
        let percent_traffic = canary.percent_traffic.unwrap_or_default();
        stages::check_percent(percent_traffic)?;
        stage.canary_settings = Some(CanarySettings {
            percent_traffic,
            deployment_id: deployment.to_owned(),
            stage_variable_overrides: canary.stage_variable_overrides.clone().unwrap_or_default(),
            use_stage_cache: canary.use_stage_cache.unwrap_or_default(),
        });
    } else {
        deployment.clone_into(&mut stage.deployment_id);
    }
    if let Some(variables) = &input.variables {
        stages::check_variables(variables)?;
        stage.variables = variables.clone();
    }
    if let Some(description) = input.stage_description.clone().filter(|text| !text.is_empty()) {
        stage.description = Some(description);
    }
    if let Some(tracing) = input.tracing_enabled {
        stage.tracing_enabled = tracing;
    }
    stages::set_cache(&mut stage, input.cache_cluster_enabled, input.cache_cluster_size.as_deref())?;
    stage.last_updated_date = now;
    Ok(Some(stage))
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let patches = patch::read(call, "updateDeploymentInput")?;
    let api = call.api_mut(api)?;
    let deployment = api.deployments.iter_mut().find(|each| each.id == id).ok_or_else(no_deployment)?;
    let mut description = deployment.description.clone();
    for patch in &patches {
        describe_anew(&mut description, patch)?;
    }
    deployment.description = description;
    Ok(ok(&describe(deployment, false)))
}

fn describe_anew(description: &mut Option<String>, patch: &Patch) -> Answer<()> {
    if patch.path != "/description" {
        return Err(patch_path(&patch.path));
    }
    patch.only_replace()?;
    *description = patch.text_or_none();
    Ok(())
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let api = call.api_mut(api)?;
    api.deployment(id).ok_or_else(no_deployment)?;
    let in_use = |stage: &Stage| {
        stage.deployment_id == id || stage.canary_settings.as_ref().is_some_and(|canary| canary.deployment_id == id)
    };
    if api.stages.values().any(in_use) {
        return Err(bad_request("Active stages pointing to this deployment must be moved or deleted"));
    }
    api.deployments.retain(|deployment| deployment.id != id);
    Ok(accepted())
}

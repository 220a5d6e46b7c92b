//! Deployments: frozen copies of an API that stages serve.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, created, no_content, ok, put, timestamp};
use super::errors::{Answer, bad_request, length, not_found};
use super::stages;
use super::state::{Api, Deployment};
use crate::sandbox::fault::Fault;

/// How many deployments that were made by themselves outlive the stages' moving on. How many AWS keeps is not documented;
/// an API whose 300 routes are made one by one would have as many here.
const KEPT: usize = 10;

/// The description of a deployment that was made by itself (examples of the AWS CLI).
const BY_ITSELF: &str = "Automatic deployment triggered by changes to the Api configuration";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    description: Option<String>,
    stage_name: Option<String>,
}

/// `/v2/apis/{api}/deployments…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.api(api)?.deployments.iter().rev().map(describe)),
        ("POST", []) => create(call, api),
        ("GET", [id]) => Ok(ok(&describe(call.api(api)?.deployment(id).ok_or_else(|| no_deployment(id))?))),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => delete(call, api, id),
        _ => Err(call.unknown()),
    }
}

/// No such deployment.
pub(super) fn no_deployment(id: &str) -> Fault {
    not_found(format!("Invalid Deployment identifier specified {id}"))
}

fn describe(deployment: &Deployment) -> Value {
    let mut shown = json!({
        "autoDeployed": deployment.auto_deployed,
        "createdDate": timestamp(deployment.created),
        "deploymentId": deployment.id,
        "deploymentStatus": "DEPLOYED",
    });
    if let Some(description) = &deployment.description {
        shown["description"] = description.as_str().into();
    }
    shown
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let Input { description, stage_name } = call.body()?;
    if let Some(text) = &description {
        length(text, "description", 0, 1024)?;
    }
    let held = call.api(api)?;
    check_routes(held)?;
    if let Some(name) = &stage_name {
        let stage = held.stages.get(name).ok_or_else(stages::no_stage)?;
        if stage.auto_deploy {
            return Err(stages::deploys_by_itself(call.caller(), api));
        }
    }
    let (id, now) = (call.view.new_id(6), call.now());
    let description = description.filter(|text| !text.is_empty());
    let held = call.api_mut(api)?;
    let snapshot = held.definition.clone();
    let deployment = Deployment { id: id.clone(), created: now, description, auto_deployed: false, snapshot };
    let answer = created(&describe(&deployment));
    held.deployments.push(deployment);
    if let Some(stage) = stage_name.and_then(|name| held.stages.get_mut(&name)) {
        stage.deployment_id = Some(id);
        stage.updated = now;
    }
    Ok(answer)
}

/// An API without routes can't be deployed (reported).
fn check_routes(api: &Api) -> Answer<()> {
    if api.definition.routes.is_empty() {
        return Err(bad_request("Unable to deploy API because no routes exist in this API"));
    }
    Ok(())
}

/// Deploys an API as it is now to its stages that deploy by themselves: one deployment for all of them.
pub(super) fn deploy_by_itself(call: &mut Call<'_, '_>, api: &str) -> Answer<()> {
    if !call.api(api)?.stages.values().any(|stage| stage.auto_deploy) {
        return Ok(());
    }
    let (id, now) = (call.view.new_id(6), call.now());
    let held = call.api_mut(api)?;
    let outcome = check_routes(held);
    if outcome.is_ok() {
        let description = Some(BY_ITSELF.to_owned());
        let snapshot = held.definition.clone();
        held.deployments.push(Deployment { id: id.clone(), created: now, description, auto_deployed: true, snapshot });
    }
    for stage in held.stages.values_mut().filter(|stage| stage.auto_deploy) {
        stage.last_deployment_status_message = Some(match &outcome {
            Ok(()) => format!("Successfully deployed stage with deployment ID '{id}'"),
            // That a stage tells of it is a guess, as are the first words. It goes on serving what it served.
            Err(fault) => format!("Deployment attempt failed: {}", fault.message),
        });
        if outcome.is_ok() {
            stage.deployment_id = Some(id.clone());
        }
    }
    prune(held);
    Ok(())
}

fn prune(api: &mut Api) {
    let served = |id: &str| api.stages.values().any(|stage| stage.deployment_id.as_deref() == Some(id));
    let left = api.deployments.iter().filter(|one| one.auto_deployed && !served(&one.id));
    let left: Vec<String> = left.map(|one| one.id.clone()).collect();
    let gone = &left[..left.len().saturating_sub(KEPT)];
    api.deployments.retain(|one| !gone.contains(&one.id));
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let Input { description, .. } = call.body()?;
    if let Some(text) = &description {
        length(text, "description", 0, 1024)?;
    }
    let deployments = &mut call.api_mut(api)?.deployments;
    let deployment = deployments.iter_mut().find(|one| one.id == id).ok_or_else(|| no_deployment(id))?;
    put(&mut deployment.description, description);
    Ok(ok(&describe(deployment)))
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let held = call.api_mut(api)?;
    held.deployment(id).ok_or_else(|| no_deployment(id))?;
    if held.stages.values().any(|stage| stage.deployment_id.as_deref() == Some(id)) {
        // The words of REST APIs (aws-facts A).
        return Err(bad_request("Active stages pointing to this deployment must be moved or deleted"));
    }
    held.deployments.retain(|one| one.id != id);
    Ok(no_content())
}

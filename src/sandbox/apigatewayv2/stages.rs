//! Stages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, created, no_content, ok, put, timestamp, to_json};
use super::errors::{Answer, bad_request, conflict, length, limit_exceeded, not_found, only_websocket, required};
use super::stage_rules::{self, RouteSettingsInput};
use super::state::{AccessLogSettings, Api, RouteSettings, Stage, Strings};
use super::{api_mappings, deployments, tags};
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::Caller;

/// Stages that one API may have (API Gateway's quotas).
const LIMIT: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    access_log_settings: Option<AccessLogSettings>,
    auto_deploy: Option<bool>,
    client_certificate_id: Option<String>,
    default_route_settings: Option<RouteSettingsInput>,
    deployment_id: Option<String>,
    description: Option<String>,
    route_settings: Option<BTreeMap<String, RouteSettingsInput>>,
    stage_name: Option<String>,
    stage_variables: Option<Strings>,
    tags: Option<Strings>,
}

/// `/v2/apis/{api}/stages…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.api(api)?.stages.values().map(describe)),
        ("POST", []) => create(call, api),
        ("GET", [name]) => Ok(ok(&describe(find(call.api(api)?, name)?))),
        ("PATCH", [name]) => update(call, api, name),
        ("DELETE", [name]) => {
            find(call.api(api)?, name)?;
            api_mappings::check_stage_unmapped(call, api, name)?;
            call.api_mut(api)?.stages.remove(*name);
            Ok(no_content())
        }
        ("DELETE", [name, "accesslogsettings"]) => {
            stage_mut(call, api, name)?.access_log_settings = None;
            Ok(no_content())
        }
        ("DELETE", [name, "cache", "authorizers"]) => {
            stage_mut(call, api, name)?.authorizer_resets += 1;
            Ok(no_content())
        }
        ("DELETE", [name, "routesettings", key]) => {
            if !find(call.api(api)?, name)?.route_settings.contains_key(*key) {
                // The words are a guess.
                return Err(not_found(format!("Unable to find Route Settings for route key {key}")));
            }
            stage_mut(call, api, name)?.route_settings.remove(*key);
            Ok(no_content())
        }
        _ => Err(call.unknown()),
    }
}

/// No such stage.
pub(super) fn no_stage() -> Fault {
    not_found("Invalid stage identifier specified")
}

/// A stage that deploys by itself has no deployment chosen for it (reported).
pub(super) fn deploys_by_itself(caller: &Caller, api: &str) -> Fault {
    let account = &caller.account;
    bad_request(format!("Deployment ID cannot be set on this stage {account}:{api} because AutoDeploy is enabled."))
}

fn find<'a>(api: &'a Api, name: &str) -> Answer<&'a Stage> {
    api.stages.get(name).ok_or_else(no_stage)
}

fn stage_mut<'c>(call: &'c mut Call<'_, '_>, api: &str, name: &str) -> Answer<&'c mut Stage> {
    let now = call.now();
    let stage = call.api_mut(api)?.stages.get_mut(name).ok_or_else(no_stage)?;
    stage.updated = now;
    Ok(stage)
}

/// A stage as the service shows it; `autoDeploy` only where it is set (examples of the AWS CLI).
fn describe(stage: &Stage) -> Value {
    let mut shown = json!({
        "createdDate": timestamp(stage.created),
        "defaultRouteSettings": stage.default_route_settings,
        "lastUpdatedDate": timestamp(stage.updated),
        "routeSettings": stage.route_settings,
        "stageName": stage.name,
        "stageVariables": stage.stage_variables,
        "tags": stage.tags,
    });
    if stage.auto_deploy {
        shown["autoDeploy"] = true.into();
    }
    for (member, text) in [
        ("deploymentId", &stage.deployment_id),
        ("description", &stage.description),
        ("lastDeploymentStatusMessage", &stage.last_deployment_status_message),
    ] {
        if let Some(text) = text {
            shown[member] = text.as_str().into();
        }
    }
    if let Some(settings) = &stage.access_log_settings {
        shown["accessLogSettings"] = to_json(settings);
    }
    shown
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let mut input: Input = call.body()?;
    let name = required(input.stage_name.take(), "stageName")?;
    stage_rules::name(&name)?;
    let given_tags = input.tags.take().unwrap_or_default();
    tags::check(&given_tags)?;
    let now = call.now();
    let default_route_settings = RouteSettings { detailed_metrics_enabled: Some(false), ..RouteSettings::default() };
    let mut stage = Stage {
        name: name.clone(),
        created: now,
        updated: now,
        default_route_settings,
        tags: given_tags,
        ..Stage::default()
    };
    let held = call.api(api)?;
    apply(&mut stage, input, held, call.caller())?;
    if held.stages.contains_key(&name) {
        return Err(conflict("Stage already exists"));
    }
    if held.stages.len() >= LIMIT {
        return Err(limit_exceeded("stages"));
    }
    // The answer comes before the first deployment that it makes by itself.
    let answer = created(&describe(&stage));
    let deploys = stage.auto_deploy;
    call.api_mut(api)?.stages.insert(name, stage);
    if deploys {
        deployments::deploy_by_itself(call, api)?;
    }
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, name: &str) -> Answer {
    let input: Input = call.body()?;
    let held = call.api(api)?;
    let before = find(held, name)?;
    let mut draft = before.clone();
    apply(&mut draft, input, held, call.caller())?;
    let begins = draft.auto_deploy && !before.auto_deploy;
    draft.updated = call.now();
    let shown = describe(&draft);
    call.api_mut(api)?.stages.insert(name.to_owned(), draft);
    if begins {
        deployments::deploy_by_itself(call, api)?;
    }
    Ok(ok(&shown))
}

fn apply(stage: &mut Stage, input: Input, api: &Api, caller: &Caller) -> Answer<()> {
    if input.client_certificate_id.is_some_and(|id| !id.is_empty()) {
        return Err(only_websocket("clientCertificateId"));
    }
    if let Some(text) = &input.description {
        length(text, "description", 0, 1024)?;
    }
    put(&mut stage.description, input.description);
    if let Some(auto) = input.auto_deploy {
        stage.auto_deploy = auto;
    }
    if let Some(id) = input.deployment_id.filter(|id| !id.is_empty()) {
        if stage.auto_deploy {
            return Err(deploys_by_itself(caller, &api.id));
        }
        api.deployment(&id).ok_or_else(|| deployments::no_deployment(&id))?;
        stage.deployment_id = Some(id);
    }
    // Settings that are given take the place of the old ones as a whole (a guess: nothing says what becomes of the members
    // that are left out of an update). Those of other routes stay; only DeleteRouteSettings takes them away.
    if let Some(given) = input.default_route_settings {
        stage.default_route_settings = stage_rules::route_settings(given)?;
        stage.default_route_settings.detailed_metrics_enabled.get_or_insert(false);
    }
    for (key, given) in input.route_settings.unwrap_or_default() {
        if !api.definition.routes.iter().any(|route| route.route_key == key) {
            // Reported.
            return Err(not_found(format!("Unable to find Route by key {key} within the provided RouteSettings")));
        }
        stage.route_settings.insert(key, stage_rules::route_settings(given)?);
    }
    stage_rules::variables(&mut stage.stage_variables, input.stage_variables.unwrap_or_default())?;
    if let Some(given) = input.access_log_settings {
        stage_rules::access_log(&mut stage.access_log_settings, given, caller)?;
    }
    Ok(())
}

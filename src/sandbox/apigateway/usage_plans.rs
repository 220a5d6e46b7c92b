//! Usage plans and their keys: which keys open which stages, and how often.
//!
//! Answers and refusals are those of recordings of 2024 and 2025 unless a comment says otherwise.

use serde::Deserialize;

use super::errors::{Answer, Refusal, bad_request, conflict, not_found, one_of, required};
use super::state::{ApiStage, QuotaSettings, State, Strings, ThrottleSettings, UsagePlan};
use super::{Call, accepted, api_keys, created, ok, patch, tags, to_json, usage_plan_patch};

const PERIODS: [&str; 3] = ["DAY", "WEEK", "MONTH"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    description: Option<String>,
    api_stages: Option<Vec<StageInput>>,
    throttle: Option<ThrottleSettings>,
    quota: Option<QuotaSettings>,
    tags: Option<Strings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageInput {
    api_id: Option<String>,
    stage: Option<String>,
    throttle: Option<std::collections::BTreeMap<String, ThrottleSettings>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInput {
    key_id: Option<String>,
    key_type: Option<String>,
}

/// `/usageplans…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => {
            let key = call.request.parameter("keyId");
            let state = call.state();
            call.page(
                state.usage_plans.iter().filter(|plan| key.is_none_or(|key| keys(state, &plan.id).any(|id| id == key))),
            )
        }
        ("POST", []) => create(call),
        ("GET", [id]) => {
            let plan = find(call.state(), id)?;
            Ok(ok(&tags::shown(to_json(plan), &plan.tags)))
        }
        ("PATCH", [id]) => update(call, id),
        ("DELETE", [id]) => delete(call, id),
        ("GET", [plan, "keys"]) => list_keys(call, plan),
        ("POST", [plan, "keys"]) => add_key(call, plan),
        ("GET", [plan, "keys", key]) => {
            find_key(call.state(), plan, key)?;
            Ok(ok(&api_keys::of_plan(api_keys::find(call.state(), key)?)))
        }
        ("DELETE", [plan, "keys", key]) => {
            find_key(call.state(), plan, key)?;
            call.state_mut().usage_plan_keys.entry((*plan).to_owned()).or_default().retain(|id| id != key);
            Ok(accepted())
        }
        _ => Err(call.unknown()),
    }
}

/// No such plan.
pub(super) fn no_plan() -> Refusal {
    not_found("Invalid Usage Plan ID specified")
}

/// Takes a deleted key out of every plan.
pub(super) fn forget_key(state: &mut State, key: &str) {
    state.usage_plan_keys.values_mut().for_each(|keys| keys.retain(|id| id != key));
}

/// Takes a deleted stage, or all stages of a deleted API, out of every plan and key. (That a plan loses a deleted stage
/// is reported by Terraform's maintainers.)
pub(super) fn forget_stage(state: &mut State, api: &str, name: Option<&str>) {
    let gone = |id: &str, stage: &str| id == api && name.is_none_or(|name| name == stage);
    for plan in &mut state.usage_plans {
        plan.api_stages.retain(|each| !gone(&each.api_id, &each.stage));
    }
    for key in &mut state.api_keys {
        key.stage_keys.retain(|each| !each.split_once('/').is_some_and(|(id, stage)| gone(id, stage)));
    }
}

fn find<'s>(state: &'s State, id: &str) -> Answer<&'s UsagePlan> {
    state.usage_plans.iter().find(|plan| plan.id == id).ok_or_else(no_plan)
}

fn keys<'s>(state: &'s State, plan: &str) -> impl Iterator<Item = &'s str> {
    state.usage_plan_keys.get(plan).into_iter().flatten().map(String::as_str)
}

fn find_key(state: &State, plan: &str, key: &str) -> Answer<()> {
    find(state, plan)?;
    let found = keys(state, plan).any(|id| id == key);
    // The words are a guess.
    if found { Ok(()) } else { Err(not_found("Invalid Usage Plan Key identifier specified")) }
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let input: CreateInput = call.body()?;
    let name = required(input.name, "createUsagePlanInput.name")?;
    if let Some(period) = input.quota.as_ref().and_then(|quota| quota.period.as_deref()) {
        one_of(period, "createUsagePlanInput.quota.period", &PERIODS)?;
    }
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let mut api_stages: Vec<ApiStage> = Vec::new();
    for StageInput { api_id, stage, throttle } in input.api_stages.unwrap_or_default() {
        let (api_id, stage) = (api_id.unwrap_or_default(), stage.unwrap_or_default());
        if !exists(call.state(), &api_id, &stage) {
            // Reported.
            return Err(not_found(format!("API Stage not found: {api_id}:{stage}")));
        }
        if api_stages.iter().all(|each| !each.is(&api_id, &stage)) {
            api_stages.push(ApiStage { api_id, stage, throttle: throttle.unwrap_or_default() });
        }
    }
    let plan = UsagePlan {
        id: call.new_id(),
        name,
        description: input.description.filter(|text| !text.is_empty()),
        api_stages,
        throttle: input.throttle,
        quota: input.quota,
        product_code: None,
        tags,
    };
    check(&plan)?;
    let answer = created(&plan);
    call.state_mut().usage_plans.push(plan);
    Ok(answer)
}

/// Whether an API has a stage.
pub(super) fn exists(state: &State, api: &str, name: &str) -> bool {
    state.apis.iter().any(|each| each.id == api && each.stages.contains_key(name))
}

/// Checks a plan as a whole. The words are guesses, those of the offset after what clients say of it.
fn check(plan: &UsagePlan) -> Answer<()> {
    if plan.name.is_empty() {
        return Err(bad_request("Usage Plan name cannot be blank"));
    }
    let methods = plan.api_stages.iter().flat_map(|stage| stage.throttle.values());
    if plan.throttle.iter().chain(methods).any(|throttle| throttle.burst_limit < 0 || throttle.rate_limit < 0.0) {
        return Err(bad_request("Usage Plan throttle limits must not be negative"));
    }
    let Some(QuotaSettings { limit, offset, period }) = &plan.quota else { return Ok(()) };
    if *limit < 0 {
        return Err(bad_request("Usage Plan quota limit must not be negative"));
    }
    let (days, allowed) = match period.as_deref() {
        Some("DAY") => ("zero", 0..=0),
        Some("WEEK") => ("between zero and six inclusively", 0..=6),
        Some("MONTH") => ("between zero and 27 inclusively", 0..=27),
        _ => {
            return Err(bad_request(format!(
                "Invalid quota period specified. Valid options are {}",
                PERIODS.join(",")
            )));
        }
    };
    if !allowed.contains(offset) {
        let period = period.as_deref().unwrap_or_default();
        return Err(bad_request(format!("Usage Plan quota offset must be {days} in the {period} period")));
    }
    Ok(())
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let patches = patch::read(call, "updateUsagePlanInput")?;
    let mut draft = find(call.state(), id)?.clone();
    for patch in &patches {
        usage_plan_patch::apply(&mut draft, patch, call.state())?;
    }
    check(&draft)?;
    for key in keys(call.state(), id) {
        check_single(call.state(), &draft, key)?;
    }
    let shown = tags::shown(to_json(&draft), &draft.tags);
    if let Some(plan) = call.state_mut().usage_plans.iter_mut().find(|plan| plan.id == id) {
        *plan = draft;
    }
    Ok(ok(&shown))
}

fn delete(call: &mut Call<'_, '_>, id: &str) -> Answer {
    if let Some(stage) = find(call.state(), id)?.api_stages.first() {
        // Reported.
        return Err(bad_request(format!(
            "Cannot delete Usage Plan {id} because there are API Stages associated with it, including {}:{}",
            stage.api_id, stage.stage
        )));
    }
    let state = call.state_mut();
    state.usage_plans.retain(|plan| plan.id != id);
    state.usage_plan_keys.remove(id);
    Ok(accepted())
}

/// The keys of a plan. A plan that is not there has none (recorded).
fn list_keys(call: &Call<'_, '_>, plan: &str) -> Answer {
    let prefix = call.request.parameter("name").unwrap_or_default();
    let state = call.state();
    let keys = keys(state, plan).filter_map(|id| state.api_keys.iter().find(|key| key.id == id));
    let named = keys.filter(|key| key.name.as_deref().unwrap_or_default().starts_with(prefix));
    call.page(named.map(api_keys::of_plan))
}

fn add_key(call: &mut Call<'_, '_>, plan: &str) -> Answer {
    let KeyInput { key_id, key_type } = call.body()?;
    let id = required(key_id, "createUsagePlanKeyInput.keyId")?;
    let kind = required(key_type, "createUsagePlanKeyInput.keyType")?;
    let usage_plan = find(call.state(), plan)?;
    if kind != "API_KEY" {
        // The words are a guess.
        return Err(bad_request("Invalid key type specified. Valid options are API_KEY"));
    }
    let key = api_keys::find(call.state(), &id)?;
    if keys(call.state(), plan).any(|each| each == id) {
        // The words are a guess.
        return Err(conflict(format!("Usage Plan Key {id} already exists in Usage Plan {plan}")));
    }
    check_single(call.state(), usage_plan, &id)?;
    let answer = created(&api_keys::of_plan(key));
    call.state_mut().usage_plan_keys.entry(plan.to_owned()).or_default().insert(0, id);
    Ok(answer)
}

/// A key may have one plan for each stage (developer guide). The words are a guess.
fn check_single(state: &State, plan: &UsagePlan, key: &str) -> Answer<()> {
    let others = state.usage_plans.iter().filter(|other| other.id != plan.id);
    for other in others.filter(|other| keys(state, &other.id).any(|id| id == key)) {
        let shared = plan
            .api_stages
            .iter()
            .find(|stage| other.api_stages.iter().any(|each| each.is(&stage.api_id, &stage.stage)));
        if let Some(stage) = shared {
            return Err(conflict(format!(
                "API Key {key} cannot reference multiple Usage Plans with the same API Stage: {}:{}",
                stage.api_id, stage.stage
            )));
        }
    }
    Ok(())
}

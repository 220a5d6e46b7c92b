//! The patch paths of a stage: its members, method settings and canary (aws-facts F).

use super::errors::{Answer, bad_request, not_found};
use super::patch::Patch;
use super::stage_logging;
use super::stages::{check_percent, check_variables, set_cache};
use super::state::{CanarySettings, MethodSetting, RestApi, Stage};
use crate::sandbox::wire::Caller;

/// The list in the service's message, its missing commas included.
const PATHS: &str = "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, \
    /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, \
    /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, \
    /{resourcePath}/{httpMethod}/logging/loglevel, \
    /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit\
    /{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, \
    /{resourcePath}/{httpMethod}/caching/dataEncrypted, \
    /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, \
    /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, \
    /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit \
    /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, \
    /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, \
    /variables/{variable_name}, /tracingEnabled]";

/// The list for a path that names a method and then something unknown.
const SETTINGS: &str = "[.../metrics/enabled, .../logging/dataTrace, .../logging/loglevel,.../throttling/burstLimit, \
    .../throttling/rateLimit, .../caching/ttlInSeconds, .../caching/enabled, .../caching/dataEncrypted, \
    .../caching/requireAuthorizationForCacheControl, .../caching/unauthorizedCacheControlHeaderStrategy]";

/// What a stage stands in while it is changed.
pub(super) struct Around<'a> {
    /// Its API.
    pub(super) api: &'a RestApi,
    /// Who changes it.
    pub(super) caller: &'a Caller,
    /// Whether the account has a role that may write logs.
    pub(super) can_log: bool,
    /// The client certificates of the Region.
    pub(super) certificates: Vec<String>,
}

impl Default for MethodSetting {
    /// What the service shows beside a setting that was made (recorded).
    fn default() -> Self {
        Self {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: 5000,
            throttling_rate_limit: 10_000.0,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER".into(),
        }
    }
}

/// Applies one patch operation.
pub(super) fn apply(stage: &mut Stage, patch: &Patch, around: &Around<'_>) -> Answer<()> {
    match patch.op.as_str() {
        "add" | "replace" if patch.path.starts_with("/canarySettings") => set_canary(stage, patch, around),
        "add" | "replace" if patch.path.starts_with("/accessLogSettings") => stage_logging::set(stage, patch, around),
        "add" | "replace" => set(stage, patch, around),
        "remove" => remove(stage, patch),
        "copy" => copy(stage, patch),
        _ => Err(bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")),
    }
}

fn set(stage: &mut Stage, patch: &Patch, around: &Around<'_>) -> Answer<()> {
    let value = patch.text();
    if let Some(name) = patch.path.strip_prefix("/variables/") {
        let name = name.replace("~1", "/").replace("~0", "~");
        stage.variables.insert(name, value.to_owned());
        return check_variables(&stage.variables);
    }
    match patch.path.as_str() {
        "/deploymentId" => {
            check_deployment(value, around)?;
            value.clone_into(&mut stage.deployment_id);
        }
        "/description" => stage.description = patch.text_or_none(),
        "/tracingEnabled" => stage.tracing_enabled = patch.flag(),
        "/cacheClusterEnabled" => set_cache(stage, Some(patch.flag()), None)?,
        "/cacheClusterSize" => set_cache(stage, None, Some(value))?,
        "/clientCertificateId" if !value.is_empty() && !around.certificates.iter().any(|id| id == value) => {
            return Err(bad_request("Invalid client certificate identifier specified"));
        }
        "/clientCertificateId" => stage.client_certificate_id = patch.text_or_none(),
        "/documentationVersion" => {
            if !around.api.documentation_versions.contains_key(value) {
                return Err(not_found("Invalid Documentation version specified"));
            }
            stage.documentation_version = patch.text_or_none();
        }
        _ => set_method(stage, patch, around)?,
    }
    Ok(())
}

/// `/{resourcePath}/{httpMethod}/GROUP/SETTING`. The key is kept as the path has it, escapes and all, as the service does.
fn set_method(stage: &mut Stage, patch: &Patch, around: &Around<'_>) -> Answer<()> {
    let full = patch.path.strip_prefix('/').unwrap_or(&patch.path);
    let mut parts = full.rsplitn(3, '/');
    let (setting, group, key) = (parts.next(), parts.next(), parts.next());
    let (Some(setting), Some(group), Some(key)) = (setting, group, key.filter(|key| names_method(key))) else {
        return Err(bad_request(format!("Invalid method setting path: {}. Must be one of: {PATHS}", patch.path)));
    };
    let inherited = stage.method_settings.get("*/*").cloned().unwrap_or_default();
    let entry = stage.method_settings.entry(key.to_owned()).or_insert(inherited);
    let name = format!("{group}/{setting}");
    match name.as_str() {
        "metrics/enabled" => entry.metrics_enabled = patch.flag(),
        "logging/dataTrace" => entry.data_trace_enabled = patch.flag(),
        "logging/loglevel" => {
            if !["OFF", "ERROR", "INFO"].contains(&patch.text()) {
                return Err(invalid(patch, "Must be one of: [OFF, ERROR, INFO]"));
            }
            entry.logging_level = patch.text_or_none();
        }
        "throttling/burstLimit" => entry.throttling_burst_limit = number(patch, -1, i64::MAX)?,
        "throttling/rateLimit" => entry.throttling_rate_limit = rate(patch)?,
        "caching/enabled" => entry.caching_enabled = patch.flag(),
        "caching/ttlInSeconds" => {
            let ttl = patch.text().parse().ok().filter(|ttl| (0..=3600).contains(ttl));
            entry.cache_ttl_in_seconds = ttl
                .ok_or_else(|| bad_request("Invalid time-to-live setting, must be an integer no greater than 3600"))?;
        }
        "caching/dataEncrypted" => entry.cache_data_encrypted = patch.flag(),
        "caching/requireAuthorizationForCacheControl" => entry.require_authorization_for_cache_control = patch.flag(),
        "caching/unauthorizedCacheControlHeaderStrategy" => {
            let known = ["FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"];
            if !known.contains(&patch.text()) {
                return Err(invalid(patch, &format!("Must be one of: [{}]", known.join(", "))));
            }
            patch.text().clone_into(&mut entry.unauthorized_cache_control_header_strategy);
        }
        _ => return Err(bad_request(format!("Invalid method setting path: {name}. Must be one of: {SETTINGS}"))),
    }
    let logs = entry.data_trace_enabled || entry.logging_level.as_deref().is_some_and(|level| level != "OFF");
    if logs && group == "logging" && !around.can_log {
        return Err(stage_logging::no_role());
    }
    Ok(())
}

/// Whether a key is a resource path, its slashes escaped, and a verb: `*/*`, `~1orders/GET`.
fn names_method(key: &str) -> bool {
    key.split_once('/')
        .is_some_and(|(path, verb)| !path.is_empty() && (verb == "*" || super::methods::check_name(verb).is_ok()))
}

fn remove(stage: &mut Stage, patch: &Patch) -> Answer<()> {
    let key = patch.path.strip_prefix('/').unwrap_or(&patch.path);
    let overrides = stage.canary_settings.as_mut().map(|canary| &mut canary.stage_variable_overrides);
    if key == "accessLogSettings" {
        stage.access_log_settings = None;
    } else if key == "canarySettings" {
        stage.canary_settings = None;
    } else if let Some(name) = key.strip_prefix("variables/") {
        stage.variables.remove(name);
    } else if let (Some(name), Some(overrides)) =
        (key.strip_prefix("canarySettings/stageVariableOverrides/"), overrides)
    {
        overrides.remove(name);
    } else if stage.method_settings.remove(key).is_none() {
        return Err(bad_request(format!(
            "Cannot remove method setting {key} because there is no method setting for this method "
        )));
    }
    Ok(())
}

/// Any member of the canary that is set begins one (recorded).
fn set_canary(stage: &mut Stage, patch: &Patch, around: &Around<'_>) -> Answer<()> {
    let member = patch.path.strip_prefix("/canarySettings/").unwrap_or_default();
    let name = member.strip_prefix("stageVariableOverrides/").filter(|name| !name.is_empty());
    if name.is_none() && !["deploymentId", "percentTraffic", "useStageCache"].contains(&member) {
        return Err(bad_request(format!("Invalid method setting path: {}. Must be one of: {PATHS}", patch.path)));
    }
    if patch.op != "replace" {
        return Err(bad_request(format!("Invalid {} operation with path: {}", patch.op, patch.path)));
    }
    let deployment_id = stage.deployment_id.clone();
    let canary =
        stage.canary_settings.get_or_insert_with(|| CanarySettings { deployment_id, ..CanarySettings::default() });
    match (member, name) {
        ("deploymentId", _) => {
            check_deployment(patch.text(), around)?;
            patch.text().clone_into(&mut canary.deployment_id);
        }
        ("percentTraffic", _) => {
            let percent = patch.text().parse().map_err(|_| invalid(patch, "Must be a number"))?;
            check_percent(percent)?;
            canary.percent_traffic = percent;
        }
        ("useStageCache", _) => canary.use_stage_cache = patch.flag(),
        (_, name) => {
            canary.stage_variable_overrides.insert(name.unwrap_or_default().to_owned(), patch.text().to_owned());
            check_variables(&canary.stage_variable_overrides)?;
        }
    }
    Ok(())
}

/// Promotes the canary: its deployment, or its stage variables, become the stage's.
fn copy(stage: &mut Stage, patch: &Patch) -> Answer<()> {
    let from = patch.from.as_deref().unwrap_or_default();
    let known = matches!(
        (patch.path.as_str(), from),
        ("/deploymentId", "/canarySettings/deploymentId") | ("/variables", "/canarySettings/stageVariableOverrides")
    );
    if !known {
        return Err(bad_request(format!(
            "Invalid copy operation with path: {} and from {from}. Valid copy:path are [/deploymentId, /variables] and \
             valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]",
            patch.path
        )));
    }
    let Some(canary) = stage.canary_settings.clone() else {
        return Err(bad_request("Promotion not available. Canary does not exist."));
    };
    if patch.path == "/deploymentId" {
        stage.deployment_id = canary.deployment_id;
    } else {
        stage.variables.extend(canary.stage_variable_overrides);
    }
    Ok(())
}

fn check_deployment(id: &str, around: &Around<'_>) -> Answer<()> {
    around.api.deployment(id).map(drop).ok_or_else(|| bad_request("Deployment id does not exist"))
}

fn number(patch: &Patch, least: i64, most: i64) -> Answer<i64> {
    let number = patch.text().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| invalid(patch, "Must be a number in range"))
}

/// Requests per second; -1 takes the limit away.
fn rate(patch: &Patch) -> Answer<f64> {
    let rate: Option<f64> = patch.text().parse().ok();
    rate.filter(|rate| rate.is_finite() && (*rate >= 0.0 || (*rate + 1.0).abs() < f64::EPSILON))
        .ok_or_else(|| invalid(patch, "Must be a number in range"))
}

fn invalid(patch: &Patch, why: &str) -> super::errors::Refusal {
    bad_request(format!("Invalid method setting value '{}' for path {}. {why}", patch.text(), patch.path))
}

//! Health checks of endpoints: made, listed, changed, deleted, and asked how they stand.
//!
//! Nothing here is probed. A check is healthy until a test says otherwise ([`crate::sandbox::Sandbox::set_health`]). Calculated
//! checks, and those of alarms and routing controls, are not here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::faults::{Answer, invalid_input, not_here};
use super::health_config::{Config, REGIONS};
use super::{State, answer, page_size};
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::world::{View, date};
use crate::sandbox::xml::Xml;
use crate::sandbox::xml_reader::Element;

/// Health checks that an account may have (Route 53's quotas; raisable).
const LIMIT: usize = 200;

/// Checks of one page (API reference, `ListHealthChecks`: at most 1000, and 100 unless told otherwise).
const PAGE: usize = 100;

/// How many references of deleted checks are remembered. Route 53 remembers them "for a number of days" (API reference,
/// `CreateHealthCheck`).
const SPENT: usize = 200;

/// A health check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthCheck {
    /// A UUID.
    pub id: String,
    caller_reference: String,
    version: u64,
    pub(super) config: Config,
    pub(super) tags: BTreeMap<String, String>,
    /// What its checkers see if the endpoint does not do: a status's text.
    failure: Option<String>,
    /// When they last saw something else, in milliseconds since the epoch.
    seen: i64,
}

impl HealthCheck {
    /// Whether Route 53 takes what it checks for healthy. One that is disabled counts as healthy, before it is inverted (API
    /// reference, `HealthCheckConfig`).
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        (self.config.disabled || self.failure.is_none()) != self.config.inverted
    }

    /// Tells it what its checkers see.
    pub(crate) fn see(&mut self, healthy: bool) {
        self.failure = (!healthy).then(|| "Failure: HTTP Status Code 503, Service Unavailable".to_owned());
    }

    fn write(&self, xml: &mut Xml) {
        xml.node("HealthCheck", |xml| {
            xml.leaf("Id", &self.id);
            xml.leaf("CallerReference", &self.caller_reference);
            self.config.write(xml);
            xml.leaf("HealthCheckVersion", self.version.to_string());
        });
    }

    fn shown(&self, root: &str) -> Response {
        let mut xml = Xml::new();
        self.write(&mut xml);
        answer(root, &xml)
    }
}

impl State {
    /// The check of that id.
    pub(super) fn health_check(&self, id: &str) -> Answer<&HealthCheck> {
        self.health_checks.get(id).ok_or_else(|| no_check(id))
    }
}

/// No such check. The words are a guess.
pub(super) fn no_check(id: &str) -> Fault {
    Fault::new(404, "NoSuchHealthCheck", format!("A health check with id {id} does not exist."))
}

pub(super) fn create(view: &mut View<'_>, body: &Element) -> Answer<Response> {
    let reference = body.text_of("CallerReference").unwrap_or_default();
    if !(1..=64).contains(&reference.len()) {
        return Err(invalid_input("Invalid XML ; CallerReference must have 1 to 64 characters"));
    }
    let config = body.child("HealthCheckConfig");
    let config = Config::read(config.ok_or_else(|| invalid_input("Invalid XML ; HealthCheckConfig is missing"))?)?;
    let state = &view.route53;
    let same = state.health_checks.values().find(|one| one.caller_reference == reference);
    if let Some(same) = same.filter(|same| same.config == config) {
        return Ok(made(same));
    }
    if same.is_some() || state.spent.iter().any(|one| one == reference) {
        // The words are a guess.
        let message = "A health check has already been created with the specified caller reference.";
        return Err(Fault::new(409, "HealthCheckAlreadyExists", message));
    }
    if state.health_checks.len() >= LIMIT {
        let message = "Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER - Cannot create more health checks.";
        return Err(Fault::new(400, "TooManyHealthChecks", message));
    }
    let check = HealthCheck {
        id: view.new_uuid(),
        caller_reference: reference.to_owned(),
        version: 1,
        config,
        tags: BTreeMap::new(),
        failure: None,
        seen: view.millis(),
    };
    let response = made(&check);
    view.route53.health_checks.insert(check.id.clone(), check);
    Ok(response)
}

fn made(check: &HealthCheck) -> Response {
    let mut response = check.shown("CreateHealthCheckResponse");
    response.status = 201;
    let location = format!("https://route53.amazonaws.com/2013-04-01/healthcheck/{}", check.id);
    response.headers.push(("location".into(), location));
    response
}

pub(super) fn get(state: &State, id: &str) -> Answer<Response> {
    Ok(state.health_check(id)?.shown("GetHealthCheckResponse"))
}

pub(super) fn count(state: &State) -> Response {
    let mut xml = Xml::new();
    xml.leaf("HealthCheckCount", state.health_checks.len().to_string());
    answer("GetHealthCheckCountResponse", &xml)
}

/// All checks by id; a marker is the id that the page begins with.
pub(super) fn list(state: &State, request: &Request) -> Answer<Response> {
    let size = page_size(request, PAGE)?;
    let marker = request.parameter("marker").unwrap_or_default();
    if !marker.is_empty() && !state.health_checks.contains_key(marker) {
        // The words are a guess.
        return Err(invalid_input(format!("The specified marker is not valid: {marker}")));
    }
    let mut found = state.health_checks.range(marker.to_owned()..).map(|(_, check)| check);
    let page: Vec<&HealthCheck> = found.by_ref().take(size).collect();
    let next = found.next();
    let mut xml = Xml::new();
    xml.node("HealthChecks", |xml| page.iter().for_each(|check| check.write(xml)));
    xml.leaf("Marker", marker);
    xml.leaf("IsTruncated", next.is_some().to_string());
    if let Some(next) = next {
        xml.leaf("NextMarker", &next.id);
    }
    xml.leaf("MaxItems", size.to_string());
    Ok(answer("ListHealthChecksResponse", &xml))
}

pub(super) fn update(state: &mut State, id: &str, body: &Element) -> Answer<Response> {
    let check = state.health_checks.get_mut(id).ok_or_else(|| no_check(id))?;
    if let Some(version) = body.text_of("HealthCheckVersion")
        && version != check.version.to_string()
    {
        // The words are a guess.
        let message = format!("The health check has version {}, not {version}", check.version);
        return Err(Fault::new(409, "HealthCheckVersionMismatch", message));
    }
    check.config = check.config.updated(body)?;
    check.version += 1;
    Ok(check.shown("UpdateHealthCheckResponse"))
}

/// Deletes one, whether a record names it or not: Route 53 does not prevent that (API reference, `DeleteHealthCheck`).
pub(super) fn delete(state: &mut State, id: &str) -> Answer<Response> {
    let check = state.health_checks.remove(id).ok_or_else(|| no_check(id))?;
    state.spent.push(check.caller_reference);
    if state.spent.len() > SPENT {
        state.spent.remove(0);
    }
    Ok(answer("DeleteHealthCheckResponse", &Xml::new()))
}

/// What the checkers of each Region see now, or saw last of a failure.
pub(super) fn status(state: &State, id: &str, last_failure: bool) -> Answer<Response> {
    let check = state.health_check(id)?;
    if check.config.disabled {
        return Err(not_here("status of health checks that are disabled"));
    }
    let success = if check.config.kind == "TCP" { "Success: " } else { "Success: HTTP Status Code 200, OK" };
    let seen = check.failure.as_deref().or((!last_failure).then_some(success));
    let chosen: Vec<&str> = check.config.regions.iter().map(String::as_str).collect();
    let regions = if chosen.is_empty() { REGIONS.as_slice() } else { &chosen };
    let mut xml = Xml::new();
    xml.node("HealthCheckObservations", |xml| {
        for (at, region) in regions.iter().enumerate().filter(|_| seen.is_some()) {
            xml.node("HealthCheckObservation", |xml| {
                xml.leaf("Region", region);
                // Of the range for documentation.
                xml.leaf("IPAddress", format!("203.0.113.{}", at + 1));
                xml.node("StatusReport", |xml| {
                    xml.leaf("Status", seen.unwrap_or_default());
                    xml.leaf("CheckedTime", date(check.seen, "%Y-%m-%dT%H:%M:%S.%3fZ"));
                });
            });
        }
    });
    let root = if last_failure { "GetHealthCheckLastFailureReasonResponse" } else { "GetHealthCheckStatusResponse" };
    Ok(answer(root, &xml))
}

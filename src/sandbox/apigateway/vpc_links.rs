//! VPC links of REST APIs: the way to a Network Load Balancer.
//!
//! Answers and refusals are those of recordings of December 2025 unless a comment says otherwise. Whether an integration
//! names a link that exists is not checked: nothing says that the service does so on import or put, and a link may well
//! be somebody else's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Answer, Refusal, bad_request, limit_exceeded, not_found, required};
use super::patch::Patch;
use super::patch_paths::{self, Paths};
use super::state::{Definition, State, Strings, VpcLink};
use super::{Call, accepted, ok, patch, tags, to_json};
use crate::sandbox::wire::{Caller, Response};

/// VPC links that one Region of an account may have (aws-facts A).
const LIMIT: usize = 20;

const PATHS: &Paths = &[("replace", &["/name", "/description"])];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    description: Option<String>,
    target_arns: Option<Vec<String>>,
    tags: Option<Strings>,
}

/// `/vpclinks…`.
pub(super) fn route(call: &mut Call<'_, '_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.state().vpc_links.iter().map(|link| describe(link, call.view.now))),
        ("POST", []) => create(call),
        ("GET", [id]) => {
            let link = find(call.state(), id)?;
            Ok(ok(&tags::shown(describe(link, call.view.now), &link.tags)))
        }
        ("PATCH", [id]) => update(call, id),
        ("DELETE", [id]) => delete(call, id),
        _ => Err(call.unknown()),
    }
}

fn find<'s>(state: &'s State, id: &str) -> Answer<&'s VpcLink> {
    state.vpc_links.iter().find(|link| link.id == id).ok_or_else(no_link)
}

/// No such VPC link.
pub(super) fn no_link() -> Refusal {
    not_found("Invalid Vpc Link identifier specified")
}

/// A link as it is at a time, with its tags if it has any.
fn describe(link: &VpcLink, now: f64) -> Value {
    let mut shown = json!({ "id": link.id, "name": link.name, "targetArns": link.target_arns });
    if let Some(description) = &link.description {
        shown["description"] = description.as_str().into();
    }
    if !link.tags.is_empty() {
        shown["tags"] = to_json(&link.tags);
    }
    let (status, message) = match &link.fault {
        _ if now < link.pending_until => ("PENDING", None),
        Some(fault) => ("FAILED", Some(fault.as_str())),
        None => ("AVAILABLE", Some("Your vpc link is ready for use")),
    };
    shown["status"] = status.into();
    if let Some(message) = message {
        shown["statusMessage"] = message.into();
    }
    shown
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let CreateInput { name, description, target_arns, tags } = call.body()?;
    let name = required(name, "createVpcLinkInput.name")?;
    let target_arns = required(target_arns, "createVpcLinkInput.targetArns")?;
    if name.is_empty() {
        return Err(bad_request("Name cannot be empty"));
    }
    let fault = match target_arns.as_slice() {
        // A guess, after the words for more than one, which are reported.
        [] => return Err(bad_request("No target arn specified for vpc link.")),
        [arn] => check_target(arn, call.caller())?,
        _ => return Err(bad_request("More than one target arn specified for vpc link.")),
    };
    let tags = tags.unwrap_or_default();
    tags::check(&tags)?;
    if call.state().vpc_links.len() >= LIMIT {
        return Err(limit_exceeded(
            "Maximum number of VPC Links has been reached.  Please contact AWS if you need additional VPC Links.",
        ));
    }
    let link = VpcLink {
        id: call.new_id(),
        name,
        description: description.filter(|text| !text.is_empty()),
        target_arns,
        pending_until: call.view.now + call.state().vpc_link_delay,
        fault,
        tags,
    };
    // The answer comes before the link is up, however soon that is.
    let shown = describe(&link, f64::NEG_INFINITY);
    call.state_mut().vpc_links.push(link);
    Ok(Response::json(202, &shown))
}

/// Refuses what is no ARN. An ARN of something else than a Network Load Balancer of the account is taken, and the link
/// fails later (reported for the ARN of an Application Load Balancer).
fn check_target(arn: &str, caller: &Caller) -> Answer<Option<String>> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return Err(bad_request(format!("Invalid ARN. ARN is not well formed {arn}")));
    };
    let balancer = resource.strip_prefix("loadbalancer/net/").and_then(|rest| rest.split_once('/'));
    let named = balancer.is_some_and(|(name, id)| !name.is_empty() && !id.is_empty());
    let own = (*partition, *region, *account) == (caller.partition(), &*caller.region, &*caller.account);
    Ok((*service != "elasticloadbalancing" || !named || !own).then(|| "NLB ARN is malformed".to_owned()))
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let patches = patch::read(call, "updateVpcLinkInput")?;
    let mut draft = find(call.state(), id)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    let shown = tags::shown(describe(&draft, call.view.now), &draft.tags);
    if let Some(link) = call.state_mut().vpc_links.iter_mut().find(|link| link.id == id) {
        *link = draft;
    }
    Ok(ok(&shown))
}

fn apply(link: &mut VpcLink, patch: &Patch) -> Answer<()> {
    if patch.path.starts_with("/targetArns") {
        // Reported.
        return Err(bad_request("Target arns are not allowed to be changed/added."));
    }
    patch_paths::check(patch, PATHS)?;
    if patch.path == "/description" {
        link.description = patch.text_or_none();
        return Ok(());
    }
    link.name = patch.text_or_none().ok_or_else(|| bad_request("Name cannot be empty"))?;
    Ok(())
}

fn delete(call: &mut Call<'_, '_>, id: &str) -> Answer {
    find(call.state(), id)?;
    let refuse = |uses: &[String], form: &str| {
        bad_request(format!(
            "Cannot delete vpc link. Vpc link '{id}', is referenced in [{}] in format of [{form}].",
            uses.join(", ")
        ))
    };
    // Deployed integrations come first and have words of their own (reported). Those for an integration that was never
    // deployed are a guess, after what is reported of HTTP APIs.
    let deployed = deployed_uses(call.state(), id);
    if !deployed.is_empty() {
        return Err(refuse(&deployed, "RESTApiId:Method:Resource:Stage"));
    }
    let edited: Vec<String> = call
        .state()
        .apis
        .iter()
        .flat_map(|api| uses(&api.definition, id).map(move |(verb, resource)| format!("{}:{verb}:{resource}", api.id)))
        .collect();
    if !edited.is_empty() {
        return Err(refuse(&edited, "RESTApiId:Method:Resource"));
    }
    call.state_mut().vpc_links.retain(|link| link.id != id);
    Ok(accepted())
}

/// The methods that stages serve through a link, a canary's included.
fn deployed_uses(state: &State, link: &str) -> Vec<String> {
    let mut found = Vec::new();
    for api in &state.apis {
        for stage in api.stages.values() {
            let canary = stage.canary_settings.as_ref().map(|canary| canary.deployment_id.as_str());
            for deployment in [Some(stage.deployment_id.as_str()), canary].into_iter().flatten() {
                let snapshot = api.deployment(deployment).map(|deployment| &deployment.snapshot);
                for (verb, resource) in snapshot.into_iter().flat_map(|snapshot| uses(snapshot, link)) {
                    let at = format!("{}:{verb}:{resource}:{}", api.id, stage.stage_name);
                    if !found.contains(&at) {
                        found.push(at);
                    }
                }
            }
        }
    }
    found
}

fn uses<'d>(definition: &'d Definition, link: &'d str) -> impl Iterator<Item = (&'d str, &'d str)> {
    definition.resources.values().flat_map(move |resource| {
        let methods = resource.resource_methods.values().filter(move |method| {
            let integration = method.method_integration.as_ref();
            integration.is_some_and(|integration| integration.connection_id.as_deref() == Some(link))
        });
        methods.map(|method| (method.http_method.as_str(), resource.id.as_str()))
    })
}

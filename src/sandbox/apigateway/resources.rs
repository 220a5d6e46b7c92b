//! Resources: the tree of paths.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Answer, bad_request, conflict, limit_exceeded, no_resource, required};
use super::patch::Patch;
use super::state::{Definition, Resource};
use super::{Call, Place, accepted, created, methods, ok, patch, to_json};

/// Resources that one API may have, its root included (aws-facts A).
const LIMIT: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    path_part: Option<String>,
}

/// `/restapis/{api}/resources…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => {
            let embed = embeds_methods(call);
            let mut resources: Vec<&Resource> = call.definition(api)?.resources.values().collect();
            resources.sort_by(|one, other| one.path.cmp(&other.path));
            call.page(resources.into_iter().map(|resource| describe(resource, embed)))
        }
        ("GET", [resource]) => Ok(ok(&describe(call.resource(api, resource)?, embeds_methods(call)))),
        ("POST", [parent]) => create(call, api, parent),
        ("PATCH", [resource]) => update(call, api, resource),
        ("DELETE", [resource]) => delete(call, api, resource),
        (_, [resource, "methods", method, rest @ ..]) => methods::route(call, Place { api, resource, method }, rest),
        _ => Err(call.unknown()),
    }
}

/// Adds a child to a resource, if the tree allows it, and gives it.
pub(super) fn add<'d>(
    definition: &'d mut Definition,
    parent: &str,
    part: &str,
    id: impl FnOnce() -> String,
) -> Answer<&'d Resource> {
    let parent = definition.resources.get(parent).ok_or_else(no_resource)?.clone();
    check_part(part)?;
    check_place(definition, &parent, part, None)?;
    if definition.resources.len() >= LIMIT {
        return Err(limit_exceeded(
            "Maximum number of Resources for this API has been reached.  Please contact AWS if you need additional Resources.",
        ));
    }
    let id = id();
    let resource = Resource {
        id: id.clone(),
        path: join(&parent.path, part),
        parent_id: Some(parent.id),
        path_part: Some(part.to_owned()),
        ..Resource::default()
    };
    Ok(definition.resources.entry(id).or_insert(resource))
}

/// The name of the parameter that a path part declares: `proxy` for `{proxy+}`.
pub(super) fn parameter_name(part: &str) -> Option<&str> {
    let inner = part.strip_prefix('{')?.strip_suffix('}')?;
    Some(inner.strip_suffix('+').unwrap_or(inner))
}

fn embeds_methods(call: &Call<'_, '_>) -> bool {
    call.request.query.iter().any(|(name, value)| name == "embed" && value == "methods")
}

/// A resource as the service shows it: without `embed=methods` only the names of its methods.
fn describe(resource: &Resource, embed: bool) -> Value {
    let mut shown = to_json(resource);
    if !embed && let Some(methods) = shown.get_mut("resourceMethods").and_then(Value::as_object_mut) {
        methods.values_mut().for_each(|method| *method = json!({}));
    }
    shown
}

fn create(call: &mut Call<'_, '_>, api: &str, parent: &str) -> Answer {
    let input: CreateInput = call.body()?;
    let part = required(input.path_part, "createResourceInput.pathPart")?;
    let id = call.new_id();
    let definition = call.definition_mut(api).map_err(|_| no_resource())?;
    let resource = add(definition, parent, &part, || id)?;
    Ok(created(&describe(resource, false)))
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    if call.resource(api, id)?.parent_id.is_none() {
        return Err(bad_request("Root resource cannot be deleted."));
    }
    let definition = call.definition_mut(api)?;
    let doomed = subtree(definition, id);
    definition.resources.retain(|id, _| !doomed.contains(id));
    Ok(accepted())
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let patches = patch::read(call, "updateResourceInput")?;
    call.resource(api, id)?;
    let mut draft = call.definition(api)?.clone();
    for patch in &patches {
        relocate(&mut draft, id, patch)?;
    }
    let definition = call.definition_mut(api)?;
    *definition = draft;
    Ok(ok(&describe(definition.resources.get(id).ok_or_else(no_resource)?, false)))
}

fn relocate(definition: &mut Definition, id: &str, patch: &Patch) -> Answer<()> {
    let place = patch.path.as_str();
    if patch.op != "replace" {
        return Err(bad_request(format!(
            "Invalid patch path  '{place}' specified for op '{}'. Please choose supported operations",
            patch.op
        )));
    }
    let resource = definition.resources.get(id).ok_or_else(no_resource)?.clone();
    let (parent_id, part) = match place {
        "/pathPart" => (resource.parent_id.clone(), patch.text().to_owned()),
        "/parentId" => (Some(patch.text().to_owned()), resource.path_part.clone().unwrap_or_default()),
        _ => {
            return Err(bad_request(format!(
                "Invalid patch path  '{place}' specified for op 'replace'. Must be one of: [/parentId, /pathPart]"
            )));
        }
    };
    if resource.parent_id.is_none() {
        return Err(bad_request(format!("Root resource cannot update its {}.", place.trim_start_matches('/'))));
    }
    let parent = parent_id.as_deref().and_then(|parent| definition.resources.get(parent)).ok_or_else(no_resource)?;
    let parent = parent.clone();
    if subtree(definition, id).contains(&parent.id) {
        return Err(bad_request("Resources cannot be cyclical."));
    }
    check_part(&part)?;
    check_place(definition, &parent, &part, Some(id))?;
    let moved = join(&parent.path, &part);
    for below in subtree(definition, id) {
        if let Some(resource_below) = definition.resources.get_mut(&below) {
            resource_below.path = format!("{moved}{}", &resource_below.path[resource.path.len()..]);
        }
    }
    if let Some(resource) = definition.resources.get_mut(id) {
        resource.parent_id = Some(parent.id);
        resource.path_part = Some(part);
    }
    Ok(())
}

/// A resource and everything below it.
fn subtree(definition: &Definition, id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([id.to_owned()]);
    loop {
        let before = found.len();
        for resource in definition.resources.values() {
            if resource.parent_id.as_ref().is_some_and(|parent| found.contains(parent)) {
                found.insert(resource.id.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn join(parent: &str, part: &str) -> String {
    format!("{}/{part}", parent.trim_end_matches('/'))
}

fn check_part(part: &str) -> Answer<()> {
    let name = parameter_name(part).unwrap_or(part);
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c));
    if valid {
        return Ok(());
    }
    Err(bad_request(
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
         beginning and the end.",
    ))
}

/// Whether a part may stand below a parent; `except` is the resource that is being moved.
fn check_place(definition: &Definition, parent: &Resource, part: &str, except: Option<&str>) -> Answer<()> {
    if let Some(greedy) = parent.path_part.as_deref().filter(|part| part.ends_with("+}")) {
        return Err(bad_request(format!("Cannot create a child of a resource with a greedy path variable: {greedy}")));
    }
    let siblings = definition
        .resources
        .values()
        .filter(|resource| resource.parent_id.as_deref() == Some(&parent.id) && except != Some(resource.id.as_str()));
    for sibling in siblings {
        let name = sibling.path_part.as_deref().unwrap_or_default();
        if name == part {
            return Err(conflict(format!("Another resource with the same parent already has this name: {part}")));
        }
        if parameter_name(part).is_some() && parameter_name(name).is_some() {
            return Err(bad_request(format!(
                "A sibling ({name}) of this resource already has a variable path part -- only one is allowed"
            )));
        }
    }
    Ok(())
}

//! Which template makes which route: each is tried on each path, and what comes out is compared with what is there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::scratch::Scratch;
use crate::config::{GatewayStack, RouteTemplate, StackFiles};
use crate::kinds::rest_api::RestApiSpec;
use crate::kinds::rest_api::spec::Method;
use crate::model::diff::diff;
use crate::takeover::export::Misfit;

type Methods = BTreeMap<String, Method>;

/// The path lists of an API. A path that no template makes goes into the list of the nearest; one that none takes is told.
pub(super) fn lists(
    scratch: &Scratch,
    file: &Map<String, Value>,
    files: &StackFiles,
    api: &RestApiSpec,
) -> (Value, Vec<Misfit>) {
    let templates: Vec<&RouteTemplate> = files.routes.values().filter(|one| one.value_keys.is_empty()).collect();
    let live: BTreeMap<&String, &Methods> = api.routes.iter().filter(|(_, methods)| !methods.is_empty()).collect();
    let tried: Vec<BTreeMap<String, Methods>> =
        templates.iter().map(|template| try_all(scratch, file, template, &live)).collect();
    let mut lists: BTreeMap<&str, Vec<Value>> =
        templates.iter().map(|template| (template.name.as_str(), Vec::new())).collect();
    let mut misfits = Vec::new();
    for (path, methods) in &live {
        let nearest = templates
            .iter()
            .zip(&tried)
            .filter_map(|(template, made)| Some((distance(methods, made.get(*path)?), *template)))
            .min_by_key(|(distance, _)| *distance);
        match nearest {
            Some((_, template)) => lists.entry(&template.name).or_default().push(entry(template, path, methods)),
            None => misfits.push(Misfit {
                place: format!("route {path}"),
                why: "no template takes such a path".to_owned(),
                hint: "it is not in the file, so that a plan takes it away".to_owned(),
                fields: Vec::new(),
            }),
        }
    }
    (json!(lists), misfits)
}

/// How many fields differ.
fn distance(live: &Methods, made: &Methods) -> usize {
    diff(&json!(live), &json!(made)).len()
}

/// What a template makes of each path. Where one path spoils the file, each is tried by itself.
fn try_all(
    scratch: &Scratch,
    file: &Map<String, Value>,
    template: &RouteTemplate,
    live: &BTreeMap<&String, &Methods>,
) -> BTreeMap<String, Methods> {
    let made = |entries: Vec<Value>| {
        let mut file = file.clone();
        file.insert(GatewayStack::Gate.routes_key().to_owned(), json!({ template.name.as_str(): entries }));
        scratch.api(&file.into()).map(|api| api.routes)
    };
    let all = live.iter().map(|(path, methods)| entry(template, path, methods)).collect();
    made(all).unwrap_or_else(|| {
        let each = live.iter().filter_map(|(path, methods)| made(vec![entry(template, path, methods)]));
        each.flatten().collect()
    })
}

/// The entry of a list that has this path.
fn entry(template: &RouteTemplate, path: &str, methods: &Methods) -> Value {
    let mut entry = Map::from_iter([(template.path_key.clone(), path.into())]);
    if let Some(key) = &template.target_key {
        let method = methods.get("ANY").or_else(|| methods.values().next());
        let uri = method.and_then(|method| method.integration.as_ref()?.uri.clone());
        entry.insert(key.clone(), uri.unwrap_or_else(|| "https://none.invalid/".to_owned()).into());
    }
    entry.into()
}

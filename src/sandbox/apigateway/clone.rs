//! A copy of an API, as `cloneFrom` makes it: the same in everything, with ids of its own.
//!
//! That the editable API is copied, and neither stages nor deployments, is documented; which of the settings go along is
//! a guess.

use std::collections::BTreeMap;

use super::Call;
use super::apis::blank;
use super::state::{Definition, RestApi};

/// Old ids and the new ones.
type Ids = BTreeMap<String, String>;

/// A new API with the definition and the documentation of another.
pub(super) fn copy(call: &mut Call<'_, '_>, original: &RestApi) -> RestApi {
    let mut api = blank(call);
    let mut definition = original.definition.clone();
    let ids = new_ids(call, &definition, &api);
    rename(&mut definition, &ids);
    // Models refer to each other by URL, and policies to their API by ARN.
    let id = |text: &str| text.replace(&original.id, &api.id);
    for model in definition.models.values_mut() {
        model.schema = id(&model.schema);
    }
    definition.policy = definition.policy.as_deref().map(id);
    api.definition = definition;
    for part in original.documentation_parts.values() {
        let mut part = part.clone();
        part.id = call.new_id();
        api.documentation_parts.insert(part.id.clone(), part);
    }
    api
}

fn new_ids(call: &mut Call<'_, '_>, definition: &Definition, api: &RestApi) -> Ids {
    let resources = definition.resources.keys().filter(|id| **id != definition.root_resource_id);
    let models = definition.models.values().map(|model| &model.id);
    let authorizers = definition.authorizers.iter().map(|authorizer| &authorizer.id);
    let all = resources.chain(models).chain(authorizers).chain(definition.request_validators.keys());
    let mut ids: Ids = all.map(|id| (id.clone(), call.new_id())).collect();
    ids.insert(definition.root_resource_id.clone(), api.definition.root_resource_id.clone());
    ids
}

fn rename(definition: &mut Definition, ids: &Ids) {
    let rename = |id: &mut String| {
        if let Some(new) = ids.get(id) {
            id.clone_from(new);
        }
    };
    rename(&mut definition.root_resource_id);
    let resources = std::mem::take(&mut definition.resources);
    for mut resource in resources.into_values() {
        rename(&mut resource.id);
        resource.parent_id.iter_mut().for_each(rename);
        for method in resource.resource_methods.values_mut() {
            method.authorizer_id.iter_mut().for_each(rename);
            method.request_validator_id.iter_mut().for_each(rename);
            // A cache namespace that nobody set is the id of the resource.
            method.method_integration.iter_mut().for_each(|integration| rename(&mut integration.cache_namespace));
        }
        definition.resources.insert(resource.id.clone(), resource);
    }
    for mut validator in std::mem::take(&mut definition.request_validators).into_values() {
        rename(&mut validator.id);
        definition.request_validators.insert(validator.id.clone(), validator);
    }
    definition.models.values_mut().for_each(|model| rename(&mut model.id));
    definition.authorizers.iter_mut().for_each(|authorizer| rename(&mut authorizer.id));
}

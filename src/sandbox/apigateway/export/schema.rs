//! Models as schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::errors::{Answer, bad_request};
use super::{Dialect, Source};

impl Source<'_> {
    /// The schemas of the models that methods use, and of those that they use in turn. A model that nothing uses, such as
    /// the default `Error`, is not in exports that people have published.
    pub(super) fn schemas(&self) -> Answer<Map<String, Value>> {
        let methods = self.definition.resources.values().flat_map(|resource| resource.resource_methods.values());
        let mut wanted: Vec<String> = methods
            .flat_map(|method| {
                let responses =
                    method.method_responses.values().filter_map(|response| response.response_models.as_ref());
                method.request_models.iter().chain(responses).flat_map(|models| models.values().cloned())
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut schemas = Map::new();
        while let Some(name) = wanted.pop() {
            let model = self.definition.models.get(&name).filter(|_| seen.insert(name.clone()));
            let Some(model) = model else {
                continue;
            };
            if !model.content_type.contains("json") {
                return Err(bad_request(format!("Only found non-JSON body models for {name}")));
            }
            let mut schema: Value = serde_json::from_str(&model.schema).unwrap_or_else(|_| json!({}));
            if let Some(members) = schema.as_object_mut() {
                members.remove("$schema");
            }
            self.point_into_document(&mut schema, &mut wanted);
            schemas.insert(name, schema);
        }
        Ok(schemas)
    }

    /// A reference to the schema of a model.
    pub(super) fn reference(&self, model: &str) -> Value {
        json!({ "$ref": self.pointer(model) })
    }

    fn pointer(&self, model: &str) -> String {
        match self.dialect {
            Dialect::OpenApi3 => format!("#/components/schemas/{model}"),
            Dialect::Swagger => format!("#/definitions/{model}"),
        }
    }

    /// Turns the URLs of models back into references within the document, and collects whom they lead to.
    fn point_into_document(&self, schema: &mut Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                for (name, member) in members {
                    let model = member.as_str().filter(|_| name == "$ref").and_then(model_of);
                    match model.map(str::to_owned) {
                        Some(model) => {
                            *member = self.pointer(&model).into();
                            found.push(model);
                        }
                        None => self.point_into_document(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.point_into_document(item, found)),
            _ => {}
        }
    }
}

/// The name in `https://apigateway.amazonaws.com/restapis/API/models/NAME`.
pub(in super::super) fn model_of(reference: &str) -> Option<&str> {
    let (_, path) = reference.strip_prefix("https://apigateway.")?.split_once("/restapis/")?;
    path.split_once("/models/").map(|(_, name)| name)
}

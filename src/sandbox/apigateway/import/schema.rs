//! Schemas of a document become models.

use serde_json::Value;

use super::super::errors::Answer;
use super::super::models;
use super::super::state::Model;
use super::Importer;
use super::document::Document;

impl Importer<'_, '_, '_> {
    /// Makes a model of every schema that has a name.
    pub(super) fn import_models(&mut self) {
        for (name, schema) in self.document.schemas() {
            if let Err(refusal) = models::check_name(name) {
                self.fail(&format!("Unable to create model for '{name}'"), &refusal);
                continue;
            }
            if let Err(refusal) = self.add_model(name, schema) {
                self.fail(&format!("Unable to create model for '{name}'"), &refusal);
            }
        }
    }

    /// The name of the model that a schema refers to, or of one made for a schema without a name.
    pub(super) fn model_of(&mut self, schema: &Value) -> String {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(Document::schema_name) {
            return name.to_owned();
        }
        // What the service calls it is not known beyond its first letters.
        let name = format!("MODEL{}", self.call.new_id());
        if let Err(refusal) = self.add_model(&name, schema) {
            self.fail("Unable to create model for a schema without a name", &refusal);
        }
        name
    }

    fn add_model(&mut self, name: &str, schema: &Value) -> Answer<()> {
        let mut schema = schema.clone();
        let base = format!("https://apigateway.{}/restapis/{}/models", self.caller.dns_suffix(), self.api);
        point_to_models(&mut schema, &base);
        let named = self.document.schemas();
        let kept = &self.definition.models;
        models::check_schema(&schema, &|model| named.contains_key(model) || kept.contains_key(model))?;
        let old = self.old.models.get(name).map(|model| model.id.clone());
        let model = Model {
            id: old.unwrap_or_else(|| self.call.new_id()),
            name: name.to_owned(),
            description: schema.get("description").and_then(Value::as_str).map(str::to_owned),
            schema: schema.to_string(),
            content_type: "application/json".into(),
        };
        self.definition.models.insert(name.to_owned(), model);
        Ok(())
    }
}

/// Turns references within the document into the URLs of models (recorded).
fn point_to_models(schema: &mut Value, base: &str) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let target = member.as_str().filter(|_| name == "$ref").and_then(Document::schema_name);
                match target.map(|model| format!("{base}/{model}")) {
                    Some(url) => *member = url.into(),
                    None => point_to_models(member, base),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_to_models(item, base)),
        _ => {}
    }
}

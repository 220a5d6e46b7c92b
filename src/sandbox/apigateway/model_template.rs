//! The mapping template that is generated from a model.
//!
//! Its first line, and what it makes of an object without properties, are those of the CLI's documentation; the values
//! for the other types follow what the console shows and are a guess.

use serde_json::Value;

use super::errors::{Answer, bad_request};
use super::state::Definition;

/// How deep references are followed: a model may refer to itself.
const DEPTH: usize = 8;

/// The template of a model.
pub(super) fn generate(definition: &Definition, schema: &str) -> Answer<String> {
    let schema: Value = serde_json::from_str(schema).map_err(|_| bad_request("Invalid model schema specified"))?;
    let mut text = String::from("#set($inputRoot = $input.path('$'))\n");
    Sample { definition, text: &mut text }.write(&schema, "$inputRoot", 0);
    Ok(text)
}

struct Sample<'a> {
    definition: &'a Definition,
    text: &'a mut String,
}

impl Sample<'_> {
    fn write(&mut self, schema: &Value, at: &str, depth: usize) {
        if let Some(model) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(model, at, depth);
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => self.text.push_str("\"foo\""),
            Some("integer") => self.text.push_str("42"),
            Some("number") => self.text.push_str("42.0"),
            Some("boolean") => self.text.push_str("true"),
            Some("null") => self.text.push_str("null"),
            Some("array") => self.array(schema, at, depth),
            _ => self.object(schema, at, depth),
        }
    }

    /// A reference ends in the name of a model: `https://apigateway.amazonaws.com/restapis/abc/models/Pet`.
    fn reference(&mut self, reference: &str, at: &str, depth: usize) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let model = self.definition.models.get(name).filter(|_| depth < DEPTH);
        match model.and_then(|model| serde_json::from_str::<Value>(&model.schema).ok()) {
            Some(schema) => self.write(&schema, at, depth + 1),
            None => self.text.push_str("{ }"),
        }
    }

    fn array(&mut self, schema: &Value, at: &str, depth: usize) {
        let indent = "  ".repeat(depth + 1);
        self.text.push_str(&["[\n#foreach($elem in ", at, ")\n", &indent].concat());
        self.write(schema.get("items").unwrap_or(&Value::Null), "$elem", depth + 1);
        self.text.push_str(&["#if($foreach.hasNext),#end\n#end\n", &"  ".repeat(depth), "]"].concat());
    }

    fn object(&mut self, schema: &Value, at: &str, depth: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            self.text.push_str("{ }");
            return;
        };
        self.text.push_str("{\n");
        for (index, (name, property)) in properties.iter().enumerate() {
            self.text.push_str(&[&"  ".repeat(depth + 1), "\"", name, "\" : "].concat());
            self.write(property, &format!("{at}.{name}"), depth + 1);
            self.text.push_str(if index + 1 < properties.len() { ",\n" } else { "\n" });
        }
        self.text.push_str(&["  ".repeat(depth), "}".to_owned()].concat());
    }
}

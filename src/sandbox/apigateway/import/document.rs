//! An API document, `OpenAPI` 3 or Swagger 2, JSON or YAML, behind one face.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::errors::{Answer, Refusal, bad_request};

/// Bytes a document may have (aws-facts A).
const LIMIT: usize = 6 * 1024 * 1024;

/// References that may lead to references before it is a circle.
const DEPTH: usize = 16;

/// Nodes that the aliases of a YAML document may stand for. A few lines can ask for millions, and everybody else waits
/// while they are read.
const REPLAYS: usize = 100_000;

/// A parsed document.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
    /// Whether it is `OpenAPI` 3; else it is Swagger 2.
    openapi3: bool,
}

impl Document {
    /// Parses a document.
    pub(super) fn parse(body: &[u8]) -> Answer<Self> {
        if body.len() > LIMIT {
            return Err(bad_request("Invalid OpenAPI input. The document exceeds the maximum size of 6 MB."));
        }
        let text = std::str::from_utf8(body).map_err(|_| invalid())?;
        let root: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|_| invalid())?
        } else {
            let replays = serde_saphyr::alias_limits! { max_total_replayed_events: REPLAYS };
            let options = serde_saphyr::options! { alias_limits: replays };
            serde_saphyr::from_str_with_options(text, options).map_err(|_| invalid())?
        };
        let version = |name: &str| root.get(name).map(scalar).unwrap_or_default();
        let openapi3 = match (version("openapi"), version("swagger")) {
            (openapi, _) if openapi.starts_with("3.") => true,
            (_, swagger) if swagger == "2.0" || swagger == "2" => false,
            _ => return Err(invalid()),
        };
        let document = Self { root, openapi3 };
        if document.info("title").is_none_or(|title| title.is_empty()) {
            return Err(invalid());
        }
        let paths = document.root.get("paths").and_then(Value::as_object).ok_or_else(invalid)?;
        if paths.iter().any(|(path, item)| !path.starts_with('/') || !item.is_object()) {
            return Err(invalid());
        }
        Ok(document)
    }

    /// A member of `info`.
    pub(super) fn info(&self, member: &str) -> Option<String> {
        self.root.get("info")?.get(member).filter(|value| !value.is_null()).map(scalar)
    }

    /// An extension at the top: `x-amazon-apigateway-…`.
    pub(super) fn extension(&self, name: &str) -> Option<&Value> {
        self.root.get(format!("x-amazon-apigateway-{name}")).filter(|value| !value.is_null())
    }

    /// The endpoint configuration: at the top, or, in `OpenAPI` 3, at a server.
    pub(super) fn endpoint_configuration(&self) -> Option<&Value> {
        let mut servers = self.root.get("servers").and_then(Value::as_array).into_iter().flatten();
        let name = "x-amazon-apigateway-endpoint-configuration";
        self.extension("endpoint-configuration").or_else(|| servers.find_map(|server| server.get(name)))
    }

    /// The paths and their items.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let paths = self.root.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.filter_map(|(path, item)| Some((path.as_str(), self.resolve(item).as_object()?)))
    }

    /// The security requirements of an operation: its own, else the document's.
    pub(super) fn security<'d>(&'d self, operation: &'d Value) -> &'d [Value] {
        let own = operation.get("security").or_else(|| self.root.get("security"));
        own.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The security schemes by name.
    pub(super) fn security_schemes(&self) -> BTreeMap<&str, &Value> {
        self.named(&["components", "securitySchemes"], &["securityDefinitions"])
    }

    /// The schemas by name.
    pub(super) fn schemas(&self) -> BTreeMap<&str, &Value> {
        self.named(&["components", "schemas"], &["definitions"])
    }

    /// The name in a reference to a schema.
    pub(super) fn schema_name(reference: &str) -> Option<&str> {
        reference.strip_prefix("#/components/schemas/").or_else(|| reference.strip_prefix("#/definitions/"))
    }

    /// Follows local references.
    pub(super) fn resolve<'d>(&'d self, value: &'d Value) -> &'d Value {
        let mut value = value;
        for _ in 0..DEPTH {
            let target = value.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match target.and_then(|pointer| self.root.pointer(pointer)) {
                Some(found) => value = found,
                None => break,
            }
        }
        value
    }

    /// References within the document that lead nowhere, or round in a circle. Schemas may refer to each other as they like;
    /// a reference that is nothing but the next reference may not come back.
    pub(super) fn dangling(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for member in ["paths", "components", "definitions", "parameters", "responses", "securityDefinitions"] {
            if let Some(value) = self.root.get(member) {
                self.find_dangling(value, &mut found);
            }
        }
        found
    }

    fn find_dangling<'d>(&'d self, value: &'d Value, found: &mut BTreeSet<&'d str>) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                    && reference.starts_with('#')
                    && self.resolve(value).get("$ref").is_some_and(Value::is_string)
                {
                    found.insert(reference);
                }
                // Examples are data, whatever they look like.
                let own = members
                    .iter()
                    .filter(|(name, _)| !["example", "examples", "default", "enum"].contains(&name.as_str()));
                own.for_each(|(_, member)| self.find_dangling(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| self.find_dangling(item, found)),
            _ => {}
        }
    }

    /// The request bodies of an operation: content type and schema.
    pub(super) fn request_bodies<'d>(&'d self, operation: &'d Value) -> Vec<(String, &'d Value)> {
        if self.openapi3 {
            return operation.get("requestBody").map(|body| contents(self.resolve(body))).unwrap_or_default();
        }
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let body =
            parameters.map(|parameter| self.resolve(parameter)).find(|each| each.get("in") == Some(&"body".into()));
        let schema = body.and_then(|body| body.get("schema"));
        schema.map(|schema| self.with_types(operation, "consumes", schema)).unwrap_or_default()
    }

    /// The bodies of a response: content type and schema.
    pub(super) fn response_bodies<'d>(&'d self, operation: &'d Value, response: &'d Value) -> Vec<(String, &'d Value)> {
        if self.openapi3 {
            return contents(response);
        }
        response.get("schema").map(|schema| self.with_types(operation, "produces", schema)).unwrap_or_default()
    }

    /// The path below which the document's server has its paths, without slashes around it.
    pub(super) fn base_path(&self) -> String {
        let path = if self.openapi3 {
            self.root.pointer("/servers/0").map(server_path).unwrap_or_default()
        } else {
            self.root.get("basePath").map(scalar).unwrap_or_default()
        };
        path.trim_matches('/').to_owned()
    }

    fn named<'d>(&'d self, openapi3: &[&str], swagger: &[&str]) -> BTreeMap<&'d str, &'d Value> {
        let steps = if self.openapi3 { openapi3 } else { swagger };
        let found = steps.iter().try_fold(&self.root, |value, step| value.get(step));
        let found = found.and_then(Value::as_object).into_iter().flatten();
        found.map(|(name, value)| (name.as_str(), value)).collect()
    }

    /// A schema under each media type of an operation, or of the document, or under JSON.
    fn with_types<'d>(&'d self, operation: &Value, member: &str, schema: &'d Value) -> Vec<(String, &'d Value)> {
        let types = operation.get(member).or_else(|| self.root.get(member)).and_then(Value::as_array);
        let types = types.filter(|types| !types.is_empty());
        types.map_or_else(
            || vec![("application/json".to_owned(), schema)],
            |types| types.iter().map(|media_type| (scalar(media_type), schema)).collect(),
        )
    }
}

/// The service's words for a document it can't read.
pub(super) fn invalid() -> Refusal {
    bad_request("Invalid OpenAPI input.")
}

/// A scalar as text: YAML has numbers where JSON has strings.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn contents(holder: &Value) -> Vec<(String, &Value)> {
    let contents = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    contents.filter_map(|(media_type, content)| Some((media_type.clone(), content.get("schema")?))).collect()
}

/// The path of a server's URL. A variable named `basePath` is the path even if the URL does not mention it.
fn server_path(server: &Value) -> String {
    let default = |name: &str| server.pointer(&format!("/variables/{name}/default")).map(scalar);
    let mut url = server.get("url").map(scalar).unwrap_or_default();
    if let Some(base) = default("basePath")
        && !url.contains("{basePath}")
    {
        return base;
    }
    for name in server.get("variables").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
        url = url.replace(&format!("{{{name}}}"), default(name).unwrap_or_default().trim_matches('/'));
    }
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| path.to_owned()).unwrap_or_default(),
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes()).expect("a document")
    }

    #[test]
    fn yaml_numbers_are_text_where_text_is_meant() {
        let document = parse(
            "openapi: 3.0.1\ninfo: {title: t, version: 2.0}\npaths:\n  /a:\n    get:\n      responses: {200: {}}\n",
        );
        let (_, item) = document.paths().next().expect("a path");
        assert!(item["get"]["responses"].get("200").is_some());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for wrong in [
            "",
            "[]",
            "{}",
            "text",
            r#"{"openapi":"2.0","info":{"title":"t"},"paths":{}}"#,
            r#"{"openapi":"3.0.1","info":{},"paths":{}}"#,
            r#"{"openapi":"3.0.1","info":{"title":"t"}}"#,
            r#"{"openapi":"3.0.1","info":{"title":"t"},"paths":{"a":{}}}"#,
        ] {
            assert_eq!(Document::parse(wrong.as_bytes()).err(), Some(invalid()), "{wrong}");
        }
    }

    #[test]
    fn aliases_of_aliases_are_taken_up_to_a_limit() {
        let with = |depth: usize| {
            let levels =
                (1..=depth).map(|at| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(",")));
            let text =
                format!("openapi: 3.0.1\ninfo: {{title: t}}\npaths: {{}}\na0: &a0 x\n{}", levels.collect::<String>());
            Document::parse(text.as_bytes()).map(drop)
        };
        assert_eq!(with(3), Ok(()));
        assert_eq!(with(5), Err(invalid()));
    }

    #[test]
    fn circles_of_references_end() {
        let document =
            parse(r##"{"openapi":"3.0.1","info":{"title":"t"},"paths":{},"a":{"$ref":"#/b"},"b":{"$ref":"#/a"}}"##);
        assert!(document.resolve(&document.root["a"]).get("$ref").is_some());
    }

    #[test]
    fn base_paths_come_from_url_or_variable() {
        let with = |servers: &str| {
            parse(&format!(r#"{{"openapi":"3.0.1","info":{{"title":"t"}},"paths":{{}},"servers":[{servers}]}}"#))
        };
        assert_eq!(with(r#"{"url":"https://x.com/base-url/part/"}"#).base_path(), "base-url/part");
        let variable = r#"{"url":"https://x.com","variables":{"basePath":{"default":"/base-var"}}}"#;
        assert_eq!(with(variable).base_path(), "base-var");
        let named = r#"{"url":"https://x.com/{basePath}/v1","variables":{"basePath":{"default":"/b"}}}"#;
        assert_eq!(with(named).base_path(), "b/v1");
        assert_eq!(with(r#"{"url":"https://x.com"}"#).base_path(), "");
    }
}

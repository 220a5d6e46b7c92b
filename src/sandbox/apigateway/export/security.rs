//! Authorizers, API keys and IAM as security schemes.

use serde_json::{Map, Value, json};

use super::super::state::{Authorizer, Method};
use super::Source;

/// The names that the service gives to the schemes which are no authorizers.
const API_KEY: &str = "api_key";
const IAM: &str = "sigv4";

impl Source<'_> {
    /// The schemes by name: every authorizer, and the two others where a method asks for them.
    pub(super) fn security_schemes(&self) -> Map<String, Value> {
        let mut schemes: Map<String, Value> = self
            .definition
            .authorizers
            .iter()
            .map(|authorizer| (authorizer.name.clone(), self.scheme(authorizer)))
            .collect();
        let methods = || self.definition.resources.values().flat_map(|resource| resource.resource_methods.values());
        if methods().any(|method| method.api_key_required) {
            schemes.insert(self.free(API_KEY), json!({ "type": "apiKey", "name": "x-api-key", "in": "header" }));
        }
        if methods().any(|method| method.authorization_type == "AWS_IAM") {
            let mut scheme = json!({ "type": "apiKey", "name": "Authorization", "in": "header" });
            scheme["x-amazon-apigateway-authtype"] = "awsSigv4".into();
            schemes.insert(self.free(IAM), scheme);
        }
        schemes
    }

    /// What a method asks for, one requirement a scheme.
    pub(super) fn requirements(&self, method: &Method) -> Vec<Value> {
        let mut requirements = Vec::new();
        let mut ask = |name: String, scopes: &[String]| {
            requirements.push(Value::Object(Map::from_iter([(name, json!(scopes))])));
        };
        if let Some(authorizer) = method.authorizer_id.as_ref().and_then(|id| self.definition.authorizer(id)) {
            ask(authorizer.name.clone(), &method.authorization_scopes);
        }
        if method.authorization_type == "AWS_IAM" {
            ask(self.free(IAM), &[]);
        }
        if method.api_key_required {
            ask(self.free(API_KEY), &[]);
        }
        requirements
    }

    /// A name for a scheme that no authorizer has.
    fn free(&self, name: &str) -> String {
        let taken = |name: &str| self.definition.authorizers.iter().any(|authorizer| authorizer.name == name);
        let mut name = name.to_owned();
        while taken(&name) {
            name.push('_');
        }
        name
    }

    /// The scheme has the header of the token; a `REQUEST` authorizer names its sources itself.
    fn scheme(&self, authorizer: &Authorizer) -> Value {
        let source = authorizer.identity_source.as_deref().filter(|_| authorizer.r#type != "REQUEST");
        let header = source.and_then(|source| source.strip_prefix("method.request.header.")).unwrap_or("Unused");
        let mut scheme = json!({ "type": "apiKey", "name": header, "in": "header" });
        if !self.extensions.authorizers {
            return scheme;
        }
        scheme["x-amazon-apigateway-authtype"] = authorizer.auth_type.as_str().into();
        let mut extension = json!({ "type": authorizer.r#type.to_lowercase() });
        for (name, text) in [
            ("authorizerUri", &authorizer.authorizer_uri),
            ("authorizerCredentials", &authorizer.authorizer_credentials),
            ("identityValidationExpression", &authorizer.identity_validation_expression),
        ] {
            if let Some(text) = text {
                extension[name] = text.as_str().into();
            }
        }
        if let Some(source) = authorizer.identity_source.as_deref().filter(|_| authorizer.r#type == "REQUEST") {
            extension["identitySource"] = source.into();
        }
        if let Some(ttl) = authorizer.authorizer_result_ttl_in_seconds {
            extension["authorizerResultTtlInSeconds"] = ttl.into();
        }
        if !authorizer.provider_arns.is_empty() {
            extension["providerARNs"] = json!(authorizer.provider_arns);
        }
        scheme["x-amazon-apigateway-authorizer"] = extension;
        scheme
    }
}

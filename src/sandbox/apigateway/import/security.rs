//! Security schemes of a document: authorizers, API keys and IAM.

use serde_json::Value;

use super::super::authorizers::{self, AuthorizerInput};
use super::super::errors::{Answer, bad_request};
use super::super::state::Method;
use super::Importer;
use super::document::scalar;

/// What a security scheme means to a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `CUSTOM` with this authorizer.
    Lambda(String),
    /// `COGNITO_USER_POOLS` with this authorizer; the requirement lists scopes.
    Cognito(String),
    /// `AWS_IAM`.
    Iam,
    /// An API key of a usage plan.
    ApiKey,
    /// A scheme without an extension: it is documentation and guards nothing.
    Documented,
    /// A scheme that says it is an authorizer and does not say which.
    Incomplete,
}

impl Importer<'_, '_, '_> {
    /// Makes an authorizer of every scheme that describes one, used or not (recorded).
    pub(super) fn import_security(&mut self) -> Answer<()> {
        for (name, scheme) in self.document.security_schemes() {
            let scheme = self.document.resolve(scheme);
            let meaning = match scheme.get("x-amazon-apigateway-authorizer") {
                Some(extension) => {
                    let extension = self.document.resolve(extension);
                    match self.authorizer(name, scheme, extension) {
                        Ok(meaning) => meaning,
                        Err(refusal) if refusal.status == 429 => return Err(refusal),
                        Err(refusal) => {
                            self.fail(&format!("Unable to create authorizer '{name}'"), &refusal);
                            continue;
                        }
                    }
                }
                None => without_authorizer(scheme),
            };
            self.warn_of(name, scheme, &meaning);
            self.schemes.insert(name.to_owned(), meaning);
        }
        Ok(())
    }

    /// Warns of a scheme that guards nothing (reported).
    fn warn_of(&mut self, name: &str, scheme: &Value, meaning: &Scheme) {
        match (meaning, scheme.get("type").map(scalar).unwrap_or_default().as_str()) {
            (Scheme::Incomplete, _) => self.warnings.push(format!(
                "Unable to create authorizer from security definition: '{name}'. Extension x-amazon-apigateway-authorizer \
                 is required. Any methods with security: '{name}' will not be created. If this security definition is not \
                 a custom authorizer, remove the x-amazon-apigateway-authtype extension and it will be ignored."
            )),
            (Scheme::Documented, kind) if kind != "apiKey" => {
                self.warnings.push(format!("Unsupported security definition type '{kind}' for '{name}'. Ignoring."));
            }
            _ => {}
        }
    }

    /// Sets how a method is guarded, from the requirements of its operation. False: such a method is not created.
    pub(super) fn guard(&mut self, method: &mut Method, operation: &Value) -> Answer<bool> {
        "NONE".clone_into(&mut method.authorization_type);
        let auth = operation.pointer("/x-amazon-apigateway-auth/type").and_then(Value::as_str);
        if auth.is_some_and(|auth| auth.eq_ignore_ascii_case("AWS_IAM")) {
            "AWS_IAM".clone_into(&mut method.authorization_type);
        }
        let document = self.document;
        let requirements = document.security(operation).iter().filter_map(Value::as_object).flatten();
        for (name, scopes) in requirements {
            let Some(scheme) = self.schemes.get(name) else {
                if self.document.security_schemes().contains_key(name.as_str()) {
                    // Its authorizer could not be made, which was said already.
                    continue;
                }
                return Err(bad_request(format!("Invalid security definition specified: {name}")));
            };
            match scheme {
                Scheme::Lambda(id) => {
                    "CUSTOM".clone_into(&mut method.authorization_type);
                    method.authorizer_id = Some(id.clone());
                }
                Scheme::Cognito(id) => {
                    "COGNITO_USER_POOLS".clone_into(&mut method.authorization_type);
                    method.authorizer_id = Some(id.clone());
                    method.authorization_scopes = scopes.as_array().into_iter().flatten().map(scalar).collect();
                }
                Scheme::Iam => "AWS_IAM".clone_into(&mut method.authorization_type),
                Scheme::ApiKey => method.api_key_required = true,
                Scheme::Incomplete => return Ok(false),
                Scheme::Documented => {}
            }
        }
        Ok(true)
    }

    fn authorizer(&mut self, name: &str, scheme: &Value, extension: &Value) -> Answer<Scheme> {
        let text = |member: &str| extension.get(member).filter(|value| !value.is_null()).map(scalar);
        let kind = text("type").unwrap_or_default().to_uppercase();
        let ttl = text("authorizerResultTtlInSeconds").filter(|ttl| !ttl.is_empty());
        let ttl = ttl
            .map(|ttl| ttl.parse().map_err(|_| bad_request(format!("Invalid Authorizer result TTL specified: {ttl}"))));
        // A REQUEST authorizer names its sources itself; the others have the scheme's header.
        let header = scheme.get("name").map(|name| format!("method.request.header.{}", scalar(name)));
        let input = AuthorizerInput {
            name: Some(name.to_owned()),
            provider_arns: extension
                .get("providerARNs")
                .and_then(Value::as_array)
                .map(|list| list.iter().map(scalar).collect()),
            auth_type: scheme.get("x-amazon-apigateway-authtype").map(scalar),
            authorizer_uri: text("authorizerUri"),
            authorizer_credentials: text("authorizerCredentials"),
            identity_source: text("identitySource")
                .filter(|source| !source.is_empty())
                .or_else(|| header.filter(|_| kind != "REQUEST")),
            identity_validation_expression: text("identityValidationExpression"),
            authorizer_result_ttl_in_seconds: ttl.transpose()?,
            r#type: Some(kind.clone()),
        };
        let old = self.old.authorizers.iter().find(|each| each.name == name).map(|each| each.id.clone());
        let id = old.unwrap_or_else(|| self.call.new_id());
        let authorizer = authorizers::complete(input, id.clone(), &self.caller)?;
        match self.definition.authorizers.iter_mut().find(|each| each.name == name) {
            Some(merged) => *merged = authorizer,
            None => authorizers::add(&mut self.definition, authorizer)?,
        }
        Ok(if kind == "COGNITO_USER_POOLS" { Scheme::Cognito(id) } else { Scheme::Lambda(id) })
    }
}

fn without_authorizer(scheme: &Value) -> Scheme {
    let member = |name: &str| scheme.get(name).map(scalar).unwrap_or_default();
    match member("x-amazon-apigateway-authtype") {
        kind if kind.eq_ignore_ascii_case("awsSigv4") => return Scheme::Iam,
        kind if !kind.is_empty() => return Scheme::Incomplete,
        _ => {}
    }
    if member("type") == "apiKey" && member("in") == "header" && member("name").eq_ignore_ascii_case("x-api-key") {
        return Scheme::ApiKey;
    }
    Scheme::Documented
}

//! Policies of the caller, enforced: `--sandbox-policy`.
//!
//! Without it, whoever reaches the sandbox may do everything. With it, a call is carried out only if the policies allow every
//! action that AWS asks for, on what it asks it for; else the service refuses it in its own words. Which actions these are is
//! read from the request, a service a file, after the Service Authorization Reference and the services' guides. gwctl's own
//! list of permissions is not consulted: the two are to meet from different sides.
//!
//! What AWS decides by more than the caller's own policies (boundaries, organisations, resource policies) is not here, and
//! neither are condition keys beside those named in [`Asked`].

mod apigateway;
mod json;
mod query;
mod rest;

use std::sync::Arc;

use serde_json::Value;

use super::execute_api::policy::{Pairs, Policy, Principal, Question, Verdict};
use super::wire::{Request, Response};
use super::world::World;
use crate::error::{Failure, FailureKind, Result};

/// The policies that hold for every caller.
#[derive(Debug, Clone, Default)]
pub struct Enforced(Arc<Vec<Policy>>);

/// One thing that AWS asks the caller's policies for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// `lambda:GetFunction`
    pub(super) action: String,
    /// An ARN, or `*` where the action knows no resources.
    pub(super) resource: String,
    /// The service that a role is passed to: the key `iam:PassedToService`.
    pub(super) passed_to: Option<&'static str>,
}

impl Asked {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), passed_to: None }
    }

    /// A role handed to a service.
    fn pass(role: &str, service: &'static str) -> Self {
        Self { passed_to: Some(service), ..Self::new("iam:PassRole", role) }
    }

    /// The role that a service makes for itself.
    fn linked(request: &Request, service: &str, name: &str) -> Self {
        let caller = &request.caller;
        let role = format!("role/aws-service-role/{service}/{name}");
        Self::new("iam:CreateServiceLinkedRole", format!("arn:{}:iam::{}:{role}", caller.partition(), caller.account))
    }
}

impl Enforced {
    /// Reads policies: JSON documents, one after the other; also those in `gwctl policy --output json`.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Failure::new(FailureKind::Configuration, format!("{name} holds no policy that can be enforced")).cause(why)
        };
        let mut policies = Vec::new();
        for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            for one in flattened(document.map_err(|error| wrong(error.to_string()))?) {
                policies.push(Policy::parse(&one.to_string()).map_err(|error| wrong(error.to_string()))?);
            }
        }
        Ok(Self(Arc::new(policies)))
    }

    /// These policies and others: any of them may allow, and any may deny.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(Arc::new(self.0.iter().chain(other.0.iter()).cloned().collect()))
    }

    /// The first thing that the policies do not allow of what a request asks.
    pub(super) fn missing(&self, world: &World, request: &Request) -> Option<Asked> {
        asked(world, request).into_iter().find(|asked| !self.allow(request, asked))
    }

    /// Takes out of an answer what the policies do not let the caller see, though they allow the call: "Lambda returns tag data
    /// only if you have explicit allow permissions for `lambda:ListTags`" (API reference of `GetFunction`).
    pub(super) fn conceal(&self, request: &Request, response: &mut Response) {
        if request.caller.service != "lambda" || super::conditions::operation_name(request) != "GetFunction" {
            return;
        }
        let Some(function) = rest::lambda(request, "ListTags").into_iter().next() else { return };
        let Ok(Value::Object(mut answer)) = serde_json::from_slice(&response.body) else { return };
        if !self.allow(request, &function) && answer.remove("Tags").is_some() {
            response.body = Value::Object(answer).to_string().into_bytes().into();
        }
    }

    fn allow(&self, request: &Request, asked: &Asked) -> bool {
        let caller = &request.caller;
        let arn = super::sts::arn(request);
        let keys = Pairs(asked.passed_to.map(|service| ("iam:passedtoservice", service)).into_iter().collect());
        let question = Question {
            action: &asked.action,
            resource: &asked.resource,
            principal: Principal::Aws { account: &caller.account, arn: &arn, role: None },
            keys: &keys,
        };
        let verdicts: Vec<Verdict<'_>> = self.0.iter().map(|policy| policy.evaluate(&question)).collect();
        let denied = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Denied(_)));
        !denied && verdicts.iter().any(|verdict| matches!(verdict, Verdict::Allowed(_)))
    }
}

/// The documents in what a file holds: `{"policies": [{"documents": […]}]}`, a list, or one.
fn flattened(value: Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all.into_iter().flat_map(flattened).collect(),
        Value::Object(mut members) => match members.remove("policies").or_else(|| members.remove("documents")) {
            Some(inner) => flattened(inner),
            None => vec![Value::Object(members)],
        },
        other => vec![other],
    }
}

/// Everything that AWS asks policies for before it carries out a request.
pub(super) fn asked(world: &World, request: &Request) -> Vec<Asked> {
    let operation = super::conditions::operation_name(request);
    match request.caller.service.as_str() {
        "apigateway" => apigateway::asked(request),
        "lambda" => rest::lambda(request, &operation),
        "route53" => rest::route53(request, &operation),
        "s3" => rest::s3(request, &operation),
        "iam" => query::iam(world, request),
        "ec2" => query::ec2(request),
        "sts" => query::sts(request),
        "elasticloadbalancing" => vec![Asked::new(format!("elasticloadbalancing:{operation}"), "*")],
        "sns" => query::sns(request),
        "monitoring" => json::cloudwatch(request, &operation),
        "logs" => json::logs(request, &operation),
        "wafv2" => json::wafv2(request, &operation),
        "firehose" => json::firehose(request, &operation),
        "acm" => json::acm(request, &operation),
        "tagging" => vec![Asked::new(format!("tag:{operation}"), "*")],
        service => vec![Asked::new(format!("{service}:{operation}"), "*")],
    }
}

/// An ARN of the caller's account and Region.
fn arn(request: &Request, service: &str, resource: &str) -> String {
    let caller = &request.caller;
    format!("arn:{}:{service}:{}:{}:{resource}", caller.partition(), caller.region, caller.account)
}

/// The text at a pointer, if there is one.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether there is something at a pointer: a list or an object that is not empty, or any other value.
fn has(value: &Value, pointer: &str) -> bool {
    match value.pointer(pointer) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        Some(_) => true,
    }
}

/// The JSON in a body; nothing where there is none.
fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

#[cfg(test)]
mod tests;

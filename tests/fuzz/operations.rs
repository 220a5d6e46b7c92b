//! Series of API Gateway's operations on a few APIs, with arguments that are right, of something else, or made up.

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::State;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::bench::{FUNCTION, call, certificate, exception, faults, held, state};
use super::check;
use super::strategies::{Edit, edits, spoil, text};

/// One call to make: which operation, what its ids are, and how its body is spoilt.
#[derive(Debug, Clone)]
struct Step {
    operation: Index,
    picks: Vec<Index>,
    word: String,
    edits: Vec<Edit>,
}

/// Names and path parts that come again and again.
const WORDS: [&str; 17] = [
    "pets",
    "{id}",
    "{name}",
    "{proxy+}",
    "orders",
    "a.b",
    "live",
    "beta",
    "v1",
    "guard",
    "Pet",
    "all",
    "a.example.com",
    "200",
    "404",
    "UNAUTHORIZED",
    "DEFAULT_4XX",
];

fn step() -> impl Strategy<Value = Step> {
    let word = prop_oneof![12 => select(&WORDS[..]).prop_map(str::to_owned), 1 => text()];
    let edits = prop_oneof![5 => Just(Vec::new()), 1 => edits(3)];
    (any::<Index>(), vec(any::<Index>(), 6), word, edits).prop_map(|(operation, picks, word, edits)| Step {
        operation,
        picks,
        word,
        edits,
    })
}

const OPERATIONS: usize = 46;

const VERBS: [&str; 4] = ["GET", "POST", "ANY", "OPTIONS"];

/// What a step may refer to, as the state is.
struct Known<'a> {
    step: &'a Step,
    certificate: &'a str,
    apis: Vec<String>,
    roots: Vec<String>,
    resources: Vec<String>,
    authorizers: Vec<String>,
    validators: Vec<String>,
    deployments: Vec<String>,
    stages: Vec<String>,
    models: Vec<String>,
    /// Plans, keys, links, certificates.
    plans: Vec<String>,
    keys: Vec<String>,
    links: Vec<String>,
    domains: Vec<String>,
}

impl<'a> Known<'a> {
    fn new(state: Option<&State>, step: &'a Step, certificate: &'a str) -> Self {
        let empty = State::default();
        let state = state.unwrap_or(&empty);
        let api = (!state.apis.is_empty()).then(|| &state.apis[step.picks[0].index(state.apis.len())]);
        let definition = api.map(|api| &api.definition);
        Self {
            step,
            certificate,
            apis: api.map(|api| api.id.clone()).into_iter().collect(),
            roots: definition.map(|definition| definition.root_resource_id.clone()).into_iter().collect(),
            resources: definition.into_iter().flat_map(|each| each.resources.keys().cloned()).collect(),
            authorizers: definition
                .into_iter()
                .flat_map(|each| each.authorizers.iter().map(|authorizer| authorizer.id.clone()))
                .collect(),
            validators: definition.into_iter().flat_map(|each| each.request_validators.keys().cloned()).collect(),
            deployments: api.into_iter().flat_map(|api| api.deployments.iter().map(|each| each.id.clone())).collect(),
            stages: api.into_iter().flat_map(|api| api.stages.keys().cloned()).collect(),
            models: definition.into_iter().flat_map(|each| each.models.keys().cloned()).collect(),
            plans: state.usage_plans.iter().map(|plan| plan.id.clone()).collect(),
            keys: state.api_keys.iter().map(|key| key.id.clone()).collect(),
            links: state.vpc_links.iter().map(|link| link.id.clone()).collect(),
            domains: state.domain_names.keys().cloned().collect(),
        }
    }

    /// One of those that are there; something else if there is none.
    fn one(&self, all: &[String], pick: usize) -> String {
        if all.is_empty() { "none01".to_owned() } else { all[self.step.picks[pick].index(all.len())].clone() }
    }

    fn choice<'t>(&self, all: &[&'t str], pick: usize) -> &'t str {
        all[self.step.picks[pick].index(all.len())]
    }

    fn word(&self) -> &str {
        &self.step.word
    }

    fn api(&self) -> String {
        format!("/restapis/{}", self.one(&self.apis, 0))
    }

    fn resource(&self) -> String {
        let all = if self.step.picks[1].index(3) == 0 { &self.roots } else { &self.resources };
        format!("{}/resources/{}", self.api(), self.one(all, 2))
    }

    fn method(&self) -> String {
        format!("{}/methods/{}", self.resource(), self.choice(&VERBS, 3))
    }

    /// The call.
    fn call(&self) -> (&'static str, String, Value) {
        let number = self.step.operation.index(OPERATIONS);
        let (method, path, body) = match number {
            0..24 => self.definition_call(number),
            24..36 => self.stage_call(number),
            _ => self.other_call(number),
        };
        let path = path.replace(' ', "%20");
        (method, path, if self.step.edits.is_empty() { body } else { spoil(body, &self.step.edits) })
    }

    fn definition_call(&self, number: usize) -> (&'static str, String, Value) {
        let (api, word) = (self.api(), self.word());
        match number {
            0 => ("POST", "/restapis".into(), json!({ "name": word })),
            1..=3 => ("POST", self.resource(), json!({ "pathPart": word })),
            4 => ("DELETE", self.resource(), Value::Null),
            5 => ("PATCH", self.resource(), patch("/parentId", &self.one(&self.resources, 4))),
            6 => ("PATCH", self.resource(), patch("/pathPart", word)),
            7 | 8 => ("PUT", self.method(), json!({ "authorizationType": "NONE" })),
            9 => (
                "PUT",
                self.method(),
                json!({ "authorizationType": "CUSTOM", "authorizerId": self.one(&self.authorizers, 4),
                    "requestValidatorId": self.one(&self.validators, 5) }),
            ),
            10 => (
                "PUT",
                self.method(),
                json!({ "authorizationType": "NONE", "requestModels": { "application/json": self.one(&self.models, 4) } }),
            ),
            11 | 12 => ("PUT", format!("{}/integration", self.method()), json!({ "type": "MOCK" })),
            13 => (
                "PUT",
                format!("{}/integration", self.method()),
                json!({ "type": "HTTP_PROXY", "httpMethod": "ANY", "uri": "http://a.example.com/{id}",
                    "connectionType": "VPC_LINK", "connectionId": self.one(&self.links, 4) }),
            ),
            14 => ("DELETE", self.method(), Value::Null),
            15 => ("PUT", format!("{}/responses/{word}", self.method()), json!({})),
            16 => {
                ("PUT", format!("{}/integration/responses/{word}", self.method()), json!({ "selectionPattern": "5.." }))
            }
            17 => (
                "POST",
                format!("{api}/authorizers"),
                json!({ "name": word, "type": "REQUEST", "authorizerUri": FUNCTION,
                    "identitySource": "method.request.header.a", "authorizerResultTtlInSeconds": 60 }),
            ),
            18 => ("DELETE", format!("{api}/authorizers/{}", self.one(&self.authorizers, 4)), Value::Null),
            19 => ("POST", format!("{api}/requestvalidators"), json!({ "name": word })),
            20 => ("DELETE", format!("{api}/requestvalidators/{}", self.one(&self.validators, 4)), Value::Null),
            21 => (
                "POST",
                format!("{api}/models"),
                json!({ "name": word, "contentType": "application/json", "schema": "{}" }),
            ),
            22 => ("DELETE", format!("{api}/models/{}", self.one(&self.models, 4)), Value::Null),
            _ => ("PUT", format!("{api}?mode={}", self.choice(&["merge", "overwrite"], 4)), self.document()),
        }
    }

    /// A small document that has names in common with the other calls.
    fn document(&self) -> Value {
        let word = self.word();
        json!({
            "openapi": "3.0.1", "info": { "title": word },
            "paths": { format!("/{word}/{{id}}"): { "get": { "security": [{ "guard": [] }],
                "x-amazon-apigateway-integration": { "type": "mock" } } } },
            "components": { "securitySchemes": { "guard": { "type": "apiKey", "name": "a", "in": "header",
                "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": { "type": "token",
                    "authorizerUri": FUNCTION } } }, "schemas": { "Pet": {} } },
        })
    }

    fn stage_call(&self, number: usize) -> (&'static str, String, Value) {
        let (api, word) = (self.api(), self.word());
        let stage = format!("{api}/stages/{}", self.one(&self.stages, 4));
        let deployment = self.one(&self.deployments, 5);
        match number {
            24 | 25 => {
                ("POST", format!("{api}/deployments"), json!({ "stageName": self.choice(&["live", "beta", ""], 4) }))
            }
            26 => (
                "POST",
                format!("{api}/deployments"),
                json!({ "stageName": self.one(&self.stages, 4), "canarySettings": { "percentTraffic": 12.345_678 } }),
            ),
            27 => ("DELETE", format!("{api}/deployments/{deployment}"), Value::Null),
            28 => ("POST", format!("{api}/stages"), json!({ "stageName": word, "deploymentId": deployment })),
            29 => ("PATCH", stage, patch("/deploymentId", &deployment)),
            30 => ("PATCH", stage, patch("/canarySettings/deploymentId", &deployment)),
            31 => (
                "PATCH",
                stage,
                json!({ "patchOperations": [
                    { "op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId" },
                    { "op": "remove", "path": "/canarySettings" },
                ] }),
            ),
            32 => ("PATCH", stage, patch("/*/*/throttling/rateLimit", "0.1234567890123")),
            33 => ("DELETE", stage, Value::Null),
            34 => ("GET", format!("{stage}/exports/oas30?extensions=apigateway"), Value::Null),
            _ => ("PATCH", stage, patch("/variables/host", word)),
        }
    }

    fn other_call(&self, number: usize) -> (&'static str, String, Value) {
        let (word, plan) = (self.word(), self.one(&self.plans, 4));
        let stage = json!({ "apiId": self.one(&self.apis, 0), "stage": self.one(&self.stages, 4) });
        let domain = self.one(&self.domains, 4);
        match number {
            36 => ("POST", "/usageplans".into(), json!({ "name": word, "apiStages": [stage] })),
            37 => ("DELETE", format!("/usageplans/{plan}"), Value::Null),
            38 => ("POST", "/apikeys".into(), json!({ "name": word, "enabled": true })),
            39 => (
                "POST",
                format!("/usageplans/{plan}/keys"),
                json!({ "keyId": self.one(&self.keys, 5), "keyType": "API_KEY" }),
            ),
            40 => (
                "POST",
                "/vpclinks".into(),
                json!({ "name": word, "targetArns": [
                    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/n/0123456789abcdef"] }),
            ),
            41 => ("DELETE", format!("/vpclinks/{}", self.one(&self.links, 4)), Value::Null),
            42 => (
                "POST",
                "/domainnames".into(),
                json!({ "domainName": format!("{word}.example.com"), "endpointConfiguration": { "types": ["REGIONAL"] },
                    "regionalCertificateArn": self.certificate }),
            ),
            43 => (
                "POST",
                format!("/domainnames/{domain}/basepathmappings"),
                json!({ "restApiId": self.one(&self.apis, 0), "stage": self.one(&self.stages, 5), "basePath": word }),
            ),
            44 => ("DELETE", format!("/domainnames/{domain}"), Value::Null),
            _ => ("DELETE", self.api(), Value::Null),
        }
    }
}

fn patch(path: &str, value: &str) -> Value {
    json!({ "patchOperations": [{ "op": "replace", "path": path, "value": value }] })
}

#[test]
fn any_series_of_operations_leaves_a_sound_state() {
    let taken = std::cell::Cell::new(0_u32);
    check(24, &vec(step(), 1..60), |steps| {
        let sandbox = Sandbox::in_memory();
        let certificate = certificate(&sandbox);
        let mut before = held(&sandbox);
        for step in &steps {
            let world = sandbox.world().unwrap();
            let (method, target, body) = Known::new(state(&world), step, &certificate).call();
            let response = call(&sandbox, method, &target, &body);
            let said = String::from_utf8_lossy(&response.body);
            prop_assert!(exception(&response) != "InternalFailure", "{method} {target} {body}: {said}");
            let after = held(&sandbox);
            if response.status < 300 {
                taken.set(taken.get() + 1);
            }
            prop_assert!(response.status < 300 || before == after, "{method} {target} {body} left a trace: {said}");
            if before != after {
                let faults = faults(&sandbox.world().unwrap());
                prop_assert!(faults.is_empty(), "{method} {target} {body}: {faults:?}");
            }
            before = after;
        }
        Ok(())
    });
    // A property of refusals alone would say little.
    assert!(taken.get() > 20, "{} calls were taken", taken.get());
}

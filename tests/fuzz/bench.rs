//! A sandbox, a way to call it as a client on the wire does, and what has to hold of it at any time.

use std::collections::BTreeSet;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::State;
use gwctl::sandbox::apigateway::state::{Definition, RestApi};
use gwctl::sandbox::wire::{Incoming, Response};
use gwctl::sandbox::world::World;
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";

/// The invocation ARN of a function.
pub(crate) const FUNCTION: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:\
                                   123456789012:function:guard/invocations";

/// A call that is signed, as far as anybody here looks.
pub(crate) fn incoming(service: &str, method: &str, target: &str, body: impl Into<Vec<u8>>) -> Incoming {
    let scope = format!("{ACCOUNT}/20260101/{REGION}/{service}/aws4_request");
    let headers = [
        ("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")),
        ("x-amz-date", "20260101T000000Z".to_owned()),
    ];
    Incoming {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: body.into().into(),
    }
}

/// Calls API Gateway; `null` is no body.
pub(crate) fn call(sandbox: &Sandbox, method: &str, target: &str, body: &Value) -> Response {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    sandbox.receive(incoming("apigateway", method, target, body))
}

/// The same for a call that has to succeed.
pub(crate) fn done(sandbox: &Sandbox, method: &str, target: &str, body: &Value) -> Value {
    let response = call(sandbox, method, target, body);
    let answer = String::from_utf8_lossy(&response.body);
    assert!((200..300).contains(&response.status), "{method} {target} {body}: {} {answer}", response.status);
    serde_json::from_str(&answer).unwrap_or_default()
}

/// The ARN of a new certificate for the names below `example.com`.
pub(crate) fn certificate(sandbox: &Sandbox) -> String {
    let mut request = incoming("acm", "POST", "/", json!({ "DomainName": "*.example.com" }).to_string());
    request.headers.push(("x-amz-target".to_owned(), "CertificateManager.RequestCertificate".to_owned()));
    let answer: Value = serde_json::from_slice(&sandbox.receive(request).body).expect("JSON");
    answer["CertificateArn"].as_str().expect("an ARN").to_owned()
}

/// The `id` of an answer.
pub(crate) fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

/// The exception of an answer.
pub(crate) fn exception(response: &Response) -> &str {
    response.header("x-amzn-errortype").unwrap_or_default()
}

/// What the accounts hold, to be compared. How many ids were drawn is not in it: a call that is refused may draw one.
pub(crate) fn held(sandbox: &Sandbox) -> Value {
    serde_json::to_value(sandbox.world().expect("a world").accounts).expect("JSON")
}

/// API Gateway's state in the Region of the calls.
pub(crate) fn state(world: &World) -> Option<&State> {
    world.accounts.get(ACCOUNT)?.regions.get(REGION).map(|region| &region.apigateway)
}

/// What is wrong with a world that only calls have made; empty if nothing is.
pub(crate) fn faults(world: &World) -> Vec<String> {
    let mut faults = Vec::new();
    let text = serde_json::to_string(world).expect("a world becomes JSON");
    match serde_json::from_str::<World>(&text) {
        Ok(again) => {
            let again = serde_json::to_string(&again).expect("a world becomes JSON");
            if again != text {
                let at = text.bytes().zip(again.bytes()).take_while(|(one, other)| one == other).count();
                let (one, other) = (around(&text, at), around(&again, at));
                faults.push(format!("the world is another one once it was kept: {one} is then {other}"));
            }
        }
        Err(error) => faults.push(format!("the world can't be read again: {error}")),
    }
    if let Some(state) = state(world) {
        faults_of_state(state, &mut faults);
    }
    faults
}

fn around(text: &str, at: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(60)..text.len().min(at + 60)]).into_owned()
}

fn faults_of_state(state: &State, faults: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    let mut unique = |id: &str| if ids.insert(id.to_owned()) { None } else { Some(format!("two have the id {id}")) };
    faults.extend(state.apis.iter().filter_map(|api| unique(&api.id)));
    faults.extend(state.usage_plans.iter().filter_map(|plan| unique(&plan.id)));
    faults.extend(state.api_keys.iter().filter_map(|key| unique(&key.id)));
    faults.extend(state.vpc_links.iter().filter_map(|link| unique(&link.id)));
    for api in &state.apis {
        let definition = &api.definition;
        faults.extend(definition.authorizers.iter().filter_map(|authorizer| unique(&authorizer.id)));
        faults.extend(definition.resources.values().filter_map(|resource| unique(&resource.id)));
        faults.extend(definition.models.values().filter_map(|model| unique(&model.id)));
        faults.extend(api.deployments.iter().filter_map(|deployment| unique(&deployment.id)));
        faults_of_definition(definition, faults);
        for deployment in &api.deployments {
            faults_of_definition(&deployment.snapshot, faults);
        }
        faults_of_stages(api, faults);
    }
    for plan in &state.usage_plans {
        for stage in &plan.api_stages {
            let served = state.apis.iter().any(|api| api.stages.keys().any(|name| stage.is(&api.id, name)));
            if !served {
                faults.push(format!("the plan {} has a stage that does not exist: {stage:?}", plan.id));
            }
        }
    }
}

fn faults_of_stages(api: &RestApi, faults: &mut Vec<String>) {
    for (name, stage) in &api.stages {
        let canary = stage.canary_settings.as_ref().map(|canary| &canary.deployment_id);
        for deployment in [Some(&stage.deployment_id), canary].into_iter().flatten() {
            if api.deployment(deployment).is_none() {
                faults.push(format!("the stage {name} points to the deployment {deployment}, which does not exist"));
            }
        }
        if *name != stage.stage_name {
            faults.push(format!("the stage {name} calls itself {}", stage.stage_name));
        }
    }
}

fn faults_of_definition(definition: &Definition, faults: &mut Vec<String>) {
    let mut paths = BTreeSet::new();
    for (key, resource) in &definition.resources {
        if *key != resource.id || !paths.insert(&resource.path) {
            faults.push(format!("{key}: the id {} or the path {} is there twice", resource.id, resource.path));
        }
        let parent = resource.parent_id.as_ref().map(|parent| definition.resources.get(parent));
        let expected = match (parent, &resource.path_part) {
            (None, None) if resource.id == definition.root_resource_id => "/".to_owned(),
            (Some(Some(parent)), Some(part)) => format!("{}/{part}", parent.path.trim_end_matches('/')),
            _ => "none, as it hangs nowhere".to_owned(),
        };
        if resource.path != expected {
            faults.push(format!("the path of {key} is {} and should be {expected}", resource.path));
        }
        for (verb, method) in &resource.resource_methods {
            let at = format!("{verb} {}", resource.path);
            if method.authorizer_id.as_ref().is_some_and(|id| definition.authorizer(id).is_none()) {
                faults.push(format!("{at} has an authorizer that does not exist"));
            }
            let guarded = matches!(method.authorization_type.as_str(), "CUSTOM" | "COGNITO_USER_POOLS");
            if guarded != method.authorizer_id.is_some() {
                faults.push(format!(
                    "{at} is {} and has the authorizer {:?}",
                    method.authorization_type, method.authorizer_id
                ));
            }
            let validator = method.request_validator_id.as_ref();
            if validator.is_some_and(|id| !definition.request_validators.contains_key(id)) {
                faults.push(format!("{at} has a request validator that does not exist"));
            }
            if *verb != method.http_method {
                faults.push(format!("{at} calls itself {}", method.http_method));
            }
            let answers = method.method_responses.values().filter_map(|answer| answer.response_models.as_ref());
            for model in method.request_models.iter().chain(answers).flat_map(|models| models.values()) {
                if !definition.models.contains_key(model) {
                    faults.push(format!("{at} has the model {model}, which does not exist"));
                }
            }
        }
    }
}

/// Makes an API with a bit of everything, deployed to `live`, and what stands around it.
pub(crate) fn furnish(sandbox: &Sandbox) -> Furnished {
    let api = done(sandbox, "POST", "/restapis", &json!({ "name": "full" }));
    let at = format!("/restapis/{}", id(&api));
    let root = api["rootResourceId"].as_str().expect("a root").to_owned();
    let post = |path: &str, body: &Value| id(&done(sandbox, "POST", &format!("{at}/{path}"), body));
    let resource = post(&format!("resources/{root}"), &json!({ "pathPart": "pets" }));
    let child = post(&format!("resources/{resource}"), &json!({ "pathPart": "{id}" }));
    let authorizer = post(
        "authorizers",
        &json!({ "name": "guard", "type": "REQUEST", "authorizerUri": FUNCTION,
            "identitySource": "method.request.header.Authorization" }),
    );
    post("models", &json!({ "name": "Pet", "contentType": "application/json", "schema": "{\"type\":\"object\"}" }));
    let validator = post("requestvalidators", &json!({ "name": "all", "validateRequestParameters": true }));
    let method = format!("{at}/resources/{child}/methods/GET");
    done(
        sandbox,
        "PUT",
        &method,
        &json!({ "authorizationType": "CUSTOM", "authorizerId": authorizer, "requestValidatorId": validator,
            "requestParameters": { "method.request.path.id": true, "method.request.querystring.q": false },
            "requestModels": { "application/json": "Pet" } }),
    );
    let integration = json!({ "type": "MOCK", "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
        "cacheKeyParameters": ["method.request.path.id"] });
    done(sandbox, "PUT", &format!("{method}/integration"), &integration);
    let headers = json!({ "responseParameters": { "method.response.header.x-id": false } });
    done(sandbox, "PUT", &format!("{method}/responses/200"), &headers);
    let mapped = json!({ "responseParameters": { "method.response.header.x-id": "'1'" },
        "responseTemplates": { "application/json": "$context.requestId" } });
    done(sandbox, "PUT", &format!("{method}/integration/responses/200"), &mapped);
    done(sandbox, "PUT", &format!("{at}/gatewayresponses/UNAUTHORIZED"), &json!({ "statusCode": "401" }));
    let part = post("documentation/parts", &json!({ "location": { "type": "API" }, "properties": "{}" }));
    done(sandbox, "POST", &format!("{at}/documentation/versions"), &json!({ "documentationVersion": "v1" }));
    let variables = json!({ "stageName": "live", "variables": { "host": "a.example.com" } });
    let deployment = post("deployments", &variables);
    let link = json!({ "name": "link", "targetArns": [
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/n/0123456789abcdef"] });
    let link = id(&done(sandbox, "POST", "/vpclinks", &link));
    let key = id(&done(sandbox, "POST", "/apikeys", &json!({ "name": "key", "enabled": true })));
    let stage = json!({ "name": "plan", "apiStages": [{ "apiId": id(&api), "stage": "live" }] });
    let plan = id(&done(sandbox, "POST", "/usageplans", &stage));
    done(sandbox, "POST", &format!("/usageplans/{plan}/keys"), &json!({ "keyId": key, "keyType": "API_KEY" }));
    let domain = json!({ "domainName": "api.example.com", "endpointConfiguration": { "types": ["REGIONAL"] },
        "regionalCertificateArn": certificate(sandbox) });
    done(sandbox, "POST", "/domainnames", &domain);
    let mapping = json!({ "restApiId": id(&api), "stage": "live", "basePath": "base" });
    done(sandbox, "POST", "/domainnames/api.example.com/basepathmappings", &mapping);
    let patched = vec![
        at.clone(),
        format!("{at}/resources/{child}"),
        method.clone(),
        format!("{method}/integration"),
        format!("{method}/responses/200"),
        format!("{method}/integration/responses/200"),
        format!("{at}/authorizers/{authorizer}"),
        format!("{at}/models/Pet"),
        format!("{at}/requestvalidators/{validator}"),
        format!("{at}/gatewayresponses/UNAUTHORIZED"),
        format!("{at}/gatewayresponses/DEFAULT_5XX"),
        format!("{at}/documentation/parts/{part}"),
        format!("{at}/documentation/versions/v1"),
        format!("{at}/deployments/{deployment}"),
        format!("{at}/stages/live"),
        "/account".to_owned(),
        format!("/vpclinks/{link}"),
        format!("/apikeys/{key}"),
        format!("/usageplans/{plan}"),
        "/domainnames/api.example.com".to_owned(),
        "/domainnames/api.example.com/basepathmappings/base".to_owned(),
    ];
    let ids = vec![id(&api), root, resource, child, authorizer, validator, deployment, part, link, key, plan];
    Furnished { ids, patched }
}

/// What [`furnish`] made.
pub(crate) struct Furnished {
    /// Ids of all kinds.
    pub(crate) ids: Vec<String>,
    /// The paths of what can be patched.
    pub(crate) patched: Vec<String>,
}

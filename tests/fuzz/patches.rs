//! Patch operations on everything that can be patched.

use gwctl::sandbox::Sandbox;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::bench::{Furnished, call, exception, faults, furnish, held};
use super::check;
use super::strategies::{json, text};

/// Members of all entities, so that many paths mean something.
const MEMBERS: [&str; 74] = [
    "name",
    "description",
    "version",
    "policy",
    "minimumCompressionSize",
    "apiKeySource",
    "binaryMediaTypes",
    "binaryMediaTypes/image~1png",
    "disableExecuteApiEndpoint",
    "endpointConfiguration/types/EDGE",
    "endpointConfiguration/types/REGIONAL",
    "endpointConfiguration/vpcEndpointIds",
    "pathPart",
    "parentId",
    "authorizationType",
    "authorizerId",
    "apiKeyRequired",
    "operationName",
    "requestValidatorId",
    "requestParameters/method.request.header.a",
    "requestModels/application~1json",
    "authorizationScopes",
    "uri",
    "type",
    "httpMethod",
    "connectionType",
    "connectionId",
    "credentials",
    "timeoutInMillis",
    "passthroughBehavior",
    "contentHandling",
    "cacheNamespace",
    "cacheKeyParameters/method.request.path.id",
    "requestTemplates/text~1plain",
    "requestParameters/integration.request.header.a",
    "tlsConfig/insecureSkipVerification",
    "responseTransferMode",
    "responseParameters/method.response.header.x-id",
    "responseTemplates/application~1json",
    "responseModels/application~1json",
    "selectionPattern",
    "statusCode",
    "authorizerUri",
    "identitySource",
    "identityValidationExpression",
    "authorizerResultTtlInSeconds",
    "providerARNs",
    "authType",
    "schema",
    "validateRequestBody",
    "properties",
    "deploymentId",
    "canarySettings",
    "canarySettings/percentTraffic",
    "canarySettings/deploymentId",
    "canarySettings/stageVariableOverrides/a",
    "variables/host",
    "variables",
    "accessLogSettings/destinationArn",
    "accessLogSettings/format",
    "accessLogSettings",
    "*/*/throttling/rateLimit",
    "~1pets/GET/throttling/burstLimit",
    "*/*/logging/loglevel",
    "tracingEnabled",
    "cacheClusterSize",
    "cloudwatchRoleArn",
    "enabled",
    "throttle/rateLimit",
    "quota/limit",
    "apiStages",
    "basePath",
    "stage",
    "restapiId",
];

const VALUES: [&str; 28] = [
    "true",
    "false",
    "0",
    "1",
    "50",
    "100",
    "5000",
    "29000",
    "300",
    "live",
    "base",
    "(none)",
    "NONE",
    "CUSTOM",
    "AWS_IAM",
    "REQUEST",
    "TOKEN",
    "EDGE",
    "PRIVATE",
    "MOCK",
    "HTTP_PROXY",
    "GET",
    "ANY",
    "INFO",
    "application/json",
    "{}",
    "{\"type\":\"array\"}",
    "method.request.header.a",
];

/// One patch operation; its parts may be ids of what is there.
#[derive(Debug, Clone)]
struct Patch {
    op: Part,
    path: Part,
    value: Part,
    from: Part,
}

#[derive(Debug, Clone)]
enum Part {
    Absent,
    Text(String),
    Json(Value),
    Id(Index),
}

impl Part {
    fn value(&self, furnished: &Furnished) -> Option<Value> {
        match self {
            Self::Absent => None,
            Self::Text(text) => Some(text.as_str().into()),
            Self::Json(value) => Some(value.clone()),
            Self::Id(index) => Some(furnished.ids[index.index(furnished.ids.len())].as_str().into()),
        }
    }
}

impl Patch {
    fn json(&self, furnished: &Furnished) -> Value {
        let members = [("op", &self.op), ("path", &self.path), ("value", &self.value), ("from", &self.from)];
        let members = members.iter().filter_map(|(name, part)| Some(((*name).to_owned(), part.value(furnished)?)));
        Value::Object(members.collect())
    }
}

fn part(known: impl Strategy<Value = String> + 'static) -> BoxedStrategy<Part> {
    prop_oneof![
        12 => known.prop_map(Part::Text),
        1 => Just(Part::Absent),
        1 => text().prop_map(Part::Text),
        1 => json().prop_map(Part::Json),
    ]
    .boxed()
}

fn path() -> impl Strategy<Value = String> {
    let known = || select(&MEMBERS[..]).prop_map(|member| format!("/{member}"));
    prop_oneof![
        8 => known(),
        1 => (known(), text()).prop_map(|(path, more)| format!("{path}/{more}")),
        1 => (known(), text()).prop_map(|(path, more)| format!("{path}{more}")),
        1 => (text(), text()).prop_map(|(one, other)| format!("/{one}/{other}")),
    ]
}

fn patch() -> impl Strategy<Value = Patch> {
    let ops = || select(&["add", "remove", "replace", "replace", "replace", "copy", "move", "test"][..]);
    let value = prop_oneof![
        3 => part(select(&VALUES[..]).prop_map(str::to_owned)),
        1 => text().prop_map(Part::Text),
        1 => any::<Index>().prop_map(Part::Id),
    ];
    let from = select(&["/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides"][..]);
    let from = prop_oneof![8 => Just(Part::Absent), 2 => part(from.prop_map(str::to_owned))];
    (part(ops().prop_map(str::to_owned)), part(path()), value, from).prop_map(|(op, path, value, from)| Patch {
        op,
        path,
        value,
        from,
    })
}

#[test]
fn a_patch_is_taken_as_a_whole_or_leaves_no_trace() {
    check(48, &vec((any::<Index>(), vec(patch(), 1..4)), 1..24), |calls| {
        let sandbox = Sandbox::in_memory();
        let furnished = furnish(&sandbox);
        let mut before = held(&sandbox);
        for (place, patches) in calls {
            let target = &furnished.patched[place.index(furnished.patched.len())];
            let patches: Vec<Value> = patches.iter().map(|patch| patch.json(&furnished)).collect();
            let response = call(&sandbox, "PATCH", target, &json!({ "patchOperations": patches }));
            let said = String::from_utf8_lossy(&response.body);
            prop_assert!(exception(&response) != "InternalFailure", "{target} {patches:?}: {said}");
            let after = held(&sandbox);
            if response.status >= 300 {
                prop_assert!(before == after, "{target} {patches:?} was refused and changed something: {said}");
            } else {
                let faults = faults(&sandbox.world().unwrap());
                prop_assert!(faults.is_empty(), "{target} {patches:?}: {faults:?}");
            }
            before = after;
        }
        Ok(())
    });
}

#[test]
fn a_path_that_no_entity_has_is_refused_with_every_operation() {
    let sandbox = Sandbox::in_memory();
    let furnished = furnish(&sandbox);
    let before = held(&sandbox);
    let ops = select(&["add", "remove", "replace", "copy", "move", "test"][..]);
    check(200, &(any::<Index>(), ops, "/zz[a-zA-Z]{0,6}(/[a-z~01]{1,6}){0,3}", text()), |(place, op, path, value)| {
        let target = &furnished.patched[place.index(furnished.patched.len())];
        let patch = json!({ "patchOperations": [{ "op": op, "path": path, "value": value }] });
        let response = call(&sandbox, "PATCH", target, &patch);
        prop_assert!((400..500).contains(&response.status), "{target} {patch}: {}", response.status);
        prop_assert!(held(&sandbox) == before, "{target} {patch}");
        Ok(())
    });
}

//! Looks behind the wire, at what a sandbox holds.

use std::collections::BTreeMap;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::state::{Definition, Deployment, RestApi, Stage};
use serde_json::{Value, json};

/// Everything in the accounts of a sandbox, as JSON.
pub(crate) fn accounts(sandbox: &Sandbox) -> Value {
    serde_json::to_value(sandbox.world().unwrap().accounts).unwrap()
}

/// All REST APIs of a sandbox.
pub(crate) fn apis(sandbox: &Sandbox) -> Vec<RestApi> {
    let world = sandbox.world().unwrap();
    let regions = world.accounts.into_values().flat_map(|account| account.regions.into_values());
    regions.flat_map(|region| region.apigateway.apis).collect()
}

/// The only REST API of a sandbox.
pub(crate) fn only_api(sandbox: &Sandbox) -> RestApi {
    let mut all = apis(sandbox);
    assert_eq!(all.len(), 1, "the sandbox has one API");
    all.remove(0)
}

/// The only stage of an API.
pub(crate) fn only_stage(api: &RestApi) -> &Stage {
    assert_eq!(api.stages.len(), 1, "the API has one stage");
    api.stages.values().next().unwrap()
}

/// The deployment that the only stage of an API serves.
pub(crate) fn served(api: &RestApi) -> &Deployment {
    api.deployment(&only_stage(api).deployment_id).expect("a stage serves a deployment that exists")
}

/// What of a definition is in effect only once it is deployed, without the ids, which every import makes anew.
pub(crate) fn effective(definition: &Definition) -> Value {
    let authorizer = |id: &Option<String>| {
        id.as_ref().map(|id| definition.authorizer(id).expect("a method names an authorizer that exists").name.clone())
    };
    let methods: BTreeMap<String, Value> = definition
        .resources
        .values()
        .flat_map(|resource| resource.resource_methods.iter().map(move |(verb, method)| (resource, verb, method)))
        .map(|(resource, verb, method)| {
            let mut shown = json!(method);
            shown["authorizerId"] = json!(authorizer(&method.authorizer_id));
            if let Some(integration) = shown.get_mut("methodIntegration").and_then(Value::as_object_mut) {
                integration.remove("cacheNamespace");
            }
            (format!("{verb} {}", resource.path), shown)
        })
        .collect();
    let authorizers: BTreeMap<&str, Value> = definition
        .authorizers
        .iter()
        .map(|authorizer| {
            let mut shown = json!(authorizer);
            shown.as_object_mut().unwrap().remove("id");
            (authorizer.name.as_str(), shown)
        })
        .collect();
    json!({
        "methods": methods,
        "authorizers": authorizers,
        "policy": definition.policy,
        "binary": definition.binary_media_types,
        "compression": definition.minimum_compression_size,
        "keys": definition.api_key_source,
        "responses": definition.gateway_responses,
    })
}

/// How many resources of each kind a sandbox holds, whoever made them.
pub(crate) fn counts(sandbox: &Sandbox) -> BTreeMap<&'static str, usize> {
    let apis = apis(sandbox);
    let accounts = accounts(sandbox);
    let many = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    let mut counts = BTreeMap::from([
        ("rest-api", apis.len()),
        ("deployment", apis.iter().map(|api| api.deployments.len()).sum()),
        ("stage", apis.iter().map(|api| api.stages.len()).sum()),
        ("iam-role", 0),
        ("lambda-function", 0),
        ("log-group", 0),
        ("ip-set", 0),
        ("web-acl", 0),
        ("security-group", 0),
        ("vpc-link", 0),
    ]);
    // Kinds that few environments have are counted where there are any.
    let mut more = Vec::new();
    for account in accounts.as_object().unwrap().values() {
        *counts.get_mut("iam-role").unwrap() += many(&account["iam"]["roles"]);
        for state in account["route53"].as_object().unwrap().values() {
            more.push(("health-check", many(&state["health_checks"])));
            // Certificates are not ours, and zones are if their tags say so; what stands in a zone beside its own NS and SOA may be.
            for zone in state["zones"].as_object().unwrap().values() {
                more.push(("hosted-zone", usize::from(zone["tags"].get("gwctl:product").is_some())));
                more.push(("dns-record", zone["records"].as_array().unwrap().len() - 2));
            }
        }
        for region in account["regions"].as_object().unwrap().values() {
            *counts.get_mut("lambda-function").unwrap() += many(&region["lambda"]["functions"]);
            *counts.get_mut("log-group").unwrap() += many(&region["logs"]["groups"]);
            for (kind, list) in [("ip-set", "ip_sets"), ("web-acl", "web_acls")] {
                *counts.get_mut(kind).unwrap() += region["wafv2"][list].as_array().map_or(0, Vec::len);
            }
            // Kinds that not every environment has are not in the counts of one that has none.
            let functions: Vec<&Value> = region["lambda"]["functions"].as_object().unwrap().values().collect();
            for (kind, count) in [
                ("function-version", functions.iter().map(|one| many(&one["versions"])).sum()),
                ("function-alias", functions.iter().map(|one| many(&one["aliases"])).sum()),
                ("alarm", many(&region["cloudwatch"]["alarms"])),
            ] {
                if count > 0 {
                    *counts.entry(kind).or_insert(0) += count;
                }
            }
            *counts.get_mut("security-group").unwrap() += many(&region["ec2"]["groups"]);
            *counts.get_mut("vpc-link").unwrap() +=
                region["apigateway"]["vpc_links"].as_array().map_or(0, std::vec::Vec::len);
            for api in region["apigatewayv2"]["apis"].as_array().unwrap() {
                let definition = &api["definition"];
                let long = |list: &Value| list.as_array().unwrap().len();
                more.extend([
                    ("http-api", 1),
                    ("http-route", long(&definition["routes"])),
                    ("http-integration", long(&definition["integrations"])),
                    ("http-authorizer", long(&definition["authorizers"])),
                    ("http-stage", many(&api["stages"])),
                ]);
            }
            more.push(("http-vpc-link", region["apigatewayv2"]["vpc_links"].as_array().unwrap().len()));
            let domains = region["apigateway"]["domain_names"].as_object().unwrap();
            more.push(("domain-name", domains.len()));
            more.push(("firehose-stream", many(&region["firehose"]["streams"])));
            more.push(("wafv2-rule-group", region["wafv2"]["rule_groups"].as_array().map_or(0, Vec::len)));
            more.push(("web-acl-association", many(&region["wafv2"]["balancers"])));
            more.push(("base-path-mapping", domains.values().map(|domain| many(&domain["mappings"])).sum()));
        }
    }
    let buckets = sandbox.world().unwrap().s3.into_values().map(|state| state.buckets.len()).sum();
    more.push(("s3-bucket", buckets));
    for (kind, count) in more.into_iter().filter(|(_, count)| *count > 0) {
        *counts.entry(kind).or_default() += count;
    }
    counts
}

//! A Terraform state, version 4, read for the ids in it and for nothing else.
//!
//! A state holds secrets: outputs, variables, attributes marked sensitive. Only the few attributes of [`TYPES`] are taken out
//! of it, none that is marked sensitive, and no message shows a value. It is somebody else's file, so nothing about it is
//! taken for granted: whatever is wrong with it is told, all at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::error::{Failure, FailureKind, Result};
use crate::model::Place;

/// The version that Terraform writes since 0.12, and `OpenTofu` writes too.
const VERSION: u64 = 4;

/// The most that is read: the states of gateways have some hundred kilobytes.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Faults that are told; more of them say no more.
const TOLD: usize = 10;

/// The resources that are read, and the attributes of each; the first says which it is and has to be there.
const TYPES: [(&str, &[&str]); 23] = [
    ("aws_api_gateway_base_path_mapping", &["domain_name", "base_path"]),
    ("aws_api_gateway_deployment", &["id", "rest_api_id"]),
    ("aws_api_gateway_domain_name", &["domain_name", "arn"]),
    ("aws_api_gateway_rest_api", &["id", "arn"]),
    ("aws_api_gateway_stage", &["stage_name", "rest_api_id", "arn"]),
    ("aws_api_gateway_vpc_link", &["id", "arn"]),
    ("aws_apigatewayv2_api", &["id", "arn", "name"]),
    ("aws_apigatewayv2_api_mapping", &["domain_name", "api_mapping_key"]),
    ("aws_apigatewayv2_domain_name", &["domain_name", "arn"]),
    ("aws_apigatewayv2_stage", &["name", "api_id", "arn"]),
    ("aws_apigatewayv2_vpc_link", &["id", "arn"]),
    ("aws_cloudwatch_log_group", &["name", "arn"]),
    ("aws_cloudwatch_metric_alarm", &["alarm_name", "arn"]),
    ("aws_iam_role", &["name", "arn"]),
    ("aws_kinesis_firehose_delivery_stream", &["name", "arn"]),
    ("aws_lambda_function", &["function_name", "arn", "role"]),
    ("aws_route53_record", &["name", "type", "fqdn"]),
    ("aws_s3_bucket", &["bucket", "arn"]),
    ("aws_security_group", &["id", "arn", "name"]),
    ("aws_wafv2_ip_set", &["name", "arn"]),
    ("aws_wafv2_rule_group", &["name", "arn"]),
    ("aws_wafv2_web_acl", &["name", "arn"]),
    ("aws_wafv2_web_acl_association", &["resource_arn", "web_acl_arn"]),
];

/// What of a state matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The resources of the types that gwctl knows, in the order of their addresses.
    pub resources: Vec<StateResource>,
}

/// One resource of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateResource {
    /// `module.api-gateway.aws_iam_role.authorizer`
    pub address: String,
    /// `module.api-gateway`; empty for the root.
    pub module: String,
    /// `aws_iam_role`
    pub kind: String,
    /// The name in Terraform's code.
    pub name: String,
    attributes: BTreeMap<&'static str, String>,
}

impl StateResource {
    /// An attribute, where the state has it and it is not marked sensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Reads a state.
pub fn parse(text: &str) -> Result<State> {
    let root: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        // The library's message shows no value, only what it expected and where.
        no_state(format!("it is no JSON: {error}"))
    })?;
    let root = root.as_object().ok_or_else(|| no_state("it is no JSON object".to_owned()))?;
    check_version(root)?;
    let mut reading = Reading::default();
    match root.get("resources") {
        None => {}
        Some(Value::Array(resources)) => {
            for (index, resource) in resources.iter().enumerate() {
                reading.resource(index, resource);
            }
        }
        Some(_) => reading.faults.push("`resources` is no list".to_owned()),
    }
    reading.finish()
}

fn no_state(why: String) -> Failure {
    Failure::new(FailureKind::Configuration, "the file is no Terraform state that can be read").cause(why)
}

fn check_version(root: &Map<String, Value>) -> Result<()> {
    if root.contains_key("encrypted_data") {
        return Err(no_state("it is encrypted".to_owned()).hint("write it out with `tofu state pull`"));
    }
    let version = root.get("version").ok_or_else(|| no_state("it has no `version`".to_owned()))?;
    match version.as_u64() {
        Some(VERSION) => Ok(()),
        Some(other) => Err(no_state(format!("it has version {other}, and only version {VERSION} is known here"))
            .hint("write it out with `terraform state pull` of Terraform 0.12 or later")),
        None => Err(no_state("its `version` is no number".to_owned())),
    }
}

#[derive(Default)]
struct Reading {
    found: BTreeMap<String, StateResource>,
    twice: BTreeSet<String>,
    faults: Vec<String>,
}

impl Reading {
    fn resource(&mut self, index: usize, resource: &Value) {
        let place = format!("resources[{index}]");
        let Some(resource) = resource.as_object() else {
            self.faults.push(format!("{place} is no object"));
            return;
        };
        let mut text = |key: &str, needed: bool| match resource.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            None | Some(Value::Null) if !needed => Some(String::new()),
            _ => {
                self.faults.push(format!("{place} has no `{key}` that is a string"));
                None
            }
        };
        let (mode, kind, name) = (text("mode", true), text("type", true), text("name", true));
        let (Some(mode), Some(kind), Some(name), Some(module)) = (mode, kind, name, text("module", false)) else {
            return;
        };
        let known = TYPES.iter().find(|(known, _)| *known == kind);
        let Some((_, attributes)) = known.filter(|_| mode == "managed") else { return };
        let own = format!("{kind}.{name}");
        let address = if module.is_empty() { own } else { format!("{module}.{own}") };
        let Some(instances) = resource.get("instances").and_then(Value::as_array) else {
            self.faults.push(format!("{address} has no list of `instances`"));
            return;
        };
        for instance in instances {
            let empty = StateResource {
                address: address.clone(),
                module: module.clone(),
                kind: kind.clone(),
                name: name.clone(),
                attributes: BTreeMap::new(),
            };
            self.instance(empty, instance, attributes);
        }
    }

    fn instance(&mut self, mut resource: StateResource, instance: &Value, wanted: &[&'static str]) {
        let Some(instance) = instance.as_object() else {
            self.faults.push(format!("an instance of {} is no object", resource.address));
            return;
        };
        // What is to be destroyed after a replacement is not the resource any more.
        if instance.get("deposed").is_some_and(|key| !key.is_null()) {
            return;
        }
        match instance.get("index_key") {
            None | Some(Value::Null) => {}
            Some(Value::Number(number)) => resource.address = format!("{}[{number}]", resource.address),
            Some(Value::String(key)) => resource.address = format!("{}[{key:?}]", resource.address),
            Some(_) => self.faults.push(format!("the `index_key` of {} is no string and no number", resource.address)),
        }
        let Some(attributes) = instance.get("attributes").and_then(Value::as_object) else {
            self.faults.push(format!("{} has no object of `attributes`", resource.address));
            return;
        };
        let sensitive = sensitive(instance);
        for name in wanted {
            match attributes.get(*name) {
                _ if sensitive.contains(*name) => {}
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => {
                    resource.attributes.insert(name, text.clone());
                }
                Some(_) => self.faults.push(format!("`{name}` of {} is no string", resource.address)),
            }
        }
        if let Some(first) = wanted.first().filter(|first| resource.get(first).is_none_or(str::is_empty)) {
            self.faults.push(format!("{} has no `{first}`", resource.address));
        }
        let address = resource.address.clone();
        if self.found.insert(address.clone(), resource).is_some() && self.twice.insert(address.clone()) {
            self.faults.push(format!("{address} is in it twice"));
        }
    }

    fn finish(mut self) -> Result<State> {
        if self.faults.is_empty() {
            return Ok(State { resources: self.found.into_values().collect() });
        }
        let more = self.faults.len().saturating_sub(TOLD);
        self.faults.truncate(TOLD);
        if more > 0 {
            self.faults.push(format!("and {more} more"));
        }
        let failure = Failure::new(FailureKind::Configuration, "the Terraform state can't be understood");
        Err(self.faults.into_iter().fold(failure, Failure::cause).hint("write it out anew: terraform state pull"))
    }
}

/// The attributes that are marked sensitive: each mark is a path whose first step is an attribute.
fn sensitive(instance: &Map<String, Value>) -> BTreeSet<&str> {
    let marks = instance.get("sensitive_attributes").and_then(Value::as_array).into_iter().flatten();
    let first = marks.filter_map(|mark| match mark {
        Value::Array(path) => path.first()?.get("value")?.as_str(),
        Value::String(name) => Some(name.as_str()),
        _ => None,
    });
    first.collect()
}

/// What in a state is of another account or Region than the place: a state of another environment, most likely.
#[must_use]
pub fn elsewhere(state: &State, place: &Place) -> Vec<String> {
    let mut found = Vec::new();
    for resource in &state.resources {
        let Some(arn) = resource.get("arn").filter(|arn| arn.starts_with("arn:")) else { continue };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, _, region, account, _] = parts.as_slice() else { continue };
        // API Gateway's ARNs name no account, IAM's no Region, S3's neither.
        let other = |part: &str, own: &str| !part.is_empty() && part != own;
        if other(partition, &place.partition) || other(region, &place.region) || other(account, &place.account) {
            found.push(format!("{} is in {}", resource.address, said([*account, *region, *partition])));
        }
    }
    found
}

fn said(parts: [&str; 3]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state(resources: &Value) -> String {
        json!({"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "x",
            "outputs": {"key": {"value": "hunter2", "sensitive": true}}, "resources": resources})
        .to_string()
    }

    fn role(name: &str, instances: &Value) -> Value {
        json!({"module": "module.api-gateway", "mode": "managed", "type": "aws_iam_role", "name": name,
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": instances})
    }

    fn told(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn instances_have_addresses_and_data_sources_are_left_out() {
        let text = state(&json!([
            role("one", &json!([{"schema_version": 0, "attributes": {"name": "r", "arn": null, "secret": "hunter2"}}])),
            role("counted", &json!([{"index_key": 0, "attributes": {"name": "r0"}}, {"index_key": 1, "attributes": {"name": "r1"}}])),
            role("each", &json!([{"index_key": "a\"b", "attributes": {"name": "ra"}},
                {"index_key": "a\"b", "deposed": "0123abcd", "attributes": {"name": "old"}}])),
            {"mode": "data", "type": "aws_iam_role", "name": "read", "instances": 7},
            {"mode": "managed", "type": "random_id", "name": "x", "instances": 7},
        ]));
        let state = parse(&text).unwrap();
        let found: Vec<_> = state.resources.iter().map(|one| (one.address.as_str(), one.get("name"))).collect();
        assert_eq!(
            found,
            [
                ("module.api-gateway.aws_iam_role.counted[0]", Some("r0")),
                ("module.api-gateway.aws_iam_role.counted[1]", Some("r1")),
                ("module.api-gateway.aws_iam_role.each[\"a\\\"b\"]", Some("ra")),
                ("module.api-gateway.aws_iam_role.one", Some("r")),
            ]
        );
        assert!(!format!("{state:?}").contains("hunter2"));
        assert_eq!(parse(&format!("\u{feff}{text}")).unwrap(), state);
    }

    #[test]
    fn what_is_marked_sensitive_is_not_read() {
        let instance = json!({"attributes": {"name": "r", "arn": "arn:hunter2"},
            "sensitive_attributes": [[{"type": "get_attr", "value": "arn"}]]});
        let state = parse(&state(&json!([role("one", &json!([instance]))]))).unwrap();
        assert_eq!((state.resources[0].get("arn"), state.resources[0].get("name")), (None, Some("r")));
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for (text, why) in [
            ("", "it is no JSON: EOF"),
            ("garbage", "it is no JSON: expected value at line 1"),
            ("[]", "it is no JSON object"),
            ("{}", "it has no `version`"),
            (r#"{"version": "4"}"#, "its `version` is no number"),
            (r#"{"version": 3, "modules": []}"#, "it has version 3"),
            (r#"{"version": 5}"#, "it has version 5"),
            (r#"{"encrypted_data": "x", "encryption_version": "v0"}"#, "it is encrypted"),
            (&format!(r#"{{"version": 4, "resources": {}"#, "[".repeat(100_000)), "recursion limit exceeded"),
        ] {
            assert!(told(text).contains(why), "{why}: {}", told(text));
        }
    }

    #[test]
    fn every_fault_is_told_and_no_value() {
        let text = state(&json!([
            7,
            {"mode": "managed", "type": 3, "name": "x"},
            {"mode": "managed", "type": "aws_iam_role", "name": "x", "instances": {}},
            role("a", &json!([7])),
            role("b", &json!([{"attributes": "hunter2"}])),
            role("c", &json!([{"attributes": {"name": ["hunter2"]}}])),
            role("d", &json!([{"attributes": {"arn": "hunter2"}}])),
            role("e", &json!([{"attributes": {"name": "r"}}])),
            role("e", &json!([{"attributes": {"name": "s"}}, {"attributes": {"name": "s"}}])),
            role("f", &json!([{"index_key": {"hunter2": 1}, "attributes": {"name": "r"}}])),
        ]));
        let told = told(&text);
        for expected in [
            "resources[0] is no object",
            "resources[1] has no `type` that is a string",
            "aws_iam_role.x has no list of `instances`",
            "an instance of module.api-gateway.aws_iam_role.a is no object",
            "module.api-gateway.aws_iam_role.b has no object of `attributes`",
            "`name` of module.api-gateway.aws_iam_role.c is no string",
            "module.api-gateway.aws_iam_role.d has no `name`",
            "module.api-gateway.aws_iam_role.e is in it twice",
        ] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(told.matches("is in it twice").count(), 1);
        assert!(self::told(&state(&json!({"not": "a list"}))).contains("`resources` is no list"));
        let many: Vec<Value> = (0..50).map(|_| json!(7)).collect();
        assert!(self::told(&state(&json!(many))).contains("and 40 more"));
    }

    #[test]
    fn a_state_of_another_place_is_known_by_its_arns() {
        let place = Place { account: "1".repeat(12), region: "eu-west-1".into(), partition: "aws".into() };
        let of = |arn: &str| {
            let text = state(&json!([role("r", &json!([{"attributes": {"name": "r", "arn": arn}}]))]));
            elsewhere(&parse(&text).unwrap(), &place)
        };
        for here in
            ["arn:aws:iam::111111111111:role/r", "arn:aws:apigateway:eu-west-1::/restapis/a", "arn:aws:s3:::b", "r"]
        {
            assert_eq!(of(here), Vec::<String>::new(), "{here}");
        }
        for there in
            ["arn:aws:iam::222222222222:role/r", "arn:aws:apigateway:eu-west-2::/restapis/a", "arn:aws-cn:s3:::b"]
        {
            assert_eq!(of(there).len(), 1, "{there}");
        }
    }
}

//! Hand-written specs: of each kind three of one resource, which differ in every field that can change.

use std::collections::{BTreeMap, BTreeSet};

use gwctl::kinds::base_path_mapping::{BasePathMapping, BasePathMappingSpec, name_of};
use gwctl::kinds::dns_record::{DnsRecord, DnsRecordSpec, RecordType};
use gwctl::kinds::domain_name::{DomainName, DomainNameSpec};
use gwctl::kinds::iam_role::{IamRole, IamRoleSpec};
use gwctl::kinds::lambda_function::{LambdaFunction, LambdaFunctionSpec, Vpc};
use gwctl::kinds::log_group::{LogGroup, LogGroupSpec};
use gwctl::kinds::rest_api::{RestApi, RestApiSpec};
use gwctl::kinds::stage::{AccessLog, MethodSettings, Stage, StageSpec};
use gwctl::kinds::{Kind, desired};
use gwctl::model::policy::Policy;
use gwctl::model::resolve;
use serde_json::{Value, json};

use crate::support::Session;
use crate::support::project::Project;

/// The specs as JSON, in the form in which a plan carries them.
pub(super) fn values<K: Kind>(specs: &[K::Spec]) -> Vec<Value> {
    specs.iter().map(|spec| desired::<K>("gate", "law", spec).unwrap().spec).collect()
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn policy(statement: &Value) -> Policy {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap()
}

fn code(project: &Project, zip: &str) -> String {
    gwctl::package::read_zip(&project.root().join(zip)).unwrap().sha256_base64
}

pub(super) fn log_groups() -> Vec<Value> {
    let first = LogGroupSpec { name: "/law".into(), retention_in_days: Some(7), tags: tags(&[("team", "a")]) };
    let second =
        LogGroupSpec { retention_in_days: Some(30), tags: tags(&[("team", "b"), ("x", "y")]), ..first.clone() };
    let third = LogGroupSpec { retention_in_days: None, tags: tags(&[]), ..first.clone() };
    values::<LogGroup>(&[first, second, third])
}

pub(super) fn roles() -> Vec<Value> {
    let trust = |service: &str| {
        policy(&json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}))
    };
    let allow = |action: &str| policy(&json!({"Effect": "Allow", "Action": action, "Resource": "*"}));
    let managed = |name: &str| format!("arn:aws:iam::aws:policy/service-role/{name}");
    let first = IamRoleSpec {
        name: "law".into(),
        path: "/gwctl/laws/test/".into(),
        description: Some("for a law".into()),
        assume_role_policy: trust("lambda.amazonaws.com"),
        inline_policies: [("one".to_owned(), allow("ec2:*NetworkInterface*"))].into(),
        managed_policies: BTreeSet::new(),
        tags: tags(&[("team", "a")]),
    };
    let second = IamRoleSpec {
        description: None,
        assume_role_policy: trust("apigateway.amazonaws.com"),
        inline_policies: [
            ("one".to_owned(), allow("logs:CreateLogStream")),
            ("two".to_owned(), allow("xray:PutTraceSegments")),
        ]
        .into(),
        managed_policies: [managed("AWSLambdaBasicExecutionRole")].into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = IamRoleSpec {
        inline_policies: BTreeMap::new(),
        managed_policies: [managed("AWSLambdaVPCAccessExecutionRole")].into(),
        tags: tags(&[]),
        ..first.clone()
    };
    values::<IamRole>(&[first, second, third])
}

pub(super) fn functions(project: &Project, roles: [&str; 2]) -> Vec<Value> {
    let first = LambdaFunctionSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        role: roles[0].into(),
        runtime: "provided.al2023".into(),
        handler: "bootstrap".into(),
        architecture: "arm64".into(),
        memory_mb: 128,
        timeout_seconds: 15,
        code_sha256: code(project, "authorizer.zip"),
        environment: tags(&[("LEVEL", "1"), ("COLOR", "2")]),
        vpc: None,
        tracing: "PassThrough".into(),
        tags: tags(&[("team", "a")]),
    };
    let vpc = |subnet: &str| Vpc { subnet_ids: vec![subnet.into()], security_group_ids: vec!["sg-0a1b2c3d".into()] };
    let second = LambdaFunctionSpec {
        description: None,
        role: roles[1].into(),
        runtime: "nodejs22.x".into(),
        handler: "index.handler".into(),
        architecture: "x86_64".into(),
        memory_mb: 256,
        timeout_seconds: 3,
        code_sha256: code(project, "other.zip"),
        environment: BTreeMap::new(),
        vpc: Some(vpc("subnet-0a1b2c3d")),
        tracing: "Active".into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = LambdaFunctionSpec {
        environment: tags(&[("LEVEL", "3")]),
        vpc: Some(vpc("subnet-9a8b7c6d")),
        tags: tags(&[]),
        ..first.clone()
    };
    values::<LambdaFunction>(&[first, second, third])
}

/// The stack's own spec, and variations of it.
pub(super) fn apis(session: &Session) -> Vec<Value> {
    let predicted = session.registry.predict(&session.place, &session.desired).unwrap();
    let gateway = session.desired.iter().find(|one| one.address.kind() == "rest-api").unwrap();
    let known = resolve(&gateway.spec, &|one| predicted.get(&one.address)?.get(&one.output).map(str::to_owned));
    let first: RestApiSpec = serde_json::from_value(known).unwrap();
    let mut second = RestApiSpec {
        name: "another".into(),
        description: None,
        endpoint_type: "EDGE".into(),
        api_key_source: "AUTHORIZER".into(),
        binary_media_types: ["image/*".to_owned(), "application/pdf".to_owned()].into(),
        minimum_compression_size: Some(0),
        disable_execute_api_endpoint: true,
        policy: None,
        gateway_responses: BTreeMap::new(),
        tags: tags(&[("team", "b")]),
        ..first.clone()
    };
    second.authorizers.values_mut().for_each(|one| one.ttl_seconds += 1);
    second.routes.pop_first();
    let mut third = RestApiSpec {
        binary_media_types: BTreeSet::new(),
        minimum_compression_size: None,
        tags: BTreeMap::new(),
        routes: BTreeMap::new(),
        authorizers: BTreeMap::new(),
        ..first.clone()
    };
    third.gateway_responses.pop_first();
    values::<RestApi>(&[first, second, third])
}

pub(super) fn stages(api: &str, deployments: [&str; 2], destination: &str) -> Vec<Value> {
    let settings = MethodSettings {
        metrics: true,
        logging_level: "INFO".into(),
        data_trace: true,
        throttling_rate_limit: 100.5,
        throttling_burst_limit: 50,
        caching: false,
    };
    let slower = MethodSettings {
        logging_level: "OFF".into(),
        data_trace: false,
        throttling_burst_limit: 5,
        ..settings.clone()
    };
    let first = StageSpec {
        name: "law".into(),
        rest_api: api.into(),
        deployment: deployments[0].into(),
        description: Some("for a law".into()),
        xray: true,
        variables: tags(&[("color", "blue"), ("size", "9")]),
        access_log: Some(AccessLog { destination: destination.into(), format: "$context.requestId".into() }),
        method_settings: [("*/*".to_owned(), settings.clone())].into(),
        canary: None,
        tags: tags(&[("team", "a")]),
    };
    let second = StageSpec {
        deployment: deployments[1].into(),
        description: None,
        xray: false,
        variables: tags(&[("color", "red")]),
        access_log: Some(AccessLog { destination: destination.into(), format: "id=$context.requestId".into() }),
        method_settings: [("*/*".to_owned(), slower), ("~1order-service~1{proxy+}/ANY".to_owned(), settings)].into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = StageSpec {
        variables: BTreeMap::new(),
        access_log: None,
        method_settings: BTreeMap::new(),
        tags: tags(&[]),
        ..first.clone()
    };
    values::<Stage>(&[first, second, third])
}

pub(super) fn domain_names(certificates: [&str; 2]) -> Vec<Value> {
    let first = DomainNameSpec {
        name: "law.example.com".into(),
        certificate: certificates[0].into(),
        security_policy: "TLS_1_2".into(),
        ip_address_type: "ipv4".into(),
        tags: tags(&[("team", "a")]),
    };
    let second = DomainNameSpec {
        certificate: certificates[1].into(),
        security_policy: "TLS_1_0".into(),
        ip_address_type: "dualstack".into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = DomainNameSpec { tags: tags(&[]), ..first.clone() };
    values::<DomainName>(&[first, second, third])
}

/// Of APIs that each have the stages `one` and `two`.
pub(super) fn base_path_mappings(base_path: &str, apis: [&str; 2]) -> Vec<Value> {
    let first = BasePathMappingSpec {
        name: name_of("law.example.com", base_path),
        domain: "law.example.com".into(),
        rest_api: apis[0].into(),
        stage: "one".into(),
    };
    let second = BasePathMappingSpec { rest_api: apis[1].into(), stage: "two".into(), ..first.clone() };
    let third = BasePathMappingSpec { stage: "two".into(), ..first.clone() };
    values::<BasePathMapping>(&[first, second, third])
}

/// For a target and the zone it stands in.
pub(super) fn dns_records(name: &str, zone: &str, (target, target_zone): (&str, &str)) -> Vec<Value> {
    let first = DnsRecordSpec {
        name: name.into(),
        zone_id: zone.into(),
        types: [RecordType::A].into(),
        target: target.into(),
        target_zone_id: target_zone.into(),
        evaluate_target_health: false,
    };
    let second = DnsRecordSpec {
        types: [RecordType::A, RecordType::Aaaa].into(),
        target: "balancer.elb.eu-west-1.amazonaws.com".into(),
        target_zone_id: "Z32O12XQLNTSW2".into(),
        evaluate_target_health: true,
        ..first.clone()
    };
    let third = DnsRecordSpec { types: [RecordType::Aaaa].into(), ..first.clone() };
    values::<DnsRecord>(&[first, second, third])
}

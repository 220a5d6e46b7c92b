//! Hand-written specs: of each kind three of one resource, which differ in every field that can change.

use std::collections::{BTreeMap, BTreeSet};

use gwctl::kinds::alarm::{Alarm, AlarmSpec, Metric, Watched};
use gwctl::kinds::base_path_mapping::{BasePathMapping, BasePathMappingSpec, name_of};
use gwctl::kinds::dns_record::{DnsRecord, DnsRecordSpec, RecordType};
use gwctl::kinds::domain_name::{DomainName, DomainNameSpec};
use gwctl::kinds::execution_log_group::{ExecutionLogGroup, ExecutionLogGroupSpec};
use gwctl::kinds::function_alias::{FunctionAlias, FunctionAliasSpec};
use gwctl::kinds::iam_role::{IamRole, IamRoleSpec};
use gwctl::kinds::ip_set::{IpSet, IpSetSpec, IpVersion};
use gwctl::kinds::lambda_function::{LambdaFunction, LambdaFunctionSpec, Vpc};
use gwctl::kinds::log_group::{LogGroup, LogGroupSpec};
use gwctl::kinds::rest_api::{RestApi, RestApiSpec};
use gwctl::kinds::security_group::{Rule, SecurityGroup, SecurityGroupSpec};
use gwctl::kinds::stage::{AccessLog, MethodSettings, Stage, StageSpec};
use gwctl::kinds::vpc_link::{VpcLink, VpcLinkSpec};
use gwctl::kinds::web_acl::WebAcl;
use gwctl::kinds::web_acl::spec::{
    self, Action, ContentType, DefaultAction, Fallback, Forwarded, ForwardedIn, GeoMatch, Inspection, IpSetMatch,
    LogFilter, Logging, ManagedRuleGroup, Position, RateBased, RequestPart, Response, ResponseBody, Statement,
    Visibility, WebAclSpec,
};
use gwctl::kinds::{Kind, desired};
use gwctl::model::policy::Policy;
use gwctl::model::{Input, resolve};
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

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, Input> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Input::from(*value))).collect()
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

pub(super) fn execution_log_groups(api: &str) -> Vec<Value> {
    let first = ExecutionLogGroupSpec {
        rest_api: api.into(),
        stage: "dev".into(),
        retention_in_days: Some(7),
        tags: tags(&[("team", "a")]),
    };
    let second = ExecutionLogGroupSpec {
        retention_in_days: Some(30),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = ExecutionLogGroupSpec { retention_in_days: None, tags: tags(&[]), ..first.clone() };
    values::<ExecutionLogGroup>(&[first, second, third])
}

pub(super) fn aliases(function: &str, versions: [&str; 2]) -> Vec<Value> {
    let first = FunctionAliasSpec::new(function, "live", versions[0].into());
    let second = FunctionAliasSpec { version: versions[1].into(), provisioned_concurrency: Some(3), ..first.clone() };
    let third = FunctionAliasSpec { provisioned_concurrency: Some(5), ..first.clone() };
    values::<FunctionAlias>(&[first, second, third])
}

pub(super) fn alarms() -> Vec<Value> {
    let topic = |name: &str| [format!("arn:aws:sns:ap-southeast-1:123456789012:{name}").into()].into();
    let metric = |metric: &str, statistic: &str| Metric {
        namespace: "AWS/ApiGateway".into(),
        metric: metric.into(),
        dimensions: [("ApiName".into(), "law".into()), ("Stage".into(), "dev".into())].into(),
        statistic: statistic.into(),
        period_seconds: 60,
    };
    let first = AlarmSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        watches: Watched::Metric(metric("Latency", "p99")),
        comparison: "GreaterThanThreshold".into(),
        threshold: 1000.5,
        evaluation_periods: 5,
        datapoints_to_alarm: 3,
        treat_missing_data: "notBreaching".into(),
        actions_enabled: true,
        alarm_actions: topic("on"),
        ok_actions: topic("off"),
        insufficient_data_actions: BTreeSet::new(),
        tags: tags(&[("team", "a")]),
    };
    let rate = Watched::Math {
        expression: "100 * errors / requests".into(),
        label: Some("5xx in percent".into()),
        metrics: [("errors".to_owned(), metric("5XXError", "Sum")), ("requests".to_owned(), metric("Count", "Sum"))]
            .into(),
    };
    let second = AlarmSpec {
        description: None,
        watches: rate,
        comparison: "GreaterThanOrEqualToThreshold".into(),
        threshold: 1.0,
        evaluation_periods: 3,
        datapoints_to_alarm: 1,
        treat_missing_data: "missing".into(),
        actions_enabled: false,
        alarm_actions: BTreeSet::new(),
        ok_actions: BTreeSet::new(),
        insufficient_data_actions: topic("none"),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let simple = Watched::Metric(Metric { dimensions: BTreeMap::new(), ..metric("Count", "Sum") });
    let third = AlarmSpec { watches: simple, threshold: 0.0, tags: tags(&[]), ..first.clone() };
    values::<Alarm>(&[first, second, third])
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

pub(super) fn security_groups() -> Vec<Value> {
    let first = SecurityGroupSpec {
        name: "law".into(),
        description: "for a law".into(),
        vpc_id: "vpc-0a1b2c3d".into(),
        ingress: BTreeSet::new(),
        egress: Rule::everywhere(),
        tags: tags(&[("team", "a")]),
    };
    let told = |text: &str, rule: Rule| Rule { description: Some(text.into()), ..rule };
    let second = SecurityGroupSpec {
        ingress: [Rule::tcp(443, "10.0.0.0/8"), Rule::tcp(80, "10.0.0.0/8")].into(),
        egress: [told("all", Rule::all("0.0.0.0/0")), Rule::tcp(443, "pl-0a1b2c3d")].into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = SecurityGroupSpec {
        ingress: [told("one", Rule::tcp(443, "10.0.0.0/8")), Rule::all("fd00::/8")].into(),
        egress: BTreeSet::new(),
        tags: tags(&[]),
        ..first.clone()
    };
    values::<SecurityGroup>(&[first, second, third])
}

pub(super) fn vpc_links(target: &str) -> Vec<Value> {
    let first = VpcLinkSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        target_arns: vec![target.into()],
        tags: tags(&[("team", "a")]),
    };
    let second = VpcLinkSpec {
        name: "order".into(),
        description: None,
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = VpcLinkSpec { description: Some("other".into()), tags: tags(&[]), ..first.clone() };
    values::<VpcLink>(&[first, second, third])
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
        environment: variables(&[("LEVEL", "1"), ("COLOR", "2")]),
        vpc: None,
        tracing: "PassThrough".into(),
        reserved_concurrency: None,
        tags: tags(&[("team", "a")]),
    };
    let vpc =
        |subnet: &str| Vpc { subnet_ids: vec![subnet.into()], security_group_ids: vec![Input::from("sg-0a1b2c3d")] };
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
        reserved_concurrency: Some(5),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = LambdaFunctionSpec {
        environment: variables(&[("LEVEL", "3")]),
        vpc: Some(vpc("subnet-9a8b7c6d")),
        // Nothing may run: that is a number, too.
        reserved_concurrency: Some(0),
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
        endpoint_type: "PRIVATE".into(),
        vpc_endpoint_ids: ["vpce-0a1b2c3d4e5f60718".to_owned()].into(),
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

pub(super) fn stages(api: &str, deployments: [&str; 2], destination: &str, web_acls: [&str; 2]) -> Vec<Value> {
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
        variables: variables(&[("color", "blue"), ("size", "9")]),
        access_log: Some(AccessLog { destination: destination.into(), format: "$context.requestId".into() }),
        method_settings: [("*/*".to_owned(), settings.clone())].into(),
        canary: None,
        web_acl: Some(web_acls[0].into()),
        tags: tags(&[("team", "a")]),
    };
    let second = StageSpec {
        deployment: deployments[1].into(),
        description: None,
        xray: false,
        variables: variables(&[("color", "red")]),
        access_log: Some(AccessLog { destination: destination.into(), format: "id=$context.requestId".into() }),
        method_settings: [("*/*".to_owned(), slower), ("~1order-service~1{proxy+}/ANY".to_owned(), settings)].into(),
        web_acl: Some(web_acls[1].into()),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = StageSpec {
        variables: BTreeMap::new(),
        access_log: None,
        method_settings: BTreeMap::new(),
        web_acl: None,
        tags: tags(&[]),
        ..first.clone()
    };
    values::<Stage>(&[first, second, third])
}

pub(super) fn ip_sets() -> Vec<Value> {
    let first = IpSetSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        ip_version: IpVersion::Ipv4,
        addresses: ["192.0.2.0/24".to_owned(), "198.51.100.7/32".to_owned()].into(),
        tags: tags(&[("team", "a")]),
    };
    let second = IpSetSpec {
        description: None,
        addresses: ["203.0.113.0/24".to_owned()].into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = IpSetSpec { addresses: BTreeSet::new(), tags: tags(&[]), ..first.clone() };
    values::<IpSet>(&[first, second, third])
}

fn visibility(metric: &str) -> Visibility {
    Visibility { metric: metric.into(), metrics: true, sampled_requests: true }
}

fn group(name: &str) -> ManagedRuleGroup {
    ManagedRuleGroup {
        vendor: "AWS".into(),
        name: name.into(),
        version: None,
        rule_actions: BTreeMap::new(),
        count_only: false,
        path_prefix: None,
        bot_control: None,
    }
}

/// Rules of every kind, with everything that they can say.
fn all_rules(set: &str) -> [(&'static str, Statement); 6] {
    let forwarded = Forwarded { header: "X-Forwarded-For".into(), fallback: Fallback::NoMatch };
    let slow = Response { status: 429, body: Some("slow".into()), headers: tags(&[("retry-after", "60")]) };
    [
        (
            "office",
            Statement::IpSet(IpSetMatch { set: set.into(), outside: false, forwarded: None, action: Action::Allow }),
        ),
        (
            "countries",
            Statement::Geo(GeoMatch {
                countries: ["DE".to_owned(), "AT".to_owned()].into(),
                outside: true,
                forwarded: Some(forwarded.clone()),
                action: Action::Block { response: None },
            }),
        ),
        (
            "per-ip",
            Statement::RateBased(RateBased {
                limit: 1000,
                window_seconds: 300,
                forwarded: None,
                path_prefix: None,
                action: Action::Block { response: Some(slow) },
            }),
        ),
        (
            "per-forwarded-ip",
            Statement::RateBased(RateBased {
                limit: 100,
                window_seconds: 60,
                forwarded: Some(forwarded),
                path_prefix: Some("/dev/order-service/".into()),
                action: Action::Challenge,
            }),
        ),
        (
            "core",
            Statement::ManagedRuleGroup(ManagedRuleGroup {
                version: Some("Version_1.0".into()),
                rule_actions: [
                    ("NoUserAgent_HEADER".to_owned(), Action::Captcha),
                    ("SizeRestrictions_BODY".to_owned(), Action::Count),
                ]
                .into(),
                ..group("AWSManagedRulesCommonRuleSet")
            }),
        ),
        (
            "bots",
            Statement::ManagedRuleGroup(ManagedRuleGroup {
                count_only: true,
                path_prefix: Some("/dev/".into()),
                bot_control: Some(Inspection::Targeted),
                ..group("AWSManagedRulesBotControlRuleSet")
            }),
        ),
    ]
}

fn in_order<const N: usize>(rules: [(&'static str, Statement); N]) -> BTreeMap<String, spec::Rule> {
    spec::in_order(rules.map(|(name, statement)| (name.to_owned(), statement, visibility(name))))
}

pub(super) fn web_acls(set: &str, logs: &str) -> Vec<Value> {
    let body = |content_type, content: &str| ResponseBody { content_type, content: content.into() };
    let first = WebAclSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        default_action: DefaultAction::Allow,
        rules: in_order(all_rules(set)),
        response_bodies: [("slow".to_owned(), body(ContentType::Json, r#"{"message":"slower"}"#))].into(),
        visibility: visibility("law"),
        logging: Some(Logging {
            destination: logs.into(),
            redacted_headers: ["authorization".to_owned(), "cookie".to_owned()].into(),
            redacted_parts: [RequestPart::QueryString].into(),
            filter: LogFilter::Blocked,
        }),
        foreign_settings: BTreeSet::new(),
        tags: tags(&[("team", "a")]),
    };
    // The same rules in another order, and one of them for those outside.
    let mut rules = all_rules(set);
    rules.reverse();
    let closed = Response { status: 503, body: Some("closed".into()), headers: BTreeMap::new() };
    let second = WebAclSpec {
        description: None,
        default_action: DefaultAction::Block { response: Some(closed) },
        rules: in_order(rules),
        response_bodies: [
            ("closed".to_owned(), body(ContentType::Text, "closed")),
            ("slow".to_owned(), body(ContentType::Html, "<p>slower</p>")),
        ]
        .into(),
        visibility: Visibility { metrics: false, ..visibility("other") },
        logging: Some(Logging {
            destination: logs.into(),
            redacted_headers: BTreeSet::new(),
            redacted_parts: BTreeSet::new(),
            filter: LogFilter::All,
        }),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let outside = Statement::IpSet(IpSetMatch {
        set: set.into(),
        outside: true,
        forwarded: Some(ForwardedIn {
            header: "X-Real-IP".into(),
            fallback: Fallback::Match,
            position: Position::Last,
        }),
        action: Action::Block { response: None },
    });
    let third = WebAclSpec {
        rules: in_order([("office", outside)]),
        response_bodies: BTreeMap::new(),
        logging: None,
        tags: tags(&[]),
        ..first.clone()
    };
    values::<WebAcl>(&[first, second, third])
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

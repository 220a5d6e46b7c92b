//! Hand-written specs: of each kind three of one resource, which differ in every field that can change.

use crate::support::Session;
use crate::support::project::Project;
use gwctl::kinds::alarm::{Alarm, AlarmSpec, Metric, Watched};
use gwctl::kinds::api_mapping::{ApiMapping, ApiMappingSpec};
use gwctl::kinds::base_path_mapping::{BasePathMapping, BasePathMappingSpec, name_of};
use gwctl::kinds::dns_record::{DnsRecord, DnsRecordSpec, Latency, LeadsTo, RecordType};
use gwctl::kinds::domain_name::{DomainName, DomainNameSpec, MutualTls};
use gwctl::kinds::execution_log_group::{ExecutionLogGroup, ExecutionLogGroupSpec};
use gwctl::kinds::firehose_stream::spec::{Buffering, Compression, DeliveryLog, StreamEncryption};
use gwctl::kinds::firehose_stream::{FirehoseStream, FirehoseStreamSpec};
use gwctl::kinds::function_alias::{FunctionAlias, FunctionAliasSpec};
use gwctl::kinds::health_check::{CheckType, HealthCheck, HealthCheckSpec};
use gwctl::kinds::hosted_zone::{HostedZone, HostedZoneSpec};
use gwctl::kinds::http_api::HttpApi;
use gwctl::kinds::http_api::spec::{Cors, HttpApiSpec, Integration, JwtAuthorizer, Route};
use gwctl::kinds::http_stage::{HttpStage, HttpStageSpec, RouteSettings, Throttling};
use gwctl::kinds::http_vpc_link::{HttpVpcLink, HttpVpcLinkSpec};
use gwctl::kinds::iam_role::{IamRole, IamRoleSpec};
use gwctl::kinds::ip_set::{IpSet, IpSetSpec, IpVersion};
use gwctl::kinds::lambda_function::{LambdaFunction, LambdaFunctionSpec, Vpc};
use gwctl::kinds::log_group::{LogFilters, LogGroup, LogGroupSpec};
use gwctl::kinds::rest_api::{RestApi, RestApiSpec};
use gwctl::kinds::s3_bucket::spec::{self as bucket, Encryption, Versioning};
use gwctl::kinds::s3_bucket::{S3Bucket, S3BucketSpec};
use gwctl::kinds::security_group::{Rule, SecurityGroup, SecurityGroupSpec};
use gwctl::kinds::stage::{AccessLog, MethodSettings, Stage, StageSpec};
use gwctl::kinds::vpc_link::{VpcLink, VpcLinkSpec};
use gwctl::kinds::wafv2_rule_group::{RuleGroup, RuleGroupSpec};
use gwctl::kinds::web_acl::WebAcl;
use gwctl::kinds::web_acl::spec::{
    self, Action, AllowList, ContentType, DefaultAction, Fallback, Forwarded, ForwardedIn, GeoMatch, Inspection,
    IpSetMatch, LogFilter, Logging, ManagedRuleGroup, Position, RateBased, RequestPart, Response, ResponseBody,
    Statement, Visibility, WebAclSpec,
};
use gwctl::kinds::web_acl_association::{WebAclAssociation, WebAclAssociationSpec};
use gwctl::kinds::{Kind, desired};
use gwctl::model::policy::Policy;
use gwctl::model::{Input, Place, resolve};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
    let first = LogGroupSpec {
        name: "/law".into(),
        retention_in_days: Some(7),
        tags: tags(&[("team", "a")]),
        filters: LogFilters::default(),
    };
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
        filters: LogFilters::default(),
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
        max_session_seconds: None,
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
        max_session_seconds: Some(7200),
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
        by_hand: gwctl::kinds::lambda_function::ByHand::default(),
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
        by_hand: gwctl::kinds::stage::ByHand::default(),
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

/// The allow-list of the module that the articles publish, and others.
pub(super) fn rule_groups(set: &str) -> Vec<Value> {
    let allow_list = |position, longer_than, action| {
        let header = ForwardedIn { header: "client-ip".into(), fallback: Fallback::NoMatch, position };
        Statement::AllowList(AllowList { set: set.into(), header, longer_than, action })
    };
    let block = Action::Block { response: None };
    let first = RuleGroupSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        capacity: 50,
        rules: in_order([("rule-1", allow_list(Position::First, 1, block))]),
        response_bodies: BTreeMap::new(),
        visibility: visibility("law"),
        tags: tags(&[("team", "a")]),
    };
    let closed = Response { status: 403, body: Some("closed".into()), headers: BTreeMap::new() };
    let countries = Statement::Geo(GeoMatch {
        countries: ["DE".to_owned()].into(),
        outside: false,
        forwarded: None,
        action: Action::Count,
    });
    let blocking = Action::Block { response: Some(closed) };
    let body = ResponseBody { content_type: ContentType::Text, content: "closed".into() };
    let second = RuleGroupSpec {
        description: None,
        rules: in_order([("countries", countries), ("rule-1", allow_list(Position::Any, 0, blocking))]),
        response_bodies: [("closed".to_owned(), body)].into(),
        visibility: Visibility { sampled_requests: false, ..visibility("other") },
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = RuleGroupSpec { rules: BTreeMap::new(), tags: tags(&[]), ..first.clone() };
    values::<RuleGroup>(&[first, second, third])
}

/// A web ACL with a rule group, and the six managed groups of the module.
pub(super) fn grouped_acl(name: &str, rule_group: &str, logs: &str) -> Value {
    let own = Statement::RuleGroup(spec::RuleGroup {
        group: rule_group.into(),
        rule_actions: [("rule-1".to_owned(), Action::Count)].into(),
        count_only: false,
    });
    let managed = [
        "CommonRuleSet",
        "AmazonIpReputationList",
        "KnownBadInputsRuleSet",
        "SQLiRuleSet",
        "LinuxRuleSet",
        "UnixRuleSet",
    ]
    .map(|name| {
        (format!("AWSManagedRules{name}"), Statement::ManagedRuleGroup(group(&format!("AWSManagedRules{name}"))))
    });
    let rules = [("allowlist".to_owned(), own)].into_iter().chain(managed);
    let acl = WebAclSpec {
        name: name.into(),
        description: None,
        default_action: DefaultAction::Allow,
        rules: spec::in_order(rules.map(|(name, statement)| (name.clone(), statement, visibility(&name)))),
        response_bodies: BTreeMap::new(),
        visibility: visibility(name),
        logging: Some(Logging {
            destination: logs.into(),
            redacted_headers: BTreeSet::new(),
            redacted_parts: BTreeSet::new(),
            filter: LogFilter::All,
        }),
        foreign_settings: BTreeSet::new(),
        tags: tags(&[]),
    };
    values::<WebAcl>(&[acl]).remove(0)
}

pub(super) fn web_acl_associations(balancer: &str, web_acls: [&str; 2]) -> Vec<Value> {
    let first = WebAclAssociationSpec { name: balancer.into(), web_acl: web_acls[0].into() };
    let second = WebAclAssociationSpec { web_acl: web_acls[1].into(), ..first.clone() };
    values::<WebAclAssociation>(&[first, second])
}

pub(super) fn buckets(place: &Place, name: &str) -> Vec<Value> {
    let first = S3BucketSpec {
        name: name.into(),
        encryption: Encryption::S3,
        versioning: Versioning::Suspended,
        access_log: None,
        policy: Some(bucket::policy(place, name, false).unwrap()),
        expire_after_days: Some(30),
        foreign_settings: BTreeSet::new(),
        tags: tags(&[("team", "a")]),
    };
    let second = S3BucketSpec {
        encryption: Encryption::Kms { key: place.arn("kms", &place.region, "key/0-1").into() },
        versioning: Versioning::Enabled,
        access_log: Some(bucket::AccessLog { bucket: name.into(), prefix: "access/".into() }),
        policy: Some(bucket::policy(place, name, true).unwrap()),
        expire_after_days: Some(90),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = S3BucketSpec { policy: None, expire_after_days: None, tags: tags(&[]), ..first.clone() };
    values::<S3Bucket>(&[first, second, third])
}

pub(super) fn streams(name: &str, roles: [&str; 2]) -> Vec<Value> {
    let first = FirehoseStreamSpec {
        name: name.into(),
        role: roles[0].into(),
        bucket: "arn:aws:s3:::aws-waf-logs-law".into(),
        prefix: Some("waf/".into()),
        error_prefix: Some("errors/".into()),
        buffering: Buffering::default(),
        compression: Compression::Gzip,
        object_key: None,
        log: Some(DeliveryLog { group: "/law".into(), stream: "S3Delivery".into() }),
        encryption: StreamEncryption::AwsOwned,
        foreign_settings: BTreeSet::new(),
        tags: tags(&[("team", "a")]),
    };
    let key = "arn:aws:kms:ap-southeast-1:123456789012:key/0-1";
    let second = FirehoseStreamSpec {
        role: roles[1].into(),
        bucket: "arn:aws:s3:::aws-waf-logs-other".into(),
        prefix: Some("waf/!{timestamp:yyyy}/".into()),
        error_prefix: Some("errors/!{firehose:error-output-type}/".into()),
        buffering: Buffering { size_mib: 64, interval_seconds: 60 },
        compression: Compression::Uncompressed,
        object_key: Some(key.into()),
        log: Some(DeliveryLog { group: "/other".into(), stream: "S3Delivery".into() }),
        encryption: StreamEncryption::Customer { key: key.into() },
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = FirehoseStreamSpec {
        prefix: None,
        error_prefix: None,
        log: None,
        encryption: StreamEncryption::None,
        tags: tags(&[]),
        ..first.clone()
    };
    values::<FirehoseStream>(&[first, second, third])
}

pub(super) fn domain_names(certificates: [&str; 2]) -> Vec<Value> {
    let first = DomainNameSpec {
        name: "law.example.com".into(),
        certificate: certificates[0].into(),
        security_policy: "TLS_1_2".into(),
        ip_address_type: "ipv4".into(),
        mutual_tls: None,
        tags: tags(&[("team", "a")]),
    };
    let second = DomainNameSpec {
        certificate: certificates[1].into(),
        security_policy: "TLS_1_0".into(),
        ip_address_type: "dualstack".into(),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let trust = |uri: &str, version: Option<&str>| {
        Some(MutualTls { truststore_uri: uri.into(), truststore_version: version.map(str::to_owned) })
    };
    let third = DomainNameSpec { mutual_tls: trust("s3://law/one.pem", None), tags: tags(&[]), ..first.clone() };
    let fourth = DomainNameSpec { mutual_tls: trust("s3://law/two.pem", Some("v2")), ..first.clone() };
    values::<DomainName>(&[first, second, third, fourth])
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
    let first = DnsRecordSpec::alias(name, zone.into(), target.into(), target_zone.into());
    let second = DnsRecordSpec {
        leads_to: LeadsTo::Alias {
            types: [RecordType::A, RecordType::Aaaa].into(),
            target: "balancer.elb.eu-west-1.amazonaws.com".into(),
            target_zone_id: "Z32O12XQLNTSW2".into(),
            evaluate_target_health: true,
        },
        ..first.clone()
    };
    let third = DnsRecordSpec { in_service: false, ..second.clone() };
    values::<DnsRecord>(&[first, second, third])
}

/// Of one set identifier: the Region's. Each health check is another one.
pub(super) fn latency_records(
    name: &str,
    zone: &str,
    region: &str,
    target: (&str, &str),
    checks: [&str; 2],
) -> Vec<Value> {
    let mut all: Vec<DnsRecordSpec> =
        dns_records(name, zone, target).into_iter().map(|one| serde_json::from_value(one).unwrap()).collect();
    let latency = |check: Option<&str>| {
        Some(Latency { region: region.into(), set_identifier: region.into(), health_check: check.map(Input::from) })
    };
    all[0].latency = latency(Some(checks[0]));
    all[1].latency = latency(None);
    all[2].latency = latency(Some(checks[1]));
    values::<DnsRecord>(&all)
}

/// CNAME records, which can't stand at a zone's apex.
pub(super) fn cname_records(name: &str, zone: &str) -> Vec<Value> {
    let cname = |value: &str, ttl, in_service| DnsRecordSpec {
        name: name.into(),
        zone_id: zone.into(),
        leads_to: LeadsTo::Cname { value: value.into(), ttl },
        latency: None,
        in_service,
    };
    values::<DnsRecord>(&[
        cname("one.elb.example.org", 60, true),
        cname("two.elb.example.org", 30, true),
        cname("two.elb.example.org", 60, false),
    ])
}

pub(super) fn hosted_zones() -> Vec<Value> {
    let first = HostedZoneSpec {
        name: "law.example.org".into(),
        comment: Some("for a law".into()),
        tags: tags(&[("team", "a")]),
    };
    let second = HostedZoneSpec { comment: None, tags: tags(&[("team", "b"), ("x", "y")]), ..first.clone() };
    let third = HostedZoneSpec { comment: Some("for another".into()), tags: tags(&[]), ..first.clone() };
    values::<HostedZone>(&[first, second, third])
}

pub(super) fn health_checks() -> Vec<Value> {
    let first = HealthCheckSpec {
        check: CheckType::HttpsMatch,
        search: Some("fine".into()),
        interval_seconds: 10,
        measure_latency: true,
        ip_address: Some("192.0.2.44".into()),
        tags: tags(&[("team", "a")]),
        ..HealthCheckSpec::https("law", "eu.example.com".into(), "/health?deep=1&x")
    };
    let second = HealthCheckSpec {
        name: "another law".into(),
        host: Some("us.example.com".into()),
        port: 8443,
        path: None,
        failure_threshold: 5,
        sni: false,
        search: Some("well".into()),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = HealthCheckSpec { host: None, path: Some("/".into()), tags: tags(&[]), ..first.clone() };
    values::<HealthCheck>(&[first, second, third])
}

pub(super) fn http_vpc_links(groups: &[&str]) -> Vec<Value> {
    let first = HttpVpcLinkSpec {
        name: "law".into(),
        subnet_ids: ["subnet-0a1b2c3d".to_owned(), "subnet-9a8b7c6d".to_owned()].into(),
        security_group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
        tags: tags(&[("team", "a")]),
    };
    let second = HttpVpcLinkSpec { name: "order".into(), tags: tags(&[("team", "b"), ("x", "y")]), ..first.clone() };
    let third = HttpVpcLinkSpec { tags: tags(&[]), ..first.clone() };
    values::<HttpVpcLink>(&[first, second, third])
}

/// An integration with everything that one can say.
fn integration(link: &str, listener: &str, path: &str) -> Integration {
    Integration {
        server_name_to_verify: Some("orders.example.com".into()),
        timeout_ms: 5000,
        parameters: tags(&[("overwrite:header.host", "orders.example.com"), ("overwrite:path", path)]),
        description: Some("for a law".into()),
        ..Integration::through(link.into(), listener)
    }
}

fn authorizer(issuer: &str, audience: &[&str], source: &str) -> JwtAuthorizer {
    JwtAuthorizer {
        issuer: issuer.into(),
        audience: audience.iter().map(|one| (*one).to_owned()).collect(),
        identity_sources: [source.to_owned()].into(),
    }
}

/// Specs whose integrations are shared, split, moved to another link, and taken off their link.
pub(super) fn http_apis(links: [&str; 2], listener: &str) -> Vec<Value> {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let routes = |all: Vec<(&str, Route)>| all.into_iter().map(|(key, route)| (key.to_owned(), route)).collect();
    let cors = Cors {
        allow_credentials: true,
        allow_headers: set(&["Authorization", "content-type"]),
        allow_methods: set(&["GET", "post"]),
        allow_origins: set(&["https://www.example.com"]),
        expose_headers: set(&["X-Request-Id"]),
        max_age_seconds: 600,
    };
    let (here, there) = (integration(links[0], listener, "/$request.path"), integration(links[1], listener, "/there"));
    let first = HttpApiSpec {
        name: "law".into(),
        description: Some("for a law".into()),
        disable_execute_api_endpoint: false,
        ip_address_type: "ipv4".into(),
        cors: Some(cors.clone().normalised()),
        authorizers: [
            ("login".to_owned(), authorizer("https://login.example.com", &["a", "b"], "$request.header.Authorization")),
            ("spare".to_owned(), authorizer("https://spare.example.com", &["a"], "$request.querystring.token")),
        ]
        .into(),
        routes: routes(vec![
            ("GET /orders", Route::guarded(here.clone(), "login", set(&["read", "list"]))),
            ("POST /orders", Route::guarded(here.clone(), "login", set(&["write"]))),
            ("$default", Route::open(there.clone())),
        ]),
        unused_integrations: BTreeSet::new(),
        foreign_authorizers: BTreeSet::new(),
        tags: tags(&[("team", "a")]),
    };
    let moved = Integration { connection: Some(links[1].into()), ..here.clone() };
    let second = HttpApiSpec {
        name: "another".into(),
        description: None,
        disable_execute_api_endpoint: true,
        ip_address_type: "dualstack".into(),
        cors: None,
        authorizers: BTreeMap::new(),
        routes: routes(vec![
            ("GET /orders", Route::open(moved.clone())),
            ("POST /orders", Route::open(Integration { timeout_ms: 30_000, description: None, ..moved })),
            ("ANY /{proxy+}", Route::open(Integration::to("https://backend.example.com/{proxy}"))),
        ]),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let bare = Integration { parameters: BTreeMap::new(), server_name_to_verify: None, ..here.clone() };
    let third = HttpApiSpec {
        cors: Some(
            Cors { allow_credentials: false, allow_headers: set(&["*"]), max_age_seconds: 0, ..cors }.normalised(),
        ),
        authorizers: [(
            "login".to_owned(),
            authorizer("https://other.example.com", &["c"], "$request.querystring.token"),
        )]
        .into(),
        routes: routes(vec![
            ("GET /orders", Route::guarded(bare, "login", BTreeSet::new())),
            ("POST /orders", Route::open(here)),
            ("$default", Route::guarded(there, "login", set(&["all"]))),
        ]),
        tags: tags(&[]),
        ..first.clone()
    };
    values::<HttpApi>(&[first, second, third])
}

/// Of an API with the routes `GET /orders` and `$default`.
pub(super) fn http_stages(api: &str, destination: &str) -> Vec<Value> {
    let limits = |burst_limit, rate_limit| Some(Throttling { burst_limit, rate_limit });
    let settings = |detailed_metrics, throttling| RouteSettings { detailed_metrics, throttling };
    let first = HttpStageSpec {
        name: "$default".into(),
        api: api.into(),
        auto_deploy: true,
        description: Some("for a law".into()),
        access_log: Some(AccessLog { destination: destination.into(), format: "$context.requestId".into() }),
        default_route_settings: settings(true, limits(50, 100.5)),
        route_settings: [
            ("GET /orders".to_owned(), settings(true, limits(5, 10.0))),
            ("$default".to_owned(), settings(false, limits(1, 0.5))),
        ]
        .into(),
        variables: variables(&[("color", "blue"), ("size", "9")]),
        tags: tags(&[("team", "a")]),
    };
    let second = HttpStageSpec {
        description: None,
        access_log: Some(AccessLog { destination: destination.into(), format: "id=$context.requestId".into() }),
        default_route_settings: settings(true, None),
        route_settings: [("GET /orders".to_owned(), settings(true, None))].into(),
        variables: variables(&[("color", "red")]),
        tags: tags(&[("team", "b"), ("x", "y")]),
        ..first.clone()
    };
    let third = HttpStageSpec {
        access_log: None,
        default_route_settings: RouteSettings::default(),
        route_settings: BTreeMap::new(),
        variables: BTreeMap::new(),
        tags: tags(&[]),
        ..first.clone()
    };
    values::<HttpStage>(&[first, second, third])
}

/// Of HTTP APIs that each have the stages `one` and `two`.
pub(super) fn api_mappings(key: &str, apis: [&str; 2]) -> Vec<Value> {
    let first = ApiMappingSpec {
        name: name_of("law.example.com", key),
        domain: "law.example.com".into(),
        api: apis[0].into(),
        stage: "one".into(),
    };
    let second = ApiMappingSpec { api: apis[1].into(), stage: "two".into(), ..first.clone() };
    let third = ApiMappingSpec { stage: "two".into(), ..first.clone() };
    values::<ApiMapping>(&[first, second, third])
}

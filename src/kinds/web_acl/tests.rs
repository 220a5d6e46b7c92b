//! What is written is read back, and what gwctl makes none of is seen.

use aws_sdk_wafv2::types as sdk;

use super::spec::{
    self, Action, ContentType, DefaultAction, Fallback, Forwarded, ForwardedIn, GeoMatch, Inspection, IpSetMatch,
    LogFilter, Logging, ManagedRuleGroup, Position, RateBased, RequestPart, Response, ResponseBody, Rule, Statement,
    Visibility, WebAclSpec,
};
use super::{read, write};

fn visibility(metric: &str) -> Visibility {
    Visibility { metric: metric.into(), metrics: true, sampled_requests: false }
}

/// A web ACL with a rule of every kind.
pub(super) fn acl() -> WebAclSpec {
    let response =
        Response { status: 429, body: Some("slow".into()), headers: [("retry-after".into(), "60".into())].into() };
    let header = |fallback| Forwarded { header: "X-Forwarded-For".into(), fallback };
    let statements = [
        (
            "office",
            Statement::IpSet(IpSetMatch {
                set: "arn:aws:wafv2:eu-central-1:123456789012:regional/ipset/office/1".into(),
                outside: true,
                forwarded: Some(ForwardedIn {
                    header: "X-Real-IP".into(),
                    fallback: Fallback::NoMatch,
                    position: Position::Last,
                }),
                action: Action::Count,
            }),
        ),
        (
            "countries",
            Statement::Geo(GeoMatch {
                countries: ["DE".to_owned(), "AT".to_owned()].into(),
                outside: true,
                forwarded: Some(header(Fallback::Match)),
                action: Action::Block { response: None },
            }),
        ),
        (
            "per-ip",
            Statement::RateBased(RateBased {
                limit: 1000,
                window_seconds: 300,
                forwarded: Some(header(Fallback::NoMatch)),
                path_prefix: Some("/dev/order-service/".into()),
                action: Action::Block { response: Some(response) },
            }),
        ),
        (
            "core",
            Statement::ManagedRuleGroup(ManagedRuleGroup {
                vendor: "AWS".into(),
                name: "AWSManagedRulesCommonRuleSet".into(),
                version: Some("Version_1.0".into()),
                rule_actions: [
                    ("SizeRestrictions_BODY".to_owned(), Action::Count),
                    ("NoUserAgent_HEADER".to_owned(), Action::Captcha),
                ]
                .into(),
                count_only: false,
                path_prefix: None,
                bot_control: None,
            }),
        ),
        (
            "bots",
            Statement::ManagedRuleGroup(ManagedRuleGroup {
                vendor: "AWS".into(),
                name: "AWSManagedRulesBotControlRuleSet".into(),
                version: None,
                rule_actions: [].into(),
                count_only: true,
                path_prefix: Some("/dev/".into()),
                bot_control: Some(Inspection::Common),
            }),
        ),
    ];
    WebAclSpec {
        name: "law".into(),
        description: Some("for a test".into()),
        default_action: DefaultAction::Allow,
        rules: spec::in_order(statements.map(|(name, one)| (name.to_owned(), one, visibility(name)))),
        response_bodies: [(
            "slow".to_owned(),
            ResponseBody { content_type: ContentType::Json, content: "{\"message\":\"slower\"}".into() },
        )]
        .into(),
        visibility: visibility("law"),
        logging: Some(Logging {
            destination: "arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-law".into(),
            redacted_headers: ["authorization".to_owned()].into(),
            redacted_parts: [RequestPart::QueryString].into(),
            filter: LogFilter::Blocked,
        }),
        foreign_settings: [].into(),
        tags: [].into(),
    }
}

/// The web ACL as AWS would show it.
fn live(spec: &WebAclSpec) -> sdk::WebAcl {
    let body = write::body(spec).unwrap();
    sdk::WebAcl::builder()
        .name(&spec.name)
        .id("1")
        .arn("arn")
        .set_description(spec.description.clone())
        .default_action(body.default_action)
        .set_rules(Some(body.rules))
        .set_custom_response_bodies(body.bodies)
        .visibility_config(body.visibility)
        .build()
        .unwrap()
}

fn written(name: &str) -> sdk::Rule {
    write::rule(name, &acl().rules[name]).unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    let spec = acl();
    let logging = write::logging("arn", spec.logging.as_ref().unwrap()).unwrap();
    assert_eq!(read::spec(&live(&spec), Some(&logging), [].into()), spec);
    let block = Response { status: 503, body: None, headers: [].into() };
    let bare = WebAclSpec {
        description: None,
        default_action: DefaultAction::Block { response: Some(block) },
        rules: [].into(),
        response_bodies: [].into(),
        logging: None,
        ..spec
    };
    assert_eq!(read::spec(&live(&bare), None, [].into()), bare);
}

#[test]
fn rules_are_sent_in_their_order() {
    let names: Vec<String> = write::body(&acl()).unwrap().rules.into_iter().map(|rule| rule.name).collect();
    assert_eq!(names, ["office", "countries", "per-ip", "core", "bots"]);
}

#[test]
fn other_ways_to_say_the_same_are_no_difference() {
    let mut rate = written("per-ip");
    let statement = rate.statement.as_mut().unwrap().rate_based_statement.as_mut().unwrap();
    statement.custom_keys = Some(Vec::new());
    statement.evaluation_window_sec = 0;
    rate.rule_labels = Some(Vec::new());
    let mut core = written("core");
    let group = core.statement.as_mut().unwrap().managed_rule_group_statement.as_mut().unwrap();
    // As the API showed it before overrides came to be.
    group.rule_action_overrides.as_mut().unwrap().retain(|one| one.name != "SizeRestrictions_BODY");
    group.excluded_rules = Some(vec![sdk::ExcludedRule::builder().name("SizeRestrictions_BODY").build().unwrap()]);
    group.managed_rule_group_configs = Some(Vec::new());
    let mut bots = written("bots");
    let group = bots.statement.as_mut().unwrap().managed_rule_group_statement.as_mut().unwrap();
    group.rule_action_overrides = Some(Vec::new());
    let set = group.managed_rule_group_configs.as_mut().unwrap()[0].aws_managed_rules_bot_control_rule_set.as_mut();
    set.unwrap().enable_machine_learning = false;
    let mut countries = written("countries");
    let inner = countries.statement.as_mut().unwrap().not_statement.as_mut().unwrap().statement.as_mut().unwrap();
    inner.geo_match_statement.as_mut().unwrap().country_codes.as_mut().unwrap().reverse();
    for live in [&rate, &core, &bots, &countries] {
        assert_eq!(read::rule(live), acl().rules[&live.name], "{}", live.name);
    }
}

#[test]
fn what_gwctl_makes_none_of_is_seen() {
    let foreign = |statement: &str, like: &Rule| Rule {
        statement: Statement::Foreign { statement: statement.into() },
        ..like.clone()
    };
    let mut label = written("per-ip");
    label.rule_labels = Some(vec![sdk::Label::builder().name("x").build().unwrap()]);
    assert_eq!(read::rule(&label), foreign("RateBasedStatement", &acl().rules["per-ip"]));
    let mut constant = written("per-ip");
    let rate = constant.statement.as_mut().unwrap().rate_based_statement.as_mut().unwrap();
    rate.aggregate_key_type = sdk::RateBasedStatementAggregateKeyType::Constant;
    assert_eq!(read::rule(&constant), foreign("RateBasedStatement", &acl().rules["per-ip"]));
    let mut contains = written("per-ip");
    let rate = contains.statement.as_mut().unwrap().rate_based_statement.as_mut().unwrap();
    let path = rate.scope_down_statement.as_mut().unwrap().byte_match_statement.as_mut().unwrap();
    path.positional_constraint = sdk::PositionalConstraint::Contains;
    assert_eq!(read::rule(&contains), foreign("RateBasedStatement", &acl().rules["per-ip"]));
    let mut other = written("office");
    let text = sdk::LabelMatchStatement::builder().scope(sdk::LabelMatchScope::Label).key("x").build().unwrap();
    other.statement = Some(sdk::Statement::builder().label_match_statement(text).build());
    assert_eq!(read::rule(&other), foreign("LabelMatchStatement", &acl().rules["office"]));

    let mut settings = live(&acl());
    settings.token_domains = Some(vec!["example.com".into()]);
    settings.challenge_config = Some(sdk::ChallengeConfig::builder().build());
    let found = read::spec(&settings, None, [].into()).foreign_settings;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["ChallengeConfig", "TokenDomains"]);

    let spec = acl();
    let mut logging = write::logging("arn", spec.logging.as_ref().unwrap()).unwrap();
    logging.logging_filter.as_mut().unwrap().default_behavior = sdk::FilterBehavior::Keep;
    let read = read::spec(&live(&spec), Some(&logging), [].into());
    assert_eq!(read.logging.unwrap().filter, LogFilter::Foreign);
}

#[test]
fn what_is_foreign_is_never_made() {
    let mut spec = acl();
    let statement = Statement::Foreign { statement: "LabelMatchStatement".into() };
    spec.rules.insert("x".into(), Rule { priority: 9, statement, visibility: visibility("x") });
    assert!(write::body(&spec).is_err());
    let logging = Logging { filter: LogFilter::Foreign, ..acl().logging.unwrap() };
    assert!(write::logging("arn", &logging).is_err());
}

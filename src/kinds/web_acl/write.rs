//! A web ACL as AWS WAF takes it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_wafv2::types as sdk;

use super::spec::{
    Action, AllowList, ContentType, DefaultAction, Fallback, Forwarded, ForwardedIn, GeoMatch, Inspection, IpSetMatch,
    LogFilter, Logging, ManagedRuleGroup, Position, RateBased, RequestPart, Response, ResponseBody, Rule, RuleGroup,
    Statement, Visibility, WebAclSpec,
};
use crate::error::{Failure, Result};
use crate::kinds::wafv2::built;
use crate::model::Input;

/// The parts of a web ACL that creating and updating it have in common.
pub(super) struct Body {
    pub(super) default_action: sdk::DefaultAction,
    pub(super) rules: Vec<sdk::Rule>,
    pub(super) bodies: Option<HashMap<String, sdk::CustomResponseBody>>,
    pub(super) visibility: sdk::VisibilityConfig,
}

pub(super) fn body(spec: &WebAclSpec) -> Result<Body> {
    let WebAclSpec {
        default_action,
        rules,
        response_bodies,
        visibility: seen,
        // Go in calls of their own, or beside these.
        name: _,
        description: _,
        logging: _,
        foreign_settings: _,
        tags: _,
    } = spec;
    Ok(Body {
        default_action: default(default_action)?,
        rules: self::rules(rules)?,
        bodies: bodies(response_bodies)?,
        visibility: visibility(seen)?,
    })
}

/// Rules in their order.
pub(in crate::kinds) fn rules(all: &BTreeMap<String, Rule>) -> Result<Vec<sdk::Rule>> {
    let mut rules = all.iter().map(|(name, one)| rule(name, one)).collect::<Result<Vec<_>>>()?;
    rules.sort_by_key(sdk::Rule::priority);
    Ok(rules)
}

/// Bodies for answers. An empty map is refused: one entry at least (service model).
pub(in crate::kinds) fn bodies(
    all: &BTreeMap<String, ResponseBody>,
) -> Result<Option<HashMap<String, sdk::CustomResponseBody>>> {
    let bodies = all.iter().map(|(key, body)| Ok((key.clone(), response_body(body)?)));
    let bodies = bodies.collect::<Result<HashMap<_, _>>>()?;
    Ok((!bodies.is_empty()).then_some(bodies))
}

fn default(action: &DefaultAction) -> Result<sdk::DefaultAction> {
    let builder = sdk::DefaultAction::builder();
    Ok(match action {
        DefaultAction::Allow => builder.allow(sdk::AllowAction::builder().build()).build(),
        DefaultAction::Block { response } => builder.block(block(response.as_ref())?).build(),
    })
}

/// One rule, as AWS gives it back too: reading compares with it.
pub(super) fn rule(name: &str, rule: &Rule) -> Result<sdk::Rule> {
    let Rule { priority, statement, visibility: seen } = rule;
    let builder = sdk::Rule::builder().name(name).priority(*priority).visibility_config(visibility(seen)?);
    let builder = match statement {
        Statement::RateBased(one) => builder.statement(rate_based(one)?).action(action(&one.action)?),
        Statement::ManagedRuleGroup(one) => builder.statement(managed(one)?).override_action(over(one.count_only)),
        Statement::RuleGroup(one) => builder.statement(group(one)?).override_action(over(one.count_only)),
        Statement::IpSet(one) => builder.statement(ip_set(one)?).action(action(&one.action)?),
        Statement::AllowList(one) => builder.statement(allow_list(one)?).action(action(&one.action)?),
        Statement::Geo(one) => builder.statement(geo(one)?).action(action(&one.action)?),
        Statement::Foreign { statement } => {
            return Err(Failure::internal(format!("rule `{name}` was to be made from a foreign `{statement}`")));
        }
    };
    built(builder.build())
}

/// Whether the actions of a group's rules count.
fn over(count_only: bool) -> sdk::OverrideAction {
    let builder = sdk::OverrideAction::builder();
    if count_only {
        builder.count(sdk::CountAction::builder().build()).build()
    } else {
        builder.none(sdk::NoneAction::builder().build()).build()
    }
}

fn rate_based(one: &RateBased) -> Result<sdk::Statement> {
    let RateBased { limit, window_seconds, forwarded: header, path_prefix, action: _ } = one;
    let key = if header.is_some() {
        sdk::RateBasedStatementAggregateKeyType::ForwardedIp
    } else {
        sdk::RateBasedStatementAggregateKeyType::Ip
    };
    let builder = sdk::RateBasedStatement::builder()
        .limit(*limit)
        .evaluation_window_sec(*window_seconds)
        .aggregate_key_type(key)
        .set_forwarded_ip_config(header.as_ref().map(forwarded).transpose()?)
        .set_scope_down_statement(path_prefix.as_deref().map(path).transpose()?.map(Box::new));
    Ok(sdk::Statement::builder().rate_based_statement(built(builder.build())?).build())
}

fn managed(one: &ManagedRuleGroup) -> Result<sdk::Statement> {
    let ManagedRuleGroup { vendor, name, version, rule_actions, count_only: _, path_prefix, bot_control } = one;
    let bots = bot_control.map(self::bot_control).transpose()?;
    let builder = sdk::ManagedRuleGroupStatement::builder()
        .vendor_name(vendor)
        .name(name)
        .set_version(version.clone())
        .set_rule_action_overrides(overrides(rule_actions)?)
        .set_managed_rule_group_configs(bots.map(|bots| vec![bots]))
        .set_scope_down_statement(path_prefix.as_deref().map(path).transpose()?.map(Box::new));
    Ok(sdk::Statement::builder().managed_rule_group_statement(built(builder.build())?).build())
}

fn overrides(rule_actions: &BTreeMap<String, Action>) -> Result<Option<Vec<sdk::RuleActionOverride>>> {
    let overrides = rule_actions
        .iter()
        .map(|(name, to)| built(sdk::RuleActionOverride::builder().name(name).action_to_use(action(to)?).build()));
    let overrides = overrides.collect::<Result<Vec<_>>>()?;
    Ok((!overrides.is_empty()).then_some(overrides))
}

fn group(one: &RuleGroup) -> Result<sdk::Statement> {
    let RuleGroup { group, rule_actions, count_only: _ } = one;
    let builder = sdk::RuleGroupReferenceStatement::builder()
        .arn(group.known()?)
        .set_rule_action_overrides(overrides(rule_actions)?);
    Ok(sdk::Statement::builder().rule_group_reference_statement(built(builder.build())?).build())
}

/// A header that is there and names nobody of the set. Without the first half, requests without the header would match.
fn allow_list(one: &AllowList) -> Result<sdk::Statement> {
    let AllowList { set, header, longer_than, action: _ } = one;
    let name = built(sdk::SingleHeader::builder().name(header.header.to_ascii_lowercase()).build())?;
    let plain = sdk::TextTransformation::builder().priority(0).r#type(sdk::TextTransformationType::None);
    let there = sdk::SizeConstraintStatement::builder()
        .field_to_match(sdk::FieldToMatch::builder().single_header(name).build())
        .comparison_operator(sdk::ComparisonOperator::Gt)
        .size(*longer_than)
        .text_transformations(built(plain.build())?);
    let there = sdk::Statement::builder().size_constraint_statement(built(there.build())?).build();
    let nobody = not(ip_set_reference(set, Some(header))?);
    let both = built(sdk::AndStatement::builder().statements(there).statements(nobody).build())?;
    Ok(sdk::Statement::builder().and_statement(both).build())
}

fn bot_control(level: Inspection) -> Result<sdk::ManagedRuleGroupConfig> {
    let level = match level {
        Inspection::Common => sdk::InspectionLevel::Common,
        Inspection::Targeted => sdk::InspectionLevel::Targeted,
    };
    // What AWS takes it for where it is not said (API reference, `AWSManagedRulesBotControlRuleSet`).
    let set = sdk::AwsManagedRulesBotControlRuleSet::builder().inspection_level(level).enable_machine_learning(true);
    Ok(sdk::ManagedRuleGroupConfig::builder().aws_managed_rules_bot_control_rule_set(built(set.build())?).build())
}

fn ip_set(one: &IpSetMatch) -> Result<sdk::Statement> {
    let IpSetMatch { set, outside, forwarded, action: _ } = one;
    let statement = ip_set_reference(set, forwarded.as_ref())?;
    Ok(if *outside { not(statement) } else { statement })
}

fn ip_set_reference(set: &Input, forwarded: Option<&ForwardedIn>) -> Result<sdk::Statement> {
    let header = forwarded.map(|header| {
        let ForwardedIn { header, fallback: on_none, position } = header;
        let position = match position {
            Position::First => sdk::ForwardedIpPosition::First,
            Position::Last => sdk::ForwardedIpPosition::Last,
            Position::Any => sdk::ForwardedIpPosition::Any,
        };
        let builder = sdk::IpSetForwardedIpConfig::builder().header_name(header);
        built(builder.fallback_behavior(fallback(*on_none)).position(position).build())
    });
    let builder =
        sdk::IpSetReferenceStatement::builder().arn(set.known()?).set_ip_set_forwarded_ip_config(header.transpose()?);
    Ok(sdk::Statement::builder().ip_set_reference_statement(built(builder.build())?).build())
}

fn geo(one: &GeoMatch) -> Result<sdk::Statement> {
    let GeoMatch { countries, outside, forwarded: header, action: _ } = one;
    let builder = sdk::GeoMatchStatement::builder()
        .set_country_codes(Some(countries.iter().map(|code| sdk::CountryCode::from(code.as_str())).collect()))
        .set_forwarded_ip_config(header.as_ref().map(forwarded).transpose()?);
    let statement = sdk::Statement::builder().geo_match_statement(builder.build()).build();
    Ok(if *outside { not(statement) } else { statement })
}

fn not(statement: sdk::Statement) -> sdk::Statement {
    sdk::Statement::builder().not_statement(sdk::NotStatement::builder().statement(statement).build()).build()
}

/// A path that begins so, however it is written: API Gateway takes `//x` for `/x` (aws-facts E).
fn path(prefix: &str) -> Result<sdk::Statement> {
    let field = sdk::FieldToMatch::builder().uri_path(sdk::UriPath::builder().build()).build();
    let kinds = [sdk::TextTransformationType::UrlDecode, sdk::TextTransformationType::NormalizePath];
    let steps = (0..)
        .zip(kinds)
        .map(|(priority, kind)| built(sdk::TextTransformation::builder().priority(priority).r#type(kind).build()));
    let builder = sdk::ByteMatchStatement::builder()
        .search_string(aws_smithy_types::Blob::new(prefix))
        .field_to_match(field)
        .set_text_transformations(Some(steps.collect::<Result<_>>()?))
        .positional_constraint(sdk::PositionalConstraint::StartsWith);
    Ok(sdk::Statement::builder().byte_match_statement(built(builder.build())?).build())
}

fn forwarded(header: &Forwarded) -> Result<sdk::ForwardedIpConfig> {
    let Forwarded { header, fallback: on_none } = header;
    built(sdk::ForwardedIpConfig::builder().header_name(header).fallback_behavior(fallback(*on_none)).build())
}

fn fallback(one: Fallback) -> sdk::FallbackBehavior {
    match one {
        Fallback::Match => sdk::FallbackBehavior::Match,
        Fallback::NoMatch => sdk::FallbackBehavior::NoMatch,
    }
}

fn action(one: &Action) -> Result<sdk::RuleAction> {
    let builder = sdk::RuleAction::builder();
    Ok(match one {
        Action::Allow => builder.allow(sdk::AllowAction::builder().build()),
        Action::Block { response } => builder.block(block(response.as_ref())?),
        Action::Count => builder.count(sdk::CountAction::builder().build()),
        Action::Captcha => builder.captcha(sdk::CaptchaAction::builder().build()),
        Action::Challenge => builder.challenge(sdk::ChallengeAction::builder().build()),
    }
    .build())
}

fn block(response: Option<&Response>) -> Result<sdk::BlockAction> {
    let response = response.map(|response| {
        let Response { status, body, headers } = response;
        let headers = headers
            .iter()
            .map(|(name, value)| built(sdk::CustomHttpHeader::builder().name(name).value(value).build()))
            .collect::<Result<Vec<_>>>()?;
        let builder = sdk::CustomResponse::builder()
            .response_code(*status)
            .set_custom_response_body_key(body.clone())
            .set_response_headers((!headers.is_empty()).then_some(headers));
        built(builder.build())
    });
    Ok(sdk::BlockAction::builder().set_custom_response(response.transpose()?).build())
}

fn response_body(body: &ResponseBody) -> Result<sdk::CustomResponseBody> {
    let ResponseBody { content_type, content } = body;
    let kind = match content_type {
        ContentType::Text => sdk::ResponseContentType::TextPlain,
        ContentType::Html => sdk::ResponseContentType::TextHtml,
        ContentType::Json => sdk::ResponseContentType::ApplicationJson,
    };
    built(sdk::CustomResponseBody::builder().content_type(kind).content(content).build())
}

pub(in crate::kinds) fn visibility(seen: &Visibility) -> Result<sdk::VisibilityConfig> {
    let Visibility { metric, metrics, sampled_requests } = seen;
    let builder = sdk::VisibilityConfig::builder().metric_name(metric).cloud_watch_metrics_enabled(*metrics);
    built(builder.sampled_requests_enabled(*sampled_requests).build())
}

/// The logging configuration of the web ACL with an ARN.
pub(super) fn logging(acl: &str, logging: &Logging) -> Result<sdk::LoggingConfiguration> {
    let Logging { destination, redacted_headers, redacted_parts, filter } = logging;
    let headers = redacted_headers.iter().map(|name| {
        let header = built(sdk::SingleHeader::builder().name(name).build())?;
        Ok(sdk::FieldToMatch::builder().single_header(header).build())
    });
    let parts = redacted_parts.iter().map(|part| {
        let builder = sdk::FieldToMatch::builder();
        Ok(match part {
            RequestPart::Method => builder.method(sdk::Method::builder().build()),
            RequestPart::Path => builder.uri_path(sdk::UriPath::builder().build()),
            RequestPart::QueryString => builder.query_string(sdk::QueryString::builder().build()),
        }
        .build())
    });
    let redacted = headers.chain(parts).collect::<Result<Vec<_>>>()?;
    let builder = sdk::LoggingConfiguration::builder()
        .resource_arn(acl)
        .log_destination_configs(destination.known()?)
        .set_redacted_fields((!redacted.is_empty()).then_some(redacted));
    let builder = match filter {
        LogFilter::All => builder,
        LogFilter::Blocked => builder.logging_filter(only_blocked()?),
        LogFilter::Foreign => return Err(Failure::internal("a foreign log filter was to be made")),
    };
    built(builder.build())
}

/// The filter that keeps what a rule blocked.
pub(super) fn only_blocked() -> Result<sdk::LoggingFilter> {
    let blocked = built(sdk::ActionCondition::builder().action(sdk::ActionValue::Block).build())?;
    let keep = sdk::Filter::builder()
        .behavior(sdk::FilterBehavior::Keep)
        .requirement(sdk::FilterRequirement::MeetsAny)
        .conditions(sdk::Condition::builder().action_condition(blocked).build());
    let builder = sdk::LoggingFilter::builder().default_behavior(sdk::FilterBehavior::Drop);
    built(builder.filters(built(keep.build())?).build())
}

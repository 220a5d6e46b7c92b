//! A web ACL as AWS WAF shows it, in the type that desired wears.
//!
//! A rule is read as one of ours only if writing it would give exactly the rule that is there. Anything else about it, a
//! label, a key to count by, a header to add, would be lost silently by an update: such a rule is foreign, and a plan
//! shows it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_wafv2::types as sdk;

use super::spec::{
    Action, AllowList, ContentType, DefaultAction, Fallback, Forwarded, ForwardedIn, GeoMatch, Inspection, IpSetMatch,
    LogFilter, Logging, ManagedRuleGroup, Position, RateBased, RequestPart, Response, ResponseBody, Rule, RuleGroup,
    Statement, Visibility, WebAclSpec,
};
use super::write;
use crate::aws::tags::Tags;
use crate::model::Input;

/// The window where AWS leaves it out (API reference, `RateBasedStatement`).
const DEFAULT_WINDOW: i64 = 300;

pub(super) fn spec(live: &sdk::WebAcl, logging: Option<&sdk::LoggingConfiguration>, user: Tags) -> WebAclSpec {
    WebAclSpec {
        name: live.name.clone(),
        description: live.description.clone().filter(|text| !text.is_empty()),
        default_action: default(live.default_action()),
        rules: rules(live.rules()),
        response_bodies: bodies(live.custom_response_bodies()),
        visibility: visibility(live.visibility_config()),
        logging: logging.map(self::logging),
        foreign_settings: foreign_settings(live),
        tags: user,
    }
}

/// Rules by their names.
pub(in crate::kinds) fn rules(live: &[sdk::Rule]) -> BTreeMap<String, Rule> {
    live.iter().map(|one| (one.name.clone(), rule(one))).collect()
}

/// Bodies for answers by their keys.
pub(in crate::kinds) fn bodies(
    live: Option<&HashMap<String, sdk::CustomResponseBody>>,
) -> BTreeMap<String, ResponseBody> {
    live.into_iter().flatten().map(|(key, body)| (key.clone(), response_body(body))).collect()
}

/// What an update would take away that a spec can't say. Two are left out: protection from floods at the source is for
/// load balancers, and the application that the console asked about goes into no update (API reference, `WebACL`).
fn foreign_settings(live: &sdk::WebAcl) -> BTreeSet<String> {
    let allow = live.default_action().and_then(sdk::DefaultAction::allow);
    [
        ("CaptchaConfig", live.captcha_config().is_some()),
        ("ChallengeConfig", live.challenge_config().is_some()),
        ("TokenDomains", !live.token_domains().is_empty()),
        ("AssociationConfig", live.association_config().is_some()),
        ("DataProtectionConfig", live.data_protection_config().is_some()),
        ("DefaultAction.Allow.CustomRequestHandling", allow.is_some_and(|one| one.custom_request_handling().is_some())),
    ]
    .into_iter()
    .filter(|(_, set)| *set)
    .map(|(name, _)| name.to_owned())
    .collect()
}

fn default(live: Option<&sdk::DefaultAction>) -> DefaultAction {
    match live.and_then(sdk::DefaultAction::block) {
        Some(block) => DefaultAction::Block { response: block.custom_response().map(response) },
        None => DefaultAction::Allow,
    }
}

/// A rule: one of ours, or a foreign one.
pub(super) fn rule(live: &sdk::Rule) -> Rule {
    let live = tidy(live.clone());
    let seen = visibility(live.visibility_config());
    if let Some(statement) = statement(&live) {
        let rule = Rule { priority: live.priority, statement, visibility: seen.clone() };
        if write::rule(&live.name, &rule).is_ok_and(|written| written == live) {
            return rule;
        }
    }
    let name = live.statement().map_or("none", name);
    Rule { priority: live.priority, statement: Statement::Foreign { statement: name.to_owned() }, visibility: seen }
}

/// AWS's name of a statement.
fn name(statement: &sdk::Statement) -> &'static str {
    [
        ("ByteMatchStatement", statement.byte_match_statement.is_some()),
        ("SqliMatchStatement", statement.sqli_match_statement.is_some()),
        ("XssMatchStatement", statement.xss_match_statement.is_some()),
        ("SizeConstraintStatement", statement.size_constraint_statement.is_some()),
        ("GeoMatchStatement", statement.geo_match_statement.is_some()),
        ("RuleGroupReferenceStatement", statement.rule_group_reference_statement.is_some()),
        ("IPSetReferenceStatement", statement.ip_set_reference_statement.is_some()),
        ("RegexPatternSetReferenceStatement", statement.regex_pattern_set_reference_statement.is_some()),
        ("RateBasedStatement", statement.rate_based_statement.is_some()),
        ("AndStatement", statement.and_statement.is_some()),
        ("OrStatement", statement.or_statement.is_some()),
        ("NotStatement", statement.not_statement.is_some()),
        ("ManagedRuleGroupStatement", statement.managed_rule_group_statement.is_some()),
        ("LabelMatchStatement", statement.label_match_statement.is_some()),
        ("RegexMatchStatement", statement.regex_match_statement.is_some()),
        ("AsnMatchStatement", statement.asn_match_statement.is_some()),
    ]
    .into_iter()
    .find(|(_, set)| *set)
    .map_or("a statement of a newer AWS WAF", |(name, _)| name)
}

/// The statement with its action, as far as the spec's types can say it.
fn statement(live: &sdk::Rule) -> Option<Statement> {
    let found = live.statement()?;
    if let Some(group) = found.managed_rule_group_statement() {
        return Some(Statement::ManagedRuleGroup(managed(live, group)?));
    }
    if let Some(group) = found.rule_group_reference_statement() {
        return Some(Statement::RuleGroup(RuleGroup {
            group: Input::from(group.arn()),
            rule_actions: rule_actions(group.rule_action_overrides())?,
            count_only: counts(live),
        }));
    }
    let action = action(live.action()?)?;
    if let Some(both) = found.and_statement() {
        return Some(Statement::AllowList(allow_list(both.statements(), action)?));
    }
    if let Some(rate) = found.rate_based_statement() {
        return Some(Statement::RateBased(RateBased {
            limit: rate.limit,
            window_seconds: rate.evaluation_window_sec,
            forwarded: rate.forwarded_ip_config().map(forwarded),
            path_prefix: rate.scope_down_statement().and_then(path),
            action,
        }));
    }
    let inner = found.not_statement().and_then(sdk::NotStatement::statement);
    let (one, outside) = inner.map_or((found, false), |inner| (inner, true));
    if let Some(set) = one.ip_set_reference_statement() {
        let forwarded = set.ip_set_forwarded_ip_config().map(forwarded_in);
        return Some(Statement::IpSet(IpSetMatch { set: Input::from(set.arn()), outside, forwarded, action }));
    }
    let geo = one.geo_match_statement()?;
    let countries = geo.country_codes().iter().map(|code| code.as_str().to_owned()).collect();
    let forwarded = geo.forwarded_ip_config().map(forwarded);
    Some(Statement::Geo(GeoMatch { countries, outside, forwarded, action }))
}

fn managed(live: &sdk::Rule, group: &sdk::ManagedRuleGroupStatement) -> Option<ManagedRuleGroup> {
    let bots = group.managed_rule_group_configs().iter().find_map(|one| one.aws_managed_rules_bot_control_rule_set());
    Some(ManagedRuleGroup {
        vendor: group.vendor_name.clone(),
        name: group.name.clone(),
        version: group.version.clone(),
        rule_actions: rule_actions(group.rule_action_overrides())?,
        count_only: counts(live),
        path_prefix: group.scope_down_statement().and_then(path),
        bot_control: bots.map(|set| match set.inspection_level() {
            sdk::InspectionLevel::Targeted => Inspection::Targeted,
            _ => Inspection::Common,
        }),
    })
}

fn rule_actions(overrides: &[sdk::RuleActionOverride]) -> Option<BTreeMap<String, Action>> {
    overrides.iter().map(|one| Some((one.name.clone(), action(one.action_to_use()?)?))).collect()
}

fn counts(live: &sdk::Rule) -> bool {
    live.override_action().is_some_and(|over| over.count().is_some())
}

fn allow_list(both: &[sdk::Statement], action: Action) -> Option<AllowList> {
    let size = both.iter().find_map(sdk::Statement::size_constraint_statement)?;
    let inner = both.iter().find_map(sdk::Statement::not_statement)?.statement()?;
    let set = inner.ip_set_reference_statement()?;
    let header = forwarded_in(set.ip_set_forwarded_ip_config()?);
    Some(AllowList { set: Input::from(set.arn()), header, longer_than: size.size, action })
}

fn path(live: &sdk::Statement) -> Option<String> {
    String::from_utf8(live.byte_match_statement()?.search_string().clone().into_inner()).ok()
}

fn forwarded(live: &sdk::ForwardedIpConfig) -> Forwarded {
    Forwarded { header: live.header_name.clone(), fallback: fallback(live.fallback_behavior()) }
}

fn forwarded_in(live: &sdk::IpSetForwardedIpConfig) -> ForwardedIn {
    let position = match live.position() {
        sdk::ForwardedIpPosition::Last => Position::Last,
        sdk::ForwardedIpPosition::Any => Position::Any,
        _ => Position::First,
    };
    ForwardedIn { header: live.header_name.clone(), fallback: fallback(live.fallback_behavior()), position }
}

fn fallback(live: &sdk::FallbackBehavior) -> Fallback {
    if *live == sdk::FallbackBehavior::Match { Fallback::Match } else { Fallback::NoMatch }
}

fn action(live: &sdk::RuleAction) -> Option<Action> {
    if let Some(block) = live.block() {
        return Some(Action::Block { response: block.custom_response().map(response) });
    }
    [
        (live.allow().is_some(), Action::Allow),
        (live.count().is_some(), Action::Count),
        (live.captcha().is_some(), Action::Captcha),
        (live.challenge().is_some(), Action::Challenge),
    ]
    .into_iter()
    .find_map(|(set, action)| set.then_some(action))
}

fn response(live: &sdk::CustomResponse) -> Response {
    let headers = live.response_headers().iter();
    Response {
        status: live.response_code,
        body: live.custom_response_body_key.clone(),
        headers: headers.map(|header| (header.name.clone(), header.value.clone())).collect(),
    }
}

fn response_body(live: &sdk::CustomResponseBody) -> ResponseBody {
    let content_type = match live.content_type() {
        sdk::ResponseContentType::TextHtml => ContentType::Html,
        sdk::ResponseContentType::ApplicationJson => ContentType::Json,
        _ => ContentType::Text,
    };
    ResponseBody { content_type, content: live.content.clone() }
}

pub(in crate::kinds) fn visibility(live: Option<&sdk::VisibilityConfig>) -> Visibility {
    Visibility {
        metric: live.map(|one| one.metric_name.clone()).unwrap_or_default(),
        metrics: live.is_some_and(|one| one.cloud_watch_metrics_enabled),
        sampled_requests: live.is_some_and(|one| one.sampled_requests_enabled),
    }
}

fn logging(live: &sdk::LoggingConfiguration) -> Logging {
    let destination = live.log_destination_configs().first().map(String::as_str).unwrap_or_default();
    let mut redacted_headers = BTreeSet::new();
    let mut redacted_parts = BTreeSet::new();
    for field in live.redacted_fields() {
        redacted_headers.extend(field.single_header().map(|header| header.name.to_ascii_lowercase()));
        redacted_parts.extend(field.method().map(|_| RequestPart::Method));
        redacted_parts.extend(field.uri_path().map(|_| RequestPart::Path));
        redacted_parts.extend(field.query_string().map(|_| RequestPart::QueryString));
    }
    let filter = match live.logging_filter() {
        None => LogFilter::All,
        Some(filter) if write::only_blocked().is_ok_and(|blocked| blocked == *filter) => LogFilter::Blocked,
        Some(_) => LogFilter::Foreign,
    };
    Logging { destination: destination.trim_end_matches(":*").into(), redacted_headers, redacted_parts, filter }
}

/// The rule in the one of its forms that writing gives: AWS answers with empty lists and with what it takes for granted
/// (developer guide, the JSON listings of the examples), and keeps the order of lists that mean sets.
fn tidy(mut rule: sdk::Rule) -> sdk::Rule {
    rule.rule_labels = rule.rule_labels.filter(|list| !list.is_empty());
    rule.action = rule.action.map(tidy_action);
    if let Some(statement) = &mut rule.statement {
        tidy_statement(statement);
        if let Some(inner) = statement.not_statement.as_mut().and_then(|not| not.statement.as_mut()) {
            tidy_statement(inner);
        }
    }
    rule
}

fn tidy_statement(statement: &mut sdk::Statement) {
    if let Some(geo) = &mut statement.geo_match_statement
        && let Some(codes) = &mut geo.country_codes
    {
        codes.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    }
    if let Some(rate) = &mut statement.rate_based_statement {
        rate.custom_keys = rate.custom_keys.take().filter(|list| !list.is_empty());
        if rate.evaluation_window_sec == 0 {
            rate.evaluation_window_sec = DEFAULT_WINDOW;
        }
        rate.scope_down_statement.iter_mut().for_each(|inner| tidy_path(inner));
    }
    if let Some(group) = &mut statement.rule_group_reference_statement {
        group.rule_action_overrides = tidy_overrides(group.rule_action_overrides.take(), group.excluded_rules.take());
    }
    if let Some(both) = &mut statement.and_statement {
        // In which order the two halves are asked makes no difference.
        both.statements.sort_by_key(|one| one.size_constraint_statement.is_none());
    }
    if let Some(group) = &mut statement.managed_rule_group_statement {
        tidy_group(group);
        group.scope_down_statement.iter_mut().for_each(|inner| tidy_path(inner));
    }
}

fn tidy_path(statement: &mut sdk::Statement) {
    if let Some(byte) = &mut statement.byte_match_statement {
        byte.text_transformations.sort_by_key(sdk::TextTransformation::priority);
        byte.pre_parse_text_transformations =
            byte.pre_parse_text_transformations.take().filter(|list| !list.is_empty());
    }
}

fn tidy_group(group: &mut sdk::ManagedRuleGroupStatement) {
    group.rule_action_overrides = tidy_overrides(group.rule_action_overrides.take(), group.excluded_rules.take());
    group.managed_rule_group_configs = group.managed_rule_group_configs.take().filter(|list| !list.is_empty());
    for config in group.managed_rule_group_configs.iter_mut().flatten() {
        // "Applies only to the targeted inspection level" (API reference, `AWSManagedRulesBotControlRuleSet`).
        if let Some(bots) = &mut config.aws_managed_rules_bot_control_rule_set
            && bots.inspection_level == sdk::InspectionLevel::Common
        {
            bots.enable_machine_learning = true;
        }
    }
}

/// "Instead of this option, use `RuleActionOverrides`. It accepts any valid action setting, including Count" (API reference,
/// `ManagedRuleGroupStatement`, of the rules that are excluded).
fn tidy_overrides(
    overrides: Option<Vec<sdk::RuleActionOverride>>,
    excluded: Option<Vec<sdk::ExcludedRule>>,
) -> Option<Vec<sdk::RuleActionOverride>> {
    let mut overrides = overrides.unwrap_or_default();
    for excluded in excluded.unwrap_or_default() {
        if overrides.iter().all(|one| one.name != excluded.name) {
            let count = sdk::RuleAction::builder().count(sdk::CountAction::builder().build()).build();
            overrides.extend(sdk::RuleActionOverride::builder().name(excluded.name).action_to_use(count).build());
        }
    }
    overrides.sort_by(|one, other| one.name.cmp(&other.name));
    for one in &mut overrides {
        one.action_to_use = one.action_to_use.take().map(tidy_action);
    }
    (!overrides.is_empty()).then_some(overrides)
}

fn tidy_action(mut action: sdk::RuleAction) -> sdk::RuleAction {
    if let Some(response) = action.block.as_mut().and_then(|block| block.custom_response.as_mut()) {
        let mut headers = response.response_headers.take().unwrap_or_default();
        headers.sort_by(|one, other| one.name.cmp(&other.name));
        response.response_headers = (!headers.is_empty()).then_some(headers);
    }
    action
}

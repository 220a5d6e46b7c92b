//! What AWS WAF refuses of rules and sets.
//!
//! The service model gives the forms of the members; which combinations are refused is from the API reference, and so are
//! the fields named in the refusals. Their words are AWS's where `faults` has them; for what no client has reported, they
//! are the nearest of those.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ipnet::IpNet;
use regex::Regex;

use super::faults::{self, Answer, format, invalid, one_value, violations};
use super::managed;
use super::rules::{
    Aggregate, ContentType, CustomResponse, CustomResponseBodies, DefaultAction, FieldToMatch, Rule, RuleAction,
    Statement, Transformation, VisibilityConfig,
};

/// Bytes that a string to look for may have (developer guide, "AWS WAF quotas").
const SEARCH_LIMIT: usize = 200;
/// Characters of a pattern (ditto).
const PATTERN_LIMIT: usize = 512;
/// Transformations that one statement may have (ditto).
const TRANSFORMATIONS: usize = 10;
/// What can be done to a part of a request (service model).
const KINDS: [&str; 31] = [
    "NONE",
    "COMPRESS_WHITE_SPACE",
    "HTML_ENTITY_DECODE",
    "LOWERCASE",
    "CMD_LINE",
    "URL_DECODE",
    "BASE64_DECODE",
    "HEX_DECODE",
    "MD5",
    "REPLACE_COMMENTS",
    "ESCAPE_SEQ_DECODE",
    "SQL_HEX_DECODE",
    "CSS_DECODE",
    "JS_DECODE",
    "NORMALIZE_PATH",
    "NORMALIZE_PATH_WIN",
    "REMOVE_NULLS",
    "REPLACE_NULLS",
    "BASE64_DECODE_EXT",
    "URL_DECODE_UNI",
    "UTF8_TO_UNICODE",
    "REMOVE_WHITESPACE",
    "TRIM",
    "TRIM_LEFT",
    "TRIM_RIGHT",
    "REMOVE_COMMENTS_CHAR",
    "UPPERCASE",
    "CMD_LINE_WIN",
    "CMD_LINE_UNIX",
    "JS_DECODE_EXT",
    "SHA256",
];

/// What rules may refer to.
pub(super) struct Around<'a> {
    /// Whether a set or a rule group with an ARN exists.
    pub(super) exists: &'a dyn Fn(&str) -> bool,
    /// Bodies that custom responses may name; `CheckCapacity` is not told.
    pub(super) bodies: Option<&'a CustomResponseBodies>,
    /// Whether the rules are those of a rule group, which can't hold others.
    pub(super) in_group: bool,
}

/// Checks a list of rules.
pub(super) fn rules(rules: &[Rule], around: &Around<'_>) -> Answer<()> {
    let mut priorities = BTreeSet::new();
    let mut names = BTreeSet::new();
    for rule in rules {
        entity_name(&rule.name, "name")?;
        if !names.insert(&rule.name) || !priorities.insert(rule.priority) {
            return Err(faults::duplicate());
        }
        visibility(&rule.visibility_config)?;
        statement(&rule.statement, around, true)?;
        let group = rule.statement.rule_group_reference_statement.is_some()
            || rule.statement.managed_rule_group_statement.is_some();
        match (&rule.action, &rule.override_action) {
            (Some(one), None) if !group => action(one, around)?,
            (None, Some(over)) if group => {
                if over.count.is_some() == over.none.is_some() {
                    return Err(one_value("OVERRIDE_ACTION", "OverrideAction"));
                }
            }
            _ => return Err(one_value("RULE", "Rule")),
        }
        if rule.statement.rate_based_statement.is_some() && rule.action.as_ref().is_some_and(|one| one.allow.is_some())
        {
            return Err(invalid("You can't use Allow with a rate-based rule.", "RULE_ACTION", "Allow"));
        }
        for label in &rule.rule_labels {
            let parts = label.name.split(':').collect::<Vec<_>>();
            let signs = |part: &&str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            };
            if !parts.iter().all(signs) || parts.iter().any(|part| ["awswaf", "aws", "waf"].contains(part)) {
                return Err(format("RULE", &label.name));
            }
        }
    }
    Ok(())
}

/// Checks what happens to a request that no rule decides about.
pub(super) fn default_action(default: &DefaultAction, bodies: &CustomResponseBodies) -> Answer<()> {
    if default.allow.is_some() == default.block.is_some() {
        return Err(one_value("DEFAULT_ACTION", "DefaultAction"));
    }
    default
        .block
        .iter()
        .filter_map(|block| block.custom_response.as_ref())
        .try_for_each(|one| response(one, Some(bodies)))
}

/// Checks the bodies for custom responses.
pub(super) fn bodies(bodies: &CustomResponseBodies) -> Answer<()> {
    for (key, body) in bodies {
        entity_name(key, "customResponseBodies")?;
        let json = body.content_type == ContentType::ApplicationJson;
        if body.content.is_empty() || body.content.len() > 10_240 {
            return Err(violations(&body.content, "content", &["have length between 1 and 10240".into()]));
        }
        if json && serde_json::from_str::<serde_json::Value>(&body.content).is_err() {
            return Err(format("CUSTOM_RESPONSE_BODY", key));
        }
    }
    Ok(())
}

/// Checks metrics and samples.
pub(super) fn visibility(config: &VisibilityConfig) -> Answer<()> {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_#:.-/".contains(&byte);
    let name = &config.metric_name;
    if (1..=255).contains(&name.len()) && name.bytes().all(sign) {
        return Ok(());
    }
    Err(format("METRIC_NAME", name))
}

/// Checks the name of anything.
pub(super) fn entity_name(name: &str, member: &str) -> Answer<()> {
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push("have length greater than or equal to 1".to_owned());
    }
    if name.len() > 128 {
        wrong.push("have length less than or equal to 128".to_owned());
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        wrong.push("satisfy regular expression pattern: ^[\\w\\-]+$".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(violations(name, member, &wrong)) }
}

/// Checks a description.
pub(super) fn description(text: &str) -> Answer<()> {
    let sign = |letter: char| letter.is_ascii_alphanumeric() || "_+=:#@/-,.".contains(letter);
    let mut wrong = Vec::new();
    if text.is_empty() {
        wrong.push("have length greater than or equal to 1".to_owned());
    }
    if text.chars().count() > 256 {
        wrong.push("have length less than or equal to 256".to_owned());
    }
    let inside = text.chars().all(|letter| sign(letter) || letter.is_ascii_whitespace());
    let ends = text.starts_with(sign) && text.ends_with(sign) && text.chars().count() >= 3;
    if !(inside && ends) {
        let pattern = r"^[\w+=:#@/\-,\.][\w+=:#@/\-,\.\s]+[\w+=:#@/\-,\.]$";
        wrong.push(format!("satisfy regular expression pattern: {pattern}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(violations(text, "description", &wrong)) }
}

/// Checks the addresses of a set: ranges with their prefix, which must not be 0, in the set's version.
pub(super) fn addresses(addresses: &[String], version: &str) -> Answer<()> {
    if addresses.len() > 10_000 {
        return Err(faults::limit("IP_ADDRESS"));
    }
    for text in addresses {
        let range = text.parse::<IpNet>().ok().filter(|range| range.prefix_len() > 0);
        let same = range.is_some_and(|range| matches!(range, IpNet::V4(_)) == (version == "IPV4"));
        if !same {
            return Err(format("IP_ADDRESS", text));
        }
    }
    Ok(())
}

/// Checks a pattern.
pub(super) fn regex(pattern: &str, field: &str) -> Answer<()> {
    let fits = !pattern.is_empty() && pattern.chars().count() <= PATTERN_LIMIT;
    if fits && Regex::new(pattern).is_ok() { Ok(()) } else { Err(format(field, pattern)) }
}

fn statement(one: &Statement, around: &Around<'_>, outermost: bool) -> Answer<()> {
    if one.members() != 1 {
        return Err(one_value("STATEMENT", "Statement"));
    }
    let nested = one.rate_based_statement.is_some()
        || one.rule_group_reference_statement.is_some()
        || one.managed_rule_group_statement.is_some();
    let group = one.rule_group_reference_statement.is_some() || one.managed_rule_group_statement.is_some();
    if (nested && !outermost) || (group && around.in_group) {
        return Err(invalid("You can't nest a statement of this type.", "STATEMENT", "Statement"));
    }
    if let Some((field, list)) = one.field() {
        field_to_match(field)?;
        transformations(list)?;
    }
    own(one, around)?;
    rate(one)?;
    one.inner().try_for_each(|inner| statement(inner, around, false))
}

/// Checks what only one kind of statement has.
fn own(one: &Statement, around: &Around<'_>) -> Answer<()> {
    if let Some(byte) = &one.byte_match_statement {
        let fits = BASE64.decode(&byte.search_string).is_ok_and(|text| (1..=SEARCH_LIMIT).contains(&text.len()));
        if !fits {
            return Err(format("BYTE_MATCH_STATEMENT", &byte.search_string));
        }
    }
    if let Some(one) = &one.regex_match_statement {
        regex(&one.regex_string, "REGEX_PATTERN_REFERENCE_STATEMENT")?;
    }
    for (nested, field) in [(&one.and_statement, "AND_STATEMENT"), (&one.or_statement, "OR_STATEMENT")] {
        if nested.as_ref().is_some_and(|nested| nested.statements.len() < 2) {
            return Err(invalid("A required field is missing from the parameter.", field, "Statements"));
        }
    }
    if let Some(geo) = &one.geo_match_statement {
        let code = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if geo.country_codes.is_empty() || !geo.country_codes.iter().all(code) {
            return Err(format("GEO_MATCH_STATEMENT", &geo.country_codes.join(",")));
        }
    }
    if let Some(label) = &one.label_match_statement {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:".contains(&byte);
        if label.key.is_empty() || !label.key.bytes().all(sign) {
            return Err(format("LABEL_MATCH_STATEMENT", &label.key));
        }
    }
    if let Some(group) = &one.managed_rule_group_statement
        && group.vendor_name == "AWS"
        && managed::find(&group.vendor_name, &group.name).is_none()
    {
        return Err(faults::nonexistent());
    }
    references(one, around)
}

fn references(one: &Statement, around: &Around<'_>) -> Answer<()> {
    let set = one.ip_set_reference_statement.iter().map(|set| (&set.arn, "/ipset/"));
    let patterns = one.regex_pattern_set_reference_statement.iter();
    let patterns = patterns.map(|set| (&set.arn, "/regexpatternset/"));
    let groups = one.rule_group_reference_statement.iter().map(|group| (&group.arn, "/rulegroup/"));
    for (arn, kind) in set.chain(patterns).chain(groups) {
        if !arn.starts_with("arn:") || !arn.contains(":wafv2:") || !arn.contains(kind) {
            return Err(faults::arn("RESOURCE_ARN", arn));
        }
        if !(around.exists)(arn) {
            return Err(faults::nonexistent());
        }
    }
    if let Some(group) = &one.rule_group_reference_statement {
        group.rule_action_overrides.iter().try_for_each(|over| action(&over.action_to_use, around))?;
    }
    Ok(())
}

fn rate(one: &Statement) -> Answer<()> {
    let Some(rate) = &one.rate_based_statement else { return Ok(()) };
    let wrong = |parameter: &str| Err(invalid("The parameter value isn't valid.", "RATE_BASED_STATEMENT", parameter));
    if !(10..=2_000_000_000).contains(&rate.limit) {
        return wrong("Limit");
    }
    if ![60, 120, 300, 600].contains(&rate.evaluation_window_sec) {
        return wrong("EvaluationWindowSec");
    }
    let forwarded = rate.aggregate_key_type == Aggregate::ForwardedIp
        || rate.custom_keys.iter().any(|key| key.forwarded_ip.is_some());
    if forwarded && rate.forwarded.is_none() {
        return Err(invalid(
            "A required field is missing from the parameter.",
            "FORWARDED_IP_CONFIG",
            "ForwardedIPConfig",
        ));
    }
    if rate.aggregate_key_type == Aggregate::Constant && rate.scope_down_statement.is_none() {
        return Err(invalid("A required field is missing from the parameter.", "SCOPE_DOWN", "ScopeDownStatement"));
    }
    let custom = rate.aggregate_key_type == Aggregate::CustomKeys;
    if custom == rate.custom_keys.is_empty() || rate.custom_keys.len() > 5 {
        return Err(invalid("The parameter value isn't valid.", "CUSTOM_KEYS", "CustomKeys"));
    }
    for key in &rate.custom_keys {
        if key.members() != 1 {
            return Err(one_value("CUSTOM_KEYS", "CustomKeys"));
        }
        let named = [&key.header, &key.cookie, &key.query_argument].into_iter().flatten();
        let plain = [&key.query_string, &key.uri_path].into_iter().flatten();
        named.map(|key| &key.text_transformations).try_for_each(|list| transformations(list))?;
        plain.map(|key| &key.text_transformations).try_for_each(|list| transformations(list))?;
    }
    // An address alone is what `IP` and `FORWARDED_IP` are for (API reference).
    let alone = rate.custom_keys.len() == 1
        && rate.custom_keys.iter().all(|key| key.ip.is_some() || key.forwarded_ip.is_some());
    if alone { Err(invalid("The parameter value isn't valid.", "CUSTOM_KEYS", "CustomKeys")) } else { Ok(()) }
}

fn field_to_match(field: &FieldToMatch) -> Answer<()> {
    if field.members() != 1 {
        return Err(one_value("FIELD_TO_MATCH", "FieldToMatch"));
    }
    for named in [&field.single_header, &field.single_query_argument].into_iter().flatten() {
        if named.name.trim().is_empty() || named.name.len() > 64 {
            return Err(violations(&named.name, "name", &["have length between 1 and 64".into()]));
        }
    }
    let exactly_one = |set: [bool; 3]| set.iter().filter(|set| **set).count() == 1;
    if let Some(json) = &field.json_body
        && json.match_pattern.all.is_some() != json.match_pattern.included_paths.is_empty()
    {
        return Err(one_value("JSON_MATCH_PATTERN", "MatchPattern"));
    }
    if let Some(pattern) = field.headers.as_ref().map(|headers| &headers.match_pattern)
        && !exactly_one([
            pattern.all.is_some(),
            !pattern.included_headers.is_empty(),
            !pattern.excluded_headers.is_empty(),
        ])
    {
        return Err(one_value("HEADER_MATCH_PATTERN", "MatchPattern"));
    }
    if let Some(pattern) = field.cookies.as_ref().map(|cookies| &cookies.match_pattern)
        && !exactly_one([
            pattern.all.is_some(),
            !pattern.included_cookies.is_empty(),
            !pattern.excluded_cookies.is_empty(),
        ])
    {
        return Err(one_value("COOKIE_MATCH_PATTERN", "MatchPattern"));
    }
    Ok(())
}

fn transformations(list: &[Transformation]) -> Answer<()> {
    let priorities: BTreeSet<u32> = list.iter().map(|one| one.priority).collect();
    if list.is_empty() || list.len() > TRANSFORMATIONS || priorities.len() != list.len() {
        return Err(invalid("The parameter value isn't valid.", "TEXT_TRANSFORMATION", "TextTransformations"));
    }
    match list.iter().find(|one| !KINDS.contains(&one.kind.as_str())) {
        Some(one) => {
            let allowed = format!("satisfy enum value set: [{}]", KINDS.join(", "));
            Err(violations(&one.kind, "type", &[allowed]))
        }
        None => Ok(()),
    }
}

fn action(one: &RuleAction, around: &Around<'_>) -> Answer<()> {
    if one.members() != 1 {
        return Err(one_value("RULE_ACTION", "RuleAction"));
    }
    one.block.iter().filter_map(|block| block.custom_response.as_ref()).try_for_each(|one| response(one, around.bodies))
}

fn response(one: &CustomResponse, bodies: Option<&CustomResponseBodies>) -> Answer<()> {
    if !(200..=599).contains(&one.response_code) {
        let allowed = "have value between 200 and 599".to_owned();
        return Err(violations(&one.response_code.to_string(), "responseCode", &[allowed]));
    }
    let unknown = |key: &&String| bodies.is_some_and(|bodies| !bodies.contains_key(*key));
    if let Some(key) = one.custom_response_body_key.as_ref().filter(unknown) {
        return Err(invalid("The referenced custom response body doesn't exist.", "CUSTOM_RESPONSE_BODY", key));
    }
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    match one.response_headers.iter().find(|header| header.name.is_empty() || !header.name.bytes().all(sign)) {
        Some(header) => Err(format("CUSTOM_RESPONSE", &header.name)),
        None => Ok(()),
    }
}

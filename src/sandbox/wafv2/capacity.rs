//! Web ACL capacity units: what rules cost (developer guide, the "WCUs" line of each statement's page).
//!
//! The guide adds that AWS "might" count a transformation once that several rules share; nothing says when, so here each
//! counts.

use super::managed;
use super::rules::{FieldToMatch, Position, Rule, Sensitivity, Statement, Transformation};

/// Units that a web ACL or a rule group may use.
pub(super) const LIMIT: u64 = 5000;

/// What a transformation adds; `NONE` is free.
const TRANSFORMATION: u64 = 10;
/// What looking at all query arguments adds.
const ALL_ARGUMENTS: u64 = 10;
/// What each custom key of a rate-based statement adds.
const CUSTOM_KEY: u64 = 30;

/// What rules cost; `groups` gives the capacity of a rule group by its ARN.
pub(super) fn of_rules(rules: &[Rule], groups: &impl Fn(&str) -> u64) -> u64 {
    rules.iter().map(|rule| of(&rule.statement, groups)).sum()
}

fn of(statement: &Statement, groups: &impl Fn(&str) -> u64) -> u64 {
    let inner: u64 = statement.inner().map(|inner| of(inner, groups)).sum();
    inner + own(statement, groups) + statement.field().map_or(0, |(_, list)| transformations(list))
}

/// What the statement itself costs. Logical statements cost what is in them.
fn own(statement: &Statement, groups: &impl Fn(&str) -> u64) -> u64 {
    if let Some(byte) = &statement.byte_match_statement {
        let base = match byte.positional_constraint {
            Position::Exactly | Position::StartsWith | Position::EndsWith => 2,
            Position::Contains | Position::ContainsWord => 10,
        };
        return on_field(base, &byte.field_to_match);
    }
    if let Some(sqli) = &statement.sqli_match_statement {
        let base = if sqli.sensitivity_level == Some(Sensitivity::High) { 30 } else { 20 };
        return on_field(base, &sqli.field_to_match);
    }
    if let Some(xss) = &statement.xss_match_statement {
        return on_field(40, &xss.field_to_match);
    }
    if let Some(size) = &statement.size_constraint_statement {
        return on_field(1, &size.field_to_match);
    }
    if let Some(set) = &statement.regex_pattern_set_reference_statement {
        return on_field(25, &set.field_to_match);
    }
    if let Some(regex) = &statement.regex_match_statement {
        return on_field(3, &regex.field_to_match);
    }
    if let Some(set) = &statement.ip_set_reference_statement {
        // Looking at any address of a header costs four more.
        let any = set.forwarded.as_ref().is_some_and(|header| header.position == super::rules::Place::Any);
        return if any { 5 } else { 1 };
    }
    if let Some(rate) = &statement.rate_based_statement {
        let lists = rate.custom_keys.iter().map(|key| {
            let named = [&key.header, &key.cookie, &key.query_argument].into_iter().flatten();
            let plain = [&key.query_string, &key.uri_path].into_iter().flatten();
            let lists = named.map(|key| &key.text_transformations).chain(plain.map(|key| &key.text_transformations));
            CUSTOM_KEY + lists.map(|list| transformations(list)).sum::<u64>()
        });
        return 2 + lists.sum::<u64>();
    }
    if let Some(group) = &statement.managed_rule_group_statement {
        return managed::find(&group.vendor_name, &group.name).map_or(0, |known| known.capacity);
    }
    if let Some(group) = &statement.rule_group_reference_statement {
        return groups(&group.arn);
    }
    let simple = [
        statement.geo_match_statement.is_some(),
        statement.label_match_statement.is_some(),
        statement.asn_match_statement.is_some(),
    ];
    u64::from(simple.contains(&true))
}

fn on_field(base: u64, field: &FieldToMatch) -> u64 {
    let base = if field.json_body.is_some() { base * 2 } else { base };
    if field.all_query_arguments.is_some() { base + ALL_ARGUMENTS } else { base }
}

fn transformations(list: &[Transformation]) -> u64 {
    list.iter().filter(|one| one.kind != "NONE").map(|_| TRANSFORMATION).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn statements_cost_what_the_guide_says() {
        let byte = |position: &str, field: Value, kinds: &[&str]| {
            let list: Vec<Value> =
                kinds.iter().enumerate().map(|(at, kind)| json!({ "Priority": at, "Type": kind })).collect();
            json!({ "ByteMatchStatement": { "SearchString": "YQ==", "PositionalConstraint": position,
                "FieldToMatch": field, "TextTransformations": list } })
        };
        let path = || json!({ "UriPath": {} });
        let geo = json!({ "GeoMatchStatement": { "CountryCodes": ["DE"] } });
        let set = json!({ "IPSetReferenceStatement": { "ARN": "x", "IPSetForwardedIPConfig":
            { "HeaderName": "x", "FallbackBehavior": "MATCH", "Position": "ANY" } } });
        let rate = json!({ "RateBasedStatement": { "Limit": 100, "AggregateKeyType": "CUSTOM_KEYS",
            "CustomKeys": [{ "IP": {} }, { "UriPath": { "TextTransformations": [{ "Priority": 0, "Type": "LOWERCASE" }] } }],
            "ScopeDownStatement": geo } });
        let managed = |name: &str| json!({ "ManagedRuleGroupStatement": { "VendorName": "AWS", "Name": name } });
        for (statement, expected) in [
            (byte("EXACTLY", path(), &["NONE"]), 2),
            (byte("CONTAINS", path(), &["LOWERCASE", "URL_DECODE"]), 30),
            (byte("CONTAINS_WORD", json!({ "AllQueryArguments": {} }), &["NONE"]), 20),
            (
                byte(
                    "STARTS_WITH",
                    json!({ "JsonBody": { "MatchPattern": { "All": {} }, "MatchScope": "ALL" } }),
                    &["NONE"],
                ),
                4,
            ),
            (geo.clone(), 1),
            (set, 5),
            (rate, 2 + 30 + 30 + 10 + 1),
            (
                json!({ "AndStatement": { "Statements": [geo, { "NotStatement": { "Statement": byte("EXACTLY", path(), &["NONE"]) } }] } }),
                3,
            ),
            (managed("AWSManagedRulesCommonRuleSet"), 700),
            (json!({ "RuleGroupReferenceStatement": { "ARN": "group" } }), 77),
        ] {
            let read: Statement = serde_json::from_value(statement.clone()).unwrap();
            assert_eq!(of(&read, &|_| 77), expected, "{statement}");
        }
    }
}

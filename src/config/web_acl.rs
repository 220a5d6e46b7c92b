//! `waf`: what a web ACL in front of the stage lets through, limits and refuses.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::fields::{Fields, Text};
use super::node::Member;

/// What the environment sets for the web ACL. Rules are asked in the order of these fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebAclSettings {
    /// Addresses that are refused, as ranges.
    pub deny_addresses: Vec<String>,
    /// Addresses that pass, whatever the rules below say.
    pub allow_addresses: Vec<String>,
    /// Countries that are refused.
    pub deny_countries: BTreeSet<String>,
    /// The only countries that may come in; empty: all.
    pub allow_countries: BTreeSet<String>,
    /// How many requests one address may send.
    pub rate_limit: Option<RateLimit>,
    /// Rule groups that AWS, or a seller of the marketplace, keeps.
    pub managed_rule_groups: Vec<RuleGroup>,
    /// Whether what no rule decides about is refused; else it passes.
    pub block_by_default: bool,
    /// The header in which the client's address is; none: the address of the connection.
    pub forwarded_header: Option<String>,
    /// What a refused client is told; none: API Gateway's own 403.
    pub response: Option<BlockResponse>,
    /// Where requests are logged; none: nowhere.
    pub logging: Option<WafLogging>,
}

/// How many requests one address may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in the window.
    pub limit: i64,
    /// Seconds over which they are counted.
    pub window_seconds: i64,
    /// Only requests whose path begins so count.
    pub path_prefix: Option<String>,
}

/// A rule group of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleGroup {
    /// `AWS`, or a seller.
    pub vendor: String,
    /// `AWSManagedRulesCommonRuleSet`
    pub name: String,
    /// The version; none: the vendor's default, which moves.
    pub version: Option<String>,
    /// Whether the whole group only counts.
    pub count_only: bool,
    /// Rules with another action than the vendor's: `count`, `allow`, `block`, `captcha` or `challenge`.
    pub rules: BTreeMap<String, String>,
    /// Only requests whose path begins so are looked at.
    pub path_prefix: Option<String>,
    /// `common` or `targeted`, for the group that looks for bots.
    pub bot_control: Option<String>,
}

/// What a refused client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockResponse {
    /// 200 to 599.
    pub status: i32,
    /// `text`, `html` or `json`.
    pub content_type: String,
    /// The body.
    pub body: String,
}

/// Where requests are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WafLogging {
    /// The ARN of a Firehose delivery stream; none: a log group of its own.
    pub destination_arn: Option<String>,
    /// Whether only refused requests are logged.
    pub only_blocked: bool,
    /// Headers whose values are left out.
    pub redacted_headers: BTreeSet<String>,
}

const WINDOWS: [i64; 4] = [60, 120, 300, 600];

/// Reads `waf`, if it is there.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<WebAclSettings> {
    let member = fields.get("waf")?;
    let mut inner = fields.inside("`waf`", member)?;
    let default_action = inner.get("default_action");
    let settings = WebAclSettings {
        deny_addresses: addresses(&mut inner, "deny_addresses"),
        allow_addresses: addresses(&mut inner, "allow_addresses"),
        deny_countries: countries(&mut inner, "deny_countries"),
        allow_countries: countries(&mut inner, "allow_countries"),
        rate_limit: rate_limit(&mut inner),
        managed_rule_groups: rule_groups(&mut inner),
        block_by_default: inner.choice(default_action, &["allow", "block"]) == Some("block"),
        forwarded_header: text(&mut inner, "forwarded_header"),
        response: response(&mut inner),
        logging: logging(&mut inner),
    };
    inner.finish();
    Some(settings)
}

fn text<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> Option<String> {
    let member = fields.get(key);
    fields.text(member).map(|text| text.value.to_owned())
}

pub(super) fn addresses<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> Vec<String> {
    let member = fields.get(key);
    let texts = fields.texts(member);
    for Text { value, node } in &texts {
        // A range of everything is what `default_action` says; AWS WAF takes none with the prefix 0.
        let net = value.parse::<IpNet>().ok().or_else(|| value.parse().ok().map(|one: std::net::IpAddr| one.into()));
        if net.is_none_or(|net| net.prefix_len() == 0) {
            let message = format!("`{value}` is no range of addresses");
            fields.faults.error(&node.span, message, "write it like `192.0.2.0/24`, `192.0.2.7` or `2001:db8::/32`");
        }
    }
    texts.into_iter().map(|text| text.value.to_owned()).collect()
}

fn countries<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> BTreeSet<String> {
    let member = fields.get(key);
    let texts = fields.texts(member);
    for Text { value, node } in &texts {
        if value.len() != 2 || !value.bytes().all(|byte| byte.is_ascii_uppercase()) {
            fields.faults.error(&node.span, format!("`{value}` is no country"), "write two capitals (ISO 3166): `SG`");
        }
    }
    texts.into_iter().map(|text| text.value.to_owned()).collect()
}

fn rate_limit(fields: &mut Fields<'_, '_>) -> Option<RateLimit> {
    let member = fields.get("rate_limit")?;
    let mut inner = fields.inside("`rate_limit`", member)?;
    let limit = inner.required("limit");
    let limit =
        inner.whole(limit, &(10..=2_000_000_000), " requests", "write the requests of one address to let through");
    let window = inner.get("window_seconds");
    let window_seconds = inner.whole(window, &(60..=600), " seconds", "write 60, 120, 300 or 600");
    if let (Some(member), Some(seconds)) = (window, window_seconds.filter(|seconds| !WINDOWS.contains(seconds))) {
        let message = format!("AWS WAF can't count over {seconds} seconds");
        inner.faults.error(&member.value.span, message, "write 60, 120, 300 or 600");
    }
    let path_prefix = text(&mut inner, "path_prefix");
    inner.finish();
    Some(RateLimit { limit: limit?, window_seconds: window_seconds.unwrap_or(300), path_prefix })
}

fn rule_groups(fields: &mut Fields<'_, '_>) -> Vec<RuleGroup> {
    let Some(member) = fields.get("managed_rule_groups") else { return Vec::new() };
    let Some(items) = member.value.items() else {
        super::fields::wrong_type("managed_rule_groups", &member.value, super::fields::Type::List, fields.faults);
        return Vec::new();
    };
    let mut groups: Vec<RuleGroup> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let name = format!("managed_rule_groups[{index}]");
        let Some(inner) = Fields::of(&name, "a rule group", item, fields.faults) else { continue };
        let Some(group) = rule_group(inner) else { continue };
        if groups.iter().any(|known| (&known.vendor, &known.name) == (&group.vendor, &group.name)) {
            let message = format!("the rule group `{}` is listed twice", group.name);
            fields.faults.error(&item.span.first(), message, "keep one of the two");
        }
        groups.push(group);
    }
    groups
}

fn rule_group(mut inner: Fields<'_, '_>) -> Option<RuleGroup> {
    let name = inner.required("name");
    let name = inner.text(name).map(|text| text.value.to_owned());
    let vendor = text(&mut inner, "vendor").unwrap_or_else(|| "AWS".to_owned());
    let version = text(&mut inner, "version");
    let count_only = inner.get("count_only");
    let count_only = inner.flag(count_only).unwrap_or_default();
    let rules = inner.get("rules");
    let rules = inner.text_map(rules);
    for (rule, action) in &rules {
        if !["count", "allow", "block", "captcha", "challenge"].contains(action) {
            let message = format!("the action of `{}` is `{action}`", rule.key);
            let hint = "write `count`, `allow`, `block`, `captcha` or `challenge`";
            inner.faults.error(&rule.value.span, message, hint);
        }
    }
    let rules = rules.into_iter().map(|(rule, action)| (rule.key.clone(), action.to_owned())).collect();
    let path_prefix = text(&mut inner, "path_prefix");
    let bot_control = inner.get("bot_control");
    let bot_control = inner.choice(bot_control, &["common", "targeted"]).map(str::to_owned);
    inner.finish();
    Some(RuleGroup { vendor, name: name?, version, count_only, rules, path_prefix, bot_control })
}

fn response(fields: &mut Fields<'_, '_>) -> Option<BlockResponse> {
    let member = fields.get("response")?;
    let mut inner = fields.inside("`response`", member)?;
    let status = inner.required("status");
    let status = inner.whole(status, &(200..=599), "", "write an HTTP status: 403");
    let content_type = inner.get("content_type");
    let content_type = inner.choice(content_type, &["json", "text", "html"]).unwrap_or("json").to_owned();
    let body = inner.required("body");
    let body = inner.text(body).map(|text| text.value.to_owned());
    inner.finish();
    Some(BlockResponse { status: i32::try_from(status?).ok()?, content_type, body: body? })
}

fn logging(fields: &mut Fields<'_, '_>) -> Option<WafLogging> {
    let member: &Member = fields.get("logging")?;
    let mut inner = fields.inside("`logging`", member)?;
    let destination = inner.get("destination_arn");
    let destination = inner.text(destination);
    if let Some(text) = destination.filter(|text| !text.value.contains(":deliverystream/aws-waf-logs-")) {
        let message = format!("`{}` is no place for AWS WAF's logs", text.value);
        let hint = "name a Firehose delivery stream that begins with `aws-waf-logs-`, or leave it out for a log group";
        inner.faults.error(&text.node.span, message, hint);
    }
    let only_blocked = inner.get("only_blocked");
    let only_blocked = inner.flag(only_blocked).unwrap_or_default();
    let redacted = inner.get("redacted_headers");
    let redacted_headers = inner.texts(redacted).into_iter().map(|text| text.value.to_lowercase()).collect();
    inner.finish();
    Some(WafLogging { destination_arn: destination.map(|text| text.value.to_owned()), only_blocked, redacted_headers })
}

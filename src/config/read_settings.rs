//! Reading [`Settings`], every value against what AWS takes.

use std::collections::BTreeMap;
use std::path::Path;

use super::fault::Faults;
use super::fields::{Fields, Missing, Type, wrong_type};
use super::limits;
use super::network;
use super::node::{Member, Node, NodeValue};
use super::operation;
use super::read_authorizer::read_authorizer;
use super::settings::{Ingress, LogFormat, Settings};
use super::stack_files::GatewayStack;
use super::web_acl;

/// The keys that make an environment what it is, and so have no default.
pub(super) const OWN_KEYS: [&str; 12] = [
    "app_group",
    "gateway_stage_name",
    "vpc_link_id",
    "vpc_link",
    "gateway_api",
    "gateway_system",
    "system",
    "domain",
    "names",
    "edge",
    "regions",
    "services",
];

const AT_LEAST_ZERO: std::ops::RangeInclusive<i64> = 0..=i32::MAX as i64;

/// Reads all settings, and the files below `root` that they name. A faulty one is read as something empty: use the result
/// only if there was no fault.
pub(super) fn read(stack: GatewayStack, fields: &mut Fields<'_, '_>, root: &Path) -> Settings {
    let authorizer_result_ttl = result_ttl(fields);
    let private_subnet = owned(fields, "private_subnet");
    let (endpoint_type, vpc_endpoint_ids) = network::endpoint(fields);
    Settings {
        app_group: app_group(fields),
        gateway_stage_name: stage_name(fields),
        vpc_link: network::vpc_link(fields),
        vpc_id: optional(fields, "vpc_id"),
        security_group_ids: security_groups(fields, &private_subnet),
        private_subnet,
        throttling_rate_limit: rate_limit(fields),
        throttling_burst_limit: burst_limit(fields),
        log_format: log_format(fields),
        retention_in_days: retention(fields),
        binary_media_types: media_types(fields),
        description: optional(fields, "description"),
        tags: tags(fields),
        stage_variables: stage_variables(fields),
        xray_tracing: flag(fields, "xray_tracing"),
        logging_level: choice(fields, "logging_level", &["OFF", "ERROR", "INFO"]),
        data_trace: flag(fields, "data_trace"),
        metrics: flag(fields, "metrics"),
        ingress: ingress(fields),
        authorizer: read_authorizer(stack, fields, root, authorizer_result_ttl),
        endpoint_type,
        vpc_endpoint_ids,
        web_acl: web_acl::read(fields),
        alarms: operation::alarms(fields),
        makes_logging_role: operation::makes_logging_role(fields),
        domain: network::domain(fields),
        minimum_compression_size: compression(fields),
        authorizer_result_ttl,
    }
}

/// A checked number as AWS's own type; the range it was checked against fits.
pub(super) fn narrow(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn optional<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> Option<String> {
    let member = fields.get(key);
    fields.text(member).map(|text| text.value.to_owned())
}

fn owned<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> Vec<String> {
    let member = fields.get(key);
    fields.texts(member).into_iter().map(|text| text.value.to_owned()).collect()
}

fn flag<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> bool {
    let member = fields.required(key);
    fields.flag(member).unwrap_or_default()
}

pub(super) fn choice<'a>(fields: &mut Fields<'a, '_>, key: &'a str, allowed: &[&str]) -> String {
    let member = fields.required(key);
    fields.choice(member, allowed).unwrap_or_default().to_owned()
}

/// Letters, digits, `_` and `-`: what names of functions and stages are made of.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

pub(super) fn app_group(fields: &mut Fields<'_, '_>) -> String {
    let member = fields.required_here("app_group");
    let Some(text) = fields.text(member) else { return String::new() };
    if !is_name(text.value) {
        let message = format!("`{}` can't be part of the name of a function", text.value);
        fields.faults.error(&text.node.span, message, "use letters, digits, `_` and `-`");
    }
    text.value.to_owned()
}

fn stage_name(fields: &mut Fields<'_, '_>) -> String {
    let member = fields.required_here("gateway_stage_name");
    let Some(text) = fields.text(member) else { return String::new() };
    if !is_name(text.value) {
        let message = format!("`{}` can't name a stage", text.value);
        fields.faults.error(&text.node.span, message, "use letters, digits, `_` and `-`");
    } else if text.value.len() > limits::STAGE_NAME_CHARACTERS {
        let message = format!("the stage name has {} characters", text.value.len());
        fields.faults.error(&text.node.span, message, format!("use at most {}", limits::STAGE_NAME_CHARACTERS));
    }
    text.value.to_owned()
}

fn security_groups(fields: &mut Fields<'_, '_>, subnets: &[String]) -> Vec<String> {
    let member = fields.get("security_group_ids");
    let groups: Vec<String> = fields.texts(member).into_iter().map(|text| text.value.to_owned()).collect();
    if let Some(member) =
        member.filter(|_| fields.missing_keys() == Missing::Faults && !groups.is_empty() && subnets.is_empty())
    {
        let hint = "add `private_subnet`, or leave the groups out to run outside a VPC";
        fields.faults.error(&member.key_span, "there are security groups but no subnets", hint);
    }
    groups
}

fn rate_limit(fields: &mut Fields<'_, '_>) -> f64 {
    let member = fields.required("throttling_rate_limit");
    let value = fields.number(member);
    let (Some(member), Some(value)) = (member, value) else { return 0.0 };
    if value < 0.0 {
        let message = format!("`throttling_rate_limit` is {}, but must be at least 0", member.value.span.text());
        fields.faults.error(&member.value.span, message, "write the requests per second to let through");
    } else if value == 0.0 {
        refuses_everything(member, fields.faults);
    }
    value
}

fn burst_limit(fields: &mut Fields<'_, '_>) -> i32 {
    let member = fields.required("throttling_burst_limit");
    let hint = "write the requests to let through at once";
    let value = fields.whole(member, &AT_LEAST_ZERO, "", hint);
    if let (Some(member), Some(0)) = (member, value) {
        refuses_everything(member, fields.faults);
    }
    value.map(narrow).unwrap_or_default()
}

fn refuses_everything(member: &Member, faults: &mut Faults) {
    let message = format!("`{}` is 0, which refuses every request", member.key);
    faults.warning(&member.value.span, message, "leave it so only to close the gateway");
}

fn result_ttl(fields: &mut Fields<'_, '_>) -> i32 {
    let member = fields.required("authorizer_result_ttl");
    let hint = "API Gateway keeps an authorizer's answer for at most an hour; 0 asks each time";
    fields.whole(member, &(0..=limits::AUTHORIZER_TTL_SECONDS), " seconds", hint).map(narrow).unwrap_or_default()
}

pub(super) fn retention(fields: &mut Fields<'_, '_>) -> i32 {
    let Some(member) = fields.required("retention_in_days") else { return 0 };
    let Some(days) = fields.whole(Some(member), &(1..=i64::from(i32::MAX)), " days", "write a number of days") else {
        return 0;
    };
    if !limits::RETENTION_DAYS.contains(&days) {
        let message = format!("CloudWatch Logs can't keep events for {days} days");
        let below = limits::RETENTION_DAYS.iter().rev().find(|allowed| **allowed < days);
        let above = limits::RETENTION_DAYS.iter().find(|allowed| **allowed > days);
        let near = below.into_iter().chain(above).map(|days| format!("`{days}`")).collect::<Vec<_>>().join(" or ");
        fields.faults.error(&member.value.span, message, format!("the nearest it takes: {near}"));
    }
    narrow(days)
}

pub(super) fn log_format(fields: &mut Fields<'_, '_>) -> LogFormat {
    let empty = LogFormat::Line(String::new());
    let Some(member) = fields.required("log_format") else { return empty };
    let format = match &member.value.value {
        NodeValue::Object(_) => match member.value.to_json() {
            serde_json::Value::Object(map) => LogFormat::Json(map),
            _ => return empty,
        },
        NodeValue::String(line) => {
            if line.contains(['\n', '\r']) {
                let hint = "write it on one line, or as an object";
                fields.faults.error(&member.value.span, "`log_format` has more than one line", hint);
            }
            LogFormat::Line(line.clone())
        }
        _ => {
            wrong_type("log_format", &member.value, Type::Object, fields.faults);
            return empty;
        }
    };
    // API Gateway asks for one of the two (its guide on access logging).
    let line = format.to_line();
    if !line.contains("$context.requestId") && !line.contains("$context.extendedRequestId") {
        let hint = "API Gateway refuses a format without it: add `\"requestId\": \"$context.requestId\"`";
        fields.faults.error(&member.key_span, "`log_format` does not have `$context.requestId`", hint);
    }
    format
}

fn media_types(fields: &mut Fields<'_, '_>) -> Vec<String> {
    let member = fields.get("binary_media_types");
    let types = fields.texts(member);
    for text in &types {
        let well_formed = text.value.split_once('/').is_some_and(|(kind, subtype)| {
            !kind.is_empty() && !subtype.is_empty() && !subtype.contains('/') && !text.value.contains([' ', ';'])
        });
        if !well_formed {
            let message = format!("`{}` is no media type", text.value);
            fields.faults.error(&text.node.span, message, "write it like `multipart/form-data` or `image/*`");
        }
    }
    types.into_iter().map(|text| text.value.to_owned()).collect()
}

pub(super) fn tags(fields: &mut Fields<'_, '_>) -> BTreeMap<String, String> {
    let member = fields.get("tags");
    let tags = fields.text_map(member);
    let most = limits::TAGS - limits::TAGS_RESERVED;
    if let Some(member) = member.filter(|_| tags.len() > most) {
        let message = format!("there are {} tags", tags.len());
        let hint = format!("AWS allows {} on a resource, and gwctl may use {}", limits::TAGS, limits::TAGS_RESERVED);
        fields.faults.error(&member.key_span, message, hint);
    }
    for (tag, value) in &tags {
        if let Some((at, message, hint)) = tag_fault(tag, value) {
            fields.faults.error(at, message, hint);
        }
    }
    tags.into_iter().map(|(tag, value)| (tag.key.clone(), value.to_owned())).collect()
}

fn tag_fault<'a>(tag: &'a Member, value: &str) -> Option<(&'a super::Span, String, String)> {
    let allowed = |character: char| character.is_alphanumeric() || " _.:/=+-@".contains(character);
    let lower = tag.key.to_lowercase();
    let (key_length, value_length) = (tag.key.chars().count(), value.chars().count());
    let hint = "letters, digits, spaces and `_ . : / = + - @` are allowed".to_owned();
    if let Some(prefix) = ["aws:", "gwctl:"].into_iter().find(|prefix| lower.starts_with(prefix)) {
        let owner = if prefix == "aws:" { "AWS" } else { "gwctl" };
        let message = format!("the tag `{}` begins with `{prefix}`", tag.key);
        Some((&tag.key_span, message, format!("these tags are {owner}'s own: choose another name")))
    } else if key_length == 0 || key_length > limits::TAG_KEY_CHARACTERS {
        let message = format!("the key of a tag has {key_length} characters");
        Some((&tag.key_span, message, format!("use 1 to {}", limits::TAG_KEY_CHARACTERS)))
    } else if value_length > limits::TAG_VALUE_CHARACTERS {
        let message = format!("the value of the tag `{}` has {value_length} characters", tag.key);
        Some((&tag.value.span, message, format!("use at most {}", limits::TAG_VALUE_CHARACTERS)))
    } else if let Some(character) = tag.key.chars().find(|character| !allowed(*character)) {
        Some((&tag.key_span, format!("{character:?} can't be in the key of a tag"), hint))
    } else {
        let character = value.chars().find(|character| !allowed(*character))?;
        Some((&tag.value.span, format!("{character:?} can't be in the value of a tag"), hint))
    }
}

fn stage_variables(fields: &mut Fields<'_, '_>) -> BTreeMap<String, String> {
    let member = fields.get("stage_variables");
    let variables = fields.text_map(member);
    for (variable, value) in &variables {
        if variable.key.is_empty() || !variable.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let message = format!("`{}` can't name a stage variable", variable.key);
            fields.faults.error(&variable.key_span, message, "use letters, digits and `_`");
        }
        // aws-facts A
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte);
        if value.is_empty() || !value.bytes().all(allowed) {
            let message = format!("`{value}` can't be the value of a stage variable");
            let hint = "use letters, digits and `- . _ ~ : / ? # & = ,`, at least one";
            fields.faults.error(&variable.value.span, message, hint);
        }
    }
    variables.into_iter().map(|(variable, value)| (variable.key.clone(), value.to_owned())).collect()
}

fn ingress(fields: &mut Fields<'_, '_>) -> Ingress {
    let none = Ingress { service_host: String::new(), default_host: String::new(), scheme: String::new() };
    let Some(mut inner) = nested(fields, "ingress", "`ingress`") else { return none };
    let service_host = inner.required("service_host");
    let service_host = inner.text(service_host);
    if let Some(text) = service_host {
        check_placeholders("service_host", text.node, &["service", "env"], inner.faults);
        check_host(&text.value.replace("${service}", "s").replace("${env}", "e"), text.node, inner.faults);
    }
    let default_host = inner.required("default_host");
    let default_host = inner.text(default_host);
    if let Some(text) = default_host {
        check_placeholders("default_host", text.node, &["env"], inner.faults);
        check_host(&text.value.replace("${env}", "e"), text.node, inner.faults);
    }
    let scheme = choice(&mut inner, "scheme", &["http", "https"]);
    inner.finish();
    let owned = |text: Option<super::fields::Text<'_>>| text.map(|text| text.value.to_owned()).unwrap_or_default();
    Ingress { service_host: owned(service_host), default_host: owned(default_host), scheme }
}

/// The members of a required object inside `fields`.
pub(super) fn nested<'a, 'b>(fields: &'b mut Fields<'a, '_>, key: &'a str, what: &str) -> Option<Fields<'a, 'b>> {
    let member = fields.required(key)?;
    fields.inside(what, member)
}

fn check_placeholders(name: &str, node: &Node, known: &[&str], faults: &mut Faults) {
    let text = node.as_str().unwrap_or_default();
    let mut at = 0;
    while let Some(start) = text[at..].find("${").map(|found| at + found) {
        let Some(end) = text[start..].find('}').map(|length| start + length) else {
            let span = node.span_within(start..start + 2);
            faults.error(&span, format!("a `${{` in `{name}` has no `}}`"), "write it like `${env}`");
            return;
        };
        let word = &text[start + 2..end];
        if !known.contains(&word) {
            let message = format!("`{name}` has the unknown placeholder `${{{word}}}`");
            let list = known.iter().map(|word| format!("`${{{word}}}`")).collect::<Vec<_>>().join(" and ");
            faults.error(&node.span_within(start..end + 1), message, format!("it can have {list}"));
        }
        at = end + 1;
    }
}

/// A host name with an optional port, its placeholders already replaced.
fn check_host(host: &str, node: &Node, faults: &mut Faults) {
    if !host.contains("${") && !is_host(host) {
        let message = format!("`{}` is no host name", node.as_str().unwrap_or_default());
        faults.error(&node.span, message, "write the host alone, without scheme or path: `k8s.example.com`");
    }
}

/// Letters, digits, `-`, `_` and dots, with an optional port.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn compression(fields: &mut Fields<'_, '_>) -> Option<i32> {
    let member = fields.get("minimum_compression_size");
    fields.whole(member, &limits::COMPRESSION_BYTES, " bytes", "leave it out to never compress").map(narrow)
}

//! The settings of the authorizer as its functions will get them, checked by the functions' own code: what is right here
//! starts there, and there is one place that says what is right.

use authorizer::gate::Settings;
use serde_json::Value;

use super::fields::Fields;
use super::limits;
use super::node::{Member, Node};
use super::settings::AuthorizerSettings;
use super::source::Span;

/// The variables of the functions, and the settings under `authorizer` that they come from.
const SETTINGS: [(&str, &str); 8] = [
    ("AUTH_HOST", "auth_host"),
    ("AUTH_PATH", "auth_path"),
    ("AUTH_TIMEOUT_MS", "auth_timeout_ms"),
    ("AUTH_CA_PEM", "auth_ca"),
    ("AUTH_CHANNELS", "channels"),
    ("AUTH_UNKNOWN_CHANNEL", "unknown_channel"),
    ("AUTH_CHANNEL_REQUIRED", "channel_required"),
    ("METRICS", "metrics"),
];

/// The setting that a variable of the functions comes from.
pub(super) fn setting_of(variable: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(known, _)| *known == variable).map(|(_, setting)| *setting)
}

/// Adds what the functions would refuse of these settings, read from `fields`, each fault at its place.
pub(super) fn check(fields: &mut Fields<'_, '_>, settings: &AuthorizerSettings) {
    let node = fields.node();
    let mut variables = settings.variables(true);
    // Whether there has to be one depends on what the functions are for, and is asked where that is known.
    variables.entry("AUTH_HOST".to_owned()).or_insert_with(|| "auth.example.com".to_owned());
    match Settings::read(|name| variables.get(name).cloned()) {
        Ok(read) => {
            let default = settings.auth_timeout_ms.is_none();
            if let Some(member) = node.get("timeout").filter(|_| default && settings.timeout > 0) {
                check_timeout(fields, &member.value.span, read.timeout.as_millis(), settings.timeout);
            }
        }
        Err(faults) => {
            for fault in faults.0 {
                let (name, span) = place(node, &fault);
                // What has been said of a value in other words is not said again.
                if !fields.faults.iter().any(|known| known.span.as_ref().is_some_and(|known| covers(&span, known))) {
                    fields.faults.error(&span, format!("`{name}` {}", fault.message), in_settings(&fault.hint));
                }
            }
        }
    }
    check_size(fields, settings);
}

/// A function that Lambda stops leaves neither a decision nor a line in the log.
pub(super) fn check_timeout(fields: &mut Fields<'_, '_>, span: &Span, waits: u128, timeout: i32) {
    if waits >= u128::from(timeout.unsigned_abs()) * 1000 {
        let message =
            format!("the auth service is waited for {waits} ms, but the function is stopped after {timeout} s");
        let hint = "make `auth_timeout_ms` shorter than `timeout`, so that the authorizer can still answer";
        fields.faults.error(span, message, hint);
    }
}

/// Lambda measures all variables together, whatever they come from.
fn check_size(fields: &mut Fields<'_, '_>, settings: &AuthorizerSettings) {
    let variables = settings.variables(false);
    let length = |value: &Value| value.to_string().len();
    let all: Value = variables.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let bytes = length(&all);
    if bytes <= limits::FUNCTION_ENVIRONMENT_BYTES {
        return;
    }
    let mut parts: Vec<(usize, &str)> =
        variables.iter().map(|(name, value)| (length(&Value::from(value.as_str())), name.as_str())).collect();
    parts.sort_unstable_by(|a, b| b.cmp(a));
    let (largest, node) = (parts.first().map_or("", |(_, name)| *name), fields.node());
    let member = node.get(setting_of(largest).unwrap_or("environment"));
    let span = member.map_or_else(|| node.span.first(), |member| member.key_span.clone());
    let shown: Vec<String> = parts.iter().take(3).map(|(bytes, name)| format!("`{name}` {bytes}")).collect();
    let message = format!("the environment variables of the functions take {bytes} bytes: {}", shown.join(", "));
    let hint = format!("shorten them: Lambda takes {} bytes together", limits::FUNCTION_ENVIRONMENT_BYTES);
    fields.faults.error(&span, message, hint);
}

/// The name of what a fault is about, and where it stands: as deep as the fault's pointer leads.
fn place(node: &Node, fault: &authorizer::Fault) -> (String, Span) {
    let setting = setting_of(fault.variable).unwrap_or(fault.variable);
    let (mut name, mut found) = (setting.to_owned(), node.get(setting));
    for step in fault.pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let Some(member) = found.and_then(|member| member.value.get(&step)) else { break };
        name = format!("{name}.{step}");
        found = Some(member);
    }
    (name, found.map_or_else(|| node.span.first(), whole))
}

/// Key and value of a member; of an object the key alone, which is enough to find it.
fn whole(member: &Member) -> Span {
    let compound = member.value.members().is_some() || member.value.items().is_some();
    let end = if compound { member.key_span.end } else { member.value.span.end };
    Span::new(&member.key_span.file, member.key_span.start..end)
}

fn covers(outer: &Span, inner: &Span) -> bool {
    outer.path() == inner.path() && outer.start <= inner.start && inner.end <= outer.end
}

/// A hint that speaks of settings and not of variables.
fn in_settings(hint: &str) -> String {
    SETTINGS.iter().fold(hint.to_owned(), |hint, (variable, setting)| hint.replace(variable, &format!("`{setting}`")))
}

//! Reading the settings of the authorizer functions.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::fields::Fields;
use super::limits;
use super::read_settings::{choice, is_host, narrow, nested};
use super::settings::AuthorizerSettings;
use super::stack_files::GatewayStack;

/// Names Lambda keeps for itself (its guide on environment variables).
const RESERVED_VARIABLES: [&str; 16] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// Reads `authorizer`; `ttl` is how long its answers are kept, in seconds. The gate's asks an auth service, the system's knows
/// callers by their keys.
pub(super) fn read_authorizer(stack: GatewayStack, fields: &mut Fields<'_, '_>, ttl: i32) -> AuthorizerSettings {
    let Some(mut inner) = nested(fields, "authorizer", "`authorizer`") else { return AuthorizerSettings::nothing() };
    let timeout = timeout(&mut inner);
    let mut settings = AuthorizerSettings {
        architecture: choice(&mut inner, "architecture", &["arm64", "x86_64"]),
        memory_size: memory(&mut inner),
        timeout,
        runtime: required(&mut inner, "runtime"),
        handler: required(&mut inner, "handler"),
        zip: zip(&mut inner),
        identity_source: identity_source(&mut inner, ttl),
        environment: environment(&mut inner),
        ..AuthorizerSettings::nothing()
    };
    match stack {
        GatewayStack::Gate => {
            settings.auth_host = auth_host(&mut inner);
            settings.auth_path = auth_path(&mut inner);
            settings.auth_timeout_ms = auth_timeout(&mut inner, timeout);
        }
        GatewayStack::System => settings.callers = callers(&mut inner),
    }
    inner.finish();
    settings
}

/// The digests of the callers' keys, checked by the authorizer's own reader.
fn callers(fields: &mut Fields<'_, '_>) -> BTreeMap<String, Vec<String>> {
    let Some(member) = fields.required("callers") else { return BTreeMap::new() };
    let json = member.value.to_json();
    let variable = |name: &str| (name == "CALLERS").then(|| json.to_string());
    if let Err(found) = authorizer::system::Callers::read(variable) {
        for fault in found.0 {
            let span =
                member.value.at(&fault.pointer).map_or_else(|| member.key_span.clone(), |node| node.span.first());
            let message = format!("`callers{}` {}", fault.pointer, fault.message);
            fields.faults.error(&span, message, fault.hint);
        }
        return BTreeMap::new();
    }
    let lists = json.as_object().into_iter().flatten().map(|(name, digests)| {
        let digests = digests.as_array().into_iter().flatten().filter_map(|digest| digest.as_str());
        (name.clone(), digests.map(str::to_lowercase).collect())
    });
    lists.collect()
}

impl AuthorizerSettings {
    /// What stands in for settings that could not be read, and is never used.
    fn nothing() -> Self {
        Self {
            architecture: String::new(),
            memory_size: 0,
            timeout: 0,
            runtime: String::new(),
            handler: String::new(),
            zip: None,
            identity_source: Vec::new(),
            environment: BTreeMap::new(),
            auth_host: None,
            auth_path: None,
            auth_timeout_ms: None,
            callers: BTreeMap::new(),
        }
    }
}

fn required<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> String {
    let member = fields.required(key);
    fields.text(member).map(|text| text.value.to_owned()).unwrap_or_default()
}

fn memory(fields: &mut Fields<'_, '_>) -> i32 {
    let member = fields.required("memory_size");
    let hint = "write the memory in MiB; 128 is enough for the authorizer gwctl builds";
    fields.whole(member, &limits::FUNCTION_MEMORY_MIB, " MiB", hint).map(narrow).unwrap_or_default()
}

fn timeout(fields: &mut Fields<'_, '_>) -> i32 {
    let member = fields.required("timeout");
    let hint = "write the seconds after which Lambda gives up";
    fields.whole(member, &limits::FUNCTION_TIMEOUT_SECONDS, " seconds", hint).map(narrow).unwrap_or_default()
}

fn zip(fields: &mut Fields<'_, '_>) -> Option<PathBuf> {
    let member = fields.get("zip");
    let text = fields.text(member)?;
    let path = Path::new(text.value);
    if path.is_relative() && leaves_root(path) {
        let message = format!("`{}` is outside the configuration root", text.value);
        let hint = "put the zip below the root, or give its absolute path";
        fields.faults.error(&text.node.span, message, hint);
    }
    Some(path.to_owned())
}

fn leaves_root(path: &Path) -> bool {
    let mut depth = 0_i32;
    path.components().any(|component| {
        depth += match component {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            _ => 0,
        };
        depth < 0
    })
}

fn identity_source(fields: &mut Fields<'_, '_>, ttl: i32) -> Vec<String> {
    const PREFIXES: [&str; 4] =
        ["method.request.header.", "method.request.querystring.", "context.", "stageVariables."];
    let member = fields.required("identity_source");
    let sources = fields.texts(member);
    for text in &sources {
        let known = PREFIXES.iter().any(|prefix| text.value.strip_prefix(prefix).is_some_and(|name| !name.is_empty()));
        if !known || text.value.contains([',', ' ']) {
            let message = format!("`{}` is no identity source", text.value);
            fields.faults.error(&text.node.span, message, "write it like `method.request.header.Authorization`");
        }
    }
    if let Some(member) = member.filter(|member| ttl > 0 && member.value.items().is_some_and(<[_]>::is_empty)) {
        let message = "answers are kept, but there is no `identity_source` to keep them by";
        let hint = "add `method.request.header.Authorization`, or set `authorizer_result_ttl` to 0";
        fields.faults.error(&member.key_span, message, hint);
    }
    sources.into_iter().map(|text| text.value.to_owned()).collect()
}

fn environment(fields: &mut Fields<'_, '_>) -> BTreeMap<String, String> {
    let member = fields.get("environment");
    let variables = fields.text_map(member);
    for (variable, _) in &variables {
        let mut bytes = variable.key.bytes();
        let name = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && variable.key.len() >= 2
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if RESERVED_VARIABLES.contains(&variable.key.as_str()) {
            let message = format!("Lambda sets `{}` itself", variable.key);
            fields.faults.error(&variable.key_span, message, "choose another name");
        } else if !name {
            let message = format!("`{}` can't name an environment variable of a function", variable.key);
            let hint = "begin with a letter; use letters, digits and `_`, at least two characters";
            fields.faults.error(&variable.key_span, message, hint);
        }
    }
    let bytes: usize = variables.iter().map(|(variable, value)| variable.key.len() + value.len()).sum();
    if let Some(member) = member.filter(|_| bytes > limits::FUNCTION_ENVIRONMENT_BYTES) {
        let message = format!("the environment variables take {bytes} bytes");
        let hint = format!("Lambda allows {} together", limits::FUNCTION_ENVIRONMENT_BYTES);
        fields.faults.error(&member.key_span, message, hint);
    }
    variables.into_iter().map(|(variable, value)| (variable.key.clone(), value.to_owned())).collect()
}

fn auth_host(fields: &mut Fields<'_, '_>) -> Option<String> {
    let member = fields.get("auth_host");
    let text = fields.text(member)?;
    let (host, path) = text.value.split_at(text.value.find('/').unwrap_or(text.value.len()));
    // A resolver may take `_`; the authorizer's TLS does not.
    if !is_host(host) || host.contains('_') || !path.bytes().all(is_path_byte) {
        let message = format!("`{}` is no host name", text.value);
        let hint = "write `host`, `host:port` or `host/path`, without a scheme";
        fields.faults.error(&text.node.span, message, hint);
    }
    Some(text.value.to_owned())
}

fn auth_path(fields: &mut Fields<'_, '_>) -> Option<String> {
    let member = fields.get("auth_path");
    let text = fields.text(member)?;
    if !text.value.starts_with('/') {
        let message = format!("`auth_path` is `{}`, which has no leading slash", text.value);
        fields.faults.error(&text.node.span, message, format!("write `/{}`", text.value));
    } else if !text.value.bytes().all(is_path_byte) {
        let message = format!("`auth_path` is `{}`, which is no plain path", text.value);
        fields.faults.error(&text.node.span, message, "leave out the query string: the authorizer adds its own");
    }
    Some(text.value.to_owned())
}

/// What a URL's path may hold without escapes (RFC 3986's `pchar`, and the slash), as the authorizer checks it too.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/".contains(&byte)
}

/// `timeout` is the function's own, in seconds; 0 if that could not be read.
fn auth_timeout(fields: &mut Fields<'_, '_>, timeout: i32) -> Option<u64> {
    let member = fields.get("auth_timeout_ms")?;
    let hint = "write how long to wait for the auth service, in milliseconds";
    let value = fields.whole(Some(member), &limits::AUTH_TIMEOUT_MS, " ms", hint)?;
    if timeout > 0 && value >= i64::from(timeout) * 1000 {
        let message =
            format!("the auth service is waited for {value} ms, but the function is stopped after {timeout} s");
        let hint = "make `auth_timeout_ms` shorter than `timeout`, so that the authorizer can still answer";
        fields.faults.error(&member.value.span, message, hint);
    }
    u64::try_from(value).ok()
}

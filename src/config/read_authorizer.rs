//! Reading the settings of the authorizer functions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::certificates;
use super::fields::{Fields, Missing};
use super::files::{leads_out, leaves};
use super::function;
use super::limits;
use super::node::{Member, Node, NodeValue};
use super::read_settings::{choice, is_host, narrow, nested};
use super::settings::{AuthGateway, AuthorizerSettings, CHANNEL_SOURCE};
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

/// What an answer has to be kept by, or one user's is given to another.
const TOKEN_SOURCE: &str = "method.request.header.Authorization";

/// Reads `authorizer`, and the certificates below `root` that it names; `ttl` is how long answers are kept, in seconds. The
/// gate's asks an auth service, the system's knows callers by their keys.
pub(super) fn read_authorizer(
    stack: GatewayStack,
    fields: &mut Fields<'_, '_>,
    root: &Path,
    ttl: i32,
) -> AuthorizerSettings {
    let Some(mut inner) = nested(fields, "authorizer", "`authorizer`") else { return AuthorizerSettings::nothing() };
    let (timeout, zip) = (timeout(&mut inner), zip(&mut inner, root));
    let channel_required = stack == GatewayStack::Gate && flag(&mut inner, "channel_required", false);
    let mut settings = AuthorizerSettings {
        architecture: choice(&mut inner, "architecture", &["arm64", "x86_64"]),
        memory_size: memory(&mut inner),
        timeout,
        runtime: required(&mut inner, "runtime"),
        handler: required(&mut inner, "handler"),
        identity_source: identity_source(&mut inner, ttl, zip.is_none(), channel_required),
        zip,
        environment: environment(&mut inner),
        provisioned_concurrency: concurrency(&mut inner, "provisioned_concurrency", 1),
        reserved_concurrency: concurrency(&mut inner, "reserved_concurrency", 0),
        channel_required,
        metrics: flag(&mut inner, "metrics", true),
        ..AuthorizerSettings::nothing()
    };
    match stack {
        GatewayStack::Gate => {
            (settings.auth_host, settings.auth_gateway) = auth_host(&mut inner);
            settings.auth_path = auth_path(&mut inner);
            settings.auth_timeout_ms = auth_timeout(&mut inner, timeout);
            settings.auth_ca = auth_ca(&mut inner, root);
            settings.channels = inner.get("channels").map(|member| without_nulls(&member.value));
            settings.unknown_channel = unknown_channel(&mut inner);
            // What a layer leaves out, another one may complete.
            if inner.missing_keys() == Missing::Faults {
                function::check(&mut inner, &settings);
            }
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
            provisioned_concurrency: None,
            reserved_concurrency: None,
            environment: BTreeMap::new(),
            auth_host: None,
            auth_gateway: None,
            auth_path: None,
            auth_timeout_ms: None,
            callers: BTreeMap::new(),
            auth_ca: None,
            channels: None,
            unknown_channel: None,
            channel_required: false,
            metrics: true,
        }
    }
}

fn required<'a>(fields: &mut Fields<'a, '_>, key: &'a str) -> String {
    let member = fields.required(key);
    fields.text(member).map(|text| text.value.to_owned()).unwrap_or_default()
}

fn flag<'a>(fields: &mut Fields<'a, '_>, key: &'a str, otherwise: bool) -> bool {
    let member = fields.get(key);
    fields.flag(member).unwrap_or(otherwise)
}

fn memory(fields: &mut Fields<'_, '_>) -> i32 {
    let member = fields.required("memory_size");
    let hint = "write the memory in MiB; 128 is enough for the authorizer gwctl builds";
    fields.whole(member, &limits::FUNCTION_MEMORY_MIB, " MiB", hint).map(narrow).unwrap_or_default()
}

/// Executions of a function. The account has 1000 in a Region, unless it asked for more.
fn concurrency<'a>(fields: &mut Fields<'a, '_>, key: &'a str, least: i64) -> Option<i32> {
    let member = fields.get(key)?;
    let value = fields.whole(Some(member), &(least..=100_000), " executions", "write a number of executions")?;
    if value == 0 {
        let message = "`reserved_concurrency` is 0: no request gets past the authorizer";
        fields.faults.warning(&member.value.span, message, "leave it so only to close the gateway");
    }
    Some(narrow(value))
}

fn timeout(fields: &mut Fields<'_, '_>) -> i32 {
    let member = fields.required("timeout");
    let hint = "write the seconds after which Lambda gives up";
    fields.whole(member, &limits::FUNCTION_TIMEOUT_SECONDS, " seconds", hint).map(narrow).unwrap_or_default()
}

/// A zip may be another tool's, and lie wherever that puts it: then its absolute path says so.
fn zip(fields: &mut Fields<'_, '_>, root: &Path) -> Option<PathBuf> {
    let member = fields.get("zip");
    let text = fields.text(member)?;
    let path = Path::new(text.value);
    if path.is_relative() && leaves(root, path) {
        let message = format!("`{}` is outside the configuration root", text.value);
        let hint = "put the zip below the root, or give its absolute path";
        fields.faults.error(&text.node.span, message, hint);
    }
    Some(path.to_owned())
}

/// `ours` says whether the function is the one gwctl builds, of which it knows what it looks at.
fn identity_source(fields: &mut Fields<'_, '_>, ttl: i32, ours: bool, channel_required: bool) -> Vec<String> {
    const PREFIXES: [&str; 4] =
        ["method.request.header.", "method.request.querystring.", "context.", "stageVariables."];
    let member = fields.required("identity_source");
    let before = fields.faults.errors();
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
    let has = |source: &str| sources.iter().find(|text| text.value.eq_ignore_ascii_case(source));
    let whole = fields.missing_keys() == Missing::Faults;
    let right = whole && !sources.is_empty() && fields.faults.errors() == before;
    if let Some(member) = member.filter(|_| right && ours && ttl > 0 && has(TOKEN_SOURCE).is_none()) {
        let message = "answers are not kept by the token: one user's would be given to another";
        fields.faults.error(&member.key_span, message, format!("add `{TOKEN_SOURCE}`"));
    }
    if let Some(text) = has(CHANNEL_SOURCE).filter(|_| whole && !channel_required) {
        let message = "API Gateway refuses every request without `x-auth-channel`, though no channel is required";
        let hint = "take this away, or write `\"channel_required\": true`, which adds it by itself";
        fields.faults.warning(&text.node.span, message, hint);
    }
    let added = (channel_required && has(CHANNEL_SOURCE).is_none()).then(|| CHANNEL_SOURCE.to_owned());
    sources.iter().map(|text| text.value.to_owned()).chain(added).collect()
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
        } else if variable.key == "RESULT_CACHED" {
            let message = "gwctl sets `RESULT_CACHED` itself, to another value in each of the two functions";
            fields.faults.error(&variable.key_span, message, "take it away");
        } else if let Some(setting) = function::setting_of(&variable.key) {
            let message = format!("`{}` has a setting of its own", variable.key);
            fields.faults.error(&variable.key_span, message, format!("write `authorizer.{setting}` instead"));
        } else if !name {
            let message = format!("`{}` can't name an environment variable of a function", variable.key);
            let hint = "begin with a letter; use letters, digits and `_`, at least two characters";
            fields.faults.error(&variable.key_span, message, hint);
        }
    }
    variables.into_iter().map(|(variable, value)| (variable.key.clone(), value.to_owned())).collect()
}

/// A host, or a system gateway whose endpoint is the host.
fn auth_host(fields: &mut Fields<'_, '_>) -> (Option<String>, Option<AuthGateway>) {
    match fields.get("auth_host") {
        Some(member) if member.value.members().is_some() => (None, auth_gateway(fields, member)),
        member => (literal_host(fields, member), None),
    }
}

fn auth_gateway<'a>(fields: &mut Fields<'a, '_>, member: &'a Member) -> Option<AuthGateway> {
    let mut inner = fields.inside("`auth_host`", member)?;
    let gateway = inner.required("gateway");
    let known = inner.choice(gateway, &["system"]).is_some();
    let product = inner.get("product");
    let product = inner.text(product).map(|text| text.value.to_owned());
    inner.finish();
    known.then_some(AuthGateway { product })
}

fn literal_host<'a>(fields: &mut Fields<'a, '_>, member: Option<&'a Member>) -> Option<String> {
    let text = fields.text(member)?;
    // The rest of what makes one is the authorizer's to say (see `function`).
    if !is_host(text.value.split('/').next().unwrap_or_default()) {
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
    }
    Some(text.value.to_owned())
}

/// The certificates in the file that the setting names.
fn auth_ca(fields: &mut Fields<'_, '_>, root: &Path) -> Option<String> {
    let member = fields.get("auth_ca");
    let text = fields.text(member)?;
    let path = Path::new(text.value);
    if leads_out(path) {
        let message = format!("`{}` is not below the configuration root", text.value);
        let hint = "put the certificates beside the configuration: `environments/PRODUCT/auth-ca.pem`";
        fields.faults.error(&text.node.span, message, hint);
        return None;
    }
    match certificates::read(root, path) {
        Ok(certificates) => Some(certificates),
        Err((why, hint)) => {
            fields.faults.error(&text.node.span, format!("`{}` {why}", text.value), hint);
            None
        }
    }
}

fn unknown_channel(fields: &mut Fields<'_, '_>) -> Option<String> {
    let member = fields.get("unknown_channel");
    fields.text(member).map(|text| text.value.to_owned())
}

/// The value without the members that are `null`: a layer writes it to take away what another one below has.
fn without_nulls(node: &Node) -> serde_json::Value {
    match &node.value {
        NodeValue::Object(members) => serde_json::Value::Object(
            members
                .iter()
                .filter(|member| !matches!(member.value.value, NodeValue::Null))
                .map(|member| (member.key.clone(), without_nulls(&member.value)))
                .collect(),
        ),
        _ => node.to_json(),
    }
}

/// `timeout` is the function's own, in seconds; 0 if that could not be read.
fn auth_timeout(fields: &mut Fields<'_, '_>, timeout: i32) -> Option<u64> {
    let member = fields.get("auth_timeout_ms")?;
    let hint = "write how long to wait for the auth service, in milliseconds";
    let value = fields.whole(Some(member), &(0..=i64::MAX), " ms", hint)?;
    let milliseconds = u64::try_from(value).ok()?;
    if timeout > 0 {
        function::check_timeout(fields, &member.value.span, milliseconds.into(), timeout);
    }
    Some(milliseconds)
}

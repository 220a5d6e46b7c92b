//! Integrations: what stands behind a method.

use serde::Deserialize;

use super::errors::{Answer, Refusal, bad_request, not_found, one_of, patch_path, required};
use super::patch::Patch;
use super::state::{Integration, Method, Strings, TlsConfig};
use super::{Call, Place, created, integration_responses, mapping, methods, no_content, ok, patch};
use crate::sandbox::wire::Caller;

const TYPES: [&str; 5] = ["HTTP", "MOCK", "AWS_PROXY", "HTTP_PROXY", "AWS"];
const CONNECTIONS: [&str; 2] = ["INTERNET", "VPC_LINK"];
const CONTENT_HANDLING: [&str; 2] = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];
const PASSTHROUGH: [&str; 3] = ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"];
const TRANSFER: [&str; 2] = ["BUFFERED", "STREAM"];

/// An integration as a client or a document gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntegrationInput {
    pub(super) r#type: Option<String>,
    pub(super) http_method: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) connection_type: Option<String>,
    pub(super) connection_id: Option<String>,
    pub(super) credentials: Option<String>,
    pub(super) request_parameters: Option<Strings>,
    pub(super) request_templates: Option<Strings>,
    pub(super) passthrough_behavior: Option<String>,
    pub(super) content_handling: Option<String>,
    pub(super) timeout_in_millis: Option<i64>,
    pub(super) cache_namespace: Option<String>,
    pub(super) cache_key_parameters: Option<Vec<String>>,
    pub(super) tls_config: Option<TlsConfig>,
    pub(super) response_transfer_mode: Option<String>,
}

/// `…/methods/{method}/integration…`.
pub(super) fn route(call: &mut Call<'_, '_>, place: &Place<'_>, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => Ok(ok(methods::integration(call.method(place)?)?)),
        ("PUT", []) => put(call, place),
        ("PATCH", []) => update(call, place),
        ("DELETE", []) => {
            call.method_mut(place)?.method_integration.take().ok_or_else(no_integration)?;
            Ok(no_content())
        }
        (_, ["responses", status]) => integration_responses::route(call, place, status),
        _ => Err(call.unknown()),
    }
}

/// No integration.
pub(super) fn no_integration() -> Refusal {
    not_found("Invalid Integration identifier specified")
}

/// Fills in what the service fills in (aws-facts C) and checks the result.
pub(super) fn complete(
    input: IntegrationInput,
    method: &Method,
    resource: &str,
    caller: &Caller,
) -> Answer<Integration> {
    let kind = required(input.r#type, "putIntegrationInput.type")?;
    one_of(&kind, "putIntegrationInput.type", &TYPES)?;
    let mock = kind == "MOCK";
    let http = kind.starts_with("HTTP");
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let integration = Integration {
        http_method: some(input.http_method).filter(|_| !mock),
        uri: some(input.uri).filter(|_| !mock),
        connection_type: some(input.connection_type).or_else(|| http.then(|| "INTERNET".to_owned())),
        connection_id: some(input.connection_id),
        credentials: some(input.credentials),
        request_parameters: input.request_parameters,
        request_templates: input.request_templates,
        passthrough_behavior: some(input.passthrough_behavior).unwrap_or_else(|| "WHEN_NO_MATCH".into()),
        content_handling: some(input.content_handling),
        timeout_in_millis: input.timeout_in_millis.unwrap_or(29_000),
        cache_namespace: some(input.cache_namespace).unwrap_or_else(|| resource.to_owned()),
        cache_key_parameters: input.cache_key_parameters.unwrap_or_default(),
        tls_config: input.tls_config,
        response_transfer_mode: some(input.response_transfer_mode).unwrap_or_else(|| "BUFFERED".into()),
        r#type: kind,
        ..Integration::default()
    };
    check(&integration, method, caller)?;
    Ok(integration)
}

/// Whether a text is the ARN of a role of the partition.
pub(super) fn is_role_arn(text: &str, partition: &str) -> bool {
    let account_and_role = text.strip_prefix("arn:").and_then(|rest| rest.strip_prefix(partition));
    account_and_role.and_then(|rest| rest.strip_prefix(":iam::")).and_then(|rest| rest.split_once(':')).is_some_and(
        |(account, role)| {
            account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
        },
    )
}

fn put(call: &mut Call<'_, '_>, place: &Place<'_>) -> Answer {
    let input = call.body()?;
    let integration = complete(input, call.method(place)?, place.resource, call.caller())?;
    let answer = created(&integration);
    call.method_mut(place)?.method_integration = Some(integration);
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, place: &Place<'_>) -> Answer {
    let patches = patch::read(call, "updateIntegrationInput")?;
    let mut draft = methods::integration(call.method(place)?)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    check(&draft, call.method(place)?, call.caller())?;
    let answer = ok(&draft);
    call.method_mut(place)?.method_integration = Some(draft);
    Ok(answer)
}

fn check(integration: &Integration, method: &Method, caller: &Caller) -> Answer<()> {
    let kind = integration.r#type.as_str();
    if kind != "MOCK" {
        let Some(verb) = &integration.http_method else {
            return Err(bad_request("Enumeration value for HttpMethod must be non-empty"));
        };
        methods::check_name(verb)?;
        check_uri(kind, integration.uri.as_deref().unwrap_or_default(), caller)?;
    }
    if let Some(connection) = &integration.connection_type {
        one_of(connection, "putIntegrationInput.connectionType", &CONNECTIONS)?;
        if connection == "VPC_LINK" && integration.connection_id.is_none() {
            return Err(bad_request(
                "ConnectionId should be set to the vpcLinkId or stage variable on connection type VPC_LINK",
            ));
        }
    }
    if let Some(handling) = &integration.content_handling {
        one_of(handling, "putIntegrationInput.contentHandling", &CONTENT_HANDLING)?;
    }
    one_of(&integration.response_transfer_mode, "putIntegrationInput.responseTransferMode", &TRANSFER)?;
    if !PASSTHROUGH.contains(&integration.passthrough_behavior.as_str()) {
        return Err(bad_request(format!(
            "Invalid passthrough behavior specified. Valid options are {}",
            PASSTHROUGH.join(",")
        )));
    }
    if !(50..=29_000).contains(&integration.timeout_in_millis) {
        return Err(bad_request("Timeout should be between 50 ms and 29000 ms"));
    }
    if let Some(role) = integration.credentials.as_deref() {
        if !role.starts_with("arn:") {
            return Err(bad_request("Invalid ARN specified in the request"));
        }
        if !is_caller_credentials(role) && !is_role_arn(role, caller.partition()) {
            return Err(bad_request("Role ARN is not well formed"));
        }
    }
    let declared = method.request_parameters.as_ref();
    if !integration.cache_key_parameters.iter().all(|key| mapping::is_declared(key, declared)) {
        return Err(bad_request("Invalid cache key parameter specified"));
    }
    mapping::content_types(integration.request_templates.as_ref())?;
    integration.request_parameters.as_ref().map_or(Ok(()), |mappings| mapping::request(mappings, declared))
}

/// `arn:aws:iam::*:user/*` passes the caller's own credentials on.
fn is_caller_credentials(role: &str) -> bool {
    role.ends_with(":iam::*:user/*")
}

fn check_uri(kind: &str, uri: &str, caller: &Caller) -> Answer<()> {
    if kind.starts_with("HTTP") {
        let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"));
        let valid =
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) || uri.starts_with("${stageVariables.");
        return if valid { Ok(()) } else { Err(bad_request("Invalid HTTP endpoint specified for URI")) };
    }
    let Some(arn) = uri.strip_prefix(&format!("arn:{}:", caller.partition())) else {
        return Err(bad_request("Invalid ARN specified in the request"));
    };
    // apigateway:REGION:SUBDOMAIN.SERVICE:path|action/…
    let parts: Vec<&str> = arn.splitn(4, ':').collect();
    let [service, _region, target, call] = parts.as_slice() else {
        return Err(bad_request("Invalid ARN specified in the request"));
    };
    if *service != "apigateway" || !(call.starts_with("path/") || call.starts_with("action/")) {
        return Err(bad_request("AWS ARN for integration must contain path or action"));
    }
    if kind == "AWS_PROXY" && !matches!(*target, "lambda" | "firehose") {
        return Err(bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ));
    }
    Ok(())
}

fn apply(integration: &mut Integration, patch: &Patch) -> Answer<()> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["requestParameters", name] => {
            let absent = "Invalid parameter name specified";
            patch.optional_entry(&mut integration.request_parameters, name, patch.text().to_owned(), absent)
        }
        ["requestTemplates", content_type] => {
            let absent = "Content-Type specified was not found";
            patch.optional_entry(&mut integration.request_templates, content_type, patch.text().to_owned(), absent)
        }
        ["cacheKeyParameters", parameter] => patch.item(&mut integration.cache_key_parameters, parameter),
        ["tlsConfig", "insecureSkipVerification"] => {
            patch.only_replace()?;
            integration.tls_config = Some(TlsConfig { insecure_skip_verification: patch.flag() });
            Ok(())
        }
        [member] => replace(integration, patch, member),
        _ => Err(patch_path(&patch.path)),
    }
}

fn replace(integration: &mut Integration, patch: &Patch, member: &str) -> Answer<()> {
    let value = patch.text();
    let target = match member {
        "httpMethod" => &mut integration.http_method,
        "uri" => &mut integration.uri,
        "connectionType" => &mut integration.connection_type,
        "connectionId" => &mut integration.connection_id,
        "credentials" => &mut integration.credentials,
        "contentHandling" => &mut integration.content_handling,
        "passthroughBehavior" => {
            patch.only_replace()?;
            value.clone_into(&mut integration.passthrough_behavior);
            return Ok(());
        }
        "cacheNamespace" => {
            patch.only_replace()?;
            value.clone_into(&mut integration.cache_namespace);
            return Ok(());
        }
        "responseTransferMode" => {
            patch.only_replace()?;
            value.clone_into(&mut integration.response_transfer_mode);
            return Ok(());
        }
        "timeoutInMillis" => {
            patch.only_replace()?;
            integration.timeout_in_millis = value.parse().map_err(|_| bad_request("Invalid timeout specified"))?;
            return Ok(());
        }
        _ => return Err(patch_path(&patch.path)),
    };
    patch.only_replace()?;
    *target = patch.text_or_none();
    Ok(())
}

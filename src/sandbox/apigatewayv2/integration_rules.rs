//! What an integration of an HTTP API must hold to be one.

use super::call::Call;
use super::errors::{Answer, bad_request, length, not_found, one_of};
use super::route_key::METHODS;
use super::state::Integration;
use crate::sandbox::fault::Fault;
use crate::sandbox::wire::Caller;

/// Checks an integration as a whole. That these things are refused is documented in the service model; the words are guesses
/// unless a comment says otherwise.
pub(super) fn check(integration: &mut Integration, call: &Call<'_, '_>) -> Answer<()> {
    one_of(&integration.integration_type, "integrationType", &["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"])?;
    one_of(&integration.connection_type, "connectionType", &["INTERNET", "VPC_LINK"])?;
    let function = integration.integration_type == "AWS_PROXY";
    if !function && integration.integration_type != "HTTP_PROXY" {
        return Err(bad_request(format!(
            "Integration type {} is not supported on protocolType HTTP",
            integration.integration_type
        )));
    }
    if !(50..=30_000).contains(&integration.timeout_in_millis) {
        // After the words of REST APIs.
        return Err(bad_request("Timeout should be between 50 ms and 30000 ms"));
    }
    if integration.integration_uri.is_empty() {
        return Err(bad_request("integrationUri is a required parameter"));
    }
    if function { check_function(integration) } else { check_http(integration) }?;
    if integration.is_private() { check_private(integration, call) } else { check_public(integration) }
}

fn check_function(integration: &mut Integration) -> Answer<()> {
    if integration.is_private() {
        return Err(bad_request("Connection type VPC_LINK is only supported for integration type HTTP_PROXY"));
    }
    if integration.integration_method.is_empty() {
        // As the examples of the AWS CLI show.
        integration.integration_method = "POST".into();
    }
    if integration.integration_method != "POST" {
        return Err(bad_request("Lambda integrations support only the integration method POST"));
    }
    let uri = &integration.integration_uri;
    if !uri.starts_with("arn:") || !uri.contains(":lambda:") {
        return Err(bad_request(format!("Invalid function ARN or invalid uri: {uri}")));
    }
    one_of(&integration.payload_format_version, "payloadFormatVersion", &["1.0", "2.0"])
}

fn check_http(integration: &Integration) -> Answer<()> {
    one_of(&integration.integration_method, "integrationMethod", &METHODS)?;
    one_of(&integration.payload_format_version, "payloadFormatVersion", &["1.0"])?;
    if integration.credentials_arn.is_some() {
        return Err(bad_request("credentialsArn is not supported for integration type HTTP_PROXY"));
    }
    Ok(())
}

fn check_public(integration: &mut Integration) -> Answer<()> {
    // Taken and not kept: an integration through the internet has no TLS settings (reported).
    integration.tls_config = None;
    if integration.connection_id.is_some() {
        return Err(bad_request("connectionId is only supported for connection type VPC_LINK"));
    }
    let uri = &integration.integration_uri;
    let host = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")).unwrap_or_default();
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    if integration.integration_type == "HTTP_PROXY" && (host.is_empty() || uri.contains(char::is_whitespace)) {
        // The words of REST APIs.
        return Err(bad_request("Invalid HTTP endpoint specified for URI"));
    }
    Ok(())
}

fn check_private(integration: &Integration, call: &Call<'_, '_>) -> Answer<()> {
    let Some(link) = &integration.connection_id else {
        return Err(bad_request("connectionId is a required parameter for connection type VPC_LINK"));
    };
    // That the link has to be there is a guess: nothing says otherwise either. One that is still pending will do.
    call.state().vpc_link(link).ok_or_else(|| no_link(link))?;
    if !is_target(&integration.integration_uri, call.caller()) {
        // Reported.
        return Err(bad_request(
            "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN.",
        ));
    }
    if let Some(name) = integration.tls_config.as_ref().and_then(|tls| tls.server_name_to_verify.as_deref()) {
        length(name, "tlsConfig.serverNameToVerify", 1, 512)?;
    }
    Ok(())
}

/// No such VPC link.
pub(super) fn no_link(id: &str) -> Fault {
    not_found(format!("Invalid VpcLink identifier specified {id}"))
}

/// Whether it is the ARN of a listener of an application or network load balancer, or of a Cloud Map service, in the caller's
/// own account and Region. Whether the listener is there is not asked.
fn is_target(uri: &str, caller: &Caller) -> bool {
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts[..] else { return false };
    let own = (partition, region, account) == (caller.partition(), &*caller.region, &*caller.account);
    let (resource, _query) = resource.split_once('?').unwrap_or((resource, ""));
    let segments: Vec<&str> = resource.split('/').collect();
    let target = match (service, segments.as_slice()) {
        ("elasticloadbalancing", ["listener", "app" | "net", rest @ ..]) => rest.len() == 3,
        ("servicediscovery", ["service", id]) => id.starts_with("srv-"),
        _ => false,
    };
    own && target && segments.iter().all(|segment| !segment.is_empty())
}

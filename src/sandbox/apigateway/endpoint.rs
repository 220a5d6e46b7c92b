//! The endpoint configuration of a REST API: type, IP address type, VPC endpoints.

use serde::Deserialize;

use super::errors::{Answer, bad_request, not_in_set, validation};
use super::patch::Patch;
use super::state::EndpointConfiguration;
use crate::sandbox::wire::Caller;

const TYPES: [&str; 3] = ["PRIVATE", "EDGE", "REGIONAL"];
const IP_ADDRESS_TYPES: [&str; 2] = ["ipv4", "dualstack"];

/// The configuration as a client gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointInput {
    types: Option<Vec<String>>,
    ip_address_type: Option<String>,
    vpc_endpoint_ids: Option<Vec<String>>,
}

impl EndpointInput {
    /// A configuration of one type and nothing else.
    pub(super) fn of_type(name: &str) -> Self {
        Self { types: Some(vec![name.to_owned()]), ..Self::default() }
    }
}

/// Checks a configuration and fills in the rest.
pub(super) fn resolve(input: EndpointInput, caller: &Caller) -> Answer<EndpointConfiguration> {
    let EndpointInput { types, ip_address_type, vpc_endpoint_ids } = input;
    check_members(types.as_deref(), ip_address_type.as_deref())?;
    let types = types.unwrap_or_else(|| vec![default_type(caller).to_owned()]);
    match types.as_slice() {
        [] => return Err(bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")),
        [one] => check_type(one, caller)?,
        _ => return Err(bad_request("Cannot create an api with multiple Endpoint Types.")),
    }
    let private = types.iter().any(|name| name == "PRIVATE");
    let default = if private { "dualstack" } else { "ipv4" };
    let configuration = EndpointConfiguration {
        types,
        ip_address_type: ip_address_type.unwrap_or_else(|| default.to_owned()),
        vpc_endpoint_ids: vpc_endpoint_ids.unwrap_or_default(),
    };
    check_addresses(&configuration)?;
    Ok(configuration)
}

/// Applies a patch below `/endpointConfiguration`; `rest` is the path after it.
pub(super) fn patch(
    configuration: &mut EndpointConfiguration,
    patch: &Patch,
    rest: &[&str],
    caller: &Caller,
) -> Answer<()> {
    match rest {
        ["types", _] => {
            // The service names three operations and takes one (recorded).
            if patch.op != "replace" {
                return Err(bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'"));
            }
            if !TYPES.contains(&patch.text()) {
                return Err(bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"));
            }
            check_type(patch.text(), caller)?;
            configuration.types = vec![patch.text().to_owned()];
            if patch.text() == "PRIVATE" {
                "dualstack".clone_into(&mut configuration.ip_address_type);
            }
        }
        ["ipAddressType"] => {
            patch.only_replace()?;
            if !IP_ADDRESS_TYPES.contains(&patch.text()) {
                return Err(bad_request("ipAddressType must be either ipv4 or dualstack."));
            }
            patch.text().clone_into(&mut configuration.ip_address_type);
            check_addresses(configuration)?;
        }
        ["vpcEndpointIds"] => patch.item(&mut configuration.vpc_endpoint_ids, patch.text())?,
        ["vpcEndpointIds", id] => patch.item(&mut configuration.vpc_endpoint_ids, id)?,
        _ => return Err(super::errors::patch_path(&patch.path)),
    }
    Ok(())
}

fn check_members(types: Option<&[String]>, ip_address_type: Option<&str>) -> Answer<()> {
    let mut faults = Vec::new();
    if let Some(types) = types
        && types.iter().any(|name| !TYPES.contains(&name.as_str()))
    {
        faults.push(format!(
            "Value '[{}]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must satisfy enum value set: [{}]]",
            types.join(", "),
            TYPES.join(", ")
        ));
    }
    if let Some(ip) = ip_address_type
        && !IP_ADDRESS_TYPES.contains(&ip)
    {
        let at = "createRestApiInput.endpointConfiguration.ipAddressType";
        faults.push(not_in_set(ip, at, &IP_ADDRESS_TYPES));
    }
    if faults.is_empty() { Ok(()) } else { Err(validation(&faults)) }
}

/// China has no edge-optimised endpoints (aws-facts H).
fn check_type(name: &str, caller: &Caller) -> Answer<()> {
    if name == "EDGE" && caller.partition() == "aws-cn" {
        return Err(bad_request("Endpoint type EDGE is not supported in this region"));
    }
    Ok(())
}

fn default_type(caller: &Caller) -> &'static str {
    if caller.partition() == "aws-cn" { "REGIONAL" } else { "EDGE" }
}

fn check_addresses(configuration: &EndpointConfiguration) -> Answer<()> {
    let private = configuration.types.iter().any(|name| name == "PRIVATE");
    if private && configuration.ip_address_type != "dualstack" {
        return Err(bad_request("Only dualstack ipAddressType is supported for Private APIs."));
    }
    Ok(())
}

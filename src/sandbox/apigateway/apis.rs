//! REST APIs themselves: create, get, list, update, delete.

use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::{self, EndpointInput};
use super::errors::{Answer, bad_request, one_of, patch_path, required};
use super::patch::Patch;
use super::state::{Definition, EndpointConfiguration, Resource, RestApi, State, Strings};
use super::{
    Call, accepted, base_path_mappings, clone, created, import, mapping, models, ok, patch, policy, tags, usage_plans,
};
use crate::sandbox::wire::Caller;

const KEY_SOURCES: [&str; 2] = ["HEADER", "AUTHORIZER"];
const ACCESS_MODES: [&str; 2] = ["BASIC", "STRICT"];

/// The service model's TLS policies.
const SECURITY_POLICIES: [&str; 14] = [
    "TLS_1_0",
    "TLS_1_2",
    "SecurityPolicy_TLS13_1_3_2025_09",
    "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
    "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_2021_06",
    "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_2025_EDGE",
    "SecurityPolicy_TLS12_PFS_2025_EDGE",
    "SecurityPolicy_TLS12_2018_EDGE",
];

/// APIs of one kind that an account may have in a Region (quotas page of the developer guide): 600 regional, 600 private,
/// 120 edge-optimised.
fn quota(kind: &str) -> usize {
    if kind == "EDGE" { 120 } else { 600 }
}

/// Refuses one API more than the account may have.
pub(super) fn check_quota(state: &State, endpoint: &EndpointConfiguration) -> Answer<()> {
    let kind = endpoint.types.first().map(String::as_str).unwrap_or_default();
    let count = state.apis.iter().filter(|api| api.definition.endpoint.types.iter().any(|own| own == kind)).count();
    if count < quota(kind) {
        return Ok(());
    }
    Err(bad_request("Maximum number of APIs has been reached.  Please contact AWS if you need additional APIs."))
}

/// Refuses a TLS policy or an access mode that there is not.
pub(super) fn check_tls(policy: Option<&str>, mode: Option<&str>, input: &str) -> Answer<()> {
    if let Some(policy) = policy {
        one_of(policy, &format!("{input}.securityPolicy"), &SECURITY_POLICIES)?;
    }
    mode.map_or(Ok(()), |mode| one_of(mode, &format!("{input}.endpointAccessMode"), &ACCESS_MODES))
}

/// Refuses what is no media type. The words are those for content types; what the service says here is not known.
pub(super) fn check_media_type(text: &str) -> Answer<()> {
    if mapping::is_content_type(text) {
        return Ok(());
    }
    Err(bad_request(format!("Invalid content type specified: {text}")))
}

/// When an answer has the member `tags`. `ImportRestApi`, `CreateRestApi` and `GetRestApis` leave it out if there are
/// none; the others show an empty one (recorded).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ShowTags {
    Always,
    IfAny,
}

/// `/restapis`.
pub(super) fn collection(call: &mut Call<'_, '_>) -> Answer {
    match call.verb() {
        "GET" => call.page(call.state().apis.iter().map(|api| describe(api, ShowTags::IfAny))),
        "POST" if call.request.parameter("mode") == Some("import") => import::create(call),
        "POST" => create(call),
        _ => Err(call.unknown()),
    }
}

/// `/restapis/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>, id: &str) -> Answer {
    match call.verb() {
        "GET" => Ok(ok(&describe(call.api(id)?, ShowTags::Always))),
        "PUT" => import::put(call, id),
        "PATCH" => update(call, id),
        "DELETE" => {
            call.api(id)?;
            base_path_mappings::check_api_unmapped(call.state(), id)?;
            let state = call.state_mut();
            state.apis.retain(|api| api.id != id);
            usage_plans::forget_stage(state, id, None);
            Ok(accepted())
        }
        _ => Err(call.unknown()),
    }
}

/// An API with nothing but its root, as every API begins.
pub(super) fn blank(call: &mut Call<'_, '_>) -> RestApi {
    let id = call.view.new_id(10);
    let root = call.view.new_id(10);
    let mut definition =
        Definition { api_key_source: "HEADER".into(), root_resource_id: root.clone(), ..Definition::default() };
    let resource = Resource { id: root.clone(), path: "/".into(), ..Resource::default() };
    definition.resources.insert(root, resource);
    RestApi { id, created: call.now(), definition, ..RestApi::default() }
}

/// An API as the service shows it.
pub(super) fn describe(api: &RestApi, show: ShowTags) -> Value {
    let definition = &api.definition;
    let private = definition.endpoint.types.iter().any(|name| name == "PRIVATE");
    let default_policy = if private { "TLS_1_2" } else { "TLS_1_0" };
    let mut shown = json!({
        "id": api.id,
        "name": definition.name,
        "createdDate": api.created,
        "apiKeySource": definition.api_key_source,
        "endpointConfiguration": definition.endpoint,
        "disableExecuteApiEndpoint": definition.disable_execute_api_endpoint,
        "rootResourceId": definition.root_resource_id,
        "securityPolicy": definition.security_policy.as_deref().unwrap_or(default_policy),
    });
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown[name] = value;
        }
    };
    set("description", definition.description.as_deref().map(Value::from));
    set("version", definition.version.as_deref().map(Value::from));
    set("minimumCompressionSize", definition.minimum_compression_size.map(Value::from));
    set("policy", definition.policy.as_deref().map(|text| policy::shown(text).into()));
    set("endpointAccessMode", definition.endpoint_access_mode.as_deref().map(Value::from));
    let types = &definition.binary_media_types;
    set("binaryMediaTypes", (!types.is_empty()).then(|| json!(types)));
    set("tags", (show == ShowTags::Always || !api.tags.is_empty()).then(|| json!(api.tags)));
    shown
}

/// A minimum compression size, as number or text.
pub(super) fn compression_size(value: &Value) -> Answer<u32> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    number
        .and_then(|number: u64| u32::try_from(number).ok())
        .filter(|size| *size <= 10_485_760)
        .ok_or_else(|| bad_request("Invalid minimum compression size, must be between 0 and 10485760"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: Option<String>,
    description: Option<String>,
    version: Option<String>,
    clone_from: Option<String>,
    binary_media_types: Option<Vec<String>>,
    minimum_compression_size: Option<Value>,
    api_key_source: Option<String>,
    endpoint_configuration: Option<EndpointInput>,
    policy: Option<String>,
    tags: Option<Strings>,
    disable_execute_api_endpoint: Option<bool>,
    security_policy: Option<String>,
    endpoint_access_mode: Option<String>,
}

fn create(call: &mut Call<'_, '_>) -> Answer {
    let input: CreateInput = call.body()?;
    let name = required(input.name, "createRestApiInput.name")?;
    if let Some(source) = &input.api_key_source {
        one_of(source, "createRestApiInput.apiKeySource", &KEY_SOURCES)?;
    }
    check_tls(input.security_policy.as_deref(), input.endpoint_access_mode.as_deref(), "createRestApiInput")?;
    let endpoint = endpoint::resolve(input.endpoint_configuration.unwrap_or_default(), call.caller())?;
    check_name(&name)?;
    if input.description.as_deref() == Some("") {
        return Err(bad_request("Description cannot be an empty string"));
    }
    let original = input.clone_from.as_deref().map(|id| call.api(id).cloned()).transpose()?;
    let compression = input.minimum_compression_size.as_ref().filter(|size| !size.is_null());
    let minimum_compression_size = compression.map(compression_size).transpose()?;
    let given_tags = input.tags.unwrap_or_default();
    tags::check(&given_tags)?;
    check_quota(call.state(), &endpoint)?;

    let mut api = beginning(call, original.as_ref());
    let definition = &mut api.definition;
    definition.name = name;
    definition.description = input.description;
    // A clone keeps what the request does not set.
    definition.version = input.version.or_else(|| definition.version.take());
    if let Some(types) = input.binary_media_types {
        types.iter().try_for_each(|media_type| check_media_type(media_type))?;
        definition.binary_media_types = types;
    }
    definition.minimum_compression_size = minimum_compression_size.or(definition.minimum_compression_size);
    definition.endpoint = endpoint;
    if let Some(text) = input.policy.filter(|text| !text.is_empty()) {
        definition.policy = Some(policy::accept(&text, call.caller(), &api.id)?);
    }
    definition.disable_execute_api_endpoint = input.disable_execute_api_endpoint.unwrap_or_default();
    definition.security_policy = input.security_policy.or_else(|| definition.security_policy.take());
    definition.endpoint_access_mode = input.endpoint_access_mode.or_else(|| definition.endpoint_access_mode.take());
    if let Some(source) = input.api_key_source {
        definition.api_key_source = source;
    }
    api.tags = given_tags;
    let shown = describe(&api, ShowTags::IfAny);
    call.state_mut().apis.push(api);
    Ok(created(&shown))
}

/// What a new API begins with: the copy of another, or the models that every API has.
fn beginning(call: &mut Call<'_, '_>, original: Option<&RestApi>) -> RestApi {
    if let Some(original) = original {
        return clone::copy(call, original);
    }
    let mut api = blank(call);
    api.definition.models = models::defaults(call);
    api
}

fn update(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let patches = patch::read(call, "updateRestApiInput")?;
    let caller = call.caller().clone();
    let mut definition = call.definition(id)?.clone();
    for patch in &patches {
        apply(&mut definition, patch, &caller, id)?;
    }
    let api = call.api_mut(id)?;
    api.definition = definition;
    Ok(ok(&describe(api, ShowTags::Always)))
}

fn apply(definition: &mut Definition, patch: &Patch, caller: &Caller, id: &str) -> Answer<()> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["binaryMediaTypes", media_type] => {
            match patch.op.as_str() {
                "add" => check_media_type(media_type)?,
                "replace" => check_media_type(patch.text())?,
                _ => {}
            }
            patch.item(&mut definition.binary_media_types, media_type)?;
        }
        ["endpointConfiguration", rest @ ..] => endpoint::patch(&mut definition.endpoint, patch, rest, caller)?,
        ["description"] => {
            patch.only(&["replace", "remove"])?;
            definition.description = patch.text_or_none().filter(|_| patch.op != "remove");
        }
        ["policy"] => {
            patch.only(&["replace", "remove"])?;
            definition.policy = match patch.text_or_none().filter(|_| patch.op != "remove") {
                Some(text) => Some(policy::accept(&text, caller, id)?),
                None => None,
            };
        }
        [member] => replace(definition, patch, member)?,
        _ => return Err(patch_path(&patch.path)),
    }
    Ok(())
}

/// The members that can only be replaced.
fn replace(definition: &mut Definition, patch: &Patch, member: &str) -> Answer<()> {
    let value = patch.text();
    match member {
        "name" => {
            patch.only_replace()?;
            check_name(value)?;
            value.clone_into(&mut definition.name);
        }
        "version" => {
            patch.only_replace()?;
            definition.version = patch.text_or_none();
        }
        "apiKeySource" => {
            patch.only_replace()?;
            if !KEY_SOURCES.contains(&value) {
                return Err(bad_request("Invalid API key source specified. Valid options are HEADER,AUTHORIZER"));
            }
            value.clone_into(&mut definition.api_key_source);
        }
        "minimumCompressionSize" => {
            patch.only_replace()?;
            let size = patch.text_or_none().map(Value::from);
            definition.minimum_compression_size = size.as_ref().map(compression_size).transpose()?;
        }
        "disableExecuteApiEndpoint" => {
            patch.only_replace()?;
            definition.disable_execute_api_endpoint = patch.flag();
        }
        "securityPolicy" => {
            patch.only_replace()?;
            check_tls(Some(value), None, "updateRestApiInput")?;
            definition.security_policy = patch.text_or_none();
        }
        "endpointAccessMode" => {
            patch.only_replace()?;
            if !ACCESS_MODES.contains(&value) {
                return Err(bad_request("Invalid endpoint access mode specified. Valid options are BASIC,STRICT"));
            }
            definition.endpoint_access_mode = patch.text_or_none();
        }
        _ => return Err(patch_path(&patch.path)),
    }
    Ok(())
}

fn check_name(name: &str) -> Answer<()> {
    if name.is_empty() {
        return Err(bad_request("API name cannot be an empty string"));
    }
    if name.chars().count() > 1024 {
        return Err(bad_request("API name can be at most 1024 characters"));
    }
    Ok(())
}

//! Making, reading, changing and deleting functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::code::{self, Upload};
use super::configuration::{Configuration, EphemeralStorage, SnapStart, TracingConfig};
use super::names::Named;
use super::requests::{self, CodeUpdate, Creation, Settings, refuse_unsupported};
use super::settings::{self, validation};
use super::{Function, State, invalid, names, tags, versions};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::wire::{Caller, Request};
use crate::sandbox::world::{View, date};

/// What the sandbox lacks of `CreateFunction` and `UpdateFunctionConfiguration`.
const UNSUPPORTED: &[&str] = &[
    "CapacityProviderConfig",
    "Code.ImageUri",
    "Code.S3Bucket",
    "Code.S3Key",
    "Code.S3ObjectVersion",
    "Code.SourceKMSKeyArn",
    "CodeSigningConfigArn",
    "DurableConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "Layers",
    "Publish",
    "PublishTo",
    "SnapStart",
    "TenancyConfig",
];

/// What the sandbox lacks of `UpdateFunctionCode`.
const UNSUPPORTED_CODE: &[&str] =
    &["ImageUri", "Publish", "PublishTo", "S3Bucket", "S3Key", "S3ObjectVersion", "SourceKMSKeyArn"];

pub(super) fn create(view: &mut View<'_>, request: &Request) -> Answer<(u16, Value)> {
    let caller = &request.caller;
    let body = requests::body(request)?;
    refuse_unsupported(&body, UNSUPPORTED)?;
    let creation: Creation = requests::parse(&body)?;
    let asked: Settings = requests::parse(&body)?;
    let required = |member: &str| validation(missing(member));
    let name = names::function(&creation.function_name.ok_or_else(|| required("functionName"))?, request)?;
    let code = creation.code.ok_or_else(|| required("code"))?;
    if asked.role.is_none() {
        return Err(required("role"));
    }
    if let Some(other) = creation.package_type.filter(|package| package != "Zip") {
        let constraint = "Member must satisfy enum value set: [Zip]";
        return Err(validation(violation(&other, "packageType", constraint)));
    }
    if asked.runtime.is_none() || asked.handler.is_none() {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let architectures = creation.architectures.unwrap_or_else(|| vec!["x86_64".to_owned()]);
    settings::check_architectures(&architectures)?;
    let tags = tags::merged(&BTreeMap::new(), creation.tags)?;
    let mut configuration = blank(&name, caller, architectures);
    settings::apply(&mut configuration, asked, view, caller)?;
    if view.region.lambda.functions.contains_key(&name) {
        return Err(Fault::new(409, "ResourceConflictException", format!("Function already exist: {name}")));
    }
    let zip = code.zip_file.ok_or_else(|| invalid("Please provide a source for function code."))?;
    let upload = code::upload(&zip, "CreateFunction", request.body.len())?;
    put_code(&mut configuration, &upload);
    touch(&mut configuration, view);
    let answer = configuration.json();
    let function = Function {
        configuration,
        code: upload.digest.clone(),
        tags,
        policy: Vec::new(),
        policy_revision: String::new(),
        policies: BTreeMap::new(),
        versions: BTreeMap::new(),
        last_version: 0,
        latest_is: None,
        aliases: BTreeMap::new(),
        reserved: None,
        provisioned: BTreeMap::new(),
    };
    view.keep(upload.digest, upload.zip);
    view.region.lambda.functions.insert(name, function);
    Ok((201, answer))
}

pub(super) fn get(lambda: &State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let function = lambda.function(&named.name, &request.caller)?;
    let configuration = function.seen(named, &request.caller)?;
    let code = function.resolve(named.qualifier.as_deref()).map_or(function.code.as_str(), |(_, code)| code);
    // Lambda gives a link to S3, good for ten minutes. Here the sandbox itself hands the code out.
    let host = request.header("host").unwrap_or("localhost");
    let location = format!("http://{host}{}{}", crate::sandbox::CODE, code);
    let mut answer = json!({
        "Configuration": configuration.json(),
        "Code": { "RepositoryType": "S3", "Location": location },
    });
    if !function.tags.is_empty() {
        answer["Tags"] = json!(function.tags);
    }
    if let Some(reserved) = function.reserved {
        answer["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    Ok((200, answer))
}

pub(super) fn get_configuration(lambda: &State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    Ok((200, lambda.function(&named.name, &request.caller)?.seen(named, &request.caller)?.json()))
}

/// Every function, or with `FunctionVersion=ALL` every version of every function.
pub(super) fn list(lambda: &State, request: &Request) -> Answer<(u16, Value)> {
    let caller = &request.caller;
    let all = match request.parameter("FunctionVersion") {
        None => {
            let each = lambda.functions.iter().map(|(name, function)| (name.clone(), function.configuration.listed()));
            each.collect()
        }
        Some("ALL") => {
            let each = lambda.functions.iter().flat_map(|(name, function)| versions::all(name, function, caller));
            each.collect()
        }
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [ALL]";
            return Err(validation(violation(other, "functionVersion", constraint)));
        }
    };
    let (page, next) = requests::page(request, all, 50)?;
    let mut answer = json!({ "Functions": page });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok((200, answer))
}

pub(super) fn update_configuration(view: &mut View<'_>, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    refuse_unsupported(&body, UNSUPPORTED)?;
    let asked: Settings = requests::parse(&body)?;
    let mut configuration = view.region.lambda.function(name, &request.caller)?.configuration.clone();
    check_revision(asked.revision_id.as_deref(), &configuration)?;
    settings::apply(&mut configuration, asked, view, &request.caller)?;
    touch(&mut configuration, view);
    let function = view.region.lambda.function_mut(name, &request.caller)?;
    function.configuration = configuration;
    function.latest_is = None;
    Ok((200, function.configuration.json()))
}

pub(super) fn update_code(view: &mut View<'_>, request: &Request, name: &str) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    refuse_unsupported(&body, UNSUPPORTED_CODE)?;
    let asked: CodeUpdate = requests::parse(&body)?;
    let mut configuration = view.region.lambda.function(name, &request.caller)?.configuration.clone();
    check_revision(asked.revision_id.as_deref(), &configuration)?;
    if let Some(architectures) = asked.architectures {
        settings::check_architectures(&architectures)?;
        configuration.architectures = architectures;
    }
    let zip = asked.zip_file.ok_or_else(|| invalid("Please provide a source for function code."))?;
    let upload = code::upload(&zip, "UpdateFunctionCode", request.body.len())?;
    put_code(&mut configuration, &upload);
    if asked.dry_run {
        return Ok((200, configuration.json()));
    }
    touch(&mut configuration, view);
    let function = view.region.lambda.function_mut(name, &request.caller)?;
    function.configuration = configuration;
    function.code.clone_from(&upload.digest);
    function.latest_is = None;
    let answer = function.configuration.json();
    view.keep(upload.digest, upload.zip);
    Ok((200, answer))
}

/// A function goes with its versions and aliases; a version alone, if the request has a qualifier.
pub(super) fn delete(lambda: &mut State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    if let Some(qualifier) = &named.qualifier {
        return versions::delete(lambda, request, &named.name, qualifier);
    }
    lambda.function(&named.name, &request.caller)?;
    lambda.functions.remove(&named.name);
    Ok((204, Value::Null))
}

/// The fault for a revision that is no longer the newest.
pub(super) fn stale() -> Fault {
    Fault::new(
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve \
         the latest Revision Id",
    )
}

fn check_revision(asked: Option<&str>, configuration: &Configuration) -> Answer<()> {
    if asked.is_none_or(|revision| revision == configuration.revision_id) { Ok(()) } else { Err(stale()) }
}

/// A configuration with everything Lambda fills in.
fn blank(name: &str, caller: &Caller, architectures: Vec<String>) -> Configuration {
    Configuration {
        function_name: name.to_owned(),
        function_arn: names::arn(name, caller),
        runtime: String::new(),
        role: String::new(),
        handler: String::new(),
        code_size: 0,
        description: String::new(),
        timeout: 3,
        memory_size: 128,
        last_modified: String::new(),
        code_sha256: String::new(),
        version: "$LATEST".to_owned(),
        vpc_config: None,
        dead_letter_config: None,
        environment: None,
        kms_key_arn: None,
        tracing_config: TracingConfig { mode: "PassThrough".to_owned() },
        revision_id: String::new(),
        state: "Active".to_owned(),
        last_update_status: "Successful".to_owned(),
        package_type: "Zip".to_owned(),
        architectures,
        ephemeral_storage: EphemeralStorage { size: 512 },
        snap_start: SnapStart { apply_on: "None".to_owned(), optimization_status: "Off".to_owned() },
        runtime_version_config: settings::runtime_version("", caller),
        logging_config: settings::default_logging(name),
    }
}

fn put_code(configuration: &mut Configuration, upload: &Upload) {
    configuration.code_size = upload.zip.len();
    configuration.code_sha256.clone_from(&upload.sha256);
}

/// Every change gives a new revision and a new time.
fn touch(configuration: &mut Configuration, view: &mut View<'_>) {
    configuration.revision_id = view.new_uuid();
    configuration.last_modified = date(view.millis(), "%Y-%m-%dT%H:%M:%S.%3f+0000");
}

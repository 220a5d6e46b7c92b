//! Import and put: an API document becomes an API.
//!
//! [`Importer`] builds a definition from a [`Document`] and collects what is wrong on the way, so that a client sees every
//! fault at once. Nothing of it is seen until the whole document is taken: an import that fails leaves no API, a put that
//! fails leaves the API as it was. (The real service promises less for a put, aws-facts B; a client that copes with that
//! copes with this.)

mod document;
mod operation;
mod schema;
mod security;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::document::{Document, scalar};
use super::apis::{self, ShowTags};
use super::endpoint::{self, EndpointInput};
use super::errors::{Answer, Refusal, bad_request, one_of, serialization};
use super::gateway_responses::{self, GatewayResponseInput};
use super::state::{Definition, DocumentationPart, Resource, RestApi};
use super::{Call, created, documentation, ok, policy, resources};
use crate::sandbox::wire::Caller;

/// `ImportRestApi`.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let document = Document::parse(&call.request.body)?;
    let mut api = apis::blank(call);
    let types = call.request.parameter("endpointConfigurationTypes");
    let types = types.map(EndpointInput::of_type).unwrap_or_default();
    api.definition.endpoint = endpoint::resolve(types, call.caller())?;
    apis::check_quota(call.state(), &api.definition.endpoint)?;
    let warnings = run(call, &mut api, &document, false)?;
    let shown = with_warnings(apis::describe(&api, ShowTags::IfAny), &warnings);
    call.state_mut().apis.push(api);
    Ok(created(&shown))
}

/// `PutRestApi`. The document is read before the API is looked for (recorded).
pub(super) fn put(call: &mut Call<'_, '_>, id: &str) -> Answer {
    let document = Document::parse(&call.request.body)?;
    let mode = call.request.parameter("mode").unwrap_or("merge");
    one_of(mode, "putRestApiInput.mode", &["merge", "overwrite"])?;
    let overwrite = mode == "overwrite";
    let mut draft = call.api(id)?.clone();
    if overwrite {
        draft.documentation_parts.clear();
    }
    let warnings = run(call, &mut draft, &document, overwrite)?;
    let shown = with_warnings(apis::describe(&draft, ShowTags::Always), &warnings);
    *call.api_mut(id)? = draft;
    Ok(ok(&shown))
}

/// The documentation parts of a document: what each is about, and its properties.
pub(super) fn documentation(body: &[u8]) -> Answer<Vec<(Value, String)>> {
    Ok(parts_of(&Document::parse(body)?).flatten().collect())
}

/// The documentation parts of a document; none for each that lacks a location or properties.
fn parts_of(document: &Document) -> impl Iterator<Item = Option<(Value, String)>> {
    let extension = document.extension("documentation");
    let parts = extension.and_then(|each| each.get("documentationParts")).and_then(Value::as_array);
    parts.into_iter().flatten().map(|part| {
        let (location, properties) = (part.get("location")?, part.get("properties")?);
        Some((documentation::located(location.clone()), properties.to_string()))
    })
}

/// What an overwrite leaves of a definition: the endpoint and the root. Whatever the document does not bring is gone:
/// description, policy, binary types, VPC endpoints, … (aws-facts B).
fn remainder(old: &Definition) -> Definition {
    let mut endpoint = old.endpoint.clone();
    endpoint.vpc_endpoint_ids.clear();
    let root = Resource { id: old.root_resource_id.clone(), path: "/".into(), ..Resource::default() };
    Definition {
        api_key_source: "HEADER".into(),
        endpoint,
        disable_execute_api_endpoint: old.disable_execute_api_endpoint,
        security_policy: old.security_policy.clone(),
        endpoint_access_mode: old.endpoint_access_mode.clone(),
        root_resource_id: old.root_resource_id.clone(),
        resources: BTreeMap::from([(root.id.clone(), root)]),
        ..Definition::default()
    }
}

fn run(call: &mut Call<'_, '_>, api: &mut RestApi, document: &Document, overwrite: bool) -> Answer<Vec<String>> {
    let base = match call.request.parameter("basepath").unwrap_or("ignore") {
        "ignore" => String::new(),
        "prepend" => document.base_path(),
        "split" => document.base_path().split_once('/').map(|(_, rest)| rest.to_owned()).unwrap_or_default(),
        other => return Err(bad_request(format!("Invalid value for parameter basepath specified: {other}"))),
    };
    let skip_documentation = match call.request.parameter("ignore") {
        None => false,
        Some("documentation") => true,
        Some(other) => return Err(bad_request(format!("Invalid value for parameter ignore specified: {other}"))),
    };
    let fail_on_warnings = match call.request.parameter("failonwarnings").unwrap_or("false") {
        flag if flag.eq_ignore_ascii_case("true") => true,
        flag if flag.eq_ignore_ascii_case("false") || flag.is_empty() => false,
        other => return Err(serialization(format!("Unable to parse {other} as a boolean"))),
    };
    let mut importer = Importer {
        document,
        api: api.id.clone(),
        caller: call.caller().clone(),
        call,
        definition: if overwrite { remainder(&api.definition) } else { api.definition.clone() },
        old: std::mem::take(&mut api.definition),
        schemes: BTreeMap::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    importer.import(&base)?;
    if !skip_documentation {
        let parts = importer.documentation_parts();
        api.documentation_parts.retain(|_, old| parts.iter().all(|(_, part)| part.location != old.location));
        api.documentation_parts.extend(parts);
    }
    let Importer { definition, errors, warnings, .. } = importer;
    if !errors.is_empty() {
        let mut message = format!("Errors found during import:\n\t{}", errors.join("\n\t"));
        if !warnings.is_empty() {
            message = format!("{message}\nAdditionally, these warnings were found:\n\t{}", warnings.join("\n\t"));
        }
        return Err(bad_request(message));
    }
    if fail_on_warnings && !warnings.is_empty() {
        return Err(bad_request(format!("Warnings found during import:\n\t{}", warnings.join("\n\t"))));
    }
    api.definition = definition;
    Ok(warnings)
}

fn with_warnings(mut shown: Value, warnings: &[String]) -> Value {
    if !warnings.is_empty() {
        shown["warnings"] = json!(warnings);
    }
    shown
}

/// The work of one import.
struct Importer<'a, 'c, 'v> {
    document: &'a Document,
    api: String,
    caller: Caller,
    call: &'a mut Call<'c, 'v>,
    definition: Definition,
    /// The API before: what keeps its name or path keeps its id.
    old: Definition,
    schemes: BTreeMap<String, security::Scheme>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Importer<'_, '_, '_> {
    /// Imports everything. A fault goes to `errors`; only a hard quota ends the import at once.
    fn import(&mut self, base: &str) -> Answer<()> {
        self.settings();
        for reference in self.document.dangling() {
            self.errors.push(format!("Invalid reference specified: {reference}"));
        }
        self.import_models();
        self.request_validators();
        self.import_security()?;
        self.gateway_responses();
        let document = self.document;
        let mut paths: Vec<_> = document.paths().collect();
        paths.sort_by_key(|(path, _)| *path);
        for (path, item) in paths {
            let full = format!("/{base}{path}");
            let full = format!("/{}", full.trim_matches('/'));
            match self.resource(&full) {
                Ok(id) => self.path_item(&id, &full, item),
                Err(refusal) if refusal.status == 429 => return Err(refusal),
                Err(refusal) => self.fail(&format!("Unable to create resource at path '{full}'"), &refusal),
            }
        }
        Ok(())
    }

    /// The members of the API itself.
    fn settings(&mut self) {
        let document = self.document;
        let definition = &mut self.definition;
        definition.name = document.info("title").unwrap_or_default();
        definition.version = document.info("version").or_else(|| definition.version.take());
        definition.description = document.info("description").or_else(|| definition.description.take());
        if let Some(source) = document.extension("api-key-source").map(scalar) {
            match source.to_uppercase().as_str() {
                known @ ("HEADER" | "AUTHORIZER") => known.clone_into(&mut definition.api_key_source),
                _ => self.errors.push(format!("Invalid API key source specified: {source}")),
            }
        }
        if let Some(types) = document.extension("binary-media-types").and_then(Value::as_array) {
            for media_type in types.iter().map(scalar) {
                if let Err(refusal) = apis::check_media_type(&media_type) {
                    self.errors.push(refusal.message);
                } else if !definition.binary_media_types.contains(&media_type) {
                    definition.binary_media_types.push(media_type);
                }
            }
        }
        if let Some(size) = document.extension("minimum-compression-size") {
            match apis::compression_size(size) {
                Ok(size) => definition.minimum_compression_size = Some(size),
                Err(refusal) => self.errors.push(refusal.message),
            }
        }
        let tls = document.extension("security-policy").map(scalar);
        let mode = document.extension("endpoint-access-mode").map(scalar);
        match apis::check_tls(tls.as_deref(), mode.as_deref(), "putRestApiInput") {
            Ok(()) => {
                definition.security_policy = tls.or_else(|| definition.security_policy.take());
                definition.endpoint_access_mode = mode.or_else(|| definition.endpoint_access_mode.take());
            }
            Err(refusal) => self.errors.push(refusal.message),
        }
        self.endpoint();
        self.policy();
    }

    fn endpoint(&mut self) {
        let Some(configuration) = self.document.endpoint_configuration() else {
            return;
        };
        if let Some(ids) = configuration.get("vpcEndpointIds").and_then(Value::as_array) {
            self.definition.endpoint.vpc_endpoint_ids = ids.iter().map(scalar).collect();
        }
        if let Some(disable) = configuration.get("disableExecuteApiEndpoint").and_then(Value::as_bool) {
            self.definition.disable_execute_api_endpoint = disable;
        }
    }

    fn policy(&mut self) {
        let Some(given) = self.document.extension("policy") else {
            return;
        };
        let text = scalar(given);
        match policy::accept(&text, &self.caller, &self.api) {
            Ok(policy) => self.definition.policy = Some(policy),
            Err(refusal) => self.errors.push(refusal.message),
        }
    }

    fn gateway_responses(&mut self) {
        let given = self.document.extension("gateway-responses").and_then(Value::as_object);
        for (kind, response) in given.into_iter().flatten() {
            let mut response = response.clone();
            // YAML, and documents of other tools, have the status as a number.
            if let Some(status) = response.get_mut("statusCode") {
                *status = scalar(status).into();
            }
            let input = serde_json::from_value::<GatewayResponseInput>(response)
                .map_err(|error| bad_request(error.to_string()))
                .and_then(|input| gateway_responses::complete(kind, input));
            match input {
                Ok(response) => drop(self.definition.gateway_responses.insert(kind.clone(), response)),
                Err(refusal) => {
                    self.errors.push(format!("Unable to put gateway response '{kind}': {}", refusal.message));
                }
            }
        }
    }

    /// The resource of a path, made with all that lead to it.
    fn resource(&mut self, path: &str) -> Answer<String> {
        let mut here = String::new();
        let mut parent = self.definition.root_resource_id.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            here = format!("{here}/{part}");
            if let Some(resource) = self.definition.at_path(&here) {
                parent.clone_from(&resource.id);
                continue;
            }
            let old = self.old.at_path(&here).map(|resource| resource.id.clone());
            let call = &mut *self.call;
            let new_id = || old.unwrap_or_else(|| call.new_id());
            parent = resources::add(&mut self.definition, &parent, part, new_id)?.id.clone();
        }
        Ok(parent)
    }

    fn documentation_parts(&mut self) -> Vec<(String, DocumentationPart)> {
        let mut made = Vec::new();
        for part in parts_of(self.document) {
            let Some((location, properties)) = part else {
                self.warnings.push("Documentation part without location or properties was ignored".into());
                continue;
            };
            let id = self.call.new_id();
            made.push((id.clone(), DocumentationPart { id, location, properties }));
        }
        made
    }

    fn fail(&mut self, what: &str, refusal: &Refusal) {
        self.errors.push(format!("{what}: {}", refusal.message));
    }
}

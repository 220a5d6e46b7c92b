//! `GetExport`: what a stage serves, as an API document.
//!
//! An export shows the deployment of its stage and not the API as it is edited, and it has the service's own form rather
//! than that of the document which was imported (aws-facts B): descriptions are gone, defaults are left out. The form is
//! that of exports recorded from the service, `OpenAPI` 3.0.1 and Swagger 2.0; what no recording shows (authorizers, gateway
//! responses, policy, endpoint options) is written as the import reads it, so that an export can be put back.

mod document;
mod operation;
mod schema;
mod security;

use serde_json::Value;

pub(super) use self::schema::model_of;
use super::deployments;
use super::errors::{Answer, bad_request, not_implemented};
use super::stages::no_stage;
use super::state::{Definition, RestApi};
use super::{Call, Response};
use crate::sandbox::wire::Caller;
use crate::sandbox::world;

/// The two kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    OpenApi3,
    Swagger,
}

/// Which extensions are asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Extensions {
    /// `x-amazon-apigateway-integration`.
    integrations: bool,
    /// `x-amazon-apigateway-authorizer`.
    authorizers: bool,
    /// Those of the API as a whole.
    api: bool,
}

/// What is exported.
struct Source<'a> {
    api: &'a RestApi,
    /// The deployed definition.
    definition: &'a Definition,
    stage: &'a str,
    caller: &'a Caller,
    dialect: Dialect,
    extensions: Extensions,
}

/// `/restapis/{api}/stages/{stage}/exports/{kind}`.
pub(super) fn route(call: &Call<'_, '_>, api: &str, stage: &str, kind: &str) -> Answer {
    if call.verb() != "GET" {
        return Err(call.unknown());
    }
    let api = call.api(api)?;
    let found = api.stages.get(stage).ok_or_else(no_stage)?;
    let deployment = api.deployment(&found.deployment_id).ok_or_else(deployments::no_deployment)?;
    let dialect = match kind {
        "oas30" => Dialect::OpenApi3,
        "swagger" => Dialect::Swagger,
        other => return Err(bad_request(format!("Invalid export type specified: {other}"))),
    };
    let source = Source {
        api,
        definition: &deployment.snapshot,
        stage,
        caller: call.caller(),
        dialect,
        extensions: extensions(call)?,
    };
    let exported = source.document()?;
    let (body, suffix) = write(call, &exported)?;
    let name = format!("{kind}_{}.{suffix}", source.version());
    let headers = vec![
        // Whatever the form, the service calls it bytes (recorded).
        ("content-type".into(), "application/octet-stream".into()),
        ("content-disposition".into(), format!("attachment; filename=\"{name}\"")),
    ];
    Ok(Response { status: 200, headers, body: body.into() })
}

impl Source<'_> {
    /// The version of the API, or the time it was made.
    fn version(&self) -> String {
        let made = || {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds since the epoch fit an i64 for ages to come"
            )]
            let millis = (self.api.created * 1000.0) as i64;
            world::date(millis, "%Y-%m-%dT%H:%M:%SZ")
        };
        self.definition.version.clone().filter(|version| !version.is_empty()).unwrap_or_else(made)
    }
}

/// Reads `extensions=integrations,authorizers`. Names differ from page to page of the service's guide, so both are taken.
fn extensions(call: &Call<'_, '_>) -> Answer<Extensions> {
    let mut asked = Extensions::default();
    let names = call.request.query.iter().filter(|(name, _)| name == "extensions");
    for name in names.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        match name {
            "integrations" | "integration" => asked.integrations = true,
            "authorizers" => asked.authorizers = true,
            "apigateway" => asked = Extensions { integrations: true, authorizers: true, api: true },
            // Neither is anything that an import would take in; a document without them would be a wrong answer.
            "postman" | "documentation" => return Err(not_implemented("GET", &format!("exports with {name}"))),
            other => return Err(bad_request(format!("Invalid extension specified: {other}"))),
        }
    }
    Ok(asked)
}

/// The document in the form that the client accepts, and the suffix of its file.
fn write(call: &Call<'_, '_>, document: &Value) -> Answer<(String, &'static str)> {
    let accepted = call.request.header("accept").unwrap_or("*/*");
    for range in accepted.split(',') {
        match range.split(';').next().unwrap_or_default().trim() {
            "application/json" | "application/*" | "*/*" | "" => return Ok((pretty(document), "json")),
            "application/yaml" => return Ok((yaml(document)?, "yaml")),
            _ => {}
        }
    }
    Err(bad_request(format!(
        "Invalid Accept header specified: {accepted}. Valid options are application/json,application/yaml"
    )))
}

fn pretty(document: &Value) -> String {
    format!("{document:#}")
}

fn yaml(document: &Value) -> Answer<String> {
    serde_saphyr::to_string(document)
        .map_err(|error| bad_request(format!("Unable to write the export as YAML: {error}")))
}

#[cfg(test)]
mod tests;

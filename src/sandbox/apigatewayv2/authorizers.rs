//! Authorizers.

use serde::Deserialize;

use super::call::{Call, created, no_content, ok, put};
use super::errors::{Answer, bad_request, conflict, length, limit_exceeded, not_found, required};
use super::state::{Authorizer, AuthorizerType, Definition, JwtConfiguration};
use crate::sandbox::fault::Fault;

/// Authorizers that one API may have (API Gateway's quotas).
const LIMIT: usize = 10;

/// How long an answer of a function is kept if nobody says, in seconds: the default of REST APIs (aws-facts D). A guess that
/// HTTP APIs have the same.
const TTL: i64 = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    authorizer_credentials_arn: Option<String>,
    authorizer_payload_format_version: Option<String>,
    authorizer_result_ttl_in_seconds: Option<i64>,
    authorizer_type: Option<String>,
    authorizer_uri: Option<String>,
    enable_simple_responses: Option<bool>,
    identity_source: Option<Vec<String>>,
    jwt_configuration: Option<JwtInput>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct JwtInput {
    audience: Option<Vec<String>>,
    issuer: Option<String>,
}

/// `/v2/apis/{api}/authorizers…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(&call.definition(api)?.authorizers),
        ("POST", []) => create(call, api),
        ("GET", [id]) => Ok(ok(call.definition(api)?.authorizer(id).ok_or_else(|| no_authorizer(id))?)),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => delete(call, api, id),
        _ => Err(call.unknown()),
    }
}

fn no_authorizer(id: &str) -> Fault {
    not_found(format!("Invalid Authorizer identifier specified {id}"))
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let input: Input = call.body()?;
    required(input.name.as_ref(), "name")?;
    required(input.authorizer_type.as_ref(), "authorizerType")?;
    let mut definition = call.definition(api)?.clone();
    let mut authorizer = Authorizer::default();
    apply(&mut authorizer, input, &definition)?;
    if definition.authorizers.len() >= LIMIT {
        return Err(limit_exceeded("authorizers"));
    }
    authorizer.authorizer_id = call.view.new_id(6);
    let answer = created(&authorizer);
    definition.authorizers.push(authorizer);
    call.define(api, definition)?;
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let input: Input = call.body()?;
    let mut definition = call.definition(api)?.clone();
    let mut authorizer = definition.authorizer(id).ok_or_else(|| no_authorizer(id))?.clone();
    apply(&mut authorizer, input, &definition)?;
    let answer = ok(&authorizer);
    let held = definition.authorizers.iter_mut().filter(|held| held.authorizer_id == id);
    held.for_each(|held| held.clone_from(&authorizer));
    call.define(api, definition)?;
    Ok(answer)
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let mut definition = call.definition(api)?.clone();
    let authorizer = definition.authorizer(id).ok_or_else(|| no_authorizer(id))?;
    if let Some(route) = definition.routes.iter().find(|route| route.authorizer_id.as_deref() == Some(id)) {
        // Reported.
        return Err(conflict(format!(
            "Cannot delete authorizer '{}', is referenced in route: {}",
            authorizer.name, route.route_key
        )));
    }
    definition.authorizers.retain(|held| held.authorizer_id != id);
    call.define(api, definition)?;
    Ok(no_content())
}

fn apply(authorizer: &mut Authorizer, input: Input, definition: &Definition) -> Answer<()> {
    if let Some(name) = input.name {
        length(&name, "name", 1, 128)?;
        let others = definition.authorizers.iter().filter(|other| other.authorizer_id != authorizer.authorizer_id);
        if others.into_iter().any(|other| other.name == name) {
            // Reported, of HTTP APIs, whatever it says of a RestApi.
            let words = format!("Authorizer name must be unique. Authorizer {name} already exists in this RestApi.");
            return Err(bad_request(words));
        }
        authorizer.name = name;
    }
    if let Some(kind) = input.authorizer_type {
        authorizer.authorizer_type = match kind.as_str() {
            "JWT" => AuthorizerType::Jwt,
            "REQUEST" => AuthorizerType::Request,
            _ => return Err(bad_request("Invalid authorizerType specified. Must be one of [JWT, REQUEST]")),
        };
    }
    if let Some(sources) = input.identity_source {
        authorizer.identity_source = sources;
    }
    if let Some(JwtInput { audience, issuer }) = input.jwt_configuration {
        let held = authorizer.jwt_configuration.get_or_insert_default();
        if let Some(audience) = audience {
            held.audience = audience;
        }
        put(&mut held.issuer, issuer);
    }
    put(&mut authorizer.authorizer_uri, input.authorizer_uri);
    put(&mut authorizer.authorizer_credentials_arn, input.authorizer_credentials_arn);
    put(&mut authorizer.authorizer_payload_format_version, input.authorizer_payload_format_version);
    if input.authorizer_result_ttl_in_seconds.is_some() {
        authorizer.authorizer_result_ttl_in_seconds = input.authorizer_result_ttl_in_seconds;
    }
    if input.enable_simple_responses.is_some() {
        authorizer.enable_simple_responses = input.enable_simple_responses;
    }
    match authorizer.authorizer_type {
        AuthorizerType::Jwt => check_jwt(authorizer),
        AuthorizerType::Request => check_request(authorizer),
    }
}

/// What a JWT authorizer must have (developer guide). The words are guesses unless a comment says otherwise.
fn check_jwt(authorizer: &Authorizer) -> Answer<()> {
    let of_functions = authorizer.authorizer_uri.is_some()
        || authorizer.authorizer_credentials_arn.is_some()
        || authorizer.authorizer_payload_format_version.is_some()
        || authorizer.authorizer_result_ttl_in_seconds.is_some_and(|seconds| seconds != 0)
        || authorizer.enable_simple_responses == Some(true);
    if of_functions {
        return Err(bad_request("Lambda authorizer settings are not supported for authorizerType JWT"));
    }
    let Some(JwtConfiguration { audience, issuer }) = &authorizer.jwt_configuration else {
        return Err(bad_request("jwtConfiguration is a required parameter for authorizerType JWT"));
    };
    check_issuer(required(issuer.as_deref(), "jwtConfiguration.issuer")?)?;
    if audience.is_empty() || audience.iter().any(String::is_empty) {
        return Err(bad_request("jwtConfiguration.audience is a required parameter for authorizerType JWT"));
    }
    match authorizer.identity_source.as_slice() {
        [one] if is_source(one, &["$request.header.", "$request.querystring."]) => Ok(()),
        _ => Err(bad_request("A JWT authorizer needs one identity source: a header or a query string parameter")),
    }
}

/// AWS asks the issuer for its discovery document, and takes none without TLS. The sandbox asks nobody; and it takes an
/// issuer on this machine without TLS, which AWS could not reach, so that keys can be served locally. The words are reported.
fn check_issuer(issuer: &str) -> Answer<()> {
    let host = |rest: &str| rest.split(['/', ':', '?', '#']).next().unwrap_or_default().to_owned();
    let secure =
        issuer.strip_prefix("https://").is_some_and(|rest| host(rest).contains('.') || host(rest) == "localhost");
    let local =
        issuer.strip_prefix("http://").is_some_and(|rest| matches!(host(rest).as_str(), "127.0.0.1" | "localhost"));
    if (secure || local) && issuer.len() <= 2048 && !issuer.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(bad_request(format!(
        "Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended with \
         '/.well-known/openid-configuration'"
    )))
}

/// What a Lambda authorizer must have (API reference). The words are guesses.
fn check_request(authorizer: &mut Authorizer) -> Answer<()> {
    if authorizer.jwt_configuration.is_some() {
        return Err(bad_request("jwtConfiguration is not supported for authorizerType REQUEST"));
    }
    let uri = required(authorizer.authorizer_uri.as_deref(), "authorizerUri")?;
    if !uri.starts_with("arn:") || !uri.contains(":lambda:path/") || !uri.ends_with("/invocations") {
        return Err(bad_request(format!("Invalid Authorizer URI: {uri}. Authorizer URI should be a valid Lambda ARN")));
    }
    let version = authorizer.authorizer_payload_format_version.as_deref();
    let version = required(version, "authorizerPayloadFormatVersion")?;
    if !matches!(version, "1.0" | "2.0") {
        return Err(bad_request("Invalid authorizerPayloadFormatVersion specified. Must be one of [1.0, 2.0]"));
    }
    if version == "1.0" && authorizer.enable_simple_responses == Some(true) {
        return Err(bad_request("Simple responses are only supported for authorizerPayloadFormatVersion 2.0"));
    }
    let ttl = *authorizer.authorizer_result_ttl_in_seconds.get_or_insert(TTL);
    if !(0..=3600).contains(&ttl) {
        return Err(bad_request("Authorizer result TTL must be between 0 and 3600 seconds"));
    }
    let forms = ["$request.header.", "$request.querystring.", "$context.", "$stageVariables."];
    if let Some(source) = authorizer.identity_source.iter().find(|source| !is_source(source, &forms)) {
        return Err(bad_request(format!("Invalid identity source specified: {source}")));
    }
    if ttl > 0 && authorizer.identity_source.is_empty() {
        return Err(bad_request("Identity source is required when caching is enabled"));
    }
    Ok(())
}

fn is_source(source: &str, forms: &[&str]) -> bool {
    forms.iter().any(|form| source.strip_prefix(form).is_some_and(|name| !name.is_empty()))
}
